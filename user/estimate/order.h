/* SPDX-License-Identifier: BSD-2-Clause */
/* Observations in order: of some ten thousand, several times, for each snapshot. */
#ifndef GALLOP_ESTIMATE_ORDER_H
#define GALLOP_ESTIMATE_ORDER_H

#include <stddef.h>

#include "estimate/units.h"

/* By class, then root; by site, then root. What is equal stays as it was; scratch has room for as many. */
void order_by_class_root(struct observation *o, size_t nr, struct observation *scratch);
void order_by_site_root(struct observation *o, size_t nr, struct observation *scratch);

#endif
