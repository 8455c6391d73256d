/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session that samples, for the sample model: goroutines of two roots, windows that see them, the runtime's totals,
 * and samples that the runtime itself takes. Added second by second.
 */
#ifndef GALLOP_TESTS_UNIT_SAMPLE_SAMPLES_H
#define GALLOP_TESTS_UNIT_SAMPLE_SAMPLES_H

#include "model/maps.h"
#include "model/samples.h"
#include "sample.h"

/* The sites of the sampled program. */
struct sample_sites {
	uint32_t small, other, tiny, large; /* of the first two the size class is 5: 48 bytes */
	uint32_t buffer; /* large, too: for those that sample large objects */
	uint32_t serve, work; /* roots: of small and tiny, and of the others */
	uint32_t map_site;
};

static inline uint32_t sample_site(struct model *m, const char *stack, const char *type,
				   uint32_t size_class)
{
	return sample_id(model_site(m, sample_stack(m, stack, false),
				    sample_id(model_type(m, type)), size_class, 0, 0));
}

static inline struct sample_sites sample_sampled(struct model *m)
{
	static const struct go_map_shape shape = { .unit_bytes = 208 };
	struct sample_sites s;

	model_sampled(m, 400);
	s.small = sample_site(m, "runtime.mallocgc;main.parse;main.serve;runtime.goexit", "main.T",
			      5);
	s.other = sample_site(m, "runtime.mallocgc;main.step;main.work;runtime.goexit", "main.T",
			      5);
	s.tiny = sample_site(m, "runtime.mallocgc;main.parse;main.serve;runtime.goexit", "int",
			     MODEL_CLASS_TINY);
	s.large = sample_site(m, "runtime.mallocgc;main.load;main.work;runtime.goexit", "[]uint8",
			      MODEL_CLASS_LARGE);
	s.buffer = sample_site(m, "runtime.mallocgc;main.grow;main.work;runtime.goexit", "[]uint8",
			       MODEL_CLASS_LARGE);
	s.serve = model_root(m, sample_stack(m, "main.serve;runtime.goexit", false));
	s.work = model_root(m, sample_stack(m, "main.work;runtime.goexit", false));
	s.map_site = sample_id(model_map_site(
		m, sample_stack(m, "runtime.mapassign;main.put;main.serve;runtime.goexit", false),
		sample_id(model_type(m, "map[int]int")), &shape));
	return s;
}

/* A window: as many of each, of the first root and of the second. */
static inline void sample_window(struct model *m, const struct sample_sites *s, uint64_t start_ns,
				 uint64_t small, uint64_t other)
{
	const struct estimate_refill refills[] = { { s->work, 5, other * 60 },
						   { s->serve, 5, small * 60 } };
	const struct estimate_gaps gaps[] = { { s->serve, 3, 0.000123456 } };
	/* One of the sites is there twice: the model makes one of it. */
	const struct estimate_hit hits[] = {
		{ s->other, s->work, 5, other, 0, 0 },
		{ s->small, s->serve, 5, small - 1, 0, 0 },
		{ s->small, s->serve, 5, 1, 0, 0 },
		{ s->tiny, s->serve, MODEL_CLASS_TINY, 3 * small, 0, 0 },
		{ s->tiny, s->serve, 2, small, 0, 0 },
	};
	const struct model_unit_map_op ops[] = {
		{ s->map_site, s->serve, MODEL_MAP_DELETE, small, 0, 0, 0 },
		{ s->map_site, s->serve, MODEL_MAP_ASSIGN, 2 * small, 0, 0, 0 },
	};
	const struct model_unit unit = {
		.start_ns = start_ns,
		.hits = 7 * small + other,
		.alloc = {
			.slot_s = 0.5,
			.refill_s = 0.025,
			.kept_s = 0.0056,
			.refills = refills,
			.refills_nr = sizeof(refills) / sizeof(refills[0]),
			.gaps = gaps,
			.gaps_nr = 1,
			.hits = hits,
			.hits_nr = sizeof(hits) / sizeof(hits[0]),
		},
		.map_ops = ops,
		.map_ops_nr = 2,
	};

	assert_int_equal(model_add_unit(m, &unit), 0);
}

enum { SAMPLE_LARGE = 40960, SAMPLE_BUFFER = 1048576 };

/* A window that sees large objects: of one site 40 KiB each, of the other a MiB. */
static inline void sample_large_window(struct model *m, const struct sample_sites *s,
				       uint64_t start_ns, uint64_t large, uint64_t buffers)
{
	const struct estimate_hit hits[] = {
		{ s->large, s->work, MODEL_CLASS_LARGE, large, large * SAMPLE_LARGE, 0 },
		{ s->buffer, s->work, MODEL_CLASS_LARGE, buffers, buffers * SAMPLE_BUFFER, 0 },
	};
	const struct model_unit unit = {
		.start_ns = start_ns,
		.hits = large + buffers,
		.alloc = {
			.slot_s = 0.5,
			.kept_s = 0.0056,
			.hits = hits,
			.hits_nr = 2,
		},
	};

	assert_int_equal(model_add_unit(m, &unit), 0);
}

/* The runtime has sampled so many of either. */
static inline void sample_large_sampled(struct model *m, const struct sample_sites *s,
					uint64_t large, uint64_t buffers)
{
	const uint64_t rate = 524288;
	const struct model_large_samples of_large = samples_of_large(SAMPLE_LARGE, rate);
	const struct model_large_samples of_buffers = samples_of_large(SAMPLE_BUFFER, rate);

	for (uint64_t i = 0; i < large; i++)
		model_add_sampled_large(m, s->large, 1, &of_large, rate);
	for (uint64_t i = 0; i < buffers; i++)
		model_add_sampled_large(m, s->buffer, 1, &of_buffers, rate);
}

/* So much is allocated: objects of class 5, and a large one of a MiB; for each of class 5 one tiny block with four. */
static inline void sample_totals(struct model *m, struct model_class_counts *counts,
				 uint64_t objects)
{
	counts->objects[5] += objects;
	counts->objects[2] += objects;
	counts->objects[MODEL_CLASS_TINY] += 3 * objects;
	counts->objects[MODEL_CLASS_LARGE] += 1;
	counts->large_bytes += 1048576;
	model_set_class_counts(m, counts);
}

/* What a second of the program is, with two windows in it; large objects are counted exactly. */
static inline void sample_sampled_second(struct model *m, const struct sample_sites *s,
					 struct model_class_counts *counts, unsigned int n)
{
	uint64_t from = SAMPLE_START + (uint64_t)(n - 1) * SAMPLE_S;

	sample_window(m, s, from + SAMPLE_S / 8, 100 + n % 7, 50 + n % 3);
	sample_window(m, s, from + SAMPLE_S / 2 + n, 100 + n % 5, 50 - n % 4);
	model_site_add(m, s->large, 1, 1048576);
	sample_totals(m, counts, 300000 + 1000 * n);
	struct model_cost *cost = model_cost(m);
	cost->known = true;
	cost->budget = 0.02;
	cost->predicted = 0.0123456789;
	cost->predicted_now = 0.01 + n / 1e4;
	cost->ns_per_hit = 400;
	cost->ns_per_switch = 2000000;
	cost->hits += 1500 + n;
	cost->windows += 2;
	cost->overruns = n / 2;
	cost->failed_windows = n / 3;
	cost->other_probes = 7;
	cost->calibrated = true;
	strcpy(cost->off, n > 2 ? "windows of maps" : "");
}

/* `seconds` of such a session. */
static inline struct model *sampled_model(unsigned int seconds, sample_tick *tick, void *ctx)
{
	struct model *m = new_model();
	struct sample_sites sites = sample_sampled(m);
	struct model_class_counts counts = { 0 };

	sample_meta(m);
	strcpy(model_meta(m)->mode, "sampled");
	model_next_interval(m, SAMPLE_START);
	for (unsigned int n = 1; n <= seconds; n++) {
		uint64_t to = SAMPLE_START + (uint64_t)n * SAMPLE_S;
		sample_sampled_second(m, &sites, &counts, n);
		model_meta(m)->end_mono_ns = to;
		if (tick)
			tick(m, to - SAMPLE_S, to, ctx);
		if (n < seconds)
			model_next_interval(m, to);
	}
	return m;
}

/* Samples beside all else that the sample model has, then what comes after. */
struct sample_samples_tick {
	sample_tick *next;
	void *ctx;
	struct sample_sites sites;
	struct model_class_counts counts;
	unsigned int seconds;
};

static inline void sample_samples_tick(struct model *m, uint64_t from_ns, uint64_t to_ns, void *ctx)
{
	struct sample_samples_tick *tick = ctx;

	if (!tick->seconds)
		tick->sites = sample_sampled(m);
	sample_sampled_second(m, &tick->sites, &tick->counts, ++tick->seconds);
	model_add_sampled(m, tick->sites.small, 3, 524288);
	tick->next(m, from_ns, to_ns, tick->ctx);
}

#endif
