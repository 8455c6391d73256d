/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of maps: each threshold from both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model/map_judge.h"

/* map[int]int since Go 1.24. */
static const struct go_map_shape sample_ints = {
	.swiss = true, .noscan = true, .malloc_headers = true, .unit_bytes = 136
};

/* --- one map ------------------------------------------------------------------------------------ */

#define NOW UINT64_C(1000000000000)

/* Emptied long ago, and never filled to more than 400 entries before and after. */
static struct model_map emptied_map(void)
{
	return (struct model_map){
		.emptied_site = 0,
		.deleted_site = MODEL_NO_SITE,
		.fill_entries = 400,
		.emptied_entries = 400,
		.emptied_ns = NOW - 1,
		.fill_ns = 1,
		.bytes = 4 * go_map_bytes_for(&sample_ints, 400),
	};
}

static struct map_verdict judge(struct model_map map)
{
	return map_judge(&map, &sample_ints, NOW);
}

static void assert_use(struct model_map map, enum map_use use)
{
	assert_int_equal(judge(map).use, use);
}

static void what_is_emptied_may_retain(void **state)
{
	struct model_map map = emptied_map();

	(void)state;
	/* At once, by what the filling before needed. */
	assert_use(map, MAP_USE_RETAINS);
	assert_int_equal(judge(map).needed_bytes, go_map_bytes_for(&sample_ints, 400));
	map.bytes--;
	assert_use(map, MAP_USE_ALL);
	map = emptied_map();
	map.emptied_entries = 500;
	assert_use(map, MAP_USE_ALL);

	map = emptied_map();
	map.emptied_ns = 0;
	assert_use(map, MAP_USE_ALL);
	map = emptied_map();
	map.emptied_site = MODEL_NO_SITE;
	assert_use(map, MAP_USE_ALL);

	/* Four times as much of very little is very little. */
	map = emptied_map();
	map.fill_entries = map.emptied_entries = 8;
	map.bytes = go_map_bytes_for(&sample_ints, 8) + MAP_WASTE_MIN;
	assert_use(map, MAP_USE_RETAINS);
	map.bytes--;
	assert_use(map, MAP_USE_ALL);
}

/* A cache that is purged has time to fill again before it is called a waste. */
static void what_is_refilled_does_not_retain(void **state)
{
	struct model_map map = emptied_map();

	(void)state;
	map.emptied_entries = 1000000;
	assert_use(map, MAP_USE_ALL);
	map.emptied_ns = NOW - MAP_WAIT_NS;
	assert_use(map, MAP_USE_RETAINS);
	map.emptied_ns++;
	assert_use(map, MAP_USE_ALL);
	map.fill_ns = 60 * UINT64_C(1000000000);
	map.emptied_ns = NOW - map.fill_ns;
	assert_use(map, MAP_USE_RETAINS);
	map.emptied_ns++;
	assert_use(map, MAP_USE_ALL);
	map.emptied_ns = NOW - map.fill_ns;
	map.fill_entries = 500;
	assert_use(map, MAP_USE_ALL);

	/* How long it takes to fill isn't known: only long is long. */
	map.fill_entries = 400;
	map.fill_ns = 0;
	assert_use(map, MAP_USE_RETAINS);
	map.emptied_ns = NOW - MAP_LONG_NS + 1;
	assert_use(map, MAP_USE_ALL);
	map.fill_ns = 1;

	/* Nothing was put in: nothing is needed. A time that is yet to come is no time ago. */
	map.fill_entries = 0;
	assert_use(map, MAP_USE_RETAINS);
	map.emptied_ns = NOW + 1;
	assert_use(map, MAP_USE_ALL);
}

static struct model_map thin_map(void)
{
	return (struct model_map){
		.made_site = 0,
		.emptied_site = MODEL_NO_SITE,
		.deleted_site = 0,
		.entries = 400,
		.fill_entries = 100000,
		.thin_ns = NOW - MAP_WAIT_NS,
		.first_ns = NOW - 2 * MAP_WAIT_NS,
		.bytes = 4 * go_map_bytes_for(&sample_ints, 400),
	};
}

static void what_is_thin_for_long_is_told(void **state)
{
	struct model_map map = thin_map();

	(void)state;
	assert_use(map, MAP_USE_THIN);
	assert_int_equal(judge(map).needed_bytes, go_map_bytes_for(&sample_ints, 400));
	map.bytes--;
	assert_use(map, MAP_USE_ALL);

	map = thin_map();
	map.first_ns--;
	assert_use(map, MAP_USE_ALL); /* less than half of the time */
	map = thin_map();
	map.made_site = MODEL_NO_SITE;
	assert_use(map, MAP_USE_ALL); /* of which half isn't known */
	map.thin_ns = NOW - MAP_LONG_NS;
	map.first_ns = 1;
	assert_use(map, MAP_USE_THIN);
	map.thin_ns++;
	assert_use(map, MAP_USE_ALL);

	map = thin_map();
	map.thin_ns++;
	map.first_ns = NOW - 1;
	assert_use(map, MAP_USE_ALL); /* too short */
	map = thin_map();
	map.thin_ns = 0;
	assert_use(map, MAP_USE_ALL);
	map = thin_map();
	map.deleted_site = MODEL_NO_SITE;
	assert_use(map, MAP_USE_ALL);

	map = thin_map();
	map.entries = 8;
	map.bytes = go_map_bytes_for(&sample_ints, 8) + MAP_WASTE_MIN;
	assert_use(map, MAP_USE_THIN);
	map.bytes--;
	assert_use(map, MAP_USE_ALL);
}

/* Met late: what it was is not known, but what its table is for. */
static void what_was_thinned_before_it_was_met_is_told(void **state)
{
	struct model_map map = {
		.made_site = MODEL_NO_SITE,
		.emptied_site = MODEL_NO_SITE,
		.deleted_site = 0,
		.entries = 300,
		.fill_entries = 400,
		.first_ns = NOW - MAP_MET_NS,
		.bytes = 4 * go_map_bytes_for(&sample_ints, 400),
	};

	(void)state;
	assert_use(map, MAP_USE_THIN);
	assert_int_equal(judge(map).needed_bytes, go_map_bytes_for(&sample_ints, 400));
	map.bytes--;
	assert_use(map, MAP_USE_ALL);
	map.bytes++;
	map.first_ns++;
	assert_use(map, MAP_USE_ALL); /* too short */
	map.first_ns--;
	map.made_site = 0;
	assert_use(map, MAP_USE_ALL); /* made large, and it may yet be filled */
	map.made_site = MODEL_NO_SITE;
	map.deleted_site = MODEL_NO_SITE;
	assert_use(map, MAP_USE_ALL);
}

static void without_a_shape_nothing_is_said(void **state)
{
	static const struct go_map_shape unknown = { .swiss = true };
	struct model_map thin = thin_map(), emptied = emptied_map();

	(void)state;
	assert_int_equal(map_judge(&thin, &unknown, NOW).use, MAP_USE_ALL);
	assert_int_equal(map_judge(&emptied, &unknown, NOW).use, MAP_USE_ALL);
	emptied.bytes = UINT64_MAX;
	emptied.fill_entries = emptied.emptied_entries = UINT64_MAX;
	(void)judge(emptied);
}

/* --- one site ----------------------------------------------------------------------------------- */

static void assert_pattern(const struct map_evidence *e, enum map_pattern pattern)
{
	assert_string_equal(map_pattern_name(map_pattern_of(e)), map_pattern_name(pattern));
}

/* The evidence bears the pattern, and doesn't when one of its numbers is another. */
#define needs(e, pattern, member, value)                  \
	do {                                              \
		struct map_evidence less_ = (e);          \
		assert_pattern(&(e), pattern);            \
		less_.member = value;                     \
		assert_pattern(&less_, MAP_PATTERN_NONE); \
	} while (0)

static void patterns_have_names(void **state)
{
	(void)state;
	assert_string_equal(map_pattern_name(MAP_PATTERN_NONE), "");
	assert_string_equal(map_pattern_name(MAP_PATTERN_THINNED), "thinned out");
	assert_string_equal(map_pattern_name((enum map_pattern)99), "");
	for (int i = 1; i < MAP_PATTERN_NR; i++)
		assert_true(strlen(map_pattern_name((enum map_pattern)i)) > 0);
}

static void what_is_held_is_a_pattern(void **state)
{
	const struct map_evidence emptied = {
		.held.idle_emptied = { { 3, MAP_SITE_WASTE_MIN + 100 }, 100 },
	};
	const struct map_evidence thinned = {
		.held.idle_thinned = { { 3, MAP_SITE_WASTE_MIN + 100 }, 100 },
	};

	(void)state;
	needs(emptied, MAP_PATTERN_CLEAR_RETAIN, held.idle_emptied.needed_bytes, 101);
	needs(emptied, MAP_PATTERN_CLEAR_RETAIN, held.idle_emptied.needed_bytes, UINT64_MAX);
	needs(thinned, MAP_PATTERN_THINNED, held.idle_thinned.needed_bytes, 101);
	needs(emptied, MAP_PATTERN_CLEAR_RETAIN, inside_sync, true);
	/* Neither is worth it, and both are not added up: they are mended in different ways. */
	struct map_evidence both = {
		.held = { .idle_emptied = { { 1, MAP_SITE_WASTE_MIN - 1 }, 0 },
			  .idle_thinned = { { 1, MAP_SITE_WASTE_MIN - 1 }, 0 } },
	};
	assert_pattern(&both, MAP_PATTERN_NONE);
}

static void a_drain_is_a_delete_loop_if_it_took_all_out(void **state)
{
	const struct map_evidence loop = {
		.whole = true,
		.counts = { .drains = 10,
			    .drain_loops = 5,
			    .removed = 80,
			    .deletes = 80,
			    .emptied = 10,
			    .emptied_entries = 80 },
	};

	(void)state;
	needs(loop, MAP_PATTERN_DELETE_LOOP, whole, false);
	needs(loop, MAP_PATTERN_DELETE_LOOP, counts.drains, 0);
	needs(loop, MAP_PATTERN_DELETE_LOOP, counts.drain_loops,
	      4); /* one by one, when their time has come */
	needs(loop, MAP_PATTERN_DELETE_LOOP, counts.removed, 79);
	/* A queue: much more went through it than it ever had; and what others took out most of. */
	struct map_evidence e = loop;
	e.counts.removed = 161;
	assert_pattern(&e, MAP_PATTERN_DELETE_LOOP);
	needs(loop, MAP_PATTERN_DELETE_LOOP, counts.removed, 162);
	e = loop;
	e.counts.emptied_entries = 161;
	assert_pattern(&e, MAP_PATTERN_DELETE_LOOP);
	needs(loop, MAP_PATTERN_DELETE_LOOP, counts.emptied_entries, 162);
}

static void what_is_cleared_and_refilled_is_well(void **state)
{
	const struct map_evidence refill = {
		.whole = true,
		.counts = { .clears = 3,
			    .emptied = 3,
			    .refills = 2,
			    .refills_alike = 1,
			    .refilled_entries = 16,
			    .entries_max = 35 },
	};

	(void)state;
	needs(refill, MAP_PATTERN_CLEAR_REFILL, whole, false);
	needs(refill, MAP_PATTERN_CLEAR_REFILL, counts.entries_max, 36); /* that table is kept */
	needs(refill, MAP_PATTERN_CLEAR_REFILL, counts.clears, 0);
	needs(refill, MAP_PATTERN_CLEAR_REFILL, counts.refills, 1);
	needs(refill, MAP_PATTERN_CLEAR_REFILL, counts.refills_alike, 0);
	needs(refill, MAP_PATTERN_CLEAR_REFILL, counts.refilled_entries, 15);
	needs(refill, MAP_PATTERN_CLEAR_REFILL, counts.refills, 3);
}

static void what_is_made_is_told_by_its_growth(void **state)
{
	const struct map_evidence again = {
		.held_known = true,
		.whole = true,
		.counts = { .makes = 3, .made_growths = 3, .made_entries = 60, .entries_max = 20 },
		.held.made = { 1, 1 },
	};
	const struct map_evidence no_hint = {
		.whole = true,
		.counts = { .makes = 2,
			    .made_growths = 6,
			    .made_grown_bytes = MAP_SITE_WASTE_MIN,
			    .made_entries = 2000,
			    .entries_max = 1900 },
	};

	(void)state;
	needs(again, MAP_PATTERN_MAKE_AGAIN, whole, false);
	needs(no_hint, MAP_PATTERN_NO_HINT, whole, false);
	needs(again, MAP_PATTERN_MAKE_AGAIN, counts.makes, 2);
	needs(again, MAP_PATTERN_MAKE_AGAIN, counts.made_growths, 2);
	needs(again, MAP_PATTERN_MAKE_AGAIN, held.made.maps, 2);
	needs(again, MAP_PATTERN_MAKE_AGAIN, held_known, false);
	needs(again, MAP_PATTERN_MAKE_AGAIN, counts.entries_max, 31); /* one has most of it */
	needs(no_hint, MAP_PATTERN_NO_HINT, counts.made_growths, 5);
	needs(no_hint, MAP_PATTERN_NO_HINT, counts.made_grown_bytes, MAP_SITE_WASTE_MIN - 1);
	needs(no_hint, MAP_PATTERN_NO_HINT, counts.makes, 0);
	struct map_evidence e = no_hint;
	e.counts.makes = 3;
	e.counts.made_growths = 9;
	e.counts.entries_max = 1000;
	assert_pattern(&e, MAP_PATTERN_NO_HINT);
	needs(e, MAP_PATTERN_NO_HINT, counts.entries_max, 1001);
}

static void the_first_pattern_is_told(void **state)
{
	struct map_evidence e = {
		.counts = { .makes = 3,
			    .clears = 5,
			    .deletes = 200,
			    .removed = 80,
			    .drains = 10,
			    .drain_loops = 10,
			    .emptied = 10,
			    .emptied_entries = 80,
			    .refills = 5,
			    .refills_alike = 5,
			    .refilled_entries = 100,
			    .made_entries = 60,
			    .made_growths = 9,
			    .made_grown_bytes = 1 << 20,
			    .entries_max = 20 },
		.held = { .idle_emptied = { { 1, 1 << 20 }, 0 },
			  .idle_thinned = { { 1, 1 << 20 }, 0 } },
		.held_known = true,
		.whole = true,
		.range_deletes = MAP_DELETES_MIN,
	};

	(void)state;
	assert_pattern(&e, MAP_PATTERN_RANGE_DELETE);
	e.range_deletes--;
	assert_pattern(&e, MAP_PATTERN_CLEAR_RETAIN);
	e.held.idle_emptied.held.bytes = 0;
	assert_pattern(&e, MAP_PATTERN_THINNED);
	e.held.idle_thinned.held.bytes = 0;
	assert_pattern(&e, MAP_PATTERN_DELETE_LOOP);
	e.counts.drains = 0;
	assert_pattern(&e, MAP_PATTERN_CLEAR_REFILL);
	e.counts.refills = 0;
	assert_pattern(&e, MAP_PATTERN_MAKE_AGAIN);
	e.held_known = false;
	assert_pattern(&e, MAP_PATTERN_NO_HINT);
	e.counts.makes = 0;
	assert_pattern(&e, MAP_PATTERN_NONE);
}

/* What everyday programs do that nothing is to be said of. */
static void ordinary_use_gets_no_advice(void **state)
{
	static const struct map_evidence ordinary[] = {
		/* A map of requests in flight: it is empty now and then. */
		{ .whole = true,
		  .counts = { .assigns = 100000,
			      .deletes = 100000,
			      .removed = 100000,
			      .drains = 5000,
			      .emptied = 5000,
			      .emptied_entries = 15000,
			      .entries_max = 12 } },
		/* Two entries, up and down. */
		{ .whole = true,
		  .counts = { .assigns = 2000,
			      .deletes = 2000,
			      .removed = 2000,
			      .drains = 1000,
			      .emptied = 1000,
			      .emptied_entries = 2000,
			      .entries_max = 2 } },
		/* Small maps, made for each request. */
		{ .held_known = true,
		  .counts = { .makes = 1000000, .made_entries = 5000000, .entries_max = 8 } },
		/* Small maps of which one grew large. */
		{ .held_known = true,
		  .held.made = { 100, 50000000 },
		  .counts = { .makes = 100,
			      .made_entries = 1000099,
			      .made_growths = 2000,
			      .made_grown_bytes = 40000000,
			      .entries_max = 1000000 } },
		/* A map with a hint that was right. */
		{ .held_known = true,
		  .held.made = { 1, 40000 },
		  .counts = { .makes = 1, .made_entries = 1000, .entries_max = 1000 } },
		/* A scratch map of a few entries, cleared each time. */
		{ .whole = true,
		  .counts = { .clears = 10000,
			      .removed = 30000,
			      .emptied = 10000,
			      .emptied_entries = 30000,
			      .refills = 9999,
			      .refills_alike = 9999,
			      .refilled_entries = 29997 } },
		/* sync.Map.Delete where no Range is. */
		{ .whole = true, .counts = { .deletes = 100000 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ordinary) / sizeof(ordinary[0]); i++)
		assert_pattern(&ordinary[i], MAP_PATTERN_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_emptied_may_retain),
		cmocka_unit_test(what_is_refilled_does_not_retain),
		cmocka_unit_test(what_is_thin_for_long_is_told),
		cmocka_unit_test(what_was_thinned_before_it_was_met_is_told),
		cmocka_unit_test(without_a_shape_nothing_is_said),
		cmocka_unit_test(patterns_have_names),
		cmocka_unit_test(what_is_held_is_a_pattern),
		cmocka_unit_test(a_drain_is_a_delete_loop_if_it_took_all_out),
		cmocka_unit_test(what_is_cleared_and_refilled_is_well),
		cmocka_unit_test(what_is_made_is_told_by_its_growth),
		cmocka_unit_test(the_first_pattern_is_told),
		cmocka_unit_test(ordinary_use_gets_no_advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
