/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/u64.h"
#include "bpf/wire.h"
#include "gobin/gobin.h"
#include "model/model.h"
#include "plan/plan.h"
#include "proc/gomap.h"
#include "proc/mprof.h"
#include "proc/proc.h"
#include "session/child.h"
#include "session/describe.h"
#include "session/gc_truth.h"
#include "session/heap_watch.h"
#include "session/privileges.h"
#include "session/processes.h"
#include "session/sampling.h"
#include "session/signals.h"
#include "session/truth.h"
#include "stream/stream.h"
#include "symbol/symbol.h"

enum {
	TICK_NS = 100 * 1000 * 1000, /* how often the ring is emptied: it holds 40,000 new stacks */
	LOOK_NS = 1000 * 1000 * 1000, /* how often /proc is asked whether it is the same program */
	OWN_SHARE = 50, /* an interval lasts at least so many times what its end costs ... */
};

static const uint64_t stretch_max_ns = 10ULL * 1000 * 1000 * 1000; /* ... but no longer than this */

struct session {
	struct session_opts opts;
	struct child child;
	bool started_child;
	int exec_failure; /* 126 or 127 when it could not be executed, else -1 */
	struct proc *proc; /* NULL for a child that ended before it could be looked at, and: */
	struct processes *many; /* all of one file; else NULL */
	struct gobin *bin;
	struct plan *plan;
	struct probe *probe;
	struct model *model;
	struct symbolizer *symbolizer;
	struct stream *stream;
	struct truth truth;
	struct gc_truth gc_truth;
	struct gomap_reader maps;
	bool located; /* where the executable is loaded is known */
	struct sampling *sampling; /* NULL: every event is counted, or nothing could be sampled */
	struct heap_watch heap;
	int epoll_fd, timer_fd, signal_fd, pid_fd;
	int input_fd; /* borrowed; -1: none */
	sigset_t old_mask;
	uint64_t start_ns, interval_ns; /* when counting, and the current interval, began */
	uint64_t stop_ns; /* when counting ended */
	uint64_t tried_ns; /* when that was last to end; it may go on where it couldn't be taken */
	uint64_t looked_ns; /* when it was last seen to be the same program */
	uint64_t work_ns[2]; /* CPU time that the ends of the last two intervals took */
	const char *end_reason; /* NULL while it runs */
};

/* --- making one ------------------------------------------------------------------------------- */

static void on_mark(const struct wire_mark *wire, void *ctx)
{
	struct session *s = ctx;

	if (s->many)
		processes_take_exit(s->many, s->probe, wire);
	else if (wire->place == WIRE_PLACE_EXIT)
		truth_take_exit(&s->truth, wire);
	else
		truth_take_stop(wire, s->model);
}

static void on_totals(const struct wire_totals *totals, void *ctx)
{
	struct session *s = ctx;

	if (s->sampling)
		sampling_take_exit(s->sampling, totals);
}

static int open_target(struct session *s, struct err *err)
{
	if (s->opts.exe)
		return processes_open(s->opts.exe, &s->many, &s->bin, err);
	if (!s->opts.argv) {
		int rc = proc_open(s->opts.pid, &s->proc, err);
		if (rc)
			return rc;
		rc = proc_open_exe(s->proc, &s->bin, err);
		return rc ? err_wrap(err, "process %d (%s)", s->proc->pid, s->proc->comm) : 0;
	}
	int rc = child_spawn(s->opts.argv, s->opts.child_output, &s->child, &s->exec_failure, err);
	if (rc)
		return rc;
	s->started_child = true;
	return gobin_open(s->child.path, &s->bin, err);
}

static bool is_sampled(const struct session *s)
{
	return s->opts.mode != SESSION_EXACT;
}

static bool has_op_windows(const struct session *s)
{
	return is_sampled(s) && s->opts.ops_nr > 0;
}

static int make_model(struct session *s, struct err *err)
{
	struct stream_opts stream = {
		.probe = s->probe, .on_mark = on_mark, .on_totals = on_totals, .on_mark_ctx = s
	};

	if (model_new(&s->model) || symbolizer_new(s->bin, s->model, &s->symbolizer))
		return err_set(err, -ENOMEM, "out of memory");
	stream.model = s->model;
	stream.symbolizer = s->symbolizer;
	stream.maps = s->plan->maps;
	stream.plan = s->plan;
	stream.sampled = is_sampled(s) && !has_op_windows(s);
	return stream_new(&stream, &s->stream, err);
}

static int watch(struct session *s, int fd, struct err *err)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (fd < 0 || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &ev))
		return err_set(err, -errno, "cannot watch for events: %s", strerror(errno));
	return 0;
}

static int open_clock(struct session *s, struct err *err)
{
	struct itimerspec tick = { .it_interval.tv_nsec = TICK_NS, .it_value.tv_nsec = TICK_NS };

	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->signal_fd = signals_open();
	s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	/* Of the process that was looked at, whoever has its pid by now. Of many it is seen at the next tick who has ended. */
	if (!s->many)
		s->pid_fd = s->proc ? fcntl(s->proc->pidfd, F_DUPFD_CLOEXEC, 0)
				    : (int)syscall(SYS_pidfd_open, s->child.pid, 0);
	if (s->timer_fd >= 0)
		timerfd_settime(s->timer_fd, 0, &tick, NULL);
	int fds[] = { s->signal_fd, s->timer_fd, probe_event_fd(s->probe), s->pid_fd };
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]) - (s->many != NULL); i++) {
		int rc = watch(s, fds[i], err);
		if (rc)
			return rc;
	}
	return 0;
}

/* Of operations windows are all there is. */
static int check_switching(const struct session *s, struct err *err)
{
	if (!has_op_windows(s) || probe_can_switch(s->probe))
		return 0;
	err_set(err, -ENOTSUP,
		"operations can't be measured in windows: these need uprobe_multi links (Linux "
		"6.6)");
	err_hint(err, "--mode exact measures every call, all the time");
	return -ENOTSUP;
}

/* Probes go to whoever has the pid at that moment, and stay with it. If the one that was looked at is still there, it was then. */
static int check_attached(const struct session *s, struct err *err)
{
	if (!s->proc || proc_state(s->proc) == PROC_SAME)
		return 0;
	return err_set(err, -ESRCH,
		       "process %d (%s) has ended, or become another program, meanwhile",
		       s->proc->pid, s->proc->comm);
}

/* Who stands for the target; NULL for a command that has not begun, or was gone too soon. */
static const struct proc *shown_proc(const struct session *s)
{
	return s->many ? processes_first(s->many) : s->proc;
}

static int set_up(struct session *s, struct err *err)
{
	struct plan_opts plan = { .views = s->opts.views,
				  .by_goroutine = s->opts.by_goroutine,
				  .many = s->opts.exe != NULL,
				  .depth = s->opts.depth,
				  .ops = s->opts.ops,
				  .ops_nr = s->opts.ops_nr,
				  .ops_only = s->opts.ops_only,
				  .sampled = is_sampled(s) };
	struct probe_opts probe = { .attach = s->opts.attach, .sites_max = s->opts.sites_max };
	int rc = open_target(s, err);

	plan.profiled = !rc && plan.sampled && mprof_is_linked(s->bin);
	rc = rc ? rc : plan_new(s->bin, &plan, &s->plan, err);
	rc = rc ? rc : probe_new(s->plan, &probe, &s->probe, err);
	rc = rc ? rc : check_switching(s, err);
	rc = rc ? rc : make_model(s, err);
	rc = rc ? rc : open_clock(s, err);
	if (!rc)
		rc = probe_attach(s->probe, gobin_fd(s->bin),
				  s->many ? PROBE_ALL_PROCESSES : session_pid(s), err);
	rc = rc ? rc : check_attached(s, err);
	return rc ? rc : privileges_drop(s->probe, is_sampled(s), shown_proc(s), err);
}

int session_new(const struct session_opts *opts, struct session **ret, struct err *err)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, -ENOMEM, "out of memory");
	s->opts = *opts;
	s->exec_failure = -1;
	s->child = (struct child){ .go_fd = -1, .exec_fd = -1 };
	s->epoll_fd = s->timer_fd = s->signal_fd = s->pid_fd = s->input_fd = -1;
	sigprocmask(SIG_BLOCK, NULL, &s->old_mask);
	*ret = s;
	return set_up(s, err);
}

void session_free(struct session *s)
{
	if (!s)
		return;
	sampling_free(s->sampling);
	probe_free(s->probe);
	if (s->started_child)
		child_deinit(&s->child);
	stream_free(s->stream);
	heap_watch_deinit(&s->heap);
	symbolizer_free(s->symbolizer);
	model_free(s->model);
	plan_free(s->plan);
	gobin_free(s->bin);
	proc_free(s->proc);
	processes_free(s->many);
	signals_drop(s->signal_fd);
	cleanup_close(&s->epoll_fd);
	cleanup_close(&s->timer_fd);
	cleanup_close(&s->signal_fd);
	cleanup_close(&s->pid_fd);
	sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
	free(s);
}

void session_name_end(struct session *s, const char *reason)
{
	s->end_reason = reason;
}

int session_watch(struct session *s, int fd, struct err *err)
{
	s->input_fd = fd;
	return watch(s, fd, err);
}

void session_set_interval(struct session *s, uint64_t ns)
{
	s->opts.interval_ns = ns;
}

struct model *session_model(struct session *s)
{
	return s->model;
}

pid_t session_pid(const struct session *s)
{
	if (s->many)
		return processes_first(s->many)->pid;
	return s->started_child ? s->child.pid : s->opts.pid;
}

int session_exec_failure(const struct session *s)
{
	return s->exec_failure;
}

/* --- running ---------------------------------------------------------------------------------- */

static void fill_meta(struct session *s)
{
	struct model_meta *meta = model_meta(s->model);

	describe_target(s->model, s->bin, shown_proc(s), s->child.path);
	if (s->proc)
		describe_state(s->model, s->proc);
	snprintf(meta->mode, sizeof(meta->mode), "%s", is_sampled(s) ? "auto" : "exact");
	snprintf(meta->attach, sizeof(meta->attach), "%s", probe_attach_name(s->probe));
	for (size_t i = 0; i < s->plan->notes_nr; i++)
		model_add_note(s->model, s->plan->notes[i]);
	/* One that samples looks for them again and again, and says so with what it costs. */
	if (!is_sampled(s) && probe_other_places(s->probe))
		model_add_note(s->model, "another tracer is attached to this process, too: each "
					 "makes what the other measures slower");
	if (has_op_windows(s) && s->opts.heap)
		model_add_note(s->model, "allocations outside of operations were not looked at: "
					 "--mode exact records both");
	meta->pid = session_pid(s);
	meta->start_mono_ns = s->start_ns;
	meta->start_unix_ns = clock_ns(CLOCK_REALTIME);
}

/* Find where the executable is loaded, and with it the runtime's counters. */
static void locate(struct session *s)
{
	struct err err;
	uint64_t bias;

	if (!s->proc || proc_load_bias(s->proc, s->bin, &bias, &err))
		return;
	model_meta(s->model)->load_bias = bias;
	s->located = true;
	truth_init(&s->truth, s->proc, s->bin, bias);
	gc_truth_init(&s->gc_truth, s->proc, s->plan, bias);
	/* Of a program that has no memory profile the model knows why. */
	if (s->opts.heap)
		heap_watch_init(&s->heap, s->proc, s->bin, bias, s->symbolizer, s->model, &err);
	/* Single maps aren't followed where only some of what happens to them is seen. */
	if (!s->plan->maps || is_sampled(s))
		return;
	if (!probe_has(s->probe, PLAN_PROG_MAP_LOOK))
		model_add_note(s->model,
			       "what the last operation on a map did may stay open: this kernel "
			       "has no bpf_loop (Linux 5.17)");
	if (gomap_reader_init(&s->maps, s->proc, s->bin, bias, &err))
		model_add_note(s->model, "what maps hold can't be seen: the heap of this program "
					 "was not found");
	else
		stream_set_map_reader(s->stream, &s->maps);
}

/* The last word of the runtime before the probes go, or one more before the next interval. */
static void read_truth(struct session *s)
{
	struct truth truth = s->truth;
	struct gc_truth gc_truth = s->gc_truth;

	if (s->many)
		processes_read(s->many, s->probe, s->end_reason != NULL);
	if (!is_sampled(s))
		truth_read(&truth, s->probe);
	gc_truth_read(&gc_truth, s->probe);
	if (s->sampling)
		sampling_read(s->sampling);
	/* What another program says, after an exec, doesn't belong to what this one said before. */
	if (!s->proc || proc_state(s->proc) != PROC_SAME || !probe_is_counting(s->probe)) {
		if (s->sampling)
			sampling_forget(s->sampling);
		return;
	}
	s->truth = truth;
	s->gc_truth = gc_truth;
	if (s->sampling)
		sampling_take(s->sampling);
}

/* Totals and windows; a target that has ended already leaves nothing to sample. */
static int start_sampling(struct session *s, struct err *err)
{
	const struct sampling_opts opts = {
		.proc = s->proc,
		.bin = s->bin,
		.probe = s->probe,
		.stream = s->stream,
		.model = s->model,
		.load_bias = model_meta(s->model)->load_bias,
		.budget = s->opts.budget,
		.from_zero = s->started_child,
	};

	return s->located ? sampling_start(&opts, &s->sampling, err) : 0;
}

/* It may have ended already; its probes have counted all the same. Without its memory nothing is sampled. */
static int open_command(struct session *s, struct err *err)
{
	int rc = proc_open(s->child.pid, &s->proc, err);

	if (!rc || rc == -ESRCH || is_sampled(s))
		return rc == -ESRCH ? 0 : rc;
	model_add_note(s->model, "of the runtime's own numbers only those at its end are known: "
				 "gallop may not look into this process");
	return 0;
}

/* Begin to count: a command at its first instruction, a running process at one moment everywhere. */
static int start(struct session *s, struct err *err)
{
	uint64_t assists_ns;

	if (s->many) {
		int rc = processes_locate(s->many, s->probe, err);
		if (rc)
			return rc;
	} else if (!s->started_child) {
		locate(s);
		if (gc_truth_assist_time(&s->gc_truth, &assists_ns))
			probe_set_assist_time(s->probe, assists_ns);
	}
	s->start_ns = s->interval_ns = s->tried_ns = mono_now_ns();
	probe_open_gate(s->probe);
	if (!s->started_child) {
		gc_truth_begin(&s->gc_truth);
		stream_gc_begin(s->stream, s->gc_truth.begin.numgc, !s->gc_truth.exact);
	} else {
		truth_begin_at_zero(&s->truth, s->start_ns);
		gc_truth_begin_at_zero(&s->gc_truth);
		int rc = child_release(&s->child, &s->exec_failure, err);
		rc = rc ? rc : open_command(s, err);
		if (rc)
			return rc;
	}
	fill_meta(s);
	if (s->many)
		processes_begin(s->many, s->probe, s->model);
	else if (s->started_child)
		locate(s);
	else if (!is_sampled(s))
		truth_begin(&s->truth, s->probe);
	model_next_interval(s->model, s->start_ns);
	return is_sampled(s) ? start_sampling(s, err) : 0;
}

/* What isn't traced can't be compared. */
static void to_checks(struct session *s)
{
	struct model_check *check = model_check(s->model);
	struct model_gc_check *gc_check = model_gc_check(s->model);

	if (has_op_windows(s))
		snprintf(check->why_not, sizeof(check->why_not),
			 "operations were measured in windows");
	else if (is_sampled(s))
		snprintf(check->why_not, sizeof(check->why_not),
			 "objects are the runtime's own numbers");
	else if (s->many)
		processes_to_model(s->many, s->probe, s->model, s->end_reason != NULL);
	else if (plan_has(s->plan, PLAN_PROG_MALLOC))
		truth_to_check(&s->truth, check);
	else
		snprintf(check->why_not, sizeof(check->why_not), "allocations were not traced");
	if (plan_has(s->plan, PLAN_PROG_GC))
		gc_truth_to_check(&s->gc_truth, stream_gc(s->stream),
				  s->sampling ? sampling_gc_off_ns(s->sampling) : 0, gc_check);
	else
		snprintf(gc_check->why_not, sizeof(gc_check->why_not), "GC cycles were not traced");
}

/* What can't be read now may be the next time; what isn't there, the model knows. */
static void look_at_heap(struct session *s, uint64_t now)
{
	struct err ignored;

	if (s->proc && proc_state(s->proc) == PROC_SAME)
		heap_watch_poll(&s->heap, now, &ignored);
}

static int end_interval(struct session *s, const struct session_events *events, bool last,
			struct err *err)
{
	/* The last interval ended when counting did; taking the probes away comes after. */
	uint64_t now = last ? s->stop_ns : mono_now_ns();
	struct model_meta *meta = model_meta(s->model);

	if (!last)
		read_truth(s);
	/* What is at the addresses of its maps in another program isn't theirs. */
	if (s->proc && proc_state(s->proc) != PROC_SAME)
		stream_set_map_reader(s->stream, NULL);
	if (s->sampling)
		sampling_cost(s->sampling);
	int rc = stream_drain(s->stream, last, now, err);
	if (rc)
		return rc;
	if (last && s->sampling)
		sampling_take(s->sampling);
	look_at_heap(s, now);
	to_checks(s);
	if (!meta->load_bias)
		stream_load_bias(s->stream, &meta->load_bias);
	meta->end_mono_ns = now;
	if (last)
		snprintf(meta->end_reason, sizeof(meta->end_reason), "%s",
			 s->end_reason ? s->end_reason : "");
	s->tried_ns = now;
	rc = events->on_interval(s, s->interval_ns, now, events->ctx, err);
	if (rc == SESSION_AGAIN && !last)
		return 0;
	model_next_interval(s->model, now);
	s->interval_ns = now;
	if (!last && s->sampling)
		sampling_next(s->sampling);
	if (rc > 0 && !s->end_reason)
		s->end_reason = "finished";
	return rc < 0 ? rc : 0;
}

/*
 * How long this interval shall be. A target with very many busy sites costs us most where an interval ends; what we
 * take from its machine stays small if the next one is longer. What takes long once, as new names do, isn't meant.
 */
static uint64_t wanted_interval(const struct session *s)
{
	uint64_t needed = min_u64(s->work_ns[0], s->work_ns[1]) * OWN_SHARE;

	if (!s->opts.stretch || needed <= s->opts.interval_ns)
		return s->opts.interval_ns;
	return needed < stretch_max_ns ? needed : stretch_max_ns;
}

/* The kernel side tells at once, where it may: asking /proc ten times a second takes longer than all else at a tick. */
static const char *why_gone(struct session *s, uint64_t now)
{
	bool counting = probe_is_counting(s->probe);

	if (s->many)
		return processes_look(s->many, s->probe) ? NULL : "target exited";
	if (counting && (!s->proc || now - s->looked_ns < LOOK_NS))
		return NULL;
	s->looked_ns = now;
	enum proc_state state = s->proc ? proc_state(s->proc) : PROC_EXECED;
	/* Whoever has executed something may have its pid only. */
	if (!counting && state == PROC_EXITED)
		return "target exited";
	return counting && state != PROC_EXECED ? NULL : "target executed another program";
}

/* Does something begin that a new interval is for? What another program says after an exec is nothing of the kind. */
static bool turns(struct session *s)
{
	return s->sampling && sampling_turns(s->sampling) && s->proc &&
	       proc_state(s->proc) == PROC_SAME;
}

static int on_tick(struct session *s, const struct session_events *events, struct err *err)
{
	uint64_t ticks, now = mono_now_ns();

	if (read(s->timer_fd, &ticks, sizeof(ticks)) < 0 && errno != EAGAIN)
		return err_set(err, -errno, "cannot read the timer: %s", strerror(errno));
	if (s->opts.duration_ns && now - s->start_ns >= s->opts.duration_ns) {
		s->end_reason = "duration";
		return 0;
	}
	s->end_reason = why_gone(s, now);
	if (s->end_reason)
		return 0;
	int rc = 0;
	if (now - s->tried_ns + TICK_NS / 2 >= wanted_interval(s) || turns(s)) {
		uint64_t before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

		rc = end_interval(s, events, false, err);
		s->work_ns[1] = s->work_ns[0];
		s->work_ns[0] = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
	}
	rc = rc ? rc : stream_events(s->stream, err);
	return !rc && s->sampling ? sampling_windows(s->sampling, err) : rc;
}

static int on_signal(struct session *s, const struct session_events *events, struct err *err)
{
	struct signalfd_siginfo info;

	if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo == SIGUSR1)
		return events->on_snapshot ? events->on_snapshot(s, events->ctx, err) : 0;
	s->end_reason = "signal";
	/* A terminal's SIGINT reaches the command by itself; a SIGTERM was sent to us alone. */
	if (info.ssi_signo == SIGTERM && s->started_child && !s->child.reaped)
		kill(s->child.pid, SIGTERM);
	/* The next one ends us at once; links die with the process. But for SIGHUP, which comes more than once. */
	sigset_t ending;
	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &ending, NULL);
	return 0;
}

static int on_input(struct session *s, const struct session_events *events, struct err *err)
{
	int rc = events->on_input(s, events->ctx, err);

	if (rc > 0 && !s->end_reason)
		s->end_reason = "finished";
	return rc < 0 ? rc : 0;
}

static int wait_and_dispatch(struct session *s, const struct session_events *events,
			     struct err *err)
{
	struct epoll_event ready[8];
	int n = epoll_wait(s->epoll_fd, ready, 8, -1);

	if (n < 0 && errno != EINTR)
		return err_set(err, -errno, "cannot wait for events: %s", strerror(errno));
	for (int i = 0; i < n && !s->end_reason; i++) {
		int fd = ready[i].data.fd, rc;

		if (fd == s->pid_fd) {
			s->end_reason = "target exited";
			return 0;
		}
		if (fd == s->timer_fd)
			rc = on_tick(s, events, err);
		else if (fd == s->signal_fd)
			rc = on_signal(s, events, err);
		else if (fd == s->input_fd)
			rc = on_input(s, events, err);
		else
			rc = stream_events(s->stream, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* Those that are over by now, once all samples are here. */
static int take_last_windows(struct session *s, struct err *err)
{
	int rc = stream_events(s->stream, err);

	for (int i = 0; !rc && i < 2; i++)
		rc = sampling_windows(s->sampling, err);
	return rc;
}

/* Stop counting everywhere, let programs under way finish, and take what is left. */
static int finish(struct session *s, const struct session_events *events, struct err *err)
{
	if (s->sampling)
		sampling_stop(s->sampling);
	if (strcmp(s->end_reason, "target exited"))
		read_truth(s);
	probe_close_gate(s->probe);
	s->stop_ns = mono_now_ns();
	probe_detach(s->probe);
	int rc = s->sampling ? take_last_windows(s, err) : 0;
	return rc ? rc : end_interval(s, events, true, err);
}

int session_run(struct session *s, const struct session_events *events, struct err *err)
{
	int rc = events->on_attached ? events->on_attached(s, events->ctx, err) : 0;

	if (!rc)
		rc = start(s, err);
	if (!rc && events->on_start)
		rc = events->on_start(s, events->ctx, err);
	while (!rc && !s->end_reason)
		rc = wait_and_dispatch(s, events, err);
	return rc ? rc : finish(s, events, err);
}

/*
 * The command may go on when the recording is over. Until it ends we are what a signal for it goes through, and
 * the second one ends us, as before.
 */
int session_exit_status(struct session *s)
{
	struct pollfd fds[] = { { .fd = s->pid_fd, .events = POLLIN },
				{ .fd = s->signal_fd, .events = POLLIN } };
	const struct session_events none = { 0 };
	struct err ignored;

	if (!s->started_child)
		return -1;
	while (s->pid_fd >= 0 && !(fds[0].revents & POLLIN))
		if (poll(fds, 2, -1) > 0 && (fds[1].revents & POLLIN))
			on_signal(s, &none, &ignored);
	return child_wait(&s->child);
}
