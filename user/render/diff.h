/* SPDX-License-Identifier: BSD-2-Clause */
/* The formats of a difference, and how its numbers are written wherever they stand. */
#ifndef GALLOP_RENDER_DIFF_H
#define GALLOP_RENDER_DIFF_H

#include "base/fmt.h"
#include "model/diff.h"
#include "render/cells.h"
#include "render/render.h"

/* What a difference is called by: the names of both recordings, and of the function with DIFF_PER_OP. */
struct diff_names {
	const char *file[DIFF_SIDES];
	const char *op; /* as the side after has it; NULL: not by operation */
};

/* 0, -EIO or -ENOMEM; like a renderer's function. */
typedef int diff_render(FILE *out, const struct diff *d, const struct diff_names *names,
			const struct render_opts *opts);

diff_render render_diff_text;
diff_render render_diff_json;
diff_render render_diff_html; /* a page; the snapshots must have whole stacks */

/*
 * Does a page have a value? Not if it isn't known, nor with a divisor of its own: a page has one. Values that are no
 * measure of a difference it has.
 */
bool diff_html_has(const struct diff *d, enum snapshot_value value);

/*
 * "stack before after" lines, as flamegraph.pl and inferno read two columns: whole numbers of opts->value. So that both
 * columns compare, the first is scaled to the time, or the calls, of the second, which is as counted. The snapshots must
 * have whole stacks.
 */
diff_render render_diff_collapsed;

/*
 * A normalised value, "1.2 MiB", "0.25", "1.23 ms", and of calls "1,136 B"; and a change with its sign, "+1.2 MiB",
 * "0 B".
 */
struct fmt fmt_measure(const struct diff *d, enum diff_measure m, double v);
struct fmt fmt_change(const struct diff *d, enum diff_measure m, double v);

/* The change in % of what it was before, "+5.0 %"; "new" and "gone" where a side has nothing, "=" of no change. */
struct fmt fmt_change_percent(const struct diff_value *v);

/* How sure a change is, in % of the change: as fmt_ci95(). */
struct fmt fmt_change_ci95(const struct diff_value *v);

/* "per second", "per call of main.handle", "in total" */
void diff_per_words(char dst[CELL_SZ], const struct diff *d, const struct diff_names *names);

/* The same of a measure's numbers: a level's are "at the end". */
void diff_measure_words(char dst[CELL_SZ], const struct diff *d, enum diff_measure m,
			const struct diff_names *names);

/* By operation: do the sides call it otherwise? A short name may have found two functions. */
bool diff_ops_differ(const struct diff *d);

/* Where a row is: "main.f (x.go:12->14)", its type behind it, in at most width characters. */
void short_diff_place(char dst[CELL_SZ], const struct diff_row *row, size_t width);

#endif
