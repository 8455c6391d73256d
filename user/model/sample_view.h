/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The samples' part of building a snapshot: what each site is estimated to have allocated, in whole objects.
 *
 * Sizes are the runtime's own numbers. Tiny objects that open a block are among class 2 there, as the block is; those
 * that found room in one are of the tiny class, and take no bytes.
 */
#ifndef GALLOP_MODEL_SAMPLE_VIEW_H
#define GALLOP_MODEL_SAMPLE_VIEW_H

#include "model/sample_tables.h"
#include "model/snapshot.h"

/* How far off a sum may be: parts that are independent, and parts that err together. */
struct sample_error {
	double objects_variance, bytes_variance;
	double objects_systematic, bytes_systematic;
	bool from_windows;
};

struct sample_estimate {
	struct snapshot_count count;
	struct sample_error error;
};

struct sample_view {
	struct sample_estimate *sites; /* by the model's ids; NULL: nothing is estimated */
	/* By class, and no less than what was counted by site. */
	struct model_class_counts counts;
	struct sample_evidence evidence;
	struct sample_calls *calls; /* MODEL_MAP_OPERATIONS of each site of maps; NULL: none */
};

/* Bytes that a snapshot takes for a site of a sampled model, beside those of any model. */
enum {
	SAMPLE_VIEW_SITE_SZ =
		sizeof(struct sample_estimate) +
		SAMPLE_SLOTS * (2 * sizeof(struct sample_sum) + sizeof(struct estimate_sampled))
};

/* 0 or -ENOMEM; sample_view_deinit() in any case. What the snapshot says of samples is filled, but for what is not sampled. */
int sample_view_init(struct sample_view *view, struct snapshot_samples *s, const struct model *m,
		     bool interval);
void sample_view_deinit(struct sample_view *view);

void sample_error_add(struct sample_error *to, const struct sample_error *n);

/* The interval of a sum with this error. */
struct snapshot_ci95 sample_view_ci95(const struct sample_view *view, const struct sample_error *e);

/* The calls of an operation of maps. */
struct snapshot_map_estimate sample_view_calls(const struct sample_view *view,
					       const struct sample_calls *calls);

#endif
