// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Operations: the calls of chosen functions, from entry to return, each on one goroutine.
 *
 * A call is known by its goroutine and by how deep its return address lies in the stack, counted from the top: that
 * stays when the stack is moved, and a return from any other depth is another call's. So a call
 * inside a call of the same function is told from the outer one, which alone is the operation. Calls that panic
 * or Goexit unwinds never return: runtime.recovery and runtime.Goexit say which ones are gone.
 *
 * What an operation took is added up here, in sums and distributions, so there is nothing to lose on the way.
 * They are kept twice: the user side says which half is added to, and reads the other one, which stands still.
 */
#include "bpf/op.bpf.h"

/* Where a goroutine's call of a function stands; kept when that ends, for the next one. */
struct open_key {
	u64 g;
	u32 func;
	u32 pad;
};

struct open_op {
	u64 depth; /* of the return address below the top of the stack */
	u64 start_ns;
	u64 paused_ns; /* paused_until(start_ns) */
	u64 objects, bytes, assist_ns; /* of the goroutine, then */
};

/* Bound set by the loader. Full: counted loss. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct open_key);
	__type(value, struct open_op);
} open_ops SEC(".maps");

/* Two halves of WIRE_OPS_MAX functions. Mapped by the user side. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * WIRE_OPS_MAX);
	__type(key, u32);
	__type(value, struct wire_op);
} ops SEC(".maps");

/* Two halves of cfg.ops_nr functions, each WIRE_OP_VALUES distributions of WIRE_HIST_BUCKETS. Mapped too. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} op_hist SEC(".maps");

/* The stack that a call is on. */
struct op_stack {
	u64 g, goid, hi;
	u64 depth;
};

static __always_inline struct wire_op *op_of(u32 half, u32 func)
{
	u32 i = half * WIRE_OPS_MAX + func;

	return bpf_map_lookup_elem(&ops, &i);
}

/* Time that the world has been stopped for, up to now: the stop under way included. */
static __always_inline u64 paused_until(u64 now)
{
	u64 began = pause_began_ns, ended = paused_ns;

	return began && now > began ? ended + (now - began) : ended;
}

/* False where the call isn't on a goroutine's own stack: it has no place to be known by. */
static __always_inline bool find_stack(const struct pt_regs *ctx, struct op_stack *st)
{
	struct {
		u64 lo, hi;
	} bounds = {};

	st->g = GO_G(ctx);
	if (bpf_probe_read_user(&bounds, sizeof(bounds), (void *)st->g))
		return false;
	st->goid = read_u64(st->g + cfg.goid_off);
	st->hi = bounds.hi;
	st->depth = bounds.hi - ctx->sp;
	return st->goid && ctx->sp >= bounds.lo && ctx->sp < bounds.hi;
}

/*
 * Had this goroutine called the function when we came? Then what it calls of it now is inside that call. The depth
 * of the outermost one in the chain of frames, or 0.
 */
static __always_inline u64 find_unseen(const struct pt_regs *ctx, const struct op_stack *st,
				       u64 cookie, u32 func)
{
	u64 entry = cfg.op_funcs[func].va + (ctx->ip - probe_va(cookie));
	u64 len = cfg.op_funcs[func].len;
	u64 bp = ctx->bp, ret = read_u64(ctx->sp), depth = 0;

	for (int i = 0; i < WIRE_DEPTH_MAX; i++) {
		/* Of what was returned to, bp is the frame pointer: the return address lies above it. */
		u64 frame[2] = {};

		if (bp >= st->hi || bp <= ctx->sp)
			break;
		if (ret - entry < len)
			depth = st->hi - (bp + sizeof(u64));
		if (bpf_probe_read_user(frame, sizeof(frame), (void *)bp))
			break;
		bp = frame[0];
		ret = frame[1];
	}
	return depth;
}

static __always_inline struct op_goroutine *goroutine_of(const struct op_stack *st)
{
	u64 g = st->g;
	struct op_goroutine *gr = bpf_map_lookup_elem(&op_goroutines, &g);

	if (!gr) {
		struct op_goroutine fresh = { .goid = st->goid };

		bpf_map_update_elem(&op_goroutines, &g, &fresh, BPF_NOEXIST);
		gr = bpf_map_lookup_elem(&op_goroutines, &g);
	}
	return gr;
}

/* A call of this function is gone without a return. */
static __always_inline void op_gone(struct op_goroutine *gr, u32 func, bool panicked)
{
	struct wire_op *op = op_of(ops_half & 1, func);

	if (op && (gr->open >> func & 1))
		__sync_fetch_and_add(panicked ? &op->panics : &op->goexits, 1);
	gr->open &= ~(1U << func);
	gr->unseen &= ~(1U << func);
}

/* Those of a goroutine that are gone: all whose return address lies deeper than this. */
static __always_inline void ops_gone(struct op_goroutine *gr, u64 g, u64 depth, bool panicked)
{
	for (u32 func = 0; func < WIRE_OPS_MAX; func++) {
		struct open_key key = { .g = g, .func = func };

		if (!((gr->open | gr->unseen) >> func & 1))
			continue;
		struct open_op *open = bpf_map_lookup_elem(&open_ops, &key);
		if (!open || open->depth > depth)
			op_gone(gr, func, panicked);
	}
}

/* The goroutine's place for a call of this function. Made at its first one, which finds out about one before. */
static __always_inline struct open_op *place_of(const struct pt_regs *ctx, struct op_goroutine *gr,
						const struct op_stack *st, u64 cookie, u32 func)
{
	struct open_key key = { .g = st->g, .func = func };
	struct open_op *open = bpf_map_lookup_elem(&open_ops, &key);

	if (open)
		return open;
	struct open_op fresh = { .depth = find_unseen(ctx, st, cookie, func) };

	bpf_map_update_elem(&open_ops, &key, &fresh, BPF_NOEXIST);
	open = bpf_map_lookup_elem(&open_ops, &key);
	if (open && open->depth)
		gr->unseen |= 1U << func;
	return open;
}

static __always_inline void op_begins(const struct pt_regs *ctx, u64 cookie, u64 now,
				      struct wire_cpu *cpu)
{
	u32 func = WIRE_COOKIE_OP(cookie);
	struct op_stack st;

	if (!find_stack(ctx, &st)) {
		count_loss(cpu, WIRE_LOSS_OP_SYSTEM);
		return;
	}
	struct op_goroutine *gr = goroutine_of(&st);
	if (gr && gr->goid != st.goid) {
		/* Another goroutine has this g. Of the one before nothing should be left. */
		ops_gone(gr, st.g, 0, false);
		gr->goid = st.goid;
	}
	struct open_op *open = gr ? place_of(ctx, gr, &st, cookie, func) : NULL;
	if (!open) {
		count_loss(cpu, WIRE_LOSS_OPS_FULL);
		return;
	}
	if ((gr->open | gr->unseen) >> func & 1) {
		if (st.depth > open->depth)
			return; /* inside the call that is under way */
		op_gone(gr, func, true);
	}
	struct wire_op *op = op_of(ops_half & 1, func);
	if (!op)
		return;
	*open = (struct open_op){ .depth = st.depth,
				  .start_ns = now,
				  .paused_ns = paused_until(now),
				  .objects = gr->objects,
				  .bytes = gr->bytes,
				  .assist_ns = gr->assist_ns };
	gr->open |= 1U << func;
	__sync_fetch_and_add(&op->begun, 1);
}

/* Should others raise it faster than that, the distribution still tells it within 0.4 %. */
static __always_inline void raise_max(u64 *max, u64 value)
{
	enum { TRIES = 8 };
	u64 before = *max;

	for (int i = 0; i < TRIES && value > before; i++) {
		u64 was = __sync_val_compare_and_swap(max, before, value);

		if (was == before)
			return;
		before = was;
	}
}

static __always_inline void add_value(struct wire_op *op, u32 half, u32 func,
				      enum wire_op_value which, u64 value)
{
	u32 i = ((half * cfg.ops_nr + func) * WIRE_OP_VALUES + which) * WIRE_HIST_BUCKETS +
		wire_hist_bucket(value);
	u64 *bucket = bpf_map_lookup_elem(&op_hist, &i);

	__sync_fetch_and_add(&op->sum[which], value);
	raise_max(&op->max[which], value);
	if (bucket)
		__sync_fetch_and_add(bucket, 1);
}

static __always_inline void op_ends(const struct op_goroutine *gr, const struct open_op *open,
				    u32 func, u64 now)
{
	u32 half = ops_half & 1;
	struct wire_op *op = op_of(half, func);
	u64 ns = now > open->start_ns ? now - open->start_ns : 0;
	u64 paused = paused_until(now);

	if (!op)
		return;
	/* One that began as the world started again sees the end of that stop later than its beginning. */
	paused = paused > open->paused_ns ? paused - open->paused_ns : 0;
	add_value(op, half, func, WIRE_OP_OBJECTS, gr->objects - open->objects);
	add_value(op, half, func, WIRE_OP_BYTES, gr->bytes - open->bytes);
	add_value(op, half, func, WIRE_OP_NS, ns);
	__sync_fetch_and_add(&op->pause_ns, paused < ns ? paused : ns);
	__sync_fetch_and_add(&op->assist_ns, gr->assist_ns - open->assist_ns);
	__sync_fetch_and_add(&op->ended, 1);
}

static __always_inline void op_returns(const struct pt_regs *ctx, u64 cookie, u64 now)
{
	u32 func = WIRE_COOKIE_OP(cookie);
	struct open_key key = { .func = func };
	struct op_stack st;

	if (!find_stack(ctx, &st))
		return; /* its beginning wasn't taken either */
	key.g = st.g;
	struct op_goroutine *gr = bpf_map_lookup_elem(&op_goroutines, &st.g);
	struct open_op *open = gr ? bpf_map_lookup_elem(&open_ops, &key) : NULL;
	bool is_open = open && gr->goid == st.goid && (gr->open >> func & 1);
	bool is_unseen = open && gr->goid == st.goid && (gr->unseen >> func & 1);

	if ((is_open || is_unseen) && st.depth > open->depth)
		return; /* from a call inside it */
	if (is_open && st.depth == open->depth) {
		op_ends(gr, open, func, now);
		gr->open &= ~(1U << func);
		return;
	}
	if (gr)
		op_gone(gr, func, true);
	struct wire_op *op = op_of(ops_half & 1, func);
	if (op)
		__sync_fetch_and_add(&op->began_before, 1);
}

SEC("?uprobe")
int on_op(struct pt_regs *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct wire_cpu *cpu = cpu_stats_here();
	u64 cookie = bpf_get_attach_cookie(ctx);

	if (!cpu || !is_counting())
		return 0;
	__sync_fetch_and_add(&cpu->hits, 1);
	if (leads_to_morestack(ctx, cookie)) {
		__sync_fetch_and_add(&cpu->not_entered, 1);
		return 0;
	}
	if (probe_is(cookie, WIRE_PLACE_OP_BEGIN))
		op_begins(ctx, cookie, now, cpu);
	else
		op_returns(ctx, cookie, now);
	return 0;
}

/*
 * Where a recovered panic goes on, below the top of the stack: whatever had its return address deeper is gone. The
 * runtime has written it down for runtime.recovery(g), which runs on the system stack: in g.sigcode0 up to
 * Go 1.21, and since in g._panic (Go runtime/panic.go).
 */
static __always_inline u64 depth_of_recovery(u64 g)
{
	enum { G_STACK_HI = 8, G_PANIC = 0x20 };
	u64 hi = read_u64(g + G_STACK_HI);
	u64 sp = cfg.panic_sp == 0xffff ? read_u64(g + cfg.g_sigcode0)
					: read_u64(read_u64(g + G_PANIC) + cfg.panic_sp);

	return hi - sp;
}

SEC("?uprobe")
int on_op_unwind(struct pt_regs *ctx)
{
	u64 cookie = bpf_get_attach_cookie(ctx);
	bool panicked = probe_is(cookie, WIRE_PLACE_OP_RECOVER);
	u64 arg = GO_ARG1(ctx), self = GO_G(ctx);

	/* Or the compiler reads one of them at an address that it has chosen, which the verifier refuses. */
	barrier_var(arg);
	barrier_var(self);
	u64 g = panicked ? arg : self;
	if (!is_counting() || leads_to_morestack(ctx, cookie))
		return 0;
	struct op_goroutine *gr = bpf_map_lookup_elem(&op_goroutines, &g);
	if (gr && (gr->open | gr->unseen))
		ops_gone(gr, g, panicked ? depth_of_recovery(g) : 0, panicked);
	return 0;
}
