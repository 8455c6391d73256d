/* SPDX-License-Identifier: BSD-2-Clause */
/* What each side has: measures and tables, and what they are divided by. */
#include "model/diff.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/u64.h"
#include "model/diff_priv.h"

enum { NS_PER_S = 1000 * 1000 * 1000 };

const struct diff_measure_info diff_measures[DIFF_MEASURES_NR] = {
	[DIFF_ALLOC_SPACE] = { "alloc_space", DIFF_BYTES, DIFF_ALLOCATED },
	[DIFF_ALLOC_OBJECTS] = { "alloc_objects", DIFF_COUNT, DIFF_ALLOCATED },
	[DIFF_INUSE_SPACE] = { "inuse_space", DIFF_BYTES, DIFF_LEVEL },
	[DIFF_INUSE_OBJECTS] = { "inuse_objects", DIFF_COUNT, DIFF_LEVEL },
	[DIFF_ASSIST] = { "assist", DIFF_NS, DIFF_FLOW },
	[DIFF_STW] = { "stw", DIFF_NS, DIFF_FLOW },
	[DIFF_ASSIGNS] = { "assigns", DIFF_COUNT, DIFF_FLOW },
	[DIFF_DELETES] = { "deletes", DIFF_COUNT, DIFF_FLOW },
	[DIFF_CLEARS] = { "clears", DIFF_COUNT, DIFF_FLOW },
	[DIFF_GROWTHS] = { "growths", DIFF_COUNT, DIFF_FLOW },
	[DIFF_RETAINED] = { "retained", DIFF_BYTES, DIFF_LEVEL },
	[DIFF_CYCLES] = { "cycles", DIFF_COUNT, DIFF_FLOW },
	[DIFF_PAUSE] = { "pause", DIFF_NS, DIFF_FLOW },
	[DIFF_OP_TIME] = { "op_time", DIFF_NS, DIFF_MEAN },
};

bool diff_is_unknown(const struct diff_value *v)
{
	return isnan(v->ci95);
}

bool diff_is_noise(const struct diff_value *v)
{
	return !isnan(v->ci95) && snapshot_is_noise(fabs(v->change), v->ci95);
}

void diff_settle(struct diff_value *v)
{
	v->change = v->side[DIFF_AFTER] - v->side[DIFF_BEFORE];
	v->ci95 = hypot(v->side_ci95[DIFF_BEFORE], v->side_ci95[DIFF_AFTER]);
}

enum diff_measure diff_measure_of(enum snapshot_value value)
{
	/* What isn't here is of no measure, and passes for the first one, as in tables. */
	static const enum diff_measure measures[] = {
		[SNAPSHOT_BYTES] = DIFF_ALLOC_SPACE,
		[SNAPSHOT_OBJECTS] = DIFF_ALLOC_OBJECTS,
		[SNAPSHOT_ASSIST] = DIFF_ASSIST,
		[SNAPSHOT_STW] = DIFF_STW,
		[SNAPSHOT_ASSIGNS] = DIFF_ASSIGNS,
		[SNAPSHOT_DELETES] = DIFF_DELETES,
		[SNAPSHOT_CLEARS] = DIFF_CLEARS,
		[SNAPSHOT_RETAINED] = DIFF_RETAINED,
		[SNAPSHOT_GROWTHS] = DIFF_GROWTHS,
		[SNAPSHOT_INUSE_BYTES] = DIFF_INUSE_SPACE,
		[SNAPSHOT_INUSE_OBJECTS] = DIFF_INUSE_OBJECTS,
		[SNAPSHOT_ALLOC_BYTES] = DIFF_ALLOC_SPACE,
		[SNAPSHOT_ALLOC_OBJECTS] = DIFF_ALLOC_OBJECTS,
	};

	return measures[value];
}

/* --- what is known ------------------------------------------------------------------------------ */

typedef const char *why_fn(const struct diff *d, int side);

static const char *why_no_allocs(const struct diff *d, int side)
{
	const struct snapshot_ops *ops = &d->s[side]->ops;

	if (d->opts.per == DIFF_PER_OP)
		return ops->known.allocs ? NULL : "allocations were not traced";
	return ops->known.sampled && !d->s[side]->samples.on
		       ? "allocations were looked at in operations only"
		       : NULL;
}

static const char *why_no_heap(const struct diff *d, int side)
{
	const struct snapshot_heap *heap = &d->s[side]->heap;

	if (heap->known)
		return NULL;
	return heap->asked && *heap->why_not ? heap->why_not : "the live heap was not looked at";
}

/* Of many processes it never is. */
static const char *why_no_gc(const struct diff *d, int side)
{
	return d->s[side]->meta.pids_nr ? "the collector was not looked at" : NULL;
}

/* The runtime's counters tell of all cycles and pauses, if they could be read. */
static const char *why_no_gc_sums(const struct diff *d, int side)
{
	const struct snapshot_gc *gc = &d->s[side]->gc;

	if (why_no_gc(d, side))
		return why_no_gc(d, side);
	return gc->off_ns && !gc->check.known
		       ? "stops and cycles were not looked at all the time, to keep the budget"
		       : NULL;
}

static const char *why_no_gc_events(const struct diff *d, int side)
{
	if (why_no_gc(d, side))
		return why_no_gc(d, side);
	return d->s[side]->gc.off_ns
		       ? "the collector was not looked at all the time, to keep the budget"
		       : NULL;
}

static const char *why_no_maps(const struct diff *d, int side)
{
	return d->s[side]->maps.known ? NULL : "maps were not looked at";
}

static const char *why_no_map_events(const struct diff *d, int side)
{
	if (why_no_maps(d, side))
		return why_no_maps(d, side);
	return snapshot_maps_were_off(d->s[side]) ? "clears and growth of maps were not looked at "
						    "all the time, to keep the budget"
						  : NULL;
}

/* That no window has met any doesn't mean that there were none. */
static const char *why_no_map_calls(const struct diff *d, int side, bool deletes)
{
	const struct snapshot_maps *maps = &d->s[side]->maps;

	if (why_no_maps(d, side) || maps->every_operation)
		return why_no_maps(d, side);
	for (size_t i = 0; maps->operations_sampled && i < maps->sites_nr; i++)
		if (deletes ? maps->sites[i].deletes.calls : maps->sites[i].assigns.calls)
			return NULL;
	return maps->operations_sampled ? "no window has met any"
					: "assigns and deletes of maps were not counted";
}

static const char *why_no_assigns(const struct diff *d, int side)
{
	return why_no_map_calls(d, side, false);
}

static const char *why_no_deletes(const struct diff *d, int side)
{
	return why_no_map_calls(d, side, true);
}

static const char *why_no_held(const struct diff *d, int side)
{
	if (why_no_maps(d, side))
		return why_no_maps(d, side);
	return d->s[side]->maps.held_known ? NULL : "the process's memory was not looked at";
}

static const char *why_no_op_time(const struct diff *d, int side)
{
	if (d->opts.per != DIFF_PER_OP)
		return "it is of a function's calls: --per op:FUNC";
	return d->opts.op[side]->counts.ended ? NULL : "no call has ended";
}

static why_fn *const whys[DIFF_MEASURES_NR] = {
	[DIFF_ALLOC_SPACE] = why_no_allocs, [DIFF_ALLOC_OBJECTS] = why_no_allocs,
	[DIFF_INUSE_SPACE] = why_no_heap,   [DIFF_INUSE_OBJECTS] = why_no_heap,
	[DIFF_ASSIST] = why_no_gc_events,   [DIFF_STW] = why_no_gc_events,
	[DIFF_ASSIGNS] = why_no_assigns,    [DIFF_DELETES] = why_no_deletes,
	[DIFF_CLEARS] = why_no_map_events,  [DIFF_GROWTHS] = why_no_map_events,
	[DIFF_RETAINED] = why_no_held,	    [DIFF_CYCLES] = why_no_gc_sums,
	[DIFF_PAUSE] = why_no_gc_sums,	    [DIFF_OP_TIME] = why_no_op_time,
};

static const char *why_not(const struct diff *d, enum diff_measure m, int side)
{
	const char *why = whys[m](d, side);

	if (!why && diff_measures[m].kind == DIFF_FLOW && !(d->process_divisor[side] > 0))
		why = "it is of the whole process, and not all calls were counted";
	return why;
}

static void judge_known(struct diff *d, enum diff_measure m)
{
	static const char *const names[] = { "before", "after" };
	struct diff_total *total = &d->total[m];

	total->known = true;
	for (int side = 0; side < DIFF_SIDES && total->known; side++) {
		const char *why = why_not(d, m, side);
		if (!why)
			continue;
		total->known = false;
		snprintf(total->why_not, sizeof(total->why_not), "%s: %.180s", names[side], why);
	}
}

/* --- what a side has at its places ---------------------------------------------------------------- */

static struct diff_entry *entry(struct diff_entry **to, int side,
				const struct snapshot_stack *stack, const char *type)
{
	struct diff_entry *e = (*to)++;

	*e = (struct diff_entry){ .side = (unsigned int)side, .stack = stack, .type = type };
	return e;
}

static void set_counts(struct diff_entry *e, struct snapshot_count n, struct snapshot_ci95 ci95)
{
	e->v[0] = (double)n.bytes;
	e->v[1] = (double)n.objects;
	e->ci95[0] = ci95.bytes;
	e->ci95[1] = ci95.objects;
}

/* What is allocated inside a function's calls; of windows only the means are estimated, not these. */
static void add_op_sites(struct diff_entry **to, const struct diff *d, int side, bool types)
{
	const struct snapshot_op *op = d->opts.op[side];
	double unsure = d->s[side]->ops.known.sampled ? NAN : 0;

	for (size_t i = 0; i < op->sites_nr; i++) {
		const struct snapshot_op_site *site = &op->sites[i];
		set_counts(entry(to, side, types ? NULL : site->stack, site->type),
			   (struct snapshot_count){ site->objects, site->bytes },
			   (struct snapshot_ci95){ unsure, unsure });
	}
}

static void add_sites(struct diff_entry **to, const struct diff *d, int side)
{
	const struct snapshot *s = d->s[side];

	if (d->opts.per == DIFF_PER_OP) {
		add_op_sites(to, d, side, false);
		return;
	}
	for (size_t i = 0; i < s->sites_nr; i++)
		set_counts(entry(to, side, s->sites[i].stack, s->sites[i].type), s->sites[i].count,
			   s->sites[i].ci95);
}

static void add_types(struct diff_entry **to, const struct diff *d, int side)
{
	const struct snapshot *s = d->s[side];

	if (d->opts.per == DIFF_PER_OP) {
		add_op_sites(to, d, side, true);
		return;
	}
	for (size_t i = 0; i < s->types_nr; i++)
		set_counts(entry(to, side, NULL, s->types[i].name), s->types[i].count,
			   s->types[i].ci95);
}

static void add_heap(struct diff_entry **to, const struct diff *d, int side)
{
	const struct snapshot_heap *heap = &d->s[side]->heap;

	for (size_t i = 0; i < heap->sites_nr; i++) {
		const struct snapshot_heap_site *site = &heap->sites[i];
		set_counts(entry(to, side, site->stack, ""),
			   (struct snapshot_count){ site->counts.inuse_objects,
						    site->counts.inuse_bytes },
			   site->inuse_ci95);
	}
}

static void add_callers(struct diff_entry **to, int side, const struct snapshot_caller *callers,
			size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		entry(to, side, callers[i].stack, callers[i].what)->v[0] = (double)callers[i].ns;
}

static void add_assists(struct diff_entry **to, const struct diff *d, int side)
{
	add_callers(to, side, d->s[side]->gc.assists, d->s[side]->gc.assists_nr);
}

static void add_stops(struct diff_entry **to, const struct diff *d, int side)
{
	add_callers(to, side, d->s[side]->gc.stoppers, d->s[side]->gc.stoppers_nr);
}

/* What was counted and what windows say beside it; of a least number nobody knows how far off it is. */
static void set_calls(struct diff_entry *e, enum diff_measure m, uint64_t counted,
		      const struct snapshot_map_estimate *estimate)
{
	e->v[m - DIFF_ASSIGNS] = (double)sum_u63(counted, estimate->calls);
	e->ci95[m - DIFF_ASSIGNS] = estimate->at_least ? NAN : estimate->ci95;
}

static void add_maps(struct diff_entry **to, const struct diff *d, int side)
{
	const struct snapshot_maps *maps = &d->s[side]->maps;

	for (size_t i = 0; i < maps->sites_nr; i++) {
		const struct snapshot_map_site *site = &maps->sites[i];
		struct diff_entry *e = entry(to, side, site->stack, site->type);
		set_calls(e, DIFF_ASSIGNS, site->counts.assigns, &site->assigns);
		set_calls(e, DIFF_DELETES, site->counts.deletes, &site->deletes);
		e->v[DIFF_CLEARS - DIFF_ASSIGNS] = (double)site->counts.clears;
		e->v[DIFF_GROWTHS - DIFF_ASSIGNS] = (double)site->counts.growths;
		e->v[DIFF_RETAINED - DIFF_ASSIGNS] = (double)site->retained_bytes;
	}
}

/* Room for the entries of any table of a side. */
static size_t entries_max(const struct diff *d, int side)
{
	const struct snapshot *s = d->s[side];
	size_t op = d->opts.op[side] ? d->opts.op[side]->sites_nr : 0;

	return s->sites_nr + s->types_nr + s->heap.sites_nr + s->gc.assists_nr + s->gc.stoppers_nr +
	       s->maps.sites_nr + op;
}

static const struct table_info {
	enum diff_measure first;
	size_t measures_nr;
	void (*add)(struct diff_entry **to, const struct diff *d, int side);
} infos[DIFF_TABLES_NR] = {
	[DIFF_SITES] = { DIFF_ALLOC_SPACE, 2, add_sites },
	[DIFF_TYPES] = { DIFF_ALLOC_SPACE, 2, add_types },
	[DIFF_HEAP] = { DIFF_INUSE_SPACE, 2, add_heap },
	[DIFF_ASSISTS] = { DIFF_ASSIST, 1, add_assists },
	[DIFF_STOPS] = { DIFF_STW, 1, add_stops },
	[DIFF_MAPS] = { DIFF_ASSIGNS, DIFF_RETAINED - DIFF_ASSIGNS + 1, add_maps },
};

enum diff_table_id diff_table_of(enum diff_measure m)
{
	for (int i = 0; i < DIFF_TABLES_NR; i++)
		if (m >= infos[i].first && m < infos[i].first + infos[i].measures_nr)
			return (enum diff_table_id)i;
	return DIFF_TABLES_NR;
}

/* --- normalising ---------------------------------------------------------------------------------- */

/* What isn't of the calls that were measured happened beside all of them. */
static double all_calls(const struct snapshot_ops *ops, const struct snapshot_op *op)
{
	if (!ops->known.sampled)
		return (double)op->counts.begun;
	return op->calls_known ? (double)op->calls : 0;
}

static int set_divisors(struct diff *d)
{
	for (int side = 0; side < DIFF_SIDES; side++) {
		const struct snapshot *s = d->s[side];
		const struct snapshot_op *op = d->opts.op[side];
		double ns = (double)(s->to_mono_ns - s->from_mono_ns);

		d->divisor[side] = 1;
		if (d->opts.per == DIFF_PER_SECOND)
			d->divisor[side] = ns / NS_PER_S;
		if (d->opts.per == DIFF_PER_OP)
			d->divisor[side] = (double)op->counts.begun;
		d->process_divisor[side] = d->opts.per == DIFF_PER_OP ? all_calls(&s->ops, op)
								      : d->divisor[side];
		if (!(d->divisor[side] > 0))
			return -ENODATA;
	}
	return 0;
}

double diff_divisor(const struct diff *d, enum diff_measure m, int side)
{
	double divisor = 1;

	if (diff_measures[m].kind == DIFF_ALLOCATED)
		divisor = d->divisor[side];
	else if (diff_measures[m].kind == DIFF_FLOW)
		divisor = d->process_divisor[side];
	return divisor > 0 ? divisor : 1;
}

static void normalise(const struct diff *d, enum diff_measure m, struct diff_value *v)
{
	for (int side = 0; side < DIFF_SIDES; side++) {
		double divisor = diff_divisor(d, m, side);
		v->side[side] /= divisor;
		v->side_ci95[side] /= divisor;
	}
	diff_settle(v);
}

static bool is_estimated(const struct diff *d, enum diff_measure m, int side)
{
	const struct snapshot *s = d->s[side];

	switch (m) {
	case DIFF_ALLOC_SPACE:
	case DIFF_ALLOC_OBJECTS:
		return d->opts.per == DIFF_PER_OP ? s->ops.known.sampled : s->samples.on;
	case DIFF_INUSE_SPACE:
	case DIFF_INUSE_OBJECTS:
		return s->heap.last.rate != 1;
	case DIFF_ASSIGNS:
	case DIFF_DELETES:
		return s->maps.operations_sampled && !s->maps.every_operation;
	default:
		return false;
	}
}

static void finish_row(const struct diff *d, const struct diff_table *t, struct diff_row *row)
{
	for (size_t k = 0; k < t->measures_nr; k++) {
		enum diff_measure m = t->first + (enum diff_measure)k;
		for (int side = 0; side < DIFF_SIDES; side++)
			if (!row->places[side] && is_estimated(d, m, side))
				row->v[k].side_ci95[side] = NAN;
		normalise(d, m, &row->v[k]);
	}
}

static int make_table(struct diff *d, enum diff_table_id id)
{
	struct diff_table *t = &d->tables[id];
	_cleanup_free_ struct diff_entry *entries = calloc(
		entries_max(d, DIFF_BEFORE) + entries_max(d, DIFF_AFTER) + 1, sizeof(entries[0]));
	struct diff_entry *end = entries;

	if (!entries)
		return -ENOMEM;
	t->first = infos[id].first;
	t->measures_nr = infos[id].measures_nr;
	infos[id].add(&end, d, DIFF_BEFORE);
	infos[id].add(&end, d, DIFF_AFTER);
	int rc = diff_match(t, entries, (size_t)(end - entries), d->same_build);
	for (size_t i = 0; !rc && i < t->nr; i++)
		finish_row(d, t, &t->rows[i]);
	return rc;
}

/* --- totals --------------------------------------------------------------------------------------- */

/* The sum of a table's sites. They share their windows, so their half-widths add up. */
static void sum_rows(const struct diff *d, enum diff_measure m, int side, struct diff_value *v)
{
	const struct diff_table *t = &d->tables[diff_table_of(m)];
	double factor = diff_divisor(d, m, side);

	for (size_t i = 0; i < t->nr; i++) {
		/* A total is of what was met on that side. */
		if (!t->rows[i].places[side])
			continue;
		v->side[side] += t->rows[i].v[m - t->first].side[side] * factor;
		v->side_ci95[side] += t->rows[i].v[m - t->first].side_ci95[side] * factor;
	}
}

static void set_op_mean(const struct diff *d, enum wire_op_value value, int side,
			struct diff_value *v)
{
	const struct snapshot_op_stat *stat = &d->opts.op[side]->stats[value];

	v->side[side] = stat->mean;
	v->side_ci95[side] = stat->mean_ci95;
}

static void set_allocs(const struct diff *d, enum diff_measure m, int side, struct diff_value *v)
{
	const struct snapshot *s = d->s[side];
	const struct snapshot_op *op = d->opts.op[side];
	bool space = m == DIFF_ALLOC_SPACE;

	if (d->opts.per != DIFF_PER_OP) {
		v->side[side] = (double)(space ? s->total.bytes : s->total.objects);
	} else if (!s->ops.known.sampled) {
		v->side[side] = (double)(space ? op->bytes : op->objects);
	} else {
		/* The mean of those that ended; the caller divides by those that began. */
		set_op_mean(d, space ? WIRE_OP_BYTES : WIRE_OP_OBJECTS, side, v);
		v->side[side] *= d->divisor[side];
		v->side_ci95[side] *= d->divisor[side];
	}
}

static void set_heap(const struct diff *d, enum diff_measure m, int side, struct diff_value *v)
{
	const struct snapshot_heap *heap = &d->s[side]->heap;
	bool space = m == DIFF_INUSE_SPACE;

	v->side[side] = (double)(space ? heap->total.inuse_bytes : heap->total.inuse_objects);
	v->side_ci95[side] = space ? heap->inuse_ci95.bytes : heap->inuse_ci95.objects;
}

static void set_side(const struct diff *d, enum diff_measure m, int side, struct diff_value *v)
{
	const struct snapshot_gc *gc = &d->s[side]->gc;

	switch (m) {
	case DIFF_ALLOC_SPACE:
	case DIFF_ALLOC_OBJECTS:
		set_allocs(d, m, side, v);
		break;
	case DIFF_INUSE_SPACE:
	case DIFF_INUSE_OBJECTS:
		set_heap(d, m, side, v);
		break;
	case DIFF_CYCLES:
		v->side[side] = (double)sum_u63(gc->cycles_total, gc->unseen_cycles);
		break;
	case DIFF_PAUSE:
		v->side[side] = (double)sum_u63(gc->pauses.total_ns, gc->unseen_pause_ns);
		break;
	case DIFF_OP_TIME:
		set_op_mean(d, WIRE_OP_NS, side, v);
		break;
	default:
		sum_rows(d, m, side, v);
	}
}

static void make_total(struct diff *d, enum diff_measure m)
{
	struct diff_value *v = &d->total[m].v;

	judge_known(d, m);
	if (!d->total[m].known)
		return;
	for (int side = 0; side < DIFF_SIDES; side++)
		set_side(d, m, side, v);
	normalise(d, m, v);
}

/* --- all ------------------------------------------------------------------------------------------ */

static int row_cmp(const void *a, const void *b, void *by)
{
	const struct diff_row *x = *(const struct diff_row *const *)a;
	const struct diff_row *y = *(const struct diff_row *const *)b;
	size_t i = *(size_t *)by;
	double dx = fabs(x->v[i].change), dy = fabs(y->v[i].change);

	if (dx != dy)
		return dx < dy ? 1 : -1;
	return (x > y) - (x < y);
}

const struct diff_row **diff_order(const struct diff_table *t, enum diff_measure by)
{
	const struct diff_row **rows = calloc(t->nr + 1, sizeof(rows[0]));
	size_t i = by - t->first;

	for (size_t k = 0; rows && k < t->nr; k++)
		rows[k] = &t->rows[k];
	if (rows)
		qsort_r(rows, t->nr, sizeof(rows[0]), row_cmp, &i);
	return rows;
}

static int build(struct diff *d)
{
	const char *ids[] = { d->s[0]->meta.build_id, d->s[1]->meta.build_id };
	int rc = set_divisors(d);

	d->same_build = *ids[0] && !strcmp(ids[0], ids[1]);
	for (int i = 0; !rc && i < DIFF_TABLES_NR; i++)
		rc = make_table(d, (enum diff_table_id)i);
	for (int m = 0; !rc && m < DIFF_MEASURES_NR; m++)
		make_total(d, (enum diff_measure)m);
	return rc;
}

int diff_new(const struct snapshot *before, const struct snapshot *after,
	     const struct diff_opts *opts, struct diff **ret)
{
	struct diff *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->s[DIFF_BEFORE] = before;
	d->s[DIFF_AFTER] = after;
	d->opts = *opts;
	int rc = build(d);
	if (rc) {
		diff_free(d);
		return rc;
	}
	*ret = d;
	return 0;
}

void diff_free(struct diff *d)
{
	for (int i = 0; d && i < DIFF_TABLES_NR; i++)
		free(d->tables[i].rows);
	free(d);
}
