/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A place to build a stack in: 1 KiB is too much for a BPF stack of 512 bytes.
 *
 * A uprobe program can be preempted in the middle, and another thread can run the same program on
 * the same CPU (kernels since 6.0 with full, lazy or RT preemption): one buffer per CPU would tear.
 * So each CPU has several, and a program claims one by an atomic bit. A preempted program keeps
 * its slot for a whole scheduling round; with 32 busy threads on a CPU, 8 slots were too few in 0.03 % of
 * hits and 16 in none. None free is a counted loss, never a wait.
 */
#ifndef GALLOP_BPF_SCRATCH_BPF_H
#define GALLOP_BPF_SCRATCH_BPF_H

#include "bpf/maps.bpf.h"

struct scratch {
	u64 claimed; /* bit i: slots[i] is in use */
	struct wire_stack slots[WIRE_SLOTS];
};

struct scratches_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
};
extern struct scratches_map scratches SEC(".maps");

static __always_inline struct scratch *scratch_here(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

/* The index of a slot that is now ours, or -1. */
static __always_inline int slot_claim(struct scratch *s, struct wire_cpu *cpu)
{
	for (int i = 0; i < WIRE_SLOTS; i++) {
		u64 bit = 1ULL << i;

		if (!(__sync_fetch_and_or(&s->claimed, bit) & bit))
			return i;
		if (i == 0)
			__sync_fetch_and_add(&cpu->slot_contended, 1);
	}
	return -1;
}

static __always_inline void slot_release(struct scratch *s, int slot)
{
	__sync_fetch_and_and(&s->claimed, ~(1ULL << slot));
}

#endif
