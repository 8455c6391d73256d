/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks as a tree, in which those that begin alike share their way.
 *
 * Frames are told apart by what they show and are copied, so stacks of several snapshots - slices of time, or
 * two recordings - meet in one tree, which outlives them. The tree holds no numbers: whoever has some keeps an
 * array with an element for each node.
 */
#ifndef GALLOP_MODEL_CALLTREE_H
#define GALLOP_MODEL_CALLTREE_H

#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

enum calltree_direction {
	CALLTREE_CALLEES, /* from main to what allocates: a flame graph */
	CALLTREE_CALLERS, /* from what allocates to who called it */
};

enum { CALLTREE_ROOT = 0, CALLTREE_NONE = UINT32_MAX };

/* The name of the frame that stands for the missing root of a cut stack. */
#define CALLTREE_TRUNCATED "[truncated]"

struct calltree_node {
	uint32_t frame; /* of frames[]; CALLTREE_NONE: the root */
	uint32_t parent; /* always a smaller number than the node's own; CALLTREE_NONE: the root */
	uint32_t child, next; /* the first child, the next sibling; or CALLTREE_NONE */
};

struct calltree {
	struct calltree_node *nodes; /* nodes[CALLTREE_ROOT] is above all stacks */
	struct snapshot_frame *frames; /* their texts are the tree's own */
	size_t nodes_nr, frames_nr;
	struct calltree_index *index; /* private */
};

/* 0 or -ENOMEM; calltree_deinit() in any case. */
int calltree_init(struct calltree *t);
void calltree_deinit(struct calltree *t);

/* Below a node: the node of one frame more, which is made if it isn't there. 0 or -ENOMEM. */
int calltree_child(struct calltree *t, uint32_t parent, const struct snapshot_frame *frame,
		   uint32_t *ret);

/* The node at which a stack ends; -ENOMEM. */
int calltree_add(struct calltree *t, const struct snapshot_stack *stack,
		 enum calltree_direction direction, uint32_t *ret);

/* Add to each node's value all that is below it: values[] has an element for each node. */
void calltree_sum(const struct calltree *t, uint64_t *values);

/* Put the children of each node in order. 0 or -ENOMEM. */
int calltree_sort(struct calltree *t,
		  int (*cmp)(const struct calltree *t, uint32_t a, uint32_t b, void *ctx),
		  void *ctx);

/* The node behind this one on a walk that visits each before its children; CALLTREE_NONE: it was the last. */
uint32_t calltree_next(const struct calltree *t, uint32_t node);

#endif
