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
 * Addresses of maps that were assigned to or deleted from. What dies in a GC cycle was last used before marking
 * began, and its memory is used again only after marking ended: in between it is looked at. Full: what the last
 * operation on a map did may stay open.
 */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, WIRE_LISTED_MAX);
	__type(value, u64);
} listed SEC(".maps");

/* How many there are in it. */
static u32 listed_nr;

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

	if (!site) {
		/* Another CPU may be first: then this fails and the look-up finds its site. */
		bpf_map_update_elem(&map_sites, &key, &no_site, BPF_NOEXIST);
		site = bpf_map_lookup_elem(&map_sites, &key);
		if (!site)
			count_loss(cpu, WIRE_LOSS_MAP_SITES_FULL);
	}
	return site;
}

/* --- a map's life ----------------------------------------------------------------------------- */

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

/* Its last entry went, at that stack. How long it took to fill isn't known of one that was first met filled. */
static __always_inline void empty_map(struct wire_map *m, struct wire_map_site *site, u64 stack,
				      const struct map_hit *h)
{
	u64 began = m->emptied_ns ? m->emptied_ns : m->made_stack ? m->first_ns : h->now;

	end_filling(m, h->cpu);
	if (site) {
		add(&site->emptied, 1);
		add(&site->emptied_entries, m->fill_peak);
	}
	m->fill_ns = h->now - began;
	m->emptied_stack = stack;
	m->emptied_ns = h->now;
	m->emptied_peak = m->fill_peak;
	m->fill_peak = 0;
	m->deleted_stack = 0;
	m->thin_ns = 0;
}

/* The last operation was a deletion, and it has taken out an entry. */
static __always_inline void settle_delete(struct wire_map *m, const struct map_hit *h)
{
	struct wire_map_site *site = site_of(m->last_stack, m->typ, h->cpu);
	u64 left = m->count - 1;

	m->run++;
	m->deleted_stack = m->last_stack;
	if (site)
		add(&site->removed, 1);
	if (!left && m->run >= 2) {
		if (site)
			add(&site->drains, 1);
		/* One range loop has taken out all. */
		if (site && m->iter_entries && m->run - m->iter_run == m->iter_entries)
			add(&site->drain_loops, 1);
		empty_map(m, site, m->last_stack, h);
	} else if (!m->thin_ns && left * 4 <= m->fill_peak) {
		m->thin_ns = h->now;
	}
}

static __always_inline void raise_peak(struct wire_map *m, u64 count)
{
	if (count > m->peak)
		m->peak = count;
	if (count > m->fill_peak)
		m->fill_peak = count;
}

/* See what the last operation on the map has done: once, whichever of several readers is first. */
static __always_inline void settle(struct wire_map *m, const struct map_hit *h)
{
	u64 state = m->state;
	u32 op = WIRE_MAP_OP(state);
	bool gone_one = op == WIRE_MAP_REMOVED ||
			((op == WIRE_PLACE_MAP_DELETE || op == WIRE_MAP_ABSENT) &&
			 h->count + 1 == m->count);

	if (gone_one && __sync_val_compare_and_swap(
				&m->state, state,
				WIRE_MAP_STATE(WIRE_MAP_SETTLED, WIRE_MAP_OPS(state))) == state)
		settle_delete(m, h);
	if (op == WIRE_PLACE_MAP_ASSIGN || op == WIRE_MAP_ADDED)
		m->run = m->iter_entries = 0;
	raise_peak(m, h->count);
	if (h->count * 4 > m->fill_peak)
		m->thin_ns = 0;
}

/* The map is gone: another is at its address, and of its last operation there is no more than a verdict. */
static __always_inline void end_map(struct wire_map *m, const struct map_hit *h)
{
	struct wire_map_site *site;

	if (WIRE_MAP_OP(m->state) == WIRE_PLACE_MAP_DELETE) {
		site = site_of(m->last_stack, m->typ, h->cpu);
		if (site)
			add(&site->unsettled, 1);
	}
	if (WIRE_MAP_OP(m->state) == WIRE_MAP_REMOVED)
		settle_delete(m, h);
	if (WIRE_MAP_OP(m->state) == WIRE_MAP_ADDED)
		raise_peak(m, m->count + 1);
	end_filling(m, h->cpu);
	if (!m->made_stack)
		return;
	site = site_of(m->made_stack, m->typ, h->cpu);
	if (!site)
		return;
	add(&site->made_entries, m->peak);
	add(&site->made_growths, m->growths);
	add(&site->made_grown_bytes, m->grown_bytes);
	raise(&site->entries_max, m->peak);
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

/* Can the last operation have emptied the map? Then it is empty, and has a new seed. */
static __always_inline bool may_have_emptied(const struct wire_map *m)
{
	switch (WIRE_MAP_OP(m->state)) {
	case WIRE_PLACE_MAP_CLEAR:
		return true;
	case WIRE_PLACE_MAP_DELETE:
	case WIRE_MAP_REMOVED:
	case WIRE_MAP_ABSENT:
	case WIRE_MAP_SETTLED:
		return m->count <= 1;
	default:
		return false;
	}
}

static __always_inline bool is_same_map(const struct wire_map *m, const struct map_hit *h)
{
	if (h->op == WIRE_PLACE_MAP_MADE)
		return false;
	return m->seed == h->seed || (!h->count && may_have_emptied(m));
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
		end_map(m, h);
		begin_map(m, h);
		return m;
	}
	m->seed = h->seed;
	if (!m->typ)
		learn_type(m, h);
	settle(m, h);
	return m;
}

/* Have it looked at before it can die. */
static __always_inline void list_map(struct wire_map *m, u64 addr)
{
	if (m->listed || bpf_map_push_elem(&listed, &addr, 0))
		return;
	m->listed = 1;
	__sync_fetch_and_add(&listed_nr, 1);
}

/* --- operations ------------------------------------------------------------------------------- */

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
	struct wire_map *m = h->map && !h->unread ? follow(h) : NULL;

	count_op(site, h);
	if (!m)
		return;
	if (h->op == WIRE_PLACE_MAP_CLEAR && h->count)
		empty_map(m, site, h->stack, h);
	m->count = h->count;
	m->last_stack = h->stack;
	m->last_ns = h->now;
	m->state = WIRE_MAP_STATE(h->op, WIRE_MAP_OPS(m->state) + 1);
	if (h->op == WIRE_PLACE_MAP_DELETE || h->op == WIRE_PLACE_MAP_ASSIGN)
		list_map(m, h->map);
}

/* A range loop begins: that is no operation, but what it meets may be deleted by it. */
static __always_inline void take_iteration(const struct map_hit *h)
{
	struct wire_map *m = bpf_map_lookup_elem(&followed, &h->map);

	if (!m || h->unread || !is_same_map(m, h))
		return;
	m->seed = h->seed;
	settle(m, h);
	/* Readers may be several at once, and each writes the same. */
	m->state = WIRE_MAP_STATE(WIRE_MAP_SETTLED, WIRE_MAP_OPS(m->state));
	m->iter_entries = h->count;
	m->iter_run = m->run;
}

/* The first two words of a map, as struct map_hit has them. */
static __always_inline void read_head(struct map_hit *h)
{
	u64 head[2] = {};

	h->unread = h->map && bpf_probe_read_user(head, sizeof(head), (void *)h->map);
	h->count = head[0];
	h->seed = cfg.map_swiss ? head[1] : head[1] >> 32;
	if (h->unread)
		count_loss(h->cpu, WIRE_LOSS_MAP_UNREAD);
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

/* Assignments, deletions, clears, makes, and range loops. */
SEC("?uprobe")
int on_map(struct pt_regs *ctx)
{
	u64 cookie = bpf_get_attach_cookie(ctx);
	struct map_hit h = {};

	if (!map_hit_init(&h, ctx, cookie))
		return 0;
	if (h.op == WIRE_PLACE_MAP_MADE)
		h.map = GO_ARG1(ctx);
	else if (h.op == WIRE_PLACE_SYNC_MAP_ASSIGN || h.op == WIRE_PLACE_SYNC_MAP_DELETE ||
		 h.op == WIRE_PLACE_SYNC_MAP_CLEAR)
		h.typ = WIRE_TYPE_SYNC_MAP;
	else
		read_args(&h, ctx, (cookie >> 8) & WIRE_F_METHOD);
	/* It panics, and nothing is assigned. */
	if (!h.map && h.op == WIRE_PLACE_MAP_ASSIGN)
		return 0;
	read_head(&h);
	if (h.op == WIRE_PLACE_MAP_ITERATE) {
		take_iteration(&h);
		return 0;
	}

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
	u64 bytes; /* of its slots; what the allocator adds is left out */
	bool larger; /* the other is larger, or two */
};

/* Of a bucket or a group, by the map's type. */
static __always_inline u64 unit_bytes(u64 typ)
{
	u64 bytes = read_u64(typ + cfg.map_unit);

	return cfg.map_swiss ? bytes : bytes & 0xffff;
}

/*
 * Go runtime/map.go hashGrow, makeBucketArray, overLoadFactor: one overflow bucket for 16 buckets is made with
 * the array.
 */
static __always_inline struct map_growth classic_growth(const struct map_hit *h)
{
	u64 buckets = 1ULL << (read_u64(h->map + cfg.map_b) & 63);
	u64 entries = h->count + 1;

	return (struct map_growth){
		.bytes = (buckets + (buckets >= 16 ? buckets / 16 : 0)) * unit_bytes(h->typ),
		.larger = entries > 8 && entries > cfg.map_load * (buckets / 2),
	};
}

/* What a table of internal/runtime/maps begins with, in every version. */
struct map_table {
	u16 used, capacity, growth_left;
};

/* Would pruneTombstones try? It does if a tenth of the table is tombstones. */
static __always_inline bool is_pruned(const struct map_table *t)
{
	u32 room = t->capacity <= 8 ? t->capacity - 1 : t->capacity / 8 * 7;
	u32 tombstones = room - t->used - t->growth_left;

	return tombstones * 10 >= t->capacity;
}

/* (table, type, map): false if nothing is left behind and nothing is tidied. Pruning is done in place. */
static __always_inline bool table_growth(struct map_hit *h, const struct pt_regs *ctx,
					 struct map_growth *g)
{
	struct map_table t = {};

	h->typ = GO_ARG2(ctx);
	h->map = GO_ARG3(ctx);
	bpf_probe_read_user(&t, sizeof(t), (void *)GO_ARG1(ctx));
	g->larger = h->op == WIRE_PLACE_MAP_GROW_TABLE;
	g->bytes = g->larger ? t.capacity / 8 * unit_bytes(h->typ) : 0;
	return g->larger || is_pruned(&t);
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
	struct map_growth growth = {};
	struct map_hit h = {};

	if (!map_hit_init(&h, ctx, cookie))
		return 0;
	if (h.op == WIRE_PLACE_MAP_GROW) {
		read_args(&h, ctx, (cookie >> 8) & WIRE_F_METHOD);
		read_head(&h);
		growth = cfg.map_swiss ? (struct map_growth){ unit_bytes(h.typ), true }
				       : classic_growth(&h);
	} else if (!table_growth(&h, ctx, &growth)) {
		return 0;
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

/*
 * What memory says of a map's last operation, left in its state for who counts it: nothing else is touched, as the
 * program may be using the map at this moment. False if the operation may still be under way.
 */
static __always_inline bool leave_verdict(struct map_hit *h, u64 addr, struct wire_map *m)
{
	enum { WHILE_NS = 10 * 1000 * 1000 };
	u64 state = m->state, count = m->count;
	u32 op = WIRE_MAP_OP(state), verdict = op;

	h->map = addr;
	read_head(h);
	if (h->unread || !is_same_map(m, h))
		return true;
	bool deletes = op == WIRE_PLACE_MAP_DELETE || op == WIRE_MAP_ABSENT;
	if (deletes)
		verdict = h->count + 1 == count ? WIRE_MAP_REMOVED : WIRE_MAP_ABSENT;
	else if (op == WIRE_PLACE_MAP_ASSIGN && h->count == count + 1)
		verdict = WIRE_MAP_ADDED;
	if (verdict != op)
		__sync_val_compare_and_swap(&m->state, state,
					    WIRE_MAP_STATE(verdict, WIRE_MAP_OPS(state)));
	return verdict != WIRE_MAP_ABSENT || h->now - m->last_ns > WHILE_NS;
}

/* What is listed again comes behind all that were there when this began. */
static long look_at_listed(u64 i, struct map_hit *h)
{
	u64 addr;

	if (bpf_map_pop_elem(&listed, &addr))
		return 1;
	__sync_fetch_and_add(&listed_nr, -1);
	struct wire_map *m = bpf_map_lookup_elem(&followed, &addr);
	if (!m)
		return 0;
	m->listed = 0;
	if (!leave_verdict(h, addr, m))
		list_map(m, addr);
	return 0;
}

struct bpf_map;

static long look_at_followed(struct bpf_map *map, u64 *addr, struct wire_map *m, struct map_hit *h)
{
	leave_verdict(h, *addr, m);
	return 0;
}

static __always_inline bool look_init(struct map_hit *h, const struct pt_regs *ctx, u64 cookie)
{
	h->op = cookie & 0xff;
	h->cpu = cpu_stats_here();
	h->now = bpf_ktime_get_ns();
	return h->cpu && is_counting() && !leads_to_morestack(ctx, cookie);
}

/* Marking is about to end. */
SEC("?uprobe")
int on_map_look(struct pt_regs *ctx)
{
	struct map_hit h = {};
	u32 nr = listed_nr;

	if (look_init(&h, ctx, bpf_get_attach_cookie(ctx)))
		bpf_loop(nr < WIRE_LOOKS_MAX ? nr : WIRE_LOOKS_MAX, look_at_listed, &h, 0);
	return 0;
}

/* The process is about to end. */
SEC("?uprobe")
int on_map_exit(struct pt_regs *ctx)
{
	struct map_hit h = {};

	if (look_init(&h, ctx, bpf_get_attach_cookie(ctx)))
		bpf_for_each_map_elem(&followed, look_at_followed, &h, 0);
	return 0;
}
