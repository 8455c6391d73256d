/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What texts say of a session that samples: which numbers are exact, how sure the others are, and what tracing costs.
 */
#ifndef GALLOP_RENDER_SAMPLES_H
#define GALLOP_RENDER_SAMPLES_H

#include "base/fmt.h"
#include "render/render.h"

enum { CI95_W = 8 }; /* "+-99.9 %" */

/*
 * The half-width of a value's 95 % interval in % of the value, "+-4.2 %"; "noise" where the interval reaches down to
 * nothing, "exact" where there is none, "?" where it can't be told, "-" of nothing.
 */
struct fmt fmt_ci95(double value, double ci95);

/* The same of a site's or a type's count by what is sorted by; "-" of what is no place: [lost], [not sampled]. */
struct fmt fmt_ci95_of(enum snapshot_value value, struct snapshot_count n,
		       struct snapshot_ci95 ci95, const char *type);

/* A share of CPU time: "0.8 %", "<0.1 %". */
struct fmt fmt_cpu_share(double share);

/*
 * Lines of what is exact and what isn't, and of what the marks mean that the first sites_nr sites and types_nr types
 * have in their column "+-". Nothing of a session that doesn't sample.
 */
void put_estimates(FILE *out, const struct snapshot *s, enum snapshot_value value, size_t sites_nr,
		   size_t types_nr);

/* Below a table of types: how much has none, where only the runtime's samples tell of it. */
void put_untyped(FILE *out, const struct snapshot *s);

/* The same for the live view, above and below its rows: where shares are from; the marks of its first sites_nr sites. */
void put_sources_now(FILE *out, const struct snapshot *interval);
void put_marks_now(FILE *out, const struct snapshot *interval, enum snapshot_value value,
		   size_t sites_nr);

#define OTHER_TRACER "another tracer is attached to this process: what it costs comes on top"

/* Footer: what tracing cost, and what was turned off for that. Nothing where neither is known nor sampled. */
void put_cost(FILE *out, const struct snapshot *s, const struct render_opts *opts);

/* The same for the live view, as of now: whole lines. */
void put_cost_now(FILE *out, const struct snapshot *s, const struct render_opts *opts);

#endif
