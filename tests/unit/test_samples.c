/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples in the model and its snapshots: that tables add up to the runtime's totals, what shares an interval has, that
 * phases weigh what they allocated, and that nothing grows with the session.
 */
#include "heap_used.h"
#include "sample_samples.h"

#include <math.h>

#include "model/sample_tables.h"

static const struct snapshot_site *find(const struct snapshot *s, const char *func,
					const char *type)
{
	for (size_t i = 0; i < s->sites_nr; i++)
		if (!strcmp(s->sites[i].stack->frames[0]->func, func) &&
		    !strcmp(s->sites[i].type, type))
			return &s->sites[i];
	return NULL;
}

static uint64_t objects_of(const struct snapshot *s, const char *func, const char *type)
{
	const struct snapshot_site *site = find(s, func, type);

	return site ? site->count.objects : 0;
}

static void add_count(struct snapshot_count *sum, struct snapshot_count n)
{
	sum->objects += n.objects;
	sum->bytes += n.bytes;
}

static void assert_count(struct snapshot_count n, struct snapshot_count expected)
{
	assert_int_equal(n.objects, expected.objects);
	assert_int_equal(n.bytes, expected.bytes);
}

static void assert_sums(const struct snapshot *s)
{
	struct snapshot_count sites = { 0 }, types = { 0 }, sizes = { 0 }, flat = { 0 };

	for (size_t i = 0; i < s->sites_nr; i++)
		add_count(&sites, s->sites[i].count);
	for (size_t i = 0; i < s->types_nr; i++)
		add_count(&types, s->types[i].count);
	for (size_t i = 0; i < s->sizes_nr; i++)
		add_count(&sizes, s->sizes[i].count);
	for (size_t i = 0; i < s->funcs_nr; i++)
		add_count(&flat, s->funcs[i].flat);
	assert_count(sites, s->total);
	assert_count(types, s->total);
	assert_count(sizes, s->total);
	assert_count(flat, s->total);
}

static void assert_near(double value, double expected, double share)
{
	if (!(fabs(value - expected) <= share * expected))
		fail_msg("%f is not within %f of %f", value, share * expected, expected);
}

static void roots_are_outermost_functions(void **state)
{
	static const struct {
		const char *stack, *root;
		bool cut;
	} cases[] = {
		{ "runtime.mallocgc;main.f;net/http.(*conn).serve;runtime.goexit",
		  "net/http.(*conn).serve", false },
		{ "runtime.mallocgc;main.f;main.main;runtime.main;runtime.goexit", "main.main",
		  false },
		{ "runtime.mallocgc;runtime.sweepone;runtime.bgsweep;runtime.goexit",
		  "runtime.bgsweep", false },
		{ "runtime.goexit", "runtime.goexit", false },
		/* All that are cut are one, whatever the first function of all is. */
		{ "runtime.mallocgc;main.f;main.g", "runtime.mallocgc", true },
		{ "runtime.mallocgc;runtime.newobject", "runtime.mallocgc", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_model_ *m = new_model();
		uint32_t root = model_root(m, sample_stack(m, cases[i].stack, cases[i].cut));
		assert_string_equal(m->funcs.rows[root]->key.name, cases[i].root);
	}
}

/* With no evidence of anything, the totals are there all the same. */
static void totals_need_no_samples(void **state)
{
	_model_ *m = new_model();
	struct model_class_counts counts = { 0 };

	(void)state;
	sample_sampled(m);
	sample_totals(m, &counts, 1000);
	model_set_totals(m, 5, 5);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_sums(s);
	assert_int_equal(s->total.objects, 5 * 1000 + 1);
	assert_int_equal(s->total.bytes, 1000 * (48 + 16) + 1048576);
	assert_int_equal(s->sites_nr, 1);
	assert_string_equal(s->sites[0].type, SNAPSHOT_UNSAMPLED);
	assert_string_equal(s->sites[0].stack->frames[0]->func, SNAPSHOT_UNSAMPLED);
	assert_true(isnan(s->sites[0].ci95.objects) && isnan(s->types[0].ci95.bytes));
	assert_int_equal(s->samples.unsampled_objects, 5 * 1000 + 1);
	assert_int_equal(s->samples.unsampled_bytes, 1000 * (48 + 16) + 1048576);
	assert_true(s->samples.on);
	assert_int_equal(s->samples.shares_to_ns, 0);
	assert_int_equal(s->sizes_nr, 4);
}

static void windows_divide_the_totals(void **state)
{
	_model_ *m = sampled_model(20, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	uint64_t all = 20 * 300000 + 1000 * 210;

	(void)state;
	assert_sums(s);
	assert_int_equal(s->total.objects, 5 * all + 20);
	assert_int_equal(s->total.bytes, all * (48 + 16) + 20 * 1048576);
	assert_near((double)objects_of(s, "main.parse", "main.T"), (double)all * 2 / 3, 0.05);
	assert_near((double)objects_of(s, "main.step", "main.T"), (double)all / 3, 0.05);
	assert_int_equal(objects_of(s, "main.parse", "int"), 4 * all);
	assert_int_equal(find(s, "main.parse", "int")->count.bytes, 16 * all);
	/* What was counted is no estimate. */
	const struct snapshot_site *large = find(s, "main.load", "[]uint8");
	assert_int_equal(large->count.objects, 20);
	assert_int_equal(large->count.bytes, 20 * 1048576);
	assert_true(large->ci95.objects == 0 && large->ci95.bytes == 0);
	const struct snapshot_site *small = find(s, "main.parse", "main.T");
	assert_true(small->ci95.objects > 0 && small->ci95.objects < (double)all / 4);
	assert_near(small->ci95.bytes, 48 * small->ci95.objects, 1e-6);
	assert_null(find(s, SNAPSHOT_UNSAMPLED, SNAPSHOT_UNSAMPLED));
	assert_int_equal(s->samples.units, 40);
	assert_int_equal(s->samples.shares_from_ns, SAMPLE_START);
	assert_int_equal(s->samples.cost.hits, 20 * 1500 + 210);
}

/* Numbers of class 2 and of tiny objects are as the runtime counts them. */
static void sizes_are_the_runtimes(void **state)
{
	_model_ *m = sampled_model(10, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ .sort = SNAPSHOT_OBJECTS });
	uint64_t all = 10 * 300000 + 1000 * 55;

	(void)state;
	assert_int_equal(s->sizes_nr, 4);
	assert_int_equal(s->sizes[0].size_class, MODEL_CLASS_TINY);
	assert_count(s->sizes[0].count, (struct snapshot_count){ 3 * all, 0 });
	assert_int_equal(s->sizes[1].size_class, 5);
	assert_count(s->sizes[1].count, (struct snapshot_count){ all, 48 * all });
	assert_int_equal(s->sizes[2].size_class, 2);
	assert_count(s->sizes[2].count, (struct snapshot_count){ all, 16 * all });
	assert_int_equal(s->sizes[3].size_class, MODEL_CLASS_LARGE);
	assert_count(s->sizes[3].count, (struct snapshot_count){ 10, 10 * 1048576 });
}

static void too_few_windows_have_no_interval(void **state)
{
	_model_ *m = sampled_model(2, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });

	(void)state;
	assert_sums(s);
	assert_true(isnan(find(s, "main.parse", "main.T")->ci95.objects));
	assert_true(find(s, "main.load", "[]uint8")->ci95.objects == 0);
}

/* Sites that look the same are one, with the errors of both. */
static void merged_sites_add_their_variances(void **state)
{
	_model_ *m = sampled_model(20, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	double a = find(s, "main.parse", "main.T")->ci95.objects;
	double b = find(s, "main.step", "main.T")->ci95.objects;
	double type = 0;

	(void)state;
	for (size_t i = 0; i < s->types_nr; i++)
		if (!strcmp(s->types[i].name, "main.T"))
			type = s->types[i].ci95.objects;
	assert_true(type >= fmax(a, b));
	assert_true(type <= (a + b) * 1.000001);
	assert_true(type >= hypot(a, b) * 0.999999);
}

/* An interval has its own totals, divided by what all kept windows saw. */
static void an_interval_has_older_shares(void **state)
{
	_model_ *m = sampled_model(40, NULL, NULL);
	struct model_class_counts counts = m->samples->marks[SAMPLE_NOW].all;
	uint64_t from = model_meta(m)->end_mono_ns;

	(void)state;
	model_next_interval(m, from);
	sample_totals(m, &counts, 9000);
	model_meta(m)->end_mono_ns = from + SAMPLE_S;
	_snapshot_ *s = take(m, (struct snapshot_opts){ .interval = true });
	assert_sums(s);
	assert_int_equal(s->total.objects, 5 * 9000 + 1);
	assert_near((double)objects_of(s, "main.parse", "main.T"), 6000, 0.05);
	assert_int_equal(objects_of(s, "main.parse", "int"), 4 * 9000);
	/* Nobody counted the large one yet. */
	assert_int_equal(s->samples.unsampled_objects, 1);
	assert_int_equal(s->samples.unsampled_bytes, 1048576);
	assert_true(s->samples.units >= SAMPLES_STRATUM_UNITS);
	assert_true(s->samples.units < 3 * SAMPLES_STRATUM_UNITS);
	assert_true(s->samples.shares_from_ns < from - UINT64_C(7) * SAMPLE_S);
	assert_true(s->samples.shares_to_ns < from);
}

/*
 * First one root allocates much, then the other a hundredth of that, and all windows see as much of both: by
 * windows they would be alike. Phases are of four strata each.
 */
static void phases_weigh_what_they_allocated(void **state)
{
	_model_ *m = new_model();
	struct sample_sites sites = sample_sampled(m);
	struct model_class_counts counts = { 0 };

	(void)state;
	sample_meta(m);
	for (unsigned int n = 0; n < 64; n++) {
		bool first = n < 32;
		uint64_t from = SAMPLE_START + (uint64_t)n * SAMPLE_S;
		for (unsigned int i = 0; i < 2; i++)
			sample_window(m, &sites, from + i, first ? 1000 : 1, first ? 1 : 1000);
		sample_totals(m, &counts, first ? 1000000 : 10000);
		model_meta(m)->end_mono_ns = from + SAMPLE_S;
		model_next_interval(m, from + SAMPLE_S);
	}
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_sums(s);
	assert_near((double)objects_of(s, "main.parse", "main.T"), 32e6, 0.002);
	assert_near((double)objects_of(s, "main.step", "main.T"), 32 * 10000 + 32 * 1000, 0.002);
}

static void add_sampled(struct model *m, const struct sample_sites *s, uint64_t small,
			uint64_t other, uint64_t rate)
{
	model_add_sampled(m, s->small, small, rate);
	model_add_sampled(m, s->other, other, rate);
	model_add_sampled(m, s->tiny, small, rate);
}

static void the_runtimes_samples_divide_the_totals(void **state)
{
	_model_ *m = new_model();
	struct sample_sites sites = sample_sampled(m);
	struct model_class_counts counts = { 0 };

	(void)state;
	sample_totals(m, &counts, 100000);
	add_sampled(m, &sites, 750, 250, 524288);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_sums(s);
	assert_int_equal(s->samples.mem_profile_rate, 524288);
	assert_int_equal(s->samples.sampled, 1750);
	assert_int_equal(s->samples.units, 0);
	assert_int_equal(objects_of(s, "main.parse", "main.T"), 75000);
	assert_int_equal(objects_of(s, "main.step", "main.T"), 25000);
	/* Those that share a block divide as the blocks do. */
	assert_int_equal(objects_of(s, "main.parse", "int"), 400000);
	double ci95 = find(s, "main.parse", "main.T")->ci95.objects;
	assert_true(ci95 > 1000 && ci95 < 10000);
}

static struct snapshot_count count_of(const struct snapshot *s, const char *func)
{
	const struct snapshot_site *site = find(s, func, "[]uint8");

	return site ? site->count : (struct snapshot_count){ 0, 0 };
}

static void large_totals(struct model *m, struct model_class_counts *counts, uint64_t large,
			 uint64_t buffers)
{
	counts->objects[MODEL_CLASS_LARGE] += large + buffers;
	counts->large_bytes += large * SAMPLE_LARGE + buffers * SAMPLE_BUFFER;
	model_set_class_counts(m, counts);
}

/* Of 40 KiB one in 13.3 is sampled, of a MiB one in 1.16. */
static void large_samples_stand_for_more_the_smaller_they_are(void **state)
{
	_model_ *m = new_model();
	struct sample_sites sites = sample_sampled(m);
	struct model_class_counts counts = { 0 };

	(void)state;
	sample_meta(m);
	for (unsigned int n = 0; n < 2; n++) {
		uint64_t to = SAMPLE_START + (uint64_t)(n + 1) * SAMPLE_S;
		large_totals(m, &counts, 13305, 1157);
		sample_large_sampled(m, &sites, 1000, 1000);
		model_meta(m)->end_mono_ns = to;
		_snapshot_ *s = take(m, (struct snapshot_opts){ .interval = true });
		assert_sums(s);
		struct snapshot_count large = count_of(s, "main.load");
		struct snapshot_count buffers = count_of(s, "main.grow");
		assert_near((double)large.objects, 13305, 0.002);
		assert_near((double)buffers.objects, 1157, 0.002);
		assert_near((double)large.bytes, 13305.0 * SAMPLE_LARGE, 0.002);
		assert_near((double)buffers.bytes, 1157.0 * SAMPLE_BUFFER, 0.002);
		struct snapshot_ci95 ci95 = find(s, "main.grow", "[]uint8")->ci95;
		assert_true(ci95.objects > 20 && ci95.objects < 200);
		assert_true(ci95.bytes > 20.0 * SAMPLE_LARGE && ci95.bytes < 100.0 * SAMPLE_BUFFER);
		model_next_interval(m, to);
	}
	_snapshot_ *all = take(m, (struct snapshot_opts){ 0 });
	assert_sums(all);
	assert_near((double)count_of(all, "main.grow").bytes, 2314.0 * SAMPLE_BUFFER, 0.002);
}

/* Half of the bytes are of one object in 26. Strata are folded on the way. */
static void windows_divide_bytes_of_large_objects(void **state)
{
	_model_ *m = new_model();
	struct sample_sites sites = sample_sampled(m);
	struct model_class_counts counts = { 0 };

	(void)state;
	sample_meta(m);
	for (unsigned int n = 0; n < 64; n++) {
		uint64_t from = SAMPLE_START + (uint64_t)n * SAMPLE_S;
		sample_large_window(m, &sites, from, 256, 10 + n % 3 - 1);
		large_totals(m, &counts, 25600, 1000);
		model_meta(m)->end_mono_ns = from + SAMPLE_S;
		model_next_interval(m, from + SAMPLE_S);
	}
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_sums(s);
	assert_near((double)count_of(s, "main.load").bytes, 64 * 25600.0 * SAMPLE_LARGE, 0.01);
	assert_near((double)count_of(s, "main.grow").bytes, 64 * 1000.0 * SAMPLE_BUFFER, 0.01);
	assert_near((double)count_of(s, "main.grow").objects, 64000, 0.01);
	struct snapshot_ci95 ci95 = find(s, "main.grow", "[]uint8")->ci95;
	assert_true(ci95.bytes > 1000.0 * SAMPLE_BUFFER && ci95.bytes < 9000.0 * SAMPLE_BUFFER);

	large_totals(m, &counts, 256, 10);
	model_meta(m)->end_mono_ns += SAMPLE_S;
	_snapshot_ *interval = take(m, (struct snapshot_opts){ .interval = true });
	assert_sums(interval);
	assert_near((double)count_of(interval, "main.grow").bytes, 10.0 * SAMPLE_BUFFER, 0.05);
}

/* One second of another phase has shares of its own, if it has samples enough; else those of the last minute. */
static void intervals_use_their_own_samples_or_recent_ones(void **state)
{
	static const struct {
		uint64_t small, other, expected;
	} cases[] = { { 10, 30, 2500 }, { 2, 6, 9800 }, { 0, 0, 10000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_model_ *m = new_model();
		struct sample_sites sites = sample_sampled(m);
		struct model_class_counts counts = { 0 };

		sample_meta(m);
		for (unsigned int n = 0; n < 200; n++) {
			uint64_t to = SAMPLE_START + (uint64_t)(n + 1) * SAMPLE_S;
			/* What was long ago counts no more. */
			add_sampled(m, &sites, n < 100 ? 0 : 10, n < 100 ? 10 : 0, 4096);
			sample_totals(m, &counts, 10000);
			model_meta(m)->end_mono_ns = to;
			model_next_interval(m, to);
		}
		model_add_sampled(m, sites.small, cases[i].small, 4096);
		model_add_sampled(m, sites.other, cases[i].other, 4096);
		sample_totals(m, &counts, 10000);
		model_meta(m)->end_mono_ns += SAMPLE_S;
		_snapshot_ *s = take(m, (struct snapshot_opts){ .interval = true });
		assert_sums(s);
		assert_near((double)objects_of(s, "main.parse", "main.T"),
			    (double)cases[i].expected, 0.01);
		assert_true(s->to_mono_ns - s->samples.shares_from_ns <= UINT64_C(62) * SAMPLE_S);
	}
}

/* A tenfold rate has ten times the samples: what was before and after the change is estimated apart. */
static void another_rate_is_another_stratum(void **state)
{
	_model_ *m = new_model();
	struct sample_sites sites = sample_sampled(m);
	struct model_class_counts counts = { 0 };

	(void)state;
	sample_meta(m);
	for (unsigned int n = 0; n < 20; n++) {
		uint64_t to = SAMPLE_START + (uint64_t)(n + 1) * SAMPLE_S;
		if (n < 10)
			add_sampled(m, &sites, 10, 0, 40960);
		else
			add_sampled(m, &sites, 0, 100, 4096);
		sample_totals(m, &counts, 10000);
		model_meta(m)->end_mono_ns = to;
		_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
		assert_sums(s);
		assert_int_equal(objects_of(s, "main.parse", "main.T"),
				 n < 10 ? (n + 1) * 10000 : 100000);
		assert_int_equal(objects_of(s, "main.step", "main.T"),
				 n < 10 ? 0 : (n - 9) * 10000);
		model_next_interval(m, to);
	}
}

/* A rate that changes to none and back: samples tell of their time and windows of theirs, whichever comes first. */
static void samples_and_windows_take_turns(void **state)
{
	(void)state;
	for (unsigned int first = 0; first < 2; first++) {
		_model_ *m = new_model();
		struct sample_sites sites = sample_sampled(m);
		struct model_class_counts counts = { 0 };
		uint64_t by_samples = 0, by_windows = 0;

		sample_meta(m);
		for (unsigned int n = 0; n < 60; n++) {
			uint64_t to = SAMPLE_START + (uint64_t)(n + 1) * SAMPLE_S;
			bool sampled = n / 20 % 2 == first;
			if (sampled) {
				model_add_sampled(m, sites.other, 100, 4096);
				model_add_sampled(m, sites.tiny, 100, 4096);
			} else {
				sample_window(m, &sites, to - SAMPLE_S / 2, 100, 0);
			}
			model_set_profile_rate(m, sampled ? 4096 : 0);
			sample_totals(m, &counts, 10000);
			*(sampled ? &by_samples : &by_windows) += 10000;
			model_meta(m)->end_mono_ns = to;
			_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
			assert_sums(s);
			assert_int_equal(s->samples.mem_profile_rate, sampled ? 4096 : 0);
			assert_int_equal(s->samples.unsampled_objects, n + 1);
			assert_near((double)objects_of(s, "main.parse", "main.T"),
				    (double)by_windows, 0.002);
			assert_near((double)objects_of(s, "main.step", "main.T"),
				    (double)by_samples, 0.002);
			model_next_interval(m, to);
		}
	}
}

/* Windows of maps alone tell nothing of allocations, and don't cut the runtime's samples apart. */
static void map_windows_leave_samples_whole(void **state)
{
	_model_ *m = new_model();
	struct sample_sites sites = sample_sampled(m);
	struct model_class_counts counts = { 0 };

	(void)state;
	sample_meta(m);
	for (unsigned int n = 0; n < 100; n++) {
		uint64_t from = SAMPLE_START + (uint64_t)n * SAMPLE_S;
		const struct model_unit_map_op op = {
			sites.map_site, sites.serve, MODEL_MAP_ASSIGN, 50, 50, 0, 0
		};
		const struct model_unit unit = { .start_ns = from,
						 .hits = 50,
						 .alloc = { .slot_s = 1, .kept_s = 0.005 },
						 .map_ops = &op,
						 .map_ops_nr = 1 };
		assert_int_equal(model_add_unit(m, &unit), 0);
		if (n == 3)
			add_sampled(m, &sites, 3, 1, 524288);
		sample_totals(m, &counts, 10000);
		model_meta(m)->end_mono_ns = from + SAMPLE_S;
		model_next_interval(m, from + SAMPLE_S);
	}
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_sums(s);
	assert_int_equal(objects_of(s, "main.parse", "main.T"), 750000);
	assert_true(m->samples->units_nr < 3 * SAMPLES_STRATUM_UNITS);
	assert_true(s->maps.operations_sampled && !s->maps.every_operation);
	assert_int_equal(s->maps.sites_nr, 1);
	assert_near((double)s->maps.sites[0].assigns.calls, 100 * 50 / 0.005, 1e-6);
	assert_int_equal(s->maps.sites[0].deletes.calls, 0);
	assert_false(s->maps.sites[0].assigns.at_least);
	/* All windows saw as many: it is by chance. */
	assert_near(s->maps.sites[0].assigns.ci95, 2 * 100 * 50 / 0.005 / sqrt(100 * 50), 0.1);
}

/* What windows slow down is between what they saw and what there would have been; where that tells nothing it is the least. */
static void calls_of_who_allocates_nothing_are_bounded(void **state)
{
	static const struct {
		uint64_t most_milli;
		double calls, ci95; /* of 2e6 that were seen */
	} cases[] = {
		{ 0, 2e6, 0 },
		{ 100 * 1000, 2e6, 0 },
		{ 100 * 2000, 3e6, 1e6 },
		{ 100 * 3900, 4.9e6, 2.9e6 },
		{ 100 * 4100, 2e6, NAN },
		{ INT64_MAX, 2e6, NAN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_model_ *m = new_model();
		struct sample_sites sites = sample_sampled(m);
		struct model_class_counts counts = { 0 };

		sample_meta(m);
		for (unsigned int n = 0; n < 100; n++) {
			uint64_t from = SAMPLE_START + (uint64_t)n * SAMPLE_S;
			const struct model_unit_map_op op = { sites.map_site,
							      sites.serve,
							      MODEL_MAP_ASSIGN,
							      100,
							      100,
							      cases[i].most_milli,
							      0 };
			const struct model_unit unit = { .start_ns = from,
							 .hits = 100,
							 .alloc = { .slot_s = 1, .kept_s = 0.005 },
							 .map_ops = &op,
							 .map_ops_nr = 1 };
			assert_int_equal(model_add_unit(m, &unit), 0);
			sample_totals(m, &counts, 10000);
			model_meta(m)->end_mono_ns = from + SAMPLE_S;
			model_next_interval(m, from + SAMPLE_S);
		}
		_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
		const struct snapshot_map_estimate *got = &s->maps.sites[0].assigns;
		assert_int_equal(got->at_least, isnan(cases[i].ci95));
		assert_int_equal(isnan(got->ci95), isnan(cases[i].ci95));
		assert_near((double)got->calls, cases[i].calls, 0.03);
		/* Nothing is sure that was met by chance, and the least is no more than it may be. */
		if (got->at_least)
			assert_true((double)got->calls < cases[i].calls * 0.985);
		else
			assert_true(got->ci95 >= fmax(cases[i].ci95, cases[i].calls / 60));
	}
}

/* Calls are as many per object of their goroutines as windows saw. */
static void map_operations_go_with_what_is_allocated(void **state)
{
	_model_ *m = sampled_model(50, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	double all = 50 * 300000 + 1000 * 1275;
	/* Of root serve: small ones, and four tiny ones for each of those in windows, but for all in truth. */
	double per = (2.0 / 3 + 4) * all / 5;

	(void)state;
	assert_int_equal(s->maps.sites_nr, 1);
	assert_near((double)s->maps.sites[0].assigns.calls, 2 * per, 0.02);
	assert_near((double)s->maps.sites[0].deletes.calls, per, 0.02);
	assert_true(s->maps.sites[0].assigns.ci95 > 0);
	assert_true(s->maps.sites[0].assigns.ci95 < per);

	struct model_class_counts counts = m->samples->marks[SAMPLE_NOW].all;
	model_next_interval(m, model_meta(m)->end_mono_ns);
	sample_totals(m, &counts, 5000);
	model_meta(m)->end_mono_ns += SAMPLE_S;
	_snapshot_ *interval = take(m, (struct snapshot_opts){ .interval = true });
	assert_near((double)interval->maps.sites[0].assigns.calls, 2 * (2.0 / 3 + 4) * 5000 / 5,
		    0.02);
}

/* Whatever numbers come, tables add up and nothing overflows. */
static void odd_numbers_add_up(void **state)
{
	_model_ *m = new_model();
	struct sample_sites sites = sample_sampled(m);
	struct model_class_counts counts;
	uint64_t at = 0;

	(void)state;
	memset(&counts, 0xff, sizeof(counts));
	for (unsigned int n = 0; n < 70; n++) {
		const struct estimate_hit hits[] = { { sites.small, sites.serve, 5, UINT64_MAX, 0,
						       0 },
						     { sites.small, sites.serve, 5, 1, 0, 0 } };
		const struct estimate_gaps gaps[] = { { sites.serve, UINT32_MAX, NAN },
						      { sites.serve, 1, INFINITY } };
		const struct model_unit_map_op op = { sites.map_site,
						      sites.work,
						      MODEL_MAP_DELETE,
						      UINT64_MAX,
						      n % 2 ? UINT64_MAX : 1,
						      UINT64_MAX,
						      0 };
		const struct model_unit unit = { .start_ns = UINT64_MAX,
						 .hits = UINT64_MAX,
						 .alloc = { .slot_s = n % 2 ? INFINITY : -1,
							    .refill_s = NAN,
							    .kept_s = n % 3 ? 1e300 : 0,
							    .gaps = gaps,
							    .gaps_nr = 2,
							    .hits = hits,
							    .hits_nr = 2 },
						 .map_ops = &op,
						 .map_ops_nr = 1 };
		assert_int_equal(model_add_unit(m, &unit), 0);
		model_add_sampled(m, sites.tiny, n % 3 ? UINT64_MAX : 0, n % 30 ? UINT64_MAX : 7);
		sample_large_window(m, &sites, UINT64_MAX, UINT64_MAX / 3, n % 2);
		const struct model_large_samples large = { n % 2 ? UINT64_MAX : 0, UINT64_MAX,
							   n % 3 ? UINT64_MAX : 0, n };
		model_add_sampled_large(m, sites.large, n % 5 ? 1 : UINT64_MAX, &large, 7);
		model_add_sampled_large(m, sites.buffer, 1, &large, 7);
		model_site_add(m, sites.large, 1000000, 1);
		if (n)
			model_set_class_counts(m, &counts);
		_snapshot_ *all = take(m, (struct snapshot_opts){ 0 });
		_snapshot_ *s = take(m, (struct snapshot_opts){ .interval = true });
		assert_sums(all);
		assert_sums(s);
		model_next_interval(m, at += n % 5 ? SAMPLE_S : 0);
	}
}

static void memory_is_bounded(void **state)
{
	_model_ *m = sampled_model(60, NULL, NULL);
	struct sample_sites sites = sample_sampled(m);
	struct model_class_counts counts = m->samples->marks[SAMPLE_NOW].all;
	size_t before = heap_used(), charged = m->memory, most = 0;

	(void)state;
	for (unsigned int n = 61; n < 3000; n++) {
		model_next_interval(m, SAMPLE_START + (uint64_t)(n - 1) * SAMPLE_S);
		sample_sampled_second(m, &sites, &counts, n);
		most = m->memory > most ? m->memory : most;
		assert_true(m->samples->units_nr <= 2 * SAMPLES_STRATUM_UNITS + 2);
	}
	assert_true(most < charged + 64 * 1024);
	assert_true(heap_used() < before + 64 * 1024);
	/* In one interval nothing can be folded. */
	int rc = 0;
	for (unsigned int n = 0; !rc && n < 2 * SAMPLES_UNITS_MAX; n++) {
		const struct model_unit unit = { .start_ns = n };
		rc = model_add_unit(m, &unit);
	}
	assert_int_equal(rc, -E2BIG);
	assert_int_equal(m->samples->units_nr, SAMPLES_UNITS_MAX);
}

/* An exact session has none of it. */
static void exact_sessions_are_as_they_were(void **state)
{
	_model_ *m = sample_model(3, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });

	(void)state;
	assert_false(s->samples.on);
	assert_false(s->maps.operations_sampled);
	for (size_t i = 0; i < s->sites_nr; i++) {
		assert_true(s->sites[i].ci95.objects == 0 && s->sites[i].ci95.bytes == 0);
		assert_string_not_equal(s->sites[i].type, SNAPSHOT_UNSAMPLED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_are_outermost_functions),
		cmocka_unit_test(totals_need_no_samples),
		cmocka_unit_test(windows_divide_the_totals),
		cmocka_unit_test(sizes_are_the_runtimes),
		cmocka_unit_test(too_few_windows_have_no_interval),
		cmocka_unit_test(merged_sites_add_their_variances),
		cmocka_unit_test(an_interval_has_older_shares),
		cmocka_unit_test(phases_weigh_what_they_allocated),
		cmocka_unit_test(the_runtimes_samples_divide_the_totals),
		cmocka_unit_test(large_samples_stand_for_more_the_smaller_they_are),
		cmocka_unit_test(windows_divide_bytes_of_large_objects),
		cmocka_unit_test(intervals_use_their_own_samples_or_recent_ones),
		cmocka_unit_test(another_rate_is_another_stratum),
		cmocka_unit_test(samples_and_windows_take_turns),
		cmocka_unit_test(map_windows_leave_samples_whole),
		cmocka_unit_test(calls_of_who_allocates_nothing_are_bounded),
		cmocka_unit_test(map_operations_go_with_what_is_allocated),
		cmocka_unit_test(odd_numbers_add_up),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(exact_sessions_are_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
