/* SPDX-License-Identifier: BSD-2-Clause */
/* A regular expression as somebody types it: one that costs more than a moment to compile is refused. */
#ifndef GALLOP_TUI_PATTERN_H
#define GALLOP_TUI_PATTERN_H

#include <regex.h>
#include <stdbool.h>

#include "base/err.h"

enum { PATTERN_TEXT_SZ = 256 };

struct pattern {
	char text[PATTERN_TEXT_SZ]; /* as typed; "": none */
	regex_t regex; /* if there is one */
	bool inverted; /* all but what matches */
};

/*
 * can_invert: of "!x" the pattern is x. Nothing typed: none. When it fails the pattern is as it was: -EINVAL for what
 * is no regular expression, -E2BIG for one that is refused.
 */
int pattern_set(struct pattern *p, const char *text, bool can_invert, struct err *err);
void pattern_clear(struct pattern *p);

/* NULL: there is none. */
const regex_t *pattern_regex(const struct pattern *p);

#endif
