/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * runtime.hmap (Go 1.19-1.23 runtime/map.go; 1.24 and 1.25 map_noswiss.go).
 *
 * Overflow buckets are taken from those that were allocated with the array as long as there are any; the rest
 * are objects of their own. Maps without pointers in their buckets keep a list of all of them, whose length
 * is exact; else there is noverflow, which from 2^16 buckets on is counted by chance. Of those that belong to
 * the old array of a map that is growing there is no count at all: it is what hashes that are spread evenly
 * lead to, less the part that has been evacuated.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "base/u64.h"
#include "gobin/layout.h"
#include "proc/gomap_priv.h"

enum {
	HMAP_FLAGS = 8,
	HMAP_NOVERFLOW = 10,
	HMAP_HASH0 = 12,
	HMAP_BUCKETS = 16,
	HMAP_OLDBUCKETS = 24,
	HMAP_NEVACUATE = 32,
	HMAP_EXTRA = 40,
	HMAP_EXTRA_CLEAR_SEQ = 48, /* with clearSeq in front of it */
	FLAG_SAME_SIZE = 8,
	EXTRA_SZ = 24, /* mapextra: overflow, oldoverflow, nextOverflow */
	SLICE_SZ = 24,
	SLICES_NR = 2, /* of overflow buckets, and of old ones */
	B_MAX = 40,
	OVERFLOW_MIN_B = 4, /* smaller arrays are allocated without overflow buckets */
	EXACT_MAX_B = 15, /* up to it noverflow is exact */
	SLOTS = 8,
	/* How many of 1000 buckets with 6 or 6.5 entries on average have more than 8 (Poisson). */
	OVERFULL_AT_6 = 153,
	OVERFULL_AT_6_5 = 208,
};

struct extra {
	unsigned char bytes[EXTRA_SZ];
	unsigned char slices[SLICES_NR][SLICE_SZ];
	bool have[SLICES_NR];
};

static uint64_t extra_at(const struct gomap_batch *b, const unsigned char *header)
{
	return gomap_u64(header +
			 (b->r->go_minor >= CLEAR_SEQ_MINOR ? HMAP_EXTRA_CLEAR_SEQ : HMAP_EXTRA));
}

static unsigned int bits_of_old(const unsigned char *header)
{
	unsigned int bits = header[GO_HMAP_B];

	return header[HMAP_FLAGS] & FLAG_SAME_SIZE || bits == 0 ? bits : bits - 1;
}

static bool header_is_sane(const unsigned char *header)
{
	uint64_t count = gomap_u64(header);
	uint64_t buckets = gomap_u64(header + HMAP_BUCKETS);

	if (header[GO_HMAP_B] > B_MAX || buckets % 8 || gomap_u64(header + HMAP_OLDBUCKETS) % 8)
		return false;
	/* It grows at 6.5 entries per bucket, and may reach the double of it while it does. */
	return buckets ? count <= ((uint64_t)2 * SLOTS << header[GO_HMAP_B]) : count == 0;
}

static uint64_t preallocated(const struct go_map_shape *shape, unsigned int bits)
{
	if (bits < OVERFLOW_MIN_B)
		return 0;
	return go_map_buckets_bytes(shape, bits) / shape->unit_bytes - ((uint64_t)1 << bits);
}

/* Of so many overflow buckets: bytes of those that were allocated after their array. */
static uint64_t overflow_bytes(const struct go_map_shape *shape, unsigned int bits, uint64_t nr)
{
	uint64_t spare = preallocated(shape, bits);
	uint64_t own = nr > spare ? nr - spare : 0;

	return own * go_alloc_size(shape->unit_bytes, shape->noscan, shape->malloc_headers);
}

static int read_extras(struct gomap_batch *b, struct extra *extras)
{
	for (size_t i = 0; i < b->nr; i++)
		b->places[i] = (struct place){ b->looks[i].map ? extra_at(b, b->looks[i].header)
							       : 0,
					       extras[i].bytes, EXTRA_SZ, false };
	int code = places_read(b->r->heap.proc, b->places, b->nr, &b->faults_left);
	for (size_t i = 0; code == 0 && i < b->nr; i++)
		if (b->places[i].addr && !b->places[i].ok)
			b->looks[i].map = NULL;
	return code;
}

/* Number s of the two: pointers to slices, where buckets hold no pointers. */
static int read_slices(struct gomap_batch *b, struct extra *extras, int s)
{
	for (size_t i = 0; i < b->nr; i++) {
		bool listed = b->looks[i].map && b->looks[i].map->shape.noscan;
		b->places[i] = (struct place){ listed ? gomap_u64(extras[i].bytes + 8 * s) : 0,
					       extras[i].slices[s], SLICE_SZ, false };
	}
	int code = places_read(b->r->heap.proc, b->places, b->nr, &b->faults_left);
	for (size_t i = 0; code == 0 && i < b->nr; i++)
		extras[i].have[s] = b->places[i].ok;
	return code;
}

/* A list can't be longer than there may be buckets; else it is nonsense. */
static bool slice_is_sane(const unsigned char *slice, unsigned int bits)
{
	uint64_t len = gomap_u64(slice + 8), cap = gomap_u64(slice + 16);

	return len <= cap && cap <= ((uint64_t)64 << bits);
}

static uint64_t current_bytes(const struct gomap_look *l, const struct extra *extra)
{
	unsigned int bits = l->header[GO_HMAP_B];
	uint64_t nr = gomap_u16(l->header + HMAP_NOVERFLOW);

	if (extra->have[0])
		nr = gomap_u64(extra->slices[0] + 8);
	else if (bits > EXACT_MAX_B)
		nr <<= bits - EXACT_MAX_B;
	return (l->on_heap ? go_map_buckets_bytes(&l->map->shape, bits) : 0) +
	       overflow_bytes(&l->map->shape, bits, nr);
}

static uint64_t old_bytes(const struct gomap_look *l, const struct extra *extra)
{
	const struct go_map_shape *shape = &l->map->shape;
	unsigned int bits = bits_of_old(l->header);
	uint64_t array = go_map_buckets_bytes(shape, bits);

	if (extra->have[1])
		return array + overflow_bytes(shape, bits, gomap_u64(extra->slices[1] + 8));

	uint64_t buckets = (uint64_t)1 << bits;
	uint64_t left = buckets - min_u64(buckets, gomap_u64(l->header + HMAP_NEVACUATE));
	uint64_t of_1000 = shape->load_six ? OVERFULL_AT_6 : OVERFULL_AT_6_5;
	if (l->header[HMAP_FLAGS] & FLAG_SAME_SIZE)
		of_1000 =
			1000; /* as many as there are buckets is why it grows (tooManyOverflowBuckets) */
	uint64_t overflows = overflow_bytes(shape, bits, buckets * of_1000 / 1000);
	return array + (uint64_t)((double)overflows * (double)left / (double)buckets);
}

/* false: it contradicts itself. */
static bool measure(struct gomap_look *l, const struct extra *extra, uint64_t extra_addr)
{
	const unsigned char *header = l->header;
	const struct go_map_shape *shape = &l->map->shape;
	unsigned int bits[SLICES_NR] = { header[GO_HMAP_B], bits_of_old(header) };
	uint64_t bytes = 0;

	for (int s = 0; s < SLICES_NR; s++) {
		if (!extra->have[s])
			continue;
		if (!slice_is_sane(extra->slices[s], bits[s]))
			return false;
		bytes += go_alloc_size(SLICE_SZ, false, shape->malloc_headers) +
			 go_alloc_size(8 * gomap_u64(extra->slices[s] + 16), false,
				       shape->malloc_headers);
	}
	if (extra_addr)
		bytes += go_alloc_size(EXTRA_SZ, false, shape->malloc_headers);
	if (gomap_u64(header + HMAP_BUCKETS))
		bytes += current_bytes(l, extra);
	if (gomap_u64(header + HMAP_OLDBUCKETS))
		bytes += old_bytes(l, extra);
	l->map->seed = gomap_u32(header + HMAP_HASH0);
	l->map->entries = gomap_u64(header);
	l->map->bytes = bytes;
	return true;
}

int gomap_classic(struct gomap_batch *b)
{
	_cleanup_free_ struct extra *extras = calloc(b->nr, sizeof(*extras));
	if (!extras)
		return -ENOMEM;

	for (size_t i = 0; i < b->nr; i++) {
		struct gomap_look *l = &b->looks[i];
		if (l->map && (!header_is_sane(l->header) || l->map->shape.unit_bytes == 0))
			l->map = NULL;
	}
	int code = read_extras(b, extras);
	for (int s = 0; code == 0 && s < SLICES_NR; s++)
		code = read_slices(b, extras, s);
	for (size_t i = 0; code == 0 && i < b->nr; i++) {
		struct gomap_look *l = &b->looks[i];
		if (l->map && !measure(l, &extras[i], extra_at(b, l->header)))
			l->map = NULL;
	}
	return code;
}
