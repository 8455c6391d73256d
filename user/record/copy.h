/* SPDX-License-Identifier: BSD-2-Clause */
/* A private copy of a recording and of the journal that a killed writer left beside it. */
#ifndef GALLOP_RECORD_COPY_H
#define GALLOP_RECORD_COPY_H

#include <limits.h>
#include <signal.h>

struct copy {
	char dir[PATH_MAX];
	char file[PATH_MAX + 16], journal[PATH_MAX + 16];
	sigset_t signals; /* what was blocked before */
};

/*
 * Make a directory for copies of path, and hold back the signals that end a program: in $TMPDIR, in /tmp, or, as images of
 * containers have none, beside path. 0 or -errno; then, after copy_end(), they are let through.
 */
int copy_begin(struct copy *c, const char *path);

/*
 * 0; -EBADMSG if the journal is none: not a file, or larger than that recording's can be; -EINTR if
 * a signal came; -errno.
 */
int copy_pair(const struct copy *c, const char *path);

/* Remove them: who has them open can go on reading. */
void copy_end(const struct copy *c);

#endif
