/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the counters are read so that they are exact when the process rests, and honest when it runs.
 *
 * One try is: heapStats; for every seven Ps their mcaches and the spans they hold; heapStats again.
 * That is 6 system calls for up to seven Ps, and 50-100 us for four on an idle machine
 * (tests/live/memstats.t). What can go wrong in between, and what is done:
 *
 * - A P flushes (refill, releaseAll): heapStats differs before and after. Try again; the remaining
 *   difference is the doubt of the result (see the header).
 * - A P is inside refill or releaseAll: a span is given back, yet stays in the mcache until a new
 *   one is found or it has been swept, which can take milliseconds. Almost all of that time its
 *   objects are flushed already, so it counts for nothing, but adds to the doubt. It is told by its
 *   sweepgen: a cached span has the sweepgen of the heap when it was cached + 3, and that was the
 *   mcache's flushGen, as an mcache is flushed whenever the heap's sweepgen moves on; a span that
 *   is swept or given back has another (Go 1.19-1.27 runtime/mheap.go mspan.sweepgen, mcentral.go
 *   uncacheSpan, mcache.go prepareForSweep).
 * - A P's thread is preempted inside releaseAll in the few instructions between flushing a span and
 *   giving it back: nothing shows it, the span's objects (1024 at most) are counted twice. Seen in
 *   5-8 of 100000 readings of a program that collects its garbage all the time.
 * - runtime/metrics merges two of the three deltas: told by the third, which is zero at all other
 *   times (mstats.go consistentHeapStats.read). Try again.
 * - The layout is wrong, or the process is not what we think: nothing agrees with anything, and the
 *   answer is -EAGAIN, not a number.
 */
#include "proc/memstats.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

enum {
	TRIES_NR = 8,
	PS_MAX = 65536, /* more than any GOMAXPROCS; guards against a wrong address */
	BATCH_PS = 7, /* 7 * 136 spans fit the IOV_MAX of 1024 of one system call */
	BATCH_SPANS = BATCH_PS * GO_NUM_SPAN_CLASSES,
	DELTAS_NR = 3,
	DELTA_MAX_SZ = 1200, /* 1168 or 1176 bytes, by version */
	SPAN_PART_SZ = 24, /* of an mspan, from sweepgen to elemsize */
	SPAN_OBJECTS_MAX = 1024, /* 8 KiB spans of 8-byte objects hold the most */
	FLUSH_GEN_SZ = 8, /* mcache.flushGen with the padding behind it */
	CACHED_GEN = 3, /* sweepgen of a cached span - flushGen of its mcache */
};

/* A Go slice header as it lies in memory. */
struct slice {
	uint64_t ptr, len, cap;
};

/* What is read first and again last. A flush in between shows up in it. */
struct head {
	unsigned char deltas[DELTAS_NR]
			    [DELTA_MAX_SZ]; /* heapStats.stats, each heap_stats_sz long */
	uint32_t gen; /* heapStats.gen: which delta is written to */
	struct slice allp;
};

/* What is read of an mcache, in this order. */
struct mcache {
	uint64_t tiny_allocs; /* neighbours in Go 1.19-1.27 */
	uint64_t alloc[GO_NUM_SPAN_CLASSES];
	uint32_t flush_gen;
	uint32_t pad;
};

/* A span that an mcache holds. */
struct cached_span {
	uint8_t span_class; /* the slot it was found in */
	uint32_t flush_gen; /* of the mcache */
};

struct batch {
	size_t ps_nr;
	struct mcache mcaches[BATCH_PS];
	size_t spans_nr;
	struct cached_span cached[BATCH_SPANS];
	unsigned char spans[BATCH_SPANS][SPAN_PART_SZ];
	struct iovec addrs[BATCH_SPANS];
};

_Static_assert(BATCH_SPANS <= 1024, "IOV_MAX, the limit of one process_vm_readv");

static uint64_t load_u64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t load_u32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint16_t load_u16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static struct iovec place(uint64_t addr, size_t len)
{
	return (struct iovec){ .iov_base = (void *)(uintptr_t)addr, .iov_len = len };
}

int memstats_reader_init(struct memstats_reader *r, const struct proc *proc, struct gobin *bin,
			 uint64_t load_bias, struct err *err)
{
	const struct go_layout *layout = gobin_layout(bin);
	if (layout->heap_stats_sz > DELTA_MAX_SZ ||
	    layout->mcache_alloc != layout->mcache_tiny_allocs + sizeof(uint64_t) ||
	    layout->mspan_elemsize + sizeof(uint64_t) !=
		    layout->mspan_sweepgen + (size_t)SPAN_PART_SZ)
		return err_set(err, -ENOTSUP, "counters of Go 1.%d are laid out in an unknown way",
			       layout->minor);

	struct gobin_globals globals;
	int code = gobin_find_globals(bin, &globals);
	if (code < 0)
		return err_set(err, code, "cannot look for runtime variables in '%s': %s",
			       gobin_info(bin)->path, strerror(-code));
	if (!globals.memstats || !globals.allp)
		return err_set(err, -ENOTSUP, "cannot find runtime.%s in '%s'",
			       globals.memstats ? "allp" : "memstats", gobin_info(bin)->path);

	*r = (struct memstats_reader){
		.proc = proc,
		.layout = layout,
		.memstats = globals.memstats + load_bias,
		.allp = globals.allp + load_bias,
	};
	return 0;
}

static int read_head(const struct memstats_reader *r, struct head *ret)
{
	size_t delta_sz = r->layout->heap_stats_sz;
	struct iovec bufs[] = {
		{ ret->deltas[0], delta_sz },	   { ret->deltas[1], delta_sz },
		{ ret->deltas[2], delta_sz },	   { &ret->gen, sizeof(ret->gen) },
		{ &ret->allp, sizeof(ret->allp) },
	};
	struct iovec addrs[] = {
		place(r->memstats, DELTAS_NR * delta_sz + sizeof(ret->gen)),
		place(r->allp, sizeof(ret->allp)),
	};

	return proc_readv(r->proc, bufs, 5, addrs, 2);
}

static bool is_zero(const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

static bool head_is_sane(const struct memstats_reader *r, const struct head *h)
{
	const struct slice *allp = &h->allp;

	return allp->ptr && allp->len >= 1 && allp->len <= PS_MAX && allp->cap >= allp->len &&
	       allp->cap <= PS_MAX && h->gen < DELTAS_NR &&
	       is_zero(h->deltas[(h->gen + 1) % DELTAS_NR], r->layout->heap_stats_sz);
}

/* What is flushed, summed as the runtime's unsafeRead does, into *ret. */
static void sum_head(const struct memstats_reader *r, const struct head *h, struct memstats *ret)
{
	const struct go_layout *l = r->layout;

	*ret = (struct memstats){ 0 };
	for (int i = 0; i < DELTAS_NR; i++) {
		const unsigned char *delta = h->deltas[i];
		ret->tiny_allocs += load_u64(delta + l->hs_tiny_alloc_count);
		ret->large_bytes += load_u64(delta + l->hs_large_alloc);
		ret->large_objects += load_u64(delta + l->hs_large_alloc_count);
		for (int c = 0; c < GO_NUM_SIZE_CLASSES; c++)
			ret->class_objects[c] +=
				load_u64(delta + l->hs_small_alloc_count + c * sizeof(uint64_t));
	}
}

static void sum_totals(struct memstats *m)
{
	m->mallocs = m->tiny_allocs + m->large_objects;
	m->total_alloc = m->large_bytes;
	for (int c = 0; c < GO_NUM_SIZE_CLASSES; c++) {
		m->mallocs += m->class_objects[c];
		m->total_alloc += m->class_objects[c] * go_class_to_size[c];
	}
}

/* The mcaches of allp[first .. first+nr): 3 system calls. */
static int read_mcaches(const struct memstats_reader *r, const struct slice *allp, size_t first,
			size_t nr, struct batch *b)
{
	uint64_t ps[BATCH_PS], mcaches[BATCH_PS];
	int code = proc_read(r->proc, allp->ptr + first * sizeof(ps[0]), ps, nr * sizeof(ps[0]));
	if (code < 0)
		return code;

	struct iovec addrs[2 * BATCH_PS];
	for (size_t i = 0; i < nr; i++) {
		if (!ps[i])
			return -EAGAIN;
		addrs[i] = place(ps[i] + r->layout->p_mcache, sizeof(mcaches[0]));
	}
	struct iovec buf = { mcaches, nr * sizeof(mcaches[0]) };
	code = proc_readv(r->proc, &buf, 1, addrs, nr);
	if (code < 0)
		return code;

	for (size_t i = 0; i < nr; i++) {
		if (!mcaches[i])
			return -EAGAIN;
		addrs[2 * i] = place(mcaches[i] + r->layout->mcache_tiny_allocs,
				     offsetof(struct mcache, flush_gen));
		addrs[2 * i + 1] = place(mcaches[i] + r->layout->mcache_flush_gen, FLUSH_GEN_SZ);
	}
	buf = (struct iovec){ b->mcaches, nr * sizeof(b->mcaches[0]) };
	b->ps_nr = nr;
	return proc_readv(r->proc, &buf, 1, addrs, 2 * nr);
}

/*
 * The spans that the batch's mcaches hold: 1 system call. Slots 0 and 1 are those of large objects,
 * which never come from an mcache: they always hold &emptymspan, by which the other slots that hold
 * nothing are told.
 */
static int read_spans(const struct memstats_reader *r, struct batch *b)
{
	uint64_t empty = b->mcaches[0].alloc[0];

	b->spans_nr = 0;
	for (size_t i = 0; i < b->ps_nr; i++) {
		const uint64_t *alloc = b->mcaches[i].alloc;
		if (!empty || alloc[0] != empty || alloc[1] != empty)
			return -EAGAIN;
		for (int c = 2; c < GO_NUM_SPAN_CLASSES; c++) {
			if (alloc[c] == empty)
				continue;
			if (!alloc[c])
				return -EAGAIN;
			b->cached[b->spans_nr].span_class = (uint8_t)c;
			b->cached[b->spans_nr].flush_gen = b->mcaches[i].flush_gen;
			b->addrs[b->spans_nr] = place(alloc[c] + r->layout->mspan_sweepgen,
						      SPAN_PART_SZ);
			b->spans_nr++;
		}
	}
	struct iovec buf = { b->spans, b->spans_nr * sizeof(b->spans[0]) };
	return b->spans_nr == 0 ? 0 : proc_readv(r->proc, &buf, 1, b->addrs, b->spans_nr);
}

/* Add the objects of a span that are not flushed yet. -EAGAIN if it makes no sense. */
static int add_span(const struct go_layout *l, const struct cached_span *cached,
		    const unsigned char *part, struct memstats *sum)
{
	size_t base = l->mspan_sweepgen;
	int size_class = cached->span_class / 2;
	uint64_t elemsize = load_u64(part + (l->mspan_elemsize - base));
	uint16_t count = load_u16(part + (l->mspan_alloc_count - base));
	uint16_t before = load_u16(part + (l->mspan_alloc_count_before_cache - base));
	uint64_t used = count >= before ? count - before : 0;

	if (part[l->mspan_spanclass - base] != cached->span_class ||
	    elemsize != go_class_to_size[size_class] || count > SPAN_OBJECTS_MAX)
		return -EAGAIN;
	if (load_u32(part) != cached->flush_gen + CACHED_GEN) {
		sum->unsettled += used;
		sum->unsettled_bytes += used * elemsize;
		return 0;
	}
	sum->class_objects[size_class] += used;
	return count >= before ? 0 : -EAGAIN;
}

static int add_batch(const struct memstats_reader *r, const struct batch *b, struct memstats *sum)
{
	for (size_t i = 0; i < b->ps_nr; i++)
		sum->tiny_allocs += b->mcaches[i].tiny_allocs;
	for (size_t i = 0; i < b->spans_nr; i++) {
		int code = add_span(r->layout, &b->cached[i], b->spans[i], sum);
		if (code < 0)
			return code;
	}
	sum->ps_nr += (uint32_t)b->ps_nr;
	return 0;
}

/* Add what was flushed between the two heads. -EAGAIN if counters ran backwards: in a merge. */
static int add_unsettled(const struct memstats_reader *r, const struct head *before,
			 const struct head *after, struct memstats *ret)
{
	struct memstats from, to;
	sum_head(r, before, &from);
	sum_head(r, after, &to);
	sum_totals(&from);
	sum_totals(&to);
	if (to.mallocs < from.mallocs || to.total_alloc < from.total_alloc)
		return -EAGAIN;

	ret->unsettled += to.mallocs - from.mallocs;
	ret->unsettled_bytes += to.total_alloc - from.total_alloc;
	return 0;
}

/* One try. -EAGAIN if it contradicts itself. */
static int read_once(const struct memstats_reader *r, struct batch *b, struct memstats *ret)
{
	struct head before, after;
	int code = read_head(r, &before);
	if (code < 0)
		return code;
	if (!head_is_sane(r, &before))
		return -EAGAIN;
	sum_head(r, &before, ret);

	size_t ps_nr = before.allp.len;
	for (size_t first = 0; first < ps_nr; first += BATCH_PS) {
		size_t nr = ps_nr - first < BATCH_PS ? ps_nr - first : BATCH_PS;
		code = read_mcaches(r, &before.allp, first, nr, b);
		if (code == 0)
			code = read_spans(r, b);
		if (code == 0)
			code = add_batch(r, b, ret);
		if (code < 0)
			return code;
	}
	code = read_head(r, &after);
	if (code < 0)
		return code;
	if (!head_is_sane(r, &after) || memcmp(&before.allp, &after.allp, sizeof(after.allp)) != 0)
		return -EAGAIN;
	sum_totals(ret);
	return add_unsettled(r, &before, &after, ret);
}

/*
 * An address that is not mapped is a contradiction as well: it was read from the process's own
 * memory a moment ago.
 */
int memstats_read(const struct memstats_reader *r, struct memstats *ret)
{
	_cleanup_free_ struct batch *b = malloc(sizeof(*b));
	if (!b)
		return -ENOMEM;

	struct memstats now, best;
	bool have = false;
	for (int i = 0; i < TRIES_NR && !(have && best.unsettled == 0); i++) {
		int code = read_once(r, b, &now);
		if (code == -EFAULT || code == -EAGAIN)
			continue;
		if (code < 0)
			return code;
		if (!have || now.unsettled < best.unsettled)
			best = now;
		have = true;
	}
	if (!have)
		return -EAGAIN;
	*ret = best;
	return 0;
}
