/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The top of the screen: what is looked at and how, what that costs and loses, and how the last intervals went.
 *
 * The three graphs have a column for each interval that was shown, and the same one for all three. The collector's bars
 * are its longest pauses; where a cycle ended there is one even if no pause is known, and the heap's is underlined.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/utf8.h"
#include "render/cells.h"
#include "render/footer.h"
#include "render/samples.h"
#include "tui/tabs.h"

enum {
	LABEL_W = 7,
	WORDS_W = 46, /* behind a graph */
	LEVELS = 8,
};

/* --- graphs ----------------------------------------------------------------------------------- */

typedef double point_value(const struct series_point *p);

static double rate_of(const struct series_point *p)
{
	return p->bytes_per_s;
}

static double live_of(const struct series_point *p)
{
	return (double)p->live;
}

static double goal_of(const struct series_point *p)
{
	return (double)p->goal;
}

static double pause_of(const struct series_point *p)
{
	/* A nanosecond: the lowest bar. Pauses that a cycle had may be of the interval before, or not be known. */
	return p->cycles && !p->pause_ns ? 1 : (double)p->pause_ns;
}

static double largest(const struct series *series, int nr, point_value *value)
{
	const struct series_point *p;
	double max = 0;

	for (int i = 0; i < nr && (p = series_back(series, (size_t)i)); i++)
		if (value(p) > max)
			max = value(p);
	return max;
}

/* One of eight heights; blank is 0, so what is more than that is never blank. */
static const char *bar(double value, double max, bool ascii)
{
	static const char *const blocks[] = { " ",
					      "\xe2\x96\x81",
					      "\xe2\x96\x82",
					      "\xe2\x96\x83",
					      "\xe2\x96\x84",
					      "\xe2\x96\x85",
					      "\xe2\x96\x86",
					      "\xe2\x96\x87",
					      "\xe2\x96\x88" };
	static const char *const signs[] = { " ", ".", ":", "-", "=", "+", "*", "%", "#" };
	int level = value > 0 && max > 0 ? 1 + (int)(value / max * (LEVELS - 1) + .5) : 0;

	if (level > LEVELS)
		level = LEVELS;
	return ascii ? signs[level] : blocks[level];
}

static int graph_width(const struct screen *s)
{
	int width = s->cols - LABEL_W - WORDS_W - 1;

	return width > SERIES_MAX ? SERIES_MAX : width;
}

/* The latest at the right. max 0: as high as the highest. Words stand behind it. */
static void draw_graph(const struct view *v, struct screen *s, int row, const char *label,
		       point_value *value, double max, const char *words)
{
	int width = graph_width(s);
	const struct series_point *p;

	screen_put(s, row, 0, LABEL_W, ATTR_BOLD, label);
	if (max <= 0)
		max = largest(&v->series, width, value);
	for (int i = 0; i < width && (p = series_back(&v->series, (size_t)i)); i++)
		screen_put(s, row, LABEL_W + width - 1 - i, 1, ATTR_GRAPH,
			   bar(value(p), max, s->ascii));
	screen_put(s, row, LABEL_W + width + 1, s->cols, ATTR_NORMAL, words);
}

static void draw_rate(const struct view *v, struct screen *s, int row)
{
	char words[128] = "";

	if (v->frame) {
		const struct snapshot *now = frame_snapshot(v->frame, FRAME_INTERVAL);
		uint64_t dur_ns = frame_dur_ns(v->frame, FRAME_INTERVAL);

		snprintf(words, sizeof(words), "%s/s, %s objects/s",
			 fmt_bytes_rate(now->total.bytes, dur_ns).s,
			 fmt_count_rate(now->total.objects, dur_ns).s);
	}
	draw_graph(v, s, row, "alloc", rate_of, 0, words);
}

/* In which of a graph's intervals a cycle ended. */
static void mark_cycles(const struct view *v, struct screen *s, int row)
{
	int width = graph_width(s);
	const struct series_point *p;

	for (int i = 0; i < width && (p = series_back(&v->series, (size_t)i)); i++)
		if (p->cycles)
			screen_paint(s, row, LABEL_W + width - 1 - i, 1, ATTR_CYCLE);
}

/* As high as the goal is: a bar that fills its line is a heap at its goal. */
static void draw_heap(const struct view *v, struct screen *s, int row)
{
	const struct series_point *last = series_back(&v->series, 0);
	int width = graph_width(s);
	double goal = largest(&v->series, width, goal_of);
	double live = largest(&v->series, width, live_of);
	char words[128] = "no cycle yet";

	if (last && last->live && last->goal)
		snprintf(words, sizeof(words), "%s live of %s goal", fmt_bytes(last->live).s,
			 fmt_bytes(last->goal).s);
	else if (last && last->live)
		snprintf(words, sizeof(words), "%s live, no goal", fmt_bytes(last->live).s);
	draw_graph(v, s, row, "heap", live_of, goal > live ? goal : live, words);
	mark_cycles(v, s, row);
}

static void draw_pauses(const struct view *v, struct screen *s, int row)
{
	char words[128] = "";

	if (v->frame) {
		const struct snapshot_gc *gc = &frame_snapshot(v->frame, FRAME_INTERVAL)->gc;
		const struct snapshot_gc *all = &frame_snapshot(v->frame, FRAME_TOTAL)->gc;

		snprintf(words, sizeof(words), "%s cycle%s now; pauses p50 %s, max %s",
			 fmt_count(gc->cycles_total).s, gc->cycles_total == 1 ? "" : "s",
			 all->pauses.count ? fmt_time(all->pauses.p50_ns).s : "-",
			 all->pauses.count ? fmt_time(all->pauses.max_ns).s : "-");
	}
	draw_graph(v, s, row, "GC", pause_of, 0, words);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* The first line of what a function of the text outputs prints. */
static void first_line(char dst[CELL_SZ], void (*put)(FILE *out, const struct snapshot *s),
		       const struct snapshot *s)
{
	char *text = NULL;
	size_t sz;
	FILE *out = open_memstream(&text, &sz);

	*dst = '\0';
	if (!out)
		return;
	put(out, s);
	if (!fclose(out)) {
		text[strcspn(text, "\n")] = '\0';
		utf8_clean(dst, CELL_SZ, text);
	}
	free(text);
}

static void put_title(FILE *out, const struct snapshot *s)
{
	put_target(out, &s->meta);
	fprintf(out, ", %s", fmt_duration(s->to_mono_ns - s->from_mono_ns).s);
}

static void put_cost_first(FILE *out, const struct snapshot *s)
{
	const struct render_opts opts = { 0 };

	if (s->samples.on)
		put_cost_now(out, s, &opts);
	else
		fputs("cost:  a trap for each event, no budget", out);
}

static void draw_title(const struct view *v, struct screen *s)
{
	char line[CELL_SZ] = "gallop: attached, the first numbers are on their way";

	if (v->frame) {
		const struct snapshot *all = frame_snapshot(v->frame, FRAME_TOTAL);
		struct fmt clock = fmt_wall_clock(&all->meta, all->to_mono_ns);

		first_line(line, put_title, all);
		screen_put_right(s, 0, s->cols - 30, 30, ATTR_DIM, clock.s);
	}
	screen_put(s, 0, 0, s->cols - 26, ATTR_BOLD, line);
}

static void draw_cost(const struct view *v, struct screen *s)
{
	char line[CELL_SZ], lost[CELL_SZ];
	const struct snapshot *all;

	if (!v->frame)
		return;
	all = frame_snapshot(v->frame, FRAME_TOTAL);
	first_line(line, put_cost_first, all);
	snprintf(lost, sizeof(lost), "lost: %s",
		 all->loss_total ? fmt_count(all->loss_total).s : "nothing");
	int width = screen_width(s, lost);
	screen_put(s, 1, 0, s->cols - width - 2, ATTR_NORMAL, line);
	screen_put(s, 1, s->cols - width, width, all->loss_total ? ATTR_BAD : ATTR_NORMAL, lost);
}

void header_draw(const struct view *v, struct screen *s)
{
	draw_title(v, s);
	draw_cost(v, s);
	draw_rate(v, s, 2);
	draw_heap(v, s, 3);
	draw_pauses(v, s, 4);
}
