/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/fmt.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NS_PER_S = 1000 * 1000 * 1000 };

struct fmt fmt_count(uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);

	struct fmt f = { "" };
	char *p = f.s;
	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	*p = '\0';
	return f;
}

struct fmt fmt_bytes(uint64_t n)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	struct fmt f = { "" };

	if (n < 1024) {
		snprintf(f.s, sizeof(f.s), "%" PRIu64 " B", n);
		return f;
	}
	double v = (double)n / 1024;
	size_t unit = 0;
	/* 1023.95 would be printed as "1024.0". */
	while (v >= 1023.95 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		v /= 1024;
		unit++;
	}
	snprintf(f.s, sizeof(f.s), "%.1f %s", v, units[unit]);
	return f;
}

struct fmt fmt_duration(uint64_t ns)
{
	struct fmt f;
	double s = (double)ns / NS_PER_S;
	uint64_t whole = ns / NS_PER_S + (ns % NS_PER_S >= NS_PER_S / 2);

	if (ns < 1000)
		snprintf(f.s, sizeof(f.s), "%" PRIu64 " ns", ns);
	else if (s < 0.001)
		snprintf(f.s, sizeof(f.s), "%.0f us", s * 1e6);
	else if (s < 1)
		snprintf(f.s, sizeof(f.s), "%.0f ms", s * 1e3);
	else if (s < 100)
		snprintf(f.s, sizeof(f.s), "%.1f s", s);
	else if (whole < 3600)
		snprintf(f.s, sizeof(f.s), "%" PRIu64 " min %02" PRIu64 " s", whole / 60,
			 whole % 60);
	else
		snprintf(f.s, sizeof(f.s), "%" PRIu64 " h %02" PRIu64 " min", whole / 3600,
			 whole % 3600 / 60);
	return f;
}

struct fmt fmt_time(uint64_t ns)
{
	static const char *const units[] = { "us", "ms", "s" };
	struct fmt f;

	if (ns < 1000) {
		snprintf(f.s, sizeof(f.s), "%" PRIu64 " ns", ns);
		return f;
	}
	double v = (double)ns / 1000;
	size_t unit = 0;
	/* 999.5 would be printed as "1000". */
	while (v >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		v /= 1000;
		unit++;
	}
	if (v >= 999.5)
		return fmt_duration(ns);
	int decimals = v < 9.995 ? 2 : v < 99.95 ? 1 : 0;
	snprintf(f.s, sizeof(f.s), "%.*f %s", decimals, v, units[unit]);
	return f;
}

struct fmt fmt_percent(uint64_t part, uint64_t whole)
{
	struct fmt f = { "-" };

	if (whole)
		snprintf(f.s, sizeof(f.s), "%.1f %%", 100.0 * (double)part / (double)whole);
	return f;
}

/*
 * A number that is not negative, in two: the part behind the point is a count of 1/scale. What no count can hold is
 * the largest one.
 */
static uint64_t split_decimal(double v, uint32_t scale, uint32_t *behind_ret)
{
	*behind_ret = 0;
	if (!(v > 0))
		return 0;
	if (v >= (double)INT64_MAX)
		return INT64_MAX;
	uint64_t whole = (uint64_t)v;
	uint32_t behind = (uint32_t)llround((v - (double)whole) * scale);
	if (behind == scale)
		return whole + 1;
	*behind_ret = behind;
	return whole;
}

struct fmt fmt_mean(double v)
{
	struct fmt f;
	uint32_t behind, scale = 100;
	int digits = 2;

	/* At least two digits that aren't 0. */
	for (; v > 0 && v * scale < 9.95 && digits < 4; scale *= 10)
		digits++;
	if (v > 0 && v * scale < .5) {
		strcpy(f.s, "<0.0001");
		return f;
	}
	uint64_t whole = split_decimal(v, v < 999999.5 ? scale : 1, &behind);
	if (v < 999999.5)
		snprintf(f.s, sizeof(f.s), "%s.%0*" PRIu32, fmt_count(whole).s, digits, behind);
	else
		f = fmt_count(whole);
	return f;
}

struct fmt fmt_decimal(double v)
{
	enum { MILLION = 1000 * 1000 };
	struct fmt f;
	uint32_t behind;
	uint64_t whole = split_decimal(v, MILLION, &behind);
	int len = snprintf(f.s, sizeof(f.s), "%" PRIu64 ".%06" PRIu32, whole, behind);

	while (f.s[len - 1] == '0')
		f.s[--len] = '\0';
	if (f.s[len - 1] == '.')
		f.s[--len] = '\0';
	return f;
}

/* Events a second, rounded; saturates where hostile input asks for more than there are numbers. */
static uint64_t per_second(uint64_t n, uint64_t dur_ns)
{
	double v = (double)n * NS_PER_S / (double)dur_ns;

	return v < (double)INT64_MAX ? (uint64_t)llround(v) : (uint64_t)INT64_MAX;
}

struct fmt fmt_count_rate(uint64_t n, uint64_t dur_ns)
{
	return dur_ns ? fmt_count(per_second(n, dur_ns)) : (struct fmt){ "-" };
}

struct fmt fmt_bytes_rate(uint64_t n, uint64_t dur_ns)
{
	return dur_ns ? fmt_bytes(per_second(n, dur_ns)) : (struct fmt){ "-" };
}

struct fmt fmt_rate(uint64_t n, uint64_t dur_ns)
{
	struct fmt f = { "-" };
	double v = dur_ns ? (double)n * NS_PER_S / (double)dur_ns : 0;

	if (v >= 99.95)
		return fmt_count_rate(n, dur_ns);
	if (dur_ns)
		snprintf(f.s, sizeof(f.s), "%.*f", v < 9.995 ? 2 : 1, v);
	return f;
}

struct fmt fmt_ratio(uint64_t part, uint64_t whole)
{
	struct fmt f = { "-" };

	if (!whole && part)
		return f;
	double ratio = part == whole ? 1 : (double)part / (double)whole;
	double thousandths = ratio * 100 * 1000;
	/* What differs by less than can be printed is still printed as different. */
	if (part < whole)
		thousandths = fmin(floor(thousandths), 99999);
	else if (part > whole)
		thousandths = fmax(ceil(thousandths), 100001);
	snprintf(f.s, sizeof(f.s), "%.3f %%", thousandths / 1000);
	return f;
}
