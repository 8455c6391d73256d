/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations inside a model, for the two that walk them: the snapshot and the recording. All numbers are below
 * 2^63 and no sum overflows, whatever the target says: it stays at the largest.
 */
#ifndef GALLOP_MODEL_OP_TABLES_H
#define GALLOP_MODEL_OP_TABLES_H

#include "model/ops.h"
#include "model/tables.h"

/* All members are numbers of 64 bits, and those of max come last. */
enum {
	OP_COUNTS_NR = sizeof(struct model_op_counts) / sizeof(uint64_t),
	OP_SUMS_NR = OP_COUNTS_NR - WIRE_OP_VALUES,
};
_Static_assert(offsetof(struct model_op_counts, max) == OP_SUMS_NR * sizeof(uint64_t),
	       "max is the last");

static inline uint64_t *op_counts_v(struct model_op_counts *counts)
{
	return &counts->begun;
}

static inline const uint64_t *op_counts_cv(const struct model_op_counts *counts)
{
	return &counts->begun;
}

struct op_hist {
	uint64_t buckets[WIRE_OP_VALUES][WIRE_HIST_BUCKETS];
};

/* The largest value of a bucket. */
static inline uint64_t op_bucket_top(uint32_t bucket)
{
	return bucket == WIRE_HIST_BUCKETS - 1
		       ? UINT64_MAX
		       : wire_hist_low(bucket) + wire_hist_width(bucket) - 1;
}

/*
 * Windows in which operations ended, one or several neighbours together; or such as saw none end, though there were calls:
 * then windows is 0, and so is all but calls.
 */
struct op_cluster {
	uint64_t windows, ended, late;
	uint64_t calls; /* of the time that they stand for; 0: not known, of one or all of them */
	uint64_t sum[WIRE_OP_VALUES];
	/* Of how much each operation took more or less than the mean of its window. */
	double squares[WIRE_OP_VALUES];
};

/* Where there is no more room neighbours become one: so many are enough for any interval. */
enum { OP_CLUSTERS_MAX = 1024 };

struct op_clusters {
	size_t nr;
	struct op_cluster v[OP_CLUSTERS_MAX]; /* oldest first */
};

struct op_windows {
	struct op_clusters past, now; /* before the current interval; in it */
};

/* What buckets grew by since the last window. */
struct op_growth {
	double nr, sum, squares;
};

struct op_row {
	uint32_t func, label; /* texts */
	struct model_op_counts now, base; /* since the model began; when the current interval did */
	struct op_hist hist_now, hist_base;
	struct model_op_counts before; /* of a part of a recording: what came before it */
	struct op_windows *windows; /* NULL: there was none */
	struct op_growth growth[WIRE_OP_VALUES]; /* of sampled ones */
};

struct model_ops {
	struct model_ops_known known;
	struct op_row *rows[MODEL_OPS_MAX];
	size_t nr;
};

void ops_deinit(struct model_ops *ops);
void ops_next_interval(struct model_ops *ops);

/* What was added in the current interval; the largest values are of all time. */
struct model_op_counts op_delta(const struct op_row *op);

/* Operations that had begun by the end, and neither ended nor gone. */
uint64_t op_open(const struct op_row *op);

/* All that happened to operations since the model began: beginnings and ends. */
uint64_t ops_events(const struct model_ops *ops);

/*
 * For a reader, who has what was added: sums are added, the largest values are the larger ones. These are of all
 * time before, too; of a part of a recording they are no more than is in the highest bucket there.
 */
void op_counts_add(struct model_op_counts *to, const struct model_op_counts *n);
void op_hist_add(struct op_row *op, enum wire_op_value value, uint32_t bucket, uint64_t count);
void ops_bound_max(struct model_ops *ops);

/* Windows of the current interval; nothing of it that a recording says is out of bounds. 0 or -ENOMEM. */
int op_add_cluster(struct op_row *op, const struct op_cluster *cluster);
void op_next_windows(struct op_row *op);

/* All of them, joined as if the current interval had ended. */
void op_all_windows(const struct op_windows *windows, struct op_clusters *ret);

/* A bucket grew by so many. */
void op_grow(struct op_growth *growth, uint32_t bucket, uint64_t nr);

#endif
