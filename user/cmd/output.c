/* SPDX-License-Identifier: BSD-2-Clause */
/* Where results go: a complete file or none. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"

/* Devices and pipes are written to as they are; only a regular file can be replaced by renaming. */
static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

const struct renderer *choose_renderer(const struct options *opts, struct err *err)
{
	const struct renderer *r;

	if (opts->json)
		return renderer_find("json");
	if (!opts->format) {
		r = opts->output ? renderer_for_path(opts->output) : NULL;
		return r ? r : renderer_find("text");
	}
	r = renderer_find(opts->format);
	if (!r) {
		err_set(err, -EINVAL, "unknown format '%s'", opts->format);
		err_hint(err, "text, collapsed, json, jsonl or trace");
	}
	return r;
}

int render_output(const struct renderer *renderer, const struct snapshot *s,
		  const struct options *opts, struct err *err)
{
	struct render_opts render_opts = { .value = opts->value,
					   .top_nr = opts->top_nr,
					   .stacks = opts->stacks,
					   .color = opts->color && !opts->output };
	struct output out;
	int rc = output_open(&out, opts->output, err);

	if (rc)
		return rc;
	renderer->render(out.f, s, &render_opts);
	return output_close(&out, err);
}

int output_open(struct output *out, const char *path, struct err *err)
{
	*out = (struct output){ .f = stdout };
	if (!path || !strcmp(path, "-"))
		return 0;
	out->path = path;
	if (is_special(path)) {
		out->f = fopen(path, "we");
	} else {
		snprintf(out->tmp, sizeof(out->tmp), "%s.XXXXXX", path);
		int fd = mkstemp(out->tmp);
		mode_t mask = umask(0);

		umask(mask);
		if (fd >= 0)
			fchmod(fd, 0666 & ~mask);
		out->f = fd >= 0 ? fdopen(fd, "w") : NULL;
	}
	if (!out->f)
		return err_set(err, -errno, "cannot write '%s': %s", path, strerror(errno));
	return 0;
}

int output_close(struct output *out, struct err *err)
{
	bool bad = ferror(out->f) | fflush(out->f);
	int error = errno;

	if (out->path)
		bad |= fclose(out->f) != 0;
	if (!bad && out->tmp[0] && rename(out->tmp, out->path)) {
		error = errno;
		bad = true;
	}
	if (!bad)
		return 0;
	if (out->tmp[0])
		unlink(out->tmp);
	return err_set(err, -EIO, "cannot write '%s': %s",
		       out->path ? out->path : "standard output", strerror(error ? error : EIO));
}

void print_err(const struct err *err)
{
	fprintf(stderr, "gallop: %s\n", err->msg);
	if (err->hint[0])
		fprintf(stderr, "hint: %s\n", err->hint);
}
