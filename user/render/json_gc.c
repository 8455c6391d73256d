/* SPDX-License-Identifier: BSD-2-Clause */
/* What is not known is left out: a reader never takes a 0 for a measurement. */
#include "base/u64.h"
#include "render/formats.h"
#include "render/gc.h"
#include "render/json.h"

enum { MILLION = 1000 * 1000 };

static void put_known(struct json_writer *w, const char *key, uint64_t value)
{
	if (value)
		json_number(w, key, value);
}

static void put_goal(struct json_writer *w, const char *key, uint64_t goal)
{
	if (snapshot_has_goal(goal))
		json_number(w, key, goal);
}

/* What the runtime wrote down of a cycle, but for its number and pauses. */
static void put_runtimes(struct json_writer *w, const struct model_cycle *c)
{
	json_number(w, "heap_marked", c->heap_marked);
	put_goal(w, "heap_goal", c->goal);
	put_goal(w, "next_goal", c->next_goal);
	json_number(w, "assist_ns", c->assist_ns);
	json_number(w, "dedicated_ns", c->dedicated_ns);
	json_number(w, "fractional_ns", c->fractional_ns);
	json_number(w, "idle_ns", c->idle_ns);
	json_millionths(w, "cpu_fraction", (uint64_t)(c->cpu_fraction * MILLION + 0.5));
	if (c->cpu_share >= 0)
		json_millionths(w, "cpu_share", (uint64_t)(c->cpu_share * MILLION + 0.5));
}

void json_put_cycle(struct json_writer *w, const struct snapshot_cycle *c)
{
	const struct model_cycle *raw = &c->raw;

	if (raw->runtime_known)
		json_number(w, "n", raw->number);
	json_string(w, "trigger", c->trigger);
	put_known(w, "goid", raw->goid);
	put_known(w, "pause_ns", c->pause_ns);
	if (raw->start_ns) {
		json_number(w, "sweep_pause_ns", raw->sweep_pause_ns);
		json_number(w, "mark_pause_ns", raw->mark_pause_ns);
		json_number(w, "mark_ns", c->mark_ns);
		json_number(w, "start_ns", raw->start_ns);
		json_number(w, "mark_start_ns", raw->mark_start_ns);
		json_number(w, "mark_end_ns", raw->mark_end_ns);
	}
	json_number(w, "end_ns", c->told_ns);
	put_known(w, "heap_start", raw->heap_live_start);
	put_known(w, "heap_end", raw->heap_live_end);
	json_bool(w, "runtime_known", raw->runtime_known);
	if (raw->runtime_known)
		put_runtimes(w, raw);
	json_put_stack(w, c->stack);
}

void json_put_stop(struct json_writer *w, const struct snapshot_stop *stop)
{
	const struct model_stop *raw = &stop->raw;

	json_string(w, "reason", stop->reason);
	json_bool(w, "gc", raw->gc);
	put_known(w, "goid", raw->goid);
	json_number(w, "start_ns", raw->start_ns);
	json_number(w, "end_ns", raw->end_ns);
	if (raw->stopped_ns)
		json_number(w, "stopping_ns", raw->stopped_ns - raw->start_ns);
	json_number(w, "stopped_ns", stop->pause_ns);
	json_put_stack(w, stop->stack);
}

static void put_pauses(struct json_writer *w, const struct snapshot_pauses *p)
{
	json_number(w, "count", p->count);
	json_number(w, "total_ns", p->total_ns);
	json_number(w, "avg_ns", p->avg_ns);
	json_number(w, "p50_ns", p->p50_ns);
	json_number(w, "p90_ns", p->p90_ns);
	json_number(w, "p99_ns", p->p99_ns);
	json_number(w, "max_ns", p->max_ns);
	json_bool(w, "percentiles_exact", !p->estimated);
	if (p->stopping_nr) {
		json_number(w, "stopping_count", p->stopping_nr);
		json_number(w, "stopping_ns", p->stopping_ns);
	}
}

static void put_reasons(struct json_writer *w, const struct snapshot_gc *gc)
{
	json_open(w, "reasons", '[');
	for (size_t i = 0; i < gc->reasons_nr; i++) {
		json_open_flat(w, NULL, '{');
		json_string(w, "reason", gc->reasons[i].name);
		json_bool(w, "gc", gc->reasons[i].gc);
		put_pauses(w, &gc->reasons[i].pauses);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void put_histogram(struct json_writer *w, const struct snapshot_gc *gc)
{
	json_open(w, "histogram", '[');
	for (size_t i = 0; i < gc->buckets_nr; i++) {
		json_open_flat(w, NULL, '{');
		json_number(w, "from_ns", gc->buckets[i].from_ns);
		json_number(w, "to_ns", gc->buckets[i].to_ns);
		json_number(w, "count", gc->buckets[i].count);
		json_close(w, '}');
	}
	json_close(w, ']');
}

/* what and count are the keys of these two; a NULL what is left out. */
struct callers {
	const char *key, *what, *count;
	const struct snapshot_caller *v;
	size_t nr;
};

static void put_callers(struct json_writer *w, const struct callers *c)
{
	json_open(w, c->key, '[');
	for (size_t i = 0; i < c->nr; i++) {
		json_open(w, NULL, '{');
		json_number(w, c->count, c->v[i].count);
		json_number(w, "ns", c->v[i].ns);
		if (c->what)
			json_string(w, c->what, c->v[i].what);
		json_put_stack(w, c->v[i].stack);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void put_assists(struct json_writer *w, const struct snapshot_gc *gc)
{
	const struct callers assists = { "assists", NULL, "count", gc->assists, gc->assists_nr };

	put_callers(w, &assists);
}

static void put_check(struct json_writer *w, const struct model_gc_check *c)
{
	json_open(w, "check", '{');
	json_bool(w, "known", c->known);
	if (c->known) {
		json_bool(w, "exact", c->exact);
		json_number(w, "runtime_cycles", c->runtime_cycles);
		json_number(w, "gallop_cycles", c->gallop_cycles);
		json_number(w, "runtime_pause_ns", c->runtime_pause_ns);
		json_number(w, "gallop_pause_ns", c->gallop_pause_ns);
		json_number(w, "off_ns", c->off_ns);
	} else {
		json_string(w, "why_not", c->why_not);
	}
	json_close(w, '}');
}

/* The sums that the lists are the details of. */
static void put_sums(struct json_writer *w, const struct snapshot *s)
{
	const struct snapshot_gc *gc = &s->gc;

	json_number(w, "cycles", sum_u63(gc->cycles_total, gc->unseen_cycles));
	json_number(w, "forced", gc->forced_total);
	json_number(w, "pause_total_ns", sum_u63(gc->pauses.total_ns, gc->unseen_pause_ns));
	json_number(w, "unseen_cycles", gc->unseen_cycles);
	json_number(w, "unseen_pause_ns", gc->unseen_pause_ns);
	json_number(w, "assist_ns", gc->assist_ns);
}

static void put_details(struct json_writer *w, const struct snapshot *s)
{
	const struct snapshot_gc *gc = &s->gc;
	const struct callers forced = { "forced_by", "trigger", "cycles", gc->forced,
					gc->forced_nr };
	const struct callers stops = { "stopped_by", "reason", "stops", gc->stoppers,
				       gc->stoppers_nr };

	json_number(w, "duration_ns", s->to_mono_ns - s->from_mono_ns);
	json_number(w, "stops_total", gc->stops_total);
	json_number(w, "stopped_ns", gc->stopped_ns);
	json_number(w, "mark_ns", gc->mark_ns);
	json_number(w, "runtime_unknown", gc->runtime_unknown);
	if (!gc->cycles_total || gc->runtime_unknown < gc->cycles_total) {
		json_number(w, "runtime_assist_ns", gc->cycles_assist_ns);
		json_number(w, "dedicated_ns", gc->dedicated_ns);
		json_number(w, "fractional_ns", gc->fractional_ns);
		json_number(w, "idle_ns", gc->idle_ns);
	}
	json_number(w, "assists_total", gc->assists_total);
	json_number(w, "cycles_left_out", gc->cycles_total - gc->cycles_nr);
	json_number(w, "stops_left_out", gc->stops_total - gc->stops_nr);
	json_open(w, "pauses", '{');
	put_pauses(w, &gc->pauses);
	json_close(w, '}');
	put_reasons(w, gc);
	put_histogram(w, gc);
	put_callers(w, &forced);
	put_callers(w, &stops);
}

/* Of many processes it isn't looked at. */
static bool is_looked_at(const struct snapshot *s)
{
	return !s->meta.pids_nr;
}

void json_put_gc_summary(struct json_writer *w, const struct snapshot *s)
{
	if (is_looked_at(s)) {
		put_sums(w, s);
		put_details(w, s);
		put_assists(w, &s->gc);
	}
	put_check(w, &s->gc.check);
}

static void put_all(struct json_writer *w, const struct snapshot *s)
{
	const struct snapshot_gc *gc = &s->gc;

	put_sums(w, s);
	json_open(w, "list", '[');
	for (size_t i = 0; i < gc->cycles_nr; i++) {
		json_open(w, NULL, '{');
		json_put_cycle(w, &gc->cycles[i]);
		json_close(w, '}');
	}
	json_close(w, ']');
	json_open(w, "stops", '[');
	for (size_t i = 0; i < gc->stops_nr; i++) {
		json_open(w, NULL, '{');
		json_put_stop(w, &gc->stops[i]);
		json_close(w, '}');
	}
	json_close(w, ']');
	put_assists(w, gc);
	json_open(w, "summary", '{');
	put_details(w, s);
	json_close(w, '}');
}

void json_put_gc(struct json_writer *w, const struct snapshot *s)
{
	json_open(w, "gc", '{');
	if (is_looked_at(s))
		put_all(w, s);
	put_check(w, &s->gc.check);
	json_close(w, '}');
}
