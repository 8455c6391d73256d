/* SPDX-License-Identifier: BSD-2-Clause */
/* What a snapshot has of the live heap: as of the last look at it, and what has changed since the first. */
#ifndef GALLOP_MODEL_SNAPSHOT_HEAP_H
#define GALLOP_MODEL_SNAPSHOT_HEAP_H

#include <stdbool.h>
#include <stddef.h>

#include "model/heap.h"
#include "model/snapshot_samples.h"

struct snapshot_stack;

/* Stacks that look the same are one site. */
struct snapshot_heap_site {
	struct model_heap_counts counts;
	struct model_heap_counts first;
	/* Of what is in use, from the first look to the last; negative: it has become less. */
	int64_t grown_objects, grown_bytes;
	struct snapshot_ci95 inuse_ci95, grown_ci95;
	const struct snapshot_stack *stack;
};

struct snapshot_heap {
	bool asked; /* it was to be looked at */
	bool known; /* it could be: all below is there */
	char why_not[160]; /* if it was to be and could not */
	uint64_t looks; /* growth is known from two on */
	struct model_heap_look first, last;
	struct model_heap_counts total, first_total; /* of all sites */
	int64_t grown_objects, grown_bytes;
	struct snapshot_ci95 inuse_ci95, grown_ci95;
	struct snapshot_heap_site *sites; /* by what is sorted by, bytes in use by default */
	const struct snapshot_heap_site **grown; /* the same, those that have grown most first */
	size_t sites_nr; /* only those that have or had anything */
};

#endif
