/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When windows open: time is divided into slots, each with one unit (a window, of one or two stages) at a random
 * time in it. Pure: numbers in, numbers out; seconds, CPU seconds and CPUs.
 *
 * The second stage of a unit is as long as the target needs for the hits that are wanted, but short where they slow it
 * down. Where a program rests and then does more than one can see, it gets longer, and may see more. A slot is as long as
 * a unit's cost asks for. It changes slowly and by averages over many units, never by what the last one saw: or busy times would
 * be sampled less than quiet ones.
 */
#ifndef GALLOP_GOVERN_SCHEDULE_H
#define GALLOP_GOVERN_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SCHEDULE_REFILL_HITS = 600,
	SCHEDULE_REFILL_NS = 25 * 1000 * 1000,
	/* Of the second stage, on average: each is by chance up to a third more or less. */
	SCHEDULE_EXACT_HITS = 1000,
	SCHEDULE_EXACT_NS = 8 * 1000 * 1000, /* at least; longer where hits are rare */
	SCHEDULE_SKIP_PERCENT = 30, /* thrown away */
	/*
	 * Where they cut off bursts there may be so many times the hits, and of time no more than the first stage lasts: what
	 * was before that isn't known (estimate/inclusion.h).
	 */
	SCHEDULE_TIMES_MAX = 8,
	SCHEDULE_LONGER_MAX = 2,
	SCHEDULE_CUTS = 2, /* of SCHEDULE_MEAN_MAX units */
	/* A window of operations: hits and time in which they may begin; and so many times the hits for them to end in. */
	SCHEDULE_OPS_HITS = 600,
	SCHEDULE_OPS_NS = 25 * 1000 * 1000,
	SCHEDULE_OPS_DRAIN = 20,
	SCHEDULE_MEAN_MIN =
		20, /* units that an average is of, at least, for slots to follow it, ... */
	SCHEDULE_FEW_MIN = 4, /* ... and for the second stage to get longer */
	SCHEDULE_MEAN_MAX = 32,
};

/* What a target is taken to use at least: one that idles may be used again at any moment. */
#define SCHEDULE_CPUS_MIN 0.25

struct schedule_opts {
	double share; /* of the target's CPU time, for windows */
	double open_share; /* of time, that may be spent in windows that make the target slow */
	double loss; /* of windows that don't: share of the target's time that they may take together */
	double hit_s; /* what a hit costs */
	double switch_s; /* attaching and detaching, for each stage */
	bool refills; /* units have two stages */
	bool operations; /* they are windows of operations, whose only stage takes the place of the second one */
};

/* What a unit came to. */
struct schedule_unit {
	double cost_s; /* CPU time that it took from the target */
	double open_s; /* how long the second stage's probes were attached */
	/* Of the open second stage, together: time in traps, and the target's CPU time, that included. */
	double trapped_s, cpu_s;
	double hits; /* of the second stage */
};

struct schedule {
	struct schedule_opts opts;
	double slot_s; /* of the next slot */
	double exact_s; /* how long the next second stage may be, on average */
	uint64_t times; /* SCHEDULE_EXACT_HITS that it may see */
	size_t cuts; /* since that was last changed, of the last units */
	bool affordable; /* false: not even one unit in the longest slot is */
	size_t units_nr; /* of all time */
	struct schedule_unit units[SCHEDULE_MEAN_MAX]; /* the last ones */
};

/*
 * The budget is for windows and for what is always on, see ration.h: a fifth of it, or a tenth where the runtime's
 * samples tell of allocations (`profiled`) and windows only of maps.
 */
struct schedule_opts schedule_divide(double budget, bool profiled);

/* With operations: three tenths of it are for windows, which alone tell of them. */
struct schedule_opts schedule_divide_operations(double budget);

void schedule_init(struct schedule *s, const struct schedule_opts *opts);

/* After each slot; unit NULL: it had none. cpus: how many the target has used lately. */
void schedule_next(struct schedule *s, const struct schedule_unit *unit, double cpus);

/* So many more units began in a rest, and ended in the middle of what came then. */
void schedule_see_cuts(struct schedule *s, size_t cuts, double cpus);

/* CPU seconds: what the next one is taken to cost. */
double schedule_expects(const struct schedule *s);

/* CPU seconds: the most that one may cost, at all. */
double schedule_affords(const struct schedule *s, double cpus);

/* By how much windows slow the target down, 1: not at all. Before there is an average: what the cost of a hit suggests. */
double schedule_dilation(const struct schedule *s);

#endif
