/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of options, and how it is turned into argp's and read back.
 */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cmd/help.h"

#define AT(member) offsetof(struct options, member)

enum {
	COUNTING = CMD_RECORD | CMD_TOP,
	LIVE = COUNTING | CMD_GC | CMD_MAPS | CMD_OP,
	SAMPLING = COUNTING | CMD_MAPS,
	SHOWING = CMD_REPORT | CMD_GC | CMD_MAPS,
	SHOWING_ANY = SHOWING | CMD_OP | CMD_HEAP,
};

/* In the order of enum snapshot_value. */
#define HEAP_VALUES "inuse_bytes inuse_objects alloc_bytes alloc_objects"
#define VALUES "bytes objects assist stw assigns deletes clears retained growths " HEAP_VALUES
#define DIFF_VALUES                                                                     \
	"bytes objects assist stw assigns deletes clears retained growths inuse_bytes " \
	"inuse_objects"

const struct option_spec option_specs[] = {
	{ "pid", 'p', OPTION_PID, LIVE | CMD_DOCTOR | CMD_HEAP, AT(pid), "PID", NULL,
	  .help = "the process to look at" },
	{ "container", 'c', OPTION_STRING, LIVE | CMD_DOCTOR | CMD_HEAP, AT(container), "CONTAINER",
	  NULL,
	  .help = "the Go process of a container, by its id, the first 4 digits or more of it, or "
		  "its name, where docker, podman, cri-o, containerd under Kubernetes or nerdctl "
		  "keep that; in Kubernetes also POD, POD/NAME or NAMESPACE/POD/NAME",
	  .use = OPTION_LIVE },
	{ "exe", 'x', OPTION_STRING, COUNTING, AT(exe), "PATH", NULL,
	  .help = "all processes that execute the file PATH, as one: those that run now, 256 at "
		  "most, and those that begin meanwhile, 1,024 lives in all. Who only maps the "
		  "file is counted if it executes code of it: for machines whose users are "
		  "trusted. With --mode exact: allocations alone are counted, and top prints "
		  "plain text blocks",
	  .use = OPTION_LIVE },
	{ "output", 'o', OPTION_STRING, CMD_RECORD | SHOWING | CMD_HEAP, AT(output), "FILE", NULL,
	  .help = "write to FILE. For report, gc, maps and heap the suffix chooses the format: "
		  ".pb.gz is pprof's, .speedscope.json speedscope's, .folded collapsed stacks, "
		  ".trace.json a timeline; '-' is standard output" },
	{ "output", 'o', OPTION_STRING, CMD_OP, AT(output), "FILE", NULL,
	  .help = "write to FILE. The suffix chooses the format: .bench and .txt are Go's "
		  "benchmark results, as benchstat reads them; .pb.gz and .speedscope.json are of "
		  "what the "
		  "operations allocate; '-' is standard output" },
	{ "output", 'o', OPTION_STRING, CMD_DIFF, AT(output), "FILE", NULL,
	  .help = "write to FILE. The suffix chooses the format, and '-' is standard output" },
	{ "per", 0, OPTION_STRING, CMD_DIFF, AT(per), "UNIT", NULL,
	  .help = "what numbers are divided by: second (the default), as recordings have different "
		  "lengths; op:FUNC, the calls of a function that both have measured with 'record "
		  "--op FUNC': sites are those inside of the calls then; total, nothing" },
	{ "fail-if", 0, OPTION_LIST, CMD_DIFF, AT(fail_if), "LIMIT", NULL,
	  .help = "exit with 1, and print the sites to blame, if a total has changed by more than "
		  "LIMIT and that can't be chance, or if that can't be judged: MEASURE>CHANGE or "
		  "MEASURE<CHANGE, the change with "
		  "its "
		  "sign, in % or in B kB MB GB KiB MiB GiB, ns us ms s, such as "
		  "'alloc_space>+5%' or 'pause>+2ms'. Measures are alloc_space, alloc_objects, "
		  "inuse_space, inuse_objects, cycles, pause, assist, stw, assigns, deletes, "
		  "clears, growths, retained and, with --per op:FUNC, op_time. May be given "
		  "several times" },
	{ "format", 'f', OPTION_STRING, CMD_DIFF, AT(format), "FORMAT", NULL,
	  .help = "the format of the result, whatever the suffix of -o; of collapsed stacks the "
		  "counts before and after" },
	{ "value", 0, OPTION_CHOICE, CMD_DIFF, AT(value), "VALUE", DIFF_VALUES,
	  .help = "what tables are sorted by and collapsed stacks count: bytes (the default) or "
		  "objects; nanoseconds of mark assist, or of stops of the world (stw); of maps "
		  "assigns, deletes, clears, bytes that emptied ones have retained, or growths; "
		  "what is in use" },
	{ "func", 'f', OPTION_LIST, CMD_OP, AT(funcs), "FUNC", NULL,
	  .help = "measure the calls of FUNC; may be given several times. A name as the runtime "
		  "spells it, such as 'main.(*Server).handle' or main.run.func1; the end of one "
		  "that is there once; or a glob with * and ?",
	  .use = OPTION_LIVE },
	{ "op", 0, OPTION_LIST, CMD_RECORD, AT(funcs), "FUNC", NULL,
	  .help = "measure the calls of FUNC, as 'gallop op -f FUNC' does; with --mode exact too, "
		  "else in the place of all other allocations and of maps; may be given several "
		  "times" },
	{ "compare", 0, OPTION_STRING, CMD_OP, AT(compare), "LABEL=FUNC,...", NULL,
	  .help = "measure each FUNC and show them side by side; collapsed stacks of each are "
		  "written to op-LABEL.folded",
	  .once = true, .use = OPTION_LIVE },
	{ "folded", 0, OPTION_STRING, CMD_OP, AT(folded), "PREFIX", NULL,
	  .help = "what --compare puts before LABEL.folded in the name of a file, instead of "
		  "'op-'",
	  .use = OPTION_LIVE },
	{ "no-allocs", 0, OPTION_FLAG, CMD_OP, AT(no_allocs), NULL, NULL,
	  .help = "calls and time only: allocations cost no traps then, and ns/op is nearest to "
		  "what it is without gallop",
	  .use = OPTION_LIVE },
	{ "duration", 0, OPTION_DURATION, LIVE, AT(duration_ns), "TIME", NULL,
	  .help = "stop after TIME, such as 10s, 500ms or 2m; without it on Ctrl-C or the "
		  "target's end",
	  .use = OPTION_LIVE },
	{ "duration", 0, OPTION_DURATION, CMD_HEAP, AT(duration_ns), "TIME", NULL,
	  .help = "look again until TIME has passed, such as 10s or 2m", .use = OPTION_LIVE },
	{ "mode", 0, OPTION_CHOICE, SAMPLING, AT(mode), "MODE", "auto exact",
	  .help = "what is counted. auto (the default): totals are exact, what each site has of "
		  "them is estimated "
		  "within a budget. exact: every allocation is counted, and a trap for each slows "
		  "a target that allocates much",
	  .use = OPTION_LIVE },
	{ "budget", 0, OPTION_PERCENT, SAMPLING, AT(budget), "PERCENT", NULL,
	  .help = "what tracing may cost over any 30 seconds, in percent (0.01 to 100) of the CPU "
		  "time "
		  "that the target uses; 2 by default. More gives narrower intervals sooner. Not "
		  "with "
		  "--mode exact",
	  .use = OPTION_LIVE },
	{ "mode", 0, OPTION_CHOICE, CMD_OP, AT(mode), "MODE", "auto exact",
	  .help = "what is measured. auto (the default): whole calls in short windows at random "
		  "times, within a "
		  "budget; what allocations/op and bytes/op are of all calls is estimated. exact: "
		  "every call is measured, and a trap for each, and for each allocation, slows a "
		  "target that makes many",
	  .use = OPTION_LIVE },
	{ "budget", 0, OPTION_PERCENT, CMD_OP, AT(budget), "PERCENT", NULL,
	  .help = "what tracing may cost over any 30 seconds, in percent (0.01 to 100) of the CPU "
		  "time "
		  "that the target uses; 2 by default. More measures more calls sooner. Exact mode "
		  "has none",
	  .use = OPTION_LIVE },
	{ "attach", 0, OPTION_CHOICE, LIVE, AT(attach), "HOW", "auto multi perf",
	  .help = "how probes are attached: uprobe_multi links, perf uprobes, or the better that "
		  "works (auto)",
	  .use = OPTION_LIVE },
	{ "goroutines", 0, OPTION_FLAG, COUNTING, AT(goroutines), NULL, NULL,
	  .help = "tell goroutines apart: the goroutine id becomes part of a site" },
	{ "stack-depth", 0, OPTION_UINT, LIVE, AT(depth), "N", NULL,
	  .help = "calls to walk up each stack, at most 128 (the default); a cut stack says so. In "
		  "auto mode it is 128",
	  .min = 1, .max = WIRE_DEPTH_MAX, .use = OPTION_LIVE },
	{ "max-sites", 0, OPTION_UINT, COUNTING, AT(sites_max), "N", NULL,
	  .help = "sites the kernel's table can hold; default: as many as fit 256 MiB here, and "
		  "32,768 "
		  "in auto mode, where they are of large objects alone",
	  .min = 1, .max = 1 << 24 },
	{ "max-size", 0, OPTION_SIZE, CMD_RECORD, AT(max_size), "SIZE", NULL,
	  .help = "end the recording when FILE has this size, such as 100M" },
	{ "delay", 'd', OPTION_DURATION, COUNTING, AT(delay_ns), "TIME", NULL,
	  .help = "length of an interval, at least 100ms, default 1s. record and the live view of "
		  "top make it longer, up to 10s, where very many sites are busy" },
	{ "delay", 'd', OPTION_DURATION, CMD_OP, AT(delay_ns), "TIME", NULL,
	  .help = "length of an interval, at least 100ms, default 1s: of benchmark results each "
		  "has a line for each function, what is left at the end if it is half as long",
	  .use = OPTION_LIVE },
	{ "delay", 'd', OPTION_DURATION, CMD_HEAP, AT(delay_ns), "TIME", NULL,
	  .help = "look again every TIME, default 1s; without an end, until Ctrl-C",
	  .use = OPTION_LIVE },
	{ "iterations", 'n', OPTION_UINT, CMD_HEAP, AT(iterations), "N", NULL,
	  .help = "look N times", .min = 1, .max = UINT_MAX, .use = OPTION_LIVE },
	{ "iterations", 'n', OPTION_UINT, CMD_TOP, AT(iterations), "N", NULL,
	  .help = "plain text blocks, N of them, then end", .min = 1, .max = UINT_MAX },
	{ "once", 0, OPTION_FLAG, CMD_TOP, AT(once), NULL, NULL,
	  .help = "one plain text block: the same as -n 1" },
	{ "batch", 'b', OPTION_FLAG, CMD_TOP, AT(batch), NULL, NULL,
	  .help = "plain text blocks, one after the other, also on a terminal; without this, "
		  "where standard input or output is none" },
	{ "theme", 0, OPTION_CHOICE, CMD_TOP, AT(theme), "THEME", "dark light mono 256",
	  .help = "colours of the live view: for a dark or a light background, none, or of a "
		  "terminal with 256. With NO_COLOR set there are none" },
	{ "format", 'f', OPTION_STRING, SHOWING, AT(format), "FORMAT", NULL,
	  .help = "the format of the result, whatever the suffix of -o" },
	{ "format", 0, OPTION_STRING, CMD_OP, AT(format), "FORMAT", NULL,
	  .help = "the format of the result, whatever the suffix of -o" },
	{ "value", 0, OPTION_CHOICE, SHOWING, AT(value), "VALUE", VALUES,
	  .help = "what collapsed stacks and profiles count and tables are sorted by: bytes (the "
		  "default) or "
		  "objects; of maps assigns (the default of 'gallop maps', or growths where "
		  "assigns "
		  "weren't counted), deletes, clears, bytes that emptied ones have "
		  "retained, "
		  "or growths; of the live heap what is in use, or was allocated since the process "
		  "began; collapsed stacks also nanoseconds of mark assist, or of stops of "
		  "the "
		  "world (stw) by who asked for them" },
	{ "format", 'f', OPTION_STRING, CMD_HEAP, AT(format), "FORMAT", NULL,
	  .help = "the format of the result, whatever the suffix of -o" },
	{ "value", 0, OPTION_CHOICE, CMD_HEAP, AT(value), "VALUE", HEAP_VALUES,
	  .help = "what collapsed stacks count and sites are sorted by: bytes in use (the "
		  "default), "
		  "objects in use, or what was allocated since the process began" },
	{ "value", 0, OPTION_CHOICE, CMD_OP, AT(value), "VALUE", "bytes objects",
	  .help = "what collapsed stacks count and sites are sorted by: bytes (the default) or "
		  "objects" },
	{ "value", 0, OPTION_CHOICE, CMD_TOP, AT(value), "VALUE", "bytes objects",
	  .help = "what tables are sorted by: bytes (the default) or objects" },
	{ "top", 0, OPTION_UINT, SHOWING_ANY | CMD_TOP | CMD_DIFF, AT(top_nr), "N", NULL,
	  .help = "rows of each table; 0 shows all", .max = 1 << 20 },
	{ "stacks", 0, OPTION_FLAG, SHOWING_ANY | CMD_DIFF, AT(stacks), NULL, NULL,
	  .help = "show the whole stack of each row of text" },
	{ "runtime-frames", 0, OPTION_FLAG, SHOWING_ANY | CMD_TOP | CMD_DIFF, AT(runtime_frames),
	  NULL, NULL,
	  .help = "keep the runtime's own frames at the leaf, which are cut as 'go tool pprof' "
		  "does" },
	{ "no-maps", 0, OPTION_FLAG, CMD_TOP | CMD_RECORD, AT(no_maps), NULL, NULL,
	  .help = "leave maps out: each of their operations costs a trap, as each allocation "
		  "does" },
	{ "from", 0, OPTION_DURATION, SHOWING_ANY | CMD_DIFF, AT(from_ns), "TIME", NULL,
	  .help = "of a recording, leave out what was before TIME after the start",
	  .use = OPTION_RECORDED },
	{ "to", 0, OPTION_DURATION, SHOWING_ANY | CMD_DIFF, AT(to_ns), "TIME", NULL,
	  .help = "of a recording, leave out what was after TIME after the start",
	  .use = OPTION_RECORDED },
	{ "json", 0, OPTION_FLAG, CMD_LIST | SHOWING_ANY | CMD_DIFF, AT(json), NULL, NULL,
	  .help = "JSON instead of text" },
	{ "strict", 0, OPTION_FLAG, CMD_RECORD | SHOWING_ANY | CMD_DIFF, AT(strict), NULL, NULL,
	  .help = "exit with 6 if anything was lost, or a check line tells of a difference; with "
		  "-x "
		  "also if it isn't known" },
	{ "dry-run", 0, OPTION_FLAG, LIVE | CMD_DOCTOR, AT(dry_run), NULL, NULL,
	  .help = "print the plan, every probe and why, and attach nothing; needs no root",
	  .use = OPTION_LIVE },
	{ "quiet", 'q', OPTION_FLAG, CMD_RECORD | CMD_GC | CMD_MAPS | CMD_OP | CMD_HEAP, AT(quiet),
	  NULL, NULL,
	  .help = "nothing but errors on standard error: no summary, no word of what is watched" },
	{ "ready-fd", 0, OPTION_UINT, LIVE, AT(ready_fd), "FD", NULL,
	  .help = "write a line to this open file descriptor when everything is attached and "
		  "counts",
	  .max = 1 << 16, .use = OPTION_LIVE },
	{ "directory", 0, OPTION_STRING, CMD_MAN, AT(directory), "DIR", NULL,
	  .help = "write gallop.1 and the page of each command into DIR" },
};

const size_t option_specs_nr = sizeof(option_specs) / sizeof(option_specs[0]);

/* In percent: less than this opens no window, more is no bound. */
#define BUDGET_MIN 0.01
#define BUDGET_MAX 100.0

enum { KEY_USAGE = 0xfff, KEY_BASE }; /* argp keys of options: their place in the table */

/* --- reading arguments ------------------------------------------------------------------------ */

/* A number with a unit; the result must fit 63 bits. */
static bool read_scaled(const char *arg, const char *const units[], const double scale[], size_t nr,
			uint64_t *ret)
{
	char *end;

	errno = 0;
	double value = strtod(arg, &end);
	if (end == arg || errno || !isfinite(value) || value < 0)
		return false;
	for (size_t i = 0; i < nr; i++) {
		if (strcmp(end, units[i]))
			continue;
		if (value * scale[i] >= (double)INT64_MAX)
			return false;
		*ret = (uint64_t)llround(value * scale[i]);
		return true;
	}
	return false;
}

static bool read_duration(const char *arg, uint64_t *ret)
{
	static const char *const units[] = { "", "s", "ms", "us", "m", "h" };
	static const double scale[] = { 1e9, 1e9, 1e6, 1e3, 60e9, 3600e9 };

	return read_scaled(arg, units, scale, 6, ret) && *ret > 0;
}

static bool read_size(const char *arg, uint64_t *ret)
{
	static const char *const units[] = { "", "K", "M", "G", "k" };
	static const double scale[] = { 1, 1024, 1048576, 1073741824, 1024 };

	return read_scaled(arg, units, scale, 5, ret) && *ret > 0;
}

static bool read_percent(const char *arg, double *ret)
{
	char *end;

	errno = 0;
	double value = strtod(arg, &end);
	if (end == arg || errno || !isfinite(value) || value < BUDGET_MIN || value > BUDGET_MAX ||
	    (*end && strcmp(end, "%")))
		return false;
	*ret = value / 100;
	return true;
}

static bool read_uint(const char *arg, uint64_t min, uint64_t max, uint64_t *ret)
{
	char *end;

	errno = 0;
	unsigned long long value = strtoull(arg, &end, 10);
	if (!isdigit((unsigned char)*arg) || *end || errno || value < min || value > max)
		return false;
	*ret = value;
	return true;
}

/* The place of arg in a list of words, or -1. */
static int find_choice(const char *choices, const char *arg)
{
	size_t len = strlen(arg);

	for (int i = 0; *choices; i++) {
		size_t word = strcspn(choices, " ");

		if (word == len && !strncmp(choices, arg, len))
			return i;
		choices += word;
		choices += strspn(choices, " ");
	}
	return -1;
}

static bool add_to_list(struct option_list *list, const char *arg)
{
	if (list->nr == sizeof(list->v) / sizeof(list->v[0]))
		return false;
	list->v[list->nr++] = arg;
	return true;
}

static bool store(const struct option_spec *spec, const char *arg, struct options *opts)
{
	void *member = (char *)opts + spec->offset;
	uint64_t value = 0;
	int choice;

	switch (spec->type) {
	case OPTION_FLAG:
		*(bool *)member = true;
		return true;
	case OPTION_STRING:
		*(const char **)member = arg;
		return true;
	case OPTION_LIST:
		return add_to_list((struct option_list *)member, arg);
	case OPTION_PID:
		if (!read_uint(arg, 1, INT_MAX, &value))
			return false;
		*(pid_t *)member = (pid_t)value;
		return true;
	case OPTION_UINT:
		if (!read_uint(arg, spec->min, spec->max, &value))
			return false;
		*(uint32_t *)member = (uint32_t)value;
		return true;
	case OPTION_DURATION:
		return read_duration(arg, (uint64_t *)member);
	case OPTION_SIZE:
		return read_size(arg, (uint64_t *)member);
	case OPTION_PERCENT:
		return read_percent(arg, member);
	case OPTION_CHOICE:
		choice = find_choice(spec->choices, arg);
		if (choice >= 0)
			*(unsigned *)member = (unsigned)choice;
		return choice >= 0;
	}
	return false;
}

/* --- argp ------------------------------------------------------------------------------------- */

struct parse {
	const struct cmd *cmd;
	struct options *opts;
	int dashes; /* index of "--" in argv, 0 if there is none */
};

/* An argument that isn't taken, as it can be shown; the next one takes its place. */
static const char *shown(const char *arg)
{
	static char clean[512];

	utf8_clean(clean, sizeof(clean), arg);
	return clean;
}

static error_t parse_option(const struct option_spec *spec, const char *arg,
			    struct argp_state *state)
{
	struct parse *parse = state->input;

	if (spec->once && parse->opts->given & 1ULL << (spec - option_specs))
		argp_error(state, "--%s is given twice: it takes all at once, as %s", spec->name,
			   spec->arg);
	if (store(spec, arg, parse->opts)) {
		parse->opts->given |= 1ULL << (spec - option_specs);
		return 0;
	}
	if (spec->type == OPTION_PERCENT)
		argp_error(state, "--%s takes %g to %g percent, not '%s'", spec->name, BUDGET_MIN,
			   BUDGET_MAX, shown(arg));
	else if (spec->choices)
		argp_error(state, "--%s takes one of: %s", spec->name, spec->choices);
	else if (spec->type == OPTION_LIST)
		argp_error(state, "--%s can be given %d times at most", spec->name, WIRE_OPS_MAX);
	else if (spec->type == OPTION_UINT)
		argp_error(state, "--%s takes a number from %llu to %llu, not '%s'", spec->name,
			   (unsigned long long)spec->min, (unsigned long long)spec->max,
			   shown(arg));
	else
		argp_error(state, "'%s' is not a %s for --%s", shown(arg), spec->arg, spec->name);
	return EINVAL;
}

static error_t parse_argument(char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;

	if (parse->cmd->arg == CMD_ARG_NONE) {
		argp_error(state,
			   parse->cmd->takes_command ? "'%s': a command to start goes after '--'"
						     : "unexpected argument '%s'",
			   shown(arg));
		return EINVAL;
	}
	if (parse->cmd->arg == CMD_ARG_TWO && parse->opts->file && !parse->opts->file_after) {
		parse->opts->file_after = arg;
		return 0;
	}
	if (parse->opts->file)
		argp_error(state, "%s%s only, not also '%s'",
			   parse->cmd->arg == CMD_ARG_TWO ? "" : "one ", parse->cmd->arg_name,
			   shown(arg));
	parse->opts->file = arg;
	return 0;
}

/* Like any output: what can't be written is no success. */
static void print_and_exit(const struct cmd *cmd, void (*print)(const struct cmd *cmd))
{
	print(cmd);
	if (!fflush(stdout) && !ferror(stdout))
		exit(EXIT_STATUS_OK);
	talk("cannot write standard output: %s", strerror(errno));
	exit(EXIT_STATUS_FAILURE);
}

static error_t parse_key(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;

	if (key >= KEY_BASE && key < KEY_BASE + (int)option_specs_nr)
		return parse_option(&option_specs[key - KEY_BASE], arg, state);
	if (key == 'h' || key == '?')
		print_and_exit(parse->cmd, help_print);
	if (key == KEY_USAGE)
		print_and_exit(parse->cmd, help_print_usage);
	if (key == ARGP_KEY_ARG)
		return parse_argument(arg, state);
	if (key == ARGP_KEY_END && parse->cmd->arg == CMD_ARG_REQUIRED && !parse->opts->file)
		argp_error(state, "no %s given", parse->cmd->arg_name);
	if (key == ARGP_KEY_END && parse->cmd->arg == CMD_ARG_TWO && !parse->opts->file_after)
		argp_error(state, "two recordings are needed: %s", parse->cmd->arg_name);
	for (size_t i = 0; i < option_specs_nr; i++)
		if ((option_specs[i].commands & parse->cmd->id) && option_specs[i].short_name &&
		    option_specs[i].short_name == key)
			return parse_option(&option_specs[i], arg, state);
	return ARGP_ERR_UNKNOWN;
}

static void fill_argp(const struct cmd *cmd, struct argp_option *to)
{
	for (size_t i = 0; i < option_specs_nr; i++) {
		const struct option_spec *spec = &option_specs[i];

		if (!(spec->commands & cmd->id))
			continue;
		*to++ = (struct argp_option){
			.name = spec->name,
			.key = spec->short_name ? spec->short_name : KEY_BASE + (int)i,
			.arg = spec->arg,
		};
	}
	*to++ = (struct argp_option){ .name = "help", .key = 'h' };
	*to++ = (struct argp_option){ .key = '?', .flags = OPTION_HIDDEN };
	*to++ = (struct argp_option){ .name = "usage", .key = KEY_USAGE };
	*to = (struct argp_option){ 0 };
}

/* argp would take "--" away and read on; what follows it is a command of the user's. */
static int find_dashes(const struct cmd *cmd, int argc, char **argv)
{
	for (int i = 1; cmd->takes_command && i < argc; i++)
		if (!strcmp(argv[i], "--"))
			return i;
	return 0;
}

void options_parse(const struct cmd *cmd, int argc, char **argv, struct options *ret)
{
	struct argp_option options[OPTION_ROWS_MAX + 4]; /* help twice, usage, the end */
	char name[64];
	struct argp argp = { .options = options, .parser = parse_key };
	struct parse parse = { .cmd = cmd, .opts = ret, .dashes = find_dashes(cmd, argc, argv) };

	_Static_assert(sizeof(option_specs) / sizeof(option_specs[0]) <= OPTION_ROWS_MAX,
		       "a bit each in given");
	*ret = (struct options){
		.mode = cmd->id & (SAMPLING | CMD_OP) ? SESSION_AUTO : SESSION_EXACT,
		.budget = 0.02,
		.delay_ns = 1000000000,
		.top_nr = 10,
		.ready_fd = -1,
		.color = isatty(STDOUT_FILENO) && !(getenv("NO_COLOR") && *getenv("NO_COLOR")) &&
			 !(getenv("TERM") && !strcmp(getenv("TERM"), "dumb")),
	};
	fill_argp(cmd, options);
	snprintf(name, sizeof(name), "gallop %s", cmd->name);
	argv[0] = name;
	argp_err_exit_status = EXIT_STATUS_USAGE;
	if (parse.dashes) {
		if (!argv[parse.dashes + 1]) {
			talk("no command after '--'");
			exit(EXIT_STATUS_USAGE);
		}
		ret->argv = &argv[parse.dashes + 1];
		argc = parse.dashes;
	}
	suggest_options(cmd, argc, argv);
	argp_parse(&argp, argc, argv, ARGP_NO_HELP, NULL, &parse);
}
