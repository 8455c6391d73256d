/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/rows.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "record/put.h"
#include "record/rows_gc.h"
#include "record/rows_heap.h"
#include "record/rows_maps.h"
#include "record/rows_ops.h"
#include "record/rows_samples.h"
#include "record/schema.h"

static const char *const stmt_sql[ROWS_NR] = {
	[ROWS_META] = "INSERT OR REPLACE INTO meta VALUES(?, ?)",
	[ROWS_FUNCTION] = "INSERT INTO function VALUES(?, ?, ?)",
	[ROWS_FRAME] = "INSERT INTO frame VALUES(?, ?, ?, ?, ?)",
	[ROWS_STACK] = "INSERT INTO stack VALUES(?, ?, ?, ?)",
	[ROWS_TYPE] = "INSERT INTO type VALUES(?, ?)",
	[ROWS_SITE] = "INSERT INTO site VALUES(?, ?, ?, ?, ?, ?)",
	[ROWS_INTERVAL] = "INSERT INTO interval VALUES(?, ?, ?, ?, ?)",
	[ROWS_ALLOC] = "INSERT INTO alloc VALUES(?, ?, ?, ?)",
	[ROWS_CAUSE] = "INSERT INTO loss_cause VALUES(?, ?, ?)",
	/* A cause that didn't grow since it was last written gets no row. */
	[ROWS_LOSS] = ("INSERT OR REPLACE INTO loss SELECT ?1, ?2, ?3 WHERE ?3 > "
		       "coalesce((SELECT max(so_far) FROM loss WHERE cause = ?1), 0)"),
	[ROWS_MARK] = "INSERT OR REPLACE INTO mark VALUES(?, ?, ?, ?, ?, ?)",
	[ROWS_CHECK] = "INSERT OR REPLACE INTO runtime_check VALUES(0, ?, ?, ?, ?, ?, ?, ?)",
	[ROWS_STOP] = "INSERT INTO stop VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[ROWS_CYCLE] = "INSERT INTO cycle VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
		       "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[ROWS_ASSIST] = "INSERT INTO assist VALUES(?, ?, ?, ?)",
	[ROWS_GC_CHECK] = "INSERT OR REPLACE INTO gc_check VALUES(0, ?, ?, ?, ?, ?, ?, ?, ?)",
	[ROWS_MAP_WATCH] = "INSERT OR REPLACE INTO map_watch VALUES(0, ?)",
	[ROWS_MAP_SITE] = "INSERT INTO map_site VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
	[ROWS_MAP_OP] =
		"INSERT INTO map_op VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
		" ?, ?, ?, ?, ?)",
	[ROWS_MAP_LOOK] = "INSERT INTO map_look VALUES(?, ?, ?, ?)",
	[ROWS_MAP_HELD] = "INSERT INTO map_held VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[ROWS_MAPS_FORGET] = "DELETE FROM map_largest",
	[ROWS_MAP_LARGEST] =
		"INSERT INTO map_largest VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
		"?, ?, ?)",
	[ROWS_OP] = "INSERT INTO op VALUES(?, ?, ?)",
	[ROWS_OP_WATCH] = "INSERT OR REPLACE INTO op_watch VALUES(0, ?, ?, ?, ?)",
	[ROWS_OP_CALL] = "INSERT INTO op_call VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
			 "?, ?, ?, ?)",
	[ROWS_OP_HIST] = "INSERT INTO op_hist VALUES(?, ?, ?, ?, ?)",
	[ROWS_OP_WINDOW] = "INSERT INTO op_window VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[ROWS_SAMPLING] = "INSERT OR REPLACE INTO sampling VALUES(0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
			  "?, ?, ?, ?)",
	[ROWS_SAMPLE_INTERVAL] = "INSERT INTO sample_interval VALUES(?, ?, ?, ?, ?, ?, ?)",
	[ROWS_CLASS_COUNT] = "INSERT INTO class_count VALUES(?, ?, ?, ?, ?, ?)",
	[ROWS_SAMPLED] = "INSERT INTO sampled VALUES(?, ?, ?, ?, ?, ?, ?)",
	[ROWS_UNIT] = "INSERT INTO unit VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[ROWS_UNIT_REFILL] = "INSERT INTO unit_refill VALUES(?, ?, ?, ?)",
	[ROWS_UNIT_GAP] = "INSERT INTO unit_gap VALUES(?, ?, ?, ?)",
	[ROWS_UNIT_HIT] = "INSERT INTO unit_hit VALUES(?, ?, ?, ?, ?, ?, ?)",
	[ROWS_UNIT_MAP_OP] = "INSERT INTO unit_map_op VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
	[ROWS_HEAP_WATCH] = "INSERT OR REPLACE INTO heap_watch VALUES(0, ?)",
	[ROWS_HEAP_LOOK] = "INSERT INTO heap_look VALUES(?, ?, ?, ?, ?, ?)",
	[ROWS_HEAP] = "INSERT INTO heap VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
};

int rows_init(struct rows *r, sqlite3 *db)
{
	*r = (struct rows){ .db = db };
	for (size_t i = 0; i < ROWS_NR; i++) {
		int rc = sqlite3_prepare_v3(db, stmt_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
					    &r->stmts[i], NULL);
		if (rc)
			return rc;
	}
	return SQLITE_OK;
}

void rows_deinit(struct rows *r)
{
	for (size_t i = 0; i < ROWS_NR; i++)
		sqlite3_finalize(r->stmts[i]);
}

uint64_t rows_capped(uint64_t n, uint64_t max)
{
	return n < max ? n : max;
}

static int bind_cell(sqlite3_stmt *stmt, int col, const struct cell *cell)
{
	if (cell->is_null)
		return sqlite3_bind_null(stmt, col);
	if (cell->is_real)
		return sqlite3_bind_double(stmt, col, cell->real);
	/* Text stays where it is until the statement is stepped, right below. */
	if (cell->text)
		return sqlite3_bind_text(stmt, col, cell->text, -1, SQLITE_STATIC);
	return sqlite3_bind_int64(stmt, col, (sqlite3_int64)cell->n);
}

int rows_put_cells(sqlite3_stmt *stmt, const struct cell *cells, int nr)
{
	for (int i = 0; i < nr; i++) {
		int rc = bind_cell(stmt, i + 1, &cells[i]);
		if (rc)
			return rc;
	}
	sqlite3_step(stmt);
	/* Reset repeats the error of the step. */
	return sqlite3_reset(stmt);
}

int rows_put_counts(struct rows *r, enum rows_stmt stmt, const uint64_t ids[2], const uint64_t *v,
		    size_t nr)
{
	struct cell cells[2 + ROWS_COUNTS_MAX] = { NUM(ids[0]), NUM(ids[1]) };

	assert(nr <= ROWS_COUNTS_MAX);
	for (size_t i = 0; i < nr; i++)
		cells[2 + i] = NUM(v[i]);
	return rows_put_cells(r->stmts[stmt], cells, (int)(2 + nr));
}

static int put_funcs(struct rows *r, const struct model *m)
{
	for (size_t *i = &r->done.funcs; *i < m->funcs.nr; ++*i) {
		const struct func_row *f = m->funcs.rows[*i];
		int rc = put(r, ROWS_FUNCTION, NUM(f->id), TEXT(f->key.name), TEXT(f->key.file));
		if (rc)
			return rc;
	}
	return SQLITE_OK;
}

static int put_frames(struct rows *r, const struct model *m)
{
	for (size_t *i = &r->done.frames; *i < m->frames.nr; ++*i) {
		const struct frame_row *f = m->frames.rows[*i];
		int rc = put(r, ROWS_FRAME, NUM(f->id), NUM(f->key.func), NUM(f->key.line),
			     NUM(f->key.inlined), NUM(f->key.pc));
		if (rc)
			return rc;
	}
	return SQLITE_OK;
}

/* The first frame that isn't the runtime's: what the view `sites` shows of a stack. */
static uint32_t stack_leaf(const struct model *m, const struct stack_row *s)
{
	for (uint32_t i = 0; i < s->frames_nr; i++) {
		const struct frame_row *frame = m->frames.rows[s->words[1 + i]];
		if (!m->funcs.rows[frame->key.func]->is_runtime)
			return frame->id;
	}
	return s->words[1];
}

static int put_stack(struct rows *r, const struct model *m, const struct stack_row *s)
{
	/* An id is below MODEL_ROWS_MAX: seven digits and a comma. */
	char json[MODEL_DEPTH_MAX * sizeof("1048575,") + sizeof("[]")];
	char *p = json;
	const char *separator = "[";

	for (uint32_t i = 0; i < s->frames_nr; i++) {
		p += sprintf(p, "%s%u", separator, s->words[1 + i]);
		separator = ",";
	}
	strcpy(p, "]");
	return put(r, ROWS_STACK, NUM(s->id), TEXT(json), NUM(s->words[0]), NUM(stack_leaf(m, s)));
}

static int put_stacks(struct rows *r, const struct model *m)
{
	for (size_t *i = &r->done.stacks; *i < m->stacks.nr; ++*i) {
		int rc = put_stack(r, m, m->stacks.rows[*i]);
		if (rc)
			return rc;
	}
	return SQLITE_OK;
}

static int put_types(struct rows *r, const struct model *m)
{
	for (size_t *i = &r->done.types; *i < m->types.nr; ++*i) {
		int rc = put(r, ROWS_TYPE, NUM(*i), TEXT(m->types.rows[*i]->name));
		if (rc)
			return rc;
	}
	return SQLITE_OK;
}

static int put_sites(struct rows *r, const struct model *m)
{
	for (size_t *i = &r->done.sites; *i < m->sites.nr; ++*i) {
		const struct site_key *k = &m->sites.rows[*i]->key;
		int rc = put(r, ROWS_SITE, NUM(*i), NUM(k->stack), NUM(k->type), NUM(k->size_class),
			     NUM(k->goid), NUM(k->ops));
		if (rc)
			return rc;
	}
	return SQLITE_OK;
}

int rows_put_names(struct rows *r, const struct model *m)
{
	int (*const put_table[])(struct rows *, const struct model *) = {
		put_funcs, put_frames, put_stacks, put_types, put_sites, rows_put_map_sites,
	};
	int rc = SQLITE_OK;

	for (size_t i = 0; !rc && i < sizeof(put_table) / sizeof(put_table[0]); i++)
		rc = put_table[i](r, m);
	return rc;
}

int rows_put_rest(struct rows *r, uint64_t from_ns, uint64_t to_ns, struct model_count rest)
{
	return put(r, ROWS_INTERVAL, NUM(r->done.intervals++), NUM(from_ns), NUM(to_ns),
		   COUNT(rest.objects), COUNT(rest.bytes));
}

int rows_put_interval(struct rows *r, const struct model *m, uint64_t from_ns, uint64_t to_ns)
{
	struct model_count total = total_delta(m);
	size_t interval = r->done.intervals;
	int rc = put(r, ROWS_INTERVAL, NUM(interval), NUM(from_ns), NUM(to_ns),
		     COUNT(total.objects), COUNT(total.bytes));
	if (rc)
		return rc;
	r->done.intervals++;

	for (size_t i = 0; i < m->sites.nr; i++) {
		struct model_count n = site_delta(m->sites.rows[i]);
		if (n.objects == 0 && n.bytes == 0)
			continue;
		rc = put(r, ROWS_ALLOC, NUM(interval), NUM(i), COUNT(n.objects), COUNT(n.bytes));
		if (rc)
			return rc;
	}
	rc = rows_put_gc(r, m, interval);
	if (!rc)
		rc = rows_put_maps(r, m, interval);
	if (!rc)
		rc = rows_put_ops(r, m, interval);
	if (!rc)
		rc = rows_put_samples(r, m, interval);
	return rc ? rc : rows_put_heap(r, m, interval);
}

static int put_meta(struct rows *r, const struct model_meta *meta)
{
	for (const struct schema_meta *sm = schema_metas; sm->key; sm++) {
		const char *member = (const char *)meta + sm->offset;
		char text[sizeof(meta->cmdline)];
		struct cell value = NUM(0);

		if (sm->kind == SCHEMA_TEXT) {
			utf8_clean(text, sm->sz, member);
			value.text = text;
		} else if (sm->kind == SCHEMA_I32) {
			value.n = (uint64_t) * (const int32_t *)member;
		} else {
			value.n = *(const uint64_t *)member;
		}
		int rc = put(r, ROWS_META, TEXT(sm->key), value);
		if (rc)
			return rc;
	}
	return SQLITE_OK;
}

static int put_notes(struct rows *r, const struct model_meta *meta)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; !rc && i < meta->notes_nr; i++) {
		char key[32];
		snprintf(key, sizeof(key), SCHEMA_NOTE "%02zu", i);
		rc = put(r, ROWS_META, TEXT(key), TEXT(meta->notes[i]));
	}
	return rc;
}

/* As a JSON array. */
static int put_pids(struct rows *r, const struct model_meta *meta)
{
	char text[SCHEMA_PIDS_SZ] = "[";
	size_t len = 1;

	if (!meta->pids_nr)
		return SQLITE_OK;
	for (size_t i = 0; i < meta->pids_nr; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d", i ? "," : "",
					meta->pids[i]);
	snprintf(text + len, sizeof(text) - len, "]");
	return put(r, ROWS_META, TEXT(SCHEMA_PIDS), TEXT(text));
}

static int put_losses(struct rows *r, const struct model *m)
{
	for (size_t *i = &r->done.causes; *i < m->losses_nr; ++*i) {
		int rc = put(r, ROWS_CAUSE, NUM(*i), TEXT(m->losses[*i].key),
			     TEXT(m->losses[*i].what));
		if (rc)
			return rc;
	}
	/* A loss belongs to an interval; before the first there is nothing to lose. */
	if (!r->done.intervals)
		return SQLITE_OK;
	for (size_t i = 0; i < m->losses_nr; i++) {
		int rc = put(r, ROWS_LOSS, NUM(i), NUM(r->done.intervals - 1),
			     NUM(rows_capped(m->losses[i].now, SCHEMA_LOSS_MAX)));
		if (rc)
			return rc;
	}
	return SQLITE_OK;
}

static int put_marks(struct rows *r, const struct model *m)
{
	/* The last mark is written again: when the model is full, new ones take its place. */
	size_t first = r->done.marks ? r->done.marks - 1 : 0;

	for (size_t i = first; i < m->marks_nr; i++) {
		const struct model_mark *mark = &m->marks[i];
		int rc = put(r, ROWS_MARK, NUM(i), NUM(mark->mono_ns), TEXT(mark->reason),
			     NUM(mark->runtime_objects), NUM(mark->gallop_objects),
			     NUM(mark->gallop_bytes));
		if (rc)
			return rc;
	}
	r->done.marks = m->marks_nr;
	return SQLITE_OK;
}

static int put_check(struct rows *r, const struct model_check *c)
{
	char why_not[sizeof(c->why_not)];

	utf8_clean(why_not, sizeof(why_not), c->why_not);
	return put(r, ROWS_CHECK, NUM(c->known), TEXT(why_not), NUM(c->from_mono_ns),
		   NUM(c->to_mono_ns), NUM(c->runtime_objects), NUM(c->gallop_objects),
		   NUM(c->slack));
}

int rows_put_session(struct rows *r, const struct model *m)
{
	int rc = put_meta(r, &m->meta);
	if (!rc)
		rc = put_notes(r, &m->meta);
	if (!rc)
		rc = put_pids(r, &m->meta);
	if (!rc)
		rc = put_losses(r, m);
	if (!rc)
		rc = put_marks(r, m);
	if (!rc)
		rc = put_check(r, &m->check);
	if (!rc)
		rc = rows_put_gc_check(r, m);
	if (!rc)
		rc = rows_put_map_watch(r, m);
	if (!rc)
		rc = rows_put_op_watch(r, m);
	if (!rc)
		rc = rows_put_sampling(r, m);
	if (!rc)
		rc = rows_put_heap_watch(r, m);
	return rc;
}
