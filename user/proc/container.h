/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which container a process lives in, told by the names of its control groups.
 *
 * All engines (docker, containerd, podman, cri-o, and Kubernetes on top of them) name a container's
 * control group after its id: 64 hex digits, of which people use the first 12.
 */
#ifndef GALLOP_PROC_CONTAINER_H
#define GALLOP_PROC_CONTAINER_H

#include <stdio.h>
#include <sys/types.h>

enum { CONTAINER_ID_LEN = 12 };

struct container_id {
	char text[CONTAINER_ID_LEN + 1]; /* "" outside of containers */
};

/* The container of a process. "" also if it can't be told: the process is gone or hidden. */
struct container_id container_of_pid(pid_t pid);

/* The same from the text of a /proc/PID/cgroup. */
struct container_id container_parse(FILE *cgroup);

#endif
