/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations for the sample, by the calls that a live session makes: of two functions one calls the other, so what
 * the inner one allocates belongs to both; some end otherwise than by a return, and one is still open at the end.
 */
#ifndef GALLOP_TESTS_UNIT_SAMPLE_OP_CALLS_H
#define GALLOP_TESTS_UNIT_SAMPLE_OP_CALLS_H

#include "model/op_tables.h"
#include "sample.h"

enum { SAMPLE_OP_OBJECTS = 40 }; /* allocated inside of operations in each second */

/* One function's operations so far. */
struct sample_op_calls {
	struct model_op_counts counts;
	struct op_hist hist;
};

static inline void sample_op_ended(struct sample_op_calls *op,
				   const uint64_t values[WIRE_OP_VALUES])
{
	op->counts.begun++;
	op->counts.ended++;
	for (int i = 0; i < WIRE_OP_VALUES; i++) {
		op->counts.sum[i] += values[i];
		if (values[i] > op->counts.max[i])
			op->counts.max[i] = values[i];
		op->hist.buckets[i][wire_hist_bucket(values[i])]++;
	}
}

/* The calls of second n: ten times n of them end. The slowest are those of the first and of late seconds. */
static inline void sample_op_second(struct sample_op_calls *op, uint32_t id, uint64_t n)
{
	uint64_t slow = n < 4 ? 5 - n : n;

	for (uint64_t i = 0; i < 10 * n; i++) {
		uint64_t objects = i % 3 + id;
		sample_op_ended(op, (const uint64_t[]){ objects, 48 * objects,
							1003 * slow * (i % 10 + 1) });
	}
	op->counts.begun += 4;
	op->counts.panics += 2;
	op->counts.goexits++;
	op->counts.began_before += n == 1;
	op->counts.pause_ns += 12345 * n;
	op->counts.assist_ns += 777 * n;
}

static inline void sample_op_set(struct model *m, uint32_t id, const struct sample_op_calls *op)
{
	model_op_set(m, id, &op->counts);
	for (int value = 0; value < WIRE_OP_VALUES; value++)
		for (uint32_t i = 0; i < WIRE_HIST_BUCKETS; i++)
			if (op->hist.buckets[value][i])
				model_op_set_bucket(m, id, (enum wire_op_value)value, i,
						    op->hist.buckets[value][i]);
}

static inline void sample_op_names(struct model *m)
{
	const struct model_ops_known known = { .allocs = true, .pauses = true };

	assert_int_equal(model_op(m, "main.(*Server).handle", ""), 0);
	assert_int_equal(model_op(m, "main.withPool", "A"), 1);
	model_ops_measured(m, &known);
}

static inline void sample_op_sites(struct model *m)
{
	uint32_t stack = sample_stack(m,
				      "runtime.mallocgc;main.decode;main.withPool;"
				      "main.(*Server).handle;main.main",
				      false);
	uint32_t type = sample_id(model_type(m, "*main.Request"));

	for (uint32_t ops = 0; ops < 4; ops++) {
		uint32_t site = sample_id(model_site(m, stack, type, 5, 0, ops));
		model_site_add(m, site, SAMPLE_OP_OBJECTS / 4, SAMPLE_OP_OBJECTS / 4 * 48);
	}
}

/* A tick of sample_model() that comes before that of the test, if there is one. */
struct sample_op_tick {
	sample_tick *tick;
	void *ctx;
};

static inline void sample_op_tick(struct model *m, uint64_t from_ns, uint64_t to_ns, void *ctx)
{
	const struct sample_op_tick *next = ctx;
	uint64_t n = (from_ns - SAMPLE_START) / SAMPLE_S + 1;
	uint64_t objects = n * SAMPLE_OP_OBJECTS;

	if (n == 1)
		sample_op_names(m);
	for (uint32_t id = 0; id < 2; id++) {
		struct sample_op_calls *op = calloc(1, sizeof(*op));
		assert_non_null(op);
		for (uint64_t second = 1; second <= n; second++)
			sample_op_second(op, id, second);
		sample_op_set(m, id, op);
		free(op);
	}
	sample_op_sites(m);
	model_set_totals(m, m->total.objects + objects, m->total.bytes + 48 * objects);
	if (next && next->tick)
		next->tick(m, from_ns, to_ns, next->ctx);
}

#endif
