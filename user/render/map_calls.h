/* SPDX-License-Identifier: BSD-2-Clause */
/* How often maps were assigned to and deleted from: counted, or estimated from windows, or not known. */
#ifndef GALLOP_RENDER_MAP_CALLS_H
#define GALLOP_RENDER_MAP_CALLS_H

#include "base/fmt.h"
#include "model/snapshot.h"

struct map_calls {
	bool known, estimated;
	bool at_least; /* no number can be told, but that there were no fewer */
	uint64_t n;
	double ci95; /* half-width; 0: exact, NAN: can't be told */
};

/* Of a site, or of all: sites' errors don't add up to one, so of these the interval can't be told unless all are exact. */
struct map_calls map_calls_of(const struct snapshot_maps *maps,
			      const struct snapshot_map_site *site,
			      enum model_map_operation operation);
struct map_calls map_calls_total(const struct snapshot_maps *maps,
				 enum model_map_operation operation);

/* What stands before the number: "", "~", ">". */
const char *map_calls_mark(struct map_calls calls);

#endif
