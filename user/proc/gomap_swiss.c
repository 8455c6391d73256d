/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * internal/runtime/maps.Map (Go 1.24-1.27): one group, or a directory of tables. A table that the directory has
 * several times is there in one run.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "base/u64.h"
#include "proc/gomap_priv.h"

enum {
	MAP_SEED = 8,
	MAP_DIR_PTR = 16,
	MAP_DIR_LEN = 24,
	MAP_GLOBAL_DEPTH = 32,
	TABLE_SZ = 32,
	TABLE_CAPACITY = 2, /* u16 */
	TABLE_LOCAL_DEPTH = 6, /* u8 */
	TABLE_LENGTH_MASK = 24,
	TABLE_SLOTS_MAX = 1024,
	SLOTS = 8,
	GROUP_NR =
		1 << 18, /* entries of directories that are read at a time; a map can't have more */
	DEPTH_MAX = 40,
};

/* Maps that are measured together: their directories one behind the other, and each table in it once. */
struct group {
	size_t first, end; /* looks */
	size_t len, tables_nr;
	uint64_t *dir;
	unsigned char (*tables)[TABLE_SZ];
	struct place *places;
};

static bool is_power_of_2(uint64_t n)
{
	return n && !(n & (n - 1));
}

/* Bytes of a table, or 0 if it makes none. */
static uint64_t table_bytes(const struct go_map_shape *shape, const unsigned char *table)
{
	uint64_t slots = gomap_u16(table + TABLE_CAPACITY);

	if (slots < SLOTS || slots > TABLE_SLOTS_MAX || !is_power_of_2(slots) ||
	    gomap_u16(table) > slots || gomap_u64(table + TABLE_LENGTH_MASK) != slots / SLOTS - 1)
		return 0;
	return go_map_table_bytes(shape, slots / SLOTS);
}

static bool header_is_sane(const struct gomap_look *l)
{
	uint64_t used = gomap_u64(l->header);
	uint64_t dir = gomap_u64(l->header + MAP_DIR_PTR), len = gomap_u64(l->header + MAP_DIR_LEN);
	uint8_t depth = l->header[MAP_GLOBAL_DEPTH];

	if (l->map->shape.unit_bytes == 0 || dir % 8)
		return false;
	if (len == 0)
		return used <= (dir ? SLOTS : 0);
	return dir && depth < DEPTH_MAX && len == (uint64_t)1 << depth &&
	       used <= len * TABLE_SLOTS_MAX;
}

static uint64_t dir_len(const struct gomap_look *l)
{
	return l->map ? gomap_u64(l->header + MAP_DIR_LEN) : 0;
}

static void give_up(struct gomap_look *l)
{
	l->map->seed = l->map->entries = l->map->bytes = 0;
	l->map = NULL;
}

/* What the header tells, which is all for a map of one group. */
static void look_at_header(struct gomap_batch *b, struct gomap_look *l)
{
	uint64_t len = dir_len(l);

	if (!header_is_sane(l)) {
		give_up(l);
		return;
	}
	l->map->seed = gomap_u64(l->header + MAP_SEED);
	l->map->entries = gomap_u64(l->header);
	if (len == 0) {
		bool group = gomap_u64(l->header + MAP_DIR_PTR) && l->on_heap;
		l->map->bytes = group ? go_map_groups_bytes(&l->map->shape, 1) : 0;
		return;
	}
	if (len > b->tables_left || len > GROUP_NR) {
		l->map->left_out = true;
		give_up(l);
		return;
	}
	b->tables_left -= len;
	l->map->bytes = go_map_directory_bytes(&l->map->shape, len);
}

/* The next maps whose directories fit. */
static void group_begin(struct group *g, const struct gomap_batch *b, size_t first)
{
	g->first = g->end = first;
	g->len = g->tables_nr = 0;
	while (g->end < b->nr && g->len + dir_len(&b->looks[g->end]) <= GROUP_NR)
		g->len += dir_len(&b->looks[g->end++]);
}

static int read_directories(struct group *g, struct gomap_batch *b)
{
	uint64_t *dir = g->dir;
	size_t nr = g->end - g->first;

	for (size_t i = 0; i < nr; i++) {
		struct gomap_look *l = &b->looks[g->first + i];
		uint64_t len = dir_len(l);
		uint64_t addr = len ? gomap_u64(l->header + MAP_DIR_PTR) : 0;
		b->places[i] = (struct place){ addr, dir, len * sizeof(*dir), false };
		l->dir = dir;
		dir += len;
	}
	int code = places_read(b->r->heap.proc, b->places, nr, &b->faults_left);
	for (size_t i = 0; code == 0 && i < nr; i++)
		if (b->places[i].addr && !b->places[i].ok)
			give_up(&b->looks[g->first + i]);
	return code;
}

static int read_tables(struct group *g, struct gomap_batch *b)
{
	for (size_t i = g->first; i < g->end; i++) {
		const struct gomap_look *l = &b->looks[i];
		for (uint64_t e = 0; e < dir_len(l); e++) {
			if (e > 0 && l->dir[e] == l->dir[e - 1])
				continue;
			g->places[g->tables_nr] = (struct place){ l->dir[e],
								  g->tables[g->tables_nr], TABLE_SZ,
								  false };
			g->tables_nr++;
		}
	}
	return places_read(b->r->heap.proc, g->places, g->tables_nr, &b->faults_left);
}

/* Add up a map's tables, from *t on; they and the directory must agree on how often it has each. */
static bool add_tables(const struct group *g, struct gomap_look *l, size_t *t)
{
	uint64_t len = dir_len(l);
	uint8_t depth = l->header[MAP_GLOBAL_DEPTH];
	const uint64_t *dir = l->dir;
	bool sane = true;

	for (uint64_t e = 0, next; e < len; e = next, ++*t) {
		for (next = e + 1; next < len && dir[next] == dir[e];)
			next++;
		const unsigned char *table = g->tables[*t];
		uint64_t bytes = g->places[*t].ok ? table_bytes(&l->map->shape, table) : 0;
		if (!bytes || table[TABLE_LOCAL_DEPTH] > depth ||
		    next - e != (uint64_t)1 << (depth - table[TABLE_LOCAL_DEPTH]))
			sane = false;
		l->map->bytes += bytes;
	}
	return sane;
}

static int measure_group(struct group *g, struct gomap_batch *b)
{
	int code = read_directories(g, b);
	if (code == 0)
		code = read_tables(g, b);
	if (code < 0)
		return code;

	size_t t = 0;
	for (size_t i = g->first; i < g->end; i++)
		if (b->looks[i].map && !add_tables(g, &b->looks[i], &t))
			give_up(&b->looks[i]);
	return 0;
}

static void group_deinit(struct group *g)
{
	free(g->dir);
	free(g->tables);
	free(g->places);
}

int gomap_swiss(struct gomap_batch *b)
{
	for (size_t i = 0; i < b->nr; i++)
		if (b->looks[i].map)
			look_at_header(b, &b->looks[i]);

	for (size_t first = 0; first < b->nr;) {
		_cleanup_(group_deinit) struct group g = { 0 };
		group_begin(&g, b, first);
		first = g.end;
		if (g.len == 0)
			continue;
		g.dir = calloc(g.len, sizeof(*g.dir));
		g.tables = calloc(g.len, sizeof(*g.tables));
		g.places = calloc(g.len, sizeof(*g.places));
		int code = g.dir && g.tables && g.places ? measure_group(&g, b) : -ENOMEM;
		if (code < 0)
			return code;
	}
	return 0;
}
