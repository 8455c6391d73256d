/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of a recording; user/doc/FORMAT.md explains them to its readers. */
#ifndef GALLOP_RECORD_SCHEMA_H
#define GALLOP_RECORD_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "model/tables.h"

/*
 * A changed table is a new format: raise it. A reader takes a table only if its text is exactly the
 * one here.
 */
enum {
	SCHEMA_APPLICATION_ID = 0x474c4f50, /* "GLOP", bytes 68-71 of the file */
	SCHEMA_VERSION = 5, /* user_version, bytes 60-63 of the file */
	SCHEMA_PAGE_SZ = 4096,
	SCHEMA_PPM = 1000 * 1000, /* shares are integers: parts per million */
};

struct schema_table {
	const char *name;
	const char *sql; /* as sqlite_schema has it */
};

/* Counts of one cause are capped here, so that the sum of all causes is no more than 2^63. */
#define SCHEMA_LOSS_MAX ((uint64_t)INT64_MAX / MODEL_LOSSES_MAX)

extern const struct schema_table schema_tables[]; /* ends with name == NULL */
extern const char *const schema_views[]; /* for people; ends with NULL */

/* The rows of `meta`: which member of struct model_meta each key stands for. */
enum schema_meta_kind {
	SCHEMA_TEXT,
	SCHEMA_I32,
	SCHEMA_TIME,
	SCHEMA_WORD, /* any 64 bits */
};

struct schema_meta {
	const char *key;
	enum schema_meta_kind kind;
	size_t offset, sz;
};

extern const struct schema_meta schema_metas[]; /* ends with key == NULL */

/* And what can't be shown of the target: from "note.00" on, as many as there are. */
#define SCHEMA_NOTE "note."

/* Of all processes of one file their pids, as a JSON array; else there is no such row. */
#define SCHEMA_PIDS "pids"
enum { SCHEMA_PIDS_SZ = MODEL_PIDS_MAX * sizeof("2147483647") + sizeof("[]") };

#endif
