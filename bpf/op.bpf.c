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

/* A goroutine's place for a call of a function; kept when that ends, as the goroutine's entry is. */
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
	u64 looked; /* whether the function was being called when counting began is known */
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

/*
 * How many entries both tables have; and whether a call has been left out, whose return will say nothing. After a
 * window of operations the user side empties the tables, and sets these to 0.
 */
volatile __u64 goroutines_nr = 0, open_ops_nr = 0;
volatile __u32 left_out = 0;

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

	/* It may have ended between the two: then it is in the second. */
	if (began != pause_began_ns) {
		began = pause_began_ns;
		ended = paused_ns;
	}
	return began && now > began ? ended + (now - began) : ended;
}

/* An operation that isn't measured, for this reason. */
static __always_inline void leave_out(struct wire_cpu *cpu, enum wire_loss cause)
{
	count_loss(cpu, cause);
	left_out = 1;
}

/*
 * False where the call isn't on a goroutine's own stack, or that can't be read (the kernel may have taken away its
 * page for a moment, as NUMA balancing does): it has no place to be known by.
 */
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
	st->depth = bounds.hi - GO_RET_AT(ctx);
	return st->goid && GO_RET_AT(ctx) >= bounds.lo && GO_RET_AT(ctx) < bounds.hi;
}

/* A chain of frames that is followed for a call of a function. */
struct search {
	u64 entry, len; /* its code, in the process */
	u64 ret_off; /* from its frame pointer up to its return address */
	u64 bp, ret; /* of what was returned to, bp is the frame pointer: its return address lies above it */
	u64 sp, hi; /* the stack that all of it is in */
	u64 depth; /* of the outermost call found so far, 0: none */
};

static __always_inline bool search_step(struct search *c)
{
	u64 frame[2] = {};

	if (c->bp >= c->hi || c->bp < c->sp)
		return false;
	if (c->ret - c->entry < c->len)
		c->depth = c->hi - (c->bp + c->ret_off);
	if (bpf_probe_read_user(frame, sizeof(frame), (void *)c->bp))
		return false;
	c->bp = frame[0];
	c->ret = frame[1];
	return true;
}

/*
 * Had this goroutine called the function when we came? Then what it calls of it now is inside that call. The depth
 * of the outermost one, 0, or CUT: no call was found as far as the chain was followed, and it goes on.
 */
static __always_inline s64 find_unseen(const struct pt_regs *ctx, const struct op_stack *st,
				       u64 cookie, u32 func)
{
	enum { FRAMES_MAX = 1024, CUT = -1 };
	struct search c = { .entry = cfg.op_funcs[func].va + (GO_PC(ctx) - probe_va(cookie)),
			    .len = cfg.op_funcs[func].len,
			    .ret_off = cfg.op_funcs[func].ret_off,
			    .bp = GO_FP(ctx),
			    .sp = GO_RET_AT(ctx),
			    .hi = st->hi };

#ifdef __TARGET_ARCH_arm64
	c.ret = ctx->regs[30];
#else
	c.ret = read_u64(ctx->sp);
#endif

	for (int i = 0; i < FRAMES_MAX; i++)
		if (!search_step(&c))
			return c.depth;
	return c.depth ? (s64)c.depth : CUT;
}

static __always_inline struct op_goroutine *goroutine_of(const struct op_stack *st)
{
	u64 g = st->g;
	struct op_goroutine *gr = bpf_map_lookup_elem(&op_goroutines, &g);

	if (!gr) {
		struct op_goroutine fresh = { .goid = st->goid };

		if (!bpf_map_update_elem(&op_goroutines, &g, &fresh, BPF_NOEXIST))
			__sync_fetch_and_add(&goroutines_nr, 1);
		gr = bpf_map_lookup_elem(&op_goroutines, &g);
	}
	return gr;
}

/* The goroutine is in no call of this function any more. Where there are many entries they are given back. */
static __always_inline void op_closes(struct op_goroutine *gr, u64 g, u32 func)
{
	struct open_key key = { .g = g, .func = func };

	gr->open &= ~(1U << func);
	gr->unseen &= ~(1U << func);
	if (open_ops_nr > cfg.open_ops_max / 4 * 3 && !bpf_map_delete_elem(&open_ops, &key))
		__sync_fetch_and_add(&open_ops_nr, -1);
	if (goroutines_nr > cfg.op_goroutines_max / 4 * 3 && !(gr->open | gr->unseen) &&
	    !bpf_map_delete_elem(&op_goroutines, &g))
		__sync_fetch_and_add(&goroutines_nr, -1);
}

enum gone { GONE_PANIC, GONE_GOEXIT, GONE_LOST };

/* A call of this function is gone without a return, or what became of it is lost: then it is as if never begun. */
static __always_inline void op_gone(struct op_goroutine *gr, u32 func, enum gone how)
{
	struct wire_op *op = op_of(ops_half & 1, func);
	bool was_open = gr->open >> func & 1;

	gr->open &= ~(1U << func);
	gr->unseen &= ~(1U << func);
	if (!was_open)
		return;
	op_window_leaves();
	if (!op)
		return;
	if (how == GONE_PANIC)
		__sync_fetch_and_add(&op->panics, 1);
	else if (how == GONE_GOEXIT)
		__sync_fetch_and_add(&op->goexits, 1);
	else
		__sync_fetch_and_add(&op->begun, -1);
}

/* Those of a goroutine that are gone: all whose return address lies deeper than this. */
static __always_inline void ops_gone(struct op_goroutine *gr, u64 g, u64 depth, enum gone how,
				     struct wire_cpu *cpu)
{
	u32 in = gr->open | gr->unseen;

	for (u32 func = 0; func < WIRE_OPS_MAX; func++) {
		struct open_key key = { .g = g, .func = func };

		if (!(in >> func & 1))
			continue;
		struct open_op *open = bpf_map_lookup_elem(&open_ops, &key);
		if (open && open->depth <= depth)
			continue;
		if (how == GONE_LOST) {
			leave_out(cpu, WIRE_LOSS_OP_UNREAD);
			if (open)
				open->looked = 0; /* it may still be there */
		}
		op_gone(gr, func, how);
	}
}

/* The goroutine's place for a call of this function, made at its first one. */
static __always_inline struct open_op *place_of(const struct op_stack *st, u32 func)
{
	struct open_key key = { .g = st->g, .func = func };
	struct open_op *open = bpf_map_lookup_elem(&open_ops, &key);
	struct open_op fresh = {};

	if (open)
		return open;
	if (!bpf_map_update_elem(&open_ops, &key, &fresh, BPF_NOEXIST))
		__sync_fetch_and_add(&open_ops_nr, 1);
	return bpf_map_lookup_elem(&open_ops, &key);
}

/* Find out, once, about a call from before. False if it can't be found out. */
static __always_inline bool look_for_unseen(const struct pt_regs *ctx, struct op_goroutine *gr,
					    const struct op_stack *st, struct open_op *open,
					    u64 cookie, u32 func)
{
	s64 depth = find_unseen(ctx, st, cookie, func);

	if (depth < 0)
		return false;
	open->looked = 1;
	open->depth = depth;
	if (depth)
		gr->unseen |= 1U << func;
	return true;
}

static __always_inline void op_begins(const struct pt_regs *ctx, u64 cookie, u64 now,
				      struct wire_cpu *cpu)
{
	u32 func = WIRE_COOKIE_OP(cookie);
	struct op_stack st;

	/* From then on nothing is of interest but the end of what is measured. */
	if (cfg.op_windows && !window.admits)
		return;
	if (!find_stack(ctx, &st)) {
		leave_out(cpu, WIRE_LOSS_OP_UNREAD);
		return;
	}
	struct op_goroutine *gr = goroutine_of(&st);
	if (gr && gr->goid != st.goid) {
		/* Another goroutine has this g. Of the one before nothing should be left. */
		ops_gone(gr, st.g, 0, GONE_GOEXIT, cpu);
		gr->goid = st.goid;
	}
	struct open_op *open = gr ? place_of(&st, func) : NULL;
	if (!open) {
		leave_out(cpu, WIRE_LOSS_OPS_FULL);
		return;
	}
	if (!open->looked && !look_for_unseen(ctx, gr, &st, open, cookie, func)) {
		leave_out(cpu, WIRE_LOSS_OP_DEEP);
		return;
	}
	struct wire_op *op = op_of(ops_half & 1, func);
	if (!op)
		return;
	if ((gr->open | gr->unseen) >> func & 1) {
		if (st.depth > open->depth) {
			/* Inside the call that is under way. */
			if (cfg.op_windows)
				__sync_fetch_and_add(&op->nested, 1);
			return;
		}
		op_gone(gr, func, GONE_PANIC);
	}
	if (!op_window_admits())
		return;
	*open = (struct open_op){ .depth = st.depth,
				  .start_ns = now,
				  .paused_ns = paused_until(now),
				  .objects = gr->objects,
				  .bytes = gr->bytes,
				  .assist_ns = gr->assist_ns,
				  .looked = 1 };
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
	if (cfg.op_windows && !window.admits)
		__sync_fetch_and_add(&op->late, 1);
	__sync_fetch_and_add(&op->ended, 1);
}

static __always_inline void op_returns(const struct pt_regs *ctx, u64 cookie, u64 now,
				       struct wire_cpu *cpu)
{
	u32 func = WIRE_COOKIE_OP(cookie);
	struct op_stack st;
	bool found = find_stack(ctx, &st);
	struct open_key key = { .g = st.g, .func = func };
	struct op_goroutine *gr = bpf_map_lookup_elem(&op_goroutines, &st.g);
	struct open_op *open = gr ? bpf_map_lookup_elem(&open_ops, &key) : NULL;

	if (!found) {
		/* Of one that was measured it can't be told which call this was. */
		if (gr)
			ops_gone(gr, st.g, 0, GONE_LOST, cpu);
		return;
	}
	bool same = open && gr->goid == st.goid;
	bool is_open = same && (gr->open >> func & 1);
	bool is_unseen = same && (gr->unseen >> func & 1);

	if ((is_open || is_unseen) && st.depth > open->depth)
		return; /* from a call inside it */
	if (is_open && st.depth == open->depth) {
		op_ends(gr, open, func, now);
		op_closes(gr, st.g, func);
		op_window_leaves();
		return;
	}
	/* One that had begun before: the outermost counts, if its beginning wasn't left out. */
	struct wire_op *op = op_of(ops_half & 1, func);
	bool may_be_ours = cfg.op_windows || (left_out && !(open && open->looked));
	if (op && !may_be_ours && !find_unseen(ctx, &st, cookie, func))
		__sync_fetch_and_add(&op->began_before, 1);
	if (gr) {
		op_gone(gr, func, GONE_PANIC);
		if (open)
			open->looked = 0; /* there may be another around it */
		op_closes(gr, st.g, func);
	}
}

SEC("?uprobe")
int on_op(struct pt_regs *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct wire_cpu *cpu = cpu_stats_here();
	u64 cookie = bpf_get_attach_cookie(ctx);
	bool begins = probe_is(cookie, WIRE_PLACE_OP_BEGIN);

	enum wire_group group = begins ? WIRE_GROUP_OP_WINDOW : WIRE_GROUP_OP_RETURNS;

	keep_own_stack(ctx);
	if (!cpu)
		return 0;
	count_group(cpu, group);
	if (!is_counting() || !op_window_takes(group) || !count_hit(ctx, cookie, cpu))
		return 0;
	if (begins)
		op_begins(ctx, cookie, now, cpu);
	else
		op_returns(ctx, cookie, now, cpu);
	return 0;
}

/* Between windows, too: how often each function is called. */
SEC("?uprobe")
int on_op_call(struct pt_regs *ctx)
{
	struct wire_cpu *cpu = cpu_stats_here();
	u64 cookie = bpf_get_attach_cookie(ctx);
	struct wire_op *op = op_of(0, WIRE_COOKIE_OP(cookie));

	keep_own_stack(ctx);
	if (!cpu)
		return 0;
	count_group(cpu, WIRE_GROUP_OP_CALLS);
	if (is_counting() && op && count_hit(ctx, cookie, cpu))
		__sync_fetch_and_add(&op->entries, 1);
	return 0;
}

/*
 * Where a recovered panic goes on, below the top of the stack: whatever had its return address deeper is gone. The
 * runtime has written it down for runtime.recovery(g), which runs on the system stack: in g.sigcode0 up to
 * Go 1.21, and since in g._panic (Go runtime/panic.go). False if it can't be read.
 */
static __always_inline bool depth_of_recovery(u64 g, u64 *depth)
{
	enum { G_STACK_HI = 8, G_PANIC = 0x20 };
	u64 sp_at = cfg.panic_sp == 0xffff ? g + cfg.g_sigcode0
					   : read_u64(g + G_PANIC) + cfg.panic_sp;
	u64 hi = read_u64(g + G_STACK_HI), sp = read_u64(sp_at);

	*depth = hi - sp;
	return hi && sp && sp <= hi;
}

SEC("?uprobe")
int on_op_unwind(struct pt_regs *ctx)
{
	u64 cookie = bpf_get_attach_cookie(ctx);
	struct wire_cpu *cpu = cpu_stats_here();
	bool panicked = probe_is(cookie, WIRE_PLACE_OP_RECOVER);
	u64 arg = GO_ARG1(ctx), self = GO_G(ctx), depth = 0;

	keep_own_stack(ctx);
	/* Or the compiler reads one of them at an address that it has chosen, which the verifier refuses. */
	barrier_var(arg);
	barrier_var(self);
	u64 g = panicked ? arg : self;
	if (!cpu)
		return 0;
	count_group(cpu, WIRE_GROUP_OP_WINDOW);
	if (!is_counting() || !op_window_takes(WIRE_GROUP_OP_WINDOW) ||
	    leads_to_morestack(ctx, cookie))
		return 0;
	struct op_goroutine *gr = bpf_map_lookup_elem(&op_goroutines, &g);
	if (!gr || !(gr->open | gr->unseen))
		return 0;
	enum gone how = panicked ? GONE_PANIC : GONE_GOEXIT;
	if (panicked && !depth_of_recovery(g, &depth)) {
		depth = 0;
		how = GONE_LOST;
	}
	ops_gone(gr, g, depth, how, cpu);
	return 0;
}
