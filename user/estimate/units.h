/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What windows saw, put in order: cleaned of what can't be, and summed by goroutine root and by pair of root and size
 * class. How classes divide among sites is made from it, see windows.h.
 *
 * Bytes of large objects are a class of their own here, ESTIMATE_LARGE_BYTES, of hits alone. Its objects are as many as
 * the mean large one weighed by its size has: of so many of one size the bytes would be as sure.
 *
 * Rates are in objects of the time that the windows stand for: objects per second times the seconds of the slot, summed.
 */
#ifndef GALLOP_ESTIMATE_UNITS_H
#define GALLOP_ESTIMATE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "estimate/estimate.h"

enum {
	UNITS_NO_SITE = UINT32_MAX, /* of what refills tell */
	UNITS_GROUPS_MAX = 64,
	UNITS_TALLIES_MAX =
		1
		<< 18, /* groups of all pairs of a class; more if fewer than ESTIMATE_UNITS_MIN of each */
};

struct unit {
	double slot_s, refill_s, kept_s; /* 0: that stage tells nothing */
	double refilled; /* objects of classes that the runtime counts, by refills */
	double stands_for; /* objects, by hits */
	enum estimate_began began;
	uint32_t group; /* units are left out by groups, see windows.h */
};

struct observation {
	uint32_t size_class, root, unit, site;
	double objects;
	double size; /* ... that come at a time, in the mean: 1, but of bytes */
	double weight; /* what a hit stands for, see windows.h */
};

struct root {
	uint32_t id;
	double gaps_s, gaps_nr;
	double hits;
	double counted; /* by refills, of classes that the runtime counts */
	/* Of classes whose refills tell the rate, see pair_is_refilled(). */
	double refilled, seen, refills;
	double refill_dilation; /* how much slower it was in the first stage */
	/* Relative, of the former: what all roots' may be too low by together, and each on its own. */
	double refill_error, apart_error;
	double exact_dilation; /* ... in the second; 0: not known */
};

/* A goroutine root and a size class: a range of observations, sorted by unit. */
struct pair {
	uint32_t size_class;
	uint32_t root; /* index */
	size_t first, nr;
	double hits;
	double refilled; /* by refills, slowed down as the first stage is */
	double refills; /* as many, at least */
	double seen; /* by hits of the second stage, slowed down as it was */
};

struct units {
	bool two_stage; /* false: no unit has refills, all roots are one */
	double hit_s, wall_s; /* 0: not known */
	double dilation; /* 0: not known */
	double large_size; /* the unit of ESTIMATE_LARGE_BYTES; 0: there are none */
	struct unit *units;
	size_t units_nr;
	size_t groups_nr;
	/* Slots of units that have the stage, by group. */
	double refill_slots[UNITS_GROUPS_MAX], kept_slots[UNITS_GROUPS_MAX];
	double refill_slots_s, kept_slots_s;
	struct observation *observations; /* sorted by class, root, unit */
	struct observation *scratch; /* for sorting: room for as many */
	size_t observations_nr;
	struct root *roots; /* sorted by id */
	size_t roots_nr, roots_cap;
	struct pair *pairs; /* sorted by class, root */
	size_t pairs_nr, pairs_cap;
};

/* 0 or -ENOMEM. units_deinit() in any case. */
int units_init(struct units *u, const struct estimate_span *span);
void units_deinit(struct units *u);

/* NULL: it has not allocated. */
struct root *units_root(const struct units *u, uint32_t id);

/* Refills are enough to tell the rate of the pair. */
bool pair_is_refilled(const struct units *u, const struct pair *p);

#endif
