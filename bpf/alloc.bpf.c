// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Every allocation, added up in the kernel by (stack, type, size class).
 *
 * One program serves all entries of the allocator; the cookie says which rule counts there. Nothing is
 * sent to the user side but each stack once: a site's counters are only ever added to, per CPU, and read
 * while they grow. That makes an exact event cost little more than the trap itself, and
 * there is nothing to lose when the reader is late.
 */
#include "bpf/goabi.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/objects.bpf.h"
#include "bpf/op.bpf.h"
#include "bpf/processes.bpf.h"
#include "bpf/stacks.bpf.h"

/* Bound set by the loader, from the memory a site costs on this machine's CPUs. Full: counted loss. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct wire_site_key);
	__type(value, struct wire_site);
} sites SEC(".maps");

static __always_inline void add_to_site(const struct pt_regs *ctx, struct wire_site_key *key,
					struct wire_stack *st, u64 bytes, u64 cookie,
					struct wire_cpu *cpu)
{
	struct wire_site *site = bpf_map_lookup_elem(&sites, key);
	struct wire_site zero = {};

	/*
	 * Another CPU may be first: then adding fails and the look-up finds its site. It also fails where the kernel's
	 * stock of elements is used up for a moment, which an interrupt of the next instruction fills.
	 */
	for (int i = 0; !site && i < INSERT_TRIES; i++) {
		bpf_map_update_elem(&sites, key, &zero, BPF_NOEXIST);
		site = bpf_map_lookup_elem(&sites, key);
	}
	if (!site) {
		count_loss(cpu, WIRE_LOSS_SITES_FULL);
		__sync_fetch_and_add(&cpu->siteless_bytes, bytes);
		return;
	}
	if (st && !site->stack_sent && send_stack(ctx, st, cookie, cpu))
		site->stack_sent = 1;
	__sync_fetch_and_add(&site->objects, 1);
	__sync_fetch_and_add(&site->bytes, bytes);
}

/* The body between claim and release of a slot; it has no other way out than its end. */
static __always_inline void record_object(const struct pt_regs *ctx, struct object obj, u32 ops,
					  u64 cookie, struct wire_cpu *cpu)
{
	u64 load_bias = GO_PC(ctx) - probe_va(cookie);
	struct wire_site_key key = { .typ = obj.typ, .size_class = obj.size_class, .ops = ops };
	struct scratch *s = scratch_here();
	int slot = s ? slot_claim(s, cpu) : -1;

	if (key.typ)
		key.typ -= load_bias_to_take(load_bias);
	if (cfg.by_goroutine)
		key.goid = read_u64(current_goroutine(GO_G(ctx)) + cfg.goid_off);
	if (!s || slot < 0 || slot >= WIRE_SLOTS) {
		count_loss(cpu, WIRE_LOSS_SLOT);
		key.stack = WIRE_STACK_NONE;
		add_to_site(ctx, &key, NULL, obj.bytes, cookie, cpu);
		return;
	}
	struct wire_stack *st = &s->slots[slot];
	key.stack = walk_stack(ctx, load_bias, st);
	add_to_site(ctx, &key, st, obj.bytes, cookie, cpu);
	slot_release(s, slot);
}

/* Of no interest but that the sum is the runtime's: no stack is walked. */
static __always_inline void record_outside(const struct pt_regs *ctx, struct object obj, u64 cookie,
					   struct wire_cpu *cpu)
{
	struct wire_site_key key = { .stack = WIRE_STACK_OUTSIDE,
				     .typ = obj.typ,
				     .size_class = obj.size_class };

	add_to_site(ctx, &key, NULL, obj.bytes, cookie, cpu);
}

/* Of many processes: whose is it? False: nobody's that is counted. */
static __always_inline bool add_to_process(const struct pt_regs *ctx, struct object obj, u64 cookie,
					   struct wire_cpu *cpu)
{
	u32 *at = process_here(GO_PC(ctx) - probe_va(cookie));
	struct wire_process *p = at ? bpf_map_lookup_elem(&processes, at) : NULL;

	if (!p) {
		count_loss(cpu, WIRE_LOSS_PROCESS);
		return false;
	}
	__sync_fetch_and_add(&p->objects, 1);
	__sync_fetch_and_add(&p->bytes, obj.bytes);
	return true;
}

SEC("?uprobe")
int on_malloc(struct pt_regs *ctx)
{
	struct wire_cpu *cpu = cpu_stats_here();
	u64 cookie = bpf_get_attach_cookie(ctx);

	keep_own_stack(ctx);
	if (!cpu)
		return 0;
	if (!cfg.op_windows)
		count_group(cpu,
			    WIRE_GROUP_LARGE); /* the only ones that are sampled and come here */
	else
		count_group(cpu, WIRE_GROUP_OP_WINDOW);
	if (!is_counting() || !op_window_takes(WIRE_GROUP_OP_WINDOW))
		return 0;
	if (!count_hit(ctx, cookie, cpu) || !is_object(ctx, cookie))
		return 0;

	struct op_goroutine *gr = cfg.ops_nr ? in_operation(GO_G(ctx)) : NULL;
	if (cfg.op_windows && !gr)
		return 0; /* of others it isn't known how many there are */
	struct object obj = object_of(ctx, cookie, cfg.tiny_blocks, cpu);
	if (cfg.many && !add_to_process(ctx, obj, cookie, cpu))
		return 0;
	if (gr) {
		gr->objects++;
		gr->bytes += obj.bytes;
	}
	__sync_fetch_and_add(&cpu->objects, 1);
	__sync_fetch_and_add(&cpu->bytes, obj.bytes);
	if (cfg.ops_only && !gr)
		record_outside(ctx, obj, cookie, cpu);
	else
		record_object(ctx, obj, gr ? gr->open : 0, cookie, cpu);
	return 0;
}
