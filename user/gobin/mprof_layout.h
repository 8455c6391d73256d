/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the runtime keeps its memory profile, by Go version: offsets and sizes in bytes, compared with DWARF by the
 * same test as gobin/layout.h.
 *
 * A bucket is a header, behind it the program counters of its stack, and behind them its record (runtime/mprof.go,
 * newBucket). A record is counts that are published, and then three times counts that are not yet; each begins with
 * the objects that were sampled and those of them that were freed, two words.
 */
#ifndef GALLOP_GOBIN_MPROF_LAYOUT_H
#define GALLOP_GOBIN_MPROF_LAYOUT_H

#include <stdint.h>

enum {
	GO_MPROF_FUTURES = 3, /* len(memRecord.future) */
	GO_MPROF_TYPE = 1, /* bucket.typ: memProfile */
};

struct go_mprof_layout {
	int minor;
	/* runtime.bucket */
	uint32_t bucket_allnext, bucket_typ, bucket_size, bucket_nstk, bucket_sz;
	uint32_t cycle_sz; /* sizeof(memRecordCycle) */
	uint32_t stack_max; /* frames of a stack, at most (maxStack, maxProfStackDepth) */
	/* What must be in the program for the linker to leave the profile on (cmd/link/internal/ld/lib.go). */
	const char *reader;
};

/* NULL for a version whose layout is not known. */
const struct go_mprof_layout *go_mprof_layout_find(int minor);

#endif
