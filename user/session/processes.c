/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/processes.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/caps.h"
#include "base/u64.h"
#include "bpf/wire.h"
#include "gobin/gobin.h"
#include "model/model.h"
#include "probe/files.h"
#include "probe/probe.h"
#include "proc/proc.h"
#include "session/truth.h"

enum {
	RESCANS_MAX = 2,
	RESCAN_MS = 20,
	READS_MAX =
		64, /* between two intervals: each takes some 50 us, of a process that allocates */
};

enum life { LIFE_GOES_ON, LIFE_EXITED, LIFE_EXECED };

struct process {
	pid_t pid;
	uint32_t at; /* its index in the kernel's table */
	struct proc *proc; /* NULL: it can't be looked at, or no more */
	struct truth truth;
	enum life life;
	bool later; /* it wasn't there at the start */
	bool stopped; /* when it was found */
	bool said_last; /* the end of its truth is its exit */
};

struct processes {
	struct gobin *bin; /* borrowed */
	struct proc *first;
	struct process v[WIRE_PROCESSES_MAX];
	size_t nr;
	bool met[WIRE_PROCESSES_MAX]; /* indexes of the kernel's table that v has */
	size_t next_read;
	size_t hidden_nr; /* processes of which nobody tells us what they execute */
	struct err
		unopened; /* of the last that was found and can't be looked at; code 0: there was none */
};

/* --- finding them ------------------------------------------------------------------------------- */

struct search {
	struct processes *ps;
	struct stat file;
	size_t found_nr;
};

static int look_at(pid_t pid, void *ctx)
{
	struct search *s = ctx;
	struct process p = { .pid = pid, .at = WIRE_PROCESS_NONE };
	char path[64];
	struct stat st;
	struct err err;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (stat(path, &st)) {
		s->ps->hidden_nr += errno == EACCES || errno == EPERM;
		return 0;
	}
	if (st.st_dev != s->file.st_dev || st.st_ino != s->file.st_ino)
		return 0;
	if (s->found_nr++ >= PROCESSES_BEGIN_MAX)
		return 0;
	int rc = proc_open(pid, &p.proc, &err);
	if (!rc)
		s->ps->v[s->ps->nr++] = p;
	else if (rc == -EACCES || rc == -EPERM)
		s->ps->unopened = err;
	return 0;
}

static int none_found(const struct search *s, const char *path, struct err *err)
{
	if (s->ps->unopened.code) {
		*err = s->ps->unopened;
		return err->code;
	}
	if (s->ps->hidden_nr && caps_missing(CAPS(CAP_SYS_PTRACE))) {
		err_set(err, -EACCES,
			"no process that may be looked at executes '%s', and %zu may not be", path,
			s->ps->hidden_nr);
		caps_explain(err, CAPS(CAP_SYS_PTRACE));
		return -EACCES;
	}
	err_set(err, -ESRCH, "no process executes '%s'", path);
	err_hint(err, "'gallop list' shows Go processes; of one whose file was replaced it is "
		      "/proc/PID/exe");
	return -ESRCH;
}

static int find(struct processes *ps, const char *path, struct err *err)
{
	struct search s = { .ps = ps };
	int rc = proc_check_pids(err);

	if (rc)
		return rc;
	if (!proc_sees_host()) {
		err_set(err, -ENOTSUP, "in a container the host's processes can't be told apart");
		err_hint(err, "start gallop with --pid=host (Kubernetes: hostPID: true)");
		return -ENOTSUP;
	}
	if (stat(path, &s.file))
		return err_set(err, errno == ENOENT ? -ESRCH : -errno, "cannot look at '%s': %s",
			       path, strerror(errno));
	if (!S_ISREG(s.file.st_mode))
		return err_set(err, -EINVAL, "'%s' is no executable", path);
	rc = files_reserve(FILES_NEEDED + PROCESSES_BEGIN_MAX, err);
	if (rc)
		return rc;
	ps->hidden_nr = 0;
	ps->unopened = (struct err){ 0 };
	rc = proc_each(look_at, &s);
	if (rc < 0)
		return err_set(err, rc, "cannot read /proc: %s", strerror(-rc));
	if (s.found_nr > PROCESSES_BEGIN_MAX) {
		err_set(err, -E2BIG, "%zu processes execute '%s': %d are the most", s.found_nr,
			path, PROCESSES_BEGIN_MAX);
		err_hint(err, "-p PID chooses one of them");
		return -E2BIG;
	}
	return ps->nr ? 0 : none_found(&s, path, err);
}

/* It isn't looked at any more. The first one's names stay. */
static void let_go(struct processes *ps, struct process *p)
{
	if (p->proc != ps->first)
		proc_free(p->proc);
	p->proc = NULL;
}

/* The file, through one of them; -ESRCH: it has gone, or executes another by now. */
static int open_file(struct processes *ps, const struct proc *proc, struct err *err)
{
	struct gobin *bin;
	int rc = proc_open_exe(proc, &bin, err);

	if (rc)
		return err_wrap(err, "process %d (%s)", proc->pid, proc->comm);
	if (gobin_info(bin)->exe_dev == proc->exe_dev &&
	    gobin_info(bin)->exe_ino == proc->exe_ino) {
		ps->bin = bin;
		return 0;
	}
	gobin_free(bin);
	return err_set(err, -ESRCH, "process %d (%s) has executed something", proc->pid,
		       proc->comm);
}

/* Through the first that is still there; who was before it isn't looked at any more. */
static int find_and_open(struct processes *ps, const char *path, struct err *err)
{
	int rc = find(ps, path, err);
	size_t gone = 0;

	if (rc)
		return rc;
	while ((rc = open_file(ps, ps->v[gone].proc, err)) == -ESRCH && gone + 1 < ps->nr)
		let_go(ps, &ps->v[gone++]);
	ps->nr -= gone;
	memmove(ps->v, ps->v + gone, ps->nr * sizeof(ps->v[0]));
	if (rc) {
		for (size_t i = 0; i < ps->nr; i++)
			let_go(ps, &ps->v[i]);
		ps->nr = 0;
	}
	return rc;
}

int processes_open(const char *path, struct processes **ret, struct gobin **bin_ret,
		   struct err *err)
{
	struct processes *ps = calloc(1, sizeof(*ps));

	if (!ps)
		return err_set(err, -ENOMEM, "out of memory");
	*ret = ps;
	int rc = find_and_open(ps, path, err);
	/*
	 * All that were found may have ended, and others begun; and one that is about to begin can't be looked at, whoever asks.
	 * A moment later that isn't so by chance.
	 */
	for (int i = 0; i < RESCANS_MAX && (rc == -ESRCH || rc == -EACCES); i++) {
		poll(NULL, 0, RESCAN_MS);
		rc = find_and_open(ps, path, err);
	}
	if (rc)
		return rc;
	ps->first = ps->v[0].proc;
	for (size_t i = 1; i < ps->nr; i++)
		ps->first->caps |= ps->v[i].proc->caps;
	*bin_ret = ps->bin;
	return 0;
}

void processes_free(struct processes *ps)
{
	if (!ps)
		return;
	for (size_t i = 0; i < ps->nr; i++)
		let_go(ps, &ps->v[i]);
	proc_free(ps->first);
	free(ps);
}

const struct proc *processes_first(const struct processes *ps)
{
	return ps->first;
}

/* --- each life ---------------------------------------------------------------------------------- */

static void end_life(struct processes *ps, struct process *p, enum life life)
{
	p->life = life;
	let_go(ps, p);
}

static void locate(struct processes *ps, struct process *p, uint64_t load_bias)
{
	truth_init(&p->truth, p->proc, ps->bin, load_bias);
	p->truth.process = p->at;
	ps->met[p->at] = true;
}

int processes_locate(struct processes *ps, struct probe *probe, struct err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < ps->nr; i++) {
		struct process *p = &ps->v[i];
		uint64_t bias;

		/* Who has gone, or become another program, meanwhile was never one of them. */
		int rc = proc_load_bias(p->proc, ps->bin, &bias, err);
		if (!rc)
			rc = probe_add_process(probe, p->pid, bias, &p->at);
		/* From here on the kernel's side knows it. */
		if (!rc && proc_state(p->proc) != PROC_SAME)
			rc = err_set(err, -ESRCH, "process %d has ended", p->pid);
		if (rc) {
			let_go(ps, p);
			continue;
		}
		p->stopped = p->proc->stopped;
		ps->v[kept] = *p;
		locate(ps, &ps->v[kept++], bias);
	}
	ps->nr = kept;
	return kept ? 0 : err->code;
}

void processes_begin(struct processes *ps, const struct probe *probe, struct model *m)
{
	model_add_note(m,
		       "of many processes allocations alone are counted: not stops, GC cycles or "
		       "maps");
	for (size_t i = 0; i < ps->nr; i++)
		truth_begin(&ps->v[i].truth, probe);
}

/*
 * By the inode alone: each container of an image has a file system of its own, with another device, and the kernel's
 * probes are in the file that lies below.
 */
static bool runs_it(const struct processes *ps, const struct process *p)
{
	return p->proc->exe_ino == gobin_info(ps->bin)->exe_ino;
}

/* One that was met by what it allocates. It may have ended, or be another program, by now. */
static void meet(struct processes *ps, const struct probe *probe, uint32_t at,
		 const struct wire_process *seen)
{
	struct process p = { .pid = (pid_t)seen->pid, .at = at, .later = true };
	struct err err;

	if (ps->nr == WIRE_PROCESSES_MAX)
		return;
	int rc = proc_open(p.pid, &p.proc, &err);
	if (rc == -ESRCH)
		p.life = LIFE_EXITED;
	else if (!rc && !runs_it(ps, &p))
		let_go(ps, &p); /* it has executed something since */
	locate(ps, &p, seen->load_bias);
	p.truth.readable &= p.proc != NULL;
	if (seen->from_zero)
		truth_begin_at_zero(&p.truth, seen->begin_ns);
	else
		truth_begin(&p.truth, probe);
	ps->v[ps->nr++] = p;
}

static void meet_new(struct processes *ps, const struct probe *probe)
{
	uint32_t nr = probe_processes_nr(probe);

	for (uint32_t at = 0; at < nr; at++) {
		struct wire_process seen;

		if (ps->met[at])
			continue;
		probe_process(probe, at, &seen);
		if (seen.pid)
			meet(ps, probe, at, &seen);
	}
}

/* One that could not be looked at, perhaps because it was about to exit. */
static bool is_gone(pid_t pid)
{
	struct proc *proc;
	struct err err;
	int rc = proc_open(pid, &proc, &err);

	if (!rc)
		proc_free(proc);
	return rc == -ESRCH;
}

/* Who has exited? One system call for all that are looked at. */
static void see_exits(struct processes *ps)
{
	struct pollfd fds[WIRE_PROCESSES_MAX];

	for (size_t i = 0; i < ps->nr; i++)
		if (!ps->v[i].proc && ps->v[i].life == LIFE_GOES_ON && is_gone(ps->v[i].pid))
			ps->v[i].life = LIFE_EXITED;

	for (size_t i = 0; i < ps->nr; i++)
		fds[i] = (struct pollfd){ .fd = ps->v[i].proc ? ps->v[i].proc->pidfd : -1,
					  .events = POLLIN };
	if (poll(fds, ps->nr, 0) <= 0)
		return;
	for (size_t i = 0; i < ps->nr; i++)
		if (fds[i].revents & POLLIN)
			end_life(ps, &ps->v[i], LIFE_EXITED);
}

/* Is it another program by now? The kernel's side tells at once: what is read after that isn't this one's. */
static bool has_executed(const struct probe *probe, const struct process *p)
{
	struct wire_process now;

	probe_process(probe, p->at, &now);
	return now.executed;
}

static void see_execs(struct processes *ps, const struct probe *probe)
{
	for (size_t i = 0; i < ps->nr; i++)
		if (ps->v[i].life == LIFE_GOES_ON && has_executed(probe, &ps->v[i]))
			end_life(ps, &ps->v[i], LIFE_EXECED);
}

bool processes_look(struct processes *ps, const struct probe *probe)
{
	bool left = false;

	/* One that has executed something and exited is no more one of them when it exits. */
	see_execs(ps, probe);
	see_exits(ps);
	meet_new(ps, probe);
	for (size_t i = 0; i < ps->nr && !left; i++)
		left = ps->v[i].life == LIFE_GOES_ON;
	return left;
}

static void read_one(const struct probe *probe, struct process *p)
{
	struct truth truth = p->truth;

	if (!p->proc || p->said_last)
		return;
	truth_read(&truth, probe);
	if (!has_executed(probe, p))
		p->truth = truth;
}

void processes_read(struct processes *ps, const struct probe *probe, bool last)
{
	(void)processes_look(ps, probe);
	size_t nr = last ? ps->nr : min_u64(ps->nr, READS_MAX);

	for (size_t i = 0; i < nr; i++)
		read_one(probe, &ps->v[ps->next_read++ % ps->nr]);
}

void processes_take_exit(struct processes *ps, const struct probe *probe,
			 const struct wire_mark *mark)
{
	meet_new(ps, probe);
	for (size_t i = 0; i < ps->nr; i++) {
		struct process *p = &ps->v[i];

		if (p->at != mark->process)
			continue;
		truth_take_exit(&p->truth, mark);
		p->said_last = true;
		return;
	}
}

/* --- what they come to -------------------------------------------------------------------------- */

static bool is_checked(const struct process *p)
{
	return p->truth.begun && p->truth.ended;
}

static bool is_unchecked(const struct process *p)
{
	return !is_checked(p);
}

static bool is_any(const struct process *p)
{
	(void)p;
	return true;
}

/* A process that executes the file again has lives of its own, and is one all the same: its first of a kind stands for it. */
static bool is_first(const struct processes *ps, size_t at, bool (*is_one)(const struct process *p))
{
	if (!is_one(&ps->v[at]))
		return false;
	for (size_t i = 0; i < at; i++)
		if (ps->v[i].pid == ps->v[at].pid && is_one(&ps->v[i]))
			return false;
	return true;
}

static size_t count(const struct processes *ps, bool (*is_one)(const struct process *p))
{
	size_t nr = 0;

	for (size_t i = 0; i < ps->nr; i++)
		nr += is_first(ps, i, is_one);
	return nr;
}

/* Those whose runtime's count isn't known. */
struct left_out {
	uint64_t objects, of; /* theirs, and those of all */
};

/* What is true of most of them may not be shown as true of all. */
static void leave_out(const struct processes *ps, const struct left_out *left,
		      struct model_check *sum)
{
	if (!sum->known || left->objects <= left->of / 100)
		return;
	memset(sum, 0, sizeof(*sum));
	snprintf(sum->why_not, sizeof(sum->why_not),
		 "of %zu of %zu processes, which have %.0f %% of the objects, the runtime's count "
		 "was not read",
		 count(ps, is_unchecked), count(ps, is_any),
		 100.0 * (double)left->objects / (double)left->of);
}

static void add_check(struct model_check *sum, const struct model_check *one)
{
	sum->from_mono_ns = sum->known ? min_u64(sum->from_mono_ns, one->from_mono_ns)
				       : one->from_mono_ns;
	sum->to_mono_ns = max_u64(sum->to_mono_ns, one->to_mono_ns);
	sum->runtime_objects += one->runtime_objects;
	sum->gallop_objects += one->gallop_objects;
	sum->slack += one->slack;
	sum->known = true;
}

static void to_check(const struct processes *ps, const struct probe *probe, struct model_check *sum)
{
	struct left_out left = { 0 };

	memset(sum, 0, sizeof(*sum));
	for (size_t i = 0; i < ps->nr; i++) {
		struct wire_process has;
		struct model_check one;

		probe_process(probe, ps->v[i].at, &has);
		left.of += has.objects;
		truth_to_check(&ps->v[i].truth, &one);
		if (one.known) {
			add_check(sum, &one);
			continue;
		}
		left.objects += has.objects;
		memcpy(sum->why_not, one.why_not, sizeof(sum->why_not));
	}
	if (sum->known)
		sum->why_not[0] = '\0';
	leave_out(ps, &left, sum);
}

/* A note of how many there are of a kind, and which, as far as there is room. */
static void note(const struct processes *ps, struct model *m,
		 bool (*is_one)(const struct process *p), const char *one, const char *many)
{
	char text[160];
	size_t nr = count(ps, is_one), len = 0, named = 0;

	if (!nr)
		return;
	len = (size_t)snprintf(text, sizeof(text), "%zu %s: ", nr, nr == 1 ? one : many);
	for (size_t i = 0; i < ps->nr && len + 16 < sizeof(text); i++)
		if (is_first(ps, i, is_one))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d",
						named++ ? ", " : "", ps->v[i].pid);
	if (named < nr && len + 4 < sizeof(text))
		snprintf(text + len, sizeof(text) - len, ", ...");
	model_add_note(m, text);
}

static bool has_come(const struct process *p)
{
	return p->later && p->truth.begun && !p->truth.begin.runtime_objects;
}

static bool was_met_later(const struct process *p)
{
	return p->later && !has_come(p);
}

static bool was_stopped(const struct process *p)
{
	return p->stopped;
}

static bool has_exited(const struct process *p)
{
	return p->life == LIFE_EXITED;
}

static bool has_execed(const struct process *p)
{
	return p->life == LIFE_EXECED;
}

/* It had no exit of its own: killed, or another program. */
static bool is_checked_in_part(const struct process *p)
{
	return is_checked(p) && p->life != LIFE_GOES_ON && !p->said_last;
}

static void add_notes(const struct processes *ps, struct model *m)
{
	note(ps, m, has_come, "process began meanwhile and is counted from its first object",
	     "processes began meanwhile and are counted from their first object");
	note(ps, m, was_met_later, "process more executed the file, and is counted too",
	     "processes more executed the file, and are counted too");
	note(ps, m, was_stopped, "process was stopped (SIGSTOP, or a debugger) when gallop came",
	     "processes were stopped (SIGSTOP, or a debugger) when gallop came");
	note(ps, m, has_exited, "process has exited and is counted until then",
	     "processes have exited and are counted until then");
	note(ps, m, has_execed, "process has executed something, and is counted until then",
	     "processes have executed something, and are counted until then");
	note(ps, m, is_checked_in_part, "process ended without an exit: its check ends before it",
	     "processes ended without an exit: their check ends before it");
	note(ps, m, is_unchecked, "process isn't in the check, its runtime's count was not read",
	     "processes aren't in the check, their runtime's count was not read");
	if (ps->unopened.code)
		model_add_note(m, ps->unopened.msg);
}

/* One that has executed the same file again is there twice. */
static void add_pid(struct model_meta *meta, pid_t pid)
{
	_Static_assert((int)MODEL_PIDS_MAX >= (int)WIRE_PROCESSES_MAX, "there is room for all");
	for (size_t i = 0; i < meta->pids_nr; i++)
		if (meta->pids[i] == pid)
			return;
	meta->pids[meta->pids_nr++] = pid;
}

void processes_to_model(const struct processes *ps, const struct probe *probe, struct model *m,
			bool last)
{
	struct model_meta *meta = model_meta(m);

	to_check(ps, probe, model_check(m));
	meta->pids_nr = 0;
	for (size_t i = 0; i < ps->nr; i++)
		add_pid(meta, ps->v[i].pid);
	if (last)
		add_notes(ps, m);
}
