/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/sample_sums.h"

#include <math.h>
#include <string.h>

#include "base/u64.h"

static const double ns_per_s = 1e9;

bool samples_has_alloc(const struct model_samples *samples, const struct sample_stretch *stretch)
{
	for (size_t i = stretch->first_unit; i < stretch->end_unit; i++)
		if (samples->units[i]->alloc.hits_nr || samples->units[i]->alloc.refills_nr)
			return true;
	return false;
}

/*
 * Where there is no evidence yet, the rate of the first sample is that of all the time before it: the target
 * allocated little, or the runtime had no reason to take one.
 */
static bool rate_has_changed(const struct model_samples *samples)
{
	const struct sample_stretch before = { .end_unit = samples->base_units };

	return samples->rate != samples->stratum_rate &&
	       (samples->stratum_rate || samples_has_alloc(samples, &before));
}

size_t samples_stretches(const struct model *m, struct sample_stretch ret[2])
{
	const struct model_samples *samples = m->samples;

	if (!rate_has_changed(samples)) {
		ret[0] = (struct sample_stretch){ SAMPLE_FOLDED, SAMPLE_NOW, 0, samples->units_nr,
						  samples->rate };
		return 1;
	}
	ret[0] = (struct sample_stretch){ SAMPLE_FOLDED, SAMPLE_BASE, 0, samples->base_units,
					  samples->stratum_rate };
	ret[1] = (struct sample_stretch){ SAMPLE_BASE, SAMPLE_NOW, samples->base_units,
					  samples->units_nr, samples->rate };
	return 2;
}

static uint64_t when_ns(const struct model *m, enum sample_when when)
{
	uint64_t begin = model_from_ns(m, false);

	return max_u64(begin,
		       when == SAMPLE_NOW ? m->meta.end_mono_ns : m->samples->marks[when].mono_ns);
}

static void set_objects(struct sample_span *s, const struct model *m,
			const struct sample_stretch *stretch)
{
	const struct sample_mark *from = &m->samples->marks[stretch->from];
	const struct sample_mark *to = &m->samples->marks[stretch->to];
	struct model_class_counts all = samples_between(&from->all, &to->all);
	const struct model_class_counts by_site = samples_between(&from->by_site, &to->by_site);

	all = samples_between(&by_site, &all);
	memcpy(s->span.objects, all.objects, sizeof(s->span.objects));
	s->span.large_bytes = all.large_bytes;
}

static void add_sampled(struct sample_span *s, uint32_t site, uint32_t size_class, uint64_t n)
{
	s->sampled[s->span.sampled_nr++] =
		(struct estimate_sampled){ .site = site, .size_class = size_class, .samples = n };
}

/* Bytes and objects; without bytes, as only a recording can say, objects alone. */
static void add_sampled_large(struct sample_span *s, uint32_t site, uint64_t n,
			      const struct model_large_samples *large)
{
	s->sampled[s->span.sampled_nr++] = (struct estimate_sampled){
		site,
		MODEL_CLASS_LARGE,
		n,
		(double)large->milli / SAMPLES_MILLI,
		(double)large->variance_milli / SAMPLES_MILLI,
	};
	if (large->bytes)
		s->sampled[s->span.sampled_nr++] = (struct estimate_sampled){
			site,
			ESTIMATE_LARGE_BYTES,
			n,
			(double)large->bytes,
			(double)large->variance_kib2 * SAMPLES_KIB2,
		};
}

static void add_site(struct sample_span *s, uint32_t id, const struct site_row *site,
		     const struct sample_stretch *stretch)
{
	const struct sample_site *samples = site->samples;
	uint64_t n = samples ? samples->sampled[stretch->to] - samples->sampled[stretch->from] : 0;
	uint32_t size_class = site->key.size_class;

	if (n && size_class == MODEL_CLASS_LARGE) {
		const struct model_large_samples large = samples_large_between(
			&samples->large[stretch->from], &samples->large[stretch->to]);
		add_sampled_large(s, id, n, &large);
		return;
	}
	if (n && size_class == MODEL_CLASS_TINY)
		add_sampled(s, id, SAMPLES_TINY_BLOCK_CLASS, n);
	if (n)
		add_sampled(s, id, size_class, n);
}

/*
 * The runtime samples a tiny object only where it opens a block (Go 1.19-1.27 runtime/malloc.go: an object that fits
 * into the block there is returned before profilealloc). Those that share blocks are taken to divide among sites as
 * those that open them.
 */
static int set_sampled(struct sample_span *s, const struct model *m,
		       const struct sample_stretch *stretch)
{
	size_t cap = SAMPLE_SLOTS * m->sites.nr;

	if (!stretch->rate)
		return 0;
	s->sampled = calloc(cap ? cap : 1, sizeof(s->sampled[0]));
	if (!s->sampled)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->sites.nr; i++)
		add_site(s, i, m->sites.rows[i], stretch);
	s->span.sampled = s->sampled;
	s->span.mem_profile_rate = stretch->rate;
	return 0;
}

/* While the runtime takes samples windows are for maps only: that they saw no objects tells nothing. */
static bool tells_allocs(const struct sample_unit *unit, const struct sample_stretch *stretch)
{
	return !stretch->rate || unit->alloc.hits_nr || unit->alloc.refills_nr;
}

static int set_units(struct sample_span *s, const struct model *m,
		     const struct sample_stretch *stretch)
{
	size_t nr = stretch->end_unit - stretch->first_unit;

	s->units = calloc(nr ? nr : 1, sizeof(s->units[0]));
	if (!s->units)
		return -ENOMEM;
	for (size_t i = stretch->first_unit; i < stretch->end_unit; i++) {
		const struct sample_unit *unit = m->samples->units[i];
		if (tells_allocs(unit, stretch))
			s->units[s->span.units_nr++] = &unit->alloc;
	}
	s->span.units = s->units;
	if (!samples_has_alloc(m->samples, stretch))
		s->span.units_nr = 0;
	return 0;
}

int sample_span_init(struct sample_span *s, const struct model *m,
		     const struct sample_stretch *stretch)
{
	uint64_t from_ns = when_ns(m, stretch->from), to_ns = when_ns(m, stretch->to);

	*s = (struct sample_span){ 0 };
	s->span.wall_s = (double)(to_ns > from_ns ? to_ns - from_ns : 0) / ns_per_s;
	s->span.hit_s = (double)m->samples->hit_ns / ns_per_s;
	s->span.sites_nr = m->sites.nr;
	s->span.roots_nr = m->funcs.nr;
	set_objects(s, m, stretch);
	int rc = set_sampled(s, m, stretch);
	if (!rc)
		rc = set_units(s, m, stretch);
	if (!rc && (s->span.units_nr || s->span.sampled_nr))
		rc = estimate(&s->span, &s->result);
	return rc;
}

void sample_span_deinit(struct sample_span *s)
{
	estimate_free(&s->result);
	free(s->sampled);
	free(s->units);
}

int sample_part_slot(const struct model *m, const struct estimate_part *part)
{
	if (part->site >= m->sites.nr)
		return -1;
	return samples_slot(m->sites.rows[part->site]->key.size_class, part->size_class);
}

/* What a target, or a recording, drives beyond numbers is as good as no estimate. */
static double sane(double v)
{
	return isfinite(v) && v > 0 ? v : 0;
}

void sample_sum_add(struct sample_sum *to, const struct estimate_part *part, double factor)
{
	to->objects += sane(part->objects * factor);
	to->variance += sane(part->variance * factor * factor);
	to->systematic += sane(part->systematic * factor);
	to->from_windows |= part->from_windows;
}

void sample_sums_add(struct sample_sum *sums, const struct model *m,
		     const struct estimate_result *result, const double *factors)
{
	for (size_t i = 0; i < result->parts_nr; i++) {
		const struct estimate_part *part = &result->parts[i];
		int slot = sample_part_slot(m, part);

		if (slot >= 0)
			sample_sum_add(&sums[(size_t)part->site * SAMPLE_SLOTS + (size_t)slot],
				       part, factors ? factors[part->size_class] : 1);
	}
}

void sample_evidence_add(struct sample_evidence *to, const struct sample_span *s,
			 const struct model_samples *samples, const struct sample_stretch *stretch)
{
	if (s->span.units_nr) {
		to->units += s->result.units_nr;
		to->alike += s->result.alike_nr;
		for (size_t i = stretch->first_unit; i < stretch->end_unit; i++)
			if (tells_allocs(samples->units[i], stretch))
				to->hits = sum_u63(to->hits, samples->units[i]->hits);
	}
	to->sampled += samples->marks[stretch->to].sampled - samples->marks[stretch->from].sampled;
	if (sane(s->result.dilation) > 0) {
		to->dilation_sum += s->result.dilation * (double)s->result.units_nr;
		to->dilation_units += s->result.units_nr;
	}
}
