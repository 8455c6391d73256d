/* SPDX-License-Identifier: BSD-2-Clause */
/* What the readers of the two kinds of map share. */
#ifndef GALLOP_PROC_GOMAP_PRIV_H
#define GALLOP_PROC_GOMAP_PRIV_H

#include <string.h>

#include "proc/gomap.h"
#include "proc/places.h"

enum {
	GOMAP_BATCH_NR = 1024,
	CLEAR_SEQ_MINOR = 24, /* classic maps have a clearSeq more since then */
	GOMAP_HEADER_SZ = 56, /* the longest: hmap of 1.24 and 1.25 */
	GOMAP_TABLE_AT = 16, /* hmap.buckets, then oldbuckets; maps.Map.dirPtr, then dirLen */
	GOMAP_TABLE_SZ = 16,
};

/* A map while it is measured. */
struct gomap_look {
	struct gomap *map; /* NULL: given up */
	unsigned char header[GOMAP_HEADER_SZ];
	const uint64_t *dir; /* of a Swiss map */
	bool on_heap; /* its first bucket or group is an object, not on a stack as the map itself may be */
};

struct gomap_batch {
	const struct gomap_reader *r;
	int faults_left;
	uint64_t tables_left;
	size_t nr;
	struct gomap_look looks[GOMAP_BATCH_NR];
	struct place places[GOMAP_BATCH_NR];
};

static inline uint64_t gomap_u64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t gomap_u32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint16_t gomap_u16(const unsigned char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * For looks whose header was read: seed and entries, and bytes besides the header's own. A map that makes no sense is
 * given up. 0 or -errno.
 */
int gomap_classic(struct gomap_batch *b);
int gomap_swiss(struct gomap_batch *b);

#endif
