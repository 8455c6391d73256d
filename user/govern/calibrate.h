/* SPDX-License-Identifier: BSD-2-Clause */
/* What tracing costs on this machine, measured on gallop itself: traps differ by a factor of ten among machines. */
#ifndef GALLOP_GOVERN_CALIBRATE_H
#define GALLOP_GOVERN_CALIBRATE_H

#include <stdbool.h>
#include <stdint.h>

struct probe;

struct calibration {
	bool measured; /* false: what follows, but for wake_ns, is what a slow machine costs */
	uint64_t hit_ns; /* CPU time of a hit whose stack is walked */
	uint64_t attach_ns; /* to attach one place */
	uint64_t gone_ns; /* from the beginning of detaching until nothing is hit any more */
	uint64_t detach_ns; /* until it returns */
	uint64_t wake_ns; /* CPU time of being woken by a timer */
};

/*
 * Takes some 30 to 70 ms, most of it waiting: attaching and detaching are the middle ones of up to five, of at least
 * three where these take less than 60 ms. 0; -ENOTSUP on a machine whose instructions aren't known here, or the kernel's
 * -errno: then *ret has what a slow machine costs.
 */
int calibrate(struct probe *probe, struct calibration *ret);

#endif
