/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that is longer than the screen: lines, folded where they are too wide, and scrolled. */
#ifndef GALLOP_TUI_PANE_H
#define GALLOP_TUI_PANE_H

#include <stdio.h>

#include "tui/screen.h"

struct pane {
	char *text;
	size_t sz;
	FILE *out; /* while it is written */
	size_t top; /* the first line on the screen, of folded ones */
	size_t lines_nr; /* as they were drawn last */
};

void pane_deinit(struct pane *p);

/* Write a new text to what this returns, then end; NULL: out of memory. Where it is scrolled to stays. */
FILE *pane_begin(struct pane *p);
int pane_end(struct pane *p); /* 0 or -ENOMEM */

void pane_scroll(struct pane *p, long by);
void pane_draw(struct pane *p, struct screen *s, int row, int height);

#endif
