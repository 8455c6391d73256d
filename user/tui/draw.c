/* SPDX-License-Identifier: BSD-2-Clause */
/* What the view looks like: the header, the tabs, a table, a tree or a text, and a line for words at the bottom. */
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "tui/tabs.h"
#include "tui/view.h"

/* Of which time the table is: a baseline and a mark are of allocations, and cycles are told one by one. */
static void span_words(const struct view *v, char *dst, size_t sz)
{
	bool is_alloc = v->tab == VIEW_SITES || v->tab == VIEW_TYPES;
	bool is_maps_report = v->tab == VIEW_MAPS && view_is_text(v);
	uint64_t ns = 0;

	*dst = '\0';
	if (!v->frame || (!is_alloc && v->tab != VIEW_MAPS))
		return;
	const struct snapshot *all = frame_snapshot(v->frame, FRAME_TOTAL);
	if (is_alloc && v->diff && v->mark) {
		ns = all->to_mono_ns - frame_snapshot(v->mark, FRAME_TOTAL)->to_mono_ns;
		snprintf(dst, sz, "change since the mark, %s ago", fmt_duration(ns).s);
	} else if (is_alloc && v->cumulative && v->base) {
		ns = all->to_mono_ns - frame_snapshot(v->base, FRAME_TOTAL)->to_mono_ns;
		snprintf(dst, sz, "since the baseline, %s", fmt_duration(ns).s);
	} else if (v->cumulative || is_maps_report) {
		snprintf(dst, sz, "since the start, %s",
			 fmt_duration(frame_dur_ns(v->frame, FRAME_TOTAL)).s);
	} else {
		snprintf(dst, sz, "last %s",
			 fmt_duration(frame_dur_ns(v->frame, FRAME_INTERVAL)).s);
	}
}

static void draw_tabs(const struct view *v, struct screen *s, int row)
{
	char words[128];
	int col = 0;

	for (int i = 0; i < VIEW_TABS; i++) {
		char label[32];
		/* Brackets tell it without colours, too. */
		snprintf(label, sizeof(label), i == (int)v->tab ? "[%d %s]" : " %d %s ", i + 1,
			 tabs[i].label);
		col += screen_put(s, row, col, s->cols, i == (int)v->tab ? ATTR_TAB : ATTR_NORMAL,
				  label);
	}
	span_words(v, words, sizeof(words));
	screen_put_right(s, row, col + 1, s->cols - col - 1, v->paused ? ATTR_BANNER : ATTR_DIM,
			 v->paused ? "PAUSED" : words);
}

/* Returns how many lines it took. */
static int draw_said(const struct view *v, struct screen *s, int row)
{
	struct pane said = { 0 };
	const struct tab *tab = &tabs[v->tab];
	FILE *out = pane_begin(&said);
	int lines = 0;

	if (!out)
		return 0;
	tab->say(v, out);
	if (!pane_end(&said)) {
		pane_draw(&said, s, row, tab->said_max);
		lines = said.lines_nr < (size_t)tab->said_max ? (int)said.lines_nr : tab->said_max;
	}
	pane_deinit(&said);
	return lines;
}

static void draw_body(struct view *v, struct screen *s, int row, int height)
{
	if (v->page == VIEW_HELP || v->page == VIEW_DETAIL) {
		pane_draw(&v->pane, s, row, height);
		return;
	}
	if (!v->frame)
		return;
	if (v->page == VIEW_TREE) {
		tree_draw(&v->tree, s, row, height);
		return;
	}
	if (view_is_text(v)) {
		pane_draw(&v->pane, s, row, height);
		return;
	}
	int said = draw_said(v, s, row);
	table_draw(&v->tables[v->tab], v, s, row + said, height - said, view_is_sampled(v));
}

static void draw_prompt(const struct view *v, struct screen *s, int row)
{
	static const char *const labels[] = {
		[VIEW_SEARCH] = "search: ",
		[VIEW_FILTER] = "show only (!: all but): ",
		[VIEW_SAVE_AS] = "save to (.txt .json .folded ...): ",
	};
	int col = screen_put(s, row, 0, s->cols, ATTR_BOLD, labels[v->prompt]);
	int width = screen_width(s, v->typed), room = s->cols - col - 2;
	const char *text = v->typed;

	/* Of a long one the end, where it is typed on. */
	for (; width > room; text++)
		width = screen_width(s, text);
	col += screen_put(s, row, col, room, ATTR_NORMAL, text);
	screen_put(s, row, col, 1, ATTR_SELECTED, "_");
}

static const char *hints(const struct view *v)
{
	if (v->page == VIEW_TREE)
		return "Enter open/close  i invert  Esc back  ? help";
	if (v->page != VIEW_LIST)
		return "Esc back";
	if (*v->filter.text || v->follow)
		return "? help  q quit";
	return "? help  q quit  Enter stacks  / search  f filter  < > sort";
}

static void draw_foot(const struct view *v, struct screen *s, int row)
{
	const struct table *t = &v->tables[v->tab];
	char words[CELL_SZ];

	if (v->prompt) {
		draw_prompt(v, s, row);
		return;
	}
	if (*v->message) {
		screen_put(s, row, 0, s->cols, ATTR_BOLD, v->message);
		return;
	}
	if (*v->ended) {
		snprintf(words, sizeof(words), " %s; q quits ", v->ended);
		screen_put(s, row, 0, s->cols, ATTR_BANNER, words);
		return;
	}
	bool is_list = v->page == VIEW_LIST && !view_is_text(v) && v->frame;
	screen_put(s, row, 0, s->cols, ATTR_DIM, hints(v));
	if (!is_list)
		return;
	snprintf(words, sizeof(words), "%s%s of %s", v->follow ? "following, " : "",
		 fmt_count(t->rows_nr ? t->selected + 1 : 0).s, fmt_count(t->rows_nr).s);
	size_t len = strlen(words);
	if (*v->filter.text)
		snprintf(words + len, sizeof(words) - len, ", of %s filtered: %.40s",
			 fmt_count(t->all_nr).s, v->filter.text);
	int width = screen_width(s, words);
	screen_put_right(s, row, s->cols - width, width, ATTR_NORMAL, words);
}

void view_draw(struct view *v, struct screen *s)
{
	screen_clear(s);
	v->cols = s->cols;
	if (s->cols < VIEW_COLS_MIN || s->rows < VIEW_ROWS_MIN) {
		char words[128];
		snprintf(words, sizeof(words), "needs %dx%d: %dx%d is too small", VIEW_COLS_MIN,
			 VIEW_ROWS_MIN, s->cols, s->rows);
		screen_put(s, 0, 0, s->cols, ATTR_NORMAL, words);
		return;
	}
	header_draw(v, s);
	draw_tabs(v, s, HEADER_H);
	draw_body(v, s, HEADER_H + 1, s->rows - HEADER_H - 2);
	draw_foot(v, s, s->rows - 1);
}
