/* SPDX-License-Identifier: BSD-2-Clause */
/* gallop record: a session written to a recording, interval by interval. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/live.h"
#include "model/model.h"
#include "plan/plan.h"
#include "record/recording.h"
#include "render/render.h"

struct record {
	const struct options *opts;
	struct recording *rec;
	bool full; /* --max-size was reached, or ... */
	bool no_space; /* ... the disk is full */
	bool locked; /* an interval could not be written in its time */
	bool complete;
};

/* Only now is an older recording of that name replaced: there will be a new one. */
static int on_attached(struct session *s, void *ctx, struct err *err)
{
	struct record *r = ctx;

	(void)s;
	return recording_create(r->opts->output, r->opts->max_size, &r->rec, err);
}

static int on_start(struct session *s, void *ctx, struct err *err)
{
	struct record *r = ctx;
	const struct model_meta *meta = model_meta(session_model(s));

	if (!r->opts->quiet && r->opts->exe)
		talk("recording all processes of %s to %s", r->opts->exe, r->opts->output);
	else if (!r->opts->quiet)
		talk("recording %d (%s) to %s", meta->pid, meta->comm, r->opts->output);
	return live_say_ready(r->opts, err);
}

/* The whole session so far, as text on standard error. */
static int print_summary(struct session *s, struct record *r, struct err *err)
{
	struct snapshot_opts snapshot_opts = { .sort = SNAPSHOT_BYTES, .places = true };
	struct render_opts render_opts = { .value = SNAPSHOT_BYTES, .top_nr = 5 };
	struct snapshot *snap;

	if (snapshot_new(session_model(s), &snapshot_opts, &snap))
		return err_set(err, -ENOMEM, "out of memory");
	r->complete = snapshot_is_complete(snap);
	if (!r->opts->quiet)
		renderer_find("text")->render(stderr, snap, &render_opts);
	snapshot_free(snap);
	return 0;
}

static int on_snapshot(struct session *s, void *ctx, struct err *err)
{
	return print_summary(s, ctx, err);
}

static int finish(struct session *s, struct record *r, struct err *err)
{
	struct recording *rec = r->rec;
	struct model *m = session_model(s);

	r->rec = NULL;
	/* No room for one more kind of loss is no reason not to write the end. */
	(void)model_set_loss(m, "not_recorded", "objects in no site: the recording was full",
			     recording_unwritten(rec, m));
	if (r->full) {
		(void)model_set_loss(m, "gc_not_recorded",
				     "stops and GC cycles left out: the recording was full",
				     recording_unwritten_gc(rec, m));
		(void)model_set_loss(m, "maps_not_recorded",
				     "operations of maps left out: the recording was full",
				     recording_unwritten_maps(rec, m));
		(void)model_set_loss(
			m, "ops_not_recorded",
			"beginnings and ends of operations left out: the recording was full",
			recording_unwritten_ops(rec, m));
		if (recording_unwritten_samples(rec, m))
			(void)model_set_loss(m, "samples_not_recorded",
					     "windows and samples left out: the recording was full",
					     recording_unwritten_samples(rec, m));
	}
	int rc = recording_finish(rec, m, err);
	if (!rc)
		rc = print_summary(s, r, err);
	if (!rc && !r->opts->quiet)
		talk("wrote %s; 'gallop report %s' shows it", r->opts->output, r->opts->output);
	return rc;
}

/* By another program, such as a database shell with a transaction open: what it keeps from us now is written later. */
static int wait_for_lock(struct session *s, struct record *r)
{
	if (!r->locked) {
		model_add_note(session_model(s), "an interval is longer: another program had "
						 "locked the recording");
		talk("'%s' is locked by another program: what is counted is written once it isn't",
		     r->opts->output);
	}
	r->locked = true;
	return SESSION_AGAIN;
}

/* There is room for the end only: that it ended, why, and how much isn't in it. */
static int end_early(struct session *s, struct record *r, const struct err *why)
{
	r->full = true;
	r->no_space = why->code == -ENOSPC;
	session_name_end(s, r->no_space ? "the disk was full" : "the recording was full");
	if (r->no_space)
		print_err(why);
	else
		talk("the recording ends here: %s", why->msg);
	return 0;
}

static int on_interval(struct session *s, uint64_t from_ns, uint64_t to_ns, void *ctx,
		       struct err *err)
{
	struct record *r = ctx;
	bool last = model_meta(session_model(s))->end_reason[0];
	int rc = r->full ? 0 : recording_write(r->rec, session_model(s), from_ns, to_ns, err);

	if (rc == -EBUSY && !last)
		return wait_for_lock(s, r);
	if (rc == -EFBIG || rc == -ENOSPC)
		rc = end_early(s, r, err);
	if (!rc && last)
		rc = finish(s, r, err);
	/* What can't be written can still be shown. */
	struct err ignored;
	if (rc < 0)
		print_summary(s, r, &ignored);
	return rc ? rc : r->full ? SESSION_END : 0;
}

/* Windows are of operations or of all else: those that are asked for. */
static unsigned views_of(struct options *live)
{
	if (!live->ops_nr || live->mode != SESSION_AUTO)
		return live_views(live);
	live->ops_only = true;
	return live_views(live) & ~(unsigned)PLAN_VIEW_MAPS;
}

int cmd_record(const struct options *opts, struct err *err)
{
	struct plan_op_want wants[WIRE_OPS_MAX];
	struct options live = *opts;
	struct record r = { .opts = opts };
	struct session_events events = { .on_attached = on_attached,
					 .on_start = on_start,
					 .on_interval = on_interval,
					 .on_snapshot = on_snapshot,
					 .ctx = &r };
	int rc = live_check_target("record", opts, err);

	if (rc)
		return rc;
	live.ops_nr = live_wants(opts, wants);
	live.ops = wants;
	live.stretch = true;
	live.heap = !opts->exe;
	unsigned views = views_of(&live);
	if (opts->dry_run)
		return live_print_plan(&live, views, err);
	if (!opts->output)
		return err_set(err, -EINVAL, "no file to record to: give one with -o FILE");
	if (!strcmp(opts->output, "-")) {
		err_set(err, -EINVAL, "a recording is a database: it can't go to standard output");
		err_hint(err, "record to a file, then 'gallop report FILE -f json'");
		return -EINVAL;
	}
	rc = live_run(&live, views, &events, err);
	recording_free(r.rec);
	if (!rc && r.no_space)
		return EXIT_STATUS_FAILURE;
	if (!rc && opts->strict && !r.complete)
		return EXIT_STATUS_INCOMPLETE;
	return rc;
}
