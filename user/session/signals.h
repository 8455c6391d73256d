/* SPDX-License-Identifier: BSD-2-Clause */
/* The signals that a session takes as events: what ends it, and SIGUSR1. */
#ifndef GALLOP_SESSION_SIGNALS_H
#define GALLOP_SESSION_SIGNALS_H

#include <signal.h>

/*
 * Block them and open a descriptor to read them from, close-on-exec and non-blocking: it, or -1 and errno. What was
 * blocked before is left to the caller, who restores it.
 */
int signals_open(void);

/* What came while the end was made is answered by it. fd may be -1. */
void signals_drop(int fd);

#endif
