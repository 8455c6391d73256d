/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Go program under tracing, as far as windows see it: goroutines of several roots that allocate in a fixed order with a
 * gap in between, and then wait; a few processors that they share, each with a span per size class; refills and hits that
 * cost time. What comes in by the clock goes on while the work on it is slowed down, so windows see what real ones do: the
 * heads of requests first, queues that grow.
 *
 * Without probes time goes by whole operations, so a second is cheap.
 */
#ifndef GALLOP_TESTS_UNIT_GO_SIM_H
#define GALLOP_TESTS_UNIT_GO_SIM_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "estimate/estimate.h"
#include "estimate/inclusion.h"

enum {
	SIM_CPUS_MAX = 4,
	SIM_WORKERS_MAX = 4,
	SIM_GOROUTINES_MAX = 128,
	SIM_SITES_MAX = 2048,
	SIM_HITS_MAX = 16384,
	SIM_UNITS_MAX = 100,
	SIM_REFILLS_MAX = 4096, /* of a window */
	SIM_ROOTS_MAX = 8,
};

#define SIM_QUANTUM_S 0.01 /* Go's: runtime/proc.go forcePreemptNS */
#define SIM_HIT_S 5.4e-6

struct sim_step {
	uint16_t site, size_class;
	uint32_t bytes; /* of a large object; no span has those, and nothing is refilled for them */
};

/* Goroutines that do the same. */
struct sim_worker {
	uint32_t root;
	int goroutines;
	const struct sim_step *steps;
	size_t steps_nr;
	size_t op_len; /* steps of an operation, which ends in a pause */
	bool anywhere; /* each operation begins at a random step, not at the first */
	bool mixed; /* steps of several size classes */
	double gap_s; /* from allocation to allocation, without tracing */
	double pause_s; /* mean; exponential, by the clock. 0: none */
	double phase_s; /* works in each second one of as long phases... */
	int phase; /* ... this one. phase_s 0: always */
};

struct sim_program {
	struct sim_worker workers[SIM_WORKERS_MAX];
	size_t workers_nr, sites_nr;
	int cpus;
};

/* How it is looked at. */
struct sim_tracing {
	double slot_s;
	size_t units_nr;
	double refill_s; /* limits of the first stage; 0: there is none */
	size_t refill_hits;
	double attach_s; /* slowed down already, not counted yet */
	double exact_s; /* limits of the second */
	size_t exact_hits;
	double burn_in; /* part of it that is thrown away */
	double jitter; /* both limits and the burn-in are by chance up to as much smaller or larger */
	bool thread_gaps; /* gaps are of threads, up to 1 ms, and not of goroutines */
	double refill_cost; /* of a refill hit, in hits as the estimator is told: 1 is what it thinks */
};

/* --- chance ------------------------------------------------------------------------------------- */

struct sim_random {
	uint64_t state;
};

static inline double sim_uniform(struct sim_random *r)
{
	/* splitmix64 */
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static inline double sim_exponential(struct sim_random *r, double mean)
{
	return -mean * log1p(-sim_uniform(r));
}

/* --- state -------------------------------------------------------------------------------------- */

struct sim_goroutine {
	const struct sim_worker *worker;
	double wake_s;
	size_t done, from; /* steps of the operation; where it began */
	bool running;
	double refill_s; /* when it last refilled; 0: not yet */
};

struct sim_cpu {
	double now_s, quantum_end_s;
	struct sim_goroutine *g;
	double used[ESTIMATE_CLASS_NR]; /* of the span in use */
	double refills
		[SIM_WORKERS_MAX]; /* when the last one was, if that worker's was the last of all */
};

struct sim_hit {
	double at_s;
	uint32_t root;
	struct sim_step step;
};

enum sim_probes { SIM_NONE, SIM_REFILLS, SIM_EXACT };

struct sim {
	const struct sim_program *program;
	struct sim_random random;
	struct sim_goroutine goroutines[SIM_GOROUTINES_MAX];
	size_t goroutines_nr;
	struct sim_cpu cpus[SIM_CPUS_MAX];
	enum sim_probes probes;
	double hit_s;
	bool counting, thread_gaps;
	size_t hits_nr, hits_max;
	struct sim_hit hits[SIM_HITS_MAX];
	double history_s;
	size_t history_nr;
	struct inclusion_event history[SIM_REFILLS_MAX]; /* refills of this window */
	double refilled[SIM_WORKERS_MAX][ESTIMATE_CLASS_NR];
	struct estimate_gaps gaps[SIM_WORKERS_MAX];
	double objects[SIM_WORKERS_MAX]; /* in all */
};

static inline double sim_span_objects(uint32_t size_class)
{
	/* Near enough to the runtime's. */
	static const double objects[] = { 1, 1024, 512, 341, 256, 170, 128, 102, 85, 73, 64 };

	return size_class < sizeof(objects) / sizeof(objects[0]) ? objects[size_class]
	       : size_class > 60				 ? 1
								 : 8;
}

/* When it may work from t on. */
static inline double sim_phase(const struct sim_worker *w, double t)
{
	if (w->phase_s <= 0)
		return t;
	double nr = floor(t / w->phase_s + 1e-9);
	return ((int64_t)nr & 1) == w->phase ? t : (nr + 1) * w->phase_s;
}

static inline void sim_rest(struct sim *s, struct sim_goroutine *g, double now_s)
{
	const struct sim_worker *w = g->worker;

	if (w->pause_s > 0)
		now_s += sim_exponential(&s->random, w->pause_s);
	g->wake_s = sim_phase(w, now_s);
	g->done = 0;
	g->from = w->anywhere ? (size_t)(sim_uniform(&s->random) * (double)w->steps_nr) : 0;
}

/* As it is at t, roughly: a while of running without probes makes it exact. */
static inline void sim_begin(struct sim *s, const struct sim_program *p, uint64_t seed, double t)
{
	memset(s, 0, sizeof(*s));
	s->program = p;
	s->random.state = seed;
	for (size_t i = 0; i < p->workers_nr; i++) {
		for (int k = 0; k < p->workers[i].goroutines; k++) {
			struct sim_goroutine *g = &s->goroutines[s->goroutines_nr++];
			g->worker = &p->workers[i];
			sim_rest(s, g, t);
		}
	}
	for (int i = 0; i < p->cpus; i++) {
		s->cpus[i].now_s = t;
		for (uint32_t c = 0; c < ESTIMATE_CLASS_NR; c++)
			s->cpus[i].used[c] = floor(sim_uniform(&s->random) * sim_span_objects(c));
	}
}

/* --- work --------------------------------------------------------------------------------------- */

/* Who has waited longest; NULL: nobody, and next_s is when somebody will. */
static inline struct sim_goroutine *sim_pick(struct sim *s, double now_s, double *next_s)
{
	struct sim_goroutine *best = NULL;

	for (size_t i = 0; i < s->goroutines_nr; i++) {
		struct sim_goroutine *g = &s->goroutines[i];
		if (!g->running && (!best || g->wake_s < best->wake_s))
			best = g;
	}
	*next_s = best ? best->wake_s : INFINITY;
	return best && best->wake_s <= now_s ? best : NULL;
}

static inline void sim_gap(struct sim *s, size_t nr, double now_s, double last_s)
{
	if (last_s <= 0 || (s->thread_gaps && now_s - last_s > 1e-3))
		return;
	s->gaps[nr].nr++;
	s->gaps[nr].sum_s += now_s - last_s;
}

static inline void sim_refill(struct sim *s, struct sim_cpu *cpu, const struct sim_worker *w,
			      uint32_t size_class)
{
	size_t nr = (size_t)(w - s->program->workers);

	cpu->used[size_class] = 0;
	cpu->now_s += s->hit_s;
	s->hits_nr++;
	s->refilled[nr][size_class] += sim_span_objects(size_class);
	if (s->history_nr < SIM_REFILLS_MAX)
		s->history[s->history_nr++] = (struct inclusion_event){
			.at_s = cpu->now_s, .objects = sim_span_objects(size_class)
		};
	sim_gap(s, nr, cpu->now_s, s->thread_gaps ? cpu->refills[nr] : cpu->g->refill_s);
	memset(cpu->refills, 0, sizeof(cpu->refills));
	cpu->refills[nr] = cpu->g->refill_s = cpu->now_s;
}

/* Allocate until there is something to see, at most n times; returns how often. */
static inline size_t sim_allocate(struct sim *s, struct sim_cpu *cpu, size_t n)
{
	const struct sim_goroutine *g = cpu->g;
	const struct sim_worker *w = g->worker;
	struct sim_step step = w->steps[(g->from + g->done) % w->steps_nr];

	if (s->probes != SIM_NONE && (w->mixed || s->probes == SIM_EXACT))
		n = 1;
	if (s->probes == SIM_REFILLS && step.size_class != ESTIMATE_CLASS_LARGE) {
		double left = sim_span_objects(step.size_class) - cpu->used[step.size_class];
		n = left < (double)n ? (size_t)left : n;
		cpu->used[step.size_class] += (double)n;
	}
	cpu->now_s += (double)n * w->gap_s;
	if (s->probes == SIM_REFILLS && step.size_class != ESTIMATE_CLASS_LARGE &&
	    cpu->used[step.size_class] >= sim_span_objects(step.size_class))
		sim_refill(s, cpu, w, step.size_class);
	if (s->probes == SIM_EXACT) {
		cpu->now_s += s->hit_s;
		if (s->counting)
			s->hits[s->hits_nr++] = (struct sim_hit){ cpu->now_s, w->root, step };
	}
	return n;
}

/* The goroutine that runs goes on: to the end of its operation, of its quantum, or to the next thing that is seen. */
static inline void sim_go_on(struct sim *s, struct sim_cpu *cpu, double until_s)
{
	struct sim_goroutine *g = cpu->g;
	double steps = ceil((until_s - cpu->now_s) / g->worker->gap_s), next_s;
	size_t left = g->worker->op_len - g->done;
	size_t n = steps < (double)left ? (size_t)steps : left;

	n = sim_allocate(s, cpu, n ? n : 1);
	g->done += n;
	s->objects[g->worker - s->program->workers] += (double)n;
	if (g->done >= g->worker->op_len) {
		sim_rest(s, g, cpu->now_s);
		if (g->wake_s > cpu->now_s || cpu->now_s >= cpu->quantum_end_s) {
			g->running = false;
			cpu->g = NULL;
		}
	} else if (cpu->now_s >= cpu->quantum_end_s && sim_pick(s, cpu->now_s, &next_s)) {
		g->running = false;
		g->wake_s = cpu->now_s;
		cpu->g = NULL;
	}
}

static inline void sim_schedule(struct sim *s, struct sim_cpu *cpu, double until_s)
{
	double next_s;
	struct sim_goroutine *g = sim_pick(s, cpu->now_s, &next_s);

	if (!g) {
		cpu->now_s = next_s < until_s ? next_s : until_s;
		return;
	}
	g->running = true;
	cpu->g = g;
	cpu->quantum_end_s = cpu->now_s + SIM_QUANTUM_S;
}

/* Until that time, or until hits_max hits; returns when it stopped. */
static inline double sim_run(struct sim *s, double until_s)
{
	for (;;) {
		struct sim_cpu *cpu = &s->cpus[0];
		for (int i = 1; i < s->program->cpus; i++)
			cpu = s->cpus[i].now_s < cpu->now_s ? &s->cpus[i] : cpu;
		if (cpu->now_s >= until_s)
			return until_s;
		if (s->hits_max && s->hits_nr >= s->hits_max)
			return cpu->now_s;
		if (cpu->g)
			sim_go_on(s, cpu, until_s);
		else
			sim_schedule(s, cpu, until_s);
	}
}

/* --- windows ------------------------------------------------------------------------------------ */

struct sim_unit {
	struct estimate_unit unit;
	struct estimate_refill refills[SIM_WORKERS_MAX * 16];
	struct estimate_gaps gaps[SIM_WORKERS_MAX];
	struct estimate_hit hits[SIM_HITS_MAX];
	uint16_t record[SIM_SITES_MAX]; /* of a site, in hits */
	size_t kept;
};

static inline void sim_probe(struct sim *s, enum sim_probes probes, double hit_s, size_t hits_max)
{
	s->probes = probes;
	s->hit_s = hit_s;
	s->hits_nr = 0;
	s->hits_max = hits_max;
	s->counting = probes == SIM_EXACT && hits_max;
}

static inline double sim_refill_stage(struct sim *s, const struct sim_tracing *t, double now_s,
				      struct sim_unit *ret)
{
	s->history_s = now_s;
	s->history_nr = 0;
	sim_probe(s, SIM_REFILLS, SIM_HIT_S * t->refill_cost, t->refill_hits);
	double end_s = sim_run(s, now_s + t->refill_s);
	sim_probe(s, SIM_NONE, 0, 0);

	ret->unit.refill_s = end_s - now_s;
	for (size_t i = 0; i < s->program->workers_nr; i++) {
		uint32_t root = s->program->workers[i].root;
		ret->gaps[i] = s->gaps[i];
		ret->gaps[i].root = root;
		for (uint32_t c = 0; c < ESTIMATE_CLASS_NR; c++) {
			if (s->refilled[i][c] > 0)
				ret->refills[ret->unit.refills_nr++] = (struct estimate_refill){
					root, c, (uint64_t)s->refilled[i][c]
				};
		}
	}
	ret->unit.gaps_nr = s->program->workers_nr;
	return end_s;
}

static inline void sim_keep(struct sim_unit *ret, const struct sim_hit *h, double could_s)
{
	uint16_t *nr = &ret->record[h->step.site]; /* from 1 */

	if (!*nr) {
		*nr = (uint16_t)++ret->unit.hits_nr;
		ret->hits[*nr - 1] =
			(struct estimate_hit){ h->step.site, h->root, h->step.size_class, 0, 0, 0 };
	}
	ret->hits[*nr - 1].bytes += h->step.bytes;
	ret->hits[*nr - 1].objects++;
	ret->hits[*nr - 1].rate += could_s > 0 ? 1 / could_s : 0;
	ret->kept++;
}

/* Without a first stage each hit stands for as much as any other. */
static inline void sim_keep_all(struct sim *s, const struct inclusion_window *window,
				double kept_from_s, struct sim_unit *ret)
{
	static struct inclusion_event v[SIM_REFILLS_MAX + SIM_HITS_MAX];
	struct inclusion_window w = *window;

	memcpy(v, s->history, s->history_nr * sizeof(v[0]));
	for (size_t i = 0; i < s->hits_nr; i++)
		v[s->history_nr + i] = (struct inclusion_event){ .at_s = s->hits[i].at_s };
	if (s->history_s > 0 && !inclusion_of(&w, v, s->history_nr + s->hits_nr))
		ret->unit.began = w.began;
	for (size_t i = 0; i < s->hits_nr; i++)
		if (s->hits[i].at_s >= kept_from_s)
			sim_keep(ret, &s->hits[i], v[s->history_nr + i].could_s);
}

static inline double sim_exact_stage(struct sim *s, const struct sim_tracing *t, double now_s,
				     struct sim_unit *ret)
{
	double attach_s = now_s;
	sim_probe(s, SIM_EXACT, SIM_HIT_S, 0);
	now_s = sim_run(s, now_s + t->attach_s);
	double size = 1 + t->jitter * (2 * sim_uniform(&s->random) - 1);
	double burn_in = t->burn_in * (1 + t->jitter * (2 * sim_uniform(&s->random) - 1));
	sim_probe(s, SIM_EXACT, SIM_HIT_S, (size_t)((double)t->exact_hits * size));
	double end_s = sim_run(s, now_s + t->exact_s * size);

	/* What is thrown away ends as the second stage does, by time or by hits. */
	size_t skip_hits = (size_t)(burn_in * (double)s->hits_max);
	double kept_from_s = now_s + burn_in * t->exact_s * size;
	if (skip_hits < s->hits_nr)
		kept_from_s = fmin(kept_from_s, s->hits[skip_hits].at_s);
	kept_from_s = fmin(kept_from_s, end_s);
	ret->unit.kept_s = end_s - kept_from_s;
	const struct inclusion_window w = {
		.refills_s = s->history_s,
		.attach_s = attach_s,
		.open_s = now_s,
		.end_s = end_s,
		.length_s = t->exact_s * size,
		.skip_s = burn_in * t->exact_s * size,
		.max_hits = (double)s->hits_max,
		.skip_hits = (double)skip_hits,
		.hit_s = SIM_HIT_S,
		.hits_per_object = 1,
	};
	sim_keep_all(s, &w, kept_from_s, ret);
	return end_s;
}

/* The unit of slot nr. What the program was doing before it is forgotten: it has run for long enough by then. */
static inline void sim_window(const struct sim_program *p, const struct sim_tracing *t,
			      uint64_t seed, size_t nr, struct sim_unit *ret)
{
	static struct sim s;
	struct sim_random start = { seed * 1000003 + nr };
	double now_s = ((double)nr + sim_uniform(&start)) * t->slot_s;

	memset(ret, 0, sizeof(*ret));
	sim_begin(&s, p, start.state, now_s - 0.03 * (1 + sim_uniform(&start)));
	s.thread_gaps = t->thread_gaps;
	(void)sim_run(&s, now_s);
	if (t->refill_s > 0)
		now_s = sim_run(&s, sim_refill_stage(&s, t, now_s, ret) + 0.0001);
	(void)sim_exact_stage(&s, t, now_s, ret);
	ret->unit.slot_s = t->slot_s;
	ret->unit.refills = ret->refills;
	ret->unit.gaps = ret->gaps;
	ret->unit.hits = ret->hits;
}

/* What sites allocate in a second, without tracing. */
static inline void sim_truth(const struct sim_program *p, double run_s, double rates[SIM_SITES_MAX])
{
	static struct sim s;

	memset(rates, 0, SIM_SITES_MAX * sizeof(rates[0]));
	sim_begin(&s, p, 1, 0);
	(void)sim_run(&s, run_s);
	for (size_t i = 0; i < p->workers_nr; i++) {
		const struct sim_worker *w = &p->workers[i];
		/* An operation that always begins alike is its first steps, or all of them equally often. */
		size_t of = w->anywhere || w->steps_nr < w->op_len ? w->steps_nr : w->op_len;
		for (size_t k = 0; k < of; k++)
			rates[w->steps[k].site] += s.objects[i] / (double)of / run_s;
	}
}

#endif
