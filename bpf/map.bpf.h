/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the programs for maps share: their tables, owned by map.bpf.c, and how a hit becomes a site. */
#ifndef GALLOP_BPF_MAP_BPF_H
#define GALLOP_BPF_MAP_BPF_H

#include "bpf/goabi.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/stacks.bpf.h"

/* Bound set by the loader. Full: counted loss. */
struct map_sites_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct wire_map_key);
	__type(value, struct wire_map_site);
};
extern struct map_sites_map map_sites SEC(".maps");

/* key: a map's address. The user side takes out those that are gone. Full: counted loss. */
struct followed_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, struct wire_map);
};
extern struct followed_map followed SEC(".maps");

/* One hit: what the registers and the map say. */
struct map_hit {
	struct wire_cpu *cpu;
	u64 map, typ, stack;
	u64 count, seed; /* of the map, before the operation */
	u64 now;
	u32 op;
	bool unread; /* the map could not be read */
};

static const struct wire_map_site no_site;

static __always_inline void add(u64 *to, u64 n)
{
	__sync_fetch_and_add(to, n);
}

/* The largest. Once more if another thread was quicker on this CPU. */
static __always_inline void raise(u64 *max, u64 n)
{
	u64 was = *max;

	if (n > was && __sync_val_compare_and_swap(max, was, n) != was) {
		was = *max;
		if (n > was)
			__sync_val_compare_and_swap(max, was, n);
	}
}

/* The counters of a site on this CPU, or NULL: no room, and the caller's count is lost. */
static __noinline struct wire_map_site *site_of(u64 stack, u64 typ, struct wire_cpu *cpu)
{
	struct wire_map_key key = { stack, typ };
	struct wire_map_site *site = bpf_map_lookup_elem(&map_sites, &key);

	/* As add_to_site() does. */
	for (int i = 0; !site && i < INSERT_TRIES; i++) {
		bpf_map_update_elem(&map_sites, &key, &no_site, BPF_NOEXIST);
		site = bpf_map_lookup_elem(&map_sites, &key);
	}
	if (!site)
		count_loss(cpu, WIRE_LOSS_MAP_SITES_FULL);
	return site;
}

/* The first two words of a map, as struct map_hit has them. */
static __always_inline void read_head(struct map_hit *h)
{
	u64 head[2] = {};

	h->unread = h->map && bpf_probe_read_user(head, sizeof(head), (void *)h->map);
	h->count = head[0];
	h->seed = cfg.map_swiss ? head[1] : head[1] >> 32;
}

/* (type, map), or (map, type) of a method. */
static __always_inline void read_args(struct map_hit *h, const struct pt_regs *ctx, bool method)
{
	u64 first = GO_ARG1(ctx), second = GO_ARG2(ctx);

	/* Read both: a choice between two places of the context isn't accepted by the verifier. */
	asm volatile("" : "+r"(first), "+r"(second));
	h->map = method ? first : second;
	h->typ = method ? second : first;
}

/* The site of a hit, its stack walked into st and sent; without one it is that of no stack. */
static __always_inline struct wire_map_site *site_here(const struct pt_regs *ctx, u64 cookie,
						       struct map_hit *h, struct wire_stack *st)
{
	h->stack = st ? walk_stack(ctx, GO_PC(ctx) - probe_va(cookie), st) : WIRE_STACK_NONE;
	struct wire_map_site *site = site_of(h->stack, h->typ, h->cpu);

	if (site && st && !site->stack_sent && send_stack(ctx, st, cookie, h->cpu))
		site->stack_sent = 1;
	return site;
}

/* A scratch slot for the hit's stack; NULL, counted: none is free. */
static __always_inline struct wire_stack *stack_claim(struct scratch *s, int slot,
						      struct wire_cpu *cpu)
{
	if (s && slot >= 0 && slot < WIRE_SLOTS)
		return &s->slots[slot];
	count_loss(cpu, WIRE_LOSS_MAP_STACK);
	return NULL;
}

/* Is this hit to be counted? Then *h has its beginnings. */
static __always_inline bool map_hit_init(struct map_hit *h, const struct pt_regs *ctx, u64 cookie)
{
	h->cpu = cpu_stats_here();
	if (!h->cpu)
		return false;
	count_group(h->cpu, WIRE_GROUP_MAP_EVENTS);
	if (!is_counting() || !count_hit(ctx, cookie, h->cpu))
		return false;
	h->op = cookie & 0xff;
	h->now = bpf_ktime_get_ns();
	return true;
}

#endif
