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
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "model/snapshot.h"
#include "render/formats.h"
#include "render/weights.h"

enum { NAME_SZ = 4096 };

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
static void add_end(char *name, const struct weight *line, bool is_leaf, bool counts)
{
	char *end = name + strlen(name);

	if (is_leaf && counts)
		sprintf(end, " %" PRIu64, line->n);
	else
		strcpy(end, is_leaf ? " " : ";");
}

/*
 * The order of the lines' bytes, without making the lines: frames from the root are equal (mostly
 * the same pointer) until one differs, and with its ';' or its count behind it no name is the
 * beginning of another.
 */
static int line_cmp(const void *a, const void *b, void *counts)
{
	const struct weight *x = a, *y = b;

	for (size_t i = 0;; i++) {
		const char *xn = name_at(x->stack, i), *yn = name_at(y->stack, i);
		bool x_leaf = xn && !name_at(x->stack, i + 1);
		bool y_leaf = yn && !name_at(y->stack, i + 1);
		if (!xn || !yn)
			return 0;
		if (xn == yn && x_leaf == y_leaf)
			continue;
		char xs[NAME_SZ + 32], ys[NAME_SZ + 32];
		collapse_name(xs, xn);
		collapse_name(ys, yn);
		if (x_leaf == y_leaf && strcmp(xs, ys) == 0)
			continue;
		add_end(xs, x, x_leaf, *(bool *)counts);
		add_end(ys, y, y_leaf, *(bool *)counts);
		int d = strcmp(xs, ys);
		if (d)
			return d;
	}
}

/* Lines of the same stack are next to each other; the first of them gets their sum. */
static size_t merge(struct weight *lines, size_t nr, bool *counts)
{
	size_t merged = 0;

	for (size_t i = 0; i < nr; i++) {
		if (merged && line_cmp(&lines[merged - 1], &lines[i], counts) == 0)
			lines[merged - 1].n += lines[i].n;
		else
			lines[merged++] = lines[i];
	}
	return merged;
}

static void put_line(FILE *out, const struct weight *line)
{
	const char *name;

	for (size_t i = 0; (name = name_at(line->stack, i)); i++) {
		char collapsed[NAME_SZ + 32];
		collapse_name(collapsed, name);
		add_end(collapsed, line, !name_at(line->stack, i + 1), true);
		fputs(collapsed, out);
	}
	fputc('\n', out);
}

static int put_lines(FILE *out, struct weight *lines, size_t nr)
{
	/* The counts take part in the order of the lines, so they must be merged before. */
	bool counts = false;

	qsort_r(lines, nr, sizeof(lines[0]), line_cmp, &counts);
	nr = merge(lines, nr, &counts);
	counts = true;
	qsort_r(lines, nr, sizeof(lines[0]), line_cmp, &counts);
	for (size_t i = 0; i < nr; i++)
		put_line(out, &lines[i]);
	return render_end(out);
}

int render_collapsed(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	_cleanup_free_ struct weight *lines = calloc(weights_max(s) + 1, sizeof(lines[0]));
	if (!lines)
		return -ENOMEM;
	return put_lines(out, lines, weights_collect(lines, s, opts->value));
}

int render_op_collapsed(FILE *out, const struct snapshot_op *op, const struct render_opts *opts)
{
	_cleanup_free_ struct weight *lines = calloc(op->sites_nr + 1, sizeof(lines[0]));
	if (!lines)
		return -ENOMEM;
	return put_lines(out, lines, weights_collect_op(lines, op, opts->value));
}
