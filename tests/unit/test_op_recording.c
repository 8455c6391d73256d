/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations in recordings: all of them come back, a part of them, and nothing of damaged ones. */
#include "recordings.h"
#include "sample_op_calls.h"

#include <errno.h>

/* A recording of the sample; the model that it was made from. */
static struct model *record_ops(const char *path, unsigned int seconds)
{
	struct recording *rec = create(path);
	struct sample_op_tick with_ops = { write_tick, rec };
	struct model *m = sample_model(seconds, sample_op_tick, &with_ops);

	finish(rec, m);
	return m;
}

static const char *text(const struct model *m, uint32_t id)
{
	return m->texts.rows[id]->s;
}

static void same_op(const struct model *live, const struct model *loaded, size_t i)
{
	const struct op_row *a = live->ops->rows[i], *b = loaded->ops->rows[i];

	assert_string_equal(text(live, a->func), text(loaded, b->func));
	assert_string_equal(text(live, a->label), text(loaded, b->label));
	assert_memory_equal(&a->now, &b->now, sizeof(a->now));
	assert_memory_equal(&a->hist_now, &b->hist_now, sizeof(a->hist_now));
	assert_int_equal(op_open(a), op_open(b));
}

static void same_shown_site(const struct snapshot_op_site *a, const struct snapshot_op_site *b)
{
	assert_int_equal(a->objects, b->objects);
	assert_int_equal(a->bytes, b->bytes);
	assert_string_equal(a->type, b->type);
	assert_int_equal(a->stack->frames_nr, b->stack->frames_nr);
	for (size_t i = 0; i < a->stack->frames_nr; i++)
		assert_string_equal(a->stack->frames[i]->func, b->stack->frames[i]->func);
}

static void same_shown_op(const struct snapshot_op *a, const struct snapshot_op *b)
{
	assert_string_equal(a->func, b->func);
	assert_string_equal(a->label, b->label);
	assert_memory_equal(&a->counts, &b->counts, OP_SUMS_NR * sizeof(uint64_t));
	assert_memory_equal(a->stats, b->stats, sizeof(a->stats));
	assert_int_equal(a->open, b->open);
	assert_int_equal(a->objects, b->objects);
	assert_int_equal(a->bytes, b->bytes);
	assert_int_equal(a->sites_nr, b->sites_nr);
	for (size_t i = 0; i < a->sites_nr; i++)
		same_shown_site(&a->sites[i], &b->sites[i]);
}

static void same_shown(const struct snapshot *a, const struct snapshot *b)
{
	assert_int_equal(a->ops.known.allocs, b->ops.known.allocs);
	assert_int_equal(a->ops.known.pauses, b->ops.known.pauses);
	assert_int_equal(a->ops.known.assists, b->ops.known.assists);
	assert_int_equal(a->ops.ops_nr, b->ops.ops_nr);
	for (size_t i = 0; i < a->ops.ops_nr; i++)
		same_shown_op(&a->ops.ops[i], &b->ops.ops[i]);
}

static void same_ops(const struct model *live, const struct model *loaded)
{
	assert_int_equal(live->ops->nr, loaded->ops->nr);
	for (size_t i = 0; i < live->ops->nr; i++)
		same_op(live, loaded, i);
	_snapshot_ *a = take(live, (struct snapshot_opts){ 0 });
	_snapshot_ *b = take(loaded, (struct snapshot_opts){ 0 });
	same_shown(a, b);
	_cleanup_free_ char *x = as_json(live), *y = as_json(loaded);
	assert_string_equal(x, y);
}

static void a_recording_gives_back_the_model(void **state)
{
	const char *path = in_dir("x.gallop");
	_model_ *live = record_ops(path, 4);
	_model_ *loaded = load(path);

	(void)state;
	same_ops(live, loaded);
	assert_int_equal(loaded->ops->nr, 2);
	assert_int_equal(loaded->ops->rows[1]->now.ended, 10 + 20 + 30 + 40);
	assert_int_equal(op_open(loaded->ops->rows[1]), 4);
}

/* Who doesn't measure operations writes nothing of them. */
static void a_recording_without_operations_has_none(void **state)
{
	const char *path = in_dir("x.gallop");
	_model_ *live = record_sample(path, 2);
	_model_ *loaded = load(path);

	(void)state;
	same_ops(live, loaded);
	assert_int_equal(loaded->ops->nr, 0);
	assert_int_equal(query(path, "SELECT (SELECT count(*) FROM op) + "
				     "(SELECT count(*) FROM op_watch) + "
				     "(SELECT count(*) FROM op_call) + "
				     "(SELECT count(*) FROM op_hist)"),
			 0);
	assert_int_equal(query(path, "SELECT max(ops) FROM site"), 0);
}

/* Known before the first call, and also if none ever comes. */
static void functions_that_were_not_called_are_there(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording *rec = create(path);
	_model_ *live = new_model();

	(void)state;
	sample_meta(live);
	sample_op_names(live);
	write_tick(live, 0, 1, rec);
	finish(rec, live);
	_model_ *loaded = load(path);
	same_ops(live, loaded);
	assert_int_equal(loaded->ops->nr, 2);
}

/* Seconds [from, to) of the sample. */
static void assert_span(const char *path, uint64_t from, uint64_t to)
{
	const struct recording_span span = { .from_ns = from * SAMPLE_S, .to_ns = to * SAMPLE_S };
	_model_ *m = load_span(path, &span);
	_cleanup_free_ struct sample_op_calls *expected = calloc(1, sizeof(*expected));

	assert_non_null(expected);
	for (uint64_t n = from; n < to; n++)
		sample_op_second(expected, 1, n + 1);
	const struct op_row *op = m->ops->rows[1];
	assert_memory_equal(&op->now, &expected->counts, OP_SUMS_NR * sizeof(uint64_t));
	assert_memory_equal(&op->hist_now, &expected->hist, sizeof(op->hist_now));
	/* The largest values were written as those so far: of the span the bucket is known. */
	for (int v = 0; v < WIRE_OP_VALUES; v++)
		assert_int_equal(wire_hist_bucket(op->now.max[v]),
				 wire_hist_bucket(expected->counts.max[v]));
	/* One of each second stays open, those of the seconds before it included. */
	assert_int_equal(op_open(op), to);
}

static void a_span_is_part_of_it(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	model_free(record_ops(path, 5));
	assert_span(path, 0, 1);
	assert_span(path, 1, 3);
	assert_span(path, 2, 3);
	assert_span(path, 4, 5);
	assert_span(path, 0, 5);
}

enum { INTERVALS = 4 };

/* What was live in each interval. */
struct intervals {
	struct recording *rec;
	struct snapshot *live[INTERVALS];
};

static void keep_interval(struct model *m, uint64_t from_ns, uint64_t to_ns, void *ctx)
{
	struct intervals *intervals = ctx;

	write_tick(m, from_ns, to_ns, intervals->rec);
	intervals->live[(from_ns - SAMPLE_START) / SAMPLE_S] =
		take(m, (struct snapshot_opts){ .interval = true });
}

static void an_interval_is_the_live_one(void **state)
{
	const char *path = in_dir("x.gallop");
	struct intervals intervals = { .rec = create(path) };
	struct sample_op_tick with_ops = { keep_interval, &intervals };
	struct model *live = sample_model(INTERVALS, sample_op_tick, &with_ops);

	(void)state;
	finish(intervals.rec, live);
	model_free(live);
	for (uint64_t i = 0; i < INTERVALS; i++) {
		const struct recording_span span = { .from_ns = i * SAMPLE_S,
						     .to_ns = (i + 1) * SAMPLE_S };
		_model_ *m = load_span(path, &span);
		_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
		same_shown(intervals.live[i], s);
		snapshot_free(intervals.live[i]);
	}
}

/* An interval without calls costs nothing; one with a few, as many rows. */
static void only_what_grew_is_written(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording *rec = create(path);
	_model_ *m = new_model();
	_cleanup_free_ struct sample_op_calls *op = calloc(1, sizeof(*op));

	(void)state;
	assert_non_null(op);
	sample_meta(m);
	sample_op_names(m);
	for (uint64_t n = 0; n < 4; n++) {
		if (n % 2)
			sample_op_ended(op, (const uint64_t[]){ 1, 16, 1000 * n });
		sample_op_set(m, 0, op);
		uint64_t from = SAMPLE_START + n * SAMPLE_S;
		model_meta(m)->end_mono_ns = from + SAMPLE_S;
		write_tick(m, from, from + SAMPLE_S, rec);
		model_next_interval(m, from + SAMPLE_S);
	}
	finish(rec, m);
	assert_int_equal(query(path, "SELECT count(*) FROM interval"), 4);
	assert_int_equal(query(path, "SELECT count(*) FROM op"), 2);
	assert_int_equal(query(path, "SELECT count(*) FROM op_call"), 2);
	assert_int_equal(query(path, "SELECT count(*) FROM op_hist"), 2 * WIRE_OP_VALUES);
	_model_ *loaded = load(path);
	same_ops(m, loaded);
}

/* What a target can make us write must be readable. */
static void odd_content_survives(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording *rec = create(path);
	struct model_op_counts counts;
	_model_ *m = new_model();

	(void)state;
	sample_meta(m);
	memset(&counts, 0xff, sizeof(counts));
	for (uint32_t i = 0; i < MODEL_OPS_MAX; i++)
		assert_int_equal(model_op(m, "main.f[go.shape.string]\n\xff", "A=\x01"), i);
	for (uint64_t n = 0; n < 2; n++) {
		for (uint32_t i = 0; i < WIRE_OP_VALUES; i++)
			model_op_set_bucket(m, 31, (enum wire_op_value)i, WIRE_HIST_BUCKETS - 1,
					    UINT64_MAX);
		model_op_set(m, 31, &counts);
		write_tick(m, n, n + 1, rec);
		model_next_interval(m, n + 1);
	}
	uint32_t stack = sample_stack(m, "main.f", false), type = sample_id(model_type(m, "int"));
	model_site_add(m, sample_id(model_site(m, stack, type, 1, 0, UINT32_MAX)), 1, 8);
	write_tick(m, 2, 3, rec);
	finish(rec, m);
	_model_ *loaded = load(path);
	same_ops(m, loaded);
	assert_int_equal(loaded->ops->rows[31]->now.begun, INT64_MAX);
}

static void what_finds_no_room_is_counted(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording *rec = create_bounded(path, 1 << 20);
	_model_ *m = new_model();
	_cleanup_free_ struct sample_op_calls *op = calloc(1, sizeof(*op));
	struct err err;
	int code = 0;

	(void)state;
	assert_non_null(op);
	sample_meta(m);
	sample_op_names(m);
	for (uint64_t n = 0; !code && n < 1000; n++) {
		for (uint64_t i = 0; i < 500; i++)
			sample_op_ended(op, (const uint64_t[]){ i, 16 * i, i * i * i });
		sample_op_set(m, 1, op);
		code = recording_write(rec, m, n, n + 1, &err);
		model_next_interval(m, n + 1);
	}
	assert_int_equal(code, -EFBIG);
	uint64_t left_out = recording_unwritten_ops(rec, m);
	assert_int_equal(left_out, 2 * 500); /* each has begun, and has ended */
	finish(rec, m);
	_model_ *loaded = load(path);
	assert_int_equal(loaded->ops->rows[1]->now.begun + left_out / 2, op->counts.begun);
}

static void damage_is_told(void **state)
{
	const char *path = in_dir("x.gallop");
	static const struct {
		const char *sql, *msg;
	} cases[] = {
		{ "DROP TABLE op", "table 'op' is not as gallop makes it" },
		{ "DROP TABLE op_hist; CREATE VIEW op_hist AS SELECT 1",
		  "table 'op_hist' is not as" },
		{ "DELETE FROM op WHERE id = 0", "not numbered" },
		{ "DELETE FROM op", "refers to one that is not there" },
		{ "UPDATE op SET function = x'00'", "something else where a name belongs" },
		{ "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 32) "
		  "INSERT INTO op SELECT i, 'main.f', '' FROM n",
		  "more rows than a recording can have" },
		{ "UPDATE site SET ops = 4", "refers to one that is not there" },
		{ "UPDATE site SET ops = -1", "out of its range" },
		{ "UPDATE site SET ops = 4294967296", "out of its range" },
		{ "UPDATE site SET ops = 'x'", "something else where a number belongs" },
		{ "UPDATE op_watch SET id = 1", "not numbered" },
		{ "UPDATE op_watch SET allocs = 2", "out of its range" },
		{ "UPDATE op_watch SET assists = -1", "out of its range" },
		{ "UPDATE op_call SET interval = 9 WHERE interval = 1",
		  "refers to one that is not there" },
		{ "UPDATE op_call SET interval = -1 WHERE interval = 1", "out of its range" },
		{ "UPDATE op_call SET op = 2 WHERE op = 1", "refers to one that is not there" },
		{ "UPDATE op_call SET begun = -1", "out of its range" },
		{ "UPDATE op_call SET ns_max = -1", "out of its range" },
		{ "UPDATE op_call SET ns = 1.5", "something else where a number belongs" },
		{ "UPDATE op_hist SET interval = 9 WHERE interval = 1",
		  "refers to one that is not there" },
		{ "UPDATE op_hist SET op = 2 WHERE op = 1", "refers to one that is not there" },
		{ "UPDATE op_hist SET value = 3 WHERE value = 2", "that none can have" },
		{ "UPDATE op_hist SET value = -1 WHERE value = 2", "out of its range" },
		{ "UPDATE op_hist SET bucket = 5888 WHERE bucket = 2", "that none can have" },
		{ "UPDATE op_hist SET operations = -1", "out of its range" },
		{ "UPDATE op_hist SET operations = 'x'", "something else where a number belongs" },
	};

	(void)state;
	assert_int_equal(WIRE_HIST_BUCKETS, 5888);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		model_free(record_ops(path, 2));
		assert_damage_is_told(path, cases[i].sql, cases[i].msg);
	}
}

/* Sums that no target can make stay at the largest number. */
static void sums_do_not_overflow(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	model_free(record_ops(path, 3));
	sql(path, "UPDATE op_call SET begun = 0x7fffffffffffffff, ended = 0x7fffffffffffffff, "
		  "panics = 0x7fffffffffffffff, bytes = 0x7fffffffffffffff; "
		  "UPDATE op_hist SET operations = 0x7fffffffffffffff");
	_model_ *m = load(path);
	const struct op_row *op = m->ops->rows[0];
	assert_int_equal(op->now.sum[WIRE_OP_BYTES], INT64_MAX);
	assert_int_equal(op->hist_now.buckets[WIRE_OP_OBJECTS][2], INT64_MAX);
	assert_int_equal(op_open(op), 0);
	_cleanup_free_ char *json = as_json(m);
}

static void views_are_for_people(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	model_free(record_ops(path, 3));
	assert_int_equal(query(path, "SELECT count(*) FROM ops"), 2);
	assert_int_equal(query(path, "SELECT calls FROM ops WHERE label = 'A'"), 60);
	assert_int_equal(query(path, "SELECT begun FROM ops WHERE label = 'A'"), 60 + 3 * 4);
	assert_int_equal(query(path, "SELECT unmatched FROM ops WHERE id = 0"), 3 * 3);
	assert_int_equal(query(path, "SELECT pause_ns FROM ops WHERE id = 0"), 6 * 12345);
	/* Assists were not measured. */
	assert_int_equal(query(path, "SELECT count(*) FROM ops WHERE assist_ns IS NULL"), 2);
	assert_int_equal(
		query(path, "SELECT sum(objects) FROM op_sites WHERE operation = 'main.withPool' "
			    "AND function = 'main.decode'"),
		3 * SAMPLE_OP_OBJECTS / 2);
	assert_int_equal(query(path, "SELECT max(ops) FROM sites"), 3);
}

static void buckets_are_shown_as_values(void **state)
{
	static const uint64_t values[] = { 0,	      1,   127, 128,	   255,
					   256,	      511, 512, 123456789, UINT64_C(1) << 51,
					   UINT64_MAX };
	const char *path = in_dir("x.gallop");
	struct recording *rec = create(path);
	_model_ *m = new_model();

	(void)state;
	sample_meta(m);
	sample_op_names(m);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		model_op_set_bucket(m, 0, WIRE_OP_NS, wire_hist_bucket(values[i]), 1);
	write_tick(m, 1, 2, rec);
	finish(rec, m);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint32_t bucket = wire_hist_bucket(values[i]);
		char text[128];
		snprintf(text, sizeof(text),
			 "SELECT count(*) FROM op_values WHERE value = 'ns' AND low = %llu AND "
			 "width = %llu",
			 (unsigned long long)wire_hist_low(bucket),
			 (unsigned long long)wire_hist_width(bucket));
		assert_int_equal(query(path, text), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording_gives_back_the_model),
		cmocka_unit_test(a_recording_without_operations_has_none),
		cmocka_unit_test(functions_that_were_not_called_are_there),
		cmocka_unit_test(a_span_is_part_of_it),
		cmocka_unit_test(an_interval_is_the_live_one),
		cmocka_unit_test(only_what_grew_is_written),
		cmocka_unit_test(odd_content_survives),
		cmocka_unit_test(what_finds_no_room_is_counted),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(sums_do_not_overflow),
		cmocka_unit_test(views_are_for_people),
		cmocka_unit_test(buckets_are_shown_as_values),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
