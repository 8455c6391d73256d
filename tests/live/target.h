/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Go program that a live test's C half starts, talks with and looks into: the program says on its stdout
 * what is so, and goes on for each line on its stdin. What goes wrong is told on stdout, with exit status 1.
 */
#ifndef GALLOP_TESTS_LIVE_TARGET_H
#define GALLOP_TESTS_LIVE_TARGET_H

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gobin/gobin.h"
#include "proc/proc.h"

enum { TARGET_LINE_CAP = 4096 };

struct target {
	pid_t pid;
	FILE *in, *out; /* its stdin and stdout */
	struct proc *proc;
	struct gobin *bin;
	uint64_t bias;
};

static inline void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

static inline void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	exit(1);
}

/* line has TARGET_LINE_CAP bytes. False at the end. */
static inline bool target_next_line(struct target *t, char *line)
{
	return fgets(line, TARGET_LINE_CAP, t->out) != NULL;
}

static inline void target_go_on(struct target *t)
{
	if (fputc('\n', t->in) == EOF || fflush(t->in) == EOF)
		die("the program does not answer");
}

/* Returns when it says that it is ready. arg may be NULL. */
static inline void target_spawn(struct target *t, const char *exe, const char *mode,
				const char *arg)
{
	int to[2], from[2];
	if (pipe(to) < 0 || pipe(from) < 0)
		die("pipe: %s", strerror(errno));

	t->pid = fork();
	if (t->pid < 0)
		die("fork: %s", strerror(errno));
	if (t->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		close(to[1]);
		close(from[0]);
		execl(exe, exe, mode, arg, NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	t->in = fdopen(to[1], "w");
	t->out = fdopen(from[0], "r");
	char line[TARGET_LINE_CAP];
	if (!t->in || !t->out || !target_next_line(t, line) || strcmp(line, "ready\n") != 0)
		die("'%s' did not start", exe);
}

/* Its memory and its executable, for a reader of either. */
static inline void target_open(struct target *t)
{
	struct err err;

	if (proc_open(t->pid, &t->proc, &err) < 0 ||
	    gobin_open(t->proc->exe_path, &t->bin, &err) < 0 ||
	    proc_load_bias(t->proc, t->bin, &t->bias, &err) < 0)
		die("%s", err.msg);
}

/* It must end well when its stdin does. */
static inline void target_close(struct target *t)
{
	char line[TARGET_LINE_CAP];
	int status;

	fclose(t->in);
	while (target_next_line(t, line)) /* what it has to say yet */
		;
	fclose(t->out);
	if (waitpid(t->pid, &status, 0) != t->pid || status != 0)
		die("the program was harmed: wait status 0x%x", (unsigned)status);
	gobin_free(t->bin);
	proc_free(t->proc);
}

#endif
