/* SPDX-License-Identifier: BSD-2-Clause */
/* Recordings in a private directory, and looking at them with and without gallop. */
#ifndef GALLOP_TESTS_UNIT_RECORDINGS_H
#define GALLOP_TESTS_UNIT_RECORDINGS_H

#include "golden.h"
#include "sample.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "record/recording.h"

static char recordings_dir[64];

/* A path in this test's own directory; a few are valid at the same time. */
static inline const char *in_dir(const char *name)
{
	static char paths[4][256];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", recordings_dir, name);
	return path;
}

static inline int make_dir(void **state)
{
	(void)state;
	/*
	 * In memory where possible: what is tested is what is written, not how fast a disk syncs.
	 */
	snprintf(recordings_dir, sizeof(recordings_dir), "%s/test-recording-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	return mkdtemp(recordings_dir) ? 0 : -1;
}

static inline int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", recordings_dir);
	return system(command);
}

static inline void write_tick(struct model *m, uint64_t from_ns, uint64_t to_ns, void *rec)
{
	struct err err;

	assert_int_equal(recording_write(rec, m, from_ns, to_ns, &err), 0);
}

/* Of max_size bytes at most; 0 is no bound. */
static inline struct recording *create_bounded(const char *path, uint64_t max_size)
{
	struct recording *rec;
	struct err err;

	if (recording_create(path, max_size, &rec, &err))
		fail_msg("%s", err.msg);
	return rec;
}

static inline struct recording *create(const char *path)
{
	return create_bounded(path, 0);
}

static inline void finish(struct recording *rec, struct model *m)
{
	struct err err;

	assert_int_equal(recording_finish(rec, m, &err), 0);
}

/* A recording of the sample; the model that it was made from. */
static inline struct model *record_sample(const char *path, unsigned int seconds)
{
	struct recording *rec = create(path);
	struct model *m = sample_model(seconds, write_tick, rec);

	finish(rec, m);
	return m;
}

/* A part of the recording. */
static inline struct model *load_span(const char *path, const struct recording_span *span)
{
	struct model *m = NULL;
	struct err err;

	if (recording_load(path, span, &m, &err))
		fail_msg("%s", err.msg);
	return m;
}

static inline struct model *load(const char *path)
{
	return load_span(path, NULL);
}

/* If it isn't refused so, the message begins with `what`. */
static inline void assert_refused_as(const char *what, const char *path, int code, const char *msg)
{
	struct model *m = NULL;
	struct err err = { 0 };
	int rc = recording_load(path, NULL, &m, &err);

	if (rc != code || m)
		fail_msg("%s: %d, not %d (%s)", what, rc, code, err.msg);
	if (!strstr(err.msg, msg))
		fail_msg("%s: '%s' is not in '%s'", what, msg, err.msg);
}

static inline void assert_refused(const char *path, int code, const char *msg)
{
	assert_refused_as(path, path, code, msg);
}

static inline char *shown(const struct model *m, const char *format, struct snapshot_opts opts)
{
	_snapshot_ *s = take(m, opts);

	return rendered(renderer_find(format)->render, s, (struct render_opts){ 0 });
}

static inline char *as_json(const struct model *m)
{
	return shown(m, "json", (struct snapshot_opts){ .runtime_frames = true });
}

static inline void sql(const char *path, const char *text)
{
	sqlite3 *db;
	char *msg = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &msg) != SQLITE_OK)
		fail_msg("%s: %s", text, msg);
	sqlite3_close(db);
}

/* The recording, with this done to it, is refused, and why is told. */
static inline void assert_damage_is_told(const char *path, const char *statement, const char *msg)
{
	sql(path, statement);
	assert_refused_as(statement, path, -EBADMSG, msg);
}

static inline int64_t query(const char *path, const char *text)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
	if (sqlite3_step(stmt) != SQLITE_ROW)
		fail_msg("no row: %s", text);
	int64_t n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

static inline void write_file(const char *path, const char *text, size_t sz)
{
	_cleanup_fclose_ FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, sz, f), sz);
}

static inline off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

#endif
