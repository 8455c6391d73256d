/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Garbage collection for the sample: cycles for every reason, stops that are none of a cycle's, and
 * goroutines that had to assist. Added to the sample model second by second.
 */
#ifndef GALLOP_TESTS_UNIT_SAMPLE_GC_H
#define GALLOP_TESTS_UNIT_SAMPLE_GC_H

#include "model/gc.h"
#include "sample.h"

enum { SAMPLE_US = 1000, SAMPLE_MS = 1000 * 1000, SAMPLE_MIB = 1 << 20 };

static inline void sample_stop(struct model *m, uint64_t start, uint64_t ns, uint32_t reason,
			       uint32_t stack, uint64_t goid)
{
	const struct model_stop stop = {
		.start_ns = start,
		.stopped_ns = reason == 9 ? 0 : start + ns / 4, /* GOMAXPROCS: as if not known */
		.end_ns = start + ns,
		.goid = goid,
		.stack = stack,
		.reason = reason,
		.gc = reason == MODEL_STOP_MARK_TERMINATION ||
		      reason == MODEL_STOP_SWEEP_TERMINATION,
	};

	assert_int_equal(model_add_stop(m, &stop), 0);
}

/* A cycle from `start` on, with both of its stops; its pauses are `us` and twice that. */
static inline void sample_cycle(struct model *m, uint32_t n, uint64_t start, uint64_t us,
				enum model_trigger trigger, uint32_t stack, uint64_t goid)
{
	uint32_t worker =
		sample_stack(m, "runtime.gcMarkDone;runtime.gcBgMarkWorker;runtime.goexit", false);
	const struct model_cycle cycle = {
		.runtime_known = true,
		.number = n,
		.stack = stack,
		.goid = goid,
		.trigger = trigger,
		.start_ns = start,
		.mark_start_ns = start + us * SAMPLE_US,
		.mark_end_ns = start + 3 * SAMPLE_MS,
		.end_ns = start + 3 * SAMPLE_MS + 2 * us * SAMPLE_US,
		.sweep_pause_ns = us * SAMPLE_US,
		.mark_pause_ns = 2 * us * SAMPLE_US,
		.pause_ns = 3 * us * SAMPLE_US,
		.heap_live_start = UINT64_C(12) * SAMPLE_MIB + n * 1000,
		.heap_marked = UINT64_C(5) * SAMPLE_MIB,
		.heap_live_end = UINT64_C(13) * SAMPLE_MIB,
		.goal = UINT64_C(14) * SAMPLE_MIB,
		.next_goal = UINT64_C(10) * SAMPLE_MIB,
		.assist_ns = 350 * SAMPLE_US,
		.dedicated_ns = 2 * SAMPLE_MS,
		.fractional_ns = 0,
		.idle_ns = 123 * SAMPLE_US,
		.cpu_fraction = 0.0123,
		.cpu_share = n == 41 ? -1 : 0.25,
	};

	sample_stop(m, start, cycle.sweep_pause_ns, MODEL_STOP_SWEEP_TERMINATION, stack, goid);
	sample_stop(m, cycle.mark_end_ns, cycle.mark_pause_ns, MODEL_STOP_MARK_TERMINATION, worker,
		    4);
	assert_int_equal(model_add_cycle(m, &cycle), 0);
}

/* The cycle that ran when counting began: its start was missed. */
static inline void sample_first_cycle(struct model *m)
{
	const struct model_cycle cycle = {
		.runtime_known = true,
		.number = 40,
		.stack = MODEL_NO_STACK,
		.mark_pause_ns = 20 * SAMPLE_US,
		.pause_ns = 35 * SAMPLE_US,
		.heap_marked = UINT64_C(4) * SAMPLE_MIB,
		.heap_live_end = UINT64_C(6) * SAMPLE_MIB,
		.goal = UINT64_C(8) * SAMPLE_MIB,
		.next_goal = UINT64_MAX,
		.cpu_fraction = 0.01,
		.cpu_share = -1,
	};

	sample_stop(m, SAMPLE_START + SAMPLE_MS, 20 * SAMPLE_US, MODEL_STOP_MARK_TERMINATION,
		    MODEL_NO_STACK, 0);
	assert_int_equal(model_add_cycle(m, &cycle), 0);
}

/* A tick of sample_model() that comes before ctx, the tick of the test, if there is one. */
static inline void sample_gc_second(struct model *m, uint64_t from)
{
	uint32_t n = 41 + 3 * (uint32_t)((from - SAMPLE_START) / SAMPLE_S);
	uint32_t alloc = sample_stack(
		m,
		"runtime.gcStart;runtime.mallocgc;runtime.newobject;"
		"example.com/shop/cart.Handle[...];main.main;runtime.main;runtime.goexit",
		false);
	uint32_t forced = sample_stack(m,
				       "runtime.gcStart;runtime.GC;main.(*Server).handle;main.main;"
				       "runtime.main;runtime.goexit",
				       false);
	uint32_t freed = sample_stack(m,
				      "runtime.gcStart;runtime.GC;runtime/debug.freeOSMemory;"
				      "runtime/debug.FreeOSMemory;main.trim;runtime.goexit",
				      false);
	uint32_t timer = sample_stack(m, "runtime.gcStart;runtime.forcegchelper;runtime.goexit",
				      false);
	uint32_t stats = sample_stack(m,
				      "runtime.stopTheWorldGC;runtime.ReadMemStats;"
				      "main.(*Server).metrics;runtime.goexit",
				      false);
	uint32_t procs = sample_stack(m,
				      "runtime.stopTheWorldGC;runtime.GOMAXPROCS;main.init.0;"
				      "runtime.main;runtime.goexit",
				      true);

	if (from == SAMPLE_START)
		sample_first_cycle(m);
	sample_cycle(m, n, from + 100 * SAMPLE_MS, 12, MODEL_TRIGGER_HEAP, alloc, 18);
	sample_stop(m, from + 200 * SAMPLE_MS, 45678, 7, stats, 21);
	sample_cycle(m, n + 1, from + 300 * SAMPLE_MS, 700, MODEL_TRIGGER_RUNTIME_GC, forced, 21);
	if (from == SAMPLE_START) {
		sample_cycle(m, n + 2, from + 400 * SAMPLE_MS, 5, MODEL_TRIGGER_FREE_OS_MEMORY,
			     freed, 1);
		sample_stop(m, from + 500 * SAMPLE_MS, 999, 9, procs, 1);
	} else {
		sample_cycle(m, n + 2, from + 600 * SAMPLE_MS, 9, MODEL_TRIGGER_TIME, timer, 2);
	}
	model_assist_add(m, sample_id(model_assist(m, alloc)), 10, 300 * SAMPLE_US);
	model_assist_add(m,
			 sample_id(model_assist(
				 m, sample_stack(m,
						 "runtime.gcAssistAlloc1;runtime.gcAssistAlloc;"
						 "runtime.mallocgc;main.(*Server).metrics",
						 false))),
			 2, 75000);
}

static inline void sample_gc_end(struct model *m)
{
	/* The pauses of the first cycle are in neither. */
	*model_gc_check(m) = (struct model_gc_check){ .known = true,
						      .exact = true,
						      .runtime_cycles = 7,
						      .gallop_cycles = 7,
						      .runtime_pause_ns = 4314000,
						      .gallop_pause_ns = 4314000 };
}

/* sample_model() with garbage collection. */
struct sample_gc {
	sample_tick *tick;
	void *ctx;
};

static inline void sample_gc_tick(struct model *m, uint64_t from_ns, uint64_t to_ns, void *ctx)
{
	const struct sample_gc *next = ctx;

	sample_gc_second(m, from_ns);
	sample_gc_end(m);
	if (next && next->tick)
		next->tick(m, from_ns, to_ns, next->ctx);
}

#endif
