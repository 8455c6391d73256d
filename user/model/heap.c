/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/heap_tables.h"

#include <assert.h>
#include <string.h>

#include "base/u64.h"
#include "base/utf8.h"

void model_heap_unknown(struct model *m, const char *why_not)
{
	struct model_heap *heap = m->heap;

	heap->asked = true;
	utf8_clean(heap->why_not, sizeof(heap->why_not), why_not ? why_not : "");
}

int64_t model_heap_site(struct model *m, uint32_t stack)
{
	struct heap_row *row;

	assert(stack < m->stacks.nr);
	HASH_FIND(hh, m->heap->sites.hash, &stack, sizeof(stack), row);
	if (row)
		return row->id;
	int rc = table_reserve(m, m->heap->sites, sizeof(*row));
	if (rc)
		return rc;
	_cleanup_free_ struct heap_row *added = calloc(1, sizeof(*added));
	if (!added)
		return -ENOMEM;
	added->stack = stack;
	return table_add(m->heap->sites, added, &added->stack, sizeof(added->stack));
}

void model_heap_look(struct model *m, const struct model_heap_look *look)
{
	struct model_heap *heap = m->heap;

	model_heap_unknown(m, NULL);
	heap->last = *look;
	heap->last.rate = min_u64(look->rate, INT64_MAX);
	for (size_t i = 0; i < heap->sites.nr; i++)
		heap->sites.rows[i]->now = (struct model_heap_counts){ 0 };
}

void model_heap_add(struct model *m, uint32_t site, const struct model_heap_counts *n)
{
	assert(site < m->heap->sites.nr);
	struct heap_row *row = m->heap->sites.rows[site];
	uint64_t *now = heap_counts_v(&row->now);
	const uint64_t *v = heap_counts_cv(n);

	for (size_t i = 0; i < HEAP_COUNTS_NR; i++)
		now[i] = sum_u63(now[i], v[i]);
	row->now.inuse_objects = min_u64(row->now.inuse_objects, HEAP_INUSE_MAX);
	row->now.inuse_bytes = min_u64(row->now.inuse_bytes, HEAP_INUSE_MAX);
}

void model_heap_looked(struct model *m)
{
	struct model_heap *heap = m->heap;

	if (heap->looks_nr++)
		return;
	heap->first = heap->last;
	for (size_t i = 0; i < heap->sites.nr; i++)
		heap->sites.rows[i]->first = heap->sites.rows[i]->now;
}

void heap_deinit(struct model_heap *heap)
{
	table_free(heap->sites);
}

void heap_next_interval(struct model_heap *heap)
{
	for (size_t i = 0; i < heap->sites.nr; i++)
		heap->sites.rows[i]->base = heap->sites.rows[i]->now;
	heap->interval_looks_nr = heap->looks_nr;
}

bool heap_is_new(const struct model_heap *heap)
{
	return heap->looks_nr != heap->interval_looks_nr;
}

bool heap_row_changed(const struct heap_row *row)
{
	return memcmp(&row->now, &row->base, sizeof(row->now)) != 0;
}
