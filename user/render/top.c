/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One block of the live view where there is no terminal to draw on: what the last interval allocated a
 * second, beside what each site has allocated since the beginning.
 */
#include <string.h>

#include "render/cells.h"
#include "render/footer.h"
#include "render/formats.h"

enum {
	RATE_W = 12,	/* "1023.9 KiB/s" */
	COUNT_W = 11,	/* "999,999,999" */
	BYTES_W = 10,
	PERCENT_W = 7,
	GAP_W = 1,
	FUNC_W = 40,
	TYPE_W = 20,
};

static bool same_frame(const struct snapshot_frame *a, const struct snapshot_frame *b)
{
	return a->line == b->line && a->inlined == b->inlined && strcmp(a->func, b->func) == 0 &&
	       strcmp(a->file, b->file) == 0;
}

static bool same_site(const struct snapshot_site *a, const struct snapshot_site *b)
{
	if (a->goid != b->goid || a->stack->cut != b->stack->cut ||
	    a->stack->frames_nr != b->stack->frames_nr || strcmp(a->type, b->type) != 0)
		return false;
	for (size_t i = 0; i < a->stack->frames_nr; i++) {
		if (!same_frame(a->stack->frames[i], b->stack->frames[i]))
			return false;
	}
	return true;
}

/* A look at all sites for each row shown: some milliseconds with 50,000 of them. */
static struct snapshot_count total_of(const struct snapshot *total, const struct snapshot_site *site)
{
	for (size_t i = 0; i < total->sites_nr; i++) {
		if (same_site(&total->sites[i], site))
			return total->sites[i].count;
	}
	return site->count;
}

static void put_head(FILE *out, const struct snapshot *interval, const struct snapshot *total)
{
	uint64_t dur = interval->to_mono_ns - interval->from_mono_ns;

	fprintf(out, "%s\n", fmt_wall_clock(&interval->meta, interval->to_mono_ns).s);
	put_target(out, &total->meta);
	fprintf(out, ", %s\n", fmt_duration(total->to_mono_ns - total->from_mono_ns).s);
	fprintf(out, "last %s: %s objects/s, %s/s; in all: %s objects, %s\n", fmt_duration(dur).s,
		fmt_count_rate(interval->total.objects, dur).s,
		fmt_bytes_rate(interval->total.bytes, dur).s, fmt_count(total->total.objects).s,
		fmt_bytes(total->total.bytes).s);
	fprintf(out, "%*s%*s%*s%*s%*s %s\n", BYTES_W, "ALLOC/S", COUNT_W + GAP_W, "OBJS/S",
		BYTES_W + GAP_W, "AVG SIZE", BYTES_W + GAP_W, "TOTAL", PERCENT_W + GAP_W, "SHARE",
		" FUNCTION (FILE:LINE)  TYPE");
}

static void put_row(FILE *out, const struct snapshot_site *site, const struct snapshot *interval,
		    const struct snapshot *total, const struct render_opts *opts)
{
	uint64_t dur = interval->to_mono_ns - interval->from_mono_ns;
	struct snapshot_count n = site->count, all = total_of(total, site);
	bool by_objects = opts->value == SNAPSHOT_OBJECTS;
	char func[CELL_SZ], position[CELL_SZ], type[CELL_SZ];

	put_right(out, fmt_bytes_rate(n.bytes, dur).s, BYTES_W);
	put_right(out, fmt_count_rate(n.objects, dur).s, COUNT_W + GAP_W);
	put_right(out, n.objects ? fmt_bytes(n.bytes / n.objects).s : "-", BYTES_W + GAP_W);
	put_right(out, by_objects ? fmt_count(all.objects).s : fmt_bytes(all.bytes).s, BYTES_W + GAP_W);
	put_right(out,
		  by_objects ? fmt_percent(n.objects, interval->total.objects).s :
			       fmt_percent(n.bytes, interval->total.bytes).s,
		  PERCENT_W + GAP_W);

	short_func(func, site->stack->frames[0]->func, FUNC_W);
	short_position(position, site->stack->frames[0], FUNC_W);
	short_func(type, site->type, TYPE_W);
	fprintf(out, "  %s", func);
	if (*position)
		fprintf(out, " (%s)", position);
	fprintf(out, "  %s\n", type);
}

int render_top_block(FILE *out, const struct snapshot *interval, const struct snapshot *total,
		     const struct render_opts *opts)
{
	size_t shown = interval->sites_nr;

	put_head(out, interval, total);
	if (opts->top_nr && opts->top_nr < shown)
		shown = opts->top_nr;
	for (size_t i = 0; i < shown; i++)
		put_row(out, &interval->sites[i], interval, total, opts);
	put_losses(out, total, opts);
	fputc('\n', out);
	return render_end(out);
}
