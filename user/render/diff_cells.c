/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and places of a difference, as all its outputs write them. */
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "render/diff.h"
#include "render/samples.h"

static struct fmt with_unit(struct fmt number, const char *unit)
{
	size_t used = strlen(number.s);

	snprintf(number.s + used, sizeof(number.s) - used, "%s", unit);
	return number;
}

static uint64_t rounded(double v)
{
	return v < (double)INT64_MAX ? (uint64_t)llround(v) : INT64_MAX;
}

/* What is divided by time or calls may be less than one of it. */
static bool is_small(enum diff_unit unit, double v)
{
	static const double few[] = { [DIFF_BYTES] = 1024, [DIFF_COUNT] = 99.95, [DIFF_NS] = 9.95 };

	return v < few[unit] && v != floor(v);
}

struct fmt fmt_measure(const struct diff *d, enum diff_measure m, double v)
{
	enum { WHOLE_BYTES = 1000 * 1000 };
	enum diff_unit unit = diff_measures[m].unit;
	/* As 'gallop op' has them: a call may take a few bytes more. */
	bool of_call = d->opts.per == DIFF_PER_OP && diff_measures[m].kind != DIFF_LEVEL;

	switch (unit) {
	case DIFF_BYTES:
		if (is_small(unit, v))
			return with_unit(fmt_mean(v), " B");
		return of_call && v < WHOLE_BYTES ? with_unit(fmt_count(rounded(v)), " B")
						  : fmt_bytes(rounded(v));
	case DIFF_NS:
		return is_small(unit, v) ? with_unit(fmt_mean(v), " ns") : fmt_time(rounded(v));
	default:
		return is_small(unit, v) ? fmt_mean(v) : fmt_count(rounded(v));
	}
}

struct fmt fmt_change(const struct diff *d, enum diff_measure m, double v)
{
	struct fmt f, size = fmt_measure(d, m, fabs(v));

	snprintf(f.s, sizeof(f.s), "%s%.30s", v > 0 ? "+" : v < 0 ? "-" : "", size.s);
	return f;
}

struct fmt fmt_change_percent(const struct diff_value *v)
{
	enum { FACTOR = 10 }; /* from ten times on as a factor */
	struct fmt f = { "=" };
	double ratio = v->side[DIFF_AFTER] / v->side[DIFF_BEFORE];

	if (v->change == 0)
		return f;
	if (!(v->side[DIFF_BEFORE] > 0))
		strcpy(f.s, "new");
	else if (!(v->side[DIFF_AFTER] > 0))
		strcpy(f.s, "gone");
	else if (ratio < FACTOR)
		/* Never "+0.0 %": it isn't equal; nor "-100.0 %": it isn't gone. */
		snprintf(f.s, sizeof(f.s), "%+.1f %%",
			 fmax(copysign(fmax(fabs(100 * (ratio - 1)), .1), v->change), -99.9));
	else if (ratio < 1e6)
		snprintf(f.s, sizeof(f.s), "x %.4g", ratio);
	else
		strcpy(f.s, "x > 10^6");
	return f;
}

struct fmt fmt_change_ci95(const struct diff_value *v)
{
	return fmt_ci95(fabs(v->change), v->ci95);
}

void diff_per_words(char dst[CELL_SZ], const struct diff *d, const struct diff_names *names)
{
	char op[CELL_SZ];

	if (d->opts.per == DIFF_PER_SECOND)
		strcpy(dst, "per second");
	else if (d->opts.per == DIFF_PER_TOTAL)
		strcpy(dst, "in total");
	else {
		short_func(op, names->op, TABLE_W / 2);
		snprintf(dst, CELL_SZ, "per call of %.400s", op);
	}
}

void diff_measure_words(char dst[CELL_SZ], const struct diff *d, enum diff_measure m,
			const struct diff_names *names)
{
	if (diff_measures[m].kind == DIFF_LEVEL)
		strcpy(dst, "at the end");
	else
		diff_per_words(dst, d, names);
}

bool diff_ops_differ(const struct diff *d)
{
	return d->opts.per == DIFF_PER_OP &&
	       strcmp(d->opts.op[DIFF_BEFORE]->func, d->opts.op[DIFF_AFTER]->func) != 0;
}

/* "12->14", "12", "2->3 lines" where they can't be told apart. */
static void add_lines(char *dst, size_t sz, const struct diff_row *row, const uint32_t line[])
{
	const size_t *n = row->places;
	bool both = row->stack[DIFF_BEFORE] && row->stack[DIFF_AFTER];

	if (n[DIFF_BEFORE] > 1 || n[DIFF_AFTER] > 1)
		snprintf(dst, sz, "%zu->%zu lines", n[DIFF_BEFORE], n[DIFF_AFTER]);
	else if (both && line[DIFF_BEFORE] != line[DIFF_AFTER])
		snprintf(dst, sz, "%u->%u", line[DIFF_BEFORE], line[DIFF_AFTER]);
	else
		snprintf(dst, sz, "%u", line[row->stack[DIFF_AFTER] ? DIFF_AFTER : DIFF_BEFORE]);
}

/* " (x.go:12->14)"; "" if the file is not known. */
static void position_of(char dst[CELL_SZ], const struct diff_row *row)
{
	enum { FILE_W = 18, LINES_W = 15 }; /* "99999->99999" */
	const struct snapshot_frame *frame = NULL;
	uint32_t line[DIFF_SIDES] = { 0 };
	char cell[CELL_SZ], file[CELL_SZ], lines[64], short_lines[CELL_SZ];

	for (int side = 0; side < DIFF_SIDES; side++) {
		if (!row->stack[side])
			continue;
		short_site(cell, row->stack[side], TABLE_W, &frame);
		line[side] = frame->line;
	}
	*dst = '\0';
	if (!frame || !*frame->file)
		return;
	const char *slash = strrchr(frame->file, '/');
	short_text(file, slash ? slash + 1 : frame->file, FILE_W);
	add_lines(lines, sizeof(lines), row, line);
	short_text(short_lines, lines, LINES_W);
	snprintf(dst, CELL_SZ, " (%.200s:%s)", file, short_lines);
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t max_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Says more than the function. */
static bool is_type(const char *type)
{
	return *type && strcmp(type, SNAPSHOT_LOST) && strcmp(type, SNAPSHOT_UNSAMPLED) &&
	       strcmp(type, SNAPSHOT_UNTYPED);
}

/* Names get what they need while it fits; if it doesn't, the type is shortened first. */
void short_diff_place(char dst[CELL_SZ], const struct diff_row *row, size_t width)
{
	enum { FUNC_MIN_W = 8, TYPE_MIN_W = 12, TYPE_MAX_W = 24, GAP_W = 2 };
	const struct snapshot_stack *stack = row->stack[DIFF_AFTER] ? row->stack[DIFF_AFTER]
								    : row->stack[DIFF_BEFORE];
	const struct snapshot_frame *shown;
	char type[CELL_SZ] = "", position[CELL_SZ], func[CELL_SZ];

	if (!stack) {
		short_func(dst, row->type, width);
		return;
	}
	position_of(position, row);
	short_site(func, stack, TABLE_W, &shown);
	size_t room = width - min_size(width, utf8_width(position)), type_w = 0;
	if (is_type(row->type) && room >= FUNC_MIN_W + GAP_W + TYPE_MIN_W) {
		size_t left = room - min_size(room, utf8_width(func) + GAP_W);
		short_func(type, row->type,
			   left < TYPE_MIN_W ? TYPE_MIN_W : min_size(left, TYPE_MAX_W));
		type_w = utf8_width(type) + GAP_W;
	}
	short_site(func, stack, max_size(room - type_w, FUNC_MIN_W), &shown);
	snprintf(dst, CELL_SZ, "%.300s%.250s%s%.400s", func, position, *type ? "  " : "", type);
}
