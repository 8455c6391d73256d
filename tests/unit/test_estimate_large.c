/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Estimates of large objects, which are of any size, of programs whose truth is known, 200 seeds each: rare ones of 1 MiB
 * beside those of 40 KiB, by the runtime's samples and by windows. Objects and bytes are covered apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/go_sim.h"

enum { SEEDS = 200, SITES = 3, KIB = 1024 };

/* Of one site: large objects of two sizes, the second as often as the first; 0: there is no second. */
struct large_site {
	uint32_t kib, other_kib;
};

/* How far off sites were, by the mean of all seeds, and how often intervals covered: [0] objects, [1] bytes. */
struct large_sums {
	double covered[2], bias[SITES][2], half_widths[SITES][2];
};

static void compare_large(const struct estimate_result *r, const double truth[SITES][2],
			  size_t sites_nr, struct large_sums *sums)
{
	for (size_t i = 0; i < sites_nr * 2; i++) {
		size_t site = i / 2, of = i % 2;
		double found = 0, half_width = 0;
		for (size_t k = 0; k < r->parts_nr; k++) {
			const struct estimate_part *part = &r->parts[k];
			if (part->site != site ||
			    part->size_class != (of ? ESTIMATE_LARGE_BYTES : ESTIMATE_CLASS_LARGE))
				continue;
			found = part->objects;
			half_width = estimate_half_width(part->variance, part->systematic,
							 r->units_nr);
		}
		sums->covered[of] += (double)(fabs(found - truth[site][of]) <= half_width + 1) /
				     (double)(SEEDS * sites_nr);
		sums->bias[site][of] += (found / truth[site][of] - 1) / SEEDS;
		sums->half_widths[site][of] += half_width / truth[site][of] / SEEDS;
	}
}

static void assert_large(const struct large_sums *sums, size_t sites_nr, double bias,
			 const char *name)
{
	print_message("%s: cover %.3f %.3f", name, sums->covered[0], sums->covered[1]);
	for (size_t i = 0; i < sites_nr; i++)
		print_message(", %+.3f %+.3f (+-%.2f %.2f)", sums->bias[i][0], sums->bias[i][1],
			      sums->half_widths[i][0], sums->half_widths[i][1]);
	print_message("\n");
	for (size_t of = 0; of < 2; of++) {
		assert_true(sums->covered[of] >= 0.93);
		for (size_t i = 0; i < sites_nr; i++)
			assert_true(fabs(sums->bias[i][of]) <= bias);
	}
}

/* What the runtime samples of so many objects of each site. */
static void sample_large(struct sim_random *random, const struct large_site *sites,
			 const size_t *objects, size_t sites_nr, struct estimate_sampled *ret)
{
	const uint64_t rate = 512 * KIB;

	for (size_t i = 0; i < sites_nr; i++) {
		struct estimate_sampled *of[] = { &ret[2 * i], &ret[2 * i + 1] };
		*of[0] = (struct estimate_sampled){ (uint32_t)i, ESTIMATE_CLASS_LARGE, 0, 0, 0 };
		*of[1] = (struct estimate_sampled){ (uint32_t)i, ESTIMATE_LARGE_BYTES, 0, 0, 0 };
		for (size_t k = 0; k < objects[i]; k++) {
			bool other = k % 2 && sites[i].other_kib;
			uint64_t size = (uint64_t)(other ? sites[i].other_kib : sites[i].kib) * KIB;
			const struct estimate_large n = estimate_large(size, size, rate);
			if (sim_uniform(random) >= 1 - exp(-(double)size / (double)rate))
				continue;
			of[0]->samples++;
			of[0]->weight += n.objects;
			of[0]->noise += n.objects_variance;
			of[1]->samples++;
			of[1]->weight += n.bytes;
			of[1]->noise += n.bytes_variance;
		}
	}
}

static struct large_sums simulate_samples(const struct large_site *sites, const size_t *objects,
					  size_t sites_nr)
{
	struct estimate_sampled sampled[2 * SITES];
	double truth[SITES][2] = { 0 };
	struct large_sums sums = { 0 };
	struct estimate_span span = {
		.wall_s = 10,
		.sampled = sampled,
		.sampled_nr = 2 * sites_nr,
		.mem_profile_rate = 512 * KIB,
		.sites_nr = sites_nr,
	};

	for (size_t i = 0; i < sites_nr; i++) {
		size_t others = sites[i].other_kib ? objects[i] / 2 : 0;
		truth[i][0] = (double)objects[i];
		truth[i][1] = (double)((objects[i] - others) * sites[i].kib +
				       others * sites[i].other_kib) *
			      KIB;
		span.objects[ESTIMATE_CLASS_LARGE] += objects[i];
		span.large_bytes += (uint64_t)truth[i][1];
	}
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct sim_random random = { seed * 7919 };
		struct estimate_result r;
		sample_large(&random, sites, objects, sites_nr, sampled);
		assert_int_equal(estimate(&span, &r), 0);
		compare_large(&r, truth, sites_nr, &sums);
		estimate_free(&r);
	}
	return sums;
}

/* Objects of 1 MiB are sampled 11 times as often as those of 40 KiB. */
static void samples_of_large_objects_have_weights(void **state)
{
	static const struct large_site sites[] = { { 40, 0 }, { 1024, 0 }, { 40, 1024 } };
	static const struct {
		size_t objects[SITES], nr;
		double bias;
	} cases[] = {
		{ { 20000, 400, 400 }, 3, 0.02 },
		{ { 20000, 400 }, 2, 0.02 },
		{ { 2000, 40 }, 2, 0.03 },
		{ { 400, 20 }, 2, 0.03 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct large_sums sums = simulate_samples(sites, cases[i].objects, cases[i].nr);
		assert_large(&sums, cases[i].nr, cases[i].bias, "samples of large objects");
	}

	/*
	 * What isn't met: a site has 20 of either size, and in one run out of five not one of the small ones is sampled, so
	 * nothing tells that there are any. Of its bytes they are next to nothing.
	 */
	static const size_t few[] = { 2000, 40, 40 };
	struct large_sums sums = simulate_samples(sites, few, SITES);
	assert_true(sums.covered[0] < 0.93);
	assert_true(sums.covered[1] >= 0.93);
}

/* Site 1: of 40 KiB; site 2: of 1 MiB, a hundredth as often; small ones between them. */
static struct sim_program large_of_one_root(void)
{
	enum { LEN = 2000 };
	static struct sim_step steps[LEN];

	for (uint16_t i = 0; i < LEN; i++)
		steps[i] = i % 1000 == 17 ? (struct sim_step){ 2, 0, 1024 * KIB }
			   : i % 10 == 5  ? (struct sim_step){ 1, 0, 40 * KIB }
					  : (struct sim_step){ 0, 6, 0 };
	struct sim_worker w = {
		.goroutines = 16,
		.steps = steps,
		.steps_nr = LEN,
		.op_len = 200,
		.anywhere = true,
		.mixed = true,
		.gap_s = 1.3e-6,
		.pause_s = 4e-3,
	};
	return (struct sim_program){ { w }, 1, 3, 2 };
}

/* The same, by goroutines that do little else. */
static struct sim_program large_of_two_roots(void)
{
	static const struct sim_step of_40[] = { { 0, 6, 0 }, { 1, 0, 40 * KIB } };
	static const struct sim_step of_1024[] = { { 0, 6, 0 }, { 2, 0, 1024 * KIB } };
	struct sim_worker w = {
		.goroutines = 8,
		.steps = of_40,
		.steps_nr = 2,
		.op_len = 40,
		.mixed = true,
		.gap_s = 1.3e-6,
		.pause_s = 5e-3,
	};
	struct sim_program p = { { w, w }, 2, 3, 2 };

	p.workers[1].root = 1;
	p.workers[1].steps = of_1024;
	p.workers[1].op_len = 2;
	p.workers[1].pause_s = 20e-3;
	return p;
}

static struct large_sums simulate_windows(struct sim_program p, const struct sim_tracing *t)
{
	static struct sim_unit units[SIM_UNITS_MAX];
	const struct estimate_unit *of[SIM_UNITS_MAX];
	double rates[SIM_SITES_MAX], truth[SITES][2];
	struct large_sums sums = { 0 };
	struct estimate_span span = {
		.wall_s = t->slot_s * (double)t->units_nr,
		.hit_s = SIM_HIT_S,
		.units = of,
		.units_nr = t->units_nr,
		.sites_nr = p.sites_nr,
		.roots_nr = SIM_ROOTS_MAX,
	};

	sim_truth(&p, 2, rates);
	for (size_t i = 0; i < 2; i++) {
		truth[i][0] = rates[i + 1] * span.wall_s;
		truth[i][1] = truth[i][0] * (i ? 1024 : 40) * KIB;
		span.objects[ESTIMATE_CLASS_LARGE] += (uint64_t)truth[i][0];
		span.large_bytes += (uint64_t)truth[i][1];
	}
	span.objects[6] = (uint64_t)(rates[0] * span.wall_s);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct estimate_result r;
		for (size_t i = 0; i < t->units_nr; i++) {
			sim_window(&p, t, seed, i, &units[i]);
			of[i] = &units[i].unit;
		}
		assert_int_equal(estimate(&span, &r), 0);
		for (size_t i = 0; i < r.parts_nr; i++)
			r.parts[i].site--; /* of the small ones' site there is none */
		compare_large(&r, truth, 2, &sums);
		estimate_free(&r);
	}
	return sums;
}

static void windows_tell_bytes_of_large_objects(void **state)
{
	static const struct sim_tracing t = {
		.slot_s = 0.5,
		.units_nr = 20,
		.refill_s = 0.025,
		.refill_hits = 600,
		.attach_s = 0.0005,
		.exact_s = 0.016,
		.exact_hits = 2000,
		.burn_in = 0.3,
		.jitter = 0.3,
		.refill_cost = 1.15,
	};

	(void)state;
	struct large_sums sums = simulate_windows(large_of_one_root(), &t);
	assert_large(&sums, 2, 0.05, "large objects of one root");
	sums = simulate_windows(large_of_two_roots(), &t);
	/* No refills tell how much each root allocates, only how much windows slow it down. */
	assert_large(&sums, 2, 0.08, "large objects of two roots");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_of_large_objects_have_weights),
		cmocka_unit_test(windows_tell_bytes_of_large_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
