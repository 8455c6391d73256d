/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cleaning and sorting. Recordings feed this: a time that is no number or absurd makes its stage, or its unit, tell
 * nothing, and a count is never larger than a double can count. What follows then needs no checks of its own but of
 * divisors.
 */
#include "estimate/units.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/f64.h"
#include "base/grow.h"
#include "base/u64.h"
#include "estimate/dilation.h"
#include "estimate/order.h"

/* Seconds: a stage that took less or more didn't. */
#define STAGE_MIN_S 1e-6
#define STAGE_MAX_S 1e4
#define SLOT_MAX_S 1e6
#define WALL_MAX_S 1e9
#define HIT_MAX_S 1e-3 /* a trap takes microseconds */
#define OBJECTS_MAX 9007199254740992.0 /* 2^53 */

/* --- cleaning ---------------------------------------------------------------------------------- */

static double clean_s(double s, double max)
{
	return isfinite(s) && s >= STAGE_MIN_S && s <= max ? s : 0;
}

static double clean_objects(uint64_t objects)
{
	return objects < OBJECTS_MAX ? (double)objects : OBJECTS_MAX;
}

static void observe(struct units *u, struct observation o)
{
	if (o.size_class < ESTIMATE_CLASS_NR && o.objects > 0)
		u->observations[u->observations_nr++] = o;
}

/* The mean size of a large object, each weighed by its size. Of those of a site and a window only the mean is known. */
static double large_size(const struct estimate_span *span)
{
	double sum = 0, squares = 0;

	for (size_t i = 0; i < span->units_nr; i++) {
		const struct estimate_unit *unit = span->units[i];
		for (size_t k = 0; k < unit->hits_nr; k++) {
			const struct estimate_hit *h = &unit->hits[k];
			double bytes = clean_objects(h->bytes);
			if (h->size_class != ESTIMATE_CLASS_LARGE || !h->objects)
				continue;
			sum += bytes;
			squares += bytes * bytes / clean_objects(h->objects);
		}
	}
	return sum > 0 ? squares / sum : 0;
}

/* What each object of it stands for, see windows.h: in what was kept of the unit all stand for the same. */
static double stands_for(const struct unit *unit, const struct estimate_hit *h)
{
	double objects = clean_objects(h->objects);

	if (!(h->rate > 0) || objects <= 0)
		return unit->slot_s / unit->kept_s;
	return unit->slot_s * clip_f64(h->rate / objects, 1 / STAGE_MAX_S, 1 / STAGE_MIN_S);
}

static bool has_bytes(const struct estimate_hit *h)
{
	return h->size_class == ESTIMATE_CLASS_LARGE && h->bytes && h->objects;
}

static void observe_bytes(struct units *u, const struct estimate_hit *h, double weight)
{
	double bytes = clean_objects(h->bytes) / u->large_size;

	if (has_bytes(h))
		u->observations[u->observations_nr++] = (struct observation){
			.size_class = ESTIMATE_LARGE_BYTES,
			.root = u->two_stage ? h->root : 0,
			.unit = (uint32_t)u->units_nr,
			.site = h->site,
			.objects = bytes,
			.size = bytes / clean_objects(h->objects),
			.weight = weight,
		};
}

static void observe_refills(struct units *u, const struct estimate_span *span,
			    const struct estimate_unit *from)
{
	for (size_t i = 0; i < from->refills_nr; i++) {
		const struct estimate_refill *r = &from->refills[i];
		if (r->root >= span->roots_nr)
			continue;
		observe(u, (struct observation){
				   .size_class = r->size_class,
				   .root = r->root,
				   .unit = (uint32_t)u->units_nr,
				   .site = UNITS_NO_SITE,
				   .objects = clean_objects(r->objects),
				   .size = 1,
			   });
	}
}

static void observe_hits(struct units *u, const struct estimate_span *span,
			 const struct estimate_unit *from, struct unit *unit)
{
	for (size_t i = 0; i < from->hits_nr; i++) {
		const struct estimate_hit *h = &from->hits[i];
		if (h->site >= span->sites_nr || h->site == UNITS_NO_SITE ||
		    (u->two_stage && h->root >= span->roots_nr))
			continue;
		double weight = stands_for(unit, h);
		unit->stands_for += clean_objects(h->objects) * weight;
		observe(u, (struct observation){
				   .size_class = h->size_class,
				   .root = u->two_stage ? h->root : 0,
				   .unit = (uint32_t)u->units_nr,
				   .site = h->site,
				   .objects = clean_objects(h->objects),
				   .size = 1,
				   .weight = weight,
			   });
		observe_bytes(u, h, weight);
	}
}

static struct unit clean_unit(const struct estimate_unit *from)
{
	return (struct unit){
		.slot_s = clean_s(from->slot_s, SLOT_MAX_S),
		.refill_s = clean_s(from->refill_s, STAGE_MAX_S),
		.kept_s = clean_s(from->kept_s, STAGE_MAX_S),
		.began = from->began,
	};
}

static bool tells_something(const struct unit *unit)
{
	return unit->slot_s > 0 && (unit->refill_s > 0 || unit->kept_s > 0);
}

/* Room for all that is in units, whether it tells something or not. */
static int make_room(struct units *u, const struct estimate_span *span)
{
	size_t nr = 1;

	for (size_t i = 0; i < span->units_nr; i++) {
		const struct estimate_unit *unit = span->units[i];
		nr += unit->refills_nr + unit->hits_nr;
		for (size_t k = 0; k < unit->hits_nr; k++)
			nr += has_bytes(&unit->hits[k]);
	}
	u->units = calloc(span->units_nr + 1, sizeof(u->units[0]));
	u->observations = reallocarray(NULL, nr, sizeof(u->observations[0]));
	u->scratch = reallocarray(NULL, nr, sizeof(u->scratch[0]));
	return u->units && u->observations && u->scratch ? 0 : -ENOMEM;
}

/*
 * Windows get longer where bursts were cut off, see schedule.h. When there are enough that are, those of before tell nothing
 * but what is wrong.
 */
static uint32_t least_times(const struct estimate_span *span)
{
	struct estimate_longest longest = { 0 };

	for (size_t i = 0; i < span->units_nr; i++)
		estimate_longest_add(&longest, span->units[i], span->units[i]->hits_nr > 0);
	return longest.nr >= ESTIMATE_UNITS_MIN ? longest.times : 0;
}

static void add_units(struct units *u, const struct estimate_span *span)
{
	uint32_t least = least_times(span);

	for (size_t i = 0; i < span->units_nr; i++) {
		struct unit unit = clean_unit(span->units[i]);
		u->two_stage |= tells_something(&unit) && unit.refill_s > 0 &&
				span->units[i]->times >= least;
	}
	for (size_t i = 0; i < span->units_nr && u->units_nr < UINT32_MAX; i++) {
		struct unit unit = clean_unit(span->units[i]);
		if (!tells_something(&unit) || span->units[i]->times < least)
			continue;
		if (unit.refill_s > 0)
			observe_refills(u, span, span->units[i]);
		if (unit.kept_s > 0)
			observe_hits(u, span, span->units[i], &unit);
		u->units[u->units_nr++] = unit;
	}
}

/* --- order ------------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	return cmp_u64(((const struct root *)a)->id, ((const struct root *)b)->id);
}

struct root *units_root(const struct units *u, uint32_t id)
{
	struct root key = { .id = id };

	return u->roots_nr ? bsearch(&key, u->roots, u->roots_nr, sizeof(u->roots[0]), by_id)
			   : NULL;
}

/* Of those that have allocated, each once. Observations are sorted by class first, so there are repeats to drop. */
static int add_roots(struct units *u)
{
	for (size_t i = 0; i < u->observations_nr; i++) {
		uint32_t id = u->observations[i].root;
		if (u->roots_nr && u->roots[u->roots_nr - 1].id == id)
			continue;
		if (grow(&u->roots, u->roots_nr, &u->roots_cap, sizeof(u->roots[0])))
			return -ENOMEM;
		u->roots[u->roots_nr++] = (struct root){ .id = id };
	}
	if (!u->roots_nr)
		return 0;
	qsort(u->roots, u->roots_nr, sizeof(u->roots[0]), by_id);
	size_t kept = 1;
	for (size_t i = 1; i < u->roots_nr; i++) {
		if (u->roots[i].id != u->roots[kept - 1].id)
			u->roots[kept++] = u->roots[i];
	}
	u->roots_nr = kept;
	return 0;
}

static int add_pairs(struct units *u)
{
	for (size_t i = 0; i < u->observations_nr; i++) {
		const struct observation *o = &u->observations[i];
		if (i == 0 || o[-1].size_class != o->size_class || o[-1].root != o->root) {
			if (grow(&u->pairs, u->pairs_nr, &u->pairs_cap, sizeof(u->pairs[0])))
				return -ENOMEM;
			u->pairs[u->pairs_nr++] = (struct pair){
				.size_class = o->size_class,
				.root = (uint32_t)(units_root(u, o->root) - u->roots),
				.first = i,
			};
		}
		u->pairs[u->pairs_nr - 1].nr++;
	}
	return 0;
}

/* Of the class that has most. */
static size_t most_pairs(const struct units *u)
{
	size_t most = 0;

	for (size_t i = 0, n = 0; i < u->pairs_nr; i++) {
		n = i && u->pairs[i - 1].size_class == u->pairs[i].size_class ? n + 1 : 1;
		most = n > most ? n : most;
	}
	return most;
}

/*
 * What is kept of a class is of each pair and group: of many thousand roots, which only a recording can have, there are
 * fewer.
 */
static size_t groups_of(const struct units *u)
{
	size_t groups = UNITS_TALLIES_MAX / (most_pairs(u) + 1);

	if (groups < ESTIMATE_UNITS_MIN)
		groups = ESTIMATE_UNITS_MIN;
	if (groups > UNITS_GROUPS_MAX)
		groups = UNITS_GROUPS_MAX;
	return groups < u->units_nr ? groups : u->units_nr;
}

/* Neighbours go together: what slowly changes makes groups differ as it makes units. */
static void group_units(struct units *u)
{
	u->groups_nr = groups_of(u);
	for (size_t i = 0; i < u->units_nr; i++) {
		struct unit *unit = &u->units[i];
		unit->group = (uint32_t)(i * u->groups_nr / u->units_nr);
		if (unit->refill_s > 0)
			u->refill_slots[unit->group] += unit->slot_s;
		if (unit->kept_s > 0)
			u->kept_slots[unit->group] += unit->slot_s;
	}
	for (size_t i = 0; i < u->groups_nr; i++) {
		u->refill_slots_s += u->refill_slots[i];
		u->kept_slots_s += u->kept_slots[i];
	}
}

/* --- all of it --------------------------------------------------------------------------------- */

int units_init(struct units *u, const struct estimate_span *span)
{
	*u = (struct units){ 0 };
	if (isfinite(span->hit_s) && span->hit_s > 0)
		u->hit_s = span->hit_s < HIT_MAX_S ? span->hit_s : HIT_MAX_S;
	u->wall_s = clean_s(span->wall_s, WALL_MAX_S);
	u->large_size = large_size(span);
	int err = make_room(u, span);
	if (err)
		return err;
	add_units(u, span);
	if (!u->observations_nr)
		return 0;
	order_by_class_root(u->observations, u->observations_nr, u->scratch);
	err = add_roots(u);
	if (!err)
		err = add_pairs(u);
	if (err)
		return err;
	group_units(u);
	dilation_of(u, span);
	return 0;
}

void units_deinit(struct units *u)
{
	free(u->units);
	free(u->observations);
	free(u->scratch);
	free(u->roots);
	free(u->pairs);
}
