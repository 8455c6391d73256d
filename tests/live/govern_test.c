/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows on a live Go program: do they open and close, keep their limits, and tell what they should?
 *
 *	govern_test PID WINDOWS [BUDGET [profiled]]
 *
 * Until so many windows are over; "input": until its input ends; "off": until something was given up. Says "ready" when it counts, then prints one line of JSON.
 * Exit status 1 if a sample lies outside of its window or makes no sense.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gobin/gobin.h"
#include "govern/govern.h"
#include "plan/plan.h"
#include "probe/probe.h"
#include "proc/proc.h"

enum { WINDOWS_MAX = 65536, PLACES = 64 };

/* What came of each window, by its number. */
static struct seen {
	uint32_t refills, exact;
	uint64_t first_ns, last_ns; /* of exact ones */
	uint64_t objects_max;
	struct govern_window window;
} seen[WINDOWS_MAX];

static uint64_t of_place[PLACES], bad, stacks, profile_large;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "govern_test: %s: %s\n", what, why);
	exit(1);
}

static void complain(const char *what, const struct wire_sample *s)
{
	bad++;
	fprintf(stderr, "%s: window %u place %u class %u objects %" PRIu64 " bytes %" PRIu64 "\n",
		what, s->window, s->place, s->size_class, s->objects, s->bytes);
}

static void see_exact(struct seen *w, const struct wire_sample *s)
{
	bool tiny = s->size_class == WIRE_CLASS_TINY;

	w->exact++;
	if (!w->first_ns || s->ev.mono_ns < w->first_ns)
		w->first_ns = s->ev.mono_ns;
	if (s->ev.mono_ns > w->last_ns)
		w->last_ns = s->ev.mono_ns;
	if (s->objects != 1)
		complain("not one object", s);
	if (s->place == WIRE_PLACE_MALLOCGC || s->place == WIRE_PLACE_SPECIALISED) {
		if (tiny != !s->bytes || s->size_class == 1 + WIRE_CLASS_TINY)
			complain("no such object", s);
		if (s->size_class == WIRE_CLASS_LARGE)
			complain("a large object in a window", s);
	}
}

static int see_event(const void *data, size_t size, void *ctx)
{
	const struct wire_event *ev = data;
	const struct wire_sample *s = data;

	(void)ctx;
	stacks += ev->kind == WIRE_EVENT_STACK;
	if (ev->kind != WIRE_EVENT_SAMPLE)
		return 0;
	if (size != sizeof(*s) || s->window >= WINDOWS_MAX || s->place >= PLACES)
		die("a sample", "of no sense");
	of_place[s->place]++;
	if (s->place == WIRE_PLACE_PROFILE) {
		profile_large += s->size_class == WIRE_CLASS_LARGE;
		if (s->window || !s->bytes)
			complain("a bad profile sample", s);
	} else if (s->place == WIRE_PLACE_REFILL) {
		seen[s->window].refills++;
		if (s->objects > 1024 || s->size_class == 0 || s->size_class > 67)
			complain("a bad refill", s);
		if (s->objects > seen[s->window].objects_max)
			seen[s->window].objects_max = s->objects;
	} else {
		see_exact(&seen[s->window], s);
	}
	return 0;
}

/* Preempted programs may be late by a little. */
static void check_window(const struct seen *s, uint32_t number)
{
	enum { SLACK_NS = 300 * 1000 };
	const struct govern_window *w = &s->window;

	if (!w->number) {
		if (s->refills || s->exact)
			fprintf(stderr, "samples of window %u, which never ended\n", number), bad++;
		return;
	}
	if (s->exact &&
	    (s->first_ns + SLACK_NS < w->open_ns || s->last_ns > w->end_ns + SLACK_NS)) {
		fprintf(stderr,
			"window %u: samples from %" PRId64 " to %" PRId64 " of %" PRId64 " ns\n",
			number, (int64_t)(s->first_ns - w->open_ns),
			(int64_t)(s->last_ns - w->open_ns), (int64_t)(w->end_ns - w->open_ns));
		bad++;
	}
	if (s->exact > 1334 || s->refills > 600)
		fprintf(stderr, "window %u: too many samples\n", number), bad++;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void report(struct governor *g, const struct probe *probe)
{
	static uint64_t exact_ns[WINDOWS_MAX], slot_ns[WINDOWS_MAX];
	uint64_t refill_hits = 0, exact_hits = 0, refill_ns = 0, whole = 0, nr = 0, refill_objs = 0;
	uint64_t outside = 0;
	struct model_cost cost;
	struct wire_cpu totals;

	for (uint32_t i = 1; i < WINDOWS_MAX; i++) {
		const struct govern_window *w = &seen[i].window;

		check_window(&seen[i], i);
		if (!w->number)
			continue;
		whole += w->whole;
		if (w->refill_hits > refill_hits)
			refill_hits = w->refill_hits;
		if (w->exact_hits > exact_hits)
			exact_hits = w->exact_hits;
		if (w->outside_hits > outside)
			outside = w->outside_hits;
		if (w->refill_ns > refill_ns)
			refill_ns = w->refill_ns;
		if (seen[i].objects_max > refill_objs)
			refill_objs = seen[i].objects_max;
		slot_ns[nr] = w->slot_ns;
		exact_ns[nr++] = w->whole ? w->end_ns - w->start_ns : 0;
	}
	printf("{\"windows\":%" PRIu64 ",\"whole\":%" PRIu64 ",\"slot_last_ms\":%.1f,", nr, whole,
	       nr ? (double)slot_ns[nr - 1] / 1e6 : 0);
	qsort(exact_ns, nr, sizeof(exact_ns[0]), compare);
	governor_cost(g, &cost);
	probe_totals(probe, &totals);
	printf("\"unit_ms\":[%.2f,%.2f],\"refill_hits_max\":%" PRIu64 ",\"exact_hits_max\":%" PRIu64
	       ",\"outside_hits_max\":%" PRIu64
	       ",\"refill_ms_max\":%.2f,\"refill_objects_max\":%" PRIu64 ",",
	       nr ? (double)exact_ns[nr / 2] / 1e6 : 0, nr ? (double)exact_ns[nr - 1] / 1e6 : 0,
	       refill_hits, exact_hits, outside, (double)refill_ns / 1e6, refill_objs);
	printf("\"refills\":%" PRIu64 ",\"mallocs\":%" PRIu64 ",\"maps\":%" PRIu64
	       ",\"profile\":%" PRIu64 ",\"profile_large\":%" PRIu64 ",\"stacks\":%" PRIu64 ",",
	       of_place[WIRE_PLACE_REFILL],
	       of_place[WIRE_PLACE_MALLOCGC] + of_place[WIRE_PLACE_SPECIALISED],
	       of_place[WIRE_PLACE_MAP_ASSIGN] + of_place[WIRE_PLACE_MAP_DELETE],
	       of_place[WIRE_PLACE_PROFILE], profile_large, stacks);
	printf("\"calibrated\":%s,\"failed\":%" PRIu64 ",\"lost\":%" PRIu64 ",",
	       cost.calibrated ? "true" : "false", cost.failed_windows, governor_lost_windows(g));
	printf("\"large\":%" PRIu64 ",\"hits\":%" PRIu64 ",\"group_hits\":[%" PRIu64 ",%" PRIu64 "]"
	       ",\"losses\":%" PRIu64 ",\"overruns\":%" PRIu64 ",\"ns_per_hit\":%" PRIu64
	       ",\"ns_per_switch\":%" PRIu64
	       ",\"predicted\":%.5f,\"predicted_now\":%.5f,\"off\":\"%s\",\"bad\":%" PRIu64 "}\n",
	       totals.objects, cost.hits, totals.group_hits[WIRE_GROUP_REFILL],
	       totals.group_hits[WIRE_GROUP_WINDOW],
	       totals.losses[WIRE_LOSS_SAMPLE] + totals.losses[WIRE_LOSS_SLOT], cost.overruns,
	       cost.ns_per_hit, cost.ns_per_switch, cost.predicted, cost.predicted_now, cost.off,
	       bad);
}

static size_t take(struct governor *g, struct probe *probe)
{
	struct govern_window windows[64];
	size_t nr, sum = 0;

	probe_each_event(probe, see_event, NULL);
	for (; (nr = governor_take(g, windows, 64)); sum += nr)
		for (size_t i = 0; i < nr; i++)
			if (windows[i].number < WINDOWS_MAX)
				seen[windows[i].number].window = windows[i];
	return sum;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		die("usage", "govern_test PID WINDOWS [BUDGET [profiled]]");
	pid_t pid = atoi(argv[1]);
	bool by_input = !strcmp(argv[2], "input"), by_off = !strcmp(argv[2], "off"), done = false;
	size_t wanted = strtoul(argv[2], NULL, 10), ended = 0;
	struct model_cost cost;
	double budget = argc > 3 ? atof(argv[3]) : 0.02;
	struct plan_opts plan_opts = { .sampled = true, .profiled = argc > 4 };
	struct probe_opts probe_opts = { .attach = getenv("GOVERN_PERF") ? PROBE_ATTACH_PERF
									 : PROBE_ATTACH_AUTO };
	struct proc *proc;
	struct gobin *bin;
	struct plan *plan;
	struct probe *probe;
	struct governor *g = NULL;
	struct err err = { 0 };

	if (proc_open(pid, &proc, &err) || gobin_open(proc->exe_path, &bin, &err) ||
	    plan_new(bin, &plan_opts, &plan, &err))
		die("the program", err.msg);
	for (size_t i = 0; i < plan->notes_nr; i++)
		fprintf(stderr, "note: %s\n", plan->notes[i]);
	if (probe_new(plan, &probe_opts, &probe, &err) ||
	    probe_attach(probe, gobin_fd(bin), pid, &err))
		die("the probes", err.msg);
	probe_open_gate(probe);
	struct govern_opts opts = {
		.probe = probe,
		.proc = proc,
		.budget = budget,
		.windows = true,
		.refills = true,
		.profiled = plan_opts.profiled,
	};
	if (governor_start(&opts, &g, &err))
		die("the governor", err.msg);
	printf("ready\n");
	fflush(stdout);
	while (!done && !proc_state(proc)) {
		struct pollfd input = { .fd = by_input ? 0 : -1, .events = POLLIN };

		done = poll(&input, 1, 200) > 0;
		ended += take(g, probe);
		governor_cost(g, &cost);
		/* That windows cost too much is said from the start. */
		done |= by_off ? strstr(cost.off, " for ") != NULL : !by_input && ended >= wanted;
	}
	governor_stop(g);
	take(g, probe);
	report(g, probe);
	governor_free(g);
	probe_free(probe);
	plan_free(plan);
	gobin_free(bin);
	proc_free(proc);
	return bad > 0;
}
