/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recordings: what is written is read again; a stranger's file and a damaged one end in an answer.
 */
#include "recordings.h"
#include "sample_gc.h"
#include "sample_heap.h"
#include "sample_map_ops.h"
#include "sample_op_calls.h"
#include "sample_samples.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>

#include "base/fmt.h"
#include "model/tables.h"
#include "record/schema.h"

/* Everything that can be shown of a live model can be shown of its recording, byte for byte. */
static void a_recording_gives_back_the_model(void **state)
{
	const char *path = in_dir("x.gallop");
	struct model *live = record_sample(path, 4), *loaded = load(path);
	_cleanup_free_ char *before = as_json(live), *after = as_json(loaded);

	(void)state;
	assert_string_equal(before, after);
	model_free(live);
	model_free(loaded);
	assert_int_equal(access(in_dir("x.gallop-journal"), F_OK), -1);
}

/* As of one that was killed in its first second. */
static void one_without_intervals_says_so(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording *rec = create(path);
	_model_ *never = new_model();
	_model_ *m = load(path);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	(void)state;

	assert_int_equal(s->meta.notes_nr, 1);
	assert_non_null(strstr(s->meta.notes[0], "ended before its first interval was written"));
	finish(rec, never);
}

static void notes_come_back(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording *rec = create(path);
	struct model *m = sample_model(1, NULL, NULL);
	char text[200];
	struct err err;

	(void)state;
	model_add_note(m, "runtime.exit is missing");
	model_add_note(m, "a\033b\xff");
	model_add_note(m, "runtime.exit is missing");
	assert_int_equal(model_meta(m)->notes_nr, 2);
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "%0190d", i);
		model_add_note(m, text + i);
	}
	assert_int_equal(model_meta(m)->notes_nr, MODEL_NOTES_MAX);
	assert_int_equal(recording_write(rec, m, SAMPLE_START, SAMPLE_START + SAMPLE_S, &err), 0);
	finish(rec, m);
	struct model *loaded = load(path);
	_cleanup_free_ char *before = as_json(m), *after = as_json(loaded);
	assert_string_equal(before, after);
	assert_non_null(strstr(after, "\"runtime.exit is missing\",\n      \"a?b\xef\xbf\xbd\""));
	model_free(m);
	model_free(loaded);

	sql(path, "UPDATE meta SET value = 7 WHERE key = 'note.01'");
	assert_refused(path, -EBADMSG, "something else where a name belongs");
}

static void a_span_is_part_of_it(void **state)
{
	const char *path = in_dir("x.gallop");
	const struct recording_span span = { .from_ns = 1 * UINT64_C(1000000000),
					     .to_ns = 3 * UINT64_C(1000000000) };
	struct err err;

	(void)state;
	model_free(record_sample(path, 4));
	struct model *m = load_span(path, &span);
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	/* Seconds 2 and 3 of sample_second(). */
	assert_int_equal(s->total.objects, 2 * (10 + 300 + 1 + 7) + 5 * 1001);
	assert_int_equal(s->from_mono_ns, SAMPLE_START + span.from_ns);
	assert_int_equal(s->to_mono_ns, SAMPLE_START + span.to_ns);
	assert_int_equal(s->marks_nr, 2);
	assert_int_equal(s->loss_total, 2);
	assert_false(s->check.known);
	snapshot_free(s);
	model_free(m);

	const struct recording_span late = { .from_ns = 100 * UINT64_C(1000000000), .to_ns = 0 };
	assert_int_equal(recording_load(path, &late, &m, &err), -ERANGE);
	assert_non_null(strstr(err.msg, "it is 4.0 s long"));
}

/* What a target can make us write must be readable: numbers and names of any content. */
static void odd_content_survives(void **state)
{
	const char *path = in_dir("odd.gallop");
	struct recording *rec = create(path);
	const struct model_frame f = { "a\033b\xff", "\n", UINT32_MAX, false, UINT64_MAX };
	const struct model_mark mark = { SAMPLE_START, "\x80", UINT64_MAX, UINT64_MAX, 0 };
	struct model *m;
	struct err err;

	(void)state;
	assert_int_equal(model_new(&m), 0);
	sample_meta(m);
	memset(model_meta(m)->cmdline, 0xff, sizeof(model_meta(m)->cmdline) - 1);
	while (model_meta(m)->pids_nr < MODEL_PIDS_MAX)
		model_meta(m)->pids[model_meta(m)->pids_nr++] = INT32_MAX;
	uint32_t stack = sample_id(model_stack(m, &f, 1, true));
	uint32_t type = sample_id(model_type(m, ""));
	uint32_t site = sample_id(model_site(m, stack, type, 0, UINT64_MAX, 0));
	model_site_add(m, site, UINT64_MAX, UINT64_MAX);
	model_site_add(m, site, 1, 1);
	model_set_totals(m, UINT64_MAX, UINT64_MAX);
	model_set_loss(m, "k", "w", UINT64_MAX);
	model_add_mark(m, &mark);
	/* Clocks that run backwards. */
	assert_int_equal(recording_write(rec, m, 500, 400, &err), 0);
	assert_int_equal(recording_write(rec, m, 100, 200, &err), 0);
	finish(rec, m);
	model_free(m);
	m = load(path);
	assert_int_equal(model_meta(m)->pids_nr, MODEL_PIDS_MAX);
	assert_int_equal(model_meta(m)->pids[MODEL_PIDS_MAX - 1], INT32_MAX);
	model_free(m);
}

static void views_are_for_people(void **state)
{
	const char *path = in_dir("x.gallop");

	(void)state;
	model_free(record_sample(path, 2));
	assert_int_equal(query(path, "SELECT objects FROM sites WHERE function LIKE "
				     "'%(*Registry).Gather' AND goid = 18"),
			 14);
	assert_int_equal(query(path, "SELECT bytes FROM types WHERE type = '[]uint8'"),
			 3 * 1048576);
	assert_int_equal(query(path, "SELECT count(*) FROM stack_frames WHERE function = "
				     "'runtime.bgsweep' AND depth = 1"),
			 1);
	assert_int_equal(query(path, "SELECT objects_per_s FROM rates WHERE start_s = 1.0"), 2325);
	assert_int_equal(query(path, "SELECT count FROM losses WHERE key = 'slots_busy'"), 2);
	assert_int_equal(query(path, "SELECT sum(objects) FROM interval"), 3644);
	assert_int_equal(query(path, "SELECT count(*) FROM frame WHERE pc = 0x402000 + 412"), 2);
}

/* The queries of the documentation are real: each gives at least one row. */
static void documented_queries_work(void **state)
{
	const char *path = in_dir("x.gallop");
	char here[] = __FILE__;
	static char doc[1 << 16];
	_cleanup_free_ char *name = NULL;
	int queries = 0;

	(void)state;
	struct recording *rec = create(path);
	struct sample_samples_tick with_samples = { .next = write_tick, .ctx = rec };
	struct sample_op_tick with_ops = { sample_samples_tick, &with_samples };
	struct sample_maps_tick with_maps = { sample_op_tick, &with_ops };
	struct sample_heap_tick with_heap = { sample_maps_tick, &with_maps, 0 };
	struct sample_gc with_gc = { sample_heap_tick, &with_heap };
	struct model *m = sample_model(2, sample_gc_tick, &with_gc);
	finish(rec, m);
	model_free(m);
	assert_true(asprintf(&name, "%s/../../user/doc/FORMAT.md", dirname(here)) > 0);
	_cleanup_fclose_ FILE *f = fopen(name, "r");
	assert_non_null(f);
	doc[fread(doc, 1, sizeof(doc) - 1, f)] = '\0';
	for (char *p = doc; (p = strstr(p, "```sql\n")); queries++) {
		p += strlen("```sql\n");
		char *end = strstr(p, "```");
		assert_non_null(end);
		*end = '\0';
		query(path, p);
		p = end + 1;
	}
	assert_int_equal(queries, 16);
}

static int create_fails(const char *path, const char *msg)
{
	struct recording *rec = NULL;
	struct err err = { 0 };
	int code = recording_create(path, 0, &rec, &err);

	assert_null(rec);
	if (!strstr(err.msg, msg))
		fail_msg("'%s' is not in '%s'", msg, err.msg);
	return code;
}

static void only_recordings_are_replaced(void **state)
{
	static const char notes[] =
		"my notes, 20 years of them; longer than a database's header, so that its "
		"bytes are compared, too.....";
	const char *path = in_dir("x.gallop");
	char back[sizeof(notes)] = "";

	(void)state;
	model_free(record_sample(path, 1));
	model_free(record_sample(path, 3));
	struct model *m = load(path);
	assert_string_equal(model_meta(m)->end_reason, "signal");
	model_free(m);
	assert_int_equal(query(path, "SELECT count(*) FROM interval"), 3);

	write_file(in_dir("notes"), notes, sizeof(notes));
	assert_int_equal(create_fails(in_dir("notes"), "exists and is not a gallop recording"),
			 -EEXIST);
	_cleanup_fclose_ FILE *f = fopen(in_dir("notes"), "r");
	assert_int_equal(fread(back, 1, sizeof(back), f), sizeof(notes));
	assert_memory_equal(back, notes, sizeof(notes));

	sql(in_dir("other.db"), "CREATE TABLE t(x)");
	assert_int_equal(create_fails(in_dir("other.db"), "is not a gallop recording"), -EEXIST);
	/* An empty file, as mktemp(1) makes it, has nothing to lose. */
	write_file(in_dir("empty"), "", 0);
	model_free(record_sample(in_dir("empty"), 1));
}

static void odd_targets_are_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_dir("d"), 0700), 0);
	assert_int_equal(create_fails(in_dir("d"), "not a regular file"), -EEXIST);
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	assert_int_equal(create_fails(in_dir("fifo"), "not a regular file"), -EEXIST);
	assert_int_equal(symlink("nowhere", in_dir("link")), 0);
	assert_int_equal(create_fails(in_dir("link"), "symbolic link"), -EEXIST);
	assert_int_equal(create_fails(in_dir("no/such/recordings_dir"), "cannot create"), -ENOENT);
	assert_int_equal(create_fails("/dev/null", "not a regular file"), -EEXIST);
	assert_int_equal(access(in_dir("nowhere"), F_OK), -1);
	/* Nothing temporary is left behind. */
	char command[128];
	snprintf(command, sizeof(command), "test -z \"$(find '%s' -name '.*.tmp')\"",
		 recordings_dir);
	assert_int_equal(system(command), 0);
}

static void one_writer_at_a_time(void **state)
{
	const char *path = in_dir("x.gallop");
	struct recording *rec = create(path);

	(void)state;
	assert_int_equal(create_fails(path, "is being written by another gallop"), -EBUSY);
	/* It can be read while it is written. */
	struct model *m = sample_model(2, write_tick, rec), *loaded = load(path);
	_cleanup_free_ char *live = as_json(m), *read = as_json(loaded);
	assert_string_equal(live, read);
	model_free(loaded);

	struct err err;
	assert_int_equal(rename(path, in_dir("moved")), 0);
	assert_int_equal(recording_write(rec, m, 0, 1, &err), -ESTALE);
	recording_free(rec);
	model_free(m);
}

static void strangers_files_are_refused(void **state)
{
	char page[4096] = "SQLite format 3";

	(void)state;
	assert_refused(in_dir("none"), -ENOENT, "No such file");
	assert_refused(recordings_dir, -EBADMSG, "it is not a file");
	write_file(in_dir("text"), "hello", 5);
	assert_refused(in_dir("text"), -EBADMSG, "is not a gallop recording");
	sql(in_dir("mine.db"), "CREATE TABLE t(x)");
	assert_refused(in_dir("mine.db"), -EBADMSG, "is not a gallop recording");

	memcpy(page + 68, "GLOP", 4);
	page[63] = SCHEMA_VERSION;
	write_file(in_dir("header"), page, sizeof(page));
	assert_refused(in_dir("header"), -EBADMSG, "is damaged");
	page[63] = 1;
	write_file(in_dir("older"), page, sizeof(page));
	assert_refused(in_dir("older"), -EBADMSG,
		       "was written by an older gallop (format 1, this one reads 5)");
	page[63] = 9;
	write_file(in_dir("newer"), page, sizeof(page));
	assert_refused(in_dir("newer"), -EBADMSG,
		       "was written by a newer gallop (format 9, this one reads 5)");
}

static void damage_is_told(void **state)
{
	static const struct {
		const char *sql, *msg;
	} cases[] = {
		{ "DELETE FROM function WHERE id = 2", "not numbered" },
		{ "UPDATE frame SET function = 999", "refers to one that is not there" },
		{ "UPDATE frame SET line = -1", "out of its range" },
		{ "UPDATE frame SET line = 'x'", "something else where a number belongs" },
		{ "UPDATE function SET name = x'00ff'", "something else where a name belongs" },
		{ "UPDATE function SET name = zeroblob(2000000)", "damaged" },
		{ "UPDATE stack SET frames = '[1,2'", "not a list of frames" },
		{ "UPDATE stack SET frames = '[]'", "not a list of frames" },
		{ "UPDATE stack SET frames = '[1] '", "not a list of frames" },
		{ "UPDATE stack SET frames = '[-1]'", "not a list of frames" },
		{ "UPDATE stack SET frames = '[99999999999999999999]'",
		  "a frame that is not there" },
		{ "UPDATE stack SET truncated = 2", "out of its range" },
		{ "UPDATE site SET size_class = 69", "out of its range" },
		{ "UPDATE site SET stack = 7", "refers to one that is not there" },
		{ "UPDATE alloc SET objects = -5", "out of its range" },
		{ "UPDATE alloc SET interval = 77 WHERE interval = 1",
		  "refers to one that is not there" },
		{ "UPDATE interval SET end_ns = 0", "do not follow each other" },
		{ "UPDATE interval SET start_ns = 9223372036854775807", "out of its range" },
		{ "UPDATE loss SET so_far = 100 WHERE interval = 0", "out of order" },
		{ "UPDATE loss_cause SET key = 'same'", "there twice" },
		{ "UPDATE loss_cause SET key = 'total' WHERE id = 0", "that none can have" },
		{ "UPDATE loss_cause SET key = 'a\"b' WHERE id = 0", "that none can have" },
		{ "UPDATE loss_cause SET key = '' WHERE id = 0", "that none can have" },
		{ "UPDATE meta SET value = 'x' WHERE key = 'pid'", "where a number belongs" },
		{ "INSERT INTO meta VALUES('pids', '[1,2')", "no list of processes" },
		{ "INSERT INTO meta VALUES('pids', '[1,-2]')", "no list of processes" },
		{ "INSERT INTO meta VALUES('pids', '[1,2] ')", "no list of processes" },
		{ "INSERT INTO meta VALUES('pids', '[]')", "no list of processes" },
		{ "INSERT INTO meta VALUES('pids', '[4294967296]')", "no list of processes" },
		{ "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1025) "
		  "INSERT INTO meta SELECT 'pids', json_group_array(i) FROM n",
		  "no list of processes" },
		{ "INSERT INTO meta VALUES('pids', 7)", "something else where a name belongs" },
		{ "DROP TABLE mark", "table 'mark' is not as gallop makes it" },
		{ "DROP TABLE type; CREATE VIEW type AS SELECT 0 AS id, 'x' AS name",
		  "table 'type'" },
		{ "ALTER TABLE site ADD COLUMN x AS (1)", "table 'site'" },
		{ "PRAGMA journal_mode=wal; CREATE TABLE t(x)", "write-ahead logging" },
	};
	const char *path = in_dir("x.gallop");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		model_free(record_sample(path, 2));
		assert_damage_is_told(path, cases[i].sql, cases[i].msg);
		/* Even so it is a recording, and may be replaced. */
	}
	/* What people may add for themselves is no damage. */
	model_free(record_sample(path, 2));
	sql(path, "CREATE VIEW mine AS SELECT * FROM sites; CREATE INDEX i ON alloc(site); "
		  "INSERT INTO meta VALUES('note', 'after the deploy'); VACUUM");
	model_free(load(path));
}

static void cut_files_are_told(void **state)
{
	const char *path = in_dir("x.gallop"), *cut = in_dir("cut");
	static char bytes[1 << 20];
	struct stat st;

	(void)state;
	model_free(record_sample(path, 2));
	assert_int_equal(stat(path, &st), 0);
	_cleanup_fclose_ FILE *f = fopen(path, "r");
	assert_int_equal(fread(bytes, 1, sizeof(bytes), f), st.st_size);
	for (off_t sz = 0; sz < st.st_size; sz += 1000) {
		struct model *m = NULL;
		struct err err;
		write_file(cut, bytes, (size_t)sz);
		assert_int_equal(recording_load(cut, NULL, &m, &err), -EBADMSG);
		assert_null(m);
	}
}

static void a_bound_is_kept(void **state)
{
	enum { MAX_SIZE = 512 * 1024 };
	const char *path = in_dir("x.gallop");
	struct recording *rec;
	struct model *m;
	struct err err;
	struct stat st;
	int rc = 0;

	(void)state;
	assert_int_equal(recording_create(path, 4096, &rec, &err), -EINVAL);
	rec = create_bounded(path, MAX_SIZE);
	assert_int_equal(model_new(&m), 0);
	sample_meta(m);
	uint64_t written = 0;
	for (uint32_t i = 0; i < 100000 && !rc; i++) {
		for (uint32_t k = 0; k < 50; k++) {
			char type[32];
			snprintf(type, sizeof(type), "type%u", i * 50 + k);
			sample_add(m, sample_stack(m, "main.f", false), type, 1, 1, 8);
		}
		rc = recording_write(rec, m, i, i + 1, &err);
		written += rc ? 0 : 50;
		model_next_interval(m, i + 1);
	}
	assert_int_equal(rc, -EFBIG);
	assert_non_null(strstr(err.msg, "largest allowed size"));
	strcpy(model_meta(m)->end_reason, "size limit");
	finish(rec, m);
	model_free(m);

	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size <= MAX_SIZE);
	assert_true(st.st_size > MAX_SIZE * 3 / 4);
	m = load(path);
	assert_string_equal(model_meta(m)->end_reason, "size limit");
	model_free(m);
	assert_int_equal(query(path, "SELECT sum(objects) FROM alloc"), written);
}

/* Stacks as deep and as many as fit: all tables together are bounded, not each for itself. */
static void what_a_model_holds_is_bounded(void **state)
{
	struct model *m;
	uint32_t frames[MODEL_DEPTH_MAX];
	int64_t id = 0, type, rest;

	(void)state;
	assert_int_equal(model_new(&m), 0);
	uint32_t stack = sample_stack(m, "main.f", false);
	memset(frames, 0, sizeof(frames));
	for (uint32_t i = 0; i < 200; i++) {
		struct frame_key key = { .line = i };
		assert_true(intern_frame(m, &key) >= 0);
	}
	for (uint32_t i = 0; i < 40000 && id >= 0; i++) {
		frames[0] = i % 200;
		frames[1] = i / 200;
		id = intern_stack(m, frames, MODEL_DEPTH_MAX, false);
	}
	assert_int_equal(id, -E2BIG);
	assert_in_range(m->stacks.nr, 25000, 35000);

	/* Nothing else finds room then, but what is there is found. */
	for (uint32_t i = 0; (type = model_type(m, fmt_count(i).s)) >= 0; i++)
		assert_true(i < 1000);
	assert_int_equal(type, -E2BIG);
	rest = model_assist(m, stack);
	assert_true(rest == 0 || rest == -E2BIG);
	assert_int_equal(intern_stack(m, m->stacks.rows[7]->words + 1, MODEL_DEPTH_MAX, false), 7);
	model_free(m);
}

/* Such a recording can't be made by gallop, but by anybody else. */
static void a_recording_of_too_much_is_refused(void **state)
{
	const char *path = in_dir("much.gallop");

	(void)state;
	model_free(record_sample(path, 1));
	sql(path,
	    "WITH RECURSIVE n(i) AS (SELECT (SELECT count(*) FROM stack) UNION ALL SELECT i + 1 "
	    "FROM n LIMIT 40000) INSERT INTO stack SELECT i, '[' || (i % 10) || ',' || "
	    "(i / 10 % 10) || ',' || (i / 100 % 10) || ',' || (i / 1000 % 10) || ',' || "
	    "(i / 10000) || replace(hex(zeroblob(253)), '00', ',0,1') || ']', 0, 0 FROM n");
	assert_refused(path, -EBADMSG, "more rows than a recording can have");
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording_gives_back_the_model),
		cmocka_unit_test(one_without_intervals_says_so),
		cmocka_unit_test(notes_come_back),
		cmocka_unit_test(a_span_is_part_of_it),
		cmocka_unit_test(odd_content_survives),
		cmocka_unit_test(views_are_for_people),
		cmocka_unit_test(documented_queries_work),
		cmocka_unit_test(only_recordings_are_replaced),
		cmocka_unit_test(odd_targets_are_refused),
		cmocka_unit_test(one_writer_at_a_time),
		cmocka_unit_test(strangers_files_are_refused),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(cut_files_are_told),
		cmocka_unit_test(a_bound_is_kept),
		cmocka_unit_test(what_a_model_holds_is_bounded),
		cmocka_unit_test(a_recording_of_too_much_is_refused),
	};
	return cmocka_run_group_tests_name("recording", tests, make_dir, remove_dir);
}
