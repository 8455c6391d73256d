/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Goroutines that use maps, as windows meet them: how often they would have without is never less than was seen, and
 * never more than the bound; and where they are hardly slowed down the bound is narrow. Costs of hits vary, and are not what
 * the bound is told.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "estimate/slowed.h"

enum { SEEDS = 50, HITS_MAX = 1024, KEPT_HITS = 700 };

static const double hit_s = 5.4e-6, told_s = 5.0e-6, kept_s = 5.6e-3;

/* A window, while it fills. */
struct window {
	struct slowed_hit hits[HITS_MAX];
	size_t nr;
	double now_s; /* since it began */
	uint64_t random;
};

static double uniform(struct window *w)
{
	w->random = w->random * 6364136223846793005U + 1442695040888963407U;
	return (double)(w->random >> 11) / (double)(1ULL << 53);
}

static bool is_open(const struct window *w)
{
	return w->now_s < kept_s && w->nr < KEPT_HITS;
}

static void hit(struct window *w, uint64_t goid, uint64_t map, uint32_t tid)
{
	if (!is_open(w))
		return;
	w->hits[w->nr++] = (struct slowed_hit){
		.mono_ns = 1000 + (uint64_t)(w->now_s * 1e9), .goid = goid, .map = map, .tid = tid
	};
	w->now_s += hit_s * (0.95 + 0.1 * uniform(w));
}

/* --- programs: what windows meet; each returns how many calls there are in a second without ------------------------ */

static double loop_of(struct window *w, double gap_s)
{
	w->now_s = uniform(w) * gap_s;
	while (is_open(w)) {
		hit(w, 1, 0xa000, 1);
		w->now_s += gap_s * (0.5 + uniform(w));
	}
	return 1 / gap_s;
}

static double tight_loop(struct window *w)
{
	return loop_of(w, 20e-9);
}

static double loop_as_long_as_a_hit(struct window *w)
{
	return loop_of(w, 5.4e-6);
}

static double slow_loop(struct window *w)
{
	return loop_of(w, 40e-6);
}

static double now_and_then(struct window *w)
{
	return loop_of(w, 700e-6);
}

/* By the clock: a few calls every millisecond, whatever they cost. */
static double by_the_clock(struct window *w)
{
	double at_s = 1e-3 * uniform(w);

	for (; at_s < kept_s; at_s += 1e-3) {
		w->now_s = at_s;
		for (int i = 0; i < 20; i++) {
			hit(w, 1, 0xa000, 1);
			w->now_s += 50e-9;
		}
	}
	w->now_s = kept_s;
	return 20 / 1e-3;
}

/* Eight goroutines on two threads, which take turns at one lock. */
static double at_one_lock(struct window *w)
{
	for (unsigned int i = 0; is_open(w); i++) {
		hit(w, 1 + i % 8, 0xa000, 1 + i % 2);
		w->now_s += 150e-9;
	}
	return 1 / 150e-9;
}

/* Many goroutines on one thread, each with a map of its own: there is always another that wants the CPU. */
static double for_one_cpu(struct window *w)
{
	for (uint64_t i = 0; is_open(w); i++) {
		for (int k = 0; k < 5; k++) {
			hit(w, 1 + i % 30, 0xa000 + i % 30, 1);
			w->now_s += 2e-6;
		}
	}
	return 1 / 2e-6;
}

/* The kernel gives the CPU to another process every half millisecond. */
static double taken_turns(struct window *w)
{
	while (is_open(w)) {
		for (double end_s = w->now_s + 0.5e-3; is_open(w) && w->now_s < end_s;
		     w->now_s += 20e-9)
			hit(w, 1, 0xa000, 1);
		w->now_s += 1.5e-3;
	}
	return 0.25 / 20e-9;
}

/* A tight loop that has its thread to itself for a part of the window only: another has it before, or after. */
static double for_a_slice(struct window *w)
{
	double share = 0.45 + 0.5 * uniform(w);
	double begin_s = uniform(w) < 0.5 ? 0 : (1 - share) * 3.5e-3;

	w->now_s = begin_s;
	while (is_open(w) && w->now_s < begin_s + share * 7e-3) {
		hit(w, 1, 0xa000, 1);
		w->now_s += 20e-9;
	}
	return (w->now_s - begin_s) / 20e-9 / w->now_s;
}

/* What was seen, and what there is without, of which the bound is made. */
struct sums {
	double seen, truth, most;
};

static void add_window(double (*program)(struct window *w), uint64_t seed, struct sums *sums)
{
	static struct window window;
	struct window *w = &window;

	*w = (struct window){ .random = seed };
	double rate = program(w);
	double to_s = fmin(w->now_s, kept_s);

	slowed_at_most(w->hits, w->nr, 1000, 1000 + (uint64_t)(to_s * 1e9), told_s);
	for (size_t i = 0; i < w->nr; i++)
		sums->most += w->hits[i].most;
	sums->seen += (double)w->nr;
	sums->truth += rate * to_s;
}

static void truth_is_within(void **state)
{
	static const struct {
		double (*program)(struct window *w);
		double most; /* what the bound is to be, no more */
		bool apart; /* it is so wide that no number can be shown */
	} cases[] = {
		{ now_and_then, 1.02, false }, { slow_loop, 1.3, false },
		{ by_the_clock, 1.25, false }, { loop_as_long_as_a_hit, 3, false },
		{ for_one_cpu, 1e4, true },    { tight_loop, 1e4, true },
		{ at_one_lock, 1e4, true },    { for_a_slice, 1e4, true },
		{ taken_turns, 1e4, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sums sums = { 0 };

		for (uint64_t seed = 1; seed <= SEEDS; seed++)
			add_window(cases[i].program, seed, &sums);
		double truth = sums.truth / sums.seen, most = sums.most / sums.seen;
		/* What is seen is the least; a window begins and ends somewhere between two calls. */
		if (truth < 0.99)
			fail_msg("%zu: %f times of what was seen", i, truth);
		if (truth > most * 1.01 || most > cases[i].most || (most > 4) != cases[i].apart)
			fail_msg("%zu: %f, but at most %f", i, truth, most);
	}
}

static void put_hit(struct slowed_hit *v, size_t *nr, uint64_t mono_ns, uint32_t who)
{
	v[*nr] = (struct slowed_hit){ mono_ns, who, 0xa000 + who, who, (uint32_t)*nr, 0 };
	(*nr)++;
}

/* A slow user beside a tight loop, on threads of their own: the loop's hits are not its. */
static void neighbours_are_told_apart(void **state)
{
	struct slowed_hit v[HITS_MAX];
	size_t nr = 0;

	(void)state;
	for (uint64_t at = 1000; nr < 700; at += 5420)
		put_hit(v, &nr, at, 1);
	uint64_t to_ns = v[nr - 1].mono_ns + 5400;
	for (uint64_t at = 300000; at < to_ns; at += 1000000)
		put_hit(v, &nr, at, 2);
	slowed_at_most(v, nr, 1000, to_ns, told_s);
	for (size_t i = 0; i < nr; i++) {
		if (v[i].goid == 1)
			assert_true(v[i].most > 100);
		else /* It may have wanted the loop's CPU. */
			assert_true(v[i].most >= 1 && v[i].most < 3);
		assert_int_equal(v[i].goid == 2, v[i].id >= 700);
	}
}

static void odd_numbers_have_bounds(void **state)
{
	static const double hits[] = { 0, -1, NAN, INFINITY, 1e300, 1e-300 };
	struct slowed_hit v[] = {
		{ UINT64_MAX, 1, 1, 1, 0, 0 },
		{ 0, 1, 1, 1, 1, 0 },
		{ 5, 0, 0, 0, 2, 0 },
	};

	(void)state;
	slowed_at_most(v, 0, 0, 0, 1);
	for (size_t i = 0; i < sizeof(hits) / sizeof(hits[0]); i++) {
		slowed_at_most(v, 3, i % 2 ? 10 : 0, i % 3 ? 5 : UINT64_MAX, hits[i]);
		for (size_t k = 0; k < 3; k++)
			assert_true(v[k].most >= 1 && isfinite(v[k].most));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(truth_is_within),
		cmocka_unit_test(neighbours_are_told_apart),
		cmocka_unit_test(odd_numbers_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
