/* SPDX-License-Identifier: BSD-2-Clause */
/* What the name of a Go function tells. */
#ifndef GALLOP_GOBIN_GONAME_H
#define GALLOP_GOBIN_GONAME_H

#include <stdbool.h>

enum goname {
	GONAME_OTHER,
	/* Of the runtime's packages (runtime, runtime/debug, internal/runtime/maps ...): */
	GONAME_RUNTIME_API, /* what programs call by its name: runtime.GC */
	GONAME_RUNTIME_INSIDE, /* not exported, so they don't: runtime.gcStart, runtime.GC.func1 */
};

enum goname goname_of(const char *func);

/*
 * Is this what a function is called in a stack? A function's frame has "main.Map[...]" where its own name is
 * "main.Map[go.shape.int]"; and main.(*T).M, if the compiler made it to call T.M, has no other frame than main.T.M.
 */
bool goname_is_frame_of(const char *func, const char *frame);

/* Is it of Go's standard library? Told by the first element of its import path, as Go reserves those. */
bool goname_is_std(const char *func);

/*
 * Is it a method of a sync.Map, or of what that is made of since Go 1.24? And one that calls the program's
 * function for each entry?
 */
bool goname_is_sync_map(const char *func);
bool goname_is_sync_range(const char *func);

#endif
