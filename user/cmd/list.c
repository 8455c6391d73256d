/* SPDX-License-Identifier: BSD-2-Clause */
/* gallop list: the Go processes on this host. */
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "cmd/cmd.h"
#include "gobin/gobin.h"
#include "plan/plan.h"
#include "proc/container.h"
#include "proc/proc.h"

struct list {
	bool json;
	size_t rows;
	size_t hidden;		/* processes that we may not look at */
};

/* "exact", or why this binary can't be traced. */
static void say_traceable(struct gobin *bin, char *buf, size_t cap)
{
	struct plan_opts opts = { 0 };
	struct plan *plan;
	struct err err;

	if (plan_new(bin, &opts, &plan, &err)) {
		snprintf(buf, cap, "no: %s", err.msg);
		return;
	}
	snprintf(buf, cap, "exact, %zu probes%s", plan->probes_nr, plan->notes_nr ? ", unchecked" : "");
	plan_free(plan);
}

static void print_row(struct list *list, const struct proc *p, struct gobin *bin)
{
	const struct gobin_info *info = gobin_info(bin);
	char traceable[256];
	const char *module = info->main_path[0] ? info->main_path : info->module;

	struct container_id container = container_of_pid(p->pid);
	say_traceable(bin, traceable, sizeof(traceable));
	if (!list->rows++ && !list->json)
		printf("%7s  %-15s  %-12s  %-8s  %-12s  %-28s  %s\n", "PID", "NAME", "GO", "SYMBOLS",
		       "CONTAINER", "TRACEABLE", "MAIN PACKAGE");
	const char *symbols = info->stripped ? "stripped" : "yes";
	if (!list->json) {
		printf("%7d  %-15.15s  %-12.12s  %-8s  %-12.12s  %-28s  %s\n", p->pid, p->comm,
		       info->go_version[0] ? info->go_version : "?", symbols,
		       container.text[0] ? container.text : "-", traceable, module[0] ? module : "-");
		return;
	}
	printf("%s{\"pid\":%d,\"name\":", list->rows > 1 ? ",\n " : "\n ", p->pid);
	json_string(stdout, p->comm);
	printf(",\"go_version\":");
	json_string(stdout, info->go_version);
	printf(",\"main\":");
	json_string(stdout, module);
	printf(",\"stripped\":%s,\"container\":", info->stripped ? "true" : "false");
	json_string(stdout, container.text);
	printf(",\"traceable\":");
	json_string(stdout, traceable);
	printf("}");
}

static int look_at(pid_t pid, void *ctx)
{
	struct list *list = ctx;
	struct proc *p;
	struct gobin *bin;
	struct err err;
	int rc = proc_open(pid, &p, &err);

	if (rc) {
		list->hidden += rc == -EACCES;
		return 0;
	}
	if (!gobin_open(p->exe_path, &bin, &err)) {
		print_row(list, p, bin);
		gobin_free(bin);
	}
	proc_free(p);
	return 0;
}

int cmd_list(const struct options *opts, struct err *err)
{
	struct list list = { .json = opts->json };

	if (list.json)
		printf("[");
	int rc = proc_each(look_at, &list);
	if (rc < 0)
		return err_set(err, rc, "cannot read /proc: %s", strerror(-rc));
	if (list.json)
		printf("\n]\n");
	else if (!list.rows)
		printf("no Go process found\n");
	if (list.hidden)
		fprintf(stderr, "gallop: %zu processes of other users could not be looked at\n"
				"hint: run as root to see them\n", list.hidden);
	return EXIT_STATUS_OK;
}
