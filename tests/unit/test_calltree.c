/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks as a tree: what shares its way, what doesn't, sums, and the order of a walk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model/calltree.h"

static const struct snapshot_frame f_main = { .func = "main.main", .file = "main.go", .line = 1 };
static const struct snapshot_frame f_run = { .func = "main.run", .file = "main.go", .line = 20 };
static const struct snapshot_frame f_make = { .func = "main.make", .file = "make.go", .line = 3 };
static const struct snapshot_frame f_line = { .func = "main.make", .file = "make.go", .line = 4 };
static const struct snapshot_frame f_inlined = { "main.make", "make.go", 3, .inlined = true };

/* A stack from its leaf on. */
#define STACK(is_cut, ...)                                                              \
	&(struct snapshot_stack)                                                        \
	{                                                                               \
		.frames = (const struct snapshot_frame *[]){ __VA_ARGS__ },             \
		.frames_nr = sizeof((const struct snapshot_frame *[]){ __VA_ARGS__ }) / \
			     sizeof(void *),                                            \
		.cut = is_cut                                                           \
	}

static uint32_t add(struct calltree *t, const struct snapshot_stack *stack,
		    enum calltree_direction direction)
{
	uint32_t node = CALLTREE_NONE;

	assert_int_equal(calltree_add(t, stack, direction, &node), 0);
	assert_true(node < t->nodes_nr);
	return node;
}

static const char *func_of(const struct calltree *t, uint32_t node)
{
	return t->frames[t->nodes[node].frame].func;
}

static void equal_stacks_are_one_node(void **state)
{
	/* Other memory, the same content. */
	char func[] = "main.main", file[] = "main.go";
	struct snapshot_frame copy = { .func = func, .file = file, .line = 1 };
	struct calltree t;

	(void)state;
	assert_int_equal(calltree_init(&t), 0);
	uint32_t a = add(&t, STACK(false, &f_make, &f_run, &f_main), CALLTREE_CALLEES);
	uint32_t b = add(&t, STACK(false, &f_make, &f_run, &copy), CALLTREE_CALLEES);
	memset(func, 'x', sizeof(func) - 1);
	assert_int_equal(a, b);
	assert_int_equal(t.nodes_nr, 4);
	assert_string_equal(func_of(&t, a), "main.make");
	assert_string_equal(func_of(&t, t.nodes[CALLTREE_ROOT].child), "main.main");
	calltree_deinit(&t);
}

static void frames_differ_by_line_and_inlining(void **state)
{
	struct calltree t;

	(void)state;
	assert_int_equal(calltree_init(&t), 0);
	uint32_t a = add(&t, STACK(false, &f_make, &f_main), CALLTREE_CALLEES);
	uint32_t b = add(&t, STACK(false, &f_line, &f_main), CALLTREE_CALLEES);
	uint32_t c = add(&t, STACK(false, &f_inlined, &f_main), CALLTREE_CALLEES);
	assert_true(a != b && b != c && a != c);
	assert_int_equal(t.nodes[a].parent, t.nodes[c].parent);
	assert_true(t.frames[t.nodes[c].frame].inlined);
	assert_int_equal(t.frames_nr, 4);
	calltree_deinit(&t);
}

static void callers_begin_at_the_leaf(void **state)
{
	struct calltree t;

	(void)state;
	assert_int_equal(calltree_init(&t), 0);
	uint32_t a = add(&t, STACK(false, &f_make, &f_run, &f_main), CALLTREE_CALLERS);
	uint32_t b = add(&t, STACK(false, &f_make, &f_main), CALLTREE_CALLERS);
	assert_string_equal(func_of(&t, t.nodes[CALLTREE_ROOT].child), "main.make");
	assert_string_equal(func_of(&t, a), "main.main");
	assert_int_equal(t.nodes[t.nodes[a].parent].parent, t.nodes[b].parent);
	calltree_deinit(&t);
}

static void a_missing_root_is_a_frame(void **state)
{
	struct calltree t;

	(void)state;
	assert_int_equal(calltree_init(&t), 0);
	uint32_t down = add(&t, STACK(true, &f_make), CALLTREE_CALLEES);
	assert_string_equal(func_of(&t, t.nodes[down].parent), CALLTREE_TRUNCATED);
	uint32_t up = add(&t, STACK(true, &f_make), CALLTREE_CALLERS);
	assert_string_equal(func_of(&t, up), CALLTREE_TRUNCATED);
	calltree_deinit(&t);
}

static int by_value(const struct calltree *t, uint32_t a, uint32_t b, void *ctx)
{
	const uint64_t *values = ctx;

	(void)t;
	return values[a] < values[b] ? 1 : values[a] > values[b] ? -1 : 0;
}

static void sums_and_order(void **state)
{
	uint64_t values[8] = { 0 };
	const char *seen[8];
	struct calltree t;
	size_t nr = 0;

	(void)state;
	assert_int_equal(calltree_init(&t), 0);
	assert_int_equal(calltree_next(&t, CALLTREE_ROOT), CALLTREE_NONE);
	uint32_t small = add(&t, STACK(false, &f_line, &f_main), CALLTREE_CALLEES);
	uint32_t own = add(&t, STACK(false, &f_run, &f_main), CALLTREE_CALLEES);
	uint32_t large = add(&t, STACK(false, &f_make, &f_run, &f_main), CALLTREE_CALLEES);
	assert_int_equal(t.nodes_nr, 5);
	values[small] = 1;
	values[own] = 10;
	values[large] = 100;
	calltree_sum(&t, values);
	assert_int_equal(values[CALLTREE_ROOT], 111);
	assert_int_equal(values[own], 110);
	assert_int_equal(values[small], 1);
	assert_int_equal(calltree_sort(&t, by_value, values), 0);
	for (uint32_t i = calltree_next(&t, CALLTREE_ROOT); i != CALLTREE_NONE;
	     i = calltree_next(&t, i))
		seen[nr++] = func_of(&t, i);
	assert_int_equal(nr, 4);
	assert_string_equal(seen[0], "main.main");
	assert_string_equal(seen[1], "main.run");
	assert_string_equal(seen[2], "main.make");
	assert_string_equal(seen[3], "main.make");
	calltree_deinit(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_stacks_are_one_node),
		cmocka_unit_test(frames_differ_by_line_and_inlining),
		cmocka_unit_test(callers_begin_at_the_leaf),
		cmocka_unit_test(a_missing_root_is_a_frame),
		cmocka_unit_test(sums_and_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
