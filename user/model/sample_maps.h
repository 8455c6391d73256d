/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often maps are assigned to and deleted from, when only windows see it.
 *
 * What is known of the time between windows is how much goroutines allocate. So calls are counted per object that
 * goroutines with the same root allocated in the same windows, and scaled to what those have allocated in all. Where a
 * goroutine allocates nothing, or windows don't look at it, calls are scaled by time: those that windows saw are
 * the least that there were, and what estimate/slowed.h makes of them is the most.
 */
#ifndef GALLOP_MODEL_SAMPLE_MAPS_H
#define GALLOP_MODEL_SAMPLE_MAPS_H

#include "model/sample_sums.h"

/* What windows' calls are scaled to. */
struct sample_maps_scale {
	const struct sample_sum *sums; /* of sites, in the time that is wanted; NULL: none */
	double wanted_s; /* how long that time is; 0: that of the windows' slots */
};

void sample_calls_add(struct sample_calls *to, const struct sample_calls *n);

/* Add what the stretch's windows tell: calls has MODEL_MAP_OPERATIONS for each site of maps. 0 or -ENOMEM. */
int sample_maps_add(const struct model *m, const struct sample_stretch *stretch,
		    const struct sample_maps_scale *scale, struct sample_calls *calls);

/* Into the sums of sites; span is NULL if nothing is known of what was allocated. 0 or -ENOMEM. */
int sample_maps_fold(struct model *m, const struct sample_stretch *stretch,
		     const struct sample_span *span);

#endif
