/* SPDX-License-Identifier: BSD-2-Clause */
/* Find the command, run it, turn its result into an exit status. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/caps.h"
#include "cmd/help.h"

static const struct cmd *find_command(const char *name)
{
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		name = "version";
	return command_find(name);
}

/*
 * A standard stream that is closed would be the next file that is opened, and what is printed would go
 * there. What takes its place can't be used in that direction, so printing still fails.
 */
static void hold_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Recordings are all it looks at: whatever they hold, it is read with no privilege but to write what it makes of them. */
static bool reads_recordings(const struct cmd *cmd, const struct options *opts)
{
	return cmd->id & (CMD_REPORT | CMD_DIFF) ||
	       (opts->file && cmd->id & (CMD_GC | CMD_MAPS | CMD_OP | CMD_HEAP));
}

int main(int argc, char **argv)
{
	const struct cmd *cmd = find_command(argc > 1 ? argv[1] : "help");
	struct options opts;
	struct err err = { 0 };

	caps_begin();
	hold_standard_streams();
	if (!cmd) {
		suggest_command(argv[1], &err);
		print_err(&err);
		return EXIT_STATUS_USAGE;
	}
	/* A reader that goes away ends us quietly, as it ends every filter. */
	signal(SIGPIPE, SIG_DFL);
	options_parse(cmd, argc > 1 ? argc - 1 : 1, argc > 1 ? argv + 1 : argv, &opts);
	int status = options_check(cmd, &opts, &err);
	if (!status && reads_recordings(cmd, &opts))
		(void)caps_keep(CAPS_FILES); /* what isn't given up is as it was */
	if (!status)
		status = target_find(&opts, &err);
	if (!status)
		status = cmd->run(&opts, &err);
	if (status < 0) {
		print_err(&err);
		status = err_exit_status(status);
	}
	if ((fflush(stdout) || ferror(stdout)) && !status) {
		talk("cannot write standard output: %s", strerror(errno));
		status = EXIT_STATUS_FAILURE;
	}
	return status;
}
