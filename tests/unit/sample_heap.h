/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A live heap in a model, by the calls that a live session makes: a leak, something that comes and goes, something
 * that was freed for good, and a stack that two others look like.
 */
#ifndef GALLOP_TESTS_UNIT_SAMPLE_HEAP_H
#define GALLOP_TESTS_UNIT_SAMPLE_HEAP_H

#include "model/heap.h"
#include "sample.h"

static inline void sample_heap_add(struct model *m, uint32_t stack, uint64_t inuse, uint64_t alloc,
				   uint64_t size)
{
	const struct model_heap_counts n = { 10 * inuse, 10 * inuse * size,
					     10 * alloc, 10 * alloc * size,
					     inuse,	 alloc };

	model_heap_add(m, sample_id(model_heap_site(m, stack)), &n);
}

/* As of look n, counted from 1. */
static inline void sample_heap_look(struct model *m, unsigned int n, uint64_t mono_ns)
{
	const struct model_heap_look look = {
		.mono_ns = mono_ns, .rate = 512 << 10, .cycle = 40 + n, .unsettled = n == 3
	};
	uint32_t leak = sample_stack(m, "runtime.mallocgc;main.(*Cache).Put;main.main", false);
	uint32_t http = sample_http_stack(m, 412, false), deep = sample_http_stack(m, 412, true);
	uint32_t buffer = sample_stack(m, "runtime.mallocgc;bytes.growSlice;main.read;main.main",
				       false);
	uint32_t init = sample_stack(m, "runtime.mallocgc;main.init.0;runtime.main", false);

	model_heap_look(m, &look);
	sample_heap_add(m, leak, 100 * n, 100 * n, 512);
	sample_heap_add(m, http, 7, 1000 * n, 48);
	sample_heap_add(m, deep, 1, 10 * n, 48);
	sample_heap_add(m, buffer, n % 2 ? 3 : 1, 50 * n, 1 << 20);
	sample_heap_add(m, init, n == 1 ? 2 : 0, 2, 4096);
	if (n == 2) /* a second bucket of the same stack */
		sample_heap_add(m, leak, 5, 6, 1024);
	model_heap_looked(m);
}

struct sample_heap_tick {
	sample_tick *tick;
	void *ctx;
	unsigned int n; /* seconds; there is no look in the third */
};

static inline void sample_heap_tick(struct model *m, uint64_t from_ns, uint64_t to_ns, void *ctx)
{
	struct sample_heap_tick *t = ctx;

	if (++t->n != 3)
		sample_heap_look(m, t->n, to_ns - 1000);
	if (t->tick)
		t->tick(m, from_ns, to_ns, t->ctx);
}

#endif
