/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/*
 * The shape of a sequence by its first byte: how long it is and the smallest value it may encode.
 */
static size_t sequence(unsigned char first, int32_t *bits_ret, int32_t *min_ret)
{
	if (first >= 0xf0 && first <= 0xf4) {
		*bits_ret = first & 0x07;
		*min_ret = 0x10000;
		return 4;
	}
	if (first >= 0xe0 && first < 0xf0) {
		*bits_ret = first & 0x0f;
		*min_ret = 0x800;
		return 3;
	}
	if (first >= 0xc2 && first < 0xe0) {
		*bits_ret = first & 0x1f;
		*min_ret = 0x80;
		return 2;
	}
	return 0;
}

int32_t utf8_decode(const char *s, size_t len, size_t *len_ret)
{
	*len_ret = 1;
	if ((unsigned char)s[0] < 0x80)
		return s[0];

	int32_t c, min;
	size_t n = sequence((unsigned char)s[0], &c, &min);
	if (n == 0 || n > len)
		return UTF8_INVALID;
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return UTF8_INVALID;
		c = c << 6 | (s[i] & 0x3f);
	}
	/* Overlong forms, UTF-16 surrogates and values beyond Unicode are not characters. */
	if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return UTF8_INVALID;
	*len_ret = n;
	return c;
}

bool utf8_is_printable(int32_t c)
{
	static const struct {
		int32_t first, last;
	} hidden[] = {
		{ 0x00, 0x1f }, /* C0 controls, escape among them */
		{ 0x7f, 0x9f }, /* DEL and the C1 controls */
		{ 0x61c, 0x61c }, /* Arabic letter mark */
		{ 0x200b, 0x200f }, /* zero width, direction marks */
		{ 0x2028, 0x202e }, /* line and paragraph separator, embeddings, overrides */
		{ 0x2060, 0x206f }, /* joiners, isolates */
		{ 0xfeff, 0xfeff }, /* byte order mark */
	};
	/* Nearly all there is. */
	if (c >= ' ' && c <= '~')
		return true;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (c >= hidden[i].first && c <= hidden[i].last)
			return false;
	}
	return true;
}

size_t utf8_clean(char *dst, size_t dst_sz, const char *src)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t left = strlen(src), used = 0;

	while (left) {
		size_t n;
		int32_t c = utf8_decode(src, left, &n);
		const char *put = src;
		size_t put_sz = n;
		if (c == UTF8_INVALID) {
			put = replacement;
			put_sz = sizeof(replacement) - 1;
		} else if (!utf8_is_printable(c)) {
			put = "?";
			put_sz = 1;
		}
		if (used + put_sz >= dst_sz)
			break;
		memcpy(dst + used, put, put_sz);
		used += put_sz;
		src += n;
		left -= n;
	}
	dst[used] = '\0';
	return used;
}

int utf8_clean_in_place(char *s, size_t sz)
{
	const char *p = s;

	/* Nearly all text is ASCII, and much of it is read. */
	while (*p >= ' ' && *p <= '~')
		p++;
	size_t left = strlen(p);
	for (size_t n; left; p += n, left -= n) {
		int32_t c = utf8_decode(p, left, &n);
		if (c == UTF8_INVALID || !utf8_is_printable(c))
			break;
	}
	if (!left)
		return 0;
	_cleanup_free_ char *raw = strdup(s);
	if (!raw)
		return -ENOMEM;
	utf8_clean(s, sz, raw);
	return 0;
}

size_t utf8_width(const char *s)
{
	size_t left = strlen(s), width = 0;

	for (size_t n; left; s += n, left -= n, width++)
		utf8_decode(s, left, &n);
	return width;
}

size_t utf8_prefix(const char *s, size_t n)
{
	size_t left = strlen(s), used = 0;

	for (size_t sz; left && n; used += sz, left -= sz, n--)
		utf8_decode(s + used, left, &sz);
	return used;
}
