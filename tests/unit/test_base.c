/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and text for people. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/fmt.h"
#include "base/utf8.h"

static void counts_have_separators(void **state)
{
	(void)state;
	assert_string_equal(fmt_count(0).s, "0");
	assert_string_equal(fmt_count(999).s, "999");
	assert_string_equal(fmt_count(1000).s, "1,000");
	assert_string_equal(fmt_count(292404).s, "292,404");
	assert_string_equal(fmt_count(UINT64_MAX).s, "18,446,744,073,709,551,615");
}

static void bytes_have_units(void **state)
{
	(void)state;
	assert_string_equal(fmt_bytes(0).s, "0 B");
	assert_string_equal(fmt_bytes(1023).s, "1023 B");
	assert_string_equal(fmt_bytes(1024).s, "1.0 KiB");
	assert_string_equal(fmt_bytes(1258291).s, "1.2 MiB");
	/* Never "1024.0 KiB". */
	assert_string_equal(fmt_bytes(1024 * 1024 - 1).s, "1.0 MiB");
	assert_string_equal(fmt_bytes(UINT64_MAX).s, "16.0 EiB");
}

static void durations_suit_their_size(void **state)
{
	const uint64_t s = 1000 * 1000 * 1000;

	(void)state;
	assert_string_equal(fmt_duration(999).s, "999 ns");
	assert_string_equal(fmt_duration(350 * 1000).s, "350 us");
	assert_string_equal(fmt_duration(12 * 1000 * 1000).s, "12 ms");
	assert_string_equal(fmt_duration(10 * s).s, "10.0 s");
	assert_string_equal(fmt_duration(125 * s).s, "2 min 05 s");
	assert_string_equal(fmt_duration(3 * 3600 * s + 7 * 60 * s).s, "3 h 07 min");
}

static void times_have_three_digits(void **state)
{
	const uint64_t s = 1000 * 1000 * 1000;

	(void)state;
	assert_string_equal(fmt_time(0).s, "0 ns");
	assert_string_equal(fmt_time(999).s, "999 ns");
	assert_string_equal(fmt_time(1234).s, "1.23 us");
	assert_string_equal(fmt_time(45678).s, "45.7 us");
	assert_string_equal(fmt_time(350 * 1000).s, "350 us");
	/* Never "1000 us" or "10.00 ms". */
	assert_string_equal(fmt_time(999499).s, "999 us");
	assert_string_equal(fmt_time(999500).s, "1.00 ms");
	assert_string_equal(fmt_time(9996 * 1000).s, "10.0 ms");
	assert_string_equal(fmt_time(99960 * 1000).s, "100 ms");
	assert_string_equal(fmt_time(999 * s).s, "999 s");
	assert_string_equal(fmt_time(1000 * s).s, "16 min 40 s");
	assert_string_equal(fmt_rate(1, 2 * s).s, "0.50");
	assert_string_equal(fmt_rate(0, s).s, "0.00");
	assert_string_equal(fmt_rate(25, 2 * s).s, "12.5");
	assert_string_equal(fmt_rate(2500, 2 * s).s, "1,250");
	assert_string_equal(fmt_rate(1, 0).s, "-");
}

static void rates_and_shares_of_nothing(void **state)
{
	(void)state;
	assert_string_equal(fmt_percent(1, 0).s, "-");
	assert_string_equal(fmt_percent(1, 3).s, "33.3 %");
	assert_string_equal(fmt_count_rate(10, 0).s, "-");
	assert_string_equal(fmt_count_rate(15, 10 * UINT64_C(1000000000)).s, "2");
	assert_string_equal(fmt_count_rate(UINT64_MAX, 1).s, "9,223,372,036,854,775,807");
	assert_string_equal(fmt_bytes_rate(2048, 1000000000).s, "2.0 KiB");
}

static void means_keep_digits(void **state)
{
	(void)state;
	assert_string_equal(fmt_mean(3).s, "3.00");
	assert_string_equal(fmt_mean(1. / 3).s, "0.33");
	assert_string_equal(fmt_mean(1024.5).s, "1,024.50");
	assert_string_equal(fmt_mean(2.999).s, "3.00");
	assert_string_equal(fmt_mean(0.0995).s, "0.10");
	assert_string_equal(fmt_mean(0.0123).s, "0.012");
	assert_string_equal(fmt_mean(0.00012).s, "0.0001");
	assert_string_equal(fmt_mean(0.00004).s, "<0.0001");
	assert_string_equal(fmt_mean(0).s, "0.00");
	assert_string_equal(fmt_mean(999999.25).s, "999,999.25");
	assert_string_equal(fmt_mean(999999.75).s, "1,000,000");
	assert_string_equal(fmt_mean(1e30).s, "9,223,372,036,854,775,807");
	assert_string_equal(fmt_mean(-1).s, "0.00");
}

static void decimals_are_plain(void **state)
{
	(void)state;
	assert_string_equal(fmt_decimal(0).s, "0");
	assert_string_equal(fmt_decimal(100).s, "100");
	assert_string_equal(fmt_decimal(1. / 3).s, "0.333333");
	assert_string_equal(fmt_decimal(1234567.5).s, "1234567.5");
	assert_string_equal(fmt_decimal(0.9999999).s, "1");
	assert_string_equal(fmt_decimal(1e-6).s, "0.000001");
	assert_string_equal(fmt_decimal(1e15).s, "1000000000000000");
	assert_string_equal(fmt_decimal(1e300).s, "9223372036854775807");
	assert_string_equal(fmt_decimal(0. / 0.).s, "0");
}

static void a_ratio_is_100_only_if_equal(void **state)
{
	(void)state;
	assert_string_equal(fmt_ratio(0, 0).s, "100.000 %");
	assert_string_equal(fmt_ratio(292404, 292404).s, "100.000 %");
	assert_string_equal(fmt_ratio(UINT64_C(999999999999), UINT64_C(1000000000000)).s,
			    "99.999 %");
	assert_string_equal(fmt_ratio(UINT64_C(1000000000001), UINT64_C(1000000000000)).s,
			    "100.001 %");
	assert_string_equal(fmt_ratio(UINT64_MAX - 1, UINT64_MAX).s, "99.999 %");
	assert_string_equal(fmt_ratio(1, 2).s, "50.000 %");
	assert_string_equal(fmt_ratio(1, 0).s, "-");
}

static void assert_clean(const char *raw, const char *expected)
{
	char buf[64];

	assert_int_equal(utf8_clean(buf, sizeof(buf), raw), strlen(expected));
	assert_string_equal(buf, expected);
}

static void text_is_made_printable(void **state)
{
	(void)state;
	assert_clean("main.main", "main.main");
	assert_clean("caf\xc3\xa9 \xf0\x9f\x90\x8e", "caf\xc3\xa9 \xf0\x9f\x90\x8e");
	assert_clean("a\033[31mb\n\tc\x7f", "a?[31mb??c?");
	assert_clean("\xc2\x9b"
		     "31m",
		     "?31m"); /* C1: CSI in one character */
	assert_clean("a\xe2\x80\xae"
		     "b",
		     "a?b"); /* right-to-left override */
	assert_clean("\xff", "\xef\xbf\xbd");
	assert_clean("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"); /* overlong '/' */
	assert_clean("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
	assert_clean("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_clean("x\xe2\x82", "x\xef\xbf\xbd\xef\xbf\xbd"); /* the string ends too early */
}

static void cut_between_characters(void **state)
{
	char buf[6];

	(void)state;
	assert_int_equal(utf8_clean(buf, sizeof(buf), "abcd\xc3\xa9"), 4);
	assert_string_equal(buf, "abcd");
	assert_int_equal(utf8_clean(buf, 1, "abc"), 0);
	assert_string_equal(buf, "");
	assert_int_equal(utf8_width("caf\xc3\xa9"), 4);
	assert_int_equal(utf8_prefix("\xc3\xa9\xc3\xa9x", 2), 4);
	assert_int_equal(utf8_prefix("ab", 5), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_have_separators),
		cmocka_unit_test(bytes_have_units),
		cmocka_unit_test(durations_suit_their_size),
		cmocka_unit_test(times_have_three_digits),
		cmocka_unit_test(rates_and_shares_of_nothing),
		cmocka_unit_test(means_keep_digits),
		cmocka_unit_test(decimals_are_plain),
		cmocka_unit_test(a_ratio_is_100_only_if_equal),
		cmocka_unit_test(text_is_made_printable),
		cmocka_unit_test(cut_between_characters),
	};
	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
