/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Garbage collection in the model: stops of the world, cycles, and mark assists by stack.
 *
 * Sums are kept for as long as the model lives; of single stops and cycles the latest
 * MODEL_EVENTS_MAX are, and of each reason the lengths of the latest MODEL_PAUSES_MAX stops, for
 * exact percentiles.
 * Times are CLOCK_MONOTONIC nanoseconds, the same clock as Go's nanotime.
 */
#ifndef GALLOP_MODEL_GC_H
#define GALLOP_MODEL_GC_H

#include <stdbool.h>
#include <stdint.h>

struct model;

enum {
	MODEL_EVENTS_MAX = 65536,
	MODEL_PAUSES_MAX = 1 << 20, /* 8 MB: a stop every second for 12 days */
	MODEL_NO_STACK = 0xffffffff,
	MODEL_STOP_REASONS =
		17, /* Go's stwReason, 0 (unknown) to 16: runtime/proc.go, since Go 1.21 */
	MODEL_STOP_MARK_TERMINATION = 1,
	MODEL_STOP_SWEEP_TERMINATION = 2,
};

/* "GC mark termination", "read mem stats", ...: Go's own words; "unknown" for what isn't known. */
const char *model_stop_reason(uint32_t reason);

/* What a cycle was started by. */
enum model_trigger {
	MODEL_TRIGGER_UNKNOWN = 0, /* it began before we looked */
	MODEL_TRIGGER_HEAP = 1, /* the heap reached its trigger (GOGC) */
	MODEL_TRIGGER_MEMORY_LIMIT = 2, /* the same, but the goal was lowered by GOMEMLIMIT */
	MODEL_TRIGGER_TIME = 3, /* two minutes without a cycle */
	MODEL_TRIGGER_RUNTIME_GC = 4, /* runtime.GC() */
	MODEL_TRIGGER_FREE_OS_MEMORY = 5, /* debug.FreeOSMemory() */
	MODEL_TRIGGER_NR = 6,
};

/* "heap goal", "memory limit", "time", "runtime.GC", "debug.FreeOSMemory", "unknown" */
const char *model_trigger(enum model_trigger trigger);

struct model_stop {
	uint64_t start_ns; /* stopping began */
	uint64_t
		stopped_ns; /* everyone had stopped; 0 where the runtime doesn't tell (< Go 1.23) */
	uint64_t end_ns; /* the world ran again */
	uint64_t goid; /* of who asked, 0 = not known */
	uint32_t stack; /* of who asked, or MODEL_NO_STACK */
	uint32_t reason; /* stwReason */
	bool gc; /* one of a GC cycle's pauses */
};

struct model_cycle {
	uint32_t stack; /* of who triggered it, or MODEL_NO_STACK */
	uint64_t goid;
	enum model_trigger trigger;
	/* All four 0 where the cycle had begun before we looked. */
	uint64_t start_ns; /* the sweep termination stop began */
	uint64_t mark_start_ns; /* the world ran again, marking */
	uint64_t mark_end_ns; /* the (last) mark termination stop began */
	uint64_t end_ns; /* the world ran again */
	uint64_t sweep_pause_ns,
		mark_pause_ns; /* as seen; several mark terminations are added up */
	uint64_t heap_live_start, heap_live_end; /* bytes, 0: not known */
	/* What the runtime had written down when it ended. If that isn't known, all below is 0. */
	bool runtime_known;
	uint32_t number; /* as in gctrace and MemStats.NumGC */
	uint64_t pause_ns; /* MemStats.PauseNs of this cycle */
	uint64_t heap_marked, goal, next_goal; /* bytes */
	uint64_t assist_ns, dedicated_ns, fractional_ns, idle_ns; /* CPU time of marking, by kind */
	double cpu_fraction; /* MemStats.GCCPUFraction after it: since the program began */
	/*
	 * The same for the time since the cycle before ended: assists, dedicated and fractional workers and pauses,
	 * of what GOMAXPROCS allows. Below 0: not known.
	 */
	double cpu_share;
};

/* 0 or -ENOMEM. */
int model_add_stop(struct model *m, const struct model_stop *stop);
int model_add_cycle(struct model *m, const struct model_cycle *cycle);

/* The assists of a stack: id, -ENOMEM or -E2BIG; then count them, as with sites. ns is running time. */
int64_t model_assist(struct model *m, uint32_t stack);
void model_assist_add(struct model *m, uint32_t assist, uint64_t assists, uint64_t ns);

/*
 * The GC's own check: over the same span, what the runtime says in memory against what the stops and
 * cycles that were seen add up to. Where they weren't looked at for a while, the difference is what no probe saw.
 */
struct model_gc_check {
	bool known;
	char why_not[160];
	bool exact; /* Go >= 1.22: equal to the nanosecond is expected */
	uint64_t runtime_cycles, gallop_cycles;
	uint64_t runtime_pause_ns, gallop_pause_ns;
	uint64_t off_ns; /* for how long stops and cycles weren't looked at, to keep the budget */
};

struct model_gc_check *model_gc_check(struct model *m);

/* Does a function appear in a stack? For reasons that only the stack tells. */
bool model_stack_has(const struct model *m, uint32_t stack, const char *func_prefix);

#endif
