/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/gomap.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/u64.h"
#include "gobin/gobin.h"
#include "proc/gomap_priv.h"

enum {
	/* internal/abi/type.go, map_*.go: the same in all versions but for what is told apart below. */
	TYPE_SZ = 48,
	TYPE_PTR_BYTES = 8,
	TYPE_KIND = 23,
	KIND_MASK = 31,
	KIND_MAP = 21,
	MAP_TYPE_SZ = 0x58,
	MAP_TYPE_UNIT = 0x40, /* the type of a bucket or group */
	UNIT_MAX = 0xffff,

	HMAP_SZ = 48,
};

int gomap_reader_init(struct gomap_reader *r, const struct proc *proc, struct gobin *bin,
		      uint64_t load_bias, struct err *err)
{
	const struct gobin_info *info = gobin_info(bin);
	enum gobin_maps kind = gobin_map_kind(bin);
	if (kind == GOBIN_MAPS_NONE)
		return err_set(err, -ENOTSUP, "'%s' has no maps", info->path);

	*r = (struct gomap_reader){
		.go_minor = info->go_minor,
		.swiss = kind == GOBIN_MAPS_SWISS,
		.malloc_headers = gobin_layout(bin)->malloc_headers,
	};
	return heap_reader_init(&r->heap, proc, bin, load_bias, err);
}

int gomap_shape(const struct gomap_reader *r, uint64_t typ_addr, struct go_map_shape *ret)
{
	unsigned char type[MAP_TYPE_SZ], unit[TYPE_SZ];
	int code = proc_read(r->heap.proc, typ_addr, type, sizeof(type));
	if (code < 0)
		return code;
	if ((type[TYPE_KIND] & KIND_MASK) != KIND_MAP)
		return -EINVAL;
	code = proc_read(r->heap.proc, gomap_u64(type + MAP_TYPE_UNIT), unit, sizeof(unit));
	if (code < 0)
		return code;

	uint64_t size = r->swiss ? gomap_u64(type + GO_MAP_GROUP_SIZE)
				 : gomap_u16(type + GO_MAP_BUCKET_SIZE);
	if (size == 0 || size > UNIT_MAX || gomap_u64(unit) != size)
		return -EINVAL;
	*ret = (struct go_map_shape){
		.swiss = r->swiss,
		.noscan = gomap_u64(unit + TYPE_PTR_BYTES) == 0,
		.malloc_headers = r->malloc_headers,
		.unit_bytes = (uint32_t)size,
		.load_six = r->go_minor == GO_MAP_LOAD_SIX_MINOR,
	};
	return 0;
}

static size_t header_sz(const struct gomap_reader *r)
{
	return !r->swiss && r->go_minor >= CLEAR_SEQ_MINOR ? GOMAP_HEADER_SZ : HMAP_SZ;
}

/* Those that are given up don't come back. */
static int read_headers(struct gomap_batch *b, unsigned char (*headers)[GOMAP_HEADER_SZ])
{
	for (size_t i = 0; i < b->nr; i++) {
		const struct gomap *map = b->looks[i].map;
		b->places[i] = (struct place){ map ? map->addr : 0, headers[i], header_sz(b->r),
					       false };
	}
	int code = places_read(b->r->heap.proc, b->places, b->nr, &b->faults_left);
	for (size_t i = 0; code == 0 && i < b->nr; i++)
		if (!b->places[i].ok)
			b->looks[i].map = NULL;
	return code;
}

static bool is_elsewhere(const struct gomap_look *l)
{
	return l->map && l->map->state != HEAP_OBJECT;
}

/* A map on a stack may have its first bucket or group there too. */
static int look_at_tables(struct gomap_batch *b)
{
	uint64_t addrs[GOMAP_BATCH_NR];
	enum heap_state states[GOMAP_BATCH_NR];
	size_t nr = 0;

	for (size_t i = 0; i < b->nr; i++)
		if (is_elsewhere(&b->looks[i]))
			addrs[nr++] = gomap_u64(b->looks[i].header + GOMAP_TABLE_AT);
	int code = heap_look(&b->r->heap, addrs, nr, states);
	nr = 0;
	for (size_t i = 0; code == 0 && i < b->nr; i++)
		b->looks[i].on_heap = !is_elsewhere(&b->looks[i]) || states[nr++] == HEAP_OBJECT;
	return code;
}

/* Where the tables are must not change while they are measured. */
static bool header_is_same(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a + GOMAP_TABLE_AT, b + GOMAP_TABLE_AT, GOMAP_TABLE_SZ) == 0;
}

static int settle(struct gomap_batch *b)
{
	_cleanup_free_ unsigned char(*again)[GOMAP_HEADER_SZ] = calloc(b->nr, sizeof(*again));
	if (!again)
		return -ENOMEM;
	int code = read_headers(b, again);
	if (code < 0)
		return code;

	uint64_t own = go_alloc_size(header_sz(b->r), false, b->r->malloc_headers);
	for (size_t i = 0; i < b->nr; i++) {
		struct gomap *map = b->looks[i].map;
		if (!map || !header_is_same(b->looks[i].header, again[i]))
			continue;
		/* The frame may be a dead one, whose tables are gone, or it has none on the heap. */
		if (map->state != HEAP_STACK)
			map->bytes += own;
		else if (!b->looks[i].on_heap)
			map->bytes = 0;
		map->known = true;
	}
	return 0;
}

static int read_batch(struct gomap_batch *b)
{
	unsigned char(*headers)[GOMAP_HEADER_SZ] = calloc(b->nr, sizeof(*headers));
	if (!headers)
		return -ENOMEM;
	int code = read_headers(b, headers);
	for (size_t i = 0; i < b->nr; i++)
		memcpy(b->looks[i].header, headers[i], sizeof(headers[i]));
	free(headers);
	if (code == 0)
		code = look_at_tables(b);
	if (code == 0)
		code = b->r->swiss ? gomap_swiss(b) : gomap_classic(b);
	return code < 0 ? code : settle(b);
}

static int read_states(const struct gomap_reader *r, struct gomap *maps, size_t nr)
{
	uint64_t addrs[GOMAP_BATCH_NR];
	enum heap_state states[GOMAP_BATCH_NR];

	for (size_t i = 0; i < nr; i++)
		addrs[i] = maps[i].addr;
	int code = heap_look(&r->heap, addrs, nr, states);
	for (size_t i = 0; code == 0 && i < nr; i++) {
		maps[i].state = states[i];
		maps[i].known = maps[i].left_out = false;
		maps[i].seed = maps[i].entries = maps[i].bytes = 0;
	}
	return code;
}

int gomap_read(const struct gomap_reader *r, struct gomap *maps, size_t nr)
{
	_cleanup_free_ struct gomap_batch *b = malloc(sizeof(*b));
	if (!b)
		return -ENOMEM;

	int left_out = 0;
	b->r = r;
	b->faults_left = PLACES_FAULTS_MAX;
	b->tables_left = GOMAP_TABLES_MAX;
	for (size_t first = 0; first < nr; first += GOMAP_BATCH_NR) {
		b->nr = min_u64(nr - first, GOMAP_BATCH_NR);
		int code = read_states(r, maps + first, b->nr);
		if (code < 0)
			return code;
		memset(b->looks, 0, b->nr * sizeof(b->looks[0]));
		for (size_t i = 0; i < b->nr; i++)
			if (maps[first + i].state != HEAP_FREE)
				b->looks[i].map = &maps[first + i];
		code = read_batch(b);
		if (code < 0)
			return code;
	}
	for (size_t i = 0; i < nr; i++)
		left_out += maps[i].left_out;
	return left_out;
}
