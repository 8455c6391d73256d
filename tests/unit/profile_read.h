/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reader of pprof's format, written for itself: it checks what pprof checks and what profile.proto says, and makes text
 * of the profile, with every reference followed. Whatever is wrong fails the test.
 */
#ifndef GALLOP_TESTS_UNIT_PROFILE_READ_H
#define GALLOP_TESTS_UNIT_PROFILE_READ_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/utf8.h"

enum { READ_TYPES_MAX = 8, READ_IDS_MAX = 1 << 20 };

/* Bytes that are read from the front. */
struct part {
	const uint8_t *p, *end;
};

struct field {
	uint32_t number;
	bool is_bytes;
	uint64_t value;
	struct part bytes;
};

/* All of one kind, in the order of the file. */
struct parts {
	struct part *v;
	size_t nr;
};

struct profile_read {
	uint8_t *data;
	struct parts by_field[16];
	uint64_t number[16]; /* of fields that are numbers */
	uint64_t sums[READ_TYPES_MAX];
	struct parts locations, functions; /* by their ids */
	char *text;
};

static inline uint8_t *gunzipped(const void *gz, size_t gz_sz, size_t *sz_ret)
{
	z_stream z = { .next_in = (unsigned char *)gz, .avail_in = (unsigned int)gz_sz };
	size_t cap = 1 << 26;
	uint8_t *data = malloc(cap);
	int rc;

	assert_non_null(data);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_out = data;
	z.avail_out = (unsigned int)cap;
	rc = inflate(&z, Z_FINISH);
	assert_int_equal(rc, Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	*sz_ret = z.total_out;
	inflateEnd(&z);
	return data;
}

static inline uint64_t read_varint(struct part *part)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		assert_true(part->p < part->end);
		uint8_t byte = *part->p++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	fail_msg("a varint of more than 64 bits");
	return 0;
}

static inline bool read_field(struct part *part, struct field *ret)
{
	if (part->p == part->end)
		return false;
	uint64_t tag = read_varint(part);
	*ret = (struct field){ .number = (uint32_t)(tag >> 3), .is_bytes = (tag & 7) == 2 };
	assert_true(ret->number >= 1 && ret->number < 16);
	assert_true((tag & 7) == 0 || ret->is_bytes);
	uint64_t value = read_varint(part);
	if (ret->is_bytes) {
		assert_true(value <= (uint64_t)(part->end - part->p));
		ret->bytes = (struct part){ part->p, part->p + value };
		part->p += value;
	} else {
		ret->value = value;
	}
	return true;
}

/* A number of a message; 0 if it isn't there. */
static inline uint64_t number_of(struct part message, uint32_t field)
{
	struct field f;
	uint64_t value = 0;

	while (read_field(&message, &f))
		if (f.number == field && !f.is_bytes)
			value = f.value;
	return value;
}

static inline void add_part(struct parts *parts, struct part part)
{
	if ((parts->nr & (parts->nr - 1)) == 0) {
		parts->v = realloc(parts->v, (parts->nr ? 2 * parts->nr : 1) * sizeof(part));
		assert_non_null(parts->v);
	}
	parts->v[parts->nr++] = part;
}

static inline struct part string_at(const struct profile_read *r, uint64_t id)
{
	assert_true(id < r->by_field[6].nr);
	return r->by_field[6].v[id];
}

static inline void put_string(FILE *out, const struct profile_read *r, uint64_t id)
{
	struct part s = string_at(r, id);

	fwrite(s.p, 1, (size_t)(s.end - s.p), out);
}

/* pprof refuses what isn't UTF-8, and a terminal shows what it gets. */
static inline void check_strings(const struct profile_read *r)
{
	const struct parts *strings = &r->by_field[6];

	assert_true(strings->nr > 0);
	assert_ptr_equal(strings->v[0].p, strings->v[0].end);
	for (size_t i = 0; i < strings->nr; i++) {
		const char *s = (const char *)strings->v[i].p;
		size_t left = (size_t)(strings->v[i].end - strings->v[i].p);
		assert_true(left < 4096);
		for (size_t n; left; s += n, left -= n)
			assert_true(utf8_is_printable(utf8_decode(s, left, &n)));
		for (size_t k = 0; k < i && strings->nr < 2000; k++)
			assert_false(strings->v[k].end - strings->v[k].p ==
					     strings->v[i].end - strings->v[i].p &&
				     !memcmp(strings->v[k].p, strings->v[i].p,
					     (size_t)(strings->v[i].end - strings->v[i].p)));
	}
}

/* Messages by their id, which is none of another and not 0. */
static inline void index_ids(struct parts *ret, const struct parts *messages)
{
	uint64_t max = 0;

	for (size_t i = 0; i < messages->nr; i++) {
		uint64_t id = number_of(messages->v[i], 1);
		assert_true(id > 0 && id < READ_IDS_MAX);
		max = id > max ? id : max;
	}
	ret->nr = max + 1;
	ret->v = calloc(ret->nr, sizeof(ret->v[0]));
	for (size_t i = 0; i < messages->nr; i++) {
		struct part *at = &ret->v[number_of(messages->v[i], 1)];
		assert_null(at->p);
		*at = messages->v[i];
	}
}

static inline struct part by_id(const struct parts *index, uint64_t id)
{
	assert_true(id > 0 && id < index->nr && index->v[id].p);
	return index->v[id];
}

/* A line for each function, the innermost first; those that are inlined say so. */
static inline void put_location(FILE *out, const struct profile_read *r, uint64_t id)
{
	struct part location = by_id(&r->locations, id), rest = location;
	struct field f;
	size_t lines = 0, nr = 0;

	assert_int_equal(number_of(location, 2), 1); /* the mapping */
	while (read_field(&rest, &f))
		lines += f.number == 4;
	assert_true(lines > 0);
	while (read_field(&location, &f)) {
		if (f.number != 4)
			continue;
		struct part function = by_id(&r->functions, number_of(f.bytes, 1));
		assert_int_equal(number_of(function, 3), 0); /* no system name: see profile.c */
		fputs("    ", out);
		put_string(out, r, number_of(function, 2));
		fputc(' ', out);
		put_string(out, r, number_of(function, 4));
		fprintf(out, ":%llu%s\n", (unsigned long long)number_of(f.bytes, 2),
			++nr < lines ? " (inlined)" : "");
	}
}

static inline void put_sample(FILE *out, struct profile_read *r, struct part sample)
{
	struct part rest = sample, packed;
	struct field f;
	size_t nr = 0;

	fputs("sample", out);
	while (read_field(&rest, &f)) {
		packed = f.bytes;
		while (f.number == 2 && packed.p < packed.end) {
			uint64_t value = read_varint(&packed);
			assert_true(value <= INT64_MAX && nr < READ_TYPES_MAX);
			r->sums[nr++] += value;
			fprintf(out, " %llu", (unsigned long long)value);
		}
		if (f.number != 3)
			continue;
		fputc(' ', out);
		put_string(out, r, number_of(f.bytes, 1));
		/* One or the other. */
		assert_true(!number_of(f.bytes, 2) != !number_of(f.bytes, 3));
		fputc('=', out);
		if (number_of(f.bytes, 2))
			put_string(out, r, number_of(f.bytes, 2));
		else
			fprintf(out, "%llu", (unsigned long long)number_of(f.bytes, 3));
	}
	assert_int_equal(nr, r->by_field[1].nr);
	fputc('\n', out);
	while (read_field(&sample, &f)) {
		packed = f.bytes;
		while (f.number == 1 && packed.p < packed.end)
			put_location(out, r, read_varint(&packed));
	}
}

static inline void put_type(FILE *out, const struct profile_read *r, const char *what,
			    struct part type)
{
	fprintf(out, "%s ", what);
	put_string(out, r, number_of(type, 1));
	fputc('/', out);
	put_string(out, r, number_of(type, 2));
	fputc('\n', out);
}

static inline void put_profile(FILE *out, struct profile_read *r)
{
	bool default_known = !r->number[14];

	for (size_t i = 0; i < r->by_field[1].nr; i++) {
		put_type(out, r, "type", r->by_field[1].v[i]);
		default_known |= number_of(r->by_field[1].v[i], 1) == r->number[14];
	}
	assert_true(default_known);
	fputs("default ", out);
	put_string(out, r, r->number[14]);
	fputc('\n', out);
	for (size_t i = 0; i < r->by_field[11].nr; i++)
		put_type(out, r, "period of", r->by_field[11].v[i]);
	fprintf(out, "period %llu\ntime %llu\nduration %llu\n", (unsigned long long)r->number[12],
		(unsigned long long)r->number[9], (unsigned long long)r->number[10]);
	assert_int_equal(r->by_field[3].nr, 1);
	struct part mapping = r->by_field[3].v[0];
	assert_int_equal(number_of(mapping, 1), 1);
	fputs("mapping ", out);
	put_string(out, r, number_of(mapping, 5));
	fputc(' ', out);
	put_string(out, r, number_of(mapping, 6));
	for (uint32_t has = 7; has <= 10; has++)
		assert_int_equal(number_of(mapping, has), 1);
	fputc('\n', out);
	for (size_t i = 0; i < r->by_field[13].nr; i++) {
		fputs("comment ", out);
		put_string(out, r, read_varint(&r->by_field[13].v[i]));
		fputc('\n', out);
	}
	for (size_t i = 0; i < r->by_field[2].nr; i++)
		put_sample(out, r, r->by_field[2].v[i]);
}

/* The file as text, and its sums. */
static inline void profile_read(struct profile_read *r, const void *gz, size_t gz_sz)
{
	size_t sz;

	*r = (struct profile_read){ .data = gunzipped(gz, gz_sz, &sz) };
	struct part all = { r->data, r->data + sz };
	struct part before = all;
	struct field f;
	while (read_field(&all, &f)) {
		if (f.is_bytes)
			add_part(&r->by_field[f.number], f.bytes);
		else if (f.number == 13) /* comments: the varint, behind its tag */
			add_part(&r->by_field[13], (struct part){ before.p + 1, all.p });
		else
			r->number[f.number] = f.value;
		before = all;
	}
	check_strings(r);
	index_ids(&r->locations, &r->by_field[4]);
	index_ids(&r->functions, &r->by_field[5]);
	FILE *out = open_memstream(&r->text, &sz);
	put_profile(out, r);
	fclose(out);
}

static inline void profile_read_free(struct profile_read *r)
{
	for (size_t i = 0; i < 16; i++)
		free(r->by_field[i].v);
	free(r->locations.v);
	free(r->functions.v);
	free(r->data);
	free(r->text);
}

#endif
