/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the model's rings and sums to what is shown of them.
 *
 * Percentiles are taken from the single pauses (nearest rank) where the lengths of all of them are
 * still there, and from their histogram only where there were too many to be kept.
 */
#include "model/gc_view.h"

#include <string.h>

#include "base/u64.h"
#include "model/gc_tables.h"
#include "gobin/goname.h"
#include "model/shown.h"

static const struct snapshot_frame unknown_frame = { .func = "[unknown]", .file = "" };
static const struct snapshot_frame *const unknown_frames[] = { &unknown_frame };
static const struct snapshot_stack unknown_stack = { .frames = unknown_frames, .frames_nr = 1 };

enum { GO_ADDRESS_BITS = 48 }; /* of a heap: Go 1.26 runtime/malloc.go, heapAddrBits */

static void use(uint8_t *used, uint32_t stack)
{
	if (stack != MODEL_NO_STACK)
		used[stack] |= SHOWN_GC;
}

static struct gc_caller_count count_of(const struct gc_caller *caller, bool interval)
{
	return interval ? gc_caller_delta(caller) : caller->now;
}

static void use_callers(const struct gc_callers *table, bool interval, uint8_t *used)
{
	for (size_t i = 0; i < table->nr; i++) {
		if (count_of(table->rows[i], interval).count)
			use(used, table->rows[i]->key.stack);
	}
}

void gc_view_use_stacks(const struct model *m, bool interval, uint8_t *used)
{
	/* Whoever is in a ring is in its table, too, but for what a full table has no room for. */
	const struct model_gc *gc = m->gc;

	use_callers(&gc->stoppers, interval, used);
	use_callers(&gc->starters, interval, used);
	use_callers(&gc->assists, interval, used);
	for (uint64_t n = gc_first(gc->stops.seq, interval ? gc->stops.interval_seq : 0);
	     n < gc->stops.seq; n++)
		use(used, gc_ring_row(gc->stops, n)->stack);
	for (uint64_t n = gc_first(gc->cycles.seq, interval ? gc->cycles.interval_seq : 0);
	     n < gc->cycles.seq; n++)
		use(used, gc_ring_row(gc->cycles, n)->cycle.stack);
}

static const struct snapshot_stack *stack_of(const struct shown *sh, uint32_t stack)
{
	return stack == MODEL_NO_STACK ? NULL : &sh->stacks[sh->gc_stack_of[stack]];
}

static int copy_stops(struct snapshot_gc *view, const struct model_gc *gc, const struct shown *sh,
		      bool interval)
{
	uint64_t first = gc_first(gc->stops.seq, interval ? gc->stops.interval_seq : 0);

	view->stops = calloc(gc->stops.seq - first + 1, sizeof(view->stops[0]));
	if (!view->stops)
		return -ENOMEM;
	for (uint64_t n = first; n < gc->stops.seq; n++) {
		const struct model_stop *raw = gc_ring_row(gc->stops, n);
		view->stops[view->stops_nr++] = (struct snapshot_stop){
			.raw = *raw,
			.stack = stack_of(sh, raw->stack),
			.reason = model_stop_reason(raw->reason),
			.pause_ns = raw->end_ns - raw->start_ns,
		};
	}
	return 0;
}

static int copy_cycles(struct snapshot_gc *view, const struct model_gc *gc, const struct shown *sh,
		       bool interval)
{
	uint64_t first = gc_first(gc->cycles.seq, interval ? gc->cycles.interval_seq : 0);

	view->cycles = calloc(gc->cycles.seq - first + 1, sizeof(view->cycles[0]));
	if (!view->cycles)
		return -ENOMEM;
	for (uint64_t n = first; n < gc->cycles.seq; n++) {
		const struct gc_cycle_row *row = gc_ring_row(gc->cycles, n);
		view->cycles[view->cycles_nr++] = (struct snapshot_cycle){
			.raw = row->cycle,
			.stack = stack_of(sh, row->cycle.stack),
			.trigger = model_trigger(row->cycle.trigger),
			.mark_ns = row->cycle.mark_end_ns - row->cycle.mark_start_ns,
			.pause_ns = row->cycle.runtime_known || row->cycle.start_ns
					    ? gc_cycle_pauses(&row->cycle)
					    : 0,
			.told_ns = row->told_ns,
		};
	}
	return 0;
}

/* Pauses of one reason, or all of the GC's, and the lengths of as many of them as are kept. */
struct group {
	struct gc_pauses p;
	uint64_t *ns;
	size_t nr, cap;
};

static void group_deinit(struct group *g)
{
	free(g->ns);
}

/*
 * The rank-th shortest, from 0; the order is changed. What is alike in all higher bits is parted by
 * the next, so it takes about three times as long as reading them all, whatever their order is:
 * sorting a million takes too long for a view that is drawn every second.
 */
static uint64_t select_rank(uint64_t *v, size_t nr, size_t rank, uint64_t max)
{
	for (uint64_t bit = UINT64_C(1) << 63; bit; bit >>= 1) {
		size_t zeros = 0;

		if (bit > max)
			continue;
		for (size_t i = 0; i < nr; i++) {
			if (v[i] & bit)
				continue;
			uint64_t moved = v[i];
			v[i] = v[zeros];
			v[zeros++] = moved;
		}
		if (rank < zeros) {
			nr = zeros;
		} else {
			v += zeros;
			nr -= zeros;
			rank -= zeros;
		}
	}
	return v[0];
}

static uint64_t percentile(const struct group *g, unsigned int percent)
{
	const struct gc_pauses *p = &g->p;
	uint64_t rank = nearest_rank(p->count, percent);

	if (g->nr == p->count)
		return select_rank(g->ns, g->nr, rank - 1, p->max_ns);
	return min_u64(histogram_rank(&p->lengths, rank), p->max_ns);
}

static struct snapshot_pauses view_pauses(const struct group *g)
{
	const struct gc_pauses *p = &g->p;
	struct snapshot_pauses view = {
		.count = p->count,
		.total_ns = p->total_ns,
		.max_ns = p->max_ns,
		.stopping_nr = p->stopping_nr,
		.stopping_ns = p->stopping_ns,
	};

	if (!p->count)
		return view;
	view.estimated = g->nr != p->count;
	view.avg_ns = p->total_ns / p->count;
	view.p50_ns = percentile(g, 50);
	view.p90_ns = percentile(g, 90);
	view.p99_ns = percentile(g, 99);
	return view;
}

static void merge_pauses(struct gc_pauses *to, const struct gc_pauses *p)
{
	to->count += p->count;
	to->total_ns = sum_u63(to->total_ns, p->total_ns);
	to->stopping_nr += p->stopping_nr;
	to->stopping_ns = sum_u63(to->stopping_ns, p->stopping_ns);
	if (p->max_ns > to->max_ns)
		to->max_ns = p->max_ns;
	histogram_merge(&to->lengths, &p->lengths);
}

/* The latest of a reason's stops become part of a group. */
static int add_to_group(struct group *g, const struct gc_reason *r, const struct gc_pauses *p)
{
	uint64_t kept = min_u64(p->count, MODEL_PAUSES_MAX);

	merge_pauses(&g->p, p);
	for (uint64_t n = r->all.count - kept; n < r->all.count; n++) {
		int rc = grow(&g->ns, g->nr, &g->cap, sizeof(g->ns[0]));
		if (rc)
			return rc;
		g->ns[g->nr++] = r->lengths[n % MODEL_PAUSES_MAX];
	}
	return 0;
}

/* Powers of two from the shortest to the longest pause. */
static int fill_buckets(struct snapshot_gc *view, const struct gc_pauses *p)
{
	view->buckets = calloc(HISTOGRAM_BITS, sizeof(view->buckets[0]));
	if (!view->buckets)
		return -ENOMEM;
	uint64_t left = p->count;
	for (unsigned int bits = 0; bits < HISTOGRAM_BITS && left; bits++) {
		uint64_t count = histogram_octave(&p->lengths, bits);
		if (!count && !view->buckets_nr)
			continue;
		view->buckets[view->buckets_nr++] = (struct snapshot_bucket){
			.from_ns = bits ? UINT64_C(1) << bits : 0,
			.to_ns = UINT64_C(2) << bits,
			.count = count,
		};
		left -= count;
	}
	return 0;
}

static int reason_cmp(const void *a, const void *b)
{
	const struct snapshot_reason *x = a, *y = b;
	int d = (int)y->gc - (int)x->gc;

	if (!d)
		d = cmp_u64(y->pauses.total_ns, x->pauses.total_ns);
	return d ? d : strcmp(x->name, y->name);
}

static void view_reason(struct snapshot_gc *view, const struct group *g, uint32_t reason, bool gc)
{
	view->stops_total += g->p.count;
	view->stopped_ns = sum_u63(view->stopped_ns, g->p.total_ns);
	view->reasons[view->reasons_nr++] = (struct snapshot_reason){
		.pauses = view_pauses(g),
		.name = model_stop_reason(reason),
		.gc = gc,
	};
}

static int view_reasons(struct snapshot_gc *view, const struct model_gc *gc, bool interval)
{
	_cleanup_(group_deinit) struct group of_gc = { 0 }, one = { 0 };
	int rc = 0;

	view->reasons = calloc(2 * MODEL_STOP_REASONS, sizeof(view->reasons[0]));
	if (!view->reasons)
		return -ENOMEM;
	for (uint32_t i = 0; !rc && i < 2 * MODEL_STOP_REASONS; i++) {
		uint32_t reason = i % MODEL_STOP_REASONS;
		bool is_gc = i >= MODEL_STOP_REASONS;
		const struct gc_reason *r = gc->reasons[is_gc][reason];
		const struct gc_pauses *p = r && interval ? &r->interval : r ? &r->all : NULL;
		if (!p || !p->count)
			continue;
		one.p = (struct gc_pauses){ 0 };
		one.nr = 0;
		rc = add_to_group(&one, r, p);
		if (!rc && is_gc)
			rc = add_to_group(&of_gc, r, p);
		if (!rc)
			view_reason(view, &one, reason, is_gc);
	}
	if (rc)
		return rc;
	qsort(view->reasons, view->reasons_nr, sizeof(view->reasons[0]), reason_cmp);
	view->pauses = view_pauses(&of_gc);
	return fill_buckets(view, &of_gc.p);
}

/* By stack, so that those that look the same are next to each other. */
static int caller_stack_cmp(const void *a, const void *b)
{
	const struct snapshot_caller *x = a, *y = b;
	int d = cmp_u64((uintptr_t)x->stack, (uintptr_t)y->stack);

	if (!d)
		d = (int)x->gc - (int)y->gc;
	return d ? d : strcmp(x->what, y->what);
}

static int caller_cmp(const void *a, const void *b, void *by_count)
{
	const struct snapshot_caller *x = a, *y = b;
	int d = *(bool *)by_count ? cmp_u64(y->count, x->count) : 0;

	if (!d)
		d = cmp_u64(y->ns, x->ns);
	if (!d)
		d = cmp_u64(y->count, x->count);
	if (!d)
		d = shown_stack_cmp(x->stack, y->stack);
	if (!d)
		d = (int)x->gc - (int)y->gc;
	return d ? d : strcmp(x->what, y->what);
}

/* Neighbours for which cmp says 0 become the first of them. */
static size_t merge_callers(struct snapshot_caller *v, size_t nr,
			    int (*cmp)(const void *a, const void *b))
{
	size_t merged = 0;

	for (size_t i = 0; i < nr; i++) {
		if (merged && cmp(&v[merged - 1], &v[i]) == 0) {
			v[merged - 1].count = sum_u63(v[merged - 1].count, v[i].count);
			v[merged - 1].ns = sum_u63(v[merged - 1].ns, v[i].ns);
		} else {
			v[merged++] = v[i];
		}
	}
	return merged;
}

/* One of the three tables, and what its rows mean. */
enum callers_of { CALLERS_STOPS, CALLERS_CYCLES, CALLERS_ASSISTS };

static struct snapshot_caller view_caller(const struct shown *sh, const struct gc_caller *row,
					  enum callers_of of)
{
	const struct snapshot_stack *stack = stack_of(sh, row->key.stack);
	struct snapshot_caller caller = { .stack = stack ? stack : &unknown_stack, .what = "" };

	if (of == CALLERS_STOPS) {
		caller.what = model_stop_reason(GC_WHAT_REASON(row->key.what));
		caller.gc = GC_WHAT_IS_GC(row->key.what);
	} else if (of == CALLERS_CYCLES) {
		caller.what = model_trigger((enum model_trigger)row->key.what);
	}
	return caller;
}

static bool is_wanted(const struct gc_caller *row, enum callers_of of)
{
	return of != CALLERS_CYCLES || gc_trigger_is_forced(row->key.what);
}

struct callers {
	const struct gc_callers *table;
	enum callers_of of;
	struct snapshot_caller **v_ret;
	size_t *nr_ret;
};

static int view_callers(const struct callers *c, const struct shown *sh, bool interval)
{
	struct snapshot_caller *v = calloc(c->table->nr + 1, sizeof(v[0]));
	size_t nr = 0;

	*c->v_ret = v;
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < c->table->nr; i++) {
		const struct gc_caller *row = c->table->rows[i];
		struct gc_caller_count n = count_of(row, interval);
		if (!n.count || !is_wanted(row, c->of))
			continue;
		v[nr] = view_caller(sh, row, c->of);
		v[nr].count = n.count;
		v[nr++].ns = n.ns;
	}
	qsort(v, nr, sizeof(v[0]), caller_stack_cmp);
	nr = merge_callers(v, nr, caller_stack_cmp);
	bool by_count = c->of == CALLERS_CYCLES;
	qsort_r(v, nr, sizeof(v[0]), caller_cmp, &by_count);
	*c->nr_ret = nr;
	return 0;
}

static int view_tables(struct snapshot_gc *view, const struct model_gc *gc, const struct shown *sh,
		       bool interval)
{
	const struct callers tables[] = {
		{ &gc->stoppers, CALLERS_STOPS, &view->stoppers, &view->stoppers_nr },
		{ &gc->starters, CALLERS_CYCLES, &view->forced, &view->forced_nr },
		{ &gc->assists, CALLERS_ASSISTS, &view->assists, &view->assists_nr },
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(tables) / sizeof(tables[0]); i++)
		rc = view_callers(&tables[i], sh, interval);
	for (size_t i = 0; !rc && i < view->assists_nr; i++) {
		view->assists_total = sum_u63(view->assists_total, view->assists[i].count);
		view->assist_ns = sum_u63(view->assist_ns, view->assists[i].ns);
	}
	return rc;
}

static void view_sums(struct snapshot_gc *view, const struct gc_cycle_sums *sums)
{
	view->cycles_total = sums->count;
	view->forced_total = sums->forced;
	view->runtime_unknown = sums->runtime_unknown;
	view->mark_ns = sums->mark_ns;
	view->cycles_assist_ns = sums->assist_ns;
	view->dedicated_ns = sums->dedicated_ns;
	view->fractional_ns = sums->fractional_ns;
	view->idle_ns = sums->idle_ns;
}

/* Cycles that no probe saw: of all the time, as of a part the runtime's numbers aren't kept. */
static void view_unseen(struct snapshot_gc *view, const struct model_gc_check *c)
{
	if (!c->known || !c->off_ns)
		return;
	if (c->runtime_cycles > view->cycles_total)
		view->unseen_cycles = min_u64(c->runtime_cycles, INT64_MAX) - view->cycles_total;
	if (c->runtime_pause_ns > view->pauses.total_ns)
		view->unseen_pause_ns = min_u64(c->runtime_pause_ns, INT64_MAX) -
					view->pauses.total_ns;
}

int gc_view_init(struct snapshot_gc *view, const struct model *m, const struct shown *sh,
		 bool interval)
{
	const struct model_gc *gc = m->gc;

	*view = (struct snapshot_gc){ .check = gc->check };
	view->off_ns = gc->check.off_ns;
	if (interval)
		view->off_ns -= min_u64(view->off_ns, gc->interval_off_ns);
	view_sums(view, interval ? &gc->interval_sums : &gc->sums);
	int rc = copy_stops(view, gc, sh, interval);
	if (!rc)
		rc = copy_cycles(view, gc, sh, interval);
	if (!rc)
		rc = view_reasons(view, gc, interval);
	if (!rc)
		rc = view_tables(view, gc, sh, interval);
	if (!interval)
		view_unseen(view, &gc->check);
	return rc;
}

void gc_view_deinit(struct snapshot_gc *view)
{
	free(view->stops);
	free(view->cycles);
	free(view->reasons);
	free(view->buckets);
	free(view->stoppers);
	free(view->forced);
	free(view->assists);
}

bool snapshot_gc_any(const struct snapshot_gc *gc)
{
	return gc->stops_total || gc->cycles_total || gc->unseen_cycles || gc->assists_total;
}

bool snapshot_has_goal(uint64_t goal)
{
	/* Without a memory limit the goal is a little less than 2^63: runtime/mgcpacer.go. */
	return goal && goal < UINT64_C(1) << GO_ADDRESS_BITS;
}

const struct snapshot_frame *snapshot_requester(const struct snapshot_stack *stack)
{
	for (size_t i = 0; i < stack->frames_nr; i++) {
		if (goname_of(stack->frames[i]->func) == GONAME_OTHER)
			return stack->frames[i];
	}
	return stack->frames[0];
}

/* Frames of a snapshot are unique, so the same one is the same pointer. */
static int requester_cmp(const void *a, const void *b)
{
	const struct snapshot_caller *x = a, *y = b;
	int d = cmp_u64((uintptr_t)snapshot_requester(x->stack),
			(uintptr_t)snapshot_requester(y->stack));

	if (!d)
		d = (int)x->gc - (int)y->gc;
	return d ? d : strcmp(x->what, y->what);
}

/* The same, and then in an order that does not depend on where anything is in memory. */
static int requester_order(const void *a, const void *b)
{
	bool by_count = false;
	int d = requester_cmp(a, b);

	return d ? d : caller_cmp(a, b, &by_count);
}

struct snapshot_caller *snapshot_by_requester(const struct snapshot_caller *callers, size_t nr,
					      bool by_count, size_t *nr_ret)
{
	struct snapshot_caller *v = calloc(nr + 1, sizeof(v[0]));

	if (!v)
		return NULL;
	if (nr)
		memcpy(v, callers, nr * sizeof(v[0]));
	qsort(v, nr, sizeof(v[0]), requester_order);
	*nr_ret = merge_callers(v, nr, requester_cmp);
	qsort_r(v, *nr_ret, sizeof(v[0]), caller_cmp, &by_count);
	return v;
}
