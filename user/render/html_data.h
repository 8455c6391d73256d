/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The numbers of an HTML page: all stacks of one or more snapshots as one tree, sites - a place in the tree and a Go
 * type - and for each value which sites have how much of it.
 */
#ifndef GALLOP_RENDER_HTML_DATA_H
#define GALLOP_RENDER_HTML_DATA_H

#include "model/calltree.h"
#include "model/snapshot.h"

enum {
	HTML_VALUES_NR = SNAPSHOT_ALLOC_OBJECTS + 1,
	HTML_NO_TYPE = UINT32_MAX,
	/* Instead of the half-width of a 95 % interval: */
	HTML_CI_UNKNOWN = -1, /* can't be told */
	HTML_CI_AT_LEAST = -2, /* the value is the least it can be */
};

struct html_site {
	uint32_t node; /* of the tree */
	uint32_t type; /* a string, or HTML_NO_TYPE */
};

/* What a site has of a value. */
struct html_cell {
	uint32_t site;
	uint64_t value; /* not 0 */
	int64_t ci95; /* 0: it is exact */
};

struct html_cells {
	struct html_cell *v; /* a site is there once; in the order of sites */
	size_t nr, cap;
};

struct html_data {
	struct calltree tree;
	struct html_site *sites;
	const char **strings; /* our own */
	size_t sites_nr, strings_nr;
	struct html_index *index; /* private */
};

/* 0 or -ENOMEM; html_data_deinit() in any case. */
int html_data_init(struct html_data *d);
void html_data_deinit(struct html_data *d);

/* The number of a string, which is copied. 0 or -ENOMEM. */
int html_string(struct html_data *d, const char *s, uint32_t *ret);

/* Does the snapshot know this value? What it doesn't know isn't 0. */
bool html_value_known(const struct snapshot *s, enum snapshot_value value);

/* Stacks are known again by where they are: to be called before a snapshot that may be where another one was. */
void html_forget_stacks(struct html_data *d);

/*
 * All that a snapshot has of a value, the sites of which are added where they are new: 0 or -ENOMEM. What was in *cells
 * is replaced; free cells->v in the end.
 */
int html_cells(struct html_data *d, const struct snapshot *s, enum snapshot_value value,
	       struct html_cells *cells);

#endif
