/* SPDX-License-Identifier: BSD-2-Clause */
/* What the outputs share that show operations. */
#ifndef GALLOP_RENDER_OPS_H
#define GALLOP_RENDER_OPS_H

#include "render/render.h"

/* A block for each operation in text; nothing if operations were not measured. */
void put_ops_section(FILE *out, const struct snapshot *s, const struct render_opts *opts);

#endif
