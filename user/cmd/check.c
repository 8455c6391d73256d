/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options that are good alone and mean nothing together. Better refused than ignored: who gave them
 * expects something.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/help.h"
#include "render/weights.h"

/* Only these take both. */
static int check_use(const struct cmd *cmd, const struct options *opts, struct err *err)
{
	enum option_use wrong = opts->file ? OPTION_LIVE : OPTION_RECORDED;

	for (size_t i = 0;
	     (cmd->id & (CMD_GC | CMD_MAPS | CMD_OP | CMD_HEAP)) && i < option_specs_nr; i++)
		if ((opts->given >> i & 1) && option_specs[i].use == wrong)
			return err_set(err, -EINVAL, "--%s is for %s", option_specs[i].name,
				       opts->file ? "a live process, not for a recording"
						  : "a recording, not for a live process");
	return 0;
}

bool options_given(const struct options *opts, const char *name)
{
	/* A name may be there again, for other commands. */
	for (size_t i = 0; i < option_specs_nr; i++)
		if ((opts->given >> i & 1) && !strcmp(option_specs[i].name, name))
			return true;
	return false;
}

bool shows_stacks(const struct renderer *r)
{
	static const char *const names[] = { "collapsed", "pprof", "speedscope" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(r->name, names[i]))
			return true;
	return false;
}

bool command_takes_format(const struct cmd *cmd, const struct renderer *r)
{
	bool timeline = !strcmp(r->name, "trace"), lines = !strcmp(r->name, "jsonl"),
	     bench = !strcmp(r->name, "bench");

	switch (cmd->id) {
	case CMD_HEAP:
		return !timeline && !lines && !bench;
	case CMD_OP:
		return !timeline && !lines && strcmp(r->name, "html") != 0;
	case CMD_GC:
		return !bench;
	case CMD_MAPS:
		return !timeline && !bench;
	case CMD_DIFF:
		return cmd_diff_has_format(r->name);
	default:
		return true;
	}
}

static int check_format(const struct cmd *cmd, const struct renderer *renderer, struct err *err)
{
	char names[256] = "";
	size_t len = 0;

	if (command_takes_format(cmd, renderer))
		return 0;
	for (const struct renderer *r = renderers; r->name; r++)
		if (command_takes_format(cmd, r) && len < sizeof(names))
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
						len ? ", " : "", r->name);
	return err_set(err, -EINVAL, "%s has no format %s: %s", cmd->name, renderer->name, names);
}

/* A command shows what it looks at; only report shows whatever was recorded. */
static int check_value(const struct cmd *cmd, const struct options *opts,
		       const struct renderer *renderer, struct err *err)
{
	bool collapsed = !strcmp(renderer->name, "collapsed");
	bool stacks = shows_stacks(renderer);
	enum weights_of of = weights_of(opts->value);

	if (of == OF_GC && !stacks && strcmp(renderer->name, "html")) {
		err_set(err, -EINVAL, "--value assist and stw are for stacks, not for %s",
			renderer->name);
		err_hint(err, "-f collapsed, or -o FILE.folded; -f html; -f pprof; -f speedscope");
		return -EINVAL;
	}
	if (cmd->id == CMD_OP && opts->no_allocs && stacks)
		return err_set(err, -EINVAL, "%s stacks are of allocations: not with --no-allocs",
			       renderer->name);
	if (cmd->id == CMD_OP && opts->folded && !opts->compare)
		return err_set(err, -EINVAL, "--folded is for --compare");
	if (of == OF_MAPS && cmd->id == CMD_GC) {
		err_set(err, -EINVAL, "gc looks at no maps");
		err_hint(err, "'gallop maps' does; of a recording also 'gallop report'");
		return -EINVAL;
	}
	if (of == OF_HEAP && cmd->id != CMD_REPORT) {
		err_set(err, -EINVAL, "%s doesn't look at the heap", cmd->name);
		err_hint(err, "'gallop heap' does; of a recording also 'gallop report'");
		return -EINVAL;
	}
	/* Other formats than collapsed stacks take both, if none is asked for. */
	if (of == OF_ALLOCATIONS && stacks && cmd->id == CMD_GC && !opts->file &&
	    (collapsed || options_given(opts, "value"))) {
		err_set(err, -EINVAL, "gc traces no allocations, so there are no stacks of them");
		err_hint(err, "--value assist, or --value stw");
		return -EINVAL;
	}
	if (of != OF_MAPS && stacks && cmd->id == CMD_MAPS && options_given(opts, "value")) {
		err_set(err, -EINVAL, "maps has stacks of maps only");
		err_hint(err, "--value assigns, deletes, clears, retained or growths");
		return -EINVAL;
	}
	return 0;
}

int check_gc_known(const struct model_meta *meta, struct err *err)
{
	if (!meta->pids_nr)
		return 0;
	err_set(err, -ENODATA,
		"stops and GC cycles are not known: of many processes allocations alone are "
		"counted");
	err_hint(err, "'gallop gc -p PID' tells of one of them");
	return -ENODATA;
}

int check_value_known(const struct snapshot *s, const struct options *opts, struct err *err)
{
	const struct snapshot_maps *maps = &s->maps;

	if (weights_of(opts->value) == OF_GC)
		return check_gc_known(&s->meta, err);
	if (weights_of(opts->value) == OF_HEAP && !s->heap.known) {
		err_set(err, -ENODATA, "the live heap is not known: %s", s->heap.why_not);
		if (!s->heap.asked)
			err_hint(err,
				 "'gallop record' looks at it where the program keeps a memory "
				 "profile, and 'gallop heap' does");
		return -ENODATA;
	}
	if (weights_of(opts->value) != OF_MAPS)
		return 0;
	if (!maps->known) {
		err_set(err, -ENODATA, "maps were not looked at, so there are no numbers of them");
		err_hint(err, "'gallop maps' looks at them, and 'gallop record' does");
		return -ENODATA;
	}
	if (opts->value == SNAPSHOT_RETAINED && !maps->held_known)
		return err_set(
			err, -ENODATA,
			"what maps retain is not known: the process's memory was not looked at");
	if ((opts->value == SNAPSHOT_ASSIGNS || opts->value == SNAPSHOT_DELETES) &&
	    !maps->every_operation && !maps->operations_sampled)
		return err_set(err, -ENODATA, "assigns and deletes of maps were not counted");
	return 0;
}

/* What isn't text would leave a terminal in a state, and be lost. */
static int check_terminal(const struct renderer *r, const struct options *opts, struct err *err)
{
	if (strcmp(r->name, "pprof") || !output_is_terminal(opts->output))
		return 0;
	err_set(err, -EINVAL, "a profile for pprof is binary: it isn't written to a terminal");
	err_hint(err, "-o FILE.pb.gz, or into a file or a pipe with > or |");
	return -EINVAL;
}

/* Of commands that may sample. */
static int check_mode(const struct options *opts, struct err *err)
{
	if (opts->mode == SESSION_EXACT && options_given(opts, "budget"))
		return err_set(err, -EINVAL, "--mode exact has no budget: every event is counted");
	return 0;
}

/* Of many processes nothing can be told that is of one: a goroutine's number, what a budget is a share of. */
static int check_exe(const struct options *opts, struct err *err)
{
	const char *other = opts->pid	      ? "-p PID"
			    : opts->container ? "-c CONTAINER"
			    : opts->argv      ? "a command"
					      : NULL;
	const char *single = opts->goroutines ? "--goroutines tells goroutines"
			     : opts->funcs.nr ? "--op measures calls"
					      : NULL;

	if (!opts->exe)
		return 0;
	if (other)
		return err_set(err, -EINVAL, "either -x PATH or %s, not both", other);
	if (single) {
		err_set(err, -EINVAL, "%s of one process: not with -x", single);
		err_hint(err, "-p PID chooses one of them");
		return -EINVAL;
	}
	if (opts->mode == SESSION_EXACT)
		return 0;
	err_set(err, -EINVAL, "of all processes of a file allocations are counted, not sampled");
	err_hint(err, "--mode exact: a trap for each allocation slows those that allocate much");
	return -EINVAL;
}

int options_check(const struct cmd *cmd, const struct options *opts, struct err *err)
{
	const struct renderer *renderer;
	enum { DELAY_MIN_NS = 100 * 1000 * 1000 }; /* events are looked at so often: session.c */
	int rc = check_use(cmd, opts, err);

	if (rc)
		suggest_format(opts, err);
	if (!rc && opts->delay_ns < DELAY_MIN_NS)
		rc = err_set(err, -EINVAL, "--delay takes at least 100ms");
	if (!rc)
		rc = check_mode(opts, err);
	if (!rc)
		rc = check_exe(opts, err);
	if (rc || !(cmd->id & (CMD_REPORT | CMD_GC | CMD_MAPS | CMD_OP | CMD_HEAP | CMD_DIFF)))
		return rc;
	if (opts->json && opts->format && strcmp(opts->format, "json"))
		return err_set(err, -EINVAL, "--json and %s %s contradict each other",
			       cmd->id == CMD_OP ? "--format" : "-f", opts->format);
	/* Its formats and values are its own. */
	if (cmd->id == CMD_DIFF)
		return 0;
	renderer = choose_renderer(opts, err);
	rc = renderer ? check_terminal(renderer, opts, err) : -EINVAL;
	if (!rc)
		rc = check_format(cmd, renderer, err);
	/* Its values are its own. */
	if (!rc && cmd->id != CMD_HEAP)
		rc = check_value(cmd, opts, renderer, err);
	return rc;
}
