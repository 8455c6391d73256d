/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a snapshot has of garbage collection: the latest stops and cycles one by one, and sums and
 * percentiles of all.
 *
 * A pause is a stop of the world: a cycle has two or more of them. Its length is all of it, from
 * when stopping began until the world ran again, as the runtime itself counts.
 */
#ifndef GALLOP_MODEL_SNAPSHOT_GC_H
#define GALLOP_MODEL_SNAPSHOT_GC_H

#include <stddef.h>

#include "model/gc.h"

struct snapshot_frame;
struct snapshot_stack;

struct snapshot_stop {
	struct model_stop raw; /* but for its stack, which is: */
	const struct snapshot_stack *stack; /* who asked; NULL: not known */
	const char *reason;
	uint64_t pause_ns;
};

struct snapshot_cycle {
	struct model_cycle raw;
	const struct snapshot_stack *stack; /* who triggered it; NULL: not known */
	const char *trigger;
	uint64_t mark_ns; /* wall time of marking; 0: not known */
	uint64_t pause_ns; /* all of its pauses; 0: not known */
	uint64_t told_ns; /* when it ended, also if its beginning was missed */
};

struct snapshot_pauses {
	uint64_t count, total_ns, avg_ns, p50_ns, p90_ns, p99_ns, max_ns;
	uint64_t stopping_nr, stopping_ns; /* until all had stopped, of those where it is known */
	bool estimated; /* percentiles are off by up to 0.8 % */
};

struct snapshot_reason {
	struct snapshot_pauses pauses;
	const char *name;
	bool gc;
};

/* Pauses of a length in [from_ns, to_ns). */
struct snapshot_bucket {
	uint64_t from_ns, to_ns, count;
};

/* Who caused something, how often, and for how long. The stack is never NULL. */
struct snapshot_caller {
	const struct snapshot_stack *stack;
	const char *what; /* a stop's reason, a cycle's trigger; "" of assists */
	uint64_t count, ns;
	bool gc; /* of stops: one of a cycle's */
};

struct snapshot_gc {
	struct snapshot_stop *stops; /* in the order in which they ended */
	struct snapshot_cycle *cycles; /* the same */
	struct snapshot_reason *reasons; /* those that were seen; the GC's first, longest first */
	struct snapshot_bucket *buckets; /* the GC's pauses; from the first to the last */
	struct snapshot_caller *stoppers; /* by time stopped */
	struct snapshot_caller *forced; /* forced cycles, by number; ns: their pauses */
	struct snapshot_caller *assists; /* by time */
	size_t stops_nr, cycles_nr, reasons_nr, buckets_nr, stoppers_nr, forced_nr, assists_nr;

	/* Also of those that are no longer kept, ... */
	uint64_t cycles_total, forced_total;
	/* ... but beside them so many, and their pauses, that only the runtime counted: see model_gc_check. */
	uint64_t unseen_cycles, unseen_pause_ns;
	uint64_t runtime_unknown; /* cycles without the runtime's part, which its sums below lack */
	uint64_t stops_total;
	struct snapshot_pauses pauses; /* of the GC, all reasons */
	uint64_t stopped_ns; /* by all stops, also those that aren't the GC's */
	uint64_t mark_ns; /* wall time of marking */
	/* CPU time of marking, as the runtime says: by assists and by the workers' kinds. */
	uint64_t cycles_assist_ns, dedicated_ns, fractional_ns, idle_ns;
	uint64_t assists_total, assist_ns; /* as seen, the sum of assists[] */
	uint64_t off_ns; /* for how long stops and cycles weren't looked at one by one */
	struct model_gc_check check; /* of all the time */
};

/* Was there anything to be seen? */
bool snapshot_gc_any(const struct snapshot_gc *gc);

/* A goal that the heap can reach: there may be none (GOGC=off). */
bool snapshot_has_goal(uint64_t goal);

/* The program's own function: the first that is none of the runtime's packages, else the leaf. */
const struct snapshot_frame *snapshot_requester(const struct snapshot_stack *stack);

/*
 * Callers with the same requester and what as one, in the same order; the stack is that of the one
 * that was first. The caller frees it; NULL: out of memory.
 */
struct snapshot_caller *snapshot_by_requester(const struct snapshot_caller *callers, size_t nr,
					      bool by_count, size_t *nr_ret);

#endif
