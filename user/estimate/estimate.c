/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Class by class: shares by windows, by samples, or by both; times the exact number of objects of the class. Bytes of large
 * objects are one class more.
 */
#include "estimate/estimate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/f64.h"
#include "base/grow.h"
#include "base/u64.h"
#include "estimate/sampled.h"
#include "estimate/shares.h"
#include "estimate/units.h"
#include "estimate/windows.h"

/* Samples of a class that need no windows to help. */
#define SAMPLES_ENOUGH 30.0
/* Of what windows stand for, what those may that were cut. */
#define CUT_SHARE 0.05

struct evidence {
	struct shares windows, sampled;
	double samples;
	double lambda; /* how much windows count for: 0 to 1 */
};

static void evidence_deinit(struct evidence *e)
{
	free(e->windows.v);
	free(e->sampled.v);
}

/* --- both -------------------------------------------------------------------------------------- */

static double sum_variance(const struct shares *s)
{
	double sum = 0;

	for (size_t i = 0; i < s->nr; i++)
		sum += s->v[i].variance + s->v[i].systematic * s->v[i].systematic;
	return sum;
}

/*
 * One weight for the class, by the variances of all its sites: weights of their own would make the sites' sum differ from
 * the total.
 */
static double weigh(const struct evidence *e, size_t units_nr)
{
	if (e->samples <= 0)
		return 1;
	if (e->samples >= SAMPLES_ENOUGH || units_nr < ESTIMATE_UNITS_MIN || !e->windows.nr)
		return 0;
	double by_windows = sum_variance(&e->windows), by_samples = sum_variance(&e->sampled);
	return by_windows + by_samples > 0 ? by_samples / (by_windows + by_samples) : 0;
}

static struct share mean_share(const struct share *w, const struct share *s, double lambda)
{
	const double mu = 1 - lambda;

	return (struct share){
		.share = lambda * w->share + mu * s->share,
		.variance = lambda * lambda * w->variance + mu * mu * s->variance,
		.systematic = lambda * w->systematic + mu * s->systematic,
	};
}

/* --- parts ------------------------------------------------------------------------------------- */

static int add_part(struct estimate_result *ret, size_t *cap, const struct estimate_part *part)
{
	if (part->objects <= 0)
		return 0;
	if (grow(&ret->parts, ret->parts_nr, cap, sizeof(ret->parts[0])))
		return -ENOMEM;
	ret->parts[ret->parts_nr++] = *part;
	return 0;
}

/* Both are sorted by site. A site that one of them hasn't met has no share by it. */
static int merge(const struct evidence *e, uint32_t size_class, double objects,
		 struct estimate_result *ret, size_t *cap)
{
	static const struct share nothing;

	for (size_t i = 0, k = 0; i < e->windows.nr || k < e->sampled.nr;) {
		const struct share *w = i < e->windows.nr ? &e->windows.v[i] : NULL;
		const struct share *s = k < e->sampled.nr ? &e->sampled.v[k] : NULL;
		uint32_t site = w && (!s || w->site <= s->site) ? w->site : s->site;
		w = w && w->site == site ? w : NULL;
		s = s && s->site == site ? s : NULL;
		i += w != NULL;
		k += s != NULL;
		struct share mean = mean_share(w ? w : &nothing, s ? s : &nothing, e->lambda);
		int err = add_part(ret, cap,
				   &(struct estimate_part){
					   .site = site,
					   .size_class = size_class,
					   .objects = mean.share * objects,
					   .variance = mean.variance * objects * objects,
					   .systematic = mean.systematic * objects,
					   .from_windows = e->lambda >= 0.5,
				   });
		if (err)
			return err;
	}
	return 0;
}

/*
 * Units that see nothing of a program which works in bursts tell nothing. And where windows that began in a rest see no more than
 * the beginning of one, what comes later is told by those that began at work: of those there must be twice as many as else.
 */
static size_t alike_units(const struct units *u)
{
	double sum = 0, squares = 0, cut = 0;
	size_t at_work = 0;

	for (size_t i = 0; i < u->units_nr; i++) {
		const struct unit *unit = &u->units[i];
		sum += unit->stands_for;
		squares += unit->stands_for * unit->stands_for;
		cut += unit->began == ESTIMATE_BEGAN_IN_REST_CUT ? unit->stands_for : 0;
		at_work += unit->began == ESTIMATE_BEGAN_AT_WORK;
	}
	if (sum <= 0)
		return 0;
	size_t nr = (size_t)clip_f64(sum * sum / squares + 0.5, 1, (double)u->units_nr);
	return cut > CUT_SHARE * sum && at_work / 2 < nr ? at_work / 2 : nr;
}

/* ret->alike_nr is known by now. */
static int estimate_class(struct units *u, const struct sampled *s, uint32_t size_class,
			  uint64_t objects, struct estimate_result *ret, size_t *cap)
{
	_cleanup_(evidence_deinit) struct evidence e = { 0 };

	if (!objects)
		return 0;
	int err = windows_shares(u, size_class, &e.windows);
	if (!err)
		err = sampled_shares(s, size_class, &e.sampled, &e.samples);
	if (err)
		return err;
	e.lambda = weigh(&e, ret->alike_nr);
	ret->unsampled[size_class] = (double)objects * (e.lambda * e.windows.unsampled +
							(1 - e.lambda) * e.sampled.unsampled);
	return merge(&e, size_class, (double)objects, ret, cap);
}

static int by_site_class(const void *a, const void *b)
{
	const struct estimate_part *x = a, *y = b;
	int d = cmp_u64(x->site, y->site);

	return d ? d : cmp_u64(x->size_class, y->size_class);
}

int estimate(const struct estimate_span *span, struct estimate_result *ret)
{
	_cleanup_(units_deinit) struct units units;
	_cleanup_(sampled_deinit) struct sampled sampled = { 0 };
	size_t cap = 0;

	*ret = (struct estimate_result){ 0 };
	int err = units_init(&units, span);
	if (!err)
		err = sampled_init(&sampled, span);
	if (!err)
		ret->alike_nr = alike_units(&units);
	for (uint32_t c = 0; !err && c < ESTIMATE_CLASS_NR; c++)
		err = estimate_class(&units, &sampled, c, span->objects[c], ret, &cap);
	if (!err)
		err = estimate_class(&units, &sampled, ESTIMATE_LARGE_BYTES, span->large_bytes, ret,
				     &cap);
	if (err)
		return err;
	ret->units_nr = units.units_nr;
	ret->dilation = units.dilation;
	if (ret->parts_nr)
		qsort(ret->parts, ret->parts_nr, sizeof(ret->parts[0]), by_site_class);
	return 0;
}

void estimate_free(struct estimate_result *r)
{
	free(r->parts);
	*r = (struct estimate_result){ 0 };
}

/* --- intervals --------------------------------------------------------------------------------- */

/*
 * The 97.5 % quantile of Student's t with v degrees of freedom, by Fisher's expansion around the normal one: right to
 * 0.0002 from 7 on.
 */
static double student(double v)
{
	const double z = ESTIMATE_Z, z2 = z * z;
	const double first = (z2 + 1) / 4;
	const double second = ((5 * z2 + 16) * z2 + 3) / 96;
	const double third = (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
	const double fourth = ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;

	return z * (1 + (first + (second + (third + fourth / v) / v) / v) / v);
}

double estimate_half_width(double variance, double systematic, size_t units_nr)
{
	if (units_nr > 0 && units_nr < ESTIMATE_UNITS_MIN)
		return NAN;
	/* The jackknife leaves out as many groups. */
	double groups = units_nr < UNITS_GROUPS_MAX ? (double)units_nr : UNITS_GROUPS_MAX;
	double t = student(units_nr ? groups - 1 : INFINITY);
	return sqrt(t * t * (variance < 0 ? 0 : variance) + systematic * systematic);
}
