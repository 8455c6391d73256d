/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/owner.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A user's or a group's number: decimal digits and nothing else; all bits set is none ("leave as it is" to chown). */
static bool parse_id(const char *name, uint32_t *ret)
{
	const char *text = getenv(name);
	char *end;

	if (!text || !isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	unsigned long long id = strtoull(text, &end, 10);
	if (errno || *end || id >= UINT32_MAX)
		return false;
	*ret = (uint32_t)id;
	return true;
}

bool owner_invoker(uid_t *uid_ret, gid_t *gid_ret)
{
	uint32_t uid, gid;

	/* A user could say anything there, and gain nothing; but it would be odd. */
	if (getuid() != 0 || geteuid() != 0)
		return false;
	if (!parse_id("SUDO_UID", &uid) || !parse_id("SUDO_GID", &gid))
		return false;
	*uid_ret = uid;
	*gid_ret = gid;
	return true;
}

void owner_give(int fd)
{
	uid_t uid;
	gid_t gid;

	if (owner_invoker(&uid, &gid) && fchown(fd, uid, gid))
		return; /* nobody else can read it, then */
}

/* The directory that a path's last part is in. */
static int stat_directory(const char *path, struct stat *ret)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");

	if (!dir)
		return -ENOMEM;
	return stat(dir, ret) ? -errno : 0;
}

int owner_check(const char *path, struct err *err)
{
	struct stat entry, dir;
	uid_t invoker;
	gid_t group;

	if (lstat(path, &entry) || stat_directory(path, &dir))
		return 0; /* whoever opens it says why that can't be done */
	if (!(dir.st_mode & S_ISVTX) || !(dir.st_mode & S_IWOTH))
		return 0;
	if (entry.st_uid == geteuid() || entry.st_uid == dir.st_uid ||
	    (owner_invoker(&invoker, &group) && entry.st_uid == invoker))
		return 0;
	err_set(err, -EPERM,
		"cannot write '%s': user %u has put %s there, in a directory that everybody writes "
		"to",
		path, entry.st_uid, S_ISLNK(entry.st_mode) ? "a symbolic link" : "it");
	err_hint(err, "give another name, or one in a directory of your own");
	return -EPERM;
}
