/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a snapshot has of maps: sites with their pattern and the numbers behind it, and the largest
 * single maps.
 *
 * Sites with the same shown stack and type are one. A pattern is only told when the numbers bear it.
 */
#ifndef GALLOP_MODEL_SNAPSHOT_MAPS_H
#define GALLOP_MODEL_SNAPSHOT_MAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/maps.h"

struct snapshot_stack;

/* In the order of precedence. */
enum map_pattern {
	MAP_PATTERN_NONE = 0, /* nothing to say */
	MAP_PATTERN_RANGE_DELETE = 1, /* sync.Map: Range with Delete in its callback */
	MAP_PATTERN_CLEAR_RETAIN =
		2, /* emptied, and the table is much larger than what is put in later */
	MAP_PATTERN_THINNED = 3, /* deletes leave much more table than entries, for long */
	MAP_PATTERN_DELETE_LOOP = 4, /* emptied by deletes */
	MAP_PATTERN_CLEAR_REFILL = 5, /* emptied by clear, then filled to a like size: good */
	MAP_PATTERN_MAKE_AGAIN = 6, /* made over and over, growing each time */
	MAP_PATTERN_NO_HINT = 7, /* grown after it was made */
	MAP_PATTERN_NR = 8,
};

/* "clear and retain", "delete loop", ...; "" for none. */
const char *map_pattern_name(enum map_pattern pattern);

/* Maps that are there, of a site. */
struct snapshot_map_held {
	uint64_t maps, bytes;
};

/*
 * Calls as windows let them be estimated; half-width of the 95 % interval: NAN if there are too few windows. Or only how many
 * there were at least, with NAN: where windows slow their goroutines down by more than can be told.
 */
struct snapshot_map_estimate {
	uint64_t calls;
	double ci95;
	bool at_least;
};

struct snapshot_map_site {
	const char *type;
	const struct snapshot_stack *stack;
	struct go_map_shape shape;
	struct model_map_counts counts;
	/* Not in counts, which are exact; what isn't of windows is 0. */
	struct snapshot_map_estimate assigns, deletes;
	struct snapshot_map_held made; /* made here */
	struct snapshot_map_held emptied; /* last emptied here, and not thinned since */
	struct snapshot_map_held thinned; /* last deleted from here, and thin for long */
	/* Of emptied and thinned: those that hold much more than they need, and what that would be. */
	struct snapshot_map_held idle;
	uint64_t idle_needed_bytes;
	uint64_t retained_bytes; /* emptied.bytes + thinned.bytes */
	enum map_pattern pattern;
};

struct snapshot_map {
	struct model_map raw; /* but for its sites, which are the stacks: */
	const char *type;
	const struct snapshot_stack *made, *emptied, *deleted; /* NULL: not seen */
};

struct snapshot_maps {
	bool known; /* maps were looked at; else all is empty */
	bool every_operation; /* assigns, deletes, drains and what was removed are counted */
	bool operations_sampled; /* sites have estimates of assigns and deletes; there is no more of those */
	bool held_known; /* the process's memory was looked at, at held_mono_ns */
	uint64_t held_mono_ns;
	struct model_map_counts total; /* of all sites */
	struct snapshot_map_held held; /* all maps that were seen and are there, of whatever site */
	struct snapshot_map_site *sites;
	struct snapshot_map *list; /* the largest maps, most bytes first */
	size_t sites_nr, list_nr;
};

#endif
