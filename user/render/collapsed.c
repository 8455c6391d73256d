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
#include "base/u64.h"
#include "base/utf8.h"
#include "model/snapshot.h"
#include "render/diff.h"
#include "render/formats.h"

enum { NAME_SZ = 4096, END_SZ = 48 }; /* two counts of 20 digits with their blanks */

struct line {
	const struct snapshot_stack *stack;
	uint64_t count;
	uint64_t before; /* of a difference: what is in the column before the count */
};

/* What ends a line, as far as it is known. */
enum columns { COLUMNS_UNKNOWN, COLUMNS_ONE, COLUMNS_TWO };

/* Frame i from the root, where a missing root is a frame of its own. NULL behind the leaf. */
static const char *name_at(const struct snapshot_stack *stack, size_t i)
{
	if (stack->cut && i-- == 0)
		return "[truncated]";
	return i < stack->frames_nr ? stack->frames[stack->frames_nr - 1 - i]->func : NULL;
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

static size_t collect_sites(struct line *lines, const struct snapshot *s, bool objects)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->sites_nr; i++) {
		const struct snapshot_site *site = &s->sites[i];
		uint64_t n = objects ? site->count.objects : site->count.bytes;
		if (n)
			lines[nr++] = (struct line){ site->stack, n, 0 };
	}
	return nr;
}

static size_t collect_callers(struct line *lines, const struct snapshot_caller *callers, size_t n)
{
	size_t nr = 0;

	for (size_t i = 0; i < n; i++) {
		if (callers[i].ns)
			lines[nr++] = (struct line){ callers[i].stack, callers[i].ns, 0 };
	}
	return nr;
}

static size_t collect_maps(struct line *lines, const struct snapshot *s, enum snapshot_value value)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->maps.sites_nr; i++) {
		uint64_t n = snapshot_map_value(&s->maps.sites[i], value);
		if (n)
			lines[nr++] = (struct line){ s->maps.sites[i].stack, n, 0 };
	}
	return nr;
}

static size_t collect_heap(struct line *lines, const struct snapshot *s, enum snapshot_value value)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->heap.sites_nr; i++) {
		uint64_t n = snapshot_heap_value(&s->heap.sites[i], value);
		if (n)
			lines[nr++] = (struct line){ s->heap.sites[i].stack, n, 0 };
	}
	return nr;
}

static size_t collect(struct line *lines, const struct snapshot *s, enum snapshot_value value)
{
	switch (value) {
	case SNAPSHOT_ASSIST:
		return collect_callers(lines, s->gc.assists, s->gc.assists_nr);
	case SNAPSHOT_STW:
		return collect_callers(lines, s->gc.stoppers, s->gc.stoppers_nr);
	case SNAPSHOT_ASSIGNS:
	case SNAPSHOT_DELETES:
	case SNAPSHOT_CLEARS:
	case SNAPSHOT_RETAINED:
	case SNAPSHOT_GROWTHS:
		return collect_maps(lines, s, value);
	case SNAPSHOT_INUSE_BYTES:
	case SNAPSHOT_INUSE_OBJECTS:
	case SNAPSHOT_ALLOC_BYTES:
	case SNAPSHOT_ALLOC_OBJECTS:
		return collect_heap(lines, s, value);
	default:
		return collect_sites(lines, s, value == SNAPSHOT_OBJECTS);
	}
}

/* Room for any value's lines. */
static size_t lines_max(const struct snapshot *s)
{
	return s->sites_nr + s->gc.assists_nr + s->gc.stoppers_nr + s->maps.sites_nr +
	       s->heap.sites_nr;
}

/* Lines of the same stack become one. The counts take part in the order of the lines in the end, so it comes first. */
static size_t merge(struct line *lines, size_t nr)
{
	enum columns columns = COLUMNS_UNKNOWN;
	size_t merged = 0;

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
	qsort_r(lines, nr, sizeof(lines[0]), line_cmp, &columns);
	for (size_t i = 0; i < nr; i++)
		put_line(out, &lines[i], columns);
	return render_end(out);
}

int render_collapsed(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	_cleanup_free_ struct line *lines = calloc(lines_max(s) + 1, sizeof(lines[0]));
	if (!lines)
		return -ENOMEM;
	return put_lines(out, lines, merge(lines, collect(lines, s, opts->value)), COLUMNS_ONE);
}

static size_t collect_op(struct line *lines, const struct snapshot_op *op, bool objects)
{
	size_t nr = 0;

	for (size_t i = 0; i < op->sites_nr; i++) {
		const struct snapshot_op_site *site = &op->sites[i];
		uint64_t n = objects ? site->objects : site->bytes;
		if (n)
			lines[nr++] = (struct line){ site->stack, n, 0 };
	}
	return nr;
}

int render_op_collapsed(FILE *out, const struct snapshot_op *op, const struct render_opts *opts)
{
	_cleanup_free_ struct line *lines = calloc(op->sites_nr + 1, sizeof(lines[0]));

	if (!lines)
		return -ENOMEM;
	size_t nr = collect_op(lines, op, opts->value == SNAPSHOT_OBJECTS);
	return put_lines(out, lines, merge(lines, nr), COLUMNS_ONE);
}

/* --- two columns ---------------------------------------------------------------------------------- */

static size_t side_max(const struct diff *d, int side)
{
	return lines_max(d->s[side]) + (d->opts.op[side] ? d->opts.op[side]->sites_nr : 0);
}

static size_t collect_side(struct line *lines, const struct diff *d, int side,
			   enum snapshot_value value)
{
	if (d->opts.op[side] && diff_table_of(diff_measure_of(value)) == DIFF_SITES)
		return collect_op(lines, d->opts.op[side], value == SNAPSHOT_OBJECTS);
	return collect(lines, d->s[side], value);
}

/* As many as there would be in the time, or the calls, of the side after. */
static uint64_t scaled(const struct diff *d, enum snapshot_value value, uint64_t n)
{
	double v = (double)n;

	if (!diff_measures[diff_measure_of(value)].is_state)
		v *= d->divisor[DIFF_AFTER] / d->divisor[DIFF_BEFORE];
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
	_cleanup_free_ struct line *lines =
		calloc(side_max(d, DIFF_BEFORE) + side_max(d, DIFF_AFTER) + 1, sizeof(lines[0]));
	(void)names;

	if (!lines)
		return -ENOMEM;
	size_t nr = collect_side(lines, d, DIFF_BEFORE, opts->value);
	for (size_t i = 0; i < nr; i++) {
		lines[i].before = lines[i].count;
		lines[i].count = 0;
	}
	nr += collect_side(lines + nr, d, DIFF_AFTER, opts->value);
	nr = scale_before(lines, merge(lines, nr), d, opts->value);
	return put_lines(out, lines, nr, COLUMNS_TWO);
}
