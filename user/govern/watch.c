/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread that watches what everything costs, and gives up what is too much. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/f64.h"
#include "govern/priv.h"
#include "plan/plan.h"
#include "probe/probe.h"

enum { TICK_NS = 1000 * 1000 * 1000 };
#define OTHERS_S 10 /* how often other tracers are looked for */
#define LATELY_S 10 /* over which the CPUs that the target uses are averaged */

/* Sums at this moment: costs of all groups since the governor began, and the target's CPU time. */
struct moment {
	struct govern_past past;
	uint64_t hits[WIRE_GROUP_NR];
	uint64_t calls[WIRE_OPS_MAX]; /* of operations, which are hits of WIRE_GROUP_OP_CALLS */
	uint64_t hits_sum;
};

static void look(struct governor *g, struct moment *m)
{
	struct wire_cpu totals;

	memset(m, 0, sizeof(*m));
	probe_totals(g->opts.probe, &totals);
	g->cpu_last_s = govern_cpu_s(g, g->cpu_last_s);
	m->past.at_s = (double)mono_now_ns() / 1e9 - g->began_s;
	m->past.cpu_s = g->cpu_last_s - g->cpu_began_s;
	m->past.cost_s = g->switches_s + (double)g->ticks * (double)g->cal.wake_ns / 1e9;
	for (enum wire_group i = 0; i < WIRE_GROUP_NR; i++) {
		m->hits[i] = totals.group_hits[i];
		m->hits_sum += m->hits[i];
		m->past.cost_s += govern_hits_cost(g, i, m->hits[i]);
	}
	for (uint32_t i = 0; i < probe_plan(g->opts.probe)->ops_nr; i++) {
		struct wire_op op;

		probe_op(g->opts.probe, 0, i, &op);
		m->calls[i] = op.entries;
	}
}

/* The newest that is at least so old, or the oldest there is. */
static const struct govern_past *past_of(const struct governor *g, double now_s, double age_s)
{
	for (size_t i = g->past_nr; i--;)
		if (now_s - g->past[i].at_s >= age_s)
			return &g->past[i];
	return &g->past[0];
}

static void keep_past(struct governor *g, const struct moment *m)
{
	/* Ticks that come early, for a burst, are no seconds. */
	if (g->past_nr && m->past.at_s - g->past[g->past_nr - 1].at_s < 0.9)
		return;
	if (g->past_nr == GOVERN_HISTORY)
		memmove(g->past, g->past + 1, --g->past_nr * sizeof(g->past[0]));
	g->past[g->past_nr++] = m->past;
}

static void see_cpus(struct governor *g, const struct moment *m)
{
	const struct govern_past *then = past_of(g, m->past.at_s, LATELY_S);
	double wall_s = m->past.at_s - then->at_s;

	if (wall_s <= 0)
		return;
	g->cpus = (m->past.cpu_s - then->cpu_s) / wall_s;
	if (g->cpus > g->cpus_max)
		g->cpus = g->cpus_max;
}

static double now_s(const struct governor *g)
{
	return (double)mono_now_ns() / 1e9 - g->began_s;
}

uint64_t govern_off_ns(const struct governor *g, unsigned group)
{
	double off_s = ration_off_s(&g->ration, group, now_s(g));

	return off_s > 0 ? (uint64_t)(off_s * 1e9) : 0;
}

static struct ration_change decide(struct governor *g, const struct moment *before,
				   const struct moment *now)
{
	double elapsed_s = now->past.at_s - before->past.at_s;
	double cost_s[RATION_NR] = { 0 };

	for (enum wire_group i = 0; i < WIRE_GROUP_NR; i++)
		cost_s[i] = govern_hits_cost(g, i, now->hits[i] - before->hits[i]);
	/* Hits that were no call are nobody's, but paid for all the same. */
	for (int i = 0; i < WIRE_OPS_MAX; i++) {
		cost_s[RATION_OP(i)] = govern_hits_cost(g, WIRE_GROUP_OP_CALLS,
							now->calls[i] - before->calls[i]);
		cost_s[WIRE_GROUP_OP_CALLS] -= cost_s[RATION_OP(i)];
	}
	cost_s[WIRE_GROUP_OP_CALLS] = max_f64(cost_s[WIRE_GROUP_OP_CALLS], 0);
	/* What is attached together is given up together. */
	cost_s[WIRE_GROUP_GC] += cost_s[WIRE_GROUP_GC_RETURNS];
	cost_s[WIRE_GROUP_GC_RETURNS] = 0;
	return ration_tick(&g->ration, now->past.at_s, elapsed_s, g->cpus, cost_s);
}

/* CPU seconds for another window: of all that the budget gives for 30 seconds the last ones may have used a part. */
static double room_s(const struct governor *g, const struct moment *m)
{
	double cpus = g->cpus > SCHEDULE_CPUS_MIN ? g->cpus : SCHEDULE_CPUS_MIN;
	const struct govern_past *then = past_of(g, m->past.at_s, GOVERN_HISTORY - 1);

	return g->opts.budget * cpus * (GOVERN_HISTORY - 1) - (m->past.cost_s - then->cost_s);
}

static void give_up(struct governor *g, uint64_t what)
{
	double cost_s = (double)g->cal.gone_ns / 1e9 * __builtin_popcountll(what);

	/* What goes first in the order is hit most. */
	probe_detach_op_calls(g->opts.probe, (uint32_t)(what >> RATION_OP(0)));
	for (enum wire_group i = 0; i < WIRE_GROUP_NR; i++)
		if (what >> i & 1)
			probe_detach_group(g->opts.probe, i);
	pthread_mutex_lock(&g->lock);
	g->switches_s += cost_s;
	ration_pay(&g->ration, cost_s);
	pthread_mutex_unlock(&g->lock);
}

/* The target's memory map is locked while probes are put in. */
static void give_back(struct governor *g, unsigned group)
{
	double begin_s = now_s(g);
	int rc = group >= RATION_OP(0) ? probe_attach_op_calls(g->opts.probe, group - RATION_OP(0))
				       : probe_attach_group(g->opts.probe, group);
	double end_s = now_s(g);

	pthread_mutex_lock(&g->lock);
	g->switches_s += end_s - begin_s;
	ration_pay(&g->ration, end_s - begin_s);
	if (rc)
		ration_stays_off(&g->ration, group, end_s);
	else
		ration_is_back(&g->ration, group, end_s);
	pthread_mutex_unlock(&g->lock);
}

/* Without the lock: it takes its time. */
static void apply(struct governor *g, struct ration_change change)
{
	if (change.give_up)
		give_up(g, change.give_up);
	for (unsigned i = 0; i < RATION_NR; i++)
		if (change.give_back >> i & 1)
			give_back(g, i);
}

static void look_for_others(struct governor *g)
{
	size_t nr = probe_other_places(g->opts.probe);

	pthread_mutex_lock(&g->lock);
	if (nr > g->other_probes)
		g->other_probes = nr;
	pthread_mutex_unlock(&g->lock);
}

static void tick(struct governor *g, struct moment *before)
{
	struct moment now;

	pthread_mutex_lock(&g->lock);
	g->ticks++;
	look(g, &now);
	keep_past(g, &now);
	see_cpus(g, &now);
	struct ration_change change = decide(g, before, &now);
	g->room_s = room_s(g, &now);
	probe_set_alarm(g->opts.probe, ration_hits(&g->ration, (double)g->cal.hit_ns / 1e9));
	pthread_mutex_unlock(&g->lock);
	apply(g, change);
	*before = now;
}

void *govern_run_watcher(void *arg)
{
	struct governor *g = arg;
	const struct sched_param param = { .sched_priority = 1 };
	struct moment before = { 0 };
	double others_s = 0;

	pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
	tick(g, &before);
	while (govern_wait(g, probe_alarm_fd(g->opts.probe), mono_now_ns() + TICK_NS) !=
	       GOVERN_WAIT_END) {
		tick(g, &before);
		if (now_s(g) - others_s < OTHERS_S)
			continue;
		others_s = now_s(g);
		look_for_others(g);
	}
	/* A session may be shorter than that. */
	look_for_others(g);
	return NULL;
}

/* --- in words ---------------------------------------------------------------------------------- */

static void say(char *text, size_t cap, const char *what)
{
	size_t len = strlen(text);

	snprintf(text + len, cap - len, "%s%s", len ? "; " : "", what);
}

/* Of which functions is said with each of them. */
static void say_calls_off(const struct governor *g, char *text, size_t cap)
{
	uint32_t nr = probe_plan(g->opts.probe)->ops_nr, off = 0;
	double longest_s = 0;
	char what[96];

	for (uint32_t i = 0; i < nr; i++) {
		double off_s = (double)govern_off_ns(g, RATION_OP(i)) / 1e9;

		off += off_s >= 0.5;
		longest_s = max_f64(longest_s, off_s);
	}
	if (!off)
		return;
	if (nr == 1)
		snprintf(what, sizeof(what), "calls of operations for %.0f s", longest_s);
	else
		snprintf(what, sizeof(what), "calls of %u of %u operations for up to %.0f s", off,
			 nr, longest_s);
	say(text, cap, what);
}

static void say_off(const struct governor *g, char *text, size_t cap)
{
	static const char *const names[WIRE_GROUP_NR] = {
		[WIRE_GROUP_MAP_EVENTS] = "clears and growth of maps",
		[WIRE_GROUP_LARGE] = "large objects one by one",
		[WIRE_GROUP_PROFILE] = "the runtime's samples",
		[WIRE_GROUP_ASSIST] = "mark assists",
		[WIRE_GROUP_GC] = "stops and cycles one by one",
	};
	char what[64];

	say_calls_off(g, text, cap);
	for (enum wire_group i = 0; i < WIRE_GROUP_NR; i++) {
		double off_s = (double)govern_off_ns(g, i) / 1e9;

		if (!names[i] || off_s < 0.5)
			continue;
		snprintf(what, sizeof(what), "%s for %.0f s", names[i], off_s);
		say(text, cap, what);
	}
	if (g->opts.windows && !g->affordable)
		say(text, cap, "windows: one costs more than 30 s have");
}

/* Of the CPU time that the target had; of one that idles, of what it may be taken to have: see SCHEDULE_CPUS_MIN. */
static double share_since(const struct govern_past *then, const struct govern_past *now)
{
	double least_s = SCHEDULE_CPUS_MIN * (now->at_s - then->at_s),
	       cpu_s = now->cpu_s - then->cpu_s;

	if (cpu_s < least_s)
		cpu_s = least_s;
	return cpu_s > 0 ? (now->cost_s - then->cost_s) / cpu_s : 0;
}

void governor_cost(struct governor *g, struct model_cost *ret)
{
	struct moment now;

	memset(ret, 0, sizeof(*ret));
	pthread_mutex_lock(&g->lock);
	look(g, &now);
	const struct govern_past *then = past_of(g, now.past.at_s, GOVERN_HISTORY - 1);
	ret->known = true;
	ret->budget = g->opts.budget;
	ret->predicted = share_since(&(struct govern_past){ 0 }, &now.past);
	ret->predicted_now = share_since(then, &now.past);
	ret->ns_per_hit = g->cal.hit_ns;
	ret->ns_per_switch = g->cal.attach_ns + g->cal.gone_ns;
	ret->hits = now.hits_sum;
	ret->windows = g->units;
	ret->overruns = g->overruns;
	ret->failed_windows = g->failed;
	ret->other_probes = g->other_probes;
	ret->calibrated = g->cal.measured;
	say_off(g, ret->off, sizeof(ret->off));
	pthread_mutex_unlock(&g->lock);
}
