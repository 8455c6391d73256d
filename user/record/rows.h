/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model's rows on their way into a recording's tables.
 *
 * Names only ever grow, so each write adds what is new since the last one that was committed.
 */
#ifndef GALLOP_RECORD_ROWS_H
#define GALLOP_RECORD_ROWS_H

#include <sqlite3.h>

#include "model/tables.h"

enum rows_stmt {
	ROWS_META,
	ROWS_FUNCTION,
	ROWS_FRAME,
	ROWS_STACK,
	ROWS_TYPE,
	ROWS_SITE,
	ROWS_INTERVAL,
	ROWS_ALLOC,
	ROWS_CAUSE,
	ROWS_LOSS,
	ROWS_MARK,
	ROWS_CHECK,
	ROWS_STOP,
	ROWS_CYCLE,
	ROWS_ASSIST,
	ROWS_GC_CHECK,
	ROWS_MAP_WATCH,
	ROWS_MAP_SITE,
	ROWS_MAP_OP,
	ROWS_MAP_LOOK,
	ROWS_MAP_HELD,
	ROWS_MAPS_FORGET,
	ROWS_MAP_LARGEST,
	ROWS_OP,
	ROWS_OP_WATCH,
	ROWS_OP_CALL,
	ROWS_OP_HIST,
	ROWS_OP_WINDOW,
	ROWS_SAMPLING,
	ROWS_SAMPLE_INTERVAL,
	ROWS_CLASS_COUNT,
	ROWS_SAMPLED,
	ROWS_UNIT,
	ROWS_UNIT_REFILL,
	ROWS_UNIT_GAP,
	ROWS_UNIT_HIT,
	ROWS_UNIT_MAP_OP,
	ROWS_HEAP_WATCH,
	ROWS_HEAP_LOOK,
	ROWS_HEAP,
	ROWS_NR,
};

/* How many rows of each table are in the file. */
struct rows_done {
	size_t funcs, frames, stacks, types, sites, intervals, causes, marks, stops, cycles;
	size_t map_sites, ops, units;
};

struct rows {
	sqlite3 *db; /* borrowed */
	sqlite3_stmt *stmts[ROWS_NR];
	struct rows_done done; /* counted up as rows are put; the caller resets it on a rollback */
};

/* All return SQLITE_OK or SQLite's error. */
int rows_init(struct rows *r, sqlite3 *db);
void rows_deinit(struct rows *r);

int rows_put_names(struct rows *r, const struct model *m);
int rows_put_interval(struct rows *r, const struct model *m, uint64_t from_ns, uint64_t to_ns);

/* An interval that has sums only: those of what found no room. */
int rows_put_rest(struct rows *r, uint64_t from_ns, uint64_t to_ns, struct model_count rest);
int rows_put_session(struct rows *r, const struct model *m);

#endif
