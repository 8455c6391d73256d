/* SPDX-License-Identifier: BSD-2-Clause */
/* fmin() and fmax() without their care for what is no number: of two, if one is that, it is the second. */
#ifndef GALLOP_BASE_F64_H
#define GALLOP_BASE_F64_H

#include <stdint.h>

static inline double min_f64(double a, double b)
{
	return a < b ? a : b;
}

static inline double max_f64(double a, double b)
{
	return a > b ? a : b;
}

static inline double clip_f64(double v, double min, double max)
{
	return v < min ? min : v > max ? max : v;
}

/* A count that was kept as a double, which can be one more than any 64 bits hold. What is below 0, or no number, is 0. */
static inline uint64_t count_f64(double v)
{
	return v > 0 ? v < (double)INT64_MAX ? (uint64_t)v : INT64_MAX : 0;
}

/* The nearest whole number, no more than max. What is below 0, or no number, is 0. */
static inline uint64_t whole_f64(double v, uint64_t max)
{
	if (!(v > 0))
		return 0;
	uint64_t nearest = v < (double)max ? (uint64_t)(v + 0.5) : max;
	return nearest < max ? nearest : max;
}

#endif
