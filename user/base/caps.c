/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/caps.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What opens, changes or gives away files that their permissions wouldn't let us. */
#define FILE_CAPS (CAPS_FILES | CAPS(CAP_DAC_READ_SEARCH))

struct sets {
	uint64_t permitted, effective;
};

/*
 * The calls themselves (capget(2), capset(2)), as privileges are given up for a moment again and again: libcap-ng reads more than
 * is asked of it here, from /proc, each time.
 */
static struct sets read_sets(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data))
		return (struct sets){ 0 };
	return (struct sets){ data[0].permitted | (uint64_t)data[1].permitted << 32,
			      data[0].effective | (uint64_t)data[1].effective << 32 };
}

uint64_t caps_permitted(void)
{
	return read_sets().permitted;
}

uint64_t caps_missing(uint64_t needed)
{
	uint64_t permitted = caps_permitted();

	if (permitted & CAPS(CAP_SYS_ADMIN))
		permitted |= CAPS_LOAD;
	if (permitted & CAPS(CAP_DAC_OVERRIDE))
		permitted |= CAPS(CAP_DAC_READ_SEARCH);
	return needed & ~permitted;
}

/* None is left to inherit: with those the ambient ones go, too. */
static int apply(uint64_t permitted, uint64_t effective)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .permitted = (uint32_t)permitted, .effective = (uint32_t)effective },
		{ .permitted = (uint32_t)(permitted >> 32),
		  .effective = (uint32_t)(effective >> 32) },
	};

	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

uint64_t caps_set_effective(uint64_t set)
{
	struct sets now = read_sets();
	uint64_t wanted = set & now.permitted;

	if (now.effective != wanted)
		apply(now.permitted, wanted);
	return now.effective;
}

uint64_t caps_raise(uint64_t set)
{
	return caps_set_effective(read_sets().effective | set);
}

void caps_begin(void)
{
	uint64_t permitted = caps_permitted();

	if (permitted)
		apply(permitted, geteuid() ? permitted & ~FILE_CAPS : permitted);
}

/* So that nothing that would be executed gets back what was given up; root does, otherwise. */
static int bound(void)
{
	capng_get_caps_process();
	capng_clear(CAPNG_SELECT_BOUNDS);
	/* Takes CAP_SETPCAP. Where that isn't there, what follows does the same for us. */
	(void)capng_apply(CAPNG_SELECT_BOUNDS);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

int caps_keep(uint64_t set)
{
	uint64_t permitted = caps_permitted();
	uint64_t kept = set & permitted;
	/* What isn't root's may stay to be had, but in effect it is only where it is asked for. */
	uint64_t effective = geteuid() ? kept & ~FILE_CAPS : kept;
	/* To empty the bounding set takes this one. What can't be undone comes after what may be refused, and it goes last. */
	uint64_t to_bound = permitted & CAPS(CAP_SETPCAP);
	int rc = permitted ? apply(kept | to_bound, effective | to_bound) : 0;

	if (!permitted || rc)
		return rc;
	rc = bound();
	int last = apply(kept, effective);
	return rc ? rc : last;
}

struct caps_text caps_text(uint64_t set)
{
	struct caps_text text = { "" };
	size_t len = 0;

	for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++) {
		const char *name = set & CAPS(cap) ? capng_capability_to_name(cap) : NULL;
		bool last = !(set >> cap >> 1);

		if (!name || len >= sizeof(text.s))
			continue;
		len += (size_t)snprintf(text.s + len, sizeof(text.s) - len, "%sCAP_",
					!len   ? ""
					: last ? " and "
					       : ", ");
		for (; *name && len + 1 < sizeof(text.s); name++)
			text.s[len++] = (char)(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A'
									    : *name);
		if (len < sizeof(text.s))
			text.s[len] = '\0';
	}
	return len ? text : (struct caps_text){ "none" };
}

/* The command that gives our own executable what is missing, beside all that it is of use to have. */
static void hint_setcap(struct err *err, uint64_t missing)
{
	char exe[64];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe));
	bool named = n > 0 && (size_t)n < sizeof(exe);

	err_hint(err,
		 "run as root, or grant %s: 'sudo setcap cap_bpf,cap_perfmon,"
		 "cap_sys_ptrace,cap_dac_read_search%s=ep %.*s'",
		 caps_text(missing).s, missing & CAPS(CAP_SYS_ADMIN) ? ",cap_sys_admin" : "",
		 named ? (int)n : 6, named ? exe : "gallop");
}

void caps_explain(struct err *err, uint64_t needed)
{
	uint64_t missing = caps_missing(needed);
	size_t len = strlen(err->msg);

	if (!missing) {
		err_hint(err,
			 "%s %s there, but may be so in a user namespace only, or seccomp or a "
			 "security module forbids it",
			 caps_text(needed).s, needed & (needed - 1) ? "are" : "is");
		return;
	}
	snprintf(err->msg + len, sizeof(err->msg) - len, " (missing: %s)", caps_text(missing).s);
	hint_setcap(err, missing);
}
