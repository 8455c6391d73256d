/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small pieces of a process's memory that lead from one to the next and lie close together, as a list does that
 * was allocated piece by piece: read in windows of 64 KiB that are kept for a while.
 *
 * What two reads of the same window give is of one moment. How much is read in all is bounded.
 */
#ifndef GALLOP_PROC_WINDOW_H
#define GALLOP_PROC_WINDOW_H

#include "proc/proc.h"

enum {
	WINDOW_SZ = 64 << 10,
	WINDOW_KEPT = 256, /* at most, 16 MiB */
	WINDOW_READS_MAX = 16 << 10, /* 1 GiB */
};

struct window;

struct windows {
	const struct proc *proc; /* borrowed */
	struct window *kept[WINDOW_KEPT]; /* by address */
	size_t reads_nr;
};

void windows_init(struct windows *w, const struct proc *proc);
void windows_deinit(struct windows *w);

/* 0, -EFAULT, -E2BIG after too many windows, -ESRCH, -EPERM, -ENOMEM. */
int windows_read(struct windows *w, uint64_t addr, void *buf, size_t len);

#endif
