/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs of bpf/op.bpf.c on the host, with goroutines and stacks that are made up: what tests of it share. Before it,
 * OP_WINDOWS says whether operations are measured in windows.
 */
#ifndef GALLOP_TESTS_UNIT_OP_KERNEL_H
#define GALLOP_TESTS_UNIT_OP_KERNEL_H

#include "golden.h"

struct pt_regs;
int on_op(struct pt_regs *ctx);
int on_op_unwind(struct pt_regs *ctx);
int on_op_call(struct pt_regs *ctx);
#include "bpf/op.bpf.c"

enum { F, G, FUNCS_NR, PLACES_MAX = 64, WORDS = 4096, F_CODE = 0x1000, CODE_SZ = 0x100 };

const volatile struct wire_cfg cfg = {
	.goid_off = 16,
	.ops_nr = FUNCS_NR,
	.sampled = OP_WINDOWS,
	.op_windows = OP_WINDOWS,
	.panic_sp = 0xffff,
	.g_sigcode0 = 24,
	.op_goroutines_max = PLACES_MAX,
	.open_ops_max = PLACES_MAX,
	.op_funcs = { { F_CODE, CODE_SZ, 8 }, { 0x2000, CODE_SZ, 8 } },
};
volatile __u32 gate = 1, target, ops_half;
volatile struct wire_window window;
volatile __s64 ration_left;
struct wakeups_map wakeups, alarms;
volatile __u64 assist_seen, paused_ns, pause_began_ns;
struct cpu_stats_map cpu_stats;
struct op_goroutines_map op_goroutines;

/* A goroutine and its stack, which ends where the next one's g is. */
struct goroutine {
	u64 lo, hi, goid, sigcode0;
	u64 stack[WORDS];
};

static struct goroutine *gs;

static inline struct goroutine *new_goroutines(size_t nr)
{
	kernel_reset();
	free(gs);
	gs = calloc(nr, sizeof(*gs));
	assert_non_null(gs);
	kernel.memory = gs;
	kernel.memory_sz = nr * sizeof(*gs);
	gate = 1;
	left_out = 0;
	goroutines_nr = open_ops_nr = 0;
	paused_ns = pause_began_ns = 0;
	ops_half = 0;
	for (size_t i = 0; i < nr; i++) {
		gs[i].lo = (u64)gs[i].stack;
		gs[i].hi = (u64)(gs[i].stack + WORDS);
		gs[i].goid = i + 1;
	}
	return gs;
}

/* Where the return address of a call lies, so many words below the top. */
static inline u64 sp_at(const struct goroutine *g, u64 depth)
{
	return g->hi - depth * sizeof(u64);
}

/* A frame whose return address leads into `ret`, called by what has its frame pointer at words `caller`. */
static inline void put_frame(struct goroutine *g, u64 depth, u64 ret, u64 caller)
{
	g->stack[WORDS - depth] = ret;
	g->stack[WORDS - depth - 1] = caller ? sp_at(g, caller + 1) : 0;
}

static inline void hit(const struct goroutine *g, enum wire_place place, u32 func, u64 depth,
		       u64 bp)
{
	struct pt_regs regs = { .r14 = (u64)g, .sp = sp_at(g, depth), .bp = bp, .ip = F_CODE };

	kernel.cookie = WIRE_COOKIE(place, WIRE_F_OP(func), F_CODE);
	kernel.now_ns += 10;
	on_op(&regs);
}

static inline void begin(const struct goroutine *g, u32 func, u64 depth)
{
	hit(g, WIRE_PLACE_OP_BEGIN, func, depth, 0);
}

static inline void end(const struct goroutine *g, u32 func, u64 depth)
{
	hit(g, WIRE_PLACE_OP_RETURN, func, depth, 0);
}

static inline void unwind(const struct goroutine *g, enum wire_place place)
{
	struct pt_regs regs = { .r14 = (u64)g, .ax = (u64)g };

	kernel.cookie = WIRE_COOKIE(place, 0, 0);
	on_op_unwind(&regs);
}

/* A panic that goes on in a frame whose stack pointer is so deep. */
static inline void recovers(struct goroutine *g, u64 depth)
{
	g->sigcode0 = sp_at(g, depth);
	unwind(g, WIRE_PLACE_OP_RECOVER);
}

static inline u64 lost(enum wire_loss cause)
{
	return cpu_stats_here()->losses[cause];
}

static inline void assert_op(u32 func, u64 begun, u64 ended, u64 panics, u64 goexits, u64 before)
{
	const struct wire_op *op = op_of(0, func);

	assert_int_equal(op->begun, begun);
	assert_int_equal(op->ended, ended);
	assert_int_equal(op->panics, panics);
	assert_int_equal(op->goexits, goexits);
	assert_int_equal(op->began_before, before);
}

#endif
