/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows of operations, by the calls that a live session makes. */
#ifndef GALLOP_TESTS_UNIT_SAMPLE_OP_WINDOWS_H
#define GALLOP_TESTS_UNIT_SAMPLE_OP_WINDOWS_H

#include "model/op_tables.h"
#include "sample.h"

enum { SAMPLE_WINDOW_CALLS = 100, SAMPLE_WINDOW_NS = 90000 };

static const struct model_ops_known sample_windows_known = { .allocs = true, .sampled = true };

/* One function's operations so far. */
struct sample_windows {
	struct model_op_counts counts;
	struct op_hist hist;
};

static inline void sample_window_value(struct model *m, uint32_t id, struct sample_windows *w,
				       enum wire_op_value value, uint64_t v)
{
	uint32_t bucket = wire_hist_bucket(v);

	w->counts.sum[value] += v;
	if (v > w->counts.max[value])
		w->counts.max[value] = v;
	model_op_set_bucket(m, id, value, bucket, ++w->hist.buckets[value][bucket]);
}

/* A window in which nr operations end, that allocate so many objects of 48 bytes; the last one ended late. */
static inline void sample_window(struct model *m, uint32_t id, struct sample_windows *w,
				 const uint64_t *objects, size_t nr)
{
	struct model_op_window window = { .calls = SAMPLE_WINDOW_CALLS, .ended = nr, .late = 1 };

	w->counts.begun += nr;
	w->counts.ended += nr;
	for (size_t i = 0; i < nr; i++) {
		const uint64_t v[WIRE_OP_VALUES] = { objects[i], 48 * objects[i],
						     SAMPLE_WINDOW_NS };
		for (int value = 0; value < WIRE_OP_VALUES; value++) {
			sample_window_value(m, id, w, (enum wire_op_value)value, v[value]);
			window.sum[value] += v[value];
		}
	}
	model_op_set(m, id, &w->counts);
	assert_int_equal(model_op_window(m, id, &window), 0);
}

#endif
