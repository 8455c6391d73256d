/* SPDX-License-Identifier: BSD-2-Clause */
#include "probe/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/*
 * How many files are open, whoever opened them: what a shell or a supervisor left open is inherited. The limit is one of
 * numbers, so those from `limit` on take no room. Where there is no number left to look with, all up to `soft` are taken.
 */
static rlim_t count_open(rlim_t soft, rlim_t limit)
{
	rlim_t nr = 0;
	DIR *dir = opendir("/proc/self/fd");

	if (!dir)
		return errno == EMFILE ? soft : 0;
	for (const struct dirent *d; (d = readdir(dir));)
		nr += d->d_name[0] != '.' && strtoull(d->d_name, NULL, 10) < limit;
	closedir(dir);
	return nr ? nr - 1 : 0; /* the directory itself */
}

void files_hint(struct err *err)
{
	err_hint(err, "raise the limit of open files: 'ulimit -n 1024', or LimitNOFILE= where "
		      "systemd starts gallop");
}

int files_reserve(size_t nr, struct err *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return err_set(err, -errno, "cannot tell how many files may be open: %s",
			       strerror(errno));
	rlim_t open = count_open(limit.rlim_cur, limit.rlim_max), needed = open + nr;
	if (limit.rlim_cur >= needed)
		return 0;
	if (limit.rlim_max >= needed) {
		limit.rlim_cur = needed;
		if (!setrlimit(RLIMIT_NOFILE, &limit))
			return 0;
	}
	err_set(err, -EMFILE,
		"%zu files must be open at once, and the limit is %llu, of which %llu are taken",
		nr, (unsigned long long)limit.rlim_max, (unsigned long long)open);
	files_hint(err);
	return -EMFILE;
}
