/* SPDX-License-Identifier: BSD-2-Clause */
/* What the outputs share that show garbage collection. */
#ifndef GALLOP_RENDER_GC_H
#define GALLOP_RENDER_GC_H

#include "render/render.h"

/* One thing that ended: a stop or a cycle, the other is NULL. */
struct gc_event {
	const struct snapshot_stop *stop;
	const struct snapshot_cycle *cycle;
};

/* Both lists as one, in the order in which they ended; a cycle comes behind its last stop. */
struct gc_events {
	const struct snapshot_gc *gc;
	size_t stop_idx, cycle_idx;
};

/* False at the end. */
bool gc_events_next(struct gc_events *events, struct gc_event *ret);

/* The tables of garbage collection in text, with a title; nothing if nothing was seen. */
void put_gc_section(FILE *out, const struct snapshot *s, const struct render_opts *opts);

/* One line: the cycles and pauses that were seen, held against the runtime's own count. */
void put_gc_check(FILE *out, const struct model_gc_check *c, const struct render_opts *opts);

/* Three lines for the live view; nothing if nothing was seen so far. */
void put_gc_block(FILE *out, const struct snapshot *interval, const struct snapshot *total);

#endif
