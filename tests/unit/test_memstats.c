/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memstats_read on a runtime made of our own structures, laid out in our own memory: sums, and each
 * way in which what is read can contradict itself. tests/live/memstats.t has the real ones.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/memstats.h"

enum {
	PS_NR = 17, /* more than two batches */
	FLUSH_GEN = 40,
	CACHED = FLUSH_GEN + 3,
	CLASS_48 = 5, /* a size class: 48 bytes */
};

struct fake_delta {
	uint64_t in_heap;
	uint64_t tiny, large_bytes, large_count, small[GO_NUM_SIZE_CLASSES];
	uint64_t large_free;
};

struct fake_memstats {
	struct fake_delta deltas[3];
	uint32_t gen;
};

struct fake_span {
	uint64_t start;
	uint32_t sweepgen, div_mul;
	uint16_t count;
	uint8_t span_class, state;
	uint16_t pad, before;
	uint64_t elemsize;
};

struct fake_mcache {
	uint64_t tiny, tiny_allocs;
	struct fake_span *alloc[GO_NUM_SPAN_CLASSES];
	uint64_t other;
	uint32_t flush_gen, pad;
};

struct fake_p {
	uint64_t id;
	struct fake_mcache *mcache;
};

struct fake {
	struct fake_memstats memstats;
	struct fake_p *ps[PS_NR];
	struct {
		struct fake_p **ptr;
		uint64_t len, cap;
	} allp;
	struct fake_span empty;
	struct fake_p p[PS_NR];
	struct fake_mcache mcache[PS_NR];
	struct fake_span span[PS_NR]; /* one of class 48 in each mcache */
	struct proc *proc;
	struct memstats_reader reader;
};

static const struct go_layout layout = {
	.p_mcache = offsetof(struct fake_p, mcache),
	.mcache_tiny_allocs = offsetof(struct fake_mcache, tiny_allocs),
	.mcache_alloc = offsetof(struct fake_mcache, alloc),
	.mcache_flush_gen = offsetof(struct fake_mcache, flush_gen),
	.mspan_sweepgen = offsetof(struct fake_span, sweepgen),
	.mspan_alloc_count = offsetof(struct fake_span, count),
	.mspan_alloc_count_before_cache = offsetof(struct fake_span, before),
	.mspan_spanclass = offsetof(struct fake_span, span_class),
	.mspan_elemsize = offsetof(struct fake_span, elemsize),
	.heap_stats_sz = sizeof(struct fake_delta),
	.hs_tiny_alloc_count = offsetof(struct fake_delta, tiny),
	.hs_large_alloc = offsetof(struct fake_delta, large_bytes),
	.hs_large_alloc_count = offsetof(struct fake_delta, large_count),
	.hs_small_alloc_count = offsetof(struct fake_delta, small),
};

static int setup(void **state)
{
	static struct fake f;
	struct err err;

	memset(&f, 0, sizeof(f));
	for (int i = 0; i < PS_NR; i++) {
		f.ps[i] = &f.p[i];
		f.p[i].mcache = &f.mcache[i];
		f.mcache[i].flush_gen = FLUSH_GEN;
		f.mcache[i].tiny_allocs = 2;
		for (int c = 0; c < GO_NUM_SPAN_CLASSES; c++)
			f.mcache[i].alloc[c] = &f.empty;
		f.mcache[i].alloc[2 * CLASS_48] = &f.span[i];
		f.span[i] = (struct fake_span){ .sweepgen = CACHED,
						.count = 30,
						.before = 20,
						.span_class = 2 * CLASS_48,
						.elemsize = 48 };
	}
	f.allp.ptr = f.ps;
	f.allp.len = PS_NR;
	f.allp.cap = PS_NR;
	f.memstats.gen = 1;
	f.memstats.deltas[0].small[1] = 1000;
	f.memstats.deltas[1].small[1] = 7;
	f.memstats.deltas[1].tiny = 3;
	f.memstats.deltas[0].large_bytes = 81920;
	f.memstats.deltas[0].large_count = 2;
	if (proc_open(getpid(), &f.proc, &err) < 0)
		return -1;
	f.reader = (struct memstats_reader){ .proc = f.proc,
					     .layout = &layout,
					     .memstats = (uintptr_t)&f.memstats,
					     .allp = (uintptr_t)&f.allp };
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fake *f = *state;

	proc_free(f->proc);
	return 0;
}

static void test_sums(void **state)
{
	struct fake *f = *state;
	struct memstats m;

	assert_int_equal(memstats_read(&f->reader, &m), 0);
	assert_int_equal(m.ps_nr, PS_NR);
	assert_int_equal(m.class_objects[1], 1007);
	assert_int_equal(m.class_objects[CLASS_48], 10 * PS_NR);
	assert_int_equal(m.tiny_allocs, 3 + 2 * PS_NR);
	assert_int_equal(m.large_objects, 2);
	assert_int_equal(m.mallocs, 1007 + 10 * PS_NR + 3 + 2 * PS_NR + 2);
	assert_int_equal(m.total_alloc, 81920 + 1007 * 8 + 10 * PS_NR * 48);
	assert_int_equal(m.unsettled, 0);
	assert_int_equal(m.unsettled_bytes, 0);
}

static void test_no_spans(void **state)
{
	struct fake *f = *state;
	struct memstats m;

	f->allp.len = 1;
	f->mcache[0].alloc[2 * CLASS_48] = &f->empty;
	assert_int_equal(memstats_read(&f->reader, &m), 0);
	assert_int_equal(m.mallocs, 1007 + 3 + 2 + 2);
}

/* Given back but still in the mcache: in doubt, not counted. Also when being swept (gen + 1). */
static void test_span_given_back(void **state)
{
	struct fake *f = *state;
	struct memstats m;

	f->span[3].sweepgen = FLUSH_GEN;
	f->span[4].sweepgen = FLUSH_GEN + 1;
	assert_int_equal(memstats_read(&f->reader, &m), 0);
	assert_int_equal(m.class_objects[CLASS_48], 10 * (PS_NR - 2));
	assert_int_equal(m.unsettled, 20);
	assert_int_equal(m.unsettled_bytes, 20 * 48);
}

/* Each is broken alone, and the one place is mended again. */
static void test_contradictions(void **state)
{
	struct fake *f = *state;
	const struct fake good = *f;
	struct memstats m;

#define BREAK(assignment)                                           \
	do {                                                        \
		f->assignment;                                      \
		if (memstats_read(&f->reader, &m) != -EAGAIN)       \
			fail_msg("believed in %s", #assignment);    \
		*f = good;                                          \
		assert_int_equal(memstats_read(&f->reader, &m), 0); \
	} while (0)

	BREAK(allp.len = 0);
	BREAK(allp.len = 65537);
	BREAK(allp.cap = PS_NR - 1);
	BREAK(allp.cap = UINT64_MAX);
	BREAK(allp.ptr = NULL);
	BREAK(allp.ptr = (void *)1);
	BREAK(ps[PS_NR - 1] = NULL);
	BREAK(ps[0] = (void *)UINTPTR_MAX);
	BREAK(p[8].mcache = NULL);
	BREAK(p[8].mcache = (void *)8);
	BREAK(mcache[0].alloc[0] = NULL);
	BREAK(mcache[1].alloc[0] = &f->span[0]);
	BREAK(mcache[1].alloc[1] = &f->span[0]);
	BREAK(mcache[2].alloc[7] = NULL);
	BREAK(mcache[2].alloc[7] = (void *)16);
	BREAK(span[9].span_class = 2 * CLASS_48 + 1);
	BREAK(span[9].elemsize = 64);
	BREAK(span[9].count = 1025);
	BREAK(span[9].before = 31);
	BREAK(memstats.gen = 3);
	BREAK(memstats.deltas[2].in_heap = 1); /* a merge is under way */
#undef BREAK
}

static void test_bad_addresses(void **state)
{
	struct fake *f = *state;
	struct memstats m;

	f->reader.memstats = 4096;
	assert_int_equal(memstats_read(&f->reader, &m), -EAGAIN);
	f->reader.memstats = (uintptr_t)&f->memstats;
	f->reader.allp = UINT64_MAX - 7;
	assert_int_equal(memstats_read(&f->reader, &m), -EAGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sums, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_spans, setup, teardown),
		cmocka_unit_test_setup_teardown(test_span_given_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_contradictions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_addresses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
