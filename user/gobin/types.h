/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of Go's types, as reflect.Type.String() gives them. */
#ifndef GALLOP_GOBIN_TYPES_H
#define GALLOP_GOBIN_TYPES_H

#include <stddef.h>
#include <stdint.h>

struct image;
struct moduledata;

/* As gobin_type_name(). */
int types_name(struct image *img, const struct moduledata *md, uint64_t va, char *buf, size_t cap);

#endif
