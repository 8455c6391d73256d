/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps in the model and its snapshots: what is counted, held, merged and bounded. */
#include "golden.h"
#include "sample_map_ops.h"

#include <errno.h>

#include "model/map_judge.h"

#define NOW UINT64_C(1000000000000)

static const struct snapshot_map_site *find_site(const struct snapshot *s, const char *leaf)
{
	for (size_t i = 0; i < s->maps.sites_nr; i++)
		if (strcmp(s->maps.sites[i].stack->frames[0]->func, leaf) == 0)
			return &s->maps.sites[i];
	fail_msg("no site '%s'", leaf);
	return NULL;
}

/* --- the model ---------------------------------------------------------------------------------- */

static void counts_only_grow(void **state)
{
	_model_ *m = new_model();
	uint32_t site = sample_map_site(m, "runtime.mapclear;main.f", "map[int]int", &sample_ints);
	uint32_t other = sample_map_site(m, "runtime.mapassign;main.g", "map[int]int",
					 &sample_ints);
	const struct model_map_counts first = { .clears = 5, .assigns = 7, .entries_max = 30 };
	const struct model_map_counts second = { .clears = 9, .assigns = 6, .entries_max = 20 };

	(void)state;
	model_map_site_set(m, site, &first);
	model_map_site_set(m, other, &first);
	model_next_interval(m, 10);
	model_map_site_set(m, site, &second);
	_snapshot_ *all = take(m, (struct snapshot_opts){ 0 });
	assert_true(all->maps.known);
	assert_false(all->maps.held_known);
	assert_int_equal(all->maps.sites_nr, 2);
	assert_int_equal(find_site(all, "main.f")->counts.clears, 9);
	assert_int_equal(find_site(all, "main.f")->counts.assigns, 7);
	assert_int_equal(find_site(all, "main.f")->counts.entries_max, 30);
	assert_int_equal(all->maps.total.clears, 14);
	assert_int_equal(all->maps.total.entries_max, 30);

	_snapshot_ *interval = take(m, (struct snapshot_opts){ .interval = true });
	assert_int_equal(interval->maps.sites_nr, 1);
	assert_int_equal(interval->maps.sites[0].counts.clears, 4);
	assert_int_equal(interval->maps.sites[0].counts.assigns, 0);
	assert_int_equal(interval->maps.sites[0].counts.entries_max, 30);
	assert_int_equal(interval->maps.total.clears, 4);
}

static void nothing_is_known_of_maps_that_nobody_watches(void **state)
{
	_model_ *m = new_model();
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });

	(void)state;
	assert_false(s->maps.known);
	model_maps_counted(m, true);
	_snapshot_ *watched = take(m, (struct snapshot_opts){ 0 });
	assert_true(watched->maps.known);
	assert_true(watched->maps.every_operation);
	assert_false(watched->maps.held_known);
	assert_int_equal(watched->maps.sites_nr, 0);
}

static void what_is_held_is_set_anew(void **state)
{
	_model_ *m = new_model();
	uint64_t now = SAMPLE_START + UINT64_C(10) * SAMPLE_S;

	(void)state;
	sample_maps_second(m, SAMPLE_START, now);
	sample_maps_look(m, now);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_true(s->maps.held_known);
	assert_int_equal(s->maps.held_mono_ns, now);
	assert_int_equal(s->maps.held.maps, 3);
	assert_int_equal(find_site(s, "main.newCache")->made.maps, 2);
	const struct snapshot_map_site *purge = find_site(s, "main.(*Cache).Purge");
	assert_int_equal(purge->emptied.maps, 1);
	assert_int_equal(purge->idle.bytes, purge->emptied.bytes);
	assert_int_equal(purge->retained_bytes, purge->emptied.bytes);
	assert_int_equal(purge->idle_needed_bytes, go_map_bytes_for(&sample_pointers, 20));
	assert_int_equal(purge->pattern, MAP_PATTERN_CLEAR_RETAIN);
	const struct snapshot_map_site *expire = find_site(s, "main.expire");
	assert_int_equal(expire->thinned.bytes, 300000);
	assert_int_equal(expire->idle_needed_bytes, go_map_bytes_for(&sample_ints, 16));
	assert_int_equal(expire->pattern, MAP_PATTERN_THINNED);
	/* In an interval in which nothing happens they are still there. */
	model_next_interval(m, now);
	_snapshot_ *idle = take(m, (struct snapshot_opts){ .interval = true });
	assert_int_equal(idle->maps.sites_nr, 3);
	assert_int_equal(idle->maps.held.maps, 3);

	model_maps_begin(m, now + 1);
	_snapshot_ *gone = take(m, (struct snapshot_opts){ .interval = true });
	assert_true(gone->maps.held_known);
	assert_int_equal(gone->maps.held.maps, 0);
	assert_int_equal(gone->maps.list_nr, 0);
	assert_int_equal(gone->maps.sites_nr, 0);
}

/* A map that was emptied in one place and thinned in another is held by one of them. */
static void a_map_is_retained_once(void **state)
{
	_model_ *m = new_model();
	uint32_t type = sample_id(model_type(m, "map[int]int"));
	uint32_t cleared = sample_map_site(m, "runtime.mapclear;main.f", "map[int]int",
					   &sample_ints);
	uint32_t thinned = sample_map_site(m, "runtime.mapdelete;main.g", "map[int]int",
					   &sample_ints);
	struct model_map map = {
		.type = type,
		.made_site = MODEL_NO_SITE,
		.emptied_site = cleared,
		.deleted_site = thinned,
		.entries = 400,
		.fill_entries = 100000,
		.emptied_entries = 100000,
		.emptied_ns = NOW - MAP_WAIT_NS - 1,
		.thin_ns = NOW - MAP_WAIT_NS,
		.first_ns = NOW - 2 * MAP_WAIT_NS,
		.bytes = 1 << 20,
	};

	(void)state;
	model_maps_begin(m, NOW);
	assert_int_equal(model_map_add(m, &map), 0);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->maps.sites_nr, 1);
	assert_int_equal(find_site(s, "main.g")->thinned.bytes, 1 << 20);

	/* The table is of a filling long ago: what it was thinned from needed little. */
	map.fill_entries = map.emptied_entries = 1000;
	map.entries = 100;
	model_maps_begin(m, NOW);
	assert_int_equal(model_map_add(m, &map), 0);
	_snapshot_ *retained = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(retained->maps.sites_nr, 1);
	assert_int_equal(find_site(retained, "main.f")->idle.bytes, 1 << 20);
}

static void the_largest_maps_are_kept(void **state)
{
	enum { MAPS = 1000 };
	_model_ *m = new_model();
	uint32_t type = sample_id(model_type(m, "map[int]int"));

	(void)state;
	model_maps_begin(m, 1);
	for (uint64_t i = 0; i < MAPS; i++) {
		/* All sizes once, in no order. */
		const struct model_map map = { .addr = i,
					       .type = type,
					       .bytes = i * 387 % MAPS,
					       .made_site = 77,
					       .emptied_site = MODEL_NO_SITE,
					       .deleted_site = MODEL_NO_SITE };
		assert_int_equal(model_map_add(m, &map), 0);
	}
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->maps.held.maps, MAPS);
	assert_int_equal(s->maps.held.bytes, MAPS * (MAPS - 1) / 2);
	assert_int_equal(s->maps.list_nr, MODEL_MAPS_LISTED);
	for (size_t i = 0; i < s->maps.list_nr; i++) {
		assert_int_equal(s->maps.list[i].raw.bytes, MAPS - 1 - i);
		assert_string_equal(s->maps.list[i].type, "map[int]int");
		assert_null(s->maps.list[i].made); /* a site that isn't there */
		assert_null(s->maps.list[i].emptied);
	}
	const struct model_map bad = { .type = type + 1 };
	assert_int_equal(model_map_add(m, &bad), -EINVAL);
}

static void hostile_numbers_stay_numbers(void **state)
{
	_model_ *m = new_model();
	uint32_t site = sample_map_site(m, "runtime.mapclear;main.f", "map[int]int", &sample_ints);
	uint32_t same = sample_map_site(m, "runtime.mapassign;runtime.x;main.f", "map[int]int",
					&sample_ints);
	struct model_map_counts counts;
	struct model_map map;

	(void)state;
	memset(&counts, 0xff, sizeof(counts));
	memset(&map, 0xff, sizeof(map));
	map.type = sample_id(model_type(m, "map[int]int"));
	map.made_site = map.emptied_site = site;
	map.deleted_site = same;
	model_map_site_set(m, site, &counts);
	model_map_site_set(m, same, &counts);
	model_maps_begin(m, UINT64_MAX);
	for (int i = 0; i < 3; i++)
		assert_int_equal(model_map_add(m, &map), 0);
	map.fill_entries = map.emptied_entries = map.emptied_ns = 1;
	assert_int_equal(model_map_add(m, &map), 0);
	_snapshot_ *s = take(m, (struct snapshot_opts){ .sort = SNAPSHOT_GROWTHS });
	assert_int_equal(s->maps.sites_nr, 1);
	assert_int_equal(s->maps.sites[0].counts.growths, INT64_MAX);
	assert_int_equal(s->maps.sites[0].retained_bytes, INT64_MAX);
	assert_int_equal(s->maps.total.entries_max, INT64_MAX);
	assert_int_equal(s->maps.held.bytes, INT64_MAX);
	assert_int_equal(s->maps.held.maps, 4);
	assert_int_equal(s->maps.list[0].raw.entries, INT64_MAX);
	assert_int_equal(model_map_site(m, 9999, 0, &sample_ints), -EINVAL);
	assert_int_equal(model_map_site(m, 0, 9999, &sample_ints), -EINVAL);
}

/* Sites that no program has: at some point there is no room, and what is there can be shown. */
static void sites_are_bounded(void **state)
{
	_model_ *m = new_model();
	uint32_t type = sample_id(model_type(m, "map[int]int"));
	const struct model_map_counts counts = { .assigns = 1 };
	uint64_t sites = 0;
	int64_t id;

	(void)state;
	for (uint32_t line = 0;; line++) {
		struct model_frame frames[32];
		for (size_t i = 0; i < 32; i++)
			frames[i] = frame("main.f", "x.go", i ? 1 : line);
		int64_t stack = model_stack(m, frames, 32, false);
		id = stack < 0 ? stack : model_map_site(m, (uint32_t)stack, type, &sample_ints);
		if (id < 0)
			break;
		model_map_site_set(m, (uint32_t)id, &counts);
		sites++;
	}
	assert_int_equal(id, -E2BIG);
	assert_true(sites > 50000 && sites < MODEL_ROWS_MAX);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->maps.sites_nr, sites);
	assert_int_equal(s->maps.total.assigns, sites);
}

/* --- what is shown ------------------------------------------------------------------------------ */

#define TRIE "internal/sync.(*HashTrieMap[go.shape.interface {},go.shape.interface {}])."

static void shown_as(struct model *m, struct snapshot_opts opts, const char *expected)
{
	_snapshot_ *s = take(m, opts);
	char text[1024] = "";

	assert_int_equal(s->maps.sites_nr, 1);
	for (size_t i = 0; i < s->maps.sites[0].stack->frames_nr; i++) {
		strcat(text, i ? ";" : "");
		strcat(text, s->maps.sites[0].stack->frames[i]->func);
	}
	assert_string_equal(text, expected);
}

static void the_leaf_is_the_programs(void **state)
{
	static const struct {
		const char *stack, *shown, *place;
	} cases[] = {
		{ "runtime.mapassign_faststr;main.f;main.main;runtime.goexit", "main.f;main.main",
		  "main.f" },
		{ "internal/runtime/maps.(*Map).Clear;runtime.mapclear;maps.f;main.main",
		  "maps.f;main.main", "maps.f;main.main" },
		{ TRIE "LoadAndDelete;sync.(*Map).Delete;main.f;main.main", "main.f;main.main",
		  "main.f" },
		{ "runtime.mapdelete;sync.(*Map).LoadAndDelete;main.f.func1;sync.(*Map).Range;main."
		  "f",
		  "main.f.func1;sync.(*Map).Range;main.f", "main.f.func1" },
		/* Nothing of the program's: all of it. */
		{ "sync.(*Map).Store;runtime.goexit", "sync.(*Map).Store", NULL },
		{ "sync.(*Mutex).Lock;main.f", "sync.(*Mutex).Lock;main.f", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct model_map_counts counts = { .assigns = 1 };
		_model_ *m = new_model();
		model_map_site_set(m,
				   sample_map_site(m, cases[i].stack, "map[int]int", &sample_ints),
				   &counts);
		shown_as(m, (struct snapshot_opts){ 0 }, cases[i].shown);
		shown_as(m, (struct snapshot_opts){ .runtime_frames = true }, cases[i].stack);
		if (cases[i].place)
			shown_as(m, (struct snapshot_opts){ .places = true }, cases[i].place);
	}
}

static enum map_pattern pattern_of(const char *stack, const char *type,
				   struct model_map_counts counts)
{
	_model_ *m = new_model();

	model_map_site_set(m, sample_map_site(m, stack, type, &sample_ints), &counts);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->maps.sites_nr, 1);
	return s->maps.sites[0].pattern;
}

static void a_delete_inside_of_range_is_told(void **state)
{
	const struct model_map_counts deletes = { .deletes = MAP_DELETES_MIN };
	const struct model_map_counts grown = { .makes = 1,
						.made_growths = 10,
						.made_grown_bytes = 1 << 20 };

	(void)state;
	assert_int_equal(pattern_of(TRIE "LoadAndDelete;main.f.func1;" TRIE "iter;main.f",
				    "sync.Map", deletes),
			 MAP_PATTERN_RANGE_DELETE);
	assert_int_equal(pattern_of(TRIE "LoadAndDelete;main.f.func1;" TRIE "Range;main.f",
				    "sync.Map", deletes),
			 MAP_PATTERN_RANGE_DELETE);
	assert_int_equal(pattern_of("sync.(*Map).Delete;main.f.func1;sync.(*Map).Range;main.f",
				    "sync.Map", deletes),
			 MAP_PATTERN_RANGE_DELETE);
	assert_int_equal(pattern_of("sync.(*Map).Delete;main.f.func1;main.(*Map).Range;main.f",
				    "sync.Map", deletes),
			 MAP_PATTERN_NONE);
	assert_int_equal(pattern_of("sync.(*Map).Delete;main.f", "sync.Map", deletes),
			 MAP_PATTERN_NONE);
	/* Nor is a map that a sync.Map has inside anyone's to mend. */
	assert_int_equal(pattern_of("runtime.makemap;main.f", "map[any]*sync.entry", grown),
			 MAP_PATTERN_NO_HINT);
	assert_int_equal(pattern_of("runtime.makemap;sync.(*Map).dirtyLocked;main.f",
				    "map[any]*sync.entry", grown),
			 MAP_PATTERN_NONE);
}

static void what_looks_the_same_is_one(void **state)
{
	_model_ *m = new_model();
	const struct model_map_counts a = { .assigns = 1, .entries_max = 5 };
	const struct model_map_counts b = { .assigns = 2, .clears = 3, .entries_max = 4 };

	(void)state;
	model_map_site_set(
		m, sample_map_site(m, "runtime.mapassign;main.f", "map[int]int", &sample_ints), &a);
	model_map_site_set(
		m, sample_map_site(m, "runtime.mapclear;main.f", "map[int]int", &sample_ints), &b);
	model_map_site_set(
		m,
		sample_map_site(m, "runtime.mapclear;main.f", "map[string]int", &sample_pointers),
		&b);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->maps.sites_nr, 2);
	assert_ptr_equal(s->maps.sites[0].stack, s->maps.sites[1].stack);
	assert_string_equal(s->maps.sites[0].type, "map[int]int");
	assert_int_equal(s->maps.sites[0].counts.assigns, 3);
	assert_int_equal(s->maps.sites[0].counts.clears, 3);
	assert_int_equal(s->maps.sites[0].counts.entries_max, 5);
	assert_int_equal(s->maps.sites[0].shape.unit_bytes, sample_ints.unit_bytes);
	assert_int_equal(s->maps.sites[1].shape.unit_bytes, sample_pointers.unit_bytes);
	assert_int_equal(s->maps.total.clears, 6);
	_snapshot_ *apart = take(m, (struct snapshot_opts){ .runtime_frames = true });
	assert_int_equal(apart->maps.sites_nr, 3);
	/* Sites of allocations are none of these. */
	assert_int_equal(s->sites_nr, 0);
}

static void first_is(struct model *m, enum snapshot_value by, const char *leaf)
{
	_snapshot_ *s = take(m, (struct snapshot_opts){ .sort = by });

	assert_string_equal(s->maps.sites[0].stack->frames[0]->func, leaf);
}

static void advice_is_first(void **state)
{
	_model_ *m = new_model();
	const struct {
		const char *stack;
		struct model_map_counts counts;
	} sites[] = {
		{ "main.busy", { .assigns = 1000000, .growths = 1 } },
		{ "main.refill",
		  { .clears = 900, .refills = 9, .refills_alike = 9, .refilled_entries = 900 } },
		{ "main.nohint",
		  { .makes = 1, .made_growths = 9, .made_grown_bytes = 70000, .growths = 9 } },
		{ "main.loop",
		  { .deletes = 999,
		    .removed = 999,
		    .drains = 9,
		    .drain_loops = 9,
		    .emptied = 9,
		    .emptied_entries = 999 } },
		{ "main.more", { .makes = 1, .made_growths = 9, .made_grown_bytes = 80000 } },
	};
	static const char *const order[] = { "main.more", "main.nohint", "main.loop", "main.refill",
					     "main.busy" };

	(void)state;
	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++)
		model_map_site_set(m,
				   sample_map_site(m, sites[i].stack, "map[int]int", &sample_ints),
				   &sites[i].counts);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		assert_string_equal(s->maps.sites[i].stack->frames[0]->func, order[i]);
	first_is(m, SNAPSHOT_ASSIGNS, "main.busy");
	first_is(m, SNAPSHOT_DELETES, "main.loop");
	first_is(m, SNAPSHOT_CLEARS, "main.refill");
	first_is(m, SNAPSHOT_GROWTHS, "main.nohint");
	first_is(m, SNAPSHOT_RETAINED, "main.more");
	first_is(m, SNAPSHOT_OBJECTS, "main.more");
}

/* What holds too much isn't helped by a size hint. */
static void one_piece_of_advice_is_enough(void **state)
{
	const struct model_map_counts made = { .makes = 1,
					       .made_growths = 9,
					       .made_grown_bytes = 1 << 20 };
	_model_ *m = new_model();
	uint32_t ints = sample_map_site(m, "main.ints", "map[int]int", &sample_ints);
	uint32_t users = sample_map_site(m, "main.users", "map[string]*main.User",
					 &sample_pointers);
	uint32_t cleared = sample_map_site(m, "main.clear", "map[int]int", &sample_ints);
	const struct model_map map = {
		.type = sample_id(model_type(m, "map[int]int")),
		.made_site = ints,
		.emptied_site = cleared,
		.deleted_site = MODEL_NO_SITE,
		.fill_entries = 10,
		.emptied_entries = 10,
		.emptied_ns = 1,
		.bytes = 1 << 20,
	};

	(void)state;
	model_map_site_set(m, ints, &made);
	model_map_site_set(m, users, &made);
	_snapshot_ *before = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(find_site(before, "main.ints")->pattern, MAP_PATTERN_NO_HINT);
	model_maps_begin(m, NOW);
	assert_int_equal(model_map_add(m, &map), 0);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(find_site(s, "main.clear")->pattern, MAP_PATTERN_CLEAR_RETAIN);
	assert_int_equal(find_site(s, "main.ints")->pattern, MAP_PATTERN_NONE);
	assert_int_equal(find_site(s, "main.users")->pattern, MAP_PATTERN_NO_HINT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_only_grow),
		cmocka_unit_test(nothing_is_known_of_maps_that_nobody_watches),
		cmocka_unit_test(what_is_held_is_set_anew),
		cmocka_unit_test(a_map_is_retained_once),
		cmocka_unit_test(the_largest_maps_are_kept),
		cmocka_unit_test(hostile_numbers_stay_numbers),
		cmocka_unit_test(sites_are_bounded),
		cmocka_unit_test(the_leaf_is_the_programs),
		cmocka_unit_test(a_delete_inside_of_range_is_told),
		cmocka_unit_test(what_looks_the_same_is_one),
		cmocka_unit_test(advice_is_first),
		cmocka_unit_test(one_piece_of_advice_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
