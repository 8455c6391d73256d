/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runtime samples an object of a size with probability 1 - exp(-size / MemProfileRate) (Go runtime/malloc.go
 * nextSample), independently of all others. A sample stands for one divided by that. Objects of a small class have one
 * size, so their samples weigh the same and a site's share of the class is its share of the samples. Of large ones each
 * sample brings its own weight.
 */
#include "estimate/sampled.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/grow.h"
#include "base/u64.h"
#include "gobin/layout.h"

/* A sample stands for no more objects: what is sampled more rarely was allocated, if at all, by chance. */
#define P_MIN 1e-6
#define WEIGHT_MAX 1e40

/* Of samples. */
struct sum {
	double samples, weight, noise;
};

static int by_class_site(const void *a, const void *b)
{
	const struct estimate_sampled *x = a, *y = b;
	int d = cmp_u64(x->size_class, y->size_class);

	return d ? d : cmp_u64(x->site, y->site);
}

/* Of one size the probability is one, too, and what it is makes no difference to shares. */
static double missed(uint32_t size_class, uint64_t rate)
{
	/* Of large ones each sample tells. */
	if (size_class == ESTIMATE_CLASS_LARGE || size_class >= GO_NUM_SIZE_CLASSES)
		return 1;
	/* MemProfileRate 1 samples everything (runtime/malloc.go mallocgc). */
	return rate == 1 ? 0 : exp(-(double)go_class_to_size[size_class] / (double)rate);
}

static void weigh(struct estimate_sampled *s, uint64_t rate)
{
	bool known = s->weight >= 1 && s->weight <= WEIGHT_MAX && s->noise >= 0 &&
		     s->noise <= WEIGHT_MAX;

	if (known)
		return;
	s->weight = (double)s->samples;
	s->noise = s->weight * missed(s->size_class, rate);
}

struct estimate_large estimate_large(uint64_t size, uint64_t bytes, uint64_t mem_profile_rate)
{
	double p = mem_profile_rate == 1 ? 1 : -expm1(-(double)size / (double)mem_profile_rate);
	double s = (double)bytes;

	if (!(p > P_MIN))
		p = P_MIN;
	/* A Poisson sum: one divided by p, with probability p, has a variance of (1 - p) / p; seen with probability p. */
	return (struct estimate_large){
		.objects = 1 / p,
		.objects_variance = (1 - p) / (p * p),
		.bytes = s / p,
		.bytes_variance = s * s * (1 - p) / (p * p),
	};
}

int sampled_init(struct sampled *s, const struct estimate_span *span)
{
	*s = (struct sampled){ .rate = span->mem_profile_rate };
	if (!s->rate || !span->sampled_nr)
		return 0;
	s->v = calloc(span->sampled_nr, sizeof(s->v[0]));
	if (!s->v)
		return -ENOMEM;
	for (size_t i = 0; i < span->sampled_nr; i++) {
		const struct estimate_sampled *from = &span->sampled[i];
		if (from->site >= span->sites_nr || from->size_class >= ESTIMATE_SUMS_NR ||
		    !from->samples)
			continue;
		s->v[s->nr] = *from;
		weigh(&s->v[s->nr++], s->rate);
	}
	qsort(s->v, s->nr, sizeof(s->v[0]), by_class_site);
	return 0;
}

void sampled_deinit(struct sampled *s)
{
	free(s->v);
}

static void add_sample(struct sum *to, const struct estimate_sampled *s)
{
	to->samples += (double)s->samples;
	to->weight += s->weight;
	to->noise += s->noise;
}

static struct drawn drawn_of(const struct sum *s)
{
	return (struct drawn){
		.sum = s->weight,
		.one = s->weight / s->samples,
		.noise = s->noise / s->weight,
	};
}

static double alike(const struct sum *s)
{
	return s->noise > 0 ? fmin(s->samples, s->weight * s->weight / s->noise) : s->samples;
}

/*
 * Where all samples are of one site, the class may hold others that were missed: the lower end of the exact interval of a
 * proportion (Clopper and Pearson) of n out of n. A single sample tells nothing of a share: where many sites are rare, one
 * of them is met. All of that as far as samples can miss anything.
 */
static double variance_at_least(const struct sum *site, const struct sum *of)
{
	const double z = ESTIMATE_Z, tail = 0.025;
	double n = alike(site), share = site->weight / of->weight, half = 0;

	if (site->samples <= 1)
		half = share;
	else if (site->samples >= of->samples)
		half = 1 - pow(tail, 1 / fmax(n, 1));
	return half / z * (half / z) * fmin(site->noise / site->weight, 1);
}

/* Of a site that is all there is, others are taken to be like it. */
static double share_variance(const struct sum *site, const struct sum *of)
{
	const struct sum rest = { of->samples - site->samples, of->weight - site->weight,
				  of->noise - site->noise };
	const struct drawn mine = drawn_of(site);
	struct drawn others = mine;

	if (rest.samples > 0 && rest.weight > 0 && rest.noise >= 0)
		others = drawn_of(&rest);
	else
		others.sum = 0;
	return fmax(drawn_variance(&mine, &others), variance_at_least(site, of));
}

static int add_share(struct shares *ret, uint32_t site_id, const struct sum *site,
		     const struct sum *of)
{
	if (grow(&ret->v, ret->nr, &ret->cap, sizeof(ret->v[0])))
		return -ENOMEM;
	ret->v[ret->nr++] = (struct share){
		.site = site_id,
		.share = site->weight / of->weight,
		.variance = share_variance(site, of),
	};
	return 0;
}

int sampled_shares(const struct sampled *s, uint32_t size_class, struct shares *ret,
		   double *samples_ret)
{
	struct sum of = { 0 };

	*ret = (struct shares){ .unsampled = 1 };
	size_t first = 0, end;
	while (first < s->nr && s->v[first].size_class < size_class)
		first++;
	for (end = first; end < s->nr && s->v[end].size_class == size_class; end++)
		add_sample(&of, &s->v[end]);
	*samples_ret = alike(&of);
	for (size_t i = first; i < end;) {
		struct sum of_site = { 0 };
		uint32_t site = s->v[i].site;
		for (; i < end && s->v[i].site == site; i++)
			add_sample(&of_site, &s->v[i]);
		int err = add_share(ret, site, &of_site, &of);
		if (err)
			return err;
		ret->unsampled = 0;
	}
	return 0;
}
