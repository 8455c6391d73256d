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

#include "base/clock.h"
#include "base/u64.h"
#include "govern/op_calls.h"
#include "govern/priv.h"
#include "plan/plan.h"
#include "probe/probe.h"

enum { LATE_NS = 1000 * 1000 }; /* a stage that ends so much later than it should is an overrun */

/* Uniform in [0, 1). */
static double random_share(void)
{
	uint64_t bits = 0;

	if (getrandom(&bits, sizeof(bits), 0) != sizeof(bits))
		return 0.5;
	return (double)(bits >> 11) / (double)(1ULL << 53);
}

uint64_t govern_vary(uint64_t n)
{
	return (uint64_t)((double)n * (2 + 2 * random_share()) / 3);
}

/* First in line when it is woken, or windows get longer than they may on a machine that is busy. */
static void go_first(void)
{
	const struct sched_param param = { .sched_priority = GOVERN_PRIORITY_MAX };

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

/* Of both stages. */
static uint64_t stage_hits(const struct governor *g)
{
	struct wire_cpu totals;

	probe_totals(g->opts.probe, &totals);
	return totals.group_hits[WIRE_GROUP_REFILL] + totals.group_hits[WIRE_GROUP_WINDOW];
}

/* Of all windows so far. */
static double hits_cost(const struct governor *g)
{
	static const enum wire_group groups[] = { WIRE_GROUP_REFILL, WIRE_GROUP_WINDOW,
						  WIRE_GROUP_OP_WINDOW, WIRE_GROUP_OP_RETURNS };
	struct wire_cpu totals;
	double cost_s = 0;

	probe_totals(g->opts.probe, &totals);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		cost_s += govern_hits_cost(g, groups[i], totals.group_hits[groups[i]]);
	return cost_s;
}

int govern_switch_on(struct governor *g, struct govern_unit *u, enum wire_group group)
{
	uint64_t begin = mono_now_ns();
	int rc = group == WIRE_GROUP_WINDOW ? probe_attach_window(g->opts.probe, !g->maps_only)
					    : probe_attach_group(g->opts.probe, group);

	u->switches_s += (double)(mono_now_ns() - begin + g->cal.gone_ns) / 1e9;
	return rc;
}

/* A stage, from when its probes are in until it is full or over. False if the session or the target ended. */
static bool run_stage(struct governor *g, struct govern_unit *u, struct wire_window *w,
		      uint64_t limit_ns, uint64_t *begin_ns, uint64_t *end_ns)
{
	*begin_ns = mono_now_ns();
	probe_drain_wakeups(g->opts.probe);
	probe_open_window(g->opts.probe, w);
	enum govern_wait why = govern_wait(g, probe_wakeup_fd(g->opts.probe), *begin_ns + limit_ns);
	probe_close_window(g->opts.probe, w);
	*end_ns = mono_now_ns();

	/* The last word of a hit of the stage before, on a thread that had to wait, is none of this one's. */
	if (w->full_ns < *begin_ns)
		w->full_ns = 0;
	uint64_t due_ns = w->full_ns ? w->full_ns : *begin_ns + limit_ns;
	u->late |= *end_ns > due_ns + LATE_NS;
	if (w->full_ns && w->full_ns < *end_ns)
		*end_ns = w->full_ns;
	return why != GOVERN_WAIT_END;
}

static bool run_refills(struct governor *g, struct govern_unit *u)
{
	struct wire_window w = { .number = u->window.number,
				 .stage = WIRE_STAGE_REFILL,
				 .max_hits = SCHEDULE_REFILL_HITS };
	uint64_t begin_ns, end_ns;

	wait_closed(g);
	if (govern_switch_on(g, u, WIRE_GROUP_REFILL))
		return false;
	bool goes_on = run_stage(g, u, &w, SCHEDULE_REFILL_NS, &begin_ns, &end_ns);
	g->closing = true;
	sem_post(&g->close);
	u->window.refill_from_ns = begin_ns;
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

static bool run_exact(struct governor *g, struct govern_unit *u)
{
	uint64_t limit_ns = govern_vary((uint64_t)(g->schedule.exact_s * 1e9)),
		 max_hits = govern_vary(g->schedule.times * SCHEDULE_EXACT_HITS);
	uint64_t skip_percent = govern_vary(SCHEDULE_SKIP_PERCENT);
	uint64_t skip_ns = limit_ns / 100 * skip_percent;
	uint64_t attach_ns = mono_now_ns(), begin_ns, end_ns;
	double cpu_s, last_s = u->measured.cpu_s;

	if (govern_switch_on(g, u, WIRE_GROUP_WINDOW))
		return false;
	cpu_s = govern_cpu_s(g, last_s);
	struct wire_window w = { .number = u->window.number,
				 .stage = WIRE_STAGE_EXACT,
				 .skip_hits = max_hits * skip_percent / 100,
				 .keep_from_ns = mono_now_ns() + skip_ns,
				 .max_hits = max_hits,
				 .send_all = u->window.refill_ns > 0 };
	bool goes_on = run_stage(g, u, &w, limit_ns, &begin_ns, &end_ns);
	double cpu_end_s = govern_cpu_s(g, cpu_s);

	probe_detach_group(g->opts.probe, WIRE_GROUP_WINDOW);
	u->window.attach_ns = attach_ns;
	u->window.open_ns = begin_ns;
	u->window.end_ns = end_ns;
	u->window.length_ns = limit_ns;
	u->window.skip_ns = skip_ns;
	u->window.times = (uint32_t)g->schedule.times;
	u->window.max_hits = max_hits;
	u->window.skip_hits = w.skip_hits;
	u->window.kept_from_ns = kept_from(&w, end_ns);
	u->window.exact_hits = w.hits;
	u->measured.open_s = (double)(end_ns - attach_ns + g->cal.gone_ns) / 1e9;
	u->measured.hits = (double)w.hits;
	u->measured.trapped_s = govern_hits_cost(g, WIRE_GROUP_WINDOW, w.hits);
	u->measured.cpu_s = cpu_end_s - cpu_s;
	return goes_on;
}

/* Who doesn't ask for windows loses the oldest: they would have been of no use by now. */
static void push_window(struct governor *g, const struct govern_unit *u)
{
	pthread_mutex_lock(&g->lock);
	if (g->ended_nr == GOVERN_ENDED_MAX) {
		memmove(g->ended, g->ended + 1, --g->ended_nr * sizeof(g->ended[0]));
		g->lost++;
	}
	g->ended[g->ended_nr++] = u->window;
	g->switches_s += u->switches_s;
	g->units += u->window.whole;
	g->failed += u->failed;
	g->overruns += u->late && u->window.whole;
	pthread_mutex_unlock(&g->lock);
}

static bool run_stages(struct governor *g, struct govern_unit *u)
{
	uint64_t before = stage_hits(g);
	bool whole = (!g->schedule.opts.refills || run_refills(g, u)) && run_exact(g, u);
	uint64_t hits = stage_hits(g) - before;
	uint64_t inside = u->window.refill_hits + u->window.exact_hits;

	/* One that was preempted in the unit before may count for this one. */
	u->window.outside_hits = hits > inside ? hits - inside : 0;
	return whole;
}

/* The time that a unit is in. */
struct slot {
	double length_s;
	double stands_s; /* with those since the last one that had a unit */
	struct govern_calls calls; /* of operations, from before the unit */
};

/* False if it failed: then what was measured is of no use, but for what it cost. */
static bool run_unit(struct governor *g, const struct slot *slot, const struct govern_room *room,
		     struct schedule_unit *ret)
{
	struct govern_unit u = { .window = { .number = ++g->number,
					     .start_ns = mono_now_ns(),
					     .slot_ns = (uint64_t)(slot->length_s * 1e9),
					     .maps_only = g->maps_only },
				 .calls = slot->calls,
				 .stands_ns = (uint64_t)(slot->stands_s * 1e9) };
	double before_s = hits_cost(g);
	bool whole = g->opts.operations ? govern_run_operations(g, &u, room) : run_stages(g, &u);

	u.window.whole = whole && probe_is_counting(g->opts.probe);
	u.measured.cost_s = u.switches_s + hits_cost(g) - before_s;
	u.failed = !u.window.whole && govern_wait(g, -1, 0) != GOVERN_WAIT_END;
	push_window(g, &u);
	*ret = u.measured;
	return u.window.whole;
}

/*
 * Of operations one can cost several times what is usual; one that isn't begun is better than one that is broken off. Their
 * counts are read in place: those of the window before the last one must have been.
 */
static bool may_open_for_operations(const struct governor *g)
{
	enum { TIMES = 3 };

	return !g->ended_nr && g->room_s > TIMES * schedule_expects(&g->schedule);
}

/* May one open now? And by the way what windows are for, and what there is to pay one with. */
static bool look_around(struct governor *g, struct govern_room *room)
{
	pthread_mutex_lock(&g->lock);
	if (g->maps_only != g->profiled)
		govern_schedule(g, g->profiled);
	schedule_see_cuts(&g->schedule, g->cuts, g->cpus);
	g->cuts = 0;
	bool may_open = g->opts.operations ? may_open_for_operations(g) : g->room_s > 0;
	may_open = may_open && g->schedule.affordable;
	*room = (struct govern_room){ .cpus = g->cpus, .cost_s = g->room_s };
	g->affordable = g->schedule.affordable;
	pthread_mutex_unlock(&g->lock);
	if (g->maps_only && !plan_has_group(probe_plan(g->opts.probe), WIRE_GROUP_WINDOW_MAPS))
		return false;
	return may_open && probe_is_counting(g->opts.probe);
}

/* Until the unit is to begin. False if the session or the target ended. */
static bool wait_for_unit(struct governor *g, uint64_t at_ns, struct slot *slot)
{
	if (g->opts.operations) {
		if (govern_wait(g, -1, at_ns - OP_CALLS_BEFORE_NS) == GOVERN_WAIT_END)
			return false;
		govern_see_calls(g, &slot->calls);
	}
	return govern_wait(g, -1, at_ns) != GOVERN_WAIT_END;
}

/*
 * What switching costs was measured once, maybe while the machine was busy with something else. Only windows would
 * correct it, and if it makes them too dear there are none: so it is measured again, and the least is kept.
 */
static void calibrate_again(struct governor *g)
{
	struct calibration again;

	if (calibrate(g->opts.probe, &again))
		return;
	pthread_mutex_lock(&g->lock);
	if (g->cal.measured) {
		again.hit_ns = g->cal.hit_ns; /* what it has cost so far is by this */
		again.attach_ns = min_u64(again.attach_ns, g->cal.attach_ns);
		again.gone_ns = min_u64(again.gone_ns, g->cal.gone_ns);
		again.detach_ns = min_u64(again.detach_ns, g->cal.detach_ns);
	}
	g->cal = again;
	govern_schedule(g, g->profiled);
	pthread_mutex_unlock(&g->lock);
}

void *govern_run_windows(void *arg)
{
	struct governor *g = arg;
	double slot_start_s = (double)mono_now_ns() / 1e9, last_s = slot_start_s;
	struct govern_room room;

	go_first();
	for (;;) {
		double slot_s = g->schedule.slot_s, now_s;
		struct slot slot = { .length_s = slot_s,
				     .stands_s = slot_start_s + slot_s - last_s };
		uint64_t at_ns = (uint64_t)((slot_start_s + random_share() * slot_s) * 1e9);
		struct schedule_unit unit;

		if (!wait_for_unit(g, at_ns, &slot))
			break;
		bool opens = look_around(g, &room);
		if (!opens && !g->schedule.affordable && !g->schedule.units_nr)
			calibrate_again(g);
		bool whole = opens && run_unit(g, &slot, &room, &unit);
		schedule_next(&g->schedule, whole ? &unit : NULL, room.cpus);
		slot_start_s += slot_s;
		last_s = whole ? slot_start_s : last_s;
		now_s = (double)mono_now_ns() / 1e9;
		/* A unit that ran into the next slot may; more than that is a machine that slept. */
		if (slot_start_s + g->schedule.slot_s < now_s)
			slot_start_s = now_s;
	}
	wait_closed(g);
	return NULL;
}
