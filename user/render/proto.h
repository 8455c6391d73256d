/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message in the wire format of Protocol Buffers: fields are appended, none is read back. Only the kinds of fields
 * that pprof's profile.proto has: varints (int64, uint64, bool), bytes (string, message) and packed varints.
 *
 * The order of fields is free, and 0 is what a field is that isn't there. Source: the encoding as
 * https://protobuf.dev/programming-guides/encoding describes it.
 */
#ifndef GALLOP_RENDER_PROTO_H
#define GALLOP_RENDER_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROTO_VARINT_MAX = 10 }; /* bytes of one */

/* All 0 is an empty one. */
struct proto {
	uint8_t *data;
	size_t len, cap;
	bool failed; /* out of memory, once and for all */
};

void proto_deinit(struct proto *p);

/* For the next message: its memory stays. */
void proto_reset(struct proto *p);

/* Append a field; of 0 there is none. Negative numbers are their two's complement. */
void proto_number(struct proto *p, uint32_t field, uint64_t value);

/* Append a field, also an empty one. */
void proto_bytes(struct proto *p, uint32_t field, const void *data, size_t len);
void proto_message(struct proto *p, uint32_t field, const struct proto *message);
void proto_packed(struct proto *p, uint32_t field, const uint64_t *values, size_t nr);

#endif
