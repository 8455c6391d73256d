/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/tree.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "base/grow.h"
#include "gobin/goname.h"
#include "render/cells.h"

enum {
	BYTES_W = 10,
	COUNT_W = 13,
	SHARE_W = 7,
	GAP_W = 2,
	INDENT_W = 2,
	INDENT_MAX = 12, /* deeper branches stand no further to the right */
	OPEN_PART = 20, /* at first a node is open that has one in so many of all */
};

void tree_deinit(struct tree *t)
{
	calltree_deinit(&t->calls);
	free(t->counts);
	free(t->open);
	free(t->lines);
	*t = (struct tree){ .callees = t->callees };
}

/* --- which stacks ------------------------------------------------------------------------------- */

/* A place is the leaf part of the stacks that it stands for, up to the program's own function. */
static bool begins_with(const struct snapshot_stack *whole, const struct snapshot_stack *place)
{
	uint32_t nr = place->frames_nr;

	if (whole->frames_nr < nr)
		return false;
	for (uint32_t i = 0; i < nr; i++)
		if (!snapshot_same_frame(whole->frames[i], place->frames[i]))
			return false;
	/* One without any function of the program's own is the whole stack. */
	return whole->frames_nr == nr || !goname_is_std(place->frames[nr - 1]->func);
}

static bool is_of(const struct snapshot_site *site, const struct frame_entry *row)
{
	if (strcmp(site->type, row->type) != 0)
		return false;
	/* A type has no stack, and is of all goroutines. */
	return !row->stack || (site->goid == row->goid && begins_with(site->stack, row->stack));
}

/*
 * In the tree of callees: from the outermost call of the row's own function to what allocates. NULL frames: it isn't in
 * this stack.
 */
static struct snapshot_stack below(const struct snapshot_stack *stack, const char *func)
{
	for (uint32_t to = stack->frames_nr; to; to--)
		if (strcmp(stack->frames[to - 1]->func, func) == 0)
			return (struct snapshot_stack){ .frames = stack->frames, .frames_nr = to };
	return (struct snapshot_stack){ 0 };
}

/* The stack to add for a site, none (no frames) of those that the tree isn't about. */
static struct snapshot_stack part_of(const struct tree *t, const struct snapshot_site *site,
				     const struct frame_entry *row)
{
	if (t->callees && row->stack)
		return below(site->stack, row->stack->frames[row->stack->frames_nr - 1]->func);
	return is_of(site, row) ? *site->stack : (struct snapshot_stack){ 0 };
}

/* --- building ------------------------------------------------------------------------------------- */

/* What each site adds, and where: nodes are not all there yet. */
struct addition {
	uint32_t node;
	struct snapshot_count count;
};

static int sum_up(struct tree *t, const struct addition *additions, size_t nr)
{
	size_t nodes_nr = t->calls.nodes_nr;
	_cleanup_free_ uint64_t *bytes = calloc(nodes_nr + 1, sizeof(bytes[0]));
	_cleanup_free_ uint64_t *objects = calloc(nodes_nr + 1, sizeof(objects[0]));

	t->counts = calloc(nodes_nr + 1, sizeof(t->counts[0]));
	t->open = calloc(nodes_nr + 1, sizeof(t->open[0]));
	if (!bytes || !objects || !t->counts || !t->open)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		bytes[additions[i].node] += additions[i].count.bytes;
		objects[additions[i].node] += additions[i].count.objects;
	}
	calltree_sum(&t->calls, bytes);
	calltree_sum(&t->calls, objects);
	for (size_t i = 0; i < nodes_nr; i++)
		t->counts[i] = (struct snapshot_count){ .bytes = bytes[i], .objects = objects[i] };
	return 0;
}

static uint64_t value_of(const struct tree *t, uint32_t node)
{
	return t->by_objects ? t->counts[node].objects : t->counts[node].bytes;
}

static int child_cmp(const struct calltree *calls, uint32_t a, uint32_t b, void *ctx)
{
	uint64_t x = value_of(ctx, a), y = value_of(ctx, b);

	if (x != y)
		return x < y ? 1 : -1;
	return strcmp(calls->frames[calls->nodes[a].frame].func,
		      calls->frames[calls->nodes[b].frame].func);
}

static int add_stacks(struct tree *t, const struct snapshot *whole, const struct frame_entry *row)
{
	struct addition *additions = calloc(whole->sites_nr + 1, sizeof(additions[0]));
	size_t nr = 0;
	int rc = additions ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < whole->sites_nr; i++) {
		struct snapshot_stack stack = part_of(t, &whole->sites[i], row);
		if (!stack.frames_nr)
			continue;
		rc = calltree_add(&t->calls, &stack,
				  t->callees ? CALLTREE_CALLEES : CALLTREE_CALLERS,
				  &additions[nr].node);
		additions[nr++].count = whole->sites[i].count;
	}
	if (!rc)
		rc = sum_up(t, additions, nr);
	free(additions);
	return rc ? rc : calltree_sort(&t->calls, child_cmp, t);
}

/* --- which lines are shown ------------------------------------------------------------------------ */

static bool is_only_child(const struct calltree *calls, uint32_t node)
{
	const struct calltree_node *parent = &calls->nodes[calls->nodes[node].parent];

	return parent->child == node && calls->nodes[node].next == CALLTREE_NONE;
}

/*
 * A chain of calls of which each has one caller only stays in its column: that is what most of a deep stack is. The indent of
 * each node is that of its parent, and one more where there are others beside it.
 */
static int list_lines(struct tree *t)
{
	const struct calltree *calls = &t->calls;
	uint32_t *indents = calloc(calls->nodes_nr + 1, sizeof(indents[0]));
	bool *shown = calloc(calls->nodes_nr + 1, sizeof(shown[0]));
	int rc = indents && shown ? 0 : -ENOMEM;

	t->lines_nr = 0;
	if (!rc)
		shown[CALLTREE_ROOT] = true;
	for (uint32_t n = CALLTREE_ROOT; !rc;) {
		n = calltree_next(calls, n);
		if (n == CALLTREE_NONE)
			break;
		uint32_t parent = calls->nodes[n].parent;
		shown[n] = shown[parent] && (parent == CALLTREE_ROOT || t->open[parent]);
		indents[n] = indents[parent] + !is_only_child(calls, n);
		if (!shown[n])
			continue;
		rc = grow(&t->lines, t->lines_nr, &t->lines_cap, sizeof(t->lines[0]));
		if (!rc)
			t->lines[t->lines_nr++] = (struct tree_line){ .node = n,
								      .indent = indents[n] };
	}
	free(indents);
	free(shown);
	if (t->selected >= t->lines_nr)
		t->selected = t->lines_nr ? t->lines_nr - 1 : 0;
	return rc;
}

static void set_title(struct tree *t, const struct frame_entry *row)
{
	char name[CELL_SZ];

	if (row->stack)
		short_where(name, row->stack, 60);
	else
		short_func(name, row->type, 60);
	snprintf(t->title, sizeof(t->title), "%s%.300s%s",
		 !t->callees  ? "who calls: "
		 : row->stack ? "what it calls that allocates: "
			      : "from main to what allocates: ",
		 name, t->sampled ? "; estimated, no intervals of parts" : "");
}

int tree_build(struct tree *t, const struct snapshot *whole, const struct tree_of *of)
{
	tree_deinit(t);
	t->by_objects = of->by_objects;
	t->sampled = whole->samples.on;
	t->dur_ns = whole->to_mono_ns - whole->from_mono_ns;
	int rc = calltree_init(&t->calls);
	if (!rc)
		rc = add_stacks(t, whole, of->entry);
	for (uint32_t i = 0; !rc && i < t->calls.nodes_nr; i++)
		t->open[i] = value_of(t, i) >= value_of(t, CALLTREE_ROOT) / OPEN_PART;
	set_title(t, of->entry);
	return rc ? rc : list_lines(t);
}

int tree_toggle(struct tree *t)
{
	if (t->selected >= t->lines_nr)
		return 0;
	uint32_t node = t->lines[t->selected].node;
	t->open[node] = !t->open[node];
	return list_lines(t);
}

void tree_move(struct tree *t, long by)
{
	size_t last = t->lines_nr ? t->lines_nr - 1 : 0;

	if (by < 0)
		t->selected = (size_t)-by > t->selected ? 0 : t->selected - (size_t)-by;
	else
		t->selected = (size_t)by > last - t->selected ? last : t->selected + (size_t)by;
}

/* --- drawing -------------------------------------------------------------------------------------- */

static void draw_name(const struct tree *t, const struct tree_line *line, struct screen *s, int row,
		      int col)
{
	const struct calltree_node *node = &t->calls.nodes[line->node];
	const struct snapshot_frame *frame = &t->calls.frames[node->frame];
	char name[CELL_SZ], position[CELL_SZ], text[2 * CELL_SZ + 32];
	const char *mark = node->child == CALLTREE_NONE ? " " : t->open[line->node] ? "-" : "+";

	short_position(position, frame, 40);
	int fixed = screen_width(s, position) + (frame->inlined ? 10 : 0) + 5;
	int room = s->cols - col - fixed;
	short_func(name, frame->func, room > 16 ? (size_t)room : 16);
	snprintf(text, sizeof(text), "%s %s%s%s%s%s", mark, name, *position ? " (" : "", position,
		 *position ? ")" : "", frame->inlined ? " (inlined)" : "");
	screen_put(s, row, col, s->cols - col, ATTR_NORMAL, text);
}

static void draw_line(const struct tree *t, const struct tree_line *line, struct screen *s, int row)
{
	struct snapshot_count n = t->counts[line->node];
	uint32_t indent = line->indent < INDENT_MAX ? line->indent : INDENT_MAX;
	int col = 0;

	screen_put_right(s, row, col, BYTES_W, ATTR_NORMAL, fmt_bytes(n.bytes).s);
	col += BYTES_W + 1;
	screen_put_right(s, row, col, COUNT_W, ATTR_NORMAL, fmt_count(n.objects).s);
	col += COUNT_W + 1;
	screen_put_right(s, row, col, SHARE_W, ATTR_NORMAL,
			 fmt_percent(value_of(t, line->node), value_of(t, CALLTREE_ROOT)).s);
	col += SHARE_W + GAP_W + (int)indent * INDENT_W;
	draw_name(t, line, s, row, col);
}

static void draw_head(const struct tree *t, struct screen *s, int row)
{
	char title[80];

	screen_put(s, row, 0, s->cols, ATTR_BOLD, t->title);
	screen_paint(s, row + 1, 0, s->cols, ATTR_HEAD);
	screen_put_right(s, row + 1, 0, BYTES_W, t->by_objects ? ATTR_HEAD : ATTR_SORTED, "BYTES");
	screen_put_right(s, row + 1, BYTES_W + 1, COUNT_W, t->by_objects ? ATTR_SORTED : ATTR_HEAD,
			 "OBJECTS");
	screen_put_right(s, row + 1, BYTES_W + COUNT_W + 2, SHARE_W, ATTR_HEAD, "SHARE");
	snprintf(title, sizeof(title), "  FUNCTION (FILE:LINE), OF THE FIRST %s",
		 fmt_duration(t->dur_ns).s);
	screen_put(s, row + 1, BYTES_W + COUNT_W + SHARE_W + 2 + GAP_W, s->cols, ATTR_HEAD, title);
}

void tree_draw(struct tree *t, struct screen *s, int row, int height)
{
	size_t rows = height > 2 ? (size_t)height - 2 : 0;

	draw_head(t, s, row);
	if (t->selected < t->top)
		t->top = t->selected;
	if (rows && t->selected >= t->top + rows)
		t->top = t->selected - rows + 1;
	if (!t->lines_nr)
		screen_put(s, row + 2, 0, s->cols, ATTR_DIM,
			   "no stacks: what it was is in no site any more");
	for (size_t i = 0; i < rows && t->top + i < t->lines_nr; i++) {
		draw_line(t, &t->lines[t->top + i], s, row + 2 + (int)i);
		if (t->top + i == t->selected)
			screen_paint(s, row + 2 + (int)i, 0, s->cols, ATTR_SELECTED);
	}
}
