/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps in recordings: all of it comes back, a part of it, and nothing of damaged ones. */
#include "recordings.h"
#include "sample_map_ops.h"

#include <errno.h>

#include "model/map_judge.h"

/* A recording of the sample; the model that it was made from. */
static struct model *record_maps(const char *path, unsigned int seconds)
{
	struct recording *rec = create(path);
	struct sample_maps_tick with_maps = { write_tick, rec };
	struct model *m = sample_model(seconds, sample_maps_tick, &with_maps);

	finish(rec, m);
	return m;
}

static void same_stack(const struct snapshot_stack *a, const struct snapshot_stack *b)
{
	assert_int_equal(a != NULL, b != NULL);
	if (!a)
		return;
	assert_int_equal(a->frames_nr, b->frames_nr);
	for (size_t i = 0; i < a->frames_nr; i++)
		assert_string_equal(a->frames[i]->func, b->frames[i]->func);
}

static void same_site(const struct snapshot_map_site *a, const struct snapshot_map_site *b)
{
	assert_string_equal(a->type, b->type);
	same_stack(a->stack, b->stack);
	assert_memory_equal(&a->counts, &b->counts, sizeof(a->counts));
	assert_memory_equal(&a->made, &b->made, sizeof(a->made));
	assert_memory_equal(&a->emptied, &b->emptied, sizeof(a->emptied));
	assert_memory_equal(&a->thinned, &b->thinned, sizeof(a->thinned));
	assert_memory_equal(&a->idle, &b->idle, sizeof(a->idle));
	assert_int_equal(a->idle_needed_bytes, b->idle_needed_bytes);
	assert_int_equal(a->retained_bytes, b->retained_bytes);
	assert_int_equal(a->pattern, b->pattern);
	assert_int_equal(a->shape.swiss, b->shape.swiss);
	assert_int_equal(a->shape.noscan, b->shape.noscan);
	assert_int_equal(a->shape.malloc_headers, b->shape.malloc_headers);
	assert_int_equal(a->shape.load_six, b->shape.load_six);
	assert_int_equal(a->shape.unit_bytes, b->shape.unit_bytes);
}

static void same_map(const struct snapshot_map *a, const struct snapshot_map *b)
{
	struct model_map x = a->raw, y = b->raw;

	/* The models' own ids. */
	x.type = y.type = x.made_site = y.made_site = 0;
	x.emptied_site = y.emptied_site = x.deleted_site = y.deleted_site = 0;
	assert_memory_equal(&x, &y, sizeof(x));
	assert_string_equal(a->type, b->type);
	same_stack(a->made, b->made);
	same_stack(a->emptied, b->emptied);
	same_stack(a->deleted, b->deleted);
}

static void same_maps(const struct model *live, const struct model *loaded,
		      struct snapshot_opts opts)
{
	struct snapshot *a = take(live, opts), *b = take(loaded, opts);
	const struct snapshot_maps *x = &a->maps, *y = &b->maps;

	assert_int_equal(x->known, y->known);
	assert_int_equal(x->every_operation, y->every_operation);
	assert_int_equal(x->held_known, y->held_known);
	assert_int_equal(x->held_mono_ns, y->held_mono_ns);
	assert_memory_equal(&x->total, &y->total, sizeof(x->total));
	assert_memory_equal(&x->held, &y->held, sizeof(x->held));
	assert_int_equal(x->sites_nr, y->sites_nr);
	for (size_t i = 0; i < x->sites_nr; i++)
		same_site(&x->sites[i], &y->sites[i]);
	assert_int_equal(x->list_nr, y->list_nr);
	for (size_t i = 0; i < x->list_nr; i++)
		same_map(&x->list[i], &y->list[i]);
	snapshot_free(a);
	snapshot_free(b);
}

static void a_recording_gives_back_the_model(void **state)
{
	const char *path = in_dir("x.gallop");
	struct model *live = record_maps(path, 4), *loaded = load(path);
	struct snapshot *s = take(loaded, (struct snapshot_opts){ 0 });

	(void)state;
	assert_int_equal(s->maps.sites_nr, 4);
	assert_int_equal(s->maps.list_nr, 3);
	assert_int_equal(s->maps.sites[0].pattern, MAP_PATTERN_CLEAR_RETAIN);
	assert_int_equal(s->maps.sites[1].pattern, MAP_PATTERN_THINNED);
	assert_int_equal(s->maps.sites[2].pattern, MAP_PATTERN_RANGE_DELETE);
	snapshot_free(s);
	same_maps(live, loaded, (struct snapshot_opts){ 0 });
	same_maps(live, loaded, (struct snapshot_opts){ .runtime_frames = true });
	same_maps(live, loaded, (struct snapshot_opts){ .places = true, .sort = SNAPSHOT_DELETES });
	model_free(live);
	model_free(loaded);
}

/* Who doesn't watch maps writes nothing of them. */
static void nothing_is_known_of_maps_that_nobody_watched(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording *rec = create(path);
	struct model *m = sample_model(1, NULL, NULL);
	struct err err;

	(void)state;
	assert_int_equal(recording_write(rec, m, SAMPLE_START, SAMPLE_START + SAMPLE_S, &err), 0);
	finish(rec, m);
	struct model *loaded = load(path);
	same_maps(m, loaded, (struct snapshot_opts){ 0 });
	struct snapshot *s = take(loaded, (struct snapshot_opts){ 0 });
	assert_false(s->maps.known);
	snapshot_free(s);
	model_free(m);
	model_free(loaded);
}

static void a_span_is_part_of_it(void **state)
{
	const char *path = in_dir("x.gallop");
	const struct recording_span middle = { .from_ns = SAMPLE_S,
					       .to_ns = UINT64_C(3) * SAMPLE_S };
	const struct recording_span end = { .from_ns = UINT64_C(3) * SAMPLE_S, .to_ns = 0 };

	(void)state;
	model_free(record_maps(path, 4));
	struct model *m = load_span(path, &middle);
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->maps.total.clears, 2 * 3);
	assert_int_equal(s->maps.total.assigns, 2 * 100);
	assert_int_equal(s->maps.total.entries_max, 14000);
	/* What is held is as of the end of second 3; what single maps were like then isn't known. */
	assert_int_equal(s->maps.held_mono_ns, SAMPLE_START + UINT64_C(3) * SAMPLE_S);
	assert_int_equal(s->maps.held.bytes, 740000 + (SAMPLE_START + UINT64_C(3) * SAMPLE_S) % 7);
	assert_int_equal(s->maps.list_nr, 0);
	snapshot_free(s);
	model_free(m);

	m = load_span(path, &end);
	s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->maps.total.clears, 3);
	assert_int_equal(s->maps.held_mono_ns, SAMPLE_START + UINT64_C(4) * SAMPLE_S);
	assert_int_equal(s->maps.list_nr, 3);
	snapshot_free(s);
	model_free(m);
}

/* A state that doesn't change is written once, and the list is that of the last look. */
static void what_stays_the_same_is_not_written_again(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording *rec = create(path);
	struct model *m = new_model();
	struct err err;

	(void)state;
	sample_meta(m);
	for (uint64_t n = 0; n < 3; n++) {
		uint64_t from = SAMPLE_START + n * SAMPLE_S;
		if (n < 2)
			sample_maps_second(m, SAMPLE_START, SAMPLE_START + UINT64_C(2) * SAMPLE_S);
		assert_int_equal(recording_write(rec, m, from, from + SAMPLE_S, &err), 0);
		model_next_interval(m, from + SAMPLE_S);
	}
	finish(rec, m);
	assert_int_equal(query(path, "SELECT count(*) FROM interval"), 3);
	assert_int_equal(query(path, "SELECT count(*) FROM map_look"), 2);
	assert_int_equal(query(path, "SELECT count(*) FROM map_held"), 3);
	assert_int_equal(query(path, "SELECT count(*) FROM map_op"), 4);
	assert_int_equal(query(path, "SELECT count(*) FROM map_largest"), 3);
	struct model *loaded = load(path);
	same_maps(m, loaded, (struct snapshot_opts){ 0 });
	model_free(loaded);
	/* Also where the span begins after the state was written. */
	const struct recording_span last = { .from_ns = UINT64_C(2) * SAMPLE_S, .to_ns = 0 };
	loaded = load_span(path, &last);
	struct snapshot *s = take(loaded, (struct snapshot_opts){ 0 });
	assert_int_equal(s->maps.total.clears, 0);
	assert_int_equal(s->maps.held.maps, 3);
	assert_int_equal(s->maps.sites_nr, 3);
	snapshot_free(s);
	model_free(loaded);
	model_free(m);
}

/* What a target can make us write must be readable. */
static void odd_content_survives(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording *rec = create(path);
	struct model_map_counts counts;
	struct model_map map;
	struct model *m = new_model();
	struct err err;

	(void)state;
	sample_meta(m);
	memset(&counts, 0xff, sizeof(counts));
	memset(&map, 0xff, sizeof(map));
	map.type = 0;
	const struct go_map_shape shape = { .swiss = true,
					    .load_six = true,
					    .unit_bytes = UINT32_MAX };
	map.emptied_site = sample_map_site(m, "runtime.mapclear;main.f", "m", &shape);
	for (int i = 0; i < 2; i++) {
		model_map_site_set(m, map.emptied_site, &counts);
		model_maps_begin(m, UINT64_MAX);
		for (int k = 0; k < 3; k++)
			assert_int_equal(model_map_add(m, &map), 0);
		assert_int_equal(recording_write(rec, m, 100, 200, &err), 0);
		model_next_interval(m, 200);
	}
	finish(rec, m);
	struct model *loaded = load(path);
	same_maps(m, loaded, (struct snapshot_opts){ 0 });
	model_free(m);
	model_free(loaded);
}

static void what_finds_no_room_is_counted(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording *rec = create_bounded(path, 1 << 20);
	struct model *m = new_model();
	struct err err;
	int code = 0;

	(void)state;
	sample_meta(m);
	for (unsigned int n = 0; !code && n < 100000; n++) {
		char stack[64];
		const struct model_map_counts counts = { .assigns = 1, .deletes = 1 };
		snprintf(stack, sizeof(stack), "main.f%u;main.main", n);
		model_map_site_set(m, sample_map_site(m, stack, "map[int]int", &sample_ints),
				   &counts);
		if (n % 100 == 99) {
			code = recording_write(rec, m, n, n + 1, &err);
			model_next_interval(m, n + 1);
		}
	}
	assert_int_equal(code, -EFBIG);
	uint64_t left_out = recording_unwritten_maps(rec, m);
	assert_int_equal(left_out, 2 * 100);
	finish(rec, m);
	struct model *loaded = load(path);
	struct snapshot *all = take(m, (struct snapshot_opts){ 0 });
	struct snapshot *s = take(loaded, (struct snapshot_opts){ 0 });
	assert_int_equal(all->maps.total.assigns + all->maps.total.deletes,
			 s->maps.total.assigns + s->maps.total.deletes + left_out);
	snapshot_free(all);
	snapshot_free(s);
	model_free(m);
	model_free(loaded);
}

static void damage_is_told(void **state)
{
	const char *path = in_dir("x.gallop");
	static const struct {
		const char *sql, *msg;
	} cases[] = {
		{ "DROP TABLE map_op", "table 'map_op' is not as gallop makes it" },
		{ "DROP TABLE map_held; CREATE VIEW map_held AS SELECT 1",
		  "table 'map_held' is not as" },
		{ "UPDATE map_watch SET every_operation = 2", "out of its range" },
		{ "UPDATE map_watch SET id = 1", "not numbered" },
		{ "DELETE FROM map_site WHERE id = 1", "not numbered" },
		{ "UPDATE map_site SET stack = 999", "refers to one that is not there" },
		{ "UPDATE map_site SET type = 999", "refers to one that is not there" },
		{ "UPDATE map_site SET load_six = 2", "out of its range" },
		{ "UPDATE map_site SET unit_bytes = 4294967296", "out of its range" },
		{ "UPDATE map_op SET interval = 9 WHERE interval = 1",
		  "refers to one that is not there" },
		{ "UPDATE map_op SET site = 9 WHERE site = 3", "refers to one that is not there" },
		{ "UPDATE map_op SET clears = -1", "out of its range" },
		{ "UPDATE map_op SET entries_max = 'x'", "something else where a number belongs" },
		{ "UPDATE map_look SET interval = 9 WHERE interval = 1",
		  "refers to one that is not there" },
		{ "UPDATE map_look SET ns = 0x7fffffffffffffff", "out of its range" },
		{ "UPDATE map_look SET bytes = -1", "out of its range" },
		{ "UPDATE map_held SET interval = 9 WHERE interval = 1",
		  "refers to one that is not there" },
		{ "UPDATE map_held SET site = 9 WHERE site = 2",
		  "refers to one that is not there" },
		{ "UPDATE map_held SET idle_thinned_needed = -1", "out of its range" },
		{ "DELETE FROM map_look", "were not looked at" },
		{ "DELETE FROM map_look; DELETE FROM map_held", "were not looked at" },
		{ "UPDATE map_largest SET type = 999", "refers to one that is not there" },
		{ "UPDATE map_largest SET made_site = 999", "refers to one that is not there" },
		{ "UPDATE map_largest SET emptied_site = 'x'",
		  "something else where a number belongs" },
		{ "UPDATE map_largest SET thin_ns = -1", "out of its range" },
		{ "DELETE FROM map_largest WHERE id = 0", "not numbered" },
		{ "WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 256) "
		  "INSERT INTO map_largest SELECT i, i, 0, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, "
		  "0, 0, 0 "
		  "FROM n",
		  "table 'map_largest' is too long" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		model_free(record_maps(path, 2));
		assert_damage_is_told(path, cases[i].sql, cases[i].msg);
	}
}

static void views_are_for_people(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	model_free(record_maps(path, 3));
	assert_int_equal(query(path, "SELECT count(*) FROM map_sites"), 4);
	assert_int_equal(query(path, "SELECT clears FROM map_sites WHERE function = "
				     "'main.(*Cache).Purge' AND type = 'map[string]*main.User'"),
			 9);
	assert_int_equal(
		query(path, "SELECT retained_bytes FROM map_sites WHERE function = 'main.expire'"),
		300000);
	assert_int_equal(query(path, "SELECT entries FROM maps WHERE function = 'main.newCache' "
				     "ORDER BY bytes LIMIT 1"),
			 1000);
	assert_int_equal(query(path, "SELECT count(*) FROM maps WHERE function IS NULL"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording_gives_back_the_model),
		cmocka_unit_test(nothing_is_known_of_maps_that_nobody_watched),
		cmocka_unit_test(a_span_is_part_of_it),
		cmocka_unit_test(what_stays_the_same_is_not_written_again),
		cmocka_unit_test(odd_content_survives),
		cmocka_unit_test(what_finds_no_room_is_counted),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(views_are_for_people),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
