/* SPDX-License-Identifier: BSD-2-Clause */
/* The live heap's part of building a snapshot. */
#ifndef GALLOP_MODEL_HEAP_VIEW_H
#define GALLOP_MODEL_HEAP_VIEW_H

#include <stdint.h>

struct model;
struct shown;
struct snapshot_heap;
struct snapshot_opts;

/* Mark the stacks that will be shown. */
void heap_view_use_stacks(const struct model *m, uint8_t *uses);

/* When they are shown. 0 or -ENOMEM; heap_view_deinit() in any case. */
int heap_view_init(struct snapshot_heap *view, const struct model *m, const struct shown *sh,
		   const struct snapshot_opts *opts);
void heap_view_deinit(struct snapshot_heap *view);

#endif
