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

/* All of this is owned by the snapshot in the end, but for the maps from the model's ids. */
struct shown {
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

/*
 * used has the SHOWN_* flags of each stack of the model. One stack more than needed is made, the
 * last: it has the one frame SNAPSHOT_LOST. 0 or -ENOMEM; shown_deinit() in any case.
 */
int shown_init(struct shown *sh, const struct model *m, const uint8_t *used,
	       const struct snapshot_opts *opts);
void shown_deinit(struct shown *sh);

/* Free the maps, which only building the snapshot needs. */
void shown_free_maps(struct shown *sh);

/* The order of their names. */
int shown_stack_cmp(const struct snapshot_stack *x, const struct snapshot_stack *y);

#endif
