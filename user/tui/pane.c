/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/pane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FOLD_INDENT = 4 };

void pane_deinit(struct pane *p)
{
	if (p->out)
		fclose(p->out);
	free(p->text);
	*p = (struct pane){ 0 };
}

FILE *pane_begin(struct pane *p)
{
	size_t top = p->top;

	pane_deinit(p);
	p->top = top;
	p->out = open_memstream(&p->text, &p->sz);
	return p->out;
}

int pane_end(struct pane *p)
{
	int rc = fclose(p->out) ? -ENOMEM : 0;

	p->out = NULL;
	return rc;
}

void pane_scroll(struct pane *p, long by)
{
	if (by < 0)
		p->top = (size_t)-by > p->top ? 0 : p->top - (size_t)-by;
	else
		p->top += (size_t)by;
}

/* The bytes of the first columns of a line, at a blank where there is one. */
static size_t fold(const struct screen *s, char *line, int cols)
{
	size_t fits = 0, blank = 0, len = strlen(line);

	if (screen_width(s, line) <= cols)
		return len;
	for (int used = 0; fits < len;) {
		size_t sz = 1;
		while ((line[fits + sz] & 0xc0) == 0x80)
			sz++;
		char next = line[fits + sz];
		line[fits + sz] = '\0';
		used += screen_width(s, line + fits);
		line[fits + sz] = next;
		if (used > cols)
			break;
		if (line[fits] == ' ' && used > FOLD_INDENT)
			blank = fits + 1;
		fits += sz;
	}
	return blank ? blank : fits ? fits : 1;
}

static void draw_line(struct pane *p, struct screen *s, char *line, int row, int height)
{
	int indent = 0;

	do {
		size_t len = fold(s, line, s->cols - indent);
		char next = line[len];
		long at = (long)p->lines_nr - (long)p->top;

		line[len] = '\0';
		if (at >= 0 && at < height)
			screen_put(s, row + (int)at, indent, s->cols, ATTR_NORMAL, line);
		line[len] = next;
		line += len;
		p->lines_nr++;
		indent = FOLD_INDENT;
	} while (*line);
}

static void draw_lines(struct pane *p, struct screen *s, int row, int height)
{
	p->lines_nr = 0;
	for (char *line = p->text; line && *line;) {
		char *end = strchrnul(line, '\n');
		char was = *end;

		*end = '\0';
		draw_line(p, s, line, row, height);
		*end = was;
		line = was ? end + 1 : end;
	}
}

void pane_draw(struct pane *p, struct screen *s, int row, int height)
{
	draw_lines(p, s, row, height);
	size_t last = p->lines_nr > (size_t)height ? p->lines_nr - (size_t)height : 0;
	if (p->top <= last)
		return;
	/* It was scrolled too far: only drawing tells how many lines there are. */
	p->top = last;
	for (int i = 0; i < height; i++)
		for (int col = 0; col < s->cols; col++)
			screen_put(s, row + i, col, 1, ATTR_NORMAL, " ");
	draw_lines(p, s, row, height);
}
