/* SPDX-License-Identifier: BSD-2-Clause */
#include "render/proto.h"

#include <stdlib.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_BYTES = 2, WIRE_BITS = 3, FIRST_CAP = 256 };

void proto_deinit(struct proto *p)
{
	free(p->data);
	*p = (struct proto){ 0 };
}

void proto_reset(struct proto *p)
{
	p->len = 0;
}

/* Room for that many more; NULL: out of memory. */
static uint8_t *reserve(struct proto *p, size_t sz)
{
	size_t want;

	if (p->failed || __builtin_add_overflow(p->len, sz, &want)) {
		p->failed = true;
		return NULL;
	}
	if (want > p->cap) {
		size_t cap = p->cap ? p->cap : FIRST_CAP;
		while (cap < want)
			cap = cap > SIZE_MAX / 2 ? want : 2 * cap;
		uint8_t *data = realloc(p->data, cap);
		if (!data) {
			p->failed = true;
			return NULL;
		}
		p->data = data;
		p->cap = cap;
	}
	return p->data + p->len;
}

/* Seven bits a byte, the lowest first; all but the last have the high bit. */
static size_t encode(uint8_t dst[PROTO_VARINT_MAX], uint64_t value)
{
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		dst[n++] = (uint8_t)(value | 0x80);
	dst[n++] = (uint8_t)value;
	return n;
}

static size_t encoded_sz(uint64_t value)
{
	uint8_t scratch[PROTO_VARINT_MAX];

	return encode(scratch, value);
}

static void put_varint(struct proto *p, uint64_t value)
{
	uint8_t *to = reserve(p, PROTO_VARINT_MAX);

	if (to)
		p->len += encode(to, value);
}

static void put_tag(struct proto *p, uint32_t field, uint32_t wire)
{
	put_varint(p, (uint64_t)field << WIRE_BITS | wire);
}

void proto_number(struct proto *p, uint32_t field, uint64_t value)
{
	if (!value)
		return;
	put_tag(p, field, WIRE_VARINT);
	put_varint(p, value);
}

void proto_bytes(struct proto *p, uint32_t field, const void *data, size_t len)
{
	put_tag(p, field, WIRE_BYTES);
	put_varint(p, len);
	uint8_t *to = reserve(p, len);
	if (!to)
		return;
	if (len)
		memcpy(to, data, len);
	p->len += len;
}

void proto_message(struct proto *p, uint32_t field, const struct proto *message)
{
	p->failed |= message->failed;
	proto_bytes(p, field, message->data, message->len);
}

void proto_packed(struct proto *p, uint32_t field, const uint64_t *values, size_t nr)
{
	size_t sz = 0;

	for (size_t i = 0; i < nr; i++)
		sz += encoded_sz(values[i]);
	put_tag(p, field, WIRE_BYTES);
	put_varint(p, sz);
	for (size_t i = 0; i < nr; i++)
		put_varint(p, values[i]);
}
