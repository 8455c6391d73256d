/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runtime's memory profile, read from the process's memory with no probe: which stacks have allocated what the
 * runtime has sampled, and what of it is still in use.
 *
 * It is a list of buckets, one for each stack and size of object that was ever sampled (Go 1.19-1.27 runtime/mprof.go,
 * layouts in gobin/mprof_layout.h). A bucket is put at the head of the list and never changes nor goes, but for its
 * counts: so each look reads only what is new of the list, and then all counts, some 1000 to a system call.
 *
 * Counts are what runtime.MemProfile would return at that moment: as of the end of the mark phase before the last
 * one, or the last one after runtime.GC(), as frees are counted by the sweep that follows. Before the first
 * collection they are of everything so far, as MemProfile's are.
 *
 * Everything here is hostile: lists in circles, lengths, addresses. What is read is bounded, and what contradicts
 * itself is an error.
 */
#ifndef GALLOP_PROC_MPROF_H
#define GALLOP_PROC_MPROF_H

#include "gobin/mprof_layout.h"
#include "proc/proc.h"

struct gobin;

enum {
	MPROF_BUCKETS_MAX = 1 << 20,
	MPROF_PCS_MAX = 1 << 22, /* of all stacks together: 32 MiB */
};

/* Where the profile is in this binary; made once. */
struct mprof_reader {
	const struct proc *proc; /* borrowed */
	const struct go_mprof_layout *layout;
	uint64_t mbuckets, cycle, rate; /* addresses in the process */
	/*
	 * The program has what reads the profile (runtime/pprof, net/http/pprof or a call of runtime.MemProfile); without
	 * it the linker turns the profile off for good, and no setting turns it on.
	 */
	bool linked;
};

/* Is there anything in it that reads a profile? Without, Go's linker has the runtime keep none. */
bool mprof_is_linked(struct gobin *bin);

/* -ENOTSUP with the reason if it can't be found in this binary. */
int mprof_reader_init(struct mprof_reader *r, const struct proc *proc, struct gobin *bin,
		      uint64_t load_bias, struct err *err);

/* The same, for mprof_rate() alone: less has to be found for that. */
int mprof_reader_init_rate(struct mprof_reader *r, const struct proc *proc, struct gobin *bin,
			   uint64_t load_bias, struct err *err);

/* runtime.MemProfileRate as it is now: a sample every so many bytes; 0: none are taken, or it isn't linked. 0, -ESRCH, -EPERM, -EFAULT. */
int mprof_rate(const struct mprof_reader *r, int64_t *ret);

/*
 * A word that is another whenever counts have been published because a collection has ended; the published counts
 * may change once more without it when runtime.GC() ends. Errors as above.
 */
int mprof_cycle(const struct mprof_reader *r, uint32_t *ret);

struct mprof_bucket {
	uint64_t addr; /* in the process */
	uint64_t size; /* bytes of each object: a whole slot */
	uint32_t pcs_first, pcs_nr; /* its stack, in mprof.pcs */
	uint64_t allocs, frees; /* samples, published; at most INT64_MAX */
};

struct mprof {
	struct mprof_reader reader;
	/* As of the last look. */
	struct mprof_bucket *buckets; /* in any order; one that was there stays where it is */
	/*
	 * Return addresses as the process sees them, leaf first. Each stands for one frame: an inlined call has an address
	 * of its own, and is the innermost frame of that less one (traceback.go tracebackPCs).
	 */
	uint64_t *pcs;
	size_t buckets_nr, pcs_nr;
	int64_t rate;
	uint32_t cycles; /* collections that had ended: MemStats.NumGC, up to 100 million */
	bool before_gc; /* none had: the counts are of everything so far */
	uint64_t generation; /* another: buckets are others than they were, in other places */
	size_t unsettled; /* buckets whose counts went on changing while they were read */

	/* Its own. */
	uint64_t head;
	size_t buckets_cap, pcs_cap;
};

/* 0 or -ENOMEM; nothing is read yet. */
int mprof_new(const struct mprof_reader *r, struct mprof **ret);
void mprof_free(struct mprof *m);

/*
 * Bring it up to date. -EAGAIN if what was read contradicts itself, -E2BIG if there is too much of it, -ESRCH, -EPERM,
 * -ENOMEM, with the explanation. After an error nothing in m means anything until a look succeeds.
 */
int mprof_look(struct mprof *m, struct err *err);

/*
 * What n samples of objects of a size stand for at a rate, as runtime/pprof has it (protomem.go scaleHeapSample): the
 * chance to be sampled is 1 - exp(-size / rate). Neither result is above INT64_MAX.
 */
void mprof_unsample(uint64_t n, uint64_t size, int64_t rate, uint64_t *objects_ret,
		    uint64_t *bytes_ret);

#endif
