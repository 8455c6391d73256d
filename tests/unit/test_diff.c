/* SPDX-License-Identifier: BSD-2-Clause */
/* What of two snapshots belongs together, what it is divided by, and how sure a change is. */
#include "sample_diff.h"

#include <errno.h>
#include <math.h>

#include "model/heap.h"
#include "model/maps.h"
#include "model/ops.h"

/* --- which places are the same -------------------------------------------------------------------- */

/* What a row says in short: "10->15 100->200"; "-" for a side that isn't there, "2+3 lines" of several places. */
static void describe(char *dst, size_t sz, const struct diff_row *row)
{
	char line[DIFF_SIDES][16];

	for (int side = 0; side < DIFF_SIDES; side++)
		snprintf(line[side], sizeof(line[side]), row->stack[side] ? "%u" : "-",
			 row->stack[side] ? row->stack[side]->frames[0]->line : 0);
	if (row->places[DIFF_BEFORE] > 1 || row->places[DIFF_AFTER] > 1)
		snprintf(dst, sz, "%zu+%zu lines %.0f->%.0f", row->places[DIFF_BEFORE],
			 row->places[DIFF_AFTER], row->v[0].side[DIFF_BEFORE],
			 row->v[0].side[DIFF_AFTER]);
	else
		snprintf(dst, sz, "%s->%s %.0f->%.0f", line[DIFF_BEFORE], line[DIFF_AFTER],
			 row->v[0].side[DIFF_BEFORE], row->v[0].side[DIFF_AFTER]);
}

/* All rows of a table, in their order. */
static void assert_rows(const struct diff *d, enum diff_table_id id, const char *expected)
{
	char all[4096] = "";

	for (size_t i = 0; i < d->tables[id].nr; i++) {
		size_t used = strlen(all);
		if (i)
			used += (size_t)snprintf(all + used, sizeof(all) - used, ", ");
		describe(all + used, sizeof(all) - used, &d->tables[id].rows[i]);
	}
	assert_string_equal(all, expected);
}

/* Lines at which main.f allocates 1, 2, 4 ... bytes before and 100, 200 ... after; 0 ends them. */
struct lines_case {
	bool same_build;
	uint32_t before[4], after[4];
	const char *rows;
};

static void add_lines(struct model *m, const uint32_t lines[4], uint64_t bytes)
{
	for (size_t i = 0; i < 4 && lines[i]; i++) {
		char spec[64];
		snprintf(spec, sizeof(spec), "main.f:%u;main.main:%u", lines[i], lines[i] + 7);
		sample_at(m, spec, "main.T", 1, bytes << i);
	}
}

static void lines_tell_places_apart_where_they_can(void **state)
{
	static const struct lines_case cases[] = {
		/* One build. */
		{ true, { 10, 20 }, { 10, 20 }, "10->10 1->100, 20->20 2->200" },
		{ true, { 10, 20 }, { 20, 30 }, "10->- 1->0, 20->20 2->100, -->30 0->200" },
		{ true, { 10 }, { 15 }, "10->- 1->0, -->15 0->100" },
		{ true, { 10 }, { 0 }, "10->- 1->0" },
		{ true, { 0 }, { 10 }, "-->10 0->100" },
		/* Another one in which nothing has moved, and lines have come or gone. */
		{ false, { 10, 20 }, { 10, 20 }, "10->10 1->100, 20->20 2->200" },
		{ false, { 10 }, { 10, 12 }, "10->10 1->100, -->12 0->200" },
		{ false, { 10, 12 }, { 12 }, "10->- 1->0, 12->12 2->100" },
		{ false, { 10 }, { 0 }, "10->- 1->0" },
		/* Moved. */
		{ false, { 10 }, { 15 }, "10->15 1->100" },
		{ false, { 10, 20 }, { 15, 25 }, "10->15 1->100, 20->25 2->200" },
		{ false, { 10, 20 }, { 20, 30 }, "10->20 1->100, 20->30 2->200" },
		/* Nobody can say which has come. */
		{ false, { 10, 20 }, { 15, 25, 35 }, "2+3 lines 3->700" },
		{ false, { 10, 20, 30 }, { 10, 25 }, "3+2 lines 7->300" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_model_ *mb = sample_run("one", 1);
		_model_ *ma = sample_run(cases[i].same_build ? "one" : "two", 1);
		add_lines(mb, cases[i].before, 1);
		add_lines(ma, cases[i].after, 100);
		_snapshot_ *before = take(mb, (struct snapshot_opts){ .places = true });
		_snapshot_ *after = take(ma, (struct snapshot_opts){ .places = true });
		_diff_ *d = compared(before, after, (struct diff_opts){ .per = DIFF_PER_TOTAL });
		assert_rows(d, DIFF_SITES, cases[i].rows);
	}
}

static void functions_and_types_tell_places_apart(void **state)
{
	_model_ *mb = sample_run("one", 1);
	_model_ *ma = sample_run("two", 1);

	(void)state;
	sample_at(mb, "main.f:10;main.main:5", "main.T", 1, 1);
	sample_at(mb, "main.f:10;main.main:5", "main.U", 1, 2);
	sample_at(mb, "main.g:10;main.main:6", "main.T", 1, 4);
	sample_at(ma, "main.f:11;main.main:5", "main.U", 1, 200);
	sample_at(ma, "main.g:11;main.main:6", "main.T", 1, 400);
	sample_at(ma, "main.f:11;main.init:9", "main.T", 1, 800);
	_snapshot_ *before = take(mb, (struct snapshot_opts){ 0 });
	_snapshot_ *after = take(ma, (struct snapshot_opts){ 0 });
	_diff_ *d = compared(before, after, (struct diff_opts){ .per = DIFF_PER_TOTAL });
	/* By whole stacks main.f is called by two. */
	assert_rows(d, DIFF_SITES, "-->11 0->800, 10->- 1->0, 10->11 2->200, 10->11 4->400");
	_snapshot_ *b = take(mb, (struct snapshot_opts){ .places = true });
	_snapshot_ *a = take(ma, (struct snapshot_opts){ .places = true });
	_diff_ *places = compared(b, a, (struct diff_opts){ .per = DIFF_PER_TOTAL });
	assert_rows(places, DIFF_SITES, "10->11 1->800, 10->11 2->200, 10->11 4->400");
	assert_rows(places, DIFF_TYPES, "-->- 5->1200, -->- 2->200");
}

/* A snapshot by hand, as no model makes such intervals to order. */
struct hand {
	struct snapshot s;
	struct snapshot_site sites[4];
};

static const struct snapshot_frame hand_frame = { "main.f", "/src/x.go", 10, false };
static const struct snapshot_frame *const hand_frames[] = { &hand_frame };
static const struct snapshot_stack hand_stack = { hand_frames, 1, false };

static void hand_add(struct hand *h, const char *type, uint64_t bytes, double ci95)
{
	h->sites[h->s.sites_nr++] = (struct snapshot_site){
		.count = { 1, bytes }, .ci95 = { 0, ci95 }, .type = type, .stack = &hand_stack
	};
	h->s.sites = h->sites;
	h->s.samples.on = true;
}

/* How a place's estimate falls into what has a type and what has none is chance. */
static void a_type_that_is_not_sampled_is_any(void **state)
{
	struct hand before = { 0 }, after = { 0 };

	(void)state;
	hand_add(&before, "main.T", 100, 3);
	hand_add(&before, SNAPSHOT_UNTYPED, 50, 4);
	hand_add(&after, "main.T", 170, 24);
	_diff_ *d = compared(&before.s, &after.s, (struct diff_opts){ .per = DIFF_PER_TOTAL });
	assert_rows(d, DIFF_SITES, "10->10 150->170");
	assert_string_equal(d->tables[DIFF_SITES].rows->type, SNAPSHOT_UNTYPED);
	/* They share their windows: 3 and 4 are 7, and then the root of 7 and 24 squared. */
	assert_true(d->tables[DIFF_SITES].rows->v->ci95 == 25);
}

static void how_sure_a_change_is(void **state)
{
	static const struct {
		uint64_t before;
		double before_ci95;
		uint64_t after;
		double after_ci95, ci95;
		bool noise;
	} cases[] = {
		{ 100, 30, 200, 40, 50, false },   { 100, 30, 130, 40, 50, true },
		{ 130, 30, 100, 40, 50, true },	   { 200, 30, 100, 40, 50, false },
		{ 100, 30, 150, 40, 50, true },	   { 100, 0, 101, 0, 0, false },
		{ 100, 0, 100, 0, 0, false },	   { 100, 0, 120, 20, 20, true },
		{ 100, NAN, 200, 40, NAN, false }, { 100, 0, 200, NAN, NAN, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hand before = { 0 }, after = { 0 };
		hand_add(&before, "main.T", cases[i].before, cases[i].before_ci95);
		hand_add(&after, "main.T", cases[i].after, cases[i].after_ci95);
		_diff_ *d = compared(&before.s, &after.s,
				     (struct diff_opts){ .per = DIFF_PER_TOTAL });
		const struct diff_value *v = d->tables[DIFF_SITES].rows->v;
		assert_int_equal(diff_is_unknown(v), isnan(cases[i].ci95));
		assert_true(isnan(cases[i].ci95) || v->ci95 == cases[i].ci95);
		assert_int_equal(diff_is_noise(v), cases[i].noise);
	}
}

/* Whatever is matched with what: each place is in one row, and nothing is lost or counted twice. */
static void rows_add_up_to_both_sides(void **state)
{
	uint32_t chance = 1;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct model *m[] = { sample_run("one", 1),
				      sample_run(round % 3 ? "two" : "one", 1) };
		uint64_t bytes[DIFF_SIDES] = { 0 };
		size_t places[DIFF_SIDES] = { 0 };
		struct snapshot *s[DIFF_SIDES];
		for (int side = 0; side < DIFF_SIDES; side++) {
			for (int i = 0; i < 12; i++) {
				char spec[64];
				chance = chance * 1103515245 + 12345;
				snprintf(spec, sizeof(spec), "main.%c:%u;main.main:1",
					 "fgh"[chance >> 16 & 3 ? 0 : 1], 1 + (chance >> 18) % 9);
				sample_at(m[side], spec, chance >> 24 & 1 ? "T" : "U", 1,
					  chance >> 8);
				bytes[side] += chance >> 8;
			}
			s[side] = take(m[side], (struct snapshot_opts){ 0 });
		}
		struct diff *d = compared(s[0], s[1], (struct diff_opts){ .per = DIFF_PER_TOTAL });
		double sum[DIFF_SIDES] = { 0 };
		for (size_t i = 0; i < d->tables[DIFF_SITES].nr; i++)
			for (int side = 0; side < DIFF_SIDES; side++) {
				sum[side] += d->tables[DIFF_SITES].rows[i].v[0].side[side];
				places[side] += d->tables[DIFF_SITES].rows[i].places[side];
			}
		for (int side = 0; side < DIFF_SIDES; side++) {
			assert_true(sum[side] == (double)bytes[side]);
			assert_int_equal(places[side], s[side]->sites_nr);
			assert_true(d->total[DIFF_ALLOC_SPACE].v.side[side] == (double)bytes[side]);
		}
		diff_free(d);
		snapshot_free(s[0]);
		snapshot_free(s[1]);
		model_free(m[0]);
		model_free(m[1]);
	}
}

/* --- what numbers are divided by ------------------------------------------------------------------- */

static void add_maps(struct model *m, uint64_t n)
{
	static const struct go_map_shape shape = { .unit_bytes = 208 };
	const struct model_map_counts counts = {
		.assigns = 10 * n, .deletes = n, .clears = n, .growths = 2 * n
	};

	model_map_site_set(
		m,
		sample_id(model_map_site(m, sample_lines(m, "main.put:30;main.main:4"),
					 sample_id(model_type(m, "map[int]int")), &shape)),
		&counts);
	model_maps_counted(m, true);
}

static void add_heap(struct model *m, uint64_t n)
{
	const struct model_heap_look look = { .mono_ns = SAMPLE_START, .rate = 1, .cycle = 3 };
	const struct model_heap_counts counts = { n, n * 64, 10 * n, 640 * n, n, 10 * n };

	model_heap_look(m, &look);
	model_heap_add(m,
		       sample_id(model_heap_site(m, sample_lines(m, "main.keep:40;main.main:4"))),
		       &counts);
	model_heap_looked(m);
}

static void add_gc(struct model *m, uint64_t n)
{
	model_assist_add(m, sample_id(model_assist(m, sample_lines(m, "main.f:10;main.main:5"))), n,
			 1000 * n);
	for (uint64_t i = 0; i < n; i++) {
		const struct model_stop stop = { .start_ns = SAMPLE_START + i,
						 .end_ns = SAMPLE_START + i + 500,
						 .stack = MODEL_NO_STACK,
						 .reason = MODEL_STOP_SWEEP_TERMINATION,
						 .gc = true };
		const struct model_cycle cycle = { .stack = MODEL_NO_STACK,
						   .start_ns = SAMPLE_START + i,
						   .end_ns = SAMPLE_START + i + 900 };
		assert_int_equal(model_add_stop(m, &stop), 0);
		assert_int_equal(model_add_cycle(m, &cycle), 0);
	}
}

/* `calls` calls of main.handle, each of which allocates two objects, of 48 bytes together, and takes 100 ns. */
static void add_ops(struct model *m, uint64_t calls)
{
	const struct model_ops_known known = { .allocs = true, .pauses = true };
	const struct model_op_counts counts = { .begun = calls,
						.ended = calls,
						.sum = { [WIRE_OP_OBJECTS] = 2 * calls,
							 [WIRE_OP_BYTES] = 48 * calls,
							 [WIRE_OP_NS] = 100 * calls } };

	sample_id(model_op(m, "main.handle", ""));
	model_ops_measured(m, &known);
	model_op_set(m, 0, &counts);
	model_site_add(
		m,
		sample_id(model_site(m, sample_lines(m, "main.g:50;main.handle:3;main.main:1"),
				     sample_id(model_type(m, "main.G")), 5, 0, 1)),
		2 * calls, 48 * calls);
}

static struct model *full_run(unsigned int seconds, uint64_t n)
{
	struct model *m = sample_run("one", seconds);

	sample_at(m, "main.f:10;main.main:5", "main.T", 4 * n, 1000 * n);
	add_maps(m, n);
	add_heap(m, n);
	add_gc(m, n);
	add_ops(m, 5 * n);
	return m;
}

static void assert_total(const struct diff *d, enum diff_measure m, double before, double after)
{
	const struct diff_total *t = &d->total[m];

	if (!t->known)
		fail_msg("%s: %s", diff_measures[m].name, t->why_not);
	if (fabs(t->v.side[DIFF_BEFORE] - before) > 1e-9 ||
	    fabs(t->v.side[DIFF_AFTER] - after) > 1e-9 ||
	    fabs(t->v.change - (after - before)) > 1e-9)
		fail_msg("%s: %g -> %g", diff_measures[m].name, t->v.side[DIFF_BEFORE],
			 t->v.side[DIFF_AFTER]);
}

/* From 10 in 2 seconds to 40 in 4, with 5 calls for each. */
static void numbers_are_divided_by_time_or_calls(void **state)
{
	static const struct {
		enum diff_measure measure;
		double per_second[DIFF_SIDES], total[DIFF_SIDES], per_op[DIFF_SIDES];
	} cases[] = {
		{ DIFF_ALLOC_SPACE, { 6200, 12400 }, { 12400, 49600 }, { 48, 48 } },
		{ DIFF_ALLOC_OBJECTS, { 70, 140 }, { 140, 560 }, { 2, 2 } },
		{ DIFF_INUSE_SPACE, { 640, 2560 }, { 640, 2560 }, { 640, 2560 } },
		{ DIFF_INUSE_OBJECTS, { 10, 40 }, { 10, 40 }, { 10, 40 } },
		{ DIFF_ASSIST, { 5000, 10000 }, { 10000, 40000 }, { 200, 200 } },
		{ DIFF_ASSIGNS, { 50, 100 }, { 100, 400 }, { 2, 2 } },
		{ DIFF_DELETES, { 5, 10 }, { 10, 40 }, { .2, .2 } },
		{ DIFF_CLEARS, { 5, 10 }, { 10, 40 }, { .2, .2 } },
		{ DIFF_GROWTHS, { 10, 20 }, { 20, 80 }, { .4, .4 } },
		{ DIFF_CYCLES, { 5, 10 }, { 10, 40 }, { .2, .2 } },
		{ DIFF_PAUSE, { 2500, 5000 }, { 5000, 20000 }, { 100, 100 } },
	};
	_model_ *mb = full_run(2, 10), *ma = full_run(4, 40);
	_snapshot_ *before = take(mb, (struct snapshot_opts){ 0 });
	_snapshot_ *after = take(ma, (struct snapshot_opts){ 0 });
	_diff_ *second = compared(before, after, (struct diff_opts){ .per = DIFF_PER_SECOND });
	_diff_ *total = compared(before, after, (struct diff_opts){ .per = DIFF_PER_TOTAL });
	_diff_ *op =
		compared(before, after,
			 (struct diff_opts){ DIFF_PER_OP, { before->ops.ops, after->ops.ops } });

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum diff_measure m = cases[i].measure;
		assert_total(second, m, cases[i].per_second[0], cases[i].per_second[1]);
		assert_total(total, m, cases[i].total[0], cases[i].total[1]);
		assert_total(op, m, cases[i].per_op[0], cases[i].per_op[1]);
	}
	assert_total(op, DIFF_OP_TIME, 100, 100);
	assert_false(total->total[DIFF_OP_TIME].known);
	assert_rows(second, DIFF_SITES, "10->10 5000->10000, 50->50 1200->2400");
	/* Of a call, only what is in it. */
	assert_rows(op, DIFF_SITES, "50->50 48->48");
	assert_rows(op, DIFF_MAPS, "30->30 2->2");
	assert_rows(second, DIFF_HEAP, "40->40 640->2560");
	assert_rows(second, DIFF_ASSISTS, "10->10 5000->10000");
}

static void what_is_not_known_is_said(void **state)
{
	_model_ *mb = full_run(1, 10), *ma = sample_run("one", 1);
	_snapshot_ *before = take(mb, (struct snapshot_opts){ 0 });
	_snapshot_ *after = take(ma, (struct snapshot_opts){ 0 });
	_diff_ *d = compared(before, after, (struct diff_opts){ .per = DIFF_PER_SECOND });

	(void)state;
	for (int m = 0; m < DIFF_MEASURES_NR; m++) {
		const struct diff_total *t = &d->total[m];
		if (m == DIFF_ALLOC_SPACE || m == DIFF_ALLOC_OBJECTS || m == DIFF_ASSIST ||
		    m == DIFF_STW || m == DIFF_CYCLES || m == DIFF_PAUSE)
			assert_true(t->known);
		else
			assert_false(t->known);
		if (m >= DIFF_ASSIGNS && m <= DIFF_GROWTHS)
			assert_string_equal(t->why_not, "after: maps were not looked at");
	}
	assert_string_equal(d->total[DIFF_INUSE_SPACE].why_not,
			    "after: the live heap was not looked at");
	assert_string_equal(d->total[DIFF_RETAINED].why_not,
			    "before: the process's memory was not looked at");
}

/* The collector may be left alone for a while, to keep the budget: the runtime's counters know all the same. */
static void what_was_not_looked_at_all_the_time_is_not_compared(void **state)
{
	struct hand before = { 0 }, after = { 0 };

	(void)state;
	after.s.gc.off_ns = 5;
	after.s.gc.cycles_total = 3;
	after.s.gc.unseen_cycles = 4;
	after.s.gc.pauses.total_ns = 30;
	after.s.gc.unseen_pause_ns = 40;
	_diff_ *unknown = compared(&before.s, &after.s,
				   (struct diff_opts){ .per = DIFF_PER_TOTAL });
	assert_false(unknown->total[DIFF_CYCLES].known);
	after.s.gc.check.known = true;
	_diff_ *known = compared(&before.s, &after.s, (struct diff_opts){ .per = DIFF_PER_TOTAL });
	assert_total(known, DIFF_CYCLES, 0, 7);
	assert_total(known, DIFF_PAUSE, 0, 70);
	assert_false(known->total[DIFF_ASSIST].known);
	assert_false(known->total[DIFF_STW].known);
}

/* Of many processes the collector is left alone: that nothing was seen of it is not 0. */
static void of_many_processes_the_collector_is_not_compared(void **state)
{
	static const enum diff_measure of_gc[] = { DIFF_CYCLES, DIFF_PAUSE, DIFF_ASSIST, DIFF_STW };
	struct hand before = { 0 }, after = { 0 };

	(void)state;
	after.s.meta.pids_nr = 2;
	_diff_ *d = compared(&before.s, &after.s, (struct diff_opts){ .per = DIFF_PER_TOTAL });
	for (size_t i = 0; i < sizeof(of_gc) / sizeof(of_gc[0]); i++) {
		assert_false(d->total[of_gc[i]].known);
		assert_string_equal(d->total[of_gc[i]].why_not,
				    "after: the collector was not looked at");
	}
}

static void map_calls_that_windows_tell_have_their_intervals(void **state)
{
	struct snapshot_map_site site = { .type = "map[int]int",
					  .stack = &hand_stack,
					  .counts = { .assigns = 5 },
					  .assigns = { 95, 30, false } };
	struct snapshot_map_site later = site;
	struct hand before = { 0 }, after = { 0 };

	(void)state;
	later.assigns = (struct snapshot_map_estimate){ 195, 40, false };
	before.s.maps = (struct snapshot_maps){
		.known = true, .operations_sampled = true, .sites = &site, .sites_nr = 1
	};
	after.s.maps = before.s.maps;
	after.s.maps.sites = &later;
	_diff_ *d = compared(&before.s, &after.s, (struct diff_opts){ .per = DIFF_PER_TOTAL });
	assert_total(d, DIFF_ASSIGNS, 100, 200);
	assert_true(d->total[DIFF_ASSIGNS].v.ci95 == 50);
	/* No window has met a delete: that there were none is not known. */
	assert_false(d->total[DIFF_DELETES].known);
	/* A least number. */
	later.assigns.at_least = true;
	_diff_ *least = compared(&before.s, &after.s, (struct diff_opts){ .per = DIFF_PER_TOTAL });
	assert_true(diff_is_unknown(&least->total[DIFF_ASSIGNS].v));
}

/* A side on which a function's calls were measured in windows: 10 of them, each of which took two objects of 48 bytes. */
struct windows {
	struct hand h;
	struct snapshot_op op;
	struct snapshot_op_site site;
};

static void windows_init(struct windows *w, uint64_t calls)
{
	*w = (struct windows){
		.site = { .objects = 20, .bytes = 480, .type = "main.G", .stack = &hand_stack }
	};
	w->op = (struct snapshot_op){ .func = "main.handle",
				      .counts = { .begun = 10, .ended = 9 },
				      .calls_known = true,
				      .calls = calls,
				      .sites = &w->site,
				      .sites_nr = 1 };
	w->op.stats[WIRE_OP_BYTES] = (struct snapshot_op_stat){ .mean = 50, .mean_ci95 = 3 };
	w->op.stats[WIRE_OP_NS] = (struct snapshot_op_stat){ .mean = 700, .mean_ci95 = NAN };
	w->h.s.ops = (struct snapshot_ops){ .known = { .allocs = true, .sampled = true },
					    .ops = &w->op,
					    .ops_nr = 1 };
	w->h.s.gc.cycles_total = 100;
	w->h.s.gc.pauses.total_ns = 8000;
}

static struct diff_opts per_windows(const struct windows *before, const struct windows *after)
{
	return (struct diff_opts){ DIFF_PER_OP, { &before->op, &after->op } };
}

/* What the process does it does beside all calls, those that no window has seen included. */
static void of_windows_the_process_is_divided_by_all_calls(void **state)
{
	struct windows before, after;

	(void)state;
	windows_init(&before, 1000);
	windows_init(&after, 4000);
	_diff_ *d = compared(&before.h.s, &after.h.s, per_windows(&before, &after));
	assert_total(d, DIFF_CYCLES, .1, .025);
	assert_total(d, DIFF_PAUSE, 8, 2);
	/* Means are of those that ended, and sites of those that began in windows. */
	assert_total(d, DIFF_ALLOC_SPACE, 50, 50);
	assert_true(fabs(d->total[DIFF_ALLOC_SPACE].v.ci95 - hypot(3, 3)) < 1e-9);
	assert_total(d, DIFF_OP_TIME, 700, 700);
	assert_rows(d, DIFF_SITES, "10->10 48->48");
	assert_true(diff_is_unknown(d->tables[DIFF_SITES].rows->v));
	/* Calls were not counted all the time. */
	after.op.calls_known = false;
	_diff_ *some = compared(&before.h.s, &after.h.s, per_windows(&before, &after));
	for (int m = 0; m < DIFF_MEASURES_NR; m++)
		assert_true(diff_measures[m].kind != DIFF_FLOW || !some->total[m].known);
	assert_string_equal(some->total[DIFF_PAUSE].why_not,
			    "after: it is of the whole process, and not all calls were counted");
	assert_total(some, DIFF_ALLOC_SPACE, 50, 50);
}

/* That no sample has met a place doesn't mean that nothing is there. */
static void what_estimates_have_not_met_is_not_known(void **state)
{
	struct hand before = { 0 }, after = { 0 };
	struct snapshot_heap_site heap = { .counts = { .inuse_bytes = 9 }, .stack = &hand_stack };
	struct snapshot_map_site map = { .type = "map[int]int",
					 .stack = &hand_stack,
					 .counts = { .clears = 3 },
					 .assigns = { 95, 30, false } };

	(void)state;
	hand_add(&after, "main.T", 100, 0);
	after.s.heap =
		(struct snapshot_heap){ .known = true, .last = { .rate = 512 }, .sites = &heap };
	after.s.heap.sites_nr = 1;
	after.s.maps = (struct snapshot_maps){
		.known = true, .operations_sampled = true, .sites = &map, .sites_nr = 1
	};
	before.s.heap.last.rate = 512;
	before.s.samples.on = true;
	before.s.maps.operations_sampled = true;
	for (int estimated = 1; estimated >= 0; estimated--) {
		_diff_ *d = compared(&before.s, &after.s,
				     (struct diff_opts){ .per = DIFF_PER_TOTAL });
		assert_int_equal(diff_is_unknown(d->tables[DIFF_SITES].rows->v), estimated);
		assert_int_equal(diff_is_unknown(d->tables[DIFF_HEAP].rows->v), estimated);
		assert_int_equal(diff_is_unknown(d->tables[DIFF_MAPS].rows->v), estimated);
		/* Counted in every mode. */
		assert_true(d->tables[DIFF_MAPS].rows->v[DIFF_CLEARS - DIFF_ASSIGNS].ci95 == 0);
		before.s.heap.last.rate = 1;
		before.s.samples.on = false;
		before.s.maps.every_operation = true;
	}
}

/* A total is of what was met on its side, and its interval too. */
static void a_total_has_its_interval_whatever_is_missing(void **state)
{
	struct snapshot_map_site sites[] = {
		{ .type = "map[int]int", .stack = &hand_stack, .assigns = { 100, 30, false } },
		{ .type = "map[int]bool", .stack = &hand_stack, .assigns = { 50, 40, false } },
	};
	struct hand before = { 0 }, after = { 0 };

	(void)state;
	before.s.maps = (struct snapshot_maps){
		.known = true, .operations_sampled = true, .sites = &sites[0], .sites_nr = 1
	};
	after.s.maps = before.s.maps;
	after.s.maps.sites = &sites[1];
	_diff_ *d = compared(&before.s, &after.s, (struct diff_opts){ .per = DIFF_PER_TOTAL });
	assert_true(diff_is_unknown(d->tables[DIFF_MAPS].rows->v));
	assert_total(d, DIFF_ASSIGNS, 100, 50);
	assert_true(d->total[DIFF_ASSIGNS].v.ci95 == 50);
}

static void nothing_is_divided_by_nothing(void **state)
{
	_model_ *some = full_run(1, 1);
	_model_ *none = sample_run("one", 0);
	struct diff_opts per_op = { .per = DIFF_PER_OP };
	struct snapshot_op never = { .func = "main.handle" };
	struct diff *d = NULL;

	(void)state;
	_snapshot_ *before = take(some, (struct snapshot_opts){ 0 });
	_snapshot_ *after = take(none, (struct snapshot_opts){ 0 });
	assert_int_equal(diff_new(before, after, &(struct diff_opts){ .per = DIFF_PER_SECOND }, &d),
			 -ENODATA);
	assert_int_equal(diff_new(after, before, &(struct diff_opts){ .per = DIFF_PER_SECOND }, &d),
			 -ENODATA);
	per_op.op[DIFF_BEFORE] = before->ops.ops;
	per_op.op[DIFF_AFTER] = &never;
	assert_int_equal(diff_new(before, after, &per_op, &d), -ENODATA);
	assert_null(d);
	_diff_ *total = compared(before, after, (struct diff_opts){ .per = DIFF_PER_TOTAL });
	assert_total(total, DIFF_ALLOC_SPACE, 1240, 0);
}

/* --- order ---------------------------------------------------------------------------------------- */

static void the_largest_change_is_first_whatever_its_direction(void **state)
{
	_model_ *mb = sample_run("one", 1);
	_model_ *ma = sample_run("one", 1);

	(void)state;
	sample_at(mb, "main.a:1", "T", 1, 100);
	sample_at(ma, "main.a:1", "T", 9, 150);
	sample_at(mb, "main.b:1", "T", 5, 300);
	sample_at(ma, "main.b:1", "T", 4, 200);
	sample_at(mb, "main.c:1", "T", 7, 7);
	sample_at(ma, "main.c:1", "T", 7, 7);
	_snapshot_ *before = take(mb, (struct snapshot_opts){ 0 });
	_snapshot_ *after = take(ma, (struct snapshot_opts){ 0 });
	_diff_ *d = compared(before, after, (struct diff_opts){ .per = DIFF_PER_TOTAL });
	const struct diff_table *t = &d->tables[DIFF_SITES];
	_cleanup_free_ const struct diff_row **bytes = diff_order(t, DIFF_ALLOC_SPACE);
	_cleanup_free_ const struct diff_row **objects = diff_order(t, DIFF_ALLOC_OBJECTS);
	assert_int_equal(t->nr, 3);
	assert_true(bytes[0]->v[0].change == -100 && bytes[1]->v[0].change == 50);
	assert_true(objects[0]->v[1].change == 8 && objects[1]->v[1].change == -1);
	assert_true(bytes[2]->v[0].change == 0 && bytes[2] == objects[2]);
}

static void measures_and_tables_agree(void **state)
{
	static const enum snapshot_value values[] = {
		SNAPSHOT_BYTES,	  SNAPSHOT_OBJECTS,	SNAPSHOT_ASSIST,	SNAPSHOT_STW,
		SNAPSHOT_ASSIGNS, SNAPSHOT_DELETES,	SNAPSHOT_CLEARS,	SNAPSHOT_RETAINED,
		SNAPSHOT_GROWTHS, SNAPSHOT_INUSE_BYTES, SNAPSHOT_INUSE_OBJECTS,
	};
	unsigned int seen = 0;
	_model_ *m = full_run(1, 1);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_diff_ *d = compared(s, s, (struct diff_opts){ .per = DIFF_PER_TOTAL });

	(void)state;
	for (int i = 0; i < DIFF_MEASURES_NR; i++) {
		assert_non_null(diff_measures[i].name);
		enum diff_table_id id = diff_table_of((enum diff_measure)i);
		if (id == DIFF_TABLES_NR)
			continue;
		const struct diff_table *t = &d->tables[id];
		assert_true(t->measures_nr <= DIFF_VALUES_MAX);
		assert_true((size_t)i >= t->first && (size_t)i < t->first + t->measures_nr);
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		seen |= 1U << diff_measure_of(values[i]);
	assert_int_equal(seen, (1U << DIFF_CYCLES) - 1);
	/* With itself nothing has changed. */
	for (int i = 0; i < DIFF_MEASURES_NR; i++)
		assert_true(!d->total[i].known || d->total[i].v.change == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_tell_places_apart_where_they_can),
		cmocka_unit_test(functions_and_types_tell_places_apart),
		cmocka_unit_test(a_type_that_is_not_sampled_is_any),
		cmocka_unit_test(how_sure_a_change_is),
		cmocka_unit_test(rows_add_up_to_both_sides),
		cmocka_unit_test(numbers_are_divided_by_time_or_calls),
		cmocka_unit_test(what_is_not_known_is_said),
		cmocka_unit_test(what_was_not_looked_at_all_the_time_is_not_compared),
		cmocka_unit_test(of_many_processes_the_collector_is_not_compared),
		cmocka_unit_test(map_calls_that_windows_tell_have_their_intervals),
		cmocka_unit_test(of_windows_the_process_is_divided_by_all_calls),
		cmocka_unit_test(what_estimates_have_not_met_is_not_known),
		cmocka_unit_test(a_total_has_its_interval_whatever_is_missing),
		cmocka_unit_test(nothing_is_divided_by_nothing),
		cmocka_unit_test(the_largest_change_is_first_whatever_its_direction),
		cmocka_unit_test(measures_and_tables_agree),
	};
	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
