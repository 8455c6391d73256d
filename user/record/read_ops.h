/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of operations. */
#ifndef GALLOP_RECORD_READ_OPS_H
#define GALLOP_RECORD_READ_OPS_H

#include "record/reader.h"

/* A row of the table that names them: sites refer to it. */
int read_op(struct reader *r, sqlite3_stmt *row, uint64_t idx);

/* The others. In the order of reading, after all other tables; ends with sql == NULL. */
extern const struct reader_query op_queries[];

#endif
