/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables for people, within 100 columns: what was traced, how much, and where it comes from; then what
 * was lost and how exact it is.
 *
 * Every table ends in a row for what it leaves out, so its columns add up to the totals above it.
 */
#include <string.h>

#include "base/utf8.h"
#include "render/cells.h"
#include "render/footer.h"
#include "render/formats.h"

enum {
	LINE_W = 100,
	BYTES_W = 10,	/* "1023.9 KiB" */
	PERCENT_W = 7,	/* "100.0 %" */
	COUNT_W = 13,	/* "9,999,999,999" */
	GAP_W = 2,
	TYPE_W = 20,
	POSITION_W = 22,
	FUNC_W = LINE_W - BYTES_W - PERCENT_W - COUNT_W - TYPE_W - POSITION_W - 5 * GAP_W,
};

static const char *value_name(enum snapshot_value value)
{
	return value == SNAPSHOT_OBJECTS ? "objects" : "bytes";
}

static uint64_t value_of(struct snapshot_count n, enum snapshot_value value)
{
	return value == SNAPSHOT_OBJECTS ? n.objects : n.bytes;
}

static size_t rows_shown(size_t nr, const struct render_opts *opts)
{
	return opts->top_nr && opts->top_nr < nr ? opts->top_nr : nr;
}

static void put_title(FILE *out, const char *what, size_t shown, size_t nr,
		      const struct render_opts *opts)
{
	fprintf(out, "\n%s%s by %s%s", style(opts, STYLE_BOLD), what, value_name(opts->value),
		style(opts, STYLE_NONE));
	if (shown < nr)
		fprintf(out, ", the first %zu of %s\n", shown, fmt_count(nr).s);
	else
		fprintf(out, ", all %s\n", fmt_count(nr).s);
}

/* The columns that all tables begin with; the one that is sorted by comes first. */
static void put_counts(FILE *out, struct snapshot_count n, struct snapshot_count total,
		       const struct render_opts *opts)
{
	struct fmt percent = fmt_percent(value_of(n, opts->value), value_of(total, opts->value));

	if (opts->value == SNAPSHOT_OBJECTS) {
		put_right(out, fmt_count(n.objects).s, COUNT_W);
		put_right(out, percent.s, GAP_W + PERCENT_W);
		put_right(out, fmt_bytes(n.bytes).s, GAP_W + BYTES_W);
	} else {
		put_right(out, fmt_bytes(n.bytes).s, BYTES_W);
		put_right(out, percent.s, GAP_W + PERCENT_W);
		put_right(out, fmt_count(n.objects).s, GAP_W + COUNT_W);
	}
	fprintf(out, "%*s", GAP_W, "");
}

static void put_counts_head(FILE *out, const struct render_opts *opts)
{
	fputs(style(opts, STYLE_DIM), out);
	if (opts->value == SNAPSHOT_OBJECTS)
		fprintf(out, "%*s%*s%*s%*s", COUNT_W, "OBJECTS", GAP_W + PERCENT_W, "SHARE",
			GAP_W + BYTES_W, "BYTES", GAP_W, "");
	else
		fprintf(out, "%*s%*s%*s%*s", BYTES_W, "BYTES", GAP_W + PERCENT_W, "SHARE",
			GAP_W + COUNT_W, "OBJECTS", GAP_W, "");
}

/* The row for what isn't shown. */
static void put_rest(FILE *out, struct snapshot_count rest, size_t nr, struct snapshot_count total,
		     const struct render_opts *opts)
{
	if (!nr)
		return;
	fputs(style(opts, STYLE_DIM), out);
	put_counts(out, rest, total, opts);
	fprintf(out, "%s more%s\n", fmt_count(nr).s, style(opts, STYLE_NONE));
}

static void take_off(struct snapshot_count *rest, struct snapshot_count n)
{
	rest->objects -= n.objects;
	rest->bytes -= n.bytes;
}

static void put_header(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	const struct model_meta *m = &s->meta;
	uint64_t dur = s->to_mono_ns - s->from_mono_ns;

	fprintf(out, "%sgallop: allocations of ", style(opts, STYLE_BOLD));
	put_target(out, m);
	fprintf(out, ", %s%s\n", fmt_duration(dur).s, style(opts, STYLE_NONE));
	fprintf(out, "from %s", fmt_wall_clock(m, s->from_mono_ns).s);
	if (*m->end_reason) {
		fputs(", ended by ", out);
		put_clean(out, m->end_reason);
	}
	fputc('\n', out);
	if (*m->exe) {
		char exe[CELL_SZ];
		short_text(exe, m->exe, LINE_W);
		fprintf(out, "%s\n", exe);
	}

	fprintf(out, "\n%s%s objects, %s%s", style(opts, STYLE_BOLD), fmt_count(s->total.objects).s,
		fmt_bytes(s->total.bytes).s, style(opts, STYLE_NONE));
	if (s->total.objects)
		fprintf(out, " (%s on average)", fmt_bytes(s->total.bytes / s->total.objects).s);
	if (dur)
		fprintf(out, "; %s objects/s, %s/s", fmt_count_rate(s->total.objects, dur).s,
			fmt_bytes_rate(s->total.bytes, dur).s);
	fputc('\n', out);
}

static void put_stack(FILE *out, const struct snapshot_stack *stack)
{
	enum { INDENT = BYTES_W + PERCENT_W + COUNT_W + 3 * GAP_W };
	char func[CELL_SZ], position[CELL_SZ];

	for (size_t i = 0; i < stack->frames_nr; i++) {
		short_func(func, stack->frames[i]->func, LINE_W - INDENT - GAP_W - POSITION_W);
		short_position(position, stack->frames[i], POSITION_W);
		fprintf(out, "%*s", INDENT, "");
		put_left(out, func, LINE_W - INDENT - GAP_W - POSITION_W);
		fprintf(out, "%*s%s%s\n", GAP_W, "", position,
			stack->frames[i]->inlined ? " (inlined)" : "");
	}
	if (stack->cut)
		fprintf(out, "%*s[truncated]\n", INDENT, "");
}

static void put_site(FILE *out, const struct snapshot_site *site, struct snapshot_count total,
		     const struct render_opts *opts)
{
	char type[CELL_SZ], func[CELL_SZ], position[CELL_SZ];
	const struct snapshot_frame *leaf = site->stack->frames[0];

	short_func(type, site->type, TYPE_W);
	short_func(func, leaf->func, FUNC_W);
	short_position(position, leaf, POSITION_W);
	put_counts(out, site->count, total, opts);
	put_left(out, type, TYPE_W + GAP_W);
	put_left(out, func, *position ? FUNC_W + GAP_W : 0);
	fputs(position, out);
	if (site->goid)
		fprintf(out, " goroutine %llu", (unsigned long long)site->goid);
	fputc('\n', out);
}

static void put_sites(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	size_t shown = rows_shown(s->sites_nr, opts);
	struct snapshot_count rest = s->total;

	put_title(out, "Sites", shown, s->sites_nr, opts);
	put_counts_head(out, opts);
	fprintf(out, "%-*s%-*s%s%s\n", TYPE_W + GAP_W, "TYPE", FUNC_W + GAP_W, "FUNCTION", "FILE:LINE",
		style(opts, STYLE_NONE));
	for (size_t i = 0; i < shown; i++) {
		put_site(out, &s->sites[i], s->total, opts);
		if (opts->stacks)
			put_stack(out, s->sites[i].stack);
		take_off(&rest, s->sites[i].count);
	}
	put_rest(out, rest, s->sites_nr - shown, s->total, opts);
}

static void put_types(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	size_t shown = rows_shown(s->types_nr, opts);
	struct snapshot_count rest = s->total;

	put_title(out, "Types", shown, s->types_nr, opts);
	put_counts_head(out, opts);
	fprintf(out, "TYPE%s\n", style(opts, STYLE_NONE));
	for (size_t i = 0; i < shown; i++) {
		char name[CELL_SZ];
		short_func(name, s->types[i].name, LINE_W - BYTES_W - PERCENT_W - COUNT_W - 3 * GAP_W);
		put_counts(out, s->types[i].count, s->total, opts);
		fprintf(out, "%s\n", name);
		take_off(&rest, s->types[i].count);
	}
	put_rest(out, rest, s->types_nr - shown, s->total, opts);
}

static void put_size(FILE *out, const struct snapshot_size *size)
{
	if (size->size_class == MODEL_CLASS_LARGE)
		fputs("large, over 32 KiB\n", out);
	else if (size->size_class == MODEL_CLASS_TINY)
		fprintf(out, "tiny, sharing %u B\n", size->slot_size);
	else if (size->size_class == MODEL_CLASS_NR)
		fputs(SNAPSHOT_LOST "\n", out);
	else
		fprintf(out, "%u B\n", size->slot_size);
}

static void put_sizes(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	size_t shown = rows_shown(s->sizes_nr, opts);
	struct snapshot_count rest = s->total;

	put_title(out, "Size classes", shown, s->sizes_nr, opts);
	put_counts_head(out, opts);
	fprintf(out, "SLOT%s\n", style(opts, STYLE_NONE));
	for (size_t i = 0; i < shown; i++) {
		put_counts(out, s->sizes[i].count, s->total, opts);
		put_size(out, &s->sizes[i]);
		take_off(&rest, s->sizes[i].count);
	}
	put_rest(out, rest, s->sizes_nr - shown, s->total, opts);
}

int render_text(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	put_header(out, s, opts);
	if (s->sites_nr) {
		put_sites(out, s, opts);
		put_types(out, s, opts);
		put_sizes(out, s, opts);
	} else {
		fputs("\nno allocation was seen\n", out);
	}
	fputc('\n', out);
	put_footer(out, s, opts);
	return render_end(out);
}
