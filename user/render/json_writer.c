/* SPDX-License-Identifier: BSD-2-Clause */
#include "render/json_writer.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/fmt.h"
#include "base/utf8.h"

/* The length of what needs no thought: a snapshot's names are nearly always plain to their end. */
static size_t plain_prefix(const char *s, const char *escaped)
{
	const char *p = s;

	while (*p >= ' ' && *p <= '~' && !strchr(escaped, *p))
		p++;
	return (size_t)(p - s);
}

static void put_text(FILE *out, const char *s, const char *escaped)
{
	size_t left = strlen(s);

	fputc('"', out);
	for (size_t n; left; s += n, left -= n) {
		n = plain_prefix(s, escaped);
		if (n) {
			fwrite(s, 1, n, out);
			continue;
		}
		int32_t c = utf8_decode(s, left, &n);
		if (c == UTF8_INVALID)
			fputs("\xef\xbf\xbd", out);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", (char)c);
		else if (!utf8_is_printable(c) || (c <= '~' && strchr(escaped, c)))
			fprintf(out, "\\u%04x", (unsigned int)c);
		else
			fwrite(s, 1, n, out);
	}
	fputc('"', out);
}

void json_text(FILE *out, const char *s)
{
	put_text(out, s, "\"\\");
}

void json_text_in_html(FILE *out, const char *s)
{
	put_text(out, s, "\"\\<>&");
}

/* What stands before any value: comma, line, key. */
static void begin(struct json_writer *w, const char *key)
{
	if (!w->first && w->depth)
		fputs(w->flat ? ", " : ",", w->out);
	if (!w->flat && w->depth)
		fprintf(w->out, "\n%*s", (int)(2 * w->depth), "");
	w->first = false;
	if (key) {
		json_text(w->out, key);
		fputs(": ", w->out);
	}
}

void json_open(struct json_writer *w, const char *key, char bracket)
{
	begin(w, key);
	fputc(bracket, w->out);
	w->depth++;
	w->first = true;
}

void json_open_flat(struct json_writer *w, const char *key, char bracket)
{
	json_open(w, key, bracket);
	if (!w->flat) {
		w->flat = true;
		w->flat_depth = w->depth;
	}
}

void json_close(struct json_writer *w, char bracket)
{
	w->depth--;
	if (!w->flat && !w->first)
		fprintf(w->out, "\n%*s", (int)(2 * w->depth), "");
	fputc(bracket, w->out);
	w->first = false;
	if (w->flat && w->depth < w->flat_depth)
		w->flat = false;
	if (w->depth == 0)
		fputc('\n', w->out);
}

void json_string(struct json_writer *w, const char *key, const char *value)
{
	begin(w, key);
	if (w->in_html)
		json_text_in_html(w->out, value);
	else
		json_text(w->out, value);
}

void json_number(struct json_writer *w, const char *key, uint64_t value)
{
	begin(w, key);
	fprintf(w->out, "%" PRIu64, value);
}

void json_signed(struct json_writer *w, const char *key, int64_t value)
{
	begin(w, key);
	fprintf(w->out, "%" PRId64, value);
}

void json_address(struct json_writer *w, const char *key, uint64_t value)
{
	begin(w, key);
	fprintf(w->out, "\"0x%" PRIx64 "\"", value);
}

void json_thousandths(struct json_writer *w, const char *key, uint64_t value)
{
	begin(w, key);
	fprintf(w->out, "%" PRIu64 ".%03" PRIu64, value / 1000, value % 1000);
}

void json_millionths(struct json_writer *w, const char *key, uint64_t value)
{
	begin(w, key);
	fprintf(w->out, "%" PRIu64 ".%06" PRIu64, value / 1000000, value % 1000000);
}

void json_decimal(struct json_writer *w, const char *key, double value)
{
	begin(w, key);
	fprintf(w->out, "%s%s", value < 0 ? "-" : "", fmt_decimal(fabs(value)).s);
}

void json_bool(struct json_writer *w, const char *key, bool value)
{
	begin(w, key);
	fputs(value ? "true" : "false", w->out);
}

void json_null(struct json_writer *w, const char *key)
{
	begin(w, key);
	fputs("null", w->out);
}

void json_number_if(struct json_writer *w, const char *key, bool known, uint64_t value)
{
	if (known)
		json_number(w, key, value);
	else
		json_null(w, key);
}

void json_decimal_if(struct json_writer *w, const char *key, bool known, double value)
{
	if (known && isfinite(value))
		json_decimal(w, key, value);
	else
		json_null(w, key);
}
