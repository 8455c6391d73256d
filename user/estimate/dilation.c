/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much slower a stage makes a root. In the first stage the gap between two refills of a goroutine has one hit in
 * it, and what is left of the gap is how long it would be without. What a hit costs there isn't quite what was measured
 * elsewhere, by another probe; but the runtime counts all objects, and refills, undilated, must come to as many: that
 * tells the cost again, the better the more it matters. In the second stage the rate of hits is held against that of
 * the refills.
 */
#include "estimate/dilation.h"

#include <math.h>

#include "base/f64.h"
#include "gobin/layout.h"

/* How far off the measured cost of a hit may be, as a standard deviation. */
#define HIT_ERROR 0.125
/* How far costs of roots may be apart: caches, and the time that collecting takes from one and not from another. */
#define HIT_APART 0.03
/* Costs that are looked for are up to as many times the measured one. */
#define HIT_TIMES_MAX 3.0
/* The spans of counting objects and of windows are not quite the same. */
#define RATE_ERROR_MIN 0.01
/* A sum of gaps longer than this didn't happen. */
#define GAPS_MAX_S 1e4

enum {
	/* Fewer refills tell a rate worse than the hits of the second stage do. */
	REFILLS_MIN = 5,
	/* Dilations beyond are noise: hits take all of the time but a sliver, whose size isn't known. */
	REFILL_DILATION_MAX = 30,
	EXACT_DILATION_MAX = 1000,
	BISECTIONS = 40,
};

/* Pages of a span, by class: runtime/sizeclasses.go class_to_allocnpages, the same in Go 1.19 to 1.27. */
static const uint8_t span_pages[GO_NUM_SIZE_CLASSES] = {
	0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 2, 1, 2, 1, 3, 2,  3, 1, 3,
	2, 3, 4, 5, 6, 1, 7, 6, 5, 4, 3, 5, 7, 2, 9, 7, 5, 8, 3, 10, 7, 4,
};

/* The most that one refill can have used up. Tiny objects come with the refills of their blocks. */
static double span_objects(uint32_t size_class)
{
	if (size_class == ESTIMATE_CLASS_TINY)
		return (double)GO_PAGE_SIZE / GO_TINY_SIZE;
	if (size_class == ESTIMATE_CLASS_LARGE || size_class >= GO_NUM_SIZE_CLASSES)
		return 1;
	return floor((double)span_pages[size_class] * GO_PAGE_SIZE / go_class_to_size[size_class]);
}

bool pair_is_refilled(const struct units *u, const struct pair *p)
{
	return !u->two_stage || p->refills >= REFILLS_MIN;
}

/* --- sums -------------------------------------------------------------------------------------- */

static void add_gaps(struct units *u, const struct estimate_unit *from)
{
	for (size_t i = 0; i < from->gaps_nr; i++) {
		const struct estimate_gaps *g = &from->gaps[i];
		struct root *root = units_root(u, g->root);
		if (!root || !isfinite(g->sum_s) || g->sum_s < 0 || g->sum_s > GAPS_MAX_S)
			continue;
		root->gaps_s += g->sum_s;
		root->gaps_nr += g->nr;
	}
}

static void sum_pair(struct units *u, struct pair *p, bool counted)
{
	struct root *root = &u->roots[p->root];
	double used = 0;

	for (size_t i = p->first; i < p->first + p->nr; i++) {
		const struct observation *o = &u->observations[i];
		struct unit *unit = &u->units[o->unit];
		if (o->site == UNITS_NO_SITE) {
			double refilled = unit->slot_s * o->objects / unit->refill_s;
			used += o->objects;
			p->refilled += refilled;
			unit->refilled += counted ? refilled : 0;
		} else {
			p->hits += o->objects;
			p->seen += unit->slot_s * o->objects / unit->kept_s;
		}
	}
	p->refills = used / span_objects(p->size_class);
	/* Bytes are of objects that another pair has. */
	if (p->size_class == ESTIMATE_LARGE_BYTES)
		return;
	root->hits += p->hits;
	root->counted += counted ? p->refilled : 0;
	if (u->two_stage && pair_is_refilled(u, p)) {
		root->refilled += p->refilled;
		root->seen += p->seen;
		root->refills += p->refills;
	}
}

/* --- the first stage --------------------------------------------------------------------------- */

static double dilation_by(const struct root *root, double hit_s)
{
	double left = root->gaps_s - root->gaps_nr * hit_s;

	if (root->gaps_s <= 0)
		return 1;
	return left * REFILL_DILATION_MAX > root->gaps_s ? root->gaps_s / left
							 : REFILL_DILATION_MAX;
}

/* Objects that were refilled, undilated, per second. Grows with the cost of a hit. */
static double rate_by(const struct units *u, double hit_s)
{
	double sum = 0;

	for (size_t i = 0; i < u->roots_nr; i++)
		sum += u->roots[i].counted * dilation_by(&u->roots[i], hit_s);
	return sum / u->refill_slots_s;
}

static double hit_by(const struct units *u, double rate)
{
	double low = 0, high = HIT_TIMES_MAX * u->hit_s;

	for (int i = 0; i < BISECTIONS; i++) {
		double middle = (low + high) / 2;
		if (rate_by(u, middle) < rate)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

/* Of the rate, by how much units differ: relative. */
static double rate_error(const struct units *u)
{
	double sum = 0, squares = 0, nr = 0;

	for (size_t i = 0; i < u->units_nr; i++)
		sum += u->units[i].refilled;
	for (size_t i = 0; i < u->units_nr; i++) {
		const struct unit *unit = &u->units[i];
		if (unit->refill_s <= 0)
			continue;
		double d = unit->refilled - sum * unit->slot_s / u->refill_slots_s;
		squares += d * d;
		nr++;
	}
	if (nr < ESTIMATE_UNITS_MIN || sum <= 0)
		return INFINITY;
	return fmax(sqrt(squares * nr / (nr - 1)) / sum, RATE_ERROR_MIN);
}

/* The mean of what was measured and what totals tell, by their variances; error_ret: its standard deviation. */
static double refill_hit(const struct units *u, double rate, double *error_ret)
{
	const double prior = HIT_ERROR * u->hit_s;
	double error = rate_error(u);

	*error_ret = prior;
	if (error >= 1 || rate <= 0 || u->hit_s <= 0)
		return u->hit_s;
	double least = hit_by(u, rate * (1 - error)), most = hit_by(u, rate * (1 + error));
	/* At an end of where it was looked for: totals don't tell, or don't fit. */
	if (least < 0.01 * u->hit_s || most > 0.99 * HIT_TIMES_MAX * u->hit_s || most <= least)
		return u->hit_s;
	double sd = (most - least) / 2;
	double weight = prior * prior / (prior * prior + sd * sd);
	*error_ret = prior * sd / sqrt(prior * prior + sd * sd);
	return (1 - weight) * u->hit_s + weight * hit_by(u, rate);
}

static void dilate_refills(struct units *u, double rate)
{
	double error, hit_s = refill_hit(u, rate, &error);

	for (size_t i = 0; i < u->roots_nr; i++) {
		struct root *root = &u->roots[i];
		root->refill_dilation = dilation_by(root, hit_s);
		root->refill_error = dilation_by(root, hit_s + 2 * error) / root->refill_dilation -
				     1;
		root->apart_error =
			dilation_by(root, hit_s * (1 + HIT_APART)) / root->refill_dilation - 1;
	}
}

/* --- the second stage -------------------------------------------------------------------------- */

static void dilate_exact(struct units *u)
{
	for (size_t i = 0; i < u->roots_nr; i++) {
		struct root *root = &u->roots[i];
		root->refilled *= root->refill_dilation;
		if (root->seen <= 0 || root->refilled <= 0)
			continue;
		/* Rates are what the two are; the stages may be of different units. */
		root->exact_dilation = clip_f64(root->refilled / u->refill_slots_s /
							(root->seen / u->kept_slots_s),
						1, EXACT_DILATION_MAX);
	}
}

/* The target's own count against what windows saw, in classes that were seen. */
static void dilate_all(struct units *u, const uint64_t *class_objects)
{
	double seen = 0, objects = 0;
	uint32_t last = ESTIMATE_CLASS_NR;

	for (size_t i = 0; i < u->pairs_nr; i++) {
		const struct pair *p = &u->pairs[i];
		if (p->size_class == ESTIMATE_LARGE_BYTES || !class_objects[p->size_class] ||
		    p->seen <= 0)
			continue;
		seen += p->seen;
		if (p->size_class != last)
			objects += (double)class_objects[p->size_class];
		last = p->size_class;
	}
	if (seen > 0 && u->wall_s > 0)
		u->dilation = clip_f64(objects / u->wall_s / (seen / u->kept_slots_s), 1,
				       EXACT_DILATION_MAX);
}

void dilation_of(struct units *u, const struct estimate_span *span)
{
	double objects = 0;
	uint32_t last = ESTIMATE_CLASS_NR;

	for (size_t i = 0; u->two_stage && i < span->units_nr; i++)
		add_gaps(u, span->units[i]);
	for (size_t i = 0; i < u->pairs_nr; i++) {
		struct pair *p = &u->pairs[i];
		/* Others have no refills that tell all of them. */
		bool counted = p->size_class != ESTIMATE_CLASS_LARGE &&
			       p->size_class != ESTIMATE_CLASS_TINY &&
			       p->size_class != ESTIMATE_LARGE_BYTES &&
			       span->objects[p->size_class];
		sum_pair(u, p, counted);
		if (counted && p->refilled > 0 && p->size_class != last) {
			objects += (double)span->objects[p->size_class];
			last = p->size_class;
		}
	}
	dilate_refills(u, u->wall_s > 0 ? objects / u->wall_s : 0);
	dilate_exact(u);
	dilate_all(u, span->objects);
}
