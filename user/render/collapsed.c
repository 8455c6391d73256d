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

enum { NAME_SZ = 4096 };

struct line {
	const struct snapshot_stack *stack;
	uint64_t count;
};

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
static void add_end(char *name, const struct line *line, bool is_leaf, bool counts)
{
	char *end = name + strlen(name);

	if (is_leaf && counts)
		sprintf(end, " %" PRIu64, line->count);
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
	const struct line *x = a, *y = b;

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

static size_t collect_sites(struct line *lines, const struct snapshot *s, bool objects)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->sites_nr; i++) {
		const struct snapshot_site *site = &s->sites[i];
		uint64_t n = objects ? site->count.objects : site->count.bytes;
		if (n)
			lines[nr++] = (struct line){ site->stack, n };
	}
	return nr;
}

static size_t collect_callers(struct line *lines, const struct snapshot_caller *callers, size_t n)
{
	size_t nr = 0;

	for (size_t i = 0; i < n; i++) {
		if (callers[i].ns)
			lines[nr++] = (struct line){ callers[i].stack, callers[i].ns };
	}
	return nr;
}

static size_t collect_maps(struct line *lines, const struct snapshot *s, enum snapshot_value value)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->maps.sites_nr; i++) {
		uint64_t n = snapshot_map_value(&s->maps.sites[i], value);
		if (n)
			lines[nr++] = (struct line){ s->maps.sites[i].stack, n };
	}
	return nr;
}

static size_t collect_heap(struct line *lines, const struct snapshot *s, enum snapshot_value value)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->heap.sites_nr; i++) {
		uint64_t n = snapshot_heap_value(&s->heap.sites[i], value);
		if (n)
			lines[nr++] = (struct line){ s->heap.sites[i].stack, n };
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

/* Lines of the same stack are next to each other; the first of them gets their sum. */
static size_t merge(struct line *lines, size_t nr, bool *counts)
{
	size_t merged = 0;

	for (size_t i = 0; i < nr; i++) {
		if (merged && line_cmp(&lines[merged - 1], &lines[i], counts) == 0)
			lines[merged - 1].count += lines[i].count;
		else
			lines[merged++] = lines[i];
	}
	return merged;
}

static void put_line(FILE *out, const struct line *line)
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

static int put_lines(FILE *out, struct line *lines, size_t nr)
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
	_cleanup_free_ struct line *lines = calloc(lines_max(s) + 1, sizeof(lines[0]));
	if (!lines)
		return -ENOMEM;
	return put_lines(out, lines, collect(lines, s, opts->value));
}

int render_op_collapsed(FILE *out, const struct snapshot_op *op, const struct render_opts *opts)
{
	_cleanup_free_ struct line *lines = calloc(op->sites_nr + 1, sizeof(lines[0]));
	size_t nr = 0;

	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < op->sites_nr; i++) {
		const struct snapshot_op_site *site = &op->sites[i];
		uint64_t n = opts->value == SNAPSHOT_OBJECTS ? site->objects : site->bytes;
		if (n)
			lines[nr++] = (struct line){ site->stack, n };
	}
	return put_lines(out, lines, nr);
}
