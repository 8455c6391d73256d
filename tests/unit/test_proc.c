/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes in every state. Children are this program itself: "test_proc wait ARGS..." closes its
 * stdout when it runs and waits until its stdin ends.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/proc.h"

enum { NOBODY = 65534, NO_SUCH_PID = 0x3fffffff };

struct child {
	pid_t pid;
	int in, out; /* our ends of its stdin and stdout */
};

/* A fork of this process with pipes; in the child pid is 0 and in, out are its own ends. */
static struct child child_fork(void)
{
	int to[2], from[2];
	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);

	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(to[1]);
		close(from[0]);
		return (struct child){ 0, to[0], from[1] };
	}
	close(to[0]);
	close(from[1]);
	return (struct child){ pid, to[1], from[0] };
}

static void wait_for_eof(int fd)
{
	char c;

	while (read(fd, &c, 1) > 0)
		;
}

static void exec_waiting(const struct child *self, const char *exe, const char *arg)
{
	dup2(self->in, STDIN_FILENO);
	dup2(self->out, STDOUT_FILENO);
	execl(exe, "test_proc", "wait", arg, NULL);
	_exit(127);
}

/* A child that has exec'ed exe, or with NULL a mere fork, called `name` if that isn't NULL. */
static struct child child_start(const char *exe, const char *arg, const char *name)
{
	struct child c = child_fork();
	if (c.pid == 0) {
		if (exe)
			exec_waiting(&c, exe, arg);
		if (name)
			prctl(PR_SET_NAME, name);
		close(c.out);
		wait_for_eof(c.in);
		_exit(0);
	}
	wait_for_eof(c.out);
	return c;
}

static void child_close_pipes(struct child *c)
{
	close(c->in);
	close(c->out);
}

/* End it and leave a zombie. */
static void child_exit(struct child *c)
{
	siginfo_t info;

	child_close_pipes(c);
	assert_int_equal(waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT), 0);
}

static void child_reap(struct child *c)
{
	assert_int_equal(waitpid(c->pid, NULL, 0), c->pid);
}

static struct proc *must_open(pid_t pid)
{
	struct proc *p = NULL;
	struct err err;

	if (proc_open(pid, &p, &err) < 0)
		fail_msg("proc_open: %s", err.msg);
	return p;
}

static void must_not_open(pid_t pid, int code, const char *why)
{
	struct proc *p = NULL;
	struct err err = { 0 };

	assert_int_equal(proc_open(pid, &p, &err), code);
	assert_int_equal(err.code, code);
	assert_null(p);
	if (!strstr(err.msg, why))
		fail_msg("'%s' does not say '%s'", err.msg, why);
}

/* A copy of this program in a directory of its own; the caller frees both names. */
static char *copy_self(const char *name, char **dir_ret)
{
	char dir[] = "/tmp/test_proc.XXXXXX";
	assert_non_null(mkdtemp(dir));
	char *path;
	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);

	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	assert_true(from >= 0 && to >= 0);
	char buf[65536];
	ssize_t n;
	while ((n = read(from, buf, sizeof(buf))) > 0)
		assert_int_equal(write(to, buf, (size_t)n), n);
	close(from);
	close(to);
	*dir_ret = strdup(dir);
	return path;
}

static void test_self(void **state)
{
	(void)state;
	struct proc *p = must_open(getpid());
	struct stat st;

	assert_int_equal(stat("/proc/self/exe", &st), 0);
	assert_int_equal(p->pid, getpid());
	assert_string_equal(p->comm, "test_proc");
	assert_int_equal(p->uid, geteuid());
	assert_int_equal(p->exe_dev, st.st_dev);
	assert_int_equal(p->exe_ino, st.st_ino);
	assert_true(p->start_time > 0);
	assert_non_null(strstr(p->exe, "test_proc"));
	assert_false(p->exe_deleted);
	assert_int_equal(proc_state(p), PROC_SAME);
	proc_free(p);
	proc_free(NULL);
}

static void test_no_process(void **state)
{
	(void)state;
	must_not_open(NO_SUCH_PID, -ESRCH, "no process");
	must_not_open(0, -ESRCH, "no process");
	must_not_open(-1, -ESRCH, "no process");
}

static void test_kernel_thread(void **state)
{
	(void)state;
	char comm[32] = "";
	int fd = open("/proc/2/comm", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, comm, sizeof(comm) - 1) <= 0 || strcmp(comm, "kthreadd\n") != 0) {
		print_message("no kernel thread is visible here\n");
		skip();
	}
	close(fd);
	must_not_open(2, -ESRCH, "kernel thread");
}

static void *sit_in_thread(void *arg)
{
	int *pipes = arg;
	pid_t tid = (pid_t)syscall(SYS_gettid);

	assert_int_equal(write(pipes[1], &tid, sizeof(tid)), sizeof(tid));
	wait_for_eof(pipes[2]);
	return NULL;
}

static void test_thread_id(void **state)
{
	(void)state;
	int pipes[4]; /* it tells us its id; it waits */
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(pipe2(pipes + 2, O_CLOEXEC), 0);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, sit_in_thread, pipes), 0);
	pid_t tid;
	assert_int_equal(read(pipes[0], &tid, sizeof(tid)), sizeof(tid));

	struct proc *p;
	struct err err;
	char hint[64];
	snprintf(hint, sizeof(hint), "process %d", getpid());
	assert_int_equal(proc_open(tid, &p, &err), -ESRCH);
	assert_non_null(strstr(err.msg, "is a thread"));
	assert_non_null(strstr(err.hint, hint));

	close(pipes[3]);
	pthread_join(thread, NULL);
	for (int i = 0; i < 3; i++)
		close(pipes[i]);
}

static void test_zombie(void **state)
{
	(void)state;
	struct child c = child_start(NULL, NULL, NULL);

	child_exit(&c);
	must_not_open(c.pid, -ESRCH, "zombie");
	child_reap(&c);
	must_not_open(c.pid, -ESRCH, "no process");
}

static void test_exit(void **state)
{
	(void)state;
	struct child c = child_start(NULL, NULL, NULL);
	struct proc *p = must_open(c.pid);
	char byte;

	assert_int_equal(proc_state(p), PROC_SAME);
	assert_int_equal(proc_read(p, (uintptr_t)&byte, &byte, 1), 0);
	child_exit(&c);
	assert_int_equal(proc_state(p), PROC_EXITED);
	assert_int_equal(proc_read(p, (uintptr_t)&byte, &byte, 1), -ESRCH);
	child_reap(&c);
	assert_int_equal(proc_state(p), PROC_EXITED);
	assert_int_equal(proc_read(p, (uintptr_t)&byte, &byte, 1), -ESRCH);
	proc_free(p);
}

/* A child that execs `exe` when told to. */
static void check_exec(const char *exe)
{
	struct child c = child_fork();
	if (c.pid == 0) {
		char byte;
		if (read(c.in, &byte, 1) == 1)
			exec_waiting(&c, exe, NULL);
		_exit(127);
	}

	struct proc *p = must_open(c.pid);
	assert_int_equal(proc_state(p), PROC_SAME);
	assert_int_equal(write(c.in, "x", 1), 1);
	wait_for_eof(c.out);
	assert_int_equal(proc_state(p), PROC_EXECED);
	child_exit(&c);
	assert_int_equal(proc_state(p), PROC_EXITED);
	child_reap(&c);
	proc_free(p);
}

static void test_exec(void **state)
{
	(void)state;
	char *dir, *exe = copy_self("other", &dir);

	check_exec(exe);
	unlink(exe);
	rmdir(dir);
	free(exe);
	free(dir);
}

/* Counters begin again and a PIE moves: as much another program as any. */
static void test_exec_of_same_file(void **state)
{
	(void)state;
	check_exec("/proc/self/exe");
}

static void test_deleted_exe(void **state)
{
	(void)state;
	char *dir, *exe = copy_self("gone", &dir);
	struct child c = child_start(exe, NULL, NULL);
	unlink(exe);

	struct proc *p = must_open(c.pid);
	assert_true(p->exe_deleted);
	assert_string_equal(p->exe, exe);
	assert_int_equal(proc_state(p), PROC_SAME);
	int fd = open(p->exe_path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);

	proc_free(p);
	child_exit(&c);
	child_reap(&c);
	rmdir(dir);
	free(exe);
	free(dir);
}

static void test_exe_that_only_sounds_deleted(void **state)
{
	(void)state;
	char *dir, *exe = copy_self("x (deleted)", &dir);
	struct child c = child_start(exe, NULL, NULL);

	struct proc *p = must_open(c.pid);
	assert_false(p->exe_deleted);
	assert_string_equal(p->exe, exe);
	proc_free(p);
	unlink(exe);
	p = must_open(c.pid);
	assert_true(p->exe_deleted);
	assert_string_equal(p->exe, exe);
	proc_free(p);

	child_exit(&c);
	child_reap(&c);
	rmdir(dir);
	free(exe);
	free(dir);
}

static void test_weird_names(void **state)
{
	(void)state;
	static const char *const names[][2] = {
		{ ") Z 1 (", ") Z 1 (" },
		{ "a b) c", "a b) c" },
		{ "((((", "((((" },
		{ ")", ")" },
		{ "", "" },
		{ " ", " " },
		{ "x\nTgid:\t1\033[2J", "x?Tgid:?1?[2J" },
		{ "x\nUid:\t7 7", "x?Uid:?7 7" },
		{ "\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xc2\x9b"
		  "2J\177",
		  "?2J?" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct child c = child_start(NULL, NULL, names[i][0]);
		struct proc *p = must_open(c.pid);
		struct proc *self = must_open(getpid());
		assert_string_equal(p->comm, names[i][1]);
		assert_int_equal(p->uid, geteuid());
		assert_true(p->start_time >= self->start_time);
		assert_true(p->start_time < self->start_time + 3600 * 100);
		assert_int_equal(p->start_stack, self->start_stack);
		proc_free(self);
		proc_free(p);
		child_exit(&c);
		child_reap(&c);
	}
}

static void drop_privileges(void)
{
	if (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		_exit(99);
}

/* Exit statuses are the test's result: cmocka's own asserts belong to the parent. */
static void look_as_nobody(pid_t pid)
{
	struct proc *p = NULL;
	struct err err;

	drop_privileges();
	int code = proc_open(pid, &p, &err);
	if (code != -EACCES)
		_exit(1);
	_exit(p == NULL && strstr(err.msg, "test_proc") && strstr(err.hint, "CAP_SYS_PTRACE") ? 0
											      : 2);
}

static void test_other_users_process(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("not root: cannot become another user\n");
		skip();
	}

	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		look_as_nobody(getppid());
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_uid(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("not root: cannot become another user\n");
		skip();
	}

	struct child c = child_fork();
	if (c.pid == 0) {
		drop_privileges();
		close(c.out);
		wait_for_eof(c.in);
		_exit(0);
	}
	wait_for_eof(c.out);
	struct proc *p = must_open(c.pid);
	assert_int_equal(p->uid, NOBODY);
	proc_free(p);
	child_exit(&c);
	child_reap(&c);
}

static void test_cmdline(void **state)
{
	(void)state;
	struct child c = child_start("/proc/self/exe", "a\nb \033[1m", NULL);
	struct proc *p = must_open(c.pid);
	char buf[64], small[8], one[1];

	assert_int_equal(proc_cmdline(p, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "test_proc wait a?b ?[1m");
	assert_int_equal(proc_cmdline(p, small, sizeof(small)), 0);
	assert_string_equal(small, "test_pr");
	assert_int_equal(proc_cmdline(p, one, sizeof(one)), 0);
	assert_string_equal(one, "");
	assert_int_equal(proc_cmdline(p, one, 0), -EINVAL);

	child_exit(&c);
	assert_int_equal(proc_cmdline(p, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	child_reap(&c);
	assert_true(proc_cmdline(p, buf, sizeof(buf)) < 0);
	proc_free(p);
}

static void test_read(void **state)
{
	(void)state;
	struct proc *p = must_open(getpid());
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_int_equal(munmap(map + page, page), 0);
	memcpy(map + page - 5, "hello", 5);

	char buf[8] = "";
	uint64_t end = (uintptr_t)map + page;
	assert_int_equal(proc_read(p, end - 5, buf, 5), 0);
	assert_string_equal(buf, "hello");
	assert_int_equal(proc_read(p, end - 5, buf, 6), -EFAULT);
	assert_int_equal(proc_read(p, end, buf, 1), -EFAULT);
	assert_int_equal(proc_read(p, UINT64_MAX - 3, buf, 8), -EFAULT);
	assert_int_equal(proc_read(p, 0, buf, 0), 0);

	/* Two places into one buffer, and the second one missing. */
	struct iovec to = { buf, 5 };
	struct iovec from[] = { { map + page - 3, 3 }, { map + page - 5, 2 } };
	assert_int_equal(proc_readv(p, &to, 1, from, 2), 0);
	assert_memory_equal(buf, "llohe", 5);
	from[1].iov_base = map + page;
	assert_int_equal(proc_readv(p, &to, 1, from, 2), -EFAULT);
	munmap(map, page);
	proc_free(p);
}

struct seen {
	pid_t last, stop_at;
	bool ascending, self;
};

static int see(pid_t pid, void *ctx)
{
	struct seen *s = ctx;

	s->ascending = s->ascending && pid > s->last;
	s->last = pid;
	s->self = s->self || pid == getpid();
	return pid == s->stop_at ? 42 : 0;
}

static void test_each(void **state)
{
	(void)state;
	struct seen s = { .ascending = true };
	assert_int_equal(proc_each(see, &s), 0);
	assert_true(s.ascending && s.self);

	s = (struct seen){ .ascending = true, .stop_at = getpid() };
	assert_int_equal(proc_each(see, &s), 42);
	assert_int_equal(s.last, getpid());
}

int main(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "wait") == 0) {
		close(STDOUT_FILENO);
		wait_for_eof(STDIN_FILENO);
		return 0;
	}

	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_self),
		cmocka_unit_test(test_no_process),
		cmocka_unit_test(test_kernel_thread),
		cmocka_unit_test(test_thread_id),
		cmocka_unit_test(test_zombie),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_exec_of_same_file),
		cmocka_unit_test(test_deleted_exe),
		cmocka_unit_test(test_exe_that_only_sounds_deleted),
		cmocka_unit_test(test_weird_names),
		cmocka_unit_test(test_other_users_process),
		cmocka_unit_test(test_uid),
		cmocka_unit_test(test_cmdline),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
