/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model has bounded all of these numbers, so they fit the file's signed ones as they are. Counts and sums
 * of what is held are rows of many like numbers, in the order of their structs.
 */
#include "record/rows_maps.h"

#include <string.h>

#include "model/map_tables.h"
#include "record/put.h"

#define SITE(id) REF(id, MODEL_NO_SITE)

int rows_put_map_sites(struct rows *r, const struct model *m)
{
	for (size_t *i = &r->done.map_sites; *i < m->maps->sites.nr; ++*i) {
		const struct map_site *site = m->maps->sites.rows[*i];
		const struct go_map_shape *shape = &site->shape;
		int rc = put(r, ROWS_MAP_SITE, NUM(*i), NUM(site->key.stack), NUM(site->key.type),
			     NUM(shape->swiss), NUM(shape->noscan), NUM(shape->malloc_headers),
			     NUM(shape->load_six), NUM(shape->unit_bytes));
		if (rc)
			return rc;
	}
	return SQLITE_OK;
}

/* The largest size may have grown where no operation was counted: it is found when memory is looked at. */
static int put_op(struct rows *r, const struct map_site *site, size_t interval)
{
	const struct model_map_counts n = map_site_delta(site);

	if (map_counts_is_zero(&n) && site->now.entries_max == site->base.entries_max)
		return SQLITE_OK;
	return rows_put_counts(r, ROWS_MAP_OP, (const uint64_t[]){ interval, site->id },
			       map_counts_cv(&n), MAP_COUNTS_NR);
}

static int put_held(struct rows *r, const struct map_site *site, size_t interval)
{
	if (memcmp(&site->held, &site->held_base, sizeof(site->held)) == 0)
		return SQLITE_OK;
	return rows_put_counts(r, ROWS_MAP_HELD, (const uint64_t[]){ site->id, interval },
			       map_held_cv(&site->held), MAP_HELD_NR);
}

static int put_largest(struct rows *r, const struct model_maps *maps)
{
	int rc = rows_put_cells(r->stmts[ROWS_MAPS_FORGET], NULL, 0);

	for (size_t i = 0; !rc && i < maps->list_nr; i++) {
		const struct model_map *map = &maps->list[i];
		rc = put(r, ROWS_MAP_LARGEST, NUM(i), NUM(map->addr), NUM(map->type),
			 SITE(map->made_site), SITE(map->emptied_site), SITE(map->deleted_site),
			 NUM(map->entries), NUM(map->bytes), NUM(map->entries_max),
			 NUM(map->fill_entries), NUM(map->emptied_entries), NUM(map->fill_ns),
			 NUM(map->first_ns), NUM(map->last_ns), NUM(map->emptied_ns),
			 NUM(map->thin_ns));
	}
	return rc;
}

int rows_put_maps(struct rows *r, const struct model *m, size_t interval)
{
	const struct model_maps *maps = m->maps;
	int rc = SQLITE_OK;

	for (size_t i = 0; !rc && i < maps->sites.nr; i++) {
		rc = put_op(r, maps->sites.rows[i], interval);
		if (!rc)
			rc = put_held(r, maps->sites.rows[i], interval);
	}
	if (rc || !maps->is_new)
		return rc;
	rc = put(r, ROWS_MAP_LOOK, NUM(interval), NUM(maps->held_mono_ns), NUM(maps->held.maps),
		 NUM(maps->held.bytes));
	return rc ? rc : put_largest(r, maps);
}

int rows_put_map_watch(struct rows *r, const struct model *m)
{
	return m->maps->known ? put(r, ROWS_MAP_WATCH, NUM(m->maps->every_operation)) : SQLITE_OK;
}
