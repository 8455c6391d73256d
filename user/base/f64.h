/* SPDX-License-Identifier: BSD-2-Clause */
/* fmin() and fmax() without their care for what is no number: of two, if one is that, it is the second. */
#ifndef GALLOP_BASE_F64_H
#define GALLOP_BASE_F64_H

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

#endif
