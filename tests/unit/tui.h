/* SPDX-License-Identifier: BSD-2-Clause */
/* The live view without a terminal: frames and keys in, screens out. */
#ifndef GALLOP_TESTS_UNIT_TUI_H
#define GALLOP_TESTS_UNIT_TUI_H

#include "golden.h"
#include "sample.h"
#include "sample_gc.h"
#include "tui/view.h"

/* A view and the screen that it is drawn on. */
struct fixture {
	struct view view;
	struct screen screen;
};

static inline void open_view(struct fixture *f, int rows, int cols, bool ascii)
{
	const struct view_opts opts = { .delay_ns = SAMPLE_S, .ascii = ascii };

	assert_int_equal(view_init(&f->view, &opts), 0);
	assert_int_equal(screen_init(&f->screen, rows, cols, ascii), 0);
}

static inline void close_view(struct fixture *f)
{
	view_deinit(&f->view);
	screen_deinit(&f->screen);
}

static inline void take_frame(struct fixture *f, const struct model *m)
{
	struct snapshot_opts opts = { .interval = true, .places = true };
	struct snapshot *interval = take(m, opts);

	opts.interval = false;
	assert_int_equal(view_take(&f->view, interval, take(m, opts)), 0);
}

static inline enum view_want press(struct fixture *f, int key)
{
	return view_key(&f->view, key);
}

static inline void type_keys(struct fixture *f, const char *keys)
{
	for (; *keys; keys++)
		assert_int_equal(press(f, *keys), VIEW_NOTHING);
}

/* What is shown; the caller frees it. */
static inline char *drawn(struct fixture *f)
{
	view_draw(&f->view, &f->screen);
	char *text = screen_text(&f->screen);
	assert_non_null(text);
	assert_lines(text, (size_t)f->screen.cols);
	return text;
}

static inline void assert_screen(struct fixture *f, const char *name)
{
	_cleanup_free_ char *text = drawn(f);

	assert_golden(name, text);
}

static inline void assert_shows(struct fixture *f, const char *words)
{
	_cleanup_free_ char *text = drawn(f);

	if (!strstr(text, words))
		fail_msg("no '%s' in\n%s", words, text);
}

static inline void assert_hides(struct fixture *f, const char *words)
{
	_cleanup_free_ char *text = drawn(f);

	if (strstr(text, words))
		fail_msg("'%s' is in\n%s", words, text);
}

/* A service with all there is to see, at the end of its second second. */
static inline struct model *service(void)
{
	return sample_model(2, sample_gc_tick, NULL);
}

static inline void show_stacks(struct fixture *f, const struct model *m)
{
	_snapshot_ *whole = take(m, (struct snapshot_opts){ 0 });

	assert_int_equal(view_show_tree(&f->view, whole), 0);
}

#endif
