/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of the runtime, its maps and sync.Map by name, and runtime/cgo's crosscall2.
 *
 * A plan asks for dozens of them, and a pass over all the names of a large executable takes longer than all the
 * rest of reading it: one pass keeps the few thousand that anyone asks for.
 */
#ifndef GALLOP_GOBIN_INDEX_H
#define GALLOP_GOBIN_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "gobin/gobin.h"

struct pclntab;

struct index_row {
	char *name;
	struct gobin_func func;
};

struct index {
	struct index_row *rows; /* sorted by name */
	size_t nr, cap;
	size_t names_sz;
	bool built;
};

/* Is everything whose name begins so in the index? */
bool index_covers(const char *prefix);

/* Build it, the first time. 0, -EINVAL if the function table is damaged, -ENOMEM. */
int index_build(struct index *ix, struct pclntab *tab);
void index_deinit(struct index *ix);

/* The first row whose name is not less than this. */
size_t index_first(const struct index *ix, const char *name);

#endif
