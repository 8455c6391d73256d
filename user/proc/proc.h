/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A live process: find it, be sure it is still the same one, read its memory.
 *
 * A pid alone can be reused; a process is identified by its pidfd, start time and executable. Memory
 * is only ever read (process_vm_readv), never written, and the process is never stopped.
 */
#ifndef GALLOP_PROC_PROC_H
#define GALLOP_PROC_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/err.h"

struct gobin;

struct proc {
	pid_t pid;
	int pidfd; /* readable when it has exited */
	char comm[32]; /* control characters as '?' */
	char exe[512]; /* link text of /proc/PID/exe, without " (deleted)" */
	char exe_path[64]; /* "/proc/PID/exe": what to open; right even if replaced on disk */
	bool exe_deleted; /* removed or replaced on disk */
	uint64_t exe_dev, exe_ino;
	uint64_t start_time; /* field 22 of /proc/PID/stat: clock ticks since boot */
	uint64_t start_code; /* field 26: where the executable's code is loaded */
	uint64_t start_stack; /* field 28: differs after an exec, even of the same file */
	uint64_t text_pages; /* of the executable's code, as everybody may know */
	bool stopped; /* by a signal, or by who traces it, when it was opened */
	uid_t uid; /* effective */
	uint64_t caps; /* permitted, when it was opened; what for: session/privileges.c */
};

/*
 * Are the pids of /proc those that the kernel takes from us? Not if it was mounted in another pid namespace: a pid
 * would be one process here and another there. 0, or -ENOTSUP with what to do.
 */
int proc_check_pids(struct err *err);

/* Is this the first pid namespace, in which a process's pid is the kernel's own number for it? */
bool proc_sees_host(void);

/*
 * Look at a running process. -ENOTSUP if proc_check_pids() fails; -ESRCH if there is none, it is a zombie or a kernel thread (the message
 * says which); -EACCES with a hint if it is another user's and we may not look.
 */
int proc_open(pid_t pid, struct proc **ret, struct err *err);
void proc_free(struct proc *p);

/*
 * PROC_SAME while it has neither ended nor exec'ed anything, not even the same file again. What may be known of one that can't be
 * looked at any more, as it has changed its user, doesn't tell the same file.
 */
enum proc_state { PROC_SAME, PROC_EXITED, PROC_EXECED };
enum proc_state proc_state(const struct proc *p);

/*
 * The command line, arguments separated by blanks, control characters as '?', cut to cap. 0 or
 * -errno.
 */
int proc_cmdline(const struct proc *p, char *buf, size_t cap);

/*
 * May the memory of p be read? 0; -EACCES with what is missing: where Yama's ptrace_scope is set, also that of one's own
 * processes takes CAP_SYS_PTRACE, though all else may be looked at.
 */
int proc_check_memory(const struct proc *p, struct err *err);

/*
 * Read the executable that p runs: what gobin_open() returns. It is opened also where only CAP_DAC_READ_SEARCH allows
 * it.
 */
int proc_open_exe(const struct proc *p, struct gobin **ret, struct err *err);

/*
 * What to add to the executable's va to get the process's addresses. bin must be the file that p
 * runs. -ESRCH when it isn't mapped, -EACCES.
 */
int proc_load_bias(const struct proc *p, struct gobin *bin, uint64_t *ret, struct err *err);

/* Read memory at an address of the process. 0, -EFAULT, -ESRCH, -EPERM. Never a partial result. */
int proc_read(const struct proc *p, uint64_t addr, void *buf, size_t len);

/*
 * The same for many places in one system call, in the order given: addrs[i].iov_base is an address of
 * the process, and the lengths of bufs must add up to those of addrs. At most IOV_MAX of each.
 */
int proc_readv(const struct proc *p, const struct iovec *bufs, size_t bufs_nr,
	       const struct iovec *addrs, size_t addrs_nr);

/* Call fn for each pid of the host, ascending, until it returns non-zero (then returned). */
int proc_each(int (*fn)(pid_t pid, void *ctx), void *ctx);

#endif
