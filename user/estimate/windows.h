/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shares of a size class from two-stage windows.
 *
 * Refills of the first stage, hardly slowed down, tell how much each goroutine root takes of the class; the hits of the
 * second tell how that divides among the root's sites. How much the second stage slows a root down doesn't matter then,
 * as long as it slows the root's sites alike.
 */
#ifndef GALLOP_ESTIMATE_WINDOWS_H
#define GALLOP_ESTIMATE_WINDOWS_H

#include <stdint.h>

#include "estimate/shares.h"
#include "estimate/units.h"

/*
 * 0 or -ENOMEM; what is in ret is the caller's to free in any case. Without evidence it is empty and all is unsampled.
 * Reorders the observations of the class: once for each class.
 */
int windows_shares(struct units *u, uint32_t size_class, struct shares *ret);

#endif
