/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What people call a container: read from the files in which engines keep it, without asking an engine.
 *
 * Known are those of docker, of podman and cri-o as root has them, and of containerd as Kubernetes and nerdctl use it,
 * where these put them unless told otherwise. Of a gallop in a container that sees the pids of the host, the host's.
 */
#ifndef GALLOP_PROC_CONTAINER_NAME_H
#define GALLOP_PROC_CONTAINER_NAME_H

#include <stdbool.h>

#include "proc/container.h"

/*
 * Has a container this name? Of Kubernetes that of the container, of its pod, POD/CONTAINER, or
 * NAMESPACE/POD/CONTAINER. false also where names are kept elsewhere or can't be read; *denied becomes true if that is because
 * we may not, as engines keep them for root.
 */
bool container_has_name(const struct container_id *id, const char *name, bool *denied);

/*
 * The same of one file: text of a kind of file, len bytes with a '\0' behind them. It may be anything.
 */
enum container_file { CONTAINER_FILE_DOCKER, CONTAINER_FILE_BUNDLE, CONTAINER_FILE_STORAGE };
bool container_named_in(enum container_file kind, const char *text, size_t len,
			const struct container_id *id, const char *name);

#endif
