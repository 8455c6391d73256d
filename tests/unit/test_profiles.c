/* SPDX-License-Identifier: BSD-2-Clause */
/* Profiles for pprof, read back and compared with golden files; and those for speedscope, by the rules of its format. */
#include "golden.h"
#include "json_query.h"
#include "profile_read.h"
#include "sample_estimates.h"
#include "sample_gc.h"
#include "sample_heap.h"
#include "sample_maps.h"
#include "sample_ops.h"

#include "render/proto.h"

/* Two seconds of a program that collects garbage and has a live heap. */
static struct model *full_model(void)
{
	struct sample_heap_tick heap = { 0 };
	struct sample_gc gc = { sample_heap_tick, &heap };

	return sample_model(2, sample_gc_tick, &gc);
}

static void read_rendered(struct profile_read *r, render_fn *render, const struct snapshot *s,
			  enum snapshot_value value)
{
	const struct render_opts opts = { .value = value };
	_cleanup_free_ char *gz = NULL;
	size_t sz;
	FILE *out = open_memstream(&gz, &sz);

	assert_int_equal(render(out, s, &opts), 0);
	fclose(out);
	profile_read(r, gz, sz);
}

static void assert_profile(const char *name, render_fn *render, const struct snapshot *s,
			   enum snapshot_value value)
{
	_cleanup_(profile_read_free) struct profile_read r;

	read_rendered(&r, render, s, value);
	assert_golden(name, r.text);
}

static render_fn *pprof(void)
{
	return renderer_find("pprof")->render;
}

static render_fn *speedscope(void)
{
	return renderer_find("speedscope")->render;
}

/* --- pprof -------------------------------------------------------------------------------------- */

static void golden_allocations(void **state)
{
	_model_ *m = sample_model(2, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });

	(void)state;
	assert_profile("pprof-alloc", pprof(), s, SNAPSHOT_BYTES);
	_snapshot_ *whole =
		take(m, (struct snapshot_opts){ .sort = SNAPSHOT_OBJECTS, .runtime_frames = true });
	assert_profile("pprof-runtime", pprof(), whole, SNAPSHOT_OBJECTS);
	/* Of operations only, in windows: that isn't all. */
	s->ops.known.sampled = true;
	assert_profile("pprof-windows", pprof(), s, SNAPSHOT_BYTES);
}

static void golden_in_use(void **state)
{
	struct sample_heap_tick heap = { 0 };
	_model_ *m = sample_model(2, sample_heap_tick, &heap);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });

	(void)state;
	assert_profile("pprof-inuse", pprof(), s, SNAPSHOT_OBJECTS);
	assert_profile("pprof-heap", pprof(), s, SNAPSHOT_INUSE_BYTES);
}

static void golden_estimates(void **state)
{
	_model_ *m = sample_model(2, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });

	(void)state;
	sample_estimate(s, &sample_by_windows);
	assert_profile("pprof-estimates", pprof(), s, SNAPSHOT_BYTES);
	/* By the runtime's samples: one each so many bytes. */
	_snapshot_ *sampled = take(m, (struct snapshot_opts){ 0 });
	_cleanup_(profile_read_free) struct profile_read r;
	sample_estimate(sampled, &sample_by_runtime);
	read_rendered(&r, pprof(), sampled, SNAPSHOT_BYTES);
	assert_non_null(strstr(r.text, "\nperiod 524288\n"));
}

static void golden_gc(void **state)
{
	_model_ *m = sample_model(2, sample_gc_tick, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });

	(void)state;
	assert_profile("pprof-gc", pprof(), s, SNAPSHOT_STW);
}

static void golden_maps(void **state)
{
	_model_ *m = sample_model(2, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	struct sample_maps maps;

	(void)state;
	sample_maps_put(&maps, s);
	assert_profile("pprof-maps", pprof(), s, SNAPSHOT_RETAINED);
	/* Of which there are three types less. */
	s->maps.every_operation = s->maps.held_known = false;
	assert_profile("pprof-maps-unknown", pprof(), s, SNAPSHOT_CLEARS);
	sample_maps_take(s);
}

static void golden_ops(void **state)
{
	_model_ *m = sample_ops_model();
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });

	(void)state;
	assert_profile("pprof-ops", render_ops_pprof, s, SNAPSHOT_BYTES);
}

static void an_empty_profile_is_one(void **state)
{
	_model_ *m = new_model();
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });

	(void)state;
	assert_profile("pprof-empty", pprof(), s, SNAPSHOT_BYTES);
}

/* All of it, each way, and no value is another one's. */
static void profiles_add_up(void **state)
{
	_model_ *m = full_model();
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_(profile_read_free) struct profile_read alloc, heap, gc;

	(void)state;
	read_rendered(&alloc, pprof(), s, SNAPSHOT_BYTES);
	assert_int_equal(alloc.sums[0], s->total.objects);
	assert_int_equal(alloc.sums[1], s->total.bytes);
	assert_int_equal(alloc.sums[2], s->heap.total.inuse_objects);
	assert_int_equal(alloc.sums[3], s->heap.total.inuse_bytes);
	assert_true(alloc.sums[3] > 0);
	read_rendered(&heap, pprof(), s, SNAPSHOT_ALLOC_OBJECTS);
	assert_int_equal(heap.sums[0], s->heap.total.alloc_objects);
	assert_int_equal(heap.sums[1], s->heap.total.alloc_bytes);
	assert_int_equal(heap.sums[2], s->heap.total.inuse_objects);
	assert_int_equal(heap.sums[3], s->heap.total.inuse_bytes);
	read_rendered(&gc, pprof(), s, SNAPSHOT_ASSIST);
	assert_int_equal(gc.sums[0], s->gc.stops_total);
	assert_int_equal(gc.sums[1], s->gc.stopped_ns);
	assert_int_equal(gc.sums[2], s->gc.assists_total);
	assert_int_equal(gc.sums[3], s->gc.assist_ns);
	assert_true(gc.sums[1] > 0 && gc.sums[3] > 0);
}

/* What has no caller in the table is there all the same. */
static void lost_stops_are_shown(void **state)
{
	_model_ *m = sample_model(2, sample_gc_tick, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_(profile_read_free) struct profile_read gc;

	(void)state;
	s->gc.stops_total += 3;
	s->gc.stopped_ns += 333;
	read_rendered(&gc, pprof(), s, SNAPSHOT_STW);
	assert_int_equal(gc.sums[0], s->gc.stops_total);
	assert_int_equal(gc.sums[1], s->gc.stopped_ns);
	assert_non_null(strstr(gc.text, "sample 3 333 0 0\n    [lost] :0\n"));
}

/* --- hostile input -------------------------------------------------------------------------------- */

/* Not through the model, which cleans what it takes: the writers must not depend on it. */
struct hostile {
	struct snapshot s;
	struct snapshot_frame frames[8];
	const struct snapshot_frame *links[8];
	struct snapshot_stack stack;
	struct snapshot_site site;
	char *huge; /* 64 KiB of two-byte characters, so that any cut could be within one */
};

static void hostile_init(struct hostile *h)
{
	enum { HUGE = 64 * 1024 };

	memset(h, 0, sizeof(*h));
	h->huge = malloc(HUGE + 1);
	for (size_t i = 0; i < HUGE; i += 2)
		memcpy(h->huge + i, "\xc3\xa9", 2);
	h->huge[HUGE] = '\0';
	const char *const names[] = { h->huge, "\xff\xfe",  "\033[2Jx",	     "a\nb",
				      "",      "</script>", "\xe2\x80\xaex", "q\"\\" };
	for (size_t i = 0; i < 8; i++) {
		h->frames[i] = (struct snapshot_frame){ names[i], names[7 - i], UINT32_MAX, true };
		h->links[i] = &h->frames[i];
	}
	h->stack = (struct snapshot_stack){ h->links, 8, true };
	h->site = (struct snapshot_site){
		.count = { 1, INT64_MAX }, .type = h->huge, .stack = &h->stack, .goid = UINT64_MAX
	};
	h->s.sites = &h->site;
	h->s.sites_nr = 1;
	strcpy(h->s.meta.comm, "e\033[31mvil\n");
	strcpy(h->s.meta.exe, "\xff\n");
	h->s.check.why_not[0] = '\n';
}

static void hostile_deinit(struct hostile *h)
{
	free(h->huge);
}

static void hostile_names_are_cleaned(void **state)
{
	_cleanup_(hostile_deinit) struct hostile h;
	_cleanup_(profile_read_free) struct profile_read r;

	(void)state;
	hostile_init(&h);
	read_rendered(&r, pprof(), &h.s, SNAPSHOT_BYTES);
	assert_int_equal(r.sums[1], INT64_MAX);
	assert_non_null(strstr(r.text, "    \xef\xbf\xbd\xef\xbf\xbd ?x:4294967295 (inlined)\n"));
	assert_non_null(strstr(r.text, "    [truncated] :0\n"));
	assert_non_null(strstr(r.text, "    [unknown] a?b:"));
	assert_non_null(strstr(r.text, "goroutine=18446744073709551615"));
	assert_lines(r.text, SIZE_MAX);
}

static void varints_are_as_long_as_they_need(void **state)
{
	static const struct {
		uint64_t value;
		size_t len;
	} cases[] = { { 1, 1 },	     { 0x7f, 1 },      { 0x80, 2 },	  { 0x3fff, 2 },
		      { 0x4000, 3 }, { INT64_MAX, 9 }, { UINT64_MAX, 10 } };
	struct proto p = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct field f;
		proto_reset(&p);
		proto_number(&p, 3, cases[i].value);
		assert_int_equal(p.len, 1 + cases[i].len);
		struct part part = { p.data, p.data + p.len };
		assert_true(read_field(&part, &f));
		assert_int_equal(f.number, 3);
		assert_true(f.value == cases[i].value);
	}
	proto_reset(&p);
	proto_number(&p, 3, 0);
	assert_int_equal(p.len, 0);
	proto_packed(&p, 1, &(uint64_t){ 300 }, 1);
	assert_memory_equal(p.data, "\x0a\x02\xac\x02", 4);
	proto_deinit(&p);
}

/* --- speedscope ------------------------------------------------------------------------------------ */

/* The rules of its format beside the schema's: each value in turn. */
static void assert_speedscope(const char *json)
{
	assert_query(json, "SELECT json_valid(?1)", "1");
	assert_query(json, "SELECT json_extract(?1, '$.\"$schema\"')",
		     "https://www.speedscope.app/file-format-schema.json");
	assert_query(json,
		     "SELECT json_extract(?1, '$.activeProfileIndex') < "
		     "json_array_length(?1, '$.profiles')",
		     "1");
	/* No sample has a frame that isn't there, and none is without one; each has a weight. */
	assert_query(
		json,
		"SELECT count(*) FROM json_each(?1, '$.profiles') p, json_each(p.value, "
		"'$.samples') s, json_each(s.value) f WHERE f.type <> 'integer' OR f.value < 0 "
		"OR f.value >= json_array_length(?1, '$.shared.frames')",
		"0");
	assert_query(json,
		     "SELECT count(*) FROM json_each(?1, '$.profiles') p, json_each(p.value, "
		     "'$.samples') s WHERE json_array_length(s.value) = 0",
		     "0");
	assert_query(
		json,
		"SELECT count(*) FROM json_each(?1, '$.profiles') p WHERE "
		"json_array_length(p.value, '$.samples') <> json_array_length(p.value, "
		"'$.weights') OR json_extract(p.value, '$.startValue') <> 0 OR "
		"json_extract(p.value, '$.type') <> 'sampled' OR json_extract(p.value, '$.unit') "
		"NOT IN ('bytes', 'none', 'nanoseconds')",
		"0");
	assert_query(json,
		     "SELECT count(*) FROM json_each(?1, '$.profiles') p WHERE "
		     "json_extract(p.value, '$.endValue') <> (SELECT ifnull(sum(w.value), 0) FROM "
		     "json_each(p.value, '$.weights') w)",
		     "0");
	assert_query(json,
		     "SELECT count(*) FROM json_each(?1, '$.shared.frames') f WHERE "
		     "json_extract(f.value, '$.name') = ''",
		     "0");
	/* Each stack is there once. */
	assert_query(json,
		     "SELECT count(*) - count(DISTINCT p.key || s.value) FROM json_each(?1, "
		     "'$.profiles') p, json_each(p.value, '$.samples') s",
		     "0");
}

static void golden_speedscope(void **state)
{
	_model_ *m = full_model();
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	struct sample_maps maps;

	(void)state;
	sample_maps_put(&maps, s);
	_cleanup_free_ char *json = rendered(speedscope(), s,
					     (struct render_opts){ .value = SNAPSHOT_OBJECTS });
	assert_speedscope(json);
	assert_golden("speedscope", json);
	sample_maps_take(s);
}

static void speedscope_has_every_value(void **state)
{
	_model_ *m = full_model();
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	struct sample_maps maps;

	(void)state;
	sample_maps_put(&maps, s);
	for (enum snapshot_value value = SNAPSHOT_BYTES; value <= SNAPSHOT_ALLOC_OBJECTS; value++) {
		_cleanup_free_ char *json = rendered(speedscope(), s,
						     (struct render_opts){ .value = value });
		_cleanup_free_ char *folded = rendered(renderer_find("collapsed")->render, s,
						       (struct render_opts){ .value = value });
		uint64_t sum = 0;
		char expected[32], *save = NULL;
		for (char *line = strtok_r(folded, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			sum += strtoull(strrchr(line, ' '), NULL, 10);
		snprintf(expected, sizeof(expected), "%llu", (unsigned long long)sum);
		assert_true(sum > 0);
		assert_query(json, "SELECT json_array_length(?1, '$.profiles')", "13");
		/* The one that was asked for is shown first. */
		assert_query(json,
			     "SELECT json_extract(?1, '$.profiles[' || json_extract(?1, "
			     "'$.activeProfileIndex') || '].endValue')",
			     expected);
	}
	sample_maps_take(s);
}

static void golden_speedscope_ops(void **state)
{
	_model_ *m = sample_ops_model();
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *json = rendered(render_ops_speedscope, s, (struct render_opts){ 0 });

	(void)state;
	assert_speedscope(json);
	assert_golden("speedscope-ops", json);
}

static void speedscope_of_nothing_and_of_anything(void **state)
{
	_model_ *m = new_model();
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_(hostile_deinit) struct hostile h;

	(void)state;
	_cleanup_free_ char *empty = rendered(speedscope(), s, (struct render_opts){ 0 });
	assert_speedscope(empty);
	assert_query(empty, "SELECT json_array_length(?1, '$.profiles')", "1");
	hostile_init(&h);
	_cleanup_free_ char *json = rendered(speedscope(), &h.s, (struct render_opts){ 0 });
	assert_speedscope(json);
	assert_lines(json, SIZE_MAX);
	/* Where only operations were looked at, in windows, that isn't all. */
	h.s.ops.known.sampled = true;
	_cleanup_free_ char *windows = rendered(speedscope(), &h.s, (struct render_opts){ 0 });
	assert_non_null(strstr(windows, "Bytes allocated (in windows of operations only"));
	assert_query(json, "SELECT json_extract(?1, '$.shared.frames[0].name')", "[truncated]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_allocations),
		cmocka_unit_test(golden_in_use),
		cmocka_unit_test(golden_estimates),
		cmocka_unit_test(golden_gc),
		cmocka_unit_test(golden_maps),
		cmocka_unit_test(golden_ops),
		cmocka_unit_test(an_empty_profile_is_one),
		cmocka_unit_test(profiles_add_up),
		cmocka_unit_test(lost_stops_are_shown),
		cmocka_unit_test(hostile_names_are_cleaned),
		cmocka_unit_test(varints_are_as_long_as_they_need),
		cmocka_unit_test(golden_speedscope),
		cmocka_unit_test(speedscope_has_every_value),
		cmocka_unit_test(golden_speedscope_ops),
		cmocka_unit_test(speedscope_of_nothing_and_of_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
