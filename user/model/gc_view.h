/* SPDX-License-Identifier: BSD-2-Clause */
/* The collector's part of building a snapshot. */
#ifndef GALLOP_MODEL_GC_VIEW_H
#define GALLOP_MODEL_GC_VIEW_H

#include <stdbool.h>
#include <stdint.h>

struct model;
struct shown;
struct snapshot_gc;

/* Add SHOWN_GC to the stacks that will be shown. */
void gc_view_use_stacks(const struct model *m, bool interval, uint8_t *used);

/* 0 or -ENOMEM; gc_view_deinit() in any case. */
int gc_view_init(struct snapshot_gc *view, const struct model *m, const struct shown *sh,
		 bool interval);
void gc_view_deinit(struct snapshot_gc *view);

#endif
