/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/screen.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/utf8.h"

enum { SIDE_MAX = 4096 };

/* One character as it is shown. */
struct glyph {
	char s[5];
	size_t sz; /* of the text that it came from */
	int width; /* columns: 0 (left out), 1 or 2 */
};

static int within(int n, int max)
{
	return n < 1 ? 1 : n > max ? max : n;
}

int screen_init(struct screen *s, int rows, int cols, bool ascii)
{
	*s = (struct screen){ .rows = within(rows, SIDE_MAX),
			      .cols = within(cols, SIDE_MAX),
			      .ascii = ascii };
	s->cells = calloc((size_t)s->rows * (size_t)s->cols, sizeof(s->cells[0]));
	if (!s->cells)
		return -ENOMEM;
	screen_clear(s);
	return 0;
}

void screen_deinit(struct screen *s)
{
	free(s->cells);
	*s = (struct screen){ 0 };
}

static struct screen_cell *cell_at(const struct screen *s, int row, int col)
{
	return &s->cells[(size_t)row * (size_t)s->cols + (size_t)col];
}

const struct screen_cell *screen_at(const struct screen *s, int row, int col)
{
	return cell_at(s, row, col);
}

void screen_clear(struct screen *s)
{
	for (int i = 0; i < s->rows * s->cols; i++)
		s->cells[i] = (struct screen_cell){ .s = " " };
}

static struct glyph plain(char c, size_t sz)
{
	return (struct glyph){ .s = { c }, .sz = sz, .width = 1 };
}

/* The first character of text, which isn't empty. left: its length, or as much of that as matters. */
static struct glyph next_glyph(const struct screen *s, const char *text, size_t left)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* UTF8_REPLACEMENT */
	size_t sz;
	int32_t c = utf8_decode(text, left, &sz);

	if (c >= ' ' && c <= '~')
		return plain((char)c, sz);
	if (c != UTF8_INVALID && !utf8_is_printable(c))
		return plain('?', sz);
	if (s->ascii)
		return plain('?', sz);
	struct glyph g = { .sz = sz, .width = 1 };
	if (c == UTF8_INVALID) {
		memcpy(g.s, replacement, sizeof(replacement));
		return g;
	}
	/* What the C library doesn't know the width of may move all that is right of it. */
	g.width = wcwidth((wchar_t)c);
	if (g.width < 0 || g.width > 2)
		return plain('?', sz);
	memcpy(g.s, text, sz);
	return g;
}

/* The text's characters are looked at one by one, and a sequence has 4 bytes at most. */
static size_t sequence_room(const char *text)
{
	return strnlen(text, 4);
}

int screen_width(const struct screen *s, const char *text)
{
	int width = 0;

	for (size_t room; width < SIDE_MAX && (room = sequence_room(text));) {
		struct glyph g = next_glyph(s, text, room);
		width += g.width;
		text += g.sz;
	}
	return width;
}

int screen_put(struct screen *s, int row, int col, int width, enum screen_attr attr,
	       const char *text)
{
	int used = 0;

	if (row < 0 || row >= s->rows || col < 0 || col >= s->cols)
		return 0;
	if (width > s->cols - col)
		width = s->cols - col;
	for (size_t room; (room = sequence_room(text));) {
		struct glyph g = next_glyph(s, text, room);
		if (used + g.width > width)
			break;
		text += g.sz;
		if (!g.width)
			continue;
		struct screen_cell *cell = cell_at(s, row, col + used);
		memcpy(cell->s, g.s, sizeof(g.s));
		cell->attr = (unsigned char)attr;
		if (g.width == 2)
			cell[1] = (struct screen_cell){ .s = "", .attr = (unsigned char)attr };
		used += g.width;
	}
	return used;
}

void screen_put_right(struct screen *s, int row, int col, int width, enum screen_attr attr,
		      const char *text)
{
	int pad = width - screen_width(s, text);

	if (pad < 0)
		pad = 0;
	screen_put(s, row, col + pad, width - pad, attr, text);
}

void screen_paint(struct screen *s, int row, int col, int width, enum screen_attr attr)
{
	if (row < 0 || row >= s->rows || col < 0)
		return;
	for (int i = col; i < col + width && i < s->cols; i++)
		cell_at(s, row, i)->attr = (unsigned char)attr;
}

char *screen_text(const struct screen *s)
{
	char *text = malloc((size_t)s->rows * ((size_t)s->cols * 4 + 1) + 1), *p = text;

	if (!text)
		return NULL;
	for (int row = 0; row < s->rows; row++) {
		char *end = p;
		for (int col = 0; col < s->cols; col++) {
			const char *c = screen_at(s, row, col)->s;
			p = stpcpy(p, c);
			if (*c && *c != ' ')
				end = p;
		}
		p = end;
		*p++ = '\n';
	}
	*p = '\0';
	return text;
}
