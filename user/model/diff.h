/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What has changed from one snapshot to another: of the same program before and after a change, of two of its
 * versions, or of two programs.
 *
 * Pure: from two snapshots to rows of both. What grows with time is divided by the time that each covers, or by
 * the calls of a function, so that recordings of different lengths compare; what is a state (in use, retained) is
 * taken as it is.
 *
 * Places are matched by what is shown of them: the functions of their stacks and the type. Lines only tell apart
 * what has the same functions and type, as they move from one version of a program to the next:
 *  - of one build lines are places;
 *  - else, if all lines of the one side are there on the other, they haven't moved;
 *  - else, if both have as many, they are paired in their order;
 *  - else nobody can say which is which, and they are one row: the sum.
 *
 * Where a side is estimated, so is the change: its half-width is the root of the sum of both sides' squares, as
 * the two runs are independent. Places of one side that become one share their windows, so their half-widths are
 * added: no less than it is.
 */
#ifndef GALLOP_MODEL_DIFF_H
#define GALLOP_MODEL_DIFF_H

#include "model/snapshot.h"

enum { DIFF_BEFORE = 0, DIFF_AFTER = 1, DIFF_SIDES = 2 };

/* What numbers are divided by. */
enum diff_per { DIFF_PER_SECOND, DIFF_PER_OP, DIFF_PER_TOTAL };

/* Those of a table are next to each other, in its order: a test counts them. */
enum diff_measure {
	DIFF_ALLOC_SPACE,
	DIFF_ALLOC_OBJECTS,
	DIFF_INUSE_SPACE,
	DIFF_INUSE_OBJECTS,
	DIFF_ASSIST, /* ns of mark assists */
	DIFF_STW, /* ns of stops of the world, the collector's and others */
	DIFF_ASSIGNS, /* of maps, as all to DIFF_RETAINED */
	DIFF_DELETES,
	DIFF_CLEARS,
	DIFF_GROWTHS,
	DIFF_RETAINED, /* bytes */
	DIFF_CYCLES,
	DIFF_PAUSE, /* ns of the collector's stops, as MemStats.PauseTotalNs has them */
	DIFF_OP_TIME, /* ns of a call; with DIFF_PER_OP only */
	DIFF_MEASURES_NR,
};

enum diff_unit { DIFF_BYTES, DIFF_COUNT, DIFF_NS };

/* What a measure is of, and so what divides it: see diff_divisor(). */
enum diff_kind {
	DIFF_ALLOCATED, /* of the process, or with DIFF_PER_OP inside of the function's calls */
	DIFF_FLOW, /* what happened in the process */
	DIFF_LEVEL, /* as it was at the end */
	DIFF_MEAN, /* of a call already */
};

struct diff_measure_info {
	const char *name; /* "alloc_space": what users call it */
	enum diff_unit unit;
	enum diff_kind kind;
};

extern const struct diff_measure_info diff_measures[DIFF_MEASURES_NR];

enum diff_table_id {
	DIFF_SITES, /* by stack and type */
	DIFF_TYPES,
	DIFF_HEAP,
	DIFF_ASSISTS,
	DIFF_STOPS,
	DIFF_MAPS,
	DIFF_TABLES_NR,
};

enum { DIFF_VALUES_MAX = 5 }; /* measures of a table */

/* Normalised. */
struct diff_value {
	double side[DIFF_SIDES];
	/*
	 * Half-widths: 0 exact, NAN can't be told. That no sample has met a row on a side doesn't mean that there is
	 * nothing, so there it is NAN.
	 */
	double side_ci95[DIFF_SIDES];
	double change; /* after - before */
	double ci95; /* of the change, likewise */
};

/* A place, or a type. */
struct diff_row {
	const struct snapshot_stack *stack[DIFF_SIDES]; /* NULL: not there; of types both are */
	const char *type; /* "" where there are none */
	size_t places[DIFF_SIDES]; /* places that were told apart by lines and are one here */
	struct diff_value v[DIFF_VALUES_MAX];
};

struct diff_table {
	enum diff_measure first;
	size_t measures_nr; /* v[i] of a row is of measure first + i */
	struct diff_row *rows; /* by name */
	size_t nr;
};

struct diff_total {
	bool known;
	char why_not[200]; /* if not */
	struct diff_value v;
};

struct diff_opts {
	enum diff_per per;
	const struct snapshot_op *op[DIFF_SIDES]; /* with DIFF_PER_OP: of either snapshot */
};

struct diff {
	const struct snapshot *s[DIFF_SIDES]; /* borrowed, with all names and stacks */
	struct diff_opts opts;
	double divisor[DIFF_SIDES]; /* seconds, calls that were measured, or 1 */
	/*
	 * Likewise of what is of the whole process: where calls were measured in windows only, all that there were. 0: not
	 * all of them were counted.
	 */
	double process_divisor[DIFF_SIDES];
	bool same_build;
	struct diff_total total[DIFF_MEASURES_NR];
	struct diff_table tables[DIFF_TABLES_NR];
};

/*
 * 0, -ENOMEM, or -ENODATA: a side covers no time, or no call. With DIFF_PER_OP sites and types are those inside of
 * the function's calls, divided by the calls that began and were measured, as 'gallop op' shows them; all else of the
 * process is divided by all calls. Free with diff_free(); the snapshots have to stay until then.
 */
int diff_new(const struct snapshot *before, const struct snapshot *after,
	     const struct diff_opts *opts, struct diff **ret);
void diff_free(struct diff *d);

/*
 * The rows of a table by the change of one of its measures, largest first, whatever its direction; equal ones by name. The
 * caller frees it; NULL: out of memory.
 */
const struct diff_row **diff_order(const struct diff_table *t, enum diff_measure by);

/* The table that has a measure's sites, or DIFF_TABLES_NR; of what is allocated DIFF_SITES. */
enum diff_table_id diff_table_of(enum diff_measure m);

/* What a side's numbers of a measure are divided by: 1 of levels and means, and where it isn't known. */
double diff_divisor(const struct diff *d, enum diff_measure m, int side);

/* The measure that stands for a value of tables and collapsed stacks. */
enum diff_measure diff_measure_of(enum snapshot_value value);

/* A change that could be by chance: its interval has 0 in it. And one of which that can't be told. */
bool diff_is_noise(const struct diff_value *v);
bool diff_is_unknown(const struct diff_value *v);

#endif
