/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pieces that tables for people are made of: text that fits into its column, names cut where it
 * hurts least, styles that are nothing unless wanted.
 */
#ifndef GALLOP_RENDER_CELLS_H
#define GALLOP_RENDER_CELLS_H

#include "render/render.h"

enum {
	CELL_SZ = 1024, /* room for any cell's text */
	TABLE_W = 100, /* characters of a line, where names can be cut */
};

enum style { STYLE_NONE, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_BAD };

/* The escape sequence, or "" without opts->color. STYLE_NONE ends any other. */
const char *style(const struct render_opts *opts, enum style style);

/* Print text made safe for a terminal. */
void put_clean(FILE *out, const char *s);

/* Print a cell, padded with blanks to width at its right or left; a longer one runs over. */
void put_left(FILE *out, const char *s, size_t width);
void put_right(FILE *out, const char *s, size_t width);

/*
 * A name in at most width characters. Of a function, the inner directories of the import path go
 * first: "github.com/.../prometheus.(*Registry).Gather"; then the path; then the end of the name.
 */
void short_func(char dst[CELL_SZ], const char *name, size_t width);
void short_text(char dst[CELL_SZ], const char *text, size_t width); /* the end goes */

/*
 * What a site is called, in at most width characters: its leaf, and where that is of the standard library also the
 * first function that isn't: "fmt.Sprintf < main.orderKey". *shown_ret is the last frame named: where to look.
 */
void short_site(char dst[CELL_SZ], const struct snapshot_stack *stack, size_t width,
		const struct snapshot_frame **shown_ret);

/* "pkg.Func (file.go:12)" in at most width characters: the function is shortened, where it is in its file is not. */
void short_where(char dst[CELL_SZ], const struct snapshot_stack *stack, size_t width);

/* "stream.go:165", without directories; "" if the file is not known. */
void short_position(char dst[CELL_SZ], const struct snapshot_frame *frame, size_t width);

/*
 * All frames of a stack, leaf first, a line each behind that many blanks, positions in a column of at least
 * position_w. The only frame of a stack is left out: the line above has said it.
 */
void put_stack(FILE *out, const struct snapshot_stack *stack, size_t indent, size_t position_w);

/*
 * Words in lines of at most TABLE_W, the first of them behind a label, all others behind that many blanks. Each line is
 * in the style that on begins and off ends, both may be "".
 */
void put_wrapped(FILE *out, const char *label, size_t indent, const char *words, const char *on,
		 const char *off);

/* An empty line and the title of a table in bold; the caller ends the line. */
void put_heading(FILE *out, const struct render_opts *opts, const char *title);

/* "1 cycle", "12 cycles" */
void put_many(FILE *out, uint64_t n, const char *what);

#endif
