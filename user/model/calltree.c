/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/calltree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

/* As in tables.h: a row that finds no memory is left out of the hash. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct text {
	UT_hash_handle hh;
	char s[];
};

/* Texts are interned before, so equal ones are the same pointer. */
struct frame_key {
	const char *func, *file;
	uint32_t line, inlined;
};

struct frame_row {
	UT_hash_handle hh;
	struct frame_key key;
	uint32_t id;
};

struct child_key {
	uint32_t parent, frame;
};

struct child_row {
	UT_hash_handle hh;
	struct child_key key;
	uint32_t id;
};

struct calltree_index {
	struct text *texts;
	struct frame_row *frames;
	struct child_row *children;
	size_t nodes_cap, frames_cap;
};

int calltree_init(struct calltree *t)
{
	*t = (struct calltree){ .index = calloc(1, sizeof(*t->index)) };
	if (!t->index || grow(&t->nodes, 0, &t->index->nodes_cap, sizeof(t->nodes[0])))
		return -ENOMEM;
	t->nodes[t->nodes_nr++] = (struct calltree_node){ CALLTREE_NONE, CALLTREE_NONE,
							  CALLTREE_NONE, CALLTREE_NONE };
	return 0;
}

#define FREE_ALL(head)                              \
	do {                                        \
		__typeof__(head) row_, next_;       \
		HASH_ITER (hh, head, row_, next_) { \
			HASH_DEL(head, row_);       \
			free(row_);                 \
		}                                   \
	} while (0)

void calltree_deinit(struct calltree *t)
{
	if (t->index) {
		FREE_ALL(t->index->texts);
		FREE_ALL(t->index->frames);
		FREE_ALL(t->index->children);
	}
	free(t->index);
	free(t->nodes);
	free(t->frames);
	*t = (struct calltree){ 0 };
}

/* --- interning -------------------------------------------------------------------------------- */

static const char *intern(struct calltree *t, const char *s)
{
	size_t len = strlen(s);
	struct text *text;

	HASH_FIND(hh, t->index->texts, s, len, text);
	if (text)
		return text->s;
	text = calloc(1, sizeof(*text) + len + 1);
	if (!text)
		return NULL;
	memcpy(text->s, s, len + 1);
	HASH_ADD_KEYPTR(hh, t->index->texts, text->s, len, text);
	if (text->hh.tbl)
		return text->s;
	free(text);
	return NULL;
}

static int add_frame(struct calltree *t, const struct frame_key *key, uint32_t *ret)
{
	struct frame_row *row;

	if (grow(&t->frames, t->frames_nr, &t->index->frames_cap, sizeof(t->frames[0])))
		return -ENOMEM;
	row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->key = *key;
	row->id = (uint32_t)t->frames_nr;
	HASH_ADD(hh, t->index->frames, key, sizeof(row->key), row);
	if (!row->hh.tbl) {
		free(row);
		return -ENOMEM;
	}
	t->frames[t->frames_nr++] = (struct snapshot_frame){
		.func = key->func, .file = key->file, .line = key->line, .inlined = key->inlined
	};
	*ret = row->id;
	return 0;
}

static int intern_frame(struct calltree *t, const struct snapshot_frame *frame, uint32_t *ret)
{
	struct frame_key key = { intern(t, frame->func), intern(t, frame->file), frame->line,
				 frame->inlined };
	struct frame_row *row;

	if (!key.func || !key.file)
		return -ENOMEM;
	HASH_FIND(hh, t->index->frames, &key, sizeof(key), row);
	if (!row)
		return add_frame(t, &key, ret);
	*ret = row->id;
	return 0;
}

static int add_node(struct calltree *t, struct child_key key, uint32_t *ret)
{
	struct child_row *row;

	if (grow(&t->nodes, t->nodes_nr, &t->index->nodes_cap, sizeof(t->nodes[0])))
		return -ENOMEM;
	row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->key = key;
	row->id = (uint32_t)t->nodes_nr;
	HASH_ADD(hh, t->index->children, key, sizeof(row->key), row);
	if (!row->hh.tbl) {
		free(row);
		return -ENOMEM;
	}
	t->nodes[t->nodes_nr++] = (struct calltree_node){ .frame = key.frame,
							  .parent = key.parent,
							  .child = CALLTREE_NONE,
							  .next = t->nodes[key.parent].child };
	t->nodes[key.parent].child = row->id;
	*ret = row->id;
	return 0;
}

int calltree_child(struct calltree *t, uint32_t parent, const struct snapshot_frame *frame,
		   uint32_t *ret)
{
	struct child_key key = { .parent = parent };
	struct child_row *row;

	if (intern_frame(t, frame, &key.frame))
		return -ENOMEM;
	HASH_FIND(hh, t->index->children, &key, sizeof(key), row);
	if (!row)
		return add_node(t, key, ret);
	*ret = row->id;
	return 0;
}

/* --- stacks ----------------------------------------------------------------------------------- */

static const struct snapshot_frame truncated = { .func = CALLTREE_TRUNCATED, .file = "" };

int calltree_add(struct calltree *t, const struct snapshot_stack *stack,
		 enum calltree_direction direction, uint32_t *ret)
{
	bool callees = direction == CALLTREE_CALLEES;
	uint32_t node = CALLTREE_ROOT;
	int rc = callees && stack->cut ? calltree_child(t, node, &truncated, &node) : 0;

	for (uint32_t i = 0; i < stack->frames_nr && !rc; i++) {
		uint32_t at = callees ? stack->frames_nr - 1 - i : i;

		rc = calltree_child(t, node, stack->frames[at], &node);
	}
	if (!rc && !callees && stack->cut)
		rc = calltree_child(t, node, &truncated, &node);
	if (!rc)
		*ret = node;
	return rc;
}

void calltree_sum(const struct calltree *t, uint64_t *values)
{
	/* Each node's number is larger than its parent's, so it has its own sum when its turn comes. */
	for (size_t i = t->nodes_nr; i-- > 1;)
		values[t->nodes[i].parent] += values[i];
}

struct order {
	const struct calltree *t;
	int (*cmp)(const struct calltree *t, uint32_t a, uint32_t b, void *ctx);
	void *ctx;
};

static int order_cmp(const void *a, const void *b, void *order)
{
	const struct order *o = order;

	return o->cmp(o->t, *(const uint32_t *)a, *(const uint32_t *)b, o->ctx);
}

/* room[] holds as many as the tree has nodes. */
static void sort_children(struct calltree_node *nodes, uint32_t parent, uint32_t *room,
			  struct order *order)
{
	size_t nr = 0;

	for (uint32_t c = nodes[parent].child; c != CALLTREE_NONE; c = nodes[c].next)
		room[nr++] = c;
	if (nr < 2)
		return;
	qsort_r(room, nr, sizeof(room[0]), order_cmp, order);
	nodes[parent].child = room[0];
	for (size_t i = 0; i < nr; i++)
		nodes[room[i]].next = i + 1 < nr ? room[i + 1] : CALLTREE_NONE;
}

int calltree_sort(struct calltree *t,
		  int (*cmp)(const struct calltree *t, uint32_t a, uint32_t b, void *ctx),
		  void *ctx)
{
	struct order order = { t, cmp, ctx };
	uint32_t *room = malloc(t->nodes_nr * sizeof(room[0]));

	if (!room)
		return -ENOMEM;
	for (size_t i = 0; i < t->nodes_nr; i++)
		sort_children(t->nodes, (uint32_t)i, room, &order);
	free(room);
	return 0;
}

uint32_t calltree_next(const struct calltree *t, uint32_t node)
{
	if (t->nodes[node].child != CALLTREE_NONE)
		return t->nodes[node].child;
	while (node != CALLTREE_ROOT && t->nodes[node].next == CALLTREE_NONE)
		node = t->nodes[node].parent;
	return node == CALLTREE_ROOT ? CALLTREE_NONE : t->nodes[node].next;
}
