/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The stack of the current call, by frame pointers.
 *
 * At a probe right after the stack check the frame isn't made yet: RBP is still the caller's and
 * [RSP] the return address. So frame 0 is the probed function, frame 1 is [RSP], and from there on each RBP
 * points at {caller's RBP, return address}, down to a saved RBP of 0 below runtime.goexit. Go keeps frame
 * pointers on amd64 always. An own walk of 8 frames costs 0.2 us where bpf_get_stackid costs 5.
 *
 * On arm64 X29 is in the place of RBP, always on Linux, and the return address in X30. Up to Go 1.20 the runtime moves a
 * stack and leaves the frame pointers saved in it as they were: such a stack is cut where they begin.
 *
 * A pointer is followed only inside the stack that it should be in. Two stacks can be part of one call: the
 * goroutine's and the system stack of its thread. From the system stack back, the saved RBP isn't to be trusted: the
 * collector may have moved the goroutine's stack meanwhile (it shrinks stacks of goroutines that wait, as one does
 * that assists), and mends what g.sched says, not what lies on the system stack. Up to Go 1.20
 * runtime.systemstack returns with such a stale RBP, and gcAssistAlloc goes on with it: its frame is found by its
 * size instead. On arm64 it mends that, but up to Go 1.24 it begins the system stack's chain anew, with 0.
 */
#ifndef GALLOP_BPF_WALK_BPF_H
#define GALLOP_BPF_WALK_BPF_H

#include "bpf/goabi.bpf.h"
#include "bpf/maps.bpf.h"

static __always_inline u64 hash_step(u64 hash, u64 pc)
{
	/* Bijective for a given pc; the odd constant is 2^64 / golden ratio. */
	hash = (hash ^ pc) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* What a frame pointer points at. */
struct walk_frame {
	u64 bp, ret;
};

struct walk {
	u64 g; /* whose stack it is in */
	u64 lo, hi; /* its bounds: runtime.g.stack, at 0 in every version */
	u64 ret_at; /* where the last return address was read; 0: nowhere yet */
	u64 crossings; /* from stack to stack so far */
	u64 load_bias;
	u64 taken; /* off each program counter that is kept: load_bias_to_take() */
	u64 flags; /* WIRE_STACK_* */
	struct walk_frame frame; /* the last one; its ret is 0 where the walk ends */
};

/* What is taken off an address that stands for something: see processes.bpf.h. */
static __always_inline u64 load_bias_to_take(u64 load_bias)
{
	return cfg.many ? load_bias : 0;
}

static __always_inline bool walk_enter(struct walk *w, u64 g)
{
	struct {
		u64 lo, hi;
	} stack = {};

	if (!g || bpf_probe_read_user(&stack, sizeof(stack), (void *)g))
		return false;
	w->g = g;
	w->lo = stack.lo;
	w->hi = stack.hi;
	return true;
}

/* Take the frame at bp, if it lies in the stack. */
static __always_inline bool walk_take(struct walk *w, u64 bp)
{
	if (bp < w->lo || bp >= w->hi || w->hi - bp < sizeof(w->frame) ||
	    bpf_probe_read_user(&w->frame, sizeof(w->frame), (void *)bp))
		return false;
	w->ret_at = bp + sizeof(w->frame.bp);
	return true;
}

/* From a system stack to the goroutine's: to what called runtime.systemstack. */
static __always_inline bool walk_to_goroutine(struct walk *w, u64 curg)
{
	u64 sp = read_u64(curg + cfg.g_sched_sp);
	u64 bp = read_u64(curg + cfg.g_sched_bp);

	if (!walk_enter(w, curg))
		return false;
	if (cfg.systemstack_frame)
		return walk_take(w, bp);
	/* No frame was made: the return address is on top. Its caller's frame is for the next step. */
	if (sp < w->lo || sp >= w->hi)
		return false;
	w->frame.bp = bp;
	w->frame.ret = read_u64(sp);
	w->ret_at = sp;
	return true;
}

/* The frame pointer leads out of the stack: find where the call goes on, and take that frame. */
static __always_inline int walk_cross(struct walk *w)
{
	u64 m = read_u64(w->g + cfg.g_m);
	u64 curg = m ? read_u64(m + cfg.m_curg) : 0;
	u64 g0 = m ? read_u64(m + cfg.m_g0) : 0;

	if (w->g == curg && w->frame.ret - w->load_bias - cfg.assist_va < cfg.assist_len)
		return walk_take(w, w->ret_at + cfg.assist_frame);
	/* Back to the goroutine from where it began only; what is below a call from C isn't Go's. */
	if (w->crossings++ >= (w->g == g0 ? 1 : 2))
		return 0;
	if (w->g == g0)
		return curg && walk_to_goroutine(w, curg);
	/* A goroutine that C called: cgocallback's own frame is on the stack that C runs on, which is g0's. */
	return walk_enter(w, g0) && walk_take(w, w->frame.bp);
}

/* Does the chain end here, and not only on this stack? */
static __always_inline bool walk_ends(const struct walk *w)
{
	return !w->frame.bp &&
	       w->frame.ret - w->load_bias - cfg.systemstack_va >= cfg.systemstack_len;
}

static __always_inline void walk_fault(struct walk *w)
{
	w->flags = WIRE_STACK_FAULT;
	w->frame.ret = 0;
}

/*
 * On to the frame that the last one points at. Verified by itself: the verifier goes through a loop as often as it may
 * turn, and would go through all paths of this each time, in each program that walks. Weak, as two objects have it.
 */
__weak __attribute__((noinline)) int walk_step(struct walk *w)
{
	if (!w)
		return 0;
	if (walk_ends(w))
		w->frame.ret = 0;
	else if (!walk_take(w, w->frame.bp) && !walk_cross(w))
		walk_fault(w);
	return 0;
}

/*
 * Walk from where *w stands into *st: pcs, pcs_nr, flags, hash. By itself and weak for the same reasons; the loop has one
 * way out and leaves all it knows in memory, so that the verifier goes through what is behind it once.
 */
__weak __attribute__((noinline)) int walk_into(struct walk *w, struct wire_stack *st)
{
	if (!w || !st)
		return 0;
	u64 hash = hash_step(cfg.hash_seed, st->pcs[0]), taken = w->taken;

	st->pcs_nr = 1;
	if (!walk_enter(w, w->g) ||
	    (w->ret_at &&
	     bpf_probe_read_user(&w->frame.ret, sizeof(w->frame.ret), (void *)w->ret_at)))
		walk_fault(w);
	for (u32 i = 1; i < WIRE_DEPTH_MAX && i < cfg.depth; i++) {
		u64 ret = w->frame.ret;

		if (!ret)
			break;
		ret -= taken;
		st->pcs[i] = ret;
		st->pcs_nr = i + 1;
		hash = hash_step(hash, ret);
		walk_step(w);
	}
	/* There was one more, and no room for it. */
	if (w->frame.ret)
		w->flags = WIRE_STACK_CUT;
	/* A cut stack is another stack than a complete one with the same frames. */
	hash = hash_step(hash, w->flags);
	if (hash < WIRE_STACK_FIRST_HASH)
		hash += WIRE_STACK_FIRST_HASH;
	st->hash = hash;
	st->flags = w->flags;
	return 0;
}

/* The stack of the current call. Returns its hash. */
static __always_inline u64 walk_stack(const struct pt_regs *ctx, u64 load_bias,
				      struct wire_stack *st)
{
	struct walk w = { .g = GO_G(ctx),
			  .load_bias = load_bias,
			  .taken = load_bias_to_take(load_bias),
			  .frame.bp = GO_FP(ctx) };

#ifdef __TARGET_ARCH_arm64
	w.frame.ret = ctx->regs[30];
#else
	w.ret_at = ctx->sp;
#endif

	st->pcs[0] = GO_PC(ctx) - w.taken;
	walk_into(&w, st);
	return st->hash;
}

#endif
