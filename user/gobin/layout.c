/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of layouts. A row is one Go version; tests/unit compares each with the DWARF of a
 * binary that this version built.
 */
#include "gobin/layout.h"

#include <stddef.h>

enum {
	/*
	 * heapStatsDelta (runtime/mstats.go): a header of N words, then tinyAllocCount, largeAlloc,
	 * largeAllocCount, smallAllocCount[68], largeFree, largeFreeCount, smallFreeCount[68]. N is
	 * 6 up to Go 1.24 and 5 since, when inPtrScalarBits went.
	 */
	HS_6 = 6 * 8,
	HS_5 = 5 * 8,
	HS_BODY = (3 + GO_NUM_SIZE_CLASSES + 2 + GO_NUM_SIZE_CLASSES) * 8,
};

const uint16_t go_class_to_size[GO_NUM_SIZE_CLASSES] = {
	0,     8,     16,    24,    32,	   48,	  64,	 80,	96,    112,   128,   144,
	160,   176,   192,   208,   224,   240,	  256,	 288,	320,   352,   384,   416,
	448,   480,   512,   576,   640,   704,	  768,	 896,	1024,  1152,  1280,  1408,
	1536,  1792,  2048,  2304,  2688,  3072,  3200,	 3456,	4096,  4864,  5376,  6144,
	6528,  6784,  6912,  8192,  9472,  9728,  10240, 10880, 12288, 13568, 14336, 16384,
	18432, 19072, 20480, 21760, 24576, 27264, 28672, 32768,
};

/*
 * What a new Go version needs here: a row; GO_MINOR_MAX; and a look at version.c (markers,
 * experiments), moduledata.c (fields) and frames.c (funcID wrapper).
 */
/* clang-format off */
#define HEAP_STATS(n) (n) + HS_BODY, (n), (n) + 8, (n) + 16, (n) + 24
static const struct go_layout layouts[] = {
	/*    g.m   goid  sched sp    pc    bp    sigcode0, _panic.sp  m: g0 curg  p  p.mcache
	 *    mcache: tinyAllocs, alloc, flushGen
	 *    mspan: sweepgen, allocCount, ..BeforeCache, spanclass, elemsize */
	{ 19, 0x30, 0x98, 0x38, 0x40, 0x68, 0x110, 0x28, 0, 0xc0, 0xd0, 0x40,
	      0x20, 0x28, 0x4a8, 0x58, 0x60, 0x66, 0x62, 0x68, HEAP_STATS(HS_6), false, false },
	{ 20, 0x30, 0x98, 0x38, 0x40, 0x68, 0x110, 0x28, 0, 0xc0, 0xd0, 0x40,
	      0x20, 0x28, 0x4a8, 0x58, 0x60, 0x66, 0x62, 0x68, HEAP_STATS(HS_6), false, false },
	{ 21, 0x30, 0x98, 0x38, 0x40, 0x68, 0xf8, 0x28, 0, 0xc0, 0xd0, 0x40,
	      0x20, 0x28, 0x4a8, 0x60, 0x68, 0x6e, 0x6a, 0x70, HEAP_STATS(HS_6), false, true },
	{ 22, 0x30, 0x98, 0x38, 0x40, 0x68, 0xf8, 0x30, 0, 0xc0, 0xd0, 0x40,
	      0x20, 0x28, 0x4a8, 0x58, 0x60, 0x66, 0x62, 0x68, HEAP_STATS(HS_6), true, true },
	{ 23, 0x30, 0xa0, 0x38, 0x40, 0x68, 0x100, 0x30, 0, 0xc0, 0xd0, 0x38,
	      0x20, 0x28, 0x4a8, 0x58, 0x60, 0x66, 0x62, 0x68, HEAP_STATS(HS_6), true, true },
	{ 24, 0x30, 0xa0, 0x38, 0x40, 0x68, 0x100, 0x30, 0, 0xc0, 0xd0, 0x38,
	      0x28, 0x30, 0x4b0, 0x58, 0x60, 0x66, 0x62, 0x68, HEAP_STATS(HS_6), true, true },
	{ 25, 0x30, 0x98, 0x38, 0x40, 0x60, 0xf8, 0x30, 0, 0xb8, 0xc8, 0x38,
	      0x28, 0x30, 0x4b0, 0x58, 0x60, 0x66, 0x62, 0x68, HEAP_STATS(HS_5), true, true },
	{ 26, 0x30, 0x98, 0x38, 0x40, 0x60, 0x100, 0x28, 0, 0xb8, 0xd0, 0x38,
	      0x28, 0x30, 0x8f0, 0x58, 0x60, 0x66, 0x62, 0x68, HEAP_STATS(HS_5), true, true },
	{ 27, 0x30, 0x98, 0x38, 0x40, 0x60, 0x100, 0x30, 0, 0xb8, 0xd0, 0x38,
	      0x28, 0x30, 0x8f0, 0x58, 0x60, 0x66, 0x62, 0x68, HEAP_STATS(HS_5), true, true },
};
#undef HEAP_STATS
/* clang-format on */

const struct go_layout *go_layout_find(int minor)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].minor == minor)
			return &layouts[i];
	return NULL;
}
