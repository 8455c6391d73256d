/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/owner.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

enum { LINKS_MAX = 40 }; /* as the kernel's own bound: path_resolution(7) */

/* A path that is walked as the kernel does it, link by link. */
struct walk {
	char done[PATH_MAX]; /* no component of it is a link; "" is where relative paths begin */
	char rest[2 * PATH_MAX];
	int links_nr;
};

/* Has another user put this into a directory like /tmp? */
static bool is_planted(const char *dir, const struct stat *entry)
{
	struct stat st;
	uid_t invoker;
	gid_t group;

	if (stat(*dir ? dir : ".", &st) || !(st.st_mode & S_ISVTX) || !(st.st_mode & S_IWOTH))
		return false;
	return entry->st_uid != geteuid() && entry->st_uid != st.st_uid &&
	       !(owner_invoker(&invoker, &group) && entry->st_uid == invoker);
}

/* What a link says comes before what is left. */
static int follow(struct walk *w, const char *link, const char *left)
{
	char target[PATH_MAX], rest[sizeof(w->rest)];
	ssize_t n = readlink(link, target, sizeof(target));

	if (n < 0)
		return -errno;
	if (++w->links_nr > LINKS_MAX)
		return -ELOOP;
	int len = snprintf(rest, sizeof(rest), "%.*s/%s", (int)n, target, left);
	if (len < 0 || (size_t)len >= sizeof(rest))
		return -ENAMETOOLONG;
	strcpy(w->rest, rest);
	return 0;
}

/* One component: 1 to go on, 0 at the end; -EPERM with what was planted in done. */
static int step(struct walk *w)
{
	char next[PATH_MAX];
	struct stat entry;

	if (*w->rest == '/')
		strcpy(w->done, "/");
	const char *name = w->rest + strspn(w->rest, "/");
	size_t name_len = strcspn(name, "/");
	const char *left = name + name_len + strspn(name + name_len, "/");
	if (!name_len)
		return 0;
	size_t done_len = strlen(w->done);
	const char *slash = done_len && w->done[done_len - 1] != '/' ? "/" : "";
	int len = snprintf(next, sizeof(next), "%s%s%.*s", w->done, slash, (int)name_len, name);
	if (len < 0 || (size_t)len >= sizeof(next))
		return -ENAMETOOLONG;
	if (lstat(next, &entry))
		return -errno;
	bool is_link = S_ISLNK(entry.st_mode);
	if ((is_link || !*left) && is_planted(w->done, &entry)) {
		strcpy(w->done, next);
		return -EPERM;
	}
	if (is_link) {
		int rc = follow(w, next, left);
		return rc ? rc : 1;
	}
	strcpy(w->done, next);
	memmove(w->rest, left, strlen(left) + 1);
	return 1;
}

static int refuse_planted(const char *path, const char *planted, struct err *err)
{
	struct stat entry = { 0 };

	(void)lstat(planted, &entry);
	err_set(err, -EPERM,
		"cannot write '%s': user %u has put %s '%s' there, in a directory that everybody "
		"writes to",
		path, entry.st_uid, S_ISLNK(entry.st_mode) ? "the symbolic link" : "the file",
		planted);
	err_hint(err, "give another name, or one in a directory of your own");
	return -EPERM;
}

int owner_check(const char *path, struct err *err)
{
	struct walk w = { .done = "" };
	int rc = 1;

	if (strlen(path) >= PATH_MAX)
		return 0; /* whoever opens it says why that can't be done; likewise below */
	strcpy(w.rest, path);
	while (rc > 0)
		rc = step(&w);
	if (rc == -EPERM)
		return refuse_planted(path, w.done, err);
	/* A name that is too long only here would not be opened by this path, but by another. */
	return rc == -ENAMETOOLONG ? err_set(err, rc, "cannot write '%s': %s", path, strerror(-rc))
				   : 0;
}
