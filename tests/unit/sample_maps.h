/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps as a snapshot has them: a site for each pattern and one with none, and single maps of which more and
 * less is known. Made here and not by the model, as what is shown of a pattern is one thing and when a pattern
 * is told another.
 */
#ifndef GALLOP_TESTS_UNIT_SAMPLE_MAPS_H
#define GALLOP_TESTS_UNIT_SAMPLE_MAPS_H

#include "sample.h"

/* A stack of up to two frames, and what points to them. */
struct sample_place {
	struct snapshot_frame frames[2];
	const struct snapshot_frame *pointers[2];
	struct snapshot_stack stack;
};

static inline const struct snapshot_stack *sample_place(struct sample_place *p, const char *leaf,
							uint32_t line, const char *caller)
{
	p->frames[0] = (struct snapshot_frame){ leaf, "/src/shop/cache.go", line, false };
	p->frames[1] = (struct snapshot_frame){ caller, "/src/shop/main.go", 12, true };
	p->pointers[0] = &p->frames[0];
	p->pointers[1] = &p->frames[1];
	p->stack = (struct snapshot_stack){ .frames = p->pointers, .frames_nr = caller ? 2 : 1 };
	return &p->stack;
}

enum { SAMPLE_PLACES = 9, SAMPLE_LISTED = 3 };

struct sample_maps {
	struct sample_place places[SAMPLE_PLACES];
	struct snapshot_map_site sites[SAMPLE_PLACES];
	struct snapshot_map list[SAMPLE_LISTED];
};

/* map[int]int since Go 1.24: 8 slots of 16 bytes and a control word. */
static const struct go_map_shape sample_shape = {
	.swiss = true, .noscan = true, .malloc_headers = true, .unit_bytes = 136
};

static const struct snapshot_map_site sample_sites[SAMPLE_PLACES] = {
	{ .type = "map[int]*main.User",
	  .counts = { .clears = 41,
		      .removed = 1004000,
		      .emptied = 41,
		      .emptied_entries = 1004000,
		      .refills = 40,
		      .refilled_entries = 4000,
		      .entries_max = 1000000 },
	  .emptied = { 1, 39636992 },
	  .idle = { 1, 39636992 },
	  .idle_needed_bytes = 2176,
	  .retained_bytes = 39636992,
	  .pattern = MAP_PATTERN_CLEAR_RETAIN },
	{ .type = "map[string]main.Session",
	  .counts = { .deletes = 99000,
		      .removed = 99000,
		      .unsettled = 2,
		      .rehashes = 3,
		      .grown_bytes = 131072,
		      .entries_max = 100000 },
	  .thinned = { 1, 3774873 },
	  .idle = { 1, 3774873 },
	  .idle_needed_bytes = 40960,
	  .retained_bytes = 3774873,
	  .pattern = MAP_PATTERN_THINNED },
	{ .type = "map[string]int",
	  .counts = { .makes = 10000,
		      .growths = 12,
		      .entries_max = 600,
		      .made_entries = 5000001,
		      .made_growths = 60000,
		      .made_grown_bytes = 429916160 },
	  .made = { 3, 61440 },
	  .pattern = MAP_PATTERN_MAKE_AGAIN },
	{ .type = "map[int]int",
	  .counts = { .makes = 1,
		      .assigns = 1000000,
		      .growths = 17,
		      .grown_bytes = 38797312,
		      .entries_max = 1000000,
		      .made_entries = 1000000,
		      .made_growths = 17,
		      .made_grown_bytes = 38797312 },
	  .made = { 1, 37830704 },
	  .pattern = MAP_PATTERN_NO_HINT },
	{ .type = "map[interface {}]struct {}",
	  .counts = { .deletes = 6020000,
		      .drains = 1204,
		      .drain_loops = 1200,
		      .removed = 6020000,
		      .emptied = 1204,
		      .emptied_entries = 6020000,
		      .entries_max = 5000 },
	  .emptied = { 1, 147456 },
	  .retained_bytes = 147456,
	  .pattern = MAP_PATTERN_DELETE_LOOP },
	{ .type = "sync.Map",
	  .counts = { .deletes = 321, .removed = 321, .entries_max = 300 },
	  .pattern = MAP_PATTERN_RANGE_DELETE },
	{ .type = "map[uint64]float64",
	  .counts = { .clears = 41,
		      .removed = 410000,
		      .emptied = 41,
		      .emptied_entries = 410000,
		      .refills = 40,
		      .refills_alike = 40,
		      .refilled_entries = 400000,
		      .entries_max = 10000 },
	  .emptied = { 1, 295000 },
	  .retained_bytes = 295000,
	  .pattern = MAP_PATTERN_CLEAR_REFILL },
	{ .type = "map[string]struct { Name string; Values []interface {}; Next "
		  "*github.com/a/very/long/"
		  "path.Entry }",
	  .counts = { .makes = 1,
		      .assigns = 123456789,
		      .deletes = 98765432,
		      .clears = 1,
		      .drains = 7,
		      .drain_loops = 7,
		      .growths = 12345,
		      .rehashes = 678,
		      .removed = 98765432,
		      .grown_bytes = 1 << 30,
		      .entries_max = 7000000 },
	  .made = { 1, 1 << 20 } },
	{ .type = "map[int]int", .counts = { .assigns = 1, .entries_max = 1 } },
};

static inline void sample_maps_list(struct sample_maps *maps)
{
	const struct snapshot_stack *made = &maps->places[3].stack;

	maps->list[0] = (struct snapshot_map){
		.raw = { .addr = UINT64_C(0xc000123450),
			 .entries = 100,
			 .bytes = 39636992,
			 .entries_max = 1000000,
			 .first_ns = SAMPLE_START,
			 .last_ns = SAMPLE_START + UINT64_C(1500) * 1000 * 1000,
			 .emptied_ns = SAMPLE_START + SAMPLE_S },
		.type = "map[int]*main.User",
		.made = made,
		.emptied = &maps->places[0].stack,
		.deleted = &maps->places[1].stack,
	};
	maps->list[1] = (struct snapshot_map){
		.raw = { .addr = UINT64_C(0xc000200000),
			 .entries = 7000000,
			 .bytes = 30000000,
			 .entries_max = 7000000,
			 .first_ns = SAMPLE_START,
			 .last_ns = SAMPLE_START },
		.type = "map[string]struct { Name string; Values []interface {} }",
	};
	/* Emptied by nobody we saw, and used since memory was looked at. */
	maps->list[2] = (struct snapshot_map){
		.raw = { .addr = 16,
			 .bytes = 96,
			 .last_ns = SAMPLE_START + 4 * UINT64_C(1000000000),
			 .emptied_ns = SAMPLE_START },
		.type = "map[int]int",
		.made = made,
	};
}

static inline void sample_maps_add(struct model_map_counts *sum, const struct model_map_counts *c)
{
	sum->makes += c->makes;
	sum->assigns += c->assigns;
	sum->deletes += c->deletes;
	sum->clears += c->clears;
	sum->removed += c->removed;
	sum->unsettled += c->unsettled;
	sum->drains += c->drains;
	sum->drain_loops += c->drain_loops;
	sum->growths += c->growths;
	sum->rehashes += c->rehashes;
	sum->grown_bytes += c->grown_bytes;
}

/* Put maps where the snapshot of a model without any has none; sample_maps_take() before it is freed. */
static inline void sample_maps_put(struct sample_maps *maps, struct snapshot *s)
{
	static const char *const leafs[SAMPLE_PLACES] = {
		"main.(*Cache).purge",
		"example.com/shop/session.(*Store).Expire",
		"main.handle",
		"main.load",
		"main.(*Set).Reset",
		"main.(*Sessions).drop.func1",
		"main.tick",
		"github.com/prometheus/client_golang/prometheus/internal.(*Registry).Gather",
		"main.main",
	};

	static const char *const callers[SAMPLE_PLACES] = {
		"main.serve",	     "main.serve", "main.serve", "main.serve", "main.serve",
		"sync.(*Map).Range", "main.serve", "main.serve", NULL,
	};

	*maps = (struct sample_maps){ 0 };
	free(s->maps.sites);
	free(s->maps.list);
	s->maps = (struct snapshot_maps){ .known = true,
					  .every_operation = true,
					  .held_known = true,
					  .held_mono_ns = s->to_mono_ns,
					  .held = { 12, 81654321 },
					  .sites = maps->sites,
					  .list = maps->list,
					  .sites_nr = SAMPLE_PLACES,
					  .list_nr = SAMPLE_LISTED };
	for (size_t i = 0; i < SAMPLE_PLACES; i++) {
		maps->sites[i] = sample_sites[i];
		maps->sites[i].shape = sample_shape;
		maps->sites[i].stack = sample_place(&maps->places[i], leafs[i], 80 + (uint32_t)i,
						    callers[i]);
		sample_maps_add(&s->maps.total, &maps->sites[i].counts);
	}
	maps->places[2].stack.cut = true;
	sample_maps_list(maps);
}

static inline void sample_maps_take(struct snapshot *s)
{
	s->maps = (struct snapshot_maps){ 0 };
}

#endif
