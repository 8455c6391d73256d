/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/pattern.h"

#include <errno.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* No pattern without repetitions has more, and what has no more compiles in 50 ms. */
enum { NODES_MAX = 500 };

/* --- what it costs ---------------------------------------------------------------------------------- */

/*
 * glibc copies what is repeated: a{1,255} is 255 nodes, three of them nested are 16 million, and (x)+ is x twice. How many
 * there would be, roughly, is counted beforehand; whether it is a pattern at all is for
 * regcomp() to say.
 */
struct walk {
	const char *at;
	uint64_t nodes[PATTERN_TEXT_SZ]; /* of each group that is open */
	size_t depth;
	uint64_t last; /* of what a repetition repeats */
	bool back_reference;
};

static void add(struct walk *w, uint64_t nodes)
{
	w->nodes[w->depth] += nodes;
	w->last = nodes;
}

static void repeat(struct walk *w, uint64_t times)
{
	if (times <= 1)
		return;
	w->nodes[w->depth] += w->last * (times - 1);
	w->last *= times;
}

/* Behind a [...]; what is in it is one node. */
static const char *behind_bracket(const char *p)
{
	if (*p == '^')
		p++;
	if (*p == ']')
		p++;
	while (*p && *p != ']') {
		if (*p == '[' && p[1] && strchr(":.=", p[1])) {
			const char close[] = { p[1], ']', '\0' };
			const char *end = strstr(p + 2, close);
			p = end ? end + 1 : p;
		}
		p++;
	}
	return *p ? p + 1 : p;
}

/* How often {m}, {m,} or {m,n} repeats; what isn't one of these counts as once. */
static uint64_t times_of(const char **p)
{
	char *end;
	uint64_t from = strtoul(*p, &end, 10), to = from;

	if (*end == ',') {
		const char *second = end + 1;
		to = strtoul(second, &end, 10);
		if (end == second)
			to = from + 1;
	}
	*p = *end == '}' ? end + 1 : end;
	return from > to ? from : to;
}

static void step(struct walk *w)
{
	char c = *w->at++;

	if (c == '\\' && *w->at) {
		w->back_reference |= *w->at >= '1' && *w->at <= '9';
		w->at++;
		add(w, 1);
	} else if (c == '[') {
		w->at = behind_bracket(w->at);
		add(w, 1);
	} else if (c == '(') {
		w->nodes[++w->depth] = 0;
		w->last = 0;
	} else if (c == ')' && w->depth) {
		uint64_t group = w->nodes[w->depth--] + 1;
		add(w, group);
	} else if (c == '{') {
		uint64_t times = times_of(&w->at);
		repeat(w, times <= NODES_MAX ? times : NODES_MAX + 1);
	} else if (c == '+') {
		repeat(w, 2);
	} else if (c != '*' && c != '?') {
		add(w, 1);
	}
}

static int check_cost(const char *text, struct err *err)
{
	struct walk w = { .at = text };

	while (*w.at) {
		step(&w);
		if (w.back_reference)
			return err_set(err, -E2BIG, "\\1 to \\9 take too long to match");
		if (w.nodes[w.depth] > NODES_MAX)
			return err_set(err, -E2BIG, "too many repetitions");
	}
	return 0;
}

/* --- patterns --------------------------------------------------------------------------------------- */

void pattern_clear(struct pattern *p)
{
	if (*p->text)
		regfree(&p->regex);
	*p->text = '\0';
	p->inverted = false;
}

const regex_t *pattern_regex(const struct pattern *p)
{
	return *p->text ? &p->regex : NULL;
}

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return !*text;
}

/*
 * What ignores case in UTF-8 is matched as wide characters, at half the speed; a pattern of ASCII finds the same when it
 * is of bytes. 0 or regcomp()'s failure.
 */
static int compile(regex_t *regex, const char *text)
{
	locale_t plain = is_ascii(text) ? newlocale(LC_ALL_MASK, "C", (locale_t)0) : (locale_t)0;
	locale_t before = plain ? uselocale(plain) : (locale_t)0;
	int rc = regcomp(regex, text, REG_EXTENDED | REG_NOSUB | REG_ICASE);

	if (plain) {
		uselocale(before);
		freelocale(plain);
	}
	return rc;
}

int pattern_set(struct pattern *p, const char *text, bool can_invert, struct err *err)
{
	bool inverted = can_invert && *text == '!';
	const char *wanted = text + inverted;
	regex_t regex;

	if (!*wanted) {
		pattern_clear(p);
		return 0;
	}
	if (strlen(text) >= sizeof(p->text))
		return err_set(err, -E2BIG, "too long");
	int rc = check_cost(wanted, err);
	if (rc)
		return rc;
	rc = compile(&regex, wanted);
	if (rc) {
		char why[128];
		regerror(rc, &regex, why, sizeof(why));
		return err_set(err, -EINVAL, "%s", why);
	}
	pattern_clear(p);
	p->regex = regex;
	p->inverted = inverted;
	strcpy(p->text, text);
	return 0;
}
