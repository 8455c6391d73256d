/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/live.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "gobin/gobin.h"
#include "plan/plan.h"
#include "proc/proc.h"
#include "session/child.h"

int live_check_target(const char *command, const struct options *opts, struct err *err)
{
	if (opts->pid && opts->argv)
		return err_set(err, -EINVAL, "either -p PID or a command, not both");
	if (opts->pid || opts->exe || opts->argv || opts->file)
		return 0;
	err_set(err, -EINVAL, "no target given");
	err_hint(err,
		 "'gallop %s -p PID' or 'gallop %s -- COMMAND'; 'gallop list' shows Go processes",
		 command, command);
	return -EINVAL;
}

struct session_opts live_session_opts(const struct options *opts, unsigned views)
{
	return (struct session_opts){
		.mode = opts->mode,
		.budget = opts->budget,
		.views = views,
		.pid = opts->pid,
		.exe = opts->exe,
		.argv = opts->argv,
		.child_output = opts->child_output,
		.attach = opts->attach,
		.sites_max = opts->sites_max,
		.depth = opts->depth,
		.by_goroutine = opts->goroutines,
		.ops = opts->ops,
		.ops_nr = opts->ops_nr,
		.ops_only = opts->ops_only,
		.duration_ns = opts->duration_ns,
		.interval_ns = opts->delay_ns,
		.heap = opts->heap,
		.stretch = opts->stretch,
	};
}

/* The target's executable: of a process, a command, or as given. */
static int open_target(const struct options *opts, struct gobin **ret, struct err *err)
{
	char path[4096];

	if (opts->pid) {
		struct proc *proc;
		int rc = proc_open(opts->pid, &proc, err);

		if (rc)
			return rc;
		rc = proc_open_exe(proc, ret, err);
		proc_free(proc);
		return rc;
	}
	if (opts->exe || opts->file)
		return gobin_open(opts->exe ? opts->exe : opts->file, ret, err);
	int status, rc = child_find_executable(opts->argv[0], path, sizeof(path), &status, err);
	return rc ? rc : gobin_open(path, ret, err);
}

unsigned live_views(const struct options *opts)
{
	if (opts->exe)
		return PLAN_VIEW_ALLOC;
	return opts->no_maps ? PLAN_VIEW_ALL & ~(unsigned)PLAN_VIEW_MAPS : PLAN_VIEW_ALL;
}

size_t live_wants(const struct options *opts, struct plan_op_want *wants)
{
	for (size_t i = 0; i < opts->funcs.nr; i++)
		wants[i] = (struct plan_op_want){ .pattern = opts->funcs.v[i] };
	return opts->funcs.nr;
}

int live_print_plan(const struct options *opts, unsigned views, struct err *err)
{
	struct plan_opts plan_opts = { .views = views,
				       .by_goroutine = opts->goroutines,
				       .many = opts->exe != NULL,
				       .depth = opts->depth,
				       .ops = opts->ops,
				       .ops_nr = opts->ops_nr,
				       .ops_only = opts->ops_only,
				       .sampled = opts->mode == SESSION_AUTO };
	struct gobin *bin;
	struct plan *plan;
	int rc = open_target(opts, &bin, err);

	if (rc)
		return rc;
	rc = plan_new(bin, &plan_opts, &plan, err);
	if (!rc) {
		plan_print(plan, bin, stdout);
		plan_free(plan);
	}
	gobin_free(bin);
	return rc;
}

int live_say_ready(const struct options *opts, struct err *err)
{
	static const char line[] = "ready\n";

	if (opts->ready_fd < 0)
		return 0;
	if (write(opts->ready_fd, line, sizeof(line) - 1) != sizeof(line) - 1)
		return err_set(err, -errno, "cannot write to --ready-fd %d: %s", opts->ready_fd,
			       strerror(errno));
	return 0;
}

int live_run(const struct options *opts, unsigned views, const struct session_events *events,
	     struct err *err)
{
	struct session_opts session_opts = live_session_opts(opts, views);
	struct session *s = NULL;
	int rc = session_new(&session_opts, &s, err);

	if (!rc)
		rc = session_run(s, events, err);
	if (s) {
		/* env(1)'s 126 and 127 for a command that can't be executed; else the command's own. */
		int status = rc ? session_exec_failure(s) : session_exit_status(s);

		session_free(s);
		if (status >= 0) {
			if (rc)
				print_err(err);
			return status;
		}
	}
	return rc;
}
