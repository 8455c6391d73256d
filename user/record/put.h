/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows as lists of cells: what the functions are written with that fill a recording's tables. */
#ifndef GALLOP_RECORD_PUT_H
#define GALLOP_RECORD_PUT_H

#include "record/rows.h"

/* A value of a row: nothing, a real number, text, or a whole number where text is NULL. */
struct cell {
	const char *text;
	uint64_t n;
	bool is_null, is_real;
	double real;
};

#define NUM(value) ((struct cell){ .n = (uint64_t)(value) })
#define REAL(value) ((struct cell){ .is_real = true, .real = (value) })
#define TEXT(value) ((struct cell){ .text = (value) })
#define COUNT(value) NUM(rows_capped(value, INT64_MAX)) /* the file's numbers are signed */
#define REF(id, none) ((struct cell){ .n = (id), .is_null = (id) == (none) })

/* Put a row made of cells. */
#define put(r, stmt, ...)                                                      \
	rows_put_cells((r)->stmts[stmt], (const struct cell[]){ __VA_ARGS__ }, \
		       (int)(sizeof((struct cell[]){ __VA_ARGS__ }) / sizeof(struct cell)))

/* A row of two ids and at most so many counts: like numbers in the order of their struct. */
enum { ROWS_COUNTS_MAX = 24 };
int rows_put_counts(struct rows *r, enum rows_stmt stmt, const uint64_t ids[2], const uint64_t *v,
		    size_t nr);

int rows_put_cells(sqlite3_stmt *stmt, const struct cell *cells, int nr);
uint64_t rows_capped(uint64_t n, uint64_t max);

#endif
