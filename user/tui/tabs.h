/* SPDX-License-Identifier: BSD-2-Clause */
/* The tabs: how each fills its table, and what it says beside that. */
#ifndef GALLOP_TUI_TABS_H
#define GALLOP_TUI_TABS_H

#include <stdio.h>

#include "tui/view.h"

struct tab {
	const char *label;
	/* Fill the view's table of this tab; NULL: the tab is text. 0 or -ENOMEM. */
	int (*build)(struct view *v);
	/* Lines above the table, so many at most; or all of a tab that is text. */
	void (*say)(const struct view *v, FILE *out);
	int said_max;
	/* What is shown instead of the table when the tab's key is pressed again; NULL: other rows, or nothing. */
	void (*report)(const struct view *v, FILE *out);
	/* What Enter tells of the selected row; NULL: it opens the tree of its stacks. */
	void (*tell)(const struct view *v, const struct table_row *row, FILE *out);
};

extern const struct tab tabs[VIEW_TABS];

int sites_build(struct view *v);
int types_build(struct view *v);
void alloc_say(const struct view *v, FILE *out);
/* What a row of these two is, for its tree; its texts last as long as the frame does. */
struct frame_entry alloc_entry(const struct view *v, const struct table_row *row);

int maps_build(struct view *v);
void maps_say(const struct view *v, FILE *out);
void maps_report(const struct view *v, FILE *out);
void maps_tell(const struct view *v, const struct table_row *row, FILE *out);

int gc_build(struct view *v);
void gc_say(const struct view *v, FILE *out);
void gc_report(const struct view *v, FILE *out);
void gc_tell(const struct view *v, const struct table_row *row, FILE *out);

void probes_say(const struct view *v, FILE *out);

/* The tables as they are before there are any rows. */
extern const struct table_kind sites_kind, types_kind, maps_kind, gc_kind;

/* The five lines at the top. */
enum { HEADER_H = 5 };
void header_draw(const struct view *v, struct screen *s);

void help_say(FILE *out);

#endif
