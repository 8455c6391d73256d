/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a part to the whole: how many objects each site has allocated, and how sure that is, when only some were
 * looked at. Pure: numbers in, numbers out.
 *
 * What is exact is how many objects of each class the runtime has allocated. What is estimated is how a class divides
 * among sites. Two kinds of evidence: windows (two-stage: refills tell how much each goroutine root allocates, the hits
 * of a short exact stage how that divides among the sites below it), and the runtime's own Poisson samples.
 *
 * Classes are Go's size classes, with 0 for large objects; class 2 has the blocks of tiny objects, and
 * ESTIMATE_CLASS_TINY those tiny objects that found room in a block already begun, which take no bytes of their own
 * (as MemStats counts: runtime/mstats.go tinyAllocCount). Sites and roots are the caller's numbers, from 0.
 *
 * Large objects are of any size. How their bytes divide is estimated apart from how their number does, as if bytes were
 * objects of one class more, ESTIMATE_LARGE_BYTES, which only results and the runtime's samples name.
 */
#ifndef GALLOP_ESTIMATE_ESTIMATE_H
#define GALLOP_ESTIMATE_ESTIMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ESTIMATE_CLASS_LARGE = 0,
	ESTIMATE_CLASS_TINY = 68,
	ESTIMATE_CLASS_NR = 69,
	ESTIMATE_LARGE_BYTES = ESTIMATE_CLASS_NR,
	ESTIMATE_SUMS_NR, /* what adds up to a number that is known */
	/* Fewer windows give no interval: it would be narrower than what is known. */
	ESTIMATE_UNITS_MIN = 8,
};

/* Objects that goroutines with this root used up of a class, as far as refills in the first stage tell. */
struct estimate_refill {
	uint32_t root, size_class;
	uint64_t objects;
};

/*
 * How long it took a root's goroutines from refill to refill of the first stage, of any class, each by itself and on
 * whatever threads: waiting is part of it, as a goroutine that waits is slowed down less. (Gaps of threads make those that
 * wait seem as slow as loops: 14 % off where these are 4 %.)
 */
struct estimate_gaps {
	uint32_t root;
	uint32_t nr; /* gaps */
	double sum_s;
};

/* What the kept part of the exact stage saw. A site may be met with two classes: tiny ones. */
struct estimate_hit {
	uint32_t site, root, size_class;
	uint64_t objects;
	uint64_t bytes; /* of large ones */
	double rate; /* objects in a second, by those: see inclusion.h. 0: as they were in what is kept of the unit */
};

/* What the program did just before the second stage: in rest it did next to nothing. */
enum estimate_began {
	ESTIMATE_BEGAN_UNKNOWN = 0, /* there was no first stage, or nothing was seen */
	ESTIMATE_BEGAN_AT_WORK = 1,
	ESTIMATE_BEGAN_IN_REST = 2,
	ESTIMATE_BEGAN_IN_REST_CUT =
		3, /* ... and the window ended in the middle of what came then */
	ESTIMATE_BEGAN_NR,
};

/*
 * One window. It stands for slot_s of time, and began at random in it. Limits of the second stage, and how much of it is
 * thrown away, are best by chance too, up to a third more or less: windows that are all alike begin and end at the same
 * places of operations that come one at a time, and see those too often (tests/unit/test_estimate_sim.c).
 *
 * Roots are the same numbers in all three: a root of which refills are known but no hits is unsampled. If no unit of a span
 * has a first stage all goroutines are one root.
 */
struct estimate_unit {
	double slot_s;
	double refill_s; /* length of the first stage; 0: there was none */
	double kept_s; /* of the kept part of the second; 0: there was none */
	enum estimate_began began;
	uint32_t
		times; /* the second stage's limits were so many times as large as others' are; 0 as 1 */
	const struct estimate_refill *refills;
	const struct estimate_gaps *gaps;
	const struct estimate_hit *hits;
	size_t refills_nr, gaps_nr, hits_nr;
};

/* Of some units those with the largest limits: how large these are, and how many of them saw something. */
struct estimate_longest {
	uint32_t times;
	size_t nr;
};

static inline void estimate_longest_add(struct estimate_longest *to,
					const struct estimate_unit *unit, bool saw)
{
	if (unit->times > to->times)
		*to = (struct estimate_longest){ .times = unit->times };
	to->nr += saw && unit->times == to->times;
}

/* A span of time, and what is known of it. */
struct estimate_span {
	double wall_s;
	uint64_t objects[ESTIMATE_CLASS_NR]; /* exact, less what was counted exactly by site */
	uint64_t large_bytes; /* ... of large ones */
	double hit_s; /* what a hit costs its thread; corrected by what refills and objects come to */
	const struct estimate_unit *const *units;
	size_t units_nr;
	/*
	 * The runtime's samples: how many each site has, of one class. NULL: it takes none. What they stand for, and the
	 * variance of that, in sum: 0 is the same for all samples of the class. Large objects have both, once as objects
	 * and once as bytes: estimate_large().
	 */
	const struct estimate_sampled {
		uint32_t site, size_class;
		uint64_t samples;
		double weight, noise;
	} * sampled;
	size_t sampled_nr;
	uint64_t mem_profile_rate; /* bytes; 0: windows only */
	size_t sites_nr, roots_nr;
};

/*
 * Of a site and class, objects and their variance; bytes follow from the class. `systematic` is what no number of windows
 * takes away, by dilation: in objects, too. Of several parts variances add up, and systematic errors as they are; of bytes
 * both are those of objects times the slot's size, squared for the variance. Of large objects bytes are parts of their own:
 * what is said of objects is of bytes there.
 */
struct estimate_part {
	uint32_t site, size_class;
	double objects;
	double variance;
	double systematic;
	bool from_windows;
};

struct estimate_result {
	struct estimate_part
		*parts; /* sorted by site, then class; what has no evidence isn't there */
	size_t parts_nr;
	size_t units_nr; /* that told something */
	size_t alike_nr; /* as many that tell equally much would tell as much: what intervals are made by */
	double dilation; /* how much slower the target was in windows, 1: not at all; 0: not known */
	/* By class: objects that no site could be told for (root seen, stack not; or nothing seen). */
	double unsampled[ESTIMATE_SUMS_NR];
};

/* What one sample of a large object stands for, and the variance of that. */
struct estimate_large {
	double objects, objects_variance;
	double bytes, bytes_variance;
};

/* 0 or -ENOMEM. estimate_free() in any case. */
int estimate(const struct estimate_span *span, struct estimate_result *ret);
void estimate_free(struct estimate_result *r);

/* `size` is what the runtime samples by, `bytes` what it counts; at mem_profile_rate, which isn't 0. */
struct estimate_large estimate_large(uint64_t size, uint64_t bytes, uint64_t mem_profile_rate);

/*
 * Half-width of the 95 % interval: of what has this variance in total, and this systematic part, from units_nr windows
 * (Student's t), or from Poisson samples (units_nr 0: normal). NAN if it can't be told: the variance is NAN, or 0 < units_nr < ESTIMATE_UNITS_MIN.
 */
double estimate_half_width(double variance, double systematic, size_t units_nr);

#endif
