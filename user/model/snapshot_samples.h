/* SPDX-License-Identifier: BSD-2-Clause */
/* What a snapshot says of estimates: how sure each is, where they come from, and what they cost. */
#ifndef GALLOP_MODEL_SNAPSHOT_SAMPLES_H
#define GALLOP_MODEL_SNAPSHOT_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "model/samples.h"

/* Half-widths of 95 % intervals: 0 for what is exact, NAN for what can't be told: too few windows. */
struct snapshot_ci95 {
	double objects, bytes;
};

/* No more than could be by chance: the interval reaches down to nothing. */
static inline bool snapshot_is_noise(double value, double ci95)
{
	return ci95 >= value && value > 0;
}

struct snapshot_samples {
	bool on; /* sites are estimates; totals and size classes are the runtime's own numbers */
	uint64_t
		mem_profile_rate; /* bytes, at the end; 0: the runtime takes no samples, or none are seen */
	uint64_t sampled; /* by the runtime, that the estimates are made from */
	uint64_t units, hits; /* windows that they are made from, and all hits in those */
	uint64_t alike; /* windows that would tell as much, if all told equally much */
	/* Shares among sites are from this time: of an interval they may be older than it. 0: there are none. */
	uint64_t shares_from_ns, shares_to_ns;
	double dilation; /* see estimate.h */
	uint64_t unsampled_objects, unsampled_bytes; /* in the site SNAPSHOT_UNSAMPLED */
	struct model_cost cost;
};

#endif
