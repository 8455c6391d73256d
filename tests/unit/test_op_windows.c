/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows of operations: what the model makes of them, and that a recording gives it all back. */
#include "recordings.h"

#include <errno.h>
#include <math.h>

#include "model/op_tables.h"
#include "sample_op_windows.h"

static const struct snapshot_op *first_op(const struct snapshot *s)
{
	assert_true(s->ops.ops_nr > 0);
	return &s->ops.ops[0];
}

/* --- the model ---------------------------------------------------------------------------------- */

static struct model *windows_model(void)
{
	struct model *m = new_model();

	sample_meta(m);
	sample_id(model_op(m, "main.handle", ""));
	model_ops_measured(m, &sample_windows_known);
	return m;
}

static void means_have_intervals(void **state)
{
	_model_ *m = windows_model();
	_cleanup_free_ struct sample_windows *w = calloc(1, sizeof(*w));

	(void)state;
	for (uint64_t i = 0; i < 20; i++)
		sample_window(m, 0, w, (uint64_t[]){ 10 + i % 2, 10 }, 2);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	const struct snapshot_op *op = first_op(s);
	const struct snapshot_op_stat *objects = &op->stats[WIRE_OP_OBJECTS];
	assert_int_equal(op->windows, 20);
	assert_int_equal(op->counts.ended, 40);
	assert_true(objects->mean == 10.25);
	assert_true(objects->mean_ci95 > 0.1 && objects->mean_ci95 < 1);
	/* All took as long. */
	assert_true(op->stats[WIRE_OP_NS].mean_ci95 == 0);
}

static void few_windows_have_none(void **state)
{
	_model_ *m = windows_model();
	_cleanup_free_ struct sample_windows *w = calloc(1, sizeof(*w));

	(void)state;
	_snapshot_ *none = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(first_op(none)->windows, 0);
	for (uint64_t i = 0; i < 7; i++)
		sample_window(m, 0, w, (uint64_t[]){ 3 }, 1);
	_snapshot_ *few = take(m, (struct snapshot_opts){ 0 });
	assert_true(isnan(first_op(few)->stats[WIRE_OP_OBJECTS].mean_ci95));
	sample_window(m, 0, w, (uint64_t[]){ 3 }, 1);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_true(first_op(s)->stats[WIRE_OP_OBJECTS].mean_ci95 == 0);
	assert_int_equal(first_op(s)->windows, 8);
}

/* It may have been any: no interval covers it. */
static void a_cut_operation_leaves_no_interval(void **state)
{
	_model_ *m = windows_model();
	_cleanup_free_ struct sample_windows *w = calloc(1, sizeof(*w));

	(void)state;
	w->counts.cut = w->counts.begun = 1;
	for (uint64_t i = 0; i < 20; i++)
		sample_window(m, 0, w, (uint64_t[]){ 3 }, 1);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	const struct snapshot_op *op = first_op(s);
	for (int i = 0; i < WIRE_OP_VALUES; i++)
		assert_true(isnan(op->stats[i].mean_ci95));
	assert_true(op->stats[WIRE_OP_OBJECTS].mean == 3);
	/* It is not open: nobody waits for its end. */
	assert_int_equal(op->counts.begun, 21);
	assert_int_equal(op->open, 0);
}

static void calls_are_told_where_they_are_known(void **state)
{
	static const struct {
		uint64_t entries, nested, uncounted_ns;
		bool known;
	} cases[] = { { 1000, 0, 0, true },
		      { 1000, 1, 0, false },
		      { 1000, 0, 1, false },
		      { 0, 0, 0, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_model_ *m = windows_model();
		const struct model_op_counts counts = { .begun = 3,
							.ended = 3,
							.entries = cases[i].entries,
							.nested = cases[i].nested,
							.uncounted_ns = cases[i].uncounted_ns };
		model_op_set(m, 0, &counts);
		_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
		assert_int_equal(first_op(s)->calls, cases[i].entries);
		assert_int_equal(first_op(s)->calls_known, cases[i].known);
	}
}

static void every_call_is_exact(void **state)
{
	const struct model_ops_known known = { .allocs = true };
	const struct model_op_counts counts = { .begun = 4, .ended = 3, .sum = { 9, 9, 9 } };
	_model_ *m = windows_model();

	(void)state;
	model_ops_measured(m, &known);
	model_op_set(m, 0, &counts);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_true(first_op(s)->calls_known);
	assert_int_equal(first_op(s)->calls, 3);
	for (int i = 0; i < WIRE_OP_VALUES; i++)
		assert_true(first_op(s)->stats[i].mean_ci95 == 0);
}

static void an_interval_has_its_own_windows(void **state)
{
	_model_ *m = windows_model();
	_cleanup_free_ struct sample_windows *w = calloc(1, sizeof(*w));

	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		sample_window(m, 0, w, (uint64_t[]){ i }, 1);
	model_next_interval(m, SAMPLE_START);
	for (uint64_t i = 0; i < 8; i++)
		sample_window(m, 0, w, (uint64_t[]){ 3 }, 1);
	_snapshot_ *interval = take(m, (struct snapshot_opts){ .interval = true });
	_snapshot_ *all = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(first_op(interval)->windows, 8);
	assert_int_equal(first_op(all)->windows, 18);
	assert_true(first_op(all)->stats[WIRE_OP_OBJECTS].mean_ci95 > 0);
}

/* What none ended in tells nothing of operations but that they were there; next to each other they are one. */
static void windows_without_an_end_count_as_calls(void **state)
{
	_model_ *m = windows_model();
	_cleanup_free_ struct sample_windows *w = calloc(1, sizeof(*w));
	const struct model_op_window empty = { .calls = 7 }, nothing = { .calls = 0 };

	(void)state;
	assert_int_equal(model_op_window(m, 0, &nothing), 0);
	assert_null(m->ops->rows[0]->windows);
	assert_int_equal(model_op_window(m, 0, &empty), 0);
	sample_window(m, 0, w, (uint64_t[]){ 3 }, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(model_op_window(m, 0, &empty), 0);
	const struct op_clusters *now = &m->ops->rows[0]->windows->now;
	assert_int_equal(now->nr, 3);
	assert_int_equal(now->v[0].calls, 7);
	assert_int_equal(now->v[1].calls, SAMPLE_WINDOW_CALLS);
	assert_int_equal(now->v[2].calls, 21);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(first_op(s)->windows, 1);
}

/* Small ones for a while, then large ones: called as often, seen less often. */
static void means_count_for_calls(void **state)
{
	_model_ *m = windows_model();
	_cleanup_free_ struct sample_windows *w = calloc(1, sizeof(*w));

	(void)state;
	for (uint64_t i = 0; i < 40; i++) {
		sample_window(m, 0, w, (uint64_t[]){ 2, 2, 2, 2, 2, 2, 2, 2, 2 }, 9);
		sample_window(m, 0, w, (uint64_t[]){ 22 }, 1);
	}
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	const struct snapshot_op_stat *objects = &first_op(s)->stats[WIRE_OP_OBJECTS];
	assert_true(fabs(objects->mean - 12) < 1e-6);
	assert_true(objects->mean_ci95 > 1 && objects->mean_ci95 < 6);
}

/* What isn't known of one stays unknown, whatever comes to it. */
static void unknown_calls_stay_unknown(void **state)
{
	const struct model_op_window unknown = { .ended = 1 }, empty = { .calls = 7 },
				     known = { .calls = 5, .ended = 1 };
	_model_ *m = windows_model();

	(void)state;
	for (size_t i = 0; i < OP_CLUSTERS_MAX; i++)
		assert_int_equal(model_op_window(m, 0,
						 i == 1	  ? &unknown
						 : i == 2 ? &empty
							  : &known),
				 0);
	const struct op_clusters *now = &m->ops->rows[0]->windows->now;
	assert_int_equal(now->v[1].calls, 0);
	assert_int_equal(model_op_window(m, 0, &known), 0);
	assert_int_equal(now->v[0].windows, 2);
	assert_int_equal(now->v[0].calls, 0);
	assert_int_equal(now->v[1].windows, 1);
	assert_int_equal(now->v[1].calls, 7 + 5);
}

static void no_session_is_too_long(void **state)
{
	enum { WINDOWS = 5 * OP_CLUSTERS_MAX + 3 };
	_model_ *m = windows_model();
	_cleanup_free_ struct sample_windows *w = calloc(1, sizeof(*w));
	_cleanup_free_ struct op_clusters *all = calloc(1, sizeof(*all));
	uint64_t sum = 0;

	(void)state;
	for (uint64_t i = 0; i < WINDOWS; i++) {
		sample_window(m, 0, w, (uint64_t[]){ i % 5, i % 3 }, 2);
		if (i % 1500 == 0)
			model_next_interval(m, SAMPLE_START + i);
	}
	op_all_windows(m->ops->rows[0]->windows, all);
	assert_true(all->nr <= OP_CLUSTERS_MAX && all->nr >= OP_CLUSTERS_MAX / 2);
	for (size_t i = 0; i < all->nr; i++)
		sum += all->v[i].sum[WIRE_OP_OBJECTS];
	assert_int_equal(sum, w->counts.sum[WIRE_OP_OBJECTS]);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(first_op(s)->windows, WINDOWS);
	/* 10,000 operations with a standard deviation of 1.3. */
	assert_true(first_op(s)->stats[WIRE_OP_OBJECTS].mean_ci95 > 0);
	assert_true(first_op(s)->stats[WIRE_OP_OBJECTS].mean_ci95 < 1.5);
}

/* --- recordings --------------------------------------------------------------------------------- */

enum { INTERVALS = 3, MANY = 1500 };

/* Intervals of different lengths: one has more windows than find room. */
static struct model *record_windows(const char *path, uint64_t many)
{
	struct recording *rec = create(path);
	struct model *m = windows_model();
	struct sample_windows *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	for (uint64_t n = 0; n < INTERVALS; n++) {
		uint64_t from = SAMPLE_START + n * SAMPLE_S;
		for (uint64_t i = 0; i < (n == 1 ? many : 9); i++)
			sample_window(m, 0, w, (uint64_t[]){ 100 + i * i % 37, i % 11, 3 }, 3);
		w->counts.entries += 5000;
		model_op_set(m, 0, &w->counts);
		model_meta(m)->end_mono_ns = from + SAMPLE_S;
		write_tick(m, from, from + SAMPLE_S, rec);
		if (n + 1 < INTERVALS)
			model_next_interval(m, from + SAMPLE_S);
	}
	free(w);
	finish(rec, m);
	return m;
}

static void same_windows(const struct model *live, const struct model *loaded)
{
	_cleanup_free_ struct op_clusters *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));

	op_all_windows(live->ops->rows[0]->windows, a);
	op_all_windows(loaded->ops->rows[0]->windows, b);
	assert_int_equal(a->nr, b->nr);
	assert_memory_equal(a->v, b->v, a->nr * sizeof(a->v[0]));
}

static void a_recording_gives_back_windows(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	for (uint64_t many = 9; many <= MANY; many += MANY - 9) {
		_model_ *live = record_windows(path, many);
		_model_ *loaded = load(path);
		same_windows(live, loaded);
		_cleanup_free_ char *x = as_json(live), *y = as_json(loaded);
		assert_string_equal(x, y);
		assert_non_null(strstr(x, "\"mean_ci95\": "));
		assert_int_equal(query(path, "SELECT calls FROM ops"), 15000);
		assert_int_equal(query(path, "SELECT measured FROM ops"), (int)(3 * (18 + many)));
		assert_int_equal(query(path, "SELECT windows FROM ops"), (int)(18 + many));
	}
}

/* As the program, which says null. */
static void a_view_knows_what_calls_are_not_known(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	_model_ *m = record_windows(path, 9);
	assert_int_equal(query(path, "SELECT calls IS NULL FROM ops"), 0);
	sql(path, "UPDATE op_call SET entries = 0");
	assert_int_equal(query(path, "SELECT calls IS NULL FROM ops"), 1);
	_model_ *loaded = load(path);
	_snapshot_ *s = take(loaded, (struct snapshot_opts){ 0 });
	assert_false(first_op(s)->calls_known);
	sql(path, "DELETE FROM op_call");
	assert_int_equal(query(path, "SELECT calls IS NULL FROM ops"), 0);
	assert_int_equal(query(path, "SELECT calls FROM ops"), 0);
}

static void a_span_has_its_own_windows(void **state)
{
	const char *path = in_dir("x.gallop");
	const struct recording_span span = { .from_ns = UINT64_C(2) * SAMPLE_S,
					     .to_ns = UINT64_C(3) * SAMPLE_S };

	(void)state;
	model_free(record_windows(path, 20));
	_model_ *m = load_span(path, &span);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(first_op(s)->windows, 9);
	assert_int_equal(first_op(s)->calls, 5000);
	assert_int_equal(first_op(s)->counts.ended, 27);
}

/* Of all of it; of a part it isn't known, and no session was sampled for that. */
static void a_recording_knows_the_cost(void **state)
{
	const char *path = in_dir("x.gallop");
	const struct recording_span span = { .from_ns = UINT64_C(2) * SAMPLE_S,
					     .to_ns = UINT64_C(3) * SAMPLE_S };
	struct recording *rec = create(path);
	_model_ *m = windows_model();

	(void)state;
	*model_cost(m) = (struct model_cost){ .known = true,
					      .budget = 0.02,
					      .hits = 70,
					      .windows = 3,
					      .ns_per_hit = 6000,
					      .off = "x" };
	for (uint64_t n = 0; n < INTERVALS; n++) {
		uint64_t from = SAMPLE_START + n * SAMPLE_S;
		model_meta(m)->end_mono_ns = from + SAMPLE_S;
		write_tick(m, from, from + SAMPLE_S, rec);
		model_next_interval(m, from + SAMPLE_S);
	}
	finish(rec, m);
	_model_ *loaded = load(path);
	_snapshot_ *s = take(loaded, (struct snapshot_opts){ 0 });
	assert_true(s->samples.cost.known && !s->samples.on);
	assert_int_equal(s->samples.cost.windows, 3);
	assert_string_equal(s->samples.cost.off, "x");
	_model_ *part = load_span(path, &span);
	_snapshot_ *none = take(part, (struct snapshot_opts){ 0 });
	assert_false(none->samples.cost.known);
}

static void damage_is_told(void **state)
{
	const char *path = in_dir("x.gallop");
	static const struct {
		const char *sql, *msg;
	} cases[] = {
		{ "DROP TABLE op_window", "table 'op_window' is not as gallop makes it" },
		{ "UPDATE op_watch SET sampled = 2", "out of its range" },
		{ "UPDATE op_call SET entries = -1", "out of its range" },
		{ "UPDATE op_call SET cut = 'x'", "something else where a number belongs" },
		{ "UPDATE op_window SET interval = 9 WHERE interval = 1",
		  "refers to one that is not there" },
		{ "UPDATE op_window SET op = 1", "refers to one that is not there" },
		{ "UPDATE op_window SET number = -1 WHERE number = 0", "out of its range" },
		{ "UPDATE op_window SET windows = 0", "that none can have" },
		{ "UPDATE op_window SET ended = 0", "that none can have" },
		{ "UPDATE op_window SET windows = 0, ended = 0, late = 0", "that none can have" },
		{ "UPDATE op_window SET late = ended + 1", "that none can have" },
		{ "UPDATE op_window SET windows = ended + 1", "that none can have" },
		{ "UPDATE op_window SET windows = 0x7fffffffffffffff", "that none can have" },
		{ "UPDATE op_window SET ended = 0x7fffffffffffffff", "that were not counted" },
		{ "UPDATE op_window SET ended = ended + 1 WHERE interval = 2 AND number = 0",
		  "that were not counted" },
		{ "UPDATE op_window SET objects = 0x7fffffffffffffff", "that were not counted" },
		{ "UPDATE op_window SET bytes = bytes + 1 WHERE interval = 0 AND number = 8",
		  "that were not counted" },
		{ "UPDATE op_window SET ended = 1, windows = 1, late = 0, ns = 0x7fffffffffffffff",
		  "that were not counted" },
		{ "DELETE FROM op_call", "that were not counted" },
		{ "UPDATE op_window SET calls = -1", "out of its range" },
		{ "UPDATE op_window SET ns = x'00'", "something else where a number belongs" },
		{ "UPDATE op_window SET ns_squares = -1.0", "out of its range" },
		{ "UPDATE op_window SET objects_squares = 9e999", "out of its range" },
		{ "UPDATE op_window SET bytes_squares = 'x'",
		  "something else where a number belongs" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		model_free(record_windows(path, 9));
		assert_damage_is_told(path, cases[i].sql, cases[i].msg);
	}
}

/* Numbers that no target can make: still numbers, or none. */
static void sums_do_not_overflow(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	model_free(record_windows(path, MANY));
	sql(path, "UPDATE op_window SET windows = 0x7fffffffffffffff, calls = 0x7fffffffffffffff, "
		  "ended = 0x7fffffffffffffff, objects = 0x7fffffffffffffff, bytes_squares = 1e60 "
		  "WHERE number % 2; UPDATE op_window SET ns = 0x7fffffffffffffff; "
		  "UPDATE op_call SET ended = 0x7fffffffffffffff, objects = 0x7fffffffffffffff, "
		  "ns = 0x7fffffffffffffff");
	_model_ *m = load(path);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(first_op(s)->windows, INT64_MAX);
	for (int i = 0; i < WIRE_OP_VALUES; i++)
		assert_false(isinf(first_op(s)->stats[i].mean_ci95));
	_cleanup_free_ char *json = as_json(m);
}

/* More rows than an interval can have: they are joined, and cost no more memory. */
static void too_many_rows_are_joined(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	model_free(record_windows(path, 9));
	sql(path,
	    "WITH RECURSIVE n(i) AS (SELECT 9 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
	    "INSERT INTO op_window SELECT 2, 0, i, 1, 1, 1, 1, 1, 1, 1, 0.0, 0.0, 0.0 FROM n; "
	    "UPDATE op_call SET ended = ended + 5000, objects = objects + 5000, "
	    "bytes = bytes + 5000, ns = ns + 5000 WHERE interval = 2");
	_model_ *m = load(path);
	assert_true(m->ops->rows[0]->windows->now.nr <= OP_CLUSTERS_MAX);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(first_op(s)->windows, 18 + 5001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(means_have_intervals),
		cmocka_unit_test(few_windows_have_none),
		cmocka_unit_test(a_cut_operation_leaves_no_interval),
		cmocka_unit_test(calls_are_told_where_they_are_known),
		cmocka_unit_test(every_call_is_exact),
		cmocka_unit_test(an_interval_has_its_own_windows),
		cmocka_unit_test(windows_without_an_end_count_as_calls),
		cmocka_unit_test(means_count_for_calls),
		cmocka_unit_test(unknown_calls_stay_unknown),
		cmocka_unit_test(no_session_is_too_long),
		cmocka_unit_test(a_recording_gives_back_windows),
		cmocka_unit_test(a_view_knows_what_calls_are_not_known),
		cmocka_unit_test(a_span_has_its_own_windows),
		cmocka_unit_test(a_recording_knows_the_cost),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(sums_do_not_overflow),
		cmocka_unit_test(too_many_rows_are_joined),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
