// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What happens to maps: counted by (stack, type), and followed map by map.
 *
 * At a probe the map's count says what it holds before the operation; what an operation has done shows at the next
 * one on that map, and is then added to the site where it happened. Both families have the count in
 * the first word of the map and a random hash seed in the second, by which a map is known again: the runtime
 * gives it a new one only when it has become empty. Two maps can be at one address one after the other.
 */
#include "bpf/goabi.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/stacks.bpf.h"

/* Bound set by the loader. Full: counted loss. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct wire_map_key);
	__type(value, struct wire_map_site);
} map_sites SEC(".maps");

/* key: a map's address. The user side takes out those that are gone. Full: counted loss. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, struct wire_map);
} followed SEC(".maps");

/*
 * Addresses of maps that were deleted from. A map dies only in a GC cycle that began after its last deletion:
 * when one begins, it is still there to be looked at. Full: it may go unsettled.
 */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, WIRE_SETTLE_MAX);
	__type(value, u64);
} deleted_from SEC(".maps");

/* One hit: what the registers and the map say. */
struct map_hit {
	struct wire_cpu *cpu;
	u64 map, typ, stack;
	u64 count, seed; /* of the map, before the operation */
	u64 now;
	u32 op;
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

	if (!site) {
		/* Another CPU may be first: then this fails and the look-up finds its site. */
		bpf_map_update_elem(&map_sites, &key, &no_site, BPF_NOEXIST);
		site = bpf_map_lookup_elem(&map_sites, &key);
		if (!site)
			count_loss(cpu, WIRE_LOSS_MAP_SITES_FULL);
	}
	return site;
}

/* The filling that followed an emptying is over: the site that emptied it learns how far it came. */
static __always_inline void end_filling(const struct wire_map *m, struct wire_cpu *cpu)
{
	if (!m->emptied_stack || !m->fill_peak)
		return;
	struct wire_map_site *site = site_of(m->emptied_stack, m->typ, cpu);
	if (!site)
		return;
	add(&site->refills, 1);
	add(&site->refilled_entries, m->fill_peak);
	if (m->fill_peak * 2 >= m->emptied_peak)
		add(&site->refills_alike, 1);
}

/* The map is gone: another is at its address. */
static __always_inline void end_map(const struct wire_map *m, struct wire_cpu *cpu)
{
	struct wire_map_site *site;

	if (WIRE_MAP_OP(m->state) == WIRE_PLACE_MAP_DELETE && !m->absent) {
		site = site_of(m->last_stack, m->typ, cpu);
		if (site)
			add(&site->unsettled, 1);
	}
	end_filling(m, cpu);
	if (!m->made_stack)
		return;
	site = site_of(m->made_stack, m->typ, cpu);
	if (!site)
		return;
	add(&site->made_entries, m->peak);
	add(&site->made_growths, m->growths);
	add(&site->made_grown_bytes, m->grown_bytes);
	raise(&site->entries_max, m->peak);
}

/* Its last entry went, at that stack. */
static __always_inline void empty_map(struct wire_map *m, struct wire_map_site *site, u64 stack,
				      const struct map_hit *h)
{
	end_filling(m, h->cpu);
	if (site) {
		add(&site->emptied, 1);
		add(&site->emptied_entries, m->fill_peak);
	}
	m->fill_ns = h->now - (m->emptied_ns ? m->emptied_ns : m->first_ns);
	m->emptied_stack = stack;
	m->emptied_ns = h->now;
	m->emptied_peak = m->fill_peak;
	m->fill_peak = 0;
	m->deleted_stack = 0;
	m->thin_ns = 0;
}

/* The last operation was a delete, and it has taken out an entry. */
static __always_inline void settle_delete(struct wire_map *m, const struct map_hit *h)
{
	struct wire_map_site *site = site_of(m->last_stack, m->typ, h->cpu);

	m->run++;
	m->deleted_stack = m->last_stack;
	if (site)
		add(&site->removed, 1);
	if (!h->count && m->run >= 2) {
		if (site)
			add(&site->drains, 1);
		empty_map(m, site, m->last_stack, h);
	} else if (!m->thin_ns && h->count * 4 <= m->fill_peak) {
		m->thin_ns = h->now;
	}
}

/* See what the last operation on the map has done: once, whoever is first. */
static __always_inline void settle(struct wire_map *m, const struct map_hit *h)
{
	u64 state = m->state;
	u64 settled = WIRE_MAP_STATE(WIRE_MAP_SETTLED, WIRE_MAP_OPS(state));

	if (WIRE_MAP_OP(state) == WIRE_PLACE_MAP_DELETE && h->count + 1 == m->count &&
	    __sync_val_compare_and_swap(&m->state, state, settled) == state)
		settle_delete(m, h);
	if (WIRE_MAP_OP(state) == WIRE_PLACE_MAP_ASSIGN)
		m->run = 0;
	if (h->count > m->peak)
		m->peak = h->count;
	if (h->count > m->fill_peak)
		m->fill_peak = h->count;
	if (h->count * 4 > m->fill_peak)
		m->thin_ns = 0;
}

/* makemap_small doesn't know the type of what it makes: the first operation does. */
static __always_inline void learn_type(struct wire_map *m, const struct map_hit *h)
{
	m->typ = h->typ;
	if (!m->made_stack)
		return;
	struct wire_map_site *untyped = site_of(m->made_stack, 0, h->cpu);
	if (!untyped)
		return;
	struct wire_map_site *site = site_of(m->made_stack, h->typ, h->cpu);
	if (!site)
		return;
	add(&site->makes, 1);
	add(&untyped->typed, 1);
}

static __always_inline void begin_map(struct wire_map *m, const struct map_hit *h)
{
	__builtin_memset(m, 0, sizeof(*m));
	m->seed = h->seed;
	m->first_ns = h->now;
	m->peak = m->fill_peak = h->count;
	if (h->op == WIRE_PLACE_MAP_MADE)
		m->made_stack = h->stack;
	else
		m->typ = h->typ;
}

/* An empty map gets a new seed. */
static __always_inline bool is_same_map(const struct wire_map *m, const struct map_hit *h)
{
	if (h->op == WIRE_PLACE_MAP_MADE)
		return false;
	u32 last = WIRE_MAP_OP(m->state);
	return m->seed == h->seed || last == WIRE_PLACE_MAP_CLEAR ||
	       (last != WIRE_PLACE_MAP_ASSIGN && m->count <= 1);
}

/* The map of a hit, settled; NULL if it isn't followed. */
static __always_inline struct wire_map *follow(const struct map_hit *h)
{
	struct wire_map *m = bpf_map_lookup_elem(&followed, &h->map);

	if (!m) {
		struct wire_map fresh;

		/* What is and stays empty is of no interest. */
		if (!h->count && (h->op == WIRE_PLACE_MAP_DELETE || h->op == WIRE_PLACE_MAP_CLEAR))
			return NULL;
		begin_map(&fresh, h);
		if (bpf_map_update_elem(&followed, &h->map, &fresh, BPF_NOEXIST)) {
			count_loss(h->cpu, WIRE_LOSS_MAPS_FULL);
			return NULL;
		}
		return bpf_map_lookup_elem(&followed, &h->map);
	}
	if (!is_same_map(m, h)) {
		end_map(m, h->cpu);
		begin_map(m, h);
		return m;
	}
	m->seed = h->seed;
	if (!m->typ)
		learn_type(m, h);
	settle(m, h);
	return m;
}

/* Count an operation at its site, which is NULL when there was no room for it. */
static __always_inline void count_op(struct wire_map_site *site, const struct map_hit *h)
{
	if (!site)
		return;
	switch (h->op) {
	case WIRE_PLACE_MAP_MADE:
		add(&site->makes, 1);
		break;
	case WIRE_PLACE_MAP_ASSIGN:
	case WIRE_PLACE_SYNC_MAP_ASSIGN:
		add(&site->assigns, 1);
		break;
	case WIRE_PLACE_MAP_DELETE:
	case WIRE_PLACE_SYNC_MAP_DELETE:
		add(&site->deletes, 1);
		break;
	case WIRE_PLACE_MAP_CLEAR:
		add(&site->removed, h->count);
		/* fall through */
	case WIRE_PLACE_SYNC_MAP_CLEAR:
		add(&site->clears, 1);
		break;
	}
	raise(&site->entries_max, h->count);
}

static __always_inline void take_op(const struct map_hit *h, struct wire_map_site *site)
{
	struct wire_map *m = h->map ? follow(h) : NULL;

	count_op(site, h);
	if (!m)
		return;
	if (h->op == WIRE_PLACE_MAP_CLEAR && h->count)
		empty_map(m, site, h->stack, h);
	m->count = h->count;
	m->last_stack = h->stack;
	m->last_ns = h->now;
	m->absent = 0;
	m->state = WIRE_MAP_STATE(h->op, WIRE_MAP_OPS(m->state) + 1);
	if (h->op == WIRE_PLACE_MAP_DELETE && !m->listed)
		m->listed = !bpf_map_push_elem(&deleted_from, &h->map, 0);
}

/* The first two words of a map, as struct map_hit has them. */
static __always_inline void read_head(struct map_hit *h)
{
	u64 head[2] = {};

	if (!h->map || bpf_probe_read_user(head, sizeof(head), (void *)h->map))
		return;
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

/* What follows when stack and slot are there: fn(hit, site), with the site's stack sent. */
static __always_inline struct wire_map_site *site_here(const struct pt_regs *ctx, u64 cookie,
						       struct map_hit *h, struct wire_stack *st)
{
	h->stack = st ? walk_stack(ctx, ctx->ip - probe_va(cookie), st) : WIRE_STACK_NONE;
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
	if (!h->cpu || !is_counting())
		return false;
	add(&h->cpu->hits, 1);
	if (leads_to_morestack(ctx, cookie)) {
		add(&h->cpu->not_entered, 1);
		return false;
	}
	h->op = cookie & 0xff;
	h->now = bpf_ktime_get_ns();
	return true;
}

/* Assignments, deletes, clears and makes. */
SEC("?uprobe")
int on_map(struct pt_regs *ctx)
{
	u64 cookie = bpf_get_attach_cookie(ctx);
	struct map_hit h = {};

	if (!map_hit_init(&h, ctx, cookie))
		return 0;
	if (h.op == WIRE_PLACE_MAP_MADE) {
		h.map = GO_ARG1(ctx);
	} else if (h.op >= WIRE_PLACE_SYNC_MAP_ASSIGN) {
		h.typ = WIRE_TYPE_SYNC_MAP;
	} else {
		read_args(&h, ctx, (cookie >> 8) & WIRE_F_METHOD);
		/* It panics, and nothing is assigned. */
		if (!h.map && h.op == WIRE_PLACE_MAP_ASSIGN)
			return 0;
	}
	read_head(&h);

	struct scratch *s = scratch_here();
	int slot = s ? slot_claim(s, h.cpu) : -1;
	struct wire_stack *st = stack_claim(s, slot, h.cpu);
	take_op(&h, site_here(ctx, cookie, &h, st));
	if (st)
		slot_release(s, slot);
	return 0;
}

/* --- growth ----------------------------------------------------------------------------------- */

/* A table that is left for another. */
struct map_growth {
	u64 bytes;
	bool larger; /* the other is larger, or two */
};

/*
 * Go runtime/map.go hashGrow, makeBucketArray, overLoadFactor: hmap.B is at 9, maptype.BucketSize at 0x52; one
 * overflow bucket for 16 buckets is made with the array.
 */
static __always_inline struct map_growth classic_growth(const struct map_hit *h)
{
	u8 log2 = 0;
	u16 bucket = 0;

	bpf_probe_read_user(&log2, sizeof(log2), (void *)(h->map + 9));
	bpf_probe_read_user(&bucket, sizeof(bucket), (void *)(h->typ + 0x52));
	u64 buckets = 1ULL << (log2 & 63);
	u64 entries = h->count + 1;
	return (struct map_growth){
		.bytes = (buckets + (log2 >= 4 ? buckets / 16 : 0)) * bucket,
		.larger = entries > 8 && entries > cfg.map_load * (buckets / 2),
	};
}

/* Go internal/runtime/maps/table.go: used, capacity and growthLeft begin a table; MapType.GroupSize is at 0x50. */
struct map_table {
	u16 used, capacity, growth_left;
};

static __always_inline struct map_table read_table(u64 table)
{
	struct map_table t = {};

	bpf_probe_read_user(&t, sizeof(t), (void *)table);
	return t;
}

static __always_inline bool is_pruned(const struct map_table *t)
{
	u32 room = t->capacity <= 8 ? t->capacity - 1 : t->capacity / 8 * 7;
	u32 tombstones = room - t->used - t->growth_left;

	return tombstones * 10 >= t->capacity;
}

static __always_inline void count_growth(const struct map_hit *h, struct wire_map_site *site,
					 struct map_growth g)
{
	struct wire_map *m = bpf_map_lookup_elem(&followed, &h->map);

	if (site) {
		add(g.larger ? &site->growths : &site->rehashes, 1);
		add(&site->grown_bytes, g.bytes);
	}
	if (!m)
		return;
	m->growths += g.larger;
	m->grown_bytes += g.bytes;
}

SEC("?uprobe")
int on_map_growth(struct pt_regs *ctx)
{
	u64 cookie = bpf_get_attach_cookie(ctx);
	struct map_hit h = {};
	struct map_growth growth;

	if (!map_hit_init(&h, ctx, cookie))
		return 0;
	bool method = (cookie >> 8) & WIRE_F_METHOD;
	if (h.op == WIRE_PLACE_MAP_GROW) {
		read_args(&h, ctx, method);
		read_head(&h);
		growth = method ? (struct map_growth){ read_u64(h.typ + 0x50), true }
				: classic_growth(&h);
	} else {
		struct map_table t = read_table(GO_ARG1(ctx));

		h.typ = GO_ARG2(ctx);
		h.map = GO_ARG3(ctx);
		if (h.op == WIRE_PLACE_MAP_PRUNE && !is_pruned(&t))
			return 0;
		/* Pruning is done in place. */
		bool larger = h.op == WIRE_PLACE_MAP_GROW_TABLE;
		growth.larger = larger;
		growth.bytes = larger ? t.capacity / 8 * read_u64(h.typ + 0x50) : 0;
	}

	struct scratch *s = scratch_here();
	int slot = s ? slot_claim(s, h.cpu) : -1;
	struct wire_stack *st = stack_claim(s, slot, h.cpu);
	count_growth(&h, site_here(ctx, cookie, &h, st), growth);
	if (st)
		slot_release(s, slot);
	return 0;
}

/* --- before maps are gone --------------------------------------------------------------------- */

/* What memory says of a map whose last operation is to be settled; false if it is another by now. */
static __always_inline bool look_at(struct map_hit *h, u64 addr, const struct wire_map *m)
{
	h->map = addr;
	h->count = h->seed = 0;
	read_head(h);
	return h->seed && is_same_map(m, h);
}

struct settling {
	struct map_hit hit;
	bool last; /* the world is stopped: there will be no better moment */
};

/* One map that was deleted from. Where nothing is missing yet its deletion may be under way: it is asked again. */
static long settle_one(u64 i, struct settling *s)
{
	u64 addr;

	if (bpf_map_pop_elem(&deleted_from, &addr))
		return 1;
	struct wire_map *m = bpf_map_lookup_elem(&followed, &addr);
	if (!m)
		return 0;
	m->listed = 0;
	if (WIRE_MAP_OP(m->state) != WIRE_PLACE_MAP_DELETE || !look_at(&s->hit, addr, m))
		return 0;
	if (s->hit.count == m->count && !s->last)
		m->listed = !bpf_map_push_elem(&deleted_from, &addr, 0);
	else if (s->hit.count == m->count)
		m->absent = 1;
	else
		settle(m, &s->hit);
	return 0;
}

/* A map's last operation is settled by what memory says: there is no next one. */
struct bpf_map;

static long settle_at_exit(struct bpf_map *map, u64 *addr, struct wire_map *m, struct map_hit *h)
{
	if (look_at(h, *addr, m) && h->count <= m->peak + 1)
		settle(m, h);
	return 0;
}

SEC("?uprobe")
int on_map_settle(struct pt_regs *ctx)
{
	u64 cookie = bpf_get_attach_cookie(ctx);
	struct settling s = {
		.hit = { .cpu = cpu_stats_here(), .op = cookie & 0xff, .now = bpf_ktime_get_ns() },
		.last = probe_is(cookie, WIRE_PLACE_MAP_SETTLE_LAST),
	};

	if (!s.hit.cpu || !is_counting() || leads_to_morestack(ctx, cookie))
		return 0;
	if (s.hit.op == WIRE_PLACE_EXIT)
		bpf_for_each_map_elem(&followed, settle_at_exit, &s.hit, 0);
	else
		bpf_loop(s.last ? WIRE_SETTLE_STOPPED_MAX : WIRE_SETTLE_MAX, settle_one, &s, 0);
	return 0;
}
