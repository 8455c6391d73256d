/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the governor's threads share.
 *
 * Three threads: one opens and closes windows, one detaches the first stage's probe while the second begins, and one
 * watches what everything costs. What the caller asks for, and what they tell one another, is under the lock; each
 * group of probes is one thread's.
 */
#ifndef GALLOP_GOVERN_PRIV_H
#define GALLOP_GOVERN_PRIV_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <time.h>

#include "govern/calibrate.h"
#include "govern/govern.h"
#include "govern/ration.h"
#include "govern/schedule.h"

enum {
	GOVERN_ENDED_MAX = 256, /* windows that nobody has asked for yet */
	GOVERN_HISTORY = 31, /* seconds, and one */
};

/* Sums since the governor began, at a time. */
struct govern_past {
	double at_s, cost_s, cpu_s;
};

struct governor {
	struct govern_opts opts;
	struct calibration cal;
	clockid_t cpu_clock; /* of the target */
	double cpus_max; /* that it may run on */
	int stop_fd; /* readable when all is to end */
	pthread_t windows, closer, watcher;
	bool windows_run, closer_runs, watcher_runs;
	/* The window thread's, and the closer's: what there is to close, and that it is. */
	struct schedule schedule;
	bool maps_only; /* as the schedule is */
	uint32_t number;
	sem_t close, closed;
	bool closing, ending; /* ending: the next to close is nothing */

	pthread_mutex_t lock; /* from here on */
	struct govern_window ended[GOVERN_ENDED_MAX];
	size_t ended_nr;
	struct ration ration;
	struct govern_past past[GOVERN_HISTORY]; /* the last seconds, oldest first */
	size_t past_nr;
	double began_s, cpu_began_s,
		cpu_last_s; /* the target's CPU time then, and when last seen */
	double switches_s; /* what attaching and detaching has cost */
	uint64_t ticks, units, overruns;
	uint64_t
		failed; /* windows that tell nothing, beside `units`, but for one that the end cut off */
	uint64_t lost; /* windows that nobody asked for in time */
	size_t cuts; /* that it was told of, and hasn't thought of yet */
	size_t other_probes; /* of other tracers, the most that were seen at once */
	double cpus; /* that the target has used lately */
	double room_s; /* CPU seconds that windows may cost now */
	bool affordable; /* windows */
	bool profiled;
};

/* What windows may use, as it was last seen. */
struct govern_room {
	double cpus; /* that the target has used lately */
	double cost_s; /* CPU seconds, of all that the budget has for 30 seconds */
};

/* Calls of the plan's operations so far, those that were counted, at a time. */
struct govern_calls {
	uint64_t at_ns;
	uint64_t entries[WIRE_OPS_MAX], off_ns[WIRE_OPS_MAX];
};

/* A unit while it runs. */
struct govern_unit {
	struct govern_calls calls; /* from before it, of operations */
	uint64_t stands_ns; /* the time that it stands for */
	struct govern_window window;
	struct schedule_unit measured;
	double switches_s;
	bool late;
	bool failed; /* not because the session, or the target, has ended */
};

/* Why a wait ended. */
enum govern_wait { GOVERN_WAIT_TIME, GOVERN_WAIT_WOKEN, GOVERN_WAIT_END };

/* Until that time, or wake_fd (-1: none) is readable; or it is to end: the target is gone, or the session is. */
enum govern_wait govern_wait(const struct governor *g, int wake_fd, uint64_t until_ns);

/* CPU seconds of the target's life so far; of one that is gone what was last seen. */
double govern_cpu_s(const struct governor *g, double last_s);

/* For how long something has been given up, with the lock: a group, or RATION_OP(). */
uint64_t govern_off_ns(const struct governor *g, unsigned group);

/* What hits of a group cost together. */
double govern_hits_cost(const struct governor *g, enum wire_group group, uint64_t hits);

/*
 * Up to a third more or less: windows that are all alike begin and end at the same places of operations that are all alike
 * (see struct estimate_unit).
 */
uint64_t govern_vary(uint64_t n);

/* Attach; what that takes the target loses, too: its memory map is locked. 0 or -errno. */
int govern_switch_on(struct governor *g, struct govern_unit *u, enum wire_group group);

void govern_see_calls(struct governor *g, struct govern_calls *ret);

/* A window of operations. False if it failed, or the session or the target ended. */
bool govern_run_operations(struct governor *g, struct govern_unit *u,
			   const struct govern_room *room);
/* Windows from now on, of maps only or of all. */
void govern_schedule(struct governor *g, bool maps_only);

/* The threads. */
void *govern_run_windows(void *governor);
void *govern_run_closer(void *governor);
void *govern_run_watcher(void *governor);

#endif
