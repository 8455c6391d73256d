/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Go's internal calling convention (ABIInternal). Source: Go src/cmd/compile/abi-internal.md.
 *
 * amd64, since Go 1.17: integer arguments in RAX, RBX, RCX, RDI, RSI, R8, ...; the current g in R14. arm64, since 1.18:
 * in X0 to X15; g in X28, the frame pointer in X29, the return address in X30. That isn't in memory at the places
 * that are probed, so where it would lie on amd64, right below the caller's frame, stands for it: GO_RET_AT.
 */
#ifndef GALLOP_BPF_GOABI_BPF_H
#define GALLOP_BPF_GOABI_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/maps.bpf.h"

#ifdef __TARGET_ARCH_arm64

#define GO_ARG1(ctx) ((u64)(ctx)->regs[0])
#define GO_ARG2(ctx) ((u64)(ctx)->regs[1])
#define GO_ARG3(ctx) ((u64)(ctx)->regs[2])
#define GO_ARG4(ctx) ((u64)(ctx)->regs[3])
#define GO_G(ctx) ((u64)(ctx)->regs[28])
#define GO_FP(ctx) ((u64)(ctx)->regs[29])
#define GO_PC(ctx) ((u64)(ctx)->pc)
#define GO_RET_AT(ctx) ((u64)(ctx)->sp - sizeof(u64))

#else

#define GO_ARG1(ctx) ((u64)(ctx)->ax)
#define GO_ARG2(ctx) ((u64)(ctx)->bx)
#define GO_ARG3(ctx) ((u64)(ctx)->cx)
#define GO_ARG4(ctx) ((u64)(ctx)->di)
#define GO_G(ctx) ((u64)(ctx)->r14)
#define GO_FP(ctx) ((u64)(ctx)->bp)
#define GO_PC(ctx) ((u64)(ctx)->ip)
#define GO_RET_AT(ctx) ((u64)(ctx)->sp)

#endif

static __always_inline u64 read_u64(u64 addr)
{
	u64 value = 0;

	bpf_probe_read_user(&value, sizeof(value), (void *)addr);
	return value;
}

/* The goroutine that runs on this thread: g itself, or what the thread's g0 works for. */
static __always_inline u64 current_goroutine(u64 g)
{
	u64 m = read_u64(g + cfg.g_m);

	return m ? read_u64(m + cfg.m_curg) : 0;
}

/* Is the branch of a stack check taken? */
static __always_inline bool takes_branch(const struct pt_regs *ctx)
{
#ifdef __TARGET_ARCH_arm64
	enum { Z = 1 << 30, C = 1 << 29 };

	return (ctx->pstate & (Z | C)) != C; /* b.ls */
#else
	enum { CF = 1 << 0, ZF = 1 << 6 };

	return ctx->flags & (CF | ZF); /* jbe */
#endif
}

/*
 * Did the prologue's stack check send this call to morestack? It comes back to the entry, so
 * only the hit whose branch falls through is the call.
 */
static __always_inline bool leads_to_morestack(const struct pt_regs *ctx, u64 cookie)
{
	return ((cookie >> 8) & WIRE_F_JCC) && takes_branch(ctx);
}

/* A hit of what is counted by the call: is it one? */
static __always_inline bool count_hit(const struct pt_regs *ctx, u64 cookie, struct wire_cpu *cpu)
{
	__sync_fetch_and_add(&cpu->hits, 1);
	if (!leads_to_morestack(ctx, cookie))
		return true;
	__sync_fetch_and_add(&cpu->not_entered, 1);
	return false;
}

#endif
