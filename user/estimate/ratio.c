/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows are clusters of operations: the variance is that of the ratio of their sums, by its linearisation, e_j = y_j -
 * r x_j. That is right whatever goes on inside of a window, but says nothing of three things.
 *
 * Order. What begins first in a window on a goroutine is no random operation: of a short and a long one that alternate it
 * is most often the short one, as it is the long one that the window's beginning falls into; and the last one to begin is
 * the one that takes the most hits. At most one operation's spread for each that the window's end fell into is wrong by
 * that, of all that the window saw, and no number of windows takes it away. If operations come in no order, windows vary
 * as much as chance makes their operations vary, and nothing is wrong.
 *
 * Phases. A window has so many hits, whether operations are small or large: of small ones it sees more than of large ones,
 * though both may be called as often for as long. Windows then vary by far more than chance. By how much the mean is wrong
 * tells the one in which each window counts for the calls that it stands for.
 *
 * Tails. Where few operations make most of the sum it is luck how many of them were met.
 */
#include "estimate/ratio.h"

#include <math.h>
#include <stdbool.h>

#include "base/f64.h"
#include "estimate/estimate.h"

/*
 * Operations that count, at least: sum^2 / sum of squares, of single operations. With fewer of a Poisson number the
 * interval misses more often than 1 in 14 (tests/unit/test_ratio.c).
 */
#define COUNTING_MIN 30.0
/* Windows vary this much less or more than by chance: then order is taken for the whole reason. */
#define ORDER_FULL 0.5
/*
 * Calls are known from one window to the next, which is often another phase: what they tell is that much too little. A mean
 * that phases may have moved by more than a half is none.
 */
#define PHASES_ERROR 5.0
#define PHASES_MAX 0.5

struct sums {
	double windows, ended, late, sum;
	double within2,
		between2; /* squares, of single operations: in their windows; and of these */
	double residuals2, residuals4;
};

static struct sums sum_up(const struct ratio_cluster *c, size_t nr)
{
	struct sums s = { 0 };

	for (size_t i = 0; i < nr; i++) {
		s.windows += c[i].windows;
		s.ended += c[i].ended;
		s.late += c[i].late;
		s.sum += c[i].sum;
		s.within2 += c[i].squares;
	}
	for (size_t i = 0; i < nr; i++) {
		double e = c[i].sum - s.sum / s.ended * c[i].ended;
		s.between2 += e * e / c[i].ended;
		s.residuals2 += e * e;
		s.residuals4 += e * e * e * e;
	}
	return s;
}

/* How far the order of operations can have taken the mean: `single`, the variance of all of them. */
static double order_error(const struct sums *s, double n, double single)
{
	if (!(single > 0))
		return 0;
	double effect = s->residuals2 * n / (n - 1) / (s->ended * single);
	return clip_f64(fabs(1 - effect) / ORDER_FULL, 0, 1) * sqrt(single) *
	       clip_f64(s->late / s->ended, 0, 1);
}

/*
 * 0 to 1: how sure it is that windows vary more than by chance, if that is what operations vary by inside of them: by two
 * standard errors and more.
 */
static double phases_seen(const struct sums *s, double n)
{
	double single = s->within2 / fmax(s->ended - s->windows, 1);

	if (!(s->residuals2 > 0))
		return 0;
	/* Where windows have an operation each, nothing tells what chance is. */
	if (s->ended < 2 * s->windows || !(single > 0))
		return 1;
	double noise = 2 * sqrt(fmax(s->residuals4 / s->residuals2 / s->residuals2 - 1 / n, 0));
	return clip_f64(s->residuals2 * n / (n - 1) / (s->ended * single) * (1 - noise) - 1, 0, 1);
}

/* The mean in which each cluster counts for its calls; where those of one aren't known, all count for their windows. */
static double mean_of_means(const struct ratio_cluster *c, size_t nr)
{
	double sum = 0, weights = 0;
	bool by_calls = true;

	for (size_t i = 0; i < nr; i++)
		by_calls = by_calls && c[i].calls > 0;

	for (size_t i = 0; i < nr; i++) {
		double weight = by_calls ? c[i].calls : c[i].windows;
		sum += weight * c[i].sum / c[i].ended;
		weights += weight;
	}
	return sum / weights;
}

double ratio_half_width(const struct ratio_cluster *clusters, size_t nr, double max)
{
	if (nr < ESTIMATE_UNITS_MIN)
		return NAN;
	const struct sums s = sum_up(clusters, nr);
	const double n = (double)nr, r = s.sum / s.ended;
	const double single = (s.within2 + s.between2) / s.ended;

	/* Nothing but a mean of values of which some are far from it needs many of them. */
	if (single > r * r && s.ended * r * r / (single + r * r) < COUNTING_MIN)
		return NAN;
	const double other = mean_of_means(clusters, nr);
	double phases = phases_seen(&s, n) * PHASES_ERROR * fabs(other - r);
	if (phases > r * PHASES_MAX)
		return NAN;
	/* As if one more of the largest could have been met: never sure that there is no other. */
	double one_more = fmax(max - r, 0) / s.ended;
	double variance = s.residuals2 * n / (n - 1) / (s.ended * s.ended) + one_more * one_more;
	return estimate_half_width(variance, order_error(&s, n, single) + phases, nr);
}
