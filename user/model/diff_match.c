/* SPDX-License-Identifier: BSD-2-Clause */
/* Which places of both sides are the same: see diff.h for what decides. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/u64.h"
#include "model/diff_priv.h"

/* How the entries of a group, which differ in nothing but lines, become rows. */
enum pairing { BY_LINES, IN_ORDER, AS_ONE };

/* --- order ---------------------------------------------------------------------------------------- */

static int funcs_cmp(const struct snapshot_stack *x, const struct snapshot_stack *y)
{
	if (!x || !y || x == y)
		return (x && !y) - (!x && y);
	for (size_t i = 0; i < x->frames_nr && i < y->frames_nr; i++) {
		int d = x->frames[i]->func == y->frames[i]->func
				? 0
				: strcmp(x->frames[i]->func, y->frames[i]->func);
		if (d)
			return d;
	}
	int d = cmp_u64(x->frames_nr, y->frames_nr);
	return d ? d : x->cut - y->cut;
}

/* Of stacks of the same functions. */
static int lines_cmp(const struct snapshot_stack *x, const struct snapshot_stack *y)
{
	for (size_t i = 0; x && y && i < x->frames_nr; i++) {
		int d = cmp_u64(x->frames[i]->line, y->frames[i]->line);
		if (d)
			return d;
	}
	return 0;
}

static int by_lines(const void *a, const void *b)
{
	const struct diff_entry *x = a, *y = b;
	int d = lines_cmp(x->stack, y->stack);

	return d ? d : (int)x->side - (int)y->side;
}

static int by_side(const void *a, const void *b)
{
	const struct diff_entry *x = a, *y = b;
	int d = (int)x->side - (int)y->side;

	return d ? d : lines_cmp(x->stack, y->stack);
}

static int by_name(const void *a, const void *b)
{
	const struct diff_entry *x = a, *y = b;
	int d = funcs_cmp(x->stack, y->stack);

	if (!d)
		d = strcmp(x->type, y->type);
	return d ? d : by_lines(a, b);
}

static bool is_same_funcs(const struct diff_entry *x, const struct diff_entry *y)
{
	return funcs_cmp(x->stack, y->stack) == 0;
}

/* --- rows ----------------------------------------------------------------------------------------- */

static struct diff_row *new_row(struct diff_table *t, const char *type)
{
	struct diff_row *row = &t->rows[t->nr++];

	*row = (struct diff_row){ .type = type };
	return row;
}

/* is_place: its lines are none of those that the side's part of the row has. */
static void row_add(struct diff_row *row, const struct diff_table *t, const struct diff_entry *e,
		    bool is_place)
{
	if (!row->stack[e->side])
		row->stack[e->side] = e->stack;
	row->places[e->side] += is_place;
	for (size_t k = 0; k < t->measures_nr; k++) {
		row->v[k].side[e->side] += e->v[k];
		row->v[k].side_ci95[e->side] += e->ci95[k];
	}
}

static bool is_next_place(const struct diff_entry *e, size_t i)
{
	return !i || e[i].side != e[i - 1].side || lines_cmp(e[i].stack, e[i - 1].stack);
}

/* A row for all with the same lines; they are in the order of by_lines(). */
static void pair_by_lines(struct diff_table *t, const struct diff_entry *e, size_t nr)
{
	struct diff_row *row = NULL;

	for (size_t i = 0; i < nr; i++) {
		if (!i || lines_cmp(e[i].stack, e[i - 1].stack))
			row = new_row(t, e->type);
		row_add(row, t, &e[i], is_next_place(e, i));
	}
}

/* Both sides have as many places: the first belongs to the first, and so on. In the order of by_side(). */
static void pair_in_order(struct diff_table *t, const struct diff_entry *e, size_t nr)
{
	size_t base = t->nr, at = base;

	for (size_t i = 0; i < nr; i++) {
		bool is_place = is_next_place(e, i);
		at = !i || e[i].side != e[i - 1].side ? base : at + is_place;
		if (at == t->nr)
			new_row(t, e->type);
		row_add(&t->rows[at], t, &e[i], is_place);
	}
}

static void add_as_one(struct diff_table *t, const struct diff_entry *e, size_t nr)
{
	struct diff_row *row = new_row(t, e->type);

	for (size_t i = 0; i < nr; i++)
		row_add(row, t, &e[i], is_next_place(e, i));
}

/* e is in the order of by_lines(). */
static enum pairing choose_pairing(const struct diff_entry *e, size_t nr, bool same_build)
{
	size_t places[DIFF_SIDES] = { 0 }, both = 0;

	for (size_t i = 0; i < nr; i++) {
		places[e[i].side] += is_next_place(e, i);
		both += i && is_next_place(e, i) && !lines_cmp(e[i].stack, e[i - 1].stack);
	}
	size_t fewer = places[DIFF_BEFORE] < places[DIFF_AFTER] ? places[DIFF_BEFORE]
								: places[DIFF_AFTER];
	if (same_build || both == fewer)
		return BY_LINES;
	return places[DIFF_BEFORE] == places[DIFF_AFTER] ? IN_ORDER : AS_ONE;
}

static void make_rows(struct diff_table *t, struct diff_entry *e, size_t nr, bool same_build)
{
	enum pairing pairing = choose_pairing(e, nr, same_build);

	if (pairing != BY_LINES)
		qsort(e, nr, sizeof(e[0]), by_side);
	if (pairing == BY_LINES)
		pair_by_lines(t, e, nr);
	else if (pairing == IN_ORDER)
		pair_in_order(t, e, nr);
	else
		add_as_one(t, e, nr);
}

/* --- groups --------------------------------------------------------------------------------------- */

/*
 * Of estimates a place may have a part whose type only windows tell, and a part that only the runtime's samples tell
 * of, without it. How it falls into the two is chance, so there types tell nothing apart.
 */
static bool drop_types(struct diff_entry *e, size_t nr)
{
	bool any = false;

	for (size_t i = 0; i < nr; i++)
		any |= strcmp(e[i].type, SNAPSHOT_UNTYPED) == 0;
	for (size_t i = 0; any && i < nr; i++)
		e[i].type = SNAPSHOT_UNTYPED;
	return any;
}

/* Entries of the same functions, in the order of by_name(). */
static void match_funcs(struct diff_table *t, struct diff_entry *e, size_t nr, bool same_build)
{
	if (e->stack && drop_types(e, nr))
		qsort(e, nr, sizeof(e[0]), by_lines);
	for (size_t i = 0, next; i < nr; i = next) {
		for (next = i + 1; next < nr && !strcmp(e[i].type, e[next].type); next++)
			;
		make_rows(t, &e[i], next - i, same_build);
	}
}

int diff_match(struct diff_table *t, struct diff_entry *entries, size_t nr, bool same_build)
{
	t->rows = calloc(nr + 1, sizeof(t->rows[0]));
	if (!t->rows)
		return -ENOMEM;
	qsort(entries, nr, sizeof(entries[0]), by_name);
	for (size_t i = 0, next; i < nr; i = next) {
		for (next = i + 1; next < nr && is_same_funcs(&entries[i], &entries[next]); next++)
			;
		match_funcs(t, &entries[i], next - i, same_build);
	}
	return 0;
}
