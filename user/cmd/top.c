/* SPDX-License-Identifier: BSD-2-Clause */
/* gallop top: what each interval added, on a terminal's screen or as plain text blocks. */
#include <errno.h>

#include "cmd/live.h"
#include "cmd/top_screen.h"
#include "model/model.h"
#include "render/render.h"

struct top {
	const struct options *opts;
	uint32_t blocks;
	struct snapshot_cache *cache;
};

static int on_start(struct session *s, void *ctx, struct err *err)
{
	struct top *t = ctx;

	(void)s;
	return live_say_ready(t->opts, err);
}

static int on_interval(struct session *s, uint64_t from_ns, uint64_t to_ns, void *ctx,
		       struct err *err)
{
	struct top *t = ctx;
	struct snapshot_opts interval_opts = { .interval = true,
					       .places = true,
					       .sort = t->opts->value,
					       .runtime_frames = t->opts->runtime_frames,
					       .cache = t->cache };
	struct snapshot_opts total_opts = interval_opts;
	struct render_opts render = { .value = t->opts->value, .top_nr = t->opts->top_nr };
	struct snapshot *interval = NULL, *total = NULL;

	(void)from_ns;
	(void)to_ns;
	if (t->opts->iterations && t->blocks == t->opts->iterations)
		return 1;
	total_opts.interval = false;
	int rc = snapshot_new(session_model(s), &total_opts, &total);
	if (!rc)
		rc = snapshot_new(session_model(s), &interval_opts, &interval);
	if (rc)
		rc = err_set(err, rc, "out of memory");
	else if (render_top_block(stdout, interval, total, &render) || fflush(stdout))
		rc = err_set(err, -EIO, "cannot write standard output");
	snapshot_free(interval);
	snapshot_free(total);
	if (rc)
		return rc;
	return ++t->blocks == t->opts->iterations;
}

int cmd_top(const struct options *opts, struct err *err)
{
	struct options blocks = *opts;
	struct top t = { .opts = &blocks };
	struct session_events events = { .on_start = on_start,
					 .on_interval = on_interval,
					 .ctx = &t };
	int rc = live_check_target("top", opts, err);

	if (rc)
		return rc;
	if (opts->dry_run)
		return live_print_plan(opts, live_views(opts), err);
	if (opts->once)
		blocks.iterations = 1;
	/* Most of what the screen shows is of one process. */
	if (!opts->batch && !opts->exe && !blocks.iterations && top_screen_is_possible())
		return top_screen(opts, err);
	t.cache = snapshot_cache_new(); /* without, blocks take longer */
	rc = live_run(opts, live_views(opts), &events, err);
	snapshot_cache_free(t.cache);
	return rc;
}
