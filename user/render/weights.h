/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A value (--value) as numbers of stacks: what everything shows that draws stacks and one number of each, such as flame
 * graphs.
 */
#ifndef GALLOP_RENDER_WEIGHTS_H
#define GALLOP_RENDER_WEIGHTS_H

#include "model/snapshot.h"

/* Which part of a snapshot a value is of. */
enum weights_of { OF_ALLOCATIONS, OF_GC, OF_MAPS, OF_HEAP };

enum weights_of weights_of(enum snapshot_value value);

/* What a value is called wherever it is drawn: "Bytes allocated". */
const char *value_name(enum snapshot_value value);

/*
 * Frame i of a stack from its root, where a missing root is a frame of its own, "[truncated]". NULL behind the leaf.
 */
const struct snapshot_frame *stack_frame(const struct snapshot_stack *stack, size_t i);

struct weight {
	const struct snapshot_stack *stack; /* borrowed from the snapshot */
	uint64_t n; /* never 0 */
};

/* Room for any value's weights. */
size_t weights_max(const struct snapshot *s);

/* Those of a value; how many. Stacks that are told apart by a type or a goroutine are there several times. */
size_t weights_collect(struct weight *weights, const struct snapshot *s, enum snapshot_value value);

/* The same of one operation: objects, or else bytes. There are as many as sites at most. */
size_t weights_collect_op(struct weight *weights, const struct snapshot_op *op,
			  enum snapshot_value value);

#endif
