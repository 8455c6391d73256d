/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the Go programs are that tests/go holds, built by tools/go-fixtures: in
 * $GALLOP_FIXTURES/<version>/<mode>/<name>. What is not there is skipped, and said.
 */
#ifndef GALLOP_TESTS_UNIT_FIXTURE_H
#define GALLOP_TESTS_UNIT_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gobin/gobin.h"

static const char *const fixture_versions[] = { "1.19", "1.21", "1.22", "1.23",
						"1.24", "1.25", "1.26", "1.27" };
static const char *const fixture_modes[] = { "plain", "stripped",    "pie",    "piestripped",
					     "cgo",   "cgostripped", "cgopie", "cgopiestripped" };

enum {
	FIXTURE_VERSIONS_NR = sizeof(fixture_versions) / sizeof(fixture_versions[0]),
	FIXTURE_MODES_NR = sizeof(fixture_modes) / sizeof(fixture_modes[0]),
	FIXTURE_PATH_CAP = 4096,
	FIXTURE_TESTS_MAX = 16, /* that one file has for each version */
};

/* Whether the program exists; its path is written in any case. */
static inline bool fixture_find(const char *version, const char *mode, const char *name, char *path,
				size_t cap)
{
	const char *dir = getenv("GALLOP_FIXTURES");

	snprintf(path, cap, "%s/%s/%s/%s", dir ? dir : "", version, mode, name);
	return dir && access(path, X_OK) == 0;
}

/* The program's path, or the test is skipped. */
static inline void fixture_need(const char *version, const char *mode, const char *name, char *path,
				size_t cap)
{
	if (fixture_find(version, mode, name, path, cap))
		return;
	print_message("skipped: %s\n",
		      getenv("GALLOP_FIXTURES") ? path : "GALLOP_FIXTURES is not set");
	skip();
}

static inline void fixture_gobin_freep(struct gobin **bin)
{
	gobin_free(*bin);
}

/* For the output of a fixture that was run: it must have ended well. */
static inline void fixture_pclosep(FILE **f)
{
	if (*f)
		assert_int_equal(pclose(*f), 0);
}

/* Open gobinfix of a version and mode; path has FIXTURE_PATH_CAP bytes. */
static inline struct gobin *fixture_open(const char *version, const char *mode, char *path)
{
	struct gobin *bin = NULL;
	struct err err = { 0 };

	fixture_need(version, mode, "gobinfix", path, FIXTURE_PATH_CAP);
	if (gobin_open(path, &bin, &err) < 0)
		fail_msg("%s: %s", path, err.msg);
	return bin;
}

/* Run each test once for each version, which is its initial state. */
static inline int fixture_run(const char *group, const struct CMUnitTest *tests, size_t nr)
{
	static struct CMUnitTest all[FIXTURE_VERSIONS_NR * FIXTURE_TESTS_MAX];
	static char names[FIXTURE_VERSIONS_NR * FIXTURE_TESTS_MAX][64];
	size_t all_nr = 0;

	assert_true(nr <= FIXTURE_TESTS_MAX);
	for (int v = 0; v < FIXTURE_VERSIONS_NR; v++) {
		for (size_t i = 0; i < nr; i++, all_nr++) {
			snprintf(names[all_nr], sizeof(names[0]), "%s: Go %s", tests[i].name,
				 fixture_versions[v]);
			all[all_nr] = tests[i];
			all[all_nr].name = names[all_nr];
			all[all_nr].initial_state = (void *)(uintptr_t)fixture_versions[v];
		}
	}
	return _cmocka_run_group_tests(group, all, all_nr, NULL, NULL);
}

#endif
