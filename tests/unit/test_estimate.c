/* SPDX-License-Identifier: BSD-2-Clause */
/* The estimator's formulae on small numbers, and what recordings may feed it. Whole programs: test_estimate_sim.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "estimate/estimate.h"
#include "estimate/units.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))
#define HIT_S 5e-6

enum { UNITS = 10 };

/* Slots of a second, stages of 25 and 5 ms. */
static struct estimate_unit unit_of(const struct estimate_refill *refills, size_t refills_nr,
				    const struct estimate_hit *hits, size_t hits_nr)
{
	return (struct estimate_unit){
		.slot_s = 1,
		.refill_s = refills_nr ? 0.025 : 0,
		.kept_s = 0.005,
		.refills = refills,
		.refills_nr = refills_nr,
		.hits = hits,
		.hits_nr = hits_nr,
	};
}

/* A span of UNITS units that are all alike. */
struct sample {
	struct estimate_unit unit;
	const struct estimate_unit *units[UNITS];
	struct estimate_span span;
};

static void sample_init(struct sample *s, struct estimate_unit unit)
{
	*s = (struct sample){ .unit = unit };
	for (size_t i = 0; i < UNITS; i++)
		s->units[i] = &s->unit;
	s->span = (struct estimate_span){
		.wall_s = UNITS,
		.hit_s = HIT_S,
		.units = s->units,
		.units_nr = UNITS,
		.sites_nr = 100,
		.roots_nr = 10,
	};
}

static struct estimate_result run(const struct estimate_span *span)
{
	struct estimate_result r;

	assert_int_equal(estimate(span, &r), 0);
	return r;
}

static const struct estimate_part *find(const struct estimate_result *r, uint32_t site, uint32_t c)
{
	for (size_t i = 0; i < r->parts_nr; i++) {
		if (r->parts[i].site == site && r->parts[i].size_class == c)
			return &r->parts[i];
	}
	return NULL;
}

static double objects(const struct estimate_result *r, uint32_t site, uint32_t c)
{
	const struct estimate_part *part = find(r, site, c);

	return part ? part->objects : 0;
}

#define assert_near(a, b, within) assert_true(fabs((a) - (b)) <= (within))

/* --- windows ------------------------------------------------------------------------------------ */

/* Root 0 takes three quarters of class 6, and nine of ten hits are root 1's, which is slowed down less. */
static void roots_are_by_refills_and_sites_by_hits(void **state)
{
	const struct estimate_refill refills[] = { { 0, 6, 3000 }, { 1, 6, 1000 } };
	const struct estimate_hit hits[] = { { 7, 0, 6, 25, 0, 0 },
					     { 8, 0, 6, 75, 0, 0 },
					     { 7, 1, 6, 900, 0, 0 } };
	struct sample s;

	(void)state;
	sample_init(&s, unit_of(refills, NR(refills), hits, NR(hits)));
	s.span.objects[6] = 1600000;
	struct estimate_result r = run(&s.span);
	assert_int_equal(r.parts_nr, 2);
	assert_int_equal(r.units_nr, UNITS);
	assert_near(objects(&r, 7, 6), 1600000 * (0.75 * 0.25 + 0.25), 1e-3);
	assert_near(objects(&r, 8, 6), 1600000 * 0.75 * 0.75, 1e-3);
	assert_near(r.unsampled[6], 0, 1e-3);
	/* 160,000 in a second, of which 1000 hits in 5 ms were not slowed down at all. */
	assert_near(r.dilation, 1, 1e-9);
	assert_true(r.parts[0].from_windows);
	/* All units say the same; it may yet be luck. */
	assert_true(find(&r, 7, 6)->variance > 0);
	estimate_free(&r);
}

/* A gap has one hit in it: root 0's are 10 us, 5 of them the hit's. Totals are as many as that makes. */
static void dilation_of_refills_is_taken_out(void **state)
{
	const struct estimate_refill refills[] = { { 0, 6, 1000 }, { 1, 6, 1000 } };
	const struct estimate_hit hits[] = { { 0, 0, 6, 500, 0, 0 }, { 1, 1, 6, 500, 0, 0 } };
	const struct estimate_gaps gaps[] = { { 0, 10, 100e-6 }, { 1, 10, 5 }, { 9, 1, NAN } };
	struct sample s;

	(void)state;
	sample_init(&s, unit_of(refills, NR(refills), hits, NR(hits)));
	s.unit.gaps = gaps;
	s.unit.gaps_nr = NR(gaps);
	s.span.objects[6] = (1000 * 2 + 1000) * 40 * UNITS;
	struct estimate_result r = run(&s.span);
	assert_near(objects(&r, 0, 6) / objects(&r, 1, 6), 2, 0.01);
	assert_true(find(&r, 0, 6)->systematic > 0);
	estimate_free(&r);

	/* The totals say four times as many: a hit costs 7.1 us. */
	s.span.objects[6] = (uint64_t)(1000 * 3.45 + 1000) * 40 * UNITS;
	r = run(&s.span);
	assert_true(objects(&r, 0, 6) / objects(&r, 1, 6) > 3.2);
	estimate_free(&r);

	/* Far from anything that a hit may cost, and they are not believed. */
	s.span.objects[6] = 1000;
	r = run(&s.span);
	assert_near(objects(&r, 0, 6) / objects(&r, 1, 6), 2, 0.01);
	estimate_free(&r);
}

static void what_has_no_hit_is_unsampled(void **state)
{
	const struct estimate_refill refills[] = { { 0, 6, 3000 }, { 1, 6, 1000 }, { 1, 7, 999 } };
	const struct estimate_hit hits[] = { { 5, 0, 6, 100, 0, 0 } };
	struct sample s;

	(void)state;
	sample_init(&s, unit_of(refills, NR(refills), hits, NR(hits)));
	s.span.objects[6] = s.span.objects[7] = s.span.objects[30] = 1000;
	struct estimate_result r = run(&s.span);
	assert_int_equal(r.parts_nr, 1);
	assert_near(objects(&r, 5, 6), 750, 1e-6);
	assert_near(r.unsampled[6], 250, 1e-6);
	assert_near(r.unsampled[7], 1000, 1e-6);
	assert_near(r.unsampled[30], 1000, 1e-6);
	estimate_free(&r);
}

/* Each counts for what it stands for: for the same as any other, unless it is known how long its window could have begun. */
static void hits_count_for_what_they_stand_for(void **state)
{
	const struct estimate_refill many[] = { { 0, 6, 3000 } }, few[] = { { 0, 6, 1000 } };
	struct estimate_hit first[] = { { 0, 0, 6, 30, 0, 0 }, { 1, 0, 6, 70, 0, 0 } };
	struct estimate_hit second[] = { { 0, 0, 6, 10, 0, 0 }, { 1, 0, 6, 90, 0, 0 } };
	const struct estimate_unit a = unit_of(many, 1, first, 2), b = unit_of(few, 1, second, 2);
	const struct estimate_unit none = unit_of(few, 1, NULL, 0);
	const struct estimate_unit *units[] = { &a, &b, &none };
	struct estimate_span span = {
		.wall_s = 2,
		.units = units,
		.units_nr = 2,
		.sites_nr = 2,
		.roots_nr = 1,
	};

	(void)state;
	span.objects[6] = 1000;
	struct estimate_result r = run(&span);
	assert_near(objects(&r, 0, 6), 1000 * 0.2, 1e-6);
	estimate_free(&r);
	span.units_nr = 3;
	r = run(&span);
	assert_near(objects(&r, 0, 6), 1000 * 0.2, 1e-6);
	assert_int_equal(r.units_nr, 3);
	assert_int_equal(r.alike_nr, 2);
	estimate_free(&r);

	/* Ten of the second stand for as much as thirty of the first. */
	first[0].rate = first[1].rate = 5000;
	second[0].rate = 15000, second[1].rate = 5000;
	r = run(&span);
	assert_near(objects(&r, 0, 6), 1000 * 20000.0 / 30000, 1e-6);
	estimate_free(&r);
}

/* What a window was too short for is told by longer ones alone, when there are enough: here at the twelfth. */
static void longer_units_are_enough(void **state)
{
	const struct estimate_refill refills[] = { { 0, 6, 1000 } };
	const struct estimate_hit all[] = { { 0, 0, 6, 50, 0, 0 }, { 1, 0, 6, 50, 0, 0 } };
	struct estimate_unit v[12];
	const struct estimate_unit *units[12];
	struct estimate_span span = { .wall_s = 2, .units = units, .sites_nr = 2, .roots_nr = 1 };

	(void)state;
	span.objects[6] = 1000;
	for (; span.units_nr < 12; span.units_nr++) {
		struct estimate_unit *u = &v[span.units_nr];
		bool cut = span.units_nr < 4;
		*u = unit_of(refills, 1, all, cut ? 1 : 2);
		u->began = cut ? ESTIMATE_BEGAN_IN_REST_CUT : ESTIMATE_BEGAN_IN_REST;
		u->times = cut ? 1 : 2;
		units[span.units_nr] = u;
	}
	for (span.units_nr = 11; span.units_nr <= 12; span.units_nr++) {
		struct estimate_result r = run(&span);
		bool enough = span.units_nr == 12;
		assert_near(objects(&r, 0, 6), enough ? 500 : 1000 * 550.0 / 900, 1e-6);
		assert_int_equal(r.alike_nr, enough ? 8 : 0); /* none began at work */
		estimate_free(&r);
	}
}

/* Root 0 is slowed down ten times, as class 6 shows. In class 68, which has no refills, its hits stand for as many more. */
static void hits_without_refills_are_scaled_by_their_root(void **state)
{
	const struct estimate_refill refills[] = { { 0, 6, 5000 }, { 1, 6, 500 } };
	const struct estimate_hit hits[] = {
		{ 0, 0, 6, 100, 0, 0 },
		{ 1, 1, 6, 100, 0, 0 },
		{ 0, 0, ESTIMATE_CLASS_TINY, 100, 0, 0 },
		{ 1, 1, ESTIMATE_CLASS_TINY, 100, 0, 0 },
	};
	struct sample s;

	(void)state;
	sample_init(&s, unit_of(refills, NR(refills), hits, NR(hits)));
	s.span.objects[6] = 5500 * 40 * UNITS;
	s.span.objects[ESTIMATE_CLASS_TINY] = 1100;
	struct estimate_result r = run(&s.span);
	assert_near(objects(&r, 0, ESTIMATE_CLASS_TINY), 1000, 1e-6);
	assert_near(objects(&r, 1, ESTIMATE_CLASS_TINY), 100, 1e-6);
	assert_true(r.parts[0].site == 0 && r.parts[0].size_class == 6);
	assert_true(r.parts[1].site == 0 && r.parts[1].size_class == ESTIMATE_CLASS_TINY);
	estimate_free(&r);
}

/* Root 1 has one refill in all; what its hits take of the time bounds it. */
static void few_refills_are_bounded_by_hits(void **state)
{
	const struct estimate_refill refills[] = { { 0, 6, 5000 }, { 1, 6, 1 } };
	const struct estimate_hit hits[] = { { 0, 0, 6, 400, 0, 0 }, { 1, 1, 6, 1, 0, 0 } };
	struct sample s;

	(void)state;
	sample_init(&s, unit_of(refills, NR(refills), hits, NR(hits)));
	s.span.objects[6] = 200200;
	struct estimate_result r = run(&s.span);
	/* 40 in a second by refills. By hits 200, and not much more: those cost a thousandth of the time. */
	assert_near(objects(&r, 1, 6), 200 * 1.001, 1);
	assert_true(find(&r, 1, 6)->systematic >= 0);
	estimate_free(&r);
}

/* The variance is what leaving out each unit makes of the whole estimate. */
static void variance_is_the_jackknife(void **state)
{
	struct estimate_refill refills[UNITS][2];
	struct estimate_hit hits[UNITS][3];
	struct estimate_unit units[UNITS];
	const struct estimate_unit *all[UNITS], *left[UNITS - 1];
	struct estimate_span span = {
		.wall_s = UNITS,
		.units = all,
		.units_nr = UNITS,
		.sites_nr = 3,
		.roots_nr = 2,
	};
	double without[UNITS], mean = 0, sum = 0;

	(void)state;
	span.objects[6] = 1000000;
	for (uint32_t i = 0; i < UNITS; i++) {
		refills[i][0] = (struct estimate_refill){ 0, 6, 3000 + i % 3 * 1500 };
		refills[i][1] = (struct estimate_refill){ 1, 6, 1000 + i % 4 * 700 };
		hits[i][0] = (struct estimate_hit){ 0, 0, 6, 30 + i * 31 % 17 * 20, 0, 0 };
		hits[i][1] = (struct estimate_hit){ 1, 0, 6, 60 + i * 13 % 11 * 20, 0, 0 };
		hits[i][2] = (struct estimate_hit){ 0, 1, 6, 50, 0, 0 };
		units[i] = unit_of(refills[i], 2, hits[i], 3);
		units[i].slot_s = 1 + i % 2;
		all[i] = &units[i];
	}
	struct estimate_result r = run(&span);
	double variance = find(&r, 0, 6)->variance;
	estimate_free(&r);

	span.units = left;
	span.units_nr = UNITS - 1;
	for (size_t out = 0; out < UNITS; out++) {
		for (size_t i = 0; i < UNITS - 1; i++)
			left[i] = &units[i + (i >= out)];
		r = run(&span);
		without[out] = objects(&r, 0, 6);
		mean += without[out] / UNITS;
		estimate_free(&r);
	}
	for (size_t i = 0; i < UNITS; i++)
		sum += (without[i] - mean) * (without[i] - mean);
	assert_near(variance / (sum * (UNITS - 1) / UNITS), 1, 1e-9);
}

/* Many units are left out by groups: neighbours. The sum stays right, and the variance is of the same size. */
static void many_units_are_grouped(void **state)
{
	enum { MANY = 1000 };
	static struct estimate_unit units[MANY];
	static struct estimate_hit hits[MANY][2];
	static const struct estimate_unit *all[MANY];
	struct estimate_span span = {
		.wall_s = MANY,
		.units = all,
		.units_nr = MANY,
		.sites_nr = 2,
		.roots_nr = 1,
	};

	(void)state;
	span.objects[6] = 1000000;
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t n = 400 + i * 7919 % 401;
		hits[i][0] = (struct estimate_hit){ 0, 0, 6, n, 0, 0 };
		hits[i][1] = (struct estimate_hit){ 1, 0, 6, 1000 - n, 0, 0 };
		units[i] = unit_of(NULL, 0, hits[i], 2);
		all[i] = &units[i];
	}
	struct estimate_result r = run(&span);
	/* Uniform over 0.4: a standard deviation of 0.116 of a unit, 0.0037 of the mean. */
	double sd = sqrt(find(&r, 0, 6)->variance) / 1e6;
	assert_near(objects(&r, 0, 6) + objects(&r, 1, 6) + r.unsampled[6], 1e6, 1e-3);
	assert_true(sd > 0.0005 && sd < 0.006);
	estimate_free(&r);
}

static void windows_without_refills_are_shares_of_hits(void **state)
{
	const struct estimate_hit hits[] = { { 0, 0, 6, 300, 0, 0 }, { 1, 4000000, 6, 100, 0, 0 } };
	struct sample s;

	(void)state;
	sample_init(&s, unit_of(NULL, 0, hits, NR(hits)));
	s.span.objects[6] = 4 * 80000 * UNITS;
	struct estimate_result r = run(&s.span);
	assert_near(objects(&r, 0, 6) / 4 / 80000 / UNITS, 0.75, 1e-9);
	assert_near(r.dilation, 4, 1e-9);
	assert_true(find(&r, 0, 6)->systematic > 0);
	estimate_free(&r);
}

/* --- samples ------------------------------------------------------------------------------------ */

static void samples_share_their_class(void **state)
{
	const struct estimate_sampled sampled[] = { { 3, 6, 10, 0, 0 },	 { 1, 6, 50, 0, 0 },
						    { 3, 6, 20, 0, 0 },	 { 1, 9, 7, 0, 0 },
						    { 99, 70, 1, 0, 0 }, { 100, 6, 1, 0, 0 } };
	struct estimate_span span = {
		.wall_s = 1,
		.sampled = sampled,
		.sampled_nr = NR(sampled),
		.mem_profile_rate = 524288,
		.sites_nr = 100,
	};

	(void)state;
	span.objects[6] = 800;
	span.objects[9] = 70;
	span.objects[10] = 5;
	struct estimate_result r = run(&span);
	assert_int_equal(r.parts_nr, 3);
	assert_near(objects(&r, 1, 6), 500, 1e-9);
	assert_near(objects(&r, 3, 6), 300, 1e-9);
	assert_near(objects(&r, 1, 9), 70, 1e-9);
	assert_near(r.unsampled[10], 5, 1e-9);
	assert_false(r.parts[0].from_windows);
	/* Binomial, of 80: 800^2 * 0.375 * 0.625 / 80, the share a bit nearer to the middle. */
	assert_near(find(&r, 3, 6)->variance / 1875, 1, 0.03);
	assert_true(find(&r, 1, 9)->variance > 0);
	estimate_free(&r);

	span.mem_profile_rate = 1; /* all of them */
	r = run(&span);
	assert_true(find(&r, 3, 6)->variance == 0);
	estimate_free(&r);

	span.mem_profile_rate = 0;
	r = run(&span);
	assert_int_equal(r.parts_nr, 0);
	assert_near(r.unsampled[6], 800, 1e-9);
	estimate_free(&r);
}

static double half_width(const struct estimate_part *part)
{
	return 1.959963984540054 * sqrt(part->variance);
}

/* That all there is came from one place is as sure as the number of samples makes it, and one makes nothing sure. */
static void few_samples_of_one_site_are_not_all(void **state)
{
	struct estimate_sampled sampled[] = {
		{ 1, 6, 1, 0, 0 }, { 2, 9, 8, 0, 0 }, { 3, 10, 1, 0, 0 }, { 4, 10, 9, 0, 0 }
	};
	struct estimate_span span = { .wall_s = 1,
				      .sampled = sampled,
				      .sampled_nr = NR(sampled),
				      .mem_profile_rate = 1 << 30,
				      .sites_nr = 100 };

	(void)state;
	span.objects[6] = span.objects[9] = span.objects[10] = 1000;
	struct estimate_result r = run(&span);
	assert_near(half_width(find(&r, 1, 6)), 1000, 1);
	/* 0.025^(1/8) is 0.63. */
	assert_near(half_width(find(&r, 2, 9)), 369, 1);
	assert_true(half_width(find(&r, 3, 10)) >= 99);
	assert_true(half_width(find(&r, 4, 10)) < 400);
	estimate_free(&r);

	span.mem_profile_rate = 1; /* nothing is missed */
	r = run(&span);
	assert_true(find(&r, 1, 6)->variance == 0);
	assert_true(find(&r, 2, 9)->variance == 0);
	estimate_free(&r);
}

/* Of few samples and windows the mean counts, and it adds up. Of many, samples only. */
static void few_samples_and_windows_are_both_used(void **state)
{
	const struct estimate_hit hits[] = { { 1, 0, 6, 300, 0, 0 }, { 2, 0, 6, 100, 0, 0 } };
	struct estimate_sampled sampled[] = { { 2, 6, 5, 0, 0 }, { 3, 6, 5, 0, 0 } };
	struct sample s;

	(void)state;
	sample_init(&s, unit_of(NULL, 0, hits, NR(hits)));
	s.span.objects[6] = 80000 * UNITS;
	s.span.sampled = sampled;
	s.span.sampled_nr = NR(sampled);
	s.span.mem_profile_rate = 524288;
	struct estimate_result r = run(&s.span);
	double by_windows = objects(&r, 1, 6) / 0.75, by_samples = objects(&r, 3, 6) / 0.5;
	assert_true(by_windows > 5 * by_samples && by_samples > 0);
	assert_near(by_windows + by_samples, 80000 * UNITS, 1e-3);
	assert_near(objects(&r, 2, 6), by_windows * 0.25 + by_samples * 0.5, 1e-3);
	/* Site 3 is of samples only: binomial, 6 of 12, and then the weight of samples twice. */
	double weight = by_samples / (80000 * UNITS);
	assert_near(sqrt(find(&r, 3, 6)->variance) / (80000 * UNITS) / weight, sqrt(0.25 / 12),
		    1e-4);
	estimate_free(&r);

	sampled[0].samples = 25;
	r = run(&s.span);
	assert_null(find(&r, 1, 6));
	assert_false(find(&r, 2, 6)->from_windows);
	estimate_free(&r);

	sampled[0].samples = 5; /* fewer windows than make an interval */
	s.span.units_nr = ESTIMATE_UNITS_MIN - 1;
	r = run(&s.span);
	assert_null(find(&r, 1, 6));
	estimate_free(&r);
}

/* --- what it is fed ----------------------------------------------------------------------------- */

static void nothing_is_nothing(void **state)
{
	struct estimate_span span = { 0 };
	struct estimate_result r = run(&span);

	(void)state;
	assert_int_equal(r.parts_nr, 0);
	assert_int_equal(r.units_nr, 0);
	assert_true(r.dilation == 0);
	estimate_free(&r);
	span.objects[5] = UINT64_MAX;
	r = run(&span);
	assert_true(r.unsampled[5] == (double)UINT64_MAX);
	estimate_free(&r);
}

static uint64_t chance(void)
{
	static uint64_t state = 42;

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return state >> 33;
}

static double absurd_s(void)
{
	static const double values[] = { 0,	 -1,   NAN,    INFINITY, -INFINITY, 1e300,
					 1e-300, 1e-7, 0.0251, 0.005,	 1,	    5e3 };

	return values[chance() % NR(values)];
}

static uint64_t absurd_count(void)
{
	static const uint64_t values[] = { 0, 1, 2, 199, 200, 100000, UINT32_MAX, UINT64_MAX };

	return values[chance() % NR(values)];
}

static uint32_t absurd_id(uint32_t nr)
{
	uint64_t kind = chance() % 16;

	return kind == 0 ? UINT32_MAX : (uint32_t)(chance() % (nr + (kind == 1)));
}

enum { ABSURD = 12, SITES = 5, ROOTS = 3 };

struct absurd {
	struct estimate_refill refills[ABSURD];
	struct estimate_gaps gaps[ABSURD];
	struct estimate_hit hits[ABSURD];
	struct estimate_unit unit;
};

static uint32_t absurd_class(void)
{
	return chance() % 4 ? (uint32_t)(chance() % 3) * 34 : absurd_id(ESTIMATE_SUMS_NR);
}

static void absurd_init(struct absurd *a)
{
	for (size_t i = 0; i < ABSURD; i++) {
		a->refills[i] = (struct estimate_refill){ absurd_id(ROOTS), absurd_class(),
							  absurd_count() };
		a->gaps[i] = (struct estimate_gaps){ absurd_id(ROOTS), (uint32_t)absurd_count(),
						     absurd_s() };
		a->hits[i] = (struct estimate_hit){ absurd_id(SITES), absurd_id(ROOTS),
						    absurd_class(),   absurd_count(),
						    absurd_count(),   0 };
	}
	a->unit = (struct estimate_unit){
		.slot_s = absurd_s(),
		.refill_s = absurd_s(),
		.kept_s = absurd_s(),
		.refills = a->refills,
		.gaps = a->gaps,
		.hits = a->hits,
		.refills_nr = chance() % ABSURD,
		.gaps_nr = chance() % ABSURD,
		.hits_nr = chance() % ABSURD,
	};
}

/* Numbers, in order, that add up. */
static void assert_sound(const struct estimate_span *span, const struct estimate_result *r)
{
	double sums[ESTIMATE_SUMS_NR] = { 0 };

	for (size_t i = 0; i < r->parts_nr; i++) {
		const struct estimate_part *p = &r->parts[i];
		assert_true(p->site < SITES && p->size_class < ESTIMATE_SUMS_NR);
		assert_true(isfinite(p->objects) && p->objects > 0);
		assert_true(isfinite(p->variance) && p->variance >= 0);
		assert_true(isfinite(p->systematic) && p->systematic >= 0);
		assert_true(i == 0 || p[-1].site < p->site ||
			    (p[-1].site == p->site && p[-1].size_class < p->size_class));
		sums[p->size_class] += p->objects;
	}
	for (size_t c = 0; c < ESTIMATE_SUMS_NR; c++) {
		double of = (double)(c < ESTIMATE_CLASS_NR ? span->objects[c] : span->large_bytes);
		assert_true(isfinite(r->unsampled[c]) && r->unsampled[c] >= 0);
		assert_near(sums[c] + r->unsampled[c], of, of * 1e-9);
	}
	assert_true(r->dilation == 0 || (r->dilation >= 1 && isfinite(r->dilation)));
}

static void absurd_numbers_do_no_harm(void **state)
{
	struct absurd units[70];
	const struct estimate_unit *all[NR(units)];
	struct estimate_sampled sampled[ABSURD];

	(void)state;
	for (size_t i = 0; i < NR(units); i++)
		all[i] = &units[i].unit;
	for (int n = 0; n < 2000; n++) {
		struct estimate_span span = {
			.wall_s = absurd_s(),
			.hit_s = chance() % 2 ? absurd_s() : HIT_S,
			.units = all,
			.units_nr = chance() % (n % 50 ? 12 : NR(units)),
			.sampled = sampled,
			.sampled_nr = chance() % ABSURD,
			.mem_profile_rate = chance() % 2 ? absurd_count() : 0,
			.sites_nr = SITES,
			.roots_nr = ROOTS,
		};
		for (size_t i = 0; i < span.units_nr; i++)
			absurd_init(&units[i]);
		for (size_t i = 0; i < ABSURD; i++)
			sampled[i] = (struct estimate_sampled){ absurd_id(SITES), absurd_class(),
								absurd_count(), absurd_s(),
								absurd_s() };
		span.large_bytes = absurd_count();
		for (size_t c = 0; c < ESTIMATE_CLASS_NR; c++)
			span.objects[c] = absurd_count();
		struct estimate_result r = run(&span);
		assert_sound(&span, &r);
		estimate_free(&r);
	}
}

/* --- intervals ---------------------------------------------------------------------------------- */

static void half_widths_are_students(void **state)
{
	(void)state;
	assert_near(estimate_half_width(1, 0, 8), 2.3646, 2e-4);
	assert_near(estimate_half_width(1, 0, 11), 2.2281, 2e-4);
	assert_near(estimate_half_width(1, 0, 31), 2.0423, 2e-4);
	assert_near(estimate_half_width(1, 0, 0), 1.9600, 2e-4);
	assert_near(estimate_half_width(4, 0, 0), 2 * 1.9600, 4e-4);
	assert_near(estimate_half_width(0, 3, 0), 3, 1e-9);
	assert_near(estimate_half_width(1, 3, 0), sqrt(9 + 1.96 * 1.96), 1e-3);
	assert_true(estimate_half_width(1, 0, SIZE_MAX) < 2);
	assert_true(isnan(estimate_half_width(1, 0, ESTIMATE_UNITS_MIN - 1)));
	assert_true(isnan(estimate_half_width(1, 0, 1)));
	assert_near(estimate_half_width(-1, 0, 0), 0, 1e-9);
}

/* A recording may name as many roots as it has rows: what is kept of each is little then. */
static void many_roots_are_kept_small(void **state)
{
	enum { MANY_ROOTS = 200 * 1000, MANY_UNITS = 70, EACH = MANY_ROOTS / MANY_UNITS };
	static struct estimate_hit hits[MANY_UNITS * EACH];
	static struct estimate_unit units[MANY_UNITS];
	const struct estimate_unit *all[MANY_UNITS];
	struct estimate_span span = {
		.wall_s = 70, .hit_s = 5e-6, .units = all, .units_nr = MANY_UNITS
	};
	struct units u;

	(void)state;
	for (uint32_t i = 0; i < MANY_UNITS * EACH; i++)
		hits[i] = (struct estimate_hit){ i % 3, i, 5, i % 7 ? 1 : UINT64_MAX / 4, 0, 0 };
	for (size_t i = 0; i < MANY_UNITS; i++) {
		units[i] = (struct estimate_unit){ .slot_s = 1,
						   .refill_s = i % 2 ? 0.02 : 0,
						   .kept_s = i % 5 ? 0.005 : (double)NAN,
						   .hits = &hits[i * EACH],
						   .hits_nr = EACH };
		all[i] = &units[i];
	}
	span.objects[5] = UINT64_MAX / 4;
	span.sites_nr = 3;
	span.roots_nr = MANY_ROOTS;
	assert_int_equal(units_init(&u, &span), 0);
	assert_true(u.pairs_nr > 100 * 1000);
	assert_int_equal(u.groups_nr, ESTIMATE_UNITS_MIN);
	units_deinit(&u);

	struct estimate_result r;
	assert_int_equal(estimate(&span, &r), 0);
	for (size_t i = 0; i < r.parts_nr; i++)
		assert_true(isfinite(r.parts[i].objects) && isfinite(r.parts[i].variance));
	estimate_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_are_by_refills_and_sites_by_hits),
		cmocka_unit_test(dilation_of_refills_is_taken_out),
		cmocka_unit_test(what_has_no_hit_is_unsampled),
		cmocka_unit_test(hits_count_for_what_they_stand_for),
		cmocka_unit_test(longer_units_are_enough),
		cmocka_unit_test(hits_without_refills_are_scaled_by_their_root),
		cmocka_unit_test(few_refills_are_bounded_by_hits),
		cmocka_unit_test(variance_is_the_jackknife),
		cmocka_unit_test(many_units_are_grouped),
		cmocka_unit_test(windows_without_refills_are_shares_of_hits),
		cmocka_unit_test(samples_share_their_class),
		cmocka_unit_test(few_samples_of_one_site_are_not_all),
		cmocka_unit_test(few_samples_and_windows_are_both_used),
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(absurd_numbers_do_no_harm),
		cmocka_unit_test(half_widths_are_students),
		cmocka_unit_test(many_roots_are_kept_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
