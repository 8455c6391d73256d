/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runtime's structures by Go version: offsets in bytes, 0xffff where a field does not exist.
 *
 * Each number was read from the DWARF of a binary built with that toolchain (1.19, 1.21-1.27) or
 * computed from that version's sources (1.20); tests compare the table with the DWARF of binaries
 * that every toolchain of the matrix builds.
 */
#ifndef GALLOP_GOBIN_LAYOUT_H
#define GALLOP_GOBIN_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

enum {
	GO_MINOR_MIN = 19, /* the oldest and newest Go 1.x that can be traced */
	GO_MINOR_MAX = 27,
	GO_NUM_SIZE_CLASSES = 68, /* runtime/sizeclasses.go, the same since Go 1.16 */
	GO_NUM_SPAN_CLASSES = 136,
	GO_TINY_SIZE = 16, /* maxTinySize: smaller pointer-free objects share blocks */
	GO_PAGE_SIZE = 8192,
	GO_OFF_NONE = 0xffff,
};

struct go_layout {
	int minor;
	/* runtime.g, runtime._panic, runtime.m, runtime.p */
	uint16_t g_m, g_goid, g_sched_sp, g_sched_pc, g_sched_bp;
	uint16_t g_sigcode0, panic_sp; /* of a frame that recovered: up to Go 1.21, since 1.22 */
	uint16_t m_g0, m_curg, m_p;
	uint16_t p_mcache;
	/* runtime.mcache, runtime.mspan */
	uint16_t mcache_tiny_allocs, mcache_alloc, mcache_flush_gen;
	uint16_t mspan_sweepgen;
	uint16_t mspan_alloc_count, mspan_alloc_count_before_cache, mspan_spanclass, mspan_elemsize;
	/* heapStatsDelta: three of them at the start of runtime.memstats */
	uint16_t heap_stats_sz; /* bytes of one delta */
	uint16_t hs_tiny_alloc_count, hs_large_alloc, hs_large_alloc_count, hs_small_alloc_count;
	/* how mallocgc sizes an object */
	bool malloc_headers; /* Go >= 1.22: 8 bytes in front of pointerful objects over 512 bytes */
	/* the prologue: Go >= 1.21 pushes %rbp right after the stack check */
	bool push_rbp;
};

/* Sizes of the small size classes; [0] is 0 and stands for large objects. */
extern const uint16_t go_class_to_size[GO_NUM_SIZE_CLASSES];

/* The layout of Go 1.<minor>, or NULL if it is not known. */
const struct go_layout *go_layout_find(int minor);

#endif
