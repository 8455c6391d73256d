/* SPDX-License-Identifier: BSD-2-Clause */
/* Does nothing until it is told to end. As process 1 of a container it must ask for that itself. */
#include <signal.h>
#include <unistd.h>

static void end(int signal)
{
	(void)signal;
	_exit(0);
}

int main(void)
{
	signal(SIGTERM, end);
	signal(SIGINT, end);
	for (;;)
		pause();
}
