/* SPDX-License-Identifier: BSD-2-Clause */
/* What help, the manual pages and shell completion tell of a command, each from the same tables in the same order. */
#ifndef GALLOP_CMD_HELP_H
#define GALLOP_CMD_HELP_H

#include "cmd/cmd.h"

/* An option, and the heading that it stands under. */
struct option_row {
	const char *group; /* rows of a group follow each other */
	const struct option_spec *spec;
};

enum { OPTION_ROWS_MAX = 64 };

/* The options of a command, in the order in which they are told everywhere; returns how many. */
size_t option_rows(const struct cmd *cmd, struct option_row rows[OPTION_ROWS_MAX]);

/* What follows "gallop": "op [OPTION...] [RECORDING] [-- COMMAND [ARG...]]". */
void command_synopsis(const struct cmd *cmd, char *buf, size_t cap);

/* Has it an option --format: are formats of results its user's to choose? */
bool command_has_formats(const struct cmd *cmd);

/* The headings of commands, in order, without the one of all others: NULL for that. */
const char *command_heading(enum cmd_group group);

/* What help and man were given: a command, or NULL for gallop itself, as its page is called. Else -EINVAL. */
int command_asked_for(const struct options *opts, const struct cmd **ret, struct err *err);

/* The help of a command, on standard output. */
void help_print(const struct cmd *cmd);
void help_print_usage(const struct cmd *cmd);

/*
 * An option that a command doesn't have, in its arguments (argv[0] isn't looked at): the program ends with a usage error
 * that says which was meant, if that can be guessed. What getopt takes for an abbreviation is one here too.
 */
void suggest_options(const struct cmd *cmd, int argc, char **argv);

/* -EINVAL: there is no such command; the hint says which was meant, if that can be guessed. */
int suggest_command(const char *name, struct err *err);

/* Where op's -f FUNC has failed and FUNC is a format's name, as with other commands' -f: a hint that says so. */
void suggest_format(const struct options *opts, struct err *err);

#endif
