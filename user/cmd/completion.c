/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shell completion, made from the tables of commands and options: each of the three shells is told the same, in its own
 * way. All that a script asks gallop when it runs is which Go processes there are, with two seconds for the answer.
 */
#include <errno.h>
#include <string.h>

#include "cmd/help.h"

enum { WORDS_SZ = 512, ABOUT_MAX = 72 };

/* What an argument can be. */
struct value {
	enum {
		VALUE_FREE, /* nothing that could be told */
		VALUE_WORDS,
		VALUE_PIDS,
		VALUE_COMMANDS,
		VALUE_FILES, /* words: their suffixes; "": any */
		VALUE_DIRECTORIES,
	} kind;
	char words[WORDS_SZ];
};

static void add_words(struct value *v, const char *words)
{
	size_t used = strlen(v->words);

	snprintf(v->words + used, sizeof(v->words) - used, "%s%s", used ? " " : "", words);
}

static void add_formats(struct value *v, const struct cmd *cmd, bool suffixes)
{
	for (const struct renderer *r = renderers; r->name; r++)
		if (command_takes_format(cmd, r))
			add_words(v, suffixes ? r->suffixes : r->name);
}

static struct value value_of(const struct cmd *cmd, const struct option_spec *spec)
{
	struct value v = { .kind = VALUE_FREE };

	if (spec->choices) {
		v.kind = VALUE_WORDS;
		add_words(&v, spec->choices);
	} else if (spec->type == OPTION_PID) {
		v.kind = VALUE_PIDS;
	} else if (!strcmp(spec->name, "format")) {
		v.kind = VALUE_WORDS;
		add_formats(&v, cmd, false);
	} else if (!strcmp(spec->name, "exe")) {
		v.kind = VALUE_FILES;
	} else if (!strcmp(spec->name, "directory")) {
		v.kind = VALUE_DIRECTORIES;
	} else if (!strcmp(spec->name, "output")) {
		v.kind = VALUE_FILES;
		if (cmd->id == CMD_RECORD)
			add_words(&v, ".gallop");
		else
			add_formats(&v, cmd, true);
	}
	return v;
}

/* What a command takes that isn't an option. */
static struct value argument_of(const struct cmd *cmd)
{
	struct value v = { .kind = VALUE_FREE };

	if (cmd->arg == CMD_ARG_NONE)
		return v;
	v.kind = VALUE_FILES;
	if (!strcmp(cmd->arg_name, "COMMAND"))
		v.kind = VALUE_COMMANDS;
	else if (!strcmp(cmd->arg_name, "SHELL"))
		v = (struct value){ VALUE_WORDS, "bash zsh fish" };
	else if (strcmp(cmd->arg_name, "EXECUTABLE") != 0)
		add_words(&v, ".gallop");
	return v;
}

/* What an option does, in a few words: the first clause of its help. */
static const char *about(const struct option_spec *spec, char buf[ABOUT_MAX + sizeof(" ...")])
{
	size_t len = 0, words = 0;

	for (const char *p = spec->help; p[len] && !(strchr(".;:", p[len]) && p[len + 1] == ' ');
	     len++)
		if (len < ABOUT_MAX && p[len] == ' ')
			words = len;
	bool cut = len > ABOUT_MAX;
	snprintf(buf, ABOUT_MAX + sizeof(" ..."), "%.*s%s", (int)(cut ? words : len), spec->help,
		 cut ? " ..." : "");
	return buf;
}

/* The inside of a string in single quotes, in each of the shells; escaped gets a backslash before each of its letters. */
static void put_inside(const char *text, const char *escaped)
{
	for (; *text; text++) {
		if (strchr(escaped, *text))
			putchar('\\');
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	}
}

static void put_command_names(void)
{
	for (const struct cmd *cmd = commands; cmd->name; cmd++)
		printf("%s%s", cmd == commands ? "" : " ", cmd->name);
}

/* --- bash --------------------------------------------------------------------------------------- */

static const char bash_begin[] =
	"# bash completion for gallop\n"
	"_gallop_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
	"_gallop_pids() {\n"
	"\t_gallop_words \"$(command timeout 2 gallop list 2> /dev/null |\n"
	"\t\tsed -n 's/^ *\\([0-9][0-9]*\\) .*/\\1/p')\"\n"
	"}\n"
	"# Directories, and files with one of these suffixes.\n"
	"_gallop_files() {\n"
	"\tlocal suffix\n"
	"\tcompopt -o filenames 2> /dev/null\n"
	"\tmapfile -t COMPREPLY < <({\n"
	"\t\tcompgen -d -- \"$cur\"\n"
	"\t\tfor suffix in \"$@\"; do compgen -f -X \"!*$suffix\" -- \"$cur\"; done\n"
	"\t} | sort -u)\n"
	"}\n"
	"# What follows \"--\" is a command line of its own, from this word on.\n"
	"_gallop_command() {\n"
	"\tif declare -F _command_offset > /dev/null; then\n"
	"\t\t_command_offset \"$1\"\n"
	"\telif [ \"$COMP_CWORD\" = \"$1\" ]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -c -- \"$cur\")\n"
	"\telse\n"
	"\t\t_gallop_files ''\n"
	"\tfi\n"
	"}\n"
	"_gallop() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} i\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	"\t\t[ \"${COMP_WORDS[i]}\" != -- ] || { _gallop_command $((i + 1)); return; }\n"
	"\tdone\n"
	"\t# \"--mode=exact\" is three words.\n"
	"\tif [ \"$cur\" = = ]; then\n\t\tcur=''\n"
	"\telif [ \"$prev\" = = ]; then\n\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n\tfi\n"
	"\tif [ \"$COMP_CWORD\" = 1 ]; then\n\t\t_gallop_words '";

static void put_bash_value(const struct value *v)
{
	switch (v->kind) {
	case VALUE_FREE:
		printf(":");
		break;
	case VALUE_WORDS:
		printf("_gallop_words '%s'", v->words);
		break;
	case VALUE_PIDS:
		printf("_gallop_pids");
		break;
	case VALUE_COMMANDS:
		printf("_gallop_words '");
		put_command_names();
		printf("'");
		break;
	case VALUE_FILES:
		printf("_gallop_files %s", *v->words ? v->words : "''");
		break;
	case VALUE_DIRECTORIES:
		printf("_gallop_files");
		break;
	}
}

static void put_bash_command(const struct cmd *cmd)
{
	const struct value argument = argument_of(cmd);
	struct option_row rows[OPTION_ROWS_MAX];
	size_t nr = option_rows(cmd, rows);

	printf("\t%s)\n\t\tcase $prev in\n", cmd->name);
	for (size_t i = 0; i < nr; i++) {
		const struct option_spec *spec = rows[i].spec;
		const struct value v = value_of(cmd, spec);

		if (!spec->arg)
			continue;
		printf("\t\t--%s", spec->name);
		if (spec->short_name)
			printf(" | -%c", spec->short_name);
		printf(") ");
		put_bash_value(&v);
		printf("; return ;;\n");
	}
	printf("\t\tesac\n\t\toptions='");
	for (size_t i = 0; i < nr; i++)
		printf("--%s ", rows[i].spec->name);
	printf("--help'\n\t\t[[ $cur == -* ]] || ");
	put_bash_value(&argument);
	printf(" ;;\n");
}

static void complete_bash(void)
{
	fputs(bash_begin, stdout);
	put_command_names();
	printf(" --help --version'\n\t\treturn\n\tfi\n\tlocal options=''\n"
	       "\tcase ${COMP_WORDS[1]} in\n");
	for (const struct cmd *cmd = commands; cmd->name; cmd++)
		put_bash_command(cmd);
	printf("\tesac\n"
	       "\t[ ${#COMPREPLY[@]} -gt 0 ] || _gallop_words \"$options\"\n"
	       "}\ncomplete -F _gallop gallop\n");
}

/* --- zsh ---------------------------------------------------------------------------------------- */

static const char zsh_begin[] =
	"#compdef gallop\n"
	"# zsh completion for gallop\n"
	"_gallop_pids() {\n"
	"\tlocal -a pids\n"
	"\tpids=(${(f)\"$(command timeout 2 gallop list 2> /dev/null |\n"
	"\t\tsed -n 's/  */ /g; s/^ \\{0,1\\}\\([0-9][0-9]*\\) /\\1:/p')\"})\n"
	"\t_describe -t processes 'Go process' pids\n"
	"}\n"
	"_gallop_commands() {\n"
	"\tlocal -a commands\n"
	"\tcommands=(\n";

/* "*.(json|folded)"; zsh would take what is in brackets for a qualifier if it were a single suffix. */
static void put_zsh_glob(const char *suffixes)
{
	bool single = !strchr(suffixes, ' ');

	for (const char *word = suffixes; *word;) {
		size_t len = strcspn(word, " ");
		const char *before = word > suffixes ? "|" : single ? " -g \"*." : " -g \"*.(";

		printf("%s%.*s", before, (int)len - 1, word + 1);
		word += len + strspn(word + len, " ");
	}
	if (*suffixes)
		printf(single ? "\"" : ")\"");
}

static void put_zsh_value(const char *name, const struct value *v)
{
	printf(":%s:", name);
	switch (v->kind) {
	case VALUE_FREE:
		printf(" ");
		break;
	case VALUE_WORDS:
		printf("(%s)", v->words);
		break;
	case VALUE_PIDS:
		printf("_gallop_pids");
		break;
	case VALUE_COMMANDS:
		printf("_gallop_commands");
		break;
	case VALUE_FILES:
		printf("_files");
		put_zsh_glob(v->words);
		break;
	case VALUE_DIRECTORIES:
		printf("_files -/");
		break;
	}
}

/* One way to write an option: those that can't be there any more when it is; its name, description, argument. */
static void put_zsh_option(const struct cmd *cmd, const struct option_spec *spec, bool as_short)
{
	const struct value v = value_of(cmd, spec);
	char buf[ABOUT_MAX + sizeof(" ...")];

	printf("\t\t\t'");
	if (spec->type == OPTION_LIST)
		printf("*");
	else if (spec->short_name)
		printf("(-%c --%s)", spec->short_name, spec->name);
	if (as_short)
		printf("-%c%s", spec->short_name, spec->arg ? "+" : "");
	else
		printf("--%s%s", spec->name, spec->arg ? "=" : "");
	printf("[");
	put_inside(about(spec, buf), "[]\\");
	printf("]");
	if (spec->arg)
		put_zsh_value(spec->arg, &v);
	printf("' \\\n");
}

static void put_zsh_command(const struct cmd *cmd)
{
	const struct value argument = argument_of(cmd);
	struct option_row rows[OPTION_ROWS_MAX];
	size_t nr = option_rows(cmd, rows);

	printf("\t%s)\n", cmd->name);
	if (cmd->takes_command)
		printf("\t\tif ((words[(i)--] < CURRENT)); then\n"
		       "\t\t\tlocal dashes=${words[(i)--]}\n"
		       "\t\t\tshift $dashes words\n"
		       "\t\t\t((CURRENT -= dashes))\n"
		       "\t\t\t_normal\n\t\t\treturn\n\t\tfi\n");
	printf("\t\t_arguments -s -S \\\n");
	for (size_t i = 0; i < nr; i++) {
		if (rows[i].spec->short_name)
			put_zsh_option(cmd, rows[i].spec, true);
		put_zsh_option(cmd, rows[i].spec, false);
	}
	printf("\t\t\t'(- *)--help[print help]'");
	if (cmd->arg != CMD_ARG_NONE) {
		printf(" \\\n\t\t\t'*");
		put_zsh_value(cmd->arg_name, &argument);
		printf("'");
	}
	printf(" ;;\n");
}

static void complete_zsh(void)
{
	fputs(zsh_begin, stdout);
	for (const struct cmd *cmd = commands; cmd->name; cmd++) {
		printf("\t\t'%s:", cmd->name);
		put_inside(cmd->summary, ":\\");
		printf("'\n");
	}
	printf("\t)\n\t_describe -t commands command commands\n}\n"
	       "_gallop() {\n"
	       "\tlocal curcontext=$curcontext state line\n"
	       "\t_arguments -C '(- *)--help[list the commands]' '(- *)--version[print the "
	       "version]' \\\n"
	       "\t\t'1: :_gallop_commands' '*:: :->command' && return\n"
	       "\t[[ $state = command ]] || return 1\n"
	       "\tcurcontext=\"${curcontext%%:*:*}:gallop-$words[1]:\"\n"
	       "\tcase $words[1] in\n");
	for (const struct cmd *cmd = commands; cmd->name; cmd++)
		put_zsh_command(cmd);
	printf("\tesac\n}\n"
	       "if [ \"$funcstack[1]\" = _gallop ]; then\n\t_gallop \"$@\"\n"
	       "else\n\tcompdef _gallop gallop\nfi\n");
}

/* --- fish --------------------------------------------------------------------------------------- */

static const char fish_begin[] =
	"# fish completion for gallop\n"
	"function __gallop_is\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -q words[2]; and test $words[2] = $argv[1]; and not contains -- -- $words\n"
	"end\n"
	"function __gallop_runs\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -q words[2]; and contains -- $words[2] $argv; and contains -- -- $words\n"
	"end\n"
	"# What follows \"--\" is a command line of its own.\n"
	"function __gallop_command\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l dashes (contains -i -- -- $words)\n"
	"\tset -e words[1..$dashes]\n"
	"\tcomplete -C (string join ' ' -- (string escape -- $words) (commandline -ct))\n"
	"end\n"
	"function __gallop_pids\n"
	"\tcommand timeout 2 gallop list 2>/dev/null | string replace -rf '^ *(\\d+) +' '$1'\\t |\n"
	"\t\tstring replace -ra '  +' ' '\n"
	"end\n"
	"# Directories, and files with one of these suffixes.\n"
	"function __gallop_files\n"
	"\tset -l suffixes (string join '|' -- (string escape --style=regex -- $argv))\n"
	"\tset -l begun (commandline -ct | string replace -r -- '^--[a-z-]*=' '')\n"
	"\tcomplete -C \"__fish_command_without_completions $begun\" | "
	"string match -r -- \".*(?:/|$suffixes)\\$\"\n"
	"end\n"
	"complete -c gallop -f\n";

static void put_fish_value(const struct value *v)
{
	switch (v->kind) {
	case VALUE_FREE:
		printf(" -x");
		break;
	case VALUE_WORDS:
		printf(" -xa '%s'", v->words);
		break;
	case VALUE_PIDS:
		printf(" -xka '(__gallop_pids)'");
		break;
	case VALUE_COMMANDS:
		printf(" -xa '");
		put_command_names();
		printf("'");
		break;
	case VALUE_FILES:
		if (*v->words)
			printf(" -xa '(__gallop_files %s)'", v->words);
		else
			printf(" -rF");
		break;
	case VALUE_DIRECTORIES:
		printf(" -xa '(__fish_complete_directories)'");
		break;
	}
}

static void put_fish_command(const struct cmd *cmd)
{
	const struct value argument = argument_of(cmd);
	struct option_row rows[OPTION_ROWS_MAX];
	size_t nr = option_rows(cmd, rows);

	if (cmd->arg != CMD_ARG_NONE) {
		printf("complete -c gallop -n '__gallop_is %s'", cmd->name);
		put_fish_value(&argument);
		printf("\n");
	}
	for (size_t i = 0; i < nr; i++) {
		const struct option_spec *spec = rows[i].spec;
		const struct value v = value_of(cmd, spec);
		char buf[ABOUT_MAX + sizeof(" ...")];

		printf("complete -c gallop -n '__gallop_is %s' -l %s", cmd->name, spec->name);
		if (spec->short_name)
			printf(" -s %c", spec->short_name);
		if (spec->arg)
			put_fish_value(&v);
		printf(" -d '");
		put_inside(about(spec, buf), "\\");
		printf("'\n");
	}
	printf("complete -c gallop -n '__gallop_is %s' -l help -d 'print help'\n", cmd->name);
}

static void complete_fish(void)
{
	fputs(fish_begin, stdout);
	printf("complete -c gallop -n __fish_is_first_arg -l help -d 'list the commands'\n"
	       "complete -c gallop -n __fish_is_first_arg -l version -d 'print the version'\n");
	for (const struct cmd *cmd = commands; cmd->name; cmd++) {
		printf("complete -c gallop -n __fish_is_first_arg -a %s -d '", cmd->name);
		put_inside(cmd->summary, "\\");
		printf("'\n");
	}
	for (const struct cmd *cmd = commands; cmd->name; cmd++)
		put_fish_command(cmd);
	printf("complete -c gallop -n '__gallop_runs");
	for (const struct cmd *cmd = commands; cmd->name; cmd++)
		if (cmd->takes_command)
			printf(" %s", cmd->name);
	printf("' -xa '(__gallop_command)'\n");
}

/* --- the command -------------------------------------------------------------------------------- */

int cmd_completion(const struct options *opts, struct err *err)
{
	static const struct {
		const char *shell;
		void (*print)(void);
	} shells[] = { { "bash", complete_bash },
		       { "zsh", complete_zsh },
		       { "fish", complete_fish } };

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(opts->file, shells[i].shell))
			continue;
		shells[i].print();
		return EXIT_STATUS_OK;
	}
	err_set(err, -EINVAL, "no completion for '%s'", opts->file);
	err_hint(err, "bash, zsh or fish");
	return -EINVAL;
}
