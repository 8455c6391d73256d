/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps: every function by which a program makes, fills, thins and clears them, as far as the binary has it.
 *
 * The linker leaves out what a program doesn't call, so a function that is missing is an operation that can't
 * happen. One that is there and can't be probed is told, and then none is: half of what happens to a map tells
 * nothing right about it.
 *
 * In a sampled session assignments and deletions are seen in windows, and clears and growth always: each of those
 * tells something by itself. No map is followed then, so what makes maps and what reads them isn't probed.
 */
#include <errno.h>

#include "gobin/layout.h"
#include "gobin/maptable.h"
#include "plan/build.h"
#include "plan/place.h"

#define MAPS "internal/runtime/maps."
#define TRIE "internal/sync.(*HashTrieMap[go.shape.interface {},go.shape.interface {}])."

/* A function, what a hit in it means, and WIRE_F_METHOD or 0. */
struct map_func {
	const char *func;
	enum wire_place place;
	unsigned flags;
};

static const struct map_func both[] = {
	{ "runtime.mapassign", WIRE_PLACE_MAP_ASSIGN, 0 },
	{ "runtime.mapassign_fast32", WIRE_PLACE_MAP_ASSIGN, 0 },
	{ "runtime.mapassign_fast64", WIRE_PLACE_MAP_ASSIGN, 0 },
	{ "runtime.mapassign_fast64ptr", WIRE_PLACE_MAP_ASSIGN, 0 },
	{ "runtime.mapassign_faststr", WIRE_PLACE_MAP_ASSIGN, 0 },
	{ "runtime.mapdelete", WIRE_PLACE_MAP_DELETE, 0 },
	{ "runtime.mapdelete_fast32", WIRE_PLACE_MAP_DELETE, 0 },
	{ "runtime.mapdelete_fast64", WIRE_PLACE_MAP_DELETE, 0 },
	{ "runtime.mapdelete_faststr", WIRE_PLACE_MAP_DELETE, 0 },
	{ "runtime.makemap_small", WIRE_PLACE_MAP_MADE, 0 },
};

static const struct map_func classic[] = {
	{ "runtime.makemap", WIRE_PLACE_MAP_MADE, 0 },
	{ "runtime.mapclear", WIRE_PLACE_MAP_CLEAR, 0 },
	{ "runtime.mapiterinit", WIRE_PLACE_MAP_ITERATE, 0 },
	{ "runtime.hashGrow", WIRE_PLACE_MAP_GROW, 0 },
};

/* runtime.makemap and mapclear only lead to these, and reflection calls these without them. */
static const struct map_func swiss[] = {
	{ MAPS "NewMap", WIRE_PLACE_MAP_MADE, 0 },
	{ MAPS "(*Map).Clone", WIRE_PLACE_MAP_MADE, 0 },
	{ "runtime.mapIterStart", WIRE_PLACE_MAP_ITERATE, 0 },
	{ MAPS "(*Map).Clear", WIRE_PLACE_MAP_CLEAR, WIRE_F_METHOD },
	{ MAPS "(*Map).growToTable", WIRE_PLACE_MAP_GROW, WIRE_F_METHOD },
	{ MAPS "(*table).grow", WIRE_PLACE_MAP_GROW_TABLE, 0 },
	{ MAPS "(*table).split", WIRE_PLACE_MAP_GROW_TABLE, 0 },
	{ MAPS "(*table).pruneTombstones", WIRE_PLACE_MAP_PRUNE, 0 },
};

/*
 * runtime.mapdelete does so little for Swiss maps that the compiler writes it into reflect.mapdelete: then that
 * is an entry of its own.
 */
static const struct map_func reflect_delete = { "reflect.mapdelete", WIRE_PLACE_MAP_DELETE, 0 };

/* Up to Go 1.23. */
static const struct map_func sync_map[] = {
	{ "sync.(*Map).LoadOrStore", WIRE_PLACE_SYNC_MAP_ASSIGN, 0 },
	{ "sync.(*Map).CompareAndSwap", WIRE_PLACE_SYNC_MAP_ASSIGN, 0 },
	{ "sync.(*Map).LoadAndDelete", WIRE_PLACE_SYNC_MAP_DELETE, 0 },
	{ "sync.(*Map).CompareAndDelete", WIRE_PLACE_SYNC_MAP_DELETE, 0 },
	{ "sync.(*Map).Clear", WIRE_PLACE_SYNC_MAP_CLEAR, 0 },
};

/* Since Go 1.20 Store is a call of Swap. */
static const struct map_func sync_swap = { "sync.(*Map).Swap", WIRE_PLACE_SYNC_MAP_ASSIGN, 0 };
static const struct map_func sync_store = { "sync.(*Map).Store", WIRE_PLACE_SYNC_MAP_ASSIGN, 0 };

/* Since Go 1.24 sync.Map's methods lead to these. */
static const struct map_func sync_trie[] = {
	{ TRIE "Swap", WIRE_PLACE_SYNC_MAP_ASSIGN, 0 },
	{ TRIE "LoadOrStore", WIRE_PLACE_SYNC_MAP_ASSIGN, 0 },
	{ TRIE "CompareAndSwap", WIRE_PLACE_SYNC_MAP_ASSIGN, 0 },
	{ TRIE "LoadAndDelete", WIRE_PLACE_SYNC_MAP_DELETE, 0 },
	{ TRIE "CompareAndDelete", WIRE_PLACE_SYNC_MAP_DELETE, 0 },
	{ TRIE "Clear", WIRE_PLACE_SYNC_MAP_CLEAR, 0 },
};

/* What last operations did, before their maps are gone. */
static const struct map_func looks[] = {
	{ "runtime.gcMarkDone", WIRE_PLACE_MAP_LOOK, 0 },
	{ "runtime.exit", WIRE_PLACE_EXIT, 0 },
};

static const struct {
	enum plan_prog prog;
	const char *why;
} uses[] = {
	[WIRE_PLACE_EXIT] = { PLAN_PROG_MAP_EXIT, "the last look at maps" },
	[WIRE_PLACE_MAP_ASSIGN] = { PLAN_PROG_MAP, "every assignment" },
	[WIRE_PLACE_MAP_DELETE] = { PLAN_PROG_MAP, "every deletion" },
	[WIRE_PLACE_MAP_CLEAR] = { PLAN_PROG_MAP, "every clear" },
	[WIRE_PLACE_MAP_GROW] = { PLAN_PROG_MAP_GROWTH, "maps that grow" },
	[WIRE_PLACE_MAP_GROW_TABLE] = { PLAN_PROG_MAP_GROWTH, "tables that grow or split" },
	[WIRE_PLACE_MAP_PRUNE] = { PLAN_PROG_MAP_GROWTH, "tables that are tidied" },
	[WIRE_PLACE_MAP_MADE] = { PLAN_PROG_MAP, "every map that is made" },
	[WIRE_PLACE_SYNC_MAP_ASSIGN] = { PLAN_PROG_MAP, "what stores into a sync.Map" },
	[WIRE_PLACE_SYNC_MAP_DELETE] = { PLAN_PROG_MAP, "what deletes from a sync.Map" },
	[WIRE_PLACE_SYNC_MAP_CLEAR] = { PLAN_PROG_MAP, "what clears a sync.Map" },
	[WIRE_PLACE_MAP_LOOK] = { PLAN_PROG_MAP_LOOK, "a look at maps that may die" },
	[WIRE_PLACE_MAP_ITERATE] = { PLAN_PROG_MAP, "range loops" },
};

/* How a sampled session sees it: false if it doesn't. */
static bool sample_use(enum wire_place place, struct want *want)
{
	switch (place) {
	case WIRE_PLACE_MAP_ASSIGN:
	case WIRE_PLACE_MAP_DELETE:
	case WIRE_PLACE_SYNC_MAP_ASSIGN:
	case WIRE_PLACE_SYNC_MAP_DELETE:
		want->prog = PLAN_PROG_WINDOW;
		want->group = WIRE_GROUP_WINDOW_MAPS;
		return true;
	case WIRE_PLACE_MAP_CLEAR:
	case WIRE_PLACE_SYNC_MAP_CLEAR:
	case WIRE_PLACE_MAP_GROW:
	case WIRE_PLACE_MAP_GROW_TABLE:
	case WIRE_PLACE_MAP_PRUNE:
		want->group = WIRE_GROUP_MAP_EVENTS;
		return true;
	default:
		return false;
	}
}

struct map_plan {
	struct plan *plan;
	struct gobin *bin;
	int failed; /* functions that are there and can't be probed */
};

/* Was it there? */
static bool add_one(struct map_plan *mp, const struct map_func *map_func)
{
	struct want want = {
		.prog = uses[map_func->place].prog,
		.place = map_func->place,
		.why = uses[map_func->place].why,
		.at_entry = map_func->place == WIRE_PLACE_EXIT,
		.flags = map_func->flags,
	};
	/* Only there is the new map's address known. */
	bool returns = map_func->place == WIRE_PLACE_MAP_MADE;
	struct gobin_func func;

	if (gobin_find_func(mp->bin, map_func->func, &func))
		return false;
	if (mp->plan->cfg.sampled && !sample_use(map_func->place, &want))
		return true;
	int rc = returns ? plan_add_returns(mp->plan, mp->bin, &func, map_func->func, &want)
			 : plan_add(mp->plan, mp->bin, &func, map_func->func, &want);
	mp->failed += rc != 0;
	return true;
}

static bool add_all(struct map_plan *mp, const struct map_func *funcs, size_t nr)
{
	bool any = false;

	for (size_t i = 0; i < nr; i++)
		any |= add_one(mp, &funcs[i]);
	return any;
}

#define ADD_ALL(mp, funcs) add_all(mp, funcs, sizeof(funcs) / sizeof((funcs)[0]))

static void add_swiss(struct map_plan *mp)
{
	struct gobin_func func, method;

	ADD_ALL(mp, swiss);
	if (!gobin_find_func(mp->bin, reflect_delete.func, &func) &&
	    !gobin_find_func(mp->bin, MAPS "(*Map).Delete", &method) &&
	    place_calls(mp->bin, &func, method.entry))
		add_one(mp, &reflect_delete);
}

static void add_sync(struct map_plan *mp)
{
	if (ADD_ALL(mp, sync_trie))
		return;
	ADD_ALL(mp, sync_map);
	if (!add_one(mp, &sync_swap))
		add_one(mp, &sync_store);
}

void plan_maps(struct plan *plan, struct gobin *bin)
{
	struct map_plan mp = { .plan = plan, .bin = bin };
	enum gobin_maps kind = gobin_map_kind(bin);
	size_t before = plan->probes_nr;

	if (kind == GOBIN_MAPS_NONE) {
		plan_note(plan, "maps can't be seen: their functions were not found");
		return;
	}
	plan->cfg.map_events_only = plan->cfg.sampled;
	plan->cfg.map_swiss = kind == GOBIN_MAPS_SWISS;
	plan->cfg.map_b = GO_HMAP_B;
	plan->cfg.map_unit = plan->cfg.map_swiss ? GO_MAP_GROUP_SIZE : GO_MAP_BUCKET_SIZE;
	/* loadFactorNum of runtime/map.go. */
	plan->cfg.map_load = gobin_layout(bin)->minor == GO_MAP_LOAD_SIX_MINOR ? 12 : 13;
	ADD_ALL(&mp, both);
	if (kind == GOBIN_MAPS_SWISS)
		add_swiss(&mp);
	else
		ADD_ALL(&mp, classic);
	add_sync(&mp);
	ADD_ALL(&mp, looks);
	plan->maps = !mp.failed && plan->probes_nr > before;
	if (!mp.failed)
		return;
	plan->probes_nr = before;
	plan_note(plan, "maps can't be seen: a function that changes them can't be probed");
}
