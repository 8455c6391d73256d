/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stops, cycles and assists go through the model's own functions, which bound and add up whatever
 * they are given; here it is seen to that they are of an interval that exists, and of the span.
 */
#include "record/read_gc.h"

#include <string.h>

#include "base/utf8.h"
#include "model/gc_tables.h"
#include "record/schema.h"

/* Column 1 of rows by time; whether the row is in the span. */
static int read_interval_of(struct reader *r, sqlite3_stmt *row, int col, uint64_t idx,
			    bool *in_span_ret)
{
	uint64_t interval;

	int code = col_u64(r, row, col, INT64_MAX, &interval);
	if (code)
		return code;
	if (interval >= r->intervals_nr)
		return reader_damaged(r, "a row refers to one that is not there");
	if (idx && interval < r->gc_interval)
		return reader_damaged(r, "its stops and cycles are out of order");
	r->gc_interval = interval;
	*in_span_ret = interval >= r->first && interval < r->end;
	return 0;
}

/* A reference that may be missing. */
static int col_stack(struct reader *r, sqlite3_stmt *row, int col, uint32_t *ret)
{
	if (sqlite3_column_type(row, col) != SQLITE_NULL)
		return col_ref(r, row, col, &r->stacks, ret);
	*ret = MODEL_NO_STACK;
	return 0;
}

/* Consecutive columns, all numbers up to max. */
struct numbers {
	int first, nr;
	uint64_t max;
};

static int col_numbers(struct reader *r, sqlite3_stmt *row, struct numbers n, uint64_t *const *rets)
{
	int code = 0;

	for (int i = 0; !code && i < n.nr; i++)
		code = col_u64(r, row, n.first + i, n.max, rets[i]);
	return code;
}

static int read_stop(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct model_stop stop = { 0 };
	uint64_t reason = 0, gc = 0;
	uint64_t *const times[] = { &stop.start_ns, &stop.stopped_ns, &stop.end_ns };
	bool in_span = false;

	int code = read_interval_of(r, row, 1, idx, &in_span);
	if (!code)
		code = col_u64(r, row, 2, MODEL_STOP_REASONS - 1, &reason);
	if (!code)
		code = col_u64(r, row, 3, 1, &gc);
	if (!code)
		code = col_numbers(r, row, (struct numbers){ 4, 3, TIME_MAX }, times);
	if (!code)
		code = col_word(r, row, 7, &stop.goid);
	if (!code)
		code = col_stack(r, row, 8, &stop.stack);
	if (code || !in_span)
		return code;
	stop.reason = (uint32_t)reason;
	stop.gc = gc;
	return reader_interned(r, model_add_stop(r->m, &stop));
}

/* All but who it was. */
static int read_cycle_numbers(struct reader *r, sqlite3_stmt *row, struct model_cycle *c,
			      uint64_t *told_ret)
{
	uint64_t ppm = 0, known = 0, share = 0;
	bool shared = sqlite3_column_type(row, 25) != SQLITE_NULL;
	uint64_t *const times[] = { told_ret, &c->start_ns, &c->mark_start_ns, &c->mark_end_ns,
				    &c->end_ns };
	uint64_t *const numbers[] = {
		&c->sweep_pause_ns, &c->mark_pause_ns, &c->pause_ns,	  &c->heap_live_start,
		&c->heap_marked,    &c->heap_live_end, &c->goal,	  &c->next_goal,
		&c->assist_ns,	    &c->dedicated_ns,  &c->fractional_ns, &c->idle_ns,
	};

	int code = col_numbers(r, row, (struct numbers){ 6, 5, TIME_MAX }, times);
	if (!code)
		code = col_numbers(r, row, (struct numbers){ 11, 12, INT64_MAX }, numbers);
	if (!code)
		code = col_u64(r, row, 23, SCHEMA_PPM, &ppm);
	if (!code)
		code = col_u64(r, row, 24, 1, &known);
	if (!code && shared)
		code = col_u64(r, row, 25, SCHEMA_PPM, &share);
	c->cpu_fraction = (double)ppm / SCHEMA_PPM;
	c->runtime_known = known;
	c->cpu_share = shared ? (double)share / SCHEMA_PPM : -1;
	return code;
}

static int read_cycle(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct model_cycle c = { 0 };
	uint64_t number = 0, cause = 0, told_ns = 0;
	bool in_span = false;

	int code = read_interval_of(r, row, 1, idx, &in_span);
	if (!code)
		code = col_u64(r, row, 2, UINT32_MAX, &number);
	if (!code)
		code = col_u64(r, row, 3, MODEL_TRIGGER_NR - 1, &cause);
	if (!code)
		code = col_word(r, row, 4, &c.goid);
	if (!code)
		code = col_stack(r, row, 5, &c.stack);
	if (!code)
		code = read_cycle_numbers(r, row, &c, &told_ns);
	if (code || !in_span)
		return code;
	c.number = (uint32_t)number;
	c.trigger = (enum model_trigger)cause;
	return reader_interned(r, gc_add_cycle(r->m, &c, told_ns));
}

static int read_assist(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	uint64_t before = r->gc_interval, id = 0, assists = 0, ns = 0;
	uint32_t stack = 0;
	bool in_span = false;

	int code = read_interval_of(r, row, 0, idx, &in_span);
	if (!code)
		code = col_u64(r, row, 1, UINT32_MAX, &id);
	if (!code)
		code = col_ref(r, row, 1, &r->stacks, &stack);
	if (!code)
		code = col_u64(r, row, 2, INT64_MAX, &assists);
	if (!code)
		code = col_u64(r, row, 3, INT64_MAX, &ns);
	if (code)
		return code;
	if (idx && r->gc_interval == before && id <= r->assist_stack)
		return reader_damaged(r, "table 'assist' is out of order");
	r->assist_stack = id;
	if (!in_span)
		return 0;
	int64_t assist = model_assist(r->m, stack);
	if (assist >= 0)
		model_assist_add(r->m, (uint32_t)assist, assists, ns);
	return reader_interned(r, assist);
}

static int read_gc_check(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct model_gc_check *c = model_gc_check(r->m);
	uint64_t known = 0, exact = 0;
	const char *why_not;
	(void)idx;

	int code = col_u64(r, row, 1, 1, &known);
	if (!code)
		code = col_text(r, row, 2, &why_not);
	if (!code)
		code = col_u64(r, row, 3, 1, &exact);
	if (!code)
		code = col_word(r, row, 4, &c->runtime_cycles);
	if (!code)
		code = col_word(r, row, 5, &c->gallop_cycles);
	if (!code)
		code = col_word(r, row, 6, &c->runtime_pause_ns);
	if (!code)
		code = col_word(r, row, 7, &c->gallop_pause_ns);
	if (!code)
		code = col_word(r, row, 8, &c->off_ns);
	if (code)
		return code;
	c->known = known;
	c->exact = exact;
	utf8_clean(c->why_not, sizeof(c->why_not), why_not);
	return 0;
}

const struct reader_query gc_queries[] = {
	{ "SELECT id, interval, reason, gc, start_ns, stopped_ns, end_ns, goid, stack FROM stop "
	  "ORDER BY id",
	  read_stop, true },
	{ "SELECT id, interval, number, cause, goid, stack, told_ns, start_ns, mark_start_ns, "
	  "mark_end_ns, end_ns, sweep_pause_ns, mark_pause_ns, pause_ns, heap_start, heap_marked, "
	  "heap_end, goal, next_goal, assist_ns, dedicated_ns, fractional_ns, idle_ns, cpu_ppm, "
	  "runtime_known, share_ppm FROM cycle ORDER BY id",
	  read_cycle, true },
	{ "SELECT interval, stack, assists, ns FROM assist ORDER BY interval, stack", read_assist,
	  false },
	{ "SELECT id, known, why_not, exact, runtime_cycles, gallop_cycles, runtime_pause_ns, "
	  "gallop_pause_ns, off_ns FROM gc_check ORDER BY id LIMIT 1",
	  read_gc_check, true },
	{ .sql = NULL },
};
