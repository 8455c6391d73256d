/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a row's allocations come from, as a tree that opens and closes: from what allocates up to who called it, or
 * from main down to all that the row's function allocates.
 */
#ifndef GALLOP_TUI_TREE_H
#define GALLOP_TUI_TREE_H

#include <stdint.h>

#include "model/calltree.h"
#include "model/snapshot.h"
#include "tui/frame.h"
#include "tui/screen.h"

struct tree_line {
	uint32_t node;
	uint32_t indent; /* how often the way to it has branched */
};

struct tree {
	struct calltree calls;
	struct snapshot_count *counts; /* of each node, with what is below it */
	bool *open; /* of each node: its children are shown */
	struct tree_line *lines; /* those that are shown */
	size_t lines_nr, lines_cap;
	size_t selected, top;
	bool callees; /* from main down */
	bool by_objects, sampled;
	uint64_t dur_ns; /* since the start, when it was made */
	char title[512];
};

/* Of what the tree is. The strings are borrowed while it is built. */
struct tree_of {
	const struct frame_entry *entry; /* a site, or a type: stack is NULL */
	bool by_objects;
};

/* whole: with stacks to their roots. 0 or -ENOMEM; what is open and where the cursor is begins anew. */
int tree_build(struct tree *t, const struct snapshot *whole, const struct tree_of *of);
void tree_deinit(struct tree *t);

void tree_move(struct tree *t, long by);
/* Open or close what is under the cursor. 0 or -ENOMEM. */
int tree_toggle(struct tree *t);

void tree_draw(struct tree *t, struct screen *s, int row, int height);

#endif
