/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations for people, within 100 columns: what a call of a function takes, and where in it that is allocated.
 *
 * What was not traced, or divided by no call at all, is "-": a 0 is always a measurement.
 */
#include <math.h>
#include <string.h>

#include "base/fmt.h"
#include "base/utf8.h"
#include "render/cells.h"
#include "render/footer.h"
#include "render/formats.h"
#include "render/ops.h"
#include "render/samples.h"

enum {
	UNIT_W = 9, /* "allocs/op" */
	STAT_W = 13, /* "9,999,999,999" */
	PER_OP_W = 11,
	SHARE_W = 7, /* "100.0 %" */
	GAP_W = 2,
	TYPE_W = 24,
	WHERE_W = TABLE_W - 2 * PER_OP_W - 1 - (GAP_W + SHARE_W) - GAP_W - TYPE_W - GAP_W,
	LABEL_MAX_W = OPS_LABEL_MAX_W,
	CI95_LABEL_W = 1 + CI95_W,
	INDENT = 4,
};

static uint64_t duration(const struct snapshot *s)
{
	return s->to_mono_ns - s->from_mono_ns;
}

struct fmt fmt_op_ns(double ns)
{
	return fmt_time(ns < (double)INT64_MAX ? (uint64_t)llround(ns) : INT64_MAX);
}

/* "label: function", of which the function is shortened. */
void short_op_name(char dst[CELL_SZ], const struct snapshot_op *op, size_t width)
{
	char label[CELL_SZ], func[CELL_SZ];

	short_text(label, op->label, LABEL_MAX_W);
	short_func(func, op->func, width - (*label ? utf8_width(label) + strlen(": ") : 0));
	snprintf(dst, CELL_SZ, "%.*s%s%.*s", LABEL_MAX_W * 4, label, *label ? ": " : "",
		 CELL_SZ / 2, func);
}

/* --- numbers of calls --------------------------------------------------------------------------- */

struct part {
	uint64_t n;
	const char *one, *many;
};

/* Those that are not 0, behind what has been printed of the line; a line that gets too long goes on in the next. */
static void put_parts(FILE *out, size_t used, const struct part *parts, size_t nr)
{
	const char *between = " ";

	for (size_t i = 0; i < nr; i++) {
		char text[CELL_SZ];
		if (!parts[i].n)
			continue;
		snprintf(text, sizeof(text), "%s %s", fmt_count(parts[i].n).s,
			 parts[i].n == 1 ? parts[i].one : parts[i].many);
		if (used + strlen(between) + strlen(text) >= TABLE_W) {
			fprintf(out, "%s\n%*s", *between == ',' ? "," : "", INDENT - 1, "");
			between = " ";
			used = INDENT - 1;
		}
		fprintf(out, "%s%s", between, text);
		used += strlen(between) + strlen(text);
		between = ", ";
	}
	fputc('\n', out);
}

/* Calls that are in no mean, as their beginning or their end is missing. */
void put_op_not_matched(FILE *out, const struct snapshot_op *op, const char *name, bool sampled)
{
	const struct model_op_counts *c = &op->counts;
	/* Each window begins among such. */
	uint64_t before = sampled ? 0 : c->began_before;
	const struct part parts[] = {
		{ c->panics, "panicked", "panicked" },
		{ c->goexits, "goroutine exited", "goroutines exited" },
		{ op->open, "running at the end", "running at the end" },
		{ before, "began before tracing", "began before tracing" },
	};
	char title[CELL_SZ];

	if (!op->unmatched && !op->open && !before)
		return;
	snprintf(title, sizeof(title), "not matched%s%.400s:", *name ? ", " : "", name);
	fputs(title, out);
	put_parts(out, utf8_width(title), parts, sizeof(parts) / sizeof(parts[0]));
}

/* --- one operation ------------------------------------------------------------------------------ */

/* A name, how often it was called. */
static void put_op_heading(FILE *out, const struct snapshot *s, const struct snapshot_op *op,
			   const struct render_opts *opts)
{
	char calls[CELL_SZ], name[CELL_SZ];
	uint64_t n = op->calls;

	if (op->calls_known)
		snprintf(calls, sizeof(calls), ": %s call%s%s in %s, %s/s", fmt_count(n).s,
			 n == 1 ? "" : "s", s->ops.known.sampled ? " began" : "",
			 fmt_duration(duration(s)).s, fmt_rate(n, duration(s)).s);
	else
		snprintf(calls, sizeof(calls), ": ? calls in %s, ?/s", fmt_duration(duration(s)).s);
	short_op_name(name, op, TABLE_W - strlen(calls));
	put_heading(out, opts, name);
	fprintf(out, "%s\n", calls);
}

void put_op_cut(FILE *out, const struct snapshot_op *op, const char *name)
{
	uint64_t n = op->counts.cut;
	char words[2 * CELL_SZ];

	if (!n)
		return;
	snprintf(words, sizeof(words),
		 "%s%.400s%s: %s longer than a window waits (%s in no mean); --mode exact measures "
		 "%s",
		 fmt_count(n).s, *name ? ", " : "", name,
		 n == 1 ? "an operation was" : "operations were", n == 1 ? "it is" : "they are",
		 n == 1 ? "it" : "them");
	put_wrapped(out, "cut ", strlen("cut "), words, "", "");
}

/* Of windows: how many calls the means are of, and why the calls of all the time are not known. */
static void put_windows(FILE *out, const struct snapshot *s, const struct snapshot_op *op)
{
	const struct model_op_counts *c = &op->counts;

	if (!s->ops.known.sampled)
		return;
	fputs("measured: ", out);
	put_many(out, c->ended, "call");
	fputs(" in ", out);
	put_many(out, op->windows, "window");
	if (!op->calls_known)
		fputs(c->uncounted_ns || !c->entries
			      ? "; not all calls were counted: that would cost too much"
			      : "; it calls itself: calls can't be told from inner ones",
		      out);
	fputc('\n', out);
	put_op_cut(out, op, "");
}

/* How sure a mean is. That all were alike is no proof that all are. */
struct fmt fmt_op_ci95(const struct snapshot_op_stat *stat)
{
	static const struct fmt none = { "+-0 %" };

	if (stat->mean_ci95 == 0)
		return none;
	return fmt_ci95(stat->mean, stat->mean_ci95);
}

typedef struct fmt shown_mean(double v);
typedef struct fmt shown_value(uint64_t v);

/* One value of operations: a line. */
struct line {
	const char *unit;
	enum wire_op_value value;
	shown_mean *mean;
	shown_value *shown;
};

static void put_stat(FILE *out, const struct line *line, const struct snapshot_op *op, bool sampled)
{
	const struct snapshot_op_stat *stat = &op->stats[line->value];
	const uint64_t values[] = { stat->p50, stat->p90, stat->p99, stat->max };

	put_left(out, line->unit, UNIT_W);
	put_right(out, line->mean(stat->mean).s, 1 + STAT_W);
	if (sampled)
		put_right(out, fmt_op_ci95(stat).s, CI95_LABEL_W);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		put_right(out, line->shown(values[i]).s, 1 + STAT_W);
	fputc('\n', out);
}

static void put_untraced(FILE *out, const char *unit, bool sampled)
{
	put_left(out, unit, UNIT_W);
	put_right(out, "-", 1 + STAT_W);
	if (sampled)
		put_right(out, "-", CI95_LABEL_W);
	for (int i = 1; i < 5; i++)
		put_right(out, "-", 1 + STAT_W);
	fputs("  not traced\n", out);
}

static void put_stats(FILE *out, const struct snapshot_ops *ops, const struct snapshot_op *op,
		      const struct render_opts *opts)
{
	static const struct line allocs = { "allocs/op", WIRE_OP_OBJECTS, fmt_mean, fmt_count },
				 bytes = { "B/op", WIRE_OP_BYTES, fmt_mean, fmt_count },
				 ns = { "ns/op", WIRE_OP_NS, fmt_op_ns, fmt_time };
	static const char *const heads[] = { "P50", "P90", "P99", "MAX" };
	bool sampled = ops->known.sampled;

	fprintf(out, "%s%*s", style(opts, STYLE_DIM), UNIT_W, "");
	put_right(out, "MEAN", 1 + STAT_W);
	if (sampled)
		put_right(out, "+-", CI95_LABEL_W);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		put_right(out, heads[i], 1 + STAT_W);
	fprintf(out, "%s\n", style(opts, STYLE_NONE));
	if (ops->known.allocs) {
		put_stat(out, &allocs, op, sampled);
		put_stat(out, &bytes, op, sampled);
	} else {
		put_untraced(out, allocs.unit, sampled);
		put_untraced(out, bytes.unit, sampled);
	}
	put_stat(out, &ns, op, sampled);
}

static void put_gc(FILE *out, const struct model_ops_known *known, const struct snapshot_op *op)
{
	if (!known->pauses && !known->assists)
		return;
	fputs("GC: ", out);
	if (known->pauses)
		fprintf(out, "world stopped %s/op (%s in all)", fmt_op_ns(op->pause_per_op_ns).s,
			fmt_time(op->counts.pause_ns).s);
	else
		fputs("stops of the world not known", out);
	if (known->assists)
		fprintf(out, ", mark assists %s/op (%s in all)\n",
			fmt_op_ns(op->assist_per_op_ns).s, fmt_time(op->counts.assist_ns).s);
	else
		fputs(", mark assists not known\n", out);
}

/* No number can be given: why, and what to do. */
static void put_none_ended(FILE *out, const struct snapshot *s, const struct snapshot_op *op)
{
	bool is_over = !strncmp(s->meta.end_reason, "target", strlen("target"));

	if (op->counts.cut)
		fputs("no call of it ended while a window waited\n", out);
	else if (s->ops.known.sampled && op->counts.entries && !op->counts.begun)
		fprintf(out, "no call of it began in a window%s\n",
			is_over ? "" : ": measure longer (--duration), or with --mode exact");
	else if (op->open)
		fprintf(out, "no call of it came to its end%s\n",
			is_over ? "" : ": measure longer (--duration)");
	else if (op->counts.begun)
		fputs("no call of it returned\n", out);
	else if (op->counts.began_before)
		fputs("no call of it began: measure longer (--duration)\n", out);
	else
		fprintf(out, "it was not called, or only where it is inlined%s%s\n",
			s->loss_total ? " or lost" : "",
			is_over ? "" : ": measure longer (--duration), or under load");
}

/* --- its sites ---------------------------------------------------------------------------------- */

/* The column that the table is sorted by comes first. */
struct columns {
	const char *bytes, *objects, *share;
};

static void put_columns(FILE *out, const struct render_opts *opts, const struct columns *c)
{
	bool by_objects = opts->value == SNAPSHOT_OBJECTS;

	put_right(out, by_objects ? c->objects : c->bytes, PER_OP_W);
	put_right(out, c->share, GAP_W + SHARE_W);
	put_right(out, by_objects ? c->bytes : c->objects, 1 + PER_OP_W);
	fprintf(out, "%*s", GAP_W, "");
}

/* What some of its sites have together. */
static void put_counts(FILE *out, const struct snapshot_op *op, const struct snapshot_op_site *n,
		       const struct render_opts *opts)
{
	bool by_objects = opts->value == SNAPSHOT_OBJECTS;
	struct fmt bytes = { "-" }, objects = { "-" };
	struct fmt share = fmt_percent(by_objects ? n->objects : n->bytes,
				       by_objects ? op->objects : op->bytes);

	if (op->counts.begun) {
		bytes = fmt_mean(n->bytes_per_op);
		objects = fmt_mean(n->objects_per_op);
	}
	put_columns(out, opts, &(struct columns){ bytes.s, objects.s, share.s });
}

static void put_site(FILE *out, const struct snapshot_op *op, const struct snapshot_op_site *site,
		     const struct render_opts *opts)
{
	char type[CELL_SZ], where[CELL_SZ];

	put_counts(out, op, site, opts);
	short_func(type, site->type, TYPE_W);
	put_left(out, type, TYPE_W + GAP_W);
	short_where(where, site->stack, WHERE_W);
	fprintf(out, "%s\n", where);
	if (opts->stacks)
		put_stack(out, site->stack, 2 * INDENT, 0);
}

static void put_more(FILE *out, const struct snapshot_op *op, size_t from,
		     const struct render_opts *opts)
{
	struct snapshot_op_site rest = { 0 };

	for (size_t i = from; i < op->sites_nr; i++) {
		rest.objects += op->sites[i].objects;
		rest.bytes += op->sites[i].bytes;
		rest.objects_per_op += op->sites[i].objects_per_op;
		rest.bytes_per_op += op->sites[i].bytes_per_op;
	}
	fputs(style(opts, STYLE_DIM), out);
	put_counts(out, op, &rest, opts);
	fputs("and ", out);
	put_many(out, op->sites_nr - from, "more site");
	fprintf(out, "%s\n", style(opts, STYLE_NONE));
}

static void put_sites(FILE *out, const struct snapshot_op *op, bool sampled,
		      const struct render_opts *opts)
{
	size_t shown = op->sites_nr;

	if (opts->top_nr && opts->top_nr < shown)
		shown = opts->top_nr;
	if (!op->sites_nr)
		return;
	fprintf(out, "%sSites by %s%s, per op: divided by the %s call%s that began%s",
		style(opts, STYLE_BOLD), opts->value == SNAPSHOT_OBJECTS ? "objects" : "bytes",
		style(opts, STYLE_NONE), fmt_count(op->counts.begun).s,
		op->counts.begun == 1 ? "" : "s", sampled ? " in windows" : "");
	if (shown < op->sites_nr)
		fprintf(out, "; the first %s of %s", fmt_count(shown).s, fmt_count(op->sites_nr).s);
	fprintf(out, "\n%s", style(opts, STYLE_DIM));
	put_columns(out, opts, &(struct columns){ "B/OP", "ALLOCS/OP", "SHARE" });
	put_left(out, "TYPE", TYPE_W + GAP_W);
	fprintf(out, "FUNCTION (FILE:LINE)%s\n", style(opts, STYLE_NONE));
	for (size_t i = 0; i < shown; i++)
		put_site(out, op, &op->sites[i], opts);
	if (shown < op->sites_nr)
		put_more(out, op, shown, opts);
}

/* --- all of it ---------------------------------------------------------------------------------- */

static void put_op(FILE *out, const struct snapshot *s, const struct snapshot_op *op,
		   const struct render_opts *opts)
{
	put_op_heading(out, s, op, opts);
	put_windows(out, s, op);
	if (op->counts.ended) {
		put_stats(out, &s->ops, op, opts);
		put_gc(out, &s->ops.known, op);
	} else {
		put_none_ended(out, s, op);
	}
	put_op_not_matched(out, op, "", s->ops.known.sampled);
	put_sites(out, op, s->ops.known.sampled, opts);
}

static bool is_unsure(const struct snapshot_ops *ops)
{
	for (size_t i = 0; i < ops->ops_nr; i++)
		for (int value = 0; value < WIRE_OP_VALUES; value++)
			if (ops->ops[i].counts.ended && isnan(ops->ops[i].stats[value].mean_ci95))
				return true;
	return false;
}

static void put_sampled_meaning(FILE *out, const struct snapshot *s)
{
	if (!s->ops.known.sampled)
		return;
	fputs("operations were measured in short windows, each of them whole: +- is the 95 % "
	      "interval of the mean.\nWhere windows differ in time, means count them by the calls "
	      "of their time; P50 to MAX, GC and\nsites are of those that were measured. Rare "
	      "ones may not have been met.\n",
	      out);
	if (is_unsure(&s->ops))
		fputs("?: too few windows or operations for an interval, or some were cut, or it "
		      "changes too much in time.\n",
		      out);
}

/* What all these numbers mean, and what they leave out. */
void put_ops_meaning(FILE *out, const struct snapshot *s)
{
	fputs("\nan op is one call on one goroutine, of a recursion the outermost, with all that "
	      "it "
	      "calls there: what\nis done by goroutines that it starts isn't counted. ns/op is "
	      "wall "
	      "time and has what tracing costs\nin it, which is most of a call that takes a few "
	      "microseconds: a trap for each ",
	      out);
	fputs(s->ops.known.allocs
		      ? "call, return and\nallocation (--no-allocs leaves those out). B/op is of "
			"whole slots, as MemStats.TotalAlloc is.\n"
		      : "call and return.\nAllocations were not traced.\n",
	      out);
	fputs("P50, P90 and P99 are exact below 256, else within 0.8 %.\n", out);
	put_sampled_meaning(out, s);
	if (s->from_mono_ns > s->meta.start_mono_ns || s->to_mono_ns < s->meta.end_mono_ns)
		fputs("of a part of a recording, sites are cut at slightly other moments than "
		      "calls.\n",
		      out);
}

void put_ops_section(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	if (!s->ops.ops_nr)
		return;
	for (size_t i = 0; i < s->ops.ops_nr; i++)
		put_op(out, s, &s->ops.ops[i], opts);
	put_ops_meaning(out, s);
}

void put_ops_header(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	fprintf(out, "%sgallop: operations of ", style(opts, STYLE_BOLD));
	put_target(out, &s->meta);
	fprintf(out, ", %s%s\n", fmt_duration(duration(s)).s, style(opts, STYLE_NONE));
	if (!s->ops.ops_nr)
		fputs("not known: no operations were measured\n", out);
}

int render_ops_summary(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	put_ops_header(out, s, opts);
	put_ops_section(out, s, opts);
	put_footer(out, s, opts);
	return render_end(out);
}
