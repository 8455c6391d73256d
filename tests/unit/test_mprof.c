/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory profile of a runtime made of our own structures, in our own memory: what is published, what is new, and
 * each way in which a list can lead nowhere. tests/live/heap.t has the real ones.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "proc/mprof.h"
#include "proc/window.h"

enum { BUCKETS_NR = 2000, DEPTH = 3, STACK_MAX = 32, FLUSHED = 1 };

struct fake_cycle {
	uint64_t allocs, frees, alloc_bytes, free_bytes;
};

/* As runtime.bucket, with what follows it. */
struct fake_bucket {
	struct fake_bucket *next, *allnext;
	uint64_t typ, hash, size, nstk;
	uint64_t stk[DEPTH];
	struct fake_cycle active, future[GO_MPROF_FUTURES];
};

struct fake {
	struct fake_bucket *mbuckets;
	uint32_t cycle;
	int64_t rate;
	struct fake_bucket b[BUCKETS_NR];
	size_t nr;
	struct proc *proc;
	struct mprof_reader reader;
	struct mprof *mprof;
	struct err err;
};

static const struct go_mprof_layout layout = {
	.bucket_allnext = offsetof(struct fake_bucket, allnext),
	.bucket_typ = offsetof(struct fake_bucket, typ),
	.bucket_size = offsetof(struct fake_bucket, size),
	.bucket_nstk = offsetof(struct fake_bucket, nstk),
	.bucket_sz = offsetof(struct fake_bucket, stk),
	.cycle_sz = sizeof(struct fake_cycle),
	.stack_max = STACK_MAX,
};

/* A new bucket goes to the head of the list. */
static struct fake_bucket *add(struct fake *f)
{
	struct fake_bucket *b = &f->b[f->nr++];

	*b = (struct fake_bucket){ .allnext = f->mbuckets,
				   .typ = GO_MPROF_TYPE,
				   .size = 16 * f->nr,
				   .nstk = DEPTH,
				   .stk = { f->nr, 2, 3 } };
	f->mbuckets = b;
	return b;
}

static int setup(void **state)
{
	static struct fake f;

	memset(&f, 0, sizeof(f));
	if (proc_open(getpid(), &f.proc, &f.err) < 0)
		return -1;
	f.rate = 512 << 10;
	f.cycle = 7 << 1; /* future[1] is the one that is published next */
	f.reader = (struct mprof_reader){ .proc = f.proc,
					  .layout = &layout,
					  .mbuckets = (uintptr_t)&f.mbuckets,
					  .cycle = (uintptr_t)&f.cycle,
					  .rate = (uintptr_t)&f.rate,
					  .linked = true };
	*state = &f;
	return mprof_new(&f.reader, &f.mprof);
}

static int teardown(void **state)
{
	struct fake *f = *state;

	mprof_free(f->mprof);
	proc_free(f->proc);
	return 0;
}

static const struct mprof *look(struct fake *f)
{
	if (mprof_look(f->mprof, &f->err))
		fail_msg("%s", f->err.msg);
	return f->mprof;
}

static void expect_error(struct fake *f, int code)
{
	memset(&f->err, 0, sizeof(f->err));
	assert_int_equal(mprof_look(f->mprof, &f->err), code);
	assert_int_equal(f->err.code, code);
	assert_true(strlen(f->err.msg) > 0);
}

static const struct mprof_bucket *bucket_of(const struct mprof *m, const struct fake_bucket *b)
{
	for (size_t i = 0; i < m->buckets_nr; i++)
		if (m->buckets[i].addr == (uintptr_t)b)
			return &m->buckets[i];
	fail_msg("a bucket is missing");
	return NULL;
}

static void nothing_was_sampled(void **state)
{
	const struct mprof *m = look(*state);

	assert_int_equal(m->buckets_nr, 0);
	assert_int_equal(m->rate, 512 << 10);
	assert_int_equal(m->cycles, 7);
	assert_true(m->before_gc);
}

/* What is active, and the cycle that will be, whether it was added already (then it is 0) or not. */
static void what_is_published_counts(void **state)
{
	struct fake *f = *state;
	struct fake_bucket *b = add(f);

	b->active = (struct fake_cycle){ 100, 10, 1, 1 };
	b->future[0] = (struct fake_cycle){ 1000, 1000, 1, 1 };
	b->future[1] = (struct fake_cycle){ 20, 5, 1, 1 };
	b->future[2] = (struct fake_cycle){ 1000, 1000, 1, 1 };
	const struct mprof *m = look(f);
	assert_int_equal(m->buckets_nr, 1);
	assert_int_equal(m->buckets[0].allocs, 120);
	assert_int_equal(m->buckets[0].frees, 15);
	assert_int_equal(m->buckets[0].size, b->size);
	assert_int_equal(m->buckets[0].pcs_nr, DEPTH);
	assert_memory_equal(m->pcs, b->stk, sizeof(b->stk));
	assert_int_equal(m->unsettled, 0);
	assert_false(m->before_gc);

	b->active = (struct fake_cycle){ 120, 15, 1, 1 };
	b->future[1] = (struct fake_cycle){ 0 };
	f->cycle |= FLUSHED;
	m = look(f);
	assert_int_equal(m->buckets[0].allocs, 120);
	assert_int_equal(m->buckets[0].frees, 15);
	assert_int_equal(m->cycles, 7);

	f->cycle = 8 << 1;
	assert_int_equal(look(f)->buckets[0].allocs, 1120);
}

static void before_the_first_cycle_everything_does(void **state)
{
	struct fake *f = *state;
	struct fake_bucket *b = add(f);

	f->cycle = 0;
	b->future[1] = (struct fake_cycle){ 20, 0, 1, 1 };
	b->future[2] = (struct fake_cycle){ 3, 1, 1, 1 };
	const struct mprof *m = look(f);
	assert_true(m->before_gc);
	assert_int_equal(m->buckets[0].allocs, 23);
	assert_int_equal(m->buckets[0].frees, 1);

	/* With the first that is published the others count no more. */
	add(f)->active.allocs = 1;
	m = look(f);
	assert_false(m->before_gc);
	assert_int_equal(bucket_of(m, b)->allocs, 0);
}

static void buckets_stay_where_they_are(void **state)
{
	struct fake *f = *state;

	for (int i = 0; i < 1500; i++)
		add(f)->active.allocs = (uint64_t)i + 1;
	uint64_t generation = look(f)->generation;
	assert_int_equal(f->mprof->buckets_nr, 1500);
	uint64_t addr = f->mprof->buckets[700].addr;

	for (int i = 0; i < 500; i++)
		add(f);
	for (int i = 0; i < BUCKETS_NR; i++)
		f->b[i].active.allocs += 1;
	const struct mprof *m = look(f);
	assert_int_equal(m->generation, generation);
	assert_int_equal(m->buckets_nr, BUCKETS_NR);
	assert_int_equal(m->buckets[700].addr, addr);
	for (int i = 0; i < BUCKETS_NR; i++) {
		const struct mprof_bucket *b = bucket_of(m, &f->b[i]);
		assert_int_equal(b->allocs, i < 1500 ? i + 2 : 1);
		assert_int_equal(m->pcs[b->pcs_first], i + 1);
	}
}

/* A list in which the known head isn't any more is another program's, or a liar's: read it all again. */
static void another_list_is_read_anew(void **state)
{
	struct fake *f = *state;

	for (int i = 0; i < 10; i++)
		add(f);
	uint64_t generation = look(f)->generation;
	f->mbuckets = &f->b[3];
	assert_int_equal(look(f)->buckets_nr, 4);
	assert_true(f->mprof->generation != generation);
	assert_int_equal(bucket_of(f->mprof, &f->b[3])->pcs_nr, DEPTH);
}

static void circles_end(void **state)
{
	struct fake *f = *state;

	for (int i = 0; i < 1000; i++)
		add(f);
	static const int targets[] = { 0, 1, 2, 500, 998, 999 };
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		f->b[0].allnext = &f->b[targets[i]];
		expect_error(f, -EAGAIN);
	}
	f->b[0].allnext = NULL;
	assert_int_equal(look(f)->buckets_nr, 1000);
}

static void lists_that_lead_nowhere(void **state)
{
	struct fake *f = *state;
	struct fake_bucket *b = add(f), *last = add(f);
	static const uint64_t nowhere[] = { 8, 0x1001, UINT64_MAX - 7, UINT64_C(1) << 63,
					    UINT64_C(0x7ffffffff000) };

	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		b->allnext = (struct fake_bucket *)(uintptr_t)nowhere[i];
		expect_error(f, -EAGAIN);
		f->mbuckets = (struct fake_bucket *)(uintptr_t)nowhere[i];
		expect_error(f, -EAGAIN);
		f->mbuckets = last;
	}
	b->allnext = NULL;
	assert_int_equal(look(f)->buckets_nr, 2);
}

static void buckets_that_are_none(void **state)
{
	struct fake *f = *state;
	struct fake_bucket good = *add(f);

	f->b[0].typ = 2;
	expect_error(f, -EAGAIN);
	f->b[0] = good;
	f->b[0].nstk = STACK_MAX + 1;
	expect_error(f, -EAGAIN);
	f->b[0].nstk = UINT64_MAX;
	expect_error(f, -EAGAIN);
	f->b[0] = good;
	f->b[0].size = UINT64_MAX;
	expect_error(f, -EAGAIN);
	f->b[0] = good;
	f->b[0].nstk = 0;
	assert_int_equal(look(f)->buckets[0].pcs_nr, 0);
}

static void counts_are_bounded(void **state)
{
	struct fake *f = *state;

	add(f)->active = (struct fake_cycle){ UINT64_MAX, INT64_MAX, 0, 0 };
	f->b[0].future[1] = (struct fake_cycle){ 5, 5, 0, 0 };
	assert_int_equal(look(f)->buckets[0].allocs, INT64_MAX);
	assert_int_equal(f->mprof->buckets[0].frees, INT64_MAX);
}

/* Across the border of two windows, and up to the last byte before memory that isn't there. */
static void buckets_lie_anywhere(void **state)
{
	struct fake *f = *state;
	const size_t sz = 4 * WINDOW_SZ;
	unsigned char *mem = mmap(NULL, sz, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
				  0);
	assert_true(mem != MAP_FAILED);
	unsigned char *border = mem + WINDOW_SZ - (uintptr_t)mem % WINDOW_SZ;
	unsigned char *end = border + WINDOW_SZ + 4096;
	assert_int_equal(munmap(end, (size_t)(mem + sz - end)), 0);

	struct fake_bucket *a = (struct fake_bucket *)(border - 24), *b;
	b = (struct fake_bucket *)(end - sizeof(*b));
	*a = *add(f);
	*b = (struct fake_bucket){ .typ = GO_MPROF_TYPE, .size = 8, .nstk = DEPTH, .stk = { 9 } };
	b->active.allocs = 77;
	a->allnext = b;
	f->mbuckets = a;
	const struct mprof *m = look(f);
	assert_int_equal(m->buckets_nr, 2);
	assert_int_equal(bucket_of(m, b)->allocs, 77);
	assert_int_equal(m->pcs[bucket_of(m, b)->pcs_first], 9);

	/* Its record would be behind the end. */
	b->nstk = DEPTH + 1;
	mprof_free(f->mprof);
	assert_int_equal(mprof_new(&f->reader, &f->mprof), 0);
	expect_error(f, -EAGAIN);
	munmap(mem, (size_t)(end - mem));
}

static void a_process_that_ended(void **state)
{
	struct fake *f = *state;
	int hold[2], status;
	assert_int_equal(pipe(hold), 0);
	pid_t pid = fork();
	if (!pid) {
		char byte;
		close(hold[1]);
		_exit(read(hold[0], &byte, 1) < 0);
	}
	proc_free(f->proc);
	assert_int_equal(proc_open(pid, &f->proc, &f->err), 0);
	f->mprof->reader.proc = f->proc;
	add(f);
	close(hold[0]);
	close(hold[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	expect_error(f, -ESRCH);
}

/* Numbers of runtime/pprof's own function. */
static void samples_are_scaled_as_pprof_does(void **state)
{
	static const struct {
		uint64_t n, size;
		int64_t rate;
		uint64_t objects, bytes;
	} cases[] = {
		{ 0, 48, 524288, 0, 0 },
		{ 5, 0, 524288, 0, 0 },
		{ 7, 48, 1, 7, 336 },
		{ 7, 48, 0, 7, 336 },
		{ 7, 48, -5, 7, 336 },
		{ 1, 48, 524288, 10923, 524312 },
		{ 3, 524288, 524288, 4, 2488234 },
		{ 12345, 64, 524288, 101136412, 6472730408 },
		{ 9, 8192, 4096, 10, 85267 },
		{ 2, 1 << 30, 524288, 2, UINT64_C(2) << 30 },
		{ 1, 1, INT64_MAX, INT64_MAX, INT64_MAX },
		{ INT64_MAX, 1 << 20, 1, INT64_MAX, INT64_MAX },
		{ UINT64_MAX, UINT64_MAX, 4096, INT64_MAX, INT64_MAX },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t objects, bytes;
		mprof_unsample(cases[i].n, cases[i].size, cases[i].rate, &objects, &bytes);
		assert_int_equal(objects, cases[i].objects);
		assert_int_equal(bytes, cases[i].bytes);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_was_sampled),
		TEST(what_is_published_counts),
		TEST(before_the_first_cycle_everything_does),
		TEST(buckets_stay_where_they_are),
		TEST(another_list_is_read_anew),
		TEST(circles_end),
		TEST(lists_that_lead_nowhere),
		TEST(buckets_that_are_none),
		TEST(counts_are_bounded),
		TEST(buckets_lie_anywhere),
		TEST(a_process_that_ended),
		TEST(samples_are_scaled_as_pprof_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
