/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A difference for people, within 100 columns: what was compared, all totals, then where they come from, the largest
 * changes first; last what was lost on either side, and how exact it is.
 *
 * A direction is a sign first; colour only repeats it.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "render/diff.h"
#include "render/footer.h"
#include "render/formats.h"
#include "render/samples.h"

enum {
	VALUE_W = 10, /* "1023.9 KiB" */
	CHANGE_W = 11, /* with a sign */
	PERCENT_W = 9, /* "+100.0 %", "x 12345" */
	NAME_W = 13, /* "alloc_objects" */
	LABEL_W = 8, /* "before: " */
	GAP_W = 2,
	PLACE_MIN_W = 20,
};

struct page {
	FILE *out;
	const struct diff *d;
	const struct diff_names *names;
	const struct render_opts *opts;
	bool estimates; /* a side is estimated: there is a column for how sure changes are */
};

static bool are_ops_sampled(const struct diff *d)
{
	return d->s[DIFF_BEFORE]->ops.known.sampled || d->s[DIFF_AFTER]->ops.known.sampled;
}

static bool are_allocs_estimated(const struct diff *d)
{
	return d->s[DIFF_BEFORE]->samples.on || d->s[DIFF_AFTER]->samples.on || are_ops_sampled(d);
}

/* The live heap always is. */
static bool is_estimated(const struct diff *d)
{
	return are_allocs_estimated(d) || d->total[DIFF_INUSE_SPACE].known;
}

static const char *style_of(const struct page *p, const struct diff_value *v)
{
	if (v->change == 0 || diff_is_noise(v) || diff_is_unknown(v))
		return style(p->opts, STYLE_DIM);
	return style(p->opts, v->change > 0 ? STYLE_BAD : STYLE_GOOD);
}

/* --- rows ----------------------------------------------------------------------------------------- */

static void put_heads(const struct page *p)
{
	put_right(p->out, "BEFORE", VALUE_W);
	put_right(p->out, "AFTER", 1 + VALUE_W);
	put_right(p->out, "CHANGE", 1 + CHANGE_W);
	put_right(p->out, "%", 1 + PERCENT_W);
	if (p->estimates)
		put_right(p->out, "+-", 1 + CI95_W);
}

/* Of what is no place nobody can say how sure it is: it is what sites leave of the total. */
static bool is_no_place(const char *type)
{
	return !strcmp(type, SNAPSHOT_LOST) || !strcmp(type, SNAPSHOT_UNSAMPLED);
}

static void put_value(const struct page *p, enum diff_measure m, const struct diff_value *v,
		      bool no_place)
{
	put_right(p->out, fmt_measure(p->d, m, v->side[DIFF_BEFORE]).s, VALUE_W);
	put_right(p->out, fmt_measure(p->d, m, v->side[DIFF_AFTER]).s, 1 + VALUE_W);
	fputs(style_of(p, v), p->out);
	put_right(p->out, fmt_change(p->d, m, v->change).s, 1 + CHANGE_W);
	put_right(p->out, fmt_change_percent(v).s, 1 + PERCENT_W);
	if (p->estimates)
		put_right(p->out, no_place ? "-" : fmt_change_ci95(v).s, 1 + CI95_W);
	fputs(style(p->opts, STYLE_NONE), p->out);
}

static size_t values_w(const struct page *p)
{
	return VALUE_W + 1 + VALUE_W + 1 + CHANGE_W + 1 + PERCENT_W +
	       (p->estimates ? 1 + CI95_W : 0);
}

/* --- header --------------------------------------------------------------------------------------- */

/* ", 150 calls"; ", 150 of 12,000 calls measured" in windows, "of ?" where not all were counted. */
static void put_calls(const struct page *p, int side)
{
	const struct snapshot_op *op = p->d->opts.op[side];

	if (p->d->opts.per != DIFF_PER_OP)
		return;
	fprintf(p->out, ", %s ", fmt_count(op->counts.begun).s);
	if (p->d->s[side]->ops.known.sampled)
		fprintf(p->out, "of %s calls measured",
			op->calls_known ? fmt_count(op->calls).s : "?");
	else
		fputs("calls", p->out);
}

static void put_side(const struct page *p, int side)
{
	static const char *const labels[] = { "before:", "after:" };
	const struct snapshot *s = p->d->s[side];
	char file[CELL_SZ];

	short_text(file, p->names->file[side], TABLE_W / 3);
	put_left(p->out, labels[side], LABEL_W);
	fprintf(p->out, "%s: ", file);
	put_target(p->out, &s->meta);
	fprintf(p->out, ", %s", fmt_duration(s->to_mono_ns - s->from_mono_ns).s);
	put_calls(p, side);
	fprintf(p->out, "\n%*sfrom %s%s\n", LABEL_W, "",
		fmt_wall_clock(&s->meta, s->from_mono_ns).s,
		*s->meta.end_reason ? "" : ", unfinished");
}

static void put_note(const struct page *p, const char *words)
{
	put_wrapped(p->out, "note:", LABEL_W, words, "", "");
}

static bool differ(const struct diff *d, size_t offset)
{
	const char *x = (const char *)&d->s[DIFF_BEFORE]->meta + offset;
	const char *y = (const char *)&d->s[DIFF_AFTER]->meta + offset;

	return strcmp(x, y) != 0;
}

#define DIFFER(d, member) differ(d, offsetof(struct model_meta, member))

/* Whether a change of a total can be by chance. */
static void put_exactness(const struct page *p)
{
	if (p->d->opts.per == DIFF_PER_OP && are_ops_sampled(p->d))
		put_note(p, "allocations and op_time are means of the calls that windows have met, "
			    "each with its "
			    "interval; sites are of all that these calls allocated, and needn't "
			    "add up to them. "
			    "All else is of the whole process, divided by all calls");
	else if (are_allocs_estimated(p->d))
		put_note(p, "totals of allocations, cycles and pauses are counts: a change of "
			    "those isn't by "
			    "chance of sampling, but the work may not be the same");
	else
		put_note(p, "every allocation of both sides was counted, so the difference is "
			    "exact; whether "
			    "both did the same work is for you to know");
}

static void put_ops_differ(const struct page *p)
{
	char words[CELL_SZ], before[CELL_SZ], after[CELL_SZ];

	short_func(before, p->d->opts.op[DIFF_BEFORE]->func, TABLE_W / 2);
	short_func(after, p->d->opts.op[DIFF_AFTER]->func, TABLE_W / 2);
	snprintf(words, sizeof(words), "calls of two functions are compared: %.240s and %.240s",
		 before, after);
	put_note(p, words);
}

/* What else than the program's work may be the reason for a difference. */
static void put_notes(const struct page *p)
{
	const struct diff *d = p->d;

	if (diff_ops_differ(d))
		put_ops_differ(p);
	if (DIFFER(d, module) || DIFFER(d, comm))
		put_note(p, "these are two different programs");
	if (DIFFER(d, go_version))
		put_note(
			p,
			"the versions of Go differ, and so may what the compiler puts on the heap");
	if (DIFFER(d, mode))
		put_note(p, "the modes differ: a side that is exact was slowed down more, and does "
			    "less a "
			    "second");
	if (!d->same_build)
		put_note(p, "two builds: places are matched by functions and type, lines of one "
			    "function in "
			    "their order; where they can't be told apart they are one row");
	put_exactness(p);
}

static void put_header(const struct page *p)
{
	char per[CELL_SZ];

	diff_per_words(per, p->d, p->names);
	fprintf(p->out, "%sgallop: what has changed, %s%s\n", style(p->opts, STYLE_BOLD), per,
		style(p->opts, STYLE_NONE));
	put_side(p, DIFF_BEFORE);
	put_side(p, DIFF_AFTER);
	put_notes(p);
}

/* --- totals --------------------------------------------------------------------------------------- */

static bool is_any(const struct diff_total *t)
{
	return t->v.side[DIFF_BEFORE] > 0 || t->v.side[DIFF_AFTER] > 0;
}

static void put_total(const struct page *p, enum diff_measure m)
{
	put_value(p, m, &p->d->total[m].v, false);
	fprintf(p->out, "%*s%s", GAP_W, "", diff_measures[m].name);
	if (diff_measures[m].kind == DIFF_LEVEL)
		fputs(" (at the end)", p->out);
	fputc('\n', p->out);
}

static bool is_unknown(const struct page *p, int m)
{
	return !p->d->total[m].known && (m != DIFF_OP_TIME || p->d->opts.per == DIFF_PER_OP);
}

static bool is_same_reason(const struct page *p, int m, int other)
{
	return is_unknown(p, m) && is_unknown(p, other) &&
	       !strcmp(p->d->total[m].why_not, p->d->total[other].why_not);
}

/* This measure and all behind it that aren't known for the same reason. */
static void put_unknown(const struct page *p, int m)
{
	char words[CELL_SZ], why[CELL_SZ];
	int used = snprintf(words, sizeof(words), "%s", diff_measures[m].name);

	for (int other = m + 1; other < DIFF_MEASURES_NR; other++)
		if (is_same_reason(p, m, other))
			used += snprintf(words + used, sizeof(words) - (size_t)used, ", %s",
					 diff_measures[other].name);
	utf8_clean(why, sizeof(why), p->d->total[m].why_not);
	snprintf(words + used, sizeof(words) - (size_t)used, ": not known (%s)", why);
	put_note(p, words);
}

/* Once for each reason. */
static void put_all_unknown(const struct page *p)
{
	for (int m = 0; m < DIFF_MEASURES_NR; m++) {
		bool said = false;
		for (int before = 0; before < m; before++)
			said |= is_same_reason(p, m, before);
		if (is_unknown(p, m) && !said)
			put_unknown(p, m);
	}
}

static void put_totals(const struct page *p)
{
	put_heading(p->out, p->opts, "Totals");
	fprintf(p->out, "\n%s", style(p->opts, STYLE_DIM));
	put_heads(p);
	fprintf(p->out, "%*sMEASURE%s\n", GAP_W, "", style(p->opts, STYLE_NONE));
	for (int m = 0; m < DIFF_MEASURES_NR; m++)
		if (p->d->total[m].known && is_any(&p->d->total[m]))
			put_total(p, (enum diff_measure)m);
	put_all_unknown(p);
}

/* --- tables --------------------------------------------------------------------------------------- */

/* A table by one of its measures. Rows that are equal aren't shown: they are at the end. */
struct list {
	const struct diff_table *t;
	enum diff_measure by;
	const struct diff_row **rows;
	size_t changed, shown; /* of t->nr: the first that have changed, and those that are shown */
};

static const struct diff_value *value_at(const struct list *l, size_t i)
{
	return &l->rows[i]->v[l->by - l->t->first];
}

static int list_init(struct list *l, const struct diff_table *t, enum diff_measure by,
		     size_t top_nr)
{
	*l = (struct list){ .t = t, .by = by, .rows = diff_order(t, by), .changed = t->nr };
	if (!l->rows)
		return -ENOMEM;
	while (l->changed && value_at(l, l->changed - 1)->change == 0)
		l->changed--;
	l->shown = top_nr && top_nr < l->changed ? top_nr : l->changed;
	return 0;
}

static void list_deinit(struct list *l)
{
	free(l->rows);
}

/* The sum of those that aren't shown; how sure that is isn't known. */
static void put_rest(const struct page *p, const struct list *l)
{
	struct diff_value rest = { .ci95 = NAN };
	size_t left = l->t->nr - l->shown, equal = l->t->nr - l->changed;

	for (size_t i = l->shown; i < l->t->nr; i++) {
		const struct diff_value *v = value_at(l, i);
		for (int side = 0; side < DIFF_SIDES; side++)
			rest.side[side] += v->side[side];
		rest.change += v->change;
	}
	if (!left)
		return;
	put_value(p, l->by, &rest, true);
	fprintf(p->out, "%*s%s%s more", GAP_W, "", style(p->opts, STYLE_DIM), fmt_count(left).s);
	if (equal == left)
		fputs(", equal", p->out);
	else if (equal)
		fprintf(p->out, ", %s of them equal", fmt_count(equal).s);
	fprintf(p->out, "%s\n", style(p->opts, STYLE_NONE));
}

static void put_stacks(const struct page *p, const struct diff_row *row)
{
	static const char *const labels[] = { "before:", "after:" };

	for (int side = 0; side < DIFF_SIDES; side++) {
		if (!row->stack[side] || row->stack[side]->frames_nr < 2 || row->places[side] > 1)
			continue;
		/* Of one build both are the same. */
		if (side == DIFF_AFTER && row->stack[DIFF_BEFORE] && p->d->same_build)
			continue;
		if (!p->d->same_build)
			fprintf(p->out, "%*s%s\n", LABEL_W, "", labels[side]);
		put_stack(p->out, row->stack[side], 2 * LABEL_W, 0);
	}
}

static void put_rows(const struct page *p, const struct list *l)
{
	char place[CELL_SZ];

	fputs(style(p->opts, STYLE_DIM), p->out);
	put_heads(p);
	fprintf(p->out, "%*s%s%s\n", GAP_W, "",
		l->t->rows->stack[DIFF_BEFORE] || l->t->rows->stack[DIFF_AFTER]
			? "FUNCTION (FILE:LINE)  TYPE"
			: "TYPE",
		style(p->opts, STYLE_NONE));
	for (size_t i = 0; i < l->shown; i++) {
		short_diff_place(place, l->rows[i], TABLE_W - values_w(p) - GAP_W);
		put_value(p, l->by, value_at(l, i), is_no_place(l->rows[i]->type));
		fprintf(p->out, "%*s%s\n", GAP_W, "", place);
		if (p->opts->stacks)
			put_stacks(p, l->rows[i]);
	}
	put_rest(p, l);
}

static int put_table(const struct page *p, const char *title, enum diff_table_id id,
		     enum diff_measure by)
{
	_cleanup_(list_deinit) struct list l = { 0 };

	if (!p->d->total[by].known || !p->d->tables[id].nr)
		return 0;
	int rc = list_init(&l, &p->d->tables[id], by, p->opts->top_nr);
	if (rc)
		return rc;
	put_heading(p->out, p->opts, title);
	fprintf(p->out, " by change of %s", diff_measures[by].name);
	if (!l.changed) {
		fprintf(p->out, ": all %s are equal\n", fmt_count(l.t->nr).s);
		return 0;
	}
	fprintf(p->out, ", %s of %s\n", fmt_count(l.shown).s, fmt_count(l.t->nr).s);
	put_rows(p, &l);
	return 0;
}

static bool has_changed(const struct diff *d, enum diff_measure m)
{
	const struct diff_table *t = &d->tables[diff_table_of(m)];

	for (size_t i = 0; d->total[m].known && i < t->nr; i++)
		if (t->rows[i].v[m - t->first].change != 0)
			return true;
	return false;
}

/* What a table is shown by: what was asked for if it has that, else the first measure that has changed. */
static enum diff_measure measure_of(const struct page *p, const enum diff_measure *measures,
				    size_t nr)
{
	enum diff_measure asked = diff_measure_of(p->opts->value);

	for (size_t i = 0; i < nr; i++)
		if (measures[i] == asked)
			return asked;
	for (size_t i = 0; i < nr; i++)
		if (has_changed(p->d, measures[i]))
			return measures[i];
	return measures[0];
}

static int put_tables(const struct page *p)
{
	static const enum diff_measure allocs[] = { DIFF_ALLOC_SPACE, DIFF_ALLOC_OBJECTS },
				       inuse[] = { DIFF_INUSE_SPACE, DIFF_INUSE_OBJECTS },
				       /* What is counted in every mode first. */
		maps[] = { DIFF_GROWTHS, DIFF_CLEARS, DIFF_RETAINED, DIFF_ASSIGNS, DIFF_DELETES };
	enum diff_measure alloc = measure_of(p, allocs, 2);
	int rc = put_table(p, "Sites", DIFF_SITES, alloc);

	if (!rc)
		rc = put_table(p, "Types", DIFF_TYPES, alloc);
	if (!rc)
		rc = put_table(p, "In use", DIFF_HEAP, measure_of(p, inuse, 2));
	if (!rc)
		rc = put_table(p, "Mark assists", DIFF_ASSISTS, DIFF_ASSIST);
	if (!rc && diff_measure_of(p->opts->value) == DIFF_STW)
		rc = put_table(p, "Stops of the world", DIFF_STOPS, DIFF_STW);
	if (!rc)
		rc = put_table(p, "Maps", DIFF_MAPS,
			       measure_of(p, maps, sizeof(maps) / sizeof(maps[0])));
	return rc;
}

/* --- footer --------------------------------------------------------------------------------------- */

static void put_marks(const struct page *p)
{
	if (p->estimates)
		put_wrapped(
			p->out, "+-:", LABEL_W,
			"half-width of the change's 95 % interval, in % of the change, from both "
			"sides' by the root of their squares; noise: it has 0 in it; exact: "
			"counted on both sides; ?: not "
			"known, for want of windows or samples on a side, or as none there has met "
			"it",
			"", "");
}

int render_diff_text(FILE *out, const struct diff *d, const struct diff_names *names,
		     const struct render_opts *opts)
{
	static const char *const labels[] = { "before", "after" };
	const struct page p = { out, d, names, opts, is_estimated(d) };

	put_header(&p);
	put_totals(&p);
	int rc = put_tables(&p);
	if (rc)
		return rc;
	fputc('\n', out);
	put_marks(&p);
	for (int side = 0; side < DIFF_SIDES; side++) {
		char file[CELL_SZ];
		short_text(file, names->file[side], TABLE_W / 2);
		fprintf(out, "%s%s, %s%s\n", style(opts, STYLE_BOLD), labels[side], file,
			style(opts, STYLE_NONE));
		put_footer(out, d->s[side], opts);
	}
	return render_end(out);
}
