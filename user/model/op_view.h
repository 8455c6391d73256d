/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations' part of building a snapshot. */
#ifndef GALLOP_MODEL_OP_VIEW_H
#define GALLOP_MODEL_OP_VIEW_H

#include <stdbool.h>
#include <stddef.h>

struct model;
struct op_pick;
struct shown;
struct shown_op;
struct snapshot_opts;
struct snapshot_ops;

/* The sites inside operations on their way into the snapshot: one for each operation that a site is in. */
struct op_picks {
	struct op_pick *v;
	struct shown_op *stacks; /* of each */
	size_t nr;
};

/* 0 or -ENOMEM; op_picks_deinit() in any case. Nothing is allocated where there are no operations. */
int op_view_pick(struct op_picks *picks, const struct model *m, bool interval);
void op_picks_deinit(struct op_picks *picks);

/* When the picks' stacks are shown. 0 or -ENOMEM; op_view_deinit() in any case. */
int op_view_init(struct snapshot_ops *view, const struct model *m, const struct shown *sh,
		 struct op_picks *picks, const struct snapshot_opts *opts);
void op_view_deinit(struct snapshot_ops *view);

#endif
