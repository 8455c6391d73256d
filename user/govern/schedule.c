/* SPDX-License-Identifier: BSD-2-Clause */
#include "govern/schedule.h"

#include <string.h>

#include "base/f64.h"
#include "base/u64.h"

#define SLOT_FIRST_S 1.0
#define SLOT_FIRST_OPS_S 2.0
#define SLOT_MIN_S (1.0 / 3)
#define SLOT_MAX_S 30.0
#define STEP_MAX 1.25 /* from one slot to the next */
#define EXACT_MAX_S 1.0
#define EXACT_STEP_MAX 2.0 /* longer, from one to the next */
#define OPEN_SHARE_MAX 0.5

/* Of the time of a target whose requests are several times slower in a window: more shows in their 99th percentile. */
#define OPEN_SHARE_SLOW (0.0015 / 0.02) /* of the budget */
#define DILATION_FAST 1.25 /* up to which windows do no harm to latency, ... */
#define DILATION_SLOW 1.5 /* ... and from which they do */
#define DILATION_MAX 30.0
#define HIT_FAST_S 1e-6 /* cheaper hits are taken to slow nothing down until that is measured */

struct schedule_opts schedule_divide(double budget, bool profiled)
{
	return (struct schedule_opts){
		.share = budget * (profiled ? 0.1 : 0.2),
		.open_share = budget * OPEN_SHARE_SLOW,
		.loss = budget,
	};
}

struct schedule_opts schedule_divide_operations(double budget)
{
	return (struct schedule_opts){
		.share = budget * 0.3,
		.open_share = budget * OPEN_SHARE_SLOW,
		.loss = budget,
		.operations = true,
	};
}

static double hits_wanted(const struct schedule *s)
{
	return s->opts.operations ? SCHEDULE_OPS_HITS : (double)(s->times * SCHEDULE_EXACT_HITS);
}

/* Of the stage that may get longer. */
static double shortest_s(const struct schedule *s)
{
	uint64_t longer = min_u64(s->times, SCHEDULE_LONGER_MAX);

	return (double)(s->opts.operations ? SCHEDULE_OPS_NS : longer * SCHEDULE_EXACT_NS) / 1e9;
}

static size_t units_kept(const struct schedule *s)
{
	return s->units_nr < SCHEDULE_MEAN_MAX ? s->units_nr : SCHEDULE_MEAN_MAX;
}

static struct schedule_unit sum_units(const struct schedule *s)
{
	struct schedule_unit sum = { 0 };

	for (size_t i = 0; i < units_kept(s); i++) {
		sum.cost_s += s->units[i].cost_s;
		sum.open_s += s->units[i].open_s;
		sum.hits += s->units[i].hits;
		sum.trapped_s += s->units[i].trapped_s;
		sum.cpu_s += s->units[i].cpu_s;
	}
	return sum;
}

/* A thread that spends t of its time in traps, and the rest as ever, takes 1 / (1 - t) times as long for that. */
double schedule_dilation(const struct schedule *s)
{
	struct schedule_unit sum = sum_units(s);

	if (s->units_nr < SCHEDULE_FEW_MIN)
		return s->opts.hit_s < HIT_FAST_S ? 1 : DILATION_MAX;
	if (sum.trapped_s <= 0)
		return 1;
	double own_s = max_f64(sum.cpu_s - sum.trapped_s, sum.trapped_s / (DILATION_MAX - 1));

	return (own_s + sum.trapped_s) / own_s;
}

static struct schedule_unit mean_unit(const struct schedule *s)
{
	struct schedule_unit unit = sum_units(s);

	unit.cost_s /= (double)units_kept(s);
	unit.open_s /= (double)units_kept(s);
	return unit;
}

/* By its limits. */
static struct schedule_unit dearest_unit(const struct schedule *s)
{
	int stages = s->opts.refills ? 2 : 1;
	double hits = hits_wanted(s) + (s->opts.refills ? SCHEDULE_REFILL_HITS : 0);

	return (struct schedule_unit){ .cost_s = hits * s->opts.hit_s + stages * s->opts.switch_s,
				       .open_s = s->exact_s + s->opts.switch_s };
}

/*
 * The most that a unit can cost by its limits; and what one has cost, on average, when enough are known. A window of
 * operations is in the hands of those: its limits are far more than most take, so what few have seen must do.
 */
static struct schedule_unit expected_unit(const struct schedule *s)
{
	struct schedule_unit unit = dearest_unit(s);

	if (s->units_nr >= SCHEDULE_MEAN_MIN)
		return mean_unit(s);
	if (s->opts.operations && s->units_nr >= SCHEDULE_FEW_MIN) {
		struct schedule_unit mean = mean_unit(s);

		unit.cost_s = max_f64(unit.cost_s, mean.cost_s);
		unit.open_s = mean.open_s;
	}
	return unit;
}

/* A target that is a little slower for a part of the time loses that much of it, and its latency hardly changes. */
static double open_share(const struct schedule *s)
{
	double dilation = schedule_dilation(s), slow = s->opts.open_share;
	double fast = s->opts.loss / max_f64(min_f64(dilation, DILATION_FAST) - 1, 1e-6);
	double way = (dilation - DILATION_FAST) / (DILATION_SLOW - DILATION_FAST);

	fast = min_f64(fast, OPEN_SHARE_MAX);
	way = min_f64(max_f64(way, 0), 1);
	return fast + way * (slow - fast);
}

/*
 * Where few allocate little, the shortest stage would hardly see anything, and a longer one does no harm. By what several
 * have seen: one that ends with the hits it was to have says that the stage is long enough.
 */
static double exact_length(const struct schedule *s)
{
	struct schedule_unit sum = sum_units(s);

	if (s->units_nr < SCHEDULE_FEW_MIN || schedule_dilation(s) > DILATION_FAST)
		return shortest_s(s);
	double wanted = sum.open_s * hits_wanted(s) / max_f64(sum.hits, 1);

	return min_f64(min_f64(max_f64(wanted, shortest_s(s)), EXACT_MAX_S),
		       s->exact_s * EXACT_STEP_MAX);
}

/* One of operations is open as long as they take, which may be less than it could. */
static double by_time(const struct schedule *s)
{
	double open_s = expected_unit(s).open_s;

	return (s->opts.operations ? open_s : max_f64(open_s, s->exact_s)) / open_share(s);
}

double schedule_expects(const struct schedule *s)
{
	return expected_unit(s).cost_s;
}

double schedule_affords(const struct schedule *s, double cpus)
{
	return SLOT_MAX_S * s->opts.share * max_f64(cpus, SCHEDULE_CPUS_MIN);
}

static double by_cost(const struct schedule *s, double cpus)
{
	return expected_unit(s).cost_s / (s->opts.share * max_f64(cpus, SCHEDULE_CPUS_MIN));
}

void schedule_init(struct schedule *s, const struct schedule_opts *opts)
{
	memset(s, 0, sizeof(*s));
	s->opts = *opts;
	s->times = 1;
	s->exact_s = shortest_s(s);
	s->slot_s = max_f64(SLOT_FIRST_S, by_time(s));
	/* What they take isn't known yet, but that they are full long before their time is over. */
	if (opts->operations)
		s->slot_s = min_f64(s->slot_s, SLOT_FIRST_OPS_S);
	/* The first one, too: of an idle target, as it isn't known yet what it uses. */
	s->affordable = by_cost(s, SCHEDULE_CPUS_MIN) <= SLOT_MAX_S;
}

void schedule_see_cuts(struct schedule *s, size_t cuts, double cpus)
{
	s->cuts += cuts;
	if (s->opts.operations || s->times == SCHEDULE_TIMES_MAX || s->cuts < SCHEDULE_CUTS)
		return;
	s->cuts = 0;
	s->times *= 2;
	/* Better some that are too short than none. */
	if (dearest_unit(s).cost_s / (s->opts.share * max_f64(cpus, SCHEDULE_CPUS_MIN)) >
	    SLOT_MAX_S)
		s->times /= 2;
}

void schedule_next(struct schedule *s, const struct schedule_unit *unit, double cpus)
{
	if (unit)
		s->units[s->units_nr++ % SCHEDULE_MEAN_MAX] = *unit;
	if (unit && s->units_nr % SCHEDULE_MEAN_MAX == 0)
		s->cuts = 0;
	s->exact_s = exact_length(s);

	double wanted_by_cost = by_cost(s, cpus);
	double wanted = max_f64(max_f64(wanted_by_cost, by_time(s)), SLOT_MIN_S);

	s->affordable = wanted_by_cost <= SLOT_MAX_S;
	wanted = min_f64(wanted, SLOT_MAX_S);
	s->slot_s = min_f64(max_f64(wanted, s->slot_s / STEP_MAX), s->slot_s * STEP_MAX);
}
