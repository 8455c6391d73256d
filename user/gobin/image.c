/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file behind a set-associative cache of 64 KiB blocks.
 *
 * A Go executable of 100 MB is read at a few thousand places (function table, names, one inline
 * tree), mostly forward: large blocks make the forward passes cheap, and four ways keep the three
 * or four tables that are walked side by side from evicting each other.
 */
#include "gobin/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/utf8.h"

static int open_failed(const char *path, int error, struct err *err)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return err_set(err, -ESRCH, "cannot open '%s': %s", path, strerror(error));
	case EACCES:
	case EPERM:
		err_set(err, -EACCES, "cannot open '%s': %s", path, strerror(error));
		err_hint(err, "run as root or as the owner of the file");
		return -EACCES;
	default:
		return err_set(err, -error, "cannot open '%s': %s", path, strerror(error));
	}
}

int image_init(struct image *img, const char *path, struct err *err)
{
	/* O_NONBLOCK: a FIFO must be refused, not waited for. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return open_failed(path, errno, err);

	struct stat st;
	if (fstat(fd, &st) < 0)
		return open_failed(path, errno, err);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -ENOEXEC, "'%s' is %s, not an executable", path,
			       S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");

	*img = (struct image){
		.path = path,
		.fd = take_fd(fd),
		.size = (uint64_t)st.st_size,
		.dev = st.st_dev,
		.ino = st.st_ino,
	};
	return 0;
}

void image_deinit(struct image *img)
{
	free(img->arena);
	img->arena = NULL;
	if (img->fd >= 0)
		close(img->fd);
	img->fd = -1;
}

/*
 * Memory for one more block. Fresh memory costs more than what is read into it: a fault for each 4 KiB, of which some
 * virtual machines do no more than 30,000 a second. So all blocks are in one piece that can be had in huge pages, and is
 * taken as far as it is used; where there are none it is as if each had its own. Between blocks is a gap in which sanitizers
 * find who reads past one. NULL: there is no memory.
 */
static uint8_t *block_data(struct image *img)
{
	enum { HUGE_PAGE = 2 << 20, GAP = 64, STRIDE = IMAGE_BLOCK_SZ + GAP };
	enum {
		BLOCKS = IMAGE_CACHE_SETS * IMAGE_CACHE_WAYS,
		ALL = (BLOCKS * STRIDE + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE
	};

	if (!img->arena) {
		img->arena = aligned_alloc(HUGE_PAGE, ALL);
		if (!img->arena)
			return NULL;
		madvise(img->arena, ALL, MADV_HUGEPAGE);
	}
	uint8_t *data = img->arena + STRIDE * img->arena_used++;
	ASAN_POISON_MEMORY_REGION(data + IMAGE_BLOCK_SZ, GAP);
	return data;
}

/* Read one block in place of what the slot held. A short block is the end of the file. */
static int block_fill(struct image *img, struct image_block *block, uint64_t number)
{
	if (!block->data) {
		block->data = block_data(img);
		if (!block->data)
			return -ENOMEM;
	}
	block->number = 0;
	block->len = 0;
	img->work += IMAGE_BLOCK_SZ;
	while (block->len < IMAGE_BLOCK_SZ) {
		off_t off = (off_t)((number << IMAGE_BLOCK_SHIFT) + block->len);
		ssize_t n = pread(img->fd, block->data + block->len, IMAGE_BLOCK_SZ - block->len,
				  off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -EIO;
		if (n == 0)
			break;
		block->len += (uint32_t)n;
	}
	block->number = number + 1;
	return 0;
}

/* The block from the cache, or in the place of the one of its set that rested longest. */
static int block_get(struct image *img, uint64_t number, struct image_block **ret)
{
	struct image_block *set = img->blocks[number % IMAGE_CACHE_SETS];
	struct image_block *oldest = set;

	for (size_t way = 0; way < IMAGE_CACHE_WAYS; way++) {
		if (set[way].number == number + 1) {
			set[way].used = ++img->clock;
			*ret = &set[way];
			return 0;
		}
		if (set[way].used < oldest->used)
			oldest = &set[way];
	}
	int r = block_fill(img, oldest, number);
	if (r < 0)
		return r;
	oldest->used = ++img->clock;
	*ret = oldest;
	return 0;
}

int image_view(struct image *img, uint64_t off, const uint8_t **ret, size_t *len_ret)
{
	if (off >= img->size)
		return -EFAULT;

	struct image_block *block;
	int r = block_get(img, off >> IMAGE_BLOCK_SHIFT, &block);
	if (r < 0)
		return r;
	uint32_t pos = off & (IMAGE_BLOCK_SZ - 1);
	if (pos >= block->len)
		return -EFAULT;
	*ret = block->data + pos;
	*len_ret = block->len - pos;
	return 0;
}

int image_pread(struct image *img, uint64_t off, void *buf, size_t len)
{
	if (off > img->size || len > img->size - off)
		return -EFAULT;

	uint8_t *to = buf;
	while (len > 0) {
		const uint8_t *from;
		size_t n;
		int r = image_view(img, off, &from, &n);
		if (r < 0)
			return r;
		if (n > len)
			n = len;
		memcpy(to, from, n);
		to += n;
		off += n;
		len -= n;
	}
	return 0;
}

int image_offset(const struct image *img, uint64_t va, uint64_t *off_ret, uint64_t *avail_ret)
{
	for (size_t i = 0; i < img->segs_nr; i++) {
		const struct image_seg *seg = &img->segs[i];
		if (va < seg->va || va - seg->va >= seg->filesz)
			continue;
		*off_ret = seg->off + (va - seg->va);
		if (avail_ret)
			*avail_ret = seg->filesz - (va - seg->va);
		return 0;
	}
	return -EFAULT;
}

const struct image_seg *image_seg_of(const struct image *img, uint64_t va, uint64_t len)
{
	for (size_t i = 0; i < img->segs_nr; i++) {
		const struct image_seg *seg = &img->segs[i];
		if (va >= seg->va && va - seg->va < seg->memsz &&
		    len <= seg->memsz - (va - seg->va))
			return seg;
	}
	return NULL;
}

int image_read(struct image *img, uint64_t va, void *buf, size_t len)
{
	uint64_t off, avail;
	int r = image_offset(img, va, &off, &avail);
	if (r < 0)
		return r;
	if (len > avail)
		return -EFAULT;
	return image_pread(img, off, buf, len);
}

int image_u8(struct image *img, uint64_t va, uint8_t *ret)
{
	return image_read(img, va, ret, sizeof(*ret));
}

int image_u32(struct image *img, uint64_t va, uint32_t *ret)
{
	return image_read(img, va, ret, sizeof(*ret));
}

int image_string(struct image *img, uint64_t va, char *buf, size_t cap)
{
	uint64_t off, avail;
	int r = image_offset(img, va, &off, &avail);
	if (r < 0)
		return r;

	size_t done = 0;
	while (done < cap - 1) {
		const uint8_t *from;
		size_t n;
		if (done >= avail)
			return -EFAULT;
		r = image_view(img, off + done, &from, &n);
		if (r < 0)
			return r;
		if (n > cap - 1 - done)
			n = cap - 1 - done;
		if (n > avail - done)
			n = avail - done;
		const uint8_t *nul = memchr(from, 0, n);
		size_t copied = nul ? (size_t)(nul - from) : n;
		memcpy(buf + done, from, copied);
		done += copied;
		if (nul)
			break;
	}
	buf[done] = '\0';
	img->work += done;
	return utf8_clean_in_place(buf, cap);
}

int image_text(struct image *img, uint64_t va, uint64_t len, char *buf, size_t cap)
{
	size_t n = len < cap - 1 ? (size_t)len : cap - 1;
	int r = image_read(img, va, buf, n);
	if (r < 0)
		return r;
	buf[n] = '\0';
	return utf8_clean_in_place(buf, cap);
}

void image_cursor_init(struct image_cursor *cur, struct image *img, uint64_t va)
{
	cur->img = img;
	cur->va = va;
	cur->pos = cur->len = 0;
}

static int cursor_refill(struct image_cursor *cur)
{
	uint64_t off, avail;
	int r = image_offset(cur->img, cur->va, &off, &avail);
	if (r < 0)
		return r;

	const uint8_t *from;
	size_t n;
	r = image_view(cur->img, off, &from, &n);
	if (r < 0)
		return r;
	if (n > avail)
		n = avail;
	if (n > sizeof(cur->buf))
		n = sizeof(cur->buf);
	memcpy(cur->buf, from, n);
	cur->pos = 0;
	cur->len = (uint32_t)n;
	cur->va += n;
	return 0;
}

int image_cursor_u8(struct image_cursor *cur, uint8_t *ret)
{
	if (cur->pos == cur->len) {
		int r = cursor_refill(cur);
		if (r < 0)
			return r;
	}
	*ret = cur->buf[cur->pos++];
	return 0;
}

int image_cursor_uvarint(struct image_cursor *cur, uint32_t *ret)
{
	uint32_t value = 0;

	for (unsigned int shift = 0; shift < 35; shift += 7) {
		uint8_t byte;
		int r = image_cursor_u8(cur, &byte);
		if (r < 0)
			return r;
		value |= (uint32_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return 0;
		}
	}
	return -EINVAL;
}

uint64_t image_cursor_va(const struct image_cursor *cur)
{
	return cur->va - (cur->len - cur->pos);
}
