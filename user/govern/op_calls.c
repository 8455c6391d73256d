/* SPDX-License-Identifier: BSD-2-Clause */
#include "govern/op_calls.h"

#include <stdbool.h>

/* Of fewer the chance is too large whether one fell into that time. */
enum { CALLS_MIN = 10 };

/*
 * A window makes the target slower, so that calls in it don't count. But where they are rare it may see one that was the
 * only one for long, and is hardly slower for it.
 */
uint64_t op_calls_stood_for(const struct op_calls *calls)
{
	bool enough = calls->before >= CALLS_MIN && calls->before_ns;
	double n = (double)(enough ? calls->before : calls->through);
	double ns = (double)(enough ? calls->before_ns : calls->through_ns);
	double all = ns > 0 ? n * (double)calls->stands_ns / ns : 0;

	if (all >= (double)INT64_MAX)
		return INT64_MAX;
	return all > 0 && all < 1 ? 1 : (uint64_t)(all + 0.5);
}
