/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/sampling.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/u64.h"
#include "bpf/wire.h"
#include "gobin/layout.h"
#include "govern/govern.h"
#include "model/samples.h"
#include "proc/memstats.h"
#include "plan/plan.h"
#include "probe/probe.h"
#include "proc/mprof.h"
#include "proc/proc.h"
#include "stream/ops.h"
#include "stream/stream.h"

enum {
	TOTALS_TRIES = 4, /* each is the best of several readings already */
	RATE_CHANGES_NOTED = 3, /* a program may change its mind all the time */
	WINDOWS_MAX = 64, /* that can end between two looks: one in a third of a second at most */
};

_Static_assert((int)ESTIMATE_CLASS_NR == (int)WIRE_CLASSES &&
		       (int)ESTIMATE_CLASS_TINY == (int)WIRE_CLASS_TINY &&
		       (int)ESTIMATE_CLASS_LARGE == (int)WIRE_CLASS_LARGE,
	       "the same numbers on both sides");

struct sampling {
	struct sampling_opts opts;
	bool operations; /* are what windows are of: then there are no totals */
	struct memstats_reader totals;
	struct mprof_reader profile;
	bool profile_readable;
	struct model_class_counts begin, now; /* since the target began */
	struct model_class_counts latest; /* as read; */
	bool read; /* ... that went well */
	uint64_t latest_rate;
	uint64_t rate; /* that it goes by */
	unsigned rate_changes;
	struct governor *governor;
	/* Windows that are over; their last samples may come with the events after that. */
	struct govern_window over[WINDOWS_MAX];
	size_t over_nr;
};

static void to_class_counts(const struct memstats *stats, struct model_class_counts *ret)
{
	memset(ret, 0, sizeof(*ret));
	/* Class 0 of the runtime's table is never used: large objects have no class. */
	for (size_t c = 1; c < GO_NUM_SIZE_CLASSES; c++)
		ret->objects[c] = stats->class_objects[c];
	ret->objects[ESTIMATE_CLASS_LARGE] = stats->large_objects;
	ret->objects[ESTIMATE_CLASS_TINY] = stats->tiny_allocs;
	ret->large_bytes = stats->large_bytes;
}

static bool read_totals(const struct sampling *s, struct model_class_counts *ret)
{
	struct memstats stats;

	for (int i = 0; i < TOTALS_TRIES; i++) {
		if (memstats_read(&s->totals, &stats))
			continue;
		to_class_counts(&stats, ret);
		return true;
	}
	return false;
}

/* A reading that missed a flush is a little low: counts never run backwards. */
static void take_totals(struct sampling *s, const struct model_class_counts *read)
{
	for (size_t c = 0; c < ESTIMATE_CLASS_NR; c++)
		s->now.objects[c] = max_u64(s->now.objects[c], read->objects[c]);
	s->now.large_bytes = max_u64(s->now.large_bytes, read->large_bytes);
}

static void give_totals(const struct sampling *s)
{
	struct model_class_counts since = s->now;

	for (size_t c = 0; c < ESTIMATE_CLASS_NR; c++)
		since.objects[c] -= s->begin.objects[c];
	since.large_bytes -= s->begin.large_bytes;
	model_set_class_counts(s->opts.model, &since);
}

/* 0: the runtime takes no samples, or none that can be seen. What can't be read now is as it was. */
static void read_rate(struct sampling *s)
{
	int64_t rate;

	if (s->profile_readable && plan_has(probe_plan(s->opts.probe), PLAN_PROG_PROFILE) &&
	    !mprof_rate(&s->profile, &rate))
		s->latest_rate = rate > 0 ? (uint64_t)rate : 0;
}

static int open_readers(struct sampling *s, struct err *err)
{
	const struct sampling_opts *opts = &s->opts;
	struct err ignored;
	int rc = memstats_reader_init(&s->totals, opts->proc, opts->bin, opts->load_bias, err);

	s->profile_readable = !rc && !mprof_reader_init_rate(&s->profile, opts->proc, opts->bin,
							     opts->load_bias, &ignored);
	return rc;
}

static int begin_totals(struct sampling *s, struct err *err)
{
	if (s->opts.from_zero)
		return 0;
	if (!read_totals(s, &s->begin)) {
		int rc = proc_check_memory(s->opts.proc, err);
		return rc ? rc : err_set(err, -EAGAIN, "the runtime's counters could not be read");
	}
	s->now = s->begin;
	return 0;
}

static void note_no_windows(const struct sampling *s)
{
	if (probe_can_switch(s->opts.probe))
		return;
	model_add_note(s->opts.model,
		       s->rate ? "operations of maps are not told: windows need uprobe_multi "
				 "links (Linux 6.6)"
			       : "where it allocates is not told: windows need uprobe_multi "
				 "links (Linux 6.6); --mode exact counts all");
}

static int start_operations(struct sampling *s, struct err *err)
{
	const struct govern_opts govern = { .probe = s->opts.probe,
					    .proc = s->opts.proc,
					    .budget = s->opts.budget,
					    .windows = true,
					    .operations = true };

	return governor_start(&govern, &s->governor, err);
}

int sampling_start(const struct sampling_opts *opts, struct sampling **ret, struct err *err)
{
	struct sampling *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, -ENOMEM, "out of memory");
	s->opts = *opts;
	s->operations = probe_plan(opts->probe)->ops_nr > 0;
	*ret = s;
	if (s->operations)
		return start_operations(s, err);
	int rc = open_readers(s, err);
	if (!rc)
		rc = begin_totals(s, err);
	if (rc)
		return rc;
	read_rate(s);
	s->rate = s->latest_rate;
	struct govern_opts govern = { .probe = opts->probe,
				      .proc = opts->proc,
				      .budget = opts->budget,
				      .windows = true,
				      .refills = true,
				      .profiled = s->rate > 0 };
	stream_set_profile_rate(opts->stream, s->rate);
	note_no_windows(s);
	rc = governor_start(&govern, &s->governor, err);
	if (!rc) {
		struct model_cost cost;

		governor_cost(s->governor, &cost);
		model_sampled(opts->model, cost.ns_per_hit);
	}
	return rc;
}

int sampling_windows(struct sampling *s, struct err *err)
{
	/* Whoever takes so long to ask that there is no room for more has lost some. */
	int rc = model_set_loss(s->opts.model, "windows_lost",
				"windows that were over long before they were looked at",
				governor_lost_windows(s->governor));

	for (size_t i = 0; !rc && i < s->over_nr; i++) {
		rc = stream_window(s->opts.stream, &s->over[i]);
		if (s->over[i].cut)
			governor_see_cut(s->governor);
	}
	s->over_nr = governor_take(s->governor, s->over, WINDOWS_MAX);
	return rc ? err_set(err, rc, "cannot take a window: %s", strerror(-rc)) : 0;
}

void sampling_read(struct sampling *s)
{
	struct model_class_counts counts;

	if (s->operations)
		return;
	/* One that fails, as the target has just ended, doesn't take back its last word. */
	if (read_totals(s, &counts)) {
		s->latest = counts;
		s->read = true;
	}
	read_rate(s);
}

bool sampling_turns(struct sampling *s)
{
	read_rate(s);
	return s->rate_changes < RATE_CHANGES_NOTED && !s->latest_rate != !s->rate;
}

/* Which of the two tells where it allocates, and since when: numbers before and after are made in different ways. */
static void note_rate(const struct sampling *s)
{
	uint64_t start_ns = model_meta(s->opts.model)->start_mono_ns;
	char text[160];

	if (s->rate_changes > RATE_CHANGES_NOTED) {
		model_add_note(s->opts.model, "runtime.MemProfileRate goes on changing");
		return;
	}
	snprintf(text, sizeof(text),
		 "runtime.MemProfileRate has changed from %" PRIu64 " to %" PRIu64
		 " within the first %s: %s tell where it allocates from then on",
		 s->rate, s->latest_rate, fmt_duration(mono_now_ns() - start_ns).s,
		 s->latest_rate ? "the runtime's samples" : "windows");
	model_add_note(s->opts.model, text);
}

/* Samples that dry up, or begin, take windows for allocations in, or out. */
static void follow_rate(struct sampling *s)
{
	if (s->rate != s->latest_rate) {
		s->rate_changes++;
		note_rate(s);
		s->rate = s->latest_rate;
		note_no_windows(s);
	}
	stream_set_profile_rate(s->opts.stream, s->rate);
	model_set_profile_rate(s->opts.model, s->rate);
	governor_set_profiled(s->governor, s->rate > 0);
}

uint64_t sampling_gc_off_ns(struct sampling *s)
{
	return governor_off_ns(s->governor, WIRE_GROUP_GC);
}

void sampling_cost(struct sampling *s)
{
	struct op_stream_off off = {
		.assists_ns = governor_off_ns(s->governor, WIRE_GROUP_ASSIST),
		.stops_ns = governor_off_ns(s->governor, WIRE_GROUP_GC),
	};

	governor_cost(s->governor, model_cost(s->opts.model));
	for (uint32_t i = 0; i < probe_plan(s->opts.probe)->ops_nr; i++)
		off.calls_ns[i] = governor_op_off_ns(s->governor, i);
	if (s->operations)
		stream_set_ops_off(s->opts.stream, &off);
}

void sampling_take(struct sampling *s)
{
	if (s->operations)
		return;
	if (s->read)
		take_totals(s, &s->latest);
	s->read = false;
	give_totals(s);
}

void sampling_forget(struct sampling *s)
{
	s->read = false;
	s->latest_rate = s->rate;
}

void sampling_next(struct sampling *s)
{
	if (!s->operations)
		follow_rate(s);
}

void sampling_take_exit(struct sampling *s, const struct wire_totals *totals)
{
	memcpy(s->latest.objects, totals->objects, sizeof(s->latest.objects));
	s->latest.large_bytes = totals->large_bytes;
	s->read = true;
}

void sampling_stop(struct sampling *s)
{
	if (s)
		governor_stop(s->governor);
}

void sampling_free(struct sampling *s)
{
	if (!s)
		return;
	governor_free(s->governor);
	free(s);
}
