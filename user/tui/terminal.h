/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal: its keys, its size, its colours; the only user of ncurses.
 *
 * However the program ends, the terminal is as it was before: closing it does that, and so does a handler for what ends
 * the program without a word (a second Ctrl-C, a crash).
 */
#ifndef GALLOP_TUI_TERMINAL_H
#define GALLOP_TUI_TERMINAL_H

#include <stdbool.h>

#include "base/err.h"
#include "tui/screen.h"

struct terminal;

/* In the order of --theme's words; the first is the default. */
enum terminal_theme { THEME_DARK, THEME_LIGHT, THEME_MONO, THEME_256, THEME_NR };

enum terminal_kind {
	TERMINAL_NOTHING, /* no more for now */
	TERMINAL_KEY, /* key: a character, or TUI_KEY_* */
	TERMINAL_RESIZED,
	TERMINAL_REPAINT, /* the terminal may show something else: after Ctrl-Z and fg */
	TERMINAL_LOST, /* there is nobody there any more */
	TERMINAL_STOP, /* SIGINT, SIGTERM or SIGHUP, after terminal_take_signals() */
};

struct terminal_event {
	enum terminal_kind kind;
	int key;
};

/* Could standard input and output be used? Both must be a terminal that can do more than print, and is known. */
bool terminal_is_there(void);

/*
 * Begin. no_color: none, whatever the theme. -ENOTSUP if nothing is known of this kind of terminal; nothing has
 * happened then.
 */
int terminal_open(enum terminal_theme theme, bool no_color, struct terminal **ret, struct err *err);
void terminal_close(struct terminal *t); /* NULL is fine */

/* Readable when there is an event, or a part of one. */
int terminal_fd(const struct terminal *t);
struct terminal_event terminal_next(struct terminal *t);

/* From now on the signals that end a program are events, for when nobody else waits for them. */
int terminal_take_signals(struct terminal *t, struct err *err);

/* Is there nobody any more who would see it? */
bool terminal_is_lost(void);

/* No other characters than ASCII, by the locale? */
bool terminal_is_ascii(const struct terminal *t);
void terminal_size(const struct terminal *t, int *rows, int *cols);

/* What has changed; all is drawn anew if it is to be. */
void terminal_paint(struct terminal *t, const struct screen *s, bool anew);

/* The next theme that this terminal can show: its name. */
const char *terminal_next_theme(struct terminal *t);

#endif
