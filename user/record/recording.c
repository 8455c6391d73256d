/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing a recording: one transaction for each interval.
 *
 * SQLite's rollback journal makes each transaction all or nothing, also when we are killed or the
 * power fails in the middle; between transactions the file is complete by itself and can be
 * copied.
 *
 * In a directory like /tmp others can put files beside it, and SQLite opens what has the name of a journal or of a
 * write-ahead log: whoever made it reads what is written, or has his pages taken for ours. So the journal is ours
 * from the start to the end, emptied after each transaction, and a log is not looked for.
 */
#include "model/gc_tables.h"
#include "model/map_tables.h"
#include "model/op_tables.h"
#include "model/sample_tables.h"
#include "record/recording.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "record/database.h"
#include "record/rows.h"
#include "record/schema.h"
#include "record/target.h"

enum {
	/* How long a lock is waited for: meanwhile nothing is taken from the target, ... */
	BUSY_MS = 1000,
	END_BUSY_MS = 5000, /* ... and in the end there is no other time */
	PAGES_MIN = 64, /* the empty tables, and something to say */
	PAGES_RESERVE = 8, /* kept below max_size for the end: why it ended, the last check */
	DISK_FULL_SZ = 1 << 20, /* less is left: then it was the disk that was full, not max_size */
};

struct recording {
	char *path;
	int lock_fd; /* open for as long as the file is written */
	int reserve_fd; /* room for the end, -1: none */
	int journal_fd; /* its name is ours for as long, too */
	sqlite3 *db;
	struct rows rows;
	uint64_t pages_max; /* 0: no bound */
	uint64_t last_ns; /* where the last interval ended: the next begins there or later */
	struct model_count written; /* the model's total then */
	uint64_t written_maps; /* operations of maps then */
	uint64_t written_ops; /* operations that had begun then */
	uint64_t written_samples; /* windows and samples of the runtime then */
};

static void close_database(sqlite3 **db)
{
	sqlite3_close(*db);
}

/* SQLite says "full" for both the disk and the bound that we gave it. */
static int full_err(const struct recording *rec, struct err *err)
{
	struct statvfs fs;
	int known = statvfs(rec->path, &fs) == 0;

	if (rec->pages_max && !(known && (uint64_t)fs.f_bavail * fs.f_frsize < DISK_FULL_SZ))
		return err_set(err, -EFBIG, "'%s' has reached its largest allowed size", rec->path);
	err_set(err, -ENOSPC, "cannot write '%s': no space left on device", rec->path);
	err_hint(err, "what was written so far can be read; --max-size bounds a recording");
	return err->code;
}

static int write_err(const struct recording *rec, int sqlite_rc, struct err *err)
{
	if ((sqlite_rc & 0xff) == SQLITE_FULL)
		return full_err(rec, err);
	return database_err(err, rec->db, sqlite_rc, "write", rec->path);
}

static int exec(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Nothing is beside the file that SQLite should find by itself: not its log. */
static int access_but_log(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
	static const char log[] = "-wal";
	size_t len = strlen(name);

	(void)vfs;
	if (len >= sizeof(log) - 1 && !strcmp(name + len - (sizeof(log) - 1), log)) {
		*ret = 0;
		return SQLITE_OK;
	}
	sqlite3_vfs *all = sqlite3_vfs_find(NULL);
	return all->xAccess(all, name, flags, ret);
}

/*
 * The journal is there. Linux lets not even root open another user's file to create it in a directory like /tmp
 * (fs.protected_regular), and under sudo the journal is the caller's.
 */
static int open_but_create(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
			   int *flags_ret)
{
	sqlite3_vfs *all = sqlite3_vfs_find(NULL);

	(void)vfs;
	if (flags & SQLITE_OPEN_MAIN_JOURNAL)
		flags &= ~SQLITE_OPEN_CREATE;
	return all->xOpen(all, name, file, flags, flags_ret);
}

static int open_database(const char *path, sqlite3 **ret)
{
	static sqlite3_vfs vfs;
	_cleanup_free_ char *name = database_path(path);
	int rc = name ? sqlite3_initialize() : SQLITE_NOMEM;

	if (!rc && !vfs.zName) {
		vfs = *sqlite3_vfs_find(NULL);
		vfs.zName = "gallop";
		vfs.xAccess = access_but_log;
		vfs.xOpen = open_but_create;
		rc = sqlite3_vfs_register(&vfs, 0);
	}
	return rc ? rc : sqlite3_open_v2(name, ret, SQLITE_OPEN_READWRITE, "gallop");
}

static int create_schema(sqlite3 *db)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "PRAGMA journal_mode=MEMORY; PRAGMA page_size=%d; BEGIN; PRAGMA "
		 "application_id=%d; PRAGMA user_version=%d",
		 SCHEMA_PAGE_SZ, SCHEMA_APPLICATION_ID, SCHEMA_VERSION);
	int rc = exec(db, sql);
	for (size_t i = 0; !rc && schema_tables[i].name; i++)
		rc = exec(db, schema_tables[i].sql);
	for (size_t i = 0; !rc && schema_views[i]; i++)
		rc = exec(db, schema_views[i]);
	return rc ? rc : exec(db, "COMMIT");
}

/* A complete recording of nothing, at a temporary name: half of one is of no use, so nothing is journalled. */
static int create_empty(const char *tmp, const char *path, struct err *err)
{
	_cleanup_(close_database) sqlite3 *db = NULL;
	int rc = open_database(tmp, &db);

	if (!rc)
		rc = create_schema(db);
	return rc ? database_err(err, db, rc, "create", path) : 0;
}

static int open_for_writing(struct recording *rec, struct err *err)
{
	int rc = open_database(rec->path, &rec->db);
	if (rc)
		return database_err(err, rec->db, rc, "open", rec->path);
	sqlite3_extended_result_codes(rec->db, 1);
	rc = exec(rec->db, "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=NORMAL; "
			   "PRAGMA temp_store=MEMORY");
	if (!rc)
		rc = rows_init(&rec->rows, rec->db);
	return rc ? database_err(err, rec->db, rc, "open", rec->path) : 0;
}

static int bound_pages(struct recording *rec, uint64_t pages)
{
	char sql[64];

	if (!rec->pages_max)
		return SQLITE_OK;
	snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%llu", (unsigned long long)pages);
	return exec(rec->db, sql);
}

static int check_max_size(const char *path, uint64_t max_size, uint64_t *pages_ret, struct err *err)
{
	uint64_t pages = max_size / SCHEMA_PAGE_SZ;

	if (max_size && pages < PAGES_MIN)
		return err_set(err, -EINVAL, "cannot record to '%s' in less than %d KiB", path,
			       PAGES_MIN * SCHEMA_PAGE_SZ / 1024);
	/* SQLite's own limit on the number of pages. */
	*pages_ret = pages < UINT32_MAX - 1 ? pages : 0;
	return 0;
}

static void recording_freep(struct recording **rec)
{
	recording_free(*rec);
}

static struct recording *recording_new(const char *path)
{
	struct recording *rec = calloc(1, sizeof(*rec));
	if (!rec)
		return NULL;
	rec->lock_fd = rec->reserve_fd = rec->journal_fd = -1;
	rec->path = strdup(path);
	if (!rec->path) {
		recording_free(rec);
		return NULL;
	}
	return rec;
}

/* The new file, complete and empty, in the place of an old one. */
static int put_in_place(struct recording *rec, struct err *err)
{
	_cleanup_free_ char *tmp = NULL;
	int code = target_create(rec->path, &tmp, &rec->lock_fd, err);
	if (code)
		return code;
	code = create_empty(tmp, rec->path, err);
	if (!code)
		code = target_replace(tmp, rec->path, err);
	if (code)
		unlink(tmp);
	return code;
}

int recording_create(const char *path, uint64_t max_size, struct recording **ret, struct err *err)
{
	_cleanup_(recording_freep) struct recording *rec = recording_new(path);
	if (!rec)
		return err_set(err, -ENOMEM, "cannot create '%s': out of memory", path);

	int code = check_max_size(path, max_size, &rec->pages_max, err);
	if (!code)
		code = target_check(path, err);
	if (!code)
		code = put_in_place(rec, err);
	if (!code)
		code = target_hold_journal(path, &rec->journal_fd, err);
	if (!code)
		code = open_for_writing(rec, err);
	if (code)
		return code;
	rec->reserve_fd = target_reserve(path);
	int rc = bound_pages(rec, rec->pages_max - PAGES_RESERVE);
	if (rc)
		return write_err(rec, rc, err);
	*ret = take_ptr(rec);
	return 0;
}

/* SQLite would go on writing to a file without a name, and journal beside a stranger's. */
static int check_names(struct recording *rec, struct err *err)
{
	int code = target_is_same(rec->path, rec->lock_fd, err);

	return code ? code : target_hold_journal(rec->path, &rec->journal_fd, err);
}

static int write_rows(struct recording *rec, const struct model *m, uint64_t from_ns,
		      uint64_t to_ns)
{
	int rc = exec(rec->db, "BEGIN IMMEDIATE");
	if (!rc)
		rc = rows_put_names(&rec->rows, m);
	if (!rc)
		rc = rows_put_interval(&rec->rows, m, from_ns, to_ns);
	if (!rc)
		rc = rows_put_session(&rec->rows, m);
	return rc ? rc : exec(rec->db, "COMMIT");
}

static int write_end(struct recording *rec, const struct model *m)
{
	const struct model_count rest = { m->total.objects - rec->written.objects,
					  m->total.bytes - rec->written.bytes };
	uint64_t end_ns = m->meta.end_mono_ns > rec->last_ns ? m->meta.end_mono_ns : rec->last_ns;
	uint64_t from_ns = rec->last_ns ? rec->last_ns : m->meta.start_mono_ns;
	int rc = bound_pages(rec, rec->pages_max);

	if (!rc)
		rc = exec(rec->db, "BEGIN IMMEDIATE");
	if (!rc &&
	    (rest.objects || recording_unwritten_gc(rec, m) || recording_unwritten_maps(rec, m) ||
	     recording_unwritten_ops(rec, m) || recording_unwritten_samples(rec, m)))
		rc = rows_put_rest(&rec->rows, from_ns, end_ns, rest);
	if (!rc)
		rc = rows_put_session(&rec->rows, m);
	return rc ? rc : exec(rec->db, "COMMIT");
}

/* Explain the failure first: the rollback has an outcome of its own. */
static int roll_back(struct recording *rec, const struct rows_done *done, int sqlite_rc,
		     struct err *err)
{
	int code = write_err(rec, sqlite_rc, err);

	if (!sqlite3_get_autocommit(rec->db))
		exec(rec->db, "ROLLBACK");
	rec->rows.done = *done;
	return code;
}

int recording_write(struct recording *rec, const struct model *m, uint64_t from_mono_ns,
		    uint64_t to_mono_ns, struct err *err)
{
	int code = check_names(rec, err);
	if (code)
		return code;

	/* Intervals follow each other: a reader refuses a file where they don't. */
	uint64_t from_ns = from_mono_ns > rec->last_ns ? from_mono_ns : rec->last_ns;
	uint64_t to_ns = to_mono_ns > from_ns ? to_mono_ns : from_ns;
	struct rows_done done = rec->rows.done;
	sqlite3_busy_timeout(rec->db, m->meta.end_reason[0] ? END_BUSY_MS : BUSY_MS);
	int rc = write_rows(rec, m, from_ns, to_ns);
	if (rc)
		return roll_back(rec, &done, rc, err);
	rec->last_ns = to_ns;
	rec->written = m->total;
	rec->written_maps = maps_operations(m->maps);
	rec->written_ops = ops_events(m->ops);
	rec->written_samples = samples_events(m->samples);
	return 0;
}

uint64_t recording_unwritten(const struct recording *rec, const struct model *m)
{
	return m->total.objects - rec->written.objects;
}

uint64_t recording_unwritten_gc(const struct recording *rec, const struct model *m)
{
	return m->gc->stops.seq - rec->rows.done.stops + m->gc->cycles.seq - rec->rows.done.cycles;
}

uint64_t recording_unwritten_maps(const struct recording *rec, const struct model *m)
{
	return maps_operations(m->maps) - rec->written_maps;
}

uint64_t recording_unwritten_ops(const struct recording *rec, const struct model *m)
{
	return ops_events(m->ops) - rec->written_ops;
}

uint64_t recording_unwritten_samples(const struct recording *rec, const struct model *m)
{
	return samples_events(m->samples) - rec->written_samples;
}

int recording_finish(struct recording *rec, const struct model *m, struct err *err)
{
	int code = check_names(rec, err);

	if (!code) {
		struct rows_done done = rec->rows.done;
		sqlite3_busy_timeout(rec->db, END_BUSY_MS);
		cleanup_close(&rec->reserve_fd);
		rec->reserve_fd = -1;
		int rc = write_end(rec, m);
		if (rc)
			code = roll_back(rec, &done, rc, err);
	}
	recording_free(rec);
	return code;
}

void recording_free(struct recording *rec)
{
	if (!rec)
		return;
	rows_deinit(&rec->rows);
	sqlite3_close(rec->db);
	if (rec->journal_fd >= 0)
		target_drop_journal(rec->path, rec->journal_fd);
	/* After SQLite: closing any descriptor of a file gives up all POSIX locks on it. */
	cleanup_close(&rec->lock_fd);
	cleanup_close(&rec->reserve_fd);
	free(rec->path);
	free(rec);
}
