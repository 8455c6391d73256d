/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocations of a session that samples them. Rare and large objects are always seen; the others by the runtime's own
 * samples, while it takes any, or in windows of two stages: refills first, then every object. As a program may change its
 * mind about samples at any time there is what both need; what no window attaches costs nothing, nor do samples that are
 * never taken.
 */
#include <errno.h>

#include "plan/build.h"

/* 0, -ENOENT if the function isn't there or can't be probed, -E2BIG. */
static int add_func(struct plan *plan, struct gobin *bin, const char *name, const struct want *want)
{
	struct gobin_func func;

	if (gobin_find_func(bin, name, &func))
		return -ENOENT;
	return plan_add(plan, bin, &func, name, want);
}

/* mallocgc was divided in Go 1.24; before, only what it calls knows that an object is large, and not its type. */
static void add_large(struct plan *plan, struct gobin *bin)
{
	static const struct want divided = {
		PLAN_PROG_MALLOC, WIRE_PLACE_LARGE, "every large object", false, 0, WIRE_GROUP_LARGE
	};
	static const struct want whole = {
		PLAN_PROG_MALLOC, WIRE_PLACE_ALLOC_LARGE, "every large object", false, 0,
		WIRE_GROUP_LARGE
	};

	if (add_func(plan, bin, "runtime.mallocgcLarge", &divided) &&
	    add_func(plan, bin, "runtime.(*mcache).allocLarge", &whole))
		plan_note(plan,
			  "large objects are not seen one by one: runtime.(*mcache).allocLarge "
			  "can't be probed");
}

static int add_windows(struct plan *plan, struct gobin *bin, struct err *err)
{
	static const struct want refill = {
		PLAN_PROG_REFILL,  WIRE_PLACE_REFILL, "objects used, by goroutine root", false, 0,
		WIRE_GROUP_REFILL,
	};

	if (add_func(plan, bin, "runtime.(*mcache).refill", &refill))
		plan_note(plan, "windows have one stage only: runtime.(*mcache).refill can't be "
				"probed");
	return plan_malloc(plan, bin, err);
}

int plan_sampled(struct plan *plan, struct gobin *bin, bool profiled, struct err *err)
{
	static const struct want sample = {
		PLAN_PROG_PROFILE, WIRE_PLACE_PROFILE, "the runtime's samples", false, 0,
		WIRE_GROUP_PROFILE
	};

	add_large(plan, bin);
	if (profiled && add_func(plan, bin, "runtime.profilealloc", &sample))
		plan_note(plan, "the runtime's own samples are not seen: runtime.profilealloc "
				"can't be probed");
	return add_windows(plan, bin, err);
}
