/* SPDX-License-Identifier: BSD-2-Clause */
/* Help, in lines of 79 characters, and the order in which commands and options are told of. */
#include "cmd/help.h"

#include <errno.h>
#include <string.h>

enum {
	LINE_W = 79,
	TEXT_AT = 29, /* the column of what an option does */
	LIST_AT = 14, /* and of what a command does */
	EXAMPLE_AT = 6,
};

/* --- the order ---------------------------------------------------------------------------------- */

/* A heading, and the names of what stands under it. */
static const struct {
	const char *heading, *names;
} groups[] = {
	{ "Target and time", "pid container exe duration delay iterations from to" },
	{ "What is measured",
	  "func op compare no-allocs no-maps goroutines stack-depth runtime-frames" },
	{ "Precision and cost", "mode budget attach max-sites" },
	{ "Output", "output format json value per top stacks folded batch once theme max-size "
		    "quiet directory" },
	{ "Checks and scripts", "dry-run strict fail-if ready-fd" },
};

/* A new option is seen, if only here, before anybody has thought of its place. */
static const char other_options[] = "More options";

enum { GROUPS_NR = sizeof(groups) / sizeof(groups[0]) };

static bool is_word_of(const char *words, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = words; (p = strstr(p, name)); p += len)
		if ((p == words || p[-1] == ' ') && (p[len] == ' ' || !p[len]))
			return true;
	return false;
}

/* The specs of a command with this name: one, or none. */
static const struct option_spec *spec_named(const struct cmd *cmd, const char *name, size_t len)
{
	for (size_t i = 0; i < option_specs_nr; i++)
		if ((option_specs[i].commands & cmd->id) && strlen(option_specs[i].name) == len &&
		    !strncmp(option_specs[i].name, name, len))
			return &option_specs[i];
	return NULL;
}

static size_t add_group(const struct cmd *cmd, size_t group, struct option_row *rows)
{
	size_t nr = 0;

	for (const char *name = groups[group].names; *name;) {
		size_t len = strcspn(name, " ");
		const struct option_spec *spec = spec_named(cmd, name, len);

		if (spec)
			rows[nr++] = (struct option_row){ groups[group].heading, spec };
		name += len + strspn(name + len, " ");
	}
	return nr;
}

static bool is_grouped(const char *name)
{
	for (size_t i = 0; i < GROUPS_NR; i++)
		if (is_word_of(groups[i].names, name))
			return true;
	return false;
}

size_t option_rows(const struct cmd *cmd, struct option_row rows[OPTION_ROWS_MAX])
{
	size_t nr = 0;

	for (size_t i = 0; i < GROUPS_NR; i++)
		nr += add_group(cmd, i, rows + nr);
	for (size_t i = 0; i < option_specs_nr; i++)
		if ((option_specs[i].commands & cmd->id) && !is_grouped(option_specs[i].name))
			rows[nr++] = (struct option_row){ other_options, &option_specs[i] };
	return nr;
}

const char *command_heading(enum cmd_group group)
{
	switch (group) {
	case CMD_GROUP_FIND:
		return "What there is";
	case CMD_GROUP_LIVE:
		return "Look at a running program";
	case CMD_GROUP_RECORDED:
		return "Record, and look at it later";
	case CMD_GROUP_OTHER:
		break;
	}
	return NULL;
}

bool command_has_formats(const struct cmd *cmd)
{
	return spec_named(cmd, "format", strlen("format")) != NULL;
}

void command_synopsis(const struct cmd *cmd, char *buf, size_t cap)
{
	bool optional = cmd->arg == CMD_ARG_OPTIONAL;
	struct option_row rows[OPTION_ROWS_MAX];

	snprintf(buf, cap, "%s%s%s%s%s%s%s", cmd->name,
		 option_rows(cmd, rows) ? " [OPTION...]" : "", cmd->arg_name ? " " : "",
		 optional ? "[" : "", cmd->arg_name ? cmd->arg_name : "", optional ? "]" : "",
		 cmd->takes_command ? " [-- COMMAND [ARG...]]" : "");
}

/* --- lines -------------------------------------------------------------------------------------- */

/*
 * Words from the column that has been reached, those of further lines from the column at. A text that its label leaves
 * no room for begins on a line of its own.
 */
static void put_words(size_t used, size_t at, const char *words)
{
	if (used && used + 1 > at) {
		printf("\n");
		used = 0;
	}
	printf("%*s", (int)(at - used), "");
	used = at;
	for (const char *blank = ""; *words; blank = " ") {
		size_t len = strcspn(words, " ");

		if (*blank && used + 1 + len > LINE_W) {
			printf("\n%*s", (int)at, "");
			blank = "";
			used = at;
		}
		printf("%s%.*s", blank, (int)len, words);
		used += strlen(blank) + len;
		words += len + strspn(words + len, " ");
	}
	printf("\n");
}

static void put_item(const char *term, size_t at, const char *text)
{
	size_t used = (size_t)printf("  %s", term);

	put_words(used, at, text);
}

static void put_option(const struct option_spec *spec)
{
	char term[128], dashes[] = "    ";

	if (spec->short_name)
		snprintf(dashes, sizeof(dashes), "-%c, ", spec->short_name);
	snprintf(term, sizeof(term), "%s--%s%s%s", dashes, spec->name, spec->arg ? "=" : "",
		 spec->arg ? spec->arg : "");
	put_item(term, TEXT_AT, spec->help);
	if (!spec->choices)
		return;
	snprintf(term, sizeof(term), "One of: %s", spec->choices);
	put_words(0, TEXT_AT, term);
}

static void put_options(const struct cmd *cmd)
{
	struct option_row rows[OPTION_ROWS_MAX];
	size_t nr = option_rows(cmd, rows);
	const char *group = NULL;

	for (size_t i = 0; i < nr; i++) {
		if (rows[i].group != group)
			printf("\n%s:\n", rows[i].group);
		group = rows[i].group;
		put_option(rows[i].spec);
	}
	printf("\n");
	put_item("-h, --help", TEXT_AT, "print this help");
	put_item("    --usage", TEXT_AT, "print the first line of it");
}

static void put_formats(const struct cmd *cmd)
{
	char term[128];

	printf("\nFormats, and the suffixes of -o that choose them:\n");
	for (const struct renderer *r = renderers; r->name; r++) {
		if (!command_takes_format(cmd, r))
			continue;
		snprintf(term, sizeof(term), "%s (%s)", r->name, r->suffixes);
		put_item(term, TEXT_AT, r->help);
	}
}

static void put_marks(const struct cmd_text *mark)
{
	printf("\nIn its output:\n");
	for (; mark->term; mark++)
		put_item(mark->term, LIST_AT, mark->text);
}

static void put_examples(const struct cmd_text *example)
{
	printf("\nExamples:\n");
	for (; example->term; example++) {
		printf("  %s\n", example->term);
		put_words(0, EXAMPLE_AT, example->text);
	}
}

void help_print_usage(const struct cmd *cmd)
{
	char synopsis[256];

	command_synopsis(cmd, synopsis, sizeof(synopsis));
	printf("Usage: gallop %s\n", synopsis);
}

void help_print(const struct cmd *cmd)
{
	help_print_usage(cmd);
	printf("\n");
	put_words(0, 0, cmd->text);
	put_options(cmd);
	if (command_has_formats(cmd))
		put_formats(cmd);
	if (cmd->marks)
		put_marks(cmd->marks);
	if (cmd->examples)
		put_examples(cmd->examples);
	printf("\nThe manual: man gallop-%s, man gallop\n", cmd->name);
}

/* --- the command -------------------------------------------------------------------------------- */

static void put_commands(enum cmd_group group)
{
	const char *heading = command_heading(group);

	printf("\n%s:\n", heading ? heading : "Other");
	for (const struct cmd *cmd = commands; cmd->name; cmd++)
		if (cmd->group == group)
			put_item(cmd->name, LIST_AT, cmd->summary);
}

int command_asked_for(const struct options *opts, const struct cmd **ret, struct err *err)
{
	*ret = NULL;
	if (!opts->file || !strcmp(opts->file, "gallop"))
		return 0;
	*ret = command_find(opts->file);
	return *ret ? 0 : suggest_command(opts->file, err);
}

int cmd_help(const struct options *opts, struct err *err)
{
	static const enum cmd_group order[] = { CMD_GROUP_FIND, CMD_GROUP_LIVE, CMD_GROUP_RECORDED,
						CMD_GROUP_OTHER };
	const struct cmd *cmd;
	int rc = command_asked_for(opts, &cmd, err);

	if (rc)
		return rc;
	if (cmd) {
		help_print(cmd);
		return EXIT_STATUS_OK;
	}
	printf("gallop: where a running Go program allocates, by call stack and type\n\n"
	       "Usage: gallop COMMAND [OPTION...] [-- PROGRAM [ARG...]]\n");
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		put_commands(order[i]);
	put_examples(general_examples);
	printf("\n'gallop COMMAND --help' tells a command's options and examples; the manual is\n"
	       "'man gallop' and 'man gallop-COMMAND'.\n");
	return EXIT_STATUS_OK;
}
