/* SPDX-License-Identifier: BSD-2-Clause */
/* The maps' part of building a snapshot. */
#ifndef GALLOP_MODEL_MAP_VIEW_H
#define GALLOP_MODEL_MAP_VIEW_H

#include <stdbool.h>
#include <stdint.h>

struct model;
struct sample_calls;
struct sample_view;
struct shown;
struct snapshot_maps;
struct snapshot_opts;

/* Add SHOWN_MAP to the stacks that will be shown. calls: estimates by site, or NULL. */
void map_view_use_stacks(const struct model *m, bool interval, const struct sample_calls *calls,
			 uint8_t *used);

/* 0 or -ENOMEM; map_view_deinit() in any case. */
int map_view_init(struct snapshot_maps *view, const struct model *m, const struct shown *sh,
		  const struct sample_view *samples, const struct snapshot_opts *opts);
void map_view_deinit(struct snapshot_maps *view);

#endif
