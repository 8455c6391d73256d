/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What gallop says on standard error. Messages quote names from files, processes and command lines,
 * which may hold anything: only clean text reaches the terminal.
 */
#include <stdarg.h>

#include "base/utf8.h"
#include "cmd/cmd.h"

enum { LINE_SZ = 1024 };

static void put_line(const char *prefix, const char *text)
{
	char clean[3 * LINE_SZ]; /* of a byte of rubbish, three are made */

	utf8_clean(clean, sizeof(clean), text);
	fprintf(stderr, "%s: %s\n", prefix, clean);
}

void talk(const char *fmt, ...)
{
	char text[LINE_SZ];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_line("gallop", text);
}

void print_err(const struct err *err)
{
	put_line("gallop", err->msg);
	if (err->hint[0])
		put_line("hint", err->hint);
}
