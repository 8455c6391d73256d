/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A window of operations: for a while those that begin are admitted, then it stays open until all of them have ended, so
 * that each is measured whole or not at all. That an operation is long has no part in whether it is admitted.
 *
 * The kernel side ends the admission when it has had its hits, and wakes this thread when the last operation that it waits
 * for has ended; time is bounded here. An operation that takes longer than that is cut: how many are is counted.
 */
#include <math.h>

#include "base/clock.h"
#include "govern/op_calls.h"
#include "govern/priv.h"
#include "plan/plan.h"
#include "probe/probe.h"

enum {
	DRAIN_NS = 1000 * 1000 * 1000, /* that operations have to end, after admission */
	LATE_NS = 1000 * 1000,
};

/* No more than the budget has in the longest slot, and has left, whatever the operations do. */
static uint64_t hits_max(const struct governor *g, uint64_t admit_hits,
			 const struct govern_room *room)
{
	double cost_s = fmin(schedule_affords(&g->schedule, room->cpus), room->cost_s);
	double hits = cost_s / g->schedule.opts.hit_s;
	uint64_t max = admit_hits * SCHEDULE_OPS_DRAIN;

	return hits < (double)max ? (uint64_t)hits : max;
}

/* False if the session or the target ended. */
static bool wait_for_operations(struct governor *g, struct govern_unit *u, uint64_t admit_ns)
{
	int fd = probe_wakeup_fd(g->opts.probe);
	uint64_t due_ns = mono_now_ns() + admit_ns;
	enum govern_wait why = govern_wait(g, fd, due_ns);

	if (why == GOVERN_WAIT_TIME && probe_end_admission(g->opts.probe)) {
		due_ns += DRAIN_NS;
		why = govern_wait(g, fd, due_ns);
	}
	u->late |= why == GOVERN_WAIT_TIME && mono_now_ns() > due_ns + LATE_NS;
	return why != GOVERN_WAIT_END;
}

static void measure(const struct governor *g, struct govern_unit *u, const struct wire_window *w,
		    uint64_t attach_ns, double cpu_s)
{
	u->late |= w->full_ns && u->window.end_ns > w->full_ns + LATE_NS;
	u->window.exact_hits = w->hits;
	u->measured.open_s = (double)(u->window.end_ns - attach_ns + g->cal.gone_ns) / 1e9;
	u->measured.hits = (double)w->hits;
	u->measured.trapped_s = (double)w->hits * (double)g->cal.hit_ns / 1e9;
	u->measured.cpu_s = cpu_s;
}

void govern_see_calls(struct governor *g, struct govern_calls *ret)
{
	uint32_t nr = probe_plan(g->opts.probe)->ops_nr;
	struct wire_op op;

	/* All of it with the lock: what is given up or given back in between would be counted on one side only. */
	pthread_mutex_lock(&g->lock);
	ret->at_ns = mono_now_ns();
	for (uint32_t i = 0; i < nr; i++) {
		probe_op(g->opts.probe, 0, i, &op);
		ret->entries[i] = op.entries;
		ret->off_ns[i] = govern_off_ns(g, RATION_OP(i));
	}
	pthread_mutex_unlock(&g->lock);
}

/* By what was counted from before it, to its beginning and to its end. */
static void weigh_window(struct govern_unit *u, const struct govern_calls *begin,
			 const struct govern_calls *end)
{
	const struct govern_calls *from = &u->calls;

	for (size_t i = 0; i < WIRE_OPS_MAX; i++) {
		const struct op_calls calls = { .before = begin->entries[i] - from->entries[i],
						.before_ns = begin->at_ns - from->at_ns,
						.through = end->entries[i] - from->entries[i],
						.through_ns = end->at_ns - from->at_ns,
						.stands_ns = u->stands_ns };
		u->window.op_calls[i] = from->off_ns[i] == end->off_ns[i]
						? op_calls_stood_for(&calls)
						: 0;
	}
}

bool govern_run_operations(struct governor *g, struct govern_unit *u,
			   const struct govern_room *room)
{
	struct probe *probe = g->opts.probe;
	uint64_t admit_ns = govern_vary((uint64_t)(g->schedule.exact_s * 1e9));
	uint64_t admit_hits = govern_vary(SCHEDULE_OPS_HITS);
	struct wire_window w = { .number = u->window.number,
				 .stage = WIRE_STAGE_OPS,
				 .admit_hits = admit_hits,
				 .max_hits = hits_max(g, admit_hits, room) };

	struct govern_calls begin = { 0 }, end = { 0 };

	/* What an operation that was cut has left there would be taken for one of this window. */
	if (probe_forget_ops(probe))
		return false;
	uint64_t attach_ns = mono_now_ns();
	if (govern_switch_on(g, u, WIRE_GROUP_OP_WINDOW))
		return false;
	double cpu_s = govern_cpu_s(g, 0);
	govern_see_calls(g, &begin);
	u->window.kept_from_ns = mono_now_ns();
	probe_drain_wakeups(probe);
	probe_open_window(probe, &w);
	bool goes_on = wait_for_operations(g, u, admit_ns);
	probe_close_window(probe, &w);
	u->window.end_ns = mono_now_ns();
	govern_see_calls(g, &end);
	weigh_window(u, &begin, &end);
	double cpu_end_s = govern_cpu_s(g, cpu_s);
	probe_detach_group(probe, WIRE_GROUP_OP_WINDOW);
	measure(g, u, &w, attach_ns, cpu_end_s - cpu_s);
	return goes_on;
}
