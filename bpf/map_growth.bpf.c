// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The tables of maps that grow: by the stack that made them grow, and for the map they belong to.
 *
 * A probe is at the decision, before the new table is made, so what is read is the table that is left.
 */
#include "bpf/map.bpf.h"

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

	keep_own_stack(ctx);
	if (!map_hit_init(&h, ctx, cookie))
		return 0;
	if (h.op == WIRE_PLACE_MAP_GROW) {
		read_args(&h, ctx, (cookie >> 8) & WIRE_F_METHOD);
		read_head(&h);
		if (h.unread)
			count_loss(h.cpu, WIRE_LOSS_MAP_UNREAD);
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
