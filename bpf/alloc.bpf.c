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
#include "bpf/op.bpf.h"
#include "bpf/stacks.bpf.h"

/* Bound set by the loader, from the memory a site costs on this machine's CPUs. Full: counted loss. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct wire_site_key);
	__type(value, struct wire_site);
} sites SEC(".maps");

/* What one object takes: its size class and the bytes of its slot. */
struct object {
	u64 bytes;
	u32 size_class;
};

/*
 * Does the type hold no pointers? runtime._type.PtrBytes, at 8 in every Go since 1.17; a nil type
 * is memory without pointers. A specialised function never looks at the type, whose page may not be there.
 */
static __always_inline bool is_noscan(u64 typ, u64 cookie, struct wire_cpu *cpu)
{
	u64 flags = cookie >> 8;
	u64 ptr_bytes = 0;

	if (!typ || (flags & WIRE_F_NOSCAN))
		return true;
	if (flags & WIRE_F_SCAN)
		return false;
	if (bpf_probe_read_user(&ptr_bytes, sizeof(ptr_bytes), (void *)(typ + 8)))
		count_loss(cpu, WIRE_LOSS_TYPE_FAULT);
	return ptr_bytes == 0;
}

enum { TINY = 16 }; /* smaller objects without pointers share blocks of this size */

/*
 * What the heap gives for a tiny object: a block, where there is no room in the one that its P fills (Go
 * runtime/malloc.go: mallocgcTiny, and mallocgc before 1.24). mcache.tiny and tinyoffset precede tinyAllocs.
 */
static __always_inline u64 tiny_block(u64 g, u64 size, struct wire_cpu *cpu)
{
	u64 m = read_u64(g + cfg.g_m);
	u64 p = m ? read_u64(m + cfg.m_p) : 0;
	u64 mcache = p ? read_u64(p + cfg.p_mcache) : 0;
	struct {
		u64 block, off;
	} tiny;

	/* Before there are Ps, in schedinit, mcache0 is filled: no goroutine runs yet. */
	if (m && !p)
		return TINY;
	if (!mcache || bpf_probe_read_user(&tiny, sizeof(tiny),
					   (void *)(mcache + cfg.mcache_tiny - sizeof(tiny)))) {
		count_loss(cpu, WIRE_LOSS_TINY);
		return TINY;
	}
	/* Aligning it makes no difference: where it fits at all, it fits at a multiple of what divides its size and TINY. */
	return tiny.block && tiny.off + size <= TINY ? 0 : TINY;
}

/*
 * The slot that mallocgc will use (Go runtime/malloc.go, sizeclasses.go). Tiny objects count the bytes that
 * were asked for, or, where what an operation takes is measured, their blocks.
 */
static __always_inline struct object object_of(const struct pt_regs *ctx, bool noscan,
					       struct wire_cpu *cpu)
{
	enum { PAGE = 8192, HEADER = 8 };
	u64 size = GO_ARG1(ctx);

	if (size > cfg.small_max)
		return (struct object){ (size + PAGE - 1) & ~(u64)(PAGE - 1), WIRE_CLASS_LARGE };
	if (noscan && size < TINY)
		return (struct object){ cfg.tiny_blocks ? tiny_block(GO_G(ctx), size, cpu) : size,
					WIRE_CLASS_TINY };
	if (!noscan && size > cfg.header_min)
		size += HEADER;

	u32 size_class;
	if (size <= WIRE_SMALL_SIZE_MAX - 8) {
		u32 i = (size + 7) / 8;
		size_class = cfg.size_to_class8[i < WIRE_SIZE_TO_CLASS8 ? i : 0];
	} else {
		u32 i = (size - WIRE_SMALL_SIZE_MAX + 127) / 128;
		size_class = cfg.size_to_class128[i < WIRE_SIZE_TO_CLASS128 ? i : 0];
	}
	if (size_class >= WIRE_CLASSES)
		size_class = 0;
	return (struct object){ cfg.class_to_size[size_class], size_class };
}

static __always_inline void add_to_site(const struct pt_regs *ctx, struct wire_site_key *key,
					struct wire_stack *st, u64 bytes, u64 cookie,
					struct wire_cpu *cpu)
{
	struct wire_site *site = bpf_map_lookup_elem(&sites, key);

	if (!site) {
		struct wire_site zero = {};

		/* Another CPU may be first: then this fails and the look-up finds its site. */
		bpf_map_update_elem(&sites, key, &zero, BPF_NOEXIST);
		site = bpf_map_lookup_elem(&sites, key);
		if (!site) {
			count_loss(cpu, WIRE_LOSS_SITES_FULL);
			__sync_fetch_and_add(&cpu->siteless_bytes, bytes);
			return;
		}
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
	struct wire_site_key key = { .typ = GO_ARG2(ctx),
				     .size_class = obj.size_class,
				     .ops = ops };
	struct scratch *s = scratch_here();
	int slot = s ? slot_claim(s, cpu) : -1;

	if (cfg.by_goroutine)
		key.goid = read_u64(current_goroutine(GO_G(ctx)) + cfg.goid_off);
	if (!s || slot < 0 || slot >= WIRE_SLOTS) {
		count_loss(cpu, WIRE_LOSS_SLOT);
		key.stack = WIRE_STACK_NONE;
		add_to_site(ctx, &key, NULL, obj.bytes, cookie, cpu);
		return;
	}
	struct wire_stack *st = &s->slots[slot];
	key.stack = walk_stack(ctx, ctx->ip - probe_va(cookie), st);
	add_to_site(ctx, &key, st, obj.bytes, cookie, cpu);
	slot_release(s, slot);
}

/* Of no interest but that the sum is the runtime's: no stack is walked. */
static __always_inline void record_outside(const struct pt_regs *ctx, struct object obj, u64 cookie,
					   struct wire_cpu *cpu)
{
	struct wire_site_key key = { .stack = WIRE_STACK_OUTSIDE,
				     .typ = GO_ARG2(ctx),
				     .size_class = obj.size_class };

	add_to_site(ctx, &key, NULL, obj.bytes, cookie, cpu);
}

SEC("?uprobe")
int on_malloc(struct pt_regs *ctx)
{
	struct wire_cpu *cpu = cpu_stats_here();
	u64 cookie = bpf_get_attach_cookie(ctx);
	u64 size = GO_ARG1(ctx);

	if (!cpu || !is_counting() || !count_hit(ctx, cookie, cpu))
		return 0;
	/* Size 0 gives the address of runtime.zerobase and is no object. */
	if (!size || (probe_is(cookie, WIRE_PLACE_MALLOCGC) && size <= cfg.malloc_limit))
		return 0;

	struct object obj = object_of(ctx, is_noscan(GO_ARG2(ctx), cookie, cpu), cpu);
	struct op_goroutine *gr = cfg.ops_nr ? in_operation(GO_G(ctx)) : NULL;
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
