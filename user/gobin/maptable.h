/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much memory the tables of Go's maps take, by kind of map and number of entries.
 *
 * Classic maps (up to Go 1.23, and 1.24/1.25 with GOEXPERIMENT=noswissmap) have an array of 2^B buckets of 8
 * slots that doubles; Swiss maps (since 1.24) a directory of tables of groups of 8 slots, which grow to 1024
 * slots and then split. Neither ever shrinks. Sources: runtime/map.go, internal/runtime/maps/{map,table}.go.
 */
#ifndef GALLOP_GOBIN_MAPTABLE_H
#define GALLOP_GOBIN_MAPTABLE_H

#include <stdbool.h>
#include <stdint.h>

/* Where the runtime has what is needed of a map and its type, the same in all versions (DWARF of each). */
enum {
	GO_HMAP_B = 9, /* runtime.hmap.B, u8 */
	GO_MAP_BUCKET_SIZE = 0x52, /* of a classic map's type: BucketSize, u16 */
	GO_MAP_GROUP_SIZE = 0x50, /* of a Swiss map's type: GroupSize, u64 */
	GO_MAP_LOAD_SIX_MINOR = 21, /* the Go that rounds a load of 13/2 down: see load_six */
};

struct go_map_shape {
	bool swiss;
	bool noscan; /* a bucket or group holds no pointers */
	bool malloc_headers; /* Go >= 1.22, see layout.h */
	uint32_t unit_bytes; /* of one bucket (classic) or group (Swiss) of 8 slots; 0: not known */
	bool load_six; /* Go 1.21: a classic map grows at 6 entries per bucket, not 6.5 (its source says 13/16 of 8) */
};

/* Bytes that mallocgc takes for an object of this size (runtime/msize.go, sizeclasses.go). */
uint64_t go_alloc_size(uint64_t size, bool noscan, bool malloc_headers);

/* Bytes of the array of 2^bits buckets of a classic map, preallocated overflow buckets included. */
uint64_t go_map_buckets_bytes(const struct go_map_shape *shape, unsigned int bits);

/* Bytes of so many groups of a Swiss map, of a table with them, and of a directory of so many tables. */
uint64_t go_map_groups_bytes(const struct go_map_shape *shape, uint64_t groups);
uint64_t go_map_table_bytes(const struct go_map_shape *shape, uint64_t groups);
uint64_t go_map_directory_bytes(const struct go_map_shape *shape, uint64_t len);

/* Bytes of buckets, or tables and directory, of a map that was made for so many entries; 0: unknown shape. */
uint64_t go_map_bytes_for(const struct go_map_shape *shape, uint64_t entries);

/*
 * What filling a new map of no size to so many entries costs at least: how often its tables grow or split, and
 * the bytes of the tables that are left behind. Of a Swiss map of several tables it is what to expect: chance
 * decides which of them are full enough to split.
 */
uint64_t go_map_growths_for(const struct go_map_shape *shape, uint64_t entries);
uint64_t go_map_grown_bytes_for(const struct go_map_shape *shape, uint64_t entries);

#endif
