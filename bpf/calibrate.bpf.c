// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What a hit costs on this machine: all that a sample does but to be sent, in gallop's own process (see
 * user/govern/calibrate.c, which has the stack that is walked).
 */
#include "bpf/goabi.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/scratch.bpf.h"
#include "bpf/walk.bpf.h"

volatile __u64 calibrate_hits = 0;
static volatile u64 calibrate_ns;

SEC("?uprobe")
int on_calibrate(struct pt_regs *ctx)
{
	keep_own_stack(ctx);
	u64 cookie = bpf_get_attach_cookie(ctx);
	struct wire_cpu *cpu = cpu_stats_here();
	struct scratch *s = scratch_here();
	int slot = s && cpu ? slot_claim(s, cpu) : -1;

	if (!s || slot < 0 || slot >= WIRE_SLOTS)
		return 0;
	calibrate_ns = bpf_ktime_get_ns();
	__sync_fetch_and_add(&calibrate_hits, 1);
	u64 hash = walk_stack(ctx, GO_PC(ctx) - probe_va(cookie), &s->slots[slot]);
	bpf_map_lookup_elem(&stacks, &hash);
	slot_release(s, slot);
	return 0;
}
