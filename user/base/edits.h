/* SPDX-License-Identifier: BSD-2-Clause */
/* How far two words are apart: what "did you mean" is told by. */
#ifndef GALLOP_BASE_EDITS_H
#define GALLOP_BASE_EDITS_H

#include <stdint.h>

enum { EDITS_LEN_MAX = 64 }; /* of longer words only the beginning is compared */

/*
 * The least number of letters to add, leave out or replace to make b of a, whatever their case (the Levenshtein
 * distance). Exact up to max, and some number above it for all that are further apart.
 */
uint32_t edits(const char *a, const char *b, uint32_t max);

#endif
