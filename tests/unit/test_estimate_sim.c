/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Estimates of programs whose truth is known, 50 seeds each: how often the 95 % interval of a site with over 1 % of the
 * bytes covers it, how far off the mean is, how wide intervals of sites over 10 % are. What windows of the wrong kind do is
 * here too: if it weren't wrong any more, the simulation would be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "gobin/layout.h"
#include "tests/unit/go_sim.h"

enum { SEEDS = 50 };

/* Ten units of this keep some 14,000 hits. A hit in a refill costs more than the estimator is told. */
static const struct sim_tracing usual = {
	.slot_s = 0.5,
	.units_nr = 10,
	.refill_s = 0.025,
	.refill_hits = 600,
	.attach_s = 0.0005,
	.exact_s = 0.016,
	.exact_hits = 2000,
	.burn_in = 0.3,
	.jitter = 0.3,
	.refill_cost = 1.15,
};

/* --- programs ----------------------------------------------------------------------------------- */

static const struct sim_step of_site_0[] = { { 0, 6, 0 } }, of_site_1[] = { { 1, 6, 0 } };

static struct sim_worker loop(uint32_t root, const struct sim_step *steps, size_t nr, double gap_s)
{
	return (struct sim_worker){
		.root = root,
		.goroutines = 1,
		.steps = steps,
		.steps_nr = nr,
		.op_len = 4096,
		.gap_s = gap_s,
	};
}

static struct sim_program alternating(void)
{
	static const struct sim_step steps[] = { { 0, 6, 0 }, { 1, 6, 0 } };

	return (struct sim_program){ { loop(0, steps, 2, 30e-9) }, 1, 2, 2 };
}

/* 1000:1. The slow one shares a class with the tight one, and has one that makes its bytes count. */
static struct sim_program tight_and_slow(void)
{
	static const struct sim_step slow[] = { { 1, 6, 0 }, { 2, 66, 0 } };
	struct sim_program p = { { loop(0, of_site_0, 1, 20e-9) }, 2, 3, 2 };

	p.workers[1] = (struct sim_worker){
		.root = 1,
		.goroutines = 1,
		.steps = slow,
		.steps_nr = 2,
		.op_len = 2,
		.mixed = true,
		.gap_s = 0.1e-6,
		.pause_s = 40e-6,
	};
	return p;
}

static struct sim_program two_tight(void)
{
	return (struct sim_program){
		{ loop(0, of_site_0, 1, 20e-9), loop(1, of_site_1, 1, 60e-9) }, 2, 2, 2
	};
}

/* One root, and one site at a time: 10:1. */
static struct sim_program phases(void)
{
	struct sim_worker w = {
		.goroutines = 8,
		.steps = of_site_0,
		.steps_nr = 1,
		.op_len = 100,
		.gap_s = 1.3e-6,
		.pause_s = 0.5e-3,
		.phase_s = 1,
	};
	struct sim_program p = { { w, w }, 2, 2, 2 };

	p.workers[1].steps = of_site_1;
	p.workers[1].pause_s = 5e-3;
	p.workers[1].phase = 1;
	return p;
}

/* 64 goroutines; requests are allocations in fixed order, of 40 sites in four classes. */
static struct sim_program long_requests(uint16_t len, double pause_s)
{
	enum { LEN_MAX = 5000, SITES = 40 };
	static struct sim_step steps[LEN_MAX];

	for (uint16_t i = 0; i < len; i++) {
		uint16_t site = (uint16_t)(i * SITES / len);
		steps[i] = (struct sim_step){ site, 2 + site % 4 * 2, 0 };
	}
	struct sim_worker w = {
		.goroutines = 64,
		.steps = steps,
		.steps_nr = len,
		.op_len = len,
		.mixed = true,
		.gap_s = 1.3e-6,
		.pause_s = pause_s,
	};
	return (struct sim_program){ { w }, 1, SITES, 2 };
}

static struct sim_program requests(double pause_s)
{
	return long_requests(300, pause_s);
}

/* One goroutine that has a batch to do every now and then, of the same 40 sites in the same order. */
static struct sim_program bursts(uint16_t len)
{
	struct sim_program p = long_requests(len, 0.04);

	p.workers[0].goroutines = 1;
	p.workers[0].gap_s = 0.5e-6;
	return p;
}

/* Of the largest size class, 200 in a second, among a million small ones: every one is a refill. */
static struct sim_program rare(void)
{
	static const struct sim_step large[] = { { 1, 67, 0 } };
	struct sim_program p = { { loop(0, of_site_0, 1, 1e-6) }, 2, 2, 2 };

	p.workers[1] = (struct sim_worker){
		.root = 1,
		.goroutines = 4,
		.steps = large,
		.steps_nr = 1,
		.op_len = 1,
		.gap_s = 1e-6,
		.pause_s = 0.02,
	};
	return p;
}

/* 2,000 sites in 8 classes, the n-th of which has a share like 1/n. */
static struct sim_program power(void)
{
	enum { STEPS = 16384, SITES = 2000 };
	static struct sim_step steps[STEPS];
	struct sim_random random = { 7 };

	for (int i = 0; i < STEPS; i++) {
		uint16_t site = (uint16_t)(pow(SITES, sim_uniform(&random)) - 1);
		steps[i] = (struct sim_step){ site, 2 + site % 8, 0 };
	}
	struct sim_worker w = {
		.goroutines = 16,
		.steps = steps,
		.steps_nr = STEPS,
		.op_len = 200,
		.anywhere = true,
		.mixed = true,
		.gap_s = 1.3e-6,
		.pause_s = 4e-3,
	};
	return (struct sim_program){ { w }, 1, SITES, 2 };
}

/* Two roots that append: a stack has a site for each of 20 size classes. */
static struct sim_program append(void)
{
	enum { LEN = 20 };
	static struct sim_step steps[2][LEN];

	for (uint16_t i = 0; i < LEN; i++) {
		steps[0][i] = (struct sim_step){ i, 2 + i * 2, 0 };
		steps[1][i] = (struct sim_step){ LEN + i, 2 + i * 2, 0 };
	}
	struct sim_worker w = {
		.root = 0,
		.goroutines = 8,
		.steps = steps[0],
		.steps_nr = LEN,
		.op_len = LEN,
		.mixed = true,
		.gap_s = 1e-6,
		.pause_s = 0.2e-3,
	};
	struct sim_program p = { { w, w }, 2, 2 * LEN, 2 };
	p.workers[1].root = 1;
	p.workers[1].steps = steps[1];
	p.workers[1].pause_s = 1e-3;
	return p;
}

/* --- outcomes ----------------------------------------------------------------------------------- */

struct outcome {
	double cover; /* of the intervals of sites over 1 % of the bytes */
	double bias; /* the worst of theirs */
	double half_width; /* the mean of sites over 10 % */
	double told; /* of all intervals, those that there are: not too few windows */
	double kept_hits, dilation;
};

struct truth {
	double rates[SIM_SITES_MAX], shares[SIM_SITES_MAX]; /* objects per second; of bytes */
	uint32_t classes[SIM_SITES_MAX];
};

static void find_truth(const struct sim_program *p, struct truth *ret)
{
	double bytes = 0;

	sim_truth(p, 2, ret->rates);
	for (size_t i = 0; i < p->workers_nr; i++) {
		const struct sim_worker *w = &p->workers[i];
		for (size_t k = 0; k < w->steps_nr; k++)
			ret->classes[w->steps[k].site] = w->steps[k].size_class;
	}
	for (size_t i = 0; i < p->sites_nr; i++) {
		ret->shares[i] = ret->rates[i] * go_class_to_size[ret->classes[i]];
		bytes += ret->shares[i];
	}
	for (size_t i = 0; i < p->sites_nr; i++)
		ret->shares[i] /= bytes;
}

static void estimate_windows(const struct sim_program *p, const struct sim_tracing *t,
			     uint64_t seed, const struct truth *truth, struct estimate_result *ret,
			     double *kept_hits)
{
	static struct sim_unit units[SIM_UNITS_MAX];
	const struct estimate_unit *of[SIM_UNITS_MAX];
	double objects[ESTIMATE_CLASS_NR] = { 0 };
	struct estimate_span span = {
		.wall_s = t->slot_s * (double)t->units_nr,
		.hit_s = SIM_HIT_S,
		.units = of,
		.units_nr = t->units_nr,
		.sites_nr = p->sites_nr,
		.roots_nr = SIM_ROOTS_MAX,
	};

	for (size_t i = 0; i < t->units_nr; i++) {
		sim_window(p, t, seed, i, &units[i]);
		of[i] = &units[i].unit;
		*kept_hits += (double)units[i].kept / SEEDS;
	}
	for (size_t i = 0; i < p->sites_nr; i++)
		objects[truth->classes[i]] += truth->rates[i] * span.wall_s;
	for (size_t c = 0; c < ESTIMATE_CLASS_NR; c++)
		span.objects[c] = (uint64_t)(objects[c] + 0.5);
	assert_int_equal(estimate(&span, ret), 0);
}

static const struct estimate_part *part_of(const struct estimate_result *r, size_t site)
{
	for (size_t i = 0; i < r->parts_nr; i++) {
		if (r->parts[i].site == site)
			return &r->parts[i];
	}
	return NULL;
}

struct sums {
	double covered, intervals, untold, half_widths, half_widths_nr;
	double bias[SIM_SITES_MAX];
};

static void compare(const struct sim_program *p, const struct truth *truth, double wall_s,
		    const struct estimate_result *r, struct sums *sums)
{
	for (size_t i = 0; i < p->sites_nr; i++) {
		const struct estimate_part *part = part_of(r, i);
		double objects = truth->rates[i] * wall_s, found = 0, half_width = 0;
		if (truth->shares[i] < 0.01)
			continue;
		if (part) {
			found = part->objects;
			half_width = estimate_half_width(part->variance, part->systematic,
							 r->alike_nr);
		}
		if (r->alike_nr < ESTIMATE_UNITS_MIN) {
			sums->untold++;
			continue;
		}
		sums->intervals++;
		sums->covered += fabs(found - objects) <= half_width + 1;
		sums->bias[i] += (found / objects - 1) / SEEDS;
		if (truth->shares[i] > 0.1 && found > 0) {
			sums->half_widths += half_width / found;
			sums->half_widths_nr++;
		}
	}
}

static struct outcome simulate(struct sim_program p, const struct sim_tracing *t, const char *name)
{
	static struct truth truth;
	struct sums sums = { 0 };
	struct outcome o = { 0 };

	find_truth(&p, &truth);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct estimate_result r;
		estimate_windows(&p, t, seed, &truth, &r, &o.kept_hits);
		compare(&p, &truth, t->slot_s * (double)t->units_nr, &r, &sums);
		o.dilation += r.dilation / SEEDS;
		estimate_free(&r);
	}
	o.cover = sums.intervals > 0 ? sums.covered / sums.intervals : 1;
	o.told = sums.intervals / (sums.intervals + sums.untold);
	for (size_t i = 0; i < p.sites_nr; i++)
		o.bias = fabs(sums.bias[i]) > fabs(o.bias) ? sums.bias[i] : o.bias;
	if (sums.half_widths_nr > 0)
		o.half_width = sums.half_widths / sums.half_widths_nr;
	print_message("%s: cover %.3f of %.2f, bias %+.3f, half-width %.3f, %.0f hits, dilation "
		      "%.1f\n",
		      name, o.cover, o.told, o.bias, o.half_width, o.kept_hits, o.dilation);
	return o;
}

/* --- what is right ------------------------------------------------------------------------------ */

static void assert_within(struct outcome o, double cover, double bias, double half_width)
{
	assert_true(o.told == 1);
	assert_true(o.cover >= cover);
	assert_true(fabs(o.bias) <= bias);
	assert_true(o.half_width <= half_width);
}

static void intervals_cover(void **state)
{
	(void)state;
	assert_within(simulate(alternating(), &usual, "alternating"), 0.93, 0.01, 0.1);
	assert_within(simulate(tight_and_slow(), &usual, "tight and slow"), 0.93, 0.01, 0.1);
	assert_within(simulate(two_tight(), &usual, "two tight loops"), 0.93, 0.01, 0.1);
	assert_within(simulate(requests(0.03), &usual, "idle requests"), 0.93, 0.03, 0.1);
	assert_within(simulate(requests(0.005), &usual, "busy requests"), 0.93, 0.04, 0.1);
	assert_within(simulate(rare(), &usual, "rare"), 0.93, 0.01, 0.1);
	assert_within(simulate(power(), &usual, "power"), 0.93, 0.03, 0.1);
	assert_within(simulate(append(), &usual, "append"), 0.93, 0.07, 0.1);
}

/* Whatever a hit in a refill costs: the totals tell. The two loops are slowed down by 3.6 and 1.8 there. */
static void costs_are_found(void **state)
{
	static const double costs[] = { 0.8, 1, 1.25, 1.5 };
	struct sim_tracing t = usual;

	(void)state;
	for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
		t.refill_cost = costs[i];
		assert_within(simulate(two_tight(), &t, "two tight loops"), 0.93, 0.02, 0.1);
	}
}

/*
 * Phases need units, not hits: the interval says so. Of windows that begin at the end of a phase the second stage is in the
 * next one, which then gets the rate of the former: with phases of a second, 3 % of the rate of the busy one.
 */
static void phases_are_covered(void **state)
{
	struct sim_tracing t = usual;

	(void)state;
	t.units_nr = 20;
	struct outcome o = simulate(phases(), &t, "phases");
	assert_within(o, 0.93, 0.25, 0.8);
	assert_true(o.half_width > 0.2);
}

/* Some goroutines that allocate little, all the time: hardly a refill is seen. That is no rest. */
static void little_is_no_rest(void **state)
{
	struct sim_program p = {
		{ loop(0, of_site_0, 1, 1e-6), loop(0, of_site_1, 1, 1e-6) }, 2, 2, 2
	};
	struct sim_tracing t = usual;

	(void)state;
	for (int i = 0; i < 2; i++) {
		p.workers[i].op_len = 4;
		p.workers[i].pause_s = 1e-3;
	}
	t.units_nr = 30;
	assert_within(simulate(p, &t, "slow and steady"), 0.93, 0.05, 0.3);
}

/* Windows see all of a burst, most of them nothing; in each the head is as likely as the tail, or is made up for. */
static void bursts_are_covered(void **state)
{
	struct sim_tracing t = usual;

	(void)state;
	t.units_nr = 100;
	t.exact_hits = 8000;
	struct outcome o = simulate(bursts(600), &t, "bursts");
	assert_true(o.told > 0.9);
	assert_true(o.cover >= 0.9);
	assert_true(fabs(o.bias) < 0.2);
	/* One that came just before, in the first stage, says nothing of the rest since. */
	struct sim_program often = bursts(600);
	often.workers[0].pause_s = 0.012;
	o = simulate(often, &t, "bursts, more often");
	assert_true(o.told > 0.9);
	assert_true(o.cover >= 0.93);
	assert_true(fabs(o.bias) < 0.15);
}

/* Of longer ones windows that begin in a rest see the head only. What they say of the rest is no interval. */
static void cut_bursts_are_not_told(void **state)
{
	struct sim_tracing t = usual;

	(void)state;
	t.units_nr = 60;
	t.exact_s = 0.008;
	t.exact_hits = 1000;
	assert_true(simulate(bursts(1500), &t, "bursts that are cut").told < 0.05);
	assert_true(simulate(bursts(5000), &t, "long bursts that are cut").told < 0.05);
}

/* --- what is wrong ------------------------------------------------------------------------------ */

/* Most windows begin while nothing is worked on, and end before the first request does. */
static void short_windows_see_heads_only(void **state)
{
	struct sim_tracing t = usual;

	(void)state;
	t.burn_in = 0;
	t.jitter = 0;
	t.exact_s = 0.001;
	struct outcome o = simulate(requests(0.03), &t, "windows of 1 ms");
	assert_true(fabs(o.bias) > 0.4);
	assert_true(o.cover < 0.85);
}

/* Windows of 1000 hits, all alike, begin and end at the same places of requests that come one at a time. */
static void windows_alike_are_biased(void **state)
{
	struct sim_tracing t = usual;

	(void)state;
	t.exact_hits = 1000;
	t.units_nr = 20;
	t.jitter = 0;
	struct outcome o = simulate(requests(0.045), &t, "windows alike");
	assert_true(fabs(o.bias) > 0.06);
	assert_true(o.cover < 0.93);
	t.jitter = usual.jitter;
	assert_within(simulate(requests(0.045), &t, "windows not alike"), 0.93, 0.08, 0.1);
}

/* What isn't met: a request that comes alone is nearly as long as what is kept of a window. Longer windows help. */
static void long_operations_are_biased(void **state)
{
	struct sim_tracing t = usual;

	(void)state;
	struct outcome o = simulate(long_requests(1500, 0.1), &t, "long requests");
	assert_true(fabs(o.bias) > 0.2);
	assert_true(o.cover < 0.93);
	t.exact_hits *= 4;
	t.exact_s *= 4;
	assert_within(simulate(long_requests(1500, 0.1), &t, "and windows"), 0.9, 0.2, 0.1);
}

/* A goroutine that mostly waits is hardly slowed down; by the gaps of its thread it would seem to be as much as a loop. */
static void gaps_of_threads_are_biased(void **state)
{
	struct sim_tracing t = usual;

	(void)state;
	t.thread_gaps = true;
	struct outcome o = simulate(append(), &t, "append, gaps of threads");
	assert_true(fabs(o.bias) > 0.1);
}

/* How many times too large the slow site is: the mean of all seeds. */
static double slow_site(const struct sim_tracing *t)
{
	static struct truth truth;
	struct sim_program p = tight_and_slow();
	double sum = 0, hits = 0;

	find_truth(&p, &truth);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct estimate_result r;
		estimate_windows(&p, t, seed, &truth, &r, &hits);
		const struct estimate_part *part = part_of(&r, 1);
		if (part)
			sum += part->objects / (truth.rates[1] * t->slot_s * (double)t->units_nr);
		estimate_free(&r);
	}
	print_message("slow site beside a tight one: x %.2f\n", sum / SEEDS);
	return sum / SEEDS;
}

static void shares_of_all_hits_are_wrong(void **state)
{
	struct sim_tracing t = usual;

	(void)state;
	double two_stage = slow_site(&t);
	assert_true(two_stage > 0.8 && two_stage < 1.25);
	t.refill_s = 0;
	assert_true(slow_site(&t) > 20);

	/* It is known that this is not known: the interval is as wide. */
	struct outcome o = simulate(two_tight(), &t, "two tight loops, no refills");
	assert_true(o.bias > 0.5);
	assert_true(o.half_width > 0.25);
	t.units_nr = 20;
	o = simulate(phases(), &t, "phases, no refills");
	assert_true(fabs(o.bias) > 0.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_cover),
		cmocka_unit_test(costs_are_found),
		cmocka_unit_test(phases_are_covered),
		cmocka_unit_test(little_is_no_rest),
		cmocka_unit_test(bursts_are_covered),
		cmocka_unit_test(cut_bursts_are_not_told),
		cmocka_unit_test(short_windows_see_heads_only),
		cmocka_unit_test(windows_alike_are_biased),
		cmocka_unit_test(long_operations_are_biased),
		cmocka_unit_test(gaps_of_threads_are_biased),
		cmocka_unit_test(shares_of_all_hits_are_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
