/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One block of the live view where there is no terminal to draw on: what the last interval
 * allocated a second, beside what each site has allocated since the beginning.
 */
#include <string.h>

#include "base/utf8.h"
#include "render/cells.h"
#include "render/footer.h"
#include "render/formats.h"
#include "render/gc.h"
#include "render/maps.h"
#include "render/samples.h"

enum {
	BYTES_W = 10, /* "1023.9 KiB" */
	COUNT_W = 11, /* "999,999,999" */
	SHARE_W = 7, /* "100.0 %" */
	GAP_W = 1,
	WHERE_W = 48, /* "pkg.Func (file.go:12)" */
	WHERE_MIN_W = 24,
	TYPE_W = 20,
};

/* What all lines of a block have in common. */
struct block {
	FILE *out;
	const struct snapshot *interval, *total;
	const struct render_opts *opts;
	bool by_objects;
	uint64_t dur_ns;
	size_t where_w;
};

static bool same_site(const struct snapshot_site *a, const struct snapshot_site *b)
{
	if (a->goid != b->goid || a->stack->cut != b->stack->cut ||
	    a->stack->frames_nr != b->stack->frames_nr || strcmp(a->type, b->type) != 0)
		return false;
	for (size_t i = 0; i < a->stack->frames_nr; i++) {
		if (!snapshot_same_frame(a->stack->frames[i], b->stack->frames[i]))
			return false;
	}
	return true;
}

/* A look at all sites for each row shown: some milliseconds with 50,000 of them. */
static struct snapshot_count total_of(const struct snapshot *total,
				      const struct snapshot_site *site)
{
	for (size_t i = 0; i < total->sites_nr; i++) {
		if (same_site(&total->sites[i], site))
			return total->sites[i].count;
	}
	return site->count;
}

static size_t fit_where(const struct snapshot *s, size_t shown)
{
	size_t width = WHERE_MIN_W;
	char cell[CELL_SZ];

	for (size_t i = 0; i < shown; i++) {
		short_where(cell, s->sites[i].stack, WHERE_W);
		if (utf8_width(cell) > width)
			width = utf8_width(cell);
	}
	return width;
}

/* How sure a rate is, next to the one that is sorted by. */
static void put_ci95(const struct block *b, bool sorted_by, const char *cell)
{
	if (b->interval->samples.on && sorted_by)
		put_right(b->out, cell, CI95_W + GAP_W);
}

static void put_head(const struct block *b)
{
	FILE *out = b->out;

	fprintf(out, "%s\n", fmt_wall_clock(&b->interval->meta, b->interval->to_mono_ns).s);
	put_target(out, &b->total->meta);
	fprintf(out, ", %s: %s objects, %s\n",
		fmt_duration(b->total->to_mono_ns - b->total->from_mono_ns).s,
		fmt_count(b->total->total.objects).s, fmt_bytes(b->total->total.bytes).s);
	fprintf(out, "last %s, by %s: %s objects/s, %s/s\n", fmt_duration(b->dur_ns).s,
		b->by_objects ? "objects" : "bytes",
		fmt_count_rate(b->interval->total.objects, b->dur_ns).s,
		fmt_bytes_rate(b->interval->total.bytes, b->dur_ns).s);
	put_sources_now(out, b->interval);
	put_cost_now(out, b->total, b->opts);
	put_right(out, "ALLOC/S", BYTES_W);
	put_ci95(b, !b->by_objects, "+-");
	put_right(out, "OBJS/S", COUNT_W + GAP_W);
	put_ci95(b, b->by_objects, "+-");
	put_right(out, "AVG SIZE", BYTES_W + GAP_W);
	put_right(out, "TOTAL", COUNT_W + GAP_W);
	put_right(out, "SHARE", SHARE_W + GAP_W);
	fputs("  ", out);
	put_left(out, "FUNCTION (FILE:LINE)", b->where_w);
	fputs("  TYPE\n", out);
}

static void put_row(const struct block *b, const struct snapshot_site *site)
{
	struct snapshot_count n = site->count, all = total_of(b->total, site),
			      sum = b->interval->total;
	struct fmt total = b->by_objects ? fmt_count(all.objects) : fmt_bytes(all.bytes);
	struct fmt share = b->by_objects ? fmt_percent(n.objects, sum.objects)
					 : fmt_percent(n.bytes, sum.bytes);
	struct fmt ci95 = fmt_ci95_of(b->opts->value, n, site->ci95, site->type);
	char cell[CELL_SZ];

	put_right(b->out, fmt_bytes_rate(n.bytes, b->dur_ns).s, BYTES_W);
	put_ci95(b, !b->by_objects, ci95.s);
	put_right(b->out, fmt_count_rate(n.objects, b->dur_ns).s, COUNT_W + GAP_W);
	put_ci95(b, b->by_objects, ci95.s);
	put_right(b->out, n.objects ? fmt_bytes(n.bytes / n.objects).s : "-", BYTES_W + GAP_W);
	put_right(b->out, total.s, COUNT_W + GAP_W);
	put_right(b->out, share.s, SHARE_W + GAP_W);

	fputs("  ", b->out);
	short_where(cell, site->stack, WHERE_W);
	put_left(b->out, cell, b->where_w);
	short_func(cell, site->type, TYPE_W);
	fprintf(b->out, "  %s\n", cell);
}

int render_top_block(FILE *out, const struct snapshot *interval, const struct snapshot *total,
		     const struct render_opts *opts)
{
	size_t shown = interval->sites_nr;
	if (opts->top_nr && opts->top_nr < shown)
		shown = opts->top_nr;

	const struct block block = {
		.out = out,
		.interval = interval,
		.total = total,
		.opts = opts,
		.by_objects = opts->value == SNAPSHOT_OBJECTS,
		.dur_ns = interval->to_mono_ns - interval->from_mono_ns,
		.where_w = fit_where(interval, shown),
	};
	put_head(&block);
	for (size_t i = 0; i < shown; i++)
		put_row(&block, &interval->sites[i]);
	put_marks_now(out, interval, opts->value, shown);
	put_gc_block(out, interval, total);
	put_maps_block(out, interval, total);
	put_limits(out, total, opts);
	put_check(out, total, opts);
	fputc('\n', out);
	return render_end(out);
}
