/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts are summed up over the span. What maps hold is a state: that of the span's end is wanted, which is the
 * last one that was written before it. The single maps are there only as of the recording's end.
 */
#include "record/read_maps.h"

#include "model/map_tables.h"

static int read_watch(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	uint64_t every_operation = 0;
	(void)idx;

	int code = col_u64(r, row, 1, 1, &every_operation);
	if (!code)
		model_maps_counted(r->m, every_operation);
	return code;
}

static int read_map_site(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct go_map_shape shape = { .unit_bytes = 0 };
	bool *const flags[] = { &shape.swiss, &shape.noscan, &shape.malloc_headers,
				&shape.load_six };
	uint32_t stack = 0, type = 0;
	uint64_t unit_bytes = 0;
	(void)idx;

	int code = col_ref(r, row, 1, &r->stacks, &stack);
	if (!code)
		code = col_ref(r, row, 2, &r->types, &type);
	for (int i = 0; !code && i < 4; i++)
		code = col_bool(r, row, 3 + i, flags[i]);
	if (!code)
		code = col_u64(r, row, 7, UINT32_MAX, &unit_bytes);
	if (code)
		return code;
	shape.unit_bytes = (uint32_t)unit_bytes;
	return map_add(r, &r->map_sites, model_map_site(r->m, stack, type, &shape));
}

static int check_ids(struct reader *r, uint64_t interval, uint64_t site)
{
	if (interval >= r->intervals_nr || site >= r->map_sites.nr)
		return reader_damaged(r, "a row refers to one that is not there");
	return 0;
}

static int read_op(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct model_map_counts n = { 0 };
	uint64_t ids[2];

	int code = reader_ids(r, row, idx, ids, 2);
	if (!code)
		code = check_ids(r, ids[0], ids[1]);
	if (!code)
		code = col_counts(r, row, 2, map_counts_v(&n), MAP_COUNTS_NR);
	if (!code && ids[0] >= r->first && ids[0] < r->end)
		map_counts_add(&r->m->maps->sites.rows[r->map_sites.v[ids[1]]]->now, &n);
	return code;
}

static int read_look(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct snapshot_map_held held = { 0 };
	uint64_t interval = 0, ns = 0;
	(void)idx;

	int code = col_u64(r, row, 0, INT64_MAX, &interval);
	if (!code)
		code = col_u64(r, row, 1, TIME_MAX, &ns);
	if (!code)
		code = col_counts(r, row, 2, &held.maps, 1);
	if (!code)
		code = col_counts(r, row, 3, &held.bytes, 1);
	if (code)
		return code;
	if (interval >= r->intervals_nr)
		return reader_damaged(r, "a row refers to one that is not there");
	if (interval < r->end)
		maps_set_held(r->m, ns, held);
	return 0;
}

static int read_held(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct map_held held = { 0 };
	uint64_t ids[2];

	int code = reader_ids(r, row, idx, ids, 2);
	if (!code)
		code = check_ids(r, ids[1], ids[0]);
	if (!code)
		code = col_counts(r, row, 2, map_held_v(&held), MAP_HELD_NR);
	if (code || ids[1] >= r->end)
		return code;
	if (!r->m->maps->held_known)
		return reader_damaged(r, "maps are there, but were not looked at");
	maps_set_site_held(r->m, r->map_sites.v[ids[0]], &held);
	return 0;
}

/* A reference that may be missing. */
static int col_site(struct reader *r, sqlite3_stmt *row, int col, uint32_t *ret)
{
	*ret = MODEL_NO_SITE;
	if (sqlite3_column_type(row, col) == SQLITE_NULL)
		return 0;
	return col_ref(r, row, col, &r->map_sites, ret);
}

static int read_largest(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct model_map map = { 0 };
	uint32_t *const sites[] = { &map.made_site, &map.emptied_site, &map.deleted_site };
	uint64_t *const numbers[] = {
		&map.entries,	      &map.bytes,   &map.entries_max, &map.fill_entries,
		&map.emptied_entries, &map.fill_ns, &map.first_ns,    &map.last_ns,
		&map.emptied_ns,      &map.thin_ns,
	};

	if (idx >= MODEL_MAPS_LISTED)
		return reader_damaged(r, "table 'map_largest' is too long");
	int code = col_word(r, row, 1, &map.addr);
	if (!code)
		code = col_ref(r, row, 2, &r->types, &map.type);
	for (int i = 0; !code && i < 3; i++)
		code = col_site(r, row, 3 + i, sites[i]);
	for (int i = 0; !code && i < 10; i++)
		code = col_counts(r, row, 6 + i, numbers[i], 1);
	if (code || r->end != r->intervals_nr)
		return code;
	if (!r->m->maps->held_known)
		return reader_damaged(r, "maps are there, but were not looked at");
	return reader_interned(r, maps_list(r->m, &map));
}

const struct reader_query map_queries[] = {
	{ "SELECT id, every_operation FROM map_watch ORDER BY id LIMIT 1", read_watch, true },
	{ "SELECT id, stack, type, swiss, noscan, malloc_headers, load_six, unit_bytes "
	  "FROM map_site ORDER BY id",
	  read_map_site, true },
	{ "SELECT interval, site, makes, assigns, deletes, clears, removed, unsettled, drains, "
	  "drain_loops, "
	  "growths, rehashes, grown_bytes, emptied, emptied_entries, refills, "
	  "refills_alike, refilled_entries, made_entries, made_growths, "
	  "made_grown_bytes, entries_max FROM map_op ORDER BY interval, site",
	  read_op, false },
	{ "SELECT interval, ns, maps, bytes FROM map_look ORDER BY interval", read_look, false },
	{ "SELECT site, interval, made_maps, made_bytes, emptied_maps, "
	  "emptied_bytes, thinned_maps, thinned_bytes, idle_emptied_maps, "
	  "idle_emptied_bytes, idle_emptied_needed, idle_thinned_maps, "
	  "idle_thinned_bytes, idle_thinned_needed"
	  " FROM map_held ORDER BY site, interval",
	  read_held, false },
	{ "SELECT id, address, type, made_site, emptied_site, deleted_site, entries, "
	  "bytes, entries_max, fill_entries, emptied_entries, fill_ns, first_ns, "
	  "last_ns, emptied_ns, thin_ns FROM map_largest ORDER BY id",
	  read_largest, true },
	{ .sql = NULL },
};
