/* SPDX-License-Identifier: BSD-2-Clause */
/* From an address to the calls that the source shows there, inlined ones included. */
#ifndef GALLOP_GOBIN_FRAMES_H
#define GALLOP_GOBIN_FRAMES_H

#include <stddef.h>
#include <stdint.h>

struct gobin_frame;
struct gobin_func;
struct pclntab;

/* As gobin_frames(), for an address inside func. */
int frames_at(struct pclntab *tab, int minor, const struct gobin_func *func, uint64_t va,
	      struct gobin_frame *frames, size_t max);

#endif
