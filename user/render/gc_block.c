/* SPDX-License-Identifier: BSD-2-Clause */
/* Garbage collection in the live view: three lines, so that it fits above or below any table. */
#include <string.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "render/cells.h"
#include "render/gc.h"

enum { FUNC_W = 48, POSITION_W = 24 };

/* Less than this part of an interval doesn't count: times are not taken at the very moment it ends. */
enum { OFF_PART = 20 };

/* "main.handle (x.go:10)" */
static void put_where(FILE *out, const struct snapshot_stack *stack)
{
	const struct snapshot_frame *frame = snapshot_requester(stack);
	char func[CELL_SZ], position[CELL_SZ];

	short_func(func, frame->func, FUNC_W);
	short_position(position, frame, POSITION_W);
	fputs(func, out);
	if (*position)
		fprintf(out, " (%s)", position);
}

static void put_pauses(FILE *out, const struct snapshot *interval)
{
	const struct snapshot_gc *gc = &interval->gc;
	uint64_t dur = interval->to_mono_ns - interval->from_mono_ns;

	if (gc->off_ns > dur - dur / OFF_PART) {
		fputs("GC: stops and cycles are not looked at one by one now, to keep the budget\n",
		      out);
		return;
	}
	fputs("GC", out);
	if (gc->off_ns > dur / OFF_PART) {
		dur -= gc->off_ns;
		fprintf(out, ", looked at for %s", fmt_duration(dur).s);
	}
	fprintf(out, ": %s cycle%s (%s/s), %s forced; ", fmt_count(gc->cycles_total).s,
		gc->cycles_total == 1 ? "" : "s", fmt_rate(gc->cycles_total, dur).s,
		fmt_count(gc->forced_total).s);
	if (gc->pauses.count) {
		fprintf(out, "pauses p50 %s, ", fmt_time(gc->pauses.p50_ns).s);
		fprintf(out, "max %s; ", fmt_time(gc->pauses.max_ns).s);
	}
	fprintf(out, "world stopped %s of the time\n", fmt_ratio(gc->stopped_ns, dur).s);
}

static void put_sizes(FILE *out, const struct model_cycle *c)
{
	fputs("heap ", out);
	if (c->heap_live_start)
		fprintf(out, "%s live -> ", fmt_bytes(c->heap_live_start).s);
	fprintf(out, "%s marked", fmt_bytes(c->heap_marked).s);
	if (snapshot_has_goal(c->next_goal))
		fprintf(out, ", next goal %s", fmt_bytes(c->next_goal).s);
	else
		fputs(", no next goal", out);
	fprintf(out, "; last cycle %u: ", c->number);
}

/* The last cycle ever, as the interval may have none. */
static void put_heap(FILE *out, const struct snapshot_gc *total)
{
	if (!total->cycles_nr)
		return;
	const struct snapshot_cycle *c = &total->cycles[total->cycles_nr - 1];
	fputs("    ", out);
	if (c->raw.runtime_known)
		put_sizes(out, &c->raw);
	else
		fputs("last cycle: ", out);
	fputs(c->trigger, out);
	if (c->stack) {
		fputs(", by ", out);
		put_where(out, c->stack);
	}
	fputc('\n', out);
}

static void put_assists(FILE *out, const struct snapshot_gc *interval)
{
	size_t nr;
	_cleanup_free_ struct snapshot_caller *payers =
		snapshot_by_requester(interval->assists, interval->assists_nr, false, &nr);

	if (!payers || !nr)
		return;
	fprintf(out, "    mark assists: %s, %s; most in ", fmt_count(interval->assists_total).s,
		fmt_time(interval->assist_ns).s);
	put_where(out, payers[0].stack);
	fprintf(out, ", %s\n", fmt_percent(payers[0].ns, interval->assist_ns).s);
}

void put_gc_block(FILE *out, const struct snapshot *interval, const struct snapshot *total)
{
	if (!snapshot_gc_any(&total->gc))
		return;
	put_pauses(out, interval);
	put_heap(out, &total->gc);
	put_assists(out, &interval->gc);
}
