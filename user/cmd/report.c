/* SPDX-License-Identifier: BSD-2-Clause */
/* gallop report: a recording in one of the output formats. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/cmd.h"
#include "model/model.h"
#include "record/recording.h"
#include "render/render.h"

int cmd_report(const struct options *opts, struct err *err)
{
	struct recording_span span = { .from_ns = opts->from_ns, .to_ns = opts->to_ns };
	const struct renderer *renderer = choose_renderer(opts, err);
	struct model *model;
	struct snapshot *s;

	if (!renderer)
		return -EINVAL;
	struct snapshot_opts snapshot_opts = {
		.runtime_frames = opts->runtime_frames,
		.sort = opts->value,
		/* A table of sites without their stacks would have rows that look the same. */
		.places = !strcmp(renderer->name, "text") && !opts->stacks,
	};
	int rc = recording_load(opts->file, &span, &model, err);
	if (rc)
		return rc;
	if (snapshot_new(model, &snapshot_opts, &s)) {
		model_free(model);
		return err_set(err, -ENOMEM, "out of memory");
	}
	model_free(model);
	rc = check_value_known(s, opts, err);
	if (!rc)
		rc = render_output(renderer, s, opts, err);
	if (!rc && opts->strict && !snapshot_is_complete(s))
		rc = EXIT_STATUS_INCOMPLETE;
	snapshot_free(s);
	return rc;
}
