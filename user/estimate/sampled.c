/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runtime samples an object of a size with probability 1 - exp(-size / MemProfileRate) (Go runtime/malloc.go
 * nextSample), independently of all others. Objects of a class have one size, so their samples weigh the same and a site's
 * share of the class is its share of the samples.
 */
#include "estimate/sampled.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/grow.h"
#include "base/u64.h"
#include "gobin/layout.h"

static int by_class_site(const void *a, const void *b)
{
	const struct estimate_sampled *x = a, *y = b;
	int d = cmp_u64(x->size_class, y->size_class);

	return d ? d : cmp_u64(x->site, y->site);
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
		if (from->site < span->sites_nr && from->size_class < ESTIMATE_CLASS_NR &&
		    from->samples)
			s->v[s->nr++] = *from;
	}
	qsort(s->v, s->nr, sizeof(s->v[0]), by_class_site);
	return 0;
}

void sampled_deinit(struct sampled *s)
{
	free(s->v);
}

/* What part of the class isn't sampled: where all is, nothing is left to chance. */
static double missed(const struct sampled *s, uint32_t size_class)
{
	if (size_class == ESTIMATE_CLASS_LARGE || size_class >= GO_NUM_SIZE_CLASSES)
		return 1;
	/* MemProfileRate 1 samples everything (runtime/malloc.go mallocgc). */
	return s->rate == 1 ? 0 : exp(-(double)go_class_to_size[size_class] / (double)s->rate);
}

static int add_share(struct shares *ret, uint32_t site, double samples, double of, double missed)
{
	/* As if there had been two more, one of them the site's: never sure of all or nothing. */
	double q = (samples + 1) / (of + 2);

	if (grow(&ret->v, ret->nr, &ret->cap, sizeof(ret->v[0])))
		return -ENOMEM;
	ret->v[ret->nr++] = (struct share){
		.site = site,
		.share = samples / of,
		.variance = missed * q * (1 - q) / (of + 2),
	};
	return 0;
}

int sampled_shares(const struct sampled *s, uint32_t size_class, struct shares *ret,
		   double *samples_ret)
{
	double of = 0;

	*ret = (struct shares){ .unsampled = 1 };
	size_t first = 0, end;
	while (first < s->nr && s->v[first].size_class < size_class)
		first++;
	for (end = first; end < s->nr && s->v[end].size_class == size_class; end++)
		of += (double)s->v[end].samples;
	*samples_ret = of;
	for (size_t i = first; i < end;) {
		double samples = 0;
		uint32_t site = s->v[i].site;
		for (; i < end && s->v[i].site == site; i++)
			samples += (double)s->v[i].samples;
		int err = add_share(ret, site, samples, of, missed(s, size_class));
		if (err)
			return err;
		ret->unsampled = 0;
	}
	return 0;
}
