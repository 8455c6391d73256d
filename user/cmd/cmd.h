/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands and their options: one table of each, from which parsing, help, the man page's OPTIONS
 * and shell completion all come.
 */
#ifndef GALLOP_CMD_CMD_H
#define GALLOP_CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/err.h"
#include "bpf/wire.h"
#include "model/snapshot.h"
#include "probe/probe.h"
#include "render/render.h"
#include "session/session.h"

struct plan_op_want;

/* The arguments of an option that may be there several times. */
struct option_list {
	const char *v[WIRE_OPS_MAX];
	size_t nr;
};

/* What a command was asked to do. Strings point into argv. */
struct options {
	pid_t pid; /* 0: none given */
	const char *container; /* -c; NULL: none given. target_find() makes a pid of it */
	const char *exe; /* -x: all processes of this file; NULL: none given */
	char **argv; /* the command after "--", NULL-terminated; or NULL */
	const char *file; /* positional argument: a recording or an executable; or NULL */
	const char *file_after; /* the second one, with CMD_ARG_TWO */
	const char *output; /* -o; NULL: standard output */
	const char *format; /* -f; NULL: by the suffix of -o, else text */
	enum session_mode mode;
	double budget;
	struct option_list funcs;
	const char *compare;
	const char *folded;
	const char *per; /* --per; NULL: second */
	struct option_list fail_if;
	const char *directory; /* where man writes all pages; NULL: one, to standard output */
	enum snapshot_value value;
	enum probe_attach attach;
	uint64_t duration_ns;
	uint64_t delay_ns;
	uint64_t from_ns, to_ns;
	uint64_t max_size;
	uint32_t iterations;
	uint32_t top_nr;
	uint32_t depth;
	uint32_t sites_max;
	int ready_fd; /* -1: none */
	uint64_t given; /* a bit for each of option_specs that was used */
	bool runtime_frames;
	bool no_maps;
	bool no_allocs;
	bool goroutines;
	bool stacks;
	bool strict;
	bool heap; /* not an option: record looks at the live heap, too */
	int child_output; /* not an option: where a live view sends what COMMAND prints; 0: nowhere else */
	bool stretch; /* not an option: record lets intervals grow where they are costly */
	/* Not options either: what funcs and compare come to, and what only op does. */
	const struct plan_op_want *ops;
	size_t ops_nr;
	bool ops_only;
	bool batch;
	bool once;
	unsigned theme; /* enum terminal_theme */
	bool dry_run;
	bool json;
	bool quiet;
	bool color;
};

/* Who takes an option: a bit per command. */
enum cmd_id {
	CMD_LIST = 1 << 0,
	CMD_DOCTOR = 1 << 1,
	CMD_RECORD = 1 << 2,
	CMD_REPORT = 1 << 3,
	CMD_TOP = 1 << 4,
	CMD_COMPLETION = 1 << 5,
	CMD_MAN = 1 << 6,
	CMD_VERSION = 1 << 7,
	CMD_HELP = 1 << 8,
	CMD_GC = 1 << 9,
	CMD_MAPS = 1 << 10,
	CMD_OP = 1 << 11,
	CMD_HEAP = 1 << 12,
	CMD_DIFF = 1 << 13,
};

/* Headings of the list of commands. */
enum cmd_group { CMD_GROUP_OTHER, CMD_GROUP_FIND, CMD_GROUP_LIVE, CMD_GROUP_RECORDED };

/* A word of a list, and what it means. */
struct cmd_text {
	const char *term;
	const char *text;
};

enum cmd_arg { CMD_ARG_NONE, CMD_ARG_OPTIONAL, CMD_ARG_REQUIRED, CMD_ARG_TWO };

struct cmd {
	const char *name;
	enum cmd_id id;
	enum cmd_arg arg; /* positional arguments */
	bool takes_command; /* "-- COMMAND [ARG...]" */
	const char *arg_name; /* for the synopsis */
	const char *summary; /* one line */
	const char *text; /* a paragraph for help and the man page */
	int (*run)(const struct options *opts, struct err *err); /* exit status, or -errno */
	enum cmd_group group;
	const struct cmd_text *examples; /* command lines that work as they are; ends with { 0 } */
	const struct cmd_text
		*marks; /* what stands in its outputs in the place of a number; or NULL */
};

/* In the order help shows them; ends with name == NULL. */
extern const struct cmd commands[];
extern const struct cmd_text general_examples[]; /* ends with { 0 } */

const struct cmd *command_find(const char *name); /* or NULL */

int cmd_list(const struct options *opts, struct err *err);
int cmd_doctor(const struct options *opts, struct err *err);
int cmd_record(const struct options *opts, struct err *err);
int cmd_report(const struct options *opts, struct err *err);
int cmd_top(const struct options *opts, struct err *err);
int cmd_gc(const struct options *opts, struct err *err);
int cmd_maps(const struct options *opts, struct err *err);
int cmd_op(const struct options *opts, struct err *err);
int cmd_heap(const struct options *opts, struct err *err);
int cmd_diff(const struct options *opts, struct err *err);
bool cmd_diff_has_format(const char *name);
int cmd_completion(const struct options *opts, struct err *err);
int cmd_man(const struct options *opts, struct err *err);
int cmd_version(const struct options *opts, struct err *err);
int cmd_help(const struct options *opts, struct err *err);

/* How an option's argument is read. */
enum option_type {
	OPTION_FLAG,
	OPTION_STRING,
	OPTION_LIST, /* a string, as often as it is given */
	OPTION_PID,
	OPTION_UINT, /* a number, min..max */
	OPTION_DURATION, /* "10s", "0.5", "2m": nanoseconds */
	OPTION_SIZE, /* "64M", "1G": bytes */
	OPTION_PERCENT, /* "2", "0.5": a share, as a double from 0 to 1 */
	OPTION_CHOICE, /* one of choices, by its place in the list */
};

/* What an option of a command needs that takes both a live process and a recording. */
enum option_use { OPTION_ANY, OPTION_LIVE, OPTION_RECORDED };

/* A name may be there again, for other commands. */
struct option_spec {
	const char *name;
	char short_name; /* 0: none */
	enum option_type type;
	unsigned commands; /* CMD_* that take it */
	size_t offset; /* of the member in struct options */
	const char *arg; /* "PID"; NULL for flags */
	const char *choices; /* "auto multi perf" */
	bool once; /* a second one would take the place of the first */
	const char *help;
	uint64_t min, max; /* for OPTION_UINT */
	enum option_use use;
};

extern const struct option_spec option_specs[];
extern const size_t option_specs_nr;

/*
 * Parse a command's arguments (argv[0] is the command). Prints usage errors and --help itself, as users
 * expect of every command line, and then exits (status 2, or 0 for --help).
 */
void options_parse(const struct cmd *cmd, int argc, char **argv, struct options *ret);

/* Options that have no meaning together, each good alone: -EINVAL. */
int options_check(const struct cmd *cmd, const struct options *opts, struct err *err);

/* The one Go process of the container that was asked for, if one was, becomes opts->pid: 0, -EINVAL, -ESRCH, -EACCES. */
int target_find(struct options *opts, struct err *err);

/* Does the format draw stacks, and one value of them at a time? */
bool shows_stacks(const struct renderer *r);

/* Does a command have a format? Also of what it records there is nothing to show in some. */
bool command_takes_format(const struct cmd *cmd, const struct renderer *renderer);

/* Was an option of this name given? */
bool options_given(const struct options *opts, const char *name);

/*
 * -ENODATA with a hint if --value is of something that this snapshot doesn't know: collapsed stacks of it would be
 * none, as if it were 0.
 */
int check_value_known(const struct snapshot *s, const struct options *opts, struct err *err);

/* The same of stops of the world, GC cycles and assists. */
int check_gc_known(const struct model_meta *meta, struct err *err);

/*
 * The output format of -f, of the suffix of -o, or text. NULL with -EINVAL in err for an unknown one.
 */
const struct renderer *choose_renderer(const struct options *opts, struct err *err);

struct render_opts render_opts_of(const struct options *opts);

/* Render to where -o says: all of it or nothing. 0 or -errno. */
int render_output(const struct renderer *renderer, const struct snapshot *s,
		  const struct options *opts, struct err *err);

/* Open what -o names, written beside it and renamed by output_close(); standard output by default. */
struct output {
	FILE *f; /* NULL: not open */
	const char *path; /* as given, borrowed; NULL: standard output */
	char *target; /* the file to replace; NULL: written in place */
	char *tmp; /* what takes its place */
};

/* Would what is written there go to a terminal? */
bool output_is_terminal(const char *path);

/* -EEXIST for a recording, which isn't replaced. */
int output_open(struct output *out, const char *path, struct err *err);

/*
 * Flush and rename. rc is what writing has returned so far. If it or anything now failed, the file is as it
 * was and the result is -EIO.
 */
int output_close(struct output *out, int rc, struct err *err);

/* Leave the file as it was. Nothing happens if it isn't open. */
void output_discard(struct output *out);

/* A line on standard error, "gallop: ...", and a failure's "gallop: ..." and "hint: ...". */
void talk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void print_err(const struct err *err);

#endif
