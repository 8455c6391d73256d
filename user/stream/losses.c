/* SPDX-License-Identifier: BSD-2-Clause */
#include "stream/losses.h"

#include <stddef.h>

const struct loss_words loss_words[WIRE_LOSS_NR] = {
	[WIRE_LOSS_SLOT] = { "no_scratch", "objects without a stack: no scratch slot was free" },
	[WIRE_LOSS_SITES_FULL] = { "sites_full",
				   "objects in no site: the table of sites was full" },
	[WIRE_LOSS_STACK_UNSENT] = { NULL,
				     NULL }, /* sent again later; what never came is stack_lost */
	[WIRE_LOSS_TYPE_FAULT] = { "type_unreadable",
				   "objects sized without their type: it was not readable" },
	[WIRE_LOSS_STOP] = { "stop_lost", "stops of the world that were not kept" },
	[WIRE_LOSS_CYCLE] = { "cycle_lost", "GC cycles that were not sent" },
	[WIRE_LOSS_ASSIST] = { "assists_full", "assists in no stack: their table was full" },
	[WIRE_LOSS_GC_STACK] = { "gc_stack_lost", "stops and assists without a stack" },
	[WIRE_LOSS_MAP_STACK] = { "map_stack_lost", "map operations without a stack" },
	[WIRE_LOSS_MAP_SITES_FULL] = { "map_sites_full",
				       "map operations in no site: their table was full" },
	[WIRE_LOSS_MAPS_FULL] = { "maps_full", "maps not followed: their table was full" },
	[WIRE_LOSS_MAP_UNREAD] = { "map_unread", "map operations whose map could not be read: it "
						 "isn't followed" },
	[WIRE_LOSS_OPS_FULL] = { "ops_full", "operations not measured: their tables were full" },
	[WIRE_LOSS_OP_UNREAD] = { "op_unread",
				  "operations not measured: their goroutine could not be "
				  "read, or they ran on a system stack" },
	[WIRE_LOSS_OP_DEEP] = { "op_deep",
				"operations not measured: on a stack over 1,024 calls deep "
				"it can't be told if they are outermost" },
	[WIRE_LOSS_TINY] = { "tiny_unread", "tiny objects counted as whole blocks of 16 bytes: "
					    "their block could not be read" },
	[WIRE_LOSS_SAMPLE] = { "samples_lost",
			       "samples that were not sent: the buffer to gallop was full" },
	[WIRE_LOSS_PROCESS] = { "processes_full", "objects of processes that are not counted: "
						  "there were over 1,024" },
	[WIRE_LOSS_MARK] = { "mark_failed", "counts with the world stopped that were not taken" },
};
