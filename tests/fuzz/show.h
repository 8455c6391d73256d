/* SPDX-License-Identifier: BSD-2-Clause */
/* What a model that hostile input has made comes to in every output, and what is never in one. */
#ifndef GALLOP_FUZZ_SHOW_H
#define GALLOP_FUZZ_SHOW_H

#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "model/snapshot.h"
#include "render/render.h"

enum { SHOW_ALL = -1 };

/* Which output an input is shown in, made from its bytes: all of them take long. */
int show_choice(const uint8_t *data, size_t size);

/*
 * Show it, as a whole and its interval, in every format (SHOW_ALL) or the one that was chosen. Text is UTF-8, and of control characters it has line ends
 * only: whatever names hold, nothing reaches a terminal but what gallop writes.
 */
void show_model(const struct model *m, enum snapshot_value value, int choice);

#endif
