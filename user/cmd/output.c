/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where results go: a complete file or none, and never in the place of a recording.
 *
 * A regular file is replaced by renaming; a symbolic link to one stays, and its target is replaced.
 * All else - devices, pipes, descriptors by name, links to nothing yet - is written to as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/owner.h"
#include "cmd/cmd.h"
#include "record/database.h"

static bool is_stdout(const char *path)
{
	return !path || !strcmp(path, "-");
}

/*
 * The descriptor that a path names, or -1. What is behind one may well be a regular file, but one
 * that somebody has open, to write more before or after us.
 */
static int fd_of_path(const char *path)
{
	static const char *const dirs[] = { "/dev/fd/", "/proc/self/fd/" };

	if (!strcmp(path, "/dev/stdout"))
		return STDOUT_FILENO;
	if (!strcmp(path, "/dev/stderr"))
		return STDERR_FILENO;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		size_t len = strlen(dirs[i]);
		char *end;

		if (strncmp(path, dirs[i], len) || !path[len])
			continue;
		unsigned long fd = strtoul(path + len, &end, 10);
		if (!*end && fd <= INT_MAX)
			return (int)fd;
	}
	return -1;
}

/* Not a file that can be replaced. */
static bool is_special(const char *path)
{
	struct stat st;

	return fd_of_path(path) >= 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
}

bool output_is_terminal(const char *path)
{
	int known = is_stdout(path) ? STDOUT_FILENO : fd_of_path(path);
	struct stat st;

	if (known >= 0)
		return isatty(known);
	if (stat(path, &st) || !S_ISCHR(st.st_mode))
		return false;
	/* It must neither become ours nor make us wait. */
	_cleanup_close_ int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 && isatty(fd);
}

/* --- formats ---------------------------------------------------------------------------------- */

/* "app.json" has one; ".config" and "dir.d/app" have none. */
static const char *suffix_of(const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	const char *dot = strrchr(name, '.');

	return dot && dot > name && dot[1] ? dot : NULL;
}

static void hint_formats(struct err *err)
{
	char list[sizeof(err->hint)] = "";
	size_t len = 0;

	for (const struct renderer *r = renderers; r->name && len < sizeof(list); r++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s (%s)",
					r == renderers ? "" : ", ", r->name, r->suffixes);
	err_hint(err, "formats are %s", list);
}

/* By the name of the file; text where it doesn't say. */
static const struct renderer *renderer_of_output(const char *path, struct err *err)
{
	const struct renderer *r = renderer_find("text");

	if (is_stdout(path) || is_special(path) || !suffix_of(path))
		return r;
	r = renderer_for_path(path);
	if (r)
		return r;
	err_set(err, -EINVAL, "'%s': no format has the suffix '%s'", path, suffix_of(path));
	hint_formats(err);
	return NULL;
}

const struct renderer *choose_renderer(const struct options *opts, struct err *err)
{
	const char *suffix = opts->output ? suffix_of(opts->output) : NULL;
	const struct renderer *r;

	if (suffix && !strcmp(suffix, ".gallop")) {
		err_set(err, -EINVAL, "'%s' is the name of a recording, and this isn't one",
			opts->output);
		err_hint(err, "'gallop record' makes recordings; -o is where the result goes");
		return NULL;
	}
	if (!opts->format && !opts->json)
		return renderer_of_output(opts->output, err);
	r = renderer_find(opts->format ? opts->format : "json");
	if (r)
		return r;
	err_set(err, -EINVAL, "unknown format '%s'", opts->format);
	hint_formats(err);
	return NULL;
}

struct render_opts render_opts_of(const struct options *opts)
{
	return (struct render_opts){ .value = opts->value,
				     .top_nr = opts->top_nr,
				     .stacks = opts->stacks,
				     .color = opts->color && !opts->output };
}

/* --- files ------------------------------------------------------------------------------------ */

static FILE *open_in_place(const char *path)
{
	struct stat st;
	bool is_new = stat(path, &st) != 0; /* what a link leads to */
	int fd = fd_of_path(path);

	fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
		     : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, OWNER_FILE_MODE);
	if (fd >= 0 && is_new)
		owner_give(fd);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

static int refuse_recording(const char *target, const char *path, struct err *err)
{
	_cleanup_close_ int fd = open(target, O_RDONLY | O_CLOEXEC);
	struct database_header header;
	int rc = fd < 0 ? -errno : database_read_header(fd, &header);

	if (rc == -ENOENT)
		return 0;
	if (rc)
		return err_set(err, rc, "cannot replace '%s': %s", path, strerror(-rc));
	if (header.kind != DATABASE_OURS)
		return 0;
	err_set(err, -EEXIST, "'%s' is a recording: it is not replaced", path);
	err_hint(err, "give another name with -o");
	return -EEXIST;
}

/* Who may read the file stays as it was; a new one is for who called us, and nobody else. */
static void set_access(int fd, const char *target)
{
	struct stat st;

	if (stat(target, &st)) {
		owner_give(fd);
		return;
	}
	if (fchown(fd, st.st_uid, st.st_gid))
		st.st_mode &= 0700; /* it isn't for the same people any more */
	fchmod(fd, st.st_mode & 0777);
}

static FILE *open_beside(struct output *out)
{
	if (!out->target || asprintf(&out->tmp, "%s.XXXXXX", out->target) < 0) {
		out->tmp = NULL;
		errno = ENOMEM;
		return NULL;
	}
	int fd = mkostemp(out->tmp, O_CLOEXEC);
	if (fd < 0) {
		free(take_ptr(out->tmp)); /* nothing to remove */
		return NULL;
	}
	set_access(fd, out->target);
	return fdopen(fd, "w");
}

static bool is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

int output_open(struct output *out, const char *path, struct err *err)
{
	*out = (struct output){ .f = stdout };
	if (is_stdout(path))
		return 0;
	out->path = path;
	int rc = fd_of_path(path) < 0 ? owner_check(path, err) : 0;
	if (!rc && !is_special(path)) {
		out->target = realpath(path, NULL);
		if (!out->target && !is_link(path))
			out->target = strdup(path);
	}
	if (!rc && out->target)
		rc = refuse_recording(out->target, path, err);
	if (!rc) {
		out->f = out->target ? open_beside(out) : open_in_place(path);
		if (!out->f)
			rc = err_set(err, -errno, "cannot write '%s': %s", path, strerror(errno));
	}
	if (rc) {
		out->f = NULL;
		output_discard(out);
	}
	return rc;
}

void output_discard(struct output *out)
{
	if (out->path && out->f)
		fclose(out->f);
	if (out->tmp)
		unlink(out->tmp);
	free(out->tmp);
	free(out->target);
	*out = (struct output){ 0 };
}

int output_close(struct output *out, int rc, struct err *err)
{
	const char *path = out->path;
	int error = rc == -EIO ? errno : -rc; /* a stream that failed says no more than that */
	bool bad = rc < 0;

	if (!bad && (fflush(out->f) || ferror(out->f))) {
		bad = true;
		error = errno;
	}
	if (!bad && path) {
		bad = fclose(out->f) != 0;
		out->f = NULL;
		bad = bad || (out->tmp && rename(out->tmp, out->target));
		error = errno;
	}
	if (!bad)
		free(take_ptr(out->tmp)); /* it has its name */
	output_discard(out);
	if (!bad)
		return 0;
	error = error ? error : EIO;
	if (!path)
		return err_set(err, -EIO, "cannot write standard output: %s", strerror(error));
	return err_set(err, -EIO, "cannot write '%s': %s", path, strerror(error));
}

int render_output(const struct renderer *renderer, const struct snapshot *s,
		  const struct options *opts, struct err *err)
{
	struct render_opts render_opts = render_opts_of(opts);
	struct output out;
	int rc = output_open(&out, opts->output, err);

	if (rc)
		return rc;
	return output_close(&out, renderer->render(out.f, s, &render_opts), err);
}
