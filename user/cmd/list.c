/* SPDX-License-Identifier: BSD-2-Clause */
/* gallop list: the Go processes on this host. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cmd/cmd.h"
#include "gobin/gobin.h"
#include "plan/plan.h"
#include "proc/container.h"
#include "proc/proc.h"
#include "render/json_writer.h"

struct list {
	bool json;
	struct json_writer writer;
	size_t rows;
	size_t hidden; /* processes that we may not look at */
};

struct row {
	const struct proc *proc;
	const struct gobin_info *info;
	struct container_id container;
	char traceable[256]; /* "exact, 12 probes", or why not */
};

static void say_traceable(struct gobin *bin, struct row *row)
{
	struct plan_opts opts = { 0 };
	struct plan *plan;
	struct err err;

	if (plan_new(bin, &opts, &plan, &err)) {
		snprintf(row->traceable, sizeof(row->traceable), "no: %s", err.msg);
		return;
	}
	snprintf(row->traceable, sizeof(row->traceable), "exact, %zu probes%s", plan->probes_nr,
		 plan->notes_nr ? ", unchecked" : "");
	plan_free(plan);
}

static void print_json(struct json_writer *w, const struct row *row)
{
	json_open_flat(w, NULL, '{');
	json_number(w, "pid", (uint64_t)row->proc->pid);
	json_string(w, "name", row->proc->comm);
	json_string(w, "go_version", row->info->go_version);
	json_string(w, "main", row->info->main_path);
	json_string(w, "module", row->info->module);
	json_bool(w, "stripped", row->info->stripped);
	json_string(w, "container", row->container.text);
	json_string(w, "traceable", row->traceable);
	json_close(w, '}');
}

/* What comes from the process or its file may hold anything: only clean text reaches the terminal. */
static void print_text(const struct row *row, bool first)
{
	char comm[32], version[64], main_path[256], traceable[256];

	utf8_clean(comm, sizeof(comm), row->proc->comm);
	utf8_clean(version, sizeof(version), row->info->go_version);
	utf8_clean(main_path, sizeof(main_path), row->info->main_path);
	utf8_clean(traceable, sizeof(traceable), row->traceable);
	if (first)
		printf("%7s  %-15s  %-10s  %-8s  %-12s  %-17s  %s\n", "PID", "NAME", "GO",
		       "SYMBOLS", "CONTAINER", "TRACEABLE", "MAIN PACKAGE");
	printf("%7d  %-15s  %-10s  %-8s  %-12.*s  %-17s  %s\n", row->proc->pid, comm,
	       version[0] ? version : "?", row->info->stripped ? "stripped" : "yes",
	       CONTAINER_SHOWN_LEN, row->container.text[0] ? row->container.text : "-", traceable,
	       main_path[0] ? main_path : "-");
}

static void print_row(struct list *list, const struct proc *p, struct gobin *bin)
{
	struct row row = { .proc = p,
			   .info = gobin_info(bin),
			   .container = container_of_pid(p->pid) };

	say_traceable(bin, &row);
	if (list->json)
		print_json(&list->writer, &row);
	else
		print_text(&row, !list->rows);
	list->rows++;
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
	if (!proc_open_exe(p, &bin, &err)) {
		print_row(list, p, bin);
		gobin_free(bin);
	}
	proc_free(p);
	return 0;
}

int cmd_list(const struct options *opts, struct err *err)
{
	struct list list = { .json = opts->json, .writer = { .out = stdout, .first = true } };

	int rc = proc_check_pids(err);

	if (rc)
		return rc;
	if (list.json)
		json_open(&list.writer, NULL, '[');
	rc = proc_each(look_at, &list);
	if (rc < 0)
		return err_set(err, rc, "cannot read /proc: %s", strerror(-rc));
	if (list.json)
		json_close(&list.writer, ']');
	else if (!list.rows)
		printf("no Go process found\n");
	if (list.hidden)
		fprintf(stderr, "gallop: %zu other process%s could not be looked at\n%s",
			list.hidden, list.hidden == 1 ? "" : "es",
			geteuid() ? "hint: run as root to see them\n" : "");
	return EXIT_STATUS_OK;
}
