/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Garbage collection: its functions are rare in most programs, so each call is looked at. Each is optional: without
 * the places that tell a stop or an assist from begin to end, that part is left out as a whole and said.
 */
#include <errno.h>

#include "gobin/gc_layout.h"
#include "gobin/layout.h"
#include "plan/build.h"

/* The functions of one subject: all must be found. */
struct part {
	const char *func;
	struct want want;
	bool returns; /* at its RETs, not after its stack check */
};

static int add_parts(struct plan *plan, struct gobin *bin, const struct part *parts, size_t nr)
{
	size_t before = plan->probes_nr;

	for (size_t i = 0; i < nr; i++) {
		struct gobin_func func;
		int rc = gobin_find_func(bin, parts[i].func, &func);

		if (!rc)
			rc = parts[i].returns
				     ? plan_add_returns(plan, bin, &func, parts[i].func,
							&parts[i].want)
				     : plan_add(plan, bin, &func, parts[i].func, &parts[i].want);
		if (rc) {
			plan->probes_nr = before;
			return rc;
		}
	}
	return 0;
}

/* runtime.stwReason came with 1.21, worldStop with 1.22, its other fields with 1.23. */
static enum wire_stw_args stw_args_of(int minor)
{
	if (minor >= 23)
		return WIRE_STW_FINISHED;
	if (minor == 22)
		return WIRE_STW_START;
	return minor == 21 ? WIRE_STW_REASON : WIRE_STW_NONE;
}

static void fill_cfg(struct wire_cfg *cfg, const struct go_layout *layout,
		     const struct go_gc_layout *gc, const struct gobin_globals *globals)
{
	cfg->stw_args = stw_args_of(layout->minor);
	if (!gc || !globals->memstats || !globals->gc_controller)
		return;
	cfg->memstats_va = globals->memstats;
	cfg->gc_controller_va = globals->gc_controller;
	cfg->allp_va = globals->allp;
	cfg->ms_pause_total = gc->ms_pause_total_ns;
	cfg->ms_pause_ns = gc->ms_pause_ns;
	cfg->ms_numgc = gc->ms_numgc;
	cfg->gcc_heap_live = gc->gcc_heap_live;
	cfg->gcc_heap_marked = gc->gcc_heap_marked;
	cfg->gcc_percent_goal = gc->gcc_gc_percent_heap_goal;
	cfg->gcc_last_goal = gc->gcc_last_heap_goal;
	cfg->gcc_assist_time = gc->gcc_assist_time;
}

void plan_gc(struct plan *plan, struct gobin *bin, const struct gobin_globals *globals)
{
	static const struct part stops[] = {
		{ "runtime.gcStart",
		  { PLAN_PROG_GC, WIRE_PLACE_GC_START, "what a cycle is wanted for", false, 0,
		    WIRE_GROUP_GC },
		  false },
		{ "runtime.stopTheWorldWithSema",
		  { PLAN_PROG_GC, WIRE_PLACE_STW_STOP, "a stop begins: reason, who asked", false, 0,
		    WIRE_GROUP_GC },
		  false },
		{ "runtime.startTheWorldWithSema",
		  { PLAN_PROG_GC, WIRE_PLACE_STW_START, "a stop ends: the runtime's times", false,
		    0, WIRE_GROUP_GC },
		  false },
		{ "runtime.startTheWorldWithSema",
		  { PLAN_PROG_GC, WIRE_PLACE_STW_RETURN, "when the world ran again", false, 0,
		    WIRE_GROUP_GC },
		  true },
		{ "runtime.gcMarkTermination",
		  { PLAN_PROG_GC, WIRE_PLACE_MARK_TERMINATION, "the end of a cycle's marking",
		    false, 0, WIRE_GROUP_GC },
		  false },
	};
	static const struct part assists[] = {
		{ "runtime.gcAssistAlloc1",
		  { PLAN_PROG_ASSIST, WIRE_PLACE_ASSIST_RETURN, "mark assists and their time",
		    false, 0, WIRE_GROUP_ASSIST },
		  true },
	};
	/* Before stwReason a stop that isn't the GC's passed its reason as a string, one call up. */
	static const struct part why[] = {
		{ "runtime.stopTheWorld",
		  { PLAN_PROG_GC, WIRE_PLACE_STW_WHY, "why the world is stopped", false, 0,
		    WIRE_GROUP_GC },
		  false },
	};
	const struct go_layout *layout = gobin_layout(bin);
	const struct go_gc_layout *gc = go_gc_layout_find(layout->minor);
	const char *state_missing = gc ? "the GC's state was not found in this program"
				       : "the GC's state in this version of Go is not known";

	fill_cfg(&plan->cfg, layout, gc, globals);
	if (add_parts(plan, bin, stops, sizeof(stops) / sizeof(stops[0])))
		plan_note(plan,
			  "stops of the world and GC cycles can't be seen: a function is missing "
			  "or can't be probed");
	else if (!plan->cfg.gc_controller_va)
		plan_note(plan, "of GC cycles only the stops can be seen: %s", state_missing);
	/* A program without it stops the world for the GC only. */
	int rc = plan->cfg.stw_args == WIRE_STW_NONE
			 ? add_parts(plan, bin, why, sizeof(why) / sizeof(why[0]))
			 : 0;
	if (rc && rc != -ENOENT)
		plan_note(plan, "stops of the world that aren't the GC's have no reason: "
				"runtime.stopTheWorld can't be probed");
	if (!plan->cfg.gc_controller_va)
		plan_note(plan, "mark assists can't be seen: %s", state_missing);
	else if (add_parts(plan, bin, assists, sizeof(assists) / sizeof(assists[0])))
		plan_note(plan, "mark assists can't be seen: runtime.gcAssistAlloc1 is missing or "
				"can't be probed");
}
