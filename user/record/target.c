/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/owner.h"
#include "record/database.h"

enum {
	TMP_TRIES = 100,
	/* The end changes some twenty pages of 4 KiB, each of which is copied to the journal first. */
	RESERVE_SZ = 256 << 10,
};

/* Whether the existing file behind fd may be replaced. */
static int check_existing(int fd, const char *path, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st))
		return err_set(err, -errno, "cannot open '%s': %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EEXIST, "cannot record to '%s': it is not a regular file",
			       path);

	struct database_header header;
	int rc = database_read_header(fd, &header);
	if (rc)
		return err_set(err, rc, "cannot read '%s': %s", path, strerror(-rc));
	if (header.kind == DATABASE_OTHER) {
		err_set(err, -EEXIST, "'%s' exists and is not a gallop recording", path);
		err_hint(err, "only recordings are overwritten: choose another name");
		return err->code;
	}
	/* Also SQLite's own locks would do, but it holds them only inside a transaction. */
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return err_set(err, -EBUSY, "'%s' is being written by another gallop", path);
	return 0;
}

int target_check(const char *path, struct err *err)
{
	/* Non-blocking: a fifo without a writer must not hang us here. */
	_cleanup_close_ int fd = open(path,
				      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0) {
		int rc = check_existing(fd, path, err);
		return rc ? rc : owner_check(path, err);
	}
	if (errno == ENOENT)
		return owner_check(path, err);
	if (errno == ELOOP) {
		err_set(err, -EEXIST, "cannot record to '%s': it is a symbolic link", path);
		err_hint(err, "give the name of the file itself");
		return err->code;
	}
	return err_set(err, -errno, "cannot open '%s': %s", path, strerror(errno));
}

/* ".name.N.tmp" in the same directory, so that the rename stays within a file system. */
static char *tmp_name(const char *path, int n)
{
	const char *slash = strrchr(path, '/');
	int dir_len = slash ? (int)(slash + 1 - path) : 0;
	char *name;

	if (asprintf(&name, "%.*s.%s.%d.%d.tmp", dir_len, path, path + dir_len, (int)getpid(), n) <
	    0)
		return NULL;
	return name;
}

int target_create(const char *path, char **tmp_ret, int *lock_ret, struct err *err)
{
	for (int i = 0; i < TMP_TRIES; i++) {
		_cleanup_free_ char *tmp = tmp_name(path, i);
		if (!tmp)
			return err_set(err, -ENOMEM, "cannot create '%s': out of memory", path);
		_cleanup_close_ int fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
					      OWNER_FILE_MODE);
		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			return err_set(err, -errno, "cannot create '%s': %s", path,
				       strerror(errno));
		owner_give(fd);
		/* Some file systems have no locks: then two writers are merely not kept apart. */
		(void)flock(fd, LOCK_EX | LOCK_NB);
		*tmp_ret = take_ptr(tmp);
		*lock_ret = take_fd(fd);
		return 0;
	}
	return err_set(err, -EEXIST, "cannot create '%s': too many temporary files beside it",
		       path);
}

/* The directory that path is in, or a file without a name there. */
static int open_directory(const char *path, int flags)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? strndup(path, (size_t)(slash + 1 - path)) : strdup(".");

	return dir ? open(dir, flags | O_CLOEXEC, 0600) : -1;
}

int target_reserve(const char *path)
{
	_cleanup_close_ int fd = open_directory(path, O_TMPFILE | O_RDWR);

	return fd >= 0 && !fallocate(fd, 0, 0, RESERVE_SZ) ? take_fd(fd) : -1;
}

static const char *const leftovers[] = { "-journal", "-wal", "-shm" };

enum { LEFTOVERS_NR = sizeof(leftovers) / sizeof(leftovers[0]) };

/* from + suffix becomes to + suffix; it may not be there. 0 or -errno. */
static int move_leftover(const char *from, const char *to, const char *suffix)
{
	_cleanup_free_ char *old = NULL, *moved = NULL;

	if (asprintf(&old, "%s%s", from, suffix) < 0 || asprintf(&moved, "%s%s", to, suffix) < 0)
		return -ENOMEM;
	return rename(old, moved) && errno != ENOENT ? -errno : 0;
}

static void remove_leftover(const char *path, const char *suffix)
{
	_cleanup_free_ char *name = NULL;

	if (asprintf(&name, "%s%s", path, suffix) >= 0)
		unlink(name);
}

/*
 * What a killed writer left beside the old recording must go first: SQLite would take it for the
 * journal of the new one and roll the new one back into something that never was. But the old one
 * can't be repaired without it, so it goes aside and, if the new one can't be put there, comes back.
 * Whoever kills us in between finds it under the new one's temporary name.
 */
int target_replace(const char *tmp, const char *path, struct err *err)
{
	int code = 0;

	for (int i = 0; i < LEFTOVERS_NR && !code; i++)
		code = move_leftover(path, tmp, leftovers[i]);
	if (!code && rename(tmp, path))
		code = -errno;
	for (int i = 0; i < LEFTOVERS_NR; i++) {
		if (code)
			move_leftover(tmp, path, leftovers[i]);
		else
			remove_leftover(tmp, leftovers[i]);
	}
	return code ? err_set(err, code, "cannot create '%s': %s", path, strerror(-code)) : 0;
}

/* What is at this path, if it is the file behind fd. */
static bool is_file_of(const char *path, int fd, struct stat *ret)
{
	struct stat ours;

	return fd >= 0 && fstat(fd, &ours) == 0 && lstat(path, ret) == 0 &&
	       ours.st_ino == ret->st_ino && ours.st_dev == ret->st_dev;
}

int target_hold_journal(const char *path, int *fd, struct err *err)
{
	_cleanup_free_ char *name = NULL;
	struct stat st;

	if (asprintf(&name, "%s-journal", path) < 0) {
		name = NULL;
		return err_set(err, -ENOMEM, "cannot write '%s': out of memory", path);
	}
	if (is_file_of(name, *fd, &st))
		return 0;
	_cleanup_close_ int made = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
					OWNER_FILE_MODE);
	if (made < 0 && errno == EEXIST) {
		err_set(err, -EEXIST, "cannot write '%s': another program has put '%s' there", path,
			name);
		err_hint(err, "give another name, or one in a directory of your own");
		return err->code;
	}
	if (made < 0)
		return err_set(err, -errno, "cannot create '%s': %s", name, strerror(errno));
	owner_give(made);
	/* When the power fails, it must be there to repair with. SQLite sees to that only where it makes the journal. */
	_cleanup_close_ int dir = open_directory(path, O_RDONLY | O_DIRECTORY);
	if (dir >= 0)
		(void)fsync(dir);
	cleanup_close(fd);
	*fd = take_fd(made);
	return 0;
}

void target_drop_journal(const char *path, int fd)
{
	_cleanup_close_ int ours = fd;
	_cleanup_free_ char *name = NULL;
	struct stat st;

	if (asprintf(&name, "%s-journal", path) < 0) {
		name = NULL;
		return;
	}
	if (is_file_of(name, ours, &st) && st.st_size == 0)
		unlink(name);
}

int target_is_same(const char *path, int lock_fd, struct err *err)
{
	struct stat ours, there;

	if (fstat(lock_fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino &&
	    ours.st_dev == there.st_dev)
		return 0;
	return err_set(err, -ESTALE, "'%s' was moved or removed while it was written", path);
}
