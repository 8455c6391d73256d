/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live heap for people, within 100 columns: what is in use by which call stack, and what of it has grown.
 *
 * All numbers are estimates of the runtime's samples, so each row says of how many. "-" is no samples at all.
 */
#include <math.h>
#include <string.h>

#include "base/fmt.h"
#include "base/u64.h"
#include "render/cells.h"
#include "render/footer.h"
#include "render/formats.h"
#include "render/heap.h"
#include "render/samples.h"

enum {
	BYTES_W = 10, /* "1023.9 KiB" */
	GROWN_W = 11, /* with a sign */
	SHARE_W = 7, /* "100.0 %" */
	OBJECTS_W = 11,
	SAMPLES_W = 9,
	GAP_W = 2,
	WHERE_W = TABLE_W - BYTES_W - GAP_W - SHARE_W - GAP_W - OBJECTS_W - GAP_W - SAMPLES_W -
		  GAP_W,
	GROWN_WHERE_W = TABLE_W - GROWN_W - 1 - CI95_W - GAP_W - OBJECTS_W - GAP_W - BYTES_W -
			GAP_W - SAMPLES_W - GAP_W,
	INDENT = 4,
};

/* What a table of sites shows: of which two numbers, sorted by one of them. */
struct columns {
	const char *title;
	bool alloc, by_objects;
};

static struct columns columns_of(enum snapshot_value value)
{
	switch (value) {
	case SNAPSHOT_INUSE_OBJECTS:
		return (struct columns){ "In use by objects", false, true };
	case SNAPSHOT_ALLOC_BYTES:
		return (struct columns){ "Allocated since the start by bytes", true, false };
	case SNAPSHOT_ALLOC_OBJECTS:
		return (struct columns){ "Allocated since the start by objects", true, true };
	default:
		return (struct columns){ "In use by bytes", false, false };
	}
}

static uint64_t objects_of(const struct model_heap_counts *n, bool alloc)
{
	return alloc ? n->alloc_objects : n->inuse_objects;
}

static uint64_t bytes_of(const struct model_heap_counts *n, bool alloc)
{
	return alloc ? n->alloc_bytes : n->inuse_bytes;
}

static uint64_t samples_of(const struct model_heap_counts *n, bool alloc)
{
	return alloc ? n->alloc_samples : n->inuse_samples;
}

static uint64_t looked_for(const struct snapshot_heap *heap)
{
	return heap->last.mono_ns - heap->first.mono_ns;
}

static size_t rows_shown(const struct render_opts *opts, size_t nr)
{
	return opts->top_nr && opts->top_nr < nr ? opts->top_nr : nr;
}

/* "+1.2 MiB", "-12 B", "0 B" */
static struct fmt fmt_grown_bytes(int64_t n)
{
	struct fmt f, size = fmt_bytes(n < 0 ? -(uint64_t)n : (uint64_t)n);

	snprintf(f.s, sizeof(f.s), "%s%.24s", n > 0 ? "+" : n < 0 ? "-" : "", size.s);
	return f;
}

static struct fmt fmt_grown_count(int64_t n)
{
	struct fmt f, count = fmt_count(n < 0 ? -(uint64_t)n : (uint64_t)n);

	snprintf(f.s, sizeof(f.s), "%s%.28s", n > 0 ? "+" : n < 0 ? "-" : "", count.s);
	return f;
}

/* The title and how many rows of the table there are; the caller ends the line after its columns. */
static void put_title(FILE *out, const struct render_opts *opts, const char *title, size_t shown,
		      size_t nr)
{
	put_heading(out, opts, title);
	if (shown < nr)
		fprintf(out, ", the first %s of %s\n", fmt_count(shown).s, fmt_count(nr).s);
	else
		fprintf(out, ", all %s\n", fmt_count(nr).s);
	fputs(style(opts, STYLE_DIM), out);
}

static void put_where(FILE *out, const struct snapshot_heap_site *site, size_t width,
		      const struct render_opts *opts)
{
	char where[CELL_SZ];

	short_where(where, site->stack, width);
	fprintf(out, "%*s%s\n", GAP_W, "", where);
	if (opts->stacks)
		put_stack(out, site->stack, INDENT, 0);
}

static void put_counts(FILE *out, const struct columns *c, const struct model_heap_counts *n,
		       const struct model_heap_counts *total)
{
	uint64_t objects = objects_of(n, c->alloc), bytes = bytes_of(n, c->alloc);
	struct fmt share = c->by_objects ? fmt_percent(objects, objects_of(total, c->alloc))
					 : fmt_percent(bytes, bytes_of(total, c->alloc));

	put_right(out, c->by_objects ? fmt_count(objects).s : fmt_bytes(bytes).s,
		  c->by_objects ? OBJECTS_W : BYTES_W);
	put_right(out, share.s, GAP_W + SHARE_W);
	put_right(out, c->by_objects ? fmt_bytes(bytes).s : fmt_count(objects).s,
		  GAP_W + (c->by_objects ? BYTES_W : OBJECTS_W));
	put_right(out, fmt_count(samples_of(n, c->alloc)).s, GAP_W + SAMPLES_W);
}

static void rest_add(struct model_heap_counts *rest, const struct model_heap_counts *n)
{
	rest->inuse_objects = sum_u63(rest->inuse_objects, n->inuse_objects);
	rest->inuse_bytes = sum_u63(rest->inuse_bytes, n->inuse_bytes);
	rest->inuse_samples = sum_u63(rest->inuse_samples, n->inuse_samples);
	rest->alloc_objects = sum_u63(rest->alloc_objects, n->alloc_objects);
	rest->alloc_bytes = sum_u63(rest->alloc_bytes, n->alloc_bytes);
	rest->alloc_samples = sum_u63(rest->alloc_samples, n->alloc_samples);
}

/* Sites that have the value, which are the first ones: it is sorted by it. */
static size_t sites_with(const struct snapshot_heap *heap, enum snapshot_value value)
{
	size_t nr = 0;

	while (nr < heap->sites_nr && snapshot_heap_value(&heap->sites[nr], value))
		nr++;
	return nr;
}

static void put_sites(FILE *out, const struct snapshot_heap *heap, const struct render_opts *opts)
{
	const struct columns c = columns_of(opts->value);
	size_t nr = sites_with(heap, opts->value), shown = rows_shown(opts, nr);
	struct model_heap_counts rest = { 0 };

	put_title(out, opts, c.title, shown, nr);
	put_right(out, c.by_objects ? "OBJECTS" : "BYTES", c.by_objects ? OBJECTS_W : BYTES_W);
	put_right(out, "SHARE", GAP_W + SHARE_W);
	put_right(out, c.by_objects ? "BYTES" : "OBJECTS",
		  GAP_W + (c.by_objects ? BYTES_W : OBJECTS_W));
	put_right(out, "SAMPLES", GAP_W + SAMPLES_W);
	fprintf(out, "%*sFUNCTION (FILE:LINE)%s\n", GAP_W, "", style(opts, STYLE_NONE));
	for (size_t i = 0; i < shown; i++) {
		put_counts(out, &c, &heap->sites[i].counts, &heap->total);
		put_where(out, &heap->sites[i], WHERE_W, opts);
	}
	for (size_t i = shown; i < nr; i++)
		rest_add(&rest, &heap->sites[i].counts);
	if (shown < nr) {
		fputs(style(opts, STYLE_DIM), out);
		put_counts(out, &c, &rest, &heap->total);
		fprintf(out, "%*s%s more%s\n", GAP_W, "", fmt_count(nr - shown).s,
			style(opts, STYLE_NONE));
	}
}

static void put_grown(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	const struct snapshot_heap *heap = &s->heap;
	uint64_t dur = looked_for(heap);
	size_t nr = 0;

	while (nr < heap->sites_nr && heap->grown[nr]->grown_bytes > 0)
		nr++;
	if (!nr) {
		fprintf(out, "\nno stack holds more than %s before\n", fmt_duration(dur).s);
		return;
	}
	char title[CELL_SZ];
	snprintf(title, sizeof(title), "Growth of what is in use, in %s", fmt_duration(dur).s);
	put_title(out, opts, title, rows_shown(opts, nr), nr);
	put_right(out, "GROWN", GROWN_W);
	put_right(out, "95 %", 1 + CI95_W);
	put_right(out, "OBJECTS", GAP_W + OBJECTS_W);
	put_right(out, "BYTES NOW", GAP_W + BYTES_W);
	put_right(out, "SAMPLES", GAP_W + SAMPLES_W);
	fprintf(out, "%*sFUNCTION (FILE:LINE)%s\n", GAP_W, "", style(opts, STYLE_NONE));
	for (size_t i = 0; i < rows_shown(opts, nr); i++) {
		const struct snapshot_heap_site *site = heap->grown[i];
		put_right(out, fmt_grown_bytes(site->grown_bytes).s, GROWN_W);
		put_right(out, fmt_ci95((double)site->grown_bytes, site->grown_ci95.bytes).s,
			  1 + CI95_W);
		put_right(out, fmt_grown_count(site->grown_objects).s, GAP_W + OBJECTS_W);
		put_right(out, fmt_bytes(site->counts.inuse_bytes).s, GAP_W + BYTES_W);
		put_right(out, fmt_count(site->counts.inuse_samples).s, GAP_W + SAMPLES_W);
		put_where(out, site, GROWN_WHERE_W, opts);
	}
}

static void put_sums(FILE *out, const struct snapshot_heap *heap, const struct render_opts *opts)
{
	const struct model_heap_counts *n = &heap->total;

	fprintf(out, "%s%s objects, %s in use%s; %s objects, %s allocated since the start\n",
		style(opts, STYLE_BOLD), fmt_count(n->inuse_objects).s, fmt_bytes(n->inuse_bytes).s,
		style(opts, STYLE_NONE), fmt_count(n->alloc_objects).s,
		fmt_bytes(n->alloc_bytes).s);
	if (heap->looks > 1)
		fprintf(out, "in use has changed by %s objects, %s (%s) in %s (%s looks)\n",
			fmt_grown_count(heap->grown_objects).s,
			fmt_grown_bytes(heap->grown_bytes).s,
			fmt_ci95(fabs((double)heap->grown_bytes), heap->grown_ci95.bytes).s,
			fmt_duration(looked_for(heap)).s, fmt_count(heap->looks).s);
	if (heap->last.before_gc)
		fputs("no garbage was collected yet: what is in use is all that was allocated\n",
		      out);
	else
		fprintf(out,
			"as of GC cycle %s (a profile is one behind, unless runtime.GC() was "
			"called)\n",
			fmt_count(heap->last.cycle).s);
}

void put_heap_basis(FILE *out, const struct snapshot_heap *heap)
{
	if (heap->last.rate == 1) {
		fputs("heap:  exact, every object is sampled (runtime.MemProfileRate is 1)\n", out);
	} else {
		fprintf(out,
			"heap:  estimated from samples, one each %s (runtime.MemProfileRate): %s "
			"of "
			"what is in use,\n       %s of what was allocated; a row of n samples is "
			"within about 200/sqrt(n) %% of the\n       truth, 19 times of 20\n",
			fmt_bytes(heap->last.rate).s, fmt_count(heap->total.inuse_samples).s,
			fmt_count(heap->total.alloc_samples).s);
		if (heap->looks > 1)
			fputs("       growth in 95 %: its own interval, which what stayed in use "
			      "doesn't widen;\n       noise: it reaches down to 0; ?: the rate has "
			      "changed\n",
			      out);
	}
	if (heap->last.unsettled)
		fprintf(out, "       %s of its counts changed while they were read\n",
			fmt_count(heap->last.unsettled).s);
}

static void put_body(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	const struct snapshot_heap *heap = &s->heap;

	if (!heap->known) {
		fputs("not known: ", out);
		put_clean(out, heap->why_not);
		fputc('\n', out);
		return;
	}
	put_sums(out, heap, opts);
	put_sites(out, heap, opts);
	if (heap->looks > 1)
		put_grown(out, s, opts);
}

void put_heap_section(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	if (!s->heap.asked)
		return;
	put_heading(out, opts, "Live heap");
	fputc('\n', out);
	put_body(out, s, opts);
	if (s->heap.known)
		put_heap_basis(out, &s->heap);
}

int render_heap_summary(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	const struct snapshot_heap *heap = &s->heap;

	fprintf(out, "%sgallop: live heap of ", style(opts, STYLE_BOLD));
	put_target(out, &s->meta);
	fprintf(out, "%s\n", style(opts, STYLE_NONE));
	if (heap->known)
		fprintf(out, "at %s\n", fmt_wall_clock(&s->meta, heap->last.mono_ns).s);
	if (*s->meta.exe) {
		char exe[CELL_SZ];
		short_text(exe, s->meta.exe, TABLE_W);
		fprintf(out, "%s\n", exe);
	}
	fputc('\n', out);
	put_body(out, s, opts);
	fputc('\n', out);
	if (heap->known)
		put_heap_basis(out, heap);
	put_limits(out, s, opts);
	return render_end(out);
}

void render_heap_line(FILE *out, const struct snapshot *s)
{
	const struct snapshot_heap *heap = &s->heap;

	fprintf(out, "%s  cycle %s: %s objects, %s in use",
		fmt_wall_clock(&s->meta, heap->last.mono_ns).s, fmt_count(heap->last.cycle).s,
		fmt_count(heap->total.inuse_objects).s, fmt_bytes(heap->total.inuse_bytes).s);
	if (heap->looks > 1)
		fprintf(out, " (%s)", fmt_grown_bytes(heap->grown_bytes).s);
	fputc('\n', out);
}
