/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How sure a mean is that was measured in windows: so many operations in each, and what they took in sum. Pure: numbers
 * in, numbers out.
 *
 * The mean is the sum of all windows by the operations of all, where nothing says otherwise. A window ends by what it has taken, not by how
 * many operations it has seen; as those under way are measured to their end, that makes no difference to the ratio of
 * the sums (Wald's equation), while the mean of the windows' means would be wrong. But where windows differ from each other
 * by more than chance there are times of small and of large operations, and then it is the mean of windows that count for
 * the calls that they stand for; in between, as sure as that is, something of both.
 */
#ifndef GALLOP_ESTIMATE_RATIO_H
#define GALLOP_ESTIMATE_RATIO_H

#include <stddef.h>

/*
 * Windows, one or several neighbours together. Where no operation ended nothing but calls counts: they say how much of the
 * time there is of which only windows that saw few tell anything.
 */
struct ratio_cluster {
	double windows; /* in which operations ended */
	double ended; /* operations; 0: there were none in these */
	double late; /* of those, that ended after the last one could begin */
	double calls; /* of the time that they stand for; 0: not known */
	double sum; /* of what the operations took */
	double squares; /* of how much each took more or less than the mean of its window */
};

struct ratio {
	double mean;
	double half_width; /* of its 95 % interval; NAN if it can't be told */
};

/*
 * max: what the largest of all operations took; nr 0: the mean is 0. There is no half-width of fewer clusters than
 * ESTIMATE_UNITS_MIN, nor if most of the sum is of so few operations that one more or less of them makes a difference.
 */
struct ratio ratio_of(const struct ratio_cluster *clusters, size_t nr, double max);

#endif
