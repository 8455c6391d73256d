/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows of operations: which calls are admitted, when the window is told to be over, and what is cut. As test_op_bpf.c,
 * the kernel's programs on the host.
 */
#define OP_WINDOWS 1

#include <stddef.h>

/* What another CPU does right after this number was added to, once. */
static const volatile void *raced;
static void (*race)(void);

static void run_race(const volatile void *added)
{
	void (*meanwhile)(void) = race;

	if (!meanwhile || added != raced)
		return;
	race = NULL;
	meanwhile();
}

#define __sync_fetch_and_add(p, v)                              \
	({                                                      \
		typeof(*(p)) was_ = __sync_fetch_and_add(p, v); \
		run_race(p);                                    \
		was_;                                           \
	})
#include "op_kernel.h"

static void open_window(u64 admit_hits, u64 max_hits)
{
	window = (struct wire_window){ .number = 1,
				       .stage = WIRE_STAGE_OPS,
				       .admit_hits = admit_hits,
				       .max_hits = max_hits,
				       .admits = 1 };
	kernel.sent = 0;
	race = NULL;
}

/* Is the user side woken, and so often? */
static void assert_woken(size_t nr)
{
	assert_int_equal(kernel.sent, nr);
	assert_int_equal(window.full_ns != 0, nr != 0);
}

static void assert_open(u64 nr)
{
	assert_int_equal(window.open, nr);
}

/* What begins before the hits are over is measured to its end, what begins later leaves no trace. */
static void admission_ends_with_its_hits(void **state)
{
	struct goroutine *g = new_goroutines(4);

	(void)state;
	open_window(3, 1000);
	begin(&g[0], F, 10);
	begin(&g[1], G, 10);
	assert_open(2);
	begin(&g[2], F, 10); /* the third hit */
	begin(&g[3], F, 10);
	assert_open(2);
	assert_int_equal(kernel_count(&op_goroutines), 2);
	end(&g[3], F, 10);
	end(&g[0], F, 10);
	assert_woken(0);
	end(&g[1], G, 10);
	assert_woken(1);
	assert_open(0);
	end(&g[2], F, 10);
	assert_op(F, 1, 1, 0, 0, 0);
	assert_op(G, 1, 1, 0, 0, 0);
	assert_woken(1);
	assert_int_equal(op_of(0, F)->late, 1);
}

/* One that ends while others may still begin isn't the last one. */
static void admission_goes_on_while_none_is_open(void **state)
{
	struct goroutine *g = new_goroutines(1);

	(void)state;
	open_window(1000, 10000);
	for (int i = 0; i < 3; i++) {
		begin(g, F, 10);
		end(g, F, 10);
	}
	assert_op(F, 3, 3, 0, 0, 0);
	assert_woken(0);
	assert_int_equal(op_of(0, F)->late, 0);
	/* The user side has had enough, and sees by itself that there is nothing to wait for. */
	window.admits = 0;
	begin(g, F, 10);
	assert_open(0);
	assert_op(F, 3, 3, 0, 0, 0);
}

/* Where none is open when the hits are over, that is the end. A return is as many hits as it costs. */
static void hits_alone_end_it(void **state)
{
	struct goroutine *g = new_goroutines(1);

	(void)state;
	open_window(1 + WIRE_STEPPED_HITS + 1, 1000);
	begin(g, F, 10);
	end(g, F, 10);
	assert_woken(0);
	begin(g, F, 10);
	assert_woken(1);
	assert_op(F, 1, 1, 0, 0, 0);
}

/* What is open at the last hit is cut: the end that comes later isn't counted. */
static void the_last_hit_cuts(void **state)
{
	struct goroutine *g = new_goroutines(2);

	(void)state;
	open_window(2, 4);
	begin(&g[0], F, 10);
	for (int i = 0; i < 3; i++)
		begin(&g[1], F, 10);
	assert_woken(1);
	end(&g[0], F, 10);
	assert_op(F, 1, 0, 0, 0, 0);
	assert_int_equal(window.hits, 4 + WIRE_STEPPED_HITS);
}

/* Those that will never return are waited for no longer. */
static void those_that_are_gone_are_not_waited_for(void **state)
{
	struct goroutine *g = new_goroutines(3);

	(void)state;
	open_window(4, 1000);
	begin(&g[0], F, 30);
	begin(&g[1], F, 10);
	begin(&g[2], G, 10);
	begin(&g[2], F, 10); /* the last hit of admission */
	recovers(&g[0], 20);
	unwind(&g[1], WIRE_PLACE_OP_GOEXIT);
	assert_woken(0);
	kernel.memory_sz = 0;
	end(&g[2], G, 10); /* can't be read, so it is as if never begun */
	assert_woken(1);
	assert_op(F, 2, 0, 1, 1, 0);
	assert_op(G, 0, 0, 0, 0, 0);
}

static void last_hit_of_admission(void)
{
	begin(&gs[1], G, 10);
}

static void admission_ends_meanwhile(void)
{
	raced = &window.open;
	race = last_hit_of_admission;
}

/* As it begins, admission ends: who ended it has waited for it, so it must wake. It was never there. */
static void one_that_comes_too_late_ends_it(void **state)
{
	struct goroutine *g = new_goroutines(2);

	(void)state;
	open_window(2, 1000);
	admission_ends_meanwhile();
	begin(&g[0], F, 10);
	assert_null(race);
	assert_int_equal(window.admits, 0);
	assert_open(0);
	assert_woken(1);
	end(&g[0], F, 10);
	end(&g[1], G, 10);
	assert_open(0);
	assert_woken(1);
	assert_op(F, 0, 0, 0, 0, 0);
	assert_op(G, 0, 0, 0, 0, 0);
}

/* The same while another is open: that one is waited for. */
static void one_that_comes_too_late_is_not_the_last(void **state)
{
	struct goroutine *g = new_goroutines(3);

	(void)state;
	open_window(3, 1000);
	begin(&g[2], F, 10);
	admission_ends_meanwhile();
	begin(&g[0], F, 10);
	assert_null(race);
	assert_int_equal(window.admits, 0);
	assert_open(1);
	assert_woken(0);
	end(&g[0], F, 10);
	assert_open(1);
	assert_woken(0);
	end(&g[2], F, 10);
	assert_woken(1);
	assert_op(F, 1, 1, 0, 0, 0);
	assert_op(G, 0, 0, 0, 0, 0);
}

/* Calls inside others are seen; what was under way before the window is none. */
static void inner_calls_are_counted(void **state)
{
	struct goroutine *g = new_goroutines(1);

	(void)state;
	open_window(1000, 10000);
	put_frame(g, 10, 0xabc, 0);
	put_frame(g, 20, F_CODE + 8, 10);
	hit(g, WIRE_PLACE_OP_BEGIN, F, 30, sp_at(g, 21)); /* of one from before */
	assert_int_equal(op_of(1, F)->nested, 0);
	assert_int_equal(op_of(0, F)->nested, 1);
	hit(g, WIRE_PLACE_OP_RETURN, F, 30, sp_at(g, 21));
	hit(g, WIRE_PLACE_OP_RETURN, F, 10, 0);
	begin(g, F, 10);
	begin(g, F, 30);
	end(g, F, 30);
	end(g, F, 10);
	assert_op(F, 1, 1, 0, 0, 0);
	assert_int_equal(op_of(0, F)->nested, 2);
}

/* Without a window hits cost, and tell nothing. */
static void nothing_is_seen_without_a_window(void **state)
{
	struct goroutine *g = new_goroutines(1);

	(void)state;
	open_window(1000, 10000);
	window.stage = WIRE_STAGE_CLOSED;
	begin(g, F, 10);
	end(g, F, 10);
	unwind(g, WIRE_PLACE_OP_GOEXIT);
	assert_int_equal(window.hits, 0);
	assert_int_equal(kernel_count(&op_goroutines), 0);
	assert_op(F, 0, 0, 0, 0, 0);
	assert_int_equal(cpu_stats_here()->group_hits[WIRE_GROUP_OP_WINDOW], 2);
	assert_int_equal(cpu_stats_here()->group_hits[WIRE_GROUP_OP_RETURNS], 1);
}

/* Before counting begins, and after it ended, hits cost as much; a window that is open is for none of them. */
static void behind_a_closed_gate_hits_only_cost(void **state)
{
	struct goroutine *g = new_goroutines(1);

	(void)state;
	open_window(2, 4);
	gate = 0;
	for (int i = 0; i < 3; i++) {
		begin(g, F, 10);
		end(g, F, 10);
	}
	assert_int_equal(cpu_stats_here()->group_hits[WIRE_GROUP_OP_WINDOW], 3);
	assert_int_equal(cpu_stats_here()->group_hits[WIRE_GROUP_OP_RETURNS], 3);
	unwind(g, WIRE_PLACE_OP_GOEXIT);
	assert_int_equal(window.hits, 0);
	assert_int_equal(window.admits, 1);
	assert_open(0);
	assert_woken(0);
	assert_int_equal(kernel_count(&op_goroutines), 0);
	assert_op(F, 0, 0, 0, 0, 0);
}

/* How often each is called, whatever windows do. */
static void entries_are_counted_always(void **state)
{
	struct goroutine *g = new_goroutines(1);
	struct pt_regs regs = { .r14 = (u64)g, .sp = sp_at(g, 10) };

	(void)state;
	window.stage = WIRE_STAGE_CLOSED;
	ops_half = 1;
	ration_left = 2;
	kernel.sent = 0;
	kernel.cookie = WIRE_COOKIE(WIRE_PLACE_OP_BEGIN, WIRE_F_OP(G), F_CODE);
	for (int i = 0; i < 3; i++)
		on_op_call(&regs);
	assert_int_equal(op_of(0, G)->entries, 3);
	assert_int_equal(op_of(0, F)->entries, 0);
	assert_int_equal(cpu_stats_here()->group_hits[WIRE_GROUP_OP_CALLS], 3);
	assert_int_equal(kernel.sent, 1); /* the second used up what they may cost */
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
		cmocka_unit_test(admission_ends_with_its_hits),
		cmocka_unit_test(admission_goes_on_while_none_is_open),
		cmocka_unit_test(hits_alone_end_it),
		cmocka_unit_test(the_last_hit_cuts),
		cmocka_unit_test(those_that_are_gone_are_not_waited_for),
		cmocka_unit_test(one_that_comes_too_late_ends_it),
		cmocka_unit_test(one_that_comes_too_late_is_not_the_last),
		cmocka_unit_test(inner_calls_are_counted),
		cmocka_unit_test(nothing_is_seen_without_a_window),
		cmocka_unit_test(behind_a_closed_gate_hits_only_cost),
		cmocka_unit_test(entries_are_counted_always),
	};
	return cmocka_run_group_tests_name("windows of operations in the kernel", tests, NULL,
					   done);
}
