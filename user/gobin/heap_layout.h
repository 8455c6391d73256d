/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the runtime finds the span of an address, by Go version: offsets in bytes, compared with DWARF by the
 * same test as gobin/layout.h.
 */
#ifndef GALLOP_GOBIN_HEAP_LAYOUT_H
#define GALLOP_GOBIN_HEAP_LAYOUT_H

#include <stdint.h>

struct go_heap_layout {
	int minor;
	/* runtime.mheap_; arm64's cache lines are longer, and so is the padding in front of arenas */
	uint32_t mheap_sweepgen, mheap_arenas, mheap_arenas_arm64;
	/* runtime.heapArena; GO_OFF_NONE: marks are never in the span itself */
	uint32_t arena_spans, arena_inline_marks;
	/* runtime.mspan; freeindex is as wide as nelems is behind it */
	uint32_t mspan_start_addr, mspan_npages, mspan_freeindex, mspan_nelems;
	uint32_t mspan_alloc_bits, mspan_gcmark_bits, mspan_state;
};

/* NULL for a version whose layout is not known. */
const struct go_heap_layout *go_heap_layout_find(int minor);

#endif
