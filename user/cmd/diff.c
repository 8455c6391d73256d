/* SPDX-License-Identifier: BSD-2-Clause */
/* gallop diff: two recordings, what has changed from one to the other, and whether that is too much. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/cmd.h"
#include "cmd/fail_if.h"
#include "model/diff.h"
#include "plan/opname.h"
#include "record/recording.h"
#include "render/diff.h"

enum { BLAMED_NR = 5 };

struct comparison {
	const struct options *opts;
	const struct format *format;
	struct diff_names names;
	const char *op; /* as it was asked for, borrowed; NULL: not by operation */
	struct fail_if limits[WIRE_OPS_MAX];
	struct diff_opts diff_opts;
	struct snapshot *s[DIFF_SIDES];
	struct diff *diff;
};

/* Those of the renderers' formats that a difference has. */
static const struct format {
	const char *name;
	diff_render *render;
	bool places; /* rows are places in the program, unless whole stacks are asked for */
} formats[] = {
	{ "text", render_diff_text, true },
	{ "json", render_diff_json, true },
	{ "collapsed", render_diff_collapsed, false },
	{ "html", render_diff_html, false },
};

/* --- what is asked for ------------------------------------------------------------------------------ */

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(name, formats[i].name) == 0)
			return &formats[i];
	return NULL;
}

bool cmd_diff_has_format(const char *name)
{
	return find_format(name) != NULL;
}

static int choose_format(struct comparison *c, struct err *err)
{
	const struct renderer *renderer = choose_renderer(c->opts, err);

	if (!renderer)
		return -EINVAL;
	c->format = find_format(renderer->name);
	if (c->format)
		return 0;
	err_set(err, -EINVAL, "a difference has no format %s", renderer->name);
	err_hint(err, "text, json, collapsed (two columns), html (a differential flame graph)");
	return -EINVAL;
}

static int read_per(struct comparison *c, struct err *err)
{
	const char *per = c->opts->per ? c->opts->per : "second";

	if (strcmp(per, "second") == 0)
		c->diff_opts.per = DIFF_PER_SECOND;
	else if (strcmp(per, "total") == 0)
		c->diff_opts.per = DIFF_PER_TOTAL;
	else if (strncmp(per, "op:", strlen("op:")) == 0 && per[strlen("op:")]) {
		c->diff_opts.per = DIFF_PER_OP;
		c->op = per + strlen("op:");
	} else {
		err_set(err, -EINVAL, "--per takes second, total or op:FUNC, not '%.100s'", per);
		err_hint(err, "FUNC is what 'gallop record --op FUNC' has measured");
		return -EINVAL;
	}
	return 0;
}

static int read_limits(struct comparison *c, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < c->opts->fail_if.nr; i++)
		rc = fail_if_parse(c->opts->fail_if.v[i], &c->limits[i], err);
	return rc;
}

/* --- both sides ------------------------------------------------------------------------------------- */

static int load_side(struct comparison *c, int side, struct err *err)
{
	const struct options *opts = c->opts;
	const char *file = c->names.file[side];
	struct recording_span span = { .from_ns = opts->from_ns, .to_ns = opts->to_ns };
	struct snapshot_opts snapshot_opts = {
		.runtime_frames = opts->runtime_frames,
		.places = c->format->places && !opts->stacks,
	};
	struct model *model;
	int rc = recording_load(file, &span, &model, err);

	if (rc)
		return rc;
	rc = snapshot_new(model, &snapshot_opts, &c->s[side]);
	model_free(model);
	if (rc)
		return err_set(err, rc, "out of memory");
	rc = check_value_known(c->s[side], opts, err);
	return rc ? err_wrap(err, "'%s'", file) : 0;
}

static int refuse_op(const struct snapshot *s, const char *file, const char *why, struct err *err)
{
	struct opname_list list;

	err_set(err, -ENODATA, "'%s': %s", file, why);
	opname_list_init(&list, 150);
	for (size_t i = 0; i < s->ops.ops_nr; i++)
		opname_list_add(&list, s->ops.ops[i].func);
	if (s->ops.ops_nr)
		err_hint(err, "it has %s", opname_list_end(&list));
	else
		err_hint(err, "'gallop record --op FUNC' measures a function's calls");
	return -ENODATA;
}

/* The function that is meant in a recording: names are written as for 'gallop op -f', but without globs. */
static int find_op(struct comparison *c, int side, struct err *err)
{
	const struct snapshot *s = c->s[side];
	const char *file = c->names.file[side];
	enum opname_match best = OPNAME_NONE;
	struct opname name;
	size_t nr = 0;

	if (!s->ops.ops_nr)
		return refuse_op(s, file, "no operations were measured", err);
	if (opname_init(&name, c->op))
		return err_set(err, -EINVAL, "--per op:FUNC takes a name that isn't as long");
	for (size_t i = 0; i < s->ops.ops_nr; i++) {
		char plain[OPNAME_MAX];
		const char *func = s->ops.ops[i].func;
		enum opname_match how = opname_match(&name, func,
						     opname_plain(func, plain, sizeof(plain)));
		if (how == OPNAME_NONE || how < best)
			continue;
		nr = how > best ? 1 : nr + 1;
		best = how;
		c->diff_opts.op[side] = &s->ops.ops[i];
	}
	if (nr != 1)
		return refuse_op(s, file,
				 nr ? "several operations are called so"
				    : "no such operation was measured",
				 err);
	c->names.op = c->diff_opts.op[side]->func;
	return 0;
}

static int explain(const struct comparison *c, int rc, struct err *err)
{
	const char *name = c->names.file[DIFF_BEFORE];

	if (rc != -ENODATA)
		return err_set(err, rc, "out of memory");
	for (int side = 0; side < DIFF_SIDES; side++) {
		const struct snapshot *s = c->s[side];
		bool none = c->diff_opts.per == DIFF_PER_OP ? !c->diff_opts.op[side]->counts.begun
							    : s->to_mono_ns == s->from_mono_ns;
		if (none)
			name = c->names.file[side];
	}
	if (c->diff_opts.per == DIFF_PER_OP)
		return err_set(err, rc, "'%s': no call of %.100s was measured", name, c->op);
	err_set(err, rc, "'%s' covers no time, so there is nothing per second", name);
	err_hint(err, "--per total compares what there is");
	return rc;
}

static int compare(struct comparison *c, struct err *err)
{
	int rc = 0;

	for (int side = 0; !rc && side < DIFF_SIDES; side++) {
		rc = load_side(c, side, err);
		if (!rc && c->diff_opts.per == DIFF_PER_OP)
			rc = find_op(c, side, err);
	}
	if (rc)
		return rc;
	rc = diff_new(c->s[DIFF_BEFORE], c->s[DIFF_AFTER], &c->diff_opts, &c->diff);
	if (rc)
		return explain(c, rc, err);
	return 0;
}

/* What draws one value draws nothing of one that isn't known: it would look as if it were 0, or exact. */
static int check_drawn(const struct comparison *c, struct err *err)
{
	enum snapshot_value value = c->opts->value;
	const struct diff_total *total = &c->diff->total[diff_measure_of(value)];
	const char *name = diff_measures[diff_measure_of(value)].name;

	if (c->format->places)
		return 0;
	if (!total->known)
		err_set(err, -ENODATA, "%s is not known (%s)", name, total->why_not);
	else if (c->format->render == render_diff_html && !diff_html_has(c->diff, value))
		err_set(err, -ENODATA,
			"%s is of all calls, and a page has what was measured of some", name);
	else
		return 0;
	err_hint(err, "--value chooses another one; -f text shows all that is known");
	return -ENODATA;
}

/* The other formats have both names in them. */
static void tell_ops(const struct comparison *c)
{
	if (!c->format->places && diff_ops_differ(c->diff))
		talk("calls of two functions are compared: %s and %s",
		     c->diff_opts.op[DIFF_BEFORE]->func, c->diff_opts.op[DIFF_AFTER]->func);
}

/* --- limits ----------------------------------------------------------------------------------------- */

/* A limit that nobody can judge must not look as if it were kept. */
static int check_limits(const struct comparison *c, struct err *err)
{
	for (size_t i = 0; i < c->opts->fail_if.nr; i++) {
		const struct diff_total *total = &c->diff->total[c->limits[i].measure];
		if (!total->known)
			return err_set(err, -ENODATA,
				       "--fail-if '%.100s' can't be judged: it is not known (%s)",
				       c->limits[i].text, total->why_not);
	}
	return 0;
}

static void blame_row(const struct comparison *c, enum diff_measure m, const struct diff_row *row,
		      const struct diff_value *v)
{
	double share = v->change / c->diff->total[m].v.change;
	char place[CELL_SZ], part[64] = "";

	short_diff_place(place, row,
			 TABLE_W - strlen("gallop:   +1023.9 KiB, 100 % of the change  "));
	if (share > 0 && share < 10)
		snprintf(part, sizeof(part), ", %.0f %% of the change", 100 * share);
	talk("  %s%s%s  %s", fmt_change(c->diff, m, v->change).s, part,
	     diff_is_noise(v)	  ? " (noise)"
	     : diff_is_unknown(v) ? " (?)"
				  : "",
	     place);
}

/* The sites that a change in the limit's direction comes from, those with most of it first. */
static void blame(const struct comparison *c, const struct fail_if *limit)
{
	bool has_sites = diff_table_of(limit->measure) != DIFF_TABLES_NR;
	enum diff_measure m = has_sites ? limit->measure : DIFF_ALLOC_SPACE;
	const struct diff_table *t = &c->diff->tables[diff_table_of(m)];
	_cleanup_free_ const struct diff_row **rows = diff_order(t, m);
	size_t blamed = 0;

	if (!has_sites)
		talk("what has changed most of %s:", diff_measures[m].name);
	for (size_t i = 0; rows && i < t->nr && blamed < BLAMED_NR; i++) {
		const struct diff_value *v = &rows[i]->v[m - t->first];
		if (limit->above ? v->change <= 0 : v->change >= 0)
			continue;
		blame_row(c, m, rows[i], v);
		blamed++;
	}
}

static enum fail_if_verdict judge(const struct comparison *c, const struct fail_if *limit)
{
	static const char *const words[] = {
		[FAIL_IF_NOISE] = "not failed: that it is beyond the limit could be by chance",
		[FAIL_IF_UNSURE] = "not judged: how sure the change is can't be told",
		[FAIL_IF_BROKEN] = "failed",
	};
	const struct diff_value *v = &c->diff->total[limit->measure].v;
	enum fail_if_verdict verdict = fail_if_judge(limit, v);
	char words_of[CELL_SZ];

	if (verdict == FAIL_IF_KEPT)
		return verdict;
	diff_measure_words(words_of, c->diff, limit->measure, &c->names);
	talk("%s: %s: %s -> %s %s, %s (%s)", words[verdict], limit->text,
	     fmt_measure(c->diff, limit->measure, v->side[DIFF_BEFORE]).s,
	     fmt_measure(c->diff, limit->measure, v->side[DIFF_AFTER]).s, words_of,
	     fmt_change_percent(v).s, fmt_change_ci95(v).s);
	if (verdict == FAIL_IF_BROKEN)
		blame(c, limit);
	return verdict;
}

static int status_of(const struct comparison *c)
{
	bool complete = snapshot_is_complete(c->s[DIFF_BEFORE]) &&
			snapshot_is_complete(c->s[DIFF_AFTER]);
	bool failed = false;

	for (size_t i = 0; i < c->opts->fail_if.nr; i++) {
		enum fail_if_verdict verdict = judge(c, &c->limits[i]);
		/* As where nothing is known of it: see check_limits(). */
		failed |= verdict == FAIL_IF_BROKEN || verdict == FAIL_IF_UNSURE;
	}
	if (!complete && (c->opts->strict || c->opts->fail_if.nr))
		talk("not all is known: something was lost, or a check differs; see what is said "
		     "of each "
		     "recording");
	if (failed)
		return EXIT_STATUS_FAILURE;
	return c->opts->strict && !complete ? EXIT_STATUS_INCOMPLETE : EXIT_STATUS_OK;
}

static int show(const struct comparison *c, struct err *err)
{
	struct render_opts render_opts = render_opts_of(c->opts);
	struct output out;
	int rc = output_open(&out, c->opts->output, err);

	if (rc)
		return rc;
	rc = c->format->render(out.f, c->diff, &c->names, &render_opts);
	return output_close(&out, rc, err);
}

static void comparison_deinit(struct comparison *c)
{
	diff_free(c->diff);
	snapshot_free(c->s[DIFF_BEFORE]);
	snapshot_free(c->s[DIFF_AFTER]);
}

int cmd_diff(const struct options *opts, struct err *err)
{
	_cleanup_(comparison_deinit) struct comparison c = {
		.opts = opts,
		.names = { .file = { opts->file, opts->file_after } },
	};
	int rc = choose_format(&c, err);

	if (!rc)
		rc = read_per(&c, err);
	if (!rc)
		rc = read_limits(&c, err);
	if (!rc)
		rc = compare(&c, err);
	if (!rc)
		rc = check_limits(&c, err);
	if (!rc)
		rc = check_drawn(&c, err);
	if (!rc)
		rc = show(&c, err);
	if (rc)
		return rc;
	tell_ops(&c);
	return status_of(&c);
}
