/* SPDX-License-Identifier: BSD-2-Clause */
#include "render/gzip.h"

#include <errno.h>
#include <limits.h>

enum {
	WINDOW_BITS = 15, /* the most, and the default */
	WITH_HEADER =
		16, /* added to them: gzip's header and checksum. Source: zlib.h, deflateInit2 */
	MEM_LEVEL = 8, /* the default */
};

int gzip_init(struct gzip *gz, FILE *out)
{
	*gz = (struct gzip){ .out = out };
	if (deflateInit2(&gz->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS + WITH_HEADER,
			 MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		gz->rc = -ENOMEM;
	return gz->rc;
}

/* Take in what is at next_in, and write what comes out; with Z_FINISH all of it. */
static void pass(struct gzip *gz, int flush)
{
	do {
		gz->z.next_out = gz->buf;
		gz->z.avail_out = sizeof(gz->buf);
		/* It can't fail but for a state that isn't its own. */
		if (deflate(&gz->z, flush) == Z_STREAM_ERROR) {
			gz->rc = -ENOMEM;
			return;
		}
		fwrite(gz->buf, 1, sizeof(gz->buf) - gz->z.avail_out, gz->out);
	} while (gz->z.avail_out == 0);
}

void gzip_write(struct gzip *gz, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (!gz->rc && len) {
		uInt part = len > UINT_MAX ? UINT_MAX : (uInt)len;
		gz->z.next_in = (unsigned char *)p; /* zlib doesn't write there */
		gz->z.avail_in = part;
		pass(gz, Z_NO_FLUSH);
		p += part;
		len -= part;
	}
}

int gzip_end(struct gzip *gz)
{
	if (!gz->rc)
		pass(gz, Z_FINISH);
	deflateEnd(&gz->z);
	return gz->rc;
}
