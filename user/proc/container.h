/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which container a process lives in, told by the names of its control groups.
 *
 * All engines (docker, containerd, podman, cri-o, and Kubernetes on top of them) name a container's
 * control group after its id: 64 hex digits, of which people use the first 12. What people call it stands in files of
 * the engine's: they are read as they are, no engine is asked.
 */
#ifndef GALLOP_PROC_CONTAINER_H
#define GALLOP_PROC_CONTAINER_H

#include <stdio.h>
#include <sys/types.h>

enum {
	CONTAINER_ID_LEN = 64,
	CONTAINER_SHOWN_LEN = 12, /* of these are shown */
	CONTAINER_PREFIX_MIN = 4, /* and so many are enough to ask for one */
};

struct container_id {
	char text[CONTAINER_ID_LEN + 1]; /* "" outside of containers */
};

/* The container of a process. "" also if it can't be told: the process is gone or hidden. */
struct container_id container_of_pid(pid_t pid);

/* The same from the text of a /proc/PID/cgroup. */
struct container_id container_parse(FILE *cgroup);

/* How well what somebody asked for fits a container; more is better. */
enum container_fit { CONTAINER_OTHER, CONTAINER_BY_PREFIX, CONTAINER_BY_NAME, CONTAINER_BY_ID };

/* Does it fit an id, as a whole or its beginning? Also as kubectl writes ids: "containerd://ID". */
enum container_fit container_id_fits(const struct container_id *id, const char *wanted);

#endif
