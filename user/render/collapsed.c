/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Collapsed stacks: "root;...;leaf count", what flamegraph.pl, inferno, speedscope, Perfetto,
 * Firefox and Pyroscope read.
 *
 * What they have in common decides the details: exactly one blank, before the count; whole
 * numbers; no header; ';' only between frames; no line that counts nothing; lines sorted by bytes,
 * as some refuse others; stacks that look the same on one line.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/grow.h"
#include "base/u64.h"
#include "base/utf8.h"
#include "model/snapshot.h"
#include "render/diff.h"
#include "render/formats.h"
#include "render/weights.h"

enum { NAME_SZ = 4096, END_SZ = 48 }; /* two counts of 20 digits with their blanks */

struct line {
	const struct snapshot_stack *stack;
	uint64_t count;
	uint64_t before; /* of a difference: what is in the column before the count */
};

/* What ends a line, as far as it is known. */
enum columns { COLUMNS_UNKNOWN, COLUMNS_ONE, COLUMNS_TWO };

/* Of frame i from the root. NULL behind the leaf. */
static const char *name_at(const struct snapshot_stack *stack, size_t i)
{
	const struct snapshot_frame *frame = stack_frame(stack, i);

	return frame ? frame->func : NULL;
}

/* Names that are as they should be, which is nearly all of them. */
static bool is_plain(const char *name)
{
	const char *p = name;

	while (*p > ' ' && *p <= '~' && *p != ';')
		p++;
	return !*p && p > name && p - name < NAME_SZ;
}

/* No ';', no blank at either end or next to another; a name with nothing left is unknown. */
static void collapse_name(char *dst, const char *name)
{
	char clean[NAME_SZ];
	size_t used = 0;

	if (is_plain(name)) {
		strcpy(dst, name);
		return;
	}
	utf8_clean(clean, sizeof(clean), name);
	for (const char *p = clean; *p; p++) {
		if (*p == ' ' && (used == 0 || dst[used - 1] == ' '))
			continue;
		dst[used++] = *p == ';' ? ':' : *p;
	}
	if (used && dst[used - 1] == ' ')
		used--;
	dst[used] = '\0';
	/* flamegraph.pl takes a number behind a blank at the end of a leaf for a second count. */
	char *blank = strrchr(dst, ' ');
	if (blank && blank[1 + strspn(blank + 1, "0123456789.")] == '\0')
		*blank = '_';
	if (used == 0)
		strcpy(dst, "[unknown]");
}

/* Append what follows a frame's name in its line; no count where the count is not known yet. */
static void add_end(char *name, const struct line *line, bool is_leaf, enum columns columns)
{
	char *end = name + strlen(name);

	if (is_leaf && columns == COLUMNS_TWO)
		sprintf(end, " %" PRIu64 " %" PRIu64, line->before, line->count);
	else if (is_leaf && columns == COLUMNS_ONE)
		sprintf(end, " %" PRIu64, line->count);
	else
		strcpy(end, is_leaf ? " " : ";");
}

/*
 * The order of the lines' bytes, without making the lines: frames from the root are equal (mostly
 * the same pointer) until one differs, and with its ';' or its count behind it no name is the
 * beginning of another.
 */
static int line_cmp(const void *a, const void *b, void *columns)
{
	const struct line *x = a, *y = b;

	for (size_t i = 0;; i++) {
		const char *xn = name_at(x->stack, i), *yn = name_at(y->stack, i);
		bool x_leaf = xn && !name_at(x->stack, i + 1);
		bool y_leaf = yn && !name_at(y->stack, i + 1);
		if (!xn || !yn)
			return 0;
		if (xn == yn && x_leaf == y_leaf)
			continue;
		char xs[NAME_SZ + END_SZ], ys[NAME_SZ + END_SZ];
		collapse_name(xs, xn);
		collapse_name(ys, yn);
		if (x_leaf == y_leaf && strcmp(xs, ys) == 0)
			continue;
		add_end(xs, x, x_leaf, *(enum columns *)columns);
		add_end(ys, y, y_leaf, *(enum columns *)columns);
		int d = strcmp(xs, ys);
		if (d)
			return d;
	}
}

/* Lines of the same stack become one. The counts take part in the order of the lines in the end, so it comes first. */
static size_t merge(struct line *lines, size_t nr)
{
	enum columns columns = COLUMNS_UNKNOWN;
	size_t merged = 0;

	if (nr)
		qsort_r(lines, nr, sizeof(lines[0]), line_cmp, &columns);
	for (size_t i = 0; i < nr; i++) {
		if (!merged || line_cmp(&lines[merged - 1], &lines[i], &columns) != 0) {
			lines[merged++] = lines[i];
			continue;
		}
		lines[merged - 1].count = sum_u63(lines[merged - 1].count, lines[i].count);
		lines[merged - 1].before = sum_u63(lines[merged - 1].before, lines[i].before);
	}
	return merged;
}

static void put_line(FILE *out, const struct line *line, enum columns columns)
{
	const char *name;

	for (size_t i = 0; (name = name_at(line->stack, i)); i++) {
		char collapsed[NAME_SZ + END_SZ];
		collapse_name(collapsed, name);
		add_end(collapsed, line, !name_at(line->stack, i + 1), columns);
		fputs(collapsed, out);
	}
	fputc('\n', out);
}

/* Of merged lines. */
static int put_lines(FILE *out, struct line *lines, size_t nr, enum columns columns)
{
	if (nr)
		qsort_r(lines, nr, sizeof(lines[0]), line_cmp, &columns);
	for (size_t i = 0; i < nr; i++)
		put_line(out, &lines[i], columns);
	return render_end(out);
}

/* A list of lines, growing by the weights of a value at a time. */
struct lines {
	struct line *v;
	size_t nr, cap;
};

static void free_lines(struct lines *l)
{
	free(l->v);
}

/* Weights as lines, counted in the column before or in the other. 0 or -ENOMEM. */
static int add_weights(struct lines *l, const struct weight *weights, size_t nr, bool before)
{
	for (size_t i = 0; i < nr; i++) {
		if (grow(&l->v, l->nr, &l->cap, sizeof(l->v[0])))
			return -ENOMEM;
		l->v[l->nr++] = (struct line){ weights[i].stack, before ? 0 : weights[i].n,
					       before ? weights[i].n : 0 };
	}
	return 0;
}

static int add_value(struct lines *l, const struct snapshot *s, enum snapshot_value value,
		     bool before)
{
	_cleanup_free_ struct weight *weights = calloc(weights_max(s) + 1, sizeof(weights[0]));

	return weights ? add_weights(l, weights, weights_collect(weights, s, value), before)
		       : -ENOMEM;
}

static int add_op(struct lines *l, const struct snapshot_op *op, enum snapshot_value value,
		  bool before)
{
	_cleanup_free_ struct weight *weights = calloc(op->sites_nr + 1, sizeof(weights[0]));

	return weights ? add_weights(l, weights, weights_collect_op(weights, op, value), before)
		       : -ENOMEM;
}

int render_collapsed(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	_cleanup_(free_lines) struct lines l = { 0 };
	int rc = add_value(&l, s, opts->value, false);

	return rc ? rc : put_lines(out, l.v, merge(l.v, l.nr), COLUMNS_ONE);
}

int render_op_collapsed(FILE *out, const struct snapshot_op *op, const struct render_opts *opts)
{
	_cleanup_(free_lines) struct lines l = { 0 };
	int rc = add_op(&l, op, opts->value, false);

	return rc ? rc : put_lines(out, l.v, merge(l.v, l.nr), COLUMNS_ONE);
}

/* --- two columns ---------------------------------------------------------------------------------- */

static int add_side(struct lines *l, const struct diff *d, int side, enum snapshot_value value)
{
	const struct snapshot_op *op = d->opts.op[side];
	bool before = side == DIFF_BEFORE;

	if (op && diff_table_of(diff_measure_of(value)) == DIFF_SITES)
		return add_op(l, op, value, before);
	return add_value(l, d->s[side], value, before);
}

/* As many as there would be in the time, or the calls, of the side after. */
static uint64_t scaled(const struct diff *d, enum snapshot_value value, uint64_t n)
{
	enum diff_measure m = diff_measure_of(value);
	double v = (double)n * (diff_divisor(d, m, DIFF_AFTER) / diff_divisor(d, m, DIFF_BEFORE));

	return v < (double)INT64_MAX ? (uint64_t)llround(v) : INT64_MAX;
}

/* Scaled, lines can come to nothing. */
static size_t scale_before(struct line *lines, size_t nr, const struct diff *d,
			   enum snapshot_value value)
{
	size_t kept = 0;

	for (size_t i = 0; i < nr; i++) {
		lines[i].before = scaled(d, value, lines[i].before);
		if (lines[i].before || lines[i].count)
			lines[kept++] = lines[i];
	}
	return kept;
}

int render_diff_collapsed(FILE *out, const struct diff *d, const struct diff_names *names,
			  const struct render_opts *opts)
{
	_cleanup_(free_lines) struct lines l = { 0 };
	int rc = add_side(&l, d, DIFF_BEFORE, opts->value);

	(void)names;
	if (!rc)
		rc = add_side(&l, d, DIFF_AFTER, opts->value);
	if (rc)
		return rc;
	l.nr = scale_before(l.v, merge(l.v, l.nr), d, opts->value);
	return put_lines(out, l.v, l.nr, COLUMNS_TWO);
}
