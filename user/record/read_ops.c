/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts and distributions are summed up over the span. What was counted before it is kept apart: it says how many
 * operations were open when the span began.
 */
#include "record/read_ops.h"

#include <string.h>

#include "base/u64.h"
#include "model/op_tables.h"

/* No sum of as many rows as a file has overflows; 2^63 values of 2^63 are far from it. */
#define SQUARES_MAX 1e60

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
	bool *const flags[] = { &known.allocs, &known.pauses, &known.assists, &known.sampled };
	int code = 0;
	(void)idx;

	for (int i = 0; !code && i < 4; i++)
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

/* The windows of an interval are those of the current one until a later one has some. */
static void end_intervals(struct reader *r, uint64_t interval)
{
	if (interval == r->op_interval)
		return;
	for (size_t i = 0; i < r->m->ops->nr; i++)
		op_next_windows(r->m->ops->rows[i]);
	r->op_interval = interval;
}

/* What saw no operation end says how many calls there were, and nothing else. */
static bool is_possible(const struct op_cluster *c)
{
	static const struct op_cluster none;

	if (c->ended)
		return c->windows && c->windows <= c->ended && c->late <= c->ended;
	return c->calls && !c->windows && !c->late && !memcmp(c->sum, none.sum, sizeof(c->sum)) &&
	       !memcmp(c->squares, none.squares, sizeof(c->squares));
}

/* What windows saw was counted, too, and is read before them. */
static bool is_counted(struct reader *r, uint64_t op, const struct op_cluster *c)
{
	const struct model_op_counts *all = &r->m->ops->rows[op]->now;
	struct op_cluster *seen = &r->op_seen[op];
	bool ret;

	seen->ended = sum_u63(seen->ended, c->ended);
	ret = seen->ended <= all->ended;
	for (int i = 0; i < WIRE_OP_VALUES; i++) {
		seen->sum[i] = sum_u63(seen->sum[i], c->sum[i]);
		ret &= seen->sum[i] <= all->sum[i];
	}
	return ret;
}

static int read_window(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct op_cluster c = { 0 };
	uint64_t ids[3], n[4] = { 0 };

	int code = read_ids(r, row, idx, ids, 3);
	if (!code)
		code = col_counts(r, row, 3, n, 4);
	if (!code)
		code = col_counts(r, row, 7, c.sum, WIRE_OP_VALUES);
	for (int i = 0; !code && i < WIRE_OP_VALUES; i++)
		code = col_real(r, row, 7 + WIRE_OP_VALUES + i, SQUARES_MAX, &c.squares[i]);
	if (code)
		return code;
	c.windows = n[0];
	c.calls = n[1];
	c.ended = n[2];
	c.late = n[3];
	if (!is_possible(&c))
		return reader_damaged(r, "a window has operations that none can have");
	if (ids[0] < r->first || ids[0] >= r->end)
		return 0;
	if (!is_counted(r, ids[1], &c))
		return reader_damaged(r, "windows have operations that were not counted");
	end_intervals(r, ids[0]);
	return reader_interned(r, op_add_cluster(r->m->ops->rows[ids[1]], &c));
}

const struct reader_query op_queries[] = {
	{ "SELECT id, allocs, pauses, assists, sampled FROM op_watch ORDER BY id LIMIT 1",
	  read_watch, true },
	{ "SELECT interval, op, begun, ended, panics, goexits, began_before, entries, "
	  "uncounted_ns, nested, cut, pause_ns, assist_ns, "
	  "objects, bytes, ns, objects_max, bytes_max, ns_max FROM op_call ORDER BY interval, op",
	  read_call, false },
	{ "SELECT interval, op, value, bucket, operations FROM op_hist "
	  "ORDER BY interval, op, value, bucket",
	  read_hist, false },
	{ "SELECT interval, op, number, windows, calls, ended, late, objects, bytes, ns, "
	  "objects_squares, bytes_squares, ns_squares FROM op_window ORDER BY interval, op, number",
	  read_window, false },
	{ .sql = NULL },
};
