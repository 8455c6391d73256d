/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a recording into a new model, trusting nothing in it.
 *
 * Only tables with exactly our text are read, never views. Rows must be numbered 0, 1, 2, ... and may
 * only refer to rows that were read before; this also ends the reading of a file whose pages have been
 * linked in circles. Counts are added up with overflow checks. Each table is one query and one
 * function for its row.
 */
#include "record/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "base/grow.h"
#include "base/utf8.h"
#include "model/tables.h"
#include "record/database.h"
#include "record/schema.h"

enum {
	NS_MAX_BITS = 62,	/* times below this never overflow when added */
	INTERVALS_MAX = 1 << 26,	/* intervals: two years of seconds */
};

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

	struct id_map funcs, frames, stacks, types, sites;
	size_t causes_nr;

	struct recording_span span;
	uint64_t intervals_nr;
	uint64_t first, end;		/* the intervals [first, end) are in the span */
	uint64_t from_ns, to_ns;	/* what they cover */
	uint64_t last_ns;		/* where the recording ends */
	struct model_count total;	/* of the intervals in the span */
	struct model_count alloc;	/* of their sites */
	uint64_t alloc_interval, alloc_site;	/* the row before; rows must ascend */
	uint64_t loss_cause, loss_interval, loss_so_far, loss_before;
};

static int damaged(struct reader *r, const char *what)
{
	return err_set(r->err, -EBADMSG, "'%s' is damaged: %s", r->path, what);
}

static int interned(struct reader *r, int64_t id)
{
	if (id >= 0)
		return 0;
	if (id == -ENOMEM)
		return err_set(r->err, -ENOMEM, "cannot read '%s': out of memory", r->path);
	return damaged(r, "it has more rows than a recording can have");
}

/* --- columns --- */

static int col_u64(struct reader *r, sqlite3_stmt *row, int col, uint64_t max, uint64_t *ret)
{
	if (sqlite3_column_type(row, col) != SQLITE_INTEGER)
		return damaged(r, "there is something else where a number belongs");
	sqlite3_int64 v = sqlite3_column_int64(row, col);
	if (v < 0 || (uint64_t)v > max)
		return damaged(r, "a number is out of its range");
	*ret = (uint64_t)v;
	return 0;
}

static int col_text(struct reader *r, sqlite3_stmt *row, int col, const char **ret)
{
	if (sqlite3_column_type(row, col) != SQLITE_TEXT)
		return damaged(r, "there is something else where a name belongs");
	const char *text = (const char *)sqlite3_column_text(row, col);
	if (!text)
		return err_set(r->err, -ENOMEM, "cannot read '%s': out of memory", r->path);
	*ret = text;
	return 0;
}

/* A reference to another table's row, as the model's id. */
static int col_ref(struct reader *r, sqlite3_stmt *row, int col, const struct id_map *map, uint32_t *ret)
{
	uint64_t id;
	int code = col_u64(r, row, col, UINT32_MAX, &id);
	if (code)
		return code;
	if (id >= map->nr)
		return damaged(r, "a row refers to one that is not there");
	*ret = map->v[id];
	return 0;
}

static int map_add(struct reader *r, struct id_map *map, int64_t id)
{
	int code = interned(r, id);
	if (code)
		return code;
	if (grow(&map->v, map->nr, &map->cap, sizeof(map->v[0])))
		return interned(r, -ENOMEM);
	map->v[map->nr++] = (uint32_t)id;
	return 0;
}

/* --- rows, one function for each table --- */

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
	code = col_u64(r, row, 1, sm->kind == SCHEMA_I32 ? INT32_MAX : INT64_MAX, &n);
	if (!code && sm->kind == SCHEMA_I32)
		*(int32_t *)member = (int32_t)n;
	else if (!code)
		*(uint64_t *)member = n;
	return code;
}

static int read_meta(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	const char *key;
	int code = col_text(r, row, 0, &key);
	if (code)
		return code;
	if (idx > MODEL_LOSSES_MAX)
		return damaged(r, "table 'meta' is too long");
	/* Keys that this version doesn't know are of a later one of the same format. */
	for (const struct schema_meta *sm = schema_metas; sm->key; sm++) {
		if (strcmp(sm->key, key) == 0)
			return meta_member(r, row, sm);
	}
	return 0;
}

static int read_function(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	const char *name, *file;
	(void)idx;

	int code = col_text(r, row, 1, &name);
	if (!code)
		code = col_text(r, row, 2, &file);
	return code ? code : map_add(r, &r->funcs, intern_func(r->m, name, file));
}

static int read_frame(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct frame_key key = { 0 };
	uint64_t line, inlined;
	(void)idx;

	int code = col_ref(r, row, 1, &r->funcs, &key.func);
	if (!code)
		code = col_u64(r, row, 2, UINT32_MAX, &line);
	if (!code)
		code = col_u64(r, row, 3, 1, &inlined);
	if (!code)
		code = col_u64(r, row, 4, INT64_MAX, &key.pc);
	if (code)
		return code;
	key.line = (uint32_t)line;
	key.inlined = (uint32_t)inlined;
	return map_add(r, &r->frames, intern_frame(r->m, &key));
}

/* "[1,2,3]", exactly as it was written; nothing else that JSON would allow. */
static int parse_frames(struct reader *r, const char *json, uint32_t *frames, size_t *nr_ret)
{
	size_t nr = 0;
	const char *p = json;

	if (*p++ != '[')
		return damaged(r, "a stack is not a list of frames");
	do {
		char *end;
		if (*p < '0' || *p > '9')
			return damaged(r, "a stack is not a list of frames");
		unsigned long id = strtoul(p, &end, 10);
		if (id >= r->frames.nr)
			return damaged(r, "a stack refers to a frame that is not there");
		if (nr == MODEL_DEPTH_MAX)
			return damaged(r, "a stack is deeper than a recording's can be");
		frames[nr++] = r->frames.v[id];
		p = end;
	} while (*p++ == ',');
	if (p[-1] != ']' || *p)
		return damaged(r, "a stack is not a list of frames");
	*nr_ret = nr;
	return 0;
}

static int read_stack(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	uint32_t frames[MODEL_DEPTH_MAX];
	size_t nr = 0;
	const char *json;
	uint64_t cut;
	(void)idx;

	int code = col_text(r, row, 1, &json);
	if (!code)
		code = parse_frames(r, json, frames, &nr);
	if (!code)
		code = col_u64(r, row, 2, 1, &cut);
	return code ? code : map_add(r, &r->stacks, intern_stack(r->m, frames, nr, cut));
}

static int read_type(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	const char *name;
	(void)idx;

	int code = col_text(r, row, 1, &name);
	return code ? code : map_add(r, &r->types, model_type(r->m, name));
}

static int read_site(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	uint32_t stack = 0, type = 0;
	uint64_t size_class, goid;
	(void)idx;

	int code = col_ref(r, row, 1, &r->stacks, &stack);
	if (!code)
		code = col_ref(r, row, 2, &r->types, &type);
	if (!code)
		code = col_u64(r, row, 3, MODEL_CLASS_NR - 1, &size_class);
	if (!code)
		code = col_u64(r, row, 4, INT64_MAX, &goid);
	if (code)
		return code;
	return map_add(r, &r->sites, model_site(r->m, stack, type, (uint32_t)size_class, goid));
}

/* Add within the range of the file's numbers, so that no later sum of the same numbers overflows. */
static int add_counts(struct reader *r, struct model_count *to, uint64_t objects, uint64_t bytes)
{
	to->objects += objects;
	to->bytes += bytes;
	if (to->objects > INT64_MAX || to->bytes > INT64_MAX)
		return damaged(r, "its counts are too large to be true");
	return 0;
}

/* Whole intervals: those that begin within the span. */
static int add_interval(struct reader *r, uint64_t idx, uint64_t start, uint64_t end,
			struct model_count n)
{
	uint64_t origin = r->m->meta.start_mono_ns;
	uint64_t at = start > origin ? start - origin : 0;

	if (at < r->span.from_ns || (r->span.to_ns && at >= r->span.to_ns))
		return 0;
	if (r->first == r->end) {
		r->first = idx;
		r->from_ns = start;
	}
	r->end = idx + 1;
	r->to_ns = end;
	return add_counts(r, &r->total, n.objects, n.bytes);
}

static int read_interval(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	uint64_t start, end;
	struct model_count n;

	int code = col_u64(r, row, 1, UINT64_C(1) << NS_MAX_BITS, &start);
	if (!code)
		code = col_u64(r, row, 2, UINT64_C(1) << NS_MAX_BITS, &end);
	if (!code)
		code = col_u64(r, row, 3, INT64_MAX, &n.objects);
	if (!code)
		code = col_u64(r, row, 4, INT64_MAX, &n.bytes);
	if (code)
		return code;
	if (end < start || start < r->last_ns || idx >= INTERVALS_MAX)
		return damaged(r, "its intervals do not follow each other");
	r->last_ns = end;
	r->intervals_nr = idx + 1;
	return add_interval(r, idx, start, end, n);
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
		return damaged(r, "table 'alloc' is out of order");
	r->alloc_interval = interval;
	r->alloc_site = site;
	if (interval >= r->intervals_nr || site >= r->sites.nr)
		return damaged(r, "a row refers to one that is not there");

	code = add_counts(r, &r->alloc, objects, bytes);
	if (!code && interval >= r->first && interval < r->end)
		model_site_add(r->m, r->sites.v[site], objects, bytes);
	return code;
}

static int read_cause(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	const char *key, *what;

	int code = col_text(r, row, 1, &key);
	if (!code)
		code = col_text(r, row, 2, &what);
	if (!code)
		code = interned(r, model_set_loss(r->m, key, what, 0));
	if (!code && r->m->losses_nr != idx + 1)
		return damaged(r, "a cause of loss is there twice");
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
		code = col_u64(r, row, 2, INT64_MAX / MODEL_LOSSES_MAX, &so_far);
	if (code)
		return code;
	if (cause >= r->causes_nr || interval >= r->intervals_nr)
		return damaged(r, "a row refers to one that is not there");

	bool same = idx && cause == r->loss_cause;
	if (idx && (cause < r->loss_cause ||
		    (same && (interval <= r->loss_interval || so_far < r->loss_so_far))))
		return damaged(r, "table 'loss' is out of order");
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

	int code = col_u64(r, row, 1, UINT64_C(1) << NS_MAX_BITS, &mark.mono_ns);
	if (!code)
		code = col_text(r, row, 2, &reason);
	if (!code)
		code = col_u64(r, row, 3, INT64_MAX, &mark.runtime_objects);
	if (!code)
		code = col_u64(r, row, 4, INT64_MAX, &mark.gallop_objects);
	if (!code)
		code = col_u64(r, row, 5, INT64_MAX, &mark.gallop_bytes);
	if (code)
		return code;
	if (idx >= MODEL_MARKS_MAX)
		return damaged(r, "table 'mark' is too long");
	if (!is_whole(r) && (mark.mono_ns < r->from_ns || mark.mono_ns > r->to_ns))
		return 0;
	utf8_clean(mark.reason, sizeof(mark.reason), reason);
	return interned(r, model_add_mark(r->m, &mark));
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
		code = col_u64(r, row, 3, UINT64_C(1) << NS_MAX_BITS, &c->from_mono_ns);
	if (!code)
		code = col_u64(r, row, 4, UINT64_C(1) << NS_MAX_BITS, &c->to_mono_ns);
	if (!code)
		code = col_u64(r, row, 5, INT64_MAX, &c->runtime_objects);
	if (!code)
		code = col_u64(r, row, 6, INT64_MAX, &c->gallop_objects);
	if (!code)
		code = col_u64(r, row, 7, INT64_MAX, &c->slack);
	if (code)
		return code;
	c->known = known;
	utf8_clean(c->why_not, sizeof(c->why_not), why_not);
	return 0;
}

/* In the order of reading: each may refer to those before it. */
static const struct {
	const char *sql;
	int (*read)(struct reader *r, sqlite3_stmt *row, uint64_t idx);
	bool numbered;		/* column 0 is the id: 0, 1, 2, ... */
} queries[] = {
	{ "SELECT key, value FROM meta ORDER BY key", read_meta, false },
	{ "SELECT id, name, file FROM function ORDER BY id", read_function, true },
	{ "SELECT id, function, line, inlined, pc FROM frame ORDER BY id", read_frame, true },
	{ "SELECT id, frames, truncated FROM stack ORDER BY id", read_stack, true },
	{ "SELECT id, name FROM type ORDER BY id", read_type, true },
	{ "SELECT id, stack, type, size_class, goid FROM site ORDER BY id", read_site, true },
	{ "SELECT id, start_ns, end_ns, objects, bytes FROM interval ORDER BY id", read_interval,
	  true },
	{ "SELECT interval, site, objects, bytes FROM alloc ORDER BY interval, site", read_alloc,
	  false },
	{ "SELECT id, key, what FROM loss_cause ORDER BY id", read_cause, true },
	{ "SELECT cause, interval, so_far FROM loss ORDER BY cause, interval", read_loss, false },
	{ "SELECT id, ns, reason, runtime_objects, gallop_objects, gallop_bytes FROM mark "
	  "ORDER BY id", read_mark, true },
	{ "SELECT id, known, why_not, from_ns, to_ns, runtime_objects, gallop_objects, slack "
	  "FROM runtime_check ORDER BY id LIMIT 1", read_check, true },
};

static void finalize(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
}

static int run_query(struct reader *r, size_t i)
{
	_cleanup_(finalize) sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(r->file.db, queries[i].sql, -1, &stmt, NULL);
	if (rc)
		return database_err(r->err, r->file.db, rc, "read", r->path);

	for (uint64_t idx = 0; (rc = sqlite3_step(stmt)) == SQLITE_ROW; idx++) {
		uint64_t id = idx;
		int code = queries[i].numbered ? col_u64(r, stmt, 0, INT64_MAX, &id) : 0;
		if (!code && id != idx)
			code = damaged(r, "its rows are not numbered one by one");
		if (!code)
			code = queries[i].read(r, stmt, idx);
		if (code)
			return code;
	}
	return rc == SQLITE_DONE ? 0 : database_err(r->err, r->file.db, rc, "read", r->path);
}

/* A table with our text has our columns, and no expression that computes something when read. */
static int check_tables(struct reader *r)
{
	static const char sql[] =
		"SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? AND sql = ?";
	_cleanup_(finalize) sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(r->file.db, sql, -1, &stmt, NULL);

	for (const struct schema_table *t = schema_tables; !rc && t->name; t++) {
		sqlite3_bind_text(stmt, 1, t->name, -1, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 2, t->sql, -1, SQLITE_STATIC);
		int step = sqlite3_step(stmt);
		rc = sqlite3_reset(stmt);
		if (step == SQLITE_DONE)
			return err_set(r->err, -EBADMSG, "'%s' is damaged: table '%s' is not as gallop "
				       "makes it", r->path, t->name);
	}
	return rc ? database_err(r->err, r->file.db, rc, "read", r->path) : 0;
}

/* What holds for the whole recording only must not be said of a part of it. */
static int finish_span(struct reader *r)
{
	struct model *m = r->m;
	uint64_t start = m->meta.start_mono_ns;

	if (r->first == r->end && r->intervals_nr)
		return err_set(r->err, -ERANGE, "'%s' has nothing in that span: it is %s long", r->path,
			       fmt_duration(r->last_ns > start ? r->last_ns - start : 0).s);
	m->total = r->total;
	m->from_mono_ns = r->from_ns;
	if (is_whole(r)) {
		/* A writer that was killed had no time to say when it ended. */
		if (m->meta.end_mono_ns < r->last_ns)
			m->meta.end_mono_ns = r->last_ns;
		return 0;
	}
	m->meta.end_mono_ns = r->to_ns;
	m->check = (struct model_check){ .known = false };
	strcpy(m->check.why_not, "this is a part of the recording");
	return 0;
}

static int read_all(struct reader *r)
{
	int code = database_open(&r->file, r->path, r->err);
	if (!code)
		code = check_tables(r);
	for (size_t i = 0; !code && i < sizeof(queries) / sizeof(queries[0]); i++)
		code = run_query(r, i);
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
}

int recording_load(const char *path, const struct recording_span *span, struct model **ret,
		   struct err *err)
{
	_cleanup_(reader_deinit) struct reader r = { .path = path, .err = err };

	if (span)
		r.span = *span;
	if (model_new(&r.m))
		return err_set(err, -ENOMEM, "cannot read '%s': out of memory", path);
	int code = read_all(&r);
	if (!code)
		*ret = take_ptr(r.m);
	return code;
}
