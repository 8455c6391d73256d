/* SPDX-License-Identifier: BSD-2-Clause */
/* What the outputs share that show maps. */
#ifndef GALLOP_RENDER_MAPS_H
#define GALLOP_RENDER_MAPS_H

#include "render/render.h"

/* The sums and the table of sites in text, with a title; nothing if maps were not looked at. */
void put_maps_section(FILE *out, const struct snapshot *s, const struct render_opts *opts);

/* A line of rates and the sites with a pattern, for the live view; nothing if maps were not looked at. */
void put_maps_block(FILE *out, const struct snapshot *interval, const struct snapshot *total);

#endif
