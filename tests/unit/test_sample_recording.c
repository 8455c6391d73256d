/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples in recordings: estimates are made again as they were, of a part as if that were all; nothing of damaged ones. */
#include "recordings.h"
#include "sample_samples.h"

#include <errno.h>
#include <math.h>

#include "model/sample_tables.h"
#include "record/read_samples.h"

/* Writes, and takes samples of the runtime in the seconds that it is told to, at a rate that may change. */
struct recorder {
	struct recording *rec;
	unsigned int seconds;
	unsigned int sampled_from; /* 0: never */
	unsigned int rate_from; /* when it changes; 0: never */
	unsigned int none_from; /* when it changes to none at all; 0: never */
	bool large; /* large objects are sampled */
};

/* What nobody counted one by one, by windows or by samples: 40 KiB objects, and one in ten of a MiB. */
static void record_large(struct model *m, unsigned int n)
{
	const struct sample_sites sites = sample_sampled(m);
	struct model_class_counts counts = m->samples->marks[SAMPLE_NOW].all;

	counts.objects[MODEL_CLASS_LARGE] += 1100;
	counts.large_bytes += 1000 * SAMPLE_LARGE + 100 * (uint64_t)SAMPLE_BUFFER;
	model_set_class_counts(m, &counts);
	if (n % 3 == 0)
		sample_large_sampled(m, &sites, 70 + n % 5, 86 + n % 7);
	else
		sample_large_window(m, &sites, model_meta(m)->end_mono_ns, 100, 9 + n % 2);
}

static void record_tick(struct model *m, uint64_t from_ns, uint64_t to_ns, void *ctx)
{
	struct recorder *r = ctx;
	struct err err;

	r->seconds++;
	if (r->none_from && r->seconds >= r->none_from)
		model_set_profile_rate(m, 0);
	else if (r->sampled_from && r->seconds >= r->sampled_from) {
		bool changed = r->rate_from && r->seconds >= r->rate_from;
		model_add_sampled(m, 0, 5, 524288);
		model_add_sampled(m, 1, 7 + r->seconds % 3, changed ? 4096 : 524288);
		model_add_sampled(m, 2, 3, changed ? 4096 : 524288);
	}
	if (r->large)
		record_large(m, r->seconds);
	assert_int_equal(recording_write(r->rec, m, from_ns, to_ns, &err), 0);
}

static struct model *record_sampled(const char *path, unsigned int seconds, struct recorder r)
{
	r.rec = create(path);
	struct model *m = sampled_model(seconds, record_tick, &r);

	finish(r.rec, m);
	return m;
}

static void same_number(double a, double b)
{
	if (!(a == b || (isnan(a) && isnan(b))))
		fail_msg("%.17g is not %.17g", a, b);
}

static void same_samples(const struct snapshot_samples *a, const struct snapshot_samples *b)
{
	assert_int_equal(a->on, b->on);
	assert_int_equal(a->mem_profile_rate, b->mem_profile_rate);
	assert_int_equal(a->sampled, b->sampled);
	assert_int_equal(a->units, b->units);
	assert_int_equal(a->hits, b->hits);
	assert_int_equal(a->shares_from_ns, b->shares_from_ns);
	assert_int_equal(a->shares_to_ns, b->shares_to_ns);
	same_number(a->dilation, b->dilation);
	assert_int_equal(a->unsampled_objects, b->unsampled_objects);
	assert_int_equal(a->unsampled_bytes, b->unsampled_bytes);
	assert_int_equal(a->cost.known, b->cost.known);
	same_number(a->cost.budget, b->cost.budget);
	same_number(a->cost.predicted, b->cost.predicted);
	same_number(a->cost.predicted_now, b->cost.predicted_now);
	assert_int_equal(a->cost.ns_per_hit, b->cost.ns_per_hit);
	assert_int_equal(a->cost.ns_per_switch, b->cost.ns_per_switch);
	assert_int_equal(a->cost.hits, b->cost.hits);
	assert_int_equal(a->cost.windows, b->cost.windows);
	assert_int_equal(a->cost.overruns, b->cost.overruns);
	assert_int_equal(a->cost.calibrated, b->cost.calibrated);
	assert_int_equal(a->cost.kept_hits, b->cost.kept_hits);
	assert_int_equal(a->cost.failed_windows, b->cost.failed_windows);
	assert_int_equal(a->cost.other_probes, b->cost.other_probes);
	assert_string_equal(a->cost.off, b->cost.off);
}

static void same_tables(const struct snapshot *a, const struct snapshot *b)
{
	assert_int_equal(a->sites_nr, b->sites_nr);
	for (size_t i = 0; i < a->sites_nr; i++) {
		assert_string_equal(a->sites[i].type, b->sites[i].type);
		assert_memory_equal(&a->sites[i].count, &b->sites[i].count,
				    sizeof(a->sites[i].count));
		same_number(a->sites[i].ci95.objects, b->sites[i].ci95.objects);
		same_number(a->sites[i].ci95.bytes, b->sites[i].ci95.bytes);
	}
	assert_int_equal(a->types_nr, b->types_nr);
	for (size_t i = 0; i < a->types_nr; i++)
		same_number(a->types[i].ci95.bytes, b->types[i].ci95.bytes);
	assert_int_equal(a->maps.operations_sampled, b->maps.operations_sampled);
	assert_int_equal(a->maps.sites_nr, b->maps.sites_nr);
	for (size_t i = 0; i < a->maps.sites_nr; i++) {
		assert_int_equal(a->maps.sites[i].assigns.calls, b->maps.sites[i].assigns.calls);
		same_number(a->maps.sites[i].assigns.ci95, b->maps.sites[i].assigns.ci95);
		assert_int_equal(a->maps.sites[i].deletes.calls, b->maps.sites[i].deletes.calls);
	}
}

/* Everything that a snapshot has of the one it has of the other. */
static void assert_same(const struct model *live, const struct model *loaded)
{
	const struct snapshot_opts opts[] = { { 0 },
					      { .runtime_frames = true },
					      { .places = true } };

	for (size_t i = 0; i < sizeof(opts) / sizeof(opts[0]); i++) {
		_snapshot_ *a = take(live, opts[i]), *b = take(loaded, opts[i]);
		same_samples(&a->samples, &b->samples);
		same_tables(a, b);
	}
	_cleanup_free_ char *before = as_json(live), *after = as_json(loaded);
	assert_string_equal(before, after);
}

static void a_recording_gives_back_the_estimates(void **state)
{
	static const struct {
		unsigned int seconds;
		struct recorder recorder;
	} cases[] = {
		{ 1, { 0 } },
		{ 4, { 0 } },
		{ 16, { 0 } },
		{ 100, { 0 } }, /* with folded strata */
		{ 100, { .sampled_from = 1 } },
		{ 60, { .sampled_from = 30 } },
		{ 4, { .large = true } },
		{ 100, { .large = true } },
		{ 60, { .sampled_from = 2, .rate_from = 35 } },
		{ 60, { .sampled_from = 2, .rate_from = 60 } }, /* it changes in the last second */
		{ 60, { .sampled_from = 2, .none_from = 35 } },
		{ 60, { .sampled_from = 2, .none_from = 60 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *path = in_dir("x.gallop");
		_model_ *live = record_sampled(path, cases[i].seconds, cases[i].recorder);
		_model_ *loaded = load(path);
		_snapshot_ *s = take(loaded, (struct snapshot_opts){ 0 });

		assert_same(live, loaded);
		unsigned int units = 2 * cases[i].seconds;
		units += cases[i].recorder.large ? cases[i].seconds - cases[i].seconds / 3 : 0;
		assert_int_equal(s->samples.units, units);
		assert_int_equal(loaded->samples->units_nr, live->samples->units_nr);
		assert_int_equal(loaded->samples->folded.units, live->samples->folded.units);
	}
}

/* Work grows with sites times intervals: too much of it is refused, and a part of it can be read. */
static void too_much_at_once_is_refused(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording_span span = { 0 };
	struct model *m = NULL;
	struct err err = { 0 };
	unsigned int to_ms = 0;

	(void)state;
	_model_ *live = record_sampled(path, 60, (struct recorder){ 0 });
	/* Two windows a second, and the last interval isn't moved on. */
	uint64_t steps = 59 * 3 * (live->sites.nr + live->funcs.nr);
	span.steps_max = steps;
	_model_ *all = load_span(path, &span);
	span.steps_max = steps / 2;
	assert_int_equal(recording_load(path, &span, &m, &err), -E2BIG);
	assert_null(m);
	assert_non_null(strstr(err.msg, "too many intervals"));
	const char *hint = strstr(err.hint, "--from 0ms --to ");
	assert_non_null(hint);
	/* What the hint says can be read, and it is as much as that. */
	assert_int_equal(sscanf(hint, "--from 0ms --to %ums", &to_ms), 1);
	assert_in_range(to_ms, 25000, 35000);
	span.to_ns = UINT64_C(1000000) * to_ms;
	_model_ *some = load_span(path, &span);
}

/* As a session that began there would have seen it. */
static void a_span_is_estimated_for_itself(void **state)
{
	const char *path = in_dir("x.gallop");
	const struct recording_span span = { .from_ns = UINT64_C(10) * SAMPLE_S,
					     .to_ns = UINT64_C(50) * SAMPLE_S };

	(void)state;
	model_free(record_sampled(path, 60, (struct recorder){ 0 }));
	_model_ *m = load_span(path, &span);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	uint64_t all = 40 * 300000 + 1000 * (50 * 51 / 2 - 10 * 11 / 2), objects = 0;

	assert_int_equal(s->total.objects, 5 * all + 40);
	assert_int_equal(s->total.bytes, all * (48 + 16) + UINT64_C(40) * 1048576);
	for (size_t i = 0; i < s->sites_nr; i++) {
		objects += s->sites[i].count.objects;
		if (!strcmp(s->sites[i].stack->frames[0]->func, "main.load"))
			assert_int_equal(s->sites[i].count.objects, 40);
	}
	assert_int_equal(objects, s->total.objects);
	assert_int_equal(s->samples.units, 80);
	assert_int_equal(s->samples.unsampled_objects, 0);
	assert_int_equal(s->samples.shares_from_ns, SAMPLE_START + span.from_ns);
	/* What it cost is the part's, too; how the machine is stays. */
	assert_int_equal(s->samples.cost.hits, 40 * 1500 + (50 * 51 / 2 - 10 * 11 / 2));
	assert_int_equal(s->samples.cost.windows, 80);
	assert_int_equal(s->samples.cost.overruns, 25 - 5);
	assert_int_equal(s->samples.cost.failed_windows, 50 / 3 - 10 / 3);
	assert_int_equal(s->samples.cost.other_probes, 7);
	assert_true(s->samples.cost.calibrated);
	assert_true(s->samples.cost.kept_hits > 0);
	assert_int_equal(s->samples.cost.ns_per_hit, 400);
	assert_true(fabs(s->samples.cost.predicted - (0.01 + 30.5 / 1e4)) < 1e-6);
	assert_true(s->samples.cost.predicted_now == 0.015);
}

/* Numbers of all kinds are written so that they can be read, and mean the same then. */
static void odd_content_survives(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording *rec = create(path);
	_model_ *m = new_model();
	struct sample_sites sites = sample_sampled(m);
	struct model_class_counts counts;
	struct err err;

	(void)state;
	sample_meta(m);
	memset(&counts, 0xff, sizeof(counts));
	for (unsigned int n = 0; n < 40; n++) {
		const struct estimate_gaps gaps[] = { { sites.serve, UINT32_MAX, NAN },
						      { sites.serve, 1, INFINITY } };
		const struct estimate_hit hits[] = { { sites.tiny, sites.serve, 2, UINT64_MAX, 0,
						       0 },
						     { sites.tiny, sites.serve, 2, 1, 0, 0 } };
		const struct model_unit_map_op op = {
			sites.map_site, sites.work, MODEL_MAP_DELETE, UINT64_MAX, 7, UINT64_MAX, 0
		};
		const struct model_unit unit = { .start_ns = UINT64_MAX,
						 .hits = UINT64_MAX,
						 .alloc = { .slot_s = n % 2 ? 1e300 : 0.1,
							    .refill_s = -1,
							    .kept_s = n % 3 ? 0.01 : NAN,
							    .gaps = gaps,
							    .gaps_nr = 2,
							    .hits = hits,
							    .hits_nr = 2 },
						 .map_ops = &op,
						 .map_ops_nr = 1 };
		assert_int_equal(model_add_unit(m, &unit), 0);
		model_add_sampled(m, sites.tiny, UINT64_MAX, UINT64_MAX);
		if (n == 20)
			model_set_class_counts(m, &counts);
		struct model_cost *cost = model_cost(m);
		memset(cost, 0xff, offsetof(struct model_cost, off));
		cost->known = cost->calibrated = true;
		cost->budget = n % 2 ? 1e300 : NAN;
		strcpy(cost->off, "a\033b");
		uint64_t from = SAMPLE_START + n * UINT64_C(1000);
		model_meta(m)->end_mono_ns = from + 1000;
		assert_int_equal(recording_write(rec, m, from, from + 1000, &err), 0);
		if (n < 39)
			model_next_interval(m, from + 1000);
	}
	finish(rec, m);
	_model_ *loaded = load(path);
	_snapshot_ *s = take(loaded, (struct snapshot_opts){ 0 });
	assert_string_equal(s->samples.cost.off, "a?b");
	assert_int_equal(s->samples.units + s->samples.sampled > 0, 1);
}

static void what_finds_no_room_is_counted(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording *rec = create_bounded(path, 1 << 20);
	_model_ *m = new_model();
	struct sample_sites sites = sample_sampled(m);
	struct model_class_counts counts = { 0 };
	struct err err;
	unsigned int n = 0;
	int code = 0;

	(void)state;
	sample_meta(m);
	model_next_interval(m, SAMPLE_START);
	while (!code && n < 100000) {
		uint64_t from = SAMPLE_START + n * (uint64_t)SAMPLE_S;
		sample_sampled_second(m, &sites, &counts, ++n);
		model_add_sampled(m, sites.other, 10, 4096);
		model_meta(m)->end_mono_ns = from + SAMPLE_S;
		code = recording_write(rec, m, from, from + SAMPLE_S, &err);
		model_next_interval(m, from + SAMPLE_S);
	}
	assert_int_equal(code, -EFBIG);
	assert_int_equal(recording_unwritten_samples(rec, m), 2 + 10);
	uint64_t objects = recording_unwritten(rec, m);
	assert_int_equal(objects, 5 * (300000 + 1000 * n) + 1);
	finish(rec, m);
	_model_ *loaded = load(path);
	_snapshot_ *all = take(m, (struct snapshot_opts){ 0 });
	_snapshot_ *s = take(loaded, (struct snapshot_opts){ 0 });
	assert_int_equal(s->samples.units, 2 * (n - 1));
	/* They are in the total all the same, and in no site. */
	assert_int_equal(s->total.objects, all->total.objects);
	assert_int_equal(s->samples.unsampled_objects, objects);
}

/* Whoever doesn't sample writes nothing of it. */
static void exact_recordings_have_no_samples(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	model_free(record_sample(path, 3));
	assert_int_equal(query(path, "SELECT (SELECT count(*) FROM sampling) + "
				     "(SELECT count(*) FROM sample_interval) + "
				     "(SELECT count(*) FROM class_count) + "
				     "(SELECT count(*) FROM sampled) + "
				     "(SELECT count(*) FROM unit)"),
			 0);
	_model_ *m = load(path);
	assert_false(m->samples->on);
}

static void older_formats_are_refused(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	model_free(record_sampled(path, 1, (struct recorder){ 0 }));
	sql(path, "PRAGMA user_version = 3");
	assert_refused(path, -EBADMSG, "written by an older gallop (format 3, this one reads 5)");
	sql(path, "PRAGMA user_version = 2");
	assert_refused(path, -EBADMSG, "written by an older gallop (format 2, this one reads 5)");
	sql(path, "PRAGMA user_version = 1");
	assert_refused(path, -EBADMSG, "written by an older gallop (format 1, this one reads 5)");
	sql(path, "PRAGMA user_version = 6");
	assert_refused(path, -EBADMSG, "written by a newer gallop (format 6, this one reads 5)");
}

static void damage_is_told(void **state)
{
	const char *path = in_dir("x.gallop");
	static const struct {
		const char *sql, *msg;
	} cases[] = {
		{ "DROP TABLE unit_hit", "table 'unit_hit' is not as gallop makes it" },
		{ "DROP TABLE sampled; CREATE VIEW sampled AS SELECT 1",
		  "table 'sampled' is not as gallop makes it" },
		{ "UPDATE sampling SET known = 2", "out of its range" },
		{ "UPDATE sampling SET hit_ns = -1", "out of its range" },
		{ "UPDATE sampling SET id = 1", "not numbered one by one" },
		{ "UPDATE sampling SET budget_ppm = 4294967296", "out of its range" },
		{ "UPDATE sampling SET off = x'07'", "something else where a name belongs" },
		{ "UPDATE sampling SET hits = 'x'", "something else where a number belongs" },
		{ "UPDATE sample_interval SET predicted_ppm = -1", "out of its range" },
		{ "UPDATE sample_interval SET interval = 9 WHERE interval = 1",
		  "refers to one that is not there" },
		{ "UPDATE class_count SET size_class = 69 WHERE size_class = 68",
		  "out of its range" },
		{ "UPDATE class_count SET objects = -1", "out of its range" },
		{ "UPDATE class_count SET interval = 9 WHERE interval = 1",
		  "refers to one that is not there" },
		{ "UPDATE sampled SET site = 99 WHERE site = 2",
		  "refers to one that is not there" },
		{ "UPDATE sampled SET samples = 0.5", "something else where a number belongs" },
		{ "UPDATE sampled SET large_bytes = -1", "out of its range" },
		{ "UPDATE sampled SET large_variance_kib2 = 'x'",
		  "something else where a number belongs" },
		{ "UPDATE sampled SET interval = 9 WHERE interval = 1",
		  "refers to one that is not there" },
		{ "UPDATE unit SET interval = 9 WHERE interval = 1",
		  "refers to one that is not there" },
		{ "UPDATE unit SET interval = 1 - interval", "out of order" },
		{ "DELETE FROM unit WHERE id = 0", "not numbered one by one" },
		{ "UPDATE unit SET id = id + 1 WHERE id = 3", "not numbered one by one" },
		{ "UPDATE unit SET start_ns = 0x7fffffffffffffff", "out of its range" },
		{ "UPDATE unit SET kept_ns = -1", "out of its range" },
		{ "UPDATE unit_refill SET root = root + 99", "refers to one that is not there" },
		{ "UPDATE unit_refill SET size_class = 70", "out of its range" },
		{ "UPDATE unit_refill SET unit = 99 WHERE unit = 3",
		  "refers to one that is not there" },
		{ "UPDATE unit_gap SET gaps = 4294967296", "out of its range" },
		{ "UPDATE unit_gap SET ns = -1", "out of its range" },
		{ "UPDATE unit_hit SET site = 99 WHERE site = 2",
		  "refers to one that is not there" },
		{ "UPDATE unit_hit SET root = 99", "refers to one that is not there" },
		{ "UPDATE unit_hit SET size_class = 6 WHERE site = 0",
		  "a size that its site can't have" },
		{ "UPDATE unit_hit SET objects = -1", "out of its range" },
		{ "UPDATE unit_hit SET large_bytes = -1", "out of its range" },
		{ "UPDATE unit_hit SET unit = 99 WHERE unit = 3",
		  "refers to one that is not there" },
		{ "UPDATE unit_map_op SET operation = 2 WHERE operation = 1", "out of its range" },
		{ "UPDATE unit_map_op SET map_site = 1", "refers to one that is not there" },
		{ "UPDATE unit_map_op SET calls = -1", "out of its range" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		model_free(record_sampled(path, 2, (struct recorder){ .sampled_from = 1 }));
		assert_damage_is_told(path, cases[i].sql, cases[i].msg);
	}
}

/* Rows that contradict each other give numbers that add up all the same. */
static void contradictions_add_up(void **state)
{
	const char *path = in_dir("x.gallop");
	static const char *const changes[] = {
		"UPDATE class_count SET objects = 0x7fffffffffffffff",
		"UPDATE class_count SET objects = 0, bytes = 0",
		"UPDATE class_count SET site_objects = 0x7fffffffffffffff",
		"UPDATE class_count SET site_objects = 0, site_bytes = 0",
		"DELETE FROM class_count",
		"DELETE FROM alloc",
		"DELETE FROM sample_interval",
		"DELETE FROM unit_refill",
		"DELETE FROM unit_hit",
		"UPDATE unit_hit SET objects = 0x7fffffffffffffff",
		"UPDATE unit_refill SET objects = 0",
		"UPDATE unit SET slot_ns = 0",
		"UPDATE unit SET kept_ns = 0, refill_ns = 0",
		"UPDATE sampled SET samples = 0x7fffffffffffffff",
		"UPDATE sampled SET large_milli = 0, large_bytes = 0",
		"UPDATE sampled SET large_milli = 1, large_variance_milli = 0x7fffffffffffffff",
		"UPDATE sampled SET large_bytes = 0x7fffffffffffffff, "
		"large_variance_kib2 = 0x7fffffffffffffff",
		"UPDATE unit_hit SET large_bytes = 0",
		"UPDATE unit_hit SET large_bytes = 0x7fffffffffffffff",
		"UPDATE unit_map_op SET calls = 0x7fffffffffffffff",
		"UPDATE interval SET objects = 0x7fffffffffffffff, bytes = 0",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		model_free(record_sampled(path, 40,
					  (struct recorder){ .sampled_from = 20, .large = true }));
		sql(path, changes[i]);
		_model_ *m = load(path);
		_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
		struct snapshot_count sites = { 0 }, sizes = { 0 };
		for (size_t k = 0; k < s->sites_nr; k++) {
			sites.objects += s->sites[k].count.objects;
			sites.bytes += s->sites[k].count.bytes;
		}
		for (size_t k = 0; k < s->sizes_nr; k++) {
			sizes.objects += s->sizes[k].count.objects;
			sizes.bytes += s->sizes[k].count.bytes;
		}
		assert_memory_equal(&sites, &s->total, sizeof(sites));
		assert_memory_equal(&sizes, &s->total, sizeof(sizes));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording_gives_back_the_estimates),
		cmocka_unit_test(too_much_at_once_is_refused),
		cmocka_unit_test(a_span_is_estimated_for_itself),
		cmocka_unit_test(odd_content_survives),
		cmocka_unit_test(what_finds_no_room_is_counted),
		cmocka_unit_test(exact_recordings_have_no_samples),
		cmocka_unit_test(older_formats_are_refused),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(contradictions_add_up),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
