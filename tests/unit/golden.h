/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is rendered, compared with the files in tests/golden byte for byte. After a wanted change:
 * GALLOP_GOLDEN_UPDATE=1 build/tests/unit/test_render (or another) writes them anew; read the diff.
 */
#ifndef GALLOP_TESTS_UNIT_GOLDEN_H
#define GALLOP_TESTS_UNIT_GOLDEN_H

#include <libgen.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "render/render.h"

typedef int render_fn(FILE *out, const struct snapshot *s, const struct render_opts *opts);

static inline char *rendered(render_fn *render, const struct snapshot *s, struct render_opts opts)
{
	char *text = NULL;
	size_t sz;
	FILE *out = open_memstream(&text, &sz);

	assert_non_null(out);
	assert_int_equal(render(out, s, &opts), 0);
	fclose(out);
	assert_int_equal(strlen(text), sz);
	return text;
}

/* This file's directory is where the sources are, as the compiler saw them: the tests run there. */
static inline char *golden_path(const char *name)
{
	char here[] = __FILE__, path[4096];

	snprintf(path, sizeof(path), "%s/../golden/%s.txt", dirname(here), name);
	char *copy = strdup(path);
	assert_non_null(copy);
	return copy;
}

static inline char *read_file(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "r");
	static char buf[1 << 20];

	if (!f)
		fail_msg("cannot open %s: run with GALLOP_GOLDEN_UPDATE=1 to make it", path);
	buf[fread(buf, 1, sizeof(buf) - 1, f)] = '\0';
	return buf;
}

static inline void assert_golden(const char *name, const char *text)
{
	_cleanup_free_ char *path = golden_path(name);

	if (getenv("GALLOP_GOLDEN_UPDATE")) {
		_cleanup_fclose_ FILE *f = fopen(path, "w");
		assert_non_null(f);
		assert_true(fputs(text, f) >= 0);
		return;
	}
	assert_string_equal(text, read_file(path));
}

/* `name`, `parent.name`, `name[]` or `name.child` in Markdown. */
static inline bool is_described(const char *doc, const char *name)
{
	for (const char *p = doc; (p = strstr(p, name)); p++) {
		char after = p[strlen(name)];
		if ((p[-1] == '`' || p[-1] == '.') &&
		    (after == '`' || after == '.' || after == '['))
			return true;
	}
	return false;
}

/* Every member of an output in JSON is in its description. How many there are. */
static inline int assert_documented(char *json)
{
	_cleanup_free_ char *path = golden_path("../../user/doc/JSON.md");
	*strrchr(path, '.') = '\0'; /* golden_path() adds ".txt" */
	const char *doc = read_file(path);
	int members = 0;

	for (char *p = json; (p = strstr(p, "\": ")); p += 3) {
		char *key = p;
		while (key[-1] != '"')
			key--;
		_cleanup_free_ char *name = strndup(key, (size_t)(p - key));
		bool is_cause = strcmp(name, "site_table_full") == 0 ||
				strcmp(name, "slots_busy") == 0;
		if (!is_cause && !is_described(doc, name))
			fail_msg("'%s' is not in JSON.md", name);
		members++;
	}
	return members;
}

/* Terminals and line readers get printable text in whole lines. */
static inline void assert_lines(const char *text, size_t width)
{
	size_t column = 0, left = strlen(text);

	for (size_t n; left; text += n, left -= n) {
		int32_t c = utf8_decode(text, left, &n);
		assert_int_not_equal(c, UTF8_INVALID);
		assert_true(c == '\n' || utf8_is_printable(c));
		column = c == '\n' ? 0 : column + 1;
		assert_true(column <= width);
	}
	assert_int_equal(column, 0);
}

#endif
