/* SPDX-License-Identifier: BSD-2-Clause */
/* How limits are written, and when they are broken. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/fail_if.h"

static struct fail_if parsed(const char *text)
{
	struct fail_if limit;
	struct err err = { 0 };

	if (fail_if_parse(text, &limit, &err))
		fail_msg("%s: %s", text, err.msg);
	return limit;
}

static void what_is_written_is_understood(void **state)
{
	static const struct {
		const char *text;
		enum diff_measure measure;
		bool above, percent;
		double change;
	} cases[] = {
		{ "alloc_space>+5%", DIFF_ALLOC_SPACE, true, true, .05 },
		{ "alloc_space>+10MB", DIFF_ALLOC_SPACE, true, false, 10e6 },
		{ "alloc_space>+1.5MiB", DIFF_ALLOC_SPACE, true, false, 1.5 * 1048576 },
		{ "alloc_space>+1024", DIFF_ALLOC_SPACE, true, false, 1024 },
		{ "inuse_space>+2GiB", DIFF_INUSE_SPACE, true, false, 2147483648. },
		{ "retained>+3kB", DIFF_RETAINED, true, false, 3000 },
		{ "retained>+3KB", DIFF_RETAINED, true, false, 3000 },
		{ "retained>+3KiB", DIFF_RETAINED, true, false, 3072 },
		{ "retained>+1GB", DIFF_RETAINED, true, false, 1e9 },
		{ "retained>+1B", DIFF_RETAINED, true, false, 1 },
		{ "alloc_objects>+1000", DIFF_ALLOC_OBJECTS, true, false, 1000 },
		{ "alloc_objects<-12.5%", DIFF_ALLOC_OBJECTS, false, true, -.125 },
		{ "inuse_objects<+0", DIFF_INUSE_OBJECTS, false, false, 0 },
		{ "pause>+2ms", DIFF_PAUSE, true, false, 2e6 },
		{ "assist>+3us", DIFF_ASSIST, true, false, 3e3 },
		{ "stw>+1s", DIFF_STW, true, false, 1e9 },
		{ "op_time>+7ns", DIFF_OP_TIME, true, false, 7 },
		{ "cycles>+1", DIFF_CYCLES, true, false, 1 },
		{ "growths>-1", DIFF_GROWTHS, true, false, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fail_if limit = parsed(cases[i].text);
		assert_ptr_equal(limit.text, cases[i].text);
		assert_int_equal(limit.measure, cases[i].measure);
		assert_int_equal(limit.above, cases[i].above);
		assert_int_equal(limit.percent, cases[i].percent);
		assert_true(fabs(limit.change - cases[i].change) < 1e-9);
	}
}

static void what_is_mistyped_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		">",
		"<",
		">+5%",
		"alloc_space",
		"alloc_space>",
		"alloc_space+5%",
		"alloc_space>5%",
		"alloc_space>=+5%",
		"alloc_space>>+5%",
		"alloc_space>+",
		"alloc_space>+%",
		"alloc_space>+-5%",
		"alloc_space>++5%",
		"alloc_space>+ 5%",
		"alloc_space>+5 %",
		"alloc_space>+5%%",
		"alloc_space>+5%x",
		"alloc_space>+5,5%",
		"alloc_space>+inf",
		"alloc_space>+nan",
		"alloc_space>+0x10",
		"alloc_space>+1e999",
		"alloc_space>+5ms",
		"alloc_space>+5mb",
		"alloc_space>+5K",
		"alloc_spac>+5%",
		"alloc_spaces>+5%",
		" alloc_space>+5%",
		"alloc_space >+5%",
		"ALLOC_SPACE>+5%",
		"bytes>+5%",
		"pause>+5MB",
		"pause>+5m",
		"cycles>+5MB",
		"cycles>+5ns",
		"alloc_space>+5%,pause>+5%",
		"\x1b[31m>+5%",
		"alloc_space>+5\n",
		"alloc_space>+.5%",
	};
	char longest[1 << 16];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fail_if limit = { .text = "untouched" };
		struct err err = { 0 };
		if (fail_if_parse(cases[i], &limit, &err) != -EINVAL)
			fail_msg("'%s' was taken", cases[i]);
		assert_string_equal(limit.text, "untouched");
		assert_non_null(strstr(err.msg, "--fail-if '"));
		/* All of the grammar fits. */
		assert_non_null(strstr(err.hint, "MEASURE>CHANGE"));
		assert_non_null(strstr(err.hint, diff_measures[DIFF_MEASURES_NR - 1].name));
	}
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	struct fail_if limit;
	struct err err = { 0 };
	assert_int_equal(fail_if_parse(longest, &limit, &err), -EINVAL);
	memset(longest, '9', sizeof(longest) - 1);
	memcpy(longest, "cycles>+", strlen("cycles>+"));
	assert_int_equal(fail_if_parse(longest, &limit, &err), -EINVAL);
}

static enum fail_if_verdict judged(const char *text, double before, double after, double ci95)
{
	const struct fail_if limit = parsed(text);
	const struct diff_value v = { .side = { before, after },
				      .side_ci95 = { 0, ci95 },
				      .change = after - before,
				      .ci95 = ci95 };

	return fail_if_judge(&limit, &v);
}

static void a_limit_is_broken_by_more_than_it_and_chance(void **state)
{
	(void)state;
	assert_int_equal(judged("alloc_space>+5%", 100, 105, 0), FAIL_IF_KEPT);
	assert_int_equal(judged("alloc_space>+5%", 100, 106, 0), FAIL_IF_BROKEN);
	assert_int_equal(judged("alloc_space>+5%", 100, 50, 0), FAIL_IF_KEPT);
	assert_int_equal(judged("alloc_space>+5%", 100, 106, 6), FAIL_IF_NOISE);
	assert_int_equal(judged("alloc_space>+5%", 100, 106, .9), FAIL_IF_BROKEN);
	/* More than nothing for sure, but maybe no more than the limit. */
	assert_int_equal(judged("alloc_space>+5%", 100, 105.1, 5), FAIL_IF_NOISE);
	/* Maybe nothing, but not what was asked for. */
	assert_int_equal(judged("alloc_space>-10%", 100, 100.5, 1), FAIL_IF_BROKEN);
	assert_int_equal(judged("alloc_space<+50%", 100, 101, 2), FAIL_IF_BROKEN);
	assert_int_equal(judged("alloc_space<+50%", 100, 101, 49), FAIL_IF_NOISE);
	assert_int_equal(judged("alloc_space>+10", 100, 111, 1), FAIL_IF_NOISE);
	assert_int_equal(judged("alloc_space>+10", 100, 111, 0), FAIL_IF_BROKEN);
	assert_int_equal(judged("alloc_space>+5%", 100, 106, NAN), FAIL_IF_UNSURE);
	assert_int_equal(judged("alloc_space>+5%", 100, 104, NAN), FAIL_IF_KEPT);
	assert_int_equal(judged("alloc_space<-5%", 100, 96, 0), FAIL_IF_KEPT);
	assert_int_equal(judged("alloc_space<-5%", 100, 94, 0), FAIL_IF_BROKEN);
	assert_int_equal(judged("alloc_space<-5%", 100, 94, 7), FAIL_IF_NOISE);
	/* From nothing any more is beyond all percents; nothing is no more than nothing. */
	assert_int_equal(judged("cycles>+5%", 0, 1, 0), FAIL_IF_BROKEN);
	assert_int_equal(judged("cycles>+5%", 0, 0, 0), FAIL_IF_KEPT);
	assert_int_equal(judged("cycles>+0", 3, 3, 0), FAIL_IF_KEPT);
	assert_int_equal(judged("cycles>+2", 3, 5, 0), FAIL_IF_KEPT);
	assert_int_equal(judged("cycles>+2", 3, 6, 0), FAIL_IF_BROKEN);
	/* It has to become better by so much. */
	assert_int_equal(judged("alloc_space>-10%", 100, 85, 0), FAIL_IF_KEPT);
	assert_int_equal(judged("alloc_space>-10%", 100, 95, 0), FAIL_IF_BROKEN);
}

/* A percentage is of what was before, and as unsure as that: 100 +- 10 and twice as much is 200 +- 20. */
static void how_sure_the_limit_itself_is_counts(void **state)
{
	const struct fail_if percent = parsed("alloc_space>+100%"),
			     bytes = parsed("alloc_space>+100B");
	const struct diff_value v = {
		.side = { 100, 215 }, .side_ci95 = { 10, 0 }, .change = 115, .ci95 = 10
	};

	(void)state;
	assert_int_equal(fail_if_judge(&percent, &v), FAIL_IF_NOISE);
	assert_int_equal(fail_if_judge(&bytes, &v), FAIL_IF_BROKEN);
}

static void the_help_knows_all_measures(void **state)
{
	const char *help = "";

	(void)state;
	for (size_t i = 0; i < option_specs_nr; i++)
		if (!strcmp(option_specs[i].name, "fail-if"))
			help = option_specs[i].help;
	for (int m = 0; m < DIFF_MEASURES_NR; m++)
		if (!strstr(help, diff_measures[m].name))
			fail_msg("%s", diff_measures[m].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_understood),
		cmocka_unit_test(what_is_mistyped_is_refused),
		cmocka_unit_test(a_limit_is_broken_by_more_than_it_and_chance),
		cmocka_unit_test(how_sure_the_limit_itself_is_counts),
		cmocka_unit_test(the_help_knows_all_measures),
	};
	return cmocka_run_group_tests_name("fail if", tests, NULL, NULL);
}
