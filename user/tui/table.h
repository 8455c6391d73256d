/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table that scrolls, is sorted by any of its columns and filtered, and keeps its place when its rows change.
 *
 * A row is numbers to sort by and where it is in its list; the text of a cell is made when it is shown, so 20,000 rows
 * cost no more than their numbers.
 */
#ifndef GALLOP_TUI_TABLE_H
#define GALLOP_TUI_TABLE_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/cells.h"
#include "tui/screen.h"

enum { TABLE_COLUMNS_MAX = 10, TABLE_TEXT_SZ = CELL_SZ };

struct table_column {
	const char *title;
	int width; /* 0: what is left; there is one such column */
	int screen_min; /* shown if the screen has so many columns */
	bool left; /* text, sorted from a to z; else a number, sorted from the largest */
	bool numeric; /* text that is sorted by its key, as numbers are */
	bool sampled; /* shown of estimates only */
};

struct table_row {
	double key
		[TABLE_COLUMNS_MAX]; /* a number for each column that is sorted by numbers; NAN: not known */
	size_t idx; /* in the list that the rows are of */
	uint64_t id; /* the same row in other frames has it, too */
	size_t order; /* how rows were added: what is equal stays so */
};

/* What kind of table it is, and what its rows are: functions are given ctx. */
struct table_kind {
	const struct table_column *columns;
	unsigned columns_nr;
	unsigned sort; /* the column that is sorted by at first */
	int bytes_column, objects_column; /* which of them b and n sort by; -1: none */
	/* A cell, of width columns at most where it is a name that can be shortened. */
	void (*cell)(const void *ctx, const struct table_row *row, unsigned column, int width,
		     char dst[CELL_SZ]);
	/* Of a text column, what is sorted by; a string that lasts as long as the rows do. */
	const char *(*sort_text)(const void *ctx, const struct table_row *row, unsigned column);
	/* What is searched and filtered by. */
	void (*text)(const void *ctx, const struct table_row *row, char dst[TABLE_TEXT_SZ]);
};

struct table {
	const struct table_kind *kind;
	struct table_row *rows;
	size_t rows_nr, cap;
	size_t all_nr; /* with those that are filtered out */
	unsigned sort;
	bool reversed;
	size_t selected, top; /* the row under the cursor, the first on the screen */
	uint64_t selected_id; /* of the row under the cursor */
};

/* What rows have to match, or must not. */
struct table_filter {
	const regex_t *regex; /* NULL: all are shown */
	bool inverted;
};

void table_init(struct table *t, const struct table_kind *kind);
void table_deinit(struct table *t);

/* Another kind of rows in the same place; how it was sorted is kept only if the kind is the same. */
void table_set_kind(struct table *t, const struct table_kind *kind);

/* New rows: forget the old, add, then end. 0 or -ENOMEM. */
void table_begin(struct table *t);
int table_add(struct table *t, const struct table_row *row);
/*
 * Filter and sort. follow: the cursor stays with its row, else with its place. 0, or -ETIMEDOUT: filtering took longer
 * than anybody would wait, and rows are left that weren't looked at.
 */
int table_end(struct table *t, const void *ctx, struct table_filter filter, bool follow);

void table_sort_by(struct table *t, const void *ctx, unsigned column);
/* The next column to the right (1) or left (-1) of those that are shown. */
void table_sort_next(struct table *t, const void *ctx, int by, int screen_cols, bool sampled);
void table_reverse(struct table *t, const void *ctx);

/* Move the cursor by so many rows; it stays in the table. */
void table_move(struct table *t, long by);
/* To the next row behind the cursor (or before it) that matches. 0, -ENOENT: there is none, or -ETIMEDOUT. */
int table_search(struct table *t, const void *ctx, const regex_t *regex, bool backwards);

/* NULL: there are none. */
const struct table_row *table_selected(const struct table *t);

/* Titles in the first line, rows below. */
void table_draw(struct table *t, const void *ctx, struct screen *s, int row, int height,
		bool sampled);

#endif
