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

#endif
