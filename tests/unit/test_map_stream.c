/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of maps that the kernel follows, with a kernel and a memory that are made up here: what
 * each test says is all that they have.
 */
#include "sample.h"

#include <errno.h>

#include "bpf/wire.h"
#include "probe/probe.h"
#include "proc/gomap.h"
#include "stream/maps.h"
#include "symbol/symbol.h"

enum { S = SAMPLE_S, TYP = 0x5000, MAKE = 100, FILL, DELETE, CLEAR };

static struct {
	struct {
		struct wire_map_key key;
		struct wire_map_site count;
	} sites[8];
	struct {
		uint64_t addr;
		struct wire_map map;
	} maps[4];
	size_t sites_nr, maps_nr;
	uint64_t
		used_meanwhile; /* a map that the program used between two looks of ours, by its address */
} kernel;

static struct gomap memory[4];
static size_t memory_nr;

int probe_each_map_site(struct probe *probe,
			int (*fn)(const struct wire_map_key *key, const struct wire_map_site *site,
				  void *ctx),
			void *ctx)
{
	int rc = 0;

	(void)probe;
	for (size_t i = 0; !rc && i < kernel.sites_nr; i++)
		rc = fn(&kernel.sites[i].key, &kernel.sites[i].count, ctx);
	return rc;
}

int probe_each_map(struct probe *probe,
		   int (*fn)(uint64_t addr, const struct wire_map *map, void *ctx), void *ctx)
{
	int rc = 0;

	(void)probe;
	for (size_t i = 0; !rc && i < kernel.maps_nr; i++)
		rc = fn(kernel.maps[i].addr, &kernel.maps[i].map, ctx);
	return rc;
}

int probe_get_map(struct probe *probe, uint64_t addr, struct wire_map *ret)
{
	(void)probe;
	for (size_t i = 0; i < kernel.maps_nr; i++) {
		if (kernel.maps[i].addr != addr)
			continue;
		*ret = kernel.maps[i].map;
		ret->state += WIRE_MAP_STATE(0, kernel.used_meanwhile == addr);
		return 0;
	}
	return -ENOENT;
}

int probe_drop_map(struct probe *probe, uint64_t addr, const struct wire_map *seen)
{
	struct wire_map now;
	int rc = probe_get_map(probe, addr, &now);

	if (rc || memcmp(&now, seen, sizeof(now)))
		return rc ? rc : -EAGAIN;
	for (size_t i = 0; i < kernel.maps_nr; i++)
		if (kernel.maps[i].addr == addr)
			kernel.maps[i] = kernel.maps[--kernel.maps_nr];
	return 0;
}

int gomap_shape(const struct gomap_reader *r, uint64_t typ_addr, struct go_map_shape *ret)
{
	(void)r;
	*ret = (struct go_map_shape){ .swiss = true, .noscan = true, .unit_bytes = 136 };
	return typ_addr == TYP ? 0 : -EINVAL;
}

int gomap_read(const struct gomap_reader *r, struct gomap *maps, size_t nr)
{
	(void)r;
	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; k < memory_nr; k++)
			if (memory[k].addr == maps[i].addr)
				maps[i] = memory[k];
	return 0;
}

int64_t symbolizer_type(struct symbolizer *sym, uint64_t addr, uint64_t load_bias)
{
	(void)addr, (void)load_bias;
	return model_type((struct model *)sym, "map[int]int");
}

static struct model *model;

static int64_t stack(uint64_t hash, void *ctx)
{
	static const char *const specs[] = { "main.make;main.main", "main.fill;main.main",
					     "main.delete;main.main", "main.clear;main.main" };

	(void)ctx;
	return sample_stack(model, specs[hash - MAKE], false);
}

/* --- a session -------------------------------------------------------------------------------- */

static struct map_stream *ms;
static bool last; /* the session ends */

static int begin(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	memory_nr = 0;
	last = false;
	model = new_model();
	const struct map_stream_opts opts = { .symbolizer = (struct symbolizer *)model,
					      .model = model,
					      .stack = stack };
	assert_int_equal(map_stream_new(&opts, &ms), 0);
	static struct gomap_reader reader;
	map_stream_set_reader(ms, &reader);
	model_maps_counted(model, true);
	return 0;
}

static int end(void **state)
{
	(void)state;
	map_stream_free(ms);
	model_free(model);
	return 0;
}

static struct wire_map_site *kernel_site(uint64_t hash, uint64_t typ)
{
	kernel.sites[kernel.sites_nr].key = (struct wire_map_key){ hash, typ };
	return &kernel.sites[kernel.sites_nr++].count;
}

/* A map of ours that is followed and alike in memory. */
static struct wire_map *kernel_map(uint64_t addr, uint64_t entries, uint32_t last_op)
{
	struct wire_map *m = &kernel.maps[kernel.maps_nr].map;

	kernel.maps[kernel.maps_nr++].addr = addr;
	*m = (struct wire_map){ .typ = TYP,
				.seed = addr + 1,
				.made_stack = MAKE,
				.first_ns = S,
				.last_ns = 2 * S,
				.count = entries,
				.peak = entries,
				.fill_peak = entries,
				.state = WIRE_MAP_STATE(last_op, 1000) };
	memory[memory_nr++] = (struct gomap){ .addr = addr,
					      .shape = { .swiss = true, .unit_bytes = 136 },
					      .state = HEAP_OBJECT,
					      .known = true,
					      .seed = addr + 1,
					      .entries = entries,
					      .bytes = 5000 };
	return m;
}

static void see(void)
{
	assert_int_equal(map_stream_see(ms), 0);
	assert_int_equal(map_stream_take(ms, 0, 3 * (uint64_t)S, last), 0);
}

static struct snapshot *snapshot(void)
{
	see();
	return take(model, (struct snapshot_opts){ 0 });
}

static const struct snapshot_map_site *site(const struct snapshot *s, const char *func)
{
	for (size_t i = 0; i < s->maps.sites_nr; i++)
		if (!strcmp(s->maps.sites[i].stack->frames[0]->func, func))
			return &s->maps.sites[i];
	fail_msg("no site %s", func);
	return NULL;
}

/* --- tests ------------------------------------------------------------------------------------ */

/* The effect of a delete shows at the next operation; where none comes, memory tells. */
static void test_last_delete(void **state)
{
	(void)state;
	kernel_site(DELETE, TYP)->deletes = 4;
	kernel.sites[0].count.removed = 3;
	kernel_map(0xc000, 7, WIRE_PLACE_MAP_DELETE)->last_stack = DELETE;

	struct snapshot *s = snapshot();
	assert_int_equal(site(s, "main.delete")->counts.removed, 3); /* the key was not there */
	snapshot_free(s);

	memory[0].entries = 6;
	kernel.used_meanwhile = 0xc000;
	s = snapshot();
	assert_int_equal(site(s, "main.delete")->counts.removed, 3); /* by whom isn't certain */
	snapshot_free(s);

	kernel.used_meanwhile = 0;
	s = snapshot();
	assert_int_equal(site(s, "main.delete")->counts.removed, 4);
	snapshot_free(s);

	/* The next operation came, and the kernel has counted it itself: once is enough. */
	kernel.sites[0].count.removed = 4;
	kernel.maps[0].map.count = 6;
	kernel.maps[0].map.state = WIRE_MAP_STATE(WIRE_PLACE_MAP_ASSIGN, 1001);
	s = snapshot();
	assert_int_equal(site(s, "main.delete")->counts.removed, 4);
	snapshot_free(s);
}

/* The delete that empties a map gives it a new seed. */
static void test_drained_at_rest(void **state)
{
	(void)state;
	kernel_site(DELETE, TYP)->deletes = 50;
	kernel.sites[0].count.removed = 49;
	struct wire_map *m = kernel_map(0xc000, 1, WIRE_PLACE_MAP_DELETE);
	m->last_stack = DELETE;
	m->run = 49;
	m->iter_entries = 50;
	m->peak = m->fill_peak = 50;
	memory[0].entries = 0;
	memory[0].seed = 12345;

	struct snapshot *s = snapshot();
	const struct snapshot_map_site *d = site(s, "main.delete");
	assert_int_equal(d->counts.removed, 50);
	assert_int_equal(d->counts.drains, 1);
	assert_int_equal(d->counts.drain_loops, 1);
	assert_int_equal(d->counts.emptied, 1);
	assert_int_equal(d->counts.emptied_entries, 50);
	assert_int_equal(d->emptied.maps, 1);
	assert_int_equal(d->retained_bytes, 5000);
	snapshot_free(s);
}

/* What the kernel saw when marking ended is told once, wherever the map is by now. */
static void test_verdicts(void **state)
{
	(void)state;
	kernel_site(DELETE, TYP)->deletes = 3;
	kernel_site(MAKE, TYP)->makes = 3;
	kernel_map(0xc000, 5, WIRE_MAP_REMOVED)->last_stack = DELETE;
	kernel_map(0xd000, 5, WIRE_MAP_ABSENT)->last_stack = DELETE;
	kernel_map(0xe000, 5, WIRE_MAP_ADDED);
	for (int i = 0; i < 3; i++)
		memory[i].state = HEAP_FREE, memory[i].known = false;

	last = true;
	for (int i = 0; i < 2; i++) {
		struct snapshot *s = snapshot();
		assert_int_equal(site(s, "main.delete")->counts.removed, 1);
		assert_int_equal(s->maps.total.unsettled, 0);
		assert_int_equal(site(s, "main.make")->counts.made_entries, 16);
		assert_int_equal(site(s, "main.make")->counts.entries_max, 6);
		snapshot_free(s);
	}
}

/* What no one can say any more is told, and only in the end. */
static void test_unsettled(void **state)
{
	(void)state;
	kernel_site(DELETE, TYP)->deletes = 4;
	kernel_map(0xc000, 3, WIRE_PLACE_MAP_DELETE)->last_stack = DELETE;
	kernel_map(0xd000, 3, WIRE_PLACE_MAP_DELETE)->last_stack = DELETE;
	memory[0].known = false;

	struct snapshot *s = snapshot();
	assert_int_equal(s->maps.total.unsettled, 0);
	snapshot_free(s);
	last = true;
	s = snapshot();
	assert_int_equal(site(s, "main.delete")->counts.unsettled, 1);
	assert_int_equal(s->maps.total.removed, 0);
	snapshot_free(s);
}

/* What is gone adds up for good, once. */
static void test_gone(void **state)
{
	(void)state;
	kernel_site(MAKE, TYP)->makes = 2;
	kernel_site(CLEAR, TYP)->clears = 1;
	kernel_map(0xc000, 300, WIRE_PLACE_MAP_ASSIGN)->growths = 5;
	struct wire_map *m = kernel_map(0xd000, 40, WIRE_PLACE_MAP_ASSIGN);
	m->emptied_stack = CLEAR;
	m->emptied_peak = 200; /* not alike */
	m->growths = 2;

	struct snapshot *s = snapshot();
	assert_int_equal(site(s, "main.make")->counts.made_entries, 340);
	assert_int_equal(site(s, "main.make")->made.maps, 2);
	assert_int_equal(site(s, "main.clear")->counts.refills, 0); /* it may still be filled */
	snapshot_free(s);

	memory[1].state = HEAP_FREE;
	for (int i = 0; i < 3; i++) {
		s = snapshot();
		assert_int_equal(kernel.maps_nr, 1);
		assert_int_equal(site(s, "main.make")->counts.made_entries, 340);
		assert_int_equal(site(s, "main.make")->counts.made_growths, 7);
		assert_int_equal(site(s, "main.make")->counts.entries_max, 300);
		assert_int_equal(site(s, "main.make")->made.maps, 1);
		assert_int_equal(site(s, "main.clear")->counts.refills, 1);
		assert_int_equal(site(s, "main.clear")->counts.refills_alike, 0);
		assert_int_equal(site(s, "main.clear")->counts.refilled_entries, 40);
		snapshot_free(s);
	}
}

/* Another object is where a map was; one that came meanwhile is followed on. */
static void test_replaced(void **state)
{
	(void)state;
	kernel_site(MAKE, TYP)->makes = 2;
	kernel_map(0xc000, 300, WIRE_PLACE_MAP_ASSIGN);
	kernel_map(0xd000, 30, WIRE_PLACE_MAP_ASSIGN);
	memory[0].seed = memory[1].seed = 99;
	kernel.used_meanwhile = 0xd000;

	struct snapshot *s = snapshot();
	assert_int_equal(kernel.maps_nr, 1);
	assert_int_equal(site(s, "main.make")->made.maps, 0);
	assert_int_equal(s->maps.held.maps, 0);
	assert_int_equal(site(s, "main.make")->counts.made_entries, 330);
	snapshot_free(s);
}

/* A map on a goroutine's stack holds what of its tables is on the heap. */
static void test_on_stack(void **state)
{
	(void)state;
	kernel_site(FILL, TYP)->assigns = 5;
	kernel_map(0xc000, 5, WIRE_PLACE_MAP_ASSIGN)->made_stack = 0;
	memory[0].state = HEAP_STACK;
	memory[0].bytes = 0;

	struct snapshot *s = snapshot();
	assert_int_equal(kernel.maps_nr, 1);
	assert_int_equal(s->maps.held.maps, 0);
	assert_int_equal(site(s, "main.fill")->counts.assigns, 5);
	snapshot_free(s);

	memory[0].bytes = 4096;
	s = snapshot();
	assert_int_equal(s->maps.held.bytes, 4096);
	snapshot_free(s);
}

/* The memory of a map that was on the heap may become a goroutine's stack, with all that was in it. */
static void test_stack_of_dead(void **state)
{
	(void)state;
	kernel_site(MAKE, TYP)->makes = 1;
	kernel_map(0xc000, 5, WIRE_PLACE_MAP_ASSIGN);
	see();
	memory[0].state = HEAP_UNKNOWN, memory[0].known = false;
	see();
	assert_int_equal(kernel.maps_nr, 1);

	memory[0].state = HEAP_STACK, memory[0].known = true;
	struct snapshot *s = snapshot();
	assert_int_equal(kernel.maps_nr, 0);
	assert_int_equal(s->maps.held.maps, 0);
	assert_int_equal(site(s, "main.make")->counts.made_entries, 5);
	snapshot_free(s);

	/* Another one, at the same address, and on that stack. */
	kernel_map(0xc000, 7, WIRE_PLACE_MAP_ASSIGN)->first_ns = 2 * S;
	memory[0] = memory[1];
	memory_nr = 1;
	memory[0].state = HEAP_STACK, memory[0].bytes = 4096;
	s = snapshot();
	assert_int_equal(kernel.maps_nr, 1);
	assert_int_equal(s->maps.held.bytes, 4096);
	snapshot_free(s);
}

/* makemap_small doesn't know what it makes; what was used since has a type. */
static void test_types(void **state)
{
	(void)state;
	struct wire_map_site *untyped = kernel_site(MAKE, 0);

	untyped->makes = 10;
	untyped->typed = 10;
	kernel_site(MAKE, TYP)->makes = 10;
	struct snapshot *s = snapshot();
	assert_int_equal(s->maps.sites_nr, 1);
	assert_string_equal(s->maps.sites[0].type, "map[int]int");
	snapshot_free(s);

	/* Two that may get their type yet, or never be used: that shows in the end. */
	untyped->makes = 12;
	s = snapshot();
	assert_int_equal(s->maps.total.makes, 10);
	snapshot_free(s);
	last = true;
	s = snapshot();
	assert_int_equal(s->maps.sites_nr, 2);
	assert_int_equal(s->maps.total.makes, 12);
	snapshot_free(s);
}

/* A process that is gone: what maps held stays as it was last seen. */
static void test_no_memory(void **state)
{
	(void)state;
	kernel_site(MAKE, TYP)->makes = 1;
	kernel_map(0xc000, 300, WIRE_PLACE_MAP_ASSIGN);
	struct snapshot *s = snapshot();
	assert_int_equal(s->maps.held.bytes, 5000);
	snapshot_free(s);

	map_stream_set_reader(ms, NULL);
	kernel.sites[0].count.makes = 2;
	s = snapshot();
	assert_true(s->maps.held_known);
	assert_int_equal(s->maps.held.bytes, 5000);
	assert_int_equal(s->maps.total.makes, 2);
	snapshot_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_last_delete, begin, end),
		cmocka_unit_test_setup_teardown(test_drained_at_rest, begin, end),
		cmocka_unit_test_setup_teardown(test_verdicts, begin, end),
		cmocka_unit_test_setup_teardown(test_unsettled, begin, end),
		cmocka_unit_test_setup_teardown(test_gone, begin, end),
		cmocka_unit_test_setup_teardown(test_replaced, begin, end),
		cmocka_unit_test_setup_teardown(test_on_stack, begin, end),
		cmocka_unit_test_setup_teardown(test_stack_of_dead, begin, end),
		cmocka_unit_test_setup_teardown(test_types, begin, end),
		cmocka_unit_test_setup_teardown(test_no_memory, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
