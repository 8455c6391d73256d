/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of commands, and the two that only talk about it. */
#include <errno.h>
#include <string.h>

#include "cmd/cmd.h"

const struct cmd commands[] = {
	{ "list", CMD_LIST, CMD_ARG_NONE, false, NULL, "Go processes on this host",
	  "List the Go processes on this host: pid, name, Go version, whether the binary is "
	  "stripped, "
	  "container, and what can be traced.",
	  cmd_list },
	{ "doctor", CMD_DOCTOR, CMD_ARG_OPTIONAL, false, "EXECUTABLE",
	  "what works here with this binary, and why not",
	  "Say what works on this kernel, with these privileges and this binary, and what to do "
	  "where "
	  "something doesn't.",
	  cmd_doctor },
	{ "top", CMD_TOP, CMD_ARG_NONE, true, NULL, "watch where a process allocates",
	  "On a terminal, a live view: sites, types, maps, the collector and what tracing costs, a "
	  "tab each; '?' tells the keys, 'q' ends and prints a summary. Elsewhere, and with -b or "
	  "-n, plain text blocks of the sites that allocate most, interval by interval. COMMAND is "
	  "started and traced from its first instruction; what it prints is best sent to a file.",
	  cmd_top },
	{ "record", CMD_RECORD, CMD_ARG_NONE, true, NULL, "record every allocation to a file",
	  "Record every allocation of a process by call stack and type, until its end, Ctrl-C or "
	  "--duration. COMMAND is started and traced from its first instruction, and its exit "
	  "status is "
	  "gallop's. SIGUSR1 prints a summary and goes on.",
	  cmd_record },
	{ "gc", CMD_GC, CMD_ARG_OPTIONAL, true, "RECORDING",
	  "garbage collection: every cycle, stop and assist",
	  "Show each GC cycle and each other stop of the world as it ends: what triggered it, who "
	  "asked, how "
	  "long; then a summary with mark assists by stack. Costs next to nothing: allocations are "
	  "not "
	  "traced. With a RECORDING the same from there.",
	  cmd_gc },
	{ "maps", CMD_MAPS, CMD_ARG_OPTIONAL, true, "RECORDING",
	  "maps: how they are filled, emptied and kept, and what to do about it",
	  "Count what a program does to its maps, by call stack and type, until its end, Ctrl-C or "
	  "--duration; then show which are emptied how, what memory they still hold, how often "
	  "they "
	  "grow, and a line of advice where the numbers bear it. Each assignment and deletion "
	  "costs a "
	  "trap; allocations are not traced. With a RECORDING the same from there.",
	  cmd_maps },
	{ "op", CMD_OP, CMD_ARG_OPTIONAL, true, "RECORDING",
	  "allocs/op, B/op and ns/op of a function of a live process",
	  "Measure calls of a function in a running program, from entry to return, with all "
	  "that it calls "
	  "on its goroutine (of a recursion the outermost call): what it allocates and how long it "
	  "takes, as mean and percentiles, "
	  "which sites in it allocate, and what of the time went to garbage collection. What it "
	  "starts with 'go' isn't counted. In auto mode calls are measured in windows at random "
	  "times, until 8 of which "
	  "saw some there are no intervals (?); those still running a second after a window are "
	  "cut, "
	  "and counted. In exact mode each call, each return and each allocation costs a "
	  "trap. With a RECORDING made with 'record --op' the same from there.",
	  cmd_op },
	{ "heap", CMD_HEAP, CMD_ARG_OPTIONAL, false, "RECORDING",
	  "the live heap: what is in use by which call stack, and what grows",
	  "Read the memory profile that the Go runtime keeps from a process's memory: objects and "
	  "bytes in use, and allocated since the start, by call stack, scaled as 'go tool pprof' "
	  "does. No probe, no endpoint, no kernel program: CAP_SYS_PTRACE is enough, and it costs "
	  "the "
	  "process nothing. With -d, -n or a duration it is looked at again, and what has grown is "
	  "shown. Only programs that have the profile turned on can be looked at: those with "
	  "net/http/pprof or runtime/pprof in them. With a RECORDING the same from there.",
	  cmd_heap },
	{ "report", CMD_REPORT, CMD_ARG_REQUIRED, false, "RECORDING", "show a recording",
	  "Show a recording as text, as collapsed stacks for flame graphs, or as JSON. Needs "
	  "neither "
	  "root nor the executable.",
	  cmd_report },
	{ "completion", CMD_COMPLETION, CMD_ARG_REQUIRED, false, "SHELL",
	  "shell completion for bash, zsh or fish",
	  "Print completion for bash, zsh or fish: source <(gallop completion bash).",
	  cmd_completion },
	{ "man", CMD_MAN, CMD_ARG_NONE, false, NULL, "print the manual page",
	  "Print the manual page's source: gallop man | man -l -.", cmd_man },
	{ "version", CMD_VERSION, CMD_ARG_NONE, false, NULL, "print the version",
	  "Print gallop's version.", cmd_version },
	{ "help", CMD_HELP, CMD_ARG_OPTIONAL, false, "COMMAND",
	  "print this list, or a command's help",
	  "List the commands, or tell what COMMAND does and its options.", cmd_help },
	{ 0 },
};

const struct cmd *command_find(const char *name)
{
	for (const struct cmd *cmd = commands; cmd->name; cmd++)
		if (!strcmp(cmd->name, name))
			return cmd;
	return NULL;
}

int cmd_version(const struct options *opts, struct err *err)
{
	(void)opts;
	(void)err;
	printf("gallop %s\n", GALLOP_VERSION);
	return EXIT_STATUS_OK;
}

static int help_command(const char *name, struct err *err)
{
	char *argv[] = { "help", "--help", NULL };
	const struct cmd *cmd = command_find(name);
	struct options unused;

	if (cmd)
		options_parse(cmd, 2, argv, &unused); /* ends the program */
	err_set(err, -EINVAL, "'%s' is not a command", name);
	err_hint(err, "'gallop help' lists them");
	return -EINVAL;
}

int cmd_help(const struct options *opts, struct err *err)
{
	if (opts->file)
		return help_command(opts->file, err);
	printf("gallop: where a running Go program allocates, exactly, by call stack and type\n\n"
	       "usage: gallop COMMAND [OPTION...] [-- PROGRAM [ARG...]]\n\n");
	for (const struct cmd *cmd = commands; cmd->name; cmd++)
		printf("  %-11s %s\n", cmd->name, cmd->summary);
	printf("\n"
	       "  gallop list                                    find the process\n"
	       "  sudo gallop top -p 1234                        look at it now\n"
	       "  sudo gallop record -p 1234 --duration 10s -o app.gallop\n"
	       "  sudo gallop op -p 1234 -f 'main.(*Server).handle'\n"
	       "                                                 allocs/op of a function\n"
	       "  gallop report app.gallop                       totals, top sites, types\n"
	       "  gallop report app.gallop -o app.folded         collapsed stacks for a flame "
	       "graph\n\n"
	       "'gallop COMMAND --help' tells a command's options.\n");
	return EXIT_STATUS_OK;
}
