/* SPDX-License-Identifier: BSD-2-Clause */
#include "stream/maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/grow.h"
#include "base/u64.h"
#include "bpf/wire.h"
#include "model/maps.h"
#include "model/model.h"
#include "probe/probe.h"
#include "proc/gomap.h"
#include "symbol/symbol.h"

enum {
	/* Maps; the oldest are taken out: half of the kernel's table is room for new ones. */
	FOLLOWED_WANTED = 65536,
	TYPES_MAX = 65536, /* a program that makes more by reflection has maps of unknown shape */
	ID_WAITS = -1, /* for its stack */
	ID_UNPLACED = -2, /* the model had no room */
};

/* A site as the kernel counts it, and what maps add to it. */
struct map_row {
	struct wire_map_key key;
	UT_hash_handle hh;
	int64_t id; /* the model's, or ID_* */
	struct wire_map_site seen;
	struct model_map_counts gone; /* of maps that are followed no longer */
	struct model_map_counts there; /* of those that are, this time */
};

/* A map that is followed, as the kernel and as memory have it. */
struct map_life {
	uint64_t addr;
	struct wire_map m;
	struct gomap now;
	bool same; /* memory still has the map that the kernel saw */
	bool settled; /* *m is as after its last operation */
};

/* A map that has been seen on the heap: its address, and since when it is followed. */
struct heap_map {
	uint64_t addr, first_ns;
};

/* A map type and the shape of its maps. */
struct map_type {
	uint64_t addr;
	UT_hash_handle hh;
	struct go_map_shape shape;
};

struct map_stream {
	struct map_stream_opts opts;
	const struct gomap_reader *reader;
	struct map_row *rows;
	struct map_type *types;
	struct map_life *lives;
	size_t lives_nr, lives_cap;
	struct heap_map *on_heap; /* of those of the last look, sorted */
	size_t on_heap_nr;
	bool looked; /* memory was read this time */
	uint64_t evicted, unplaced;
	uint64_t unmeasured; /* maps that were too many to be read */
};

int map_stream_new(const struct map_stream_opts *opts, struct map_stream **ret)
{
	struct map_stream *ms = calloc(1, sizeof(*ms));

	if (!ms)
		return -ENOMEM;
	ms->opts = *opts;
	*ret = ms;
	return 0;
}

void map_stream_free(struct map_stream *ms)
{
	struct map_row *row, *next_row;
	struct map_type *type, *next_type;

	if (!ms)
		return;
	HASH_ITER (hh, ms->rows, row, next_row) {
		HASH_DEL(ms->rows, row);
		free(row);
	}
	HASH_ITER (hh, ms->types, type, next_type) {
		HASH_DEL(ms->types, type);
		free(type);
	}
	free(ms->lives);
	free(ms->on_heap);
	free(ms);
}

void map_stream_set_reader(struct map_stream *ms, const struct gomap_reader *reader)
{
	ms->reader = reader;
}

uint64_t map_stream_evicted(const struct map_stream *ms)
{
	return ms->evicted;
}

uint64_t map_stream_unplaced(const struct map_stream *ms)
{
	return ms->unplaced;
}

uint64_t map_stream_unmeasured(const struct map_stream *ms)
{
	return ms->unmeasured;
}

/* --- what the kernel has ---------------------------------------------------------------------- */

static struct map_row *find_row(struct map_stream *ms, uint64_t stack, uint64_t typ)
{
	const struct wire_map_key key = { stack, typ };
	struct map_row *row;

	HASH_FIND(hh, ms->rows, &key, sizeof(key), row);
	return row;
}

static int see_site(const struct wire_map_key *key, const struct wire_map_site *now, void *ctx)
{
	struct map_stream *ms = ctx;
	struct map_row *row = find_row(ms, key->stack, key->typ);

	if (!row) {
		row = calloc(1, sizeof(*row));
		if (!row)
			return -ENOMEM;
		row->key = *key;
		row->id = ID_WAITS;
		HASH_ADD(hh, ms->rows, key, sizeof(row->key), row);
	}
	row->seen = *now;
	return 0;
}

static int see_map(uint64_t addr, const struct wire_map *m, void *ctx)
{
	struct map_stream *ms = ctx;
	int rc = grow(&ms->lives, ms->lives_nr, &ms->lives_cap, sizeof(ms->lives[0]));

	if (rc)
		return rc;
	ms->lives[ms->lives_nr++] = (struct map_life){ .addr = addr, .m = *m };
	return 0;
}

/* --- what memory has -------------------------------------------------------------------------- */

static const struct go_map_shape *shape_of(struct map_stream *ms, uint64_t typ)
{
	static const struct go_map_shape unknown;
	struct map_type *type;

	HASH_FIND(hh, ms->types, &typ, sizeof(typ), type);
	if (type)
		return &type->shape;
	if (!typ || typ == WIRE_TYPE_SYNC_MAP || !ms->reader)
		return &unknown;
	if (HASH_COUNT(ms->types) == TYPES_MAX)
		return &unknown;
	type = calloc(1, sizeof(*type));
	if (!type)
		return &unknown;
	type->addr = typ;
	/* One that can't be read isn't asked for again. */
	if (gomap_shape(ms->reader, typ, &type->shape))
		type->shape = unknown;
	HASH_ADD(hh, ms->types, addr, sizeof(type->addr), type);
	return &type->shape;
}

/* As is_same_map() of bpf/map.bpf.c. */
static bool is_same(const struct map_life *life)
{
	const struct gomap *now = &life->now;

	return now->known &&
	       (now->seed == life->m.seed || (!now->entries && wire_map_may_be_empty(&life->m)));
}

static int by_addr(const void *a, const void *b)
{
	const struct heap_map *x = a, *y = b;
	int d = cmp_u64(x->addr, y->addr);

	return d ? d : cmp_u64(x->first_ns, y->first_ns);
}

/*
 * What was on the heap doesn't move to a stack: its memory was freed and is a part of one now, where what it was can lie
 * for long, and where it points to there may be something else.
 */
static bool was_on_heap(const struct map_stream *ms, const struct map_life *life)
{
	const struct heap_map key = { life->addr, life->m.first_ns };

	return ms->on_heap_nr && bsearch(&key, ms->on_heap, ms->on_heap_nr, sizeof(key), by_addr);
}

static int remember_heap(struct map_stream *ms)
{
	struct heap_map *v = reallocarray(NULL, ms->lives_nr + 1, sizeof(*v));
	size_t nr = 0;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < ms->lives_nr; i++) {
		const struct map_life *life = &ms->lives[i];
		if (life->now.state == HEAP_OBJECT ||
		    (life->now.state == HEAP_UNKNOWN && was_on_heap(ms, life)))
			v[nr++] = (struct heap_map){ life->addr, life->m.first_ns };
	}
	qsort(v, nr, sizeof(*v), by_addr);
	free(ms->on_heap);
	ms->on_heap = v;
	ms->on_heap_nr = nr;
	return 0;
}

static void take_look(struct map_stream *ms, struct map_life *life, const struct gomap *now)
{
	life->now = *now;
	if (now->state == HEAP_STACK && was_on_heap(ms, life)) {
		life->now.state = HEAP_FREE;
		life->now.known = false;
	}
	life->same = is_same(life);
}

static int look(struct map_stream *ms)
{
	struct gomap *maps = calloc(ms->lives_nr ? ms->lives_nr : 1, sizeof(*maps));

	if (!maps)
		return -ENOMEM;
	for (size_t i = 0; i < ms->lives_nr; i++) {
		maps[i].addr = ms->lives[i].addr;
		maps[i].shape = *shape_of(ms, ms->lives[i].m.typ);
	}
	int rc = gomap_read(ms->reader, maps, ms->lives_nr);
	for (size_t i = 0; rc >= 0 && i < ms->lives_nr; i++)
		take_look(ms, &ms->lives[i], &maps[i]);
	free(maps);
	if (rc >= 0 && remember_heap(ms))
		return -ENOMEM;
	ms->looked = rc >= 0;
	ms->unmeasured = rc > 0 ? (uint64_t)rc : 0;
	/* The process may be gone: then its maps are as they were last seen. */
	return rc == -ENOMEM ? rc : 0;
}

int map_stream_see(struct map_stream *ms)
{
	int rc = probe_each_map_site(ms->opts.probe, see_site, ms);

	ms->lives_nr = 0;
	ms->looked = false;
	if (!rc)
		rc = probe_each_map(ms->opts.probe, see_map, ms);
	if (!rc && ms->reader)
		rc = look(ms);
	return rc;
}

/* --- what a map adds to sites ----------------------------------------------------------------- */

/* Where that adds up: to what is there this time, or for good. */
static struct model_map_counts *counts_at(struct map_stream *ms, uint64_t stack, uint64_t typ,
					  bool gone)
{
	struct map_row *row = stack ? find_row(ms, stack, typ) : NULL;

	return !row ? NULL : gone ? &row->gone : &row->there;
}

/* A filling adds when it is over, or has come far enough for what it adds not to change any more. */
static void add_filling(struct map_stream *ms, const struct wire_map *m, bool over, bool gone)
{
	struct model_map_counts *c = counts_at(ms, m->emptied_stack, m->typ, gone);
	bool alike = m->fill_peak * 2 >= m->emptied_peak;

	if (!c || !m->fill_peak || !(over || alike))
		return;
	c->refills++;
	c->refills_alike += alike;
	c->refilled_entries += m->fill_peak;
}

/* As settle_delete() of bpf/map.bpf.c: the last operation took out an entry. */
static void add_deleted(struct map_stream *ms, struct wire_map *m, bool gone)
{
	struct model_map_counts *c = counts_at(ms, m->last_stack, m->typ, gone);
	bool drained = wire_map_deleted(m, m->last_ns);

	if (c)
		c->removed++;
	if (!drained)
		return;
	add_filling(ms, m, true, gone);
	if (c) {
		c->drains++;
		c->drain_loops += wire_map_was_loop(m);
		c->emptied++;
		c->emptied_entries += m->fill_peak;
	}
	wire_map_emptied(m, m->last_stack, m->last_ns);
}

/* Has nothing happened to the map between when the kernel was asked and when memory was read? */
static bool is_quiet(struct map_stream *ms, const struct map_life *life)
{
	struct wire_map again;

	return !probe_get_map(ms->opts.probe, life->addr, &again) &&
	       !memcmp(&again, &life->m, sizeof(again));
}

/* What its last operation did, by the kernel's verdict, or as far as memory tells. */
static void settle(struct map_stream *ms, struct map_life *life, bool gone)
{
	struct wire_map *m = &life->m;
	uint32_t op = WIRE_MAP_OP(m->state);

	life->settled = op != WIRE_PLACE_MAP_DELETE;
	if (op == WIRE_MAP_ADDED)
		wire_map_raise_peak(m, m->count + 1);
	if (op == WIRE_MAP_REMOVED)
		add_deleted(ms, m, gone);
	if (!life->same)
		return;
	if ((op == WIRE_PLACE_MAP_DELETE || op == WIRE_MAP_ABSENT) &&
	    (gone || is_quiet(ms, life))) {
		life->settled = life->now.entries <= m->count;
		if (life->now.entries + 1 == m->count)
			add_deleted(ms, m, gone);
	}
	wire_map_raise_peak(m, life->now.entries);
}

static void add_life(struct map_stream *ms, struct map_life *life, bool gone)
{
	settle(ms, life, gone);
	add_filling(ms, &life->m, gone, gone);
	struct model_map_counts *c = counts_at(ms, life->m.made_stack, life->m.typ, gone);
	if (!c)
		return;
	c->made_entries += life->m.peak;
	c->made_growths += life->m.growths;
	c->made_grown_bytes += life->m.grown_bytes;
	if (life->m.peak > c->entries_max)
		c->entries_max = life->m.peak;
}

/* Its last operation is a deletion of which no more will be known. */
static void add_unsettled(struct map_stream *ms, const struct map_life *life, bool gone)
{
	struct model_map_counts *c = life->settled
					     ? NULL
					     : counts_at(ms, life->m.last_stack, life->m.typ, gone);

	if (c)
		c->unsettled++;
}

/* Memory has something else in its place, or nothing. */
static bool is_gone(const struct map_stream *ms, const struct map_life *life)
{
	if (!ms->looked)
		return false;
	return life->now.state == HEAP_FREE || (life->now.known && !life->same);
}

static int by_age(const void *a, const void *b)
{
	const struct map_life *x = a, *y = b;

	return cmp_u64(x->m.last_ns, y->m.last_ns);
}

/* Follow it no longer; false if it has come back to life meanwhile. */
static bool drop(struct map_stream *ms, struct map_life *life)
{
	/* Its content stays as it was until its memory is used again. */
	if (probe_drop_map(ms->opts.probe, life->addr, &life->m))
		return false;
	add_life(ms, life, true);
	add_unsettled(ms, life, true);
	return true;
}

static void add_lives(struct map_stream *ms, bool last)
{
	size_t kept = 0;
	size_t too_many = ms->lives_nr > FOLLOWED_WANTED ? ms->lives_nr - FOLLOWED_WANTED : 0;

	for (struct map_row *row = ms->rows; row; row = row->hh.next)
		row->there = (struct model_map_counts){ 0 };
	if (too_many)
		qsort(ms->lives, ms->lives_nr, sizeof(ms->lives[0]), by_age);
	for (size_t i = 0; i < ms->lives_nr; i++) {
		struct map_life *life = &ms->lives[i];
		bool gone = is_gone(ms, life);

		if ((gone || i < too_many) && drop(ms, life)) {
			ms->evicted += !gone;
			continue;
		}
		add_life(ms, life, false);
		if (last)
			add_unsettled(ms, life, false);
		ms->lives[kept++] = *life;
	}
	ms->lives_nr = kept;
}

/* --- to the model ----------------------------------------------------------------------------- */

static struct model_map_counts counts_of(const struct map_row *row)
{
	const struct wire_map_site *seen = &row->seen;
	const struct model_map_counts *gone = &row->gone, *there = &row->there;

#define SUM(member) .member = seen->member + gone->member + there->member
	struct model_map_counts counts = {
		SUM(assigns),	   SUM(deletes),       SUM(clears),
		SUM(removed),	   SUM(unsettled),     SUM(drains),
		SUM(drain_loops),  SUM(growths),       SUM(rehashes),
		SUM(grown_bytes),  SUM(emptied),       SUM(emptied_entries),
		SUM(refills),	   SUM(refills_alike), SUM(refilled_entries),
		SUM(made_entries), SUM(made_growths),  SUM(made_grown_bytes),
	};
#undef SUM
	/* Those whose type is known by now are another site's. */
	counts.makes = seen->makes > seen->typed ? seen->makes - seen->typed : 0;
	counts.entries_max = max_u64(seen->entries_max,
				     max_u64(gone->entries_max, there->entries_max));
	return counts;
}

static int64_t type_of(struct map_stream *ms, uint64_t typ, uint64_t load_bias)
{
	if (typ == WIRE_TYPE_SYNC_MAP)
		return model_type(ms->opts.model, "sync.Map");
	if (!typ)
		return model_type(ms->opts.model, "map (no operation seen)");
	return symbolizer_type(ms->opts.symbolizer, typ, load_bias);
}

int64_t map_stream_site(struct map_stream *ms, uint64_t typ, uint32_t stack, uint64_t load_bias)
{
	int64_t type = type_of(ms, typ, load_bias);

	return type < 0 ? type
			: model_map_site(ms->opts.model, stack, (uint32_t)type, shape_of(ms, typ));
}

/* Find out where in the model a site counts. What the model has no room for isn't asked again. */
static int place_row(struct map_stream *ms, struct map_row *row, uint64_t load_bias)
{
	int64_t stack = ms->opts.stack(row->key.stack, ms->opts.stack_ctx);
	int64_t id = stack < 0 ? stack
			       : map_stream_site(ms, row->key.typ, (uint32_t)stack, load_bias);

	if (id == -EAGAIN)
		return 0;
	if (id < 0 && id != -E2BIG)
		return (int)id;
	row->id = id < 0 ? ID_UNPLACED : id;
	return 0;
}

static int take_rows(struct map_stream *ms, uint64_t load_bias, bool last)
{
	uint64_t unplaced = 0;

	for (struct map_row *row = ms->rows; row; row = row->hh.next) {
		struct model_map_counts counts = counts_of(row);

		/* What is made without a type gets one when it is used: only in the end is it known what wasn't. */
		if (!row->key.typ && (!last || !counts.makes))
			continue;
		int rc = row->id == ID_WAITS ? place_row(ms, row, load_bias) : 0;
		if (rc)
			return rc;
		if (row->id >= 0)
			model_map_site_set(ms->opts.model, (uint32_t)row->id, &counts);
		else if (row->id == ID_UNPLACED)
			unplaced += counts.makes + counts.assigns + counts.deletes + counts.clears;
	}
	ms->unplaced = unplaced;
	return 0;
}

static uint32_t site_id(struct map_stream *ms, uint64_t stack, uint64_t typ)
{
	struct map_row *row = stack ? find_row(ms, stack, typ) : NULL;

	return row && row->id >= 0 ? (uint32_t)row->id : MODEL_NO_SITE;
}

static int take_life(struct map_stream *ms, const struct map_life *life, uint64_t load_bias)
{
	const struct wire_map *m = &life->m;

	/* One on a goroutine's stack may have its tables on the heap, or nothing there at all. */
	if (!life->same || !life->now.bytes || !m->typ)
		return 0;
	int64_t type = type_of(ms, m->typ, load_bias);
	if (type < 0)
		return type == -E2BIG ? 0 : (int)type;
	const struct model_map map = {
		.addr = life->addr,
		.type = (uint32_t)type,
		.made_site = site_id(ms, m->made_stack, m->typ),
		.emptied_site = site_id(ms, m->emptied_stack, m->typ),
		.deleted_site = site_id(ms, m->deleted_stack, m->typ),
		.entries = life->now.entries,
		.bytes = life->now.bytes,
		.entries_max = m->peak,
		.fill_entries = m->fill_peak,
		.emptied_entries = m->emptied_peak,
		.fill_ns = m->fill_ns,
		.first_ns = m->first_ns,
		.last_ns = m->last_ns,
		.emptied_ns = m->emptied_ns,
		.thin_ns = m->thin_ns,
	};
	return model_map_add(ms->opts.model, &map);
}

int map_stream_take(struct map_stream *ms, uint64_t load_bias, uint64_t now_ns, bool last)
{
	add_lives(ms, last);
	int rc = take_rows(ms, load_bias, last);

	if (rc || !ms->looked)
		return rc;
	model_maps_begin(ms->opts.model, now_ns);
	for (size_t i = 0; i < ms->lives_nr && !rc; i++)
		rc = take_life(ms, &ms->lives[i], load_bias);
	return rc;
}
