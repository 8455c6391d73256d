/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/op_tables.h"

#include <assert.h>
#include <stdlib.h>

#include "base/u64.h"

int64_t model_op(struct model *m, const char *func, const char *label)
{
	struct model_ops *ops = m->ops;

	if (ops->nr == MODEL_OPS_MAX)
		return -E2BIG;
	int64_t func_id = intern_text(m, func), label_id = intern_text(m, label);
	if (func_id < 0 || label_id < 0)
		return func_id < 0 ? func_id : label_id;
	int rc = model_charge(m, sizeof(struct op_row) + sizeof(struct op_windows));
	if (rc)
		return rc;
	struct op_row *row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->func = (uint32_t)func_id;
	row->label = (uint32_t)label_id;
	ops->rows[ops->nr] = row;
	return (int64_t)ops->nr++;
}

void model_ops_measured(struct model *m, const struct model_ops_known *known)
{
	m->ops->known = *known;
}

void model_op_set(struct model *m, uint32_t op, const struct model_op_counts *counts)
{
	assert(op < m->ops->nr);
	uint64_t *now = op_counts_v(&m->ops->rows[op]->now);
	const uint64_t *v = op_counts_cv(counts);

	for (size_t i = 0; i < OP_COUNTS_NR; i++)
		now[i] = max_u64(now[i], min_u64(v[i], INT64_MAX));
}

void model_op_set_bucket(struct model *m, uint32_t op, enum wire_op_value value, uint32_t bucket,
			 uint64_t count)
{
	assert(op < m->ops->nr && value < WIRE_OP_VALUES && bucket < WIRE_HIST_BUCKETS);
	struct op_row *row = m->ops->rows[op];
	uint64_t *now = &row->hist_now.buckets[value][bucket];
	uint64_t was = *now;

	*now = max_u64(was, min_u64(count, INT64_MAX));
	if (m->ops->known.sampled && *now != was)
		op_grow(&row->growth[value], bucket, *now - was);
}

void op_counts_add(struct model_op_counts *to, const struct model_op_counts *n)
{
	uint64_t *now = op_counts_v(to);
	const uint64_t *v = op_counts_cv(n);

	for (size_t i = 0; i < OP_SUMS_NR; i++)
		now[i] = sum_u63(now[i], v[i]);
	for (size_t i = OP_SUMS_NR; i < OP_COUNTS_NR; i++)
		now[i] = max_u64(now[i], min_u64(v[i], INT64_MAX));
}

void op_hist_add(struct op_row *op, enum wire_op_value value, uint32_t bucket, uint64_t count)
{
	uint64_t *now = &op->hist_now.buckets[value][bucket];

	*now = sum_u63(*now, count);
}

static uint64_t highest_value(const uint64_t *buckets)
{
	for (uint32_t i = WIRE_HIST_BUCKETS; i-- > 0;)
		if (buckets[i])
			return op_bucket_top(i);
	return 0;
}

void ops_bound_max(struct model_ops *ops)
{
	for (size_t i = 0; i < ops->nr; i++) {
		struct op_row *op = ops->rows[i];
		for (int v = 0; v < WIRE_OP_VALUES; v++)
			op->now.max[v] = min_u64(op->now.max[v],
						 highest_value(op->hist_now.buckets[v]));
	}
}

void ops_deinit(struct model_ops *ops)
{
	for (size_t i = 0; i < ops->nr; i++) {
		free(ops->rows[i]->windows);
		free(ops->rows[i]);
	}
}

void ops_next_interval(struct model_ops *ops)
{
	for (size_t i = 0; i < ops->nr; i++) {
		ops->rows[i]->base = ops->rows[i]->now;
		ops->rows[i]->hist_base = ops->rows[i]->hist_now;
		op_next_windows(ops->rows[i]);
	}
}

struct model_op_counts op_delta(const struct op_row *op)
{
	struct model_op_counts delta = op->now;
	uint64_t *v = op_counts_v(&delta);
	const uint64_t *base = op_counts_cv(&op->base);

	for (size_t i = 0; i < OP_SUMS_NR; i++)
		v[i] -= base[i];
	return delta;
}

/* The counts of one moment may be of several: what ended meanwhile has begun meanwhile, too. */
uint64_t op_open(const struct op_row *op)
{
	struct model_op_counts n = op->before;

	op_counts_add(&n, &op->now);
	uint64_t gone = sum_u63(sum_u63(n.ended, n.cut), sum_u63(n.panics, n.goexits));
	return n.begun > gone ? n.begun - gone : 0;
}

uint64_t ops_events(const struct model_ops *ops)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < ops->nr; i++) {
		const struct model_op_counts *n = &ops->rows[i]->now;

		sum = sum_u63(sum, sum_u63(n->begun, n->began_before));
		sum = sum_u63(sum, sum_u63(n->ended, sum_u63(n->panics, n->goexits)));
	}
	return sum;
}
