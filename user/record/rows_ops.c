/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model has bounded all of these numbers, so they fit the file's signed ones as they are. Of a distribution
 * only what grew is written: no more rows than operations that ended, three times.
 */
#include "record/rows_ops.h"

#include <string.h>

#include "model/op_tables.h"
#include "record/put.h"

int rows_put_op_watch(struct rows *r, const struct model *m)
{
	const struct model_ops_known *known = &m->ops->known;

	for (size_t *i = &r->done.ops; *i < m->ops->nr; ++*i) {
		const struct op_row *op = m->ops->rows[*i];
		int rc = put(r, ROWS_OP, NUM(*i), TEXT(m->texts.rows[op->func]->s),
			     TEXT(m->texts.rows[op->label]->s));
		if (rc)
			return rc;
	}
	if (!m->ops->nr)
		return SQLITE_OK;
	return put(r, ROWS_OP_WATCH, NUM(known->allocs), NUM(known->pauses), NUM(known->assists),
		   NUM(known->sampled));
}

static int put_hist(struct rows *r, const struct op_row *op, const uint64_t ids[2],
		    enum wire_op_value value)
{
	const uint64_t *now = op->hist_now.buckets[value], *base = op->hist_base.buckets[value];

	for (uint32_t i = 0; i < WIRE_HIST_BUCKETS; i++) {
		if (now[i] == base[i])
			continue;
		int rc = put(r, ROWS_OP_HIST, NUM(ids[0]), NUM(ids[1]), NUM(value), NUM(i),
			     NUM(now[i] - base[i]));
		if (rc)
			return rc;
	}
	return SQLITE_OK;
}

/* As the model has joined them: of one interval they are joined in no other way when they are read. */
static int put_windows(struct rows *r, const struct op_row *op, const uint64_t ids[2])
{
	int rc = SQLITE_OK;

	for (size_t i = 0; op->windows && !rc && i < op->windows->now.nr; i++) {
		const struct op_cluster *c = &op->windows->now.v[i];

		rc = put(r, ROWS_OP_WINDOW, NUM(ids[0]), NUM(ids[1]), NUM(i), NUM(c->windows),
			 NUM(c->calls), NUM(c->ended), NUM(c->late), NUM(c->sum[WIRE_OP_OBJECTS]),
			 NUM(c->sum[WIRE_OP_BYTES]), NUM(c->sum[WIRE_OP_NS]),
			 REAL(c->squares[WIRE_OP_OBJECTS]), REAL(c->squares[WIRE_OP_BYTES]),
			 REAL(c->squares[WIRE_OP_NS]));
	}
	return rc;
}

static int put_op(struct rows *r, const struct op_row *op, const uint64_t ids[2])
{
	const struct model_op_counts n = op_delta(op);
	int rc = SQLITE_OK;

	if (memcmp(&op->now, &op->base, sizeof(op->now)) != 0)
		rc = rows_put_counts(r, ROWS_OP_CALL, ids, op_counts_cv(&n), OP_COUNTS_NR);
	for (int value = 0; !rc && value < WIRE_OP_VALUES; value++)
		rc = put_hist(r, op, ids, (enum wire_op_value)value);
	return rc ? rc : put_windows(r, op, ids);
}

int rows_put_ops(struct rows *r, const struct model *m, size_t interval)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; !rc && i < m->ops->nr; i++)
		rc = put_op(r, m->ops->rows[i], (const uint64_t[]){ interval, i });
	return rc;
}
