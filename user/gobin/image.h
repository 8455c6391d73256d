/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of an executable: a file behind a bounded block cache, and the way from virtual
 * addresses to file offsets.
 *
 * Nothing is mapped. A file that shrinks while we read it is an error of one read, not a SIGBUS,
 * and the memory taken never depends on what the file claims about itself.
 */
#ifndef GALLOP_GOBIN_IMAGE_H
#define GALLOP_GOBIN_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	IMAGE_SEGS_MAX = 128,
	IMAGE_CACHE_WAYS = 4,
	IMAGE_CACHE_SETS = 32, /* x 4 ways x 64 KiB = 8 MiB at most */
	IMAGE_BLOCK_SHIFT = 16,
	IMAGE_BLOCK_SZ = 1 << IMAGE_BLOCK_SHIFT,
	IMAGE_CURSOR_SZ = 128,
};

/*
 * A PT_LOAD segment: [va, va + filesz) is [off, off + filesz) of the file; the rest up to memsz is
 * zero.
 */
struct image_seg {
	uint64_t va, off, filesz, memsz;
	bool exec, write;
};

struct image_block {
	uint64_t number; /* which 64 KiB of the file, plus 1; 0 is an empty slot */
	uint64_t used; /* when it was last asked for */
	uint32_t len;
	uint8_t *data; /* IMAGE_BLOCK_SZ of the arena; NULL until it is first needed */
};

struct image {
	const char *path; /* borrowed, for messages */
	int fd;
	uint64_t size;
	uint64_t dev, ino;
	struct image_seg segs[IMAGE_SEGS_MAX];
	size_t segs_nr;
	uint64_t clock;
	uint64_t work; /* bytes of blocks and strings that were read so far: what it cost */
	struct image_block blocks[IMAGE_CACHE_SETS][IMAGE_CACHE_WAYS];
	uint8_t *arena; /* what the blocks' data is in; NULL: nothing was read yet */
	size_t arena_used; /* blocks of it */
};

/* Open a regular file. `path` is kept. 0, -ESRCH, -EACCES, -ENOEXEC or another -errno. */
int image_init(struct image *img, const char *path, struct err *err);
void image_deinit(struct image *img);

/* Bytes by file offset. 0, -EFAULT past the end of the file, -EIO, -ENOMEM. */
int image_pread(struct image *img, uint64_t off, void *buf, size_t len);

/*
 * The longest run of bytes at a file offset that is in the cache in one piece; it is valid until
 * the next call for this image. 0 with *len_ret >= 1, or as image_pread().
 */
int image_view(struct image *img, uint64_t off, const uint8_t **ret, size_t *len_ret);

/*
 * Where va is in the file, and how many bytes follow it there (avail_ret may be NULL). 0 or
 * -EFAULT.
 */
int image_offset(const struct image *img, uint64_t va, uint64_t *off_ret, uint64_t *avail_ret);

/* The segment that holds [va, va + len) in memory, file-backed or zero, or NULL. */
const struct image_seg *image_seg_of(const struct image *img, uint64_t va, uint64_t len);

/* Bytes and little-endian integers by virtual address. 0 or as image_pread(). */
int image_read(struct image *img, uint64_t va, void *buf, size_t len);
int image_u8(struct image *img, uint64_t va, uint8_t *ret);
int image_u32(struct image *img, uint64_t va, uint32_t *ret);

/*
 * A NUL-terminated string, cut to cap, and cleaned: nothing a file says can drive a terminal (see
 * base/utf8.h). 0 or as image_pread().
 */
int image_string(struct image *img, uint64_t va, char *buf, size_t cap);

/*
 * `len` bytes of text without a terminator, cut to cap, cleaned as by image_string(). 0 or as
 * image_pread().
 */
int image_text(struct image *img, uint64_t va, uint64_t len, char *buf, size_t cap);

/* Reads forward from a virtual address. It holds its own bytes: other reads may come in between. */
struct image_cursor {
	struct image *img;
	uint64_t va; /* of the next byte that is not in buf */
	uint32_t pos, len;
	uint8_t buf[IMAGE_CURSOR_SZ];
};

void image_cursor_init(struct image_cursor *cur, struct image *img, uint64_t va);
int image_cursor_u8(struct image_cursor *cur, uint8_t *ret);

/*
 * An unsigned LEB128 number of at most 32 bits, as Go's uvarint. 0, -EINVAL if longer, or as above.
 */
int image_cursor_uvarint(struct image_cursor *cur, uint32_t *ret);

/* The address of the next byte. */
uint64_t image_cursor_va(const struct image_cursor *cur);

#endif
