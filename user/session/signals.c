/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/signals.h"

#include <stdbool.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Under nohup a hang-up is ignored, and stays so: a blocked signal would be kept for us all the same. */
static bool ends_at_hangup(void)
{
	struct sigaction old;

	return !sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN;
}

int signals_open(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	/* A connection that drops must not cost the recording its end. */
	if (ends_at_hangup())
		sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	return signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

void signals_drop(int fd)
{
	struct signalfd_siginfo info;

	while (fd >= 0 && read(fd, &info, sizeof(info)) == sizeof(info))
		;
}
