/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the live view shows of frames. Screens in tests/golden/tui-*.txt are compared byte for byte.
 */
#include <locale.h>

#include "sample_map_ops.h"
#include "sample_samples.h"
#include "tui.h"

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
	assert_shows(&f, "needs 80x24: 80x23 is too small");
	close_view(&f);
	open_view(&f, 1, 1, false);
	_cleanup_free_ char *text = drawn(&f);
	assert_string_equal(text, "n\n");
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
	press(&f, '2');
	press(&f, TUI_KEY_ENTER);
	show_stacks(&f, m);
	press(&f, 'i');
	show_stacks(&f, m);
	assert_shows(&f, "from main to what allocates: []uint8");
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
