/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations of a model, by the calls that a live session makes: one of everything that can happen to a call, one
 * that allocates nothing, one that was not called.
 */
#ifndef GALLOP_TESTS_UNIT_SAMPLE_OPS_H
#define GALLOP_TESTS_UNIT_SAMPLE_OPS_H

#include "sample_gc.h"

/* Values as the kernel counts them: `calls` more that took each so many objects, bytes and ns. */
struct sample_op {
	struct model_op_counts counts;
	uint64_t buckets[WIRE_OP_VALUES][WIRE_HIST_BUCKETS];
};

static inline void sample_calls(struct sample_op *op, uint64_t calls, uint64_t objects,
				uint64_t bytes, uint64_t ns)
{
	const uint64_t v[WIRE_OP_VALUES] = { objects, bytes, ns };

	op->counts.begun += calls;
	op->counts.ended += calls;
	for (size_t i = 0; i < WIRE_OP_VALUES; i++) {
		op->counts.sum[i] += calls * v[i];
		if (v[i] > op->counts.max[i])
			op->counts.max[i] = v[i];
		op->buckets[i][wire_hist_bucket(v[i])] += calls;
	}
}

static inline void sample_op_set(struct model *m, uint32_t id, const struct sample_op *op)
{
	model_op_set(m, id, &op->counts);
	for (uint32_t value = 0; value < WIRE_OP_VALUES; value++)
		for (uint32_t i = 0; i < WIRE_HIST_BUCKETS; i++)
			model_op_set_bucket(m, id, value, i, op->buckets[value][i]);
}

static inline void sample_op_site(struct model *m, const char *spec, const char *type, uint32_t ops,
				  uint64_t objects, uint64_t bytes)
{
	uint32_t stack = sample_stack(m, spec, false), type_id = sample_id(model_type(m, type));

	model_site_add(m, sample_id(model_site(m, stack, type_id, 4, 0, ops)), objects, bytes);
}

enum { SAMPLE_HANDLE, SAMPLE_TOTAL, SAMPLE_QUIET, SAMPLE_NEVER };

static inline void sample_op_sites(struct model *m)
{
	const uint32_t handle = 1 << SAMPLE_HANDLE, total = 1 << SAMPLE_TOTAL;

#define SERVED ";main.(*Server).handle;net/http.(*conn).serve;runtime.goexit"
#define TOTAL "github.com/example/shop/internal/cart.(*Cart[go.shape.string]).Total"
	sample_op_site(m, "runtime.mallocgc;runtime.newobject;main.(*Server).handle;main.main",
		       "main.Request", handle, 12350, 12350 * 48);
	sample_op_site(m, "runtime.mallocgc;fmt.Sprintf;main.orderKey" SERVED, "string", handle,
		       24690, 24690 * 32);
	sample_op_site(m, "runtime.mallocgc;runtime.growslice;" TOTAL SERVED, "[]*cart.Item",
		       handle | total, 4100, 4100 * 1024);
	sample_op_site(m, "runtime.mallocgc;main.(*Server).handle.func1" SERVED,
		       "map[string]struct { Name string; Values []interface {} }", handle, 3, 144);
	sample_op_site(m, "runtime.mallocgc;[outside operations]", "[outside operations]", 0, 1000,
		       64000);
}

/* Two seconds of a service; the collector was looked at. */
static inline struct model *sample_ops_model(void)
{
	const struct model_ops_known known = { true, true, true, false };
	_cleanup_free_ struct sample_op *ops = calloc(3, sizeof(ops[0]));
	struct model *m = sample_model(2, sample_gc_tick, NULL);

	assert_non_null(ops);
	sample_id(model_op(m, "main.(*Server).handle", ""));
	sample_id(model_op(m, TOTAL, "total"));
	sample_id(model_op(m, "main.quiet", ""));
	sample_id(model_op(m, "main.never", ""));
	model_ops_measured(m, &known);

	sample_calls(&ops[0], 8241, 3, 112, 81200);
	sample_calls(&ops[0], 4000, 4, 1136, 102000);
	sample_calls(&ops[0], 100, 4, 1136, 9400000);
	sample_calls(&ops[0], 3, 5, 1184, 83000000);
	ops[0].counts.begun += 6;
	ops[0].counts.panics = 3;
	ops[0].counts.goexits = 1;
	ops[0].counts.began_before = 5;
	ops[0].counts.pause_ns = 14800000;
	ops[0].counts.assist_ns = 370000;
	sample_calls(&ops[1], 4100, 1, 1024, 950);
	sample_calls(&ops[1], 8200, 0, 0, 120);
	sample_calls(&ops[2], 1, 0, 0, 7);
	for (uint32_t i = 0; i < 3; i++)
		sample_op_set(m, i, &ops[i]);
	sample_op_sites(m);
	return m;
}

#endif
