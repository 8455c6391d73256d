/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap_look and gomap_read on a heap made of our own structures, laid out in our own memory: what is told of
 * each state of a span, and that nothing a process may have in its memory is believed or harms us.
 * tests/live/maps_read.t has the real ones.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "proc/gomap.h"
#include "proc/places.h"

enum {
	ARENA_SZ = 64 << 20,
	ARENA_PAGES = ARENA_SZ / GO_PAGE_SIZE,
	GEN = 100, /* mheap_.sweepgen */
	ELEM = 64,
	OBJECTS_NR = 100,
	IN_USE = 1,
	MANUAL = 2,
	TABLES_NR = 4,
};

struct fake_span {
	uint64_t start, npages;
	uint16_t freeindex, nelems;
	uint8_t *alloc_bits, *mark_bits;
	uint32_t sweepgen;
	uint8_t state;
	uint64_t elemsize;
	uint64_t rest[8];
};

struct fake_arena {
	struct fake_span *spans[ARENA_PAGES];
	uint8_t inline_marks[ARENA_PAGES / 8];
};

/* maps.Map and maps.table. */
struct fake_map {
	uint64_t used, seed;
	void *dir;
	uint64_t dir_len;
	uint8_t global_depth, other[15];
};

struct fake_table {
	uint16_t used, capacity, growth_left;
	uint8_t local_depth;
	uint64_t index;
	void *groups;
	uint64_t length_mask;
};

struct fake_hmap {
	uint64_t count;
	uint8_t flags, b;
	uint16_t noverflow;
	uint32_t hash0;
	void *buckets, *old_buckets;
	uint64_t nevacuate;
	void *extra;
};

struct fake {
	uint32_t sweepgen;
	struct fake_arena **arenas;
	struct fake_arena *second[2]; /* the second level: ours, and one that isn't there */
	struct fake_arena arena;
	struct fake_span span;
	uint8_t alloc_bits[16], mark_bits[16];
	uint64_t buckets[64];
	struct fake_table tables[TABLES_NR];
	struct fake_table *dir[8];
	unsigned char *heap; /* a page of its own */
	struct proc *proc;
	struct gomap_reader reader;
};

static const struct go_layout layout = {
	.mspan_sweepgen = offsetof(struct fake_span, sweepgen),
	.mspan_elemsize = offsetof(struct fake_span, elemsize),
};

static const struct go_heap_layout heap_layout = {
	.arena_spans = offsetof(struct fake_arena, spans),
	.arena_inline_marks = offsetof(struct fake_arena, inline_marks),
	.mspan_start_addr = offsetof(struct fake_span, start),
	.mspan_npages = offsetof(struct fake_span, npages),
	.mspan_freeindex = offsetof(struct fake_span, freeindex),
	.mspan_nelems = offsetof(struct fake_span, nelems),
	.mspan_alloc_bits = offsetof(struct fake_span, alloc_bits),
	.mspan_gcmark_bits = offsetof(struct fake_span, mark_bits),
	.mspan_state = offsetof(struct fake_span, state),
};

static const struct go_map_shape swiss = { .swiss = true, .noscan = true, .unit_bytes = 136 };
static const struct go_map_shape classic = { .unit_bytes = 144 };

static int setup(void **state)
{
	static struct fake f;
	struct err err;
	unsigned char *heap = aligned_alloc(GO_PAGE_SIZE, GO_PAGE_SIZE);

	if (!heap)
		return -1;
	memset(&f, 0, sizeof(f));
	memset(heap, 0, GO_PAGE_SIZE);
	f.heap = heap;
	f.sweepgen = GEN;
	f.arenas = f.second;
	f.second[0] = &f.arena;
	f.span = (struct fake_span){ .start = (uintptr_t)heap,
				     .npages = 1,
				     .freeindex = 10,
				     .nelems = OBJECTS_NR,
				     .alloc_bits = f.alloc_bits,
				     .mark_bits = f.mark_bits,
				     .sweepgen = GEN,
				     .state = IN_USE,
				     .elemsize = ELEM };
	f.alloc_bits[20 / 8] = 1 << 20 % 8; /* of the objects from freeindex on, only 20 is there */
	if (proc_open(getpid(), &f.proc, &err) < 0)
		return -1;
	f.reader = (struct gomap_reader){
		.heap = { .proc = f.proc,
			  .layout = &layout,
			  .heap = &heap_layout,
			  .sweepgen = (uintptr_t)&f.sweepgen,
			  .arenas = (uintptr_t)&f.arenas,
			  .arena_base = (uintptr_t)heap / ARENA_SZ * ARENA_SZ },
		.go_minor = 24,
		.swiss = true,
	};
	f.arena.spans[(uintptr_t)heap % ARENA_SZ / GO_PAGE_SIZE] = &f.span;
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fake *f = *state;

	free(f->heap);
	proc_free(f->proc);
	return 0;
}

static enum heap_state look_at(struct fake *f, uint64_t addr)
{
	enum heap_state state;

	assert_int_equal(heap_look(&f->reader.heap, &addr, 1, &state), 0);
	return state;
}

static enum heap_state look(struct fake *f, int object)
{
	return look_at(f, (uintptr_t)f->heap + (uint64_t)object * ELEM);
}

static void mark(uint8_t *bits, int object)
{
	bits[object / 8] |= (uint8_t)(1 << object % 8);
}

static void test_swept(void **state)
{
	struct fake *f = *state;

	for (int cached = 0; cached <= 3; cached += 3) {
		f->span.sweepgen = GEN + (uint32_t)cached;
		assert_int_equal(look(f, 0), HEAP_OBJECT);
		assert_int_equal(look(f, 9), HEAP_OBJECT);
		assert_int_equal(look(f, 10), HEAP_FREE);
		assert_int_equal(look(f, 20), HEAP_OBJECT);
		assert_int_equal(look(f, OBJECTS_NR - 1), HEAP_FREE);
		assert_int_equal(look(f, OBJECTS_NR), HEAP_FREE); /* behind the last */
	}
	assert_int_equal(look_at(f, (uintptr_t)f->heap + 9 * ELEM + 63), HEAP_OBJECT);
}

/* From the end of marking on, what has no mark is dead. */
static void test_unswept(void **state)
{
	struct fake *f = *state;
	static const uint32_t gens[] = { GEN - 2, GEN + 1 };

	mark(f->mark_bits, 3);
	mark(f->mark_bits, 11); /* can't be: it isn't there */
	for (int i = 0; i < 2; i++) {
		f->span.sweepgen = gens[i];
		assert_int_equal(look(f, 3), HEAP_OBJECT);
		assert_int_equal(look(f, 4), HEAP_FREE);
		assert_int_equal(look(f, 11), HEAP_FREE);
		assert_int_equal(look(f, 20), HEAP_FREE);
	}
	mark(f->mark_bits, 20);
	assert_int_equal(look(f, 20), HEAP_OBJECT);
}

/* Its marks are at the end of the page; those of the span are what they were. */
static void test_inline_marks(void **state)
{
	struct fake *f = *state;
	uint64_t page = (uintptr_t)f->heap % ARENA_SZ / GO_PAGE_SIZE;

	f->span.sweepgen = GEN - 2;
	mark(f->mark_bits, 4);
	mark(f->heap + GO_PAGE_SIZE - 64, 3);
	assert_int_equal(look(f, 3), HEAP_FREE);
	assert_int_equal(look(f, 4), HEAP_OBJECT);
	mark(f->arena.inline_marks, (int)page);
	assert_int_equal(look(f, 3), HEAP_OBJECT);
	assert_int_equal(look(f, 4), HEAP_FREE);
}

static void test_other_states(void **state)
{
	struct fake *f = *state;
	uint64_t next_page = (uintptr_t)f->heap % ARENA_SZ / GO_PAGE_SIZE + 1;

	f->span.sweepgen = GEN - 1; /* being swept */
	assert_int_equal(look(f, 0), HEAP_UNKNOWN);
	f->span.sweepgen = GEN;
	f->span.state = MANUAL;
	assert_int_equal(look(f, 0), HEAP_STACK);
	f->span.state = 0; /* dead */
	assert_int_equal(look(f, 0), HEAP_FREE);
	f->span.state = IN_USE;
	/* A page that is another's by now, or nobody's. */
	if (next_page < ARENA_PAGES) {
		assert_int_equal(look_at(f, (uintptr_t)f->heap + GO_PAGE_SIZE), HEAP_FREE);
		f->arena.spans[next_page] = &f->span;
		assert_int_equal(look_at(f, (uintptr_t)f->heap + GO_PAGE_SIZE), HEAP_FREE);
	}
	/* No arena. */
	assert_int_equal(look_at(f, f->reader.heap.arena_base + ARENA_SZ), HEAP_UNKNOWN);
	assert_int_equal(look_at(f, f->reader.heap.arena_base - 1), HEAP_UNKNOWN);
	assert_int_equal(look_at(f, 0), HEAP_UNKNOWN);
	assert_int_equal(look_at(f, UINT64_MAX), HEAP_UNKNOWN);
}

/* Each is broken alone, and the one place is mended again. */
static void test_hostile_heap(void **state)
{
	struct fake *f = *state;
	const struct fake_span good = f->span;

#define BREAK(assignment, where, was)                            \
	do {                                                     \
		f->assignment;                                   \
		if (look(f, 20) == HEAP_OBJECT)                  \
			fail_msg("believed in %s", #assignment); \
		f->where = was;                                  \
		assert_int_equal(look(f, 20), HEAP_OBJECT);      \
	} while (0)

	BREAK(span.elemsize = 0, span, good);
	BREAK(span.elemsize = UINT64_MAX, span, good);
	BREAK(span.elemsize = 1, span, good);
	BREAK(span.nelems = 0, span, good);
	BREAK(span.nelems = 0xffff, span, good);
	BREAK(span.freeindex = 0xffff, span, good);
	BREAK(span.npages = 0, span, good);
	BREAK(span.npages = UINT64_MAX, span, good);
	BREAK(span.start = 0, span, good);
	BREAK(span.start = UINT64_MAX, span, good);
	BREAK(span.alloc_bits = NULL, span, good);
	BREAK(span.alloc_bits = (void *)UINTPTR_MAX, span, good);
	BREAK(span.mark_bits = NULL, span, good);
	BREAK(span.sweepgen = 0, span, good);
	BREAK(span.sweepgen = GEN + 2, span, good);
	BREAK(span.state = 77, span, good);
	BREAK(second[0] = (void *)16, second[0], &f->arena);
	BREAK(second[0] = (void *)UINTPTR_MAX, second[0], &f->arena);
	BREAK(arenas = NULL, arenas, f->second);
	BREAK(arenas = (void *)UINTPTR_MAX, arenas, f->second);
#undef BREAK
	f->span.sweepgen = GEN - 2;
	f->span.mark_bits = (void *)8;
	assert_int_equal(look(f, 20), HEAP_UNKNOWN);
	f->reader.heap.sweepgen = 8;
	assert_int_equal(look(f, 20), HEAP_UNKNOWN);
}

/* One that can't be read takes none of the others with it. */
static void test_places(void **state)
{
	struct fake *f = *state;
	enum { NR = 3000 };
	static struct place places[NR];
	static uint64_t bufs[NR];
	uint64_t value = 42;
	int faults_left = PLACES_FAULTS_MAX, bad = 0;

	for (int i = 0; i < NR; i++) {
		uint64_t addr = i % 700 == 5   ? 4096
				: i % 700 == 6 ? UINT64_MAX - 3
					       : (uintptr_t)&value;
		places[i] = (struct place){ i == 9 ? 0 : addr, &bufs[i], sizeof(value), false };
	}
	assert_int_equal(places_read(f->proc, places, NR, &faults_left), 0);
	for (int i = 0; i < NR; i++) {
		bool good = i % 700 != 5 && i % 700 != 6 && i != 9;
		assert_int_equal(places[i].ok, good);
		assert_int_equal(bufs[i], good ? 42 : 0);
		bad += !good;
	}
	assert_int_equal(bad, 11);
	assert_in_range(faults_left, PLACES_FAULTS_MAX - 200, PLACES_FAULTS_MAX - 1);

	/* All bad: it costs what it may, and no more. */
	for (int i = 0; i < NR; i++)
		places[i].addr = 4096;
	faults_left = 100;
	assert_int_equal(places_read(f->proc, places, NR, &faults_left), 0);
	assert_int_equal(faults_left, 0);
	for (int i = 0; i < NR; i++)
		assert_false(places[i].ok);
}

/* --- maps ----------------------------------------------------------------------------------------- */

/* Object 0 of the heap is the map. */
static struct gomap read_map(struct fake *f, const struct go_map_shape *shape)
{
	struct gomap map = { .addr = (uintptr_t)f->heap, .shape = *shape };

	int left_out = gomap_read(&f->reader, &map, 1);
	assert_int_equal(left_out, map.left_out);
	return map;
}

/* A directory of 8: a table for one half, one for a quarter, and two. */
static struct fake_map *make_swiss(struct fake *f)
{
	static const int of[8] = { 0, 0, 0, 0, 1, 1, 2, 3 };
	static const uint8_t depths[TABLES_NR] = { 1, 2, 3, 3 };
	struct fake_map *map = (void *)f->heap;

	for (int i = 0; i < TABLES_NR; i++)
		f->tables[i] = (struct fake_table){
			.used = 100, .capacity = 1024, .local_depth = depths[i], .length_mask = 127
		};
	for (int i = 0; i < 8; i++)
		f->dir[i] = &f->tables[of[i]];
	*map = (struct fake_map){
		.used = 400, .seed = 77, .dir = f->dir, .dir_len = 8, .global_depth = 3
	};
	return map;
}

static void test_swiss(void **state)
{
	struct fake *f = *state;
	struct fake_map *map = make_swiss(f);
	struct gomap got = read_map(f, &swiss);

	assert_int_equal(got.state, HEAP_OBJECT);
	assert_true(got.known);
	assert_int_equal(got.seed, 77);
	assert_int_equal(got.entries, 400);
	/* map, directory, tables with 128 groups of 136 bytes */
	assert_int_equal(got.bytes, 48 + 64 + TABLES_NR * (32 + 18432));

	*map = (struct fake_map){ .used = 3, .seed = 5, .dir = f->buckets };
	got = read_map(f, &swiss);
	assert_true(got.known);
	assert_int_equal(got.bytes, 48 + 144);
	map->used = 0;
	map->dir = NULL;
	got = read_map(f, &swiss);
	assert_true(got.known);
	assert_int_equal(got.bytes, 48 + 0);
}

static void test_hostile_swiss(void **state)
{
	struct fake *f = *state;
	struct fake_map *map = make_swiss(f);

#define BREAK(assignment)                                        \
	do {                                                     \
		assignment;                                      \
		struct gomap got = read_map(f, &swiss);          \
		if (got.known || got.bytes)                      \
			fail_msg("believed in %s", #assignment); \
		make_swiss(f);                                   \
		assert_true(read_map(f, &swiss).known);          \
	} while (0)

	BREAK(map->dir = NULL);
	BREAK(map->dir = (void *)1);
	BREAK(map->dir = (void *)8);
	BREAK(map->dir = (void *)-8);
	BREAK(map->dir_len = 7);
	BREAK(map->dir_len = 0);
	BREAK(map->dir_len = UINT64_MAX);
	BREAK(map->global_depth = 2);
	BREAK(map->global_depth = 255);
	BREAK((map->dir_len = (uint64_t)1 << 39, map->global_depth = 39));
	BREAK(map->used = 8 * 1024 + 1);
	BREAK(f->tables[1].capacity = 0);
	BREAK(f->tables[1].capacity = 1000);
	BREAK(f->tables[1].capacity = 2048);
	BREAK(f->tables[1].used = 1025);
	BREAK(f->tables[3].local_depth = 4);
	BREAK(f->tables[2].local_depth = 2);
	BREAK(f->tables[0].local_depth = 255);
	BREAK(f->tables[2].length_mask = 63);
	BREAK(f->dir[0] = NULL);
	BREAK(f->dir[7] = NULL);
	BREAK(f->dir[5] = (void *)4096);
	BREAK(f->dir[3] = f->dir[4]);
#undef BREAK
	assert_false(read_map(f, &(struct go_map_shape){ .swiss = true }).known);
}

/* More directory than we follow is told, and the maps behind it are read all the same. */
static void test_left_out(void **state)
{
	struct fake *f = *state;
	struct fake_map *big = (void *)(f->heap + ELEM);
	struct gomap maps[2] = { { .addr = (uintptr_t)big, .shape = swiss },
				 { .addr = (uintptr_t)f->heap, .shape = swiss } };

	make_swiss(f);
	*big = (struct fake_map){
		.used = 1, .dir = f->dir, .dir_len = 1 << 21, .global_depth = 21
	};
	assert_int_equal(gomap_read(&f->reader, maps, 2), 1);
	assert_true(maps[0].left_out && !maps[0].known);
	assert_true(!maps[1].left_out && maps[1].known);
}

/* A directory that can't be read in the middle of others. */
static void test_many(void **state)
{
	struct fake *f = *state;
	enum { NR = 2500 };
	struct gomap *maps = calloc(NR, sizeof(*maps));
	struct fake_map *bad = (void *)(f->heap + ELEM);

	assert_non_null(maps);
	make_swiss(f);
	*bad = (struct fake_map){ .used = 1, .dir = (void *)4096, .dir_len = 4, .global_depth = 2 };
	for (int i = 0; i < NR; i++)
		maps[i] = (struct gomap){ .addr = (uintptr_t)(i % 500 == 3 ? (void *)bad : f->heap),
					  .shape = swiss };
	assert_int_equal(gomap_read(&f->reader, maps, NR), 0);
	for (int i = 0; i < NR; i++) {
		assert_int_equal(maps[i].known, i % 500 != 3);
		assert_int_equal(maps[i].bytes,
				 i % 500 == 3 ? 0 : 48 + 64 + TABLES_NR * (32 + 18432));
	}
	free(maps);
}

/* What is on a stack is not on the heap, the group neither unless it is an object. */
static void test_on_stack(void **state)
{
	struct fake *f = *state;
	struct fake_map *map = (void *)f->heap;

	*map = (struct fake_map){ .used = 3, .dir = f->heap + ELEM };
	assert_int_equal(read_map(f, &swiss).bytes, 48 + 144);
	f->span.state = MANUAL;
	struct gomap got = read_map(f, &swiss);
	assert_int_equal(got.state, HEAP_STACK);
	assert_true(got.known);
	assert_int_equal(got.entries, 3);
	assert_int_equal(got.bytes, 0);
	f->span.state = IN_USE;
	f->span.freeindex = 0;
	f->alloc_bits[0] = 0;
	got = read_map(f, &swiss);
	assert_int_equal(got.state, HEAP_FREE);
	assert_false(got.known);
}

static struct fake_hmap *make_classic(struct fake *f)
{
	struct fake_hmap *map = (void *)f->heap;

	f->reader.swiss = false;
	f->reader.go_minor = 19;
	*map = (struct fake_hmap){
		.count = 40, .b = 3, .noverflow = 2, .hash0 = 99, .buckets = f->buckets
	};
	return map;
}

static void test_classic(void **state)
{
	struct fake *f = *state;
	struct fake_hmap *map = make_classic(f);
	struct gomap got = read_map(f, &classic);

	assert_true(got.known);
	assert_int_equal(got.seed, 99);
	assert_int_equal(got.entries, 40);
	assert_int_equal(got.bytes, 48 + 8 * 144 + 2 * 144);
	/* Growing from 4 buckets; then at the same size. */
	map->old_buckets = f->buckets;
	assert_int_equal(read_map(f, &classic).bytes, 48 + 8 * 144 + 2 * 144 + 576);
	map->flags = 8;
	map->nevacuate = 4; /* half of as many overflow buckets as there are buckets */
	assert_int_equal(read_map(f, &classic).bytes, 48 + 8 * 144 + 2 * 144 + 8 * 144 + 4 * 144);
	*map = (struct fake_hmap){ .hash0 = 1 };
	assert_int_equal(read_map(f, &classic).bytes, 48);
}

/* Buckets without pointers are listed, those that came with the array too. */
static void test_classic_lists(void **state)
{
	struct fake *f = *state;
	struct fake_hmap *map = make_classic(f);
	struct go_map_shape noscan = classic;
	uint64_t list[3] = { 0, 10, 16 };
	uint64_t extra[3] = { (uintptr_t)list, 0, 0 };

	noscan.noscan = true;
	map->extra = extra;
	map->b = 4; /* 18 buckets fit: 2 to spare */
	assert_int_equal(read_map(f, &noscan).bytes, 48 + 2688 + 8 * 144 + 24 + 24 + 128);
	list[2] = UINT64_MAX;
	assert_false(read_map(f, &noscan).known);
	list[2] = 9;
	assert_false(read_map(f, &noscan).known);
	map->extra = (void *)4096;
	assert_false(read_map(f, &noscan).known);
}

static void test_hostile_classic(void **state)
{
	struct fake *f = *state;
	struct fake_hmap *map = make_classic(f);

#define BREAK(assignment)                                        \
	do {                                                     \
		assignment;                                      \
		struct gomap got = read_map(f, &classic);        \
		if (got.known)                                   \
			fail_msg("believed in %s", #assignment); \
		make_classic(f);                                 \
		assert_true(read_map(f, &classic).known);        \
	} while (0)

	BREAK(map->b = 41);
	BREAK(map->b = 255);
	BREAK(map->count = 129);
	BREAK(map->count = UINT64_MAX);
	BREAK(map->buckets = NULL);
	BREAK(map->buckets = (void *)3);
	BREAK(map->old_buckets = (void *)3);
#undef BREAK
	map->nevacuate = UINT64_MAX;
	map->old_buckets = f->buckets;
	assert_true(read_map(f, &classic).known);
	assert_false(read_map(f, &(struct go_map_shape){ 0 }).known);
}

static void test_shape(void **state)
{
	struct fake *f = *state;
	struct {
		uint64_t size, ptr_bytes;
		uint8_t tail[32];
	} unit = { 136, 8, { 0 } };
	union {
		uint8_t bytes[0x58];
		uint64_t words[11];
		uint16_t halves[44];
	} type = { { 0 } };
	struct go_map_shape shape;
	uint64_t addr = (uintptr_t)&type;

	type.bytes[23] = 21 | 32;
	type.words[8] = (uintptr_t)&unit;
	type.words[10] = 136;
	assert_int_equal(gomap_shape(&f->reader, addr, &shape), 0);
	assert_true(shape.swiss && !shape.noscan && !shape.load_six);
	assert_int_equal(shape.unit_bytes, 136);
	unit.ptr_bytes = 0;
	assert_int_equal(gomap_shape(&f->reader, addr, &shape), 0);
	assert_true(shape.noscan);

	f->reader.swiss = false;
	f->reader.go_minor = 21;
	type.words[10] = 0;
	type.halves[41] = 136;
	assert_int_equal(gomap_shape(&f->reader, addr, &shape), 0);
	assert_true(!shape.swiss && shape.load_six);

	type.halves[41] = 144;
	assert_true(gomap_shape(&f->reader, addr, &shape) < 0);
	type.halves[41] = 136;
	type.bytes[23] = 25;
	assert_true(gomap_shape(&f->reader, addr, &shape) < 0);
	type.bytes[23] = 21;
	type.words[8] = 64;
	assert_true(gomap_shape(&f->reader, addr, &shape) < 0);
	assert_true(gomap_shape(&f->reader, 4096, &shape) < 0);
	assert_true(gomap_shape(&f->reader, UINT64_MAX, &shape) < 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_swept),	  TEST(test_unswept),	      TEST(test_inline_marks),
		TEST(test_other_states),  TEST(test_hostile_heap),    TEST(test_places),
		TEST(test_swiss),	  TEST(test_hostile_swiss),   TEST(test_left_out),
		TEST(test_many),	  TEST(test_on_stack),	      TEST(test_classic),
		TEST(test_classic_lists), TEST(test_hostile_classic), TEST(test_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
