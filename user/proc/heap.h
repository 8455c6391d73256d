/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does Go's runtime hold an object at an address? Read from its memory with no probe: heap arena, span, and the
 * span's bits (Go 1.19-1.27 runtime/mheap.go spanOf, mbitmap.go isFree, mgcsweep.go).
 *
 * An object is there until the collector has found it dead: from the end of a mark phase on it is told as free,
 * swept or not. The process runs on meanwhile, so the answer is of a moment ago.
 */
#ifndef GALLOP_PROC_HEAP_H
#define GALLOP_PROC_HEAP_H

#include "gobin/heap_layout.h"
#include "gobin/layout.h"
#include "proc/proc.h"

struct gobin;

enum heap_state {
	HEAP_UNKNOWN = 0, /* not in a heap arena, or what was read contradicts itself */
	HEAP_FREE = 1, /* in an arena, and no object */
	HEAP_OBJECT = 2,
	HEAP_STACK = 3, /* in memory that the runtime uses otherwise, such as a goroutine's stack */
};

struct heap_reader {
	const struct proc *proc; /* borrowed */
	const struct go_layout *layout; /* borrowed */
	const struct go_heap_layout *heap; /* borrowed */
	uint64_t sweepgen, arenas; /* addresses of two fields of runtime.mheap_ in the process */
	/* What arenas are numbered from, by machine (malloc.go arenaBaseOffset). */
	uint64_t arena_base;
};

/* -ENOTSUP with the reason if it can't be told for this binary. */
int heap_reader_init(struct heap_reader *r, const struct proc *proc, struct gobin *bin,
		     uint64_t load_bias, struct err *err);

/* Look at nr addresses, some six system calls for 1024. 0, -ESRCH, -EPERM or -ENOMEM. */
int heap_look(const struct heap_reader *r, const uint64_t *addrs, size_t nr, enum heap_state *ret);

#endif
