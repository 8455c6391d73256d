/* SPDX-License-Identifier: BSD-2-Clause */
/* What the name of a Go function tells. */
#ifndef GALLOP_MODEL_GONAME_H
#define GALLOP_MODEL_GONAME_H

#include <stdbool.h>

/*
 * Is it of the runtime (runtime, runtime/debug, ..., internal/runtime/maps) and not exported, so that
 * no program calls it by its name? runtime.GC is not, runtime.gcStart and runtime.GC.func1 are.
 */
bool goname_is_inside(const char *name);

#endif
