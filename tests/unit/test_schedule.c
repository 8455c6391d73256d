/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The governor's arithmetic without a kernel: slots follow costs slowly and by averages, and the ration holds the
 * budget over any 30 seconds, whatever is thrown at it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "govern/op_calls.h"
#include "govern/ration.h"
#include "govern/schedule.h"

#define BUDGET 0.02
#define SLOW_HIT_S 5.4e-6
#define FAST_HIT_S 0.4e-6
#define SWITCH_S 0.7e-3

static void assert_near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance * fabs(want)))
		fail_msg("%g is not within %g of %g", got, tolerance, want);
}

static struct schedule make_schedule(double budget, double hit_s)
{
	struct schedule_opts opts = schedule_divide(budget, false);
	struct schedule s;

	opts.hit_s = hit_s;
	opts.switch_s = SWITCH_S;
	opts.refills = true;
	schedule_init(&s, &opts);
	return s;
}

/* --- schedule --------------------------------------------------------------------------------- */

/* Whatever a unit says, a slot is within a quarter of the one before, a third of a second and 30 s. */
static void test_steps(void **state)
{
	struct schedule s = make_schedule(BUDGET, SLOW_HIT_S);

	(void)state;
	/* From the start what is right for windows that make the target slow; or a second. */
	assert_near(s.slot_s, (0.008 + SWITCH_S) / 0.0015, 1e-9);
	assert_true(make_schedule(BUDGET, FAST_HIT_S).slot_s == 1);
	srand(1);
	for (int i = 0; i < 2000; i++) {
		double before = s.slot_s;
		double wild = pow(10, (double)rand() / RAND_MAX * 8 - 6);
		const struct schedule_unit unit = { wild, wild, wild, wild * 2, wild };

		schedule_next(&s, i % 7 ? &unit : NULL, (double)rand() / RAND_MAX * 64);
		assert_true(s.slot_s <= before * 1.25 * (1 + 1e-12));
		assert_true(s.slot_s >= before / 1.25 * (1 - 1e-12));
		assert_true(s.slot_s >= 1.0 / 3 && s.slot_s <= 30);
	}
}

/* Before there is an average the last units make no difference at all: dense times are sampled as thin ones. */
static void test_blind_at_first(void **state)
{
	struct schedule dear = make_schedule(BUDGET, SLOW_HIT_S);
	struct schedule cheap = make_schedule(BUDGET, SLOW_HIT_S);
	const struct schedule_unit much = { 0.012, 0.009, 0.006, 0.008, 1000 };
	const struct schedule_unit little = { 0.0001, 0.009, 0.006, 0.008, 0 };

	(void)state;
	for (int i = 0; i < SCHEDULE_MEAN_MIN - 1; i++) {
		schedule_next(&dear, &much, 1);
		schedule_next(&cheap, &little, 1);
		assert_true(dear.slot_s == cheap.slot_s);
	}
	/* By the worst case: 0.15 % of the time in windows that slow the target down. */
	assert_near(dear.slot_s, (0.008 + SWITCH_S) / 0.0015, 1e-9);
}

static double settle(struct schedule *s, const struct schedule_unit *unit, double cpus)
{
	for (int i = 0; i < 200; i++)
		schedule_next(s, unit, cpus);
	return s->slot_s;
}

static void test_where_it_settles(void **state)
{
	struct schedule s = make_schedule(BUDGET, SLOW_HIT_S);
	const struct schedule_unit slow = { 0.0126, 0.009, 0.0054, 0.0068, 1000 };
	const struct schedule_unit fast = { 0.0015, 0.009, 0.0004, 0.008, 1000 };

	(void)state;
	/* Slow traps: latency is what limits. */
	assert_near(settle(&s, &slow, 1), 0.009 / 0.0015, 1e-6);
	assert_true(schedule_dilation(&s) > 4);
	/* Fast ones: cost does, 1.5 ms of a fifth of 2 % of a CPU, and of many CPUs the least there is. */
	s = make_schedule(BUDGET, FAST_HIT_S);
	assert_near(settle(&s, &fast, 0.5), 0.0015 / (BUDGET / 5 * 0.5), 1e-6);
	assert_near(schedule_dilation(&s), 8 / 7.6, 1e-6);
	/* An idle target: as one of 0.25 CPUs. */
	assert_near(settle(&s, &fast, 0.05), 0.0015 / (BUDGET / 5 * 0.25), 1e-6);
	s = make_schedule(0.5, FAST_HIT_S);
	assert_near(settle(&s, &fast, 16), 1.0 / 3, 1e-6);
}

/* Where allocations are rare a stage gets as long as it takes to see enough of them, and no longer than a second. */
static void test_length_of_the_second_stage(void **state)
{
	struct schedule s = make_schedule(BUDGET, SLOW_HIT_S);
	struct schedule_unit rare = { 0.006, 0.008, 0, 0.008, 16 };

	(void)state;
	assert_near(s.exact_s, 0.008, 1e-9);
	for (int i = 0; i < SCHEDULE_FEW_MIN - 1; i++)
		schedule_next(&s, &rare, 1);
	assert_near(s.exact_s, 0.008, 1e-9);
	/* Twice as long at most from one to the next. */
	schedule_next(&s, &rare, 1);
	assert_near(s.exact_s, 0.016, 1e-9);
	settle(&s, &rare, 1);
	assert_near(s.exact_s, 0.008 * SCHEDULE_EXACT_HITS / 16, 1e-9);
	rare.hits = 0;
	settle(&s, &rare, 1);
	assert_near(s.exact_s, 1, 1e-9);
	/* At once as short as can be when the target is slowed down. */
	rare.trapped_s = 0.006;
	settle(&s, &rare, 1);
	assert_near(s.exact_s, 0.008, 1e-9);
}

/* Half as much of the budget: twice as long; and where one unit is more than 30 s give, it is said. */
static void test_small_budgets(void **state)
{
	const struct schedule_unit unit = { 0.02, 0.0001, 0, 0.008, 1000 };
	struct schedule a = make_schedule(0.02, FAST_HIT_S), b = make_schedule(0.01, FAST_HIT_S);
	struct schedule c = make_schedule(0.0001, SLOW_HIT_S);

	(void)state;
	assert_near(settle(&b, &unit, 1) / settle(&a, &unit, 1), 2, 1e-6);
	assert_true(a.affordable && b.affordable);
	settle(&c, &unit, 1);
	assert_false(c.affordable);
	assert_true(c.slot_s == 30);
	schedule_next(&c, NULL, 1000);
	assert_true(c.affordable);
}

/* An average of many: one monstrous unit among them moves a slot by its part only. */
static void test_not_the_last(void **state)
{
	struct schedule s = make_schedule(BUDGET, FAST_HIT_S);
	const struct schedule_unit usual = { 0.005, 0.001, 0, 0.008, 1000 };
	const struct schedule_unit monster = { 0.010, 0.001, 0, 0.008, 1000 };
	double before = settle(&s, &usual, 1);

	(void)state;
	schedule_next(&s, &monster, 1);
	assert_near(s.slot_s, before * (1 + 1.0 / SCHEDULE_MEAN_MAX), 1e-6);
}

/* --- schedule of operations ------------------------------------------------------------------- */

static struct schedule make_operations(double budget, double hit_s)
{
	struct schedule_opts opts = schedule_divide_operations(budget);
	struct schedule s;

	opts.hit_s = hit_s;
	opts.switch_s = SWITCH_S;
	schedule_init(&s, &opts);
	return s;
}

/* By what windows cost, however much more their limits allow; and as long as operations take, not as they may. */
static void test_operations_settle(void **state)
{
	const struct schedule_unit fast = { 0.003, 0.005, 0.0004, 0.008, 600 };
	const struct schedule_unit slow = { 0.006, 0.004, 0.0035, 0.004, 600 };
	const struct schedule_unit dear = { 0.060, 0.004, 0, 0.008, 600 };
	struct schedule s = make_operations(BUDGET, FAST_HIT_S);

	(void)state;
	assert_near(s.exact_s, 0.025, 1e-9);
	assert_near(settle(&s, &fast, 0.5), 0.003 / (BUDGET * 0.3 * 0.5), 1e-6);
	s = make_operations(BUDGET, SLOW_HIT_S);
	assert_near(settle(&s, &slow, 1), 0.004 / 0.0015, 1e-6);
	/* Dear ones are known as such after a few. */
	s = make_operations(BUDGET, SLOW_HIT_S);
	for (int i = 0; i < SCHEDULE_FEW_MIN; i++)
		schedule_next(&s, &dear, 1);
	assert_near(schedule_expects(&s), 0.060, 1e-6);
}

/* The most that one may cost is what 30 seconds have for windows; where the usual one is more, there is none. */
static void test_operations_afford(void **state)
{
	struct schedule s = make_operations(BUDGET, SLOW_HIT_S);

	(void)state;
	assert_near(schedule_affords(&s, 0.1), 30 * BUDGET * 0.3 * 0.25, 1e-9);
	assert_near(schedule_affords(&s, 2), 30 * BUDGET * 0.3 * 2, 1e-9);
	assert_true(s.affordable);
	assert_true(schedule_expects(&s) < schedule_affords(&s, 0));
	assert_false(make_operations(0.0005, SLOW_HIT_S).affordable);
}

/* --- ration ----------------------------------------------------------------------------------- */

enum { SECONDS = 600, PER_S = 100, STEPS = SECONDS * PER_S };
#define ALL                                                                           \
	(1U << WIRE_GROUP_ALWAYS | 1U << WIRE_GROUP_ASSIST | 1U << WIRE_GROUP_LARGE | \
	 1U << WIRE_GROUP_MAP_EVENTS | 1U << WIRE_GROUP_GC)

/* A target whose groups would cost so much, as CPU seconds per second, by the time. */
typedef double rate_fn(enum wire_group group, double now_s);

struct run {
	struct ration ration;
	double spent_s[STEPS]; /* in each step */
	unsigned on; /* groups */
	double off_s[WIRE_GROUP_NR];
};

static void are_back(struct ration *r, uint64_t groups, double now_s)
{
	for (unsigned i = 0; i < RATION_NR; i++)
		if (groups >> i & 1)
			ration_is_back(r, i, now_s);
}

/*
 * As the watch thread does it: a tick each second, and when as many hits have come as there is room for. A step is
 * what the kernel's answer may be late by, but a burst stops within it where the alarm does.
 */
static void simulate(struct run *run, rate_fn *rate, double cpus)
{
	double cost_s[RATION_NR] = { 0 }, last_s = 0, armed_s = 0, used_s = 0;

	ration_init(&run->ration, BUDGET, ALL, cpus);
	run->on = ALL;
	armed_s = ration_hits(&run->ration, SLOW_HIT_S) * SLOW_HIT_S;
	for (int i = 0; i < STEPS; i++) {
		double now_s = (double)(i + 1) / PER_S, step_s = 0;

		for (int j = 0; j < WIRE_GROUP_NR; j++) {
			double cost = run->on >> j & 1 ? rate(j, now_s) / PER_S : 0;

			cost_s[j] += cost;
			step_s += cost;
			run->off_s[j] += run->on >> j & 1 ? 0 : 1.0 / PER_S;
		}
		run->spent_s[i] = step_s;
		used_s += step_s;
		if (now_s - last_s < 1 && used_s < armed_s)
			continue;
		struct ration_change c = ration_tick(&run->ration, now_s, now_s - last_s, cpus,
						     cost_s);
		run->on = (run->on & ~c.give_up) | c.give_back;
		are_back(&run->ration, c.give_back, now_s);
		memset(cost_s, 0, sizeof(cost_s));
		last_s = now_s;
		used_s = 0;
		armed_s = ration_hits(&run->ration, SLOW_HIT_S) * SLOW_HIT_S;
	}
}

/* The largest share of the target's time in any 30 seconds. */
static double worst_share(const struct run *run, double cpus)
{
	double sum = 0, worst = 0;

	for (int i = 0; i < STEPS; i++) {
		sum += run->spent_s[i];
		if (i >= 30 * PER_S)
			sum -= run->spent_s[i - 30 * PER_S];
		if (sum > worst)
			worst = sum;
	}
	return worst / 30 / cpus;
}

static double quiet(enum wire_group group, double now_s)
{
	(void)now_s;
	return group == WIRE_GROUP_WINDOW ? 0 : 0.0005;
}

static void test_quiet(void **state)
{
	static struct run run;

	(void)state;
	memset(&run, 0, sizeof(run));
	simulate(&run, quiet, 1);
	assert_int_equal(run.on, ALL);
	assert_true(run.off_s[WIRE_GROUP_MAP_EVENTS] == 0 && run.off_s[WIRE_GROUP_LARGE] == 0);
}

/* Large objects take half of the target's time, for ever: the rest of the groups isn't touched. */
static double large_storm(enum wire_group group, double now_s)
{
	return group == WIRE_GROUP_LARGE ? 0.5 : quiet(group, now_s);
}

static void test_storm(void **state)
{
	static struct run run;

	(void)state;
	memset(&run, 0, sizeof(run));
	simulate(&run, large_storm, 1);
	assert_true(run.off_s[WIRE_GROUP_LARGE] > SECONDS * 0.9);
	assert_true(run.off_s[WIRE_GROUP_MAP_EVENTS] == 0);
	assert_true(run.off_s[WIRE_GROUP_ASSIST] == 0);
	/* Two thirds of the budget, and what comes before the answer: a step of it each time. */
	assert_true(worst_share(&run, 1) < BUDGET * 2 / 3 + 3 * 0.5 / PER_S / 30);
}

/* Everything at once, in bursts that come just when it would have been given back. */
static double bursts(enum wire_group group, double now_s)
{
	bool burst = fmod(now_s, 7) < 0.3;

	return burst && group != WIRE_GROUP_ALWAYS ? 0.3 : quiet(group, now_s);
}

static void test_bursts(void **state)
{
	static struct run run;

	(void)state;
	memset(&run, 0, sizeof(run));
	simulate(&run, bursts, 1);
	assert_true(worst_share(&run, 1) < BUDGET * 2 / 3 + 4 * 0.9 / PER_S / 30);
	assert_true(run.off_s[WIRE_GROUP_MAP_EVENTS] > 0);
}

/* One burst: what is given up comes back, mark assists first. */
static double one_burst(enum wire_group group, double now_s)
{
	return now_s > 60 && now_s < 60.5 && group != WIRE_GROUP_ALWAYS ? 0.3 : quiet(group, now_s);
}

static void test_given_back(void **state)
{
	static struct run run;

	(void)state;
	memset(&run, 0, sizeof(run));
	simulate(&run, one_burst, 1);
	assert_int_equal(run.on, ALL);
	assert_true(run.off_s[WIRE_GROUP_MAP_EVENTS] > 1);
	assert_true(run.off_s[WIRE_GROUP_MAP_EVENTS] < 60);
	assert_true(run.off_s[WIRE_GROUP_ASSIST] <= run.off_s[WIRE_GROUP_LARGE]);
	assert_true(run.off_s[WIRE_GROUP_LARGE] <= run.off_s[WIRE_GROUP_MAP_EVENTS]);
}

/* In order, and only as far as needed: one whose hits aren't what costs stays. */
static void test_order(void **state)
{
	double cost_s[RATION_NR] = { 0 };
	struct ration_change c;
	struct ration r;

	(void)state;
	ration_init(&r, BUDGET, ALL, 1);
	cost_s[WIRE_GROUP_MAP_EVENTS] = 0.001;
	cost_s[WIRE_GROUP_LARGE] = 1;
	cost_s[WIRE_GROUP_ASSIST] = 0.004;
	c = ration_tick(&r, 1, 1, 1, cost_s);
	assert_int_equal(c.give_up, 1U << WIRE_GROUP_LARGE);
	assert_int_equal(c.give_back, 0);
	/* What isn't attached can't be given up; what marks the end of the target never is. */
	ration_init(&r, BUDGET, 1U << WIRE_GROUP_ALWAYS, 1);
	cost_s[WIRE_GROUP_ALWAYS] = 5;
	c = ration_tick(&r, 1, 1, 1, cost_s);
	assert_int_equal(c.give_up, 0);
	/* Windows are paid from elsewhere. */
	ration_init(&r, BUDGET, ALL, 1);
	memset(cost_s, 0, sizeof(cost_s));
	cost_s[WIRE_GROUP_WINDOW] = cost_s[WIRE_GROUP_REFILL] = 5;
	cost_s[WIRE_GROUP_OP_WINDOW] = cost_s[WIRE_GROUP_OP_RETURNS] = 5;
	c = ration_tick(&r, 1, 1, 1, cost_s);
	assert_int_equal(c.give_up, 0);
	/* Of operations their number goes first, assists stay. */
	ration_init(&r, BUDGET, RATION_BIT(RATION_OP(0)) | 1U << WIRE_GROUP_ASSIST, 1);
	cost_s[RATION_OP(0)] = 0.03;
	cost_s[WIRE_GROUP_ASSIST] = 0.01;
	c = ration_tick(&r, 1, 10, 1, cost_s);
	assert_int_equal(c.give_up, 0);
	c = ration_tick(&r, 11, 3, 1, cost_s);
	assert_int_equal(c.give_up, RATION_BIT(RATION_OP(0)));
}

/* One that is called all the time doesn't take away what is known of others; back comes first what cost least. */
static void test_order_of_operations(void **state)
{
	double cost_s[RATION_NR] = { 0 };
	struct ration_change c;
	struct ration r;

	(void)state;
	ration_init(&r, BUDGET,
		    RATION_BIT(RATION_OP(0)) | RATION_BIT(RATION_OP(1)) | RATION_BIT(RATION_OP(2)) |
			    RATION_BIT(RATION_OP(31)),
		    1);
	cost_s[RATION_OP(0)] = 0.002;
	cost_s[RATION_OP(1)] = 0.5;
	cost_s[RATION_OP(31)] = 1;
	cost_s[RATION_OP(2)] = 0.003;
	ration_pay(&r, 1);
	c = ration_tick(&r, 1, 10, 1, cost_s);
	assert_true(c.give_up == (RATION_BIT(RATION_OP(1)) | RATION_BIT(RATION_OP(31))));
	memset(cost_s, 0, sizeof(cost_s));
	r.room_s = 10;
	assert_true(ration_tick(&r, 10, 1, 1, cost_s).give_back == RATION_BIT(RATION_OP(1)));
	r.room_s = 10;
	assert_true(ration_tick(&r, 20, 1, 1, cost_s).give_back == RATION_BIT(RATION_OP(31)));
}

/* All that can be given up goes one after the other, as far as needed, and comes back from the other end. */
static void test_whole_order(void **state)
{
	static const unsigned order[] = { RATION_OP(0),	     WIRE_GROUP_MAP_EVENTS,
					  WIRE_GROUP_LARGE,  WIRE_GROUP_PROFILE,
					  WIRE_GROUP_ASSIST, WIRE_GROUP_GC };
	enum { NR = sizeof(order) / sizeof(order[0]) };
	const uint64_t all = ALL | RATION_BIT(RATION_OP(0)) | 1U << WIRE_GROUP_PROFILE;
	const double each_s = 0.01, income = BUDGET / 5;
	double cost_s[RATION_NR] = { 0 };
	struct ration_change c;
	uint64_t first = 0;
	struct ration r;

	(void)state;
	for (int i = 0; i < NR; i++)
		cost_s[order[i]] = each_s;
	for (int nr = 1; nr <= NR; nr++) {
		first |= RATION_BIT(order[nr - 1]);
		ration_init(&r, BUDGET, all, 1);
		ration_pay(&r, 1);
		/* What comes in is enough for all but the first of them. */
		c = ration_tick(&r, 1, (NR - nr + 0.5) * each_s / income, 1, cost_s);
		assert_int_equal(c.give_up, first);
		assert_int_equal(c.give_back, 0);
	}
	memset(cost_s, 0, sizeof(cost_s));
	for (int i = NR; i--;) {
		r.room_s = 10;
		c = ration_tick(&r, 10 + NR - i, 1, 1, cost_s);
		assert_int_equal(c.give_up, 0);
		assert_int_equal(c.give_back, RATION_BIT(order[i]));
		are_back(&r, c.give_back, 10 + NR - i);
	}
	r.room_s = 10;
	c = ration_tick(&r, 30, 1, 1, cost_s);
	assert_int_equal(c.give_back, 0);
}

/*
 * Stops and cycles are the last to go, and assists go with them: without the beginnings of cycles these can't be told.
 * They don't come back before, either.
 */
static void test_cycles(void **state)
{
	double cost_s[RATION_NR] = { 0 };
	struct ration_change c;
	struct ration r;

	(void)state;
	ration_init(&r, BUDGET, ALL, 1);
	cost_s[WIRE_GROUP_ASSIST] = 0.5;
	cost_s[WIRE_GROUP_GC] = 0.5;
	c = ration_tick(&r, 1, 1, 1, cost_s);
	assert_int_equal(c.give_up, 1U << WIRE_GROUP_ASSIST | 1U << WIRE_GROUP_GC);

	ration_init(&r, BUDGET, ALL, 1);
	cost_s[WIRE_GROUP_ASSIST] = 0.01;
	c = ration_tick(&r, 1, 1, 1, cost_s);
	assert_int_equal(c.give_up, 1U << WIRE_GROUP_ASSIST | 1U << WIRE_GROUP_GC);
	memset(cost_s, 0, sizeof(cost_s));
	r.room_s = 10;
	c = ration_tick(&r, 10, 1, 1, cost_s);
	assert_int_equal(c.give_back, 1U << WIRE_GROUP_GC);
	/* It could not be attached. */
	ration_stays_off(&r, WIRE_GROUP_GC, 10);
	c = ration_tick(&r, 11, 1, 1, cost_s);
	assert_int_equal(c.give_back, 0);
	c = ration_tick(&r, 12, 1, 1, cost_s);
	assert_int_equal(c.give_back, 1U << WIRE_GROUP_GC);
	/* It takes its time to be. */
	assert_int_equal(ration_tick(&r, 12.5, 0.5, 1, cost_s).give_back, 0);
	ration_is_back(&r, WIRE_GROUP_GC, 12.6);
	c = ration_tick(&r, 13, 1, 1, cost_s);
	assert_int_equal(c.give_back, 1U << WIRE_GROUP_ASSIST);

	/* Where there are none to be seen, assists are by themselves. */
	ration_init(&r, BUDGET, ALL & ~(1U << WIRE_GROUP_GC), 1);
	cost_s[WIRE_GROUP_ASSIST] = 1;
	c = ration_tick(&r, 1, 1, 1, cost_s);
	assert_int_equal(c.give_up, 1U << WIRE_GROUP_ASSIST);
}

/* It is off from when that is decided until it is attached, and what can't be was off all the time. */
static void test_off(void **state)
{
	double cost_s[RATION_NR] = { 0 };
	const unsigned op = RATION_OP(3);
	struct ration r;

	(void)state;
	ration_init(&r, BUDGET, RATION_BIT(op), 1);
	assert_near(ration_off_s(&r, op, 9), 0, 0);
	cost_s[op] = 1;
	assert_true(ration_tick(&r, 10, 1, 1, cost_s).give_up == RATION_BIT(op));
	assert_near(ration_off_s(&r, op, 10), 0, 0);
	assert_near(ration_off_s(&r, op, 12), 2, 0);
	cost_s[op] = 0;
	r.room_s = 10;
	assert_true(ration_tick(&r, 14, 1, 1, cost_s).give_back == RATION_BIT(op));
	assert_near(ration_off_s(&r, op, 14), 4, 0);
	assert_near(ration_off_s(&r, op, 14.5), 4.5, 0);
	ration_stays_off(&r, op, 15);
	assert_near(ration_off_s(&r, op, 15), 5, 0);
	assert_near(ration_off_s(&r, op, 16), 6, 0);
	assert_true(ration_tick(&r, 17, 1, 1, cost_s).give_back == RATION_BIT(op));
	/* What isn't there yet can't be given up. */
	cost_s[op] = 1;
	assert_true(ration_tick(&r, 17.5, 0.5, 1, cost_s).give_up == 0);
	ration_is_back(&r, op, 18);
	assert_near(ration_off_s(&r, op, 18), 8, 0);
	assert_near(ration_off_s(&r, op, 30), 8, 0);
	r.room_s = -1;
	assert_true(ration_tick(&r, 30, 1, 1, cost_s).give_up == RATION_BIT(op));
	assert_near(ration_off_s(&r, op, 31), 9, 0);
}

/* What switching takes is paid from the same bucket. */
static void test_pay(void **state)
{
	double cost_s[RATION_NR] = { 0 };
	struct ration r;

	(void)state;
	ration_init(&r, BUDGET, ALL, 1);
	ration_pay(&r, 1);
	cost_s[WIRE_GROUP_GC] = 0.01;
	assert_int_equal(ration_tick(&r, 1, 1, 1, cost_s).give_up,
			 1U << WIRE_GROUP_GC | 1U << WIRE_GROUP_ASSIST);
}

/* A program that does nothing but collect. */
static double collections(enum wire_group group, double now_s)
{
	return group == WIRE_GROUP_GC ? 0.3 : quiet(group, now_s);
}

static void test_collections(void **state)
{
	static struct run run;

	(void)state;
	memset(&run, 0, sizeof(run));
	simulate(&run, collections, 1);
	assert_true(run.off_s[WIRE_GROUP_GC] > SECONDS * 0.9);
	assert_true(run.off_s[WIRE_GROUP_LARGE] == 0);
	assert_true(worst_share(&run, 1) < BUDGET * 2 / 3 + 3 * 0.3 / PER_S / 30);
}

/* Too much again right after it came back: longer each time, up to five minutes. */
static void test_back_off(void **state)
{
	double cost_s[RATION_NR] = { 0 }, now_s = 0, off_s = 0, before_s = 0;
	bool on = true;
	struct ration r;

	(void)state;
	ration_init(&r, BUDGET, ALL, 1);
	for (int times = 0; times < 12; now_s++) {
		cost_s[WIRE_GROUP_LARGE] = on ? 0.5 : 0;
		struct ration_change c = ration_tick(&r, now_s, 1, 1, cost_s);

		off_s += !on;
		if (c.give_up)
			on = false;
		if (!c.give_back)
			continue;
		assert_int_equal(c.give_back, 1U << WIRE_GROUP_LARGE);
		are_back(&r, c.give_back, now_s);
		assert_true(off_s + 2 >=
			    before_s); /* paying back what it cost comes in whole seconds */
		before_s = off_s;
		off_s = 0;
		on = true;
		times++;
	}
	assert_near(before_s, 300, 0.02);
}

/* The kernel side is told of at least a few hits, however overdrawn the bucket is, or it would call all the time. */
static void test_alarm(void **state)
{
	struct ration r;

	(void)state;
	ration_init(&r, BUDGET, ALL, 1);
	assert_near(ration_hits(&r, SLOW_HIT_S), 1 * BUDGET / SLOW_HIT_S, 0.001);
	r.room_s = -1;
	assert_int_equal(ration_hits(&r, SLOW_HIT_S), 16);
	r.room_s = 1e12;
	assert_int_equal(ration_hits(&r, SLOW_HIT_S), 1000000000);
}

/* --- calls of operations ------------------------------------------------------------------------ */

enum { MS = 1000000 };

static void calls_are_those_of_before(void **state)
{
	static const struct {
		struct op_calls calls;
		uint64_t stood_for;
	} cases[] = {
		/* 100 a second; that the window itself saw fewer is its own doing. */
		{ { 10, 100 * MS, 11, 200 * MS, 6000 * UINT64_C(1000000) }, 600 },
		/* The only one for a second was in it. */
		{ { 0, 100 * MS, 1, 1000 * UINT64_C(1000000), 6000 * UINT64_C(1000000) }, 6 },
		{ { 9, 100 * MS, 10, 1000 * UINT64_C(1000000), 6000 * UINT64_C(1000000) }, 60 },
		{ { 0, 100 * MS, 1, 1000 * UINT64_C(1000000), 10 * MS }, 1 },
		{ { 0, 100 * MS, 0, 200 * MS, 6000 * UINT64_C(1000000) }, 0 },
		{ { 90, 0, 90, 0, 6000 * UINT64_C(1000000) }, 0 },
		{ { UINT64_MAX, 1, UINT64_MAX, 1, UINT64_MAX }, INT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(op_calls_stood_for(&cases[i].calls), cases[i].stood_for);
}

/* Where bursts are cut windows see more, as long as one can be paid; and what was seen long ago is no reason. */
static void test_cuts(void **state)
{
	struct schedule s = make_schedule(BUDGET, SLOW_HIT_S);
	const struct schedule_unit unit = { 0.0126, 0.009, 0.0054, 0.0068, 1000 };

	(void)state;
	schedule_see_cuts(&s, SCHEDULE_CUTS - 1, 4);
	for (int i = 0; i < SCHEDULE_MEAN_MAX; i++)
		schedule_next(&s, &unit, 4);
	schedule_see_cuts(&s, SCHEDULE_CUTS - 1, 4);
	assert_int_equal(s.times, 1);
	for (int i = 0; i < 10; i++)
		schedule_see_cuts(&s, SCHEDULE_CUTS, 4);
	assert_int_equal(s.times, SCHEDULE_TIMES_MAX);

	s = make_schedule(BUDGET, SLOW_HIT_S);
	for (int i = 0; i < 10; i++) {
		schedule_see_cuts(&s, SCHEDULE_CUTS, SCHEDULE_CPUS_MIN);
		schedule_next(&s, NULL, SCHEDULE_CPUS_MIN);
		assert_true(s.affordable);
	}
	assert_true(s.times < SCHEDULE_TIMES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_blind_at_first),
		cmocka_unit_test(test_where_it_settles),
		cmocka_unit_test(test_length_of_the_second_stage),
		cmocka_unit_test(test_small_budgets),
		cmocka_unit_test(test_not_the_last),
		cmocka_unit_test(test_operations_settle),
		cmocka_unit_test(test_operations_afford),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_storm),
		cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_given_back),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_order_of_operations),
		cmocka_unit_test(test_whole_order),
		cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_pay),
		cmocka_unit_test(test_collections),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_alarm),
		cmocka_unit_test(calls_are_those_of_before),
		cmocka_unit_test(test_cuts),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
