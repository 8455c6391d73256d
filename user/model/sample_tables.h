/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples inside a model, for those that walk them: estimates, the snapshot and the recording.
 *
 * Time is cut into strata, which are estimated one by one and added up: a program's phases then weigh as much as they
 * allocated, however many windows fell into them. A stratum ends where an interval does, as only there the
 * runtime's counts are known, and has SAMPLES_STRATUM_UNITS windows that saw something, or many that didn't. The latest two
 * are kept whole and estimated as one, so that the last, which has just begun, never stands alone; what is older is folded into sums by site.
 */
#ifndef GALLOP_MODEL_SAMPLE_TABLES_H
#define GALLOP_MODEL_SAMPLE_TABLES_H

#include "model/samples.h"
#include "model/tables.h"

enum {
	SAMPLES_STRATUM_UNITS = 16, /* that saw something, or ... */
	SAMPLES_STRATUM_UNITS_MAX = 256, /* ... so many in all */
	/* Kept at a time: an interval may be long, and only at its end can be folded. More are -E2BIG. */
	SAMPLES_UNITS_MAX = 4096,
	/* The runtime's samples that an interval needs for shares of its own; else those of the last minute count. */
	SAMPLES_SHARES_MIN = 30,
	SAMPLES_TINY_BLOCK_CLASS = 2, /* of GO_TINY_SIZE bytes */
	/* What the estimator holds of each row of a window while it works: of a pair of its own, 8 groups and more. */
	SAMPLES_ESTIMATOR_ROW_SZ = 640,
	SAMPLES_MILLI = 1000, /* of a call, or a large object */
	SAMPLES_KIB2 = 1024 * 1024, /* bytes squared */
	SAMPLES_PPM = 1000 * 1000, /* shares in a recording: parts per million */
};

/* Bytes, or objects, of a class: so no sum of classes overflows. No heap allocates that much. */
#define SAMPLES_CLASS_MAX (UINT64_C(1) << 56)

/* Moments that counts are remembered of. All but the first are ends of intervals. */
enum sample_when {
	SAMPLE_NOW,
	SAMPLE_BASE, /* when the current interval began */
	SAMPLE_FOLDED, /* up to here all is folded */
	SAMPLE_MIDDLE, /* where the first of the kept strata ends; before it has, where it began */
	SAMPLE_RECENT, /* half a minute ago, up to a minute */
	SAMPLE_RECENT_NEXT, /* less than that ago */
	SAMPLE_WHEN_NR,
};

struct sample_mark {
	uint64_t mono_ns; /* not of SAMPLE_NOW */
	struct model_class_counts all; /* the runtime's own */
	struct model_class_counts by_site; /* of those, what sites have counted exactly */
	uint64_t sampled; /* by the runtime */
};

/* An estimate, or the sum of several that don't depend on each other. */
struct sample_sum {
	double objects, variance, systematic;
	bool from_windows;
};

/* Of a site: [0] of its size class; [1] of a tiny one, its objects that open a block; of large ones, their bytes. */
enum { SAMPLE_SLOTS = 2 };

struct sample_site {
	uint64_t sampled[SAMPLE_WHEN_NR];
	struct sample_sum folded[SAMPLE_SLOTS];
	struct model_large_samples large[]; /* SAMPLE_WHEN_NR of a site of large objects */
};

/* One window; its arrays are sorted by what they are of, which is there once. */
struct sample_unit {
	uint64_t start_ns, slot_ns, refill_ns, kept_ns;
	uint64_t hits;
	struct estimate_unit alloc; /* arrays lie behind, times are those above */
	struct model_unit_map_op *map_ops;
	size_t map_ops_nr;
	size_t charged; /* of the model's memory */
};

/*
 * Calls of an operation of maps at a site: they are between two numbers, which are the same where what goroutines allocate
 * tells. Of the first, the variance. seen: in windows, no more.
 */
struct sample_calls {
	double least, most, variance, seen;
};

/* What estimates were made from. */
struct sample_evidence {
	uint64_t units, hits, sampled;
	uint64_t alike; /* windows that would tell as much, if all told equally much */
	uint64_t map_units; /* windows that operations of maps are estimated from */
	double dilation_sum; /* of those units whose dilation is known */
	uint64_t dilation_units;
};

struct model_samples {
	bool on;
	uint64_t hit_ns;
	uint64_t rate; /* runtime.MemProfileRate as last known, 0: there are no samples now */
	uint64_t stratum_rate; /* of the samples since SAMPLE_FOLDED */
	struct sample_mark marks[SAMPLE_WHEN_NR];
	struct sample_unit **units; /* oldest first */
	size_t units_nr, units_cap;
	size_t middle_units; /* how many are before SAMPLE_MIDDLE */
	size_t base_units; /* how many are before the current interval */
	uint64_t units_seq; /* units so far, folded ones included */
	uint64_t kept_hits; /* objects in the kept parts of all of those */
	struct sample_evidence folded;
	uint64_t lost; /* samples without room */
	bool has_map_ops; /* windows saw operations of maps */
	struct model_cost cost, cost_base;
};

/* Which of a site's two estimates a class is of, or -1: none that it can have. */
static inline int samples_slot(uint32_t site_class, uint32_t size_class)
{
	if (site_class == size_class)
		return 0;
	if (site_class == MODEL_CLASS_LARGE)
		return size_class == ESTIMATE_LARGE_BYTES ? 1 : -1;
	return site_class == MODEL_CLASS_TINY && size_class == SAMPLES_TINY_BLOCK_CLASS ? 1 : -1;
}

static inline uint32_t samples_slot_class(uint32_t site_class, int slot)
{
	if (slot && site_class == MODEL_CLASS_LARGE)
		return ESTIMATE_LARGE_BYTES;
	return slot ? SAMPLES_TINY_BLOCK_CLASS : site_class;
}

static inline uint64_t samples_growth(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

/* A share in parts per million, the nearest; no more than a recording can have. */
uint64_t samples_ppm(double share);

/* Whole nanoseconds, as a recording keeps them: what is live is estimated from those, too. Nonsense is 0. */
uint64_t samples_whole_ns(double s);

/* Bytes of so many objects of a class that isn't the large ones'. */
uint64_t samples_class_bytes(uint32_t size_class, uint64_t objects);

/* What was added from one moment to another; a count that fell was added nothing to. */
struct model_class_counts samples_between(const struct model_class_counts *from,
					  const struct model_class_counts *to);

/* No more of any class than SAMPLES_CLASS_MAX. */
struct model_class_counts samples_bounded(const struct model_class_counts *counts);

/* What was added from one moment to another. */
struct model_large_samples samples_large_between(const struct model_large_samples *from,
						 const struct model_large_samples *to);

/* Objects and bytes of all classes. */
struct model_count samples_total(const struct model_class_counts *counts);

/* Where a site's exact counts are counted by class. */
void samples_count_site(struct model *m, uint32_t size_class, uint64_t objects, uint64_t bytes);

/* The site's row, made if there is none: NULL if there is no room. */
struct sample_site *samples_site(struct model *m, uint32_t site);

/* Windows and samples of the runtime since the model began. */
uint64_t samples_events(const struct model_samples *samples);

void samples_next_interval(struct model *m, uint64_t mono_ns);
void samples_deinit(struct model_samples *samples);

#endif
