/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live view: between a session, which has the numbers, the view, which knows what is to be seen of them, and the
 * terminal.
 *
 * Numbers come at the end of each interval, keys act at once on those that are there. When the target ends the view
 * stays until it is quit; then, and after all other ends, the screen is as it was before and a summary is printed.
 */
#include "cmd/top_screen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/owner.h"
#include "cmd/live.h"
#include "model/model.h"
#include "render/render.h"
#include "tui/terminal.h"
#include "tui/view.h"

enum {
	FIRST_MS =
		100, /* the first interval: numbers are on the screen within a second of the command */
	MS = 1000 * 1000,
	SUMMARY_ROWS = 5,
};

struct top_screen {
	const struct options *opts;
	struct session *session; /* borrowed */
	struct terminal *terminal; /* NULL: not begun, or ended */
	struct screen screen;
	struct view view;
	struct snapshot_cache *cache; /* of frames */
	bool quit;
	char log[PATH_MAX]; /* where what COMMAND prints goes; "": there is none */
};

bool top_screen_is_possible(void)
{
	return terminal_is_there();
}

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/* --- the screen ----------------------------------------------------------------------------------- */

/* 0 or -ENOMEM. */
static int fit_screen(struct top_screen *t)
{
	int rows, cols;

	terminal_size(t->terminal, &rows, &cols);
	if (t->screen.cells && t->screen.rows == rows && t->screen.cols == cols)
		return 0;
	screen_deinit(&t->screen);
	return screen_init(&t->screen, rows, cols, t->view.ascii);
}

static int draw(struct top_screen *t, bool anew, struct err *err)
{
	if (fit_screen(t))
		return out_of_memory(err);
	view_draw(&t->view, &t->screen);
	terminal_paint(t->terminal, &t->screen, anew);
	return 0;
}

/* --- what keys want --------------------------------------------------------------------------------- */

static int take_snapshot(const struct top_screen *t, bool interval, bool places,
			 struct snapshot **ret)
{
	const struct snapshot_opts opts = { .interval = interval,
					    .places = places,
					    .runtime_frames = t->view.runtime_frames,
					    .sort = t->opts->value,
					    .cache = places ? t->cache : NULL };

	return snapshot_new(session_model(t->session), &opts, ret);
}

/* A device or a pipe could be this terminal, or take for ever. */
static bool is_file(const char *path)
{
	struct stat st;

	return strcmp(path, "-") != 0 && (stat(path, &st) || S_ISREG(st.st_mode));
}

static void save(struct top_screen *t)
{
	struct options opts = *t->opts;
	struct snapshot *s = NULL;
	struct err err = { 0 };

	opts.output = view_typed(&t->view);
	if (!is_file(opts.output)) {
		view_say(&t->view, "not saved: '%.200s' is no regular file", opts.output);
		return;
	}
	const struct renderer *renderer = choose_renderer(&opts, &err);
	/* Tables have a row for each place, all else has whole stacks. */
	if (renderer && take_snapshot(t, false, !strcmp(renderer->name, "text"), &s))
		out_of_memory(&err);
	if (s && !render_output(renderer, s, &opts, &err))
		view_say(&t->view, "saved all since the start as %s: %.150s", renderer->name,
			 opts.output);
	else
		view_say(&t->view, "not saved: %.200s", err.msg);
	snapshot_free(s);
}

static void show_tree(struct top_screen *t)
{
	struct snapshot *whole = NULL;

	if (take_snapshot(t, false, false, &whole) || view_show_tree(&t->view, whole))
		view_say(&t->view, "out of memory: the tree isn't shown");
	snapshot_free(whole);
}

/* True if all is to be painted anew. */
static bool act(struct top_screen *t, int key)
{
	switch (view_key(&t->view, key)) {
	case VIEW_QUIT:
		t->quit = true;
		break;
	case VIEW_SAVE:
		save(t);
		break;
	case VIEW_STACKS:
		show_tree(t);
		break;
	case VIEW_INTERVAL:
		session_set_interval(t->session, t->view.delay_ns);
		break;
	case VIEW_THEME:
		view_say(&t->view, "theme: %s", terminal_next_theme(t->terminal));
		return true;
	case VIEW_REPAINT:
		return true;
	case VIEW_FRAMES:
	case VIEW_NOTHING:
		break;
	}
	return false;
}

/* All that is there to be read, then one picture. 0 or a failure; t->quit says if it is over. */
static int take_input(struct top_screen *t, struct err *err)
{
	bool anew = false;

	for (;;) {
		struct terminal_event event = terminal_next(t->terminal);

		if (event.kind == TERMINAL_NOTHING)
			break;
		if (event.kind == TERMINAL_LOST || event.kind == TERMINAL_STOP) {
			t->quit = true;
			return 0;
		}
		anew |= event.kind == TERMINAL_KEY ? act(t, event.key) : true;
	}
	return t->quit ? 0 : draw(t, anew, err);
}

/* --- the session ------------------------------------------------------------------------------------ */

static int on_start(struct session *s, void *ctx, struct err *err)
{
	struct top_screen *t = ctx;
	const uint64_t first_ns = (uint64_t)FIRST_MS * MS;
	int rc = terminal_open(t->opts->theme, !t->opts->color, &t->terminal, err);

	if (rc)
		return rc;
	t->session = s;
	const struct view_opts opts = { .value = t->opts->value,
					.delay_ns = t->opts->delay_ns,
					.runtime_frames = t->opts->runtime_frames,
					.ascii = terminal_is_ascii(t->terminal) };
	if (view_init(&t->view, &opts))
		return out_of_memory(err);
	if (t->view.delay_ns > first_ns)
		session_set_interval(s, first_ns);
	rc = session_watch(s, terminal_fd(t->terminal), err);
	if (!rc)
		rc = draw(t, true, err);
	return rc ? rc : live_say_ready(t->opts, err);
}

static int on_input(struct session *s, void *ctx, struct err *err)
{
	struct top_screen *t = ctx;

	(void)s;
	int rc = take_input(t, err);
	return rc ? rc : t->quit;
}

static int take_frame(struct top_screen *t, struct err *err)
{
	struct snapshot *interval = NULL, *total = NULL;

	/* All the time first: the interval then finds all that it shows in the cache. */
	if (take_snapshot(t, false, true, &total) || take_snapshot(t, true, true, &interval)) {
		snapshot_free(total);
		return out_of_memory(err);
	}
	return view_take(&t->view, interval, total) ? out_of_memory(err) : 0;
}

/* The target has ended: what was last is there to be looked at until somebody has seen enough. */
static int hold(struct top_screen *t, const char *why, struct err *err)
{
	struct pollfd fd = { .fd = terminal_fd(t->terminal), .events = POLLIN };
	int rc = terminal_take_signals(t->terminal, err);

	if (t->opts->argv && !strcmp(why, "target exited")) {
		char words[VIEW_TEXT_SZ];
		snprintf(words, sizeof(words), "target exited (status %d)",
			 session_exit_status(t->session));
		view_end(&t->view, words);
	} else {
		view_end(&t->view, why);
	}
	if (!rc)
		rc = draw(t, false, err);
	while (!rc && !t->quit)
		if (poll(&fd, 1, -1) > 0)
			rc = take_input(t, err);
	return rc;
}

static void close_screen(struct top_screen *t)
{
	terminal_close(t->terminal);
	t->terminal = NULL;
	screen_deinit(&t->screen);
}

static int print_summary(const struct top_screen *t, struct err *err)
{
	const struct render_opts opts = { .value = t->opts->value,
					  .top_nr = SUMMARY_ROWS,
					  .color = t->opts->color };
	struct snapshot *s;

	if (take_snapshot(t, false, true, &s))
		return out_of_memory(err);
	int rc = renderer_find("text")->render(stdout, s, &opts);
	snapshot_free(s);
	return rc ? err_set(err, rc, "cannot write standard output: %s", strerror(-rc)) : 0;
}

static int end(struct top_screen *t, const char *reason, struct err *err)
{
	int rc = 0;

	if (!t->quit && !strncmp(reason, "target", strlen("target")))
		rc = hold(t, reason, err);
	bool is_lost = terminal_is_lost();
	close_screen(t);
	/* There is nobody to print to. */
	if (rc || is_lost)
		return rc;
	rc = print_summary(t, err);
	if (!rc && t->quit && t->opts->argv)
		talk("%s (pid %d) goes on, and gallop ends with it; Ctrl-C ends both",
		     t->opts->argv[0], model_meta(session_model(t->session))->pid);
	return rc;
}

static int on_interval(struct session *s, uint64_t from_ns, uint64_t to_ns, void *ctx,
		       struct err *err)
{
	struct top_screen *t = ctx;
	const char *reason = model_meta(session_model(s))->end_reason;
	int rc = 0;

	session_set_interval(s, t->view.delay_ns);
	/* The last piece of an interval may hold next to nothing: what is left to look at is all of it. */
	if (*reason && to_ns - from_ns < t->view.delay_ns / 2)
		t->view.cumulative = true;
	if (!t->view.paused || *reason)
		rc = take_frame(t, err);
	if (!rc)
		rc = draw(t, false, err);
	if (!rc && *reason)
		rc = end(t, reason, err);
	return rc;
}

/* What a command prints would be all over the screen. 0 or -errno. */
static int open_log(struct top_screen *t, struct options *live, struct err *err)
{
	const char *dir = getenv("TMPDIR");

	snprintf(t->log, sizeof(t->log), "%s/gallop-top.XXXXXX", dir && *dir ? dir : "/tmp");
	live->child_output = mkostemp(t->log, O_CLOEXEC | O_APPEND);
	if (live->child_output >= 0) {
		owner_give(live->child_output);
		return 0;
	}
	err_set(err, -errno, "cannot make '%s' for what the command prints: %s", t->log,
		strerror(errno));
	t->log[0] = '\0';
	return err->code;
}

/* One that is empty is none. */
static void close_log(struct top_screen *t, int fd)
{
	struct stat st;

	if (!t->log[0])
		return;
	if (fstat(fd, &st) == 0 && st.st_size == 0)
		unlink(t->log);
	else
		talk("what %s printed is in %s", t->opts->argv[0], t->log);
	close(fd);
}

int top_screen(const struct options *opts, struct err *err)
{
	struct options live = *opts;
	struct top_screen t = { .opts = &live };
	struct session_events events = {
		.on_start = on_start, .on_interval = on_interval, .on_input = on_input, .ctx = &t
	};

	/* 20,000 busy sites take 130 ms to show: seldom, then. */
	live.stretch = true;
	int rc = opts->argv ? open_log(&t, &live, err) : 0;
	if (rc)
		return rc;
	t.cache = snapshot_cache_new(); /* without, frames take longer */
	rc = live_run(&live, live_views(opts), &events, err);
	close_screen(&t);
	close_log(&t, live.child_output);
	view_deinit(&t.view);
	snapshot_cache_free(t.cache);
	return rc;
}
