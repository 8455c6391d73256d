/* SPDX-License-Identifier: BSD-2-Clause */
/* From an address to the calls that the source shows there, inlined ones included. */
#ifndef GALLOP_GOBIN_FRAMES_H
#define GALLOP_GOBIN_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gobin_frame;
struct gobin_func;
struct pclntab;

/* As gobin_frames(), for an address inside func. */
int frames_at(struct pclntab *tab, int minor, const struct gobin_func *func, uint64_t va,
	      struct gobin_frame *frames, size_t max);

/* As gobin_each_inlined(). */
int frames_each_inlined(struct pclntab *tab,
			int (*fn)(const struct gobin_func *host, uint32_t name_off, void *ctx),
			void *ctx);

/* Is this the funcID of what the compiler makes to call another function? */
bool frames_is_wrapper(int minor, uint8_t func_id);

#endif
