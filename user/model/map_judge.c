/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/map_judge.h"

#include "base/u64.h"

static const char *const pattern_names[MAP_PATTERN_NR] = {
	[MAP_PATTERN_NONE] = "",
	[MAP_PATTERN_RANGE_DELETE] = "range and delete",
	[MAP_PATTERN_CLEAR_RETAIN] = "clear and retain",
	[MAP_PATTERN_THINNED] = "thinned out",
	[MAP_PATTERN_DELETE_LOOP] = "delete loop",
	[MAP_PATTERN_CLEAR_REFILL] = "clear and refill",
	[MAP_PATTERN_MAKE_AGAIN] = "make again",
	[MAP_PATTERN_NO_HINT] = "grown without a hint",
};

const char *map_pattern_name(enum map_pattern pattern)
{
	return pattern_names[(unsigned int)pattern < MAP_PATTERN_NR ? pattern : 0];
}

static bool is_much_more(uint64_t bytes, uint64_t needed)
{
	return bytes / MAP_TIMES_MORE >= needed && bytes - needed >= MAP_WASTE_MIN;
}

/* How long ago; of what is yet to come, not at all. */
static uint64_t since(uint64_t ns, uint64_t now_ns)
{
	return now_ns > ns ? now_ns - ns : 0;
}

static bool retains(const struct model_map *map, const struct go_map_shape *shape, uint64_t now_ns,
		    uint64_t *needed_ret)
{
	if (!map->emptied_ns || map->emptied_site == MODEL_NO_SITE)
		return false;
	*needed_ret = go_map_bytes_for(shape, max_u64(map->fill_entries, map->emptied_entries));
	if (is_much_more(map->bytes, *needed_ret))
		return true;
	*needed_ret = go_map_bytes_for(shape, map->fill_entries);
	uint64_t wait_ns = map->fill_ns ? max_u64(MAP_WAIT_NS, map->fill_ns) : MAP_LONG_NS;
	return since(map->emptied_ns, now_ns) >= wait_ns && is_much_more(map->bytes, *needed_ret);
}

/* Thinned out before it was met: never since has it come near to what its table is for. */
static bool was_thin(const struct model_map *map, const struct go_map_shape *shape, uint64_t now_ns,
		     uint64_t *needed_ret)
{
	if (map->made_site != MODEL_NO_SITE || map->emptied_ns ||
	    since(map->first_ns, now_ns) < MAP_MET_NS)
		return false;
	*needed_ret = go_map_bytes_for(shape, map->fill_entries);
	return is_much_more(map->bytes, *needed_ret);
}

static bool is_thin(const struct model_map *map, const struct go_map_shape *shape, uint64_t now_ns,
		    uint64_t *needed_ret)
{
	if (map->deleted_site == MODEL_NO_SITE)
		return false;
	if (was_thin(map, shape, now_ns, needed_ret))
		return true;
	if (!map->thin_ns)
		return false;
	uint64_t thin_ns = since(map->thin_ns, now_ns);
	if (thin_ns < MAP_WAIT_NS)
		return false;
	/* When what it was thinned from began to be put in: 0 if that wasn't seen. */
	uint64_t began = map->emptied_ns		   ? map->emptied_ns
			 : map->made_site != MODEL_NO_SITE ? map->first_ns
							   : 0;
	bool half = began && 2 * thin_ns >= since(began, now_ns);
	if (thin_ns < MAP_LONG_NS && !half)
		return false;
	*needed_ret = go_map_bytes_for(shape, map->entries);
	return is_much_more(map->bytes, *needed_ret);
}

struct map_verdict map_judge(const struct model_map *map, const struct go_map_shape *shape,
			     uint64_t now_ns)
{
	uint64_t needed;

	/* Without the shape every need would be nothing. */
	if (!shape->unit_bytes)
		return (struct map_verdict){ MAP_USE_ALL, 0 };
	if (retains(map, shape, now_ns, &needed))
		return (struct map_verdict){ MAP_USE_RETAINS, needed };
	if (is_thin(map, shape, now_ns, &needed))
		return (struct map_verdict){ MAP_USE_THIN, needed };
	return (struct map_verdict){ MAP_USE_ALL, 0 };
}

static bool is_wasted(const struct map_idle *idle)
{
	return idle->held.bytes > idle->needed_bytes &&
	       idle->held.bytes - idle->needed_bytes >= MAP_SITE_WASTE_MIN;
}

static bool is_delete_loop(const struct model_map_counts *c)
{
	return c->drains && 2 * c->drain_loops >= c->drains &&
	       c->removed / c->drains >= MAP_ENTRIES_MIN && c->removed / 2 <= c->emptied_entries &&
	       c->emptied_entries / 2 <= c->removed;
}

static bool is_clear_refill(const struct model_map_counts *c)
{
	return c->clears && c->refills >= MAP_REFILLS_MIN && 2 * c->refills_alike >= c->refills &&
	       c->refilled_entries / c->refills >= MAP_ENTRIES_MIN &&
	       c->entries_max / MAP_TIMES_MORE <= c->refilled_entries / c->refills;
}

static bool one_has_most(const struct model_map_counts *c)
{
	return c->makes >= MAP_MAKES_MIN && c->entries_max > c->made_entries / 2;
}

static bool is_make_again(const struct map_evidence *e)
{
	const struct model_map_counts *c = &e->counts;

	return e->held_known && c->makes >= MAP_MAKES_MIN && c->made_growths >= c->makes &&
	       2 * e->held.made.maps < c->makes && !one_has_most(c);
}

static bool is_no_hint(const struct model_map_counts *c)
{
	return c->makes && c->made_growths / MAP_GROWTHS_MIN >= c->makes &&
	       c->made_grown_bytes >= MAP_SITE_WASTE_MIN && !one_has_most(c);
}

enum map_pattern map_pattern_of(const struct map_evidence *e)
{
	if (e->inside_sync)
		return MAP_PATTERN_NONE;
	if (e->range_deletes >= MAP_DELETES_MIN)
		return MAP_PATTERN_RANGE_DELETE;
	if (is_wasted(&e->held.idle_emptied))
		return MAP_PATTERN_CLEAR_RETAIN;
	if (is_wasted(&e->held.idle_thinned))
		return MAP_PATTERN_THINNED;
	if (!e->whole)
		return MAP_PATTERN_NONE;
	if (is_delete_loop(&e->counts))
		return MAP_PATTERN_DELETE_LOOP;
	if (is_clear_refill(&e->counts))
		return MAP_PATTERN_CLEAR_REFILL;
	if (is_make_again(e))
		return MAP_PATTERN_MAKE_AGAIN;
	return is_no_hint(&e->counts) ? MAP_PATTERN_NO_HINT : MAP_PATTERN_NONE;
}

uint64_t map_pattern_bytes(enum map_pattern pattern, const struct snapshot_map_site *site)
{
	switch (pattern) {
	case MAP_PATTERN_CLEAR_RETAIN:
	case MAP_PATTERN_THINNED:
		return site->idle.bytes - min_u64(site->idle_needed_bytes, site->idle.bytes);
	case MAP_PATTERN_MAKE_AGAIN:
	case MAP_PATTERN_NO_HINT:
		return site->counts.made_grown_bytes;
	default:
		return 0;
	}
}
