/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a span is read while the runtime changes it.
 *
 * mheap_.sweepgen is read first. It grows by 2 when a mark phase has ended, and a span's own tells what its bits
 * mean then (mheap.go mspan.sweepgen): the same or 3 more: swept, allocBits and freeindex are all there is to
 * know; 2 less or 1 more: not swept since, so an object with no mark is dead; 1 less: being swept, its bits
 * are exchanged right now. A span is read again after its bits: when it has been swept or given away in
 * between, they were not its own. Both happen to few spans at a time, so these are tried again.
 *
 * Under the Green Tea collector (Go 1.26, or an experiment in 1.25) a span of one page and small objects has its
 * marks at its own end until it is swept (mgcmark_greenteagc.go spanInlineMarkBits).
 */
#include "proc/heap.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/u64.h"
#include "gobin/gobin.h"
#include "proc/places.h"

enum {
	TRIES_NR = 4,
	BATCH_NR = 1024,
	ARENA_SHIFT = 26, /* heapArenaBytes: 64 MB */
	ARENA_PAGES = (1 << ARENA_SHIFT) / GO_PAGE_SIZE,
	ARENAS_NR = 1 << 22, /* of 48 bits of address */
	SPAN_PART_SZ = 96, /* of an mspan, from startAddr to elemsize */
	SPAN_NELEMS_MAX = 1024, /* 8 KiB of 8-byte objects */
	SPAN_NPAGES_MAX = 1 << 28,
	STATE_IN_USE = 1, /* mheap.go mSpanInUse, mSpanManual */
	STATE_MANUAL = 2,
	INLINE_MARKS_SZ = 64, /* at the end of the page: 63 bytes of marks and the class */
};

/* What an mspan says. */
struct span {
	uint64_t start, npages, elemsize, nelems, freeindex;
	uint64_t alloc_bits, gcmark_bits;
	uint32_t sweepgen;
	uint8_t state;
};

/* An address that is looked at. */
struct look {
	uint64_t addr;
	enum heap_state *state;
	bool done;
	uint64_t arena; /* of the heapArena; 0: none */
	uint64_t mspan;
	unsigned char part[SPAN_PART_SZ], again[SPAN_PART_SZ];
	struct span span;
	uint64_t index; /* of the object in its span */
	bool unswept;
	uint8_t inline_byte, alloc_byte, mark_byte;
};

struct batch {
	const struct heap_reader *r;
	int faults_left;
	uint32_t sweepgen;
	uint64_t arenas; /* the second level of mheap_.arenas */
	size_t nr;
	struct look looks[BATCH_NR];
	struct place places[BATCH_NR];
};

int heap_reader_init(struct heap_reader *r, const struct proc *proc, struct gobin *bin,
		     uint64_t load_bias, struct err *err)
{
	const struct gobin_info *info = gobin_info(bin);
	const struct go_heap_layout *heap = go_heap_layout_find(info->go_minor);
	const struct go_layout *layout = gobin_layout(bin);
	if (!heap)
		return err_set(err, -ENOTSUP, "the heap of Go 1.%d is laid out in an unknown way",
			       info->go_minor);

	struct gobin_globals globals;
	int code = gobin_find_globals(bin, &globals);
	if (code < 0)
		return err_set(err, code, "cannot look for runtime variables in '%s': %s",
			       info->path, strerror(-code));
	if (!globals.mheap)
		return err_set(err, -ENOTSUP, "cannot find runtime.mheap_ in '%s'", info->path);

	bool x86_64 = info->machine == EM_X86_64;
	uint64_t mheap = globals.mheap + load_bias;
	*r = (struct heap_reader){
		.proc = proc,
		.layout = layout,
		.heap = heap,
		.sweepgen = mheap + heap->mheap_sweepgen,
		.arenas = mheap + (x86_64 ? heap->mheap_arenas : heap->mheap_arenas_arm64),
		.arena_base = x86_64 ? 0xffff800000000000 : 0,
	};
	return 0;
}

static uint64_t load(const unsigned char *p, size_t len)
{
	uint64_t v = 0;

	memcpy(&v, p, len); /* little-endian, as all that are supported */
	return v;
}

static void look_ends(struct look *l, enum heap_state state)
{
	*l->state = state;
	l->done = true;
}

/* Read one place for each look that isn't done; those that can't be read are of no known state. */
static int read_each(struct batch *b,
		     bool (*place_of)(const struct batch *b, struct look *l, struct place *ret))
{
	for (size_t i = 0; i < b->nr; i++) {
		struct look *l = &b->looks[i];
		b->places[i] = (struct place){ 0 };
		if (!l->done && !place_of(b, l, &b->places[i]))
			b->places[i].addr = 0;
	}
	int code = places_read(b->r->proc, b->places, b->nr, &b->faults_left);
	for (size_t i = 0; code == 0 && i < b->nr; i++)
		if (b->places[i].addr && !b->places[i].ok)
			look_ends(&b->looks[i], HEAP_UNKNOWN);
	return code;
}

/* --- from an address to its span ------------------------------------------------------------------ */

static int read_head(struct batch *b)
{
	struct iovec bufs[] = { { &b->sweepgen, sizeof(b->sweepgen) },
				{ &b->arenas, sizeof(b->arenas) } };
	struct iovec addrs[] = {
		{ (void *)(uintptr_t)b->r->sweepgen, bufs[0].iov_len },
		{ (void *)(uintptr_t)b->r->arenas, bufs[1].iov_len },
	};

	return proc_readv(b->r->proc, bufs, 2, addrs, 2);
}

static bool place_of_arena(const struct batch *b, struct look *l, struct place *ret)
{
	uint64_t number = (l->addr - b->r->arena_base) >> ARENA_SHIFT;

	if (number >= ARENAS_NR) {
		look_ends(l, HEAP_UNKNOWN);
		return false;
	}
	*ret = (struct place){ b->arenas + number * 8, &l->arena, 8, false };
	return true;
}

static uint64_t page_of(const struct batch *b, uint64_t addr)
{
	return (addr - b->r->arena_base) / GO_PAGE_SIZE % ARENA_PAGES;
}

static bool place_of_mspan(const struct batch *b, struct look *l, struct place *ret)
{
	if (!l->arena) {
		look_ends(l, HEAP_UNKNOWN);
		return false;
	}
	*ret = (struct place){ l->arena + b->r->heap->arena_spans + page_of(b, l->addr) * 8,
			       &l->mspan, 8, false };
	return true;
}

static bool place_of_part(const struct batch *b, struct look *l, struct place *ret)
{
	if (!l->mspan) {
		look_ends(l, HEAP_FREE); /* a page that was never used */
		return false;
	}
	*ret = (struct place){ l->mspan + b->r->heap->mspan_start_addr, l->part, SPAN_PART_SZ,
			       false };
	return true;
}

static bool place_of_part_again(const struct batch *b, struct look *l, struct place *ret)
{
	*ret = (struct place){ l->mspan + b->r->heap->mspan_start_addr, l->again, SPAN_PART_SZ,
			       false };
	return true;
}

static void span_decode(const struct heap_reader *r, const unsigned char *part, struct span *ret)
{
	const struct go_heap_layout *h = r->heap;
	size_t base = h->mspan_start_addr;
	size_t wide = h->mspan_nelems - h->mspan_freeindex;

	*ret = (struct span){
		.start = load(part, 8),
		.npages = load(part + (h->mspan_npages - base), 8),
		.elemsize = load(part + (r->layout->mspan_elemsize - base), 8),
		.nelems = load(part + (h->mspan_nelems - base), wide),
		.freeindex = load(part + (h->mspan_freeindex - base), wide),
		.alloc_bits = load(part + (h->mspan_alloc_bits - base), 8),
		.gcmark_bits = load(part + (h->mspan_gcmark_bits - base), 8),
		.sweepgen = (uint32_t)load(part + (r->layout->mspan_sweepgen - base), 4),
		.state = part[h->mspan_state - base],
	};
}

/* --- from a span to the object -------------------------------------------------------------------- */

static bool span_holds(const struct span *s, uint64_t addr)
{
	return addr >= s->start && s->npages <= SPAN_NPAGES_MAX &&
	       addr - s->start < s->npages * GO_PAGE_SIZE;
}

static bool span_is_sane(const struct span *s)
{
	return s->elemsize >= 8 && s->elemsize <= s->npages * GO_PAGE_SIZE && s->nelems >= 1 &&
	       s->nelems <= SPAN_NELEMS_MAX && s->freeindex <= s->nelems && s->alloc_bits &&
	       s->gcmark_bits;
}

/* What the span alone tells. What is left open has an index, and may be asked for its bits. */
static void look_at_span(const struct batch *b, struct look *l)
{
	const struct span *s = &l->span;

	span_decode(b->r, l->part, &l->span);
	l->inline_byte = l->alloc_byte = l->mark_byte = 0;
	l->unswept = false;
	/* Pages that were freed keep the span that had them, and it may be used elsewhere by now. */
	if (!span_holds(s, l->addr) || (s->state != STATE_IN_USE && s->state != STATE_MANUAL)) {
		look_ends(l, HEAP_FREE);
		return;
	}
	if (s->state == STATE_MANUAL) {
		look_ends(l, HEAP_STACK);
		return;
	}
	if (!span_is_sane(s))
		return; /* it may be in the making */
	l->index = (l->addr - s->start) / s->elemsize;
	if (l->index >= s->nelems)
		look_ends(l, HEAP_FREE); /* what is left over at its end */
	uint32_t ahead = s->sweepgen - b->sweepgen;
	l->unswept = ahead == (uint32_t)-2 || ahead == 1;
}

static bool look_is_open(const struct batch *b, const struct look *l)
{
	uint32_t ahead = l->span.sweepgen - b->sweepgen;

	return span_is_sane(&l->span) && (l->unswept || ahead == 0 || ahead == 3);
}

static bool place_of_alloc_byte(const struct batch *b, struct look *l, struct place *ret)
{
	if (!look_is_open(b, l) || l->index < l->span.freeindex)
		return false;
	*ret = (struct place){ l->span.alloc_bits + l->index / 8, &l->alloc_byte, 1, false };
	return true;
}

static bool place_of_inline_byte(const struct batch *b, struct look *l, struct place *ret)
{
	uint32_t at = b->r->heap->arena_inline_marks;

	if (!look_is_open(b, l) || !l->unswept || at == GO_OFF_NONE || l->span.npages != 1)
		return false;
	*ret = (struct place){ l->arena + at + page_of(b, l->span.start) / 8, &l->inline_byte, 1,
			       false };
	return true;
}

static bool place_of_mark_byte(const struct batch *b, struct look *l, struct place *ret)
{
	uint64_t bits = l->span.gcmark_bits;

	if (!look_is_open(b, l) || !l->unswept)
		return false;
	if (l->inline_byte >> page_of(b, l->span.start) % 8 & 1)
		bits = l->span.start + GO_PAGE_SIZE - INLINE_MARKS_SZ;
	*ret = (struct place){ bits + l->index / 8, &l->mark_byte, 1, false };
	return true;
}

/* Only allocation goes on in a span without anything else in it changing. */
static bool span_is_same(const struct span *a, const struct span *b)
{
	return a->start == b->start && a->npages == b->npages && a->elemsize == b->elemsize &&
	       a->nelems == b->nelems && a->freeindex <= b->freeindex &&
	       a->alloc_bits == b->alloc_bits && a->gcmark_bits == b->gcmark_bits &&
	       a->sweepgen == b->sweepgen && a->state == b->state;
}

static void look_at_bits(const struct batch *b, struct look *l)
{
	struct span again;

	span_decode(b->r, l->again, &again);
	if (!look_is_open(b, l) || !span_is_same(&l->span, &again))
		return;
	bool allocated = l->index < again.freeindex || (l->alloc_byte >> l->index % 8 & 1);
	bool dead = l->unswept && !(l->mark_byte >> l->index % 8 & 1);
	look_ends(l, allocated && !dead ? HEAP_OBJECT : HEAP_FREE);
}

/* One try for those that aren't done. */
static int look_once(struct batch *b)
{
	int code = read_head(b);
	if (code == 0)
		code = read_each(b, place_of_arena);
	if (code == 0)
		code = read_each(b, place_of_mspan);
	if (code == 0)
		code = read_each(b, place_of_part);
	for (size_t i = 0; code == 0 && i < b->nr; i++)
		if (!b->looks[i].done)
			look_at_span(b, &b->looks[i]);
	if (code == 0)
		code = read_each(b, place_of_alloc_byte);
	if (code == 0)
		code = read_each(b, place_of_inline_byte);
	if (code == 0)
		code = read_each(b, place_of_mark_byte);
	if (code == 0)
		code = read_each(b, place_of_part_again);
	for (size_t i = 0; code == 0 && i < b->nr; i++)
		if (!b->looks[i].done)
			look_at_bits(b, &b->looks[i]);
	return code;
}

static size_t looks_open(const struct batch *b)
{
	size_t nr = 0;

	for (size_t i = 0; i < b->nr; i++)
		nr += !b->looks[i].done;
	return nr;
}

static int look_at_batch(struct batch *b, const uint64_t *addrs, enum heap_state *ret)
{
	memset(b->looks, 0, b->nr * sizeof(b->looks[0]));
	for (size_t i = 0; i < b->nr; i++) {
		b->looks[i].addr = addrs[i];
		b->looks[i].state = &ret[i];
		ret[i] = HEAP_UNKNOWN;
	}
	int code = 0;
	for (int i = 0; i < TRIES_NR && code == 0 && looks_open(b) > 0; i++)
		code = look_once(b);
	/* Without the head of the heap nothing is known, now or later. */
	return code == -EFAULT ? 0 : code;
}

int heap_look(const struct heap_reader *r, const uint64_t *addrs, size_t nr, enum heap_state *ret)
{
	if (nr == 0)
		return 0;
	_cleanup_free_ struct batch *b = malloc(sizeof(*b));
	if (!b)
		return -ENOMEM;

	b->r = r;
	b->faults_left = PLACES_FAULTS_MAX;
	for (size_t first = 0; first < nr; first += BATCH_NR) {
		b->nr = min_u64(nr - first, BATCH_NR);
		int code = look_at_batch(b, addrs + first, ret + first);
		if (code < 0)
			return code;
	}
	return 0;
}
