/* SPDX-License-Identifier: BSD-2-Clause */
/* What a fuzzer says of itself to the replayer of its corpus, tests/fuzz/replay.c. */
#ifndef GALLOP_FUZZ_REPLAY_H
#define GALLOP_FUZZ_REPLAY_H

#include <stddef.h>
#include <stdint.h>

/* The directory of the corpus, as seen from the top of the tree. */
extern const char replay_corpus[];

/* Try an input, and whatever variants of it are to be tried on every run of the tests. */
void replay_input(const uint8_t *data, size_t size);

#endif
