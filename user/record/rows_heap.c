/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model has bounded all of these numbers, so they fit the file's signed ones as they are. A stack has a row only
 * in the intervals whose look found other numbers than the one before.
 */
#include "record/rows_heap.h"

#include "model/heap_tables.h"
#include "record/put.h"

int rows_put_heap_watch(struct rows *r, const struct model *m)
{
	if (!m->heap->asked)
		return SQLITE_OK;
	return put(r, ROWS_HEAP_WATCH, TEXT(m->heap->why_not));
}

int rows_put_heap(struct rows *r, const struct model *m, size_t interval)
{
	const struct model_heap *heap = m->heap;
	const struct model_heap_look *look = &heap->last;

	if (!heap_is_new(heap))
		return SQLITE_OK;
	int rc = put(r, ROWS_HEAP_LOOK, NUM(interval), NUM(look->mono_ns), NUM(look->rate),
		     COUNT(look->cycle), NUM(look->before_gc), COUNT(look->unsettled));
	for (size_t i = 0; !rc && i < heap->sites.nr; i++) {
		const struct heap_row *row = heap->sites.rows[i];
		if (heap_row_changed(row))
			rc = rows_put_counts(r, ROWS_HEAP,
					     (const uint64_t[]){ interval, row->stack },
					     heap_counts_cv(&row->now), HEAP_COUNTS_NR);
	}
	return rc;
}
