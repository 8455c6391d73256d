/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runtime's own allocation counters, read from the process's memory with no probe.
 *
 * MemStats.Mallocs = what is flushed to memstats.heapStats (three deltas that are summed) + what
 * each P's mcache has counted since its last flush (Go 1.19-1.27 runtime/mstats.go, mcache.go).
 *
 * The process runs on while it is read. The danger is a flush between reading the one and the
 * other: its objects would be missed or counted twice. So heapStats is read before and after the
 * mcaches, the sums are made with the earlier one, and what was flushed in between is stated as
 * `unsettled`: the true count lies in [mallocs, mallocs + unsettled], up to objects that were
 * allocated during the reading itself (and one case in memstats.c). Of several tries the one with
 * the smallest doubt is returned.
 */
#ifndef GALLOP_PROC_MEMSTATS_H
#define GALLOP_PROC_MEMSTATS_H

#include "gobin/gobin.h"
#include "gobin/layout.h"
#include "proc/proc.h"

struct memstats {
	uint64_t mallocs; /* = MemStats.Mallocs */
	uint64_t total_alloc; /* = MemStats.TotalAlloc */
	uint64_t tiny_allocs; /* tiny objects that fit into a block already begun */
	uint64_t large_objects, large_bytes;
	uint64_t class_objects[GO_NUM_SIZE_CLASSES]; /* tiny blocks are among class 2 */
	uint64_t unsettled; /* objects that may be missing from mallocs; 0: none */
	uint64_t unsettled_bytes; /* the same of total_alloc */
	uint32_t ps_nr; /* Ps whose mcaches were read */
};

/* Where the counters are in this binary; made once. */
struct memstats_reader {
	const struct proc *proc; /* borrowed */
	const struct go_layout *layout; /* borrowed */
	uint64_t memstats, allp; /* addresses in the process */
};

/* -ENOTSUP with the reason if the addresses could not be found in this binary. */
int memstats_reader_init(struct memstats_reader *r, const struct proc *proc, struct gobin *bin,
			 uint64_t load_bias, struct err *err);

/*
 * 0, -ESRCH when it is gone, -EPERM, -EAGAIN if what was read contradicts itself in every try (the
 * caller may retry: the process may have exec'ed, or just be starting). *ret only on success.
 */
int memstats_read(const struct memstats_reader *r, struct memstats *ret);

#endif
