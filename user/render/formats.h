/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions behind the table of renderers. */
#ifndef GALLOP_RENDER_FORMATS_H
#define GALLOP_RENDER_FORMATS_H

#include "render/render.h"

int render_text(FILE *out, const struct snapshot *s, const struct render_opts *opts);
int render_collapsed(FILE *out, const struct snapshot *s, const struct render_opts *opts);
int render_json(FILE *out, const struct snapshot *s, const struct render_opts *opts);
int render_trace(FILE *out, const struct snapshot *s, const struct render_opts *opts);
int render_bench(FILE *out, const struct snapshot *s, const struct render_opts *opts);
int render_html(FILE *out, const struct snapshot *s, const struct render_opts *opts);
int render_pprof(FILE *out, const struct snapshot *s, const struct render_opts *opts);
int render_speedscope(FILE *out, const struct snapshot *s, const struct render_opts *opts);
int render_jsonl(FILE *out, const struct snapshot *s, const struct render_opts *opts);

/* How each of them ends: 0, or -EIO if anything could not be written. */
int render_end(FILE *out);

#endif
