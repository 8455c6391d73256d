/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking JSON in SQL. */
#ifndef GALLOP_TESTS_UNIT_JSON_QUERY_H
#define GALLOP_TESTS_UNIT_JSON_QUERY_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/cleanup.h"

/* SQLite is at hand, and reads JSON. The caller frees what it says. */
static inline char *query(const char *sql, const char *json)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_bind_text(stmt, 1, json, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	const unsigned char *value = sqlite3_column_text(stmt, 0);
	char *copy = strdup(value ? (const char *)value : "null");
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return copy;
}

static inline void assert_query(const char *json, const char *sql, const char *expected)
{
	_cleanup_free_ char *value = query(sql, json);

	if (strcmp(value, expected) != 0)
		fail_msg("%s: %s", sql, value);
}

#endif
