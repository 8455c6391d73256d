/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps in the model: what happens to them, by call stack and type, and what those that are there hold.
 *
 * A site is a stack and a map type. What happens at a site is counted since the model began and only
 * grows. What maps hold is a state: it is set anew each time the process's memory was looked at.
 */
#ifndef GALLOP_MODEL_MAPS_H
#define GALLOP_MODEL_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "gobin/maptable.h"

struct model;

enum {
	MODEL_NO_SITE = 0xffffffff,
	MODEL_MAPS_LISTED = 256, /* single maps that are kept: the largest */
};

struct model_map_counts {
	uint64_t makes;
	uint64_t assigns, deletes, clears; /* calls, whether they changed anything or not */
	uint64_t removed; /* entries that clears and deletes here took out */
	/* Deletes whose effect was never seen, as their map was gone: each may have removed one more, and drained. */
	uint64_t unsettled;
	/* A map of two entries or more, emptied by deletes with no assignment in between; here was the last. */
	uint64_t drains;
	/* Those in which one range loop over the map took out all that it met. */
	uint64_t drain_loops;
	uint64_t growths; /* of tables to a larger size, splits of a table included */
	uint64_t rehashes; /* of tables to the same size, to get rid of what deletes leave behind */
	/* Of the tables that growths and rehashes here left to the collector. */
	uint64_t grown_bytes;
	/* Of clears and drains here that took out entries: */
	uint64_t emptied;
	uint64_t emptied_entries; /* the sum of the largest sizes since the emptying before */
	/* Of those, the ones whose next filling is over, or has already come to half of that size: */
	uint64_t refills;
	uint64_t refills_alike; /* came to half of that size, or more */
	uint64_t refilled_entries; /* the sum of the largest sizes */
	/* Of maps made here, up to now: */
	uint64_t made_entries; /* the sum of their largest sizes */
	uint64_t made_growths, made_grown_bytes;
	/* Not a sum: the largest size of a map seen here, or of one made here. */
	uint64_t entries_max;
};

/* One map that the runtime hasn't freed, as it was found in memory. */
struct model_map {
	uint64_t addr; /* of runtime.hmap or maps.Map in the process */
	uint32_t type;
	/* MODEL_NO_SITE: it was made before we looked, or on a goroutine's stack. */
	uint32_t made_site;
	uint32_t emptied_site; /* where it was last cleared or drained; or: not seen */
	/* Where it was last deleted from, since it was last emptied; or: not seen. */
	uint32_t deleted_site;
	uint64_t entries;
	/* That it holds: header, buckets or tables, directory; not what they point to. */
	uint64_t bytes;
	uint64_t entries_max; /* since it was first seen */
	uint64_t fill_entries; /* the largest size since it was last emptied, or first seen */
	uint64_t emptied_entries; /* the largest size before it was last emptied */
	/* From the emptying before, or its making, to the last one; 0: neither was seen. */
	uint64_t fill_ns;
	uint64_t first_ns, last_ns; /* when it was first and last used */
	uint64_t emptied_ns; /* when it was last emptied; 0: not seen */
	/* Since when deletes have left it a quarter of fill_entries or less; 0: they have not. */
	uint64_t thin_ns;
};

/* A site: id, -ENOMEM or -E2BIG. Of the shape of the first call for a type. */
int64_t model_map_site(struct model *m, uint32_t stack, uint32_t type,
		       const struct go_map_shape *shape);

/* Counts since the model began. A member that is smaller than it was leaves what was. */
void model_map_site_set(struct model *m, uint32_t site, const struct model_map_counts *counts);

/*
 * Begin anew with what maps hold at mono_ns, then add each map that is there. 0, or -EINVAL: no such type.
 * Until the first begin nothing is known, and nothing is shown.
 */
void model_maps_begin(struct model *m, uint64_t mono_ns);
int model_map_add(struct model *m, const struct model_map *map);

/* Assignments and deletions are counted; without it only what is rare is (a cheaper mode): shown as not known. */
void model_maps_counted(struct model *m, bool every_operation);

#endif
