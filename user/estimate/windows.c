/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The estimate. In unit j, which stands for D_j of time, root g takes A_gj = D_j S_g used_gj / stage_j, where S_g is how
 * much refills slow it down; A_g is the sum of that. A hit stands for w: for D_j times the reverse of how long a window that meets
 * it could have begun (inclusion.h), or, where that isn't known, for D_j / kept_j as all of its unit. Of A_g a site has
 * p_gs = sum w of its hits / sum w of all hits of the root. The share of a site is sum A_g p_gs over sum A_g.
 *
 * Pairs with hits and hardly a refill: what the hits say, times how much the second stage slows the root down. If other
 * classes of the root have refills they tell that. Else it is between what the root's own hits cost it and how much the
 * whole program is slowed down, and the few refills choose.
 *
 * Variance: jackknife of all this, leaving out one group of units at a time (a unit, up to 64), and no less than hits and
 * refills would have if they were independent: a share of which every unit says the same may still be by luck.
 *
 * Systematic: what a hit costs in a refill is known so well (see dilation.c), and all S_g are off in the same direction by
 * it; the second stage distorts a root's composition, most where it is mixed.
 */
#include "estimate/windows.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/f64.h"
#include "base/grow.h"
#include "base/u64.h"
#include "estimate/order.h"

/*
 * Per unit of dilation of the second stage; beyond 5 nothing was seen to get worse, and below 2 nothing to get better: what
 * a window cuts off it cuts off anyway (tests/unit/test_estimate_sim.c).
 */
#define MIX_ERROR 0.02
#define MIX_DILATION_MIN 2.0
#define MIX_DILATION_MAX 5.0
/* Without refills nothing undoes the dilation between roots. */
#define BLIND_ERROR 0.1
/* Hits of one root take no more of the time than this, as far as its own dilation is computed from it. */
#define BUSY_MAX 0.9

enum { GROUPS = UNITS_GROUPS_MAX, ALL = GROUPS };

/* What pairs amount to in a group: enough to leave it out. */
struct tally {
	double amount, hits, seen;
	double stand_for; /* what hits stand for */
};

struct side {
	const struct pair *pair;
	const struct root *root;
	struct tally *groups, all;
	double squares; /* of hits, each as often as it is large: as many as hits, but of bytes */
	double amount; /* with nothing left out */
	double least, most; /* dilation of the second stage; 0: refills tell enough */
	double refill_error, own_error, mix_error; /* relative */
};

struct class_sums {
	const struct units *units;
	struct side *sides;
	struct tally *tallies;
	size_t sides_nr;
	double total[GROUPS + 1]; /* amounts of all sides, with a group left out; [ALL]: none */
	/* Sums over sides, of which a site takes back what it knows better. */
	double refill_noise, refill_error, own_error;
};

/* --- roots ------------------------------------------------------------------------------------- */

/* Hits, and rate, of one unit of a pair: a run of observations. */
static void weigh_unit(const struct units *u, const struct observation *o, size_t nr,
		       struct tally *t)
{
	const struct unit *unit = &u->units[o->unit];
	double hits = 0, used = 0, rate = 0;

	for (size_t i = 0; i < nr; i++) {
		if (o[i].site == UNITS_NO_SITE) {
			used += o[i].objects;
		} else {
			hits += o[i].objects;
			t->stand_for += o[i].objects * o[i].weight;
		}
	}
	if (!u->two_stage)
		rate = hits / unit->kept_s;
	else if (unit->refill_s > 0)
		rate = used / unit->refill_s;
	t->amount += unit->slot_s * rate;
	t->hits += hits;
	if (hits > 0)
		t->seen += unit->slot_s * hits / unit->kept_s;
}

static void tally_side(const struct units *u, struct side *s)
{
	const struct observation *o = &u->observations[s->pair->first];

	for (size_t i = 0, nr; i < s->pair->nr; i += nr) {
		for (nr = 1; i + nr < s->pair->nr && o[i + nr].unit == o[i].unit;)
			nr++;
		weigh_unit(u, &o[i], nr, &s->groups[u->units[o[i].unit].group]);
	}
	for (size_t i = 0; i < s->pair->nr; i++)
		if (o[i].site != UNITS_NO_SITE)
			s->squares += o[i].objects * o[i].size;
	for (size_t i = 0; i < u->groups_nr; i++) {
		s->all.amount += s->groups[i].amount;
		s->all.hits += s->groups[i].hits;
		s->all.seen += s->groups[i].seen;
		s->all.stand_for += s->groups[i].stand_for;
	}
}

/* Between which dilations the hits of a side are to be seen. */
static void bound_side(const struct units *u, struct side *s)
{
	double kept_s = 0;

	if (pair_is_refilled(u, s->pair) || s->pair->hits <= 0)
		return;
	if (s->root->exact_dilation > 0) {
		s->least = s->most = s->root->exact_dilation;
		s->own_error = clip_f64(2 / sqrt(s->root->refills), 0, 1);
		return;
	}
	for (size_t i = 0; i < u->units_nr; i++)
		kept_s += u->units[i].kept_s;
	s->least = 1 / (1 - clip_f64(s->root->hits * u->hit_s / kept_s, 0, BUSY_MAX));
	s->most = u->dilation > s->least ? u->dilation : s->least;
	s->own_error = clip_f64((s->most - s->least) / (s->most + s->least), 0, 1);
}

/* Of a side, with a group left out (ALL: none). */
static double side_amount(const struct units *u, const struct side *s, size_t out)
{
	struct tally none = { 0 };
	const struct tally *t = out == ALL ? &none : &s->groups[out];
	double refilled = (s->all.amount - t->amount) * s->root->refill_dilation;

	if (s->least <= 0)
		return refilled > 0 ? refilled : 0;
	double refills_s = u->refill_slots_s - (out == ALL ? 0 : u->refill_slots[out]);
	double kept_s = u->kept_slots_s - (out == ALL ? 0 : u->kept_slots[out]);
	double seen = s->all.seen - t->seen;
	if (kept_s <= 0 || seen <= 0)
		return 0;
	seen *= refills_s / kept_s;
	return clip_f64(refilled, seen * s->least, seen * s->most);
}

static double mix_error(const struct units *u, const struct side *s)
{
	double dilation = s->root->exact_dilation > 0 ? s->root->exact_dilation : u->dilation;

	if (!u->two_stage)
		return dilation > 1 ? clip_f64(BLIND_ERROR * (dilation - 1), MIX_ERROR, 1)
				    : MIX_ERROR;
	return MIX_ERROR * (clip_f64(dilation, MIX_DILATION_MIN, MIX_DILATION_MAX) - 1);
}

/* --- classes ----------------------------------------------------------------------------------- */

static int by_class(const void *key, const void *p)
{
	return cmp_u64(*(const uint32_t *)key, ((const struct pair *)p)->size_class);
}

static size_t pairs_of_class(const struct units *u, uint32_t size_class, size_t *ret)
{
	const struct pair *p = NULL;

	if (u->pairs_nr)
		p = bsearch(&size_class, u->pairs, u->pairs_nr, sizeof(u->pairs[0]), by_class);
	if (!p)
		return 0;
	size_t first = (size_t)(p - u->pairs), end = first;
	while (first > 0 && u->pairs[first - 1].size_class == size_class)
		first--;
	while (end < u->pairs_nr && u->pairs[end].size_class == size_class)
		end++;
	*ret = first;
	return end - first;
}

static void sum_side(struct class_sums *c, struct side *s)
{
	const struct units *u = c->units;

	bound_side(u, s);
	s->amount = side_amount(u, s, ALL);
	s->mix_error = mix_error(u, s);
	s->refill_error = s->root->refill_error;
	s->own_error += s->root->apart_error;
	for (size_t i = 0; i < u->groups_nr; i++)
		c->total[i] += side_amount(u, s, i);
	c->total[ALL] += s->amount;
}

/* Refills, or hits if they are what tells the amount: a sum of as many has that relative variance. */
static double side_noise(const struct side *s)
{
	double hits = s->pair->hits;
	double nr = s->least > 0 ? hits * hits / s->squares : s->pair->refills;

	return nr > 1 ? 1 / nr : 1;
}

static void sum_noise(struct class_sums *c)
{
	for (size_t i = 0; i < c->sides_nr && c->total[ALL] > 0; i++) {
		const struct side *s = &c->sides[i];
		double w = s->amount / c->total[ALL];
		if (c->units->two_stage)
			c->refill_noise += w * w * side_noise(s);
		c->refill_error += w * s->refill_error;
		c->own_error += w * s->own_error;
	}
}

static int sum_class(struct class_sums *c, size_t first, size_t nr)
{
	const struct units *u = c->units;

	c->sides = calloc(nr, sizeof(c->sides[0]));
	c->tallies = calloc(nr, u->groups_nr * sizeof(c->tallies[0]));
	if (!c->sides || !c->tallies)
		return -ENOMEM;
	c->sides_nr = nr;
	for (size_t i = 0; i < nr; i++) {
		struct side *s = &c->sides[i];
		s->pair = &u->pairs[first + i];
		s->root = &u->roots[s->pair->root];
		s->groups = &c->tallies[i * u->groups_nr];
		tally_side(u, s);
		sum_side(c, s);
	}
	sum_noise(c);
	return 0;
}

static void class_sums_deinit(struct class_sums *c)
{
	free(c->sides);
	free(c->tallies);
}

/* --- sites ------------------------------------------------------------------------------------- */

/* What a site is, as its sides are added up. */
struct site_sums {
	double amount[GROUPS + 1];
	double mix_noise, refill_noise;
	double refill_error, own_error, mix_error;
};

/* Of the hits of a site in one root. */
struct side_hits {
	double weighed[GROUPS];
	double weighed_all, hits_all, squares;
};

static double side_site_amount(const struct class_sums *c, const struct side *s,
			       const struct side_hits *h, size_t out)
{
	struct tally none = { 0 };
	const struct tally *t = out == ALL ? &none : &s->groups[out];
	double of = s->all.stand_for - t->stand_for;
	double site = h->weighed_all - (out == ALL ? 0 : h->weighed[out]);

	return of > 0 ? clip_f64(site / of, 0, 1) * side_amount(c->units, s, out) : 0;
}

/* Of the share p that a site has of a root, had hits come independently of each other. */
static double mix_noise(const struct side *s, const struct side_hits *h, double p)
{
	double size = h->hits_all > 0 ? h->squares / h->hits_all : 1, others = size;
	double hits = s->all.hits - h->hits_all, squares = s->squares - h->squares;

	/* A rest that is none but by rounding has no size. */
	if (hits > s->all.hits * 1e-9 && squares > s->squares * 1e-12)
		others = squares / hits;
	const struct drawn site = { p * s->all.hits, size, size };
	const struct drawn rest = { (1 - p) * s->all.hits, others, others };
	return drawn_variance(&site, &rest);
}

/* Noise and error of the share that the root has, and of what the site has of it; r is the site's share of the class. */
static void add_side(const struct class_sums *c, const struct side *s, const struct side_hits *h,
		     double r, struct site_sums *ret)
{
	double p = clip_f64(side_site_amount(c, s, h, ALL) / s->amount, 0, 1);
	double w = s->amount / c->total[ALL];

	ret->mix_noise += w * w * mix_noise(s, h, p);
	if (c->units->two_stage)
		ret->refill_noise += w * w * side_noise(s) * ((p - r) * (p - r) - r * r);
	ret->refill_error += w * p * s->refill_error;
	ret->own_error += w * s->own_error * (fabs(p - r) - r);
	ret->mix_error += w * p * (1 - p) * s->mix_error;
}

static void add_hits(const struct units *u, const struct observation *o, size_t nr,
		     struct side_hits *ret)
{
	*ret = (struct side_hits){ 0 };
	for (size_t i = 0; i < nr; i++) {
		uint32_t group = u->units[o[i].unit].group;
		ret->hits_all += o[i].objects;
		ret->weighed[group] += o[i].objects * o[i].weight;
		ret->squares += o[i].objects * o[i].size;
	}
	for (size_t i = 0; i < u->groups_nr; i++)
		ret->weighed_all += ret->weighed[i];
}

/* Leave each group out: how much the share changes, summed up. */
static double jackknife(const struct class_sums *c, const double *amount)
{
	size_t n = c->units->groups_nr;
	double shares[GROUPS], mean = 0, sum = 0;

	for (size_t i = 0; i < n; i++) {
		shares[i] = c->total[i] > 0 ? clip_f64(amount[i] / c->total[i], 0, 1) : 0;
		mean += shares[i] / (double)n;
	}
	for (size_t i = 0; i < n; i++)
		sum += (shares[i] - mean) * (shares[i] - mean);
	return n > 1 ? sum * (double)(n - 1) / (double)n : 0;
}

static struct share site_share(const struct class_sums *c, const struct site_sums *site,
			       uint32_t id)
{
	double r = clip_f64(site->amount[ALL] / c->total[ALL], 0, 1);
	double noise = site->mix_noise +
		       clip_f64(site->refill_noise + r * r * c->refill_noise, 0, 1);
	double variance = jackknife(c, site->amount);

	return (struct share){
		.site = id,
		.share = r,
		.variance = variance > noise ? variance : noise,
		.systematic = fabs(site->refill_error - r * c->refill_error) +
			      clip_f64(site->own_error + r * c->own_error, 0, 1) + site->mix_error,
	};
}

/* A site's observations: sorted by root, a run for each. */
static size_t run_of_root(const struct observation *o, size_t nr)
{
	size_t n = 1;

	while (n < nr && o[n].root == o[0].root)
		n++;
	return n;
}

static int by_root(const void *key, const void *s)
{
	return cmp_u64(*(const uint32_t *)key, ((const struct side *)s)->root->id);
}

static const struct side *side_of(const struct class_sums *c, uint32_t root)
{
	return bsearch(&root, c->sides, c->sides_nr, sizeof(c->sides[0]), by_root);
}

static void add_amounts(const struct class_sums *c, const struct observation *o, size_t nr,
			struct site_sums *ret)
{
	struct side_hits hits;
	const struct side *s = side_of(c, o->root);

	add_hits(c->units, o, nr, &hits);
	for (size_t i = 0; i < c->units->groups_nr; i++)
		ret->amount[i] += side_site_amount(c, s, &hits, i);
	ret->amount[ALL] += side_site_amount(c, s, &hits, ALL);
}

static struct share sum_site(const struct class_sums *c, const struct observation *o, size_t nr)
{
	struct site_sums site = { 0 };

	for (size_t i = 0, n; i < nr; i += n) {
		n = run_of_root(&o[i], nr - i);
		add_amounts(c, &o[i], n, &site);
	}
	double r = site.amount[ALL] / c->total[ALL];
	for (size_t i = 0, n; i < nr; i += n) {
		struct side_hits hits;
		const struct side *s = side_of(c, o[i].root);
		n = run_of_root(&o[i], nr - i);
		add_hits(c->units, &o[i], n, &hits);
		if (s->amount > 0)
			add_side(c, s, &hits, r, &site);
	}
	return site_share(c, &site, o->site);
}

static int sum_sites(const struct class_sums *c, struct observation *o, size_t nr,
		     struct shares *ret)
{
	double sum = 0;

	order_by_site_root(o, nr, c->units->scratch);
	for (size_t i = 0, n; i < nr && o[i].site != UNITS_NO_SITE; i += n) {
		for (n = 1; i + n < nr && o[i + n].site == o[i].site;)
			n++;
		struct share share = sum_site(c, &o[i], n);
		if (share.share <= 0)
			continue;
		if (grow(&ret->v, ret->nr, &ret->cap, sizeof(ret->v[0])))
			return -ENOMEM;
		ret->v[ret->nr++] = share;
		sum += share.share;
	}
	ret->unsampled = clip_f64(1 - sum, 0, 1);
	return 0;
}

int windows_shares(struct units *u, uint32_t size_class, struct shares *ret)
{
	_cleanup_(class_sums_deinit) struct class_sums c = { .units = u };
	size_t first, nr = pairs_of_class(u, size_class, &first);

	*ret = (struct shares){ .unsampled = 1 };
	if (!nr)
		return 0;
	int err = sum_class(&c, first, nr);
	if (err || c.total[ALL] <= 0)
		return err;
	const struct pair *last = &u->pairs[first + nr - 1];
	size_t begin = u->pairs[first].first;
	return sum_sites(&c, &u->observations[begin], last->first + last->nr - begin, ret);
}
