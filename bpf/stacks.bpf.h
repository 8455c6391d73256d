/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Each stack goes to the user side once; from then on its hash stands for it. */
#ifndef GALLOP_BPF_STACKS_BPF_H
#define GALLOP_BPF_STACKS_BPF_H

#include "bpf/maps.bpf.h"
#include "bpf/scratch.bpf.h"
#include "bpf/walk.bpf.h"

/*
 * Send a stack that no one has sent. True if the user side has it or will find it in the ring. Two CPUs may both
 * send a new one: the user side takes the first.
 */
static __always_inline bool send_stack(const struct pt_regs *ctx, struct wire_stack *st, u64 cookie,
				       struct wire_cpu *cpu)
{
	u64 hash = st->hash;
	u32 *sent = bpf_map_lookup_elem(&stacks, &hash);

	if (sent && *sent)
		return true;
	if (!sent) {
		u32 not_yet = 0;
		long err = bpf_map_update_elem(&stacks, &hash, &not_yet, BPF_NOEXIST);

		if (err && err != -EEXIST) {
			count_loss(cpu, WIRE_LOSS_STACK_UNSENT);
			return false;
		}
	}

	u32 n = st->pcs_nr;
	if (n > WIRE_DEPTH_MAX)
		n = WIRE_DEPTH_MAX;
	u32 size = sizeof(*st) - sizeof(st->pcs) + n * sizeof(st->pcs[0]);
	st->ev.kind = WIRE_EVENT_STACK;
	st->ev.size = size;
	st->ev.tid = (u32)bpf_get_current_pid_tgid();
	st->ev.mono_ns = bpf_ktime_get_ns();
	st->load_bias = cfg.many ? 0 : GO_PC(ctx) - probe_va(cookie);
	/* The user side polls: waking it for each new stack would cost the target more than the stack. */
	if (bpf_ringbuf_output(&events, st, size, BPF_RB_NO_WAKEUP)) {
		count_loss(cpu, WIRE_LOSS_STACK_UNSENT);
		return false;
	}
	sent = bpf_map_lookup_elem(&stacks, &hash);
	if (sent)
		*sent = 1;
	return true;
}

#endif
