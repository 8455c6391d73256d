/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a model is given when not every allocation is looked at: exact totals by class, windows, and the runtime's own
 * samples. The estimates are made when a snapshot is (see estimate/estimate.h).
 *
 * What was counted exactly (model_site_add) and what is estimated add up: a session may count one kind of object, or one
 * part of its time, exactly and the rest not.
 */
#ifndef GALLOP_MODEL_SAMPLES_H
#define GALLOP_MODEL_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "estimate/estimate.h"
#include "model/model.h"

/* What the runtime has allocated since counting began, by estimate.h's classes. */
struct model_class_counts {
	uint64_t objects[ESTIMATE_CLASS_NR];
	uint64_t large_bytes;
};

/* What tracing costs. Times are CPU times of the target's threads. */
struct model_cost {
	bool known;
	double budget; /* share of the target's CPU time that tracing may take; 0: no bound */
	double predicted; /* share that it takes, by what a hit was measured to cost; since counting began */
	double predicted_now; /* ... in the last 30 seconds or less */
	uint64_t ns_per_hit,
		ns_per_switch; /* measured at the start: a hit; attaching and detaching a window */
	bool calibrated; /* ... else that failed, and both are what a slow machine takes */
	uint64_t hits; /* of all probes, since counting began */
	/*
	 * Of those, what estimates of allocations can be made from: objects in the kept parts of windows, and the
	 * runtime's own samples. The model counts them.
	 */
	uint64_t kept_hits;
	uint64_t windows;
	uint64_t failed_windows; /* beside these: their probes could not be put in */
	uint64_t overruns; /* windows that ended later than they were to */
	uint64_t
		other_probes; /* of other tracers on the same process, as far as can be told; the most at once */
	char off[128]; /* what was turned off to keep the budget, in words; "" nothing */
};

enum model_map_operation { MODEL_MAP_ASSIGN, MODEL_MAP_DELETE, MODEL_MAP_OPERATIONS };

/* Operations of maps that the kept part of a window saw. */
struct model_unit_map_op {
	uint32_t map_site;
	uint32_t root;
	enum model_map_operation operation;
	uint64_t calls;
	uint64_t alone; /* of those: by goroutines of which the window saw no allocation */
	/*
	 * Of `alone` there would have been as many, and no more, had nobody looked, in thousandths: estimate/slowed.h. Less
	 * than they are says the same as they.
	 */
	uint64_t most_milli;
	double rate; /* of those that aren't alone, in a second, as estimate_hit's */
};

/* Rates are kept in thousandths. */
uint64_t samples_rate_milli(double rate);

/* A call's part of most_milli, from slowed_at_most(). */
uint64_t samples_most_milli(double most);

/* One window, whole; all is copied. Roots are model_root()s, sites model_site()s, objects as estimate.h wants them. */
struct model_unit {
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	uint64_t hits; /* all of both stages, thrown away ones included */
	struct estimate_unit alloc;
	const struct model_unit_map_op *map_ops;
	size_t map_ops_nr;
};

/* The model is of a session that samples. hit_ns: what a hit costs. */
void model_sampled(struct model *m, uint64_t hit_ns);

/* What a hit costs, as model_sampled() has it. */
uint64_t model_hit_ns(const struct model *m);

/*
 * The root of a stack's goroutine: its outermost function that isn't the runtime's; of the runtime's own goroutines the
 * outermost one. Stacks whose root is cut off, whosever they are, are of one. The id of that function in the model: roots are as
 * many as functions.
 */
uint32_t model_root(const struct model *m, uint32_t stack);

/* As of now; with every interval, before it ends. */
void model_set_class_counts(struct model *m, const struct model_class_counts *counts);

/* 0, -ENOMEM, or -E2BIG when the model has no room. Units come in the order of their times. */
int model_add_unit(struct model *m, const struct model_unit *unit);

/*
 * The rate at which the runtime samples (runtime.MemProfileRate, bytes; 0: not at all) in the current interval. Before
 * it ends: where the rate changes, what was before the interval is estimated by itself.
 */
void model_set_profile_rate(struct model *m, uint64_t rate);

/* n objects of a site were sampled by the runtime, at this rate. None of large objects. */
void model_add_sampled(struct model *m, uint32_t site, uint64_t n, uint64_t rate);

/* Of samples of large objects, the sums of struct estimate_large; of whole numbers, as a recording keeps them. */
struct model_large_samples {
	uint64_t milli, variance_milli; /* objects, in thousandths */
	uint64_t bytes, variance_kib2; /* KiB squared */
};

/* One sample: size as profilealloc is told it, at a rate that isn't 0. */
struct model_large_samples samples_of_large(uint64_t size, uint64_t rate);

/* n samples of a site of large objects. */
void model_add_sampled_large(struct model *m, uint32_t site, uint64_t n,
			     const struct model_large_samples *large, uint64_t rate);

struct model_cost *model_cost(struct model *m); /* for the owner to fill */

#endif
