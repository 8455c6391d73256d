/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Garbage collection in recordings: all of it comes back, a part of it, and nothing of damaged
 * ones.
 */
#include "golden.h"
#include "sample_gc.h"

#include <errno.h>
#include <sqlite3.h>
#include <unistd.h>

#include "record/recording.h"

static char dir[64], path[80];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s/test-gc-recording-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/x.gallop", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void write_tick(struct model *m, uint64_t from_ns, uint64_t to_ns, void *rec)
{
	struct err err;

	assert_int_equal(recording_write(rec, m, from_ns, to_ns, &err), 0);
}

/* A recording of the sample; the model that it was made from. */
static struct model *record_sample(unsigned int seconds)
{
	struct recording *rec;
	struct err err;

	assert_int_equal(recording_create(path, 0, &rec, &err), 0);
	struct sample_gc next = { write_tick, rec };
	struct model *m = sample_model(seconds, sample_gc_tick, &next);
	assert_int_equal(recording_finish(rec, m, &err), 0);
	return m;
}

static struct model *load(const struct recording_span *span)
{
	struct model *m = NULL;
	struct err err;

	if (recording_load(path, span, &m, &err))
		fail_msg("%s", err.msg);
	return m;
}

static char *shown(const struct model *m, const char *format, struct snapshot_opts snapshot_opts)
{
	struct snapshot *s = take(m, snapshot_opts);
	char *text = rendered(renderer_find(format)->render, s, (struct render_opts){ 0 });

	snapshot_free(s);
	return text;
}

static void sql(const char *text)
{
	sqlite3 *db;
	char *msg = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &msg) != SQLITE_OK)
		fail_msg("%s: %s", text, msg);
	sqlite3_close(db);
}

static int64_t query(const char *text)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

static void a_recording_gives_back_the_model(void **state)
{
	static const char *const formats[] = { "json", "jsonl", "text", "trace" };
	struct model *live = record_sample(4), *loaded = load(NULL);

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
	const struct recording_span span = { SAMPLE_S, UINT64_C(3) * SAMPLE_S };

	(void)state;
	model_free(record_sample(4));
	struct model *m = load(&span);
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

static void what_is_unknown_stays_so(void **state)
{
	(void)state;
	model_free(record_sample(1));
	sql("UPDATE cycle SET runtime_known = 0, heap_start = 0, heap_end = 0 WHERE id > 0");
	struct model *m = load(NULL);
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->gc.cycles[0].raw.number, 40);
	assert_int_equal(s->gc.cycles[1].raw.number, 0);
	assert_false(s->gc.cycles[1].raw.runtime_known);
	assert_int_equal(s->gc.runtime_unknown, 3);
	assert_int_equal(query("SELECT count(*) FROM cycles WHERE number IS NULL AND goal IS NULL "
			       "AND heap_start IS NULL AND assist_ns IS NULL AND pause_ns > 0"),
			 3);
	snapshot_free(s);
	model_free(m);
}

/* What a target can make us write must be readable. */
static void odd_content_survives(void **state)
{
	const struct model_stop stop = { .start_ns = UINT64_MAX,
					 .end_ns = 5,
					 .stopped_ns = 7,
					 .goid = UINT64_MAX,
					 .stack = 12345,
					 .reason = 999 };
	struct model_cycle cycle;
	struct model *m;
	struct recording *rec;
	struct err err;

	(void)state;
	memset(&cycle, 0xff, sizeof(cycle));
	cycle.runtime_known = true;
	assert_int_equal(model_new(&m), 0);
	sample_meta(m);
	model_meta(m)->start_mono_ns = 100;
	model_meta(m)->end_mono_ns = 200;
	assert_int_equal(recording_create(path, 0, &rec, &err), 0);
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
	assert_int_equal(recording_finish(rec, m, &err), 0);

	struct model *loaded = load(NULL);
	_cleanup_free_ char *before = shown(m, "jsonl", (struct snapshot_opts){ 0 });
	_cleanup_free_ char *after = shown(loaded, "jsonl", (struct snapshot_opts){ 0 });
	assert_string_equal(before, after);
	model_free(m);
	model_free(loaded);
}

static void damage_is_told(void **state)
{
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
		struct model *m = NULL;
		struct err err = { 0 };
		model_free(record_sample(2));
		sql(cases[i].sql);
		assert_int_equal(recording_load(path, NULL, &m, &err), -EBADMSG);
		assert_null(m);
		if (!strstr(err.msg, cases[i].msg))
			fail_msg("%s: '%s' is not in '%s'", cases[i].sql, cases[i].msg, err.msg);
	}
}

static void views_are_for_people(void **state)
{
	(void)state;
	model_free(record_sample(2));
	assert_int_equal(query("SELECT count(*) FROM stops"), 16);
	assert_int_equal(query("SELECT sum(ns) FROM stops WHERE reason = 'read mem stats' AND "
			       "function = 'main.(*Server).metrics'"),
			 2 * 45678);
	assert_int_equal(query("SELECT count(*) FROM stops WHERE stopping_ns IS NULL"), 1);
	assert_int_equal(query("SELECT count(*) FROM cycles WHERE cause = 'runtime.GC' AND "
			       "function = 'main.(*Server).handle'"),
			 2);
	assert_int_equal(query("SELECT count(*) FROM cycles WHERE function IS NULL"), 1);
	assert_int_equal(query("SELECT ns FROM assists WHERE function = 'main.(*Server).metrics'"),
			 150 * SAMPLE_US);
	assert_int_equal(query("SELECT sum(pause_ns) FROM cycle"), 4314000 + 35 * SAMPLE_US);
}

/* More than the model keeps are counted all the same, and nothing is called lost. */
static void long_recordings_are_summed_up(void **state)
{
	(void)state;
	model_free(record_sample(1));
	sql("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) "
	    "INSERT OR REPLACE INTO stop SELECT i, 0, 7, 'read mem stats', 0, 1000 * i, 0, "
	    "1000 * i + 1 + i % 200, 0, NULL FROM n");
	struct model *m = load(NULL);
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
		cmocka_unit_test(odd_content_survives),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(views_are_for_people),
		cmocka_unit_test(long_recordings_are_summed_up),
	};
	return cmocka_run_group_tests_name("gc recording", tests, make_dir, remove_dir);
}
