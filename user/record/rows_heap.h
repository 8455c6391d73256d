/* SPDX-License-Identifier: BSD-2-Clause */
/* The live heap on its way into a recording. */
#ifndef GALLOP_RECORD_ROWS_HEAP_H
#define GALLOP_RECORD_ROWS_HEAP_H

#include "record/rows.h"

/* SQLITE_OK or SQLite's error. */
int rows_put_heap_watch(struct rows *r, const struct model *m);
int rows_put_heap(struct rows *r, const struct model *m, size_t interval);

#endif
