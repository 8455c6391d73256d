/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Go's maps take. The sizes are those of the runtime's own tables, worked out by hand; that they are
 * what a program really takes is tests/live/maps.t's business.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "gobin/maptable.h"

/* map[int]int: 8 + 8 * 16 bytes of slots (+ 8 for the overflow pointer). */
static const struct go_map_shape classic = { .noscan = true, .unit_bytes = 144 };
static const struct go_map_shape swiss = {
	.swiss = true, .noscan = true, .malloc_headers = true, .unit_bytes = 136
};

static void test_alloc_size(void **state)
{
	(void)state;
	assert_int_equal(go_alloc_size(0, true, true), 0);
	assert_int_equal(go_alloc_size(1, true, true), 8);
	assert_int_equal(go_alloc_size(24, false, true), 24);
	assert_int_equal(go_alloc_size(25, true, true), 32);
	assert_int_equal(go_alloc_size(512, false, true), 512);
	assert_int_equal(go_alloc_size(513, false, false), 576);
	/* The header makes it a class larger, but only where there are pointers. */
	assert_int_equal(go_alloc_size(576, false, true), 640);
	assert_int_equal(go_alloc_size(576, true, true), 576);
	assert_int_equal(go_alloc_size(576, false, false), 576);
	/* Pages of 8 KiB from here on. */
	assert_int_equal(go_alloc_size(32760, false, true), 32768);
	assert_int_equal(go_alloc_size(32768, false, false), 32768);
	assert_int_equal(go_alloc_size(32769, true, false), 40960);
	assert_int_equal(go_alloc_size(40961, false, true), 49152);
	assert_true(go_alloc_size(UINT64_MAX, true, true) == UINT64_MAX);
}

static void test_classic_bytes(void **state)
{
	struct go_map_shape scan = { .malloc_headers = true, .unit_bytes = 272 };

	(void)state;
	assert_int_equal(go_map_bytes_for(&classic, 0), 144);
	assert_int_equal(go_map_bytes_for(&classic, 8), 144);
	assert_int_equal(go_map_bytes_for(&classic, 9), 288);
	assert_int_equal(go_map_bytes_for(&classic, 13), 288);
	assert_int_equal(go_map_bytes_for(&classic, 14), 576);
	/* B = 4: 17 buckets are 2448 bytes, of which 2688 are taken: 18 buckets, 2592. */
	assert_int_equal(go_map_bytes_for(&classic, 104), 2688);
	/* B = 18: 278528 buckets. */
	assert_int_equal(go_map_bytes_for(&classic, 1000000), 40108032);
	/* B = 3: 8 * 272 = 2176, with a header 2184: class 2304. */
	assert_int_equal(go_map_bytes_for(&scan, 50), 2304);
	/* B = 4: 17 * 272 = 4624, class 4864 less the header is still 17: 4632. */
	assert_int_equal(go_map_bytes_for(&scan, 100), 4864);
}

/* Go 1.21's source says 8 * 13 / 16 in integers. */
static void test_load_six(void **state)
{
	struct go_map_shape six = classic;

	(void)state;
	six.load_six = true;
	assert_int_equal(go_map_growths_for(&classic, 13), 1);
	assert_int_equal(go_map_growths_for(&six, 13), 2);
	assert_int_equal(go_map_growths_for(&six, 12), 1);
	assert_int_equal(go_map_bytes_for(&six, 13), 576);
}

static void test_classic_growths(void **state)
{
	(void)state;
	assert_int_equal(go_map_growths_for(&classic, 0), 0);
	assert_int_equal(go_map_growths_for(&classic, 8), 0);
	assert_int_equal(go_map_growths_for(&classic, 9), 1);
	assert_int_equal(go_map_growths_for(&classic, 52), 3);
	assert_int_equal(go_map_growths_for(&classic, 1000000), 18);
	assert_int_equal(go_map_grown_bytes_for(&classic, 8), 0);
	assert_int_equal(go_map_grown_bytes_for(&classic, 14), 144 + 288);
}

static void test_swiss_bytes(void **state)
{
	(void)state;
	assert_int_equal(go_map_bytes_for(&swiss, 0), 144);
	assert_int_equal(go_map_bytes_for(&swiss, 8), 144);
	/* 16 slots: the directory of one, the table, two groups of 136. */
	assert_int_equal(go_map_bytes_for(&swiss, 9), 8 + 32 + 288);
	assert_int_equal(go_map_bytes_for(&swiss, 14), 8 + 32 + 288);
	assert_int_equal(go_map_bytes_for(&swiss, 15), 8 + 32 + 576);
	assert_int_equal(go_map_bytes_for(&swiss, 896), 8 + 32 + 18432);
	/* 1025 slots: two tables of 512 each. */
	assert_int_equal(go_map_bytes_for(&swiss, 897), 16 + 2 * (32 + 9472));
	/* The directory has pointers, and so a header: 16384 bytes take 18432. */
	assert_int_equal(go_map_bytes_for(&swiss, 1000000), 18432 + 2048 * (32 + 18432));
}

static void test_swiss_growths(void **state)
{
	uint64_t small = 144 + 32 + 288 + 32 + 576; /* one group, 16 slots, 32 slots */

	(void)state;
	assert_int_equal(go_map_growths_for(&swiss, 8), 0);
	assert_int_equal(go_map_growths_for(&swiss, 9), 1);
	assert_int_equal(go_map_growths_for(&swiss, 14), 1);
	assert_int_equal(go_map_growths_for(&swiss, 15), 2);
	assert_int_equal(go_map_growths_for(&swiss, 896), 7);
	assert_int_equal(go_map_growths_for(&swiss, 957), 8); /* one split */
	/* 976 in each of 1024 tables is too much for all of them. */
	assert_int_equal(go_map_growths_for(&swiss, 1000000), 7 + 2047);
	assert_int_equal(go_map_grown_bytes_for(&swiss, 8), 0);
	assert_int_equal(go_map_grown_bytes_for(&swiss, 9), 144);
	assert_int_equal(go_map_grown_bytes_for(&swiss, 29), small);
	/* Between, some have split: never fewer tables than it takes, never twice as many. */
	for (uint64_t n = 897; n < 200000; n += 97) {
		uint64_t tables = go_map_growths_for(&swiss, n) - 6;
		assert_true(tables * 956 >= n && tables * 896 < 2 * n);
	}
}

/* More never takes less, and nothing that is asked hangs or divides by zero. */
static void test_extremes(void **state)
{
	const struct go_map_shape shapes[] = {
		classic,
		swiss,
		{ .unit_bytes = 1 },
		{ .swiss = true, .unit_bytes = 65535 },
		{ .unit_bytes = 65535, .malloc_headers = true },
	};
	struct go_map_shape unknown = classic;

	(void)state;
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		uint64_t bytes = 0, growths = 0;
		for (int bit = 0; bit < 64; bit++) {
			uint64_t n = (uint64_t)1 << bit;
			assert_true(go_map_bytes_for(&shapes[s], n) >= bytes);
			assert_true(go_map_growths_for(&shapes[s], n) >= growths);
			bytes = go_map_bytes_for(&shapes[s], n);
			growths = go_map_growths_for(&shapes[s], n);
		}
		assert_true(bytes > 0);
		assert_true(go_map_bytes_for(&shapes[s], UINT64_MAX) == bytes);
	}
	unknown.unit_bytes = 0;
	assert_int_equal(go_map_bytes_for(&unknown, 100), 0);
	assert_int_equal(go_map_grown_bytes_for(&unknown, 100), 0);
	unknown.unit_bytes = 65536;
	assert_int_equal(go_map_bytes_for(&unknown, 100), 0);
	assert_int_equal(go_map_buckets_bytes(&classic, 255), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc_size),  cmocka_unit_test(test_classic_bytes),
		cmocka_unit_test(test_load_six),    cmocka_unit_test(test_classic_growths),
		cmocka_unit_test(test_swiss_bytes), cmocka_unit_test(test_swiss_growths),
		cmocka_unit_test(test_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
