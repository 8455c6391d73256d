/* SPDX-License-Identifier: BSD-2-Clause */
#include "govern/govern.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "govern/priv.h"
#include "plan/plan.h"
#include "probe/probe.h"
#include "proc/proc.h"

enum govern_wait govern_wait(const struct governor *g, int wake_fd, uint64_t until_ns)
{
	for (;;) {
		uint64_t now = mono_now_ns(), left = until_ns > now ? until_ns - now : 0;
		const struct timespec ts = { (time_t)(left / 1000000000),
					     (long)(left % 1000000000) };
		struct pollfd fds[] = { { .fd = g->stop_fd, .events = POLLIN },
					{ .fd = g->opts.proc->pidfd, .events = POLLIN },
					{ .fd = wake_fd, .events = POLLIN } };
		int n = ppoll(fds, 3, &ts, NULL);

		if (fds[0].revents || fds[1].revents)
			return GOVERN_WAIT_END;
		if (n > 0)
			return GOVERN_WAIT_WOKEN;
		if (n == 0 || (n < 0 && errno != EINTR))
			return n ? GOVERN_WAIT_END : GOVERN_WAIT_TIME;
	}
}

double govern_cpu_s(const struct governor *g, double last_s)
{
	struct timespec ts;

	if (clock_gettime(g->cpu_clock, &ts))
		return last_s;
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double govern_hits_cost(const struct governor *g, enum wire_group group, uint64_t hits)
{
	double each = (double)g->cal.hit_ns / 1e9;

	bool stepped = group == WIRE_GROUP_ASSIST || group == WIRE_GROUP_GC_RETURNS ||
		       group == WIRE_GROUP_OP_RETURNS;

	return (double)hits * (stepped ? each * WIRE_STEPPED_HITS : each);
}

static double cpus_of(pid_t pid)
{
	cpu_set_t set;

	/* On machines with more CPUs than the set has it fails: then it isn't bounded. */
	if (sched_getaffinity(pid, sizeof(set), &set))
		return 1e6;
	return CPU_COUNT(&set);
}

/* Its signals are for the main thread. */
static int start_thread(pthread_t *thread, void *(*run)(void *), struct governor *g, bool *runs)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(thread, NULL, run, g);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	*runs = !rc;
	return -rc;
}

static uint64_t groups_present(const struct probe *probe)
{
	bool calls = probe_group_attached(probe, WIRE_GROUP_OP_CALLS);
	uint64_t present = 0;

	for (enum wire_group i = 0; i < WIRE_GROUP_NR; i++)
		if (i != WIRE_GROUP_OP_CALLS && probe_group_attached(probe, i))
			present |= RATION_BIT(i);
	for (uint32_t i = 0; calls && i < probe_plan(probe)->ops_nr; i++)
		present |= RATION_BIT(RATION_OP(i));
	return present;
}

/*
 * Units of another kind cost what those so far don't tell. A target that changes its mind all the time has first slots
 * only, and so many of them as there is room for.
 */
void govern_schedule(struct governor *g, bool maps_only)
{
	bool ops = g->opts.operations;
	struct schedule_opts schedule = ops ? schedule_divide_operations(g->opts.budget)
					    : schedule_divide(g->opts.budget, maps_only);

	schedule.hit_s = (double)g->cal.hit_ns / 1e9;
	schedule.switch_s = (double)(g->cal.attach_ns + g->cal.gone_ns) / 1e9;
	schedule.refills = g->opts.refills && !maps_only;
	uint64_t times = g->schedule.times;
	schedule_init(&g->schedule, &schedule);
	/* What the program is like stays as it was. */
	if (times)
		g->schedule.times = times;
	g->maps_only = maps_only;
}

void governor_set_profiled(struct governor *g, bool profiled)
{
	pthread_mutex_lock(&g->lock);
	g->profiled = profiled;
	ration_set_profiled(&g->ration, profiled);
	pthread_mutex_unlock(&g->lock);
}

void governor_see_cut(struct governor *g)
{
	pthread_mutex_lock(&g->lock);
	g->cuts++;
	pthread_mutex_unlock(&g->lock);
}

static void init(struct governor *g)
{
	g->profiled = g->opts.profiled;
	govern_schedule(g, g->profiled);
	ration_init(&g->ration, g->opts.budget, groups_present(g->opts.probe), 0);
	ration_set_profiled(&g->ration, g->profiled);
	g->affordable = true;
	g->other_probes = probe_other_places(g->opts.probe);
}

static int start_threads(struct governor *g)
{
	int rc = start_thread(&g->watcher, govern_run_watcher, g, &g->watcher_runs);

	if (!rc && g->opts.windows && g->opts.refills)
		rc = start_thread(&g->closer, govern_run_closer, g, &g->closer_runs);
	if (!rc && g->opts.windows)
		rc = start_thread(&g->windows, govern_run_windows, g, &g->windows_run);
	return rc;
}

static bool has_windows(const struct plan *plan, bool operations)
{
	if (operations)
		return plan_has_group(plan, WIRE_GROUP_OP_WINDOW);
	return plan_has_group(plan, WIRE_GROUP_WINDOW) ||
	       plan_has_group(plan, WIRE_GROUP_WINDOW_MAPS);
}

int governor_start(const struct govern_opts *opts, struct governor **ret, struct err *err)
{
	const struct plan *plan = probe_plan(opts->probe);
	struct governor *g = calloc(1, sizeof(*g));

	if (!g)
		return err_set(err, -ENOMEM, "out of memory");
	*ret = g;
	g->opts = *opts;
	g->opts.windows = opts->windows && probe_can_switch(opts->probe) &&
			  has_windows(plan, opts->operations);
	g->opts.refills = opts->refills && plan_has_group(plan, WIRE_GROUP_REFILL);
	pthread_mutex_init(&g->lock, NULL);
	sem_init(&g->close, 0, 0);
	sem_init(&g->closed, 0, 0);
	g->cpus_max = cpus_of(opts->proc->pid);
	g->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (g->stop_fd < 0)
		return err_set(err, -errno, "cannot make an event descriptor: %s", strerror(errno));
	int rc = clock_getcpuclockid(opts->proc->pid, &g->cpu_clock);
	if (rc)
		return err_set(err, -rc, "process %d has ended", opts->proc->pid);
	/* All hits count, also those of meanwhile. */
	g->began_s = (double)mono_now_ns() / 1e9;
	g->cpu_began_s = g->cpu_last_s = govern_cpu_s(g, 0);
	calibrate(opts->probe, &g->cal); /* what couldn't be measured is a slow machine's */
	init(g);
	rc = start_threads(g);
	return rc ? err_set(err, rc, "cannot start a thread: %s", strerror(-rc)) : 0;
}

void governor_stop(struct governor *g)
{
	uint64_t one = 1;

	if (!g || g->stop_fd < 0)
		return;
	if (write(g->stop_fd, &one, sizeof(one)) != sizeof(one))
		return; /* it can't be full: this is the only one */
	if (g->windows_run)
		pthread_join(g->windows, NULL);
	if (g->closer_runs) {
		g->ending = true;
		sem_post(&g->close);
		pthread_join(g->closer, NULL);
	}
	if (g->watcher_runs)
		pthread_join(g->watcher, NULL);
	g->windows_run = g->closer_runs = g->watcher_runs = false;
}

void governor_free(struct governor *g)
{
	if (!g)
		return;
	governor_stop(g);
	if (g->stop_fd >= 0)
		close(g->stop_fd);
	sem_destroy(&g->close);
	sem_destroy(&g->closed);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

uint64_t governor_lost_windows(struct governor *g)
{
	pthread_mutex_lock(&g->lock);
	uint64_t lost = g->lost;
	pthread_mutex_unlock(&g->lock);
	return lost;
}

uint64_t governor_off_ns(struct governor *g, enum wire_group group)
{
	pthread_mutex_lock(&g->lock);
	uint64_t ns = govern_off_ns(g, group);
	pthread_mutex_unlock(&g->lock);
	return ns;
}

uint64_t governor_op_off_ns(struct governor *g, uint32_t op)
{
	pthread_mutex_lock(&g->lock);
	uint64_t ns = govern_off_ns(g, RATION_OP(op));
	pthread_mutex_unlock(&g->lock);
	return ns;
}

size_t governor_take(struct governor *g, struct govern_window *ret, size_t cap)
{
	pthread_mutex_lock(&g->lock);
	size_t nr = g->ended_nr < cap ? g->ended_nr : cap;

	memcpy(ret, g->ended, nr * sizeof(ret[0]));
	g->ended_nr -= nr;
	memmove(g->ended, g->ended + nr, g->ended_nr * sizeof(ret[0]));
	pthread_mutex_unlock(&g->lock);
	return nr;
}
