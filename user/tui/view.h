/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live view without a terminal: what is known, what the user has asked to see of it, and how a key changes that.
 *
 * Frames and keys go in, a screen comes out; what needs more than that - a file, the model, the end - is asked for by
 * what view_key() returns.
 */
#ifndef GALLOP_TUI_VIEW_H
#define GALLOP_TUI_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "tui/frame.h"
#include "tui/keys.h"
#include "tui/pane.h"
#include "tui/pattern.h"
#include "tui/screen.h"
#include "tui/series.h"
#include "tui/table.h"
#include "tui/tree.h"

enum {
	VIEW_COLS_MIN = 80,
	VIEW_ROWS_MIN = 24,
	VIEW_TEXT_SZ = 256, /* what is typed, and what is said */
};

enum view_tab { VIEW_SITES, VIEW_TYPES, VIEW_MAPS, VIEW_GC, VIEW_PROBES, VIEW_TABS };

/* What fills the screen below the tabs. */
enum view_page { VIEW_LIST, VIEW_TREE, VIEW_DETAIL, VIEW_HELP };

enum view_prompt { VIEW_NO_PROMPT, VIEW_SEARCH, VIEW_FILTER, VIEW_SAVE_AS };

/* What is wanted of whoever has the session; the screen is drawn anew after each key in any case. */
enum view_want {
	VIEW_NOTHING,
	VIEW_QUIT,
	VIEW_SAVE, /* a snapshot, to the file that is named view_typed() */
	VIEW_STACKS, /* view_show_tree() with a snapshot of whole stacks */
	VIEW_INTERVAL, /* the interval is delay_ns from now on */
	VIEW_FRAMES, /* runtime_frames is another one from the next frame on */
	VIEW_REPAINT, /* the terminal shows something else */
	VIEW_THEME, /* the next theme */
};

struct view {
	uint64_t delay_ns;
	bool runtime_frames, ascii;

	enum view_tab tab;
	enum view_page page;
	bool other[VIEW_TABS]; /* its key was pressed again: size classes, or a report */
	bool paused, cumulative, diff, follow, by_objects;
	int cols; /* of the screen that was drawn last */
	struct table tables[VIEW_TABS];
	struct pane pane; /* text: a detail, help, or the tab of probes */
	struct tree tree;

	struct frame *frame; /* NULL: there is none yet */
	struct frame *base; /* counts are from here on; NULL: from the start */
	struct frame *mark; /* what is compared with */
	struct series series;

	enum view_prompt prompt;
	char typed[VIEW_TEXT_SZ];
	struct pattern search, filter;
	char message[VIEW_TEXT_SZ]; /* "" or what the last key has to say */
	char ended[VIEW_TEXT_SZ]; /* "" or why there will be no more frames */
};

struct view_opts {
	enum snapshot_value value; /* bytes or objects */
	uint64_t delay_ns;
	bool runtime_frames, ascii;
};

/* 0 or -ENOMEM; view_deinit() in any case. */
int view_init(struct view *v, const struct view_opts *opts);
void view_deinit(struct view *v);

/* A new frame; takes both snapshots, also when it fails. 0 or -ENOMEM. */
int view_take(struct view *v, struct snapshot *interval, struct snapshot *total);

/* There will be no more: why, in words. */
void view_end(struct view *v, const char *why);

enum view_want view_key(struct view *v, int key);
const char *view_typed(const struct view *v);
void view_say(struct view *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The tree of the selected row; whole: a snapshot with stacks to their roots. 0 or -ENOMEM. */
int view_show_tree(struct view *v, const struct snapshot *whole);

void view_draw(struct view *v, struct screen *s);

/* Is the tab a text now, in place of its table? */
bool view_is_text(const struct view *v);

/* Do rows have 95 % intervals? */
bool view_is_sampled(const struct view *v);

#endif
