/* SPDX-License-Identifier: BSD-2-Clause */
/* Totals by class, windows and samples on their way into a recording. All return SQLITE_OK or SQLite's error. */
#ifndef GALLOP_RECORD_ROWS_SAMPLES_H
#define GALLOP_RECORD_ROWS_SAMPLES_H

#include "record/rows.h"

/* That the session samples, and what it costs so far; nothing of one that doesn't. */
int rows_put_sampling(struct rows *r, const struct model *m);

/* What the model's current interval added. */
int rows_put_samples(struct rows *r, const struct model *m, size_t interval);

#endif
