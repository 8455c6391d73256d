/* SPDX-License-Identifier: BSD-2-Clause */
/* Snapshots that share what they have in common: they must show what others show that share nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden.h"
#include "sample.h"
#include "sample_gc.h"
#include "sample_heap.h"
#include "sample_map_ops.h"
#include "sample_op_calls.h"
#include "sample_samples.h"

static void free_cache(struct snapshot_cache **c)
{
	snapshot_cache_free(*c);
}

#define _cache_ _cleanup_(free_cache) struct snapshot_cache

/* All that outputs say: text of all rows with their stacks, and JSON. */
static void assert_same(const struct snapshot *a, const struct snapshot *b)
{
	static const char *const formats[] = { "json", "text", "collapsed" };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		render_fn *render = renderer_find(formats[i])->render;
		_cleanup_free_ char *x = rendered(render, a,
						  (struct render_opts){ .stacks = true });
		_cleanup_free_ char *y = rendered(render, b,
						  (struct render_opts){ .stacks = true });

		assert_string_equal(x, y);
	}
}

static void assert_same_span(const struct model *m, struct snapshot_cache *cache,
			     struct snapshot_opts opts)
{
	_snapshot_ *alone = take(m, opts);

	opts.cache = cache;
	_snapshot_ *shared = take(m, opts);
	assert_same(alone, shared);
}

/* Both spans, in both orders: what an interval has made must not be all that the whole finds. */
static void assert_same_spans(const struct model *m, struct snapshot_cache *cache)
{
	for (int o = 0; o < 16; o++)
		assert_same_span(m, cache,
				 (struct snapshot_opts){ .interval = !(o & 1) != !(o & 8),
							 .places = o & 2,
							 .runtime_frames = o & 4,
							 .sort = o & 4 ? SNAPSHOT_OBJECTS
								       : SNAPSHOT_BYTES });
}

static void check_tick(struct model *m, uint64_t from_ns, uint64_t to_ns, void *ctx)
{
	(void)from_ns;
	(void)to_ns;
	assert_same_spans(m, ctx);
}

static void both_spans_show_the_same(void **state)
{
	_cache_ *cache = snapshot_cache_new();
	struct sample_heap_tick heap = { check_tick, cache, 0 };
	struct sample_maps_tick maps = { sample_heap_tick, &heap };
	struct sample_gc gc = { sample_maps_tick, &maps };

	(void)state;
	_model_ *m = sample_model(4, sample_gc_tick, &gc);
	/* With nothing new all of it comes from the cache. */
	assert_same_spans(m, cache);
}

static void operations_show_the_same(void **state)
{
	_cache_ *cache = snapshot_cache_new();
	struct sample_op_tick ops = { check_tick, cache };

	(void)state;
	_model_ *m = sample_model(3, sample_op_tick, &ops);
	assert_same_spans(m, cache);
}

static void estimates_show_the_same(void **state)
{
	_cache_ *cache = snapshot_cache_new();

	(void)state;
	_model_ *m = sampled_model(4, check_tick, cache);
	assert_same_spans(m, cache);
}

/* Another model of the same size must not be taken for the first. */
static void models_are_told_apart(void **state)
{
	_cache_ *cache = snapshot_cache_new();
	_model_ *a = new_model(), *b = new_model();

	(void)state;
	sample_add(a, sample_stack(a, "main.f;main.main", false), "int", 1, 1, 8);
	sample_add(b, sample_stack(b, "main.g;main.main", false), "int", 1, 1, 8);
	assert_same_spans(a, cache);
	assert_same_spans(b, cache);
	assert_same_spans(a, cache);
}

static struct snapshot *take_from(const struct model *m, struct snapshot_cache *cache,
				  bool interval)
{
	return take(m, (struct snapshot_opts){ .interval = interval, .cache = cache });
}

/* This is what it is for: an interval that comes after the whole has its stacks, until there is a new one. */
static void stacks_are_shared_until_there_is_a_new_one(void **state)
{
	_cache_ *cache = snapshot_cache_new();
	_model_ *m = new_model();

	(void)state;
	sample_add(m, sample_stack(m, "main.f;main.main", false), "int", 1, 1, 8);
	model_next_interval(m, 1);
	sample_add(m, sample_stack(m, "main.g;main.main", false), "int", 1, 1, 16);
	_snapshot_ *whole = take_from(m, cache, false);
	_snapshot_ *interval = take_from(m, cache, true);
	assert_int_equal(whole->sites_nr, 2);
	assert_int_equal(interval->sites_nr, 1);
	assert_ptr_equal(interval->sites[0].stack, whole->sites[0].stack);
	sample_add(m, sample_stack(m, "main.h;main.main", false), "int", 1, 1, 4);
	_snapshot_ *later = take_from(m, cache, false);
	assert_int_equal(later->sites_nr, 3);
	assert_ptr_not_equal(later->sites[0].stack, whole->sites[0].stack);
}

/* A frame of the live view is there for longer than what it was made from. */
static void snapshots_outlive_cache_and_model(void **state)
{
	struct snapshot_cache *cache = snapshot_cache_new();
	struct model *m = sample_model(2, NULL, NULL);

	(void)state;
	_snapshot_ *whole = take_from(m, cache, false);
	_snapshot_ *interval = take_from(m, cache, true);
	_snapshot_ *alone = take_from(m, NULL, true);
	snapshot_cache_free(cache);
	model_free(m);
	assert_same(alone, interval);
	assert_true(whole->total.bytes > interval->total.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_spans_show_the_same),
		cmocka_unit_test(operations_show_the_same),
		cmocka_unit_test(estimates_show_the_same),
		cmocka_unit_test(models_are_told_apart),
		cmocka_unit_test(stacks_are_shared_until_there_is_a_new_one),
		cmocka_unit_test(snapshots_outlive_cache_and_model),
	};
	return cmocka_run_group_tests_name("snapshot_cache", tests, NULL, NULL);
}
