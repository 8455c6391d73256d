/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of these files are JSON, which SQLite reads: it trusts nothing, and bounds how deep it goes.
 */
#include "proc/container_name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A list of all of podman's containers takes some 2 KB for each. */
enum { FILE_SZ_MAX = 16 << 20 };

/*
 * Each row is a name. ?1 is the file, ?2 the id.
 *
 * docker: daemon/../container/container.go Container.Name, with a '/' in front. A bundle is what the OCI runtime was
 * given (config.json of the runtime specification); who asked for it has left annotations: containerd
 * internal/cri/annotations, cri-o as dockershim had them, nerdctl its labels. containers/storage (podman, cri-o):
 * store.go, Container.Names.
 */
#define ANNOTATION(key) "json_extract(?1, '$.annotations.\"" key "\"')"
/* clang-format off */
static const char *const queries[] = {
	[CONTAINER_FILE_DOCKER] = "SELECT ltrim(json_extract(?1, '$.Name'), '/')",
	[CONTAINER_FILE_BUNDLE] =
		"WITH one(name, pod, space) AS (SELECT "
			"coalesce(" ANNOTATION("io.kubernetes.cri.container-name") ", "
				ANNOTATION("io.kubernetes.container.name") "), "
			"coalesce(" ANNOTATION("io.kubernetes.cri.sandbox-name") ", "
				ANNOTATION("io.kubernetes.pod.name") "), "
			"coalesce(" ANNOTATION("io.kubernetes.cri.sandbox-namespace") ", "
				ANNOTATION("io.kubernetes.pod.namespace") ")) "
		"SELECT name FROM one "
		"UNION ALL SELECT pod FROM one "
		"UNION ALL SELECT pod || '/' || name FROM one "
		"UNION ALL SELECT space || '/' || pod || '/' || name FROM one "
		"UNION ALL SELECT " ANNOTATION("nerdctl/name"),
	[CONTAINER_FILE_STORAGE] =
		("SELECT name.value FROM json_each(?1) AS one, json_each(one.value, '$.names') AS name "
		 "WHERE json_extract(one.value, '$.id') = ?2"),
};
/* clang-format on */

static bool has_row(sqlite3_stmt *stmt, const char *name)
{
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(stmt, 0);

		if (text && !strcmp((const char *)text, name))
			return true;
	}
	return false;
}

bool container_named_in(enum container_file kind, const char *text, size_t len,
			const struct container_id *id, const char *name)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	bool found = false;

	if (len <= FILE_SZ_MAX && !sqlite3_open(":memory:", &db) &&
	    !sqlite3_prepare_v2(db, queries[kind], -1, &stmt, NULL)) {
		sqlite3_bind_text(stmt, 1, text, (int)len, SQLITE_STATIC);
		if (sqlite3_bind_parameter_count(stmt) > 1)
			sqlite3_bind_text(stmt, 2, id->text, -1, SQLITE_STATIC);
		found = has_row(stmt, name);
	}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return found;
}

/* The whole of a regular file, or NULL: nothing else may be waited for. *denied: it may not be opened. */
static char *read_file(const char *path, size_t *len_ret, bool *denied)
{
	struct stat st;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	*denied |= fd < 0 && errno == EACCES;
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_SZ_MAX)
		return NULL;
	_cleanup_free_ char *text = malloc((size_t)st.st_size + 1);
	size_t len = 0;
	ssize_t n = 1;
	while (text && n > 0 && len < (size_t)st.st_size) {
		n = read(fd, text + len, (size_t)st.st_size - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (!text || n < 0)
		return NULL;
	text[len] = '\0';
	*len_ret = len;
	return take_ptr(text);
}

/* Where engines keep them unless told otherwise: k3s and microk8s bring a containerd of their own. */
#define STORED(driver)                                                                          \
	{ CONTAINER_FILE_STORAGE,                                                               \
	  "/var/lib/containers/storage/" driver "-containers/containers.json", NULL },          \
		{ CONTAINER_FILE_STORAGE,                                                       \
		  "/var/lib/containers/storage/" driver "-containers/volatile-containers.json", \
		  NULL },                                                                       \
		{ CONTAINER_FILE_STORAGE,                                                       \
		  "/run/containers/storage/" driver "-containers/volatile-containers.json",     \
		  NULL },                                                                       \
	{                                                                                       \
		CONTAINER_FILE_BUNDLE, "/run/containers/storage/" driver "-containers/",        \
			"/userdata/config.json"                                                 \
	}
#define TASKS "io.containerd.runtime.v2.task/"

static const struct {
	enum container_file kind;
	const char *before, *after; /* the id; no after, no id */
} places[] = {
	{ CONTAINER_FILE_DOCKER, "/var/lib/docker/containers/", "/config.v2.json" },
	{ CONTAINER_FILE_BUNDLE, "/run/containerd/" TASKS "k8s.io/", "/config.json" },
	{ CONTAINER_FILE_BUNDLE, "/run/containerd/" TASKS "default/", "/config.json" },
	{ CONTAINER_FILE_BUNDLE, "/run/k3s/containerd/" TASKS "k8s.io/", "/config.json" },
	{ CONTAINER_FILE_BUNDLE, "/var/snap/microk8s/common/run/containerd/" TASKS "k8s.io/",
	  "/config.json" },
	STORED("overlay"),
	STORED("vfs"),
	STORED("btrfs"),
	STORED("zfs"),
};

static bool is_named_under(const char *root, const struct container_id *id, const char *name,
			   bool *denied)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char path[PATH_MAX];
		size_t len;

		snprintf(path, sizeof(path), "%s%s%s%s", root, places[i].before,
			 places[i].after ? id->text : "", places[i].after ? places[i].after : "");
		_cleanup_free_ char *text = read_file(path, &len, denied);
		if (text && container_named_in(places[i].kind, text, len, id, name))
			return true;
	}
	return false;
}

/*
 * In a container that sees the host's pids, process 1 is the host's, and its root too. Who may not look there is, more often
 * than not, on the host, and has seen its names or been denied them already.
 */
bool container_has_name(const struct container_id *id, const char *name, bool *denied)
{
	bool there = false;

	return *name && (is_named_under("", id, name, denied) ||
			 is_named_under("/proc/1/root", id, name,
					access("/proc/1/root/", F_OK) ? &there : denied));
}
