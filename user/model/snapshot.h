/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A view of the model at one moment: all that a renderer may use, already summed, cut and sorted.
 * It owns its memory and doesn't change when the model does.
 *
 * What is in the totals but in no site is shown as a site of its own, with the one frame and the
 * type SNAPSHOT_LOST, so sites, types, sizes and flat functions each add up to the total.
 */
#ifndef GALLOP_MODEL_SNAPSHOT_H
#define GALLOP_MODEL_SNAPSHOT_H

#include "model/model.h"
#include "model/snapshot_gc.h"
#include "model/snapshot_heap.h"
#include "model/snapshot_maps.h"
#include "model/snapshot_ops.h"
#include "model/snapshot_samples.h"

#define SNAPSHOT_LOST "[lost]"
/* In a sampled session: what the runtime has allocated and no sample tells the place of. */
#define SNAPSHOT_UNSAMPLED "[not sampled]"
/* The type of what only the runtime's own samples tell of: they have none. */
#define SNAPSHOT_UNTYPED "(type not sampled)"

struct snapshot_cache;

enum snapshot_value {
	SNAPSHOT_BYTES,
	SNAPSHOT_OBJECTS,
	/* Only of collapsed stacks; tables take them for bytes. */
	SNAPSHOT_ASSIST, /* ns of mark assists */
	SNAPSHOT_STW, /* ns of stops, by who asked for them */
	/* Of collapsed stacks and for sorting sites of maps; tables of allocations take them for bytes. */
	SNAPSHOT_ASSIGNS,
	SNAPSHOT_DELETES,
	SNAPSHOT_CLEARS,
	SNAPSHOT_RETAINED, /* bytes of maps that were emptied, or thinned out */
	SNAPSHOT_GROWTHS, /* rehashes are none */
	/* The same of the live heap. */
	SNAPSHOT_INUSE_BYTES,
	SNAPSHOT_INUSE_OBJECTS,
	SNAPSHOT_ALLOC_BYTES,
	SNAPSHOT_ALLOC_OBJECTS,
};

struct snapshot_opts {
	bool interval; /* only what was added since model_next_interval() */
	bool runtime_frames; /* keep the runtime's at the leaf, and runtime.goexit */
	/*
	 * Sites are places in the program: their stacks end with the first function that isn't of the standard
	 * library, and those that then look the same are one.
	 */
	bool places;
	enum snapshot_value sort; /* all tables, in descending order */
	struct snapshot_cache *cache; /* borrowed; NULL: each snapshot has all to itself */
};

struct snapshot_count {
	uint64_t objects, bytes;
};

struct snapshot_frame {
	const char *func, *file;
	uint32_t line;
	bool inlined;
};

struct snapshot_stack {
	const struct snapshot_frame *const *frames; /* leaf first */
	uint32_t frames_nr;
	bool cut; /* the root is missing */
};

/* Sites with the same shown stack, type and goroutine are one. */
struct snapshot_site {
	struct snapshot_count count;
	struct snapshot_ci95 ci95;
	const char *type;
	const struct snapshot_stack *stack;
	uint64_t goid; /* 0: not told apart */
};

struct snapshot_type {
	struct snapshot_count count;
	struct snapshot_ci95 ci95;
	const char *name;
};

struct snapshot_size {
	struct snapshot_count count;
	uint32_t size_class; /* MODEL_CLASS_*, Go's, or MODEL_CLASS_NR: lost */
	uint32_t slot_size; /* bytes; 0 for large and lost, 16 for tiny */
};

/* A function by what its own frame allocates (flat) and what is allocated below it (cum). */
struct snapshot_func {
	struct snapshot_count flat, cum;
	const char *name, *file;
};

struct snapshot_loss {
	const char *key, *what;
	uint64_t count;
};

struct snapshot {
	struct model_meta meta;
	uint64_t from_mono_ns, to_mono_ns;
	struct snapshot_count total;
	struct snapshot_site *sites;
	struct snapshot_type *types;
	struct snapshot_size *sizes;
	struct snapshot_func *funcs;
	struct snapshot_loss *losses; /* all causes, also those with count 0 */
	struct model_mark *marks;
	size_t sites_nr, types_nr, sizes_nr, funcs_nr, losses_nr, marks_nr;
	uint64_t loss_total;
	struct model_check check;
	struct snapshot_gc gc;
	struct snapshot_maps maps;
	struct snapshot_ops ops;
	struct snapshot_samples samples;
	struct snapshot_heap heap;
};

/*
 * What snapshots of a model have in common - names, frames, stacks - and share where they are made with the same cache:
 * the two spans of a moment, if all the time comes before its last interval, and those of later moments until the model
 * has a new stack. They show the same with a cache as without, and may outlive it. NULL: out of memory.
 */
struct snapshot_cache *snapshot_cache_new(void);
void snapshot_cache_free(struct snapshot_cache *cache);

/* 0 or -ENOMEM. Free with snapshot_free(). */
int snapshot_new(const struct model *m, const struct snapshot_opts *opts, struct snapshot **ret);
void snapshot_free(struct snapshot *s);

/* Do they show the same? Also frames of two snapshots. */
bool snapshot_same_frame(const struct snapshot_frame *a, const struct snapshot_frame *b);

/* What a site of maps has of a value: 0 of those that aren't of maps. */
uint64_t snapshot_map_value(const struct snapshot_map_site *site, enum snapshot_value value);

/* And a site of the live heap: bytes in use of values that aren't of it. */
uint64_t snapshot_heap_value(const struct snapshot_heap_site *site, enum snapshot_value value);

/* Are gallop's objects what the runtime counted, as far as both could be read? Unknown is no difference. */
bool snapshot_check_holds(const struct model_check *check);

/* The same for cycles and, where the runtime's own times are known, their pauses. */
bool snapshot_gc_check_holds(const struct model_gc_check *check);

/* Were makes, clears and growths of maps not looked at all the time, to keep the budget? Counts of them are least numbers then. */
bool snapshot_maps_were_off(const struct snapshot *s);

/* Nothing was lost, no check tells of a difference, and of many processes none that counts is missing in it. */
bool snapshot_is_complete(const struct snapshot *s);

#endif
