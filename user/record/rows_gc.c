/* SPDX-License-Identifier: BSD-2-Clause */
/* The model has bounded all of these numbers, so they fit the file's signed ones as they are. */
#include "record/rows_gc.h"

#include "base/utf8.h"
#include "model/gc_tables.h"
#include "record/put.h"
#include "record/schema.h"

#define STACK(id) REF(id, MODEL_NO_STACK)

static int put_stops(struct rows *r, const struct model_gc *gc, size_t interval)
{
	for (uint64_t n = gc_first(gc->stops.seq, gc->stops.interval_seq); n < gc->stops.seq; n++) {
		const struct model_stop *s = gc_ring_row(gc->stops, n);
		int rc = put(r, ROWS_STOP, NUM(r->done.stops), NUM(interval), NUM(s->reason),
			     TEXT(model_stop_reason(s->reason)), NUM(s->gc), NUM(s->start_ns),
			     NUM(s->stopped_ns), NUM(s->end_ns), NUM(s->goid), STACK(s->stack));
		if (rc)
			return rc;
		r->done.stops++;
	}
	return SQLITE_OK;
}

static uint64_t share_ppm(const struct model_cycle *c)
{
	return c->cpu_share < 0 ? UINT64_MAX : (uint64_t)(c->cpu_share * SCHEMA_PPM + 0.5);
}

static int put_cycle(struct rows *r, const struct gc_cycle_row *row, size_t interval)
{
	const struct model_cycle *c = &row->cycle;

	return put(r, ROWS_CYCLE, NUM(r->done.cycles), NUM(interval), NUM(c->number),
		   NUM(c->trigger), TEXT(model_trigger(c->trigger)), NUM(c->goid), STACK(c->stack),
		   NUM(row->told_ns), NUM(c->start_ns), NUM(c->mark_start_ns), NUM(c->mark_end_ns),
		   NUM(c->end_ns), NUM(c->sweep_pause_ns), NUM(c->mark_pause_ns), NUM(c->pause_ns),
		   NUM(c->heap_live_start), NUM(c->heap_marked), NUM(c->heap_live_end),
		   NUM(c->goal), NUM(c->next_goal), NUM(c->assist_ns), NUM(c->dedicated_ns),
		   NUM(c->fractional_ns), NUM(c->idle_ns), NUM(c->cpu_fraction * SCHEMA_PPM + 0.5),
		   NUM(c->runtime_known), REF(share_ppm(c), UINT64_MAX));
}

static int put_cycles(struct rows *r, const struct model_gc *gc, size_t interval)
{
	for (uint64_t n = gc_first(gc->cycles.seq, gc->cycles.interval_seq); n < gc->cycles.seq;
	     n++) {
		int rc = put_cycle(r, gc_ring_row(gc->cycles, n), interval);
		if (rc)
			return rc;
		r->done.cycles++;
	}
	return SQLITE_OK;
}

static int put_assists(struct rows *r, const struct model_gc *gc, size_t interval)
{
	for (size_t i = 0; i < gc->assists.nr; i++) {
		const struct gc_caller *row = gc->assists.rows[i];
		struct gc_caller_count n = gc_caller_delta(row);
		if (n.count == 0 && n.ns == 0)
			continue;
		int rc = put(r, ROWS_ASSIST, NUM(interval), NUM(row->key.stack), NUM(n.count),
			     NUM(n.ns));
		if (rc)
			return rc;
	}
	return SQLITE_OK;
}

int rows_put_gc(struct rows *r, const struct model *m, size_t interval)
{
	int rc = put_stops(r, m->gc, interval);
	if (!rc)
		rc = put_cycles(r, m->gc, interval);
	return rc ? rc : put_assists(r, m->gc, interval);
}

int rows_put_gc_check(struct rows *r, const struct model *m)
{
	const struct model_gc_check *c = &m->gc->check;
	char why_not[sizeof(c->why_not)];

	utf8_clean(why_not, sizeof(why_not), c->why_not);
	return put(r, ROWS_GC_CHECK, NUM(c->known), TEXT(why_not), NUM(c->exact),
		   NUM(c->runtime_cycles), NUM(c->gallop_cycles), NUM(c->runtime_pause_ns),
		   NUM(c->gallop_pause_ns), NUM(c->off_ns));
}
