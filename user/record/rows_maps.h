/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps on their way into a recording. All return SQLITE_OK or SQLite's error. */
#ifndef GALLOP_RECORD_ROWS_MAPS_H
#define GALLOP_RECORD_ROWS_MAPS_H

#include "record/rows.h"

int rows_put_map_sites(struct rows *r, const struct model *m);

/* What the model's current interval added, what changed of what maps hold, and the largest of them. */
int rows_put_maps(struct rows *r, const struct model *m, size_t interval);

/* How maps are looked at, if they are. */
int rows_put_map_watch(struct rows *r, const struct model *m);

#endif
