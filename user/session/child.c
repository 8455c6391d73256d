/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

static int try_path(const char *dir, size_t dir_len, const char *name, char *buf, size_t cap)
{
	struct stat st;
	int n = snprintf(buf, cap, "%.*s%s%s", (int)dir_len, dir, dir_len ? "/" : "", name);

	if (n < 0 || (size_t)n >= cap)
		return -ENAMETOOLONG;
	if (stat(buf, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	return access(buf, X_OK) ? -errno : 0;
}

/* As execvp(3) looks a command up; gallop must read the very file that will be executed. */
static int look_up(const char *name, char *buf, size_t cap)
{
	const char *path = getenv("PATH");
	int found = -ENOENT;

	if (strchr(name, '/'))
		return try_path("", 0, name, buf, cap);
	if (!path)
		path = "/bin:/usr/bin";
	for (const char *dir = path;; dir++) {
		size_t len = strcspn(dir, ":");
		int rc = len ? try_path(dir, len, name, buf, cap)
			     : try_path(".", 1, name, buf, cap);

		if (!rc)
			return 0;
		if (rc == -EACCES)
			found = rc;
		dir += len;
		if (!*dir)
			return found;
	}
}

static int no_executable(const char *name, int code, int *exit_status_ret, struct err *err)
{
	*exit_status_ret = code == -EACCES ? CHILD_CANNOT_EXEC : CHILD_NOT_FOUND;
	return err_set(err, code == -EACCES ? -EACCES : -ESRCH, "cannot execute '%s': %s", name,
		       strerror(-code));
}

int child_find_executable(const char *name, char *buf, size_t cap, int *exit_status_ret,
			  struct err *err)
{
	int rc = look_up(name, buf, cap);

	return rc ? no_executable(name, rc, exit_status_ret, err) : 0;
}

static bool redirect(int output_fd)
{
	int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return empty >= 0 && dup2(empty, STDIN_FILENO) >= 0 &&
	       dup2(output_fd, STDOUT_FILENO) >= 0 && dup2(output_fd, STDERR_FILENO) >= 0;
}

/* In the child: wait for the word, then become the target. Only async-signal-safe calls. */
static void become_target(const char *path, char *const argv[], int go_fd, int exec_fd)
{
	extern char **environ;
	sigset_t none;
	char word;

	if (read(go_fd, &word, 1) != 1)
		_exit(CHILD_CANNOT_EXEC);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execve(path, argv, environ);

	int error = errno;
	if (write(exec_fd, &error, sizeof(error)) < 0)
		_exit(CHILD_NOT_FOUND);
	_exit(CHILD_CANNOT_EXEC);
}

int child_spawn(char *const argv[], int output_fd, struct child *ret, int *exit_status_ret,
		struct err *err)
{
	struct child c = { .go_fd = -1, .exec_fd = -1 };
	int rc = child_find_executable(argv[0], c.path, sizeof(c.path), exit_status_ret, err);

	if (rc)
		return rc;
	int go[2], exec[2];
	if (pipe2(go, O_CLOEXEC))
		return err_set(err, -errno, "cannot make a pipe: %s", strerror(errno));
	if (pipe2(exec, O_CLOEXEC)) {
		close(go[0]);
		close(go[1]);
		return err_set(err, -errno, "cannot make a pipe: %s", strerror(errno));
	}
	c.pid = fork();
	if (c.pid == 0) {
		close(go[1]);
		close(exec[0]);
		if (output_fd && !redirect(output_fd))
			_exit(CHILD_CANNOT_EXEC);
		become_target(c.path, argv, go[0], exec[1]);
	}
	close(go[0]);
	close(exec[1]);
	c.go_fd = go[1];
	c.exec_fd = exec[0];
	if (c.pid < 0) {
		rc = err_set(err, -errno, "cannot fork: %s", strerror(errno));
		c.reaped = true;
		child_deinit(&c);
		return rc;
	}
	*ret = c;
	return 0;
}

int child_release(struct child *c, int *exit_status_ret, struct err *err)
{
	int error = 0;

	if (write(c->go_fd, "g", 1) != 1)
		return err_set(err, -errno, "cannot start the target: %s", strerror(errno));
	ssize_t n = read(c->exec_fd, &error, sizeof(error));
	close(take_fd(c->go_fd));
	close(take_fd(c->exec_fd));
	if (n == sizeof(error))
		return no_executable(c->path, error == EACCES ? -EACCES : -error, exit_status_ret,
				     err);
	return 0;
}

int child_wait(struct child *c)
{
	while (!c->reaped) {
		if (waitpid(c->pid, &c->wait_status, 0) == c->pid)
			c->reaped = true;
		else if (errno != EINTR)
			break;
	}
	if (!c->reaped)
		return EXIT_STATUS_FAILURE;
	if (WIFSIGNALED(c->wait_status))
		return 128 + WTERMSIG(c->wait_status);
	return WEXITSTATUS(c->wait_status);
}

void child_deinit(struct child *c)
{
	bool waits = c->go_fd >= 0;

	cleanup_close(&c->go_fd);
	cleanup_close(&c->exec_fd);
	c->go_fd = c->exec_fd = -1;
	/* One that still waits for its word sees the end of the pipe and leaves. */
	if (waits && !c->reaped)
		child_wait(c);
}
