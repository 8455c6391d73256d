/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Go's maps in a process's memory: are they still there, how many entries have they, what do they hold.
 *
 * Classic maps are runtime.hmap, Swiss ones internal/runtime/maps.Map (see gobin/maptable.h). The process runs on
 * while they are read: a map that changes its tables meanwhile can't be measured, and is told as not known.
 */
#ifndef GALLOP_PROC_GOMAP_H
#define GALLOP_PROC_GOMAP_H

#include "gobin/maptable.h"
#include "proc/heap.h"

enum { GOMAP_TABLES_MAX = 1 << 20 }; /* entries of directories that one gomap_read() follows */

struct gomap {
	uint64_t addr; /* of runtime.hmap or maps.Map */
	struct go_map_shape shape;
	/* From here on: what gomap_read() finds. */
	enum heap_state state; /* of the map itself */
	bool known; /* what follows was read and makes sense */
	bool left_out; /* it wasn't looked at for want of GOMAP_TABLES_MAX */
	/* Of its hashes: an address that is used again has another, and clearing changes it. */
	uint64_t seed;
	uint64_t entries;
	/* On the heap: header, buckets or tables, directory; not what they point to. */
	uint64_t bytes;
};

struct gomap_reader {
	struct heap_reader heap;
	int go_minor;
	bool swiss, malloc_headers;
};

/* -ENOTSUP with the reason if the program has no maps, or a heap that can't be read. */
int gomap_reader_init(struct gomap_reader *r, const struct proc *proc, struct gobin *bin,
		      uint64_t load_bias, struct err *err);

/* The shape of a map type (abi.MapType) at an address of the process. 0, -EINVAL if it isn't one, -EFAULT, -ESRCH. */
int gomap_shape(const struct gomap_reader *r, uint64_t typ_addr, struct go_map_shape *ret);

/* How many were left out (>= 0); -ESRCH, -EPERM or -ENOMEM. */
int gomap_read(const struct gomap_reader *r, struct gomap *maps, size_t nr);

#endif
