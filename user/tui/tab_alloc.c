/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocations by site, by type and by size class: one kind of table, as they are counted alike.
 *
 * A row is of the interval, of all time, or of what came since the baseline. Beside a mark it is how a rate was then and
 * is now; two estimates' difference is no surer than both together, so its interval is their sum.
 */
#include <math.h>
#include <string.h>

#include "base/fmt.h"
#include "base/f64.h"
#include "render/cells.h"
#include "render/samples.h"
#include "tui/tabs.h"

enum { NS_PER_S = 1000 * 1000 * 1000 };

enum { COL_BYTES, COL_CI, COL_OBJECTS, COL_AVG, COL_TOTAL, COL_SHARE, COL_NAME, COL_TYPE, COL_NR };
enum { DIFF_THEN, DIFF_NOW, DIFF_CHANGE, DIFF_CI, DIFF_PART, DIFF_NAME, DIFF_TYPE, DIFF_NR };

#define COUNTS                                                                             \
	{ "ALLOC/S", .width = 10 }, { "+-", .width = CI95_W, .sampled = true },            \
		{ "OBJS/S", .width = 11 }, { "AVG SIZE", .width = 10, .screen_min = 100 }, \
		{ "TOTAL", .width = 11 },                                                  \
	{                                                                                  \
		"SHARE", .width = 7                                                        \
	}
#define CHANGES                                                                     \
	{ "THEN/S", .width = 10, .screen_min = 100 }, { "NOW/S", .width = 10 },     \
		{ "CHANGE/S", .width = 11 }, { "+-", .width = 9, .sampled = true }, \
	{                                                                           \
		"CHANGE", .width = 10                                               \
	}

#define SITE_NAMES                                                   \
	{ "FUNCTION (FILE:LINE)", .width = 0, .left = true },        \
	{                                                            \
		"TYPE", .width = 24, .screen_min = 110, .left = true \
	}
#define TYPE_NAME                                \
	{                                        \
		"TYPE", .width = 0, .left = true \
	}
#define SIZE_NAME                                                       \
	{                                                               \
		"SIZE CLASS", .width = 0, .left = true, .numeric = true \
	}

static const struct table_column site_columns[] = { COUNTS, SITE_NAMES };
static const struct table_column type_columns[] = { COUNTS, TYPE_NAME };
static const struct table_column size_columns[] = { COUNTS, SIZE_NAME };
static const struct table_column site_changes[] = { CHANGES, SITE_NAMES };
static const struct table_column type_changes[] = { CHANGES, TYPE_NAME };
static const struct table_column size_changes[] = { CHANGES, SIZE_NAME };

/* The bit of a row's idx that says: it is one of the mark, and isn't there now. */
static const size_t is_gone = SIZE_MAX / 2 + 1;

static bool is_diff(const struct view *v)
{
	return v->diff && v->mark;
}

static enum frame_list list_of(const struct view *v)
{
	return v->tab == VIEW_SITES   ? FRAME_SITES
	       : v->other[VIEW_TYPES] ? FRAME_SIZES
				      : FRAME_TYPES;
}

/* Of which snapshot the rows are. */
static enum frame_span span_of(const struct view *v)
{
	return v->cumulative && !is_diff(v) ? FRAME_TOTAL : FRAME_INTERVAL;
}

struct frame_entry alloc_entry(const struct view *v, const struct table_row *row)
{
	if (row->idx & is_gone)
		return frame_entry(v->mark, FRAME_INTERVAL, list_of(v), row->idx & ~is_gone);
	return frame_entry(v->frame, span_of(v), list_of(v), row->idx);
}

/* --- numbers ------------------------------------------------------------------------------------ */

static uint64_t less(uint64_t n, uint64_t by)
{
	return n > by ? n - by : 0;
}

static double value_of(const struct view *v, struct snapshot_count n)
{
	return v->by_objects ? (double)n.objects : (double)n.bytes;
}

static double ci95_of(const struct view *v, struct snapshot_ci95 ci95)
{
	return v->by_objects ? ci95.objects : ci95.bytes;
}

static bool is_a_place(const struct frame_entry *e)
{
	return !e->type ||
	       (strcmp(e->type, SNAPSHOT_UNSAMPLED) != 0 && strcmp(e->type, SNAPSHOT_LOST) != 0);
}

/* What it was at the baseline is taken off. */
static void take_base_off(const struct view *v, struct frame_entry *e, uint64_t id)
{
	if (!v->base)
		return;
	size_t at = frame_find(v->base, FRAME_TOTAL, list_of(v), id);
	if (at == SIZE_MAX)
		return;
	struct frame_entry was = frame_entry(v->base, FRAME_TOTAL, list_of(v), at);
	e->count.objects = less(e->count.objects, was.count.objects);
	e->count.bytes = less(e->count.bytes, was.count.bytes);
	e->ci95.objects += was.ci95.objects;
	e->ci95.bytes += was.ci95.bytes;
}

/* The time and the sum that rows are parts of. */
struct whole {
	uint64_t dur_ns;
	struct snapshot_count total;
};

static struct whole whole_of(const struct view *v)
{
	enum frame_span span = span_of(v);
	const struct snapshot *s = frame_snapshot(v->frame, span);
	struct whole w = { frame_dur_ns(v->frame, span), s->total };

	if (span == FRAME_TOTAL && v->base) {
		const struct snapshot *was = frame_snapshot(v->base, FRAME_TOTAL);
		w.dur_ns = less(s->to_mono_ns, was->to_mono_ns);
		w.total.bytes = less(w.total.bytes, was->total.bytes);
		w.total.objects = less(w.total.objects, was->total.objects);
	}
	return w;
}

/* --- rows of one span ---------------------------------------------------------------------------- */

/* Half-widths as parts of their value: below 0 of what is no place, INFINITY of what nothing is known of. */
static double relative(const struct view *v, const struct frame_entry *e)
{
	if (!is_a_place(e))
		return -1;
	double value = value_of(v, e->count), ci95 = ci95_of(v, e->ci95);
	return value > 0 ? ci95 / value : NAN;
}

static struct snapshot_count total_of(const struct view *v, const struct frame_entry *e,
				      uint64_t id)
{
	if (span_of(v) == FRAME_TOTAL)
		return e->count;
	size_t at = frame_find(v->frame, FRAME_TOTAL, list_of(v), id);
	struct frame_entry all = at == SIZE_MAX
					 ? *e
					 : frame_entry(v->frame, FRAME_TOTAL, list_of(v), at);
	take_base_off(v, &all, id);
	return all.count;
}

/* What a size class is sorted by; other names are sorted as text. */
static double size_key(const struct frame_entry *e)
{
	if (e->size_class == MODEL_CLASS_LARGE)
		return INFINITY;
	return e->slot_size ? (double)e->slot_size : NAN;
}

static int add_row(struct view *v, struct table *t, size_t idx)
{
	enum frame_list list = list_of(v);
	enum frame_span span = span_of(v);
	struct frame_entry e = frame_entry(v->frame, span, list, idx);
	struct table_row row = { .idx = idx, .id = frame_id(v->frame, span, list, idx) };

	if (span == FRAME_TOTAL)
		take_base_off(v, &e, row.id);
	if (!e.count.objects && !e.count.bytes)
		return 0;
	row.key[COL_BYTES] = (double)e.count.bytes;
	row.key[COL_OBJECTS] = (double)e.count.objects;
	row.key[COL_CI] = relative(v, &e);
	row.key[COL_AVG] = e.count.objects ? (double)(e.count.bytes / e.count.objects) : NAN;
	row.key[COL_TOTAL] = value_of(v, total_of(v, &e, row.id));
	row.key[COL_SHARE] = value_of(v, e.count);
	row.key[COL_NAME] = size_key(&e);
	return table_add(t, &row);
}

static int add_rows(struct view *v, struct table *t)
{
	size_t nr = frame_nr(v->frame, span_of(v), list_of(v));
	int rc = 0;

	for (size_t i = 0; !rc && i < nr; i++)
		rc = add_row(v, t, i);
	return rc;
}

static void name_cell(const struct view *v, const struct frame_entry *e, int width,
		      char dst[CELL_SZ])
{
	if (e->stack)
		short_where(dst, e->stack, (size_t)width);
	else if (e->type)
		short_func(dst, e->type, (size_t)width);
	else if (e->size_class == MODEL_CLASS_NR)
		snprintf(dst, CELL_SZ, "%s", SNAPSHOT_LOST);
	else if (e->size_class == MODEL_CLASS_LARGE)
		snprintf(dst, CELL_SZ, "large (over 32 KiB)");
	else
		snprintf(dst, CELL_SZ, "%s%s", fmt_bytes(e->slot_size).s,
			 e->size_class == MODEL_CLASS_TINY ? " (tiny: several share one)" : "");
	if (e->stack && e->goid && v->tab == VIEW_SITES) {
		char where[CELL_SZ];
		short_where(where, e->stack, width > 24 ? (size_t)width - 10 : 14);
		snprintf(dst, CELL_SZ, "%.900s g%llu", where, (unsigned long long)e->goid);
	}
}

static struct fmt as_count_or_bytes(const struct view *v, double n)
{
	struct fmt none = { "-" };

	/* Of an interval that took no time there is no rate. */
	if (isnan(n))
		return none;
	return v->by_objects ? fmt_count(count_f64(n)) : fmt_bytes(count_f64(n));
}

static struct fmt ci95_cell(double part)
{
	struct fmt none = { "-" };

	return part < 0 ? none : fmt_ci95(1, part);
}

static void row_cell(const void *ctx, const struct table_row *row, unsigned column, int width,
		     char dst[CELL_SZ])
{
	const struct view *v = ctx;
	struct frame_entry e = alloc_entry(v, row);
	struct whole w = whole_of(v);
	struct fmt f = { "-" };

	if (column == COL_BYTES)
		f = fmt_bytes_rate(count_f64(row->key[COL_BYTES]), w.dur_ns);
	else if (column == COL_CI)
		f = ci95_cell(row->key[COL_CI]);
	else if (column == COL_OBJECTS)
		f = fmt_count_rate(count_f64(row->key[COL_OBJECTS]), w.dur_ns);
	else if (column == COL_AVG && !isnan(row->key[COL_AVG]))
		f = fmt_bytes(count_f64(row->key[COL_AVG]));
	else if (column == COL_TOTAL)
		f = as_count_or_bytes(v, row->key[COL_TOTAL]);
	else if (column == COL_SHARE)
		f = fmt_percent(count_f64(row->key[COL_SHARE]), count_f64(value_of(v, w.total)));
	snprintf(dst, CELL_SZ, "%s", f.s);
	if (column == COL_NAME)
		name_cell(v, &e, width, dst);
	if (column == COL_TYPE)
		short_func(dst, e.type, (size_t)width);
}

/* --- rows that differ from the mark --------------------------------------------------------------- */

static double per_second(double n, uint64_t dur_ns)
{
	return dur_ns ? n * NS_PER_S / (double)dur_ns : NAN;
}

/* now or then may be NULL: it wasn't there. */
static int add_change(struct view *v, struct table *t, const struct frame_entry *then,
		      const struct frame_entry *now, struct table_row row)
{
	uint64_t then_ns = frame_dur_ns(v->mark, FRAME_INTERVAL);
	uint64_t now_ns = frame_dur_ns(v->frame, FRAME_INTERVAL);
	double x = then ? per_second(value_of(v, then->count), then_ns) : 0;
	double y = now ? per_second(value_of(v, now->count), now_ns) : 0;
	double ci95 = (then ? per_second(ci95_of(v, then->ci95), then_ns) : 0) +
		      (now ? per_second(ci95_of(v, now->ci95), now_ns) : 0);

	row.key[DIFF_THEN] = x;
	row.key[DIFF_NOW] = y;
	row.key[DIFF_CHANGE] = y - x;
	row.key[DIFF_CI] = !is_a_place(now ? now : then) ? -1 : y == x ? NAN : ci95 / fabs(y - x);
	row.key[DIFF_PART] = x > 0 ? (y - x) / x : INFINITY;
	row.key[DIFF_NAME] = size_key(now ? now : then);
	return table_add(t, &row);
}

static int add_changes(struct view *v, struct table *t)
{
	enum frame_list list = list_of(v);
	size_t now_nr = frame_nr(v->frame, FRAME_INTERVAL, list);
	size_t then_nr = frame_nr(v->mark, FRAME_INTERVAL, list);
	int rc = 0;

	for (size_t i = 0; !rc && i < now_nr; i++) {
		uint64_t id = frame_id(v->frame, FRAME_INTERVAL, list, i);
		size_t at = frame_find(v->mark, FRAME_INTERVAL, list, id);
		struct frame_entry now = frame_entry(v->frame, FRAME_INTERVAL, list, i), then;
		if (at != SIZE_MAX)
			then = frame_entry(v->mark, FRAME_INTERVAL, list, at);
		rc = add_change(v, t, at == SIZE_MAX ? NULL : &then, &now,
				(struct table_row){ .idx = i, .id = id });
	}
	for (size_t i = 0; !rc && i < then_nr; i++) {
		uint64_t id = frame_id(v->mark, FRAME_INTERVAL, list, i);
		struct frame_entry then = frame_entry(v->mark, FRAME_INTERVAL, list, i);
		if (frame_find(v->frame, FRAME_INTERVAL, list, id) == SIZE_MAX)
			rc = add_change(v, t, &then, NULL,
					(struct table_row){ .idx = i | is_gone, .id = id });
	}
	return rc;
}

static void change_cell(const void *ctx, const struct table_row *row, unsigned column, int width,
			char dst[CELL_SZ])
{
	const struct view *v = ctx;
	struct frame_entry e = alloc_entry(v, row);
	double change = row->key[DIFF_CHANGE], part = row->key[DIFF_PART];

	if (column == DIFF_NAME)
		name_cell(v, &e, width, dst);
	else if (column == DIFF_TYPE)
		short_func(dst, e.type, (size_t)width);
	else if (column == DIFF_CI)
		snprintf(dst, CELL_SZ, "%s", ci95_cell(row->key[DIFF_CI]).s);
	else if ((column == DIFF_CHANGE && isnan(change)) || (column == DIFF_PART && isnan(part)))
		snprintf(dst, CELL_SZ, "-");
	else if (column == DIFF_CHANGE)
		snprintf(dst, CELL_SZ, "%s%s", change < 0 ? "-" : "+",
			 as_count_or_bytes(v, fabs(change)).s);
	else if (column == DIFF_PART && row->idx & is_gone)
		snprintf(dst, CELL_SZ, "gone");
	else if (column == DIFF_PART && isinf(part))
		snprintf(dst, CELL_SZ, "new");
	else if (column == DIFF_PART)
		snprintf(dst, CELL_SZ, "%+.1f %%", 100 * part);
	else
		snprintf(dst, CELL_SZ, "%s", as_count_or_bytes(v, row->key[column]).s);
}

/* --- both ---------------------------------------------------------------------------------------- */

static const char *sort_text(const void *ctx, const struct table_row *row, unsigned column)
{
	const struct view *v = ctx;
	struct frame_entry e = alloc_entry(v, row);
	bool is_type = column == (is_diff(v) ? (unsigned)DIFF_TYPE : (unsigned)COL_TYPE);

	if (e.stack && !is_type)
		return e.stack->frames[0]->func;
	return e.type ? e.type : "";
}

/* As much of src as there is room for; where the next goes. printf() takes longer than matching what it makes. */
static char *append(char *dst, const char *end, const char *src)
{
	while (*src && dst + 1 < end)
		*dst++ = *src++;
	*dst = '\0';
	return dst;
}

/* Its functions, where they are, and its type: what can be read in the table, and the rest of the stack. */
static void row_text(const void *ctx, const struct table_row *row, char dst[TABLE_TEXT_SZ])
{
	struct frame_entry e = alloc_entry(ctx, row);
	const char *end = dst + TABLE_TEXT_SZ;
	char *p = dst, line[16];

	*dst = '\0';
	if (!e.stack && !e.type) {
		name_cell(ctx, &e, TABLE_TEXT_SZ, dst);
		return;
	}
	for (uint32_t i = 0; e.stack && i < e.stack->frames_nr; i++) {
		const struct snapshot_frame *frame = e.stack->frames[i];
		snprintf(line, sizeof(line), ":%u ", frame->line);
		p = append(append(p, end, frame->func), end, " ");
		p = append(append(p, end, frame->file), end, line);
	}
	append(p, end, e.type);
}

#define KIND(kind_columns, cell_fn, bytes, objects)                                              \
	{                                                                                        \
		.columns = (kind_columns),                                                       \
		.columns_nr = sizeof(kind_columns) / sizeof((kind_columns)[0]), .sort = (bytes), \
		.bytes_column = (bytes), .objects_column = (objects), .cell = (cell_fn),         \
		.sort_text = sort_text, .text = row_text                                         \
	}

const struct table_kind sites_kind = KIND(site_columns, row_cell, COL_BYTES, COL_OBJECTS);
const struct table_kind types_kind = KIND(type_columns, row_cell, COL_BYTES, COL_OBJECTS);
static const struct table_kind sizes_kind = KIND(size_columns, row_cell, COL_BYTES, COL_OBJECTS);
static const struct table_kind site_changes_kind = KIND(site_changes, change_cell, DIFF_CHANGE,
							DIFF_CHANGE);
static const struct table_kind type_changes_kind = KIND(type_changes, change_cell, DIFF_CHANGE,
							DIFF_CHANGE);
static const struct table_kind size_changes_kind = KIND(size_changes, change_cell, DIFF_CHANGE,
							DIFF_CHANGE);

static int build(struct view *v, const struct table_kind *counts, const struct table_kind *changes)
{
	struct table *t = &v->tables[v->tab];

	const struct table_kind *kind = is_diff(v) ? changes : counts;
	if (t->kind != kind) {
		table_set_kind(t, kind);
		t->sort = (unsigned)(v->by_objects ? kind->objects_column : kind->bytes_column);
	}
	return is_diff(v) ? add_changes(v, t) : add_rows(v, t);
}

int sites_build(struct view *v)
{
	return build(v, &sites_kind, &site_changes_kind);
}

int types_build(struct view *v)
{
	return v->other[VIEW_TYPES] ? build(v, &sizes_kind, &size_changes_kind)
				    : build(v, &types_kind, &type_changes_kind);
}

void alloc_say(const struct view *v, FILE *out)
{
	if (list_of(v) == FRAME_SIZES)
		fputs("size classes: exact; 2 shows types\n", out);
	else if (view_is_sampled(v))
		put_sources_now(out, frame_snapshot(v->frame, span_of(v)));
}
