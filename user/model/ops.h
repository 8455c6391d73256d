/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations in the model: the calls of chosen functions, and what each of them allocates and takes.
 *
 * An operation is one call on one goroutine, from entry to return, with all that it calls there. A call inside a
 * call of the same function is part of it. Counts grow only, and are since the model began.
 */
#ifndef GALLOP_MODEL_OPS_H
#define GALLOP_MODEL_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"

struct model;

enum { MODEL_OPS_MAX = WIRE_OPS_MAX };

/*
 * All are sums but max. Of those that ended by a return: sum, max, pause_ns and assist_ns. Where operations are measured in
 * windows all of it is of those, but for entries.
 */
struct model_op_counts {
	uint64_t begun, ended;
	uint64_t panics, goexits; /* of begun: those that will never return */
	uint64_t
		began_before; /* returns of calls that had begun before counting did: not in begun */
	/* In windows only, else 0. */
	uint64_t
		entries; /* calls of the function, those inside another included, in windows or not */
	uint64_t uncounted_ns; /* time, since counting began, in which entries were not counted */
	uint64_t nested; /* calls inside a call of the same function; of those in windows */
	uint64_t cut; /* of begun: still open when their window closed, so measured by nothing */
	uint64_t pause_ns; /* stops of the world while they ran */
	uint64_t assist_ns; /* mark assists by their goroutines */
	uint64_t sum[WIRE_OP_VALUES];
	uint64_t max[WIRE_OP_VALUES];
};

/* What is measured of operations, beside calls and time. */
struct model_ops_known {
	bool allocs; /* objects, bytes and sites */
	bool pauses, assists;
	bool sampled; /* in windows: not every call was measured */
};

/*
 * What one window saw of an operation. It begins at random; what begins in it is measured to its end, until it has taken
 * its hits: then no more begin, and what is under way ends.
 */
struct model_op_window {
	uint64_t
		calls; /* entries of the time that it stands for; 0: not counted, or there were none */
	uint64_t ended, cut; /* as in model_op_counts */
	uint64_t late; /* of ended: those that ended after the last one could begin */
	uint64_t sum[WIRE_OP_VALUES]; /* of ended */
};

/* A function's operations; label: a short name for it, or "". Its id, in the order of calls, -E2BIG or -ENOMEM. */
int64_t model_op(struct model *m, const char *func, const char *label);
void model_ops_measured(struct model *m, const struct model_ops_known *known);

/* Counts since the model began. A member that is smaller than it was leaves what was. */
void model_op_set(struct model *m, uint32_t op, const struct model_op_counts *counts);

/* The same for how many operations had a value in a bucket: see wire_hist_bucket(). */
void model_op_set_bucket(struct model *m, uint32_t op, enum wire_op_value value, uint32_t bucket,
			 uint64_t count);

/*
 * A window more, for how sure means are. What it saw is in the counts as well: set them before, buckets above all, as they
 * tell how much operations differ inside of the window. Windows come in the order of their times. 0 or -ENOMEM.
 */
int model_op_window(struct model *m, uint32_t op, const struct model_op_window *w);

#endif
