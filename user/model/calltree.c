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

/*
 * Nodes by their parent and frame: a table of their numbers, half full at most, in which one that finds its slot taken
 * is in the next free one. Each stack looks for as many as it has frames, and there may be a million of them: a row of
 * its own for each took a quarter of the time of a page. The root is nobody's child, so its number says that a slot is free.
 */
struct children {
	uint32_t *slots;
	uint32_t slots_nr; /* 0, or a power of 2 */
};

struct calltree_index {
	struct text *texts;
	struct frame_row *frames;
	struct children children;
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
		free(t->index->children.slots);
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

/* The slot of a child, or the free one in which it belongs. */
static uint32_t *find_slot(const struct calltree *t, uint32_t parent, uint32_t frame)
{
	const uint64_t odd =
		UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / the golden ratio, as Knuth has it */
	const struct children *c = &t->index->children;
	uint64_t hash = (((uint64_t)parent << 32) | frame) * odd;

	/* Upper bits of a product depend on all bits below them, lower ones on few. */
	hash = (hash ^ (hash >> 32)) * odd;
	for (uint32_t at = (uint32_t)(hash >> 32);; at++) {
		uint32_t *slot = &c->slots[at & (c->slots_nr - 1)];
		const struct calltree_node *node = &t->nodes[*slot];

		if (*slot == CALLTREE_ROOT || (node->parent == parent && node->frame == frame))
			return slot;
	}
}

/* Room for one more. */
static int grow_slots(struct calltree *t)
{
	enum { SLOTS_MIN = 64, SLOTS_MAX = 1 << 30 };
	struct children *c = &t->index->children;

	if (t->nodes_nr < c->slots_nr / 2)
		return 0;
	uint32_t nr = c->slots_nr ? 2 * c->slots_nr : SLOTS_MIN;
	uint32_t *slots = nr <= SLOTS_MAX ? calloc(nr, sizeof(slots[0])) : NULL;
	if (!slots)
		return -ENOMEM;
	free(c->slots);
	*c = (struct children){ slots, nr };
	for (uint32_t n = CALLTREE_ROOT + 1; n < t->nodes_nr; n++)
		*find_slot(t, t->nodes[n].parent, t->nodes[n].frame) = n;
	return 0;
}

int calltree_child(struct calltree *t, uint32_t parent, const struct snapshot_frame *frame,
		   uint32_t *ret)
{
	uint32_t id;

	if (intern_frame(t, frame, &id) || grow_slots(t) ||
	    grow(&t->nodes, t->nodes_nr, &t->index->nodes_cap, sizeof(t->nodes[0])))
		return -ENOMEM;
	uint32_t *slot = find_slot(t, parent, id);
	if (*slot == CALLTREE_ROOT) {
		*slot = (uint32_t)t->nodes_nr;
		t->nodes[t->nodes_nr++] = (struct calltree_node){ .frame = id,
								  .parent = parent,
								  .child = CALLTREE_NONE,
								  .next = t->nodes[parent].child };
		t->nodes[parent].child = *slot;
	}
	*ret = *slot;
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
