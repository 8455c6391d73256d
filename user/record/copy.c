/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lies beside a recording was put there by whoever made it, so only a file is copied, only as
 * long as it can be of use, and its holes stay holes: a file of terabytes of nothing costs nothing.
 *
 * A signal that would end gallop waits until the copies are removed. Copying looks for it, as that
 * is what can take long.
 */
#include "record/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

/* A journal has a copy of each page, a few words each, and a sector for each time it was synced. */
enum { JOURNAL_SLACK = 1 << 20 };

static const int ending_signals[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGQUIT };

static const char journal_magic[8] = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";

static bool is_interrupted(const sigset_t *before)
{
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++)
		if (sigismember(&pending, ending_signals[i]) == 1 &&
		    sigismember(before, ending_signals[i]) == 0)
			return true;
	return false;
}

static void block_signals(sigset_t *before)
{
	sigset_t ending;

	sigemptyset(&ending);
	for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++)
		sigaddset(&ending, ending_signals[i]);
	pthread_sigmask(SIG_BLOCK, &ending, before);
}

/* Bytes [at, end) of a file to the same place of another. */
static int copy_range(int in, int out, off_t at, off_t end, const sigset_t *before)
{
	char buf[1 << 16];

	while (at < end) {
		size_t want = end - at < (off_t)sizeof(buf) ? (size_t)(end - at) : sizeof(buf);
		if (is_interrupted(before))
			return -EINTR;
		ssize_t n = pread(in, buf, want, at);
		if (n <= 0)
			return n ? -errno : 0;
		for (ssize_t done = 0; done < n;) {
			ssize_t w = pwrite(out, buf + done, (size_t)(n - done), at + done);
			if (w < 0)
				return -errno;
			done += w;
		}
		at += n;
	}
	return 0;
}

/* A regular file of at most max bytes; its size. */
static int open_file(const char *path, off_t max, int *fd_ret, off_t *size_ret)
{
	_cleanup_close_ int fd = open(path,
				      O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ELOOP ? -EBADMSG : -errno;
	struct stat st;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > max)
		return -EBADMSG;
	*size_ret = st.st_size;
	*fd_ret = take_fd(fd);
	return 0;
}

static int copy_data(int in, const char *to, off_t size, const sigset_t *before)
{
	_cleanup_close_ int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0 || ftruncate(out, size))
		return -errno;

	for (off_t at = 0; at < size;) {
		off_t data = lseek(in, at, SEEK_DATA);
		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		off_t end = lseek(in, data, SEEK_HOLE);
		if (end < 0)
			return -errno;
		int rc = copy_range(in, out, data, end < size ? end : size, before);
		if (rc)
			return rc;
		at = end;
	}
	return 0;
}

/*
 * A journal may end in the name of a "super-journal", a file that SQLite then reads and deletes.
 * gallop never writes one, and a made-up journal must not choose what is deleted.
 */
static int refuse_super_journal(int journal, off_t size)
{
	char tail[sizeof(journal_magic)];

	if (size < (off_t)sizeof(tail))
		return 0;
	if (pread(journal, tail, sizeof(tail), size - (off_t)sizeof(tail)) != sizeof(tail))
		return -EIO;
	return memcmp(tail, journal_magic, sizeof(tail)) == 0 ? -EBADMSG : 0;
}

/* A directory of our own in this one, whose name is len long. 0 or -errno. */
static int make_dir(struct copy *c, const char *in, size_t len)
{
	int n = snprintf(c->dir, sizeof(c->dir), "%.*s/gallop-XXXXXX", (int)len, in);

	if (n < 0 || (size_t)n >= sizeof(c->dir))
		return -ENAMETOOLONG;
	return mkdtemp(c->dir) ? 0 : -errno;
}

int copy_begin(struct copy *c, const char *path)
{
	const char *tmp = getenv("TMPDIR"), *slash = strrchr(path, '/');
	int rc = -ENOENT;

	block_signals(&c->signals);
	if (tmp && *tmp)
		rc = make_dir(c, tmp, strlen(tmp));
	if (rc)
		rc = make_dir(c, "/tmp", 4);
	/* A file in the root directory has no name before its slash: "/gallop-..." is right there. */
	if (rc)
		rc = make_dir(c, slash ? path : ".", slash ? (size_t)(slash - path) : 1);
	if (rc) {
		pthread_sigmask(SIG_SETMASK, &c->signals, NULL);
		return rc;
	}
	snprintf(c->file, sizeof(c->file), "%s/x", c->dir);
	snprintf(c->journal, sizeof(c->journal), "%s/x-journal", c->dir);
	return 0;
}

int copy_pair(const struct copy *c, const char *path)
{
	char from[4096];
	if ((size_t)snprintf(from, sizeof(from), "%s-journal", path) >= sizeof(from))
		return -ENAMETOOLONG;

	/* The recording itself may be a link: its user named it. */
	_cleanup_close_ int in = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_close_ int journal = -1;
	struct stat st;
	off_t journal_size = 0;
	if (in < 0 || fstat(in, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	off_t max = st.st_size < INT64_MAX / 4 ? 2 * st.st_size + JOURNAL_SLACK : INT64_MAX;
	int rc = open_file(from, max, &journal, &journal_size);
	if (!rc)
		rc = copy_data(journal, c->journal, journal_size, &c->signals);
	if (!rc)
		rc = refuse_super_journal(journal, journal_size);
	return rc ? rc : copy_data(in, c->file, st.st_size, &c->signals);
}

void copy_end(const struct copy *c)
{
	unlink(c->file);
	unlink(c->journal);
	rmdir(c->dir);
	pthread_sigmask(SIG_SETMASK, &c->signals, NULL);
}
