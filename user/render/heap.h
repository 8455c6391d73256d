/* SPDX-License-Identifier: BSD-2-Clause */
/* What the outputs share that show the live heap. */
#ifndef GALLOP_RENDER_HEAP_H
#define GALLOP_RENDER_HEAP_H

#include "render/render.h"

/* The sums and tables in text, with a title; nothing if it wasn't to be looked at. */
void put_heap_section(FILE *out, const struct snapshot *s, const struct render_opts *opts);

/* What its numbers are made from: lines of text. It must be known. */
void put_heap_basis(FILE *out, const struct snapshot_heap *heap);

#endif
