/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON, one token after another: it keeps track of commas and indentation and escapes text, and
 * nothing else. Keys are NULL inside arrays.
 */
#ifndef GALLOP_RENDER_JSON_WRITER_H
#define GALLOP_RENDER_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A string alone, quoted and escaped. */
void json_text(FILE *out, const char *s);
/* The same for a script element of HTML: with nothing in it that could end that, or begin anything else. */
void json_text_in_html(FILE *out, const char *s);

struct json_writer {
	FILE *out;
	unsigned int depth;
	bool first; /* nothing was written yet in the innermost object or array */
	bool flat; /* everything on one line until the end of this value */
	unsigned int flat_depth;
	bool in_html; /* texts are as of json_text_in_html() */
};

void json_open(struct json_writer *w, const char *key, char bracket); /* '{' or '[' */
void json_open_flat(struct json_writer *w, const char *key, char bracket);
void json_close(struct json_writer *w, char bracket); /* '}' or ']' */
void json_string(struct json_writer *w, const char *key, const char *value);
void json_number(struct json_writer *w, const char *key, uint64_t value);
void json_signed(struct json_writer *w, const char *key, int64_t value);
void json_address(struct json_writer *w, const char *key, uint64_t value); /* "0x..." */
/* Numbers with decimals. A locale may have another sign than the point, so they are no floats. */
void json_thousandths(struct json_writer *w, const char *key, uint64_t value);
void json_millionths(struct json_writer *w, const char *key, uint64_t value);
void json_decimal(struct json_writer *w, const char *key, double value);
void json_bool(struct json_writer *w, const char *key, bool value);
void json_null(struct json_writer *w, const char *key);
/* null if it is not known; no decimal either if it is none: NAN, infinite */
void json_number_if(struct json_writer *w, const char *key, bool known, uint64_t value);
void json_decimal_if(struct json_writer *w, const char *key, bool known, double value);

#endif
