/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the functions that read a recording's tables share: where they are, the model they fill, and
 * columns that are checked before they are used.
 */
#ifndef GALLOP_RECORD_READER_H
#define GALLOP_RECORD_READER_H

#include "model/op_tables.h"
#include "model/tables.h"
#include "record/database.h"
#include "record/recording.h"

#define TIME_MAX (UINT64_C(1) << 62) /* two times that are added don't overflow */

enum { READER_IDS_MAX = 4 };

/* The model's ids of a table's rows, by the file's ids. Equal rows may have become one. */
struct id_map {
	uint32_t *v;
	size_t nr, cap;
};

struct reader {
	const char *path;
	struct database file;
	struct model *m;
	struct err *err;

	struct id_map funcs, frames, stacks, types, sites, map_sites;
	size_t causes_nr;

	struct recording_span span;
	uint64_t intervals_nr;
	uint64_t first, end; /* the intervals [first, end) are in the span */
	uint64_t from_ns, to_ns; /* what they cover */
	uint64_t last_ns; /* where the recording ends */
	struct model_count total; /* of the intervals in the span */
	uint64_t alloc_interval, alloc_site; /* the row before; rows must ascend */
	uint64_t gc_interval; /* of the row before in a table of garbage collection */
	uint64_t assist_stack;
	uint64_t heap_first; /* the interval of the first look at the heap in the span */
	uint64_t op_interval; /* of the row before in the table of operations' windows */
	struct op_cluster op_seen[MODEL_OPS_MAX]; /* by windows of the span, so far */
	uint64_t ids[READER_IDS_MAX]; /* of the row before, see reader_ids() */
	uint64_t loss_cause, loss_interval, loss_so_far, loss_before;
};

/* How a table is read: a query, and a function for each row that it gives. */
struct reader_query {
	const char *sql;
	int (*read)(struct reader *r, sqlite3_stmt *row, uint64_t idx);
	bool numbered; /* column 0 is the id: 0, 1, 2, ... */
};

/* Explain that the file is damaged: -EBADMSG. */
int reader_damaged(struct reader *r, const char *what);

/* 0 if an id was given out, else the explanation why not. */
int reader_interned(struct reader *r, int64_t id);

/* The columns of a row: 0 and a value, or -errno. A number above max is out of range. */
int col_u64(struct reader *r, sqlite3_stmt *row, int col, uint64_t max, uint64_t *ret);
/* A real number, from 0 to max: exactly as it was written. */
int col_real(struct reader *r, sqlite3_stmt *row, int col, double max, double *ret);
/* Any 64 bits: addresses, and counts that were read from the target, which may hold anything. */
int col_word(struct reader *r, sqlite3_stmt *row, int col, uint64_t *ret);
int col_text(struct reader *r, sqlite3_stmt *row, int col, const char **ret);

/* A reference to another table's row, as the model's id. */
int col_ref(struct reader *r, sqlite3_stmt *row, int col, const struct id_map *map, uint32_t *ret);

/* The ids that a row of counts begins with: rows ascend by them, the first one counts first. */
int reader_ids(struct reader *r, sqlite3_stmt *row, uint64_t idx, uint64_t *ids, int nr);

/* Consecutive columns of counts. */
int col_counts(struct reader *r, sqlite3_stmt *row, int first, uint64_t *v, int nr);
int col_bool(struct reader *r, sqlite3_stmt *row, int col, bool *ret);

int map_add(struct reader *r, struct id_map *map, int64_t id);

#endif
