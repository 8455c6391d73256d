/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording may come from anybody, so it is opened read-only, with everything off that lets a
 * database's schema run code, and its header is looked at before SQLite sees the file.
 *
 * If the writer was killed in the middle of a transaction, its journal lies beside the file and
 * the transaction must be rolled back before anything can be read. That needs write access, and
 * the file is not ours to change: a copy of both is repaired instead.
 */
#include "record/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "record/copy.h"
#include "record/schema.h"

enum {
	HEADER_SZ = 100, /* https://www.sqlite.org/fileformat2.html, "The Database Header" */
	HEADER_WRITE_VERSION = 18,
	HEADER_READ_VERSION = 19,
	HEADER_USER_VERSION = 60,
	HEADER_APPLICATION_ID = 68,
	HEADER_WAL = 2,
	BUSY_MS = 5000, /* a writer holds its lock for one transaction, tens of milliseconds */
	VALUE_SZ_MAX = 1 << 20,
	SQL_SZ_MAX = 1 << 16,
};

static int errno_of(sqlite3 *db, int sqlite_rc)
{
	switch (sqlite_rc & 0xff) {
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_TOOBIG:
	case SQLITE_ERROR:
	case SQLITE_SCHEMA:
		return -EBADMSG;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return -EACCES;
	default:
		break;
	}
	int saved = db ? sqlite3_system_errno(db) : 0;
	return saved > 0 ? -saved : -EIO;
}

int database_err(struct err *err, sqlite3 *db, int sqlite_rc, const char *verb, const char *path)
{
	int code = errno_of(db, sqlite_rc);
	const char *what = db ? sqlite3_errmsg(db) : sqlite3_errstr(sqlite_rc);

	if (code == -EBADMSG)
		return err_set(err, code, "'%s' is damaged: %s", path, what);
	if (code == -EBUSY)
		return err_set(err, code, "cannot %s '%s': it is locked by another program", verb,
			       path);
	if (code == -EIO)
		return err_set(err, code, "cannot %s '%s': %s", verb, path, what);
	return err_set(err, code, "cannot %s '%s': %s", verb, path, strerror(-code));
}

static unsigned int be32(const unsigned char *p)
{
	return (unsigned int)p[0] << 24 | (unsigned int)p[1] << 16 | (unsigned int)p[2] << 8 | p[3];
}

int database_read_header(int fd, struct database_header *ret)
{
	unsigned char h[HEADER_SZ];
	ssize_t n = pread(fd, h, sizeof(h), 0);
	if (n < 0)
		return -errno;

	*ret = (struct database_header){ .kind = DATABASE_OTHER };
	if (n == 0)
		ret->kind = DATABASE_EMPTY;
	if (n < HEADER_SZ || memcmp(h, "SQLite format 3", 16) != 0 ||
	    be32(h + HEADER_APPLICATION_ID) != SCHEMA_APPLICATION_ID)
		return 0;
	ret->kind = DATABASE_OURS;
	ret->version = be32(h + HEADER_USER_VERSION);
	ret->is_wal = h[HEADER_READ_VERSION] == HEADER_WAL || h[HEADER_WRITE_VERSION] == HEADER_WAL;
	return 0;
}

char *database_path(const char *path)
{
	char *p;

	/* ":memory:", "" and "file:..." mean something else to SQLite. */
	return asprintf(&p, "%s%s", *path == '/' ? "" : "./", path) < 0 ? NULL : p;
}

static int check_header(const char *path, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(err, -errno, "cannot open '%s': %s", path, strerror(errno));
	struct stat st;
	if (fstat(fd, &st))
		return err_set(err, -errno, "cannot open '%s': %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EBADMSG, "'%s' is not a gallop recording: it is not a file",
			       path);

	struct database_header header;
	int rc = database_read_header(fd, &header);
	if (rc)
		return err_set(err, rc, "cannot read '%s': %s", path, strerror(-rc));
	if (header.kind != DATABASE_OURS)
		return err_set(err, -EBADMSG, "'%s' is not a gallop recording", path);
	if (header.version == 0)
		return err_set(err, -EBADMSG, "'%s' is damaged: it has no format number", path);
	if (header.version != SCHEMA_VERSION)
		return err_set(err, -EBADMSG,
			       "'%s' was written by %s gallop (format %u, this one reads %d)", path,
			       header.version > SCHEMA_VERSION ? "a newer" : "an older",
			       header.version, SCHEMA_VERSION);
	if (header.is_wal) {
		err_set(err, -EBADMSG, "'%s' was switched to write-ahead logging", path);
		err_hint(err, "switch it back: sqlite3 FILE 'PRAGMA journal_mode=delete'");
		return err->code;
	}
	return 0;
}

/* Everything that could make reading run what is in the file, or take more memory than is sane. */
static int defend(sqlite3 *db)
{
	sqlite3_busy_timeout(db, BUSY_MS);
	sqlite3_extended_result_codes(db, 1);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_SZ_MAX);
	sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, SQL_SZ_MAX);
	sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 20);
	sqlite3_limit(db, SQLITE_LIMIT_COMPOUND_SELECT, 4);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
	return sqlite3_exec(db,
			    "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; "
			    "PRAGMA temp_store=MEMORY",
			    NULL, NULL, NULL);
}

/*
 * Open, and read once: only then does SQLite look at the file and at a journal beside it. The
 * transaction stays open, so that what is read is one moment of a recording that is still written.
 */
static int open_once(const char *path, int flags, sqlite3 **ret)
{
	_cleanup_free_ char *name = database_path(path);
	if (!name)
		return SQLITE_NOMEM;
	int rc = sqlite3_open_v2(name, ret, flags | SQLITE_OPEN_PRIVATECACHE, NULL);
	if (rc == SQLITE_OK)
		rc = defend(*ret);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(*ret, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL,
				  NULL);
	return rc;
}

static int copy_and_open(struct database *d, const struct copy *c, const char *path,
			 struct err *err)
{
	int rc = copy_pair(c, path);
	if (rc == -EBADMSG)
		return err_set(err, rc, "'%s' is damaged: its journal is not gallop's", path);
	if (rc)
		return err_set(err, rc, "cannot repair a copy of '%s': %s", path, strerror(-rc));
	rc = open_once(c->file, SQLITE_OPEN_READWRITE, &d->db);
	return rc ? database_err(err, d->db, rc, "read", path) : 0;
}

/* The transaction that was begun keeps the copy locked and repaired: it needs no name any more. */
static int open_copy(struct database *d, const char *path, struct err *err)
{
	struct copy copy = { .dir = "" };
	int rc = copy_begin(&copy, path);
	if (rc) {
		err_set(err, rc, "cannot repair a copy of '%s': %s", path, strerror(-rc));
		err_hint(err, "set TMPDIR to a directory that can be written to");
		return rc;
	}

	rc = copy_and_open(d, &copy, path, err);
	copy_end(&copy);
	return rc;
}

/*
 * SQLite opens whatever has the name of a journal: it would wait for a writer of a FIFO, and read a
 * write-ahead log also beside a file that never had one.
 */
static int check_beside(const char *path, struct err *err)
{
	_cleanup_free_ char *journal = NULL, *wal = NULL;
	struct stat st;

	if (asprintf(&journal, "%s-journal", path) < 0 || asprintf(&wal, "%s-wal", path) < 0)
		return err_set(err, -ENOMEM, "cannot open '%s': out of memory", path);
	if (lstat(journal, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(err, -EBADMSG, "'%s' is damaged: its journal is not gallop's", path);
	if (lstat(wal, &st) == 0)
		return err_set(err, -EBADMSG, "'%s' is damaged: a write-ahead log is beside it",
			       path);
	return 0;
}

static int query_number(sqlite3 *db, const char *sql, sqlite3_int64 *ret)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (!rc && sqlite3_step(stmt) == SQLITE_ROW)
		*ret = sqlite3_column_int64(stmt, 0);
	return rc ? rc : sqlite3_finalize(stmt);
}

/*
 * SQLite takes the missing end of the last page for zeroes. Nobody writes while we hold our lock, so the file that
 * we have opened is whole or was cut.
 */
static int check_end(sqlite3 *db, const char *path, struct err *err)
{
	sqlite3_int64 pages = 0, page_sz = 0, sz = 0;
	sqlite3_file *file = NULL;
	int rc = query_number(db, "PRAGMA page_count", &pages);

	if (!rc)
		rc = query_number(db, "PRAGMA page_size", &page_sz);
	if (!rc)
		rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	if (!rc)
		rc = file->pMethods->xFileSize(file, &sz);
	if (rc)
		return database_err(err, db, rc, "read", path);
	if (sz / page_sz < pages)
		return err_set(err, -EBADMSG, "'%s' is damaged: its end is missing", path);
	return 0;
}

int database_open(struct database *d, const char *path, struct err *err)
{
	*d = (struct database){ 0 };
	int code = check_header(path, err);
	if (!code)
		code = check_beside(path, err);
	if (code)
		return code;

	int rc = open_once(path, SQLITE_OPEN_READONLY, &d->db);
	if (rc == SQLITE_OK)
		return check_end(d->db, path, err);
	if (rc != SQLITE_READONLY_ROLLBACK)
		return database_err(err, d->db, rc, "read", path);
	sqlite3_close(take_ptr(d->db));
	return open_copy(d, path, err);
}

void database_close(struct database *d)
{
	sqlite3_close(d->db);
}
