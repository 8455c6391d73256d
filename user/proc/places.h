/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many small places of a process, read with few system calls, where some may not be readable.
 *
 * One call of process_vm_readv ends at the first place that isn't mapped. Those are looked for by halves, which
 * costs some ten calls for each: a caller says how many it is ready to pay for.
 */
#ifndef GALLOP_PROC_PLACES_H
#define GALLOP_PROC_PLACES_H

#include "proc/proc.h"

enum { PLACES_FAULTS_MAX = 1024 };

struct place {
	uint64_t addr; /* 0: there is nothing to read */
	void *buf;
	size_t len;
	bool ok; /* it was read */
};

/*
 * Read nr places. *faults_left is what is left of the calls that may fail; the places that it doesn't suffice
 * for are not ok either. 0, or -ESRCH, -EPERM.
 */
int places_read(const struct proc *proc, struct place *places, size_t nr, int *faults_left);

#endif
