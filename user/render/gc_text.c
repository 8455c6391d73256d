/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Garbage collection in tables for people, within 100 columns: how long the world stood still and
 * why, who asked for it, and who had to help.
 *
 * As everywhere, a table ends in a row for what it leaves out.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "base/u64.h"
#include "base/utf8.h"
#include "render/cells.h"
#include "render/footer.h"
#include "render/formats.h"
#include "render/gc.h"
#include "render/samples.h"

enum {
	TIME_W = 8,
	SHARE_W = 7, /* "100.0 %" */
	COUNT_W = 9,
	GAP_W = 2,
	POSITION_MAX_W = 24,
	BAR_W = 50,
	CLOSE_PERCENT = 5,
};

static uint64_t duration(const struct snapshot *s)
{
	return s->to_mono_ns - s->from_mono_ns;
}

/* As the last cycle said it: it isn't of one cycle, nor of the time that is shown. */
static void put_cpu(FILE *out, const struct snapshot_gc *gc)
{
	for (size_t i = gc->cycles_nr; i; i--) {
		const struct model_cycle *c = &gc->cycles[i - 1].raw;
		if (!c->runtime_known)
			continue;
		fprintf(out, "GC CPU: %.1f %% of all CPU time since the program began\n",
			100 * c->cpu_fraction);
		return;
	}
}

/* Why is below it: a note, or a loss. */
static void put_unknown(FILE *out, const struct snapshot *s)
{
	const struct snapshot_gc *gc = &s->gc;

	if (!gc->runtime_unknown)
		return;
	fputs("not known of ", out);
	if (gc->runtime_unknown == gc->cycles_total)
		fputs("all cycles", out);
	else
		put_many(out, gc->runtime_unknown, "cycle");
	fputs(": number, heap sizes, assists and CPU time; their pauses are as seen\n", out);
}

/* What follows is of those that were seen, but for the pauses of all. */
static void put_seen(FILE *out, const struct snapshot_gc *gc)
{
	if (!gc->unseen_cycles)
		return;
	fprintf(out, ", %s of pauses; %s seen one by one",
		fmt_time(sum_u63(gc->pauses.total_ns, gc->unseen_pause_ns)).s,
		fmt_count(gc->cycles_total).s);
}

static void put_overview(FILE *out, const struct snapshot *s)
{
	const struct snapshot_gc *gc = &s->gc;

	uint64_t cycles = sum_u63(gc->cycles_total, gc->unseen_cycles);

	put_many(out, cycles, "cycle");
	fprintf(out, " (%s/s)", fmt_rate(cycles, duration(s)).s);
	put_seen(out, gc);
	fprintf(out, ", %s forced; ", fmt_count(gc->forced_total).s);
	put_many(out, gc->pauses.count, "GC pause");
	fprintf(out, ", %s in all\n", fmt_time(gc->pauses.total_ns).s);
	if (gc->unseen_cycles)
		fputs("of what was seen: ", out);
	fprintf(out, "world stopped %s of the time (%s of %s)",
		fmt_ratio(gc->stopped_ns, duration(s)).s, fmt_time(gc->stopped_ns).s,
		fmt_duration(duration(s)).s);
	if (gc->mark_ns)
		fprintf(out, ", marking %s (%s)", fmt_ratio(gc->mark_ns, duration(s)).s,
			fmt_time(gc->mark_ns).s);
	fputc('\n', out);
	if (gc->cycles_assist_ns || gc->dedicated_ns || gc->fractional_ns || gc->idle_ns) {
		fprintf(out, "CPU time of marking: %s in assists, ",
			fmt_time(gc->cycles_assist_ns).s);
		fprintf(out, "%s dedicated, ", fmt_time(gc->dedicated_ns).s);
		fprintf(out, "%s fractional, ", fmt_time(gc->fractional_ns).s);
		fprintf(out, "%s idle\n", fmt_time(gc->idle_ns).s);
	}
	put_cpu(out, gc);
	put_unknown(out, s);
}

static void put_pauses(FILE *out, const struct snapshot_pauses *p, const char *name)
{
	enum { FIRST_PERCENTILE = 2, LAST_PERCENTILE = 4 };
	const uint64_t times[] = { p->total_ns, p->avg_ns, p->p50_ns,
				   p->p90_ns,	p->p99_ns, p->max_ns };

	put_right(out, fmt_count(p->count).s, COUNT_W);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		bool about = p->estimated && i >= FIRST_PERCENTILE && i <= LAST_PERCENTILE;
		char cell[CELL_SZ];
		snprintf(cell, sizeof(cell), "%s%s", about ? "~" : "", fmt_time(times[i]).s);
		put_right(out, cell, 1 + TIME_W);
	}
	struct fmt stopping = { "-" };
	if (p->stopping_nr)
		stopping = fmt_time(p->stopping_ns / p->stopping_nr);
	put_right(out, stopping.s, 1 + TIME_W);
	fprintf(out, "  %s\n", name);
}

static void put_reasons(FILE *out, const struct snapshot_gc *gc, const struct render_opts *opts)
{
	static const char *const heads[] = {
		"TOTAL", "AVG", "P50", "P90", "P99", "MAX", "STOPPING"
	};

	if (!gc->reasons_nr)
		return;
	put_heading(out, opts, "Stops of the world by reason");
	fputs("; STOPPING is the average time until all had stopped\n", out);
	fputs(style(opts, STYLE_DIM), out);
	put_right(out, "COUNT", COUNT_W);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		put_right(out, heads[i], 1 + TIME_W);
	fprintf(out, "  REASON%s\n", style(opts, STYLE_NONE));
	if (gc->pauses.count)
		put_pauses(out, &gc->pauses, "GC pauses");
	bool about = gc->pauses.estimated;
	for (size_t i = 0; i < gc->reasons_nr; i++) {
		put_pauses(out, &gc->reasons[i].pauses, gc->reasons[i].name);
		about |= gc->reasons[i].pauses.estimated;
	}
	if (about)
		fputs("~ within 0.8 %: there were too many to keep the length of each\n", out);
}

/* Powers of two; whoever is there gets a mark, however few they are. */
static void put_histogram(FILE *out, const struct snapshot_gc *gc, const struct render_opts *opts)
{
	static const char bar[BAR_W + 1] = "##################################################";
	uint64_t most = 1;

	if (!gc->buckets_nr)
		return;
	put_heading(out, opts, "GC pauses by length");
	fputc('\n', out);
	for (size_t i = 0; i < gc->buckets_nr; i++)
		most = gc->buckets[i].count > most ? gc->buckets[i].count : most;
	for (size_t i = 0; i < gc->buckets_nr; i++) {
		const struct snapshot_bucket *b = &gc->buckets[i];
		int len = (int)((double)b->count / (double)most * BAR_W);
		put_right(out, fmt_time(b->from_ns).s, TIME_W);
		fputs(" to ", out);
		put_left(out, fmt_time(b->to_ns).s, TIME_W);
		put_right(out, fmt_count(b->count).s, COUNT_W);
		if (b->count)
			fprintf(out, "  %.*s", len ? len : 1, bar);
		fputc('\n', out);
	}
}

/* A table of who caused what; what it is sorted by comes first. */
struct callers {
	FILE *out;
	const struct render_opts *opts;
	const char *title;
	const char *what; /* head of that column, NULL: there is none */
	const char *count, *time; /* heads */
	const struct snapshot_caller *rows;
	size_t nr;
	bool by_count;
	size_t what_w, func_w, position_w;
	uint64_t sum;
};

static uint64_t value_of(const struct callers *t, const struct snapshot_caller *c)
{
	return t->by_count ? c->count : c->ns;
}

static size_t rows_shown(const struct callers *t)
{
	return t->opts->top_nr && t->opts->top_nr < t->nr ? t->opts->top_nr : t->nr;
}

static void put_columns(const struct callers *t, const char *time, const char *share,
			const char *count)
{
	put_right(t->out, t->by_count ? count : time, t->by_count ? COUNT_W : TIME_W);
	put_right(t->out, share, 1 + SHARE_W);
	put_right(t->out, t->by_count ? time : count, 1 + (t->by_count ? TIME_W : COUNT_W));
	fputs("  ", t->out);
}

static void fit_columns(struct callers *t)
{
	size_t position = strlen("FILE:LINE");
	char cell[CELL_SZ];

	t->what_w = t->what ? strlen(t->what) : 0;
	for (size_t i = 0; i < t->nr; i++) {
		t->sum += value_of(t, &t->rows[i]);
		if (i >= rows_shown(t))
			continue;
		short_position(cell, snapshot_requester(t->rows[i].stack), POSITION_MAX_W);
		if (utf8_width(cell) > position)
			position = utf8_width(cell);
		if (t->what && strlen(t->rows[i].what) > t->what_w)
			t->what_w = strlen(t->rows[i].what);
	}
	t->position_w = position;
	t->func_w = TABLE_W - TIME_W - SHARE_W - COUNT_W - 2 - GAP_W - position - GAP_W -
		    (t->what ? t->what_w + GAP_W : 0);
}

static void put_frame(const struct callers *t, const struct snapshot_frame *frame)
{
	char func[CELL_SZ], position[CELL_SZ];

	short_func(func, frame->func, t->func_w);
	short_position(position, frame, t->position_w);
	put_left(t->out, func, *position ? t->func_w + GAP_W : 0);
	fprintf(t->out, "%s", position);
}

static void put_frames(const struct callers *t, const struct snapshot_stack *stack)
{
	size_t indent = TABLE_W - t->func_w - t->position_w - GAP_W;

	for (size_t i = 0; i < stack->frames_nr && stack->frames_nr > 1; i++) {
		fprintf(t->out, "%*s", (int)indent, "");
		put_frame(t, stack->frames[i]);
		fprintf(t->out, "%s\n", stack->frames[i]->inlined ? " (inlined)" : "");
	}
	if (stack->cut)
		fprintf(t->out, "%*s[truncated]\n", (int)indent, "");
}

static void put_caller(const struct callers *t, const struct snapshot_caller *c)
{
	put_columns(t, fmt_time(c->ns).s, fmt_percent(value_of(t, c), t->sum).s,
		    fmt_count(c->count).s);
	if (t->what)
		put_left(t->out, c->what, t->what_w + GAP_W);
	put_frame(t, snapshot_requester(c->stack));
	fputc('\n', t->out);
	if (t->opts->stacks)
		put_frames(t, c->stack);
}

static void put_callers(struct callers *t)
{
	struct snapshot_caller rest = { 0 };
	size_t shown = rows_shown(t);

	if (!t->nr)
		return;
	fit_columns(t);
	put_heading(t->out, t->opts, t->title);
	if (shown < t->nr)
		fprintf(t->out, ", the first %s of %s", fmt_count(shown).s, fmt_count(t->nr).s);
	fprintf(t->out, "\n%s", style(t->opts, STYLE_DIM));
	put_columns(t, t->time, "SHARE", t->count);
	if (t->what)
		put_left(t->out, t->what, t->what_w + GAP_W);
	put_left(t->out, "FUNCTION", t->func_w + GAP_W);
	fprintf(t->out, "FILE:LINE%s\n", style(t->opts, STYLE_NONE));
	for (size_t i = 0; i < shown; i++)
		put_caller(t, &t->rows[i]);
	for (size_t i = shown; i < t->nr; i++) {
		rest.ns += t->rows[i].ns;
		rest.count += t->rows[i].count;
	}
	if (shown == t->nr)
		return;
	fputs(style(t->opts, STYLE_DIM), t->out);
	put_columns(t, fmt_time(rest.ns).s, fmt_percent(value_of(t, &rest), t->sum).s,
		    fmt_count(rest.count).s);
	fprintf(t->out, "%s more%s\n", fmt_count(t->nr - shown).s, style(t->opts, STYLE_NONE));
}

/* Without their stacks, rows of the same function are one. */
static void put_table(struct callers *t)
{
	_cleanup_free_ struct snapshot_caller *merged = NULL;
	size_t nr;

	if (!t->opts->stacks)
		merged = snapshot_by_requester(t->rows, t->nr, t->by_count, &nr);
	if (merged) {
		t->rows = merged;
		t->nr = nr;
	}
	put_callers(t);
}

static void put_all_callers(FILE *out, const struct snapshot_gc *gc, const struct render_opts *opts)
{
	struct callers forced = { .title = "Forced cycles by caller",
				  .what = "TRIGGER",
				  .count = "CYCLES",
				  .time = "PAUSES",
				  .rows = gc->forced,
				  .nr = gc->forced_nr,
				  .by_count = true };
	struct callers stops = { .title = "Stops by who asked for them",
				 .what = "REASON",
				 .count = "STOPS",
				 .time = "STOPPED",
				 .rows = gc->stoppers,
				 .nr = gc->stoppers_nr };
	struct callers assists = { .title = "Mark assists by running time",
				   .count = "ASSISTS",
				   .time = "TIME",
				   .rows = gc->assists,
				   .nr = gc->assists_nr };
	struct callers *const tables[] = { &forced, &stops, &assists };

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		tables[i]->out = out;
		tables[i]->opts = opts;
		put_table(tables[i]);
	}
}

static void put_difference(FILE *out, const struct model_gc_check *c)
{
	bool missing = c->gallop_cycles < c->runtime_cycles;

	put_many(out,
		 missing ? c->runtime_cycles - c->gallop_cycles
			 : c->gallop_cycles - c->runtime_cycles,
		 "cycle");
	fputs(missing ? " missing" : " too many", out);
}

static void put_verdict(FILE *out, const struct model_gc_check *c, const struct render_opts *opts)
{
	bool equal = c->runtime_cycles == c->gallop_cycles &&
		     c->runtime_pause_ns == c->gallop_pause_ns;
	bool good = equal;

	/*
	 * Before Go 1.22 the runtime keeps its own times to itself; what is seen is 2 to 4 % less.
	 */
	if (!c->exact && c->runtime_cycles == c->gallop_cycles)
		good = c->gallop_pause_ns >= c->runtime_pause_ns / 100 * (100 - CLOSE_PERCENT) &&
		       c->gallop_pause_ns <= c->runtime_pause_ns / 100 * (100 + CLOSE_PERCENT);
	fputs(style(opts, good ? STYLE_GOOD : STYLE_BAD), out);
	if (equal)
		fputs("equal", out);
	else if (c->runtime_cycles != c->gallop_cycles)
		put_difference(out, c);
	else
		fprintf(out, "%s of the pauses",
			fmt_ratio(c->gallop_pause_ns, c->runtime_pause_ns).s);
	fputs(style(opts, STYLE_NONE), out);
	if (!c->exact && !equal)
		fputs(" (this Go doesn't tell its own times)", out);
}

/* The difference is what nobody looked at: no fault of what was seen. */
static void put_missing(FILE *out, const struct model_gc_check *c)
{
	fprintf(out, "one by one %s were seen: not those of %s, to keep the budget\n",
		fmt_count(c->gallop_cycles).s, fmt_duration(c->off_ns).s);
}

void put_gc_check(FILE *out, const struct model_gc_check *c, const struct render_opts *opts)
{
	fputs("check: ", out);
	if (!c->known) {
		fputs("not available: ", out);
		put_clean(out, *c->why_not ? c->why_not : "no reason was given");
		fputc('\n', out);
		return;
	}
	fputs("runtime counted ", out);
	put_many(out, c->runtime_cycles, "cycle");
	fprintf(out, " and %s ns of pauses, ", fmt_count(c->runtime_pause_ns).s);
	if (c->off_ns && snapshot_gc_check_holds(c)) {
		put_missing(out, c);
		return;
	}
	fprintf(out, "gallop %s and %s ns: ", fmt_count(c->gallop_cycles).s,
		fmt_count(c->gallop_pause_ns).s);
	put_verdict(out, c, opts);
	fputc('\n', out);
}

static void put_tables(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	put_overview(out, s);
	put_reasons(out, &s->gc, opts);
	put_histogram(out, &s->gc, opts);
	put_all_callers(out, &s->gc, opts);
}

void put_gc_section(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	if (!snapshot_gc_any(&s->gc))
		return;
	put_heading(out, opts, "Garbage collection");
	fputc('\n', out);
	put_tables(out, s, opts);
	fputs("\nGC ", out);
	put_gc_check(out, &s->gc.check, opts);
}

int render_gc_summary(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	/* Events stand above it. */
	fprintf(out, "\n%sgallop: garbage collection of ", style(opts, STYLE_BOLD));
	put_target(out, &s->meta);
	fprintf(out, ", %s%s\n", fmt_duration(duration(s)).s, style(opts, STYLE_NONE));
	if (snapshot_gc_any(&s->gc))
		put_tables(out, s, opts);
	else
		fputs("no cycle and no stop of the world was seen\n", out);
	fputc('\n', out);
	put_cost(out, s, opts);
	put_limits(out, s, opts);
	put_gc_check(out, &s->gc.check, opts);
	return render_end(out);
}
