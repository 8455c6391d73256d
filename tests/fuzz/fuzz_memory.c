/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target that lies: its memory is the input, and all that reads a target's memory reads it.
 *
 * The input begins with how it lies: whose layout it is said to have, whether what is outside of it can't be read or is
 * the same again and again, and whether it changes from one read to the next. No number, list or table in it may make
 * gallop crash, hang or take memory without bound.
 */
#include <errno.h>
#include <sys/uio.h>

#include "gobin/heap_layout.h"
#include "gobin/layout.h"
#include "gobin/mprof_layout.h"
#include "proc/gomap.h"
#include "proc/memstats.h"
#include "proc/mprof.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/replay.h"

enum {
	MEMORY_SZ = 1 << 17,
	MAPS_NR = 16,
	LOOKS_NR = 64,
	READS_MAX = 1 << 16, /* system calls of one input: more would be a hang */
};

/* Of Go 1.20 the heap is not known, and so neither are maps. */
static const int minors[] = { 19, 21, 22, 23, 24, 25, 26, 27 };

enum { LIE_EVERYWHERE = 1, LIE_CHANGES = 2, LIE_SWISS = 4 };

static const uint64_t base = UINT64_C(0xc000000000);

static struct {
	uint8_t bytes[MEMORY_SZ];
	size_t used; /* of the input; what is behind it is zero */
	uint8_t lies;
	uint32_t reads;
} memory;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The rest of it can't be read: as far as it could. */
static size_t copy_out(uint8_t *to, uint64_t addr, size_t len)
{
	uint64_t at = addr - base;

	for (size_t i = 0; i < len; i++, at++) {
		if (at >= MEMORY_SZ && !(memory.lies & LIE_EVERYWHERE))
			return i;
		to[i] = memory.bytes[at % MEMORY_SZ];
	}
	return len;
}

/* Takes the place of the system call, which is all there is between gallop and a target's memory. */
ssize_t process_vm_readv(pid_t pid, const struct iovec *bufs, unsigned long bufs_nr,
			 const struct iovec *addrs, unsigned long addrs_nr, unsigned long flags)
{
	size_t buf = 0, buf_at = 0;
	ssize_t sum = 0;

	(void)pid, (void)flags;
	require(++memory.reads < READS_MAX && bufs_nr <= 1024 && addrs_nr <= 1024);
	if (memory.lies & LIE_CHANGES && memory.used)
		memory.bytes[memory.reads * 977 % memory.used] ^= (uint8_t)memory.reads;
	for (size_t i = 0; i < addrs_nr; i++) {
		uint64_t addr = (uintptr_t)addrs[i].iov_base;
		for (size_t done = 0; done < addrs[i].iov_len;) {
			while (buf < bufs_nr && buf_at == bufs[buf].iov_len)
				buf++, buf_at = 0;
			if (buf == bufs_nr)
				return sum;
			size_t room = bufs[buf].iov_len - buf_at, left = addrs[i].iov_len - done;
			size_t want = room < left ? room : left;
			size_t n = copy_out((uint8_t *)bufs[buf].iov_base + buf_at, addr + done,
					    want);
			sum += (ssize_t)n;
			if (n < want) {
				errno = EFAULT;
				return sum ? sum : -1;
			}
			done += n;
			buf_at += n;
		}
	}
	return sum;
}

static void read_memstats(const struct proc *proc, int minor)
{
	const struct memstats_reader r = { proc, go_layout_find(minor), base, base + 8192 };
	struct memstats stats;
	int code = memstats_read(&r, &stats);

	require(code == 0 || code == -EAGAIN);
	if (code == 0)
		require(stats.ps_nr > 0);
}

static struct heap_reader heap_of(const struct proc *proc, int minor)
{
	return (struct heap_reader){
		.proc = proc,
		.layout = go_layout_find(minor),
		.heap = go_heap_layout_find(minor),
		.sweepgen = base,
		.arenas = base + 8,
		.arena_base = memory.lies & LIE_EVERYWHERE ? 0 : base,
	};
}

/* What is looked at lies in the memory itself, or, by its words, anywhere. */
static void look_at_heap(const struct proc *proc, int minor)
{
	const struct heap_reader r = heap_of(proc, minor);
	enum heap_state states[LOOKS_NR];
	uint64_t addrs[LOOKS_NR];

	for (size_t i = 0; i < LOOKS_NR; i++) {
		memcpy(&addrs[i], memory.bytes + 16 + 8 * i, sizeof(addrs[i]));
		if (i % 2)
			addrs[i] = base + addrs[i] % MEMORY_SZ;
	}
	require(heap_look(&r, addrs, LOOKS_NR, states) == 0);
	for (size_t i = 0; i < LOOKS_NR; i++)
		require(states[i] <= HEAP_STACK);
}

static void read_maps(const struct proc *proc, int minor)
{
	const struct gomap_reader r = {
		.heap = heap_of(proc, minor),
		.go_minor = minor,
		.swiss = memory.lies & LIE_SWISS,
		.malloc_headers = go_layout_find(minor)->malloc_headers,
	};
	struct gomap maps[MAPS_NR] = { 0 };
	struct go_map_shape shape = { .swiss = r.swiss, .unit_bytes = 136, .noscan = true };

	gomap_shape(&r, base + 512, &shape);
	for (size_t i = 0; i < MAPS_NR; i++) {
		maps[i].addr = base + 1024 + 64 * i;
		maps[i].shape = shape;
		maps[i].shape.noscan ^= i & 1;
	}
	int left_out = gomap_read(&r, maps, MAPS_NR);
	require(left_out >= 0 && left_out <= MAPS_NR);
	for (size_t i = 0; i < MAPS_NR; i++)
		require(!(maps[i].known && maps[i].left_out));
}

static void read_profile(const struct proc *proc, int minor)
{
	const struct mprof_reader r = {
		.proc = proc,
		.layout = go_mprof_layout_find(minor),
		.mbuckets = base,
		.cycle = base + 8,
		.rate = base + 16,
		.linked = true,
	};
	struct mprof *m;
	uint64_t objects, bytes;

	require(mprof_new(&r, &m) == 0);
	for (int look = 0; look < 2; look++) {
		struct err err = { 0 };
		int code = mprof_look(m, &err);
		require(code == 0 || (code == err.code && err.msg[0]));
		for (size_t i = 0; code == 0 && i < m->buckets_nr; i++) {
			const struct mprof_bucket *b = &m->buckets[i];
			require((size_t)b->pcs_first + b->pcs_nr <= m->pcs_nr);
			mprof_unsample(b->allocs, b->size, m->rate, &objects, &bytes);
			require(objects <= INT64_MAX && bytes <= INT64_MAX);
		}
	}
	mprof_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(const struct proc *proc,
				       int minor) = { read_memstats, look_at_heap, read_maps,
						      read_profile };
	const struct proc proc = { .pid = 1, .pidfd = -1 };
	struct input in = { data, data + size };
	uint8_t reader = input_u8(&in), version = input_u8(&in);

	memory.lies = input_u8(&in);
	memory.reads = 0;
	memory.used = input_take(&in, memory.bytes, MEMORY_SZ);
	readers[reader % 4](&proc, minors[version % (sizeof(minors) / sizeof(minors[0]))]);
	return 0;
}

const char replay_corpus[] = "tests/fuzz/corpus/memory";

void replay_input(const uint8_t *data, size_t size)
{
	LLVMFuzzerTestOneInput(data, size);
}
