/* SPDX-License-Identifier: BSD-2-Clause */
/* gallop report: a recording in one of the output formats. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "base/u64.h"
#include "cmd/cmd.h"
#include "model/model.h"
#include "record/recording.h"
#include "render/render.h"

/*
 * The parts of a recording, for the time filter of a page. Each is read on its own, and holds whole intervals of the
 * recording: those whose middle lies in it. Where sites are estimated, parts are longer, as each has to have samples
 * of its own.
 */
enum {
	SLICES_MAX = 60,
	SLICE_SITES_MAX = 400 * 1000, /* in all parts: to read and to write one takes 30 us */
	SLICES_MIN = 2, /* one part is no part */
};

#define SLICE_NS (UINT64_C(500) * 1000 * 1000)
#define SAMPLED_SLICE_NS (10 * SLICE_NS)

struct slices {
	const struct options *opts;
	uint64_t from_ns, to_ns; /* since the recording's start */
	uint64_t next, nr;
	char why_none[160];
	int failed; /* -errno of what couldn't be read, told in err */
	struct err *err;
};

/* All that is read again for each part. */
static uint64_t sites_of(const struct snapshot *s)
{
	return s->sites_nr + s->maps.sites_nr + s->heap.sites_nr + s->gc.assists_nr +
	       s->gc.stoppers_nr;
}

static void say_too_many(struct slices *slices, uint64_t sites)
{
	slices->nr = 0;
	snprintf(slices->why_none, sizeof(slices->why_none),
		 "there are too many sites (%" PRIu64 ") to read them again for each part; "
		 "--from and --to make a page of one part",
		 sites);
}

static void say_too_short(struct slices *slices, uint64_t part_ns)
{
	slices->nr = 0;
	snprintf(slices->why_none, sizeof(slices->why_none),
		 "parts are %s long at least, and this isn't twice as long",
		 fmt_duration(part_ns).s);
}

static struct slices slices_of(const struct options *opts, const struct snapshot *s,
			       struct err *err)
{
	uint64_t start = s->meta.start_mono_ns;
	uint64_t sites = sites_of(s), part_ns = s->samples.on ? SAMPLED_SLICE_NS : SLICE_NS;
	uint64_t nr = min_u64(SLICES_MAX, SLICE_SITES_MAX / (sites + 1));
	struct slices slices = { .opts = opts,
				 .from_ns = max_u64(s->from_mono_ns, start) - start,
				 .to_ns = max_u64(s->to_mono_ns, start) - start,
				 .err = err };
	uint64_t dur_ns = max_u64(slices.to_ns, slices.from_ns) - slices.from_ns;

	slices.nr = min_u64(nr, dur_ns / part_ns);
	if (dur_ns / part_ns < SLICES_MIN)
		say_too_short(&slices, part_ns);
	else if (nr < SLICES_MIN)
		say_too_many(&slices, sites);
	return slices;
}

/* The bounds of part i: the last one has the rest, and nothing that was written since the whole was read. */
static struct recording_span slice_span(const struct slices *slices, uint64_t i)
{
	uint64_t each = (slices->to_ns - slices->from_ns) / slices->nr;
	uint64_t from = slices->from_ns + i * each;

	return (struct recording_span){
		.from_ns = i ? from : slices->opts->from_ns,
		.to_ns = i + 1 < slices->nr ? from + each : slices->to_ns + 1,
	};
}

static int next_slice(void *ctx, struct snapshot **ret)
{
	struct slices *slices = ctx;
	struct snapshot_opts snapshot_opts = { .runtime_frames = slices->opts->runtime_frames };

	while (slices->next < slices->nr) {
		struct recording_span span = slice_span(slices, slices->next++);
		struct model *model;
		int rc = recording_load(slices->opts->file, &span, &model, slices->err);

		if (rc == -ERANGE)
			continue; /* no interval has its middle there */
		if (rc)
			return slices->failed = rc;
		if (snapshot_new(model, &snapshot_opts, ret))
			slices->failed = err_set(slices->err, -ENOMEM, "out of memory");
		model_free(model);
		return slices->failed ? slices->failed : 1;
	}
	return 0;
}

static int render_page(const struct renderer *renderer, const struct snapshot *s,
		       const struct options *opts, struct err *err)
{
	struct slices slices = slices_of(opts, s, err);
	const struct render_slices with = { .next = next_slice,
					    .ctx = &slices,
					    .why_none = slices.nr ? NULL : slices.why_none };
	struct render_opts render_opts = render_opts_of(opts);
	struct output out;
	int rc = output_open(&out, opts->output, err);

	if (rc)
		return rc;
	render_opts.slices = &with;
	rc = renderer->render(out.f, s, &render_opts);
	if (!slices.failed)
		return output_close(&out, rc, err);
	/* What could not be read was not a failure to write. */
	output_discard(&out);
	return slices.failed;
}

/* A file of no results would be read as a run in which there was none. */
static int check_bench(const struct renderer *renderer, const struct snapshot *s, struct err *err)
{
	if (strcmp(renderer->name, "bench") || s->ops.ops_nr)
		return 0;
	err_set(err, -ENODATA, "no operations were measured, so there are no results of them");
	err_hint(err, "'gallop record --op FUNC' measures them, and 'gallop op' does");
	return -ENODATA;
}

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
	/* A timeline is of nothing else. */
	if (!rc && !strcmp(renderer->name, "trace"))
		rc = check_gc_known(&s->meta, err);
	if (!rc)
		rc = check_bench(renderer, s, err);
	if (!rc)
		rc = !strcmp(renderer->name, "html") ? render_page(renderer, s, opts, err)
						     : render_output(renderer, s, opts, err);
	if (!rc && opts->strict && !snapshot_is_complete(s))
		rc = EXIT_STATUS_INCOMPLETE;
	snapshot_free(s);
	return rc;
}
