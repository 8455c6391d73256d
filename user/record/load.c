/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a recording into a new model, trusting nothing in it.
 *
 * Only tables with exactly our text are read, never views. Rows must be numbered 0, 1, 2, ... and
 * may only refer to rows that were read before; this also ends the reading of a file whose pages
 * have been linked in circles. Counts are added up with overflow checks. Each table is one query
 * and one function for its row.
 */
#include "record/recording.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "base/utf8.h"
#include "model/gc_tables.h"
#include "model/op_tables.h"
#include "record/read_gc.h"
#include "record/read_heap.h"
#include "record/read_maps.h"
#include "record/read_names.h"
#include "record/read_ops.h"
#include "record/read_samples.h"
#include "record/reader.h"
#include "record/schema.h"

enum { META_ROWS_MAX = 64 };

static int meta_member(struct reader *r, sqlite3_stmt *row, const struct schema_meta *sm)
{
	char *member = (char *)&r->m->meta + sm->offset;
	const char *text;
	uint64_t n;
	int code;

	if (sm->kind == SCHEMA_TEXT) {
		code = col_text(r, row, 1, &text);
		if (!code)
			utf8_clean(member, sm->sz, text);
		return code;
	}
	if (sm->kind == SCHEMA_I32)
		code = col_u64(r, row, 1, INT32_MAX, &n);
	else if (sm->kind == SCHEMA_TIME)
		code = col_u64(r, row, 1, TIME_MAX, &n);
	else
		code = col_word(r, row, 1, &n);
	if (!code && sm->kind == SCHEMA_I32)
		*(int32_t *)member = (int32_t)n;
	else if (!code)
		*(uint64_t *)member = n;
	return code;
}

static int read_note(struct reader *r, sqlite3_stmt *row)
{
	const char *text;
	int code = col_text(r, row, 1, &text);
	if (!code)
		model_add_note(r->m, text);
	return code;
}

static int read_pids(struct reader *r, sqlite3_stmt *row)
{
	struct model_meta *meta = &r->m->meta;
	const char *text;
	int code = col_text(r, row, 1, &text);
	if (code)
		return code;
	for (char sep = '['; *text == sep; sep = ',') {
		char *end;
		unsigned long pid = isdigit((unsigned char)text[1]) ? strtoul(text + 1, &end, 10)
								    : 0;

		if (!pid || pid > INT32_MAX || meta->pids_nr == MODEL_PIDS_MAX)
			break;
		meta->pids[meta->pids_nr++] = (int32_t)pid;
		text = end;
	}
	return strcmp(text, "]") ? reader_damaged(r, "'pids' is no list of processes") : 0;
}

static int read_meta(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	const char *key;
	int code = col_text(r, row, 0, &key);
	if (code)
		return code;
	if (idx >= META_ROWS_MAX)
		return reader_damaged(r, "table 'meta' is too long");
	if (strncmp(key, SCHEMA_NOTE, strlen(SCHEMA_NOTE)) == 0)
		return read_note(r, row);
	if (strcmp(key, SCHEMA_PIDS) == 0)
		return read_pids(r, row);
	/* Keys that this version doesn't know are of a later one of the same format. */
	for (const struct schema_meta *sm = schema_metas; sm->key; sm++) {
		if (strcmp(sm->key, key) == 0)
			return meta_member(r, row, sm);
	}
	return 0;
}

/*
 * The target's own numbers may be made up, and the writer takes them as they are: a sum stays at
 * the largest number instead of overflowing.
 */
static uint64_t add_capped(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) || sum > INT64_MAX ? INT64_MAX : sum;
}

/* Whole intervals: those that lie within the span by their middle. */
static void add_interval(struct reader *r, uint64_t idx, uint64_t start, uint64_t end,
			 struct model_count n)
{
	uint64_t origin = r->m->meta.start_mono_ns;
	uint64_t middle = start + (end - start) / 2;
	uint64_t at = middle > origin ? middle - origin : 0;

	if (at < r->span.from_ns || (r->span.to_ns && at >= r->span.to_ns))
		return;
	if (r->first == r->end) {
		r->first = idx;
		r->from_ns = start;
	}
	r->end = idx + 1;
	r->to_ns = end;
	r->total.objects = add_capped(r->total.objects, n.objects);
	r->total.bytes = add_capped(r->total.bytes, n.bytes);
}

static int read_interval(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	uint64_t start, end;
	struct model_count n;

	int code = col_u64(r, row, 1, TIME_MAX, &start);
	if (!code)
		code = col_u64(r, row, 2, TIME_MAX, &end);
	if (!code)
		code = col_u64(r, row, 3, INT64_MAX, &n.objects);
	if (!code)
		code = col_u64(r, row, 4, INT64_MAX, &n.bytes);
	if (code)
		return code;
	if (end < start || start < r->last_ns)
		return reader_damaged(r, "its intervals do not follow each other");
	r->last_ns = end;
	r->intervals_nr = idx + 1;
	add_interval(r, idx, start, end, n);
	return 0;
}

static int read_alloc(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	uint64_t interval, site, objects, bytes;

	int code = col_u64(r, row, 0, INT64_MAX, &interval);
	if (!code)
		code = col_u64(r, row, 1, UINT32_MAX, &site);
	if (!code)
		code = col_u64(r, row, 2, INT64_MAX, &objects);
	if (!code)
		code = col_u64(r, row, 3, INT64_MAX, &bytes);
	if (code)
		return code;
	if (idx && (interval < r->alloc_interval ||
		    (interval == r->alloc_interval && site <= r->alloc_site)))
		return reader_damaged(r, "table 'alloc' is out of order");
	r->alloc_interval = interval;
	r->alloc_site = site;
	if (interval >= r->intervals_nr || site >= r->sites.nr)
		return reader_damaged(r, "a row refers to one that is not there");

	if (interval >= r->first && interval < r->end)
		model_site_add(r->m, r->sites.v[site], objects, bytes);
	return 0;
}

/* Keys are members of JSON objects beside others. The live ones are words, like "slots_busy". */
static bool is_cause_key(const char *key)
{
	size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyz_");

	return len > 0 && !key[len] && strcmp(key, "total") != 0;
}

static int read_cause(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	const char *key, *what;

	int code = col_text(r, row, 1, &key);
	if (!code)
		code = col_text(r, row, 2, &what);
	if (!code && !is_cause_key(key))
		code = reader_damaged(r, "a cause of loss has a name that none can have");
	if (!code)
		code = reader_interned(r, model_set_loss(r->m, key, what, 0));
	if (!code && r->m->losses_nr != idx + 1)
		return reader_damaged(r, "a cause of loss is there twice");
	r->causes_nr = idx + 1;
	return code;
}

/*
 * so_far counts from the recording's beginning, by cause and interval in ascending order: what was
 * lost in the span is the last value in it less the last one before it.
 */
static int read_loss(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	uint64_t cause, interval, so_far;

	int code = col_u64(r, row, 0, UINT32_MAX, &cause);
	if (!code)
		code = col_u64(r, row, 1, INT64_MAX, &interval);
	if (!code)
		code = col_u64(r, row, 2, SCHEMA_LOSS_MAX, &so_far);
	if (code)
		return code;
	if (cause >= r->causes_nr || interval >= r->intervals_nr)
		return reader_damaged(r, "a row refers to one that is not there");

	bool same = idx && cause == r->loss_cause;
	if (idx && (cause < r->loss_cause ||
		    (same && (interval <= r->loss_interval || so_far < r->loss_so_far))))
		return reader_damaged(r, "table 'loss' is out of order");
	if (!same)
		r->loss_before = 0;
	r->loss_cause = cause;
	r->loss_interval = interval;
	r->loss_so_far = so_far;
	if (interval < r->first)
		r->loss_before = so_far;
	else if (interval < r->end)
		r->m->losses[cause].now = so_far - r->loss_before;
	return 0;
}

/* Whether the span is all of the recording; known once the intervals were read. */
static bool is_whole(const struct reader *r)
{
	return r->first == 0 && r->end == r->intervals_nr;
}

static int read_mark(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct model_mark mark = { 0 };
	const char *reason;

	int code = col_u64(r, row, 1, TIME_MAX, &mark.mono_ns);
	if (!code)
		code = col_text(r, row, 2, &reason);
	if (!code)
		code = col_word(r, row, 3, &mark.runtime_objects);
	if (!code)
		code = col_word(r, row, 4, &mark.gallop_objects);
	if (!code)
		code = col_word(r, row, 5, &mark.gallop_bytes);
	if (code)
		return code;
	if (idx >= MODEL_MARKS_MAX)
		return reader_damaged(r, "table 'mark' is too long");
	if (!is_whole(r) && (mark.mono_ns < r->from_ns || mark.mono_ns > r->to_ns))
		return 0;
	utf8_clean(mark.reason, sizeof(mark.reason), reason);
	return reader_interned(r, model_add_mark(r->m, &mark));
}

static int read_check(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct model_check *c = &r->m->check;
	const char *why_not;
	uint64_t known;
	(void)idx;

	int code = col_u64(r, row, 1, 1, &known);
	if (!code)
		code = col_text(r, row, 2, &why_not);
	if (!code)
		code = col_u64(r, row, 3, TIME_MAX, &c->from_mono_ns);
	if (!code)
		code = col_u64(r, row, 4, TIME_MAX, &c->to_mono_ns);
	if (!code)
		code = col_word(r, row, 5, &c->runtime_objects);
	if (!code)
		code = col_word(r, row, 6, &c->gallop_objects);
	if (!code)
		code = col_word(r, row, 7, &c->slack);
	if (code)
		return code;
	c->known = known;
	utf8_clean(c->why_not, sizeof(c->why_not), why_not);
	return 0;
}

/* In the order of reading: each may refer to those before it. */
static const struct reader_query queries[] = {
	{ "SELECT key, value FROM meta ORDER BY key", read_meta, false },
	{ "SELECT id, hit_ns, known, budget_ppm, predicted_ppm, predicted_now_ppm, ns_per_hit, "
	  "ns_per_switch, hits, windows, overruns, off, calibrated, failed_windows, "
	  "other_probes FROM sampling ORDER BY id LIMIT 1",
	  read_sampling, true },
	{ "SELECT id, name, file FROM function ORDER BY id", read_function, true },
	{ "SELECT id, function, line, inlined, pc FROM frame ORDER BY id", read_frame, true },
	{ "SELECT id, frames, truncated FROM stack ORDER BY id", read_stack, true },
	{ "SELECT id, name FROM type ORDER BY id", read_type, true },
	{ "SELECT id, function, label FROM op ORDER BY id", read_op, true },
	{ "SELECT id, stack, type, size_class, goid, ops FROM site ORDER BY id", read_site, true },
	{ "SELECT id, start_ns, end_ns, objects, bytes FROM interval ORDER BY id", read_interval,
	  true },
	{ "SELECT interval, site, objects, bytes FROM alloc ORDER BY interval, site", read_alloc,
	  false },
	{ "SELECT id, key, what FROM loss_cause ORDER BY id", read_cause, true },
	{ "SELECT cause, interval, so_far FROM loss ORDER BY cause, interval", read_loss, false },
	{ "SELECT id, ns, reason, runtime_objects, gallop_objects, gallop_bytes FROM mark "
	  "ORDER BY id",
	  read_mark, true },
	{ "SELECT id, known, why_not, from_ns, to_ns, runtime_objects, gallop_objects, slack "
	  "FROM runtime_check ORDER BY id LIMIT 1",
	  read_check, true },
	{ .sql = NULL },
};

static void finalize(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
}

static int run_query(struct reader *r, const struct reader_query *query)
{
	_cleanup_(finalize) sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(r->file.db, query->sql, -1, &stmt, NULL);
	if (rc)
		return database_err(r->err, r->file.db, rc, "read", r->path);

	for (uint64_t idx = 0; (rc = sqlite3_step(stmt)) == SQLITE_ROW; idx++) {
		uint64_t id = idx;
		int code = query->numbered ? col_u64(r, stmt, 0, INT64_MAX, &id) : 0;
		if (!code && id != idx)
			code = reader_damaged(r, "its rows are not numbered one by one");
		if (!code)
			code = query->read(r, stmt, idx);
		if (code)
			return code;
	}
	return rc == SQLITE_DONE ? 0 : database_err(r->err, r->file.db, rc, "read", r->path);
}

/* A table with our text has our columns, and no expression that computes something when read. */
static int check_table(struct reader *r, const struct schema_table *t)
{
	static const char sql[] =
		"SELECT iif(type = 'table', sql, NULL) FROM sqlite_schema WHERE name = ?";
	_cleanup_(finalize) sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(r->file.db, sql, -1, &stmt, NULL);
	if (rc)
		return database_err(r->err, r->file.db, rc, "read", r->path);

	sqlite3_bind_text(stmt, 1, t->name, -1, SQLITE_STATIC);
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return database_err(r->err, r->file.db, rc, "read", r->path);
	const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	if (!text || strcmp(text, t->sql) != 0)
		return err_set(r->err, -EBADMSG,
			       "'%s' is damaged: table '%s' is not as gallop makes it", r->path,
			       t->name);
	return 0;
}

static int check_schema(struct reader *r)
{
	int code = 0;

	for (const struct schema_table *t = schema_tables; !code && t->name; t++)
		code = check_table(r, t);
	return code;
}

/* What holds for the whole recording only must not be said of a part of it. */
static int finish_span(struct reader *r)
{
	struct model *m = r->m;
	uint64_t start = m->meta.start_mono_ns;

	if (r->first == r->end && r->intervals_nr)
		return err_set(r->err, -ERANGE, "'%s' has nothing in that span: it is %s long",
			       r->path,
			       fmt_duration(r->last_ns > start ? r->last_ns - start : 0).s);
	m->total = r->total;
	m->from_mono_ns = r->from_ns;
	if (is_whole(r)) {
		/* A writer that was killed had no time to say when it ended. */
		if (m->meta.end_mono_ns < r->last_ns)
			m->meta.end_mono_ns = r->last_ns;
		if (!r->intervals_nr)
			model_add_note(m, "there is nothing in it: the recording ended before its "
					  "first interval was written");
		return 0;
	}
	m->meta.end_mono_ns = r->to_ns;
	ops_bound_max(m->ops);
	m->check = (struct model_check){ .known = false };
	strcpy(m->check.why_not, "this is a part of the recording");
	m->gc->check = (struct model_gc_check){ .known = false };
	strcpy(m->gc->check.why_not, "this is a part of the recording");
	return 0;
}

static int read_all(struct reader *r)
{
	static const struct reader_query *const tables[] = { queries, gc_queries, map_queries,
							     op_queries, heap_queries };
	int code = database_open(&r->file, r->path, r->err);
	if (!code)
		code = check_schema(r);
	for (size_t i = 0; !code && i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct reader_query *query = tables[i]; !code && query->sql; query++)
			code = run_query(r, query);
	if (!code)
		code = read_samples(r);
	return code ? code : finish_span(r);
}

static void reader_deinit(struct reader *r)
{
	database_close(&r->file);
	model_free(r->m);
	free(r->funcs.v);
	free(r->frames.v);
	free(r->stacks.v);
	free(r->types.v);
	free(r->sites.v);
	free(r->map_sites.v);
}

int recording_load(const char *path, const struct recording_span *span, struct model **ret,
		   struct err *err)
{
	_cleanup_(reader_deinit) struct reader r = { .path = path, .err = err };

	if (span)
		r.span = *span;
	if (model_new(&r.m))
		return err_set(err, -ENOMEM, "cannot read '%s': out of memory", path);
	r.m->gc->of_recording = true;
	int code = read_all(&r);
	if (!code)
		*ret = take_ptr(r.m);
	return code;
}
