/* SPDX-License-Identifier: BSD-2-Clause */
/* What a snapshot has of operations: a function each, what its calls took, and where they allocate. */
#ifndef GALLOP_MODEL_SNAPSHOT_OPS_H
#define GALLOP_MODEL_SNAPSHOT_OPS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/ops.h"

struct snapshot_stack;

/*
 * Of the operations that ended. p50, p90 and p99 (nearest rank) are within 0.8 %, those of ns within 0.4 %, and exact below 256; all 0 if none
 * ended. Of an interval max is the most that it can be: within 0.8 %, and no more than the largest of all time.
 */
struct snapshot_op_stat {
	double mean;
	/*
	 * Half-width of the mean's 95 % interval: 0 where every call was measured. NAN if it can't be told: too few windows,
	 * some operations were cut, or too few tell most of the sum.
	 */
	double mean_ci95;
	uint64_t p50, p90, p99, max;
};

/* Its stack ends with the operation's function: how that was called makes no difference. */
struct snapshot_op_site {
	uint64_t objects, bytes;
	double objects_per_op, bytes_per_op; /* of counts.begun; 0 if none began */
	const char *type;
	const struct snapshot_stack *stack;
};

struct snapshot_op {
	const char *func;
	const char *label; /* "" if it has none */
	struct model_op_counts counts;
	bool calls_known; /* false: the function recurses, or entries were not counted all the time */
	uint64_t calls; /* those that ended; of windows: all that began, in windows or not */
	uint64_t windows; /* in which one ended */
	uint64_t unmatched; /* panics and goexits: begun, and will never return */
	uint64_t open; /* begun, and neither ended, gone nor cut by the end */
	struct snapshot_op_stat stats[WIRE_OP_VALUES];
	double pause_per_op_ns, assist_per_op_ns; /* of those that ended */
	/* Of all sites: what was allocated in operations, those that did not end included. */
	uint64_t objects, bytes;
	struct snapshot_op_site
		*sites; /* as all tables are sorted; opts->places makes no difference */
	size_t sites_nr;
};

struct snapshot_ops {
	struct model_ops_known known;
	struct snapshot_op *ops; /* in the order in which they were asked for */
	size_t ops_nr; /* 0: operations weren't measured */
};

#endif
