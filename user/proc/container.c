/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Only the id is looked for, not the engine's way to spell the path around it: paths differ between
 * versions, drivers and nestings ("docker-ID.scope", "/docker/ID", "crio-ID.scope",
 * "pod.slice:cri-containerd:ID"), but each ends in 64 hex digits for the process's own container.
 */
#include "proc/container.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

/*
 * podman and cri-o put the monitor of a container, which runs on the host, into a control group
 * with the container's id.
 */
static bool is_monitor(const char *id, const char *path)
{
	static const char prefix[] = "conmon-";
	size_t len = sizeof(prefix) - 1;

	return (size_t)(id - path) >= len && memcmp(id - len, prefix, len) == 0;
}

/* The last id in a path (of a container in a container, the inner one), or NULL. */
static const char *find_id(const char *path)
{
	const char *found = NULL;

	for (const char *p = path; *p;) {
		size_t len = 0;
		while (isalnum((unsigned char)p[len]))
			len++;
		if (len == CONTAINER_ID_LEN && strspn(p, "0123456789abcdef") == CONTAINER_ID_LEN)
			found = is_monitor(p, path) ? NULL : p;
		p += len ? len : 1;
	}
	return found;
}

/*
 * Lines are "hierarchy:controllers:path"; the path may hold colons. With cgroup v1 there is a line
 * for each hierarchy and not all need to name the container.
 */
struct container_id container_parse(FILE *cgroup)
{
	struct container_id ret = { "" };
	_cleanup_free_ char *line = NULL;
	size_t cap = 0;

	while (!ret.text[0] && getline(&line, &cap, cgroup) >= 0) {
		const char *path = strchr(line, ':');
		path = path ? strchr(path + 1, ':') : NULL;
		const char *id = path ? find_id(path + 1) : NULL;
		if (id)
			memcpy(ret.text, id, CONTAINER_ID_LEN);
	}
	return ret;
}

struct container_id container_of_pid(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	_cleanup_fclose_ FILE *cgroup = fopen(path, "re");

	return cgroup ? container_parse(cgroup) : (struct container_id){ "" };
}

enum container_fit container_id_fits(const struct container_id *id, const char *wanted)
{
	const char *scheme = strstr(wanted, "://");
	const char *digits = scheme ? scheme + 3 : wanted;
	size_t len = strlen(digits);

	if (len < CONTAINER_PREFIX_MIN || !id->text[0] || strncmp(id->text, digits, len) != 0)
		return CONTAINER_OTHER;
	return len == CONTAINER_ID_LEN ? CONTAINER_BY_ID : CONTAINER_BY_PREFIX;
}
