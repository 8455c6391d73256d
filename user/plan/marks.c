/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the runtime's count and gallop's can be taken at the same moment. */
#include "plan/build.h"

/* World-stopped counts; every one is optional. */
void plan_marks(struct plan *plan, struct gobin *bin, const struct gobin_globals *globals)
{
	static const struct {
		const char *func;
		struct want want;
	} marks[] = {
		{ "runtime.readmemstats_m",
		  { PLAN_PROG_MARK, WIRE_PLACE_READMEMSTATS, "both counts, world stopped", false, 0,
		    WIRE_GROUP_ALWAYS } },
		{ "runtime.exit",
		  { PLAN_PROG_MARK, WIRE_PLACE_EXIT, "both counts at a normal exit", true, 0,
		    WIRE_GROUP_ALWAYS } },
	};

	if (!globals->memstats || !globals->allp) {
		plan_note(plan, "the runtime's counters were not found: counts can't be checked");
		return;
	}
	plan->cfg.memstats_va = globals->memstats;
	plan->cfg.allp_va = globals->allp;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		struct gobin_func func;

		/*
		 * A sampled session has no count to compare: only the runtime's last word is of use. And what one of many
		 * processes says while it is stopped is compared with nothing of the others'.
		 */
		if ((plan->cfg.sampled || plan->cfg.many) && marks[i].want.place != WIRE_PLACE_EXIT)
			continue;
		if (!gobin_find_func(bin, marks[i].func, &func))
			plan_add(plan, bin, &func, marks[i].func, &marks[i].want);
	}
}
