/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live heap in the model: by stack, what the runtime's memory profile says is in use and was ever allocated.
 *
 * The profile is looked at from time to time, and each look is the whole of it. A site's numbers are of the last
 * look; what they were at the first one shows what has grown since. They are estimates that the runtime's samples
 * are made to, exact only with a rate of 1.
 */
#ifndef GALLOP_MODEL_HEAP_H
#define GALLOP_MODEL_HEAP_H

#include <stdbool.h>
#include <stdint.h>

struct model;

/* Of the process's whole life. */
struct model_heap_counts {
	uint64_t inuse_objects, inuse_bytes;
	uint64_t alloc_objects, alloc_bytes;
	uint64_t inuse_samples, alloc_samples; /* that the above are made from */
};

struct model_heap_look {
	uint64_t mono_ns;
	uint64_t rate; /* runtime.MemProfileRate: bytes from one sample to the next, on average */
	uint64_t cycle; /* collections that had ended */
	bool before_gc; /* none had */
	uint64_t unsettled; /* stacks and sizes that changed while they were read */
};

/* There is no profile, and why; said again, it is so no more. NULL: it is known, though nothing was looked at yet. */
void model_heap_unknown(struct model *m, const char *why_not);

/* The site of a stack. The id, -ENOMEM or -E2BIG. */
int64_t model_heap_site(struct model *m, uint32_t stack);

/* A look: all sites have nothing, then what is added to each. */
void model_heap_look(struct model *m, const struct model_heap_look *look);
void model_heap_add(struct model *m, uint32_t site, const struct model_heap_counts *n);

/* All of the look was added. */
void model_heap_looked(struct model *m);

#endif
