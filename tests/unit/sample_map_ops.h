/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps for the sample, by the calls that a live session makes: places that make, clear and thin out maps, a
 * sync.Map, and what is there when memory is looked at at the end of each second.
 */
#ifndef GALLOP_TESTS_UNIT_SAMPLE_MAP_OPS_H
#define GALLOP_TESTS_UNIT_SAMPLE_MAP_OPS_H

#include "model/maps.h"
#include "sample.h"

/* map[int]int since Go 1.24: 8 slots of 16 bytes and a control word. */
static const struct go_map_shape sample_ints = {
	.swiss = true, .noscan = true, .malloc_headers = true, .unit_bytes = 136
};

/* map[string]*T up to Go 1.23. */
static const struct go_map_shape sample_pointers = { .unit_bytes = 208 };

static inline uint32_t sample_map_site(struct model *m, const char *stack, const char *type,
				       const struct go_map_shape *shape)
{
	return sample_id(model_map_site(m, sample_stack(m, stack, false),
					sample_id(model_type(m, type)), shape));
}

struct sample_map_sites {
	uint32_t made, cleared, thinned, sync;
};

static inline struct sample_map_sites sample_map_sites(struct model *m)
{
	static const struct go_map_shape none = { .unit_bytes = 0 };

	return (struct sample_map_sites){
		.made = sample_map_site(m, "runtime.makemap;main.newCache;main.main;runtime.goexit",
					"map[string]*main.User", &sample_pointers),
		.cleared = sample_map_site(m, "runtime.mapclear;main.(*Cache).Purge;main.main",
					   "map[string]*main.User", &sample_pointers),
		.thinned = sample_map_site(m, "runtime.mapdelete_fast64;main.expire;main.main",
					   "map[int]int", &sample_ints),
		.sync = sample_map_site(
			m,
			"sync.(*Map).LoadAndDelete;sync.(*Map).Delete;main.drop.func1;"
			"internal/sync.(*HashTrieMap[go.shape.interface {},go.shape.interface {}])."
			"iter;internal/sync.(*HashTrieMap[go.shape.interface {},"
			"go.shape.interface {}]).Range;sync.(*Map).Range;main.drop;main.main",
			"sync.Map", &none),
	};
}

/* One map that is full, one that was cleared long ago, and one that was thinned out then. */
static inline void sample_maps_look(struct model *m, uint64_t now_ns)
{
	const struct sample_map_sites sites = sample_map_sites(m);
	uint32_t users = sample_id(model_type(m, "map[string]*main.User"));
	uint32_t ints = sample_id(model_type(m, "map[int]int"));
	const struct model_map maps[] = {
		{ .addr = 0xc000010000,
		  .type = users,
		  .made_site = sites.made,
		  .emptied_site = MODEL_NO_SITE,
		  .deleted_site = MODEL_NO_SITE,
		  .entries = 1000,
		  .bytes = 40000,
		  .entries_max = 1000,
		  .fill_entries = 1000,
		  .first_ns = SAMPLE_START,
		  .last_ns = now_ns },
		{ .addr = 0xc000020000,
		  .type = users,
		  .made_site = sites.made,
		  .emptied_site = sites.cleared,
		  .deleted_site = MODEL_NO_SITE,
		  .entries = 10,
		  .bytes = 400000 + now_ns % 7,
		  .entries_max = 10000,
		  .fill_entries = 12,
		  .emptied_entries = 20,
		  .fill_ns = 5,
		  .first_ns = SAMPLE_START,
		  .last_ns = now_ns,
		  .emptied_ns = SAMPLE_START + 1000 },
		{ .addr = 0xc000030000,
		  .type = ints,
		  .made_site = MODEL_NO_SITE,
		  .emptied_site = MODEL_NO_SITE,
		  .deleted_site = sites.thinned,
		  .entries = 16,
		  .bytes = 300000,
		  .entries_max = 14000,
		  .fill_entries = 14000,
		  .first_ns = SAMPLE_START - 100 * UINT64_C(1000000000),
		  .last_ns = now_ns,
		  .thin_ns = SAMPLE_START - 60 * UINT64_C(1000000000) },
	};

	model_maps_begin(m, now_ns);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		assert_int_equal(model_map_add(m, &maps[i]), 0);
}

/* What has happened since the beginning when second n is over. */
static inline void sample_maps_second(struct model *m, uint64_t from_ns, uint64_t to_ns)
{
	const struct sample_map_sites sites = sample_map_sites(m);
	uint64_t n = (from_ns - SAMPLE_START) / SAMPLE_S + 1;
	const struct model_map_counts made = {
		.makes = n,
		.made_entries = 1000 * n,
		.made_growths = 2 * n,
		.made_grown_bytes = 9000 * n,
		.entries_max = 1000 + n,
	};
	const struct model_map_counts cleared = {
		.clears = 3 * n,
		.removed = 60 * n,
		.emptied = 3 * n,
		.emptied_entries = 60 * n,
		.refills = 3 * n - 1,
		.refills_alike = n,
		.refilled_entries = 40 * n,
		.entries_max = 10000,
	};
	const struct model_map_counts thinned = {
		.assigns = 100 * n,
		.deletes = 90 * n,
		.removed = 80 * n,
		.unsettled = n,
		.growths = n,
		.rehashes = 2 * n,
		.grown_bytes = 4096 * n,
		.entries_max = 14000,
	};
	const struct model_map_counts sync = { .deletes = 20 * n };

	model_maps_counted(m, true);
	model_map_site_set(m, sites.made, &made);
	model_map_site_set(m, sites.cleared, &cleared);
	model_map_site_set(m, sites.thinned, &thinned);
	model_map_site_set(m, sites.sync, &sync);
	sample_maps_look(m, to_ns);
}

/* A tick of sample_model() that comes before that of the test, if there is one. */
struct sample_maps_tick {
	sample_tick *tick;
	void *ctx;
};

static inline void sample_maps_tick(struct model *m, uint64_t from_ns, uint64_t to_ns, void *ctx)
{
	const struct sample_maps_tick *next = ctx;

	sample_maps_second(m, from_ns, to_ns);
	if (next && next->tick)
		next->tick(m, from_ns, to_ns, next->ctx);
}

#endif
