/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stack's numbers are those of its last row: up to the first look in the span for what has grown since, and up to
 * the end of the span for what is there.
 */
#include "record/read_heap.h"

#include "model/heap_tables.h"

static int read_watch(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	const char *why_not;
	int code = col_text(r, row, 1, &why_not);
	(void)idx;

	if (!code)
		model_heap_unknown(r->m, why_not);
	return code;
}

static int read_look(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct model_heap *heap = r->m->heap;
	struct model_heap_look look = { 0 };
	uint64_t interval;

	int code = reader_ids(r, row, idx, &interval, 1);
	if (!code)
		code = col_u64(r, row, 1, TIME_MAX, &look.mono_ns);
	if (!code)
		code = col_u64(r, row, 2, INT64_MAX, &look.rate);
	if (!code)
		code = col_u64(r, row, 3, INT64_MAX, &look.cycle);
	if (!code)
		code = col_bool(r, row, 4, &look.before_gc);
	if (!code)
		code = col_u64(r, row, 5, INT64_MAX, &look.unsettled);
	if (code)
		return code;
	if (interval >= r->intervals_nr || look.mono_ns < heap->last.mono_ns)
		return reader_damaged(r, "a look at the heap is where none can be");
	heap->last.mono_ns = look.mono_ns;
	if (interval < r->first || interval >= r->end)
		return 0;
	if (!heap->looks_nr++) {
		heap->first = look;
		r->heap_first = interval;
	}
	heap->last = look;
	return 0;
}

/* What no look can have said: more in use than there ever was, or anything that no sample is of. */
static bool is_absurd(const struct model_heap_counts *n)
{
	return n->inuse_objects > n->alloc_objects || n->inuse_bytes > n->alloc_bytes ||
	       n->inuse_samples > n->alloc_samples || n->inuse_objects > HEAP_INUSE_MAX ||
	       n->inuse_bytes > HEAP_INUSE_MAX ||
	       (!n->alloc_samples && (n->alloc_objects || n->alloc_bytes)) ||
	       (!n->inuse_samples && (n->inuse_objects || n->inuse_bytes));
}

static int read_site(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct model_heap_counts n;
	uint64_t ids[2];
	uint32_t stack;

	int code = reader_ids(r, row, idx, ids, 2);
	if (!code)
		code = col_ref(r, row, 1, &r->stacks, &stack);
	if (!code)
		code = col_counts(r, row, 2, heap_counts_v(&n), HEAP_COUNTS_NR);
	if (code)
		return code;
	if (ids[0] >= r->intervals_nr)
		return reader_damaged(r, "a row refers to one that is not there");
	if (is_absurd(&n))
		return reader_damaged(r, "a heap has more in use than it can");
	if (!r->m->heap->looks_nr || ids[0] >= r->end)
		return 0;
	int64_t id = model_heap_site(r->m, stack);
	code = reader_interned(r, id);
	if (code)
		return code;
	struct heap_row *site = r->m->heap->sites.rows[id];
	site->now = n;
	if (ids[0] <= r->heap_first)
		site->first = n;
	return 0;
}

const struct reader_query heap_queries[] = {
	{ "SELECT id, why_not FROM heap_watch ORDER BY id LIMIT 1", read_watch, true },
	{ "SELECT interval, ns, rate, cycle, before_gc, unsettled FROM heap_look ORDER BY interval",
	  read_look, false },
	{ "SELECT interval, stack, inuse_objects, inuse_bytes, alloc_objects, alloc_bytes, "
	  "inuse_samples, alloc_samples FROM heap ORDER BY interval, stack",
	  read_site, false },
	{ .sql = NULL },
};
