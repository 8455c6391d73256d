/* SPDX-License-Identifier: BSD-2-Clause */
/* Garbage collection on its way into a recording. */
#ifndef GALLOP_RECORD_ROWS_GC_H
#define GALLOP_RECORD_ROWS_GC_H

#include "record/rows.h"

/* What the model's current interval added. SQLITE_OK or SQLite's error, both. */
int rows_put_gc(struct rows *r, const struct model *m, size_t interval);
int rows_put_gc_check(struct rows *r, const struct model *m);

#endif
