/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks in nanoseconds. */
#ifndef GALLOP_BASE_CLOCK_H
#define GALLOP_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* 0 of a clock that can't be read, such as a process's that is gone. */
static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* The clock of all times that gallop keeps: the same as bpf_ktime_get_ns() and Go's nanotime. */
static inline uint64_t mono_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

#endif
