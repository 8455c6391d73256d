/* SPDX-License-Identifier: BSD-2-Clause */
/* Shell completion and the manual page, made from the tables of commands and options. */
#include <errno.h>
#include <string.h>

#include "cmd/cmd.h"

static bool takes(const struct cmd *cmd, const struct option_spec *spec)
{
	return spec->commands & cmd->id;
}

static void print_options_of(const struct cmd *cmd)
{
	for (size_t i = 0; i < option_specs_nr; i++)
		if (takes(cmd, &option_specs[i]))
			printf("--%s ", option_specs[i].name);
}

static void complete_bash(void)
{
	printf("_gallop() {\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n"
	       "\tif [ \"$COMP_CWORD\" = 1 ]; then\n\t\twords='");
	for (const struct cmd *cmd = commands; cmd->name; cmd++)
		printf("%s ", cmd->name);
	printf("'\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n");
	for (const struct cmd *cmd = commands; cmd->name; cmd++) {
		printf("\t\t%s) words='", cmd->name);
		print_options_of(cmd);
		printf("' ;;\n");
	}
	printf("\t\tesac\n\tfi\n"
	       "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
	       "complete -o default -F _gallop gallop\n");
}

static void complete_zsh(void)
{
	printf("#compdef gallop\nautoload -U +X bashcompinit && bashcompinit\n");
	complete_bash();
}

static void complete_fish(void)
{
	for (const struct cmd *cmd = commands; cmd->name; cmd++) {
		printf("complete -c gallop -n __fish_use_subcommand -a %s -d \"%s\"\n", cmd->name,
		       cmd->summary);
		for (size_t i = 0; i < option_specs_nr; i++) {
			const struct option_spec *spec = &option_specs[i];

			if (takes(cmd, spec))
				printf("complete -c gallop -n '__fish_seen_subcommand_from %s' -l "
				       "%s%s\n",
				       cmd->name, spec->name, spec->arg ? " -r" : "");
		}
	}
}

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

/* roff: a line must not begin with a dot or quote, and a hyphen that is typed is \-. */
static void print_roff(const char *text)
{
	if (*text == '.' || *text == '\'')
		printf("\\&");
	for (; *text; text++) {
		if (*text == '-')
			printf("\\-");
		else if (*text == '\\')
			printf("\\e");
		else
			putchar(*text);
	}
	printf("\n");
}

static void print_man_option(const struct option_spec *spec)
{
	printf(".TP\n");
	if (spec->short_name)
		printf("\\fB\\-%c\\fR, ", spec->short_name);
	printf("\\fB\\-\\-");
	for (const char *c = spec->name; *c; c++)
		printf(*c == '-' ? "\\-" : "%c", *c);
	printf("\\fR");
	if (spec->arg)
		printf("=\\fI%s\\fR", spec->arg);
	printf("\n");
	print_roff(spec->help);
	if (spec->choices)
		printf("One of: %s.\n", spec->choices);
}

int cmd_man(const struct options *opts, struct err *err)
{
	(void)opts;
	(void)err;
	printf(".TH GALLOP 1 \"%s\" \"gallop %s\" \"User Commands\"\n", GALLOP_DATE,
	       GALLOP_VERSION);
	printf(".SH NAME\ngallop \\- where a running Go program allocates, exactly\n"
	       ".SH SYNOPSIS\n.B gallop\n.I COMMAND\n[\\fIOPTION\\fR...] [\\-\\- \\fIPROGRAM\\fR "
	       "[\\fIARG\\fR...]]\n"
	       ".SH DESCRIPTION\n"
	       "gallop attaches to a running Go process \\- stripped, with no pprof endpoint, no "
	       "restart and no "
	       "change to the program \\- and shows where it allocates, by call stack and type. "
	       "Every output ends with what was lost and with gallop's count held against the "
	       "runtime's own.\n"
	       ".SH COMMANDS\n");
	for (const struct cmd *cmd = commands; cmd->name; cmd++) {
		bool optional = cmd->arg == CMD_ARG_OPTIONAL;
		printf(".SS gallop %s%s%s%s%s\n", cmd->name,
		       !cmd->arg_name ? ""
		       : optional     ? " ["
				      : " ",
		       cmd->arg_name ? cmd->arg_name : "", cmd->arg_name && optional ? "]" : "",
		       cmd->takes_command ? " [\\-\\- PROGRAM [ARG...]]" : "");
		print_roff(cmd->text);
		for (size_t i = 0; i < option_specs_nr; i++)
			if (takes(cmd, &option_specs[i]))
				print_man_option(&option_specs[i]);
	}
	printf(".SH EXIT STATUS\n0 ok; 1 failure; 2 usage; 3 target not found or not a Go program; "
	       "4 permission; 5 not supported here; 6 something was lost or "
	       "differs from what the runtime counted, with \\-\\-strict. With "
	       "a PROGRAM its own status; "
	       "126 or 127 if it can't be executed.\n"
	       ".SH SIGNALS\nThe first SIGINT, SIGTERM or SIGHUP stops, drains, writes and prints "
	       "the summary; a second SIGINT or SIGTERM ends "
	       "gallop at once. SIGTERM is passed on to a PROGRAM. SIGUSR1 makes record print a "
	       "summary and go on. Probes go when "
	       "gallop does.\n"
	       ".SH ENVIRONMENT\nNO_COLOR (set and not empty) and TERM=dumb turn colour off.\n");
	return EXIT_STATUS_OK;
}
