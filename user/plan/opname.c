/* SPDX-License-Identifier: BSD-2-Clause */
/* Plain comparisons, each linear or nearly so: a table of functions may have millions of names of 8 KB. */
#include "plan/opname.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/edits.h"
#include "base/utf8.h"

enum {
	NEAR_MAX = 3, /* edits between last elements that are near */
	COMMON_MAX = 255, /* and of what their names have in common */
	MORE_SZ = sizeof(" and 4294967295 more"),
};

static const char any_args[] = "[...]";
enum { ANY_ARGS_LEN = sizeof(any_args) - 1 };

/* A '*' behind a '(' is that of a receiver: "main.(*Server).handle". */
static bool is_star(const char *text, const char *p)
{
	return *p == '*' && (p == text || p[-1] != '(');
}

int opname_init(struct opname *name, const char *text)
{
	size_t len = strlen(text), used = 0;

	if (!len || len >= OPNAME_MAX)
		return -EINVAL;
	*name = (struct opname){ .text = text };
	for (const char *p = text; *p; p++) {
		if (is_star(text, p) || *p == '?')
			name->is_glob = true;
		if (!strncmp(p, any_args, ANY_ARGS_LEN)) {
			p += ANY_ARGS_LEN - 1;
			continue;
		}
		name->has_args |= *p == '[';
		name->plain[used++] = *p;
	}
	return 0;
}

const char *opname_plain(const char *name, char *buf, size_t cap)
{
	size_t used = 0;
	int depth = 0;

	if (!strchr(name, '['))
		return name;
	for (const char *p = name; *p && used + 1 < cap; p++) {
		depth += *p == '[';
		if (!depth)
			buf[used++] = *p;
		if (*p == ']' && --depth < 0)
			return name;
	}
	buf[used] = '\0';
	return depth ? name : buf;
}

/* One step back is enough: what a later star matches, an earlier one need not. */
static bool glob_matches(const char *glob, const char *s)
{
	const char *p = glob, *star = NULL, *again = NULL;

	while (*s) {
		if (is_star(glob, p)) {
			star = ++p;
			again = s;
		} else if (*p == *s || *p == '?') {
			p++;
			s++;
		} else if (star) {
			p = star;
			s = ++again;
		} else {
			return false;
		}
	}
	while (is_star(glob, p))
		p++;
	return !*p;
}

/* Does s end with this, as a whole element or several, and not within brackets? */
static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);
	int depth = 0;

	if (!end_len || end_len >= len || strcmp(s + len - end_len, end))
		return false;
	size_t at = len - end_len;
	if (s[at - 1] != '.' && s[at - 1] != '/')
		return false;
	for (size_t i = 0; i < at; i++)
		depth += (s[i] == '[') - (s[i] == ']');
	return !depth;
}

enum opname_match opname_match(const struct opname *name, const char *func, const char *plain)
{
	if (!strcmp(func, name->text))
		return OPNAME_EXACT;
	if (!name->has_args && plain != func && !strcmp(plain, name->plain))
		return OPNAME_GENERIC;
	if (name->is_glob)
		return glob_matches(name->text, func) ? OPNAME_GLOB : OPNAME_NONE;
	if (name->has_args ? ends_with(func, name->text) : ends_with(plain, name->plain))
		return OPNAME_SUFFIX;
	return OPNAME_NONE;
}

static const char *last_element(const char *plain)
{
	const char *last = plain;

	for (const char *p = plain; *p; p++)
		if ((*p == '.' || *p == '/') && p[1])
			last = p + 1;
	return last;
}

uint32_t opname_distance(const struct opname *name, const char *plain)
{
	const char *ours = last_element(name->plain), *theirs = last_element(plain);
	size_t before = (size_t)(ours - name->plain), len = strlen(ours);
	uint32_t common = 0;

	/* What is before it may be right. A short word is near to anything as short, unless that is. */
	bool same_before = before && memmem(plain, strlen(plain), name->plain, before);
	uint32_t apart = edits(ours, theirs, NEAR_MAX);
	if (apart > NEAR_MAX || apart > len / (same_before ? 2 : 3))
		return UINT32_MAX;
	while (common < COMMON_MAX && plain[common] && plain[common] == name->plain[common])
		common++;
	return (apart + (same_before ? 0 : NEAR_MAX)) << 8 | (COMMON_MAX - common);
}

void opname_list_init(struct opname_list *list, size_t room)
{
	*list = (struct opname_list){ .room = room < OPNAME_LIST_SZ ? room : OPNAME_LIST_SZ };
}

void opname_list_add(struct opname_list *list, const char *name)
{
	size_t used = strlen(list->text);

	list->nr++;
	if (list->shown_nr + 1 < list->nr)
		return; /* one was left out */
	if (!used) {
		utf8_clean(list->text, list->room - MORE_SZ, name);
	} else {
		if (used + strlen(", ") + strlen(name) + MORE_SZ >= list->room)
			return;
		snprintf(list->text + used, list->room - used, ", %s", name);
	}
	list->shown_nr++;
}

const char *opname_list_end(struct opname_list *list)
{
	size_t used = strlen(list->text);

	if (list->shown_nr < list->nr)
		snprintf(list->text + used, list->room - used, " and %u more",
			 list->nr - list->shown_nr);
	return list->text;
}
