/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gallop maps: what a program does to its maps, counted until its end, Ctrl-C or --duration, and then shown; or
 * the same from a recording.
 */
#include <errno.h>
#include <string.h>

#include "cmd/live.h"
#include "model/model.h"
#include "plan/plan.h"
#include "record/recording.h"
#include "render/render.h"

struct maps {
	struct options *opts;
	bool any_value; /* one is drawn, and none was asked for */
	struct renderer renderer; /* but that text is of maps */
	struct output
		out; /* open from the start: where nothing can be written, nothing is watched */
	bool complete;
};

static int on_start(struct session *s, void *ctx, struct err *err)
{
	const struct maps *maps = ctx;
	const struct model_meta *meta = model_meta(session_model(s));

	if (!maps->opts->quiet)
		talk("counting what %d (%s) does to its maps", meta->pid, meta->comm);
	return live_say_ready(maps->opts, err);
}

/* The first of what is counted: assigns, which aren't in every mode, or growths, which are. */
static enum snapshot_value known_value(const struct snapshot_maps *maps)
{
	return maps->every_operation || maps->operations_sampled ? SNAPSHOT_ASSIGNS
								 : SNAPSHOT_GROWTHS;
}

static int show(struct model *m, struct maps *maps, struct err *err)
{
	struct snapshot_opts opts = { .sort = maps->opts->value,
				      .runtime_frames = maps->opts->runtime_frames,
				      /* Rows without their stacks would look the same. */
				      .places = maps->renderer.render == render_maps_summary &&
						!maps->opts->stacks };
	struct snapshot *snap;

	if (snapshot_new(m, &opts, &snap))
		return err_set(err, -ENOMEM, "out of memory");
	maps->complete = snapshot_is_complete(snap);
	if (maps->any_value)
		maps->opts->value = known_value(&snap->maps);
	const struct render_opts render_opts = render_opts_of(maps->opts);
	int rc = check_value_known(snap, maps->opts, err);
	if (!rc)
		rc = output_close(&maps->out,
				  maps->renderer.render(maps->out.f, snap, &render_opts), err);
	snapshot_free(snap);
	return rc;
}

static int on_interval(struct session *s, uint64_t from_ns, uint64_t to_ns, void *ctx,
		       struct err *err)
{
	bool last = model_meta(session_model(s))->end_reason[0];

	(void)from_ns;
	(void)to_ns;
	return last ? show(session_model(s), ctx, err) : 0;
}

static int show_recording(struct maps *maps, struct err *err)
{
	struct recording_span span = { .from_ns = maps->opts->from_ns, .to_ns = maps->opts->to_ns };
	struct model *m;
	int rc = recording_load(maps->opts->file, &span, &m, err);

	if (rc)
		return rc;
	rc = show(m, maps, err);
	model_free(m);
	return rc;
}

int cmd_maps(const struct options *opts, struct err *err)
{
	struct options live = *opts;
	struct maps maps = { .opts = &live };
	const struct session_events events = { .on_start = on_start,
					       .on_interval = on_interval,
					       .ctx = &maps };
	const struct renderer *renderer = choose_renderer(opts, err);
	int rc = renderer ? live_check_target("maps", opts, err) : -EINVAL;

	if (rc)
		return rc;
	if (opts->file && (opts->pid || opts->argv))
		return err_set(err, -EINVAL, "either a recording or a live target, not both");
	if (opts->dry_run)
		return live_print_plan(opts, PLAN_VIEW_MAPS, err);
	maps.renderer = *renderer;
	maps.any_value = (shows_stacks(renderer) || renderer == renderer_find("html")) &&
			 !options_given(opts, "value");
	/* What rows are ordered by, until it is known which there are. */
	if (maps.any_value)
		live.value = SNAPSHOT_ASSIGNS;
	if (renderer == renderer_find("text"))
		maps.renderer.render = render_maps_summary;
	rc = output_open(&maps.out, opts->output, err);
	if (rc)
		return rc;
	/* Very many maps take time to look at. */
	live.stretch = true;
	rc = opts->file ? show_recording(&maps, err)
			: live_run(&live, PLAN_VIEW_MAPS, &events, err);
	output_discard(&maps.out);
	if (!rc && opts->strict && !maps.complete)
		return EXIT_STATUS_INCOMPLETE;
	return rc;
}
