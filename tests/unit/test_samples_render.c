/* SPDX-License-Identifier: BSD-2-Clause */
/* Estimates in every format: what is exact, how sure the rest is, what it costs. */
#include "golden.h"
#include "json_query.h"
#include "sample_estimates.h"
#include "sample_maps.h"

#include <stdio.h>
#include <time.h>

#include "render/formats.h"
#include "render/map_calls.h"
#include "render/samples.h"

enum { SECONDS = 60 };

static struct snapshot *estimated(const struct model *m, const struct snapshot_samples *samples,
				  struct snapshot_opts opts)
{
	struct snapshot *s = take(m, opts);

	sample_estimate(s, samples);
	return s;
}

static void golden_outputs(void **state)
{
	static const struct {
		const char *name;
		const struct snapshot_samples *samples;
		render_fn *render;
		struct render_opts opts;
	} cases[] = {
		{ "samples-windows", &sample_by_windows, render_text, { 0 } },
		{ "samples-windows-color",
		  &sample_by_windows,
		  render_text,
		  { .value = SNAPSHOT_OBJECTS, .top_nr = 2, .stacks = true, .color = true } },
		{ "samples-runtime", &sample_by_runtime, render_text, { .top_nr = 3 } },
		{ "samples-too-few", &sample_too_few, render_text, { .top_nr = 3 } },
		{ "samples-json", &sample_by_windows, render_json, { 0 } },
		{ "samples-jsonl", &sample_by_windows, render_jsonl, { 0 } },
		{ "samples-collapsed", &sample_by_windows, render_collapsed, { 0 } },
		{ "samples-gc", &sample_by_windows, render_gc_summary, { 0 } },
		{ "samples-maps", &sample_by_runtime, render_maps_summary, { 0 } },
	};
	_model_ *m = sample_model(SECONDS, NULL, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_snapshot_ *s = estimated(m, cases[i].samples,
					  (struct snapshot_opts){ .sort = cases[i].opts.value });
		_cleanup_free_ char *text = rendered(cases[i].render, s, cases[i].opts);
		assert_golden(cases[i].name, text);
	}
}

static char *rendered_top(const struct snapshot *interval, const struct snapshot *total,
			  struct render_opts opts)
{
	char *text = NULL;
	size_t sz;
	FILE *out = open_memstream(&text, &sz);

	assert_non_null(out);
	assert_int_equal(render_top_block(out, interval, total, &opts), 0);
	fclose(out);
	return text;
}

static void golden_top(void **state)
{
	static const struct {
		const char *name;
		const struct snapshot_samples *samples;
		struct render_opts opts;
	} cases[] = {
		{ "samples-top", &sample_by_windows, { 0 } },
		{ "samples-top-objects",
		  &sample_by_runtime,
		  { .value = SNAPSHOT_OBJECTS, .top_nr = 2, .color = true } },
		{ "samples-top-too-few", &sample_too_few, { .top_nr = 2 } },
		{ "samples-top-sure",
		  &sample_by_windows,
		  { .value = SNAPSHOT_OBJECTS, .top_nr = 1 } },
	};
	_model_ *m = sample_model(SECONDS, NULL, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct snapshot_opts by = { .sort = cases[i].opts.value };
		const struct snapshot_opts now = { .sort = by.sort, .interval = true };
		_snapshot_ *interval = estimated(m, cases[i].samples, now);
		_snapshot_ *total = estimated(m, cases[i].samples, by);
		_cleanup_free_ char *text = rendered_top(interval, total, cases[i].opts);
		assert_golden(cases[i].name, text);
	}
}

/* Samples of the runtime have no types: who looks at types is told of how much. */
static void what_has_no_type_is_said(void **state)
{
	const struct model_frame frame = { "main.f", "f.go", 1, false, 0x10 };
	_model_ *m = new_model();
	uint32_t stack = sample_id(model_stack(m, &frame, 1, false));
	struct render_opts opts = { 0 };
	_cleanup_free_ char *text = NULL;
	size_t sz;

	(void)state;
	sample_meta(m);
	for (int i = 0; i < 4; i++) {
		const char *type = i ? "main.T" : SNAPSHOT_UNTYPED;
		uint32_t site =
			sample_id(model_site(m, stack, sample_id(model_type(m, type)), 5, 0, 0));
		model_site_add(m, site, 10, 480);
	}
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	FILE *out = open_memstream(&text, &sz);
	assert_non_null(out);
	assert_int_equal(renderer_find("text")->render(out, s, &opts), 0);
	fclose(out);
	assert_non_null(strstr(text, "types of 25.0 % of the objects, 25.0 % of the bytes, are not "
				     "known: the runtime's samples don't\ncarry them"));
}

static void an_interval_is_a_word_or_a_share(void **state)
{
	static const struct {
		double value, ci95;
		const char *shown;
	} cases[] = {
		{ 100, 4.23, "+-4.2 %" },
		{ 100, 99.9, "+-99.9 %" },
		{ 100, 100, "noise" },
		{ 100, 1000, "noise" },
		{ 100, INFINITY, "noise" },
		{ 100, 0, "exact" },
		{ 100, 1e-9, "+-0.1 %" },
		{ 100, NAN, "?" },
		{ 100, -1, "?" },
		{ 0, 10, "-" },
		{ 0, 0, "-" },
		{ 0, NAN, "-" },
		{ 1e18, 5e17, "+-50.0 %" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fmt f = fmt_ci95(cases[i].value, cases[i].ci95);
		assert_string_equal(f.s, cases[i].shown);
		assert_true(strlen(f.s) <= CI95_W);
	}
}

static void what_is_sorted_by_has_the_interval(void **state)
{
	const struct snapshot_count n = { 100, 1000 };
	const struct snapshot_ci95 ci95 = { 10, 500 };

	(void)state;
	assert_string_equal(fmt_ci95_of(SNAPSHOT_OBJECTS, n, ci95, "x").s, "+-10.0 %");
	assert_string_equal(fmt_ci95_of(SNAPSHOT_BYTES, n, ci95, "x").s, "+-50.0 %");
	/* What is sorted by something else is sorted by bytes. */
	assert_string_equal(fmt_ci95_of(SNAPSHOT_STW, n, ci95, "x").s, "+-50.0 %");
	assert_string_equal(fmt_ci95_of(SNAPSHOT_BYTES, n, ci95, SNAPSHOT_UNSAMPLED).s, "-");
	assert_string_equal(fmt_ci95_of(SNAPSHOT_BYTES, n, ci95, SNAPSHOT_LOST).s, "-");
}

static void a_share_of_time_is_never_nothing(void **state)
{
	static const struct {
		double share;
		const char *shown;
	} cases[] = {
		{ 0, "0.0 %" },	     { .0081, "0.8 %" }, { .0005, "0.1 %" },
		{ .0001, "<0.1 %" }, { 1.5, "150.0 %" }, { NAN, "?" },
		{ INFINITY, "?" },   { -1, "?" },	 { 999, "99900.0 %" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(fmt_cpu_share(cases[i].share).s, cases[i].shown);
}

static char *json_of(const struct snapshot *s)
{
	return rendered(render_json, s, (struct render_opts){ 0 });
}

/* An exact session has intervals of no width, and nothing else that is new. */
static void exact_is_exact(void **state)
{
	_model_ *m = sample_model(2, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *json = json_of(s);

	(void)state;
	assert_query(json, "SELECT json_type(?1, '$.cost')", "null");
	assert_query(json, "SELECT json_type(?1, '$.sampling')", "null");
	assert_query(json,
		     "SELECT count(*) FROM json_each(?1, '$.alloc.sites') "
		     "WHERE json_extract(value, '$.objects_ci95') IS NOT 0 "
		     "OR json_extract(value, '$.bytes_ci95') IS NOT 0",
		     "0");
	assert_query(json,
		     "SELECT count(*) FROM json_each(?1, '$.alloc.types') "
		     "WHERE json_extract(value, '$.objects_ci95') IS NOT 0",
		     "0");
	/* Its cost may be known all the same. */
	s->samples.cost = sample_by_windows.cost;
	_cleanup_free_ char *costly = json_of(s);
	assert_query(costly, "SELECT json_extract(?1, '$.cost.hits')", "61234");
	assert_query(costly, "SELECT json_type(?1, '$.sampling')", "null");
}

static void too_few_windows_are_null(void **state)
{
	_model_ *m = sample_model(2, NULL, NULL);
	_snapshot_ *s = estimated(m, &sample_too_few, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *json = json_of(s);

	(void)state;
	assert_query(json,
		     "SELECT count(*) FROM json_each(?1, '$.alloc.sites') "
		     "WHERE json_type(value, '$.bytes_ci95') = 'null'",
		     "6"); /* all but large objects */
	assert_query(json, "SELECT json_extract(?1, '$.sampling.mode')", "windows");
	assert_query(json, "SELECT json_type(?1, '$.sampling.dilation')", "null");
	assert_query(json, "SELECT json_type(?1, '$.cost.budget')", "null");
	assert_query(json, "SELECT json_extract(?1, '$.sampling.unsampled.objects')", "5");
}

/* A recording says of its cost what it likes. */
static void no_number_is_none(void **state)
{
	_model_ *m = sample_model(2, NULL, NULL);
	_snapshot_ *s = estimated(m, &sample_by_windows, (struct snapshot_opts){ 0 });

	(void)state;
	s->samples.dilation = INFINITY;
	s->samples.cost.budget = NAN;
	s->samples.cost.predicted = -INFINITY;
	s->samples.cost.predicted_now = 1e300;
	strcpy(s->samples.cost.off, "\033[2J\"\n");
	s->sites[0].ci95 = (struct snapshot_ci95){ INFINITY, -NAN };
	s->samples.shares_from_ns = UINT64_MAX;
	s->samples.shares_to_ns = 1;
	s->samples.units = UINT64_MAX;
	s->samples.hits = UINT64_MAX;
	_cleanup_free_ char *json = json_of(s);
	assert_query(json, "SELECT json_valid(?1)", "1");
	assert_query(json, "SELECT json_type(?1, '$.cost.predicted')", "null");
	assert_query(json, "SELECT json_type(?1, '$.alloc.sites[0].objects_ci95')", "null");
	assert_null(strstr(json, "nan"));
	assert_null(strstr(json, "inf"));
	_cleanup_free_ char *text = rendered(render_text, s, (struct render_opts){ 0 });
	assert_lines(text, 100);
	_cleanup_free_ char *top = rendered_top(s, s, (struct render_opts){ 0 });
	assert_lines(top, 200);
}

/* The widest numbers that there are: no line of a table gets longer for them. */
static void lines_are_short_enough(void **state)
{
	_model_ *m = sample_model(2, NULL, NULL);

	(void)state;
	for (int by = SNAPSHOT_BYTES; by <= SNAPSHOT_OBJECTS; by++) {
		const struct render_opts opts = { .value = (enum snapshot_value)by,
						  .stacks = true };
		_snapshot_ *s = estimated(m, &sample_by_windows, (struct snapshot_opts){ 0 });
		s->total.objects = UINT64_C(999999999999);
		s->sites[0].count.objects = s->total.objects;
		s->sites[0].goid = 18;
		_cleanup_free_ char *text = rendered(render_text, s, opts);
		assert_lines(text, 100);
		/* Numbers that no program reaches need not fit. */
		s->total.objects = UINT64_MAX;
		s->sites[1].count.objects = UINT64_MAX;
		_cleanup_free_ char *wide = rendered(render_text, s, opts);
		assert_lines(wide, SIZE_MAX);
	}
}

static int render_top(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	return render_top_block(out, s, s, opts);
}

static void golden_maps(void **state)
{
	static const struct {
		const char *name;
		render_fn *render;
		struct render_opts opts;
		double ci95;
	} cases[] = {
		{ "samples-maps-summary", render_maps_summary, { .top_nr = 4 }, 5000 },
		{ "samples-maps-top", render_top, { .top_nr = 2 }, 5000 },
		{ "samples-maps-json", render_json, { 0 }, 5000 },
		{ "samples-maps-too-few", render_maps_summary, { .top_nr = 4 }, NAN },
	};
	_model_ *m = sample_model(2, NULL, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_snapshot_ *s = estimated(m, &sample_by_windows, (struct snapshot_opts){ 0 });
		struct sample_maps maps;
		sample_maps_put(&maps, s);
		sample_estimate_maps(&s->maps, cases[i].ci95);
		_cleanup_free_ char *text = rendered(cases[i].render, s, cases[i].opts);
		assert_golden(cases[i].name, text);
		sample_maps_take(s);
	}
}

/* What was counted is shown as counted, whatever windows tell. */
static void counted_maps_are_exact(void **state)
{
	_model_ *m = sample_model(2, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	struct sample_maps maps;

	(void)state;
	sample_maps_put(&maps, s);
	_cleanup_free_ char *before = rendered(render_maps_summary, s, (struct render_opts){ 0 });
	s->maps.operations_sampled = true;
	_cleanup_free_ char *after = rendered(render_maps_summary, s, (struct render_opts){ 0 });
	assert_string_equal(before, after);
	_cleanup_free_ char *json = json_of(s);
	assert_query(json, "SELECT json_extract(?1, '$.maps.operations_sampled')", "0");
	assert_query(json, "SELECT json_extract(?1, '$.maps.sites[1].deletes_ci95')", "0");
	assert_null(strstr(after, "~"));
	sample_maps_take(s);
}

/* Both counts of a site add up; so do sites. */
static void estimates_of_maps_add_up(void **state)
{
	struct snapshot_map_site sites[2] = {
		{ .counts = { .assigns = 10 }, .assigns = { 1000, 20 } },
		{ .deletes = { INT64_MAX, NAN } },
	};
	const struct snapshot_maps maps = {
		.known = true, .operations_sampled = true, .sites = sites, .sites_nr = 2
	};

	(void)state;
	struct map_calls n = map_calls_of(&maps, &sites[0], MODEL_MAP_ASSIGN);
	assert_true(n.known && n.estimated && n.ci95 == 20);
	assert_int_equal(n.n, 1010);
	n = map_calls_total(&maps, MODEL_MAP_ASSIGN);
	assert_true(n.known && n.estimated && isnan(n.ci95));
	assert_int_equal(n.n, 1010);
	assert_int_equal(map_calls_total(&maps, MODEL_MAP_DELETE).n, INT64_MAX);
	const struct snapshot_maps unknown = { .known = true, .sites = sites, .sites_nr = 2 };
	assert_false(map_calls_total(&unknown, MODEL_MAP_ASSIGN).known);
	assert_false(map_calls_of(&unknown, &sites[0], MODEL_MAP_ASSIGN).known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_outputs),
		cmocka_unit_test(golden_top),
		cmocka_unit_test(golden_maps),
		cmocka_unit_test(counted_maps_are_exact),
		cmocka_unit_test(estimates_of_maps_add_up),
		cmocka_unit_test(what_has_no_type_is_said),
		cmocka_unit_test(an_interval_is_a_word_or_a_share),
		cmocka_unit_test(what_is_sorted_by_has_the_interval),
		cmocka_unit_test(a_share_of_time_is_never_nothing),
		cmocka_unit_test(exact_is_exact),
		cmocka_unit_test(too_few_windows_are_null),
		cmocka_unit_test(no_number_is_none),
		cmocka_unit_test(lines_are_short_enough),
	};
	/* Wall-clock times are local. */
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("samples_render", tests, NULL, NULL);
}
