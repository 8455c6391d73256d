/* SPDX-License-Identifier: BSD-2-Clause */
/* How the parts of a plan are made: one file per subject, each adding its probes and its configuration. */
#ifndef GALLOP_PLAN_BUILD_H
#define GALLOP_PLAN_BUILD_H

#include <stdbool.h>

#include "gobin/gobin.h"
#include "plan/place.h"
#include "plan/plan.h"

/* What a probe is for; the place in the function is found when it is added. */
struct want {
	enum plan_prog prog;
	enum wire_place place;
	const char *why;
	bool at_entry; /* assembly without a stack check: its first instruction is right */
	unsigned flags; /* WIRE_F_NOSCAN, WIRE_F_SCAN, WIRE_F_METHOD */
	enum wire_group group; /* in a sampled session */
};

/* Put a probe at a place that is known. 0, -EFAULT if the file doesn't have it, -E2BIG. */
int plan_add_at(struct plan *plan, struct gobin *bin, const struct place *place, const char *name,
		const struct want *want);

/* 0, -ENOENT if the function's prologue isn't known, -E2BIG. */
int plan_add(struct plan *plan, struct gobin *bin, const struct gobin_func *func, const char *name,
	     const struct want *want);

/* The same at each of the function's RETs. Adds all or none. 0, or as place_returns() and plan_add_at(). */
int plan_add_returns(struct plan *plan, struct gobin *bin, const struct gobin_func *func,
		     const char *name, const struct want *want);

/* Say what this binary doesn't allow. */
void plan_note(struct plan *plan, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Allocations: all of them or -ENOTSUP. */
int plan_malloc(struct plan *plan, struct gobin *bin, struct err *err);

/* Of a sampled session: large objects, refills, the runtime's own samples; and windows for allocations. As plan_malloc(). */
int plan_sampled(struct plan *plan, struct gobin *bin, bool profiled, struct err *err);

/* World-stopped counts and garbage collection: whatever this binary allows. */
void plan_marks(struct plan *plan, struct gobin *bin, const struct gobin_globals *globals);
void plan_gc(struct plan *plan, struct gobin *bin, const struct gobin_globals *globals);

/* Operations: every function that is wanted, or an error; see plan_new(). After all else has its probes. */
int plan_ops(struct plan *plan, struct gobin *bin, const struct plan_opts *opts, struct err *err);

/* What happens to maps: all of it or nothing. */
void plan_maps(struct plan *plan, struct gobin *bin);

#endif
