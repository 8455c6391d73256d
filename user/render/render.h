/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The output formats. Each is one function from a snapshot to a stream; none computes a number.
 */
#ifndef GALLOP_RENDER_RENDER_H
#define GALLOP_RENDER_RENDER_H

#include <stdio.h>

#include "model/snapshot.h"

/* The time of a snapshot in parts that follow each other; what is counted in it is the sum of what is in them. */
struct render_slices {
	/* The next one, which the caller frees: 1; 0: there are no more; or -errno. */
	int (*next)(void *ctx, struct snapshot **ret);
	void *ctx;
	const char *why_none; /* where next() has none: why, and what to do; else NULL */
};

struct render_opts {
	enum snapshot_value value; /* what collapsed stacks count, what text shows first */
	size_t top_nr; /* rows of each table in text; 0 = all */
	bool stacks; /* text: print the whole stack under each site */
	bool color;
	const struct render_slices *slices; /* html: for its filter; NULL: there is none */
};

struct renderer {
	const char *name; /* "text", "collapsed", "json" */
	const char *suffixes; /* ".folded .collapsed": chosen by the name of -o */
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

/*
 * gallop gc: a line for each cycle and each other stop, under a header; at most 110 columns. A
 * cycle's line comes when it has ended and holds its pauses, which get no lines of their own.
 */
void render_gc_header(FILE *out, const struct render_opts *opts);
void render_gc_cycle_line(FILE *out, const struct snapshot_cycle *c,
			  const struct render_opts *opts);
void render_gc_stop_line(FILE *out, const struct snapshot_stop *stop,
			 const struct render_opts *opts);

/* 0 or -EIO. The lines of all events in a snapshot, in the order in which they ended. */
int render_gc_events(FILE *out, const struct snapshot *s, const struct render_opts *opts);

/*
 * 0 or -EIO. The format "jsonl" in pieces, for events that are shown as they come: the first line,
 * the events of a snapshot (of an interval), the last lines.
 */
int render_jsonl_meta(FILE *out, const struct snapshot *s);
int render_jsonl_events(FILE *out, const struct snapshot *s);
int render_jsonl_end(FILE *out, const struct snapshot *s);

/* 0 or -EIO. What gallop gc says in the end. */
int render_gc_summary(FILE *out, const struct snapshot *s, const struct render_opts *opts);

/*
 * gallop op, 0 or -EIO. A block for each operation: what a call takes, and where it allocates; or one table of all,
 * with what the collector did meanwhile.
 */
int render_ops_summary(FILE *out, const struct snapshot *s, const struct render_opts *opts);
int render_ops_compare(FILE *out, const struct snapshot *s, const struct render_opts *opts);

/*
 * The format "bench" in pieces, 0 or -EIO: Go's benchmark results, a line for each operation of an interval in which
 * any ended, and in the end what was lost. What the header says is the same for every process that a line could be compared with.
 */
int render_bench_header(FILE *out, const struct snapshot *s);
int render_bench_lines(FILE *out, const struct snapshot *interval);
int render_bench_end(FILE *out, const struct snapshot *s);

/* 0 or -EIO. Collapsed stacks of what one operation allocates; opts->value: bytes or objects. */
int render_op_collapsed(FILE *out, const struct snapshot_op *op, const struct render_opts *opts);

/* 0, -ENOMEM or -EIO. The formats "pprof" and "speedscope" of what operations allocate. */
int render_ops_pprof(FILE *out, const struct snapshot *s, const struct render_opts *opts);
int render_ops_speedscope(FILE *out, const struct snapshot *s, const struct render_opts *opts);

/* gallop heap: what is in use, and what has grown, 0 or -EIO; and a line of sums for each look. */
int render_heap_summary(FILE *out, const struct snapshot *s, const struct render_opts *opts);
void render_heap_line(FILE *out, const struct snapshot *s);

/* 0 or -EIO. gallop maps: what was done to maps, what to do about it, which are the largest. */
int render_maps_summary(FILE *out, const struct snapshot *s, const struct render_opts *opts);

#endif
