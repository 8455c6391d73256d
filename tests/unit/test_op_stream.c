/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations from the kernel's two halves to the model, with a kernel that is made up here. */
#include "golden.h"
#include "sample.h"

#include <string.h>

#include "govern/govern.h"
#include "model/op_tables.h"
#include "plan/plan.h"
#include "probe/probe.h"
#include "stream/ops.h"

enum { OPS_NR = 2 };

static struct {
	uint32_t half; /* that is added to */
	struct wire_op ops[2][OPS_NR];
	uint64_t hist[2][OPS_NR][WIRE_OP_VALUES][WIRE_HIST_BUCKETS];
} kernel;

static unsigned programs; /* of the plan */

bool plan_has(const struct plan *plan, enum plan_prog prog)
{
	(void)plan;
	return programs >> prog & 1;
}

uint32_t probe_turn_ops(struct probe *probe)
{
	uint32_t still = kernel.half;

	(void)probe;
	kernel.half = !still;
	return still;
}

void probe_op(const struct probe *probe, uint32_t half, uint32_t op, struct wire_op *ret)
{
	(void)probe;
	*ret = kernel.ops[half][op];
}

const uint64_t *probe_op_hist(const struct probe *probe, uint32_t half, uint32_t op,
			      enum wire_op_value value)
{
	(void)probe;
	return kernel.hist[half][op][value];
}

/* An operation that takes the same number of everything. */
static void end_op(uint32_t op, uint64_t n)
{
	struct wire_op *counts = &kernel.ops[kernel.half][op];

	counts->begun++;
	counts->ended++;
	for (int value = 0; value < WIRE_OP_VALUES; value++) {
		counts->sum[value] += n;
		if (n > counts->max[value])
			counts->max[value] = n;
		kernel.hist[kernel.half][op][value][wire_hist_bucket(n)]++;
	}
}

static struct op_stream *new_stream(struct model *m)
{
	static struct plan plan = { .ops = { { .name = "main.f" },
					     { .name = "main.g", .label = "G" } },
				    .ops_nr = OPS_NR };
	struct op_stream *s = NULL;

	memset(&kernel, 0, sizeof(kernel));
	assert_int_equal(op_stream_new(NULL, &plan, m, &s), 0);
	return s;
}

static void assert_op(const struct model *m, uint32_t op, uint64_t ended, uint64_t sum,
		      uint64_t max)
{
	const struct op_row *row = m->ops->rows[op];
	uint64_t in_buckets = 0;

	assert_int_equal(row->now.begun, ended);
	assert_int_equal(row->now.ended, ended);
	for (int value = 0; value < WIRE_OP_VALUES; value++) {
		assert_int_equal(row->now.sum[value], sum);
		assert_int_equal(row->now.max[value], max);
	}
	for (uint32_t i = 0; i < WIRE_HIST_BUCKETS; i++)
		in_buckets += row->hist_now.buckets[WIRE_OP_NS][i];
	assert_int_equal(in_buckets, ended);
}

/* What is taken is what stands still: not what has been added to the other half since. */
static void only_what_stands_still_is_taken(void **state)
{
	_model_ *m = NULL;

	(void)state;
	assert_int_equal(model_new(&m), 0);
	struct op_stream *s = new_stream(m);
	end_op(0, 5);
	end_op(0, 7);
	op_stream_take(s, false);
	assert_op(m, 0, 2, 12, 7);
	end_op(0, 100);
	/* Half an operation, in the half that will be added to. */
	kernel.ops[!kernel.half][0].begun++;
	op_stream_take(s, false);
	assert_op(m, 0, 3, 112, 100);
	assert_op(m, 1, 0, 0, 0);
	op_stream_free(s);
}

/* In the end nothing is added any more, and both halves are taken. */
static void the_end_takes_both_halves(void **state)
{
	_model_ *m = NULL;

	(void)state;
	assert_int_equal(model_new(&m), 0);
	struct op_stream *s = new_stream(m);
	end_op(1, 5);
	op_stream_take(s, false);
	end_op(1, 6);
	kernel.half = !kernel.half;
	end_op(1, 1ULL << 40);
	kernel.half = !kernel.half;
	op_stream_take(s, true);
	assert_op(m, 1, 3, 11 + (1ULL << 40), 1ULL << 40);
	op_stream_free(s);
}

/* What the plan has no probes for isn't known. */
static void only_what_is_probed_is_known(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		_model_ *m = NULL;

		assert_int_equal(model_new(&m), 0);
		programs = i ? 1U << PLAN_PROG_MALLOC | 1U << PLAN_PROG_GC : 0;
		op_stream_free(new_stream(m));
		assert_int_equal(m->ops->known.allocs, i);
		assert_int_equal(m->ops->known.pauses, i);
		assert_false(m->ops->known.assists);
		assert_string_equal(m->texts.rows[m->ops->rows[1]->label]->s, "G");
	}
}

static void end_window(struct op_stream *s, uint32_t number, uint64_t calls)
{
	const struct govern_window w = { .number = number, .op_calls = { calls }, .whole = true };

	assert_int_equal(op_stream_window(s, &w), 0);
}

/* Each window has the half that its number says; the halves are never turned, as nothing is added between windows. */
static void windows_are_taken_as_they_end(void **state)
{
	_model_ *m = NULL;
	struct plan plan = { .ops = { { .name = "main.f" }, { .name = "main.g" } },
			     .ops_nr = OPS_NR,
			     .cfg = { .op_windows = 1 } };
	struct op_stream *s = NULL;

	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	assert_int_equal(model_new(&m), 0);
	assert_int_equal(op_stream_new(NULL, &plan, m, &s), 0);
	assert_true(m->ops->known.sampled);
	const struct model_op_counts *now = &m->ops->rows[0]->now;
	kernel.half = 1;
	end_op(0, 5);
	kernel.ops[1][0].begun += 2; /* of which one panics, and one is cut */
	kernel.ops[1][0].panics++;
	kernel.ops[0][0].entries = 10;
	end_window(s, 1, 70);
	kernel.half = 0;
	end_op(0, 7);
	end_op(0, 8);
	op_stream_take(s, false); /* the second one is still open */
	assert_int_equal(kernel.half, 0);
	assert_int_equal(now->ended, 1);
	assert_int_equal(now->sum[WIRE_OP_BYTES], 5);
	assert_int_equal(now->cut, 1);
	assert_int_equal(now->entries, 10);
	end_window(s, 2, 80);
	kernel.half = 1;
	end_op(0, 9);
	kernel.ops[1][0].begun++;
	kernel.ops[1][0].nested = 4;
	kernel.ops[0][0].entries = 90;
	end_window(s, 3, 0);
	/* What the session's end breaks off was cut by nothing that has to do with it. */
	kernel.ops[0][0].begun++;
	assert_int_equal(
		op_stream_window(s, &(struct govern_window){ .number = 4, .op_calls = { 6 } }), 0);
	op_stream_set_off(s, &(struct op_stream_off){ { 6 }, 0, 0 });
	op_stream_take(s, true);
	assert_int_equal(now->ended, 4);
	assert_int_equal(now->sum[WIRE_OP_OBJECTS], 29);
	assert_int_equal(now->max[WIRE_OP_NS], 9);
	assert_int_equal(now->cut, 2);
	assert_int_equal(now->nested, 4);
	assert_int_equal(now->entries, 90);
	assert_int_equal(now->uncounted_ns, 6);
	const struct op_clusters *windows = &m->ops->rows[0]->windows->now;
	assert_int_equal(windows->nr, 3);
	assert_int_equal(windows->v[0].calls, 70);
	assert_int_equal(windows->v[1].calls, 80);
	assert_int_equal(windows->v[2].calls, 0);
	op_stream_free(s);
}

/* What some operations would have too little of isn't told of any. */
static void assists_that_were_missed_are_not_known(void **state)
{
	_model_ *m = NULL;

	(void)state;
	assert_int_equal(model_new(&m), 0);
	programs = 1U << PLAN_PROG_ASSIST;
	struct op_stream *s = new_stream(m);
	op_stream_set_off(s, &(struct op_stream_off){ { 5 }, 0, 0 });
	assert_true(m->ops->known.assists);
	op_stream_set_off(s, &(struct op_stream_off){ { 5 }, 1, 0 });
	assert_false(m->ops->known.assists);
	op_stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_stands_still_is_taken),
		cmocka_unit_test(the_end_takes_both_halves),
		cmocka_unit_test(only_what_is_probed_is_known),
		cmocka_unit_test(windows_are_taken_as_they_end),
		cmocka_unit_test(assists_that_were_missed_are_not_known),
	};
	return cmocka_run_group_tests_name("operations from the kernel", tests, NULL, NULL);
}
