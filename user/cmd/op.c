/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gallop op: what a call of a function allocates and takes, counted until the target's end, Ctrl-C or --duration, and
 * then shown; or the same from a recording.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/help.h"
#include "cmd/live.h"
#include "model/model.h"
#include "plan/plan.h"
#include "record/recording.h"
#include "render/render.h"

struct op {
	const struct options *opts;
	struct renderer renderer; /* but that text is of operations */
	bool as_they_come; /* benchmark results: lines for each interval */
	bool header_is_out;
	bool complete;
	/* Open from the start: where nothing can be written, nothing is measured. */
	struct output out;
};

/* --- what is to be measured ------------------------------------------------------------------- */

/* Where the next "LABEL=FUNC" begins: after a comma that isn't between a generic function's types. */
static char *next_part(char *part)
{
	int depth = 0;

	for (; *part; part++) {
		depth += *part == '[';
		depth -= *part == ']';
		if (*part != ',' || depth > 0)
			continue;
		*part = '\0';
		return part + 1;
	}
	return NULL;
}

/* A label becomes part of a file's name, and of a benchmark's. */
static bool is_label(const char *s)
{
	static const char allowed[] = "_-.";
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr(allowed, s[i]))
			return false;
	return len > 0 && len < sizeof(((struct plan_op *)0)->label) && s[0] != '.';
}

/* list is cut into its parts, and the wants point into it. */
static int read_compare(char *list, struct plan_op_want *wants, size_t *nr, struct err *err)
{
	for (char *next, *part = list; part; part = next) {
		next = next_part(part);
		char *func = strchr(part, '=');

		if (!func || !func[1])
			return err_set(err, -EINVAL, "--compare takes LABEL=FUNC,..., not '%s'",
				       part);
		*func++ = '\0';
		if (!is_label(part))
			return err_set(err, -EINVAL,
				       "'%s' can't be a label: letters, digits, '_', '-' and '.' "
				       "can be in it",
				       part);
		for (size_t i = 0; i < *nr; i++)
			if (wants[i].label && !strcmp(wants[i].label, part))
				return err_set(err, -EINVAL, "label '%s' is there twice", part);
		if (*nr == WIRE_OPS_MAX)
			return err_set(err, -EINVAL, "more than %d functions", WIRE_OPS_MAX);
		wants[(*nr)++] = (struct plan_op_want){ .pattern = func, .label = part };
	}
	return 0;
}

static int read_wants(const struct options *opts, char *list, struct plan_op_want *wants,
		      size_t *nr, struct err *err)
{
	*nr = live_wants(opts, wants);
	int rc = list ? read_compare(list, wants, nr, err) : 0;

	if (rc || *nr || opts->file)
		return rc;
	err_set(err, -EINVAL, "no function given");
	err_hint(err, "-f 'main.(*Server).handle', or --compare 'A=main.f,B=main.g'");
	return -EINVAL;
}

/* --- showing it ------------------------------------------------------------------------------- */

static int take_snapshot(struct model *m, const struct op *op, bool interval, struct snapshot **ret,
			 struct err *err)
{
	const struct snapshot_opts opts = { .interval = interval,
					    .sort = op->opts->value,
					    .runtime_frames = op->opts->runtime_frames };

	return snapshot_new(m, &opts, ret) ? err_set(err, -ENOMEM, "out of memory") : 0;
}

/* Where the stacks of a label go; NULL: out of memory. */
static char *folded_path(const struct op *op, const char *label)
{
	char *path;
	const char *prefix = op->opts->folded ? op->opts->folded : "op-";

	return asprintf(&path, "%s%s.folded", prefix, label) < 0 ? NULL : path;
}

/* There are stacks for each label only where allocations are traced. */
static bool folds(const struct op *op)
{
	return op->opts->compare && !op->opts->no_allocs;
}

/* Where they can't be written, nothing is measured. */
static int check_folded(const struct op *op, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < op->opts->ops_nr && !rc; i++) {
		if (!op->opts->ops[i].label)
			continue;
		_cleanup_free_ char *path = folded_path(op, op->opts->ops[i].label);
		struct output out;

		if (!path)
			return err_set(err, -ENOMEM, "out of memory");
		rc = output_open(&out, path, err);
		output_discard(&out);
	}
	return rc;
}

/* Collapsed stacks of what each operation allocates, for a flame graph each. */
static int write_folded(const struct op *op, const struct snapshot *snap, struct err *err)
{
	const struct render_opts render_opts = render_opts_of(op->opts);
	int rc = 0;

	for (size_t i = 0; i < snap->ops.ops_nr && !rc; i++) {
		const struct snapshot_op *shown = &snap->ops.ops[i];
		if (!shown->label[0])
			continue;
		_cleanup_free_ char *path = folded_path(op, shown->label);
		struct output out;

		if (!path)
			return err_set(err, -ENOMEM, "out of memory");
		rc = output_open(&out, path, err);
		if (!rc)
			rc = output_close(&out, render_op_collapsed(out.f, shown, &render_opts),
					  err);
		if (!rc && !op->opts->quiet)
			talk("wrote %s", path);
	}
	return rc;
}

static int render_collapsed_ops(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	int rc = 0;

	for (size_t i = 0; i < s->ops.ops_nr && !rc; i++)
		rc = render_op_collapsed(out, &s->ops.ops[i], opts);
	return rc;
}

static int show_bench(struct model *m, struct op *op, bool interval, struct err *err)
{
	struct snapshot *snap;
	int rc = take_snapshot(m, op, interval, &snap, err);

	if (rc)
		return rc;
	rc = op->header_is_out ? 0 : render_bench_header(op->out.f, snap);
	op->header_is_out = true;
	if (!rc)
		rc = render_bench_lines(op->out.f, snap);
	if (!rc && fflush(op->out.f))
		rc = -EIO;
	snapshot_free(snap);
	return rc ? output_close(&op->out, rc, err) : 0;
}

/* What it all came to. Where that isn't what was asked for, it is said as record says it. */
static int show_end(struct model *m, struct op *op, struct err *err)
{
	const struct render_opts render_opts = render_opts_of(op->opts);
	const struct render_opts plain = { .value = op->opts->value, .top_nr = op->opts->top_nr };
	struct snapshot *snap;
	int rc = take_snapshot(m, op, false, &snap, err);

	if (rc)
		return rc;
	op->complete = snapshot_is_complete(snap);
	if (!snap->ops.ops_nr) {
		err_set(err, -ENODATA, "operations were not measured in this recording");
		err_hint(err, "'gallop record --op FUNC' does, and 'gallop op -p PID -f FUNC'");
		rc = -ENODATA;
	}
	if (!rc)
		rc = output_close(&op->out,
				  op->as_they_come
					  ? render_bench_end(op->out.f, snap)
					  : op->renderer.render(op->out.f, snap, &render_opts),
				  err);
	if (!rc && folds(op))
		rc = write_folded(op, snap, err);
	if (!rc && op->as_they_come && !op->opts->quiet)
		render_ops_summary(stderr, snap, &plain);
	snapshot_free(snap);
	return rc;
}

static int on_start(struct session *s, void *ctx, struct err *err)
{
	const struct op *op = ctx;
	const struct model_meta *meta = model_meta(session_model(s));

	if (!op->opts->quiet)
		talk("measuring operations of %d (%s)", meta->pid, meta->comm);
	return live_say_ready(op->opts, err);
}

/* What is left at the end is no interval like the others, unless there are none. */
static int on_interval(struct session *s, uint64_t from_ns, uint64_t to_ns, void *ctx,
		       struct err *err)
{
	struct op *op = ctx;
	bool last = model_meta(session_model(s))->end_reason[0];
	bool whole = to_ns - from_ns >= op->opts->delay_ns / 2 || !op->header_is_out;
	int rc = op->as_they_come && whole ? show_bench(session_model(s), op, true, err) : 0;

	return !rc && last ? show_end(session_model(s), op, err) : rc;
}

static int show_recording(struct op *op, struct err *err)
{
	struct recording_span span = { .from_ns = op->opts->from_ns, .to_ns = op->opts->to_ns };
	struct model *m;
	int rc = recording_load(op->opts->file, &span, &m, err);

	if (rc)
		return rc;
	if (op->as_they_come)
		rc = show_bench(m, op, false, err);
	if (!rc)
		rc = show_end(m, op, err);
	model_free(m);
	return rc;
}

static int choose_format(struct op *op, struct options *opts, struct err *err)
{
	/* benchstat's files are called so. */
	const char *suffix = opts->output ? strrchr(opts->output, '.') : NULL;
	if (suffix && !strcmp(suffix, ".txt") && !opts->format && !opts->json)
		opts->format = "bench";

	const struct renderer *renderer = choose_renderer(opts, err);
	if (!renderer)
		return -EINVAL;
	op->renderer = *renderer;
	op->as_they_come = renderer == renderer_find("bench");
	if (renderer == renderer_find("text"))
		op->renderer.render = opts->compare ? render_ops_compare : render_ops_summary;
	if (renderer == renderer_find("collapsed"))
		op->renderer.render = render_collapsed_ops;
	if (renderer == renderer_find("pprof"))
		op->renderer.render = render_ops_pprof;
	if (renderer == renderer_find("speedscope"))
		op->renderer.render = render_ops_speedscope;
	return 0;
}

static int run(struct op *op, struct options *opts, struct err *err)
{
	const struct session_events events = { .on_start = on_start,
					       .on_interval = on_interval,
					       .ctx = op };
	unsigned views = PLAN_VIEW_GC | (opts->no_allocs ? 0 : PLAN_VIEW_ALLOC);

	if (opts->dry_run)
		return live_print_plan(opts, views, err);
	int rc = folds(op) ? check_folded(op, err) : 0;
	if (!rc)
		rc = output_open(&op->out, opts->output, err);
	if (rc)
		return rc;
	rc = opts->file ? show_recording(op, err) : live_run(opts, views, &events, err);
	output_discard(&op->out);
	if (!rc && opts->strict && !op->complete)
		return EXIT_STATUS_INCOMPLETE;
	return rc;
}

int cmd_op(const struct options *opts, struct err *err)
{
	struct plan_op_want wants[WIRE_OPS_MAX];
	struct options live = *opts;
	struct op op = { .opts = &live };
	_cleanup_free_ char *list = opts->compare ? strdup(opts->compare) : NULL;

	if (opts->compare && !list)
		return err_set(err, -ENOMEM, "out of memory");
	int rc = live_check_target("op", opts, err);
	if (rc)
		return rc;
	if (opts->file && (opts->pid || opts->argv))
		return err_set(err, -EINVAL, "either a recording or a live target, not both");
	live.ops = wants;
	live.ops_only = true;
	rc = read_wants(opts, list, wants, &live.ops_nr, err);
	if (!rc)
		rc = choose_format(&op, &live, err);
	if (!rc)
		rc = run(&op, &live, err);
	if (rc == -ENOENT)
		suggest_format(opts, err);
	return rc;
}
