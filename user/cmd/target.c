/* SPDX-License-Identifier: BSD-2-Clause */
/* The process that -c/--container means: the one Go program in it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "gobin/gobin.h"
#include "proc/container_name.h"
#include "proc/proc.h"

enum { FOUND_MAX = 6 }; /* that a message names */

struct found {
	pid_t pid;
	char comm[32]; /* as in struct proc */
	struct container_id container;
};

struct search {
	const char *wanted;
	struct container_id
		asked; /* whose name was looked up last, as processes of one follow each other */
	enum container_fit asked_fit;
	enum container_fit
		fit; /* the best so far; all that follows is of containers that fit so well */
	bool denied; /* names may not be read */
	size_t found_nr, containers_nr; /* Go programs, and in how many containers */
	size_t others_nr; /* programs that aren't Go's, or can't be looked at */
	struct err other; /* why, of the first */
	struct found found[FOUND_MAX];
};

static enum container_fit fit_of(struct search *s, const struct container_id *id)
{
	enum container_fit fit = container_id_fits(id, s->wanted);

	if (fit == CONTAINER_BY_ID)
		return fit;
	if (strcmp(s->asked.text, id->text) != 0) {
		s->asked = *id;
		s->asked_fit = container_has_name(id, s->wanted, &s->denied) ? CONTAINER_BY_NAME
									     : CONTAINER_OTHER;
	}
	return s->asked_fit > fit ? s->asked_fit : fit;
}

static void add_found(struct search *s, const struct proc *p, const struct container_id *id)
{
	struct found found = { .pid = p->pid, .container = *id };
	bool known = false;

	memcpy(found.comm, p->comm, sizeof(found.comm));
	for (size_t i = 0; i < s->found_nr && i < FOUND_MAX; i++)
		known |= !strcmp(s->found[i].container.text, id->text);
	s->containers_nr += !known;
	if (s->found_nr < FOUND_MAX)
		s->found[s->found_nr] = found;
	s->found_nr++;
}

static int look_at(pid_t pid, void *ctx)
{
	struct search *s = ctx;
	struct container_id id = container_of_pid(pid);
	enum container_fit fit = id.text[0] ? fit_of(s, &id) : CONTAINER_OTHER;
	struct proc *p = NULL;
	struct gobin *bin = NULL;
	struct err err;

	if (fit == CONTAINER_OTHER || fit < s->fit)
		return 0;
	if (fit > s->fit) {
		s->fit = fit;
		s->found_nr = s->containers_nr = s->others_nr = 0;
	}
	int rc = proc_open(pid, &p, &err);
	if (!rc)
		rc = proc_open_exe(p, &bin, &err);
	if (!rc)
		add_found(s, p, &id);
	else if (!s->others_nr++)
		s->other = err;
	gobin_free(bin);
	proc_free(p);
	return 0;
}

static int none_found(const struct search *s, struct err *err)
{
	if (s->fit == CONTAINER_OTHER && s->denied) {
		err_set(err, -EACCES,
			"no container has the id '%.80s', and names of containers can't be read: "
			"%s",
			s->wanted, strerror(EACCES));
		err_hint(err, "names can be read by root only, ids by anybody: 'gallop list' shows "
			      "those of containers with Go programs");
		return -EACCES;
	}
	if (s->fit == CONTAINER_OTHER) {
		err_set(err, -ESRCH, "no process of a container '%.80s' is here", s->wanted);
		/* Where only the processes of one's own container are to be seen, no other can be found. */
		if (!proc_sees_host())
			err_hint(err, "gallop sees only the processes of its own container: start "
				      "it with --pid=host (Kubernetes: hostPID: true)");
		else
			err_hint(err,
				 "'gallop list' shows the ids of containers with Go programs; "
				 "'docker ps', 'podman ps' and 'crictl ps' tell whose they are");
		return -ESRCH;
	}
	/* One that may not be looked at is another thing than one that isn't Go's. */
	if (s->other.code == -EACCES || s->other.code == -EPERM) {
		*err = s->other;
		return err_wrap(err, "container '%.80s'", s->wanted);
	}
	return err_set(err, -ESRCH,
		       "no Go program among the %zu process%s of container '%.80s': %s",
		       s->others_nr, s->others_nr == 1 ? "" : "es", s->wanted, s->other.msg);
}

static int many_found(const struct search *s, struct err *err)
{
	char list[256];
	size_t len = 0;

	for (size_t i = 0; i < s->found_nr && i < FOUND_MAX && len < sizeof(list); i++)
		len += (size_t)snprintf(
			list + len, sizeof(list) - len, "%s%d (%s%s%.*s)", i ? ", " : "",
			s->found[i].pid, s->found[i].comm, s->containers_nr > 1 ? " in " : "",
			s->containers_nr > 1 ? CONTAINER_SHOWN_LEN : 0, s->found[i].container.text);
	if (s->found_nr > FOUND_MAX && len < sizeof(list))
		snprintf(list + len, sizeof(list) - len, " and %zu more", s->found_nr - FOUND_MAX);
	err_set(err, -ESRCH, "%zu Go programs are in %s '%.80s': %s", s->found_nr,
		s->containers_nr > 1 ? "containers" : "container", s->wanted, list);
	err_hint(err, "-p PID chooses one of them");
	return -ESRCH;
}

int target_find(struct options *opts, struct err *err)
{
	struct search search = { .wanted = opts->container };

	if (!opts->container)
		return 0;
	if (opts->pid || opts->argv || opts->file)
		return err_set(err, -EINVAL, "either -c CONTAINER or %s, not both",
			       opts->pid    ? "-p PID"
			       : opts->argv ? "a command"
					    : "a file");
	int rc = proc_check_pids(err);
	if (rc)
		return rc;
	rc = proc_each(look_at, &search);
	if (rc < 0)
		return err_set(err, rc, "cannot read /proc: %s", strerror(-rc));
	if (!search.found_nr)
		return none_found(&search, err);
	if (search.found_nr > 1)
		return many_found(&search, err);
	opts->pid = search.found[0].pid;
	return 0;
}
