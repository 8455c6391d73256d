/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every text output says of itself: which target and how, what was lost, and how the count
 * compares with the runtime's own.
 */
#ifndef GALLOP_RENDER_FOOTER_H
#define GALLOP_RENDER_FOOTER_H

#include "base/fmt.h"
#include "render/render.h"

/* "etcd (pid 1234), go1.24.3, exact" */
void put_target(FILE *out, const struct model_meta *meta);

/* A moment in local time, "2026-11-22 11:04:30 UTC"; "time unknown" if it is not. */
struct fmt fmt_wall_clock(const struct model_meta *meta, uint64_t mono_ns);

/* What can't be shown, and why; what was lost. */
void put_limits(FILE *out, const struct snapshot *s, const struct render_opts *opts);

/* The cost, if it is known; the limits; the stops of the world, if there were any; and, always last, the check. */
void put_check(FILE *out, const struct snapshot *s, const struct render_opts *opts);
void put_footer(FILE *out, const struct snapshot *s, const struct render_opts *opts);

#endif
