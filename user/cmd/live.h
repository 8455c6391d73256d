/* SPDX-License-Identifier: BSD-2-Clause */
/* What the live commands share: options to a session, the plan on request, the ready line. */
#ifndef GALLOP_CMD_LIVE_H
#define GALLOP_CMD_LIVE_H

#include "cmd/cmd.h"
#include "session/session.h"

/* -EINVAL with a hint unless there is exactly one target. */
int live_check_target(const char *command, const struct options *opts, struct err *err);

/* PLAN_VIEW_* of a command that looks at everything that it isn't told to leave out. */
unsigned live_views(const struct options *opts);

/* views: PLAN_VIEW_*. */
struct session_opts live_session_opts(const struct options *opts, unsigned views);

/* What --op, or op's --func, asks for; returns how many. */
size_t live_wants(const struct options *opts, struct plan_op_want *wants);

/* --dry-run: print the plan for the target's executable. */
int live_print_plan(const struct options *opts, unsigned views, struct err *err);

/* --ready-fd: tell whoever waits that everything is attached and counts. */
int live_say_ready(const struct options *opts, struct err *err);

/* Run a session to its end; the exit status of a command that was started, else 0; or -errno. */
int live_run(const struct options *opts, unsigned views, const struct session_events *events,
	     struct err *err);

#endif
