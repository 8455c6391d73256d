/* SPDX-License-Identifier: BSD-2-Clause */
/* gallop doctor: each requirement, what was found, and what to do about it. */
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/caps.h"
#include "base/fmt.h"
#include "base/machine.h"
#include "base/utf8.h"
#include "cmd/live.h"
#include "gobin/gobin.h"
#include "plan/plan.h"
#include "probe/features.h"
#include "probe/probe.h"
#include "proc/memstats.h"
#include "proc/proc.h"
#include "session/privileges.h"

enum verdict { GOOD, LESS, BAD };

struct doctor {
	bool fatal; /* something that is needed is missing */
	int code; /* the first -errno of what is */
};

static void say(struct doctor *d, enum verdict verdict, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void say(struct doctor *d, enum verdict verdict, const char *what, const char *fmt, ...)
{
	static const char *const marks[] = { [GOOD] = "ok", [LESS] = "--", [BAD] = "NO" };
	char text[1024], clean[3 * sizeof(text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	utf8_clean(clean, sizeof(clean), text); /* executables say what they like */
	printf("  %-2s  %-22s %s\n", marks[verdict], what, clean);
	d->fatal |= verdict == BAD;
}

/* A capability, what it is for, and how bad it is to have none. */
static void check_cap(struct doctor *d, unsigned cap, enum verdict without, const char *what)
{
	bool missing = caps_missing(CAPS(cap)) != 0;

	say(d, missing ? without : GOOD, caps_text(CAPS(cap)).s, "%s: %s",
	    missing ? "missing" : "yes", what);
}

/* attach: how it will be attached; PROBE_ATTACH_AUTO where that can't be told, as nothing can be. */
static void check_privileges(struct doctor *d, const struct features *f, enum probe_attach attach)
{
	static const char *const modes[] = { "kept in exact mode", "kept in auto mode" };

	printf("privileges\n");
	check_cap(d, CAP_BPF, BAD, "to load programs and make tables");
	check_cap(d, CAP_PERFMON, BAD, "to load programs that trace");
	check_cap(d, CAP_SYS_PTRACE, LESS, "to look into processes of other users");
	check_cap(d, CAP_DAC_READ_SEARCH, LESS, "to read executables that not everybody may read");
	check_cap(d, CAP_SYS_ADMIN, LESS,
		  attach == PROBE_ATTACH_PERF
			  ? "to see other tracers, and to attach perf uprobes: newer kernels ask "
			    "for it"
			  : "to see other tracers, and where there is no uprobe_multi");
	if (attach == PROBE_ATTACH_AUTO)
		return;
	for (int i = 0; i < 2; i++) {
		uint64_t by_probes = features_caps_kept(f, attach, i);
		uint64_t kept = privileges_kept(by_probes, i, CAPS(CAP_SYS_PTRACE));

		say(d, GOOD, modes[i], "%s%s, once it is attached%s",
		    caps_text(kept & caps_permitted()).s,
		    caps_missing(CAPS(CAP_SYS_PTRACE)) ? " and all that the target has" : "",
		    privileges_of_looker(by_probes, i)
			    ? "; CAP_SYS_ADMIN, one thread that looks for other tracers"
			    : "");
	}
}

static void check_kernel(struct doctor *d)
{
	struct features f;
	struct utsname uts;

	features_detect(&f);
	printf("kernel\n");
	if (!uname(&uts))
		say(d, GOOD, "version", "%s %s", uts.release, uts.machine);
	if (machine_own() == EM_AARCH64)
		say(d, LESS, "machine", "arm64: tested in an emulator, never on real hardware");
	if (f.bpf_errno == EPERM || f.bpf_errno == EACCES || f.bpf_errno == EMFILE) {
		struct err err;

		d->code = features_check(&f, &err);
		say(d, BAD, f.bpf_errno == EMFILE ? "open files" : "BPF programs", "%s; %s",
		    err.msg, err.hint);
		if (f.bpf_errno != EMFILE)
			check_privileges(d, &f, PROBE_ATTACH_AUTO);
		return;
	}
	d->code = -ENOTSUP;
	say(d, f.bpf ? GOOD : BAD, "BPF programs", "%s",
	    f.bpf ? "can be loaded" : strerror(f.bpf_errno));
	say(d, f.ringbuf ? GOOD : BAD, "ring buffer", "%s", f.ringbuf ? "yes" : "needs Linux 5.8");
	say(d, f.cookie ? GOOD : BAD, "attach cookies", "%s",
	    f.cookie ? "yes" : "needs Linux 5.15");
	if (f.multi_pid)
		say(d, GOOD, "uprobe_multi links", "yes: all probes in one call");
	else
		say(d, f.perf_uprobe ? LESS : BAD, "uprobe_multi links",
		    "%s: perf uprobes are used, auto mode has no windows",
		    f.multi ? "see one thread only on this kernel" : "needs Linux 6.6");
	say(d, f.perf_uprobe ? GOOD : LESS, "perf uprobes", "%s", f.perf_uprobe ? "yes" : "none");
	say(d, f.loop ? GOOD : LESS, "bpf_loop", "%s",
	    f.loop ? "yes: counts are checked with the world stopped, maps before they are gone"
		   : "needs Linux 5.17: no check with the world stopped, no last look at maps");
	say(d, GOOD, "table of sites",
	    "%s sites in exact mode, %s of kernel memory when full (%s a site)",
	    fmt_count(probe_sites_default()).s,
	    fmt_bytes(probe_sites_default() * probe_site_cost()).s, fmt_bytes(probe_site_cost()).s);
	say(d, GOOD, "table of map sites", "%s sites, %s of kernel memory when full",
	    fmt_count(probe_map_sites_max()).s,
	    fmt_bytes(probe_map_sites_max() * probe_map_site_cost()).s);
	check_privileges(d, &f, f.multi_pid ? PROBE_ATTACH_MULTI : PROBE_ATTACH_PERF);
}

static void check_binary(struct doctor *d, struct gobin *bin)
{
	const struct gobin_info *info = gobin_info(bin);

	printf("binary\n");
	if (info->machine == machine_own())
		say(d, GOOD, "machine", "%s", machine_name(info->machine));
	else
		say(d, LESS, "machine",
		    "%s: its plan is right, but only a gallop for %s can trace it, where it runs",
		    machine_name(info->machine), machine_name(info->machine));
	say(d, GOOD, "Go version", "%s%s%s", info->go_version[0] ? info->go_version : "1.",
	    info->go_version[0] ? "" : fmt_count((uint64_t)info->go_minor).s,
	    info->go_version[0] ? "" : " (deduced: no build info)");
	say(d, GOOD, "function table", "%s functions", fmt_count(info->funcs_nr).s);
	say(d, GOOD, "symbol table", "%s", info->stripped ? "none, and none is needed" : "yes");
	say(d, GOOD, "kind", "%s%s", info->pie ? "position independent" : "fixed address",
	    info->cgo ? ", cgo" : "");
}

static void check_plan(struct doctor *d, struct gobin *bin, const struct options *opts)
{
	struct plan_opts plan_opts = { .by_goroutine = opts->goroutines };
	struct plan *plan;
	struct err err;
	int rc = plan_new(bin, &plan_opts, &plan, &err);

	printf("what can be traced\n");
	if (rc) {
		d->code = rc;
		say(d, BAD, "allocations", "%s", err.msg);
		return;
	}
	say(d, GOOD, "allocations", "exact: %zu probes ('gallop doctor --dry-run' lists them)",
	    plan->probes_nr);
	for (size_t i = 0; i < plan->notes_nr; i++)
		say(d, LESS, "note", "%s", plan->notes[i]);
	plan_free(plan);
}

/* The runtime's own counters, as they stand: what every count is held against. */
static void check_counters(struct doctor *d, const struct proc *p, struct gobin *bin)
{
	struct memstats_reader reader;
	struct memstats stats;
	struct err err;
	uint64_t bias;
	int rc = proc_load_bias(p, bin, &bias, &err);

	if (!rc)
		rc = memstats_reader_init(&reader, p, bin, bias, &err);
	if (rc) {
		say(d, LESS, "runtime's counters", "%s", err.msg);
		return;
	}
	if (memstats_read(&reader, &stats))
		say(d, LESS, "runtime's counters", "%s",
		    proc_check_memory(p, &err) ? err.msg : "not readable just now");
	else
		say(d, GOOD, "runtime's counters", "%s objects, %s so far, read with no probe",
		    fmt_count(stats.mallocs).s, fmt_bytes(stats.total_alloc).s);
}

static int examine(struct doctor *d, const struct options *opts, struct err *err)
{
	struct proc *p = NULL;
	struct gobin *bin;
	int rc = opts->pid ? proc_open(opts->pid, &p, err) : 0;

	if (!rc)
		rc = p ? proc_open_exe(p, &bin, err) : gobin_open(opts->file, &bin, err);
	if (!rc) {
		check_binary(d, bin);
		check_plan(d, bin, opts);
		if (p)
			check_counters(d, p, bin);
		gobin_free(bin);
	}
	proc_free(p);
	return rc;
}

int cmd_doctor(const struct options *opts, struct err *err)
{
	struct doctor d = { 0 };
	bool target = opts->pid || opts->file;

	if (opts->pid && opts->file)
		return err_set(err, -EINVAL, "either -p PID or an executable, not both");
	if (opts->dry_run) {
		int rc = live_check_target("doctor", opts, err);
		return rc ? rc : live_print_plan(opts, PLAN_VIEW_ALL, err);
	}
	check_kernel(&d);
	int rc = target ? examine(&d, opts, err) : 0;
	if (rc)
		return rc;
	return d.fatal ? (int)err_exit_status(d.code) : EXIT_STATUS_OK;
}
