/* SPDX-License-Identifier: BSD-2-Clause */
/* How a size class divides among sites, by one kind of evidence. All are shares of the class: 0 to 1. */
#ifndef GALLOP_ESTIMATE_SHARES_H
#define GALLOP_ESTIMATE_SHARES_H

#include <stddef.h>
#include <stdint.h>

/* The 97.5 % quantile of the normal distribution: how many deviations half of a 95 % interval is. */
#define ESTIMATE_Z 1.959963984540054

struct share {
	uint32_t site;
	double share, variance, systematic;
};

struct shares {
	struct share *v; /* sorted by site, each once; they and what is unsampled are 1 in sum */
	size_t nr, cap;
	double unsampled;
};

/*
 * What was drawn of a site, or of all others: what it comes to, what one more would add to that (what was drawn is as much
 * in the mean), and how much variance there is to each unit of it.
 */
struct drawn {
	double sum, one, noise;
};

/* Of the site's share of both together. As if there were one more of each: never sure of all or nothing. */
static inline double drawn_variance(const struct drawn *site, const struct drawn *others)
{
	double mine = site->sum + site->one, theirs = others->sum + others->one;
	double q = mine / (mine + theirs);

	return ((1 - q) * (1 - q) * mine * site->noise + q * q * theirs * others->noise) /
	       ((mine + theirs) * (mine + theirs));
}

#endif
