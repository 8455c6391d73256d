/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cycles and pauses that were seen, held against MemStats.NumGC and PauseTotalNs in the process's memory.
 *
 * A cycle that had begun before counting did counts as a cycle, but its pauses can't be compared and are left out on
 * both sides.
 */
#ifndef GALLOP_SESSION_GC_TRUTH_H
#define GALLOP_SESSION_GC_TRUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "model/gc.h"

struct gc_stream;
struct plan;
struct probe;
struct proc;

struct gc_reading {
	uint32_t numgc;
	uint64_t pause_total_ns;
};

struct gc_truth {
	const struct proc *proc; /* borrowed; NULL: nothing can be read */
	uint64_t numgc_addr, pause_total_addr, assist_time_addr;
	bool begun;
	struct gc_reading begin, end;
	bool ending; /* the last cycle of `end` may not have been told yet */
	bool exact;
};

/* numgc and pause_total are where the plan says, at this load bias. */
void gc_truth_init(struct gc_truth *t, const struct proc *proc, const struct plan *plan,
		   uint64_t load_bias);

/* Assists are counted by what the runtime's own counter grows by: where does it stand? False if it can't be read. */
bool gc_truth_assist_time(const struct gc_truth *t, uint64_t *ret);

void gc_truth_begin(struct gc_truth *t);
void gc_truth_begin_at_zero(struct gc_truth *t);

/* Before the last drain: events of what ended until now are in the ring. */
void gc_truth_read(struct gc_truth *t, struct probe *probe);

/* off_ns: for how long the probes of stops and cycles were given up. */
void gc_truth_to_check(const struct gc_truth *t, const struct gc_stream *seen, uint64_t off_ns,
		       struct model_gc_check *check);

#endif
