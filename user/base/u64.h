/* SPDX-License-Identifier: BSD-2-Clause */
/* What C lacks for numbers, and qsort() for order. */
#ifndef GALLOP_BASE_U64_H
#define GALLOP_BASE_U64_H

#include <stdint.h>

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline int cmp_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Numbers that a recording, or a reader of JSON, can hold: the largest is 2^63 - 1, and a sum stays there. */
static inline uint64_t sum_u63(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) || sum > INT64_MAX ? INT64_MAX : sum;
}

/* The rank, from 1, that a percentile of n values has: ceil(n * percent / 100). */
static inline uint64_t nearest_rank(uint64_t n, unsigned int percent)
{
	return n / 100 * percent + (n % 100 * percent + 99) / 100;
}

#endif
