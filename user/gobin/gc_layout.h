/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the runtime keeps what it knows of garbage collection, by Go version: offsets in bytes in
 * runtime.memstats and runtime.gcController, compared with DWARF by the same test as gobin/layout.h.
 */
#ifndef GALLOP_GOBIN_GC_LAYOUT_H
#define GALLOP_GOBIN_GC_LAYOUT_H

#include <stdint.h>

struct go_gc_layout {
	int minor;
	/* memstats; gc_cpu_fraction (float64) lies 8 bytes behind numgc (uint32, then numforcedgc) */
	uint16_t ms_pause_total_ns, ms_pause_ns, ms_numgc;
	/* gcController; dedicated-, fractional- and idleMarkTime follow assistTime, 8 bytes each */
	uint16_t gcc_heap_live, gcc_heap_marked, gcc_gc_percent_heap_goal, gcc_last_heap_goal,
		gcc_assist_time;
};

/* NULL for a version whose layout is not known: then cycles aren't shown, stops are. */
const struct go_gc_layout *go_gc_layout_find(int minor);

#endif
