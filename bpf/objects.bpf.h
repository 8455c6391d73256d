/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the allocator gives for what it is asked for: how every program that counts objects sees one. */
#ifndef GALLOP_BPF_OBJECTS_BPF_H
#define GALLOP_BPF_OBJECTS_BPF_H

#include "bpf/goabi.bpf.h"
#include "bpf/maps.bpf.h"

/* What one object takes: its size class and the bytes of its slot. */
struct object {
	u64 typ; /* 0: none, or not known */
	u64 bytes;
	u32 size_class;
};

/* (size, type), or (mcache, size) of allocLarge, which isn't told the type. */
static __always_inline u64 object_size(const struct pt_regs *ctx, u64 cookie)
{
	u64 first = GO_ARG1(ctx), second = GO_ARG2(ctx);

	/* Read both: a choice between two places of the context isn't accepted by the verifier. */
	asm volatile("" : "+r"(first), "+r"(second));
	return probe_is(cookie, WIRE_PLACE_ALLOC_LARGE) ? second : first;
}

static __always_inline u64 object_type(const struct pt_regs *ctx, u64 cookie)
{
	return probe_is(cookie, WIRE_PLACE_ALLOC_LARGE) ? 0 : GO_ARG2(ctx);
}

/* Does a call make an object that is counted here, and nowhere else? */
static __always_inline bool is_object(const struct pt_regs *ctx, u64 cookie)
{
	u64 size = object_size(ctx, cookie);

	/* Size 0 gives the address of runtime.zerobase and is no object. */
	return size && !(probe_is(cookie, WIRE_PLACE_MALLOCGC) && size <= cfg.malloc_limit);
}

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

/* The class of what isn't a large object, header included. */
static __always_inline u32 size_class_of(u64 size)
{
	u32 size_class;

	if (size <= WIRE_SMALL_SIZE_MAX - 8) {
		u32 i = (size + 7) / 8;
		size_class = cfg.size_to_class8[i < WIRE_SIZE_TO_CLASS8 ? i : 0];
	} else {
		u32 i = (size - WIRE_SMALL_SIZE_MAX + 127) / 128;
		size_class = cfg.size_to_class128[i < WIRE_SIZE_TO_CLASS128 ? i : 0];
	}
	return size_class < WIRE_CLASSES ? size_class : 0;
}

/*
 * The slot that mallocgc will use (Go runtime/malloc.go, sizeclasses.go). Tiny objects count the bytes that
 * were asked for, or, where what the heap gives is measured, their blocks.
 */
static __always_inline struct object object_of(const struct pt_regs *ctx, u64 cookie,
					       bool tiny_blocks, struct wire_cpu *cpu)
{
	enum { PAGE = 8192, HEADER = 8 };
	u64 size = object_size(ctx, cookie), typ = object_type(ctx, cookie);

	if (size > cfg.small_max)
		return (struct object){ typ, (size + PAGE - 1) & ~(u64)(PAGE - 1),
					WIRE_CLASS_LARGE };
	bool noscan = is_noscan(typ, cookie, cpu);
	if (noscan && size < TINY)
		return (struct object){ typ, tiny_blocks ? tiny_block(GO_G(ctx), size, cpu) : size,
					WIRE_CLASS_TINY };
	if (!noscan && size > cfg.header_min)
		size += HEADER;
	u32 size_class = size_class_of(size);

	return (struct object){ typ, cfg.class_to_size[size_class], size_class };
}

#endif
