/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel adds to one half of the counts while the other stands still and is read, so what is taken belongs
 * together: as many values as operations that have ended. The sum of both halves is all so far.
 *
 * Where operations are measured in windows, each window has the half that the one before had not, and is taken when it is
 * over. Only entries, which are counted all the time, are read as they are.
 */
#include "stream/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/u64.h"
#include "govern/govern.h"
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
	struct model_ops_known known;
	uint32_t nr;
	struct half *halves[2]; /* of each function */
	/* Of windows: */
	bool windows;
	uint64_t cut[WIRE_OPS_MAX];
	uint64_t calls_off_ns[WIRE_OPS_MAX]; /* for so long they were not counted */
};

int op_stream_new(struct probe *probe, const struct plan *plan, struct model *model,
		  struct op_stream **ret)
{
	struct op_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->known = (struct model_ops_known){
		.allocs = plan_has(plan, PLAN_PROG_MALLOC),
		.pauses = plan_has(plan, PLAN_PROG_GC),
		.assists = plan_has(plan, PLAN_PROG_ASSIST),
		.sampled = plan->cfg.op_windows,
	};
	s->probe = probe;
	s->model = model;
	s->windows = plan->cfg.op_windows;
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
	model_ops_measured(model, &s->known);
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

static uint64_t entries_now(const struct op_stream *s, uint32_t i)
{
	struct wire_op op;

	probe_op(s->probe, 0, i, &op);
	return op.entries;
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
		.nested = a->nested + b->nested,
		.cut = s->cut[i],
		.entries = s->windows ? entries_now(s, i) : 0,
		.uncounted_ns = s->calls_off_ns[i],
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

static void give(struct op_stream *s, uint32_t i)
{
	give_counts(s, i);
	for (int value = 0; value < WIRE_OP_VALUES; value++)
		give_hist(s, i, value);
}

void op_stream_set_off(struct op_stream *s, const struct op_stream_off *off)
{
	for (uint32_t i = 0; i < s->nr; i++)
		s->calls_off_ns[i] = max_u64(s->calls_off_ns[i], off->calls_ns[i]);
	/* Some operations would have too few, and none says which. */
	s->known.assists &= !off->assists_ns;
	s->known.pauses &= !off->stops_ns;
	model_ops_measured(s->model, &s->known);
}

/* What a window has added to its half. Those that are open when the session ends it are no longer than others. */
static struct model_op_window window_of(const struct wire_op *before, const struct wire_op *after,
					bool whole)
{
	uint64_t begun = after->begun - before->begun;
	uint64_t gone = after->ended - before->ended + after->panics - before->panics +
			after->goexits - before->goexits;
	struct model_op_window w = {
		.ended = after->ended - before->ended,
		.late = after->late - before->late,
		.cut = whole && begun > gone ? begun - gone : 0,
	};

	for (int value = 0; value < WIRE_OP_VALUES; value++)
		w.sum[value] = after->sum[value] - before->sum[value];
	return w;
}

int op_stream_window(struct op_stream *s, const struct govern_window *window)
{
	uint32_t half = probe_ops_half(window->number);
	struct wire_op before[WIRE_OPS_MAX];
	int rc = 0;

	for (uint32_t i = 0; i < s->nr; i++)
		before[i] = s->halves[half][i].op;
	read_half(s, half);
	for (uint32_t i = 0; i < s->nr && !rc; i++) {
		struct model_op_window w = window_of(&before[i], &s->halves[half][i].op,
						     window->whole);

		w.calls = window->op_calls[i];
		s->cut[i] += w.cut;
		/* How its operations differ is told by what the distributions have grown by. */
		give(s, i);
		if (window->whole)
			rc = model_op_window(s->model, i, &w);
	}
	return rc;
}

static void take_halves(struct op_stream *s, bool last)
{
	uint32_t still = probe_turn_ops(s->probe);

	read_half(s, still);
	if (last)
		read_half(s, !still);
}

void op_stream_take(struct op_stream *s, bool last)
{
	if (!s->windows)
		take_halves(s, last);
	for (uint32_t i = 0; i < s->nr; i++)
		give(s, i);
}
