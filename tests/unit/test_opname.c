/* SPDX-License-Identifier: BSD-2-Clause */
/* What a user writes for the name of a function, held against names as they are and as a file could have them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/opname.h"

enum { NAME_SZ = 8192 };

static const char *plain_of(const char *name)
{
	static char buf[NAME_SZ];

	return opname_plain(name, buf, sizeof(buf));
}

static enum opname_match match(const char *pattern, const char *func)
{
	struct opname name;

	assert_int_equal(opname_init(&name, pattern), 0);
	return opname_match(&name, func, plain_of(func));
}

static void test_match(void **state)
{
	static const struct {
		const char *pattern, *func;
		enum opname_match how;
	} cases[] = {
		{ "main.f", "main.f", OPNAME_EXACT },
		{ "main.(*T).M", "main.(*T).M", OPNAME_EXACT },
		{ "main.g[go.shape.int]", "main.g[go.shape.int]", OPNAME_EXACT },
		{ "main.g[...]", "main.g[...]", OPNAME_EXACT },
		{ "main.f", "main.ff", OPNAME_NONE },
		{ "main.f", "main.f.func1", OPNAME_NONE },
		/* Generic ones. */
		{ "main.g", "main.g[go.shape.int]", OPNAME_GENERIC },
		{ "main.g", "main.g[...]", OPNAME_GENERIC },
		{ "main.g[...]", "main.g[go.shape.int]", OPNAME_GENERIC },
		{ "main.g[...]", "main.g", OPNAME_NONE },
		{ "main.g[int]", "main.g[go.shape.int]", OPNAME_NONE },
		{ "main.(*T).M", "main.(*T[go.shape.map[string]a/b.c]).M", OPNAME_GENERIC },
		{ "main.(*T[...]).M", "main.(*T[go.shape.[]int]).M", OPNAME_GENERIC },
		{ "main.g.func1", "main.g[go.shape.int].func1", OPNAME_GENERIC },
		/* Globs. */
		{ "main.*", "main.f", OPNAME_GLOB },
		{ "main.*", "other/main.f", OPNAME_NONE },
		{ "*.f", "a/b.f", OPNAME_GLOB },
		{ "*a*b*c", "xaxbxabxc", OPNAME_GLOB },
		{ "*a*b*c", "xaxbxabxcd", OPNAME_NONE },
		{ "main.?", "main.f", OPNAME_GLOB },
		{ "main.?", "main.", OPNAME_NONE },
		{ "main.g[*", "main.g[go.shape.int]", OPNAME_GLOB },
		{ "**", "f", OPNAME_GLOB },
		/* A star behind a bracket is a receiver's. */
		{ "main.(*T).*", "main.(*T).M", OPNAME_GLOB },
		{ "main.(*T).*", "main.(*HTTPT).M", OPNAME_NONE },
		{ "main.(**).M", "main.(*T).M", OPNAME_GLOB },
		{ "main.(*T).M", "main.(*AT).M", OPNAME_NONE },
		/* Ends. */
		{ "f", "main.f", OPNAME_SUFFIX },
		{ "main.f", "a/main.f", OPNAME_SUFFIX },
		{ "ain.f", "main.f", OPNAME_NONE },
		{ "(*T).M", "a/b.(*T).M", OPNAME_SUFFIX },
		{ "M", "main.(*T[go.shape.int]).M", OPNAME_SUFFIX },
		{ "(*T).M", "main.(*T[go.shape.int]).M", OPNAME_SUFFIX },
		{ "int]", "main.g[go.shape.int]", OPNAME_NONE },
		{ "g[go.shape.int]", "main.g[go.shape.int]", OPNAME_SUFFIX },
		{ "T).M", "main.(*T).M", OPNAME_NONE },
		{ ".f", "main.f", OPNAME_NONE },
		{ "[...]", "main.g", OPNAME_NONE },
		{ "[...]", "main.", OPNAME_NONE },
		/* Brackets that don't match are part of the name. */
		{ "main.x", "main.x[", OPNAME_NONE },
		{ "main.x", "main.x]", OPNAME_NONE },
		{ "main.x", "main.x[]]", OPNAME_NONE },
		{ "main.x", "main.x][", OPNAME_NONE },
		{ "main.x[", "main.x[", OPNAME_EXACT },
		{ "y", "main.x[.y", OPNAME_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (match(cases[i].pattern, cases[i].func) != cases[i].how)
			fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].func);
}

static void test_init(void **state)
{
	char text[OPNAME_MAX + 1];
	struct opname name;

	(void)state;
	assert_int_equal(opname_init(&name, ""), -EINVAL);
	memset(text, '[', OPNAME_MAX);
	text[OPNAME_MAX] = '\0';
	assert_int_equal(opname_init(&name, text), -EINVAL);
	text[OPNAME_MAX - 1] = '\0';
	assert_int_equal(opname_init(&name, text), 0);
	assert_int_equal(strlen(name.plain), OPNAME_MAX - 1);
}

/* Patterns and names of the characters that mean something, in blocks of their own size: no byte is read or written beside. */
static void test_nasty(void **state)
{
	static const char alphabet[] = "[].*?(/a";
	uint32_t random = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		char pattern[12] = "a", func[12] = "";

		for (size_t at = 0; at < 11; at++) {
			random = random * 1664525 + 1013904223;
			pattern[at] = alphabet[random >> 29];
			func[at] = alphabet[random >> 20 & 7];
		}
		pattern[1 + (random >> 4) % 11] = '\0';
		func[(random >> 8) % 12] = '\0';
		char *heap_pattern = strdup(pattern), *heap_func = strdup(func);
		char *plain = malloc(strlen(func) + 1);
		struct opname name;

		assert_int_equal(opname_init(&name, heap_pattern), 0);
		const char *shown = opname_plain(heap_func, plain, strlen(func) + 1);
		assert_true(strlen(shown) <= strlen(func));
		opname_match(&name, heap_func, shown);
		opname_distance(&name, shown);
		assert_int_equal(match(pattern, pattern), OPNAME_EXACT);
		free(heap_pattern);
		free(heap_func);
		free(plain);
	}
}

/* Many stars and a long name take no time that a test would notice; a rule that goes back for each star would not end. */
static void test_long(void **state)
{
	static char func[NAME_SZ], pattern[OPNAME_MAX];

	(void)state;
	memset(func, 'a', sizeof(func) - 1);
	for (size_t i = 0; i + 2 < sizeof(pattern); i += 2)
		memcpy(pattern + i, "a*", 2);
	pattern[sizeof(pattern) - 2] = 'b';
	assert_int_equal(match(pattern, func), OPNAME_NONE);
	func[sizeof(func) - 2] = 'b';
	assert_int_equal(match(pattern, func), OPNAME_GLOB);
	memset(func, '[', sizeof(func) - 1);
	assert_string_equal(plain_of(func), func);
}

static uint32_t distance(const char *pattern, const char *func)
{
	struct opname name;

	assert_int_equal(opname_init(&name, pattern), 0);
	return opname_distance(&name, plain_of(func));
}

static void test_distance(void **state)
{
	(void)state;
	assert_int_equal(distance("main.handle", "main.serve"), UINT32_MAX);
	assert_int_equal(distance("main.f", "main.g"), UINT32_MAX);
	assert_true(distance("main.hande", "main.handle") < distance("main.hande", "other.handle"));
	assert_true(distance("main.hande", "main.handle") < distance("main.hande", "main.hands2"));
	assert_true(distance("main.Handle", "main.handle") <
		    distance("main.Handle", "main.handles"));
	assert_true(distance("http.(*conn).sreve", "net/http.(*conn).serve") != UINT32_MAX);
	assert_int_equal(distance("http.(*conn).sreve", "runtime.save"), UINT32_MAX);
	assert_true(distance("g", "main.g[go.shape.int]") != UINT32_MAX);
}

static void test_list(void **state)
{
	struct opname_list list;
	char longest[1000];

	(void)state;
	opname_list_init(&list, 100);
	assert_string_equal(opname_list_end(&list), "");
	opname_list_add(&list, "main.f");
	opname_list_add(&list, "main.g");
	assert_string_equal(opname_list_end(&list), "main.f, main.g");

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	opname_list_init(&list, 100);
	opname_list_add(&list, "main.f");
	opname_list_add(&list, longest);
	opname_list_add(&list, "main.g");
	assert_string_equal(opname_list_end(&list), "main.f and 2 more");

	/* The first is cut rather than left out; there is still room for the number. */
	opname_list_init(&list, 100);
	for (int i = 0; i < 1000; i++)
		opname_list_add(&list, longest);
	assert_true(strlen(opname_list_end(&list)) < 100);
	assert_non_null(strstr(list.text, "xx and 999 more"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match), cmocka_unit_test(test_init),
		cmocka_unit_test(test_nasty), cmocka_unit_test(test_long),
		cmocka_unit_test(test_list),  cmocka_unit_test(test_distance),
	};

	return cmocka_run_group_tests_name("opname", tests, NULL, NULL);
}
