/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to do about a map: one line with the number behind it, in words that are right for the program's version of Go.
 */
#ifndef GALLOP_RENDER_MAP_ADVICE_H
#define GALLOP_RENDER_MAP_ADVICE_H

#include "model/snapshot.h"

struct map_advice {
	char s[256];
};

/* By value, as fmt_bytes(). "" where the site shows no pattern, or a number that it would need is not known. */
struct map_advice map_advice(const struct snapshot *s, const struct snapshot_map_site *site);

#endif
