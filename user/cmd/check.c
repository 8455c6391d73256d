/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options that are good alone and mean nothing together. Better refused than ignored: who gave them
 * expects something.
 */
#include <errno.h>
#include <string.h>

#include "cmd/cmd.h"

/* Only gc takes both. */
static int check_use(const struct cmd *cmd, const struct options *opts, struct err *err)
{
	enum option_use wrong = opts->file ? OPTION_LIVE : OPTION_RECORDED;

	for (size_t i = 0; cmd->id == CMD_GC && i < option_specs_nr; i++)
		if ((opts->given >> i & 1) && option_specs[i].use == wrong)
			return err_set(err, -EINVAL, "--%s is for %s", option_specs[i].name,
				       opts->file ? "a live process, not for a recording"
						  : "a recording, not for a live process");
	return 0;
}

static int check_value(const struct cmd *cmd, const struct options *opts,
		       const struct renderer *renderer, struct err *err)
{
	bool collapsed = !strcmp(renderer->name, "collapsed");
	bool of_gc = opts->value == SNAPSHOT_ASSIST || opts->value == SNAPSHOT_STW;

	if (of_gc && !collapsed) {
		err_set(err, -EINVAL, "--value assist and stw are for collapsed stacks, not for %s",
			renderer->name);
		err_hint(err, "-f collapsed, or -o FILE.folded");
		return -EINVAL;
	}
	if (!of_gc && collapsed && cmd->id == CMD_GC && !opts->file) {
		err_set(err, -EINVAL, "gc traces no allocations, so there are no stacks of them");
		err_hint(err, "--value assist, or --value stw");
		return -EINVAL;
	}
	return 0;
}

int options_check(const struct cmd *cmd, const struct options *opts, struct err *err)
{
	const struct renderer *renderer;
	enum { DELAY_MIN_NS = 100 * 1000 * 1000 }; /* events are looked at so often: session.c */
	int rc = check_use(cmd, opts, err);

	if (!rc && opts->delay_ns < DELAY_MIN_NS)
		rc = err_set(err, -EINVAL, "--delay takes at least 100ms");

	if (rc || !(cmd->id & (CMD_REPORT | CMD_GC)))
		return rc;
	if (opts->json && opts->format && strcmp(opts->format, "json"))
		return err_set(err, -EINVAL, "--json and -f %s contradict each other",
			       opts->format);
	renderer = choose_renderer(opts, err);
	return renderer ? check_value(cmd, opts, renderer, err) : -EINVAL;
}
