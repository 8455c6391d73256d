/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that opens and closes windows, and the one that helps it.
 *
 * Nothing here polls: every wake of a timer takes some 40 us from a busy target on a virtual machine. A stage ends when
 * the kernel side says that it is full, or when its time is over. What costs is a breakpoint that is still there, so
 * the thread that was woken detaches by itself, at once; but between the stages it goes on, and the other one detaches.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "govern/priv.h"
#include "probe/probe.h"

enum { LATE_NS = 1000 * 1000 }; /* a stage that ends so much later than it should is an overrun */

/* A unit while it runs. */
struct unit {
	struct govern_window window;
	struct schedule_unit measured;
	double switches_s;
	uint64_t hits_before;
	bool late;
};

/* Uniform in [0, 1). */
static double random_share(void)
{
	uint64_t bits = 0;

	if (getrandom(&bits, sizeof(bits), 0) != sizeof(bits))
		return 0.5;
	return (double)(bits >> 11) / (double)(1ULL << 53);
}

/*
 * Up to a third more or less: windows that are all alike begin and end at the same places of operations that are all alike
 * (see struct estimate_unit).
 */
static uint64_t vary(uint64_t n)
{
	return (uint64_t)((double)n * (2 + 2 * random_share()) / 3);
}

/* First in line when it is woken, or windows get longer than they may on a machine that is busy. */
static void go_first(void)
{
	const struct sched_param param = { .sched_priority = 2 };

	if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &param))
		setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), -20);
}

void *govern_run_closer(void *arg)
{
	struct governor *g = arg;

	go_first();
	for (;;) {
		while (sem_wait(&g->close))
			;
		if (g->ending)
			return NULL;
		probe_detach_group(g->opts.probe, WIRE_GROUP_REFILL);
		sem_post(&g->closed);
	}
}

/* Before the refills' probe can be attached again, it must have been detached. */
static void wait_closed(struct governor *g)
{
	if (g->closing)
		while (sem_wait(&g->closed))
			;
	g->closing = false;
}

static uint64_t window_hits(const struct governor *g)
{
	struct wire_cpu totals;

	probe_totals(g->opts.probe, &totals);
	return totals.group_hits[WIRE_GROUP_REFILL] + totals.group_hits[WIRE_GROUP_WINDOW];
}

/* Attach; what that takes the target loses, too: its memory map is locked. 0 or -errno. */
static int switch_on(struct governor *g, struct unit *u, enum wire_group group)
{
	uint64_t begin = govern_now_ns();
	int rc = probe_attach_group(g->opts.probe, group);

	u->switches_s += (double)(govern_now_ns() - begin + g->cal.gone_ns) / 1e9;
	return rc;
}

/* A stage, from when its probes are in until it is full or over. False if the session or the target ended. */
static bool run_stage(struct governor *g, struct unit *u, struct wire_window *w, uint64_t limit_ns,
		      uint64_t *begin_ns, uint64_t *end_ns)
{
	*begin_ns = govern_now_ns();
	probe_drain_wakeups(g->opts.probe);
	probe_open_window(g->opts.probe, w);
	enum govern_wait why = govern_wait(g, probe_wakeup_fd(g->opts.probe), *begin_ns + limit_ns);
	probe_close_window(g->opts.probe, w);
	*end_ns = govern_now_ns();

	/* The last word of a hit of the stage before, on a thread that had to wait, is none of this one's. */
	if (w->full_ns < *begin_ns)
		w->full_ns = 0;
	uint64_t due_ns = w->full_ns ? w->full_ns : *begin_ns + limit_ns;
	u->late |= *end_ns > due_ns + LATE_NS;
	if (w->full_ns && w->full_ns < *end_ns)
		*end_ns = w->full_ns;
	return why != GOVERN_WAIT_END;
}

static bool run_refills(struct governor *g, struct unit *u)
{
	struct wire_window w = { .number = u->window.number,
				 .stage = WIRE_STAGE_REFILL,
				 .max_hits = SCHEDULE_REFILL_HITS };
	uint64_t begin_ns, end_ns;

	wait_closed(g);
	if (switch_on(g, u, WIRE_GROUP_REFILL))
		return false;
	bool goes_on = run_stage(g, u, &w, SCHEDULE_REFILL_NS, &begin_ns, &end_ns);
	g->closing = true;
	sem_post(&g->close);
	u->window.refill_ns = end_ns - begin_ns;
	u->window.refill_hits = w.hits;
	return goes_on;
}

/* From the first hit that is kept, or when such hits could have come. */
static uint64_t kept_from(const struct wire_window *w, uint64_t end_ns)
{
	uint64_t from = w->keep_from_ns;

	if (w->kept_ns && w->kept_ns < from)
		from = w->kept_ns;
	return from < end_ns ? from : end_ns;
}

static bool run_exact(struct governor *g, struct unit *u)
{
	uint64_t limit_ns = vary((uint64_t)(g->schedule.exact_s * 1e9)),
		 max_hits = vary(SCHEDULE_EXACT_HITS);
	uint64_t skip_percent = vary(SCHEDULE_SKIP_PERCENT);
	uint64_t attach_ns = govern_now_ns(), begin_ns, end_ns;
	double cpu_s, last_s = u->measured.cpu_s;

	if (switch_on(g, u, WIRE_GROUP_WINDOW))
		return false;
	cpu_s = govern_cpu_s(g, last_s);
	struct wire_window w = { .number = u->window.number,
				 .stage = WIRE_STAGE_EXACT,
				 .skip_hits = max_hits * skip_percent / 100,
				 .keep_from_ns = govern_now_ns() + limit_ns / 100 * skip_percent,
				 .max_hits = max_hits };
	bool goes_on = run_stage(g, u, &w, limit_ns, &begin_ns, &end_ns);
	double cpu_end_s = govern_cpu_s(g, cpu_s);

	probe_detach_group(g->opts.probe, WIRE_GROUP_WINDOW);
	u->window.end_ns = end_ns;
	u->window.kept_from_ns = kept_from(&w, end_ns);
	u->window.exact_hits = w.hits;
	u->measured.open_s = (double)(end_ns - attach_ns + g->cal.gone_ns) / 1e9;
	u->measured.hits = (double)w.hits;
	u->measured.trapped_s = govern_hits_cost(g, WIRE_GROUP_WINDOW, w.hits);
	u->measured.cpu_s = cpu_end_s - cpu_s;
	return goes_on;
}

/* Who doesn't ask for windows loses the oldest: they would have been of no use by now. */
static void push_window(struct governor *g, const struct unit *u)
{
	pthread_mutex_lock(&g->lock);
	if (g->ended_nr == GOVERN_ENDED_MAX)
		memmove(g->ended, g->ended + 1, --g->ended_nr * sizeof(g->ended[0]));
	g->ended[g->ended_nr++] = u->window;
	g->switches_s += u->switches_s;
	g->units++;
	g->overruns += u->late;
	pthread_mutex_unlock(&g->lock);
}

static void run_unit(struct governor *g, double slot_s, struct schedule_unit *ret)
{
	struct unit u = { .window = { .number = ++g->number,
				      .start_ns = govern_now_ns(),
				      .slot_ns = (uint64_t)(slot_s * 1e9) },
			  .hits_before = window_hits(g) };
	bool whole = !g->opts.refills || run_refills(g, &u);

	whole = whole && run_exact(g, &u);
	u.window.whole = whole && probe_is_counting(g->opts.probe);
	u.measured.cost_s = u.switches_s +
			    govern_hits_cost(g, WIRE_GROUP_WINDOW, window_hits(g) - u.hits_before);
	push_window(g, &u);
	*ret = u.measured;
}

/* May one open now? And by the way how many CPUs the target uses, and whether there is anything to pay one with. */
static bool look_around(struct governor *g, double *cpus)
{
	pthread_mutex_lock(&g->lock);
	bool may_open = g->may_open && g->schedule.affordable;
	*cpus = g->cpus;
	g->affordable = g->schedule.affordable;
	pthread_mutex_unlock(&g->lock);
	return may_open && probe_is_counting(g->opts.probe);
}

void *govern_run_windows(void *arg)
{
	struct governor *g = arg;
	double slot_start_s = (double)govern_now_ns() / 1e9, cpus;

	go_first();
	for (;;) {
		double slot_s = g->schedule.slot_s, now_s;
		uint64_t at_ns = (uint64_t)((slot_start_s + random_share() * slot_s) * 1e9);
		struct schedule_unit unit;

		if (govern_wait(g, -1, at_ns) == GOVERN_WAIT_END)
			break;
		bool opens = look_around(g, &cpus);
		if (opens)
			run_unit(g, slot_s, &unit);
		schedule_next(&g->schedule, opens ? &unit : NULL, cpus);
		slot_start_s += slot_s;
		now_s = (double)govern_now_ns() / 1e9;
		/* A unit that ran into the next slot may; more than that is a machine that slept. */
		if (slot_start_s + g->schedule.slot_s < now_s)
			slot_start_s = now_s;
	}
	wait_closed(g);
	return NULL;
}
