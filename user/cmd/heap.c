/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gallop heap: what a process has in use, by call stack, from the memory profile that it keeps anyway; at once, or
 * looked at again and again to see what grows; or from a recording. It needs no probe, only to read the memory.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/caps.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/live.h"
#include "gobin/gobin.h"
#include "model/model.h"
#include "proc/proc.h"
#include "record/recording.h"
#include "render/render.h"
#include "session/heap_watch.h"
#include "session/privileges.h"
#include "symbol/symbol.h"

enum { NS_PER_MS = 1000 * 1000 };

struct heap {
	struct options opts; /* value: one of SNAPSHOT_* */
	struct renderer renderer;
	struct output out;
	bool complete;
	bool as_they_come; /* text: a line for each of several looks */
	/* Live: */
	struct proc *proc;
	struct gobin *bin;
	struct model *model;
	struct symbolizer *symbolizer;
	struct heap_watch watch;
	int signal_fd;
	sigset_t old_mask;
};

/* --- showing ---------------------------------------------------------------------------------- */

static int show(struct model *m, struct heap *h, struct err *err)
{
	const struct render_opts render_opts = render_opts_of(&h->opts);
	struct snapshot_opts opts = { .sort = h->opts.value,
				      .runtime_frames = h->opts.runtime_frames,
				      .places = h->renderer.render == render_heap_summary &&
						!h->opts.stacks };
	struct snapshot *s;

	if (snapshot_new(m, &opts, &s))
		return err_set(err, -ENOMEM, "out of memory");
	h->complete = snapshot_is_complete(s);
	int rc = check_value_known(s, &h->opts, err);
	if (!rc)
		rc = output_close(&h->out, h->renderer.render(h->out.f, s, &render_opts), err);
	snapshot_free(s);
	return rc;
}

static int show_line(struct heap *h, struct err *err)
{
	struct snapshot_opts opts = { .sort = h->opts.value };
	struct snapshot *s;

	if (!h->as_they_come)
		return 0;
	if (snapshot_new(h->model, &opts, &s))
		return err_set(err, -ENOMEM, "out of memory");
	render_heap_line(h->out.f, s);
	snapshot_free(s);
	return fflush(h->out.f) ? output_close(&h->out, -EIO, err) : 0;
}

static int show_recording(struct heap *h, struct err *err)
{
	struct recording_span span = { .from_ns = h->opts.from_ns, .to_ns = h->opts.to_ns };
	struct model *m;
	int rc = recording_load(h->opts.file, &span, &m, err);

	if (rc)
		return rc;
	rc = show(m, h, err);
	model_free(m);
	return rc;
}

/* --- looking ---------------------------------------------------------------------------------- */

static void fill_meta(struct heap *h, uint64_t load_bias)
{
	const struct gobin_info *info = gobin_info(h->bin);
	struct model_meta *meta = model_meta(h->model);
	struct utsname uts;

#define SET(field, ...) snprintf(meta->field, sizeof(meta->field), __VA_ARGS__)
	SET(gallop_version, "%s", GALLOP_VERSION);
	SET(exe, "%s", h->proc->exe);
	SET(comm, "%s", h->proc->comm);
	SET(go_version, "%s", info->go_version);
	SET(module, "%s", info->module[0] ? info->module : info->main_path);
	SET(build_id, "%s", info->build_id);
	if (!uname(&uts))
		SET(kernel, "%.60s %.60s", uts.release, uts.machine);
#undef SET
	snprintf(model_check(h->model)->why_not, sizeof(model_check(h->model)->why_not),
		 "allocations were not traced");
	proc_cmdline(h->proc, meta->cmdline, sizeof(meta->cmdline));
	meta->pid = h->proc->pid;
	meta->load_bias = load_bias;
	meta->start_mono_ns = meta->end_mono_ns = mono_now_ns();
	meta->start_unix_ns = clock_ns(CLOCK_REALTIME);
}

static int set_up(struct heap *h, struct err *err)
{
	uint64_t bias;
	int rc = proc_open(h->opts.pid, &h->proc, err);

	if (!rc)
		rc = proc_open_exe(h->proc, &h->bin, err);
	if (rc)
		return h->proc ? err_wrap(err, "process %d (%s)", h->proc->pid, h->proc->comm) : rc;
	rc = proc_load_bias(h->proc, h->bin, &bias, err);
	if (rc)
		return rc;
	if (model_new(&h->model) || symbolizer_new(h->bin, h->model, &h->symbolizer))
		return err_set(err, -ENOMEM, "out of memory");
	fill_meta(h, bias);
	/* All that is left to do is to read its memory. */
	rc = privileges_drop(NULL, false, h->proc, err);
	return rc ? rc
		  : heap_watch_init(&h->watch, h->proc, h->bin, bias, h->symbolizer, h->model, err);
}

static int look(struct heap *h, struct err *err)
{
	uint64_t now = mono_now_ns();
	int rc = heap_watch_look(&h->watch, now, err);

	if (rc == -EPERM || rc == -EACCES)
		caps_explain(err, CAPS(CAP_SYS_PTRACE));
	if (rc)
		return rc;
	/* What another program has at these addresses would be nonsense that looks like a profile. */
	if (proc_state(h->proc) == PROC_EXECED)
		return err_set(err, -ESRCH, "process %d has executed another program", h->opts.pid);
	model_meta(h->model)->end_mono_ns = now;
	return show_line(h, err);
}

/*
 * Wait until it is time for the next look: 0. Else 1, and why it is the last; or -errno. The first Ctrl-C ends the
 * looking, and the next one us.
 */
static int wait_until(struct heap *h, uint64_t until_ns, struct err *err)
{
	struct pollfd fds[] = { { .fd = h->signal_fd, .events = POLLIN },
				{ .fd = h->proc->pidfd, .events = POLLIN } };
	uint64_t now = mono_now_ns();

	while (now < until_ns) {
		int n = poll(fds, 2, (int)((until_ns - now + NS_PER_MS - 1) / NS_PER_MS));
		if (n < 0 && errno != EINTR)
			return err_set(err, -errno, "cannot wait: %s", strerror(errno));
		if (n > 0) {
			sigprocmask(SIG_SETMASK, &h->old_mask, NULL);
			strcpy(model_meta(h->model)->end_reason,
			       fds[0].revents ? "signal" : "target exited");
			return 1;
		}
		now = mono_now_ns();
	}
	return 0;
}

static bool is_once(const struct options *opts)
{
	return !opts->iterations && !opts->duration_ns && !options_given(opts, "delay");
}

/* Until that many looks, that long, Ctrl-C, or the process's end. */
static int look_on(struct heap *h, struct err *err)
{
	const struct options *opts = &h->opts;
	uint64_t start_ns = mono_now_ns(), next_ns = start_ns;
	uint64_t end_ns = opts->duration_ns ? start_ns + opts->duration_ns : UINT64_MAX;
	int rc = look(h, err);

	for (uint32_t i = 1; !rc && i != opts->iterations && next_ns < end_ns; i++) {
		next_ns += opts->delay_ns;
		if (next_ns > end_ns)
			next_ns = end_ns;
		rc = wait_until(h, next_ns, err);
		if (!rc)
			rc = look(h, err);
		/* What was seen before it ended is worth showing. */
		if (rc == -ESRCH) {
			strcpy(model_meta(h->model)->end_reason, "target exited");
			rc = 1;
		}
	}
	return rc < 0 ? rc : 0;
}

static int open_signals(struct heap *h, struct err *err)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, &h->old_mask);
	h->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return h->signal_fd < 0
		       ? err_set(err, -errno, "cannot wait for signals: %s", strerror(errno))
		       : 0;
}

static int run_live(struct heap *h, struct err *err)
{
	int rc = set_up(h, err);

	if (rc || is_once(&h->opts)) {
		h->as_they_come = false;
		return rc ? rc : look(h, err);
	}
	rc = open_signals(h, err);
	if (!rc && !h->opts.quiet && !h->as_they_come)
		talk("looking at the heap of %d (%s)", h->proc->pid, h->proc->comm);
	if (!rc)
		rc = look_on(h, err);
	if (!rc && h->as_they_come)
		fputc('\n', h->out.f);
	return rc;
}

static void heap_deinit(struct heap *h)
{
	output_discard(&h->out);
	heap_watch_deinit(&h->watch);
	symbolizer_free(h->symbolizer);
	model_free(h->model);
	gobin_free(h->bin);
	proc_free(h->proc);
	cleanup_close(&h->signal_fd);
}

int cmd_heap(const struct options *opts, struct err *err)
{
	_cleanup_(heap_deinit) struct heap h = { .opts = *opts, .signal_fd = -1 };
	const struct renderer *renderer = choose_renderer(opts, err);
	int rc = renderer ? live_check_target("heap", opts, err) : -EINVAL;

	if (rc)
		return rc;
	if (opts->file && opts->pid)
		return err_set(err, -EINVAL, "either a recording or a live target, not both");
	/* Its choices begin with the first of the heap's. */
	h.opts.value += SNAPSHOT_INUSE_BYTES;
	h.renderer = *renderer;
	if (renderer == renderer_find("text")) {
		h.renderer.render = render_heap_summary;
		h.as_they_come = !opts->file;
	}
	rc = output_open(&h.out, opts->output, err);
	if (!rc && opts->file) {
		rc = show_recording(&h, err);
	} else if (!rc) {
		rc = run_live(&h, err);
		if (!rc)
			rc = show(h.model, &h, err);
	}
	return !rc && opts->strict && !h.complete ? EXIT_STATUS_INCOMPLETE : rc;
}
