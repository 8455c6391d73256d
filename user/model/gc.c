/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stops, cycles and assists on their way into the model.
 *
 * What comes from a target may be anything, so every number is bounded here, once: whatever is in
 * the model can be added, written to a recording and shown.
 */
#include "model/gc.h"

#include <assert.h>
#include <string.h>

#include "base/u64.h"
#include "model/gc_tables.h"
#include "model/snapshot.h"

/* Go 1.21 runtime/proc.go, stwReasonStrings; the same up to Go 1.27. */
static const char *const reason_names[MODEL_STOP_REASONS] = {
	"unknown",
	"GC mark termination",
	"GC sweep termination",
	"write heap dump",
	"goroutine profile",
	"goroutine profile cleanup",
	"all goroutines stack trace",
	"read mem stats",
	"AllThreadsSyscall",
	"GOMAXPROCS",
	"start trace",
	"stop trace",
	"CountPagesInUse (test)",
	"ReadMetricsSlow (test)",
	"ReadMemStatsSlow (test)",
	"PageCachePagesLeaked (test)",
	"ResetDebugLog (test)",
};

static const char *const trigger_names[MODEL_TRIGGER_NR] = {
	[MODEL_TRIGGER_UNKNOWN] = "unknown",
	[MODEL_TRIGGER_HEAP] = "heap goal",
	[MODEL_TRIGGER_MEMORY_LIMIT] = "memory limit",
	[MODEL_TRIGGER_TIME] = "time",
	[MODEL_TRIGGER_RUNTIME_GC] = "runtime.GC",
	[MODEL_TRIGGER_FREE_OS_MEMORY] = "debug.FreeOSMemory",
};

const char *model_stop_reason(uint32_t reason)
{
	return reason_names[reason < MODEL_STOP_REASONS ? reason : 0];
}

const char *model_trigger(enum model_trigger trigger)
{
	return trigger_names[(unsigned int)trigger < MODEL_TRIGGER_NR ? trigger : 0];
}

bool gc_trigger_is_forced(enum model_trigger trigger)
{
	return trigger == MODEL_TRIGGER_RUNTIME_GC || trigger == MODEL_TRIGGER_FREE_OS_MEMORY;
}

struct model_gc_check *model_gc_check(struct model *m)
{
	return &m->gc->check;
}

bool model_stack_has(const struct model *m, uint32_t stack, const char *func_prefix)
{
	if (stack >= m->stacks.nr)
		return false;
	const struct stack_row *row = m->stacks.rows[stack];
	for (uint32_t i = 0; i < row->frames_nr; i++) {
		const struct frame_row *frame = m->frames.rows[row->words[1 + i]];
		const char *name = m->funcs.rows[frame->key.func]->key.name;
		if (strncmp(name, func_prefix, strlen(func_prefix)) == 0)
			return true;
	}
	return false;
}

uint64_t gc_first(uint64_t seq, uint64_t wanted)
{
	uint64_t oldest = seq > MODEL_EVENTS_MAX ? seq - MODEL_EVENTS_MAX : 0;

	return wanted > oldest ? wanted : oldest;
}

static void add(uint64_t *to, uint64_t n)
{
	*to = sum_u63(*to, n);
}

struct gc_caller_count gc_caller_delta(const struct gc_caller *caller)
{
	return (struct gc_caller_count){ caller->now.count - caller->base.count,
					 caller->now.ns - caller->base.ns };
}

/*
 * Make room for a row. The ring is as large as it has to be and then begins again from its start.
 * What is overwritten before its interval is over was never shown or written: that is a loss.
 */
#define ring_reserve(m, ring)                                                                \
	({                                                                                   \
		int rc_ = 0;                                                                 \
		if ((ring).seq < MODEL_EVENTS_MAX)                                           \
			rc_ = grow(&(ring).v, (ring).seq, &(ring).cap, sizeof((ring).v[0])); \
		else if ((ring).seq - MODEL_EVENTS_MAX >= (ring).interval_seq)               \
			rc_ = count_overwritten(m);                                          \
		rc_;                                                                         \
	})

static int count_overwritten(struct model *m)
{
	if (m->gc->of_recording)
		return 0;
	return model_set_loss(m, "gc_overwritten",
			      "stops and cycles that were too many to be kept for one interval",
			      ++m->gc->overwritten);
}

/* What a caller takes beside its row: it is shown, and its stack may be shown in a second form. */
static size_t shown_sz(const struct model *m, uint32_t stack)
{
	size_t frames_nr = stack < m->stacks.nr ? m->stacks.rows[stack]->frames_nr : 0;

	return sizeof(struct snapshot_caller) + sizeof(struct snapshot_stack) +
	       frames_nr * sizeof(struct snapshot_frame *);
}

/* The row of a stack in one of the tables of callers: its id, -ENOMEM, or -E2BIG. */
static int64_t intern_caller(struct model *m, struct gc_callers *table, uint32_t stack,
			     uint32_t what)
{
	struct gc_caller_key key = { stack, what };
	struct gc_caller *found;
	HASH_FIND(hh, table->hash, &key, sizeof(key), found);
	if (found)
		return found->id;

	int rc = table_reserve(m, *table, sizeof(struct gc_caller) + shown_sz(m, stack));
	if (rc)
		return rc;
	_cleanup_free_ struct gc_caller *row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->key = key;
	return table_add(*table, row, &row->key, sizeof(row->key));
}

/* A full table counts what else comes under no stack at all: the sums stay right. */
static int add_caller(struct model *m, struct gc_callers *table, uint32_t *stack, uint32_t what,
		      uint64_t ns)
{
	int64_t id = intern_caller(m, table, *stack, what);
	if (id == -E2BIG) {
		*stack = MODEL_NO_STACK;
		id = intern_caller(m, table, MODEL_NO_STACK, what);
		if (id == -E2BIG)
			return 0;
	}
	if (id < 0)
		return (int)id;
	add(&table->rows[id]->now.count, 1);
	add(&table->rows[id]->now.ns, ns);
	return 0;
}

static uint32_t known_stack(const struct model *m, uint32_t stack)
{
	return stack < m->stacks.nr ? stack : MODEL_NO_STACK;
}

static struct model_stop bounded_stop(const struct model *m, const struct model_stop *raw)
{
	struct model_stop stop = *raw;

	stop.start_ns = min_u64(stop.start_ns, GC_TIME_MAX);
	stop.end_ns = min_u64(stop.end_ns, GC_TIME_MAX);
	if (stop.end_ns < stop.start_ns)
		stop.end_ns = stop.start_ns;
	if (stop.stopped_ns < stop.start_ns || stop.stopped_ns > stop.end_ns)
		stop.stopped_ns = 0;
	stop.stack = known_stack(m, stop.stack);
	if (stop.reason >= MODEL_STOP_REASONS)
		stop.reason = 0;
	return stop;
}

static void add_pause(struct gc_pauses *p, const struct model_stop *stop)
{
	uint64_t ns = stop->end_ns - stop->start_ns;

	p->count++;
	add(&p->total_ns, ns);
	if (ns > p->max_ns)
		p->max_ns = ns;
	if (stop->stopped_ns) {
		p->stopping_nr++;
		add(&p->stopping_ns, stop->stopped_ns - stop->start_ns);
	}
	histogram_add(&p->lengths, ns);
}

/* A reason with room for one more stop, or NULL: out of memory. */
static struct gc_reason *reserve_reason(struct gc_reason **reason)
{
	if (!*reason)
		*reason = calloc(1, sizeof(**reason));
	struct gc_reason *r = *reason;
	if (r && r->all.count < MODEL_PAUSES_MAX &&
	    grow(&r->lengths, r->all.count, &r->lengths_cap, sizeof(r->lengths[0])))
		return NULL;
	return r;
}

int model_add_stop(struct model *m, const struct model_stop *raw)
{
	struct model_gc *gc = m->gc;
	struct model_stop stop = bounded_stop(m, raw);
	struct gc_reason *reason = reserve_reason(&gc->reasons[stop.gc][stop.reason]);

	if (!reason)
		return -ENOMEM;
	int rc = ring_reserve(m, gc->stops);
	if (!rc)
		rc = add_caller(m, &gc->stoppers, &stop.stack, GC_STOP_WHAT(stop.reason, stop.gc),
				stop.end_ns - stop.start_ns);
	if (rc)
		return rc;
	*gc_ring_row(gc->stops, gc->stops.seq++) = stop;
	gc->last_ns = stop.end_ns;
	reason->lengths[reason->all.count % MODEL_PAUSES_MAX] = stop.end_ns - stop.start_ns;
	add_pause(&reason->all, &stop);
	add_pause(&reason->interval, &stop);
	return 0;
}

static struct model_cycle bounded_cycle(const struct model *m, const struct model_cycle *raw)
{
	struct model_cycle c = *raw;
	uint64_t *const times[] = { &c.start_ns, &c.mark_start_ns, &c.mark_end_ns, &c.end_ns };
	uint64_t *const numbers[] = { &c.sweep_pause_ns, &c.mark_pause_ns, &c.heap_live_start,
				      &c.heap_live_end };
	uint64_t *const runtimes[] = {
		&c.pause_ns,  &c.heap_marked,  &c.goal,	   &c.next_goal,
		&c.assist_ns, &c.dedicated_ns, &c.idle_ns, &c.fractional_ns
	};
	uint64_t runtime_max = c.runtime_known ? INT64_MAX : 0;

	c.stack = known_stack(m, c.stack);
	if ((unsigned int)c.trigger >= MODEL_TRIGGER_NR)
		c.trigger = MODEL_TRIGGER_UNKNOWN;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		*numbers[i] = min_u64(*numbers[i], INT64_MAX);
	for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++)
		*runtimes[i] = min_u64(*runtimes[i], runtime_max);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		*times[i] = min_u64(*times[i], GC_TIME_MAX);
	/* Times that are not all known, or not in order, are not known. */
	if (!c.start_ns || c.mark_start_ns < c.start_ns || c.mark_end_ns < c.mark_start_ns ||
	    c.end_ns < c.mark_end_ns)
		c.start_ns = c.mark_start_ns = c.mark_end_ns = c.end_ns = 0;
	if (!c.runtime_known || !(c.cpu_fraction >= 0 && c.cpu_fraction <= 1))
		c.cpu_fraction = 0;
	if (!c.runtime_known || !(c.cpu_share >= 0 && c.cpu_share <= 1))
		c.cpu_share = -1;
	if (!c.runtime_known)
		c.number = 0;
	return c;
}

uint64_t gc_cycle_pauses(const struct model_cycle *c)
{
	return c->runtime_known ? c->pause_ns : sum_u63(c->sweep_pause_ns, c->mark_pause_ns);
}

static void add_to_sums(struct gc_cycle_sums *sums, const struct model_cycle *c)
{
	sums->count++;
	sums->forced += gc_trigger_is_forced(c->trigger);
	sums->runtime_unknown += !c->runtime_known;
	add(&sums->mark_ns, c->mark_end_ns - c->mark_start_ns);
	add(&sums->assist_ns, c->assist_ns);
	add(&sums->dedicated_ns, c->dedicated_ns);
	add(&sums->fractional_ns, c->fractional_ns);
	add(&sums->idle_ns, c->idle_ns);
}

int gc_add_cycle(struct model *m, const struct model_cycle *raw, uint64_t told_ns)
{
	struct model_gc *gc = m->gc;
	struct model_cycle cycle = bounded_cycle(m, raw);

	int rc = ring_reserve(m, gc->cycles);
	if (!rc)
		rc = add_caller(m, &gc->starters, &cycle.stack, cycle.trigger,
				gc_cycle_pauses(&cycle));
	if (rc)
		return rc;
	*gc_ring_row(gc->cycles, gc->cycles.seq++) = (struct gc_cycle_row){ cycle, told_ns };
	add_to_sums(&gc->sums, &cycle);
	add_to_sums(&gc->interval_sums, &cycle);
	return 0;
}

int model_add_cycle(struct model *m, const struct model_cycle *cycle)
{
	/* A cycle is told at the end of its last stop. */
	return gc_add_cycle(m, cycle, m->gc->last_ns);
}

int64_t model_assist(struct model *m, uint32_t stack)
{
	return stack < m->stacks.nr ? intern_caller(m, &m->gc->assists, stack, 0) : -EINVAL;
}

void model_assist_add(struct model *m, uint32_t assist, uint64_t assists, uint64_t ns)
{
	assert(assist < m->gc->assists.nr);
	add(&m->gc->assists.rows[assist]->now.count, assists);
	add(&m->gc->assists.rows[assist]->now.ns, ns);
}

static void callers_next_interval(struct gc_callers *table)
{
	for (size_t i = 0; i < table->nr; i++)
		table->rows[i]->base = table->rows[i]->now;
}

void gc_next_interval(struct model_gc *gc)
{
	for (size_t i = 0; i < 2 * MODEL_STOP_REASONS; i++) {
		struct gc_reason *r = gc->reasons[i / MODEL_STOP_REASONS][i % MODEL_STOP_REASONS];
		if (r && r->interval.count)
			r->interval = (struct gc_pauses){ 0 };
	}
	gc->interval_sums = (struct gc_cycle_sums){ 0 };
	gc->stops.interval_seq = gc->stops.seq;
	gc->cycles.interval_seq = gc->cycles.seq;
	gc->interval_off_ns = max_u64(gc->interval_off_ns, gc->check.off_ns);
	callers_next_interval(&gc->stoppers);
	callers_next_interval(&gc->starters);
	callers_next_interval(&gc->assists);
}

void gc_deinit(struct model_gc *gc)
{
	for (size_t i = 0; i < 2 * MODEL_STOP_REASONS; i++) {
		struct gc_reason *r = gc->reasons[i / MODEL_STOP_REASONS][i % MODEL_STOP_REASONS];
		if (r)
			free(r->lengths);
		free(r);
	}
	table_free(gc->stoppers);
	table_free(gc->starters);
	table_free(gc->assists);
	free(gc->stops.v);
	free(gc->cycles.v);
}
