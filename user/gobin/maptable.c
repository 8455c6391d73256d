/* SPDX-License-Identifier: BSD-2-Clause */
/* Go 1.19-1.27 runtime/map.go (map_noswiss.go in 1.24 and 1.25), internal/runtime/maps/{map,table}.go. */
#include "gobin/maptable.h"

#include <stddef.h>

#include "base/u64.h"
#include "gobin/layout.h"

enum {
	SLOTS = 8, /* of a bucket or a group */
	ENTRIES_BITS_MAX = 40, /* more entries than that fit no memory */
	UNIT_MAX = 0xffff, /* maptype.BucketSize is 16 bits, and groups are no larger */
	SMALL_MAX = 32768, /* maxSmallSize */
	HEADER_SZ = 8, /* mallocHeaderSize */
	HEADER_MIN = 512, /* minSizeForMallocHeader: smaller ones have their bitmap in the span */
	WORD_SZ = 8,

	OVERFLOW_BITS =
		4, /* makeBucketArray: from 2^4 buckets on, an overflow bucket for each 2^4 */

	TABLE_SZ = 32, /* maps.table */
	TABLE_MAX = 1024, /* maxTableCapacity, slots */
	GROUP_LOAD = 7, /* maxAvgGroupLoad */
	TABLE_LOAD = TABLE_MAX / SLOTS * GROUP_LOAD,
	/*
	 * Keys spread over tables at random: when these hold TABLE_LOAD on average some have split,
	 * and when they hold two standard deviations (of 30) more nearly all have.
	 */
	SPLIT_SPREAD = 60,
};

static uint64_t small_class_size(uint64_t size)
{
	size_t low = 1, high = GO_NUM_SIZE_CLASSES - 1;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (go_class_to_size[mid] < size)
			low = mid + 1;
		else
			high = mid;
	}
	return go_class_to_size[low];
}

static uint64_t header_of(uint64_t size, bool noscan, bool malloc_headers)
{
	return malloc_headers && !noscan && size > HEADER_MIN && size <= SMALL_MAX - HEADER_SZ
		       ? HEADER_SZ
		       : 0;
}

uint64_t go_alloc_size(uint64_t size, bool noscan, bool malloc_headers)
{
	uint64_t small_max = malloc_headers ? SMALL_MAX - HEADER_SZ : SMALL_MAX;

	if (size == 0)
		return 0; /* &zerobase */
	if (size <= small_max)
		return small_class_size(size + header_of(size, noscan, malloc_headers));
	if (size > UINT64_MAX - GO_PAGE_SIZE)
		return size;
	return (size + GO_PAGE_SIZE - 1) / GO_PAGE_SIZE * GO_PAGE_SIZE;
}

static bool is_known(const struct go_map_shape *shape)
{
	return shape->unit_bytes > 0 && shape->unit_bytes <= UNIT_MAX;
}

static uint64_t alloc_size_of(const struct go_map_shape *shape, uint64_t size)
{
	return go_alloc_size(size, shape->noscan, shape->malloc_headers);
}

/* --- classic ------------------------------------------------------------------------------------ */

uint64_t go_map_buckets_bytes(const struct go_map_shape *shape, unsigned int bits)
{
	if (bits > ENTRIES_BITS_MAX || !is_known(shape))
		return 0;
	uint64_t unit = shape->unit_bytes, nr = (uint64_t)1 << bits;
	if (bits < OVERFLOW_BITS)
		return alloc_size_of(shape, nr * unit);

	/* What rounding up would waste becomes overflow buckets too. */
	uint64_t size = (nr + (nr >> OVERFLOW_BITS)) * unit;
	uint64_t usable = alloc_size_of(shape, size) -
			  header_of(size, shape->noscan, shape->malloc_headers);
	return alloc_size_of(shape, usable / unit * unit);
}

/* The B of a map that holds so many: overLoadFactor(). */
static unsigned int bits_for(const struct go_map_shape *shape, uint64_t entries)
{
	uint64_t load = shape->load_six ? 12 : 13; /* of two buckets */
	unsigned int bits = 0;

	while (entries > SLOTS && entries > load * (((uint64_t)1 << bits) / 2) &&
	       bits < ENTRIES_BITS_MAX)
		bits++;
	return bits;
}

static uint64_t classic_grown_bytes(const struct go_map_shape *shape, uint64_t entries)
{
	unsigned int end = bits_for(shape, entries);
	uint64_t sum = 0;

	for (unsigned int bits = 0; bits < end; bits++)
		sum += go_map_buckets_bytes(shape, bits);
	return sum;
}

/* --- Swiss -------------------------------------------------------------------------------------- */

uint64_t go_map_groups_bytes(const struct go_map_shape *shape, uint64_t groups)
{
	return alloc_size_of(shape, groups * shape->unit_bytes);
}

uint64_t go_map_table_bytes(const struct go_map_shape *shape, uint64_t groups)
{
	return go_alloc_size(TABLE_SZ, false, shape->malloc_headers) +
	       go_map_groups_bytes(shape, groups);
}

uint64_t go_map_directory_bytes(const struct go_map_shape *shape, uint64_t len)
{
	return go_alloc_size(len * WORD_SZ, false, shape->malloc_headers);
}

static uint64_t power_of_2_from(uint64_t n)
{
	uint64_t power = 1;

	while (power < n)
		power *= 2;
	return power;
}

/* NewMap(). */
static uint64_t swiss_bytes_for(const struct go_map_shape *shape, uint64_t entries)
{
	if (entries <= SLOTS)
		return go_map_groups_bytes(shape, 1);
	uint64_t slots = entries * SLOTS / GROUP_LOAD;
	uint64_t tables = power_of_2_from((slots + TABLE_MAX - 1) / TABLE_MAX);
	uint64_t table_slots = power_of_2_from(max_u64(slots / tables, SLOTS));

	return go_map_directory_bytes(shape, tables) +
	       tables * go_map_table_bytes(shape, table_slots / SLOTS);
}

/* How many tables of TABLE_MAX slots a map has that grew to so many entries. */
static uint64_t grown_tables(uint64_t entries)
{
	uint64_t tables = 1;

	while (entries / tables >= TABLE_LOAD + SPLIT_SPREAD)
		tables *= 2;
	uint64_t mean = entries / tables;
	if (mean <= TABLE_LOAD)
		return tables;
	return tables + tables * (mean - TABLE_LOAD) / SPLIT_SPREAD;
}

/* Slots of the only table of a map of more than SLOTS entries. */
static uint64_t only_table_slots(uint64_t entries)
{
	uint64_t slots = 2 * SLOTS;

	while (slots < TABLE_MAX && slots / SLOTS * GROUP_LOAD < entries)
		slots *= 2;
	return slots;
}

static uint64_t swiss_growths(uint64_t entries)
{
	if (entries <= SLOTS)
		return 0;

	uint64_t growths = 1; /* growToTable */
	for (uint64_t slots = 2 * SLOTS; slots < only_table_slots(entries); slots *= 2)
		growths++;
	return entries <= TABLE_LOAD ? growths : growths + grown_tables(entries) - 1;
}

static uint64_t swiss_grown_bytes(const struct go_map_shape *shape, uint64_t entries)
{
	if (entries <= SLOTS)
		return 0;

	uint64_t sum = go_map_groups_bytes(shape, 1);
	for (uint64_t slots = 2 * SLOTS; slots < only_table_slots(entries); slots *= 2)
		sum += go_map_table_bytes(shape, slots / SLOTS);
	if (entries <= TABLE_LOAD)
		return sum;

	uint64_t tables = grown_tables(entries);
	for (uint64_t len = 1; len < tables; len *= 2)
		sum += go_map_directory_bytes(shape, len);
	return sum + (tables - 1) * go_map_table_bytes(shape, TABLE_MAX / SLOTS);
}

/* ------------------------------------------------------------------------------------------------ */

static uint64_t believable(uint64_t entries)
{
	return min_u64(entries, (uint64_t)1 << ENTRIES_BITS_MAX);
}

/* A map of no size gets its first bucket or group when it is first used. */
uint64_t go_map_bytes_for(const struct go_map_shape *shape, uint64_t entries)
{
	entries = believable(entries);
	if (!is_known(shape))
		return 0;
	if (shape->swiss)
		return swiss_bytes_for(shape, entries);
	return go_map_buckets_bytes(shape, bits_for(shape, entries));
}

uint64_t go_map_growths_for(const struct go_map_shape *shape, uint64_t entries)
{
	entries = believable(entries);
	return shape->swiss ? swiss_growths(entries) : bits_for(shape, entries);
}

uint64_t go_map_grown_bytes_for(const struct go_map_shape *shape, uint64_t entries)
{
	entries = believable(entries);
	if (!is_known(shape))
		return 0;
	return shape->swiss ? swiss_grown_bytes(shape, entries)
			    : classic_grown_bytes(shape, entries);
}
