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

/* All are sums but max. Of those that ended by a return: sum, max, pause_ns and assist_ns. */
struct model_op_counts {
	uint64_t begun, ended;
	uint64_t panics, goexits; /* of begun: those that will never return */
	uint64_t
		began_before; /* returns of calls that had begun before counting did: not in begun */
	uint64_t pause_ns; /* stops of the world while they ran */
	uint64_t assist_ns; /* mark assists by their goroutines */
	uint64_t sum[WIRE_OP_VALUES];
	uint64_t max[WIRE_OP_VALUES];
};

/* What is measured of operations, beside calls and time. */
struct model_ops_known {
	bool allocs; /* objects, bytes and sites */
	bool pauses, assists;
};

/* A function's operations; label: a short name for it, or "". Its id, in the order of calls, -E2BIG or -ENOMEM. */
int64_t model_op(struct model *m, const char *func, const char *label);
void model_ops_measured(struct model *m, const struct model_ops_known *known);

/* Counts since the model began. A member that is smaller than it was leaves what was. */
void model_op_set(struct model *m, uint32_t op, const struct model_op_counts *counts);

/* The same for how many operations had a value in a bucket: see wire_hist_bucket(). */
void model_op_set_bucket(struct model *m, uint32_t op, enum wire_op_value value, uint32_t bucket,
			 uint64_t count);

#endif
