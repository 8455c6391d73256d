/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions that a user means, and what to say when there is none or too many.
 *
 * One pass over all names finds everything that is wanted. The inline trees are looked at for what has no
 * function, and for what has one but is inlined elsewhere too.
 */
#ifndef GALLOP_PLAN_OPFIND_H
#define GALLOP_PLAN_OPFIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "bpf/wire.h"
#include "gobin/gobin.h"
#include "plan/opname.h"
#include "plan/plan.h"

struct opfind_func {
	struct gobin_func func;
	const struct plan_op_want *want; /* that it answers to; borrowed */
	bool by_glob; /* found by a glob: may be left out */
};

struct opfind {
	struct opfind_func
		funcs[WIRE_OPS_MAX]; /* those of one want together, in the order of the wants */
	size_t nr;
};

/* 0; -ENOENT, -EINVAL as plan_new(); -ENOMEM. */
int opfind(struct gobin *bin, const struct plan_op_want *wants, size_t nr, struct opfind *ret,
	   struct err *err);

/*
 * For each of the nr names, at most WIRE_OPS_MAX, the functions that have it inlined, but for itself. `least`: how
 * well a name must match. The lists are the caller's, initialised. 0 or -errno if the tables are damaged.
 */
int opfind_hosts(struct gobin *bin, const struct opname *names, size_t nr, enum opname_match least,
		 struct opname_list *lists);

#endif
