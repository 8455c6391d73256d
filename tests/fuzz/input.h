/* SPDX-License-Identifier: BSD-2-Clause */
/* A fuzzer's input, taken from its beginning on: what is behind its end is zero. */
#ifndef GALLOP_FUZZ_INPUT_H
#define GALLOP_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
	const uint8_t *at, *end;
};

static inline size_t input_left(const struct input *in)
{
	return (size_t)(in->end - in->at);
}

/* Returns how many bytes of the input were left for it. */
static inline size_t input_take(struct input *in, void *buf, size_t size)
{
	size_t n = input_left(in) < size ? input_left(in) : size;

	memset(buf, 0, size);
	if (n)
		memcpy(buf, in->at, n);
	in->at += n;
	return n;
}

static inline uint8_t input_u8(struct input *in)
{
	uint8_t v;

	input_take(in, &v, sizeof(v));
	return v;
}

static inline uint16_t input_u16(struct input *in)
{
	uint16_t v;

	input_take(in, &v, sizeof(v));
	return v;
}

static inline uint64_t input_u64(struct input *in)
{
	uint64_t v;

	input_take(in, &v, sizeof(v));
	return v;
}

/* A word up to `end` or the input's: NUL-terminated, without NULs in it; the caller frees it. */
static inline char *input_text(struct input *in, char end)
{
	const uint8_t *stop = memchr(in->at, end, input_left(in));
	size_t size = stop ? (size_t)(stop - in->at) : input_left(in);
	char *text = strndup((const char *)in->at, size);

	if (!text)
		abort();
	in->at += size + (stop != NULL);
	return text;
}

/* What must be true of whatever input: else it is a finding, told where a fuzzer that has changed stderr can't hide it. */
#define require(condition)                                                 \
	do {                                                               \
		if (condition)                                             \
			break;                                             \
		dprintf(2, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
		abort();                                                   \
	} while (0)

#endif
