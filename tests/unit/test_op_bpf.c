/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which calls are operations: the program that the kernel runs, here on the host, with goroutines and stacks that are
 * made up. What can't be brought about in a real process at will: full tables, memory that can't be read.
 */
#define OP_WINDOWS 0
#include "op_kernel.h"

static void the_outermost_call_counts(void **state)
{
	struct goroutine *g = new_goroutines(2);

	(void)state;
	begin(&g[0], F, 10);
	begin(&g[0], F, 20);
	begin(&g[1], F, 15); /* another goroutine's */
	begin(&g[0], G, 30); /* another function's */
	end(&g[0], G, 30);
	end(&g[0], F, 20);
	assert_op(F, 2, 0, 0, 0, 0);
	end(&g[0], F, 10);
	assert_op(F, 2, 1, 0, 0, 0);
	assert_op(G, 1, 1, 0, 0, 0);
	end(&g[1], F, 15);
	assert_op(F, 2, 2, 0, 0, 0);
	assert_int_equal(op_of(0, F)->max[WIRE_OP_NS], 60);
}

static void what_a_panic_unwinds_is_gone(void **state)
{
	struct goroutine *g = new_goroutines(1);

	(void)state;
	begin(g, F, 10);
	begin(g, G, 30);
	recovers(g, 20); /* F goes on, or what it calls */
	assert_op(F, 1, 0, 0, 0, 0);
	assert_op(G, 1, 0, 1, 0, 0);
	begin(g, G, 40); /* deeper than the one that is gone */
	end(g, G, 40);
	assert_op(G, 2, 1, 1, 0, 0);
	end(g, F, 10);
	assert_op(F, 1, 1, 0, 0, 0);
	begin(g, F, 10);
	unwind(g, WIRE_PLACE_OP_GOEXIT);
	begin(g, F, 50); /* from a deferred function */
	end(g, F, 50);
	assert_op(F, 3, 2, 0, 1, 0);
}

/* Where it goes on can't be read: nothing is known of the goroutine's calls any more. */
static void a_recovery_that_cannot_be_read_is_lost(void **state)
{
	struct goroutine *g = new_goroutines(1);

	(void)state;
	begin(g, F, 10);
	g->sigcode0 = 0;
	unwind(g, WIRE_PLACE_OP_RECOVER);
	assert_op(F, 0, 0, 0, 0, 0);
	assert_int_equal(lost(WIRE_LOSS_OP_UNREAD), 1);
	end(g, F, 10);
	begin(g, F, 60);
	end(g, F, 60);
	assert_op(F, 1, 1, 0, 0, 0);
}

static void a_return_that_cannot_be_read_is_lost(void **state)
{
	struct goroutine *g = new_goroutines(1);

	(void)state;
	begin(g, F, 10);
	kernel.memory_sz = 0;
	end(g, F, 10);
	assert_int_equal(lost(WIRE_LOSS_OP_UNREAD), 1);
	begin(g, F, 10);
	assert_int_equal(lost(WIRE_LOSS_OP_UNREAD), 2);
	kernel.memory_sz = sizeof(*g);
	begin(g, F, 60); /* deeper than the one that is lost */
	end(g, F, 60);
	assert_op(F, 1, 1, 0, 0, 0);
}

/* A recursion that was under way: none of its calls is an operation, and it is one that began before. */
static void calls_inside_one_from_before_are_none(void **state)
{
	struct goroutine *g = new_goroutines(1);

	(void)state;
	/* At 10 the outer call of F, at 20 and 30 inner ones, at 40 something else. */
	put_frame(g, 10, 0xabc, 0);
	put_frame(g, 20, F_CODE + 8, 10);
	put_frame(g, 30, F_CODE + 8, 20);
	put_frame(g, 40, F_CODE + 8, 30);
	g->stack[WORDS - 50] = 0xdef; /* called by that */
	hit(g, WIRE_PLACE_OP_BEGIN, F, 50, sp_at(g, 41));
	hit(g, WIRE_PLACE_OP_RETURN, F, 50, sp_at(g, 41));
	hit(g, WIRE_PLACE_OP_RETURN, F, 30, sp_at(g, 21));
	hit(g, WIRE_PLACE_OP_BEGIN, F, 30, sp_at(g, 21));
	hit(g, WIRE_PLACE_OP_RETURN, F, 30, sp_at(g, 21));
	hit(g, WIRE_PLACE_OP_RETURN, F, 20, sp_at(g, 11));
	assert_op(F, 0, 0, 0, 0, 0);
	hit(g, WIRE_PLACE_OP_RETURN, F, 10, 0);
	assert_op(F, 0, 0, 0, 0, 1);
	begin(g, F, 10);
	end(g, F, 10);
	assert_op(F, 1, 1, 0, 0, 1);
}

/* On a stack that is too deep to be searched it can't be told; a call that is left out doesn't end one from before. */
static void what_may_be_inside_is_left_out(void **state)
{
	enum { DEEP = 1100 };
	struct goroutine *g = new_goroutines(1);

	(void)state;
	for (u64 i = 1; i <= DEEP; i++)
		put_frame(g, 3 * i, 0xabc, i > 1 ? 3 * (i - 1) : 0);
	hit(g, WIRE_PLACE_OP_BEGIN, F, 3 * DEEP + 3, sp_at(g, 3 * DEEP + 1));
	hit(g, WIRE_PLACE_OP_RETURN, F, 3 * DEEP + 3, sp_at(g, 3 * DEEP + 1));
	assert_op(F, 0, 0, 0, 0, 0);
	assert_int_equal(lost(WIRE_LOSS_OP_DEEP), 1);
	hit(g, WIRE_PLACE_OP_BEGIN, F, 30, sp_at(g, 28));
	hit(g, WIRE_PLACE_OP_RETURN, F, 30, sp_at(g, 28));
	assert_op(F, 1, 1, 0, 0, 0);
}

static void a_g_is_used_again(void **state)
{
	struct goroutine *g = new_goroutines(1);

	(void)state;
	begin(g, F, 10);
	g->goid = 99; /* the one before is gone, and nobody said so */
	begin(g, F, 20);
	end(g, F, 20);
	assert_op(F, 2, 1, 0, 1, 0);
}

static void calls_on_system_stacks_are_left_out(void **state)
{
	struct goroutine *g = new_goroutines(1);

	(void)state;
	g->goid = 0;
	begin(g, F, 10);
	end(g, F, 10);
	assert_op(F, 0, 0, 0, 0, 0);
	assert_int_equal(lost(WIRE_LOSS_OP_UNREAD), 1);
}

/* More goroutines at once than there is room for: counted; their returns are no calls from before. */
static void full_tables_are_told(void **state)
{
	enum { NR = PLACES_MAX + 6 };
	struct goroutine *g = new_goroutines(NR);

	(void)state;
	for (int i = 0; i < NR; i++)
		begin(&g[i], F, 10);
	for (int i = 0; i < NR; i++)
		end(&g[i], F, 10);
	assert_op(F, PLACES_MAX, PLACES_MAX, 0, 0, 0);
	assert_int_equal(lost(WIRE_LOSS_OPS_FULL), 6);
	/* And where it gets crowded there is room again for others. */
	assert_true(kernel_count(&op_goroutines) <= PLACES_MAX / 4 * 3);
	for (int i = NR - 1; i >= 0; i--) {
		begin(&g[i], F, 10);
		end(&g[i], F, 10);
	}
	assert_op(F, PLACES_MAX + NR, PLACES_MAX + NR, 0, 0, 0);
	assert_int_equal(lost(WIRE_LOSS_OPS_FULL), 6);
	assert_int_equal(goroutines_nr, kernel_count(&op_goroutines));
	assert_int_equal(open_ops_nr, kernel_count(&open_ops));
}

/* A stop of the world counts as far as it fell into the operation. */
static void pauses_are_cut_to_the_operation(void **state)
{
	struct goroutine *g = new_goroutines(1);

	(void)state;
	pause_began_ns = 5;
	begin(g, F, 10); /* at 10 */
	paused_ns = 8; /* it ended at 13, */
	pause_began_ns = 0;
	end(g, F, 10); /* before 20 */
	assert_int_equal(op_of(0, F)->pause_ns, 3);
	pause_began_ns = 25;
	begin(g, F, 10); /* at 30, as the world starts again: */
	paused_ns += 4; /* it had ended at 29 */
	pause_began_ns = 0;
	end(g, F, 10);
	assert_int_equal(op_of(0, F)->pause_ns, 3);
}

static int done(void **state)
{
	(void)state;
	kernel_reset();
	free(gs);
	gs = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_outermost_call_counts),
		cmocka_unit_test(what_a_panic_unwinds_is_gone),
		cmocka_unit_test(a_recovery_that_cannot_be_read_is_lost),
		cmocka_unit_test(a_return_that_cannot_be_read_is_lost),
		cmocka_unit_test(calls_inside_one_from_before_are_none),
		cmocka_unit_test(what_may_be_inside_is_left_out),
		cmocka_unit_test(a_g_is_used_again),
		cmocka_unit_test(calls_on_system_stacks_are_left_out),
		cmocka_unit_test(full_tables_are_told),
		cmocka_unit_test(pauses_are_cut_to_the_operation),
	};
	return cmocka_run_group_tests_name("operations in the kernel", tests, NULL, done);
}
