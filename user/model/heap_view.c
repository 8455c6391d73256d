/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/heap_view.h"

#include <math.h>
#include <string.h>

#include "base/u64.h"
#include "estimate/estimate.h"
#include "model/heap_tables.h"
#include "model/shown.h"

static bool is_nothing(const struct heap_row *row)
{
	static const struct model_heap_counts nothing;

	return !memcmp(&row->now, &nothing, sizeof(nothing)) &&
	       !memcmp(&row->first, &nothing, sizeof(nothing));
}

void heap_view_use_stacks(const struct model *m, uint8_t *uses)
{
	for (size_t i = 0; i < m->heap->sites.nr; i++)
		if (!is_nothing(m->heap->sites.rows[i]))
			uses[m->heap->sites.rows[i]->stack] |= SHOWN_SITE;
}

static void counts_add(struct model_heap_counts *to, const struct model_heap_counts *n)
{
	uint64_t *sum = heap_counts_v(to);
	const uint64_t *v = heap_counts_cv(n);

	for (size_t i = 0; i < HEAP_COUNTS_NR; i++)
		sum[i] = sum_u63(sum[i], v[i]);
}

/* Both are below 2^63. */
static int64_t growth(uint64_t now, uint64_t first)
{
	return (int64_t)now - (int64_t)first;
}

/* --- how sure that is --------------------------------------------------------------------------- */

/* Variances, of objects and bytes. */
struct spread {
	double objects, bytes;
};

/*
 * An object of size s is in the profile with probability p = 1 - exp(-s / rate), whatever happens to the others, and stands
 * for 1/p of its kind. So what n samples stand for has a variance of about n (1 - p) / p^2. A stack's samples weigh the same
 * but where it has several sizes: then what all of them ever seen weigh on average is taken.
 */
static struct spread spread_of(const struct model_heap_counts *n, double samples, uint64_t rate)
{
	double all = (double)n->alloc_samples, objects = (double)n->alloc_objects,
	       bytes = (double)n->alloc_bytes;

	if (rate <= 1 || !all || !objects)
		return (struct spread){ 0 };
	double missed = exp(-bytes / objects / (double)rate);

	return (struct spread){ samples * missed * objects / all * (objects / all),
				samples * missed * bytes / all * (bytes / all) };
}

/*
 * Growth is what has come since, less what has gone: what stayed is the same samples in both and no noise. Those that have
 * come and those that have gone are no more than were allocated and freed in between, nor than there are now and were then;
 * of a leak that is what it has grown by.
 */
static double samples_changed(const struct snapshot_heap_site *site)
{
	const struct model_heap_counts *now = &site->counts, *then = &site->first;
	double held = (double)now->inuse_samples + (double)then->inuse_samples;
	double allocs = (double)now->alloc_samples - (double)then->alloc_samples;
	double frees = allocs + (double)then->inuse_samples - (double)now->inuse_samples;

	/* Of another list than before, after an exec or a contradiction: anything may have changed. */
	if (allocs < 0 || frees < 0)
		return held;
	return fmin(held, allocs + frees);
}

static void spread_add(struct spread *sum, struct spread s, struct snapshot_ci95 *ret)
{
	sum->objects += s.objects;
	sum->bytes += s.bytes;
	ret->objects = estimate_half_width(s.objects, 0, 0);
	ret->bytes = estimate_half_width(s.bytes, 0, 0);
}

static void add_intervals(struct snapshot_heap *view)
{
	struct spread inuse = { 0 }, grown = { 0 };
	/* What older samples stand for isn't told by a rate that has changed since. */
	bool told = view->first.rate == view->last.rate;
	static const struct snapshot_ci95 unknown = { NAN, NAN };

	for (size_t i = 0; i < view->sites_nr; i++) {
		struct snapshot_heap_site *site = &view->sites[i];
		spread_add(&inuse,
			   spread_of(&site->counts, (double)site->counts.inuse_samples,
				     view->last.rate),
			   &site->inuse_ci95);
		spread_add(&grown, spread_of(&site->counts, samples_changed(site), view->last.rate),
			   &site->grown_ci95);
		if (!told)
			site->grown_ci95 = unknown;
	}
	spread_add(&(struct spread){ 0 }, inuse, &view->inuse_ci95);
	spread_add(&(struct spread){ 0 }, grown, &view->grown_ci95);
	if (!told)
		view->grown_ci95 = unknown;
}

/* --- sites -------------------------------------------------------------------------------------- */

struct pick {
	const struct heap_row *row;
	const struct snapshot_stack *stack;
};

static int pick_cmp(const void *a, const void *b)
{
	const struct pick *x = a, *y = b;

	return (x->stack > y->stack) - (x->stack < y->stack);
}

static void merge(struct snapshot_heap *view, const struct pick *picks, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (i == 0 || picks[i - 1].stack != picks[i].stack)
			view->sites[view->sites_nr++].stack = picks[i].stack;
		struct snapshot_heap_site *site = &view->sites[view->sites_nr - 1];
		counts_add(&site->counts, &picks[i].row->now);
		counts_add(&site->first, &picks[i].row->first);
		counts_add(&view->total, &picks[i].row->now);
		counts_add(&view->first_total, &picks[i].row->first);
	}
	for (size_t i = 0; i < view->sites_nr; i++) {
		struct snapshot_heap_site *site = &view->sites[i];
		site->grown_objects = growth(site->counts.inuse_objects, site->first.inuse_objects);
		site->grown_bytes = growth(site->counts.inuse_bytes, site->first.inuse_bytes);
	}
	view->grown_objects = growth(view->total.inuse_objects, view->first_total.inuse_objects);
	view->grown_bytes = growth(view->total.inuse_bytes, view->first_total.inuse_bytes);
}

uint64_t snapshot_heap_value(const struct snapshot_heap_site *site, enum snapshot_value value)
{
	switch (value) {
	case SNAPSHOT_INUSE_OBJECTS:
		return site->counts.inuse_objects;
	case SNAPSHOT_ALLOC_BYTES:
		return site->counts.alloc_bytes;
	case SNAPSHOT_ALLOC_OBJECTS:
		return site->counts.alloc_objects;
	default:
		return site->counts.inuse_bytes;
	}
}

static int site_cmp(const void *a, const void *b, void *by)
{
	const struct snapshot_heap_site *x = a, *y = b;
	enum snapshot_value value = *(enum snapshot_value *)by;
	int d = cmp_u64(snapshot_heap_value(y, value), snapshot_heap_value(x, value));

	if (!d)
		d = cmp_u64(y->counts.inuse_bytes, x->counts.inuse_bytes);
	if (!d)
		d = cmp_u64(y->counts.alloc_bytes, x->counts.alloc_bytes);
	return d ? d : shown_stack_cmp(x->stack, y->stack);
}

static int grown_cmp(const void *a, const void *b)
{
	const struct snapshot_heap_site *x = *(const struct snapshot_heap_site *const *)a;
	const struct snapshot_heap_site *y = *(const struct snapshot_heap_site *const *)b;
	int d = (y->grown_bytes > x->grown_bytes) - (y->grown_bytes < x->grown_bytes);

	/* They are in the order of site_cmp(): the same again where nothing tells them apart. */
	return d ? d : (x > y) - (x < y);
}

int heap_view_init(struct snapshot_heap *view, const struct model *m, const struct shown *sh,
		   const struct snapshot_opts *opts)
{
	const struct model_heap *heap = m->heap;
	enum snapshot_value by = opts->sort;
	size_t nr = 0;

	view->asked = heap->asked;
	view->known = heap->looks_nr && !heap->why_not[0];
	view->looks = heap->looks_nr;
	view->first = heap->first;
	view->last = heap->last;
	memcpy(view->why_not, heap->why_not, sizeof(view->why_not));
	if (!view->why_not[0] && !view->known)
		strcpy(view->why_not, "it was not looked at");
	if (!view->known)
		return 0;
	_cleanup_free_ struct pick *picks = calloc(heap->sites.nr + 1, sizeof(picks[0]));
	view->sites = calloc(heap->sites.nr + 1, sizeof(view->sites[0]));
	view->grown = calloc(heap->sites.nr + 1, sizeof(view->grown[0]));
	if (!picks || !view->sites || !view->grown)
		return -ENOMEM;
	for (size_t i = 0; i < heap->sites.nr; i++) {
		const struct heap_row *row = heap->sites.rows[i];
		if (!is_nothing(row))
			picks[nr++] = (struct pick){ row, &sh->stacks[sh->stack_of[row->stack]] };
	}
	qsort(picks, nr, sizeof(picks[0]), pick_cmp);
	merge(view, picks, nr);
	add_intervals(view);
	qsort_r(view->sites, view->sites_nr, sizeof(view->sites[0]), site_cmp, &by);
	for (size_t i = 0; i < view->sites_nr; i++)
		view->grown[i] = &view->sites[i];
	qsort(view->grown, view->sites_nr, sizeof(view->grown[0]), grown_cmp);
	return 0;
}

void heap_view_deinit(struct snapshot_heap *view)
{
	free(view->sites);
	free(view->grown);
}
