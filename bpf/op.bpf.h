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
