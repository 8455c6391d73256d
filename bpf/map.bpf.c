// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What happens to maps: counted by (stack, type), and followed map by map.
 *
 * At a probe the map's count says what it holds before the operation; what an operation has done shows at the next
 * one on that map, and is then added to the site where it happened. Both families have the count in
 * the first word of the map and a random hash seed in the second, by which a map is known again: the runtime
 * gives it a new one only when it has become empty. Two maps can be at one address one after the other.
 */
#include "bpf/map.bpf.h"

struct map_sites_map map_sites SEC(".maps");
struct followed_map followed SEC(".maps");

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

/* Its last entry went, at that stack. */
static __always_inline void empty_map(struct wire_map *m, struct wire_map_site *site, u64 stack,
				      const struct map_hit *h)
{
	end_filling(m, h->cpu);
	if (site) {
		add(&site->emptied, 1);
		add(&site->emptied_entries, m->fill_peak);
	}
	wire_map_emptied(m, stack, h->now);
}

/* The last operation was a deletion, and it has taken out an entry. */
static __always_inline void settle_delete(struct wire_map *m, const struct map_hit *h)
{
	struct wire_map_site *site = site_of(m->last_stack, m->typ, h->cpu);
	bool drained = wire_map_deleted(m, h->now);

	if (site)
		add(&site->removed, 1);
	if (!drained)
		return;
	if (site)
		add(&site->drains, 1);
	if (site && wire_map_was_loop(m))
		add(&site->drain_loops, 1);
	empty_map(m, site, m->last_stack, h);
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
	wire_map_raise_peak(m, h->count);
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
		wire_map_raise_peak(m, m->count + 1);
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

static __always_inline bool is_same_map(const struct wire_map *m, const struct map_hit *h)
{
	if (h->op == WIRE_PLACE_MAP_MADE)
		return false;
	return m->seed == h->seed || (!h->count && wire_map_may_be_empty(m));
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
		/* The user side may just put back what it had taken out: then that is it. */
		bpf_map_update_elem(&followed, &h->map, &fresh, BPF_NOEXIST);
		m = bpf_map_lookup_elem(&followed, &h->map);
		if (!m)
			count_loss(h->cpu, WIRE_LOSS_MAPS_FULL);
		return m;
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
	/* With assignments and deletions unseen nothing right could be told of a map's life. */
	struct wire_map *m = h->map && !h->unread && !cfg.map_events_only ? follow(h) : NULL;

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

/* Assignments, deletions, clears, makes, and range loops. */
SEC("?uprobe")
int on_map(struct pt_regs *ctx)
{
	u64 cookie = bpf_get_attach_cookie(ctx);
	struct map_hit h = {};

	keep_own_stack(ctx);
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
	if (h.unread)
		count_loss(h.cpu, WIRE_LOSS_MAP_UNREAD);
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
	/* Where nothing can be read a goroutine's stack was: what its map's last operation did stays open. */
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

	keep_own_stack(ctx);
	if (look_init(&h, ctx, bpf_get_attach_cookie(ctx)))
		bpf_loop(nr < WIRE_LOOKS_MAX ? nr : WIRE_LOOKS_MAX, look_at_listed, &h, 0);
	return 0;
}

/* The process is about to end. */
SEC("?uprobe")
int on_map_exit(struct pt_regs *ctx)
{
	struct map_hit h = {};

	keep_own_stack(ctx);
	if (look_init(&h, ctx, bpf_get_attach_cookie(ctx)))
		bpf_for_each_map_elem(&followed, look_at_followed, &h, 0);
	return 0;
}
