/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The price of tracing, kept: when windows open and close, and what is given up when even that is too much.
 *
 * It measures what a hit costs on this machine, and from then on predicts: hits times cost, held against the CPU time
 * that the target has. Windows are never made shorter to save, only rarer; a window's limits of time and hits hold by
 * construction, whatever the target does. It runs threads of its own, which attach and detach.
 *
 * What is always on is given up in this order, as far as it has a part in the cost: calls of operations one by one, of
 * the function that is called most first, which leaves windows of them; clears and growth of maps; large objects one by
 * one; the runtime's own samples; mark assists; stops of the world and GC cycles one by one. It comes back when the budget
 * has room. A window waits while the last 30 seconds have used the budget up, and where one costs more than 30 seconds
 * give there is none. The budget is a share of the CPU time that the target uses, or of a quarter of a CPU if it uses
 * less.
 *
 * The limits of a window are those of what it takes in. While its probes are put in and taken out, one after the other,
 * those that are in are hit, too: tells nothing, but costs, and is counted (govern_window.outside_hits; of operations in
 * the cost only). Some tens are usual, a thousand if the target's threads have its memory map locked meanwhile.
 *
 * Only its own functions may be called while it runs, and what reads counts and events (probe.h); from one thread.
 * What attaches or detaches must wait for governor_stop().
 */
#ifndef GALLOP_GOVERN_GOVERN_H
#define GALLOP_GOVERN_GOVERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bpf/wire.h"
#include "model/samples.h"

struct governor;
struct probe;
struct proc;

/* The highest of its threads' real-time priorities: that of those which close windows. */
enum { GOVERN_PRIORITY_MAX = 2 };

struct govern_opts {
	struct probe *probe; /* of a sampled plan, attached: what is always on counts already */
	const struct proc *proc;
	double budget; /* share of the target's CPU time, such as 0.02 */
	bool windows; /* allocations, or maps, need them; what the plan has for them is used, if probe_can_switch() */
	bool refills; /* ... of two stages */
	bool operations; /* windows are of whole operations, and each is read before the next but one opens */
	bool profiled; /* see governor_set_profiled() */
};

/* A window that is over: samples that carry its number are its. */
struct govern_window {
	uint32_t number; /* from 1 */
	uint64_t start_ns, slot_ns;
	uint64_t refill_ns; /* length of the first stage, 0: there was none */
	uint64_t kept_from_ns, end_ns; /* of the second: samples in between are kept */
	/* When the first stage began; the second's probes began to be put in; and its hits counted. */
	uint64_t refill_from_ns, attach_ns, open_ns;
	/* The second's limits from then on, and those of what isn't kept. */
	uint64_t length_ns, skip_ns, max_hits, skip_hits;
	uint32_t times; /* SCHEDULE_EXACT_HITS, in the mean */
	uint64_t refill_hits, exact_hits;
	uint64_t outside_hits; /* while probes of either stage were put in and taken out */
	/* Of windows of operations, by the plan's: calls of the time that this one stands for, see op_calls.h; 0: not known. */
	uint64_t op_calls[WIRE_OPS_MAX];
	bool maps_only; /* allocations weren't looked at */
	bool whole; /* false: something failed, or the target was gone: its samples tell nothing */
	bool cut; /* its samples say that it began in a rest, and ended in the middle of what came then */
};

/* Calibrate, then begin. 0 or -errno. Stop and free in any case. */
int governor_start(const struct govern_opts *opts, struct governor **ret, struct err *err);

/* No window is open afterwards, and none will be. */
void governor_stop(struct governor *g);
void governor_free(struct governor *g);

/*
 * Windows that ended since it was last asked, oldest first; returns how many, up to cap. Their samples are in the ring by
 * then, but for those of threads that were preempted in the middle. Of more than 256 the oldest are lost:
 * governor_lost_windows().
 */
size_t governor_take(struct governor *g, struct govern_window *ret, size_t cap);

uint64_t governor_lost_windows(struct governor *g);

/* One was cut: some more, and they get longer. */
void governor_see_cut(struct governor *g);

/* For how long a group of what is always on has been given up, so far; and the calls of an operation of the plan's. */
uint64_t governor_off_ns(struct governor *g, enum wire_group group);
uint64_t governor_op_off_ns(struct governor *g, uint32_t op);
/*
 * From the next slot on: do the runtime's own samples tell of allocations? Then windows are for maps only, of one stage,
 * and less of the budget is theirs.
 */
void governor_set_profiled(struct governor *g, bool profiled);

/* What it costs so far. */
void governor_cost(struct governor *g, struct model_cost *ret);

#endif
