/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is to be on the terminal: a grid of cells, a character and a meaning each. No terminal is needed to fill one,
 * so what is shown can be tested as text.
 *
 * All text goes through screen_put(): names that hold escapes, half characters or marks that turn the reading
 * direction are made harmless there, in one place.
 */
#ifndef GALLOP_TUI_SCREEN_H
#define GALLOP_TUI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* What a cell means; how that looks is the theme's. Each but ATTR_NORMAL is told by words or place, too. */
enum screen_attr {
	ATTR_NORMAL,
	ATTR_DIM,
	ATTR_BOLD,
	ATTR_HEAD, /* the titles of columns */
	ATTR_SORTED, /* ... the one that is sorted by */
	ATTR_SELECTED,
	ATTR_TAB, /* the tab that is shown */
	ATTR_GOOD,
	ATTR_BAD,
	ATTR_BANNER,
	ATTR_GRAPH,
	ATTR_CYCLE, /* of a graph, where a GC cycle ended */
	ATTR_NR,
};

struct screen_cell {
	char s[5]; /* one character of UTF-8; "": the right half of a wide one */
	unsigned char attr;
};

struct screen {
	int rows, cols;
	bool ascii; /* the locale has no other characters */
	struct screen_cell *cells; /* rows * cols */
};

/* 0 or -ENOMEM; all blank. Sizes below 1 are taken for 1, those above 4096 for that. */
int screen_init(struct screen *s, int rows, int cols, bool ascii);
void screen_deinit(struct screen *s);
void screen_clear(struct screen *s);

/*
 * Put text into at most width columns, and cut what is longer; what is outside of the screen is left out. Returns how many
 * columns it took.
 */
int screen_put(struct screen *s, int row, int col, int width, enum screen_attr attr,
	       const char *text);

/* The same at the right end of width columns. */
void screen_put_right(struct screen *s, int row, int col, int width, enum screen_attr attr,
		      const char *text);

/* Give width columns this meaning; their text stays. */
void screen_paint(struct screen *s, int row, int col, int width, enum screen_attr attr);

/* How many columns text takes. */
int screen_width(const struct screen *s, const char *text);

const struct screen_cell *screen_at(const struct screen *s, int row, int col);

/* All of it as lines without blanks at their ends, for tests; the caller frees it. NULL: out of memory. */
char *screen_text(const struct screen *s);

#endif
