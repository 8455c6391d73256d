/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys: a character is itself, what has none is beyond Unicode. */
#ifndef GALLOP_TUI_KEYS_H
#define GALLOP_TUI_KEYS_H

enum {
	TUI_KEY_TAB = '\t',
	TUI_KEY_ENTER = '\n',
	TUI_KEY_ESC = 27,
	TUI_KEY_REDRAW = 12, /* Ctrl-L */
	TUI_KEY_CLEAR = 21, /* Ctrl-U */

	TUI_KEY_UP = 0x200000,
	TUI_KEY_DOWN,
	TUI_KEY_LEFT,
	TUI_KEY_RIGHT,
	TUI_KEY_PAGE_UP,
	TUI_KEY_PAGE_DOWN,
	TUI_KEY_HOME,
	TUI_KEY_END,
	TUI_KEY_BACKSPACE,
	TUI_KEY_BACK_TAB,
	TUI_KEY_HELP, /* F1 */
};

#endif
