/* SPDX-License-Identifier: BSD-2-Clause */
/* The limits that --fail-if sets to a difference: how they are written, and whether they are kept. */
#ifndef GALLOP_CMD_FAIL_IF_H
#define GALLOP_CMD_FAIL_IF_H

#include "base/err.h"
#include "model/diff.h"

/*
 * "alloc_space>+5%": a measure of diff_measures[], '>' or '<', and a change with its sign: in %, of what it was before,
 * or in the measure's unit, per second or whatever the difference is per.
 */
struct fail_if {
	const char *text; /* as written, borrowed */
	enum diff_measure measure;
	bool above; /* '>' */
	bool percent;
	double change; /* a share, 0.05, if percent; else bytes, objects, ns */
};

/* What came of a limit, from good to bad. */
enum fail_if_verdict {
	FAIL_IF_KEPT,
	FAIL_IF_NOISE, /* beyond it by no more than chance can do: the limit is in the change's interval */
	FAIL_IF_UNSURE, /* beyond it, and how sure that is can't be told */
	FAIL_IF_BROKEN,
};

/* 0, or -EINVAL with the grammar as the hint. */
int fail_if_parse(const char *text, struct fail_if *ret, struct err *err);

/* Of a measure that is known. */
enum fail_if_verdict fail_if_judge(const struct fail_if *limit, const struct diff_value *v);

#endif
