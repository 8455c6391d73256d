/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps: every function by which a program makes, fills, thins and clears them, as far as the binary has it.
 *
 * The linker leaves out what a program doesn't call, so a function that is missing is an operation that can't
 * happen. One that is there and can't be probed is told. Which family of maps it is, the functions tell.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gobin/layout.h"
#include "plan/build.h"
#include "plan/place.h"

#define MAPS "internal/runtime/maps."

/* The functions of one purpose. A name that ends in '*' stands for all that begin so. */
struct subject {
	const char *func;
	struct want want;
	bool returns; /* at its RETs, not after its stack check */
};

static const struct subject classic[] = {
	{ "runtime.mapdelete*",
	  { PLAN_PROG_MAP, WIRE_PLACE_MAP_DELETE, "every deletion", false, 0 },
	  false },
	{ "runtime.mapclear",
	  { PLAN_PROG_MAP, WIRE_PLACE_MAP_CLEAR, "every clear", false, 0 },
	  false },
	{ "runtime.makemap",
	  { PLAN_PROG_MAP, WIRE_PLACE_MAP_MADE, "maps made with a size", false, 0 },
	  true },
	{ "runtime.hashGrow",
	  { PLAN_PROG_MAP_GROWTH, WIRE_PLACE_MAP_GROW, "tables that grow", false, 0 },
	  false },
};

/* Of the methods where they are always called; reflection calls some of them alone. */
static const struct subject swiss[] = {
	{ "runtime.mapdelete*",
	  { PLAN_PROG_MAP, WIRE_PLACE_MAP_DELETE, "every deletion", false, 0 },
	  false },
	{ MAPS "NewMap",
	  { PLAN_PROG_MAP, WIRE_PLACE_MAP_MADE, "maps made with a size", false, 0 },
	  true },
	{ MAPS "(*Map).Clear",
	  { PLAN_PROG_MAP, WIRE_PLACE_MAP_CLEAR, "every clear", false, WIRE_F_METHOD },
	  false },
	{ MAPS "(*Map).growToTable",
	  { PLAN_PROG_MAP_GROWTH, WIRE_PLACE_MAP_GROW, "maps that grow out of one group", false,
	    WIRE_F_METHOD },
	  false },
	{ MAPS "(*table).grow",
	  { PLAN_PROG_MAP_GROWTH, WIRE_PLACE_MAP_GROW_TABLE, "tables that grow", false, 0 },
	  false },
	{ MAPS "(*table).split",
	  { PLAN_PROG_MAP_GROWTH, WIRE_PLACE_MAP_GROW_TABLE, "tables that split", false, 0 },
	  false },
	{ MAPS "(*table).pruneTombstones",
	  { PLAN_PROG_MAP_GROWTH, WIRE_PLACE_MAP_PRUNE, "tables that are tidied", false, 0 },
	  false },
};

static const struct subject both[] = {
	{ "runtime.mapassign*",
	  { PLAN_PROG_MAP, WIRE_PLACE_MAP_ASSIGN, "every assignment", false, 0 },
	  false },
	{ "runtime.makemap_small",
	  { PLAN_PROG_MAP, WIRE_PLACE_MAP_MADE, "maps made without a size", false, 0 },
	  true },
};

/* --- sync.Map --------------------------------------------------------------------------------- */

#define TRIE "internal/sync.(*HashTrieMap[go.shape.interface {},go.shape.interface {}])."

/* Its methods: up to Go 1.23 of sync.Map itself, since 1.24 of the trie that it is made of. */
static const struct {
	const char *method;
	enum wire_place place;
	const char *why;
} sync_methods[] = {
	{ "Swap", WIRE_PLACE_SYNC_MAP_ASSIGN, "what stores into a sync.Map" },
	{ "Store", WIRE_PLACE_SYNC_MAP_ASSIGN, "what stores into a sync.Map" },
	{ "LoadOrStore", WIRE_PLACE_SYNC_MAP_ASSIGN, "what stores into a sync.Map" },
	{ "CompareAndSwap", WIRE_PLACE_SYNC_MAP_ASSIGN, "what stores into a sync.Map" },
	{ "LoadAndDelete", WIRE_PLACE_SYNC_MAP_DELETE, "what deletes from a sync.Map" },
	{ "CompareAndDelete", WIRE_PLACE_SYNC_MAP_DELETE, "what deletes from a sync.Map" },
	{ "Clear", WIRE_PLACE_SYNC_MAP_CLEAR, "what clears a sync.Map" },
};

/* --- adding them ------------------------------------------------------------------------------ */

struct map_scan {
	struct plan *plan;
	struct gobin *bin;
	const struct subject *subject;
	size_t prefix_len; /* of subject->func, when it stands for many */
	int failed;
};

static void add_one(struct map_scan *scan, const struct gobin_func *func, const char *name,
		    const struct want *want, bool returns)
{
	int rc = returns ? plan_add_returns(scan->plan, scan->bin, func, name, want)
			 : plan_add(scan->plan, scan->bin, func, name, want);

	scan->failed += rc != 0;
}

/* "runtime.mapassign_fast64" of "runtime.mapassign*"; "runtime.mapassign.func1" isn't. */
static int add_variant(const struct gobin_func *func, const char *name, void *ctx)
{
	struct map_scan *scan = ctx;
	const char *rest = name + scan->prefix_len;

	if (!*rest || (!strncmp(rest, "_fast", 5) && !strchr(rest, '.')))
		add_one(scan, func, name, &scan->subject->want, false);
	return 0;
}

static void add_subject(struct map_scan *scan, const struct subject *subject)
{
	size_t len = strlen(subject->func);
	struct gobin_func func;

	scan->subject = subject;
	if (subject->func[len - 1] != '*') {
		if (!gobin_find_func(scan->bin, subject->func, &func))
			add_one(scan, &func, subject->func, &subject->want, subject->returns);
		return;
	}
	char prefix[64];
	scan->prefix_len = len - 1;
	snprintf(prefix, sizeof(prefix), "%.*s", (int)len - 1, subject->func);
	if (gobin_each_func(scan->bin, prefix, add_variant, scan))
		scan->failed++;
}

static void add_sync_maps(struct map_scan *scan)
{
	static const char *const receivers[] = { TRIE, "sync.(*Map)." };

	for (size_t r = 0; r < sizeof(receivers) / sizeof(receivers[0]); r++) {
		size_t before = scan->plan->probes_nr;

		for (size_t i = 0; i < sizeof(sync_methods) / sizeof(sync_methods[0]); i++) {
			const struct want want = { PLAN_PROG_MAP, sync_methods[i].place,
						   sync_methods[i].why, false, 0 };
			struct gobin_func func;
			char name[128];

			snprintf(name, sizeof(name), "%s%s", receivers[r], sync_methods[i].method);
			if (gobin_find_func(scan->bin, name, &func))
				continue;
			add_one(scan, &func, name, &want, false);
			/* Store is a call of Swap where there is one (Go >= 1.20). */
			if (!strcmp(sync_methods[i].method, "Swap"))
				i++;
		}
		/* sync.Map's methods lead to the trie's where there is one: not both. */
		if (scan->plan->probes_nr != before)
			return;
	}
}

/*
 * runtime.mapdelete does so little for Swiss maps that the compiler writes it into reflect.mapdelete: then that
 * is an entry of its own.
 */
static void add_reflection(struct map_scan *scan)
{
	static const struct want want = { PLAN_PROG_MAP, WIRE_PLACE_MAP_DELETE,
					  "deletions by reflection", false, 0 };
	struct gobin_func func, method;

	if (!gobin_find_func(scan->bin, "reflect.mapdelete", &func) &&
	    !gobin_find_func(scan->bin, MAPS "(*Map).Delete", &method) &&
	    place_calls(scan->bin, &func, method.entry))
		add_one(scan, &func, "reflect.mapdelete", &want, false);
}

/* What the last deletions did, before the maps are gone. Without it some of that stays unknown. */
static void add_settling(struct map_scan *scan)
{
	static const struct {
		const char *func;
		struct want want;
	} places[] = {
		{ "runtime.gcStart",
		  { PLAN_PROG_MAP_SETTLE, WIRE_PLACE_MAP_SETTLE, "maps before a cycle", false,
		    0 } },
		{ "runtime.startTheWorldWithSema",
		  { PLAN_PROG_MAP_SETTLE, WIRE_PLACE_MAP_SETTLE_LAST, "maps before a cycle", false,
		    0 } },
		{ "runtime.exit",
		  { PLAN_PROG_MAP_SETTLE, WIRE_PLACE_EXIT, "maps before the end", true, 0 } },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct gobin_func func;

		if (!gobin_find_func(scan->bin, places[i].func, &func))
			(void)plan_add(scan->plan, scan->bin, &func, places[i].func,
				       &places[i].want);
	}
}

void plan_maps(struct plan *plan, struct gobin *bin)
{
	struct map_scan scan = { .plan = plan, .bin = bin };
	enum gobin_maps kind = gobin_map_kind(bin);
	size_t before = plan->probes_nr;

	if (kind == GOBIN_MAPS_NONE) {
		plan_note(plan, "maps can't be seen: their functions were not found");
		return;
	}
	plan->cfg.map_swiss = kind == GOBIN_MAPS_SWISS;
	/* loadFactorNum of runtime/map.go; Go 1.21 rounds 13/2 down. */
	plan->cfg.map_load = gobin_layout(bin)->minor == 21 ? 12 : 13;
	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++)
		add_subject(&scan, &both[i]);
	if (kind == GOBIN_MAPS_SWISS) {
		for (size_t i = 0; i < sizeof(swiss) / sizeof(swiss[0]); i++)
			add_subject(&scan, &swiss[i]);
		add_reflection(&scan);
	} else {
		for (size_t i = 0; i < sizeof(classic) / sizeof(classic[0]); i++)
			add_subject(&scan, &classic[i]);
	}
	add_sync_maps(&scan);
	add_settling(&scan);
	if (!scan.failed)
		return;
	/* Half of what happens to a map tells nothing right about it. */
	plan->probes_nr = before;
	plan_note(plan, "maps can't be seen: a function that changes them can't be probed");
}
