/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread that watches what everything costs, and gives up what is too much. */
#include <stdio.h>
#include <string.h>

#include "govern/priv.h"
#include "probe/probe.h"

enum { TICK_NS = 1000 * 1000 * 1000 };
#define LATELY_S 10 /* over which the CPUs that the target uses are averaged */

/* Sums at this moment: costs of all groups since the governor began, and the target's CPU time. */
struct moment {
	struct govern_past past;
	uint64_t hits[WIRE_GROUP_NR];
	uint64_t hits_sum;
};

static void look(struct governor *g, struct moment *m)
{
	struct wire_cpu totals;

	memset(m, 0, sizeof(*m));
	probe_totals(g->opts.probe, &totals);
	g->cpu_last_s = govern_cpu_s(g, g->cpu_last_s);
	m->past.at_s = (double)govern_now_ns() / 1e9 - g->began_s;
	m->past.cpu_s = g->cpu_last_s - g->cpu_began_s;
	m->past.cost_s = g->switches_s + (double)g->ticks * (double)g->cal.wake_ns / 1e9;
	for (enum wire_group i = 0; i < WIRE_GROUP_NR; i++) {
		m->hits[i] = totals.group_hits[i] - g->hits_began[i];
		m->hits_sum += m->hits[i];
		m->past.cost_s += govern_hits_cost(g, i, m->hits[i]);
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

static struct ration_change decide(struct governor *g, const struct moment *before,
				   const struct moment *now)
{
	double elapsed_s = now->past.at_s - before->past.at_s;
	double cost_s[WIRE_GROUP_NR];

	for (enum wire_group i = 0; i < WIRE_GROUP_NR; i++) {
		cost_s[i] = govern_hits_cost(g, i, now->hits[i] - before->hits[i]);
		if (g->ration.groups[i].state == RATION_OFF)
			g->off_s[i] += elapsed_s;
	}
	return ration_tick(&g->ration, now->past.at_s, elapsed_s, g->cpus, cost_s);
}

/* For another window? Of all that the budget gives for 30 seconds, the last ones may have used a part. */
static bool has_room(const struct governor *g, const struct moment *m)
{
	double cpus = g->cpus > SCHEDULE_CPUS_MIN ? g->cpus : SCHEDULE_CPUS_MIN;
	const struct govern_past *then = past_of(g, m->past.at_s, GOVERN_HISTORY - 1);

	return m->past.cost_s - then->cost_s < g->opts.budget * cpus * (GOVERN_HISTORY - 1);
}

/* Without the lock: it takes its time. */
static void apply(struct governor *g, struct ration_change change)
{
	for (enum wire_group i = 0; i < WIRE_GROUP_NR; i++) {
		if (change.give_up >> i & 1)
			probe_detach_group(g->opts.probe, i);
		if (change.give_back >> i & 1)
			probe_attach_group(g->opts.probe, i);
	}
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
	g->may_open = has_room(g, &now);
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

	pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
	tick(g, &before);
	while (govern_wait(g, probe_alarm_fd(g->opts.probe), govern_now_ns() + TICK_NS) !=
	       GOVERN_WAIT_END)
		tick(g, &before);
	return NULL;
}

/* --- in words ---------------------------------------------------------------------------------- */

static void say(char *text, size_t cap, const char *what)
{
	size_t len = strlen(text);

	snprintf(text + len, cap - len, "%s%s", len ? "; " : "", what);
}

static void say_off(const struct governor *g, char *text, size_t cap)
{
	static const char *const names[WIRE_GROUP_NR] = {
		[WIRE_GROUP_MAP_EVENTS] = "clears and growth of maps",
		[WIRE_GROUP_LARGE] = "large objects one by one",
		[WIRE_GROUP_PROFILE] = "the runtime's samples",
		[WIRE_GROUP_ASSIST] = "mark assists",
	};
	char what[64];

	for (enum wire_group i = 0; i < WIRE_GROUP_NR; i++) {
		if (!names[i] || g->off_s[i] < 0.5)
			continue;
		snprintf(what, sizeof(what), "%s for %.0f s", names[i], g->off_s[i]);
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
	say_off(g, ret->off, sizeof(ret->off));
	pthread_mutex_unlock(&g->lock);
}
