/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is said of maps, decided from numbers alone: of a single map whether it holds much more than it
 * needs, of a site which pattern it shows. What is in doubt is not said.
 */
#ifndef GALLOP_MODEL_MAP_JUDGE_H
#define GALLOP_MODEL_MAP_JUDGE_H

#include "model/map_tables.h"

#define MAP_WAIT_NS UINT64_C(2000000000) /* before anything is called a waste */
#define MAP_MET_NS UINT64_C(10000000000) /* of a map that was filled before it was met */
#define MAP_LONG_NS UINT64_C(60000000000) /* thin for so long is long, whatever was before */

enum {
	MAP_TIMES_MORE = 4, /* than needed is much; less may be the next doubling, or a busy hour */
	MAP_WASTE_MIN = 16 << 10, /* bytes of one map that are worth a word */
	MAP_SITE_WASTE_MIN = 64 << 10, /* bytes of all maps of a site */
	MAP_ENTRIES_MIN = 8, /* on average: up to a full group or bucket it makes no difference */
	MAP_DELETES_MIN = 8, /* inside of Range */
	MAP_REFILLS_MIN = 2,
	MAP_MAKES_MIN = 3, /* over and over */
	MAP_GROWTHS_MIN = 3, /* of a map without a hint, on average */
};

enum map_use {
	MAP_USE_ALL, /* nothing to say */
	MAP_USE_RETAINS, /* where it was last emptied */
	MAP_USE_THIN, /* where it was last deleted from */
};

struct map_verdict {
	enum map_use use;
	uint64_t needed_bytes; /* 0 with MAP_USE_ALL */
};

/*
 * A map that was emptied retains if it holds MAP_TIMES_MORE of what both the filling before and the one
 * since needed; or of what the filling since needs, once that has had as long as the filling before took,
 * and MAP_WAIT_NS at least, or MAP_LONG_NS where that isn't known. So a cache that is purged and refilled is none
 * while it refills.
 *
 * A map is thin if deletes have left it a quarter of its entries or less, for MAP_LONG_NS or, where its making or
 * last emptying was seen, half of the time since then (MAP_WAIT_NS at least), and it holds MAP_TIMES_MORE of what
 * its entries need. So a map that goes up and down is none.
 *
 * One that was made before it was met, and is deleted from, may have been thinned out before: it is thin if in
 * MAP_MET_NS or more it has not come near to what its table is for.
 *
 * One that retains is not thin as well. Both must hold MAP_WASTE_MIN more than is needed, and where it
 * happened must be known, else nobody could be told.
 */
struct map_verdict map_judge(const struct model_map *map, const struct go_map_shape *shape,
			     uint64_t now_ns);

/* The numbers of a site that its pattern is decided by. */
struct map_evidence {
	struct model_map_counts counts;
	struct map_held held;
	bool held_known;
	bool whole; /* counts are since counting began: in a part, sums are of other maps than their makes or drains */
	uint64_t range_deletes; /* of a sync.Map, called by what Range called */
	bool inside_sync; /* a map that a sync.Map has inside: nobody can do anything about it */
};

/*
 * The first of these that the numbers bear:
 * RANGE_DELETE: MAP_DELETES_MIN deletes inside of Range. A purge of what is old looks the same from outside.
 * CLEAR_RETAIN, THINNED: maps that hold much more than they need, MAP_SITE_WASTE_MIN in all.
 * The others only where the counts are since counting began:
 * DELETE_LOOP: most drains are by one range loop each, a drain took out MAP_ENTRIES_MIN here on average, and what
 *   was removed here is about what the maps had at their largest (half to twice as much). A map whose entries come and go, and that is
 *   empty now and then, has seen many more; one that several places empty, less at each.
 * CLEAR_REFILL: cleared, and filled again to a like size in at least half of MAP_REFILLS_MIN or more times,
 *   with MAP_ENTRIES_MIN on average, and none was much larger (MAP_TIMES_MORE): that one's table would be kept.
 * MAKE_AGAIN: made MAP_MAKES_MIN times, each growing on average, and most of them are gone: only where what
 *   is there is known. Of maps that the collector has not come to yet that is not known.
 * NO_HINT: each made map grew MAP_GROWTHS_MIN times on average, MAP_SITE_WASTE_MIN left behind in all.
 * For both, no map may have more than half of all entries once there are MAP_MAKES_MIN: a hint for that one
 * would be too much for all others.
 */
enum map_pattern map_pattern_of(const struct map_evidence *e);

/*
 * What acting on the pattern would save, or for CLEAR_REFILL nothing; 0 also where it isn't bytes that are
 * saved, but calls.
 */
uint64_t map_pattern_bytes(enum map_pattern pattern, const struct snapshot_map_site *site);

#endif
