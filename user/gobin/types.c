/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * internal/abi/type.go Type and Name: 48 bytes that did not change from 1.17 to 1.27, with the
 * offset of a name from the start of the types: flags, a uvarint length, and the text.
 *
 * Types that reflect makes while the program runs are on the heap, and those of plugins in another
 * module: neither is in [types, etypes), and the file has no name for them.
 */
#include "gobin/types.h"

#include <errno.h>
#include <stdbool.h>

#include "gobin/image.h"
#include "gobin/moduledata.h"

enum {
	TYPE_SZ = 48,
	TYPE_ALIGN = 8,
	TFLAG_EXTRA_STAR =
		2, /* the name has a '*' in front that is not part of it: shared with *T */
	KIND_MASK = 31,
	KIND_MAX = 26, /* reflect.UnsafePointer */
};

struct abi_type {
	uint64_t size, ptr_bytes;
	uint32_t hash;
	uint8_t tflag, align, field_align, kind;
	uint64_t equal, gc_data;
	uint32_t name_off, ptr_to_this;
};
_Static_assert(sizeof(struct abi_type) == TYPE_SZ, "internal/abi/type.go Type");

static bool is_power_of_2(unsigned int n)
{
	return n && !(n & (n - 1));
}

/* An address may be stale or invented: what is there must look like a type before it is named. */
static bool is_sane(const struct abi_type *t)
{
	unsigned int kind = t->kind & KIND_MASK;

	return kind > 0 && kind <= KIND_MAX && t->align <= TYPE_ALIGN && is_power_of_2(t->align) &&
	       is_power_of_2(t->field_align) && t->field_align <= TYPE_ALIGN &&
	       t->ptr_bytes <= t->size;
}

int types_name(struct image *img, const struct moduledata *md, uint64_t va, char *buf, size_t cap)
{
	if (va < md->types || va >= md->etypes || va % TYPE_ALIGN != 0)
		return -ENOENT;

	struct abi_type t;
	int r = image_read(img, va, &t, sizeof(t));
	if (r < 0)
		return r;
	if (!is_sane(&t) || t.name_off >= md->etypes - md->types)
		return -EINVAL;

	struct image_cursor cur;
	uint32_t len;
	image_cursor_init(&cur, img, md->types + t.name_off + 1);
	r = image_cursor_uvarint(&cur, &len);
	if (r < 0)
		return r;
	uint64_t text = image_cursor_va(&cur);
	if (len == 0 || text > md->etypes || len > md->etypes - text)
		return -EINVAL;
	if (t.tflag & TFLAG_EXTRA_STAR) {
		text++;
		len--;
	}
	return image_text(img, text, len, buf, cap);
}
