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
 *   stays   CAP_SYS_PTRACE: memory is read at each interval, and /proc asked whether it still is the same program. Where it isn't
 *           there, as in many containers, the kernel lets only those look who have all that the target has (Linux
 *           security/commoncap.c, cap_ptrace_access_check): then that stays.
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
#include <unistd.h>

#include "base/caps.h"
#include "govern/govern.h"
#include "probe/probe.h"
#include "proc/proc.h"

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

uint64_t privileges_to_look(const struct proc *target)
{
	uint64_t kept = CAPS(CAP_SYS_PTRACE) | (target ? 0 : CAPS(CAP_KILL));

	if (!caps_missing(CAPS(CAP_SYS_PTRACE)))
		return kept;
	if (target)
		return kept | target->caps;
	/* A command that is executed gets what root has; of others' capabilities it gets none. */
	return kept | (geteuid() && getuid() ? 0 : caps_permitted());
}

uint64_t privileges_of_looker(uint64_t by_probes, bool switches)
{
	return switches ? CAPS(CAP_SYS_ADMIN) & caps_permitted() & ~by_probes : 0;
}

uint64_t privileges_kept(uint64_t by_probes, bool switches, uint64_t to_look)
{
	uint64_t kept = by_probes | to_look | CAPS_FILES;

	return kept | (switches && !may_raise_limits() ? CAPS(CAP_SYS_NICE) : 0);
}

int privileges_drop(struct probe *probe, bool switches, const struct proc *target, struct err *err)
{
	uint64_t by_probes = probe ? probe_caps_kept(probe, switches) : 0;

	if (switches && may_raise_limits() && !caps_missing(CAPS(CAP_SYS_NICE)))
		allow_priorities();
	if (probe && privileges_of_looker(by_probes, switches))
		probe_keep_looking(probe);
	int rc = caps_keep(privileges_kept(by_probes, switches, privileges_to_look(target)));

	return rc ? err_set(err, rc, "cannot give up privileges: %s", strerror(-rc)) : 0;
}
