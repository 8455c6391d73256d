/* SPDX-License-Identifier: BSD-2-Clause */
/* What the last intervals that were shown were like, a point each: what the sparklines show. */
#ifndef GALLOP_TUI_SERIES_H
#define GALLOP_TUI_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "tui/frame.h"

/* No graph is wider. */
enum { SERIES_MAX = 120 };

struct series_point {
	double bytes_per_s;
	uint64_t live, goal; /* of the last cycle so far; 0: not known, or there is no goal */
	uint64_t cycles; /* that ended */
	uint64_t pause_ns; /* the longest of the GC's; 0: none */
	double hits_per_s; /* of all probes, where they are counted: in auto mode */
};

struct series {
	struct series_point points[SERIES_MAX]; /* a ring */
	size_t nr, next;
	uint64_t hits, to_ns; /* so far; nothing is added while the view is paused */
};

void series_add(struct series *s, const struct frame *f);

/* The point that is so many before the last (0); NULL: there were not so many. */
const struct series_point *series_back(const struct series *s, size_t back);

#endif
