/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel adds to one half of the counts while the other stands still and is read, so what is taken belongs
 * together: as many values as operations that have ended. The sum of both halves is all so far.
 */
#include "stream/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/u64.h"
#include "model/ops.h"
#include "plan/plan.h"
#include "probe/probe.h"

/* One half of a function's counts, as it last stood still. */
struct half {
	struct wire_op op;
	uint64_t hist[WIRE_OP_VALUES][WIRE_HIST_BUCKETS];
};

struct op_stream {
	struct probe *probe;
	struct model *model;
	uint32_t nr;
	struct half *halves[2]; /* of each function */
};

int op_stream_new(struct probe *probe, const struct plan *plan, struct model *model,
		  struct op_stream **ret)
{
	const struct model_ops_known known = {
		.allocs = plan_has(plan, PLAN_PROG_MALLOC),
		.pauses = plan_has(plan, PLAN_PROG_GC),
		.assists = plan_has(plan, PLAN_PROG_ASSIST),
	};
	struct op_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->probe = probe;
	s->model = model;
	*ret = s;
	for (size_t i = 0; i < 2; i++) {
		s->halves[i] = calloc(plan->ops_nr, sizeof(struct half));
		if (!s->halves[i])
			return -ENOMEM;
	}
	for (; s->nr < plan->ops_nr; s->nr++) {
		const struct plan_op *op = &plan->ops[s->nr];

		if (model_op(model, op->name, op->label) < 0)
			return -ENOMEM;
	}
	model_ops_measured(model, &known);
	return 0;
}

void op_stream_free(struct op_stream *s)
{
	if (!s)
		return;
	free(s->halves[0]);
	free(s->halves[1]);
	free(s);
}

static void read_half(struct op_stream *s, uint32_t which)
{
	for (uint32_t i = 0; i < s->nr; i++) {
		struct half *half = &s->halves[which][i];

		probe_op(s->probe, which, i, &half->op);
		for (int value = 0; value < WIRE_OP_VALUES; value++)
			memcpy(half->hist[value], probe_op_hist(s->probe, which, i, value),
			       sizeof(half->hist[value]));
	}
}

static void give_counts(struct op_stream *s, uint32_t i)
{
	const struct wire_op *a = &s->halves[0][i].op, *b = &s->halves[1][i].op;
	struct model_op_counts counts = {
		.begun = a->begun + b->begun,
		.ended = a->ended + b->ended,
		.panics = a->panics + b->panics,
		.goexits = a->goexits + b->goexits,
		.began_before = a->began_before + b->began_before,
		.pause_ns = a->pause_ns + b->pause_ns,
		.assist_ns = a->assist_ns + b->assist_ns,
	};

	for (int value = 0; value < WIRE_OP_VALUES; value++) {
		counts.sum[value] = a->sum[value] + b->sum[value];
		counts.max[value] = max_u64(a->max[value], b->max[value]);
	}
	model_op_set(s->model, i, &counts);
}

static void give_hist(struct op_stream *s, uint32_t i, enum wire_op_value value)
{
	const uint64_t *a = s->halves[0][i].hist[value], *b = s->halves[1][i].hist[value];

	for (uint32_t bucket = 0; bucket < WIRE_HIST_BUCKETS; bucket++)
		if (a[bucket] + b[bucket])
			model_op_set_bucket(s->model, i, value, bucket, a[bucket] + b[bucket]);
}

void op_stream_take(struct op_stream *s, bool last)
{
	uint32_t still = probe_turn_ops(s->probe);

	read_half(s, still);
	if (last)
		read_half(s, !still);
	for (uint32_t i = 0; i < s->nr; i++) {
		give_counts(s, i);
		for (int value = 0; value < WIRE_OP_VALUES; value++)
			give_hist(s, i, value);
	}
}
