/* SPDX-License-Identifier: BSD-2-Clause */
/* What keys do in the live view: sorting, searching, baselines, marks and pauses. */
#include <errno.h>
#include <locale.h>
#include <time.h>

#include "sample_map_ops.h"
#include "sample_samples.h"
#include "tui.h"

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
	assert_shows(&f, ", of 5 filtered: !^string$");
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

static void refuses(const char *text, int why)
{
	struct pattern p = { 0 };
	struct err err = { 0 };

	assert_int_equal(pattern_set(&p, "before", false, &err), 0);
	assert_int_equal(pattern_set(&p, text, false, &err), why);
	assert_true(*err.msg);
	assert_string_equal(p.text, "before");
	pattern_clear(&p);
}

static void accepts(const char *text, const char *matching)
{
	struct pattern p = { 0 };
	struct err err = { 0 };

	if (pattern_set(&p, text, false, &err))
		fail_msg("'%s': %s", text, err.msg);
	assert_int_equal(regexec(pattern_regex(&p), matching, 0, NULL, 0), 0);
	pattern_clear(&p);
}

/* What would take gigabytes or minutes is never compiled. */
static void refuses_patterns_that_cost(void **state)
{
	char text[PATTERN_TEXT_SZ];

	(void)state;
	refuses("((a{1,255}){1,255}){1,255}", -E2BIG);
	refuses("a{255}{255}{255}", -E2BIG);
	refuses("a{20000}", -E2BIG);
	refuses("(a{1,}){1000}", -E2BIG);
	refuses("([]a[:x:]]{99}b){99}", -E2BIG);
	refuses("(((((((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+", -E2BIG);
	refuses("(a)\\1", -E2BIG);
	refuses("(", -EINVAL);
	refuses("[", -EINVAL);
	refuses("[[:", -EINVAL);
	accepts("a{2}.{3,5}(b|c)+d?", "xAA123bcbd");
	accepts("[]\\1{9}]+$", "x]");
	accepts("map\\[string\\]", "map[string]int");
	accepts("\xc3\xa9.\xe4\xb8\x96", "main.\xc3\xa9\xc3\xa9\xe4\xb8\x96");
	accepts("main.*x", "MAIN.\xc3\xa9X");
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	accepts(text, text);
}

/* A second for all rows, not for each. */
static void slow_text(const void *ctx, const struct table_row *row, char dst[TABLE_TEXT_SZ])
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };

	(void)ctx;
	(void)row;
	nanosleep(&pause, NULL);
	strcpy(dst, "x");
}

static void gives_up_what_takes_too_long(void **state)
{
	static const struct table_column column = { "X", .width = 9 };
	static const struct table_kind kind = { .columns = &column,
						.columns_nr = 1,
						.text = slow_text };
	struct pattern p = { 0 };
	struct err err = { 0 };
	struct table t;

	(void)state;
	assert_int_equal(pattern_set(&p, "y", false, &err), 0);
	table_init(&t, &kind);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(table_add(&t, &(struct table_row){ .id = i }), 0);
	assert_int_equal(table_search(&t, NULL, pattern_regex(&p), false), -ETIMEDOUT);
	struct table_filter filter = { .regex = pattern_regex(&p) };
	assert_int_equal(table_end(&t, NULL, filter, false), -ETIMEDOUT);
	table_deinit(&t);
	pattern_clear(&p);
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

/* One second of one site: a row that another such frame hasn't. */
static struct model *one_site(const char *stack)
{
	struct model *m = new_model();

	sample_meta(m);
	sample_add(m, sample_stack(m, stack, false), "string", 3, 10, 320);
	model_set_totals(m, 10, 320);
	model_meta(m)->end_mono_ns = SAMPLE_START + SAMPLE_S;
	return m;
}

/* Rows that are gone since the mark don't outlive it. */
static void forgets_a_mark_and_its_rows(void **state)
{
	_model_ *first = one_site("main.f;main.main");
	_model_ *second = one_site("main.g;main.main");
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	take_frame(&f, first);
	press(&f, 'm');
	take_frame(&f, second);
	press(&f, 'd');
	assert_shows(&f, "gone");
	press(&f, 'G');
	assert_int_equal(press(&f, 'o'), VIEW_FRAMES);
	assert_int_equal(f.view.tables[VIEW_SITES].rows_nr, 1);
	assert_hides(&f, "main.f");
	assert_shows(&f, "main.g");
	close_view(&f);
}

/* While a report is shown the table behind it has no rows: they would be of a frame that isn't there any more. */
static void keeps_no_rows_of_older_frames(void **state)
{
	_model_ *many = sample_model(3, sample_maps_tick, NULL);
	_model_ *none = service();
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	take_frame(&f, many);
	type_keys(&f, "3>>");
	assert_true(f.view.tables[VIEW_MAPS].rows_nr > 0);
	press(&f, '3');
	take_frame(&f, none);
	press(&f, 'r');
	assert_int_equal(f.view.tables[VIEW_MAPS].rows_nr, 0);
	assert_false(f.view.tables[VIEW_MAPS].reversed);
	close_view(&f);
}

/* What sites and types are sorted by is one thing, and other tabs have nothing to do with it. */
static void counts_sites_and_types_alike(void **state)
{
	_model_ *m = service();
	struct fixture f;

	(void)state;
	open_view(&f, 24, 120, false);
	take_frame(&f, m);
	type_keys(&f, "4n");
	assert_shows(&f, "PAUSE*");
	press(&f, '1');
	assert_shows(&f, "ALLOC/S*");
	assert_false(f.view.by_objects);
	type_keys(&f, "n2");
	assert_shows(&f, "OBJS/S*");
	press(&f, '2');
	assert_shows(&f, "OBJS/S*");
	type_keys(&f, "mdd");
	assert_shows(&f, "OBJS/S*");
	type_keys(&f, "4b1");
	assert_shows(&f, "OBJS/S*");
	/* What is sorted by names stays so. */
	type_keys(&f, "<<");
	assert_shows(&f, "TYPE*");
	assert_false(f.view.by_objects);
	type_keys(&f, "2n1");
	assert_shows(&f, "TYPE*");
	assert_true(f.view.by_objects);
	close_view(&f);
}

static void tells_of_which_time_a_tab_is(void **state)
{
	_model_ *first = sample_model(1, sample_gc_tick, NULL);
	_model_ *second = service();
	struct fixture f;

	(void)state;
	open_view(&f, 24, 120, false);
	take_frame(&f, first);
	type_keys(&f, "zm");
	take_frame(&f, second);
	assert_shows(&f, "since the baseline, 1.0 s");
	press(&f, '3');
	assert_shows(&f, "since the start, 2.0 s");
	type_keys(&f, "1d3");
	assert_hides(&f, "the mark");
	press(&f, 'c');
	assert_shows(&f, "last 1.0 s");
	press(&f, '3');
	assert_shows(&f, "since the start, 2.0 s");
	for (const char *key = "45"; *key; key++) {
		press(&f, *key);
		assert_hides(&f, "the mark");
		assert_hides(&f, "Probes  last");
		assert_hides(&f, "last 1.0 s\n");
	}
	close_view(&f);
}

/* What isn't known is that nothing was looked at meanwhile. */
static void says_where_it_was_paused(void **state)
{
	_model_ *m = service();
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	take_frame(&f, m);
	press(&f, 'z');
	assert_shows(&f, "counting from now on: ");
	type_keys(&f, "pz");
	assert_shows(&f, "counting from where it was paused: ");
	press(&f, 'm');
	assert_shows(&f, "marked where it was paused: ");
	close_view(&f);
}

/* Hits of all the seconds since the last frame are a rate of these, not of the last second. */
static void rates_hits_across_a_pause(void **state)
{
	_model_ *first = sampled_model(1, NULL, NULL);
	_model_ *fourth = sampled_model(4, NULL, NULL);
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	take_frame(&f, first);
	assert_int_equal((int)series_back(&f.view.series, 0)->hits_per_s, 1500 + 1);
	take_frame(&f, fourth);
	assert_int_equal((int)series_back(&f.view.series, 0)->hits_per_s, 1500 + (2 + 3 + 4) / 3);
	close_view(&f);
}

static void marks_where_cycles_ended(void **state)
{
	_model_ *m = service();
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	take_frame(&f, m);
	_cleanup_free_ char *text = drawn(&f);
	int marks = 0;
	for (int col = 0; col < f.screen.cols; col++)
		marks += screen_at(&f.screen, 3, col)->attr == ATTR_CYCLE;
	assert_int_equal(marks, series_back(&f.view.series, 0)->cycles ? 1 : 0);
	f.view.series.points[0].cycles = 0;
	text = (free(text), drawn(&f));
	for (int col = 0; col < f.screen.cols; col++)
		assert_int_not_equal(screen_at(&f.screen, 3, col)->attr, ATTR_CYCLE);
	/* Without a pause that is known, too. */
	f.view.series.points[0].cycles = 1;
	f.view.series.points[0].pause_ns = 0;
	text = (free(text), drawn(&f));
	assert_string_not_equal(screen_at(&f.screen, 4, 32)->s, " ");
	close_view(&f);
}

static void sorts_size_classes_by_size(void **state)
{
	_model_ *m = service();
	struct fixture f;

	(void)state;
	open_view(&f, 24, 80, false);
	take_frame(&f, m);
	type_keys(&f, "22<");
	assert_shows(&f, "SIZE CLASS*");
	const struct table *t = &f.view.tables[VIEW_TYPES];
	const struct snapshot *s = frame_snapshot(f.view.frame, FRAME_INTERVAL);
	assert_true(t->rows_nr >= 4);
	assert_int_equal(s->sizes[t->rows[0].idx].size_class, MODEL_CLASS_LARGE);
	for (size_t i = 2; i < t->rows_nr && s->sizes[t->rows[i].idx].slot_size; i++)
		assert_true(s->sizes[t->rows[i - 1].idx].slot_size >=
			    s->sizes[t->rows[i].idx].slot_size);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_by_any_column),
		cmocka_unit_test(moves_and_follows),
		cmocka_unit_test(searches_and_filters),
		cmocka_unit_test(refuses_patterns_that_cost),
		cmocka_unit_test(gives_up_what_takes_too_long),
		cmocka_unit_test(edits_what_is_typed),
		cmocka_unit_test(counts_from_a_baseline),
		cmocka_unit_test(compares_with_a_mark),
		cmocka_unit_test(forgets_a_mark_and_its_rows),
		cmocka_unit_test(keeps_no_rows_of_older_frames),
		cmocka_unit_test(counts_sites_and_types_alike),
		cmocka_unit_test(tells_of_which_time_a_tab_is),
		cmocka_unit_test(says_where_it_was_paused),
		cmocka_unit_test(rates_hits_across_a_pause),
		cmocka_unit_test(marks_where_cycles_ended),
		cmocka_unit_test(sorts_size_classes_by_size),
		cmocka_unit_test(pauses_until_the_end),
		cmocka_unit_test(asks_for_what_it_cannot_do),
	};

	/* Characters have a width in a locale that has them only; times are of one place. */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 77;
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
