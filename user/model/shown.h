/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which part of each stack is shown, and which stacks then look the same.
 *
 * The model tells frames apart by address and keeps every frame. People want one frame per line of
 * source and neither the allocator's own frames at the leaf nor runtime.goexit at the root.
 */
#ifndef GALLOP_MODEL_SHOWN_H
#define GALLOP_MODEL_SHOWN_H

#include "model/snapshot.h"
#include "model/tables.h"

/* It has as many owners as there are snapshots that show it, and caches that keep it. */
struct shown {
	int refs;
	char *strings; /* every text of the model */
	struct snapshot_frame *frames;
	const struct snapshot_frame **links; /* the stacks' arrays of frames in one */
	struct snapshot_stack *stacks;
	size_t frames_nr, links_nr, stacks_nr;

	const char **text_of; /* model text -> string */
	uint32_t *frame_of; /* model frame -> frames[] */
	uint32_t *func_of; /* frames[] -> model function */
	uint32_t *stack_of; /* model stack -> stacks[], SHOWN_NONE if not used */
	uint32_t *gc_stack_of; /* the same for what the collector's stacks show */
	uint32_t *map_stack_of; /* and for those of maps */
};

enum { SHOWN_NONE = UINT32_MAX };

/* What a stack is used by. */
enum {
	SHOWN_SITE = 1 << 0,
	/*
	 * A stop, a cycle or an assist. Its leaf always is inside the runtime: what is shown begins
	 * with the function that the program called (runtime.GC), or that needed memory.
	 */
	SHOWN_GC = 1 << 1,
	/*
	 * An operation of a map: as a site's, but a sync.Map's own frames at the leaf are none of the
	 * program's either.
	 */
	SHOWN_MAP = 1 << 2,
};

/* A stack inside an operation, shown from its leaf to the frame that the operation is a call of. */
struct shown_op {
	uint32_t stack; /* the model's */
	uint32_t func; /* the name of the operation's function, a text of the model */
	uint32_t shown; /* what shown_get() makes of it, in stacks[] */
};

/* What is to be shown of a model. */
struct shown_use {
	uint8_t *stacks; /* SHOWN_* flags of each stack of the model */
	struct shown_op *ops; /* in any order; equal ones are shown as one */
	size_t ops_nr;
};

/* What a struct shown is made from, beside the uses. A model only ever grows: where it has not, it is the same. */
struct shown_from {
	const struct model *model;
	size_t texts_nr, funcs_nr, frames_nr, stacks_nr;
	bool is_sampled, places, runtime_frames;
};

/* The last that was shown, for who asks again before there is anything new. */
struct snapshot_cache {
	struct shown *shown; /* NULL: none yet */
	struct shown_from from;
	uint8_t *uses; /* of each stack */
};

/*
 * One stack more than needed is made, the last: it has the one frame shown_rest_name(). From the options' cache it may
 * have stacks that this use doesn't show. 0 or -ENOMEM; to be given back by shown_unref().
 */
int shown_get(struct shown **ret, const struct model *m, const struct shown_use *use,
	      const struct snapshot_opts *opts);
void shown_unref(struct shown *sh); /* NULL is fine */

/* Free the maps, which only building a snapshot needs; not of what a cache may have. */
void shown_free_maps(struct shown *sh);

/* What is in the totals but in no site: lost, or not sampled. */
const char *shown_rest_name(const struct model *m);

/* Descending by one value, then by the other; the same in all tables. */
int shown_count_cmp(struct snapshot_count x, struct snapshot_count y, enum snapshot_value by);

/* The order of their names. */
int shown_stack_cmp(const struct snapshot_stack *x, const struct snapshot_stack *y);

#endif
