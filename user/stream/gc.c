/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cycle is: a stop for sweep termination, marking, and one or more stops for mark termination (the
 * runtime starts the world again and goes on marking when it finds more work: Go runtime/mgc.go, gcMarkDone). The
 * record of a cycle comes just before its last stop.
 */
#include "stream/gc.h"

#include <string.h>

#include "model/model.h"

/*
 * Up to Go 1.20 the stops of a cycle carry no reason. Which one it is follows from the order: what isn't the last
 * and comes while nothing is being marked is the first.
 */
static uint32_t reason_of(const struct gc_stream *gc, const struct wire_stop *wire)
{
	if (wire->reason != WIRE_STW_UNKNOWN)
		return wire->reason < MODEL_STOP_REASONS ? wire->reason : 0;
	if (wire->in_termination || gc->marking)
		return MODEL_STOP_MARK_TERMINATION;
	return wire->trigger != WIRE_TRIGGER_NONE ? MODEL_STOP_SWEEP_TERMINATION : 0;
}

static enum model_trigger trigger_of(const struct gc_stream *gc)
{
	if (!gc->marking)
		return MODEL_TRIGGER_UNKNOWN;
	switch (gc->trigger) {
	case WIRE_TRIGGER_HEAP:
		/* Only the memory limit makes the goal smaller than GOGC's (runtime/mgcpacer.go, heapGoalInternal). */
		return gc->cycle.goal && gc->cycle.goal < gc->percent_goal
			       ? MODEL_TRIGGER_MEMORY_LIMIT
			       : MODEL_TRIGGER_HEAP;
	case WIRE_TRIGGER_TIME:
		return MODEL_TRIGGER_TIME;
	case WIRE_TRIGGER_CYCLE:
		return model_stack_has(gc->model, gc->cycle.stack, "runtime/debug.")
			       ? MODEL_TRIGGER_FREE_OS_MEMORY
			       : MODEL_TRIGGER_RUNTIME_GC;
	default:
		return MODEL_TRIGGER_UNKNOWN;
	}
}

static void begin_cycle(struct gc_stream *gc, const struct wire_stop *wire, uint32_t stack)
{
	gc->cycle = (struct model_cycle){
		.stack = stack,
		.goid = wire->goid,
		.start_ns = wire->start_ns,
		.mark_start_ns = wire->ev.mono_ns,
		.sweep_pause_ns = wire->ev.mono_ns - wire->start_ns,
		.heap_live_start = wire->heap_live,
	};
	gc->percent_goal = wire->percent_goal;
	gc->trigger = wire->trigger;
	gc->marking = true;
	/* A record that is still there is of the cycle before, whose last stop was lost. */
	gc->ending_known = false;
}

/* What the runtime had written down when it ended. */
static void fill_from_runtime(struct gc_stream *gc)
{
	struct model_cycle *c = &gc->cycle;
	const struct wire_cycle *w = &gc->ending;

	c->runtime_known = true;
	c->number = w->numgc;
	c->pause_ns = w->pause_ns;
	c->heap_marked = w->heap_marked;
	c->goal = w->last_goal;
	c->next_goal = w->next_goal;
	c->assist_ns = w->assist_ns;
	c->dedicated_ns = w->dedicated_ns;
	c->fractional_ns = w->fractional_ns;
	c->idle_ns = w->idle_ns;
	memcpy(&c->cpu_fraction, &w->cpu_fraction, sizeof(c->cpu_fraction));
}

/* How much of the CPU time since the cycle before, of all that the program may use, the collector took. */
static double cpu_share(const struct gc_stream *gc, uint64_t end_ns)
{
	const struct wire_cycle *w = &gc->ending;

	if (!gc->ending_known || !w->procs || w->numgc != gc->last_end_number + 1 ||
	    !gc->last_end_ns || end_ns <= gc->last_end_ns)
		return -1;
	double all = (double)w->procs * (double)(end_ns - gc->last_end_ns);
	double used = (double)w->procs * (double)w->pause_ns + (double)w->assist_ns +
		      (double)w->dedicated_ns + (double)w->fractional_ns;

	return used < all ? used / all : 1;
}

/* The number of a cycle that has been seen whole but whose record was lost. */
static uint32_t next_number(const struct gc_stream *gc)
{
	uint32_t next = gc->cycles ? gc->recent[(gc->cycles - 1) % GC_RECENT].number + 1 : 1;

	return next > gc->first_number ? next : gc->first_number;
}

static void keep_sums(struct gc_stream *gc)
{
	const struct model_cycle *c = &gc->cycle;
	struct gc_cycle_seen seen = { .number = c->number,
				      .whole = gc->marking,
				      .seen_ns = c->sweep_pause_ns + c->mark_pause_ns,
				      .pause_ns = c->pause_ns };

	if (!c->runtime_known && !gc->marking)
		return;
	if (!c->runtime_known)
		seen.number = next_number(gc);
	if (seen.number < gc->first_number)
		return;
	/*
	 * Up to Go 1.21 a cycle whose last stop was under way when counting began can't be told when it ends: it
	 * belongs to what was before. More than one that is missing is a loss.
	 */
	if (gc->may_miss_one && !gc->cycles && c->runtime_known &&
	    seen.number == gc->first_number + 1) {
		gc->first_number = seen.number;
		gc->first_pause_total_ns = gc->ending.pause_total_ns - c->pause_ns;
	}
	gc->recent[gc->cycles++ % GC_RECENT] = seen;
	if (seen.whole)
		gc->whole_ns += seen.seen_ns;
	else
		gc->partial_ns += seen.pause_ns;
	if (!c->runtime_known)
		return;
	gc->last_number = c->number;
	gc->last_pause_total_ns = gc->ending.pause_total_ns;
}

/* Of what is under way nothing is known any more. */
static void forget_cycle(struct gc_stream *gc)
{
	memset(&gc->cycle, 0, sizeof(gc->cycle));
	gc->marking = false;
}

static int end_cycle(struct gc_stream *gc, const struct wire_stop *wire)
{
	if (!gc->marking)
		gc->cycle.stack = MODEL_NO_STACK;
	gc->cycle.heap_live_end = wire->heap_live;
	gc->cycle.end_ns = gc->marking ? wire->ev.mono_ns : 0;
	if (gc->ending_known)
		fill_from_runtime(gc);
	gc->cycle.trigger = trigger_of(gc);
	gc->cycle.cpu_share = cpu_share(gc, wire->ev.mono_ns);
	gc->last_end_ns = wire->ev.mono_ns;
	gc->last_end_number = gc->ending_known ? gc->ending.numgc : gc->last_end_number + 1;
	if (!gc->marking)
		gc->cycle.mark_end_ns = 0;
	int rc = model_add_cycle(gc->model, &gc->cycle);
	keep_sums(gc);
	forget_cycle(gc);
	gc->ending_known = false;
	return rc;
}

int gc_stream_stop(struct gc_stream *gc, const struct wire_stop *wire, uint32_t stack)
{
	/* The probes were away meanwhile: what ends now may be another cycle. */
	if (wire->attached != gc->attached)
		forget_cycle(gc);
	gc->attached = wire->attached;

	uint32_t reason = reason_of(gc, wire);
	bool in_cycle = reason == MODEL_STOP_MARK_TERMINATION ||
			reason == MODEL_STOP_SWEEP_TERMINATION;
	struct model_stop stop = {
		.start_ns = wire->start_ns,
		.stopped_ns = wire->stopped_ns,
		.end_ns = wire->ev.mono_ns,
		.goid = wire->goid,
		.stack = stack,
		.reason = reason,
		.gc = in_cycle,
	};
	int rc = model_add_stop(gc->model, &stop);

	if (rc || !in_cycle)
		return rc;
	if (reason == MODEL_STOP_SWEEP_TERMINATION) {
		begin_cycle(gc, wire, stack);
		return 0;
	}
	gc->cycle.mark_pause_ns += wire->ev.mono_ns - wire->start_ns;
	gc->cycle.mark_end_ns = wire->start_ns;
	return wire->in_termination ? end_cycle(gc, wire) : 0;
}

void gc_stream_cycle(struct gc_stream *gc, const struct wire_cycle *wire)
{
	gc->ending = *wire;
	gc->ending_known = true;
}

struct gc_sums gc_stream_sums(const struct gc_stream *gc, uint32_t number)
{
	struct gc_sums sums = { gc->cycles, gc->whole_ns, gc->partial_ns };
	uint64_t recent = gc->cycles < GC_RECENT ? gc->cycles : GC_RECENT;

	for (uint64_t i = 0; i < recent; i++) {
		const struct gc_cycle_seen *seen = &gc->recent[i];

		if (seen->number <= number)
			continue;
		sums.cycles--;
		if (seen->whole)
			sums.whole_ns -= seen->seen_ns;
		else
			sums.partial_ns -= seen->pause_ns;
	}
	return sums;
}
