/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps, from what the kernel has counted and followed and what the process's memory says, to the model.
 *
 * What an operation has done shows at the next one on that map; of the last one, memory tells. A map that
 * memory says is gone adds to the sites where it was made and emptied once and for all, and is followed no
 * longer; those that are there add what they have come to so far.
 */
#ifndef GALLOP_STREAM_MAPS_H
#define GALLOP_STREAM_MAPS_H

#include <stdbool.h>
#include <stdint.h>

struct gomap_reader;
struct map_stream;
struct model;
struct probe;
struct symbolizer;

struct map_stream_opts {
	struct probe *probe; /* borrowed, all three */
	struct symbolizer *symbolizer;
	struct model *model;
	/* The model's stack for a hash, -EAGAIN while it may still come, or another -errno. */
	int64_t (*stack)(uint64_t hash, void *ctx);
	void *stack_ctx;
};

/* 0 or -ENOMEM. */
int map_stream_new(const struct map_stream_opts *opts, struct map_stream **ret);
void map_stream_free(struct map_stream *ms);

/* Where memory is read; borrowed. Without one, or once the process is gone, nothing is known of what maps hold. */
void map_stream_set_reader(struct map_stream *ms, const struct gomap_reader *reader);

/* Read the kernel's tables, then the process's memory. 0 or -errno. */
int map_stream_see(struct map_stream *ms);

/*
 * Give the model what was seen, once the stacks that came meanwhile are known; `last`: nothing will be seen after
 * it. 0 or -errno.
 */
int map_stream_take(struct map_stream *ms, uint64_t load_bias, uint64_t now_ns, bool last);

/* The model's site of a map type, by its address in the process, at a stack of the model's; or -errno. */
int64_t map_stream_site(struct map_stream *ms, uint64_t typ, uint32_t stack, uint64_t load_bias);

/*
 * What is left out: maps that are no longer followed for want of room, operations in sites that the model had no room
 * for, and, of the last look at memory, maps that were too many to be measured.
 */
uint64_t map_stream_evicted(const struct map_stream *ms);
uint64_t map_stream_unplaced(const struct map_stream *ms);
uint64_t map_stream_unmeasured(const struct map_stream *ms);

#endif
