/* SPDX-License-Identifier: BSD-2-Clause */
#include "stream/losses.h"

#include <stddef.h>

const struct loss_words loss_words[WIRE_LOSS_NR] = {
	[WIRE_LOSS_SLOT] = { "no_scratch", "objects without a stack: no scratch slot was free" },
	[WIRE_LOSS_SITES_FULL] = { "sites_full", "objects in no site: the table of sites was full" },
	[WIRE_LOSS_STACK_UNSENT] = { NULL, NULL },	/* sent again later; what never came is stack_lost */
	[WIRE_LOSS_TYPE_FAULT] = { "type_unreadable",
				   "objects sized without their type: it was not readable" },
	[WIRE_LOSS_MARK] = { "mark_failed", "counts with the world stopped that were not taken" },
};
