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

#include "base/err.h"

struct gobin;

struct proc {
	pid_t pid;
	int pidfd;			/* readable when it has exited */
	char comm[32];
	char exe[512];			/* link text of /proc/PID/exe, without " (deleted)" */
	char exe_path[64];		/* "/proc/PID/exe": what to open; right even if replaced on disk */
	bool exe_deleted;		/* removed or replaced on disk */
	uint64_t exe_dev, exe_ino;
	uint64_t start_time;		/* field 22 of /proc/PID/stat */
	uid_t uid;
};

/*
 * Look at a running process. -ESRCH if there is none, it is a zombie or a kernel thread (the message
 * says which); -EACCES with a hint if it is another user's and we may not look.
 */
int proc_open(pid_t pid, struct proc **ret, struct err *err);
void proc_free(struct proc *p);

/* PROC_SAME while it runs the executable it ran when opened. */
enum proc_state { PROC_SAME, PROC_EXITED, PROC_EXECED };
enum proc_state proc_state(const struct proc *p);

/* The command line, arguments separated by blanks, control characters as '?', cut to cap. */
int proc_cmdline(const struct proc *p, char *buf, size_t cap);

/* What to add to the executable's va to get the process's addresses. -ESRCH when it isn't mapped. */
int proc_load_bias(const struct proc *p, struct gobin *bin, uint64_t *ret, struct err *err);

/* Read memory at an address of the process. 0, -EFAULT, -ESRCH, -EPERM. Never a partial result. */
int proc_read(const struct proc *p, uint64_t addr, void *buf, size_t len);

/* Call fn for each pid of the host, ascending, until it returns non-zero (then returned). */
int proc_each(int (*fn)(pid_t pid, void *ctx), void *ctx);

#endif
