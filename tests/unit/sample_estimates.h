/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Estimates as a snapshot has them: sites that are exact, that are sure, that aren't, and what no sample tells the place
 * of. Made here and not by the model, as what is shown of an estimate is one thing and how it is made another.
 */
#ifndef GALLOP_TESTS_UNIT_SAMPLE_ESTIMATES_H
#define GALLOP_TESTS_UNIT_SAMPLE_ESTIMATES_H

#include "sample.h"

#include <math.h>

/* Made from a minute of windows, the latest two seconds before the end. */
static const struct snapshot_samples sample_by_windows = {
	.on = true,
	.units = 23,
	.alike = 21,
	.hits = 41310,
	.shares_from_ns = SAMPLE_START + 2 * (uint64_t)SAMPLE_S,
	.shares_to_ns = SAMPLE_START + 58 * (uint64_t)SAMPLE_S,
	.dilation = 4.8,
	.cost = { .known = true,
		  .budget = .02,
		  .predicted = .0081,
		  .predicted_now = .0214,
		  .ns_per_hit = 5412,
		  .ns_per_switch = 2100000,
		  .calibrated = true,
		  .hits = 61234,
		  .kept_hits = 15210,
		  .windows = 24,
		  .overruns = 1,
		  .off = "map operations: their windows cost more than the budget" },
};

static const struct snapshot_samples sample_by_runtime = {
	.on = true,
	.mem_profile_rate = 512 * 1024,
	.sampled = 1234,
	.shares_from_ns = SAMPLE_START,
	.shares_to_ns = SAMPLE_START + 60 * (uint64_t)SAMPLE_S,
	.cost = { .known = true,
		  .budget = .02,
		  .predicted = .0002,
		  .predicted_now = .0003,
		  .ns_per_hit = 412,
		  .ns_per_switch = 90000,
		  .calibrated = true,
		  .hits = 1234,
		  .kept_hits = 1234 },
};

static const struct snapshot_samples sample_too_few = {
	.on = true,
	.units = 3,
	.hits = 2991,
	.shares_from_ns = SAMPLE_START + 40 * (uint64_t)SAMPLE_S,
	.shares_to_ns = SAMPLE_START + 55 * (uint64_t)SAMPLE_S,
	.cost = { .known = true,
		  .predicted = .004,
		  .predicted_now = .004,
		  .ns_per_hit = 5412,
		  .hits = 3000,
		  .windows = 3,
		  .failed_windows = 1,
		  .other_probes = 21 },
};

static inline bool sample_is_lost(const char *name)
{
	return strcmp(name, SNAPSHOT_LOST) == 0;
}

/* Large objects are all counted; the more of the others there are the surer it is. Of too few windows nothing is. */
static inline struct snapshot_ci95 sample_ci95(const struct snapshot_samples *samples,
					       struct snapshot_count n, const char *type)
{
	double sure = n.objects > 10000 ? .0423 : n.objects > 1000 ? .217 : 1.3;

	if (strcmp(type, "[]uint8") == 0)
		return (struct snapshot_ci95){ 0, 0 };
	if (samples->units && samples->units < ESTIMATE_UNITS_MIN)
		return (struct snapshot_ci95){ NAN, NAN };
	return (struct snapshot_ci95){ sure * (double)n.objects, sure * (double)n.bytes };
}

/* The sample's snapshot as one of a session that samples: what was lost then is now what was not sampled. */
static inline void sample_estimate(struct snapshot *s, const struct snapshot_samples *samples)
{
	static const struct snapshot_frame frame = { SNAPSHOT_UNSAMPLED, "", 0, false };
	static const struct snapshot_frame *const frames[] = { &frame };
	static const struct snapshot_stack stack = { .frames = frames, .frames_nr = 1 };

	s->samples = *samples;
	strcpy(s->meta.mode, "auto");
	s->marks_nr = 0;
	s->check = (struct model_check){ .why_not = "the totals are the runtime's own" };
	for (size_t i = 0; i < s->sites_nr; i++) {
		struct snapshot_site *site = &s->sites[i];
		site->ci95 = sample_ci95(samples, site->count, site->type);
		if (!sample_is_lost(site->type))
			continue;
		s->samples.unsampled_objects = site->count.objects;
		s->samples.unsampled_bytes = site->count.bytes;
		site->ci95 = (struct snapshot_ci95){ NAN, NAN };
		site->type = SNAPSHOT_UNSAMPLED;
		site->stack = &stack;
	}
	for (size_t i = 0; i < s->types_nr; i++) {
		struct snapshot_type *type = &s->types[i];
		type->ci95 = sample_ci95(samples, type->count, type->name);
		if (sample_is_lost(type->name))
			*type = (struct snapshot_type){ type->count,
							{ NAN, NAN },
							SNAPSHOT_UNSAMPLED };
	}
	for (size_t i = 0; i < s->sizes_nr; i++)
		if (s->sizes[i].size_class == MODEL_CLASS_NR)
			s->sizes[i] = (struct snapshot_size){ s->sizes[i].count, 10, 128 };
}

/* Maps whose assignments and deletions windows told, and none was counted; of the first site's only that there were no fewer. */
static inline void sample_estimate_maps(struct snapshot_maps *maps, double ci95)
{
	bool at_least = true;

	maps->every_operation = false;
	maps->operations_sampled = true;
	for (size_t i = 0; i < maps->sites_nr; i++) {
		struct snapshot_map_site *site = &maps->sites[i];
		site->assigns = (struct snapshot_map_estimate){ site->counts.assigns,
								at_least ? NAN : ci95, at_least };
		at_least = at_least && !site->counts.assigns;
		site->deletes = (struct snapshot_map_estimate){ site->counts.deletes, ci95, false };
		site->counts.assigns = site->counts.deletes = 0;
	}
	maps->total.assigns = maps->total.deletes = 0;
}

#endif
