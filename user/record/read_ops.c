/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts and distributions are summed up over the span. What was counted before it is kept apart: it says how many
 * operations were open when the span began.
 */
#include "record/read_ops.h"

#include "model/op_tables.h"

int read_op(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	const char *func, *label;
	(void)idx;

	int code = col_text(r, row, 1, &func);
	if (!code)
		code = col_text(r, row, 2, &label);
	return code ? code : reader_interned(r, model_op(r->m, func, label));
}

static int read_watch(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct model_ops_known known = { 0 };
	bool *const flags[] = { &known.allocs, &known.pauses, &known.assists };
	int code = 0;
	(void)idx;

	for (int i = 0; !code && i < 3; i++)
		code = col_bool(r, row, 1 + i, flags[i]);
	if (!code)
		model_ops_measured(r->m, &known);
	return code;
}

/* The interval and the operation that a row begins with, and what else it is about. */
static int read_ids(struct reader *r, sqlite3_stmt *row, uint64_t idx, uint64_t *ids, int nr)
{
	int code = reader_ids(r, row, idx, ids, nr);

	if (!code && (ids[0] >= r->intervals_nr || ids[1] >= r->m->ops->nr))
		return reader_damaged(r, "a row refers to one that is not there");
	return code;
}

static int read_call(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct model_op_counts n = { 0 };
	uint64_t ids[2];

	int code = read_ids(r, row, idx, ids, 2);
	if (!code)
		code = col_counts(r, row, 2, op_counts_v(&n), OP_COUNTS_NR);
	if (code || ids[0] >= r->end)
		return code;
	struct op_row *op = r->m->ops->rows[ids[1]];
	op_counts_add(ids[0] < r->first ? &op->before : &op->now, &n);
	return 0;
}

static int read_hist(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	uint64_t ids[4], operations = 0;

	int code = read_ids(r, row, idx, ids, 4);
	if (!code)
		code = col_counts(r, row, 4, &operations, 1);
	if (code)
		return code;
	if (ids[2] >= WIRE_OP_VALUES || ids[3] >= WIRE_HIST_BUCKETS)
		return reader_damaged(r, "a distribution has a bucket that none can have");
	if (ids[0] >= r->first && ids[0] < r->end)
		op_hist_add(r->m->ops->rows[ids[1]], (enum wire_op_value)ids[2], (uint32_t)ids[3],
			    operations);
	return 0;
}

const struct reader_query op_queries[] = {
	{ "SELECT id, allocs, pauses, assists FROM op_watch ORDER BY id LIMIT 1", read_watch,
	  true },
	{ "SELECT interval, op, begun, ended, panics, goexits, began_before, pause_ns, assist_ns, "
	  "objects, bytes, ns, objects_max, bytes_max, ns_max FROM op_call ORDER BY interval, op",
	  read_call, false },
	{ "SELECT interval, op, value, bucket, operations FROM op_hist "
	  "ORDER BY interval, op, value, bucket",
	  read_hist, false },
	{ .sql = NULL },
};
