/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live heap inside a model, for the two that walk it: the snapshot and the recording. All numbers are below 2^63
 * and sums stay there.
 */
#ifndef GALLOP_MODEL_HEAP_TABLES_H
#define GALLOP_MODEL_HEAP_TABLES_H

#include "model/heap.h"
#include "model/tables.h"

/* All members are numbers of 64 bits. */
enum { HEAP_COUNTS_NR = sizeof(struct model_heap_counts) / sizeof(uint64_t) };

static inline uint64_t *heap_counts_v(struct model_heap_counts *counts)
{
	return &counts->inuse_objects;
}

static inline const uint64_t *heap_counts_cv(const struct model_heap_counts *counts)
{
	return &counts->inuse_objects;
}

/* Bytes or objects in use at a stack: no address space holds more. */
#define HEAP_INUSE_MAX (UINT64_C(1) << 48)

struct heap_row {
	uint32_t stack, id;
	struct model_heap_counts now; /* as of the last look */
	struct model_heap_counts first; /* as of the first one */
	struct model_heap_counts base; /* as of the last look before the current interval */
	UT_hash_handle hh;
};

struct model_heap {
	bool asked; /* somebody wanted to look */
	char why_not[160]; /* "": it is known */
	struct model_heap_look first, last;
	uint64_t looks_nr;
	uint64_t interval_looks_nr; /* of them, before the current interval */
	MODEL_TABLE(heap_row) sites; /* by stack */
};

void heap_deinit(struct model_heap *heap);
void heap_next_interval(struct model_heap *heap);

/* There was a look in the current interval. */
bool heap_is_new(const struct model_heap *heap);

/* The row is another than when the interval began. */
bool heap_row_changed(const struct heap_row *row);

#endif
