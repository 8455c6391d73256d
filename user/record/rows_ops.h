/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on their way into a recording. All return SQLITE_OK or SQLite's error. */
#ifndef GALLOP_RECORD_ROWS_OPS_H
#define GALLOP_RECORD_ROWS_OPS_H

#include "record/rows.h"

/* Which functions' calls are measured, and what of them. */
int rows_put_op_watch(struct rows *r, const struct model *m);

/* What the model's current interval added. */
int rows_put_ops(struct rows *r, const struct model *m, size_t interval);

#endif
