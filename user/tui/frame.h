/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known at the end of an interval: the interval and all the time, beside each other, and how rows of the two -
 * and of other frames, such as a baseline - find each other.
 *
 * A frame doesn't change, and has as many owners as hold it.
 */
#ifndef GALLOP_TUI_FRAME_H
#define GALLOP_TUI_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

/* Which list of a snapshot. */
enum frame_list { FRAME_SITES, FRAME_TYPES, FRAME_SIZES, FRAME_MAPS, FRAME_LISTS };

/* Of which snapshot. */
enum frame_span { FRAME_INTERVAL, FRAME_TOTAL, FRAME_SPANS };

struct frame;

/*
 * What rows of allocations have in common; of sizes there is no stack, and type is NULL. Texts are the snapshot's.
 */
struct frame_entry {
	struct snapshot_count count;
	struct snapshot_ci95 ci95;
	const struct snapshot_stack *stack; /* of sites */
	const char *type; /* of sites and types */
	uint64_t goid;
	uint32_t size_class, slot_size; /* of sizes */
};

/* Takes both snapshots, also when it fails: then NULL (out of memory). */
struct frame *frame_new(struct snapshot *interval, struct snapshot *total);
struct frame *frame_ref(struct frame *f); /* one owner more */
void frame_unref(struct frame *f); /* NULL is fine */

const struct snapshot *frame_snapshot(const struct frame *f, enum frame_span span);
uint64_t frame_dur_ns(const struct frame *f, enum frame_span span);

size_t frame_nr(const struct frame *f, enum frame_span span, enum frame_list list);
struct frame_entry frame_entry(const struct frame *f, enum frame_span span, enum frame_list list,
			       size_t idx);

/*
 * What tells a row from others, in all frames: 64 bits made from its texts. Two rows have the same by chance once in
 * 10^10 tables of 20,000 rows; a program that is made to have it so confuses its own rows.
 */
uint64_t frame_id(const struct frame *f, enum frame_span span, enum frame_list list, size_t idx);

/* The place of a row, or SIZE_MAX: it isn't there. */
size_t frame_find(struct frame *f, enum frame_span span, enum frame_list list, uint64_t id);

#endif
