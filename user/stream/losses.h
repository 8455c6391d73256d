/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's loss counters in words: a stable key for machines, a phrase for people. */
#ifndef GALLOP_STREAM_LOSSES_H
#define GALLOP_STREAM_LOSSES_H

#include "bpf/wire.h"

struct loss_words {
	const char *key; /* NULL: not a loss by itself */
	const char *what;
};

extern const struct loss_words loss_words[WIRE_LOSS_NR];

#endif
