/* SPDX-License-Identifier: BSD-2-Clause */
/* A private copy of a recording and of the journal that a killed writer left beside it. */
#ifndef GALLOP_RECORD_COPY_H
#define GALLOP_RECORD_COPY_H

#include <signal.h>

struct copy {
	char dir[64];
	char file[80], journal[80];
	sigset_t signals; /* what was blocked before */
};

/*
 * Make a directory for the copies and hold back the signals that end a program. 0 or -errno; then,
 * after copy_end(), they are let through.
 */
int copy_begin(struct copy *c);

/*
 * 0; -EBADMSG if the journal is none: not a file, or larger than that recording's can be; -EINTR if
 * a signal came; -errno.
 */
int copy_pair(const struct copy *c, const char *path);

/* Remove them: who has them open can go on reading. */
void copy_end(const struct copy *c);

#endif
