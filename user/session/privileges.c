/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session spends its time reading what the target tells: stacks, names, memory. For that it needs little of what it
 * took to attach, and nothing that would be of use to whoever finds a mistake in the reading:
 *
 *   goes    CAP_BPF and CAP_PERFMON: programs are loaded. Where links and tables of one's own take no capability (Linux 6.6, as
 *           features.c finds out) windows come and go without.
 *           CAP_DAC_READ_SEARCH: the executable is open, and is read by its descriptor; no other file of the target's is.
 *           CAP_SYS_NICE: the threads that close windows come first all the same, by a limit that is set here. It stays
 *           where that takes a CAP_SYS_RESOURCE that isn't there.
 *           All else that root has: modules, mounts, devices, networks, other users' identities.
 *           CAP_SYS_ADMIN: but in auto mode, if it is there, a thread keeps it and nothing else, as only so are other
 *           tracers on the same process seen. That thread does nothing but look for them.
 *   stays   CAP_SYS_PTRACE: memory is read at each interval, and /proc asked whether it still is the same program.
 *           CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER: root writes where it was told to, as into the home of who called sudo,
 *           until the last interval; the recording's journal is made again if it was removed, and goes at the end.
 *           CAP_KILL: for a command that was started and has changed its user.
 *
 * That is no sandbox: CAP_SYS_PTRACE reaches into every process. As root less can't be had without changing what works; without
 * root only that one is left.
 */
#include "session/privileges.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/caps.h"
#include "govern/govern.h"
#include "probe/probe.h"

/* What CAP_SYS_NICE would allow later, these limits do, where they may be raised: containers often may not. */
static bool may_raise_limits(void)
{
	return !caps_missing(CAPS(CAP_SYS_RESOURCE));
}

static void allow_priorities(void)
{
	const struct rlimit realtime = { GOVERN_PRIORITY_MAX, GOVERN_PRIORITY_MAX };
	const struct rlimit nice = { 40, 40 }; /* down to -20: getrlimit(2), RLIMIT_NICE */

	(void)setrlimit(RLIMIT_RTPRIO, &realtime);
	(void)setrlimit(RLIMIT_NICE, &nice);
}

uint64_t privileges_kept(uint64_t by_probes, bool switches, bool started_command)
{
	uint64_t kept = by_probes | CAPS(CAP_SYS_PTRACE) | CAPS_FILES;

	if (switches && !may_raise_limits())
		kept |= CAPS(CAP_SYS_NICE);
	return kept | (started_command ? CAPS(CAP_KILL) : 0);
}

uint64_t privileges_of_looker(uint64_t by_probes, bool switches)
{
	return switches ? CAPS(CAP_SYS_ADMIN) & caps_permitted() & ~by_probes : 0;
}

int privileges_drop(struct probe *probe, bool switches, bool started_command, struct err *err)
{
	uint64_t by_probes = probe ? probe_caps_kept(probe, switches) : 0;

	if (switches && may_raise_limits() && !caps_missing(CAPS(CAP_SYS_NICE)))
		allow_priorities();
	if (probe && privileges_of_looker(by_probes, switches))
		probe_keep_looking(probe);
	int rc = caps_keep(privileges_kept(by_probes, switches, started_command));

	return rc ? err_set(err, rc, "cannot give up privileges: %s", strerror(-rc)) : 0;
}
