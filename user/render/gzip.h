/* SPDX-License-Identifier: BSD-2-Clause */
/* A stream, compressed as gzip(1) does. The same bytes in make the same bytes out: no name and no time is in it. */
#ifndef GALLOP_RENDER_GZIP_H
#define GALLOP_RENDER_GZIP_H

#include <stddef.h>
#include <stdio.h>

#include <zlib.h>

enum { GZIP_BUFFER_SZ = 16 * 1024 };

struct gzip {
	FILE *out; /* borrowed */
	z_stream z;
	int rc; /* of all so far */
	unsigned char buf[GZIP_BUFFER_SZ]; /* what comes out */
};

/* 0 or -ENOMEM. gzip_end() frees it in any case. */
int gzip_init(struct gzip *gz, FILE *out);
void gzip_write(struct gzip *gz, const void *data, size_t len);

/* 0 or -ENOMEM; what could not be written is told by ferror(out). */
int gzip_end(struct gzip *gz);

#endif
