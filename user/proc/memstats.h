/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runtime's own allocation counters, read from the process's memory with no probe.
 *
 * MemStats.Mallocs = what is flushed to memstats.heapStats (three deltas that are summed) + what each
 * P's mcache has counted since its last flush (Go 1.19-1.27 runtime/mstats.go, mcache.go). Read while
 * the process runs, so two words of it may be some nanoseconds apart; the caller brackets the reading
 * with its own count to know how much that can matter.
 */
#ifndef GALLOP_PROC_MEMSTATS_H
#define GALLOP_PROC_MEMSTATS_H

#include "gobin/gobin.h"
#include "gobin/layout.h"
#include "proc/proc.h"

struct memstats {
	uint64_t mallocs;			/* = MemStats.Mallocs */
	uint64_t total_alloc;			/* = MemStats.TotalAlloc */
	uint64_t tiny_allocs;			/* tiny objects that fit into a block already begun */
	uint64_t large_objects, large_bytes;
	uint64_t class_objects[GO_NUM_SIZE_CLASSES];	/* tiny blocks are among class 2 */
	uint32_t ps_nr;				/* Ps whose mcaches were read */
};

/* Where the counters are in this binary; made once. */
struct memstats_reader {
	const struct proc *proc;		/* borrowed */
	const struct go_layout *layout;		/* borrowed */
	uint64_t memstats, allp;		/* addresses in the process */
};

/* -ENOTSUP with the reason if the addresses could not be found in this binary. */
int memstats_reader_init(struct memstats_reader *r, const struct proc *proc, struct gobin *bin,
			 uint64_t load_bias, struct err *err);

/* 0, -ESRCH when it is gone, -EAGAIN if what was read contradicts itself (the caller may retry). */
int memstats_read(const struct memstats_reader *r, struct memstats *ret);

#endif
