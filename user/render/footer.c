/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No number is shown without its limits: these lines stand below every output for people, also when
 * there is nothing to complain about.
 */
#include "render/footer.h"

#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "render/cells.h"
#include "render/samples.h"

enum { NS_PER_S = 1000 * 1000 * 1000 };

void put_target(FILE *out, const struct model_meta *meta)
{
	put_clean(out, *meta->comm ? meta->comm : "unknown");
	if (meta->pids_nr > 1)
		fprintf(out, " (%zu processes: %d, ...)", meta->pids_nr, meta->pid);
	else
		fprintf(out, " (pid %d)", meta->pid);
	if (*meta->go_version) {
		fputs(", ", out);
		put_clean(out, meta->go_version);
	}
	if (*meta->mode) {
		fputs(", ", out);
		put_clean(out, meta->mode);
	}
}

struct fmt fmt_wall_clock(const struct model_meta *meta, uint64_t mono_ns)
{
	struct fmt f = { "time unknown" };
	uint64_t since = mono_ns > meta->start_mono_ns ? mono_ns - meta->start_mono_ns : 0;
	time_t t = (time_t)((meta->start_unix_ns + since) / NS_PER_S);
	struct tm tm;

	if (meta->start_unix_ns && localtime_r(&t, &tm))
		strftime(f.s, sizeof(f.s), "%F %T %Z", &tm);
	return f;
}

static void put_losses(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	if (s->loss_total == 0) {
		fputs("lost:  nothing\n", out);
		return;
	}
	fprintf(out, "%slost:  %s%s\n", style(opts, STYLE_BAD), fmt_count(s->loss_total).s,
		style(opts, STYLE_NONE));
	for (size_t i = 0; i < s->losses_nr; i++) {
		const struct snapshot_loss *loss = &s->losses[i];
		if (!loss->count)
			continue;
		fputs("       ", out);
		put_right(out, fmt_count(loss->count).s, strlen("999,999,999"));
		fputs("  ", out);
		put_clean(out, loss->what);
		fputs(" (", out);
		put_clean(out, loss->key);
		fputs(")\n", out);
	}
}

void put_limits(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	for (size_t i = 0; i < s->meta.notes_nr; i++) {
		fputs("note:  ", out);
		put_clean(out, s->meta.notes[i]);
		fputc('\n', out);
	}
	put_losses(out, s, opts);
}

/* "10 missing" or "10 too many"; what is equal isn't passed here. */
static void put_difference(FILE *out, uint64_t runtime, uint64_t gallop)
{
	if (gallop < runtime)
		fprintf(out, "%s missing", fmt_count(runtime - gallop).s);
	else
		fprintf(out, "%s too many", fmt_count(gallop - runtime).s);
}

/*
 * The runtime counts from the target's start and gallop from its own, so what is compared is how
 * far both have come from one stop of the world to the next. The first stop that disagrees is
 * named.
 */
static void put_stops(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	if (s->marks_nr == 0)
		return;
	fputs("stops: ", out);
	if (s->marks_nr == 1) {
		fputs("1 stop of the world seen, it takes 2 to compare\n", out);
		return;
	}
	const struct model_mark *m = s->marks, *last = &m[s->marks_nr - 1];
	uint64_t runtime = last->runtime_objects - m[0].runtime_objects;
	uint64_t gallop = last->gallop_objects - m[0].gallop_objects;
	size_t bad = 0;
	for (size_t i = 1; i < s->marks_nr && !bad; i++) {
		if (m[i].runtime_objects - m[i - 1].runtime_objects !=
		    m[i].gallop_objects - m[i - 1].gallop_objects)
			bad = i;
	}
	if (!bad) {
		fprintf(out,
			"%sexact%s at %zu stops of the world: runtime and gallop grew by the same "
			"%s objects\n",
			style(opts, STYLE_GOOD), style(opts, STYLE_NONE), s->marks_nr,
			fmt_count(runtime).s);
		return;
	}
	fprintf(out,
		"between %zu stops of the world the runtime grew by %s objects, gallop by %s: ",
		s->marks_nr, fmt_count(runtime).s, fmt_count(gallop).s);
	fputs(style(opts, STYLE_BAD), out);
	if (gallop == runtime)
		fputs("equal in the end", out);
	else
		put_difference(out, runtime, gallop);
	fprintf(out, "%s (first at stop %zu, ", style(opts, STYLE_NONE), bad + 1);
	put_clean(out, m[bad].reason);
	fputs(")\n", out);
}

void put_check(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	const struct model_check *c = &s->check;

	fputs("check: ", out);
	if (!c->known) {
		fputs("not available: ", out);
		put_clean(out, *c->why_not ? c->why_not : "no reason was given");
		fputc('\n', out);
		return;
	}
	bool good = snapshot_check_holds(c);
	fprintf(out, "runtime counted %s objects, gallop %s: %s%s%s",
		fmt_count(c->runtime_objects).s, fmt_count(c->gallop_objects).s,
		style(opts, good ? STYLE_GOOD : STYLE_BAD),
		fmt_ratio(c->gallop_objects, c->runtime_objects).s, style(opts, STYLE_NONE));
	if (!good) {
		fputs(", ", out);
		put_difference(out, c->runtime_objects, c->gallop_objects);
	}
	uint64_t dur = c->to_mono_ns > c->from_mono_ns ? c->to_mono_ns - c->from_mono_ns : 0;
	fprintf(out, " (over %s; reading slack %s)\n", fmt_duration(dur).s, fmt_count(c->slack).s);
}

void put_footer(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	put_cost(out, s, opts);
	put_limits(out, s, opts);
	put_stops(out, s, opts);
	put_check(out, s, opts);
}
