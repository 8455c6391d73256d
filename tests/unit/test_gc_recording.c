/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Garbage collection in recordings: all of it comes back, a part of it, and nothing of damaged
 * ones.
 */
#include "recordings.h"
#include "sample_gc.h"

/* A recording of the sample; the model that it was made from. */
static struct model *record_gc(const char *path, unsigned int seconds)
{
	struct recording *rec = create(path);
	struct sample_gc with_gc = { write_tick, rec };
	struct model *m = sample_model(seconds, sample_gc_tick, &with_gc);

	finish(rec, m);
	return m;
}

static void a_recording_gives_back_the_model(void **state)
{
	const char *path = in_dir("x.gallop");
	static const char *const formats[] = { "json", "jsonl", "text", "trace" };
	struct model *live = record_gc(path, 4), *loaded = load(path);

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(formats) / sizeof(formats[0]); i++) {
		const struct snapshot_opts opts = { .runtime_frames = i % 2 };
		_cleanup_free_ char *before = shown(live, formats[i / 2], opts);
		_cleanup_free_ char *after = shown(loaded, formats[i / 2], opts);
		assert_string_equal(before, after);
	}
	model_free(live);
	model_free(loaded);
}

static void a_span_is_part_of_it(void **state)
{
	const char *path = in_dir("x.gallop");
	const struct recording_span span = { .from_ns = SAMPLE_S, .to_ns = UINT64_C(3) * SAMPLE_S };

	(void)state;
	model_free(record_gc(path, 4));
	struct model *m = load_span(path, &span);
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	/* Seconds 2 and 3: three cycles and one stop more in each. */
	assert_int_equal(s->gc.cycles_nr, 6);
	assert_int_equal(s->gc.cycles[0].raw.number, 44);
	assert_int_equal(s->gc.cycles[5].raw.number, 49);
	assert_int_equal(s->gc.cycles_total, 6);
	assert_int_equal(s->gc.forced_total, 2);
	assert_int_equal(s->gc.stops_total, 2 * (3 * 2 + 1));
	assert_int_equal(s->gc.pauses.total_ns, 2 * 3 * (12 + 700 + 9) * SAMPLE_US);
	assert_int_equal(s->gc.assists_total, 2 * 12);
	assert_int_equal(s->gc.assist_ns, 2 * 375 * SAMPLE_US);
	assert_false(s->gc.check.known);
	assert_string_equal(s->gc.check.why_not, "this is a part of the recording");
	snapshot_free(s);
	model_free(m);
}

static void what_was_not_looked_at_stays_so(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	model_free(record_gc(path, 2));
	sql(path, "UPDATE gc_check SET off_ns = 3000000000, runtime_cycles = 1000");
	struct model *m = load(path);
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->gc.check.off_ns, 3000000000);
	assert_int_equal(s->gc.unseen_cycles, 1000 - s->gc.cycles_total);
	snapshot_free(s);
	model_free(m);
}

static void what_is_unknown_stays_so(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	model_free(record_gc(path, 1));
	sql(path, "UPDATE cycle SET runtime_known = 0, heap_start = 0, heap_end = 0 WHERE id > 0");
	struct model *m = load(path);
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->gc.cycles[0].raw.number, 40);
	assert_int_equal(s->gc.cycles[1].raw.number, 0);
	assert_false(s->gc.cycles[1].raw.runtime_known);
	assert_int_equal(s->gc.runtime_unknown, 3);
	assert_int_equal(query(path,
			       "SELECT count(*) FROM cycles WHERE number IS NULL AND goal IS NULL "
			       "AND heap_start IS NULL AND assist_ns IS NULL AND pause_ns > 0"),
			 3);
	snapshot_free(s);
	model_free(m);
}

/* What a target can make us write must be readable. */
static void odd_content_survives(void **state)
{
	const char *path = in_dir("x.gallop");
	const struct model_stop stop = { .start_ns = UINT64_MAX,
					 .end_ns = 5,
					 .stopped_ns = 7,
					 .goid = UINT64_MAX,
					 .stack = 12345,
					 .reason = 999 };
	struct model_cycle cycle;
	struct recording *rec = create(path);
	struct model *m = new_model();
	struct err err;

	(void)state;
	memset(&cycle, 0xff, sizeof(cycle));
	cycle.runtime_known = true;
	sample_meta(m);
	model_meta(m)->start_mono_ns = 100;
	model_meta(m)->end_mono_ns = 200;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(model_add_stop(m, &stop), 0);
		assert_int_equal(model_add_cycle(m, &cycle), 0);
	}
	uint32_t assist = sample_id(model_assist(m, sample_stack(m, "main.f", false)));
	model_assist_add(m, assist, UINT64_MAX, UINT64_MAX);
	model_assist_add(m, assist, 1, 1);
	memset(model_gc_check(m), 0xff, sizeof(struct model_gc_check));
	model_gc_check(m)->known = model_gc_check(m)->exact = true;
	model_gc_check(m)->why_not[159] = '\0';
	assert_int_equal(recording_write(rec, m, 100, 200, &err), 0);
	finish(rec, m);

	struct model *loaded = load(path);
	_cleanup_free_ char *before = shown(m, "jsonl", (struct snapshot_opts){ 0 });
	_cleanup_free_ char *after = shown(loaded, "jsonl", (struct snapshot_opts){ 0 });
	assert_string_equal(before, after);
	model_free(m);
	model_free(loaded);
}

static void damage_is_told(void **state)
{
	const char *path = in_dir("x.gallop");
	static const struct {
		const char *sql, *msg;
	} cases[] = {
		{ "DROP TABLE cycle", "table 'cycle' is not as gallop makes it" },
		{ "DROP TABLE stop; CREATE TABLE stop(id INTEGER)", "table 'stop' is not as" },
		{ "DROP TABLE assist; CREATE VIEW assist AS SELECT 1", "table 'assist' is not as" },
		{ "DELETE FROM stop WHERE id = 2", "not numbered" },
		{ "UPDATE stop SET interval = 2", "refers to one that is not there" },
		{ "UPDATE stop SET interval = 1 WHERE id = 0", "out of order" },
		{ "UPDATE stop SET reason = 17", "out of its range" },
		{ "UPDATE stop SET gc = 2", "out of its range" },
		{ "UPDATE stop SET start_ns = -1", "out of its range" },
		{ "UPDATE stop SET end_ns = 0x7fffffffffffffff", "out of its range" },
		{ "UPDATE stop SET stack = 999", "refers to one that is not there" },
		{ "UPDATE stop SET stack = 'x'", "something else where a number belongs" },
		{ "DELETE FROM cycle WHERE id = 0", "not numbered" },
		{ "UPDATE cycle SET interval = 1 WHERE id = 0", "out of order" },
		{ "UPDATE cycle SET number = 4294967296", "out of its range" },
		{ "UPDATE cycle SET cause = 6", "out of its range" },
		{ "UPDATE cycle SET told_ns = -1", "out of its range" },
		{ "UPDATE cycle SET heap_marked = -1", "out of its range" },
		{ "UPDATE cycle SET cpu_ppm = 1000001", "out of its range" },
		{ "UPDATE cycle SET runtime_known = 2", "out of its range" },
		{ "UPDATE cycle SET stack = -1", "out of its range" },
		{ "UPDATE cycle SET goal = 1.5", "something else where a number belongs" },
		{ "UPDATE assist SET interval = 9 WHERE interval = 1",
		  "refers to one that is not there" },
		{ "UPDATE assist SET stack = stack + 100", "refers to one that is not there" },
		{ "UPDATE assist SET ns = -1", "out of its range" },
		{ "UPDATE gc_check SET known = 2", "out of its range" },
		{ "UPDATE gc_check SET why_not = x'00'", "something else where a name belongs" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		model_free(record_gc(path, 2));
		assert_damage_is_told(path, cases[i].sql, cases[i].msg);
	}
}

static void views_are_for_people(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	model_free(record_gc(path, 2));
	assert_int_equal(query(path, "SELECT count(*) FROM stops"), 16);
	assert_int_equal(query(path,
			       "SELECT sum(ns) FROM stops WHERE reason = 'read mem stats' AND "
			       "function = 'main.(*Server).metrics'"),
			 2 * 45678);
	assert_int_equal(query(path, "SELECT count(*) FROM stops WHERE stopping_ns IS NULL"), 1);
	assert_int_equal(query(path, "SELECT count(*) FROM cycles WHERE cause = 'runtime.GC' AND "
				     "function = 'main.(*Server).handle'"),
			 2);
	assert_int_equal(query(path, "SELECT count(*) FROM cycles WHERE function IS NULL"), 1);
	assert_int_equal(
		query(path, "SELECT ns FROM assists WHERE function = 'main.(*Server).metrics'"),
		150 * SAMPLE_US);
	assert_int_equal(query(path, "SELECT sum(pause_ns) FROM cycle"), 4314000 + 35 * SAMPLE_US);
}

/* More than the model keeps are counted all the same, and nothing is called lost. */
static void long_recordings_are_summed_up(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	model_free(record_gc(path, 1));
	sql(path, "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) "
		  "INSERT OR REPLACE INTO stop SELECT i, 0, 7, 'read mem stats', 0, 1000 * i, 0, "
		  "1000 * i + 1 + i % 200, 0, NULL FROM n");
	struct model *m = load(path);
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->gc.stops_nr, MODEL_EVENTS_MAX);
	assert_int_equal(s->gc.stops_total, 100000);
	assert_int_equal(s->gc.stops[0].raw.start_ns, 1000 * (100000 - MODEL_EVENTS_MAX));
	assert_int_equal(s->gc.reasons[0].pauses.total_ns, 500 * 200 * 201 / 2);
	/* Reason 7's are first: they are longer in all. Lengths are 1 to 200 ns, each 500 times. */
	assert_false(s->gc.reasons[0].pauses.estimated);
	assert_int_equal(s->gc.reasons[0].pauses.p50_ns, 100);
	assert_int_equal(s->gc.reasons[0].pauses.p99_ns, 198);
	for (size_t i = 0; i < s->losses_nr; i++)
		assert_string_not_equal(s->losses[i].key, "gc_overwritten");
	snapshot_free(s);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording_gives_back_the_model),
		cmocka_unit_test(a_span_is_part_of_it),
		cmocka_unit_test(what_is_unknown_stays_so),
		cmocka_unit_test(what_was_not_looked_at_stays_so),
		cmocka_unit_test(odd_content_survives),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(views_are_for_people),
		cmocka_unit_test(long_recordings_are_summed_up),
	};
	return cmocka_run_group_tests_name("gc recording", tests, make_dir, remove_dir);
}
