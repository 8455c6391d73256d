/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/series.h"

enum { NS_PER_S = 1000 * 1000 * 1000 };

/* The heap as the last cycle found it, where the runtime has said. */
static void set_heap(struct series_point *p, const struct snapshot_gc *gc)
{
	if (!gc->cycles_nr)
		return;
	const struct model_cycle *c = &gc->cycles[gc->cycles_nr - 1].raw;
	p->live = c->heap_live_start ? c->heap_live_start : c->heap_marked;
	p->goal = snapshot_has_goal(c->goal) ? c->goal : 0;
}

/* Hits are known in all only: of the time since the last point, which is more than an interval after a pause. */
static void set_hits(struct series *s, struct series_point *p, const struct snapshot *total)
{
	uint64_t hits = total->samples.cost.hits;
	uint64_t from_ns = s->nr ? s->to_ns : total->from_mono_ns;

	if (hits > s->hits && total->to_mono_ns > from_ns)
		p->hits_per_s = (double)(hits - s->hits) * NS_PER_S /
				(double)(total->to_mono_ns - from_ns);
	s->hits = hits;
	s->to_ns = total->to_mono_ns;
}

void series_add(struct series *s, const struct frame *f)
{
	const struct snapshot *interval = frame_snapshot(f, FRAME_INTERVAL);
	uint64_t dur_ns = frame_dur_ns(f, FRAME_INTERVAL);
	struct series_point *p = &s->points[s->next];

	*p = (struct series_point){
		.cycles = interval->gc.cycles_total,
		.pause_ns = interval->gc.pauses.count ? interval->gc.pauses.max_ns : 0,
	};
	if (dur_ns)
		p->bytes_per_s = (double)interval->total.bytes * NS_PER_S / (double)dur_ns;
	set_hits(s, p, frame_snapshot(f, FRAME_TOTAL));
	set_heap(p, &frame_snapshot(f, FRAME_TOTAL)->gc);
	s->next = (s->next + 1) % SERIES_MAX;
	if (s->nr < SERIES_MAX)
		s->nr++;
}

const struct series_point *series_back(const struct series *s, size_t back)
{
	if (back >= s->nr)
		return NULL;
	return &s->points[(s->next + 2 * SERIES_MAX - 1 - back) % SERIES_MAX];
}
