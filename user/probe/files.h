/* SPDX-License-Identifier: BSD-2-Clause */
/* How many files gallop may have open: programs, maps and links of BPF are files, too. */
#ifndef GALLOP_PROBE_FILES_H
#define GALLOP_PROBE_FILES_H

#include <stddef.h>

#include "base/err.h"

enum {
	/* A session with uprobe_multi links has up to 60, and some more while windows come and go. */
	FILES_NEEDED = 96,
	FILES_PER_PERF_PROBE = 2, /* the event, and its link */
};

/*
 * See to it that `nr` files may be opened beside those that are open: the process's own limit is raised as far as it may
 * be. 0; -EMFILE, with the limit and how it is raised, if that isn't enough. Asked beforehand, as libbpf takes a file
 * that can't be opened for something that the kernel lacks.
 */
int files_reserve(size_t nr, struct err *err);

/* How the limit is raised, as the hint of an -EMFILE that came all the same. */
void files_hint(struct err *err);

#endif
