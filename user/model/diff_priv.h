/* SPDX-License-Identifier: BSD-2-Clause */
/* The two halves of a difference: what each side has, and which of it belongs together. */
#ifndef GALLOP_MODEL_DIFF_PRIV_H
#define GALLOP_MODEL_DIFF_PRIV_H

#include "model/diff.h"

/* What one side has at a place, in the measures of a table, not normalised. */
struct diff_entry {
	unsigned int side;
	const struct snapshot_stack *stack; /* NULL of types */
	const char *type;
	double v[DIFF_VALUES_MAX], ci95[DIFF_VALUES_MAX];
};

/*
 * Rows of all entries, which are put into another order. same_build: lines are places. 0 or -ENOMEM; the caller frees
 * t->rows in any case.
 */
int diff_match(struct diff_table *t, struct diff_entry *entries, size_t nr, bool same_build);

/* Set the change of a value and how sure it is. */
void diff_settle(struct diff_value *v);

#endif
