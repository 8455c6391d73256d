/* SPDX-License-Identifier: BSD-2-Clause */
/* How much windows slow the target down, stage by stage and root by root. */
#ifndef GALLOP_ESTIMATE_DILATION_H
#define GALLOP_ESTIMATE_DILATION_H

#include "estimate/units.h"

/* Sums up pairs and roots, too; units are in order. */
void dilation_of(struct units *u, const struct estimate_span *span);

#endif
