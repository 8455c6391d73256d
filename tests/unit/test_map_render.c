/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps in every format, and what is advised. */
#include "golden.h"
#include "json_query.h"
#include "sample_maps.h"

#include <errno.h>
#include <time.h>

#include "render/formats.h"
#include "render/map_advice.h"
#include "render/maps.h"

/* A snapshot of two seconds with the maps of the sample in it. */
struct fixture {
	struct snapshot *s;
	struct sample_maps maps;
};

static void fixture_init(struct fixture *f)
{
	struct model *m = sample_model(2, NULL, NULL);

	f->s = take(m, (struct snapshot_opts){ 0 });
	model_free(m);
	sample_maps_put(&f->maps, f->s);
}

static void fixture_deinit(struct fixture *f)
{
	sample_maps_take(f->s);
	snapshot_free(f->s);
}

static int render_top(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	return render_top_block(out, s, s, opts);
}

/* A map of a million entries that is cleared and then holds a hundred, as a live session tells it. */
static struct model *retaining_model(void)
{
	const struct model_map_counts counts = { .assigns = 1000100,
						 .clears = 1,
						 .removed = 1000000,
						 .emptied = 1,
						 .emptied_entries = 1000000,
						 .entries_max = 1000000 };
	struct model *m = sample_model(1, NULL, NULL);
	uint32_t stack = sample_stack(m, "runtime.mapclear;main.purge;main.main", false);
	uint32_t type = sample_id(model_type(m, "map[int]int"));
	uint32_t site = sample_id(model_map_site(m, stack, type, &sample_shape));
	const struct model_map map = { .addr = 0xc000100000,
				       .type = type,
				       .made_site = MODEL_NO_SITE,
				       .emptied_site = site,
				       .deleted_site = MODEL_NO_SITE,
				       .entries = 100,
				       .bytes = 37830704,
				       .entries_max = 1000000,
				       .fill_entries = 100,
				       .emptied_entries = 1000000,
				       .fill_ns = 1,
				       .first_ns = SAMPLE_START,
				       .last_ns = SAMPLE_START + SAMPLE_S,
				       .emptied_ns = SAMPLE_START + 1 };

	model_map_site_set(m, site, &counts);
	model_maps_counted(m, true);
	model_maps_begin(m, SAMPLE_START + 60 * (uint64_t)SAMPLE_S);
	assert_int_equal(model_map_add(m, &map), 0);
	return m;
}

static void golden_model(void **state)
{
	struct model *m = retaining_model();
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *text = rendered(render_maps_summary, s, (struct render_opts){ 0 });

	(void)state;
	assert_golden("maps-model", text);
	snapshot_free(s);
	model_free(m);
}

static void golden_outputs(void **state)
{
	static const struct {
		const char *name;
		render_fn *render;
		struct render_opts opts;
	} cases[] = {
		{ .name = "maps-summary", .render = render_maps_summary },
		{ .name = "maps-summary-stacks",
		  .render = render_maps_summary,
		  .opts = { .stacks = true, .top_nr = 3, .color = true } },
		{ .name = "maps-text", .render = render_text, .opts = { .top_nr = 2 } },
		{ .name = "maps-top", .render = render_top, .opts = { .top_nr = 2 } },
		{ .name = "maps-json", .render = render_json },
		{ .name = "maps-jsonl", .render = render_jsonl },
		{ .name = "maps-collapsed-clears",
		  .render = render_collapsed,
		  .opts = { .value = SNAPSHOT_CLEARS } },
		{ .name = "maps-collapsed-retained",
		  .render = render_collapsed,
		  .opts = { .value = SNAPSHOT_RETAINED } },
	};
	struct fixture f;

	(void)state;
	fixture_init(&f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ char *text = rendered(cases[i].render, f.s, cases[i].opts);
		assert_golden(cases[i].name, text);
	}
	fixture_deinit(&f);
}

static int render_all(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	render_maps_summary(out, s, opts);
	put_maps_section(out, s, opts);
	put_maps_block(out, s, s);
	return render_end(out);
}

/* What a mode without a probe on each operation knows, where memory could not be read either. */
static void golden_unknown(void **state)
{
	const struct render_opts opts = { .top_nr = 1 };
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.s->maps.every_operation = false;
	f.s->maps.held_known = false;
	f.s->maps.list_nr = 0;
	_cleanup_free_ char *text = rendered(render_all, f.s, opts);
	assert_golden("maps-unknown", text);
	fixture_deinit(&f);
}

static void maps_that_were_not_looked_at_are_not_shown(void **state)
{
	struct model *m = sample_model(1, NULL, NULL);
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *summary = rendered(render_maps_summary, s, (struct render_opts){ 0 });
	_cleanup_free_ char *text = rendered(render_text, s, (struct render_opts){ 0 });
	_cleanup_free_ char *top = rendered(render_top, s, (struct render_opts){ 0 });
	_cleanup_free_ char *lines = rendered(render_jsonl, s, (struct render_opts){ 0 });
	_cleanup_free_ char *json = rendered(render_json, s, (struct render_opts){ 0 });

	(void)state;
	assert_non_null(strstr(summary, "\nnot known: maps were not looked at\n"));
	assert_null(strstr(summary, " held"));
	assert_non_null(strstr(summary, "\nlost:"));
	assert_null(strstr(text, "Maps"));
	assert_null(strstr(top, "maps:"));
	assert_null(strstr(lines, "\"maps\""));
	assert_query(json, "SELECT ?1 -> '$.maps.known'", "false");
	assert_query(json, "SELECT count(*) FROM json_each(?1, '$.maps') WHERE type = 'null'",
		     "16");
	assert_query(json, "SELECT count(*) FROM json_each(?1, '$.maps') WHERE type = 'integer'",
		     "0");
	assert_query(json, "SELECT json_array_length(?1, '$.maps.sites')", "0");
	snapshot_free(s);
	model_free(m);
}

static void json_has_null_for_what_is_not_known(void **state)
{
	static const char nulls[] =
		"SELECT group_concat(key) FROM json_each(?1, '$.maps.sites[0]') "
		"WHERE type = 'null'";
	struct fixture f;

	(void)state;
	fixture_init(&f);
	_cleanup_free_ char *all = rendered(render_json, f.s, (struct render_opts){ 0 });
	assert_query(all, nulls, "assigns_at_least,deletes_at_least");
	assert_query(all, "SELECT ?1 -> '$.maps.sites[7].pattern'", "null");
	assert_query(all, "SELECT ?1 -> '$.maps.sites[7].advice'", "null");
	assert_query(all, "SELECT ?1 -> '$.maps.list[1].made'", "null");
	assert_query(all, "SELECT ?1 -> '$.maps.list[1].emptied_ns'", "null");
	assert_query(all, "SELECT ?1 ->> '$.maps.list[0].emptied.stack[0].func'",
		     "main.(*Cache).purge");
	assert_query(all, "SELECT ?1 ->> '$.maps.list[0].addr'", "0xc000123450");
	assert_query(all, "SELECT ?1 ->> '$.maps.sites[2].truncated'", "1");
	/* Sites add up to the sums. */
	assert_query(all,
		     "SELECT sum(value ->> 'deletes') = ?1 ->> '$.maps.deletes' AND "
		     "sum(value ->> 'entries_removed') = ?1 ->> '$.maps.entries_removed' "
		     "FROM json_each(?1, '$.maps.sites')",
		     "1");

	f.s->maps.every_operation = false;
	_cleanup_free_ char *rare = rendered(render_json, f.s, (struct render_opts){ 0 });
	assert_query(rare, nulls,
		     "makes,assigns,deletes,assigns_at_least,deletes_at_least,assigns_ci95,deletes_"
		     "ci95,drains,drain_loops,entries_"
		     "removed,unsettled");
	assert_query(rare, "SELECT ?1 -> '$.maps.assigns'", "null");
	assert_query(rare, "SELECT ?1 ->> '$.maps.clears'", "83");

	f.s->maps.every_operation = true;
	f.s->maps.held_known = false;
	_cleanup_free_ char *unread = rendered(render_json, f.s, (struct render_opts){ 0 });
	assert_query(unread, nulls,
		     "advice,assigns_at_least,deletes_at_least,made_maps,made_bytes,retained_maps,"
		     "retained_bytes,idle_bytes,idle_"
		     "needed_bytes");
	assert_query(unread, "SELECT ?1 -> '$.maps.held_mono_ns'", "null");
	fixture_deinit(&f);
}

/* --- advice ----------------------------------------------------------------------------------- */

static void assert_advice(struct snapshot_map_site site, const char *go_version, const char *words)
{
	struct snapshot s = { .maps = { .held_known = true, .every_operation = true } };

	site.shape = sample_shape;
	strcpy(s.meta.go_version, go_version);
	assert_string_equal(map_advice(&s, &site).s, words);
}

/* Of the sample, which is of go1.24.3, the goldens hold what is advised. */
static void advice_fits_the_version(void **state)
{
	static const struct {
		const char *version;
		const char *clear, *sync;
	} cases[] = {
		{ "go1.19.13", "`for k := range m { delete(m, k) }` is one",
		  "a new sync.Map in its place is one step; from Go 1.23 on Clear() is" },
		{ "go1.20.14", "`for k := range m { delete(m, k) }` is one",
		  "a new sync.Map in its place is one step; from Go 1.23 on Clear() is" },
		{ "go1.21.0", "clear(m) is one",
		  "a new sync.Map in its place is one step; from Go 1.23 on Clear() is" },
		{ "go1.22rc1 X:foo", "clear(m) is one",
		  "a new sync.Map in its place is one step; from Go 1.23 on Clear() is" },
		{ "go1.23.5", "clear(m) is one", "Clear() is one call (Go 1.23)" },
		{ "devel go1.27-abcdef", "clear(m) is one", "Clear() is one call (Go 1.23)" },
		{ "", "clear(m) (Go 1.21) is one", "Clear() is one call (Go 1.23)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char words[256];
		snprintf(words, sizeof(words),
			 "6,020,000 calls of delete where %s: 1,204 drains of 5,000 entries",
			 cases[i].clear);
		assert_advice(sample_sites[4], cases[i].version, words);
		snprintf(words, sizeof(words), "321 deletes inside Range: if all entries go, %s",
			 cases[i].sync);
		assert_advice(sample_sites[5], cases[i].version, words);
	}
}

static void means_say_that_they_are(void **state)
{
	struct snapshot_map_site drains = sample_sites[4], hint = sample_sites[3];

	(void)state;
	drains.counts.emptied_entries++;
	assert_advice(
		drains, "go1.24.3",
		"6,020,000 calls of delete where clear(m) is one: 1,204 drains of about 5,000 "
		"entries");
	/* What clears found is in the same sum. */
	drains.counts.clears = 1;
	drains.counts.drains = 1;
	assert_advice(drains, "go1.24.3",
		      "6,020,000 calls of delete where clear(m) is one: 1 drain");
	assert_advice(
		hint, "go1.24.3",
		"a size hint of 1,000,000 would save 17 growths and 37.0 MiB of tables left to "
		"the collector");
	hint.counts.makes = 3;
	hint.counts.made_entries = 100;
	hint.counts.made_growths = 1;
	assert_advice(hint, "go1.24.3",
		      "a size hint of about 33 would save most of 1 growth and 37.0 MiB of tables "
		      "left to the collector");
}

static void advice_counts_maps(void **state)
{
	struct snapshot_map_site retain = sample_sites[0], thin = sample_sites[1];

	(void)state;
	retain.counts.refills = 0;
	assert_advice(retain, "go1.24.3",
		      "holds 37.8 MiB for nothing, 2.1 KiB would do: make a new map when so little "
		      "is put in");
	retain.idle.maps = 12;
	assert_advice(
		retain, "go1.24.3",
		"12 maps hold 37.8 MiB for nothing, 2.1 KiB would do: make new ones when so little "
		"is put in");
	thin.idle.maps = 2;
	assert_advice(
		thin, "go1.24.3",
		"2 maps: 3.6 MiB held where 40.0 KiB would do: rebuild, with a new map for the "
		"entries that are left");
}

/* A pattern without the numbers that its advice needs, and no pattern at all. */
static void no_number_no_advice(void **state)
{
	static const enum map_pattern patterns[] = { MAP_PATTERN_CLEAR_RETAIN, MAP_PATTERN_THINNED,
						     MAP_PATTERN_CLEAR_REFILL,
						     MAP_PATTERN_MAKE_AGAIN, MAP_PATTERN_NO_HINT };
	struct snapshot_map_site site = sample_sites[7];

	(void)state;
	assert_advice(site, "go1.24.3", "");
	site.counts = (struct model_map_counts){ 0 };
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		site.pattern = patterns[i];
		assert_advice(site, "go1.24.3", "");
	}
	site.pattern = (enum map_pattern)1000;
	assert_advice(site, "go1.24.3", "");

	/* Numbers that are there, but of what wasn't looked at. */
	struct snapshot s = { 0 };
	assert_string_equal(map_advice(&s, &sample_sites[0]).s, "");
	assert_string_equal(map_advice(&s, &sample_sites[1]).s, "");
	assert_string_equal(map_advice(&s, &sample_sites[4]).s, "");
	assert_string_equal(map_advice(&s, &sample_sites[5]).s, "");
	/* A table whose size isn't known is reused all the same. */
	site = sample_sites[6];
	assert_string_equal(map_advice(&s, &site).s, "good: 40 refills reuse the table");
}

/* --- what may be in there --------------------------------------------------------------------- */

static void lines_fit(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	_cleanup_free_ char *summary = rendered(render_maps_summary, f.s,
						(struct render_opts){ .stacks = true });
	_cleanup_free_ char *text = rendered(render_text, f.s, (struct render_opts){ 0 });
	assert_lines(summary, 100);
	assert_lines(text, 100);
	fixture_deinit(&f);
}

static void fill_with(void *counts, size_t sz, uint32_t *seed)
{
	uint64_t *v = counts;

	for (size_t i = 0; i < sz / sizeof(v[0]); i++) {
		*seed = *seed * 1664525 + 1013904223;
		v[i] = *seed % 5 == 0 ? 0 : UINT64_MAX >> (*seed >> 8) % 64;
	}
}

/* Any numbers, any names, any pattern. */
static void make_odd(struct fixture *f, uint32_t seed)
{
	static const char *const names[] = {
		"e\033[31mvil\n\"", "a\033]0;b;c 12", "\xff\\", "",
		"map[string]map[string]map[string]map[string]map[string]"
		"map[string]map[string]map[string]map[string]int"
	};

	for (size_t i = 0; i < SAMPLE_PLACES; i++) {
		struct snapshot_map_site *site = &f->maps.sites[i];
		fill_with(&site->counts, sizeof(site->counts), &seed);
		fill_with(&site->made, sizeof(site->made), &seed);
		fill_with(&site->idle, sizeof(site->idle), &seed);
		fill_with(&site->retained_bytes, sizeof(site->retained_bytes), &seed);
		fill_with(&site->idle_needed_bytes, sizeof(site->idle_needed_bytes), &seed);
		site->pattern = (enum map_pattern)((seed >> 8) % (MAP_PATTERN_NR + 2));
		site->type = names[seed % 5];
		f->maps.places[i].frames[0].func = names[(seed >> 4) % 5];
		f->maps.places[i].frames[1].func = names[(seed >> 8) % 5];
		f->maps.places[i].frames[0].file = names[(seed >> 12) % 5];
		site->shape.unit_bytes = seed >> 8;
		site->shape.swiss = seed & 64;
	}
	for (size_t i = 0; i < SAMPLE_LISTED; i++) {
		f->maps.list[i].type = names[(seed + i) % 5];
		fill_with(&f->maps.list[i].raw.entries,
			  sizeof(struct model_map) - offsetof(struct model_map, entries), &seed);
	}
	fill_with(&f->s->maps.total, sizeof(f->s->maps.total), &seed);
}

static void odd_maps_are_shown(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t seed = 1; seed < 50; seed++) {
		const struct render_opts opts = { .stacks = seed & 1, .top_nr = seed % 10 };
		fixture_init(&f);
		make_odd(&f, seed);
		_cleanup_free_ char *summary = rendered(render_maps_summary, f.s, opts);
		/* Numbers that no memory holds are wider than their columns. */
		assert_lines(summary, 260);
		_cleanup_free_ char *top = rendered(render_top, f.s, opts);
		assert_lines(top, 260);
		_cleanup_free_ char *json = rendered(render_json, f.s, opts);
		assert_query(json, "SELECT json_valid(?1)", "1");
		_cleanup_free_ char *stacks =
			rendered(render_collapsed, f.s,
				 (struct render_opts){ .value = SNAPSHOT_ASSIGNS + seed % 5 });
		assert_lines(stacks, 1000);
		fixture_deinit(&f);
	}
}

static void a_failed_write_is_an_error(void **state)
{
	const struct render_opts opts = { 0 };
	struct fixture f;

	(void)state;
	fixture_init(&f);
	_cleanup_fclose_ FILE *full = fopen("/dev/full", "w");
	assert_int_equal(render_maps_summary(full, f.s, &opts), -EIO);
	fixture_deinit(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_outputs),
		cmocka_unit_test(golden_model),
		cmocka_unit_test(golden_unknown),
		cmocka_unit_test(maps_that_were_not_looked_at_are_not_shown),
		cmocka_unit_test(json_has_null_for_what_is_not_known),
		cmocka_unit_test(advice_fits_the_version),
		cmocka_unit_test(means_say_that_they_are),
		cmocka_unit_test(advice_counts_maps),
		cmocka_unit_test(no_number_no_advice),
		cmocka_unit_test(lines_fit),
		cmocka_unit_test(odd_maps_are_shown),
		cmocka_unit_test(a_failed_write_is_an_error),
	};
	/* Wall-clock times are local. */
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("map render", tests, NULL, NULL);
}
