/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The output formats. Each is one function from a snapshot to a stream; none computes a number.
 */
#ifndef GALLOP_RENDER_RENDER_H
#define GALLOP_RENDER_RENDER_H

#include <stdio.h>

#include "model/snapshot.h"

struct render_opts {
	enum snapshot_value value;	/* what collapsed stacks count, what text shows first */
	size_t top_nr;			/* rows of each table in text; 0 = all */
	bool stacks;			/* text: print the whole stack under each site */
	bool color;
};

struct renderer {
	const char *name;		/* "text", "collapsed", "json" */
	const char *suffixes;		/* ".folded .collapsed": chosen by the name of -o */
	const char *help;
	int (*render)(FILE *out, const struct snapshot *s, const struct render_opts *opts);
};

/* The table of all formats; ends with name == NULL. */
extern const struct renderer renderers[];

/* By name, or by the suffix of a path; NULL if there is none. */
const struct renderer *renderer_find(const char *name);
const struct renderer *renderer_for_path(const char *path);

/* 0 or -EIO. One plain text block of the live view (top --batch): the current interval's rates. */
int render_top_block(FILE *out, const struct snapshot *interval, const struct snapshot *total,
		     const struct render_opts *opts);

#endif
