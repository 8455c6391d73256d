/* SPDX-License-Identifier: BSD-2-Clause */
/* What was meant by a word that isn't one of ours. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/edits.h"
#include "base/utf8.h"
#include "cmd/help.h"

struct guess {
	const char *typed;
	const char *best; /* NULL: nothing is near */
	uint32_t apart;
};

enum { APART_MAX = 3, PREFIX_MIN = 2, WORD_MIN = 3 };

/* Two letters that have changed places: the commonest of all slips, and two edits otherwise. */
static bool is_swapped(const char *a, const char *b)
{
	size_t at = 0;

	while (a[at] && a[at] == b[at])
		at++;
	/* b may end here. */
	return a[at] && b[at] && a[at + 1] && a[at] == b[at + 1] && a[at + 1] == b[at] &&
	       !strcmp(a + at + 2, b + at + 2);
}

/* A short word is near to anything as short, so one edit in three letters is as much as is believed. */
static void consider(struct guess *g, const char *word)
{
	size_t len = strlen(g->typed);
	uint32_t apart = edits(g->typed, word, APART_MAX);
	bool begins = len >= PREFIX_MIN && !strncmp(word, g->typed, len);

	if (begins || is_swapped(g->typed, word))
		apart = 1;
	else if (len < WORD_MIN || apart > APART_MAX || apart > len / WORD_MIN)
		return;
	if (!g->best || apart < g->apart) {
		g->best = word;
		g->apart = apart;
	}
}

int suggest_command(const char *name, struct err *err)
{
	struct guess g = { .typed = name };

	for (const struct cmd *cmd = commands; cmd->name; cmd++)
		consider(&g, cmd->name);
	err_set(err, -EINVAL, "'%s' is not a command", name);
	if (g.best)
		err_hint(err, "did you mean %s? 'gallop help' lists all commands", g.best);
	else
		err_hint(err, "'gallop help' lists them");
	return -EINVAL;
}

void suggest_format(const struct options *opts, struct err *err)
{
	for (size_t i = 0; i < opts->funcs.nr; i++)
		if (renderer_find(opts->funcs.v[i]))
			err_hint(err,
				 "if the format %s was meant: --format %s, as -f is the function "
				 "here",
				 opts->funcs.v[i], opts->funcs.v[i]);
}

/* --- options ------------------------------------------------------------------------------------ */

/* argp's own. */
static const char *const own[] = { "help", "usage" };

enum { OWN_NR = sizeof(own) / sizeof(own[0]) };

/* Does the option of this name, which may be cut short, take an argument? -1: there is none. */
static int takes_argument(const struct cmd *cmd, const char *name, size_t len)
{
	int found = -1;

	for (size_t i = 0; i < OWN_NR; i++)
		if (!strncmp(own[i], name, len))
			found = 0;
	for (size_t i = 0; i < option_specs_nr; i++) {
		const struct option_spec *spec = &option_specs[i];

		if (!(spec->commands & cmd->id) || strncmp(spec->name, name, len))
			continue;
		found = spec->arg != NULL;
		if (!spec->name[len])
			return found;
	}
	return found;
}

/* Is the next word the argument of the last of these short options, "-p" or "-qp"? */
static bool takes_next(const struct cmd *cmd, const char *letters)
{
	for (; *letters; letters++)
		for (size_t i = 0; i < option_specs_nr; i++) {
			const struct option_spec *spec = &option_specs[i];

			if (spec->arg && (spec->commands & cmd->id) && spec->short_name == *letters)
				return !letters[1];
		}
	return false;
}

static void refuse(const struct cmd *cmd, const char *name, size_t len)
{
	char typed[EDITS_LEN_MAX + 1], clean[3 * sizeof(typed)];

	snprintf(typed, sizeof(typed), "%.*s", (int)(len < EDITS_LEN_MAX ? len : EDITS_LEN_MAX),
		 name);
	struct guess g = { .typed = typed };
	for (size_t i = 0; i < option_specs_nr; i++)
		if (option_specs[i].commands & cmd->id)
			consider(&g, option_specs[i].name);
	for (size_t i = 0; i < OWN_NR; i++)
		consider(&g, own[i]);
	utf8_clean(clean, sizeof(clean), typed);
	fprintf(stderr, "gallop %s: there is no option '--%s'\n", cmd->name, clean);
	if (g.best)
		fprintf(stderr, "hint: did you mean --%s? ", g.best);
	else
		fprintf(stderr, "hint: ");
	fprintf(stderr, "'gallop %s --help' lists all options\n", cmd->name);
	exit(EXIT_STATUS_USAGE);
}

void suggest_options(const struct cmd *cmd, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];

		if (!strcmp(arg, "--"))
			return;
		if (strncmp(arg, "--", 2)) {
			i += arg[0] == '-' && takes_next(cmd, arg + 1);
			continue;
		}
		size_t len = strcspn(arg + 2, "=");
		int argument = takes_argument(cmd, arg + 2, len);
		if (argument < 0)
			refuse(cmd, arg + 2, len);
		i += argument && !arg[2 + len];
	}
}
