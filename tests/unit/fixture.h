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

static const char *const fixture_versions[] = { "1.19", "1.21", "1.22", "1.23",
						"1.24", "1.25", "1.26", "1.27" };
static const char *const fixture_modes[] = { "plain", "stripped",    "pie",    "piestripped",
					     "cgo",   "cgostripped", "cgopie", "cgopiestripped" };

enum {
	FIXTURE_VERSIONS_NR = sizeof(fixture_versions) / sizeof(fixture_versions[0]),
	FIXTURE_MODES_NR = sizeof(fixture_modes) / sizeof(fixture_modes[0]),
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

#endif
