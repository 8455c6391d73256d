/* SPDX-License-Identifier: BSD-2-Clause */
/* For how long windows could have begun, where that can be told by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "estimate/inclusion.h"

enum { EVENTS_MAX = 4096 };

#define HIT_S 5e-6

static struct inclusion_event v[EVENTS_MAX];
static size_t nr;

/* The first stage is from 0 to 25 ms, the second begins after it. */
static struct inclusion_window window(double length_s, double max_hits)
{
	return (struct inclusion_window){ .attach_s = 0.025,
					  .open_s = 0.025,
					  .end_s = 0.025 + length_s,
					  .length_s = length_s,
					  .skip_s = 0.3 * length_s,
					  .max_hits = max_hits,
					  .skip_hits = 0.3 * max_hits,
					  .hit_s = HIT_S,
					  .hits_per_object = 1 };
}

static void add(double at_s, double objects)
{
	v[nr] = (struct inclusion_event){ .at_s = at_s, .objects = objects, .id = nr };
	nr++;
}

/* From the last event back: events come in any order. */
static struct inclusion_event *hit(size_t from_end)
{
	return &v[nr - 1 - from_end];
}

static void near(double got, double want, double part)
{
	if (!(fabs(got - want) <= part * want))
		fail_msg("%g, not %g", got, want);
}

/* An object each 10 us, and a hit each 15: so all along. Each stands for the same, and all for the rate. */
static void steady(void **state)
{
	struct inclusion_window w = window(0.015, 1000);
	double sum = 0;

	(void)state;
	nr = 0;
	for (int i = 1; i <= 1000; i++)
		add(0.025 + i * 15e-6, 0);
	for (int i = 1; i <= 25; i++)
		add(i * 1e-3, 100);
	assert_int_equal(inclusion_of(&w, v, nr), 0);
	assert_int_equal(w.began, ESTIMATE_BEGAN_AT_WORK);
	for (size_t i = 0; i < 600; i++) {
		near(hit(i)->could_s, hit(0)->could_s, 0.1);
		sum += 1 / hit(i)->could_s;
	}
	near(sum, 100e3 * 600 / 700, 0.1);
}

/* A burst in the middle of a long window: whenever it began, but for what is thrown away. */
static void after_a_rest(void **state)
{
	struct inclusion_window w = window(0.020, 1000);

	(void)state;
	nr = 0;
	for (int i = 1; i <= 200; i++)
		add(0.035 + i * 6e-6, 0);
	assert_int_equal(inclusion_of(&w, v, nr), 0);
	assert_int_equal(w.began, ESTIMATE_BEGAN_IN_REST);
	for (size_t i = 0; i < nr; i++)
		near(v[i].could_s, 0.7 * 0.020, 0.05);
}

/* Of one that fills it, what comes late is met by those that began in it as well, and by fewer of those that did before. */
static void burst_that_is_cut(void **state)
{
	struct inclusion_window w = window(0.020, 1000);

	(void)state;
	nr = 0;
	for (int i = 1; i <= 1000; i++)
		add(0.035 + i * 6e-6, 0);
	w.end_s = 0.035 + 1000 * 6e-6;
	assert_int_equal(inclusion_of(&w, v, nr), 0);
	assert_int_equal(w.began, ESTIMATE_BEGAN_IN_REST_CUT);
	near(hit(999)->could_s, 0.014, 0.05);
	/* Its 300 hits are enough to be thrown away, and the 6 ms before it as much too late for the end. */
	near(hit(0)->could_s, 0.014, 0.2);
}

/* One that began in a burst can't have begun long before. */
static void in_a_burst(void **state)
{
	struct inclusion_window w = window(0.020, 1000);

	(void)state;
	nr = 0;
	/* 1 ms with an object each us is before it. */
	for (int i = 1; i <= 20; i++)
		add(0.024 + i * 50e-6, 50);
	for (int i = 1; i <= 1000; i++)
		add(0.025 + i * 6e-6, 0);
	w.end_s = 0.031;
	assert_int_equal(inclusion_of(&w, v, nr), 0);
	assert_int_equal(w.began, ESTIMATE_BEGAN_AT_WORK);
	near(hit(0)->could_s, 0.7e-3, 0.2);
}

/* Recordings of nothing that can be: the answer is a time. */
static void absurd(void **state)
{
	static const double odd[] = { 0, 1e-9, -1, 1e10, -1e10 };
	const size_t odd_nr = sizeof(odd) / sizeof(odd[0]);

	(void)state;
	srand(1);
#define ODD() odd[(size_t)rand() % odd_nr]
	for (int i = 0; i < 2000; i++) {
		struct inclusion_window w = window(0.01, 100);
		double *const numbers[] = { &w.refills_s,      &w.attach_s,  &w.open_s,
					    &w.end_s,	       &w.length_s,  &w.skip_s,
					    &w.max_hits,       &w.skip_hits, &w.hit_s,
					    &w.hits_per_object };
		*numbers[i % 10] = ODD();
		nr = 0;
		for (int k = 0; k < i % 50; k++)
			add(k % 7 ? k * 1e-3 : ODD(), k % 3 ? 0 : k % 5 ? k : ODD());
		assert_int_equal(inclusion_of(&w, v, nr), 0);
		for (size_t k = 0; k < nr; k++)
			assert_true(v[k].objects > 0 || v[k].could_s > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steady),
		cmocka_unit_test(after_a_rest),
		cmocka_unit_test(burst_that_is_cut),
		cmocka_unit_test(in_a_burst),
		cmocka_unit_test(absurd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
