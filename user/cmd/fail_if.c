/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/fail_if.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	enum diff_unit of;
	double factor;
};

/* Bytes and times have one: "+2" of a pause is rather forgotten "ms" than 2 ns. */
static const struct unit units[] = {
	{ "B", DIFF_BYTES, 1 },		{ "kB", DIFF_BYTES, 1e3 },
	{ "KB", DIFF_BYTES, 1e3 },	{ "MB", DIFF_BYTES, 1e6 },
	{ "GB", DIFF_BYTES, 1e9 },	{ "KiB", DIFF_BYTES, 1024 },
	{ "MiB", DIFF_BYTES, 1048576 }, { "GiB", DIFF_BYTES, 1073741824 },
	{ "ns", DIFF_NS, 1 },		{ "us", DIFF_NS, 1e3 },
	{ "ms", DIFF_NS, 1e6 },		{ "s", DIFF_NS, 1e9 },
};

static int refuse(const char *text, const char *why, struct err *err)
{
	char measures[200] = "";

	for (int m = 0; m < DIFF_MEASURES_NR; m++) {
		size_t used = strlen(measures);
		snprintf(measures + used, sizeof(measures) - used, "%s%s", m ? " " : "",
			 diff_measures[m].name);
	}
	err_set(err, -EINVAL, "--fail-if '%.100s': %s", text, why);
	err_hint(err,
		 "MEASURE>CHANGE or MEASURE<CHANGE, such as 'alloc_space>+5%%', 'pause>+2ms': %s",
		 measures);
	return -EINVAL;
}

static const struct diff_measure_info *find_measure(const char *text, size_t len,
						    enum diff_measure *ret)
{
	for (int m = 0; m < DIFF_MEASURES_NR; m++) {
		const char *name = diff_measures[m].name;
		if (strlen(name) != len || strncmp(text, name, len) != 0)
			continue;
		*ret = (enum diff_measure)m;
		return &diff_measures[m];
	}
	return NULL;
}

/* The unit behind a number; false: none of this measure's. */
static bool set_unit(struct fail_if *limit, enum diff_unit of, const char *unit)
{
	limit->percent = strcmp(unit, "%") == 0;
	if (limit->percent)
		limit->change /= 100;
	if (limit->percent || (!*unit && (of == DIFF_COUNT || limit->change == 0)))
		return true;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].of != of || strcmp(unit, units[i].name) != 0)
			continue;
		limit->change *= units[i].factor;
		return true;
	}
	return false;
}

int fail_if_parse(const char *text, struct fail_if *ret, struct err *err)
{
	static const char *const bad_unit[] = {
		[DIFF_BYTES] = "that takes %, B, kB, MB, GB, KiB, MiB or GiB",
		[DIFF_COUNT] = "that takes % or a number",
		[DIFF_NS] = "that takes %, ns, us, ms or s",
	};
	size_t len = strcspn(text, "<> "), at = len + strspn(text + len, " ");
	struct fail_if limit = { .text = text, .above = text[at] == '>' };
	const struct diff_measure_info *info = find_measure(text, len, &limit.measure);
	char *unit;

	if (text[at] != '>' && text[at] != '<')
		return refuse(text, "there is no '>' or '<' in it", err);
	if (!info)
		return refuse(text, "there is no such measure", err);
	const char *number = text + at + 1 + strspn(text + at + 1, " ");
	if (*number != '+' && *number != '-')
		return refuse(text, "a change begins with its sign, + or -", err);
	/* strtod() takes more than that: "inf", blanks, hexadecimal. */
	if (!isdigit((unsigned char)number[1]) || tolower((unsigned char)number[2]) == 'x')
		return refuse(text, "behind the sign is no number", err);
	errno = 0;
	limit.change = strtod(number, &unit);
	if (errno || !isfinite(limit.change))
		return refuse(text, "that is no number", err);
	if (!set_unit(&limit, info->unit, unit))
		return refuse(text, bad_unit[info->unit], err);
	*ret = limit;
	return 0;
}

enum fail_if_verdict fail_if_judge(const struct fail_if *limit, const struct diff_value *v)
{
	/* From nothing, any more is beyond all percents. */
	double bound = limit->percent ? limit->change * v->side[DIFF_BEFORE] : limit->change;
	double beyond = limit->above ? v->change - bound : bound - v->change;
	/* Of after - (1 + share) * before: a bound in percent is as unsure as what it is a share of. */
	double ci95 = limit->percent ? hypot(v->side_ci95[DIFF_AFTER],
					     (1 + limit->change) * v->side_ci95[DIFF_BEFORE])
				     : v->ci95;

	if (!(beyond > 0))
		return FAIL_IF_KEPT;
	if (diff_is_unknown(v))
		return FAIL_IF_UNSURE;
	return beyond <= ci95 ? FAIL_IF_NOISE : FAIL_IF_BROKEN;
}
