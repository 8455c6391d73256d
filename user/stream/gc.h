/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stops and cycles from the kernel's records: what belongs together, why it happened, and how it compares with what
 * the runtime says.
 */
#ifndef GALLOP_STREAM_GC_H
#define GALLOP_STREAM_GC_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "model/gc.h"

enum { GC_RECENT = 16 };

/* Pauses of cycles that have ended, by number: the latest few are kept to compare at a moment between them. */
struct gc_cycle_seen {
	uint32_t number;
	bool whole; /* seen from its first stop */
	uint64_t seen_ns; /* its pauses, as seen */
	uint64_t pause_ns; /* as the runtime says */
};

struct gc_stream {
	struct model *model; /* borrowed */
	struct model_cycle cycle; /* under way; start_ns 0 = its beginning was not seen */
	bool marking; /* between its first and last stop */
	uint64_t percent_goal; /* what its goal would be without a memory limit */
	uint8_t trigger; /* WIRE_TRIGGER_* of it */
	uint32_t attached; /* of the latest stop, see struct wire_stop */
	struct wire_cycle ending; /* came just before the last stop of the cycle */
	bool ending_known;
	uint64_t last_end_ns; /* when the cycle before ended; 0 = not seen */
	uint32_t last_end_number;
	uint32_t first_number; /* cycles before this one had ended when counting began */
	bool may_miss_one; /* of them: the one that ended while counting began */
	uint64_t
		first_pause_total_ns; /* MemStats.PauseTotalNs before it, if it isn't what the begin said; or 0 */
	/* Sums over ended cycles from that one on. */
	uint64_t cycles;
	uint64_t whole_ns; /* pauses of whole cycles as seen */
	uint64_t partial_ns; /* runtime's pauses of the others */
	struct gc_cycle_seen recent[GC_RECENT];
	uint32_t last_number; /* of the last whose record came */
	uint64_t last_pause_total_ns; /* MemStats.PauseTotalNs after it */
};

/* stack is the model's id of wire->stack, or MODEL_NO_STACK. 0 or -ENOMEM. */
int gc_stream_stop(struct gc_stream *gc, const struct wire_stop *wire, uint32_t stack);
void gc_stream_cycle(struct gc_stream *gc, const struct wire_cycle *wire);

/* Cycles and pauses up to and including cycle `number`, out of those that have been seen. */
struct gc_sums {
	uint64_t cycles;
	uint64_t whole_ns, partial_ns;
};

struct gc_sums gc_stream_sums(const struct gc_stream *gc, uint32_t number);

#endif
