/* SPDX-License-Identifier: BSD-2-Clause */
/* Recordings in a private directory, and looking at them with and without gallop. */
#ifndef GALLOP_TESTS_UNIT_RECORDINGS_H
#define GALLOP_TESTS_UNIT_RECORDINGS_H

#include "sample.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "record/recording.h"
#include "render/render.h"

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

static inline struct recording *create(const char *path)
{
	struct recording *rec;
	struct err err;

	if (recording_create(path, 0, &rec, &err))
		fail_msg("%s", err.msg);
	return rec;
}

/* A recording of the sample; the model that it was made from. */
static inline struct model *record_sample(const char *path, unsigned int seconds)
{
	struct recording *rec = create(path);
	struct model *m = sample_model(seconds, write_tick, rec);
	struct err err;

	assert_int_equal(recording_finish(rec, m, &err), 0);
	return m;
}

static inline struct model *load(const char *path)
{
	struct model *m = NULL;
	struct err err;

	if (recording_load(path, NULL, &m, &err))
		fail_msg("%s", err.msg);
	return m;
}

static inline void assert_refused(const char *path, int code, const char *msg)
{
	struct model *m = NULL;
	struct err err = { 0 };

	assert_int_equal(recording_load(path, NULL, &m, &err), code);
	assert_null(m);
	if (!strstr(err.msg, msg))
		fail_msg("'%s' is not in '%s'", msg, err.msg);
}

static inline char *as_json(const struct model *m)
{
	struct snapshot_opts opts = { .runtime_frames = true };
	struct render_opts render_opts = { 0 };
	struct snapshot *s;
	char *text = NULL;
	size_t sz;
	FILE *out = open_memstream(&text, &sz);

	assert_int_equal(snapshot_new(m, &opts, &s), 0);
	assert_int_equal(renderer_find("json")->render(out, s, &render_opts), 0);
	fclose(out);
	snapshot_free(s);
	return text;
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
