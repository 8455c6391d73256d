/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live view without a terminal: frames and keys in, screens out. Those in tests/golden/tui-*.txt are compared
 * byte for byte.
 */
#include <locale.h>

#include "golden.h"
#include "sample.h"
#include "sample_gc.h"
#include "sample_map_ops.h"
#include "sample_samples.h"
#include "tui/view.h"

/* A view and the screen that it is drawn on. */
struct fixture {
	struct view view;
	struct screen screen;
};

static void open_view(struct fixture *f, int rows, int cols, bool ascii)
{
	const struct view_opts opts = { .delay_ns = SAMPLE_S, .ascii = ascii };

	assert_int_equal(view_init(&f->view, &opts), 0);
	assert_int_equal(screen_init(&f->screen, rows, cols, ascii), 0);
}

static void close_view(struct fixture *f)
{
	view_deinit(&f->view);
	screen_deinit(&f->screen);
}

static void take_frame(struct fixture *f, const struct model *m)
{
	struct snapshot_opts opts = { .interval = true, .places = true };
	struct snapshot *interval = take(m, opts);

	opts.interval = false;
	assert_int_equal(view_take(&f->view, interval, take(m, opts)), 0);
}

static enum view_want press(struct fixture *f, int key)
{
	return view_key(&f->view, key);
}

static void type_keys(struct fixture *f, const char *keys)
{
	for (; *keys; keys++)
		assert_int_equal(press(f, *keys), VIEW_NOTHING);
}

/* What is shown; the caller frees it. */
static char *drawn(struct fixture *f)
{
	view_draw(&f->view, &f->screen);
	char *text = screen_text(&f->screen);
	assert_non_null(text);
	assert_lines(text, (size_t)f->screen.cols);
	return text;
}

static void assert_screen(struct fixture *f, const char *name)
{
	_cleanup_free_ char *text = drawn(f);

	assert_golden(name, text);
}

static void assert_shows(struct fixture *f, const char *words)
{
	_cleanup_free_ char *text = drawn(f);

	if (!strstr(text, words))
		fail_msg("no '%s' in\n%s", words, text);
}

static void assert_hides(struct fixture *f, const char *words)
{
	_cleanup_free_ char *text = drawn(f);

	if (strstr(text, words))
		fail_msg("'%s' is in\n%s", words, text);
}

/* A service with all there is to see, at the end of its second second. */
static struct model *service(void)
{
	return sample_model(2, sample_gc_tick, NULL);
}

static void show_stacks(struct fixture *f, const struct model *m)
{
	_snapshot_ *whole = take(m, (struct snapshot_opts){ 0 });

	assert_int_equal(view_show_tree(&f->view, whole), 0);
}

/* --- screens -------------------------------------------------------------------------------------- */

static void shows_each_tab_at_each_size(void **state)
{
	static const struct {
		int rows, cols;
	} sizes[] = { { 24, 80 }, { 40, 120 }, { 60, 200 } };
	static const char keys[] = "12345";
	_model_ *m = service();

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct fixture f;

		open_view(&f, sizes[i].rows, sizes[i].cols, false);
		take_frame(&f, m);
		for (const char *key = keys; *key; key++) {
			char name[64];
			if (*key != '1')
				press(&f, *key);
			snprintf(name, sizeof(name), "tui-%d-%dx%d", *key - '0', sizes[i].cols,
				 sizes[i].rows);
			assert_screen(&f, name);
		}
		close_view(&f);
	}
}

static void shows_estimates_with_their_intervals(void **state)
{
	_model_ *m = sampled_model(3, NULL, NULL);
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	take_frame(&f, m);
	assert_screen(&f, "tui-sampled");
	assert_shows(&f, " +- ");
	assert_shows(&f, "totals: exact; sites: estimated");
	press(&f, '5');
	assert_shows(&f, "budget");
	close_view(&f);
}

static void shows_maps_and_advice(void **state)
{
	_model_ *m = sample_model(3, sample_maps_tick, NULL);
	struct fixture f;

	(void)state;
	open_view(&f, 24, 120, false);
	take_frame(&f, m);
	press(&f, '3');
	assert_screen(&f, "tui-maps");
	press(&f, TUI_KEY_ENTER);
	assert_shows(&f, "since the start: ");
	press(&f, TUI_KEY_ESC);
	press(&f, '3');
	assert_shows(&f, "entries removed");
	close_view(&f);
}

/* The same numbers, with other characters for what ASCII hasn't. */
static void needs_no_more_than_ascii(void **state)
{
	_model_ *m = service();
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, true);
	take_frame(&f, m);
	_cleanup_free_ char *text = drawn(&f);
	for (const char *p = text; *p; p++)
		assert_true((unsigned char)*p < 0x80);
	assert_non_null(strstr(text, "# "));
	close_view(&f);
}

static void says_that_it_is_too_small(void **state)
{
	struct fixture f;

	(void)state;
	open_view(&f, 23, 80, false);
	assert_shows(&f, "80x23 is too small: 80x24 or more");
	close_view(&f);
	open_view(&f, 1, 1, false);
	_cleanup_free_ char *text = drawn(&f);
	assert_string_equal(text, "1\n");
	close_view(&f);
}

/* Keys before there are any numbers find nothing to act on. */
static void begins_empty(void **state)
{
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	assert_shows(&f, "the first numbers are on their way");
	for (int key = 1; key < 0x7f; key++) {
		press(&f, key);
		press(&f, TUI_KEY_ESC);
		_cleanup_free_ char *text = drawn(&f);
	}
	close_view(&f);
}

/* --- sorting, moving, searching -------------------------------------------------------------------- */

static const char *first_type(struct fixture *f)
{
	const struct table *t = &f->view.tables[VIEW_TYPES];

	return frame_snapshot(f->view.frame, FRAME_INTERVAL)->types[t->rows[0].idx].name;
}

static void sorts_by_any_column(void **state)
{
	_model_ *m = service();
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	take_frame(&f, m);
	press(&f, '2');
	assert_string_equal(first_type(&f), "[]uint8");
	press(&f, 'n');
	assert_shows(&f, "OBJS/S*");
	assert_string_equal(first_type(&f), "*prometheus.MetricFamily");
	press(&f, 'r');
	assert_shows(&f, "OBJS/S^");
	assert_string_not_equal(first_type(&f), "*prometheus.MetricFamily");
	press(&f, 'r');
	press(&f, 'b');
	assert_shows(&f, "ALLOC/S*");
	/* To the left of the first is the last, and hidden columns aren't stopped at. */
	press(&f, '<');
	assert_shows(&f, "TYPE*");
	assert_string_equal(first_type(&f), "*prometheus.MetricFamily");
	press(&f, '>');
	assert_shows(&f, "ALLOC/S*");
	press(&f, '>');
	assert_shows(&f, "OBJS/S*");
	close_view(&f);
}

static void moves_and_follows(void **state)
{
	_model_ *m = service();
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	take_frame(&f, m);
	press(&f, '2');
	const struct table *t = &f.view.tables[VIEW_TYPES];
	size_t last = t->rows_nr - 1;
	assert_true(last >= 3);
	press(&f, 'G');
	assert_int_equal(t->selected, last);
	press(&f, TUI_KEY_DOWN);
	assert_int_equal(t->selected, last);
	press(&f, 'g');
	press(&f, TUI_KEY_UP);
	assert_int_equal(t->selected, 0);
	press(&f, TUI_KEY_DOWN);
	uint64_t id = t->selected_id;
	press(&f, 'F');
	press(&f, 'n');
	take_frame(&f, m);
	assert_int_equal(table_selected(t)->id, id);
	close_view(&f);
}

static void searches_and_filters(void **state)
{
	_model_ *m = service();
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	take_frame(&f, m);
	press(&f, '2');
	const struct table *t = &f.view.tables[VIEW_TYPES];
	size_t all = t->rows_nr;
	type_keys(&f, "/string$\n");
	assert_string_equal(f.view.message, "");
	assert_string_equal(
		frame_snapshot(f.view.frame, FRAME_INTERVAL)->types[table_selected(t)->idx].name,
		"string");
	type_keys(&f, "/nowhere\n");
	assert_shows(&f, "no row matches 'nowhere'");
	type_keys(&f, "/(\n");
	assert_shows(&f, "'(': ");
	type_keys(&f, "f^string$\n");
	assert_int_equal(t->rows_nr, 1);
	type_keys(&f, "f!^string$\n");
	assert_int_equal(t->rows_nr, all - 1);
	assert_shows(&f, "filtered: !^string$");
	/* It stays with new rows, and no row is no trouble. */
	type_keys(&f, "fnowhere\n");
	take_frame(&f, m);
	assert_int_equal(t->rows_nr, 0);
	assert_shows(&f, "0 of 0");
	press(&f, 'G');
	assert_int_equal(press(&f, TUI_KEY_ENTER), VIEW_NOTHING);
	type_keys(&f, "f\n");
	assert_int_equal(t->rows_nr, all);
	close_view(&f);
}

static void edits_what_is_typed(void **state)
{
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	press(&f, 's');
	press(&f, 0xe9);
	press(&f, 0x4e16);
	press(&f, 'x');
	press(&f, TUI_KEY_BACKSPACE);
	assert_string_equal(view_typed(&f.view), "\xc3\xa9\xe4\xb8\x96");
	press(&f, TUI_KEY_BACKSPACE);
	assert_string_equal(view_typed(&f.view), "\xc3\xa9");
	press(&f, TUI_KEY_UP); /* what is no character isn't one */
	press(&f, TUI_KEY_CLEAR);
	assert_string_equal(view_typed(&f.view), "");
	/* A name that is too long is cut, and its end is what is seen. */
	for (int i = 0; i < 1000; i++)
		press(&f, 'a' + i % 26);
	assert_true(strlen(view_typed(&f.view)) < VIEW_TEXT_SZ);
	_cleanup_free_ char *text = drawn(&f);
	assert_int_equal(press(&f, TUI_KEY_ENTER), VIEW_SAVE);
	press(&f, 's');
	press(&f, TUI_KEY_ESC);
	assert_int_equal(f.view.prompt, VIEW_NO_PROMPT);
	press(&f, 's');
	assert_int_equal(press(&f, TUI_KEY_ENTER), VIEW_NOTHING);
	close_view(&f);
}

/* --- baseline, mark, pause ------------------------------------------------------------------------- */

static uint64_t sum_of_totals(const struct table *t)
{
	double sum = 0;

	for (size_t i = 0; i < t->rows_nr; i++)
		sum += t->rows[i].key[4]; /* TOTAL */
	return (uint64_t)sum;
}

static void counts_from_a_baseline(void **state)
{
	_model_ *first = sample_model(1, NULL, NULL);
	_model_ *second = sample_model(2, NULL, NULL);
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	take_frame(&f, first);
	uint64_t was = frame_snapshot(f.view.frame, FRAME_TOTAL)->total.bytes;
	press(&f, '2');
	press(&f, 'z');
	assert_int_equal(f.view.tables[VIEW_TYPES].rows_nr, 0);
	take_frame(&f, second);
	uint64_t is = frame_snapshot(f.view.frame, FRAME_TOTAL)->total.bytes;
	assert_int_equal(sum_of_totals(&f.view.tables[VIEW_TYPES]), is - was);
	assert_shows(&f, "since the baseline, 1.0 s");
	press(&f, 'Z');
	assert_int_equal(sum_of_totals(&f.view.tables[VIEW_TYPES]), is);
	assert_shows(&f, "since the start, 2.0 s");
	press(&f, 'c');
	assert_shows(&f, "last 1.0 s");
	close_view(&f);
}

static void compares_with_a_mark(void **state)
{
	_model_ *first = sample_model(1, NULL, NULL);
	_model_ *second = sample_model(2, NULL, NULL);
	struct fixture f;

	(void)state;
	open_view(&f, 24, 120, false);
	take_frame(&f, first);
	press(&f, '2');
	press(&f, 'd');
	assert_shows(&f, "there is no mark");
	press(&f, 'm');
	take_frame(&f, second);
	press(&f, 'd');
	assert_screen(&f, "tui-diff");
	press(&f, 'd');
	assert_shows(&f, "ALLOC/S*");
	close_view(&f);
}

static void pauses_until_the_end(void **state)
{
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	press(&f, 'p');
	assert_true(f.view.paused);
	assert_shows(&f, "PAUSED");
	view_end(&f.view, "target exited");
	assert_false(f.view.paused);
	assert_shows(&f, "target exited; q quits");
	press(&f, ' ');
	assert_false(f.view.paused);
	close_view(&f);
}

static void asks_for_what_it_cannot_do(void **state)
{
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	assert_int_equal(press(&f, 'q'), VIEW_QUIT);
	assert_int_equal(press(&f, 'C'), VIEW_THEME);
	assert_int_equal(press(&f, TUI_KEY_REDRAW), VIEW_REPAINT);
	assert_int_equal(press(&f, 'o'), VIEW_FRAMES);
	assert_true(f.view.runtime_frames);
	assert_int_equal(press(&f, '+'), VIEW_INTERVAL);
	assert_int_equal(f.view.delay_ns, 2 * (uint64_t)SAMPLE_S);
	for (int i = 0; i < 10; i++)
		press(&f, '-');
	assert_int_equal(f.view.delay_ns, SAMPLE_S / 10);
	assert_int_equal(press(&f, '-'), VIEW_NOTHING);
	assert_shows(&f, "the shortest");
	/* In a page q is the way back. */
	press(&f, '?');
	assert_shows(&f, "PgUp PgDn");
	assert_int_equal(press(&f, 'q'), VIEW_NOTHING);
	assert_int_equal(press(&f, 'q'), VIEW_QUIT);
	close_view(&f);
}

/* --- trees ----------------------------------------------------------------------------------------- */

static void shows_who_calls(void **state)
{
	_model_ *m = service();
	struct fixture f;

	(void)state;
	open_view(&f, 24, 120, false);
	take_frame(&f, m);
	type_keys(&f, "/Gather\n");
	assert_int_equal(press(&f, TUI_KEY_ENTER), VIEW_STACKS);
	show_stacks(&f, m);
	assert_screen(&f, "tui-callers");
	/* The sum of the tree is that of the row: all of it was found among the whole stacks. */
	const struct table_row *row = table_selected(&f.view.tables[VIEW_SITES]);
	assert_int_equal(f.view.tree.counts[CALLTREE_ROOT].bytes, (uint64_t)row->key[4]);
	size_t lines = f.view.tree.lines_nr;
	press(&f, TUI_KEY_ENTER);
	assert_true(f.view.tree.lines_nr < lines);
	press(&f, TUI_KEY_ENTER);
	assert_int_equal(f.view.tree.lines_nr, lines);
	assert_int_equal(press(&f, 'i'), VIEW_STACKS);
	show_stacks(&f, m);
	assert_shows(&f, "what it calls that allocates: ");
	press(&f, TUI_KEY_ESC);
	assert_shows(&f, "[1 Sites]");
	press(&f, 'i');
	assert_shows(&f, "Enter shows the tree of a row");
	close_view(&f);
}

/* --- hostile names ----------------------------------------------------------------------------------- */

static void makes_names_harmless(void **state)
{
	static char huge[65536];
	static const char *const names[] = {
		"main.\033[2J\033]0;title\007evil",
		"main.a\nb\rc\td",
		"main.\xff\xfe\xc3",
		"",
		"main.\xe4\xb8\x96\xe7\x95\x8c\xe4\xb8\x96\xe7\x95\x8c\xe4\xb8\x96\xe7\x95\x8c",
		"main.e\xcc\x81\xcc\x81",
		"main.\xe2\x80\xae"
		"abc",
		huge,
	};
	_model_ *m = new_model();
	uint64_t n = 0;

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	sample_meta(m);
	strcpy(model_meta(m)->comm, "\033[31mevil\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct model_frame frames[] = { frame(names[i], names[i], 1),
						      frame("main.main", "m.go", 2) };
		uint32_t stack = sample_id(model_stack(m, frames, 2, false));
		sample_add(m, stack, names[i], 3, 1 + i, 32 * (1 + i));
		n += 1 + i;
	}
	model_set_totals(m, n, 32 * n);
	model_meta(m)->end_mono_ns = SAMPLE_START + SAMPLE_S;
	for (int cols = 80; cols <= 200; cols += 60) {
		struct fixture f;

		open_view(&f, 24, cols, false);
		take_frame(&f, m);
		for (const char *key = "12234 5"; *key; key++) {
			press(&f, *key);
			_cleanup_free_ char *text = drawn(&f); /* has assert_lines() */
		}
		press(&f, '1');
		assert_hides(&f, "\033");
		for (size_t i = 0; i < f.view.tables[VIEW_SITES].rows_nr; i++) {
			press(&f, TUI_KEY_ENTER);
			show_stacks(&f, m);
			_cleanup_free_ char *text = drawn(&f);
			press(&f, TUI_KEY_ESC);
			press(&f, TUI_KEY_DOWN);
		}
		type_keys(&f, "/xxxx\n");
		close_view(&f);
	}
}

/* A wide character is two cells; half of one is never shown. */
static void keeps_wide_characters_whole(void **state)
{
	static const char wide[] = "\xe4\xb8\x96\xe7\x95\x8c"; /* two of them */
	struct screen s;

	(void)state;
	assert_int_equal(screen_init(&s, 1, 10, false), 0);
	assert_int_equal(screen_width(&s, wide), 4);
	assert_int_equal(screen_put(&s, 0, 0, 3, ATTR_NORMAL, wide), 2);
	screen_put_right(&s, 0, 3, 5, ATTR_NORMAL, wide);
	_cleanup_free_ char *text = screen_text(&s);
	assert_string_equal(text, "\xe4\xb8\x96  \xe4\xb8\x96\xe7\x95\x8c\n");
	/* What is outside of the screen isn't written. */
	assert_int_equal(screen_put(&s, 0, 9, 10, ATTR_NORMAL, wide), 0);
	assert_int_equal(screen_put(&s, 1, 0, 10, ATTR_NORMAL, "x"), 0);
	assert_int_equal(screen_put(&s, -1, 0, 10, ATTR_NORMAL, "x"), 0);
	assert_int_equal(screen_put(&s, 0, -1, 10, ATTR_NORMAL, "x"), 0);
	screen_paint(&s, 0, 8, 100, ATTR_BAD);
	screen_paint(&s, 5, 0, 100, ATTR_BAD);
	assert_int_equal(screen_at(&s, 0, 9)->attr, ATTR_BAD);
	screen_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_each_tab_at_each_size),
		cmocka_unit_test(shows_estimates_with_their_intervals),
		cmocka_unit_test(shows_maps_and_advice),
		cmocka_unit_test(needs_no_more_than_ascii),
		cmocka_unit_test(says_that_it_is_too_small),
		cmocka_unit_test(begins_empty),
		cmocka_unit_test(sorts_by_any_column),
		cmocka_unit_test(moves_and_follows),
		cmocka_unit_test(searches_and_filters),
		cmocka_unit_test(edits_what_is_typed),
		cmocka_unit_test(counts_from_a_baseline),
		cmocka_unit_test(compares_with_a_mark),
		cmocka_unit_test(pauses_until_the_end),
		cmocka_unit_test(asks_for_what_it_cannot_do),
		cmocka_unit_test(shows_who_calls),
		cmocka_unit_test(makes_names_harmless),
		cmocka_unit_test(keeps_wide_characters_whole),
	};

	/* Characters have a width in a locale that has them only; times are of one place. */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 77;
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
