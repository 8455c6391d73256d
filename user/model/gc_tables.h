/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Garbage collection inside a model, for the two that walk it: the snapshot and the recording.
 *
 * Single stops and cycles are in rings, numbered by a sequence from the model's beginning. What is
 * summed up is summed up twice, since the model's beginning and since the interval's, or remembers
 * what it was when the interval began, as the sites do. All numbers are below 2^63 (times 2^62) and
 * no sum overflows, whatever the target says: it stays at the largest.
 */
#ifndef GALLOP_MODEL_GC_TABLES_H
#define GALLOP_MODEL_GC_TABLES_H

#include "model/gc.h"
#include "model/histogram.h"
#include "model/tables.h"

#define GC_TIME_MAX (UINT64_C(1) << 62)

/* Stops for one reason. */
struct gc_pauses {
	uint64_t count, total_ns, max_ns;
	uint64_t stopping_nr, stopping_ns; /* of those where it is known */
	struct histogram lengths;
};

/* Number n of all.count is lengths[n % MODEL_PAUSES_MAX]; the interval's are the latest of them. */
struct gc_reason {
	struct gc_pauses all, interval;
	uint64_t *lengths;
	size_t lengths_cap;
};

struct gc_cycle_sums {
	uint64_t count, forced;
	uint64_t runtime_unknown; /* cycles that the runtime's part of the sums lacks */
	uint64_t mark_ns;
	uint64_t assist_ns, dedicated_ns, fractional_ns, idle_ns;
};

/* A stack, and what it did: asked for stops, began cycles, or assisted. */
struct gc_caller_key {
	uint32_t stack; /* or MODEL_NO_STACK */
	uint32_t what; /* GC_STOP_WHAT(), enum model_trigger, or 0 */
};

#define GC_STOP_WHAT(reason, gc) ((uint32_t)(reason) | (uint32_t)(gc) << 8)
#define GC_WHAT_REASON(what) ((what)&0xff)
#define GC_WHAT_IS_GC(what) ((what) >> 8 & 1)

struct gc_caller_count {
	uint64_t count;
	uint64_t ns; /* the world was stopped; for assists: they ran */
};

struct gc_caller {
	struct gc_caller_key key;
	uint32_t id;
	struct gc_caller_count now; /* since the model began */
	struct gc_caller_count base; /* now, when the current interval began */
	UT_hash_handle hh;
};

/* A table as MODEL_TABLE() makes it, with a name: three of them go through the same functions. */
struct gc_callers {
	struct gc_caller **rows;
	struct gc_caller *hash;
	size_t nr, cap;
};

/* A cycle, and when it was told: its own end_ns is 0 if its beginning was missed. */
struct gc_cycle_row {
	struct model_cycle cycle;
	uint64_t told_ns;
};

/* The latest MODEL_EVENTS_MAX of seq rows; number n is at n % MODEL_EVENTS_MAX. */
#define GC_RING(type)                                                             \
	struct {                                                                  \
		type *v;                                                          \
		size_t cap;                                                       \
		uint64_t seq; /* rows so far */                                   \
		uint64_t interval_seq; /* seq, when the current interval began */ \
	}

struct model_gc {
	GC_RING(struct model_stop) stops;
	GC_RING(struct gc_cycle_row) cycles;
	struct gc_reason *reasons[2][MODEL_STOP_REASONS]; /* [of the GC or not]; NULL: none */
	struct gc_cycle_sums sums, interval_sums;
	struct gc_callers stoppers, starters, assists;
	uint64_t last_ns; /* end of the latest stop */
	bool of_recording; /* what the rings overwrite is still in the file */
	uint64_t overwritten; /* rows of the rings that no interval has shown */
	struct model_gc_check check;
	uint64_t interval_off_ns; /* check.off_ns, when the current interval began */
};

#define gc_ring_row(ring, n) (&(ring).v[(n) % MODEL_EVENTS_MAX])

/* The number of the first row at or after `wanted` that is still there. */
uint64_t gc_first(uint64_t seq, uint64_t wanted);

void gc_deinit(struct model_gc *gc);
void gc_next_interval(struct model_gc *gc);

/* What was added in the current interval. */
struct gc_caller_count gc_caller_delta(const struct gc_caller *caller);

/* Asked for by the program. */
bool gc_trigger_is_forced(enum model_trigger trigger);

/* Its pauses, as the runtime says, else as seen: not all of them if its beginning was missed. */
uint64_t gc_cycle_pauses(const struct model_cycle *c);

/* model_add_cycle() of a cycle that was told at that time. */
int gc_add_cycle(struct model *m, const struct model_cycle *cycle, uint64_t told_ns);

#endif
