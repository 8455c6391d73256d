/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gallop gc: cycles and stops as they end, and what they add up to; live, or from a recording.
 */
#include <errno.h>
#include <string.h>

#include "cmd/live.h"
#include "model/model.h"
#include "plan/plan.h"
#include "record/recording.h"
#include "render/render.h"

enum { INTERVAL_NS = 250 * 1000 * 1000 }; /* how soon an event is shown */

struct gc {
	const struct options *opts;
	const struct renderer *renderer;
	struct render_opts render;
	struct output
		out; /* open from the start: where nothing can be written, nothing is watched */
	bool as_they_come; /* text and jsonl; other formats are written at the end */
	bool complete;
};

static int take_snapshot(struct model *m, const struct gc *gc, bool interval, struct snapshot **ret,
			 struct err *err)
{
	struct snapshot_opts opts = { .interval = interval,
				      .sort = gc->opts->value,
				      .runtime_frames = gc->opts->runtime_frames };

	return snapshot_new(m, &opts, ret) ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static bool is_jsonl(const struct gc *gc)
{
	return !strcmp(gc->renderer->name, "jsonl");
}

static int on_start(struct session *s, void *ctx, struct err *err)
{
	struct gc *gc = ctx;
	const struct model_meta *meta = model_meta(session_model(s));
	struct snapshot *snap;

	if (!gc->opts->quiet && (!gc->as_they_come || gc->opts->output))
		talk("watching %d (%s)", meta->pid, meta->comm);
	if (gc->as_they_come && is_jsonl(gc)) {
		int rc = take_snapshot(session_model(s), gc, false, &snap, err);
		if (rc)
			return rc;
		render_jsonl_meta(gc->out.f, snap);
		snapshot_free(snap);
	} else if (gc->as_they_come) {
		render_gc_header(gc->out.f, &gc->render);
	}
	if (gc->as_they_come)
		fflush(gc->out.f);
	return live_say_ready(gc->opts, err);
}

static int show_interval(struct session *s, struct gc *gc, struct err *err)
{
	struct snapshot *snap;
	int rc = take_snapshot(session_model(s), gc, true, &snap, err);

	if (rc)
		return rc;
	rc = is_jsonl(gc) ? render_jsonl_events(gc->out.f, snap)
			  : render_gc_events(gc->out.f, snap, &gc->render);
	if (!rc && fflush(gc->out.f))
		rc = -EIO;
	snapshot_free(snap);
	return rc ? output_close(&gc->out, rc, err) : 0;
}

/* What it all came to. */
static int show_end(struct model *m, struct gc *gc, struct err *err)
{
	struct snapshot *snap;
	int rc = take_snapshot(m, gc, false, &snap, err);

	if (rc)
		return rc;
	gc->complete = snapshot_is_complete(snap);
	if (!gc->as_they_come)
		rc = gc->renderer->render(gc->out.f, snap, &gc->render);
	else if (is_jsonl(gc))
		rc = render_jsonl_end(gc->out.f, snap);
	else
		rc = render_gc_summary(gc->out.f, snap, &gc->render);
	snapshot_free(snap);
	return output_close(&gc->out, rc, err);
}

static int on_interval(struct session *s, uint64_t from_ns, uint64_t to_ns, void *ctx,
		       struct err *err)
{
	struct gc *gc = ctx;
	bool last = model_meta(session_model(s))->end_reason[0];
	int rc = gc->as_they_come ? show_interval(s, gc, err) : 0;

	(void)from_ns;
	(void)to_ns;
	return !rc && last ? show_end(session_model(s), gc, err) : rc;
}

static int show_recording(struct gc *gc, struct err *err)
{
	struct recording_span span = { .from_ns = gc->opts->from_ns, .to_ns = gc->opts->to_ns };
	struct snapshot *snap;
	struct model *m;
	int rc = recording_load(gc->opts->file, &span, &m, err);

	if (rc)
		return rc;
	rc = check_gc_known(model_meta(m), err);
	if (!rc && gc->as_they_come && !is_jsonl(gc)) {
		rc = take_snapshot(m, gc, false, &snap, err);
		if (!rc) {
			render_gc_header(gc->out.f, &gc->render);
			render_gc_events(gc->out.f, snap, &gc->render);
			snapshot_free(snap);
		}
	} else {
		gc->as_they_come = false;
	}
	if (!rc)
		rc = show_end(m, gc, err);
	model_free(m);
	return rc;
}

static int watch(struct gc *gc, struct err *err)
{
	struct options opts = *gc->opts;
	struct session_events events = { .on_start = on_start,
					 .on_interval = on_interval,
					 .ctx = gc };

	opts.delay_ns = INTERVAL_NS;
	return live_run(&opts, PLAN_VIEW_GC, &events, err);
}

int cmd_gc(const struct options *opts, struct err *err)
{
	struct gc gc = { .opts = opts,
			 .renderer = choose_renderer(opts, err),
			 .render = render_opts_of(opts) };
	int rc = gc.renderer ? live_check_target("gc", opts, err) : -EINVAL;

	if (rc)
		return rc;
	if (opts->file && (opts->pid || opts->argv))
		return err_set(err, -EINVAL, "either a recording or a live target, not both");
	if (opts->dry_run)
		return live_print_plan(opts, PLAN_VIEW_GC, err);
	gc.as_they_come = !strcmp(gc.renderer->name, "text") || is_jsonl(&gc);
	/* What it looks at; only collapsed stacks of a recording are of allocations. */
	if ((gc.renderer == renderer_find("pprof") || gc.renderer == renderer_find("speedscope") ||
	     gc.renderer == renderer_find("html")) &&
	    !options_given(opts, "value"))
		gc.render.value = SNAPSHOT_STW;
	rc = output_open(&gc.out, opts->output, err);
	if (rc)
		return rc;
	rc = opts->file ? show_recording(&gc, err) : watch(&gc, err);
	output_discard(&gc.out);
	if (!rc && opts->strict && !gc.complete)
		return EXIT_STATUS_INCOMPLETE;
	return rc;
}
