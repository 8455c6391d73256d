/* SPDX-License-Identifier: BSD-2-Clause */
/* Find the command, run it, turn its result into an exit status. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

static const struct cmd *find_command(const char *name)
{
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		name = "version";
	for (const struct cmd *cmd = commands; cmd->name; cmd++)
		if (!strcmp(cmd->name, name))
			return cmd;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct cmd *cmd = find_command(argc > 1 ? argv[1] : "help");
	struct options opts;
	struct err err = { 0 };

	if (!cmd) {
		fprintf(stderr, "gallop: '%s' is not a command\nhint: 'gallop help' lists them\n",
			argv[1]);
		return EXIT_STATUS_USAGE;
	}
	/* A reader that goes away ends us quietly, as it ends every filter. */
	signal(SIGPIPE, SIG_DFL);
	options_parse(cmd, argc > 1 ? argc - 1 : 1, argc > 1 ? argv + 1 : argv, &opts);
	int status = cmd->run(&opts, &err);
	if (status < 0) {
		print_err(&err);
		status = err_exit_status(status);
	}
	if (fflush(stdout) || ferror(stdout)) {
		perror("gallop: cannot write standard output");
		return status ? status : EXIT_STATUS_FAILURE;
	}
	return status;
}
