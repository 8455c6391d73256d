/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"

enum {
	GAP_W = 1,
	LEFT_GAP_W = 2,
	STRETCH_MIN_W = 12,
	MATCH_MAX_NS = 1000 * 1000 * 1000, /* 20,000 rows take 25 ms with a usual pattern */
};

void table_init(struct table *t, const struct table_kind *kind)
{
	*t = (struct table){ .kind = kind, .sort = kind->sort };
}

void table_deinit(struct table *t)
{
	free(t->rows);
	*t = (struct table){ 0 };
}

void table_set_kind(struct table *t, const struct table_kind *kind)
{
	if (t->kind == kind)
		return;
	t->kind = kind;
	t->sort = kind->sort;
	t->reversed = false;
	t->selected = t->top = 0;
	t->selected_id = 0;
}

/* --- rows --------------------------------------------------------------------------------------- */

void table_begin(struct table *t)
{
	t->rows_nr = 0;
}

int table_add(struct table *t, const struct table_row *row)
{
	int rc = grow(&t->rows, t->rows_nr, &t->cap, sizeof(t->rows[0]));

	if (rc)
		return rc;
	t->rows[t->rows_nr] = *row;
	t->rows[t->rows_nr].order = t->rows_nr;
	t->rows_nr++;
	return 0;
}

struct sorting {
	const struct table *t;
	const void *ctx;
};

/* The largest first, and what isn't known last, whichever way it is sorted. */
static int key_cmp(double x, double y, bool reversed)
{
	if (isnan(x) || isnan(y))
		return !!isnan(x) - !!isnan(y);
	int d = (x < y) - (x > y);
	return reversed ? -d : d;
}

static int row_cmp(const void *a, const void *b, void *arg)
{
	const struct sorting *by = arg;
	const struct table_row *x = a, *y = b;
	const struct table_kind *kind = by->t->kind;
	unsigned column = by->t->sort;
	int d;

	if (kind->columns[column].left && !kind->columns[column].numeric) {
		d = strcmp(kind->sort_text(by->ctx, x, column),
			   kind->sort_text(by->ctx, y, column));
		d = by->t->reversed ? -d : d;
	} else {
		d = key_cmp(x->key[column], y->key[column], by->t->reversed);
	}
	return d ? d : (x->order > y->order) - (x->order < y->order);
}

static void sort(struct table *t, const void *ctx)
{
	struct sorting by = { t, ctx };

	if (t->rows_nr)
		qsort_r(t->rows, t->rows_nr, sizeof(t->rows[0]), row_cmp, &by);
}

static bool matches(const struct table *t, const void *ctx, const regex_t *regex,
		    const struct table_row *row)
{
	char text[TABLE_TEXT_SZ];

	t->kind->text(ctx, row, text);
	return regexec(regex, text, 0, NULL, 0) == 0;
}

/* There are patterns that take a second for each thousand names: no key would do anything meanwhile. */
static bool is_too_long(uint64_t from_ns)
{
	return mono_now_ns() - from_ns > MATCH_MAX_NS;
}

static int filter_rows(struct table *t, const void *ctx, struct table_filter filter)
{
	uint64_t from_ns = mono_now_ns();
	size_t kept = 0;

	t->all_nr = t->rows_nr;
	if (!filter.regex)
		return 0;
	for (size_t i = 0; i < t->rows_nr; i++) {
		if (is_too_long(from_ns))
			return -ETIMEDOUT;
		if (matches(t, ctx, filter.regex, &t->rows[i]) != filter.inverted)
			t->rows[kept++] = t->rows[i];
	}
	t->rows_nr = kept;
	return 0;
}

static void select_row(struct table *t, size_t place)
{
	if (place >= t->rows_nr)
		place = t->rows_nr ? t->rows_nr - 1 : 0;
	t->selected = place;
	t->selected_id = t->rows_nr ? t->rows[place].id : 0;
}

/* Where the row has gone that was under the cursor; the place of the cursor if it is gone. */
static void select_again(struct table *t)
{
	for (size_t i = 0; i < t->rows_nr; i++) {
		if (t->rows[i].id == t->selected_id) {
			t->selected = i;
			return;
		}
	}
	/* It may come back: its id is kept. */
	if (t->selected >= t->rows_nr)
		t->selected = t->rows_nr ? t->rows_nr - 1 : 0;
}

int table_end(struct table *t, const void *ctx, struct table_filter filter, bool follow)
{
	int rc = filter_rows(t, ctx, filter);

	sort(t, ctx);
	if (follow)
		select_again(t);
	else
		select_row(t, t->selected);
	return rc;
}

/* --- sorting, moving ------------------------------------------------------------------------------ */

/* The cursor stays at the top when it is there: what is largest is what one looks for. */
static void sort_anew(struct table *t, const void *ctx)
{
	sort(t, ctx);
	if (t->selected)
		select_again(t);
	else
		select_row(t, 0);
}

void table_sort_by(struct table *t, const void *ctx, unsigned column)
{
	t->sort = column;
	sort_anew(t, ctx);
}

static bool is_shown(const struct table_column *c, int screen_cols, bool sampled)
{
	return screen_cols >= c->screen_min && (sampled || !c->sampled);
}

void table_sort_next(struct table *t, const void *ctx, int by, int screen_cols, bool sampled)
{
	unsigned column = t->sort, nr = t->kind->columns_nr;

	do
		column = (column + nr + (unsigned)by) % nr;
	while (column != t->sort && !is_shown(&t->kind->columns[column], screen_cols, sampled));
	table_sort_by(t, ctx, column);
}

void table_reverse(struct table *t, const void *ctx)
{
	t->reversed = !t->reversed;
	sort_anew(t, ctx);
}

void table_move(struct table *t, long by)
{
	size_t last = t->rows_nr ? t->rows_nr - 1 : 0, to;

	if (by < 0)
		to = (size_t)-by > t->selected ? 0 : t->selected - (size_t)-by;
	else
		to = (size_t)by > last - t->selected ? last : t->selected + (size_t)by;
	select_row(t, to);
}

int table_search(struct table *t, const void *ctx, const regex_t *regex, bool backwards)
{
	uint64_t from_ns = mono_now_ns();

	for (size_t i = 1; i <= t->rows_nr && !is_too_long(from_ns); i++) {
		size_t place = backwards ? (t->selected + t->rows_nr - i) % t->rows_nr
					 : (t->selected + i) % t->rows_nr;
		if (matches(t, ctx, regex, &t->rows[place])) {
			select_row(t, place);
			return 0;
		}
	}
	return is_too_long(from_ns) ? -ETIMEDOUT : -ENOENT;
}

const struct table_row *table_selected(const struct table *t)
{
	return t->selected < t->rows_nr ? &t->rows[t->selected] : NULL;
}

/* --- drawing ------------------------------------------------------------------------------------ */

/* Where columns are: their widths, 0 of those that aren't shown. */
struct layout {
	int width[TABLE_COLUMNS_MAX];
};

static int gap_before(const struct table_column *c, bool first)
{
	return first ? 0 : c->left ? LEFT_GAP_W : GAP_W;
}

static struct layout lay_out(const struct table_kind *kind, int screen_cols, bool sampled)
{
	struct layout l = { { 0 } };
	int used = 0;
	unsigned stretch = 0;
	bool first = true;

	for (unsigned i = 0; i < kind->columns_nr; i++) {
		const struct table_column *c = &kind->columns[i];
		if (!is_shown(c, screen_cols, sampled))
			continue;
		used += gap_before(c, first) + c->width;
		l.width[i] = c->width;
		if (!c->width)
			stretch = i;
		first = false;
	}
	l.width[stretch] = screen_cols - used > STRETCH_MIN_W ? screen_cols - used : STRETCH_MIN_W;
	return l;
}

static void draw_head(const struct table *t, const struct layout *l, struct screen *s, int row)
{
	int col = 0;

	screen_paint(s, row, 0, s->cols, ATTR_HEAD);
	for (unsigned i = 0; i < t->kind->columns_nr; i++) {
		const struct table_column *c = &t->kind->columns[i];
		enum screen_attr attr = i == t->sort ? ATTR_SORTED : ATTR_HEAD;
		char title[64];

		if (!l->width[i])
			continue;
		/* Which one is sorted by is told without colours, too; the first of all has no room left of it. */
		snprintf(title, sizeof(title), "%s%s", c->title,
			 i != t->sort  ? ""
			 : t->reversed ? "^"
				       : "*");
		col += gap_before(c, col == 0);
		if (c->left)
			screen_put(s, row, col, l->width[i], attr, title);
		else
			screen_put_right(s, row, col, l->width[i], attr, title);
		col += l->width[i];
	}
}

static void draw_row(const struct table *t, const void *ctx, const struct layout *l,
		     const struct table_row *r, struct screen *s, int row)
{
	char text[CELL_SZ];
	int col = 0;

	for (unsigned i = 0; i < t->kind->columns_nr; i++) {
		const struct table_column *c = &t->kind->columns[i];

		if (!l->width[i])
			continue;
		col += gap_before(c, col == 0);
		t->kind->cell(ctx, r, i, l->width[i], text);
		if (c->left)
			screen_put(s, row, col, l->width[i], ATTR_NORMAL, text);
		else
			screen_put_right(s, row, col, l->width[i], ATTR_NORMAL, text);
		col += l->width[i];
	}
}

static void scroll(struct table *t, size_t height)
{
	if (t->selected < t->top)
		t->top = t->selected;
	if (height && t->selected >= t->top + height)
		t->top = t->selected - height + 1;
	if (t->top + height > t->rows_nr)
		t->top = t->rows_nr > height ? t->rows_nr - height : 0;
}

void table_draw(struct table *t, const void *ctx, struct screen *s, int row, int height,
		bool sampled)
{
	struct layout l = lay_out(t->kind, s->cols, sampled);
	size_t lines = height > 1 ? (size_t)height - 1 : 0;

	scroll(t, lines);
	draw_head(t, &l, s, row);
	for (size_t i = 0; i < lines && t->top + i < t->rows_nr; i++) {
		int at = row + 1 + (int)i;

		draw_row(t, ctx, &l, &t->rows[t->top + i], s, at);
		if (t->top + i == t->selected)
			screen_paint(s, at, 0, s->cols, ATTR_SELECTED);
	}
}
