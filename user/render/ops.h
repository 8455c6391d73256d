/* SPDX-License-Identifier: BSD-2-Clause */
/* What the outputs share that show operations. */
#ifndef GALLOP_RENDER_OPS_H
#define GALLOP_RENDER_OPS_H

#include "base/fmt.h"
#include "render/cells.h"
#include "render/render.h"

enum { OPS_LABEL_MAX_W = 16 };

/* A block for each operation in text; nothing if operations were not measured. */
void put_ops_section(FILE *out, const struct snapshot *s, const struct render_opts *opts);

/* The first line, and what all the numbers mean. */
void put_ops_header(FILE *out, const struct snapshot *s, const struct render_opts *opts);
void put_ops_meaning(FILE *out, const struct snapshot *s);

/* Lines of calls that are in no mean, if there are any: without a beginning or an end; cut. name: "", or whose they are. */
void put_op_not_matched(FILE *out, const struct snapshot_op *op, const char *name, bool sampled);
void put_op_cut(FILE *out, const struct snapshot_op *op, const char *name);

/* "label: function", of which the function is shortened. */
void short_op_name(char dst[CELL_SZ], const struct snapshot_op *op, size_t width);

/* A mean of nanoseconds; and how sure a mean is. */
struct fmt fmt_op_ns(double ns);
struct fmt fmt_op_ci95(const struct snapshot_op_stat *stat);

#endif
