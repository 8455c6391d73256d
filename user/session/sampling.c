/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/sampling.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
#include "stream/stream.h"

enum {
	TOTALS_TRIES = 4, /* each is the best of several readings already */
	WINDOWS_MAX = 64, /* that can end between two looks: one in a third of a second at most */
};

_Static_assert((int)ESTIMATE_CLASS_NR == (int)WIRE_CLASSES &&
		       (int)ESTIMATE_CLASS_TINY == (int)WIRE_CLASS_TINY &&
		       (int)ESTIMATE_CLASS_LARGE == (int)WIRE_CLASS_LARGE,
	       "the same numbers on both sides");

struct sampling {
	struct sampling_opts opts;
	struct memstats_reader totals;
	struct mprof_reader profile;
	bool profile_readable;
	struct model_class_counts begin, now; /* since the target began */
	struct model_class_counts latest; /* as read; */
	bool read; /* ... that went well */
	uint64_t latest_rate;
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

/* 0: the runtime takes no samples, or it can't be told. */
static uint64_t read_rate(const struct sampling *s)
{
	int64_t rate;

	return s->profile_readable && !mprof_rate(&s->profile, &rate) && rate > 0 ? (uint64_t)rate
										  : 0;
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
	if (!read_totals(s, &s->begin))
		return err_set(err, -EAGAIN, "the runtime's counters could not be read");
	s->now = s->begin;
	return 0;
}

bool sampling_profiled(const struct proc *proc, struct gobin *bin)
{
	struct mprof_reader profile;
	struct err ignored;
	uint64_t bias = 0;
	int64_t rate = 0;

	if (proc && proc_load_bias(proc, bin, &bias, &ignored))
		return false;
	if (mprof_reader_init_rate(&profile, proc, bin, bias, &ignored))
		return false;
	return proc ? !mprof_rate(&profile, &rate) && rate > 0 : profile.linked;
}

int sampling_start(const struct sampling_opts *opts, struct sampling **ret, struct err *err)
{
	struct sampling *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, -ENOMEM, "out of memory");
	s->opts = *opts;
	*ret = s;
	int rc = open_readers(s, err);
	if (!rc)
		rc = begin_totals(s, err);
	if (rc)
		return rc;
	uint64_t rate = read_rate(s);
	struct govern_opts govern = { .probe = opts->probe,
				      .proc = opts->proc,
				      .budget = opts->budget,
				      .windows = true,
				      .refills = true };
	stream_set_profile_rate(opts->stream, rate);
	if (!probe_can_switch(opts->probe))
		model_add_note(opts->model,
			       rate ? "operations of maps are not told: windows need uprobe_multi "
				      "links (Linux 6.6)"
				    : "where it allocates is not told: windows need uprobe_multi "
				      "links (Linux 6.6); --mode exact counts all");
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
	int rc = 0;

	for (size_t i = 0; !rc && i < s->over_nr; i++)
		rc = stream_window(s->opts.stream, &s->over[i]);
	s->over_nr = governor_take(s->governor, s->over, WINDOWS_MAX);
	return rc ? err_set(err, rc, "cannot take a window: %s", strerror(-rc)) : 0;
}

void sampling_read(struct sampling *s)
{
	struct model_class_counts counts;

	/* One that fails, as the target has just ended, doesn't take back its last word. */
	if (read_totals(s, &counts)) {
		s->latest = counts;
		s->read = true;
	}
	s->latest_rate = read_rate(s);
}

/* Samples of the runtime's are all that tells where this program allocates, and it takes none. */
static void note_rate(const struct sampling *s)
{
	const struct plan *plan = probe_plan(s->opts.probe);

	if (s->read && s->profile_readable && !s->latest_rate &&
	    plan_has(plan, PLAN_PROG_PROFILE) && !plan_has_group(plan, WIRE_GROUP_REFILL))
		model_add_note(s->opts.model,
			       "where it allocates is not told while its runtime.MemProfileRate is "
			       "0: attach to it then (-p), or count all with --mode exact");
}

void sampling_take(struct sampling *s)
{
	note_rate(s);
	if (s->read)
		take_totals(s, &s->latest);
	s->read = false;
	give_totals(s);
	governor_cost(s->governor, model_cost(s->opts.model));
	stream_set_profile_rate(s->opts.stream, s->latest_rate);
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
