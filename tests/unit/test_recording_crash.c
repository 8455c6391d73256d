/* SPDX-License-Identifier: BSD-2-Clause */
/* Recordings whose writer was killed, or whose disk was full: they are read, and nobody is harmed. */
#include "recordings.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "record/copy.h"
#include "record/target.h"

/* A child with a file system of its own of 300 KiB; exit status 77 where that isn't allowed. */
static void fill_the_disk(void)
{
	struct recording *rec;
	struct model *m;
	struct err err;
	int rc = 0;

	if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", recordings_dir, "tmpfs", 0, "size=300k"))
		_exit(77);
	const char *path = in_dir("x.gallop");
	if (recording_create(path, 0, &rec, &err) || model_new(&m))
		_exit(2);
	for (uint32_t i = 0; i < 10000 && !rc; i++) {
		char type[32];
		snprintf(type, sizeof(type), "type%u", i);
		sample_add(m, sample_stack(m, "main.f", false), type, 1, 1, 8);
		rc = recording_write(rec, m, i, i + 1, &err);
		model_next_interval(m, i + 1);
	}
	if (rc != -ENOSPC || !strstr(err.msg, "no space left on device"))
		_exit(3);
	recording_free(rec);
	model_free(m);
	rc = recording_load(path, NULL, &m, &err);
	if (rc)
		_exit(4);
	model_free(m);
	_exit(0);
}

static void a_full_disk_is_told(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		fill_the_disk();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Write intervals of growing size for ever; say so on the pipe when the first is done. */
static void write_until_killed(const char *path, int ready_fd)
{
	struct recording *rec;
	struct model *m;
	struct err err;

	if (recording_create(path, 0, &rec, &err) || model_new(&m))
		_exit(1);
	sample_meta(m);
	for (uint32_t i = 0;; i++) {
		for (uint32_t k = 0; k < 300; k++) {
			char spec[64];
			snprintf(spec, sizeof(spec), "main.f%u;main.g%u;main.main", i * 300 + k, k);
			sample_add(m, sample_stack(m, spec, false), "int", 1, 1, 8);
		}
		model_set_totals(m, (i + 1) * 300, (i + 1) * 2400);
		if (recording_write(rec, m, i, i + 1, &err))
			_exit(2);
		model_next_interval(m, i + 1);
		if (i == 0 && write(ready_fd, "", 1) != 1)
			_exit(3);
	}
}

/* Every committed interval has 300 objects, and each of them is in a site. */
static void assert_whole_intervals(const char *path)
{
	const struct snapshot_opts opts = { 0 };
	struct model *m = load(path);
	struct snapshot *s;

	assert_int_equal(snapshot_new(m, &opts, &s), 0);
	assert_true(s->total.objects >= 300 && s->total.objects % 300 == 0);
	assert_int_equal(s->sites_nr, s->total.objects);
	snapshot_free(s);
	model_free(m);
}

static void a_killed_writer_leaves_a_readable_file(void **state)
{
	const char *path = in_dir("killed.gallop"), *journal = in_dir("killed.gallop-journal");
	int hot = 0;

	(void)state;
	for (unsigned int round = 0; round < 40; round++) {
		int fds[2], status;
		char byte;
		assert_int_equal(pipe(fds), 0);
		pid_t pid = fork();
		if (pid == 0)
			write_until_killed(path, fds[1]);
		close(fds[1]);
		assert_int_equal(read(fds[0], &byte, 1), 1);
		close(fds[0]);
		/* A different moment of a transaction each time; a fixed grid would miss most. */
		usleep(round * 311 % 20000);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		off_t sz = size_of(path), journal_sz = size_of(journal);
		assert_whole_intervals(path);
		/* Reading has repaired a copy, not the file. */
		assert_int_equal(size_of(path), sz);
		assert_int_equal(size_of(journal), journal_sz);
		hot += journal_sz > 0;
	}
	print_message("# %d of 40 kills left a journal\n", hot);
}

/* Leave a journal for certain: spill a transaction into the file, then die. */
static void die_in_a_transaction(const char *path)
{
	sqlite3 *db;

	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(
		    db,
		    "PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN IMMEDIATE; "
		    "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n LIMIT 20000) "
		    "INSERT INTO interval SELECT i, i, i, i, i FROM n; "
		    "UPDATE function SET name = 'torn'; UPDATE interval SET objects = 1",
		    NULL, NULL, NULL) != SQLITE_OK)
		_exit(1);
	raise(SIGKILL);
}

static void make_hot(const char *path)
{
	int status;

	model_free(record_sample(path, 2));
	pid_t pid = fork();
	if (pid == 0)
		die_in_a_transaction(path);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void a_torn_transaction_is_undone_in_a_copy(void **state)
{
	const char *path = in_dir("hot.gallop"), *journal = in_dir("hot.gallop-journal");
	struct model *live = sample_model(2, NULL, NULL);
	_cleanup_free_ char *expected = as_json(live);

	(void)state;
	make_hot(path);
	off_t sz = size_of(path), journal_sz = size_of(journal);
	assert_true(journal_sz > 512);
	setenv("TMPDIR", recordings_dir, 1);
	struct model *m = load(path);
	unsetenv("TMPDIR");
	_cleanup_free_ char *json = as_json(m);
	assert_string_equal(json, expected);
	model_free(m);
	model_free(live);
	assert_int_equal(size_of(path), sz);
	assert_int_equal(size_of(journal), journal_sz);
	char command[128];
	snprintf(command, sizeof(command), "test -z \"$(find '%s' -name 'gallop-*')\"",
		 recordings_dir);
	assert_int_equal(system(command), 0);

	/* And the next recording doesn't fall for the journal of this one. */
	model_free(record_sample(path, 1));
	m = load(path);
	assert_int_equal(query(path, "SELECT count(*) FROM interval"), 1);
	model_free(m);
}

/* SQLite would read the file that such a journal names, and delete it. */
static void a_journal_must_not_name_files(void **state)
{
	const char *path = in_dir("hot.gallop"), *victim = in_dir("victim");
	char tail[512];
	uint32_t sum = 0, len = (uint32_t)strlen(victim);

	(void)state;
	make_hot(path);
	write_file(victim, "precious", 8);
	/*
	 * Page number, name, length, checksum, magic: "The Rollback Journal" of SQLite's file
	 * format.
	 */
	memcpy(tail, "\0\0\0\0", 4);
	memcpy(tail + 4, victim, len);
	for (uint32_t i = 0; i < len; i++)
		sum += (unsigned char)victim[i];
	const unsigned char end[] = { 0,
				      0,
				      0,
				      (unsigned char)len,
				      (unsigned char)(sum >> 24),
				      (unsigned char)(sum >> 16),
				      (unsigned char)(sum >> 8),
				      (unsigned char)sum,
				      0xd9,
				      0xd5,
				      0x05,
				      0xf9,
				      0x20,
				      0xa1,
				      0x63,
				      0xd7 };
	memcpy(tail + 4 + len, end, sizeof(end));
	_cleanup_fclose_ FILE *f = fopen(in_dir("hot.gallop-journal"), "a");
	assert_int_equal(fwrite(tail, 1, 4 + len + sizeof(end), f), 4 + len + sizeof(end));
	fflush(f);
	assert_refused(path, -EBADMSG, "its journal is not gallop's");
	assert_int_equal(size_of(victim), 8);
}

/* SQLite would wait for the writer of a FIFO, and read /dev/zero to its end. */
static void a_journal_must_be_a_file(void **state)
{
	const char *path = in_dir("hot.gallop"), *journal = in_dir("hot.gallop-journal");

	(void)state;
	make_hot(path);
	assert_int_equal(truncate(journal, (off_t)1 << 40), 0);
	alarm(20);
	assert_refused(path, -EBADMSG, "its journal is not gallop's");
	assert_int_equal(unlink(journal), 0);
	assert_int_equal(symlink("/dev/zero", journal), 0);
	assert_refused(path, -EBADMSG, "its journal is not gallop's");
	assert_int_equal(unlink(journal), 0);
	assert_int_equal(mkfifo(journal, 0600), 0);
	assert_refused(path, -EBADMSG, "its journal is not gallop's");
	assert_int_equal(unlink(journal), 0);
	assert_int_equal(mkfifo(in_dir("hot.gallop-wal"), 0600), 0);
	assert_refused(path, -EBADMSG, "a write-ahead log is beside it");
	assert_int_equal(unlink(in_dir("hot.gallop-wal")), 0);
	alarm(0);
}

static void nothing_of_a_copy_is_left(void)
{
	char command[128];

	snprintf(command, sizeof(command), "test -z \"$(find '%s' -name 'gallop-*')\"",
		 recordings_dir);
	assert_int_equal(system(command), 0);
}

/* The holes of a file stay holes, and a signal doesn't leave copies behind. */
static void a_huge_copy_is_no_copy(void **state)
{
	const char *path = in_dir("hot.gallop");
	int status;

	(void)state;
	make_hot(path);
	assert_int_equal(truncate(path, (off_t)1 << 40), 0);
	setenv("TMPDIR", recordings_dir, 1);
	alarm(20);
	struct model *m = load(path);
	alarm(0);
	model_free(m);
	nothing_of_a_copy_is_left();

	pid_t pid = fork();
	if (pid == 0) {
		/* As if it came while copying. */
		struct copy copy;
		if (copy_begin(&copy, path))
			_exit(1);
		raise(SIGTERM);
		if (copy_pair(&copy, path) != -EINTR)
			_exit(2);
		copy_end(&copy);
		_exit(3);
	}
	unsetenv("TMPDIR");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	nothing_of_a_copy_is_left();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(in_dir("hot.gallop-journal")), 0);
}

/* If a new recording can't be put in its place, the old one is what it was. */
static void an_old_journal_is_kept(void **state)
{
	const char *path = in_dir("hot.gallop"), *journal = in_dir("hot.gallop-journal");
	struct err err;

	(void)state;
	make_hot(path);
	off_t sz = size_of(journal);
	assert_int_equal(target_replace(in_dir("none"), path, &err), -ENOENT);
	assert_int_equal(size_of(journal), sz);
	model_free(load(path));
	model_free(record_sample(path, 1));
	assert_int_equal(size_of(journal), -1);
	model_free(load(path));
}

static struct recording *record_begin(const char *path, struct model **m_ret)
{
	struct recording *rec;
	struct err err;

	assert_int_equal(recording_create(path, 0, &rec, &err), 0);
	*m_ret = sample_model(1, NULL, NULL);
	assert_int_equal(recording_write(rec, *m_ret, 1, 2, &err), 0);
	return rec;
}

/* The journal is ours from the start to the end: who makes one first would read what is written. */
static void nobody_else_has_the_journal(void **state)
{
	const char *path = in_dir("x.gallop"), *journal = in_dir("x.gallop-journal");
	struct stat before, st;
	struct model *m;
	struct err err;

	(void)state;
	struct recording *rec = record_begin(path, &m);
	assert_int_equal(lstat(journal, &before), 0);
	assert_int_equal(before.st_mode & 07777, 0600);
	assert_int_equal(before.st_size, 0);
	model_free(load(path));
	assert_int_equal(recording_write(rec, m, 2, 3, &err), 0);
	assert_int_equal(lstat(journal, &st), 0);
	assert_int_equal(st.st_ino, before.st_ino);

	/* One that was removed is made again, and is no file that another has put there. */
	assert_int_equal(unlink(journal), 0);
	assert_int_equal(recording_write(rec, m, 3, 4, &err), 0);
	assert_int_equal(size_of(journal), 0);
	assert_int_equal(unlink(journal), 0);
	write_file(journal, "", 0);
	assert_int_equal(recording_write(rec, m, 4, 5, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "another program has put"));
	recording_free(rec);
	model_free(m);
	assert_int_equal(size_of(journal), 0);
	model_free(load(path));
	assert_int_equal(query(path, "SELECT count(*) FROM interval"), 3);
	model_free(record_sample(path, 1));
	assert_int_equal(size_of(journal), -1);
}

/* A write-ahead log that fits would be written to instead of the file. */
static void nobody_has_a_log_of_it(void **state)
{
	const char *path = in_dir("x.gallop"), *wal = in_dir("x.gallop-wal");
	char command[512];
	sqlite3 *db;
	struct model *m;
	struct err err;

	(void)state;
	struct recording *rec = record_begin(path, &m);
	snprintf(command, sizeof(command), "cp '%s' '%s/y'", path, recordings_dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(sqlite3_open(in_dir("y"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "PRAGMA journal_mode=WAL; UPDATE interval SET objects = 7",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	snprintf(command, sizeof(command), "cp '%s/y-wal' '%s'", recordings_dir, wal);
	assert_int_equal(system(command), 0);
	sqlite3_close(db);
	off_t sz = size_of(wal);
	assert_true(sz > 0);
	assert_int_equal(recording_write(rec, m, 2, 3, &err), 0);
	assert_int_equal(recording_finish(rec, m, &err), 0);
	model_free(m);
	assert_int_equal(size_of(wal), sz);
	assert_int_equal(unlink(wal), 0);
	assert_int_equal(query(path, "SELECT count(*) FROM interval WHERE objects <> 7"), 2);
	model_free(load(path));
}

/* As in an image of nothing but gallop; exit status 77 where that can't be had. */
static void repair_without_tmp(const char *path)
{
	struct model *m;
	struct err err;

	if (!strncmp(recordings_dir, "/tmp/", 5) ||
	    unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/tmp", "tmpfs", MS_RDONLY, "size=4k"))
		_exit(77);
	setenv("TMPDIR", "/nonexistent", 1);
	if (recording_load(path, NULL, &m, &err))
		_exit(1);
	if (chdir(recordings_dir) || recording_load(strrchr(path, '/') + 1, NULL, &m, &err))
		_exit(2);
	_exit(0);
}

static void a_copy_is_repaired_without_tmp(void **state)
{
	const char *path = in_dir("hot.gallop");
	int status;

	(void)state;
	make_hot(path);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		repair_without_tmp(path);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
	nothing_of_a_copy_is_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_disk_is_told),
		cmocka_unit_test(a_killed_writer_leaves_a_readable_file),
		cmocka_unit_test(a_torn_transaction_is_undone_in_a_copy),
		cmocka_unit_test(a_journal_must_not_name_files),
		cmocka_unit_test(a_journal_must_be_a_file),
		cmocka_unit_test(a_huge_copy_is_no_copy),
		cmocka_unit_test(an_old_journal_is_kept),
		cmocka_unit_test(nobody_else_has_the_journal),
		cmocka_unit_test(nobody_has_a_log_of_it),
		cmocka_unit_test(a_copy_is_repaired_without_tmp),
	};
	return cmocka_run_group_tests_name("recording_crash", tests, make_dir, remove_dir);
}
