/* SPDX-License-Identifier: BSD-2-Clause */
/* Estimates by site of a stretch of time: what folding and the snapshot have in common. */
#ifndef GALLOP_MODEL_SAMPLE_SUMS_H
#define GALLOP_MODEL_SAMPLE_SUMS_H

#include "model/sample_tables.h"

/* From one remembered moment to another, and the units that fell into it. */
struct sample_stretch {
	enum sample_when from, to;
	size_t first_unit, end_unit;
	uint64_t rate;
};

/* A stretch's counts, in the estimator's form. */
struct sample_span {
	struct estimate_span span;
	struct estimate_sampled *sampled;
	const struct estimate_unit **units;
	struct estimate_result result;
};

/*
 * All that isn't folded, in the order of time: returns how many stretches that is, 1 or 2: two where the rate of the
 * runtime's samples has changed in the current interval.
 */
size_t samples_stretches(const struct model *m, struct sample_stretch ret[2]);

/* Some window in it looked at allocations. */
bool samples_has_alloc(const struct model_samples *samples, const struct sample_stretch *stretch);

/* Estimate: 0 or -ENOMEM. sample_span_deinit() in any case. */
int sample_span_init(struct sample_span *s, const struct model *m,
		     const struct sample_stretch *stretch);
void sample_span_deinit(struct sample_span *s);

/* Which of its site's estimates a part of the result is, or -1: none that there can be. */
int sample_part_slot(const struct model *m, const struct estimate_part *part);

/* Add a part, times factor. */
void sample_sum_add(struct sample_sum *to, const struct estimate_part *part, double factor);

/* Add all parts to the sums of their sites, SAMPLE_SLOTS of each; times the factor of their class, if there are any, ESTIMATE_SUMS_NR. */
void sample_sums_add(struct sample_sum *sums, const struct model *m,
		     const struct estimate_result *result, const double *factors);

void sample_evidence_add(struct sample_evidence *to, const struct sample_span *s,
			 const struct model_samples *samples, const struct sample_stretch *stretch);

#endif
