/* SPDX-License-Identifier: BSD-2-Clause */
/* The collector: what it costs, cycle by cycle. */
#include <math.h>
#include <string.h>

#include "base/fmt.h"
#include "base/f64.h"
#include "render/cells.h"
#include "render/gc.h"
#include "tui/tabs.h"

enum {
	COL_CYCLE,
	COL_LIVE,
	COL_MARKED,
	COL_GOAL,
	COL_MARK,
	COL_ASSIST,
	COL_PAUSE,
	COL_TRIGGER,
	COL_BY,
	COL_NR
};

static const struct table_column columns[COL_NR] = {
	{ "CYCLE", .width = 8 },
	{ "LIVE", .width = 10 },
	{ "MARKED", .width = 10, .screen_min = 100 },
	{ "GOAL", .width = 10 },
	{ "MARK", .width = 8 },
	{ "ASSIST", .width = 8, .screen_min = 100 },
	{ "PAUSE", .width = 8 },
	{ "TRIGGER", .width = 12, .left = true },
	{ "BY", .width = 0, .left = true },
};

static const struct snapshot_gc *gc_of(const struct view *v)
{
	return &frame_snapshot(v->frame, FRAME_TOTAL)->gc;
}

static const struct snapshot_cycle *cycle_of(const struct view *v, const struct table_row *row)
{
	return &gc_of(v)->cycles[row->idx];
}

static double known(uint64_t n)
{
	return n ? (double)n : NAN;
}

int gc_build(struct view *v)
{
	const struct snapshot_gc *gc = gc_of(v);
	int rc = 0;

	for (size_t i = 0; !rc && i < gc->cycles_nr; i++) {
		const struct snapshot_cycle *c = &gc->cycles[i];
		struct table_row row = { .idx = i, .id = c->told_ns };

		/* Those that the runtime hasn't numbered still have their order. */
		row.key[COL_CYCLE] = (double)i;
		row.key[COL_LIVE] = known(c->raw.heap_live_start);
		row.key[COL_MARKED] = known(c->raw.heap_marked);
		row.key[COL_GOAL] = snapshot_has_goal(c->raw.goal) ? (double)c->raw.goal : NAN;
		row.key[COL_MARK] = known(c->mark_ns);
		row.key[COL_ASSIST] = c->raw.runtime_known ? (double)c->raw.assist_ns : NAN;
		row.key[COL_PAUSE] = known(c->pause_ns);
		rc = table_add(&v->tables[VIEW_GC], &row);
	}
	return rc;
}

static void put_requester(char dst[CELL_SZ], const struct snapshot_cycle *c, int width)
{
	if (c->stack)
		short_func(dst, snapshot_requester(c->stack)->func, (size_t)width);
	else
		snprintf(dst, CELL_SZ, "-");
}

static void cell(const void *ctx, const struct table_row *row, unsigned column, int width,
		 char dst[CELL_SZ])
{
	const struct snapshot_cycle *c = cycle_of(ctx, row);
	double key = row->key[column];
	bool is_time = column == COL_MARK || column == COL_ASSIST || column == COL_PAUSE;

	if (column == COL_TRIGGER)
		short_text(dst, c->trigger, (size_t)width);
	else if (column == COL_BY)
		put_requester(dst, c, width);
	else if (column == COL_CYCLE && c->raw.runtime_known)
		snprintf(dst, CELL_SZ, "%u", c->raw.number);
	else if (column == COL_CYCLE || isnan(key))
		snprintf(dst, CELL_SZ, "-");
	else
		snprintf(dst, CELL_SZ, "%s",
			 is_time ? fmt_time(count_f64(key)).s : fmt_bytes(count_f64(key)).s);
}

static const char *sort_text(const void *ctx, const struct table_row *row, unsigned column)
{
	const struct snapshot_cycle *c = cycle_of(ctx, row);

	if (column == COL_TRIGGER)
		return c->trigger;
	return c->stack ? snapshot_requester(c->stack)->func : "";
}

static void text(const void *ctx, const struct table_row *row, char dst[TABLE_TEXT_SZ])
{
	const struct snapshot_cycle *c = cycle_of(ctx, row);

	snprintf(dst, TABLE_TEXT_SZ, "%u %s %s", c->raw.number, c->trigger,
		 c->stack ? snapshot_requester(c->stack)->func : "");
}

const struct table_kind gc_kind = {
	.columns = columns,
	.columns_nr = COL_NR,
	.sort = COL_CYCLE,
	.bytes_column = COL_LIVE,
	.objects_column = COL_PAUSE,
	.cell = cell,
	.sort_text = sort_text,
	.text = text,
};

void gc_say(const struct view *v, FILE *out)
{
	const struct snapshot *total = frame_snapshot(v->frame, FRAME_TOTAL);
	const struct snapshot_pauses *p = &total->gc.pauses;

	if (!snapshot_gc_any(&total->gc)) {
		fputs("no stop of the world and no GC cycle yet\n", out);
		return;
	}
	fprintf(out, "all %s cycles (%s/s), ", fmt_count(total->gc.cycles_total).s,
		fmt_rate(total->gc.cycles_total, frame_dur_ns(v->frame, FRAME_TOTAL)).s);
	fprintf(out, "pauses: p50 %s, p90 %s, p99 %s, max %s\n", fmt_time(p->p50_ns).s,
		fmt_time(p->p90_ns).s, fmt_time(p->p99_ns).s, fmt_time(p->max_ns).s);
	put_gc_block(out, frame_snapshot(v->frame, FRAME_INTERVAL), total);
}

void gc_report(const struct view *v, FILE *out)
{
	const struct render_opts opts = { .top_nr = 20 };

	put_gc_section(out, frame_snapshot(v->frame, FRAME_TOTAL), &opts);
}

void gc_tell(const struct view *v, const struct table_row *row, FILE *out)
{
	const struct snapshot_cycle *c = cycle_of(v, row);
	const struct render_opts opts = { 0 };

	render_gc_header(out, &opts);
	render_gc_cycle_line(out, c, &opts);
	fprintf(out, "\ntriggered by: %s\n", c->trigger);
	if (!c->stack) {
		fputs("who did is not known\n", out);
		return;
	}
	if (c->stack->frames_nr == 1) {
		char name[CELL_SZ];
		short_where(name, c->stack, TABLE_W);
		fprintf(out, "  %s\n", name);
	}
	put_stack(out, c->stack, 2, 0);
}
