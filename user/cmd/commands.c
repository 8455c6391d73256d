/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of commands: what each does, for help, the manual and completion. */
#include <errno.h>
#include <string.h>

#include "cmd/cmd.h"

/* --- examples: command lines that work as they are, with the pid and the names of one's own ------------------ */

const struct cmd_text general_examples[] = {
	{ "gallop list", "find the process" },
	{ "sudo gallop top -p 1234", "see where it allocates, now" },
	{ "sudo gallop record -p 1234 --duration 10s -o app.gallop",
	  "record ten seconds of it, at a price of at most 2 % of its CPU time" },
	{ "gallop report app.gallop", "totals, top sites, types, collector, maps" },
	{ "sudo gallop op -p 1234 -f 'main.(*Server).handle'", "allocs/op of a function" },
	{ 0 },
};

static const struct cmd_text list_examples[] = {
	{ "sudo gallop list", "those of other users, and in containers, too" },
	{ "gallop list --json", "the same for a script" },
	{ 0 },
};

static const struct cmd_text doctor_examples[] = {
	{ "sudo gallop doctor", "what this kernel can do" },
	{ "sudo gallop doctor -p 1234", "and what can be traced of this process" },
	{ "gallop doctor --dry-run ./server", "each probe that would be attached, and why" },
	{ 0 },
};

static const struct cmd_text top_examples[] = {
	{ "sudo gallop top -p 1234", "the live view, until q; ? tells its keys" },
	{ "sudo gallop top -c web-1", "the Go program in this container, by name or id" },
	{ "sudo gallop top -p 1234 -n 3 -d 5 --value objects",
	  "text: three times five seconds, sorted by objects" },
	{ "sudo gallop top --mode exact -- ./server",
	  "every allocation of a program, from its first instruction" },
	{ 0 },
};

static const struct cmd_text record_examples[] = {
	{ "sudo gallop record -p 1234 --duration 30s -o app.gallop",
	  "within the budget of 2 %: totals are exact, sites estimated" },
	{ "sudo gallop record --mode exact -o app.gallop -- ./server",
	  "every allocation, from the program's first instruction" },
	{ "sudo gallop record -x ./server --mode exact -o app.gallop",
	  "all processes of one binary as one, also those that begin meanwhile" },
	{ "sudo gallop record -p 1234 --mode exact --op main.handle -o app.gallop",
	  "the calls of a function, too: 'gallop op app.gallop' shows them" },
	{ 0 },
};

static const struct cmd_text gc_examples[] = {
	{ "sudo gallop gc -p 1234", "a line as each cycle ends; on Ctrl-C the summary" },
	{ "sudo gallop gc -p 1234 --duration 30s -o gc.trace.json",
	  "a timeline for Perfetto and chrome://tracing" },
	{ "gallop gc app.gallop -f collapsed --value stw",
	  "of a recording, who stopped the world for how long" },
	{ 0 },
};

static const struct cmd_text maps_examples[] = {
	{ "sudo gallop maps -p 1234 --duration 30s",
	  "what is rare is counted, the rest estimated" },
	{ "sudo gallop maps -p 1234 --mode exact --duration 5s", "every assign and delete" },
	{ "gallop maps app.gallop --value retained -o retained.folded",
	  "of a recording, collapsed stacks of what emptied maps still hold" },
	{ 0 },
};

static const struct cmd_text op_examples[] = {
	{ "sudo gallop op -p 1234 -f 'main.(*Server).handle' --duration 30s",
	  "within the budget: calls in windows at random times" },
	{ "sudo gallop op -p 1234 -f handle --mode exact -o new.txt",
	  "every call, as lines for 'benchstat old.txt new.txt'" },
	{ "sudo gallop op -p 1234 --compare 'pool=main.withPool,stack=main.onStack'",
	  "two functions side by side, and collapsed stacks of each" },
	{ 0 },
};

static const struct cmd_text heap_examples[] = {
	{ "sudo gallop heap -p 1234", "what is in use, once" },
	{ "sudo gallop heap -p 1234 -d 60 -n 10", "and what has grown in ten minutes" },
	{ "gallop heap app.gallop -o inuse.folded", "of a recording, collapsed stacks" },
	{ 0 },
};

static const struct cmd_text report_examples[] = {
	{ "gallop report app.gallop", "tables" },
	{ "gallop report app.gallop --from 10 --to 20 --stacks --top 3",
	  "ten seconds of it, with whole stacks" },
	{ "gallop report app.gallop -o app.folded", "collapsed stacks for a flame graph" },
	{ 0 },
};

static const struct cmd_text diff_examples[] = {
	{ "gallop diff before.gallop after.gallop", "what has changed, a second" },
	{ "gallop diff before.gallop after.gallop --per op:main.handle",
	  "a call of main.handle, which both have measured with 'record --op'" },
	{ "gallop diff before.gallop after.gallop -o diff.html", "a flame graph in red and blue" },
	{ "gallop diff before.gallop after.gallop --fail-if 'alloc_space>+5%'",
	  "for CI: exit 1 and the sites to blame if that much more is allocated" },
	{ 0 },
};

static const struct cmd_text completion_examples[] = {
	{ "source <(gallop completion bash)", "in bash, now" },
	{ "gallop completion zsh > _gallop", "for a directory of zsh's $fpath" },
	{ "gallop completion fish > gallop.fish", "for ~/.config/fish/completions" },
	{ 0 },
};

static const struct cmd_text man_examples[] = {
	{ "gallop man op | man -l -", "read a page that isn't installed" },
	{ "gallop man --directory .", "all of them as files" },
	{ 0 },
};

static const struct cmd_text version_examples[] = { { "gallop version", "as 'gallop --version'" },
						    { 0 } };

static const struct cmd_text help_examples[] = {
	{ "gallop help", "all commands" },
	{ "gallop help op", "as 'gallop op --help'" },
	{ 0 },
};

/* --- what stands in outputs in the place of a number, or beside it -------------------------------------------- */

static const char mean_exact[] = "counted one by one: there is no interval";
static const char mean_noise[] = "the interval reaches down to nothing: conclude nothing from it";
static const char mean_few[] = "too few windows yet to tell how sure it is";
static const char mean_none[] = "not known or not measured: what is 0 is shown as 0";

static const struct cmd_text diff_marks[] = {
	{ "+-4.2 %", "half the width of the 95 % interval of the change, in % of the change" },
	{ "exact", mean_exact },
	{ "noise", mean_noise },
	{ "?", "too few windows or samples on a side, or none there has met it" },
	{ 0 },
};

static const struct cmd_text site_marks[] = {
	{ "+-4.2 %", "half the width of the 95 % interval, in % of the number beside it" },
	{ "exact", mean_exact },
	{ "noise", mean_noise },
	{ "?", mean_few },
	{ "[not sampled]", "what was allocated, and no sample tells the place of" },
	{ "(type not sampled)", "only --mode exact tells the types of these" },
	{ "(no pointers)", "objects without pointers, which the runtime allocates with no type" },
	{ "A < B", "A of the standard library, called by B, the first that isn't of it" },
	{ "~1,200 >1,200", "operations of maps: estimated; no fewer" },
	{ "-", mean_none },
	{ 0 },
};

static const struct cmd_text gc_marks[] = {
	{ "LIVE ->MARKED/ GOAL",
	  "the heap when marking began, what was marked of it, and the goal, in MiB" },
	{ "SWEEP+MARK", "how long the world was stopped before marking, and after it" },
	{ "g1", "the goroutine that asked for it" },
	{ "-", mean_none },
	{ 0 },
};

static const struct cmd_text map_marks[] = {
	{ "~1,200", "estimated from windows, with half the width of the 95 % interval" },
	{ ">1,200",
	  "no fewer: how many more can't be told, as windows slow that code down too much" },
	{ "?", mean_few },
	{ "-", mean_none },
	{ 0 },
};

static const struct cmd_text op_marks[] = {
	{ "+-4.2 %", "half the width of the 95 % interval of the mean" },
	{ "?", "too few windows or operations for an interval, or some were cut, or it changes too "
	       "much in time" },
	{ "-", mean_none },
	{ 0 },
};

static const struct cmd_text heap_marks[] = {
	{ "+-4.2 %", "half the width of the 95 % interval of the growth" },
	{ "noise", mean_noise },
	{ "?", "the program has changed runtime.MemProfileRate meanwhile" },
	{ "-", "no sample at all" },
	{ 0 },
};

static const struct cmd_text doctor_marks[] = {
	{ "ok", "works" },
	{ "--", "doesn't, and isn't needed: what is lost by that is said" },
	{ "NO", "doesn't, and is needed: what to do is said" },
	{ 0 },
};

/* --- the table ------------------------------------------------------------------------------------------------- */

const struct cmd commands[] = {
	{ "list", CMD_LIST, CMD_ARG_NONE, false, NULL, "Go processes on this host",
	  "List the Go processes on this host: pid, name, Go version, whether the binary is "
	  "stripped, "
	  "container, and what can be traced.",
	  cmd_list, .group = CMD_GROUP_FIND, .examples = list_examples },
	{ "doctor", CMD_DOCTOR, CMD_ARG_OPTIONAL, false, "EXECUTABLE",
	  "what works here with this binary, and why not",
	  "Say what works on this kernel, with these privileges and this binary, and what to do "
	  "where "
	  "something doesn't.",
	  cmd_doctor, .group = CMD_GROUP_FIND, .examples = doctor_examples, .marks = doctor_marks },
	{ "top", CMD_TOP, CMD_ARG_NONE, true, NULL, "watch where a process allocates",
	  "On a terminal, a live view: sites, types, maps, the collector and what tracing costs, a "
	  "tab each; '?' tells the keys, 'q' ends and prints a summary. Elsewhere, and with -b or "
	  "-n, plain text blocks of the sites that allocate most, interval by interval. COMMAND is "
	  "started and traced from its first instruction; on a terminal what it prints goes to a "
	  "file, which is named in the end.",
	  cmd_top, .group = CMD_GROUP_LIVE, .examples = top_examples, .marks = site_marks },
	{ "record", CMD_RECORD, CMD_ARG_NONE, true, NULL, "record every allocation to a file",
	  "Record every allocation of a process by call stack and type, until its end, Ctrl-C or "
	  "--duration. COMMAND is started and traced from its first instruction, and its exit "
	  "status is "
	  "gallop's. SIGUSR1 prints a summary and goes on.",
	  cmd_record, .group = CMD_GROUP_RECORDED, .examples = record_examples,
	  .marks = site_marks },
	{ "gc", CMD_GC, CMD_ARG_OPTIONAL, true, "RECORDING",
	  "garbage collection: every cycle, stop and assist",
	  "Show each GC cycle and each other stop of the world as it ends: what triggered it, who "
	  "asked, how "
	  "long; then a summary with mark assists by stack. Costs next to nothing: allocations are "
	  "not "
	  "traced. With a RECORDING the same from there.",
	  cmd_gc, .group = CMD_GROUP_LIVE, .examples = gc_examples, .marks = gc_marks },
	{ "maps", CMD_MAPS, CMD_ARG_OPTIONAL, true, "RECORDING",
	  "maps: how they are filled, emptied and kept, and what to do about it",
	  "Count what a program does to its maps, by call stack and type, until its end, Ctrl-C or "
	  "--duration; then show which are emptied how, what memory they still hold, how often "
	  "they "
	  "grow, and a line of advice where the numbers bear it. Each assignment and deletion "
	  "costs a "
	  "trap; allocations are not traced. With a RECORDING the same from there.",
	  cmd_maps, .group = CMD_GROUP_LIVE, .examples = maps_examples, .marks = map_marks },
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
	  cmd_op, .group = CMD_GROUP_LIVE, .examples = op_examples, .marks = op_marks },
	{ "heap", CMD_HEAP, CMD_ARG_OPTIONAL, false, "RECORDING",
	  "the live heap: what is in use by which call stack, and what grows",
	  "Read the memory profile that the Go runtime keeps from a process's memory: objects and "
	  "bytes in use, and allocated since the start, by call stack, scaled as 'go tool pprof' "
	  "does. No probe, no endpoint, no kernel program: CAP_SYS_PTRACE is enough, and it costs "
	  "the "
	  "process nothing. With -d, -n or a duration it is looked at again, and what has grown is "
	  "shown. Only programs that have the profile turned on can be looked at: those with "
	  "net/http/pprof or runtime/pprof in them. With a RECORDING the same from there.",
	  cmd_heap, .group = CMD_GROUP_LIVE, .examples = heap_examples, .marks = heap_marks },
	{ "report", CMD_REPORT, CMD_ARG_REQUIRED, false, "RECORDING", "show a recording",
	  "Show a recording as text, as collapsed stacks for flame graphs, or as JSON. Needs "
	  "neither "
	  "root nor the executable.",
	  cmd_report, .group = CMD_GROUP_RECORDED, .examples = report_examples,
	  .marks = site_marks },
	{ "diff", CMD_DIFF, CMD_ARG_TWO, false, "BEFORE AFTER",
	  "what has changed from one recording to another",
	  "Show what has changed from the recording BEFORE to the recording AFTER: totals, sites, "
	  "types, what is in use, the collector and maps, by time, by operation or in total, and "
	  "how sure each change is. Sites are matched by function and type: of two builds lines "
	  "may have moved. With --fail-if it is a check for CI.",
	  cmd_diff, .group = CMD_GROUP_RECORDED, .examples = diff_examples, .marks = diff_marks },
	{ "completion", CMD_COMPLETION, CMD_ARG_REQUIRED, false, "SHELL",
	  "shell completion for bash, zsh or fish",
	  "Print completion for bash, zsh or fish: source <(gallop completion bash).",
	  cmd_completion, .group = CMD_GROUP_OTHER, .examples = completion_examples },
	{ "man", CMD_MAN, CMD_ARG_OPTIONAL, false, "COMMAND", "print the manual",
	  "Print the manual page of gallop, or of COMMAND, as source for man(1).", cmd_man,
	  .group = CMD_GROUP_OTHER, .examples = man_examples },
	{ "version", CMD_VERSION, CMD_ARG_NONE, false, NULL, "print the version",
	  "Print gallop's version.", cmd_version, .group = CMD_GROUP_OTHER,
	  .examples = version_examples },
	{ "help", CMD_HELP, CMD_ARG_OPTIONAL, false, "COMMAND",
	  "print this list, or a command's help",
	  "List the commands, or tell what COMMAND does and its options.", cmd_help,
	  .group = CMD_GROUP_OTHER, .examples = help_examples },
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
