/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bucket i is shift and mantissa: durations below 128 ns are their own index; from there each power
 * of two has shift s = log2 - 6, and the top 7 bits of the duration, 64 to 127, tell its buckets
 * apart.
 */
#include "model/histogram.h"

enum { STEPS = 1 << HISTOGRAM_STEP_BITS };

static size_t index_of(uint64_t ns)
{
	if (ns < 2 * STEPS)
		return ns;
	unsigned int shift = 63 - (unsigned int)__builtin_clzll(ns) - HISTOGRAM_STEP_BITS;
	if (shift > HISTOGRAM_BITS - HISTOGRAM_STEP_BITS - 1)
		return HISTOGRAM_NR - 1;
	return shift * STEPS + (ns >> shift);
}

static uint64_t middle_of(size_t i)
{
	if (i < 2 * STEPS)
		return i;
	size_t shift = i / STEPS - 1;
	return ((uint64_t)(i - shift * STEPS) << shift) + ((UINT64_C(1) << shift) / 2);
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->counts[index_of(ns)]++;
}

void histogram_merge(struct histogram *h, const struct histogram *more)
{
	for (size_t i = 0; i < HISTOGRAM_NR; i++)
		h->counts[i] += more->counts[i];
}

uint64_t histogram_rank(const struct histogram *h, uint64_t rank)
{
	for (size_t i = 0; rank && i < HISTOGRAM_NR; i++) {
		if (h->counts[i] >= rank)
			return middle_of(i);
		rank -= h->counts[i];
	}
	return 0;
}

uint64_t histogram_octave(const struct histogram *h, unsigned int bits)
{
	uint64_t n = bits == 0 ? h->counts[0] : 0;

	if (bits >= HISTOGRAM_BITS)
		return 0;
	size_t end = bits + 1 < HISTOGRAM_BITS ? index_of(UINT64_C(2) << bits) : HISTOGRAM_NR;
	for (size_t i = index_of(UINT64_C(1) << bits); i < end; i++)
		n += h->counts[i];
	return n;
}
