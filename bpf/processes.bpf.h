/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * All processes of one file as one target (cfg.many).
 *
 * The probes are of the file, not of a process: who executes it later is counted from its first instruction, and a hit
 * costs the same however many there are. Addresses that stand for something - of stacks and of types - are those of the file
 * then, as each process may have it loaded somewhere else. What each has allocated is added up by itself as well: the
 * runtime's own count, which that is held against, is of one process.
 */
#ifndef GALLOP_BPF_PROCESSES_BPF_H
#define GALLOP_BPF_PROCESSES_BPF_H

#include "bpf/maps.bpf.h"

/* key: a process as the kernel numbers it, value: its index in processes. Until it executes something. */
struct lives_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WIRE_PROCESSES_MAX);
	__type(key, u32);
	__type(value, u32);
};
extern struct lives_map lives SEC(".maps");

/* Those that were alive in the session, in the order they were met. Mapped by the user side; atomic adds. */
struct processes_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WIRE_PROCESSES_MAX);
	__type(key, u32);
	__type(value, struct wire_process);
};
extern struct processes_map processes SEC(".maps");

/* Who has executed something, whatever it was, while the gate was open; the oldest are forgotten. */
struct execs_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u32);
};
extern struct execs_map execs SEC(".maps");

/* The first hit of one. Where two threads are the first, one of them takes an index that stays empty. */
static __always_inline u32 *process_begin(u32 pid, u64 load_bias)
{
	u32 at = __sync_fetch_and_add(&processes_nr, 1);
	struct wire_process *p = bpf_map_lookup_elem(&processes, &at);

	if (!p)
		__sync_fetch_and_add(&processes_nr, -1);
	else if (!bpf_map_update_elem(&lives, &pid, &at, BPF_NOEXIST)) {
		p->load_bias = load_bias;
		p->begin_ns = bpf_ktime_get_ns();
		p->from_zero = bpf_map_lookup_elem(&execs, &pid) != NULL;
		p->pid = pid;
	}
	return bpf_map_lookup_elem(&lives, &pid);
}

/* The index of the process that runs, or NULL: there is no room for it. */
static __always_inline u32 *process_here(u64 load_bias)
{
	u32 pid = this_process();
	u32 *at = bpf_map_lookup_elem(&lives, &pid);

	return at ? at : process_begin(pid, load_bias);
}

/* Its life ends, and another begins. */
static __always_inline void process_executes(void)
{
	u32 pid = this_process(), one = 1;
	u32 *at = bpf_map_lookup_elem(&lives, &pid);
	struct wire_process *p = at ? bpf_map_lookup_elem(&processes, at) : NULL;

	if (p)
		p->executed = 1;
	bpf_map_delete_elem(&lives, &pid);
	if (gate)
		bpf_map_update_elem(&execs, &pid, &one, BPF_ANY);
}

#endif
