/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One page that shows a flame graph, a table and a timeline, with all that it needs in it: the format "html". Its numbers
 * are data that the page's own script adds up, so they can be chosen, zoomed and filtered without gallop.
 */
#ifndef GALLOP_RENDER_HTML_H
#define GALLOP_RENDER_HTML_H

#include <stdio.h>

#include "render/render.h"

/*
 * What makes two snapshots comparable: what happened (allocations, assists, operations of maps) is multiplied by a
 * scale - 1 / seconds, 1 / calls, or 1 - and what is (in use, retained) isn't.
 */
struct html_diff {
	double before_scale, after_scale; /* finite, above 0 */
	const char *
		per; /* what a scaled value is called behind its unit: "a second", "an op"; "" for none */
	uint32_t hidden; /* values, by the bits of enum snapshot_value, that the page hasn't */
	const char *before_name, *after_name; /* what people know them by: their files */
};

/* 0, -EIO or -ENOMEM. Widths are those of after, colours say by how much it differs; opts->value is shown first. */
int render_html_diff(FILE *out, const struct snapshot *before, const struct snapshot *after,
		     const struct html_diff *diff, const struct render_opts *opts);

#endif
