/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target that gallop starts itself, traced from its first instruction.
 *
 * It is forked and held before exec while the probes are attached to its executable, then let go. Nothing
 * else is done to it: it keeps our terminal, files and process group, unless its output is wanted elsewhere.
 */
#ifndef GALLOP_SESSION_CHILD_H
#define GALLOP_SESSION_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct child {
	pid_t pid;
	char path[4096]; /* the executable that argv[0] leads to */
	int go_fd; /* closing it ends a child that still waits; writing lets it go */
	int exec_fd; /* end of file: exec succeeded; an errno: it failed */
	bool reaped;
	int wait_status;
};

enum { CHILD_CANNOT_EXEC = 126, CHILD_NOT_FOUND = 127 };

/*
 * The file that a command name leads to, looked up as execvp(3) does. 0, or -ESRCH or -EACCES with the exit status that
 * env(1) would give: 127 or 126.
 */
int child_find_executable(const char *name, char *buf, size_t cap, int *exit_status_ret,
			  struct err *err);

/*
 * Fork, and hold the child before exec. 0; -ESRCH or -EACCES as above when there is
 * nothing to execute. argv ends with NULL. output_fd: what its output and its errors go to, and then it has no input; 0:
 * it keeps our own.
 */
int child_spawn(char *const argv[], int output_fd, struct child *ret, int *exit_status_ret,
		struct err *err);

/* Let it go; returns once exec has happened. */
int child_release(struct child *c, int *exit_status_ret, struct err *err);

/* Wait for its end and return its exit status, 128+n for signal n. */
int child_wait(struct child *c);

/* End a child that was never released, and reap it; harmless after child_wait(). */
void child_deinit(struct child *c);

#endif
