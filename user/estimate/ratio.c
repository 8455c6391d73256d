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
 * though both may be called as often for as long. Windows then vary by far more than chance, and as far as that is sure the
 * mean is the one in which each counts for the calls that it stands for. That mean has an error of its own, as a
 * window's mean is a ratio: what happens to see large operations sees fewer of them. By how much tells how they vary inside
 * of windows.
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
 * How much of what the mean by calls differs by may be wrong: where the calls of a window aren't known, as then all count
 * the same; where it isn't known what chance is; and else, as calls are counted for a while, in which a phase may end.
 */
#define UNKNOWN_ERROR 5.0
#define CHANCE_ERROR 2.0
#define COUNTED_ERROR 0.1
/* A mean that phases may have moved by more than a half is none. */
#define PHASES_MAX 0.5
/* Windows vary by so many times more than by chance: the mean by calls begins to count, and is all there is. */
#define PHASES_FROM 2.0
#define PHASES_FULL 4.0

struct sums {
	double nr, windows, ended, late, sum; /* of clusters with operations */
	double within2,
		between2; /* squares, of single operations: in their windows; and of these */
	double residuals2, residuals4;
	bool calls_unknown; /* of one of all */
};

static struct sums sum_up(const struct ratio_cluster *c, size_t nr)
{
	struct sums s = { 0 };

	for (size_t i = 0; i < nr; i++) {
		s.calls_unknown |= c[i].calls <= 0 && c[i].ended > 0;
		if (c[i].ended <= 0)
			continue;
		s.nr++;
		s.windows += c[i].windows;
		s.ended += c[i].ended;
		s.late += c[i].late;
		s.sum += c[i].sum;
		s.within2 += c[i].squares;
	}
	for (size_t i = 0; i < nr; i++) {
		if (c[i].ended <= 0)
			continue;
		double e = c[i].sum - s.sum / s.ended * c[i].ended;
		s.between2 += e * e / c[i].ended;
		s.residuals2 += e * e;
		s.residuals4 += e * e * e * e;
	}
	return s;
}

/* How far the order of operations can have taken the mean: `single`, the variance of all of them. */
static double order_error(const struct sums *s, double single)
{
	if (!(single > 0))
		return 0;
	double effect = s->residuals2 * s->nr / (s->nr - 1) / (s->ended * single);
	return clip_f64(fabs(1 - effect) / ORDER_FULL, 0, 1) * sqrt(single) *
	       clip_f64(s->late / s->ended, 0, 1);
}

/* By how many times windows vary more than by chance, if that is what operations vary by inside of them; less two errors. */
static double phases_effect(const struct sums *s)
{
	double single = s->within2 / fmax(s->ended - s->windows, 1);

	if (!(s->residuals2 > 0))
		return 0;
	if (!(single > 0))
		return INFINITY;
	double noise = 2 * sqrt(fmax(s->residuals4 / s->residuals2 / s->residuals2 - 1 / s->nr, 0));
	return s->residuals2 * s->nr / (s->nr - 1) / (s->ended * single) * (1 - noise);
}

/* Where windows have an operation each, nothing tells how operations differ by chance. */
static bool tells_chance(const struct sums *s)
{
	return s->ended >= 2 * s->windows;
}

/* 0 to 1: how sure phases are. */
static double phases_seen(const struct sums *s)
{
	return !tells_chance(s) ? 1 : clip_f64(phases_effect(s) - 1, 0, 1);
}

/* 0 to 1: how far the mean is the one by calls. It has an error of its own, and must be worth it. */
static double by_calls(const struct sums *s)
{
	if (s->calls_unknown || !tells_chance(s))
		return 0;
	return clip_f64((phases_effect(s) - PHASES_FROM) / (PHASES_FULL - PHASES_FROM), 0, 1);
}

/* Means in which each cluster counts for the calls that it stands for, or the windows where those of one aren't known. */
struct weighted {
	const struct sums *sums;
	double unseen,
		alike; /* weight of clusters without operations; and of the others, as far as they are like those */
	double weights, mean;
	double own_error; /* how far means of single windows can be off because they are ratios */
};

static double known_weight(const struct weighted *w, const struct ratio_cluster *c)
{
	return w->sums->calls_unknown ? c->windows : c->calls;
}

/* How likely it was for one like this to see none; of Poisson numbers. */
static double chance_of_none(const struct ratio_cluster *c)
{
	return exp(-c->ended / c->windows);
}

/* Those in which none ended are such as see few. */
static double weight_of(const struct weighted *w, const struct ratio_cluster *c)
{
	double weight = known_weight(w, c);

	if (w->alike > 0)
		weight *= 1 + w->unseen * chance_of_none(c) / w->alike;
	return weight;
}

static double mean_of(const struct ratio_cluster *c)
{
	return c->sum / c->ended;
}

static bool is_single(const struct ratio_cluster *c)
{
	return c->ended > 0 && c->ended <= c->windows;
}

/* How operations vary that are the only ones of their windows: squared, relative to their mean. As 1 where they are few. */
static double variation_of_single(const struct ratio_cluster *c, size_t nr)
{
	double n = 0, sum = 0, squares = 0;

	for (size_t i = 0; i < nr; i++) {
		if (!is_single(&c[i]))
			continue;
		n++;
		sum += mean_of(&c[i]);
		squares += mean_of(&c[i]) * mean_of(&c[i]);
	}
	if (n < ESTIMATE_UNITS_MIN || !(sum > 0))
		return 1;
	return fmax(squares * n / (sum * sum) - 1, 0);
}

/* By how much the mean of one window is too high in the mean, to the first order: see hits as the limit of operations. */
static double own_error_of(const struct ratio_cluster *c, double single)
{
	double mean = mean_of(c);

	if (!(mean > 0))
		return 0;
	if (is_single(c))
		return mean * single;
	return c->squares / (c->ended - c->windows) / mean * c->windows / c->ended;
}

static struct weighted weigh(const struct ratio_cluster *c, size_t nr, const struct sums *s)
{
	struct weighted w = { .sums = s };
	double sum = 0, error = 0, single = variation_of_single(c, nr);

	for (size_t i = 0; i < nr; i++) {
		if (c[i].ended > 0)
			w.alike += known_weight(&w, &c[i]) * chance_of_none(&c[i]);
		else
			w.unseen += known_weight(&w, &c[i]);
	}
	for (size_t i = 0; i < nr; i++) {
		if (c[i].ended <= 0)
			continue;
		double weight = weight_of(&w, &c[i]);
		w.weights += weight;
		sum += weight * mean_of(&c[i]);
		error += weight * own_error_of(&c[i], single);
	}
	w.mean = sum / w.weights;
	w.own_error = error / w.weights;
	return w;
}

/* The mean that is the sum by all operations as far as there are no phases, and the weighted one as far as there are. */
struct blend {
	double phases;
	double mean;
	double variance; /* of the mean */
	double squares; /* of single operations */
	double weights2; /* ... by the square of what each counts for */
};

static struct blend blend(const struct ratio_cluster *c, size_t nr, const struct sums *s,
			  const struct weighted *w)
{
	struct blend b = { .phases = by_calls(s) };
	double r = s->sum / s->ended;

	b.mean = r + b.phases * (w->mean - r);
	for (size_t i = 0; i < nr; i++) {
		if (c[i].ended <= 0)
			continue;
		double weight = b.phases * weight_of(w, &c[i]) / w->weights;
		double e = (1 - b.phases) * (c[i].sum - r * c[i].ended) / s->ended +
			   weight * (mean_of(&c[i]) - w->mean);
		double each = (1 - b.phases) / s->ended + weight / c[i].ended;
		double squares = c[i].squares + c[i].sum * mean_of(&c[i]);
		b.variance += e * e * s->nr / (s->nr - 1);
		b.squares += each * squares;
		b.weights2 += each * each * squares;
	}
	return b;
}

/* How far phases can have taken the mean, in which `phases` of it is the one by calls. */
static double phases_error(const struct sums *s, const struct weighted *w, double phases)
{
	double moved = fabs(w->mean - s->sum / s->ended);

	if (s->calls_unknown)
		return phases_seen(s) * UNKNOWN_ERROR * moved;
	if (!tells_chance(s))
		return phases_seen(s) * CHANCE_ERROR * moved;
	return phases * (fmin(w->own_error, moved) + COUNTED_ERROR * moved);
}

struct ratio ratio_of(const struct ratio_cluster *clusters, size_t nr, double max)
{
	struct ratio ret = { 0, NAN };
	const struct sums s = sum_up(clusters, nr);

	if (s.nr < 1)
		return ret;
	ret.mean = s.sum / s.ended;
	if (s.nr < ESTIMATE_UNITS_MIN)
		return ret;
	const struct weighted w = weigh(clusters, nr, &s);
	const struct blend b = blend(clusters, nr, &s, &w);

	ret.mean = b.mean;
	/* Nothing but a mean of values of which some are far from it needs many of them. */
	if (b.squares > 2 * b.mean * b.mean && b.mean * b.mean < COUNTING_MIN * b.weights2)
		return ret;
	double error = phases_error(&s, &w, b.phases);
	if (error > ret.mean * PHASES_MAX)
		return ret;
	/* As if one more of the largest could have been met: never sure that there is no other. */
	double one_more = fmax(max - b.mean, 0) / s.ended;
	double single = (s.within2 + s.between2) / s.ended;
	ret.half_width = estimate_half_width(b.variance + one_more * one_more,
					     order_error(&s, single) + error, (size_t)s.nr);
	return ret;
}
