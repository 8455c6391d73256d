/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#define NCURSES_WIDECHAR 1
#include <ncurses.h>
#include <term.h>

#include "base/cleanup.h"
#include "tui/keys.h"

enum {
	ESC_DELAY_MS = 25,
	RESTORE_SZ = 256,
	COLORS_256 = 256,
	SIDE_MAX = 1000, /* of a terminal that says it has 65535, too: cells are memory and time */
};

struct terminal {
	SCREEN *screen;
	enum terminal_theme theme;
	bool no_color, ascii;
	bool ends; /* signals that end the program are events, too */
	int epoll_fd, signal_fd;
	sigset_t old_mask;
};

/* --- however it ends ------------------------------------------------------------------------------ */

/*
 * A handler has no other way to know what to put back: all of it is written before the handler is there, and isn't
 * changed while it is.
 */
static struct {
	struct termios modes;
	char text[RESTORE_SZ]; /* leaves the other screen, shows the cursor, ends colours */
	size_t text_sz;
} before;

static const int fatal_signals[] = { SIGINT, SIGTERM, SIGQUIT, SIGSEGV, SIGBUS,
				     SIGFPE, SIGILL,  SIGABRT, SIGSYS };
enum { FATAL_NR = sizeof(fatal_signals) / sizeof(fatal_signals[0]) };

/* Only what may be called in a handler. The signal then does what it would have done. */
static void put_back_and_die(int sig)
{
	ssize_t ignored = write(STDOUT_FILENO, before.text, before.text_sz);

	(void)ignored;
	tcsetattr(STDIN_FILENO, TCSANOW, &before.modes);
	raise(sig); /* SA_RESETHAND: the default now */
}

static void add_restoring(const char *capability)
{
	const char *text = tigetstr(capability);

	if (!text || text == (char *)-1 || before.text_sz + strlen(text) > RESTORE_SZ)
		return;
	/* "$<2>" is how long a terminal of the seventies needs for it, and isn't for the terminal. */
	while (*text) {
		const char *delay_end = strncmp(text, "$<", 2) ? NULL : strchr(text, '>');
		if (delay_end)
			text = delay_end + 1;
		else
			before.text[before.text_sz++] = *text++;
	}
}

static void catch_fatal_signals(void)
{
	struct sigaction action = { .sa_handler = put_back_and_die, .sa_flags = SA_RESETHAND };

	before.text_sz = 0;
	add_restoring("sgr0");
	add_restoring("cnorm");
	add_restoring("rmkx");
	add_restoring("rmcup");
	for (int i = 0; i < FATAL_NR; i++)
		sigaction(fatal_signals[i], &action, NULL);
}

static void release_fatal_signals(void)
{
	for (int i = 0; i < FATAL_NR; i++)
		signal(fatal_signals[i], SIG_DFL);
}

/* --- themes --------------------------------------------------------------------------------------- */

struct look {
	attr_t attr;
	short fg, bg; /* -1: the terminal's own */
};

#define PLAIN -1, -1

static const struct look looks[THEME_NR][ATTR_NR] = {
	[THEME_MONO] = {
		[ATTR_NORMAL] = { A_NORMAL, PLAIN },
		[ATTR_DIM] = { A_NORMAL, PLAIN },
		[ATTR_BOLD] = { A_BOLD, PLAIN },
		[ATTR_HEAD] = { A_UNDERLINE, PLAIN },
		[ATTR_SORTED] = { A_UNDERLINE | A_BOLD, PLAIN },
		[ATTR_SELECTED] = { A_REVERSE, PLAIN },
		[ATTR_TAB] = { A_BOLD, PLAIN },
		[ATTR_GOOD] = { A_NORMAL, PLAIN },
		[ATTR_BAD] = { A_BOLD, PLAIN },
		[ATTR_BANNER] = { A_REVERSE | A_BOLD, PLAIN },
		[ATTR_GRAPH] = { A_NORMAL, PLAIN },
		[ATTR_CYCLE] = { A_UNDERLINE, PLAIN },
	},
	[THEME_DARK] = {
		[ATTR_NORMAL] = { A_NORMAL, PLAIN },
		[ATTR_DIM] = { A_NORMAL, COLOR_CYAN, -1 },
		[ATTR_BOLD] = { A_BOLD, PLAIN },
		[ATTR_HEAD] = { A_REVERSE, COLOR_CYAN, -1 },
		[ATTR_SORTED] = { A_REVERSE | A_BOLD, COLOR_GREEN, -1 },
		[ATTR_SELECTED] = { A_REVERSE, PLAIN },
		[ATTR_TAB] = { A_REVERSE | A_BOLD, COLOR_GREEN, -1 },
		[ATTR_GOOD] = { A_NORMAL, COLOR_GREEN, -1 },
		[ATTR_BAD] = { A_BOLD, COLOR_RED, -1 },
		[ATTR_BANNER] = { A_REVERSE | A_BOLD, COLOR_YELLOW, -1 },
		[ATTR_GRAPH] = { A_NORMAL, COLOR_GREEN, -1 },
		[ATTR_CYCLE] = { A_UNDERLINE, COLOR_GREEN, -1 },
	},
	[THEME_LIGHT] = {
		[ATTR_NORMAL] = { A_NORMAL, PLAIN },
		[ATTR_DIM] = { A_NORMAL, COLOR_BLUE, -1 },
		[ATTR_BOLD] = { A_BOLD, PLAIN },
		[ATTR_HEAD] = { A_NORMAL, COLOR_WHITE, COLOR_BLUE },
		[ATTR_SORTED] = { A_BOLD, COLOR_WHITE, COLOR_MAGENTA },
		[ATTR_SELECTED] = { A_REVERSE, PLAIN },
		[ATTR_TAB] = { A_BOLD, COLOR_WHITE, COLOR_MAGENTA },
		[ATTR_GOOD] = { A_NORMAL, COLOR_BLUE, -1 },
		[ATTR_BAD] = { A_BOLD, COLOR_RED, -1 },
		[ATTR_BANNER] = { A_BOLD, COLOR_WHITE, COLOR_RED },
		[ATTR_GRAPH] = { A_NORMAL, COLOR_BLUE, -1 },
		[ATTR_CYCLE] = { A_UNDERLINE, COLOR_BLUE, -1 },
	},
	[THEME_256] = {
		[ATTR_NORMAL] = { A_NORMAL, PLAIN },
		[ATTR_DIM] = { A_NORMAL, 109, -1 },
		[ATTR_BOLD] = { A_BOLD, PLAIN },
		[ATTR_HEAD] = { A_NORMAL, 16, 109 },
		[ATTR_SORTED] = { A_BOLD, 16, 150 },
		[ATTR_SELECTED] = { A_NORMAL, 231, 60 },
		[ATTR_TAB] = { A_BOLD, 16, 150 },
		[ATTR_GOOD] = { A_NORMAL, 150, -1 },
		[ATTR_BAD] = { A_BOLD, 203, -1 },
		[ATTR_BANNER] = { A_BOLD, 16, 222 },
		[ATTR_GRAPH] = { A_NORMAL, 150, -1 },
		[ATTR_CYCLE] = { A_UNDERLINE, 150, -1 },
	},
};

static bool can_show(const struct terminal *t, enum terminal_theme theme)
{
	if (theme == THEME_MONO)
		return true;
	return !t->no_color && has_colors() && (theme != THEME_256 || COLORS >= COLORS_256);
}

static void set_theme(struct terminal *t, enum terminal_theme theme)
{
	t->theme = can_show(t, theme) ? theme : can_show(t, THEME_DARK) ? THEME_DARK : THEME_MONO;
	if (t->theme == THEME_MONO)
		return;
	for (short i = 0; i < ATTR_NR; i++)
		init_pair(i + 1, looks[t->theme][i].fg, looks[t->theme][i].bg);
}

const char *terminal_next_theme(struct terminal *t)
{
	static const char *const names[] = { "dark", "light", "mono", "256" };
	enum terminal_theme theme = t->theme;

	do
		theme = (theme + 1) % THEME_NR;
	while (!can_show(t, theme));
	set_theme(t, theme);
	return names[t->theme];
}

static void set_look(const struct terminal *t, unsigned attr)
{
	const struct look *look = &looks[t->theme][attr];

	attr_set(look->attr, t->theme == THEME_MONO ? 0 : (short)(attr + 1), NULL);
}

/* --- beginning and end ---------------------------------------------------------------------------- */

bool terminal_is_there(void)
{
	const char *term = getenv("TERM");
	int known;

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term &&
	       strcmp(term, "dumb") != 0 && setupterm(NULL, STDOUT_FILENO, &known) == OK;
}

static int watch(struct terminal *t, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return fd < 0 || epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static const int own_signals[] = { SIGWINCH, SIGTSTP, SIGCONT };
enum { OWN_NR = sizeof(own_signals) / sizeof(own_signals[0]) };

static int open_events(struct terminal *t, struct err *err)
{
	sigset_t mask;

	sigemptyset(&mask);
	for (int i = 0; i < OWN_NR; i++)
		sigaddset(&mask, own_signals[i]);
	sigprocmask(SIG_BLOCK, &mask, &t->old_mask);
	t->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (watch(t, STDIN_FILENO) || watch(t, t->signal_fd))
		return err_set(err, -errno, "cannot watch the terminal: %s", strerror(errno));
	return 0;
}

static void set_modes(void)
{
	cbreak(); /* Ctrl-C and Ctrl-Z stay signals */
	noecho();
	nonl(); /* Enter and Ctrl-J apart, faster ways of the cursor */
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESC_DELAY_MS);
	curs_set(0);
}

/* 0 where it isn't known. */
static struct winsize window_size(void)
{
	struct winsize size = { 0 };

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	size.ws_row = size.ws_row < SIDE_MAX ? size.ws_row : SIDE_MAX;
	size.ws_col = size.ws_col < SIDE_MAX ? size.ws_col : SIDE_MAX;
	return size;
}

/* As newterm(), which asks the terminal for its size and believes it; what is in the environment goes first. */
static SCREEN *new_screen(void)
{
	struct winsize size = window_size();
	bool is_huge = size.ws_row == SIDE_MAX || size.ws_col == SIDE_MAX;
	char text[16];

	if (!is_huge)
		return newterm(NULL, stdout, stdin);
	snprintf(text, sizeof(text), "%u", size.ws_row);
	setenv("LINES", text, 1);
	snprintf(text, sizeof(text), "%u", size.ws_col);
	setenv("COLUMNS", text, 1);
	SCREEN *screen = newterm(NULL, stdout, stdin);
	unsetenv("LINES");
	unsetenv("COLUMNS");
	return screen;
}

int terminal_open(enum terminal_theme theme, bool no_color, struct terminal **ret, struct err *err)
{
	struct terminal *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(err, -ENOMEM, "out of memory");
	t->no_color = no_color;
	t->epoll_fd = t->signal_fd = -1;
	setlocale(LC_CTYPE, "");
	t->ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	tcgetattr(STDIN_FILENO, &before.modes);
	t->screen = new_screen();
	if (!t->screen) {
		free(t);
		return err_set(err, -ENOTSUP, "nothing is known of terminals of the kind '%s'",
			       getenv("TERM"));
	}
	catch_fatal_signals();
	signal(SIGTSTP, SIG_DFL); /* ncurses' own would stop us in the middle of something */
	if (!no_color && has_colors()) {
		start_color();
		use_default_colors();
	}
	set_theme(t, theme);
	set_modes();
	int rc = open_events(t, err);
	if (rc) {
		terminal_close(t);
		return rc;
	}
	*ret = t;
	return 0;
}

/* No others: which of them end the program at once is the session's to say, and it may have said so since. */
static void unblock_own(const struct terminal *t)
{
	sigset_t mask;

	sigemptyset(&mask);
	for (int i = 0; i < OWN_NR; i++)
		if (!sigismember(&t->old_mask, own_signals[i]))
			sigaddset(&mask, own_signals[i]);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

void terminal_close(struct terminal *t)
{
	if (!t)
		return;
	endwin();
	delscreen(t->screen);
	release_fatal_signals();
	cleanup_close(&t->epoll_fd);
	if (t->signal_fd >= 0) {
		struct signalfd_siginfo info;
		/* What came while the screen was taken down isn't for what comes now. */
		while (read(t->signal_fd, &info, sizeof(info)) == sizeof(info))
			;
		close(t->signal_fd);
		unblock_own(t);
	}
	free(t);
}

int terminal_take_signals(struct terminal *t, struct err *err)
{
	sigset_t mask, blocked;

	sigprocmask(SIG_BLOCK, NULL, &blocked);
	sigemptyset(&mask);
	for (int i = 0; i < OWN_NR; i++)
		sigaddset(&mask, own_signals[i]);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	/* Under nohup it is ignored, and isn't blocked: it stays so. */
	if (sigismember(&blocked, SIGHUP))
		sigaddset(&mask, SIGHUP);
	t->ends = true;
	if (signalfd(t->signal_fd, &mask, 0) < 0)
		return err_set(err, -errno, "cannot wait for signals: %s", strerror(errno));
	return 0;
}

/* --- events --------------------------------------------------------------------------------------- */

int terminal_fd(const struct terminal *t)
{
	return t->epoll_fd;
}

bool terminal_is_ascii(const struct terminal *t)
{
	return t->ascii;
}

void terminal_size(const struct terminal *t, int *rows, int *cols)
{
	(void)t;
	*rows = LINES < SIDE_MAX ? LINES : SIDE_MAX;
	*cols = COLS < SIDE_MAX ? COLS : SIDE_MAX;
}

/* The screen that was before, until somebody says go on. */
static void stop_here(void)
{
	sigset_t stop, old;

	def_prog_mode();
	endwin();
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, &old); /* here it stops */
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void resize(void)
{
	struct winsize size = window_size();

	if (size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
}

/* Whoever had the terminal meanwhile may have left it in any state, and of another size. */
static void come_back(void)
{
	reset_prog_mode();
	resize();
	set_modes();
	clearok(curscr, TRUE);
}

static struct terminal_event signal_event(int sig)
{
	switch (sig) {
	case SIGTSTP:
		stop_here();
		come_back();
		return (struct terminal_event){ .kind = TERMINAL_REPAINT };
	case SIGCONT:
		come_back();
		return (struct terminal_event){ .kind = TERMINAL_REPAINT };
	case SIGWINCH:
		resize();
		return (struct terminal_event){ .kind = TERMINAL_RESIZED };
	default:
		return (struct terminal_event){ .kind = TERMINAL_STOP };
	}
}

static int key_of(wint_t code, bool is_special)
{
	static const struct {
		wint_t code;
		int key;
	} special[] = {
		{ KEY_UP, TUI_KEY_UP },
		{ KEY_DOWN, TUI_KEY_DOWN },
		{ KEY_LEFT, TUI_KEY_LEFT },
		{ KEY_RIGHT, TUI_KEY_RIGHT },
		{ KEY_PPAGE, TUI_KEY_PAGE_UP },
		{ KEY_NPAGE, TUI_KEY_PAGE_DOWN },
		{ KEY_HOME, TUI_KEY_HOME },
		{ KEY_END, TUI_KEY_END },
		{ KEY_BACKSPACE, TUI_KEY_BACKSPACE },
		{ KEY_BTAB, TUI_KEY_BACK_TAB },
		{ KEY_ENTER, TUI_KEY_ENTER },
		{ KEY_F(1), TUI_KEY_HELP },
	};

	if (!is_special)
		return code == '\r'		      ? TUI_KEY_ENTER
		       : code == 0x7f || code == '\b' ? TUI_KEY_BACKSPACE
						      : (int)code;
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (special[i].code == code)
			return special[i].key;
	return 0; /* one that means nothing here */
}

bool terminal_is_lost(void)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&fd, 1, 0) > 0 && (fd.revents & (POLLHUP | POLLERR | POLLNVAL));
}

struct terminal_event terminal_next(struct terminal *t)
{
	struct signalfd_siginfo info;
	wint_t code;

	if (read(t->signal_fd, &info, sizeof(info)) == sizeof(info))
		return signal_event((int)info.ssi_signo);
	if (terminal_is_lost())
		return (struct terminal_event){ .kind = TERMINAL_LOST };
	int rc = get_wch(&code);
	if (rc == ERR)
		return (struct terminal_event){ .kind = TERMINAL_NOTHING };
	return (struct terminal_event){ .kind = TERMINAL_KEY,
					.key = key_of(code, rc == KEY_CODE_YES) };
}

/* --- painting ------------------------------------------------------------------------------------- */

/* Cells of one meaning at a time; the right half of a wide character has no text. */
static void paint_row(struct terminal *t, const struct screen *s, int row)
{
	char run[5 * 256];
	int col = 0;

	while (col < s->cols) {
		unsigned char attr = screen_at(s, row, col)->attr;
		int from = col;
		char *p = run;

		for (; col < s->cols && screen_at(s, row, col)->attr == attr &&
		       p < run + sizeof(run) - 5;
		     col++)
			p = stpcpy(p, screen_at(s, row, col)->s);
		*p = '\0';
		set_look(t, attr);
		mvaddstr(row, from, run);
	}
}

void terminal_paint(struct terminal *t, const struct screen *s, bool anew)
{
	if (anew)
		clearok(curscr, TRUE);
	for (int row = 0; row < s->rows && row < LINES; row++)
		paint_row(t, s, row);
	refresh();
}
