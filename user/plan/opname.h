/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of functions as a user writes them, held against the full ones of the pclntab.
 *
 * Generic functions have their type arguments in their names, "main.Map[go.shape.int,go.shape.string]", up to
 * Go 1.19 as "main.Map[...]"; without them a name is called plain here: "main.Map".
 */
#ifndef GALLOP_PLAN_OPNAME_H
#define GALLOP_PLAN_OPNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	OPNAME_MAX = 1024, /* bytes of what a user writes */
	OPNAME_LIST_SZ = 512,
};

/* How a name answers to what was written: only the best of these counts, the last. */
enum opname_match {
	OPNAME_NONE,
	OPNAME_SUFFIX, /* it ends so, from a '.' or '/' on: "handle", "(*Server).handle" */
	OPNAME_GLOB, /* '*' and '?' in it, but a '*' behind a '(' is a pointer's */
	OPNAME_GENERIC, /* it is that with type arguments: "main.Map", "main.Map[...]" */
	OPNAME_EXACT,
};

struct opname {
	const char *text; /* borrowed */
	char plain[OPNAME_MAX];
	bool has_args; /* type arguments that are more than "[...]": no other will do */
	bool is_glob;
};

/* 0, -EINVAL if there is nothing in it or too much. */
int opname_init(struct opname *name, const char *text);

/* The plain name: buf, or the name itself if it has no brackets. */
const char *opname_plain(const char *name, char *buf, size_t cap);

/* `plain` is the plain form of `func`. */
enum opname_match opname_match(const struct opname *name, const char *func, const char *plain);

/* How far a plain name is from what was written: less is nearer, UINT32_MAX is not near at all. */
uint32_t opname_distance(const struct opname *name, const char *plain);

/* Names joined by commas for as long as there is room; the others are counted. */
struct opname_list {
	char text[OPNAME_LIST_SZ];
	size_t room; /* at most so many bytes of text */
	uint32_t nr, shown_nr;
};

void opname_list_init(struct opname_list *list, size_t room);
void opname_list_add(struct opname_list *list, const char *name);

/* "a, b and 7 more" */
const char *opname_list_end(struct opname_list *list);

#endif
