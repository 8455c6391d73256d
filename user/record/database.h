/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening a recording's file, and saying in our words what SQLite says in its own.
 */
#ifndef GALLOP_RECORD_DATABASE_H
#define GALLOP_RECORD_DATABASE_H

#include <sqlite3.h>

#include "base/err.h"

/* Turn a failed SQLite call into an explanation: "cannot <verb> 'path': ...". Returns -errno. */
int database_err(struct err *err, sqlite3 *db, int sqlite_rc, const char *verb, const char *path);

/* What the first bytes of a file say it is, without SQLite. */
enum database_kind {
	DATABASE_OURS,
	DATABASE_EMPTY, /* no byte in it */
	DATABASE_OTHER,
};

struct database_header {
	enum database_kind kind;
	unsigned int version; /* our format's, if ours */
	int is_wal; /* somebody has turned it into write-ahead logging */
};

/* 0 or -errno of reading. */
int database_read_header(int fd, struct database_header *ret);

/* A recording opened to be read. If its writer was killed, it is a repaired private copy without a name. */
struct database {
	sqlite3 *db;
};

int database_open(struct database *d, const char *path, struct err *err);
void database_close(struct database *d);

/*
 * A path that SQLite can't take for one of its special names; the caller frees it. NULL: no
 * memory.
 */
char *database_path(const char *path);

#endif
