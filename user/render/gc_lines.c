/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cycles and stops as they end, one line each: all that a line says is in columns, so that what
 * changes from cycle to cycle is seen by looking down.
 */
#include <string.h>

#include "base/fmt.h"
#include "base/utf8.h"
#include "render/cells.h"
#include "render/formats.h"
#include "render/gc.h"

enum {
	LINE_W = 110,
	NUMBER_W = 5,
	TRIGGER_W = 12,
	HEAP_W = 24, /* "123.4 ->123.4 /123.4 MiB" */
	TIME_W = 7, /* "1.23 ms" */
	PAUSES_W = 16, /* "1.23 ms +1.23 ms" */
	CPU_W = 6, /* "12.3 %" */
	GAP_W = 1,
	WHO_GAP_W = 2,
	WHO_W = LINE_W - NUMBER_W - TRIGGER_W - HEAP_W - 2 * TIME_W - PAUSES_W - CPU_W - 6 * GAP_W -
		WHO_GAP_W,
};

bool gc_events_next(struct gc_events *events, struct gc_event *ret)
{
	const struct snapshot_gc *gc = events->gc;
	const struct snapshot_stop *stop = events->stop_idx < gc->stops_nr
						   ? &gc->stops[events->stop_idx]
						   : NULL;
	const struct snapshot_cycle *cycle = events->cycle_idx < gc->cycles_nr
						     ? &gc->cycles[events->cycle_idx]
						     : NULL;

	if (!stop && !cycle)
		return false;
	if (stop && (!cycle || stop->raw.end_ns <= cycle->told_ns)) {
		events->stop_idx++;
		*ret = (struct gc_event){ .stop = stop };
	} else {
		events->cycle_idx++;
		*ret = (struct gc_event){ .cycle = cycle };
	}
	return true;
}

/* The three sizes in the unit of the largest, "12.3 ->  5.1 / 14.0 MiB". */
static void heap_cell(char dst[CELL_SZ], const struct model_cycle *c)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	uint64_t largest = c->heap_live_start > c->heap_marked ? c->heap_live_start
							       : c->heap_marked;
	double scale = 1024;
	size_t unit = 0;
	char live[16] = "-", marked[16] = "-", goal[16] = "-";

	if (!largest) {
		strcpy(dst, "-");
		return;
	}
	if (snapshot_has_goal(c->goal) && c->goal > largest)
		largest = c->goal;
	/* 999.95 would be printed as "1000.0", which is too wide. */
	while ((double)largest / scale >= 999.95 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		scale *= 1024;
		unit++;
	}
	if (c->heap_live_start)
		snprintf(live, sizeof(live), "%.1f", (double)c->heap_live_start / scale);
	if (snapshot_has_goal(c->goal))
		snprintf(goal, sizeof(goal), "%.1f", (double)c->goal / scale);
	if (c->runtime_known)
		snprintf(marked, sizeof(marked), "%.1f", (double)c->heap_marked / scale);
	snprintf(dst, CELL_SZ, "%5s ->%5s /%5s %s", live, marked, goal, units[unit]);
}

/* "main.handle g18", the function cut where it must be. */
static void who_cell(char dst[CELL_SZ], const struct snapshot_stack *stack, uint64_t goid)
{
	char goroutine[32] = "", func[CELL_SZ];

	if (goid)
		snprintf(goroutine, sizeof(goroutine), " g%llu", (unsigned long long)goid);
	size_t room = WHO_W - strlen(goroutine);
	if (!stack)
		strcpy(func, "-");
	else
		short_func(func, snapshot_requester(stack)->func, room < WHO_W ? room : WHO_W);
	size_t used = utf8_clean(dst, CELL_SZ - sizeof(goroutine), func);
	strcpy(dst + used, goroutine);
}

/* What stands in a line's columns. */
struct line {
	const char *number, *trigger, *heap, *mark, *assist, *pauses, *cpu, *who;
};

static void put_line(FILE *out, const struct line *l)
{
	put_right(out, l->number, NUMBER_W);
	fputc(' ', out);
	put_left(out, l->trigger, TRIGGER_W);
	fputc(' ', out);
	put_left(out, l->heap, HEAP_W);
	put_right(out, l->mark, GAP_W + TIME_W);
	put_right(out, l->assist, GAP_W + TIME_W);
	put_right(out, l->pauses, GAP_W + PAUSES_W);
	put_right(out, l->cpu, GAP_W + CPU_W);
	fprintf(out, "  %s", l->who);
}

void render_gc_header(FILE *out, const struct render_opts *opts)
{
	const struct line head = {
		.number = "CYCLE",
		.trigger = "TRIGGER",
		.heap = " LIVE ->MARKED/ GOAL",
		.mark = "MARK",
		.assist = "ASSIST",
		.pauses = "SWEEP+MARK PAUSE",
		.cpu = "GC CPU",
		.who = "BY",
	};

	fputs(style(opts, STYLE_DIM), out);
	put_line(out, &head);
	fprintf(out, "%s\n", style(opts, STYLE_NONE));
}

/* Both parts of a cycle that was seen from its beginning, else all that the runtime says of it. */
static void pauses_cell(char dst[CELL_SZ], const struct model_cycle *c)
{
	if (c->start_ns)
		snprintf(dst, CELL_SZ, "%7s +%7s", fmt_time(c->sweep_pause_ns).s,
			 fmt_time(c->mark_pause_ns).s);
	else if (c->runtime_known)
		snprintf(dst, CELL_SZ, "%s in all", fmt_time(c->pause_ns).s);
	else
		snprintf(dst, CELL_SZ, "- +%7s", fmt_time(c->mark_pause_ns).s);
}

void render_gc_cycle_line(FILE *out, const struct snapshot_cycle *c, const struct render_opts *opts)
{
	char number[16] = "-", heap[CELL_SZ], pauses[CELL_SZ], cpu[16] = "-", who[CELL_SZ];
	/*
	 * The column is as wide as the others' names; the package is known to who knows the
	 * function.
	 */
	const char *dot = strchr(c->trigger, '.');
	bool freed = c->raw.trigger == MODEL_TRIGGER_FREE_OS_MEMORY;
	(void)opts;

	if (c->raw.runtime_known) {
		snprintf(number, sizeof(number), "%u", c->raw.number);
	}
	if (c->raw.cpu_share >= 0)
		snprintf(cpu, sizeof(cpu), "%.1f %%", 100 * c->raw.cpu_share);
	heap_cell(heap, &c->raw);
	pauses_cell(pauses, &c->raw);
	who_cell(who, c->stack, c->raw.goid);
	struct fmt mark = fmt_time(c->mark_ns), assist = fmt_time(c->raw.assist_ns);
	const struct line line = {
		.number = number,
		.trigger = freed && dot ? dot + 1 : c->trigger,
		.heap = heap,
		.mark = c->raw.start_ns ? mark.s : "-",
		.assist = c->raw.runtime_known ? assist.s : "-",
		.pauses = pauses,
		.cpu = cpu,
		.who = who,
	};
	put_line(out, &line);
	fputc('\n', out);
}

void render_gc_stop_line(FILE *out, const struct snapshot_stop *stop,
			 const struct render_opts *opts)
{
	enum { WHAT_W = TRIGGER_W + GAP_W + HEAP_W + 2 * (GAP_W + TIME_W) };
	char what[CELL_SZ], who[CELL_SZ];

	who_cell(who, stop->stack, stop->raw.goid);
	if (stop->raw.stopped_ns)
		snprintf(what, sizeof(what), "%s, stopping took %s", stop->reason,
			 fmt_time(stop->raw.stopped_ns - stop->raw.start_ns).s);
	else
		snprintf(what, sizeof(what), "%s", stop->reason);
	fputs(style(opts, STYLE_DIM), out);
	put_right(out, "stop", NUMBER_W);
	fputs(style(opts, STYLE_NONE), out);
	fputc(' ', out);
	put_left(out, what, WHAT_W);
	put_right(out, fmt_time(stop->pause_ns).s, GAP_W + PAUSES_W);
	put_right(out, "", GAP_W + CPU_W);
	fprintf(out, "  %s\n", who);
}

int render_gc_events(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	struct gc_events events = { .gc = &s->gc };
	struct gc_event event;

	while (gc_events_next(&events, &event)) {
		if (event.cycle)
			render_gc_cycle_line(out, event.cycle, opts);
		else if (!event.stop->raw.gc)
			render_gc_stop_line(out, event.stop, opts);
	}
	return render_end(out);
}
