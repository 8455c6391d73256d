/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text from outside, made safe to show.
 *
 * Names come out of executables, recordings and command lines, so they may hold anything: terminal
 * escapes, half characters, marks that turn the reading direction. What is shown or stored is
 * always valid UTF-8 of printable characters, and no longer than the room for it.
 */
#ifndef GALLOP_BASE_UTF8_H
#define GALLOP_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	UTF8_INVALID = -1, /* not a character: one byte of rubbish */
	UTF8_REPLACEMENT = 0xfffd, /* what is shown for it */
};

/* The character at s, of len > 0 bytes; *len_ret is how many it takes, 1 if it is invalid. */
int32_t utf8_decode(const char *s, size_t len, size_t *len_ret);

/* False for what moves the cursor, hides or reorders text: controls, separators, bidi marks. */
bool utf8_is_printable(int32_t c);

/*
 * Copy a string: what isn't printable becomes '?', what isn't UTF-8 becomes U+FFFD. What doesn't
 * fit is cut between two characters. Returns the length of dst, which always ends in '\0'.
 */
size_t utf8_clean(char *dst, size_t dst_sz, const char *src);

/* The same to a string in a buffer of sz bytes. 0 or -ENOMEM. */
int utf8_clean_in_place(char *s, size_t sz);

/* Characters in a string: its width on a terminal as far as one character is one column. */
size_t utf8_width(const char *s);

/* Bytes of the first n characters, or all. */
size_t utf8_prefix(const char *s, size_t n);

#endif
