/* SPDX-License-Identifier: BSD-2-Clause */
/* The live heap in the model, in a snapshot, in every output, and in recordings. */
#include "golden.h"
#include "recordings.h"
#include "sample_heap.h"

#include <errno.h>
#include <math.h>

#include "model/heap_tables.h"
#include "proc/mprof.h"

static struct model *heap_model(unsigned int seconds)
{
	struct sample_heap_tick t = { 0 };

	return sample_model(seconds, sample_heap_tick, &t);
}

static struct model *record_heap(const char *path, unsigned int seconds)
{
	struct recording *rec = create(path);
	struct sample_heap_tick t = { write_tick, rec, 0 };
	struct model *m = sample_model(seconds, sample_heap_tick, &t);

	finish(rec, m);
	return m;
}

static const struct snapshot_heap_site *site_of(const struct snapshot *s, const char *func)
{
	for (size_t i = 0; i < s->heap.sites_nr; i++)
		if (!strcmp(s->heap.sites[i].stack->frames[0]->func, func))
			return &s->heap.sites[i];
	fail_msg("no site of %s", func);
	return NULL;
}

/* --- model and snapshot ----------------------------------------------------------------------- */

static void nobody_asked(void **state)
{
	_model_ *m = sample_model(2, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *json = as_json(m);
	(void)state;

	assert_false(s->heap.asked || s->heap.known);
	assert_null(strstr(json, "\"heap\""));
}

static void a_look_is_all_there_is(void **state)
{
	_model_ *m = heap_model(2);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	(void)state;

	assert_true(s->heap.known);
	assert_int_equal(s->heap.looks, 2);
	assert_int_equal(s->heap.last.cycle, 42);
	const struct snapshot_heap_site *leak = site_of(s, "main.(*Cache).Put");
	assert_int_equal(leak->counts.inuse_samples, 205);
	assert_int_equal(leak->counts.inuse_bytes, 2000 * 512 + 50 * 1024);
	assert_int_equal(leak->grown_objects, 2050 - 1000);
	assert_int_equal(leak->grown_bytes, 1000 * 512 + 50 * 1024);
	/* What is gone has become less, and is still shown. */
	const struct snapshot_heap_site *init = site_of(s, "main.init.0");
	assert_int_equal(init->counts.inuse_bytes, 0);
	assert_int_equal(init->grown_bytes, -20 * 4096);
	/* The first of those that have grown is the leak, the last what was freed most. */
	assert_ptr_equal(s->heap.grown[0], leak);
	assert_ptr_equal(s->heap.grown[s->heap.sites_nr - 1], site_of(s, "bytes.growSlice"));
	uint64_t sum = 0;
	int64_t grown = 0;
	for (size_t i = 0; i < s->heap.sites_nr; i++) {
		sum += s->heap.sites[i].counts.inuse_bytes;
		grown += s->heap.sites[i].grown_bytes;
	}
	assert_int_equal(s->heap.total.inuse_bytes, sum);
	assert_int_equal(s->heap.grown_bytes, grown);
}

static void sites_are_sorted_by_any_value(void **state)
{
	_model_ *m = heap_model(2);
	(void)state;

	for (enum snapshot_value v = SNAPSHOT_INUSE_BYTES; v <= SNAPSHOT_ALLOC_OBJECTS; v++) {
		_snapshot_ *s = take(m, (struct snapshot_opts){ .sort = v });
		for (size_t i = 1; i < s->heap.sites_nr; i++)
			assert_true(snapshot_heap_value(&s->heap.sites[i - 1], v) >=
				    snapshot_heap_value(&s->heap.sites[i], v));
	}
}

/* Of two looks at one stack of objects of 64 KiB, a sample each 512 KiB: samples in use then and now, allocated since. */
static struct snapshot_heap_site grown(uint64_t rate, uint64_t then, uint64_t now, uint64_t since)
{
	_model_ *m = new_model();
	const uint64_t use[] = { then, now }, all[] = { 200, 200 + since };
	struct model_heap_look look = { .rate = rate };

	sample_meta(m);
	uint32_t site = sample_id(
		model_heap_site(m, sample_stack(m, "runtime.mallocgc;main.keep;main.main", false)));
	for (int i = 0; i < 2; i++) {
		struct model_heap_counts n = { .inuse_samples = use[i], .alloc_samples = all[i] };
		mprof_unsample(use[i], 64 << 10, (int64_t)rate, &n.inuse_objects, &n.inuse_bytes);
		mprof_unsample(all[i], 64 << 10, (int64_t)rate, &n.alloc_objects, &n.alloc_bytes);
		look.mono_ns = SAMPLE_START + (uint64_t)i;
		model_heap_look(m, &look);
		model_heap_add(m, site, &n);
		model_heap_looked(m);
	}
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->heap.sites_nr, 1);
	assert_true(fabs(s->heap.grown_ci95.bytes - s->heap.sites[0].grown_ci95.bytes) < 1);
	return s->heap.sites[0];
}

static void growth_has_its_noise(void **state)
{
	/* p = 1 - exp(-1/8) = 0.1175: a sample stands for 8.51 objects; sd of n of them: sqrt(n (1 - p)) / p = 7.995 sqrt(n). */
	const double one = 1.96 * 7.995;
	(void)state;

	/* What stays, however much it is, makes no growth unsure: a leak is sure soon. */
	struct snapshot_heap_site leak = grown(512 << 10, 100, 116, 16);
	assert_true(fabs(leak.grown_ci95.objects - 4 * one) < 1);
	assert_true(fabs(leak.inuse_ci95.objects - sqrt(116) * one) < 2);
	assert_true(fabs(leak.grown_ci95.bytes - 4 * one * (64 << 10)) < 1e5);
	assert_false(snapshot_is_noise((double)leak.grown_bytes, leak.grown_ci95.bytes));

	/* What comes and goes does: 20 have come and 16 gone. */
	struct snapshot_heap_site churn = grown(512 << 10, 100, 104, 20);
	assert_true(fabs(churn.grown_ci95.objects - 6 * one) < 1);
	assert_true(snapshot_is_noise((double)churn.grown_bytes, churn.grown_ci95.bytes));

	/* ... up to all of it. */
	struct snapshot_heap_site all = grown(512 << 10, 3, 6, 100000);
	assert_true(fabs(all.grown_ci95.objects - 3 * one) < 1);

	struct snapshot_heap_site exact = grown(1, 100, 104, 20);
	assert_true(exact.grown_ci95.bytes == 0 && exact.inuse_ci95.bytes == 0);
}

static void why_it_is_not_known(void **state)
{
	_model_ *m = sample_model(1, NULL, NULL);
	(void)state;

	model_heap_unknown(m, "the rate is 0\nin it");
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_true(s->heap.asked);
	assert_false(s->heap.known);
	assert_string_equal(s->heap.why_not, "the rate is 0?in it");
	_cleanup_free_ char *json = as_json(m);
	assert_non_null(strstr(json, "\"why_not\": \"the rate is 0?in it\""));

	sample_heap_look(m, 1, SAMPLE_START);
	_snapshot_ *now = take(m, (struct snapshot_opts){ 0 });
	assert_true(now->heap.known);
}

static void sums_stay_at_the_largest(void **state)
{
	_model_ *m = sample_model(1, NULL, NULL);
	const struct model_heap_look look = { .rate = UINT64_MAX };
	const struct model_heap_counts huge = { UINT64_MAX, UINT64_MAX, UINT64_MAX,
						UINT64_MAX, UINT64_MAX, UINT64_MAX };
	(void)state;

	model_heap_look(m, &look);
	for (int i = 0; i < 3; i++)
		model_heap_add(m, sample_id(model_heap_site(m, (uint32_t)i % 2)), &huge);
	model_heap_looked(m);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->heap.total.inuse_bytes, 2 * HEAP_INUSE_MAX);
	assert_int_equal(s->heap.total.alloc_bytes, INT64_MAX);
	assert_int_equal(s->heap.grown_bytes, 0);
	_cleanup_free_ char *text = rendered(render_heap_summary, s,
					     (struct render_opts){ .top_nr = 1 });
	assert_lines(text, 160); /* columns run over */
}

/* --- outputs ---------------------------------------------------------------------------------- */

static void golden(const char *name, render_fn *render, unsigned int seconds, bool places,
		   struct render_opts opts)
{
	_model_ *m = heap_model(seconds);
	_snapshot_ *s = take(m, (struct snapshot_opts){ .sort = opts.value, .places = places });
	_cleanup_free_ char *text = rendered(render, s, opts);

	setenv("TZ", "UTC", 1);
	assert_golden(name, text);
	if (render == render_heap_summary)
		assert_lines(text, 100);
}

static void text_of_one_look(void **state)
{
	(void)state;
	golden("heap-summary", render_heap_summary, 1, true,
	       (struct render_opts){ .value = SNAPSHOT_INUSE_BYTES, .top_nr = 3 });
}

static void text_of_growth(void **state)
{
	(void)state;
	golden("heap-growth", render_heap_summary, 4, true,
	       (struct render_opts){ .value = SNAPSHOT_INUSE_BYTES, .top_nr = 10 });
}

static void text_with_stacks(void **state)
{
	(void)state;
	golden("heap-stacks", render_heap_summary, 2, false,
	       (struct render_opts){
		       .value = SNAPSHOT_ALLOC_OBJECTS, .top_nr = 2, .stacks = true });
}

static void a_section_of_report(void **state)
{
	(void)state;
	golden("heap-text", renderer_find("text")->render, 2, true,
	       (struct render_opts){ .value = SNAPSHOT_BYTES, .top_nr = 2 });
}

static void json(void **state)
{
	(void)state;
	golden("heap-json", renderer_find("json")->render, 2, false, (struct render_opts){ 0 });
}

static void collapsed_stacks(void **state)
{
	(void)state;
	golden("heap-collapsed", renderer_find("collapsed")->render, 2, false,
	       (struct render_opts){ .value = SNAPSHOT_INUSE_OBJECTS });
}

/* --- recordings ------------------------------------------------------------------------------- */

static void a_recording_gives_back_the_model(void **state)
{
	const char *path = in_dir("x.gallop");
	_model_ *live = record_heap(path, 5);
	_model_ *loaded = load(path);
	_cleanup_free_ char *a = as_json(live), *b = as_json(loaded);
	(void)state;

	assert_string_equal(a, b);
	assert_non_null(strstr(a, "\"grown_bytes\": "));
}

/* A row only where numbers changed; an interval without a look has none. */
static void only_what_changed_is_written(void **state)
{
	const char *path = in_dir("x.gallop");
	(void)state;

	model_free(record_heap(path, 4));
	assert_int_equal(query(path, "SELECT count(*) FROM heap_look"), 3);
	assert_int_equal(query(path, "SELECT count(*) FROM heap WHERE interval = 0"), 5);
	/* All but main.init.0, which had changed for the last time before. */
	assert_int_equal(query(path, "SELECT count(*) FROM heap WHERE interval = 1"), 5);
	assert_int_equal(query(path, "SELECT count(*) FROM heap WHERE interval = 2"), 0);
	assert_int_equal(query(path, "SELECT count(*) FROM heap WHERE interval = 3"), 4);
	assert_int_equal(query(path, "SELECT grown_bytes FROM heap_sites "
				     "WHERE function = 'main.(*Cache).Put'"),
			 3000 * 512);
	assert_int_equal(query(path, "SELECT count(*) FROM heap_looks WHERE cycle = 44"), 1);
}

static struct model *load_part(const char *path, unsigned int from_s, unsigned int to_s)
{
	const struct recording_span span = { .from_ns = from_s * UINT64_C(1000000000),
					     .to_ns = to_s * UINT64_C(1000000000) };
	struct model *m = NULL;
	struct err err = { 0 };

	if (recording_load(path, &span, &m, &err))
		fail_msg("%s", err.msg);
	return m;
}

/* Growth is from the first look in a part to the last one, whatever was written when. */
static void a_part_has_its_own_growth(void **state)
{
	const char *path = in_dir("x.gallop");
	(void)state;

	model_free(record_heap(path, 5));
	_model_ *part = load_part(path, 1, 4);
	_snapshot_ *s = take(part, (struct snapshot_opts){ 0 });
	assert_int_equal(s->heap.looks, 2);
	assert_int_equal(s->heap.first.cycle, 42);
	assert_int_equal(s->heap.last.cycle, 44);
	assert_int_equal(site_of(s, "main.(*Cache).Put")->grown_bytes,
			 4000 * 512 - (2000 * 512 + 50 * 1024));
	/* Nothing of main.init.0 was in use any more, but that was written in a row of this part. */
	assert_int_equal(site_of(s, "main.init.0")->grown_bytes, 0);

	_model_ *none = load_part(path, 2, 3);
	_snapshot_ *n = take(none, (struct snapshot_opts){ 0 });
	assert_true(n->heap.asked);
	assert_false(n->heap.known);

	/* The last look's state comes from rows of long before, too. */
	_model_ *last = load_part(path, 4, 5);
	_snapshot_ *l = take(last, (struct snapshot_opts){ 0 });
	assert_int_equal(l->heap.looks, 1);
	assert_int_equal(site_of(l, "main.init.0")->counts.alloc_samples, 2);
}

static void why_not_is_recorded(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording *rec = create(path);
	_model_ *m = new_model();
	(void)state;

	sample_meta(m);
	model_heap_unknown(m, "no profile");
	write_tick(m, SAMPLE_START, SAMPLE_START + 1, rec);
	finish(rec, m);
	_model_ *loaded = load(path);
	_snapshot_ *s = take(loaded, (struct snapshot_opts){ 0 });
	assert_true(s->heap.asked);
	assert_string_equal(s->heap.why_not, "no profile");
}

static void nothing_is_recorded_of_nothing(void **state)
{
	const char *path = in_dir("x.gallop");
	(void)state;

	model_free(record_sample(path, 2));
	assert_int_equal(query(path, "SELECT (SELECT count(*) FROM heap_watch) + (SELECT count(*) "
				     "FROM heap_look) + (SELECT count(*) FROM heap)"),
			 0);
}

static void damage_is_told(void **state)
{
	static const char *const damages[] = {
		"UPDATE heap SET inuse_bytes = -1",
		"UPDATE heap SET inuse_objects = alloc_objects + 1",
		"UPDATE heap SET inuse_bytes = alloc_bytes + 1",
		"UPDATE heap SET inuse_samples = alloc_samples + 1",
		"UPDATE heap SET inuse_bytes = 281474976710657, alloc_bytes = 281474976710657",
		"UPDATE heap SET inuse_objects = 0x7fffffffffffffff, alloc_objects = "
		"0x7fffffffffffffff",
		"UPDATE heap SET inuse_samples = 0 WHERE inuse_bytes",
		"UPDATE heap SET inuse_samples = 0, inuse_bytes = 0, inuse_objects = 0, "
		"alloc_samples = 0",
		"UPDATE heap SET alloc_samples = 'x'",
		"UPDATE heap SET stack = stack + 4000 WHERE interval = 3",
		"UPDATE heap SET interval = 99 WHERE interval = 3",
		"UPDATE heap_look SET interval = 99 WHERE interval = 3",
		"UPDATE heap_look SET ns = 1 WHERE interval = 3",
		"UPDATE heap_look SET rate = -1",
		"UPDATE heap_look SET before_gc = 2",
		"UPDATE heap_look SET cycle = 'x'",
		"UPDATE heap_watch SET why_not = x'00'",
		"UPDATE heap_watch SET id = 1",
	};
	const char *path = in_dir("x.gallop");
	(void)state;

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct model *m = NULL;
		struct err err = { 0 };

		model_free(record_heap(path, 4));
		sql(path, damages[i]);
		if (recording_load(path, NULL, &m, &err) != -EBADMSG)
			fail_msg("%s: %s", damages[i], err.msg);
		assert_null(m);
	}
}

static void huge_numbers_survive(void **state)
{
	const char *path = in_dir("x.gallop");
	(void)state;

	model_free(record_heap(path, 4));
	sql(path, "UPDATE heap SET inuse_bytes = 1 << 48, alloc_bytes = 0x7fffffffffffffff "
		  "WHERE interval = 3 AND inuse_samples; "
		  "UPDATE heap_look SET rate = 0x7fffffffffffffff, cycle = 0x7fffffffffffffff");
	_model_ *m = load(path);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_true(s->heap.total.inuse_bytes >= HEAP_INUSE_MAX);
	assert_int_equal(s->heap.total.alloc_bytes, INT64_MAX);
	_cleanup_free_ char *json = as_json(m);
	_cleanup_free_ char *text = rendered(render_heap_summary, s,
					     (struct render_opts){ .stacks = true });
	assert_lines(text, 160);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_asked),
		cmocka_unit_test(a_look_is_all_there_is),
		cmocka_unit_test(sites_are_sorted_by_any_value),
		cmocka_unit_test(growth_has_its_noise),
		cmocka_unit_test(why_it_is_not_known),
		cmocka_unit_test(sums_stay_at_the_largest),
		cmocka_unit_test(text_of_one_look),
		cmocka_unit_test(text_of_growth),
		cmocka_unit_test(text_with_stacks),
		cmocka_unit_test(a_section_of_report),
		cmocka_unit_test(json),
		cmocka_unit_test(collapsed_stacks),
		cmocka_unit_test(a_recording_gives_back_the_model),
		cmocka_unit_test(only_what_changed_is_written),
		cmocka_unit_test(a_part_has_its_own_growth),
		cmocka_unit_test(why_not_is_recorded),
		cmocka_unit_test(nothing_is_recorded_of_nothing),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(huge_numbers_survive),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
