/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps inside a model, for the two that walk them: the snapshot and the recording.
 *
 * Counts of a site remember what they were when the interval began. What maps hold has no interval: it is
 * judged map by map as they are told, and of single maps the largest are kept. All numbers are below 2^63
 * and no sum overflows, whatever the target says: it stays at the largest.
 */
#ifndef GALLOP_MODEL_MAP_TABLES_H
#define GALLOP_MODEL_MAP_TABLES_H

#include "model/sample_tables.h"
#include "model/snapshot_maps.h"
#include "model/tables.h"

/* All counts are numbers of 64 bits, and the last, entries_max, is the only one that is no sum. */
enum {
	MAP_COUNTS_NR = sizeof(struct model_map_counts) / sizeof(uint64_t),
	MAP_SUMS_NR = MAP_COUNTS_NR - 1,
};
_Static_assert(offsetof(struct model_map_counts, entries_max) == MAP_SUMS_NR * sizeof(uint64_t),
	       "entries_max is the last");

static inline uint64_t *map_counts_v(struct model_map_counts *counts)
{
	return &counts->makes;
}

static inline const uint64_t *map_counts_cv(const struct model_map_counts *counts)
{
	return &counts->makes;
}

/* Sums are added, the largest size is the larger one. */
void map_counts_add(struct model_map_counts *to, const struct model_map_counts *n);

/* Nothing happened: the largest size alone is nothing. */
bool map_counts_is_zero(const struct model_map_counts *counts);

/* Calls: makes, assignments, deletions and clears. */
uint64_t map_counts_operations(const struct model_map_counts *counts);

/* Maps that hold much more than they need, and what that would be. */
struct map_idle {
	struct snapshot_map_held held;
	uint64_t needed_bytes;
};

/* What is there of a site: see struct snapshot_map_site. Numbers only, as the counts are. */
struct map_held {
	struct snapshot_map_held made, emptied, thinned;
	struct map_idle idle_emptied, idle_thinned; /* of emptied and thinned */
};

enum { MAP_HELD_NR = sizeof(struct map_held) / sizeof(uint64_t) };

static inline uint64_t *map_held_v(struct map_held *held)
{
	return &held->made.maps;
}

static inline const uint64_t *map_held_cv(const struct map_held *held)
{
	return &held->made.maps;
}

void map_held_add(struct map_held *to, const struct map_held *n);
bool map_held_is_zero(const struct map_held *held);

struct map_site_key {
	uint32_t stack, type;
};

struct map_site {
	struct map_site_key key;
	uint32_t id;
	struct go_map_shape shape;
	struct model_map_counts now; /* since the model began */
	struct model_map_counts base; /* now, when the current interval began */
	struct map_held held; /* when memory was last looked at */
	struct map_held held_base; /* held, when the current interval began */
	/* Estimates of old windows, see sample_tables.h. */
	struct sample_calls folded[MODEL_MAP_OPERATIONS];
	UT_hash_handle hh;
};

/* The shape of a type's maps: known from the first site. */
struct map_type {
	uint32_t type;
	uint32_t id;
	struct go_map_shape shape;
	UT_hash_handle hh;
};

struct model_maps {
	bool known; /* maps are looked at */
	bool every_operation;
	bool held_known;
	uint64_t held_mono_ns; /* when memory was looked at */
	bool is_new; /* in the current interval */
	struct snapshot_map_held held; /* by all maps */
	MODEL_TABLE(map_site) sites;
	MODEL_TABLE(map_type) types;
	struct model_map list[MODEL_MAPS_LISTED]; /* a heap: the first has the fewest bytes */
	size_t list_nr;
};

void maps_deinit(struct model_maps *maps);
void maps_next_interval(struct model_maps *maps);

/* What was added in the current interval; the largest size is of all time. */
struct model_map_counts map_site_delta(const struct map_site *site);

/* Calls of all sites since the model began. */
uint64_t maps_operations(const struct model_maps *maps);

/* By bytes held, the most first; the order is complete. */
int map_size_cmp(const struct model_map *x, const struct model_map *y);

/*
 * For a reader: maps were judged when they were told, so what was written is the outcome. The state as of that
 * time, what it was at a site, and one of the largest maps (0 or -EINVAL).
 */
void maps_set_held(struct model *m, uint64_t mono_ns, struct snapshot_map_held held);
void maps_set_site_held(struct model *m, uint32_t site, const struct map_held *held);
int maps_list(struct model *m, const struct model_map *map);

#endif
