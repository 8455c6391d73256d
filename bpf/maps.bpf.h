/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The BPF maps and globals, owned by maps.bpf.c, and how a program counts. */
#ifndef GALLOP_BPF_MAPS_BPF_H
#define GALLOP_BPF_MAPS_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/wire.h"

/* What every program is told; constants once the object is loaded. */
extern const volatile struct wire_cfg cfg;

/* Opened by the user side when all probes are in: counting starts everywhere at once. */
extern volatile __u32 gate;

/* The process that is traced, as the kernel numbers it; the first hit tells. With cfg.many any of them. */
extern volatile __u32 target;

/* Of the table of processes (processes.bpf.h): how many are taken. */
extern volatile __u32 processes_nr;

/* gcController.assistTime when the last assist ended; set by the user side before the gate opens. */
extern volatile __u64 assist_seen;

/* How long the world was stopped so far, and since when it is; 0: it isn't (gc.bpf.c). */
extern volatile __u64 paused_ns, pause_began_ns;

/* How many times the probes of stops and cycles were attached: what was under way before says nothing after. */
extern volatile __u32 gc_attached;

/* Which half of the operations' counts is added to, 0 or 1 (op.bpf.c). */
extern volatile __u32 ops_half;

/* The window that is open (sample.bpf.c). */
extern volatile struct wire_window window;

/* So many more hits of what is always on until the user side looks at what they cost. */
extern volatile __s64 ration_left;

/* Every large object is counted by itself now: samples leave them out. */
extern volatile __u32 large_apart;

/*
 * key: CPU, bound: possible CPUs. Mapped by the user side, so that totals can be read with no
 * system call. Atomic adds: a program can be preempted in the middle (see scratch.bpf.h).
 */
struct cpu_stats_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wire_cpu);
};
extern struct cpu_stats_map cpu_stats SEC(".maps");

/* Events for the user side, in the order they happened on each CPU. */
struct events_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};
extern struct events_map events SEC(".maps");

/* The number of a window whose hits are all taken: a ring of its own, that only who waits for it reads. */
struct wakeups_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};
extern struct wakeups_map wakeups SEC(".maps");

/* The same for ration_left. */
extern struct wakeups_map alarms SEC(".maps");

/* How often an element is tried to be added to a table that grows. */
enum { INSERT_TRIES = 3 };

/* key: a stack's hash, value: 1 if it has been sent. Full: the stack is tried again at its next hit. */
struct stacks_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, u32);
};
extern struct stacks_map stacks SEC(".maps");

/* Never has a program: see keep_own_stack(). */
struct no_programs_map {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u32));
};
extern struct no_programs_map no_programs SEC(".maps");

/*
 * For every uprobe program, before it counts anything.
 *
 * Since Linux 6.13 a program that uses 64 bytes of stack or more gets one stack for each CPU ("private stack",
 * kernel/bpf/verifier.c bpf_enable_priv_stack), as if no program of this type could run twice on a CPU. One at a uprobe
 * can, being preempted: two threads then write to one stack, and a torn pointer is an oops of the kernel's (seen on 7.3
 * with lazy preemption, 32 threads on a CPU). A program that may make a tail call is left on its thread's stack: so each
 * may make one, which finds no program and goes on.
 */
static __always_inline void keep_own_stack(struct pt_regs *ctx)
{
	if (!gate)
		bpf_tail_call(ctx, &no_programs, 0);
}

static __always_inline struct wire_cpu *cpu_stats_here(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpu_stats, &cpu);
}

static __always_inline u32 this_process(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

/* Does what happens now count? */
static __always_inline bool is_counting(void)
{
	if (!gate)
		return false;
	if (!target)
		target = this_process();
	return true;
}

static __always_inline void count_loss(struct wire_cpu *cpu, enum wire_loss cause)
{
	__sync_fetch_and_add(&cpu->losses[cause], 1);
}

/*
 * What each group of probes costs is told by their hits, whether or not they count yet, or still. Of what is always on:
 * when they are as many as the user side allowed for, it is told so at once.
 */
static __always_inline void count_group(struct wire_cpu *cpu, enum wire_group group)
{
	if (!cfg.sampled)
		return;
	__sync_fetch_and_add(&cpu->group_hits[group], 1);
	if (group == WIRE_GROUP_REFILL || group == WIRE_GROUP_WINDOW ||
	    group == WIRE_GROUP_OP_WINDOW || group == WIRE_GROUP_OP_RETURNS)
		return;
	/* Assists are seen at RETs. */
	s64 taken = group == WIRE_GROUP_ASSIST || group == WIRE_GROUP_GC_RETURNS ? WIRE_STEPPED_HITS
										 : 1;
	s64 left = __sync_fetch_and_add(&ration_left, -taken);
	if (left > 0 && left <= taken) {
		u64 which = group;

		bpf_ringbuf_output(&alarms, &which, sizeof(which), BPF_RB_FORCE_WAKEUP);
	}
}

static __always_inline u64 probe_va(u64 cookie)
{
	return cookie >> 16;
}

static __always_inline bool probe_is(u64 cookie, enum wire_place place)
{
	return (cookie & 0xff) == place;
}

#endif
