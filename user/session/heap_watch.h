/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at a process's live heap, from its memory profile into a model. No probe, no kernel program: who may read
 * the memory may look.
 */
#ifndef GALLOP_SESSION_HEAP_WATCH_H
#define GALLOP_SESSION_HEAP_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proc/mprof.h"

struct gobin;
struct model;
struct symbolizer;

struct heap_watch {
	struct mprof_reader reader;
	struct mprof *mprof; /* NULL: there is nothing to look at */
	struct symbolizer *symbolizer; /* borrowed */
	struct model *model; /* borrowed */
	uint64_t load_bias;
	const char *program; /* borrowed, for messages */
	/* The model's site of each bucket; -errno: it found no room. */
	int64_t *sites;
	size_t sites_nr, sites_cap;
	uint64_t generation;
	uint32_t cycle; /* as of the last look */
	int64_t rate; /* above 0, as last seen; 0: it never was */
	bool looked;
};

/* A watch that is all zeroes looks at nothing. */

/*
 * All is borrowed and must outlive the watch; symbolizer is of bin and model. 0, -ENOMEM, or -ENOTSUP with the reason,
 * which the model has then, too.
 */
int heap_watch_init(struct heap_watch *w, const struct proc *proc, struct gobin *bin,
		    uint64_t load_bias, struct symbolizer *symbolizer, struct model *model,
		    struct err *err);
void heap_watch_deinit(struct heap_watch *w);

/*
 * Look, at this time. -ENOTSUP if the runtime takes no samples (the model knows then why it knows nothing), or as
 * mprof_look(): the model is as it was.
 */
int heap_watch_look(struct heap_watch *w, uint64_t mono_ns, struct err *err);

/* The same if a collection has ended since the last look, as nothing has changed otherwise. */
int heap_watch_poll(struct heap_watch *w, uint64_t mono_ns, struct err *err);

#endif
