/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timeline in the trace-event format of Chrome, which Perfetto, speedscope and Firefox read too:
 * stops and the phases of cycles as slices, the heap as counters.
 *
 * Slices of one lane must nest, so stops and cycles have a lane each, and nothing may begin before
 * what stands before it has ended; the world can't be stopped twice, but a target can say so. Times
 * are microseconds since the recording began; written with three decimals, no nanosecond is lost.
 */
#include <string.h>

#include "base/u64.h"
#include "render/formats.h"
#include "render/gc.h"
#include "render/json_writer.h"

enum { LANE_STOPS = 1, LANE_CYCLES = 2 };

struct trace {
	struct json_writer w;
	const struct snapshot *s;
	uint64_t start_ns; /* time 0 */
	uint64_t lane_end_ns[3]; /* of the last slice of a lane */
};

static void put_us(struct trace *t, const char *key, uint64_t ns)
{
	json_thousandths(&t->w, key, ns);
}

static void open_event(struct trace *t, const char *phase, const char *name)
{
	json_open_flat(&t->w, NULL, '{');
	json_string(&t->w, "ph", phase);
	json_string(&t->w, "name", name);
	json_number(&t->w, "pid", (uint64_t)t->s->meta.pid);
}

/* Name the process (lane 0) or one of its lanes, which are shown as threads. */
static void put_name(struct trace *t, const char *what, int lane, const char *name)
{
	open_event(t, "M", what);
	json_number(&t->w, "tid", (uint64_t)lane);
	json_open(&t->w, "args", '{');
	json_string(&t->w, "name", name);
	json_close(&t->w, '}');
	json_close(&t->w, '}');
}

/* A slice and its arguments, which the caller writes; then close_slice(). */
static void open_slice(struct trace *t, const char *name, int lane, uint64_t from_ns,
		       uint64_t to_ns)
{
	uint64_t since = max_u64(from_ns, t->start_ns) - t->start_ns;
	uint64_t until = max_u64(to_ns, t->start_ns) - t->start_ns;

	open_event(t, "X", name);
	json_number(&t->w, "tid", (uint64_t)lane);
	put_us(t, "ts", since);
	put_us(t, "dur", max_u64(until, since) - since);
	json_open(&t->w, "args", '{');
}

static void close_slice(struct trace *t)
{
	json_close(&t->w, '}');
	json_close(&t->w, '}');
}

static void put_counter(struct trace *t, const char *name, uint64_t ns, uint64_t bytes)
{
	open_event(t, "C", name);
	put_us(t, "ts", max_u64(ns, t->start_ns) - t->start_ns);
	json_open(&t->w, "args", '{');
	json_number(&t->w, "bytes", bytes);
	close_slice(t);
}

static void put_who(struct trace *t, const struct snapshot_stack *stack, uint64_t goid)
{
	if (stack)
		json_string(&t->w, "by", snapshot_requester(stack)->func);
	if (goid)
		json_number(&t->w, "goroutine", goid);
}

/* The part of [from, to] that is free in a lane; false if there is none. */
static bool take_lane(struct trace *t, int lane, uint64_t *from_ns, uint64_t to_ns)
{
	*from_ns = max_u64(*from_ns, t->lane_end_ns[lane]);
	if (*from_ns > to_ns)
		return false;
	t->lane_end_ns[lane] = to_ns;
	return true;
}

static void put_stop(struct trace *t, const struct snapshot_stop *stop)
{
	uint64_t from = stop->raw.start_ns;

	if (!take_lane(t, LANE_STOPS, &from, stop->raw.end_ns))
		return;
	open_slice(t, stop->reason, LANE_STOPS, from, stop->raw.end_ns);
	if (stop->raw.stopped_ns)
		put_us(t, "stopping_us", stop->raw.stopped_ns - stop->raw.start_ns);
	put_who(t, stop->stack, stop->raw.goid);
	close_slice(t);
}

static void put_phases(struct trace *t, const struct model_cycle *c, uint64_t from)
{
	const struct {
		const char *name;
		uint64_t from, to;
	} phases[] = {
		{ "sweep termination", c->start_ns, c->mark_start_ns },
		{ "mark", c->mark_start_ns, c->mark_end_ns },
		{ "mark termination", c->mark_end_ns, c->end_ns },
	};

	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		uint64_t begin = max_u64(phases[i].from, from);
		if (begin > phases[i].to)
			continue;
		open_slice(t, phases[i].name, LANE_CYCLES, begin, phases[i].to);
		close_slice(t);
	}
}

static void put_cycle_slice(struct trace *t, const struct snapshot_cycle *cycle)
{
	const struct model_cycle *c = &cycle->raw;
	uint64_t from = c->start_ns;
	char name[32];

	/* A cycle whose beginning was missed has no phases to show. */
	if (!c->start_ns || !take_lane(t, LANE_CYCLES, &from, c->end_ns))
		return;
	if (c->runtime_known)
		snprintf(name, sizeof(name), "GC %u", c->number);
	else
		strcpy(name, "GC");
	open_slice(t, name, LANE_CYCLES, from, c->end_ns);
	json_string(&t->w, "trigger", cycle->trigger);
	put_who(t, cycle->stack, c->goid);
	put_us(t, "pause_us", cycle->pause_ns);
	if (c->runtime_known)
		put_us(t, "assist_us", c->assist_ns);
	close_slice(t);
	put_phases(t, c, from);
}

static void put_cycle(struct trace *t, const struct snapshot_cycle *cycle)
{
	const struct model_cycle *c = &cycle->raw;

	put_cycle_slice(t, cycle);
	if (c->start_ns && c->heap_live_start)
		put_counter(t, "heap live", c->start_ns, c->heap_live_start);
	if (c->start_ns && snapshot_has_goal(c->goal))
		put_counter(t, "heap goal", c->start_ns, c->goal);
	if (c->runtime_known)
		put_counter(t, "heap marked", cycle->told_ns, c->heap_marked);
	if (c->heap_live_end)
		put_counter(t, "heap live", cycle->told_ns, c->heap_live_end);
	if (snapshot_has_goal(c->next_goal))
		put_counter(t, "heap goal", cycle->told_ns, c->next_goal);
}

static void put_events(struct trace *t)
{
	struct gc_events events = { .gc = &t->s->gc };
	struct gc_event event;

	while (gc_events_next(&events, &event)) {
		if (event.cycle)
			put_cycle(t, event.cycle);
		else
			put_stop(t, event.stop);
	}
}

int render_trace(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	struct trace t = { .w = { .out = out }, .s = s, .start_ns = s->meta.start_mono_ns };
	(void)opts;

	json_open(&t.w, NULL, '{');
	json_string(&t.w, "displayTimeUnit", "ms");
	json_open_flat(&t.w, "otherData", '{');
	json_string(&t.w, "comm", s->meta.comm);
	json_string(&t.w, "go_version", s->meta.go_version);
	json_string(&t.w, "gallop_version", s->meta.gallop_version);
	json_number(&t.w, "start_unix_ns", s->meta.start_unix_ns);
	json_close(&t.w, '}');
	json_open(&t.w, "traceEvents", '[');
	put_name(&t, "process_name", 0, s->meta.comm);
	put_name(&t, "thread_name", LANE_STOPS, "STW");
	put_name(&t, "thread_name", LANE_CYCLES, "GC");
	put_events(&t);
	json_close(&t.w, ']');
	json_close(&t.w, '}');
	return render_end(out);
}
