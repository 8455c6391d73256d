/* SPDX-License-Identifier: BSD-2-Clause */
/* One row each of the tables that name things: functions, frames, stacks, types, sites. */
#ifndef GALLOP_RECORD_READ_NAMES_H
#define GALLOP_RECORD_READ_NAMES_H

#include "record/reader.h"

int read_function(struct reader *r, sqlite3_stmt *row, uint64_t idx);
int read_frame(struct reader *r, sqlite3_stmt *row, uint64_t idx);
int read_stack(struct reader *r, sqlite3_stmt *row, uint64_t idx);
int read_type(struct reader *r, sqlite3_stmt *row, uint64_t idx);
int read_site(struct reader *r, sqlite3_stmt *row, uint64_t idx);

#endif
