/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a goroutine does while it is in operations, see op.bpf.c: who sees it do something adds it here.
 *
 * Only what runs for a goroutine changes its entry, one thing at a time, so nothing has to be atomic.
 */
#ifndef GALLOP_BPF_OP_BPF_H
#define GALLOP_BPF_OP_BPF_H

#include "bpf/goabi.bpf.h"
#include "bpf/maps.bpf.h"

struct op_goroutine {
	u64 goid;
	u64 objects, bytes; /* allocated ... */
	u64 assist_ns; /* ... and assisted while in operations */
	u32 open; /* bit i: in an operation of function i */
	u32 unseen; /* bit i: in one that had begun before counting did */
};

/*
 * key: address of the g, which the runtime never frees but gives to another goroutine. An entry outlasts its
 * operations, for the next one, but where the table gets crowded. Bound set by the loader. Full: counted loss.
 */
struct op_goroutines_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, struct op_goroutine);
};
extern struct op_goroutines_map op_goroutines SEC(".maps");

/* Whoever waits for the end of the window wants to know now. */
static __always_inline void op_window_ends(void)
{
	u64 number = window.number;

	window.full_ns = bpf_ktime_get_ns();
	bpf_ringbuf_output(&wakeups, &number, sizeof(number), BPF_RB_FORCE_WAKEUP);
}

/* From now on no operation that begins is measured. If none is open, or that was the last one, all is done. */
static __always_inline void op_window_full(void)
{
	/* Atomic, so that who changes `open` at the same time sees this, or is seen here. */
	__sync_lock_test_and_set(&window.admits, 0);
	if (!__sync_fetch_and_add(&window.open, 0))
		op_window_ends();
}

/* Before this operation is looked at. False: it came too late, and was never there. */
static __always_inline bool op_window_admits(void)
{
	if (!cfg.op_windows)
		return true;
	__sync_fetch_and_add(&window.open, 1);
	if (window.admits)
		return true;
	if (__sync_fetch_and_add(&window.open, -1) == 1)
		op_window_ends();
	return false;
}

static __always_inline void op_window_leaves(void)
{
	if (cfg.op_windows && __sync_fetch_and_add(&window.open, -1) == 1 && !window.admits)
		op_window_ends();
}

/*
 * Count a hit of a window of operations; always true where there are none. False where it is not to be looked at: no window
 * is open, or it has had its hits. It costs whether or not it tells anything. What the last hits leave out
 * can't make an operation look smaller than it is, as its end would come later still.
 */
static __always_inline bool op_window_takes(enum wire_group group)
{
	u64 nr = group == WIRE_GROUP_OP_RETURNS ? WIRE_STEPPED_HITS : 1;

	if (!cfg.op_windows)
		return true;
	if (window.stage != WIRE_STAGE_OPS)
		return false;
	u64 before = __sync_fetch_and_add(&window.hits, nr);
	u64 after = before + nr;
	if (before < window.admit_hits && after >= window.admit_hits)
		op_window_full();
	if (before < window.max_hits && after >= window.max_hits)
		op_window_ends();
	return before < window.max_hits;
}

/* The goroutine that g runs, if it is in an operation. What it does on a system stack is its own too. */
static __always_inline struct op_goroutine *in_operation(u64 g)
{
	struct op_goroutine *gr = bpf_map_lookup_elem(&op_goroutines, &g);

	if (!gr && !read_u64(g + cfg.goid_off)) {
		u64 curg = current_goroutine(g);

		gr = curg ? bpf_map_lookup_elem(&op_goroutines, &curg) : NULL;
	}
	return gr && gr->open ? gr : NULL;
}

#endif
