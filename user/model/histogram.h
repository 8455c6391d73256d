/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Durations counted by their length, in a memory that doesn't grow: 64 buckets for each power of
 * two.
 *
 * A bucket is at most 1/64 as wide as what falls into it, and its middle stands for all of it, so
 * what comes out is within 0.8 % of what went in (below 128 ns it is exact). Above an hour all are
 * one.
 */
#ifndef GALLOP_MODEL_HISTOGRAM_H
#define GALLOP_MODEL_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
	HISTOGRAM_STEP_BITS = 6, /* 64 buckets for each power of two */
	HISTOGRAM_BITS = 42, /* of the longest duration that is told apart: 73 minutes */
	HISTOGRAM_NR = (HISTOGRAM_BITS - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS,
};

/* Of durations of the collector; what operations take is counted in the kernel, more finely: wire_hist_bucket(). */
struct histogram {
	uint64_t counts[HISTOGRAM_NR];
};

void histogram_add(struct histogram *h, uint64_t ns);
void histogram_merge(struct histogram *h, const struct histogram *more);

/* The rank-th shortest duration, from 1; 0 if there are not so many. */
uint64_t histogram_rank(const struct histogram *h, uint64_t rank);

/*
 * How many are in [2^bits, 2^(bits + 1)) ns; 0 and 1 ns belong to bits = 0. Nothing is estimated.
 */
uint64_t histogram_octave(const struct histogram *h, unsigned int bits);

#endif
