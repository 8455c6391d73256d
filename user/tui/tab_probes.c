/* SPDX-License-Identifier: BSD-2-Clause */
/* How tracing itself is doing: hits, what they cost, what was turned off or lost, and how the counts compare. */
#include <string.h>

#include "base/fmt.h"
#include "base/f64.h"
#include "render/cells.h"
#include "render/footer.h"
#include "render/samples.h"
#include "tui/tabs.h"

static void put_text(FILE *out, const char *label, const char *text)
{
	fprintf(out, "%-9s ", label);
	put_clean(out, *text ? text : "not known");
	fputc('\n', out);
}

static void put_rates(FILE *out, const struct view *v)
{
	const struct snapshot *now = frame_snapshot(v->frame, FRAME_INTERVAL);
	const struct snapshot *all = frame_snapshot(v->frame, FRAME_TOTAL);
	uint64_t now_ns = frame_dur_ns(v->frame, FRAME_INTERVAL);

	if (view_is_sampled(v)) {
		const struct series_point *last = series_back(&v->series, 0);

		fprintf(out, "%-9s %s/s now, %s in all; %s of them tell of allocations\n", "hits",
			fmt_count(last ? count_f64(last->hits_per_s) : 0).s,
			fmt_count(all->samples.cost.hits).s,
			fmt_count(all->samples.cost.kept_hits).s);
		return;
	}
	fprintf(out, "%-9s a hit for each allocation: %s/s now, %s in all;\n", "hits",
		fmt_rate(now->total.objects, now_ns).s, fmt_count(all->total.objects).s);
	fputs("          and one for each operation on a map, stop and mark assist.\n"
	      "          Exact mode has no budget: --mode auto keeps one\n",
	      out);
}

static void put_gc_check(FILE *out, const struct model_gc_check *c)
{
	if (!c->known) {
		put_text(out, "GC check", *c->why_not ? c->why_not : "not yet");
		return;
	}
	fprintf(out, "%-9s runtime counted %s cycles, gallop %s%s\n", "GC check",
		fmt_count(c->runtime_cycles).s, fmt_count(c->gallop_cycles).s,
		snapshot_gc_check_holds(c) ? "" : ": they differ");
}

void probes_say(const struct view *v, FILE *out)
{
	const struct snapshot *all = frame_snapshot(v->frame, FRAME_TOTAL);
	const struct render_opts opts = { 0 };

	put_text(out, "mode", all->meta.mode);
	put_text(out, "attached", all->meta.attach);
	put_text(out, "exe", all->meta.exe);
	put_text(out, "module", all->meta.module);
	put_text(out, "build id", all->meta.build_id);
	put_text(out, "kernel", all->meta.kernel);
	fputc('\n', out);
	put_rates(out, v);
	put_cost_now(out, all, &opts);
	if (view_is_sampled(v)) {
		fputs("since the start:\n", out);
		put_cost(out, all, &opts);
		put_estimates(out, all, SNAPSHOT_BYTES, 0, 0);
	}
	fprintf(out, "off:   %s\n\n", *all->samples.cost.off ? "what is named above" : "nothing");
	put_limits(out, all, &opts);
	put_check(out, all, &opts);
	put_gc_check(out, &all->gc.check);
}
