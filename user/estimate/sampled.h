/* SPDX-License-Identifier: BSD-2-Clause */
/* Shares of a size class from the runtime's own samples. */
#ifndef GALLOP_ESTIMATE_SAMPLED_H
#define GALLOP_ESTIMATE_SAMPLED_H

#include <stdint.h>

#include "estimate/estimate.h"
#include "estimate/shares.h"

struct sampled {
	struct estimate_sampled *v; /* sorted by class, then site */
	size_t nr;
	uint64_t rate;
};

/* 0 or -ENOMEM. sampled_deinit() in any case. */
int sampled_init(struct sampled *s, const struct estimate_span *span);
void sampled_deinit(struct sampled *s);

/* 0 or -ENOMEM; samples_ret: how many the class has, or fewer that weigh the same and tell as much. What is in ret is the caller's to free in any case. */
int sampled_shares(const struct sampled *s, uint32_t size_class, struct shares *ret,
		   double *samples_ret);

#endif
