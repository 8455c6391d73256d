/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which cycles are compared with the runtime's count: not the one that ended just as counting began or ended, but any
 * other that is missing shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/gc.h"
#include "proc/proc.h"
#include "session/gc_truth.h"
#include "stream/gc.h"

enum { BEGIN = 10, PAUSES = 1000, PAUSE = 100 };

/* The first so many cycles since counting began. */
static struct gc_stream saw(uint32_t seen, bool may_miss_one)
{
	struct gc_stream gc = { .first_number = BEGIN + 1, .may_miss_one = may_miss_one };

	for (uint32_t i = 0; i < seen; i++) {
		gc.recent[gc.cycles++] = (struct gc_cycle_seen){
			.number = BEGIN + 1 + i, .whole = true, .seen_ns = PAUSE, .pause_ns = PAUSE
		};
		gc.whole_ns += PAUSE;
		gc.last_number = BEGIN + 1 + i;
		gc.last_pause_total_ns = PAUSES + (i + 1) * PAUSE;
	}
	return gc;
}

static struct gc_truth counts(uint32_t counted, bool ending)
{
	static const int something;

	return (struct gc_truth){ .proc = (const struct proc *)(const void *)&something,
				  .begun = true,
				  .exact = true,
				  .ending = ending,
				  .begin = { BEGIN, PAUSES },
				  .end = { BEGIN + counted, PAUSES + counted * PAUSE } };
}

static void compare(uint32_t seen, bool may_miss_one, uint32_t counted, bool ending,
		    uint32_t wanted)
{
	const struct gc_stream gc = saw(seen, may_miss_one);
	const struct gc_truth truth = counts(counted, ending);
	struct model_gc_check check;

	gc_truth_to_check(&truth, &gc, 0, &check);
	assert_true(check.known);
	assert_int_equal(check.gallop_cycles, seen);
	assert_int_equal(check.runtime_cycles, wanted);
	assert_int_equal(check.runtime_pause_ns, wanted * PAUSE);
	assert_int_equal(check.gallop_pause_ns, seen * PAUSE);
}

static void test_all_seen(void **state)
{
	(void)state;
	compare(0, false, 0, false, 0);
	compare(3, false, 3, false, 3);
	compare(3, true, 3, true, 3);
}

static void test_missing_shows(void **state)
{
	(void)state;
	compare(0, false, 1, false, 1);
	compare(3, false, 4, false, 4);
	compare(3, true, 4, false, 4);
	compare(3, false, 5, true, 5);
	compare(0, true, 2, false, 2);
}

static void test_ending(void **state)
{
	(void)state;
	compare(0, false, 1, true, 0);
	compare(3, false, 4, true, 3);
}

static void test_beginning(void **state)
{
	(void)state;
	compare(0, true, 1, false, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_seen),
		cmocka_unit_test(test_missing_shows),
		cmocka_unit_test(test_ending),
		cmocka_unit_test(test_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
