/* SPDX-License-Identifier: BSD-2-Clause */
#include "probe/files.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

int files_reserve(size_t nr, struct err *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return err_set(err, -errno, "cannot tell how many files may be open: %s",
			       strerror(errno));
	if (limit.rlim_cur >= nr)
		return 0;
	if (limit.rlim_max >= nr) {
		limit.rlim_cur = nr;
		if (!setrlimit(RLIMIT_NOFILE, &limit))
			return 0;
	}
	err_set(err, -EMFILE, "%zu files must be open at once, and the limit is %llu", nr,
		(unsigned long long)limit.rlim_max);
	err_hint(err, "raise it: 'ulimit -n 1024', or LimitNOFILE= where systemd starts gallop");
	return -EMFILE;
}
