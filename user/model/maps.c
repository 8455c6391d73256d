/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sites of maps and single maps on their way into the model.
 *
 * What comes from a target may be anything, so every number is bounded here, once: whatever is in the
 * model can be added, written to a recording and shown.
 */
#include "model/maps.h"

#include <assert.h>
#include <string.h>

#include "base/u64.h"
#include "model/gc_tables.h"
#include "model/map_judge.h"
#include "model/map_tables.h"
#include "model/snapshot.h"

static void add_all(uint64_t *to, const uint64_t *n, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		to[i] = sum_u63(to[i], n[i]);
}

static bool all_zero(const uint64_t *n, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (n[i])
			return false;
	return true;
}

void map_counts_add(struct model_map_counts *to, const struct model_map_counts *n)
{
	add_all(map_counts_v(to), map_counts_cv(n), MAP_SUMS_NR);
	to->entries_max = min_u64(max_u64(to->entries_max, n->entries_max), INT64_MAX);
}

bool map_counts_is_zero(const struct model_map_counts *counts)
{
	return all_zero(map_counts_cv(counts), MAP_SUMS_NR);
}

void map_held_add(struct map_held *to, const struct map_held *n)
{
	add_all(map_held_v(to), map_held_cv(n), MAP_HELD_NR);
}

bool map_held_is_zero(const struct map_held *held)
{
	return all_zero(map_held_cv(held), MAP_HELD_NR);
}

uint64_t map_counts_operations(const struct model_map_counts *c)
{
	return sum_u63(sum_u63(c->assigns, c->deletes), sum_u63(c->clears, c->makes));
}

struct model_map_counts map_site_delta(const struct map_site *site)
{
	struct model_map_counts delta = site->now;
	uint64_t *v = map_counts_v(&delta);

	for (size_t i = 0; i < MAP_SUMS_NR; i++)
		v[i] -= map_counts_cv(&site->base)[i];
	return delta;
}

uint64_t maps_operations(const struct model_maps *maps)
{
	struct model_map_counts sum = { 0 };

	for (size_t i = 0; i < maps->sites.nr; i++)
		map_counts_add(&sum, &maps->sites.rows[i]->now);
	return map_counts_operations(&sum);
}

static struct map_type *find_type(const struct model_maps *maps, uint32_t type)
{
	struct map_type *found;

	HASH_FIND(hh, maps->types.hash, &type, sizeof(type), found);
	return found;
}

static int64_t intern_type(struct model *m, uint32_t type, const struct go_map_shape *shape)
{
	const struct map_type *found = find_type(m->maps, type);
	if (found)
		return found->id;

	int rc = table_reserve(m, m->maps->types, sizeof(struct map_type));
	if (rc)
		return rc;
	_cleanup_free_ struct map_type *row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->type = type;
	row->shape = *shape;
	return table_add(m->maps->types, row, &row->type, sizeof(row->type));
}

/* What a site takes beside its row: it is shown, and its stack may be shown in one more form. */
static size_t shown_sz(const struct model *m, uint32_t stack)
{
	size_t frames_nr = m->stacks.rows[stack]->frames_nr;

	/* A site is shown, and sorted aside; so is what it was picked by. */
	return 2 * sizeof(struct snapshot_map_site) + 6 * sizeof(uint64_t) +
	       sizeof(struct snapshot_stack) + frames_nr * sizeof(struct snapshot_frame *);
}

int64_t model_map_site(struct model *m, uint32_t stack, uint32_t type,
		       const struct go_map_shape *shape)
{
	if (stack >= m->stacks.nr || type >= m->types.nr)
		return -EINVAL;

	struct map_site_key key = { stack, type };
	struct map_site *found;
	HASH_FIND(hh, m->maps->sites.hash, &key, sizeof(key), found);
	if (found)
		return found->id;

	int64_t type_id = intern_type(m, type, shape);
	if (type_id < 0)
		return type_id;
	int rc = table_reserve(m, m->maps->sites, sizeof(struct map_site) + shown_sz(m, stack));
	if (rc)
		return rc;
	_cleanup_free_ struct map_site *row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->key = key;
	row->shape = m->maps->types.rows[type_id]->shape;
	m->maps->known = true;
	return table_add(m->maps->sites, row, &row->key, sizeof(row->key));
}

void model_map_site_set(struct model *m, uint32_t site, const struct model_map_counts *counts)
{
	assert(site < m->maps->sites.nr);
	uint64_t *now = map_counts_v(&m->maps->sites.rows[site]->now);
	const uint64_t *n = map_counts_cv(counts);

	for (size_t i = 0; i < MAP_COUNTS_NR; i++)
		now[i] = max_u64(now[i], min_u64(n[i], INT64_MAX));
}

void model_maps_counted(struct model *m, bool every_operation)
{
	m->maps->known = true;
	m->maps->every_operation = every_operation;
}

void maps_set_held(struct model *m, uint64_t mono_ns, struct snapshot_map_held held)
{
	struct model_maps *maps = m->maps;

	maps->known = maps->held_known = true;
	maps->held_mono_ns = min_u64(mono_ns, GC_TIME_MAX);
	maps->held = held;
}

void maps_set_site_held(struct model *m, uint32_t site, const struct map_held *held)
{
	m->maps->sites.rows[site]->held = *held;
}

void model_maps_begin(struct model *m, uint64_t mono_ns)
{
	struct model_maps *maps = m->maps;

	maps_set_held(m, mono_ns, (struct snapshot_map_held){ 0 });
	maps->is_new = true;
	maps->list_nr = 0;
	for (size_t i = 0; i < maps->sites.nr; i++)
		maps->sites.rows[i]->held = (struct map_held){ 0 };
}

static struct model_map bounded(const struct model_maps *maps, const struct model_map *raw)
{
	struct model_map map = *raw;
	uint32_t *const sites[] = { &map.made_site, &map.emptied_site, &map.deleted_site };
	uint64_t *const numbers[] = { &map.entries, &map.bytes, &map.entries_max, &map.fill_entries,
				      &map.emptied_entries };
	uint64_t *const times[] = { &map.fill_ns, &map.first_ns, &map.last_ns, &map.emptied_ns,
				    &map.thin_ns };

	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++)
		if (*sites[i] >= maps->sites.nr)
			*sites[i] = MODEL_NO_SITE;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		*numbers[i] = min_u64(*numbers[i], INT64_MAX);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		*times[i] = min_u64(*times[i], GC_TIME_MAX);
	return map;
}

int map_size_cmp(const struct model_map *x, const struct model_map *y)
{
	int d = cmp_u64(y->bytes, x->bytes);

	return d ? d : cmp_u64(x->addr, y->addr);
}

/* From place i down, to where all below has more bytes. */
static void sift_down(struct model_map *heap, size_t nr, size_t i, const struct model_map *map)
{
	for (size_t child; (child = 2 * i + 1) < nr; i = child) {
		if (child + 1 < nr && map_size_cmp(&heap[child + 1], &heap[child]) > 0)
			child++;
		if (map_size_cmp(map, &heap[child]) >= 0)
			break;
		heap[i] = heap[child];
	}
	heap[i] = *map;
}

static void sift_up(struct model_map *heap, size_t i, const struct model_map *map)
{
	for (; i && map_size_cmp(map, &heap[(i - 1) / 2]) > 0; i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = *map;
}

static void list_add(struct model_maps *maps, const struct model_map *map)
{
	if (maps->list_nr < MODEL_MAPS_LISTED)
		sift_up(maps->list, maps->list_nr++, map);
	else if (map_size_cmp(map, &maps->list[0]) < 0)
		sift_down(maps->list, maps->list_nr, 0, map);
}

int maps_list(struct model *m, const struct model_map *raw)
{
	if (raw->type >= m->types.nr)
		return -EINVAL;
	const struct model_map map = bounded(m->maps, raw);
	list_add(m->maps, &map);
	return 0;
}

static void held_add(struct snapshot_map_held *to, uint64_t bytes)
{
	to->maps = sum_u63(to->maps, 1);
	to->bytes = sum_u63(to->bytes, bytes);
}

static void idle_add(struct map_idle *to, uint64_t bytes, uint64_t needed)
{
	held_add(&to->held, bytes);
	to->needed_bytes = sum_u63(to->needed_bytes, needed);
}

/* Where a map was emptied, or else thinned, but not both: what it holds is held once. */
static void add_to_sites(struct model_maps *maps, const struct model_map *map)
{
	static const struct go_map_shape unknown = { .unit_bytes = 0 };
	const struct map_type *type = find_type(maps, map->type);
	struct map_verdict v = map_judge(map, type ? &type->shape : &unknown, maps->held_mono_ns);

	if (map->made_site != MODEL_NO_SITE)
		held_add(&maps->sites.rows[map->made_site]->held.made, map->bytes);
	if (v.use == MAP_USE_THIN) {
		struct map_held *held = &maps->sites.rows[map->deleted_site]->held;
		held_add(&held->thinned, map->bytes);
		idle_add(&held->idle_thinned, map->bytes, v.needed_bytes);
	} else if (map->emptied_site != MODEL_NO_SITE) {
		struct map_held *held = &maps->sites.rows[map->emptied_site]->held;
		held_add(&held->emptied, map->bytes);
		if (v.use == MAP_USE_RETAINS)
			idle_add(&held->idle_emptied, map->bytes, v.needed_bytes);
	}
}

int model_map_add(struct model *m, const struct model_map *raw)
{
	if (raw->type >= m->types.nr)
		return -EINVAL;
	const struct model_map map = bounded(m->maps, raw);
	held_add(&m->maps->held, map.bytes);
	add_to_sites(m->maps, &map);
	list_add(m->maps, &map);
	return 0;
}

void maps_next_interval(struct model_maps *maps)
{
	for (size_t i = 0; i < maps->sites.nr; i++) {
		struct map_site *site = maps->sites.rows[i];
		site->base = site->now;
		site->held_base = site->held;
	}
	maps->is_new = false;
}

void maps_deinit(struct model_maps *maps)
{
	table_free(maps->sites);
	table_free(maps->types);
}
