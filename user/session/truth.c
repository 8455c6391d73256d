/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/truth.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "bpf/wire.h"
#include "probe/probe.h"

enum { TRIES = 8 }; /* readings to choose the least disturbed from */

void truth_init(struct truth *t, const struct proc *proc, struct gobin *bin, uint64_t load_bias)
{
	struct err err;

	t->process = WIRE_PROCESS_NONE;
	t->readable = memstats_reader_init(&t->reader, proc, bin, load_bias, &err) == 0;
	if (!t->readable)
		snprintf(t->why_not, sizeof(t->why_not), "%.150s", err.msg);
}

static uint64_t count_gallop(const struct truth *t, const struct probe *probe)
{
	struct wire_process one;
	struct wire_cpu all;

	if (t->process == WIRE_PROCESS_NONE) {
		probe_totals(probe, &all);
		return all.objects;
	}
	probe_process(probe, t->process, &one);
	return one.objects;
}

/* One reading between two of gallop's own count. */
static bool read_once(const struct truth *t, const struct probe *probe, struct truth_reading *ret,
		      bool *still)
{
	struct memstats stats;

	ret->mono_ns = mono_now_ns();
	ret->gallop_objects = count_gallop(t, probe);
	if (memstats_read(&t->reader, &stats))
		return false;
	uint64_t moved = count_gallop(t, probe) - ret->gallop_objects + stats.unsettled;
	ret->runtime_objects = stats.mallocs;
	/* Each P may be inside one malloc that one side has counted and the other hasn't yet. */
	ret->slack = moved + stats.ps_nr;
	*still = !moved;
	return true;
}

/* The least disturbed of a few readings: one that nothing disturbed can't be bettered. */
static bool read_best(const struct truth *t, const struct probe *probe, struct truth_reading *ret)
{
	bool found = false, still = false;

	for (int i = 0; i < TRIES && t->readable && !still; i++) {
		struct truth_reading r;

		if (!read_once(t, probe, &r, &still))
			continue;
		if (!found || r.slack < ret->slack)
			*ret = r;
		found = true;
	}
	return found;
}

void truth_begin(struct truth *t, const struct probe *probe)
{
	t->begun = read_best(t, probe, &t->begin);
}

void truth_begin_at_zero(struct truth *t, uint64_t mono_ns)
{
	t->begin = (struct truth_reading){ .mono_ns = mono_ns };
	t->begun = true;
}

void truth_read(struct truth *t, const struct probe *probe)
{
	struct truth_reading r;

	if (read_best(t, probe, &r)) {
		t->end = r;
		t->ended = true;
	}
}

void truth_take_exit(struct truth *t, const struct wire_mark *mark)
{
	t->end = (struct truth_reading){
		.mono_ns = mark->ev.mono_ns,
		.runtime_objects = mark->runtime_objects,
		.gallop_objects = mark->gallop_objects,
		/* Others may still run; who exits is in no malloc. */
		.slack = mark->slack + (mark->ps_nr ? mark->ps_nr - 1 : 0),
	};
	t->ended = true;
}

void truth_take_stop(const struct wire_mark *wire, struct model *m)
{
	struct model_mark mark = {
		.mono_ns = wire->ev.mono_ns,
		.reason = "ReadMemStats",
		.runtime_objects = wire->runtime_objects,
		.gallop_objects = wire->gallop_objects,
		.gallop_bytes = wire->gallop_bytes,
	};

	model_add_mark(m, &mark);
}

void truth_to_check(const struct truth *t, struct model_check *check)
{
	memset(check, 0, sizeof(*check));
	check->known = t->begun && t->ended;
	if (!check->known) {
		const char *why = !t->begun
					  ? "the runtime's counters could not be read at the start"
					  : "the target ended or executed another program before "
					    "its counters were read";
		snprintf(check->why_not, sizeof(check->why_not), "%s",
			 t->why_not[0] ? t->why_not : why);
		return;
	}
	check->from_mono_ns = t->begin.mono_ns;
	check->to_mono_ns = t->end.mono_ns;
	check->runtime_objects = t->end.runtime_objects - t->begin.runtime_objects;
	check->gallop_objects = t->end.gallop_objects - t->begin.gallop_objects;
	check->slack = t->begin.slack + t->end.slack;
}
