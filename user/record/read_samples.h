/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of samples. */
#ifndef GALLOP_RECORD_READ_SAMPLES_H
#define GALLOP_RECORD_READ_SAMPLES_H

#include "record/reader.h"

/* The row of the table `sampling`: from then on the model samples. It comes before sites, which take more room then. */
int read_sampling(struct reader *r, sqlite3_stmt *row, uint64_t idx);

/*
 * After all other tables: the session again, interval by interval, as what is estimated depends on what was known by
 * when. 0 or -errno with the explanation; -E2BIG if it is too much at once.
 */
int read_samples(struct reader *r);

#endif
