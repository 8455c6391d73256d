/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What estimates are made from, not the estimates: a reader makes them again, for any span. The model has bounded and
 * rounded all of it as it is written here, so that they come out the same.
 */
#include "record/rows_samples.h"

#include <string.h>

#include "base/utf8.h"
#include "model/sample_tables.h"
#include "record/put.h"

int rows_put_sampling(struct rows *r, const struct model *m)
{
	const struct model_samples *samples = m->samples;
	const struct model_cost *cost = &samples->cost;
	char off[sizeof(cost->off)];

	/* Windows of operations have a cost, too. */
	if (!samples->on && !cost->known)
		return SQLITE_OK;
	utf8_clean(off, sizeof(off), cost->off);
	return put(r, ROWS_SAMPLING, NUM(samples->on ? samples->hit_ns : 0), NUM(cost->known),
		   NUM(samples_ppm(cost->budget)), NUM(samples_ppm(cost->predicted)),
		   NUM(samples_ppm(cost->predicted_now)), COUNT(cost->ns_per_hit),
		   COUNT(cost->ns_per_switch), COUNT(cost->hits), COUNT(cost->windows),
		   COUNT(cost->overruns), TEXT(off), NUM(cost->calibrated),
		   COUNT(cost->failed_windows), COUNT(cost->other_probes));
}

static int put_interval(struct rows *r, const struct model_samples *samples, size_t interval)
{
	const struct model_cost *now = &samples->cost, *base = &samples->cost_base;

	return put(r, ROWS_SAMPLE_INTERVAL, NUM(interval), NUM(samples->rate),
		   COUNT(samples_growth(base->hits, now->hits)),
		   COUNT(samples_growth(base->windows, now->windows)),
		   COUNT(samples_growth(base->overruns, now->overruns)),
		   NUM(samples_ppm(now->predicted_now)),
		   COUNT(samples_growth(base->failed_windows, now->failed_windows)));
}

static uint64_t class_bytes(const struct model_class_counts *counts, uint32_t size_class)
{
	return size_class == MODEL_CLASS_LARGE
		       ? counts->large_bytes
		       : samples_class_bytes(size_class, counts->objects[size_class]);
}

static int put_class_counts(struct rows *r, const struct model_samples *samples, size_t interval)
{
	const struct sample_mark *now = &samples->marks[SAMPLE_NOW];
	const struct sample_mark *base = &samples->marks[SAMPLE_BASE];
	const struct model_class_counts all = samples_between(&base->all, &now->all);
	const struct model_class_counts by_site = samples_between(&base->by_site, &now->by_site);
	int rc = SQLITE_OK;

	for (uint32_t i = 0; !rc && i < ESTIMATE_CLASS_NR; i++) {
		uint64_t bytes = class_bytes(&all, i), site_bytes = class_bytes(&by_site, i);

		if (all.objects[i] || bytes || by_site.objects[i] || site_bytes)
			rc = put(r, ROWS_CLASS_COUNT, NUM(interval), NUM(i), COUNT(all.objects[i]),
				 COUNT(bytes), COUNT(by_site.objects[i]), COUNT(site_bytes));
	}
	return rc;
}

static int put_sampled(struct rows *r, const struct model *m, size_t interval)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; !rc && i < m->sites.nr; i++) {
		const struct sample_site *site = m->sites.rows[i]->samples;
		uint64_t n = site ? site->sampled[SAMPLE_NOW] - site->sampled[SAMPLE_BASE] : 0;
		struct model_large_samples large = { 0 };

		if (n && m->sites.rows[i]->key.size_class == MODEL_CLASS_LARGE)
			large = samples_large_between(&site->large[SAMPLE_BASE],
						      &site->large[SAMPLE_NOW]);
		if (n)
			rc = put(r, ROWS_SAMPLED, NUM(interval), NUM(i), NUM(n), NUM(large.milli),
				 NUM(large.variance_milli), NUM(large.bytes),
				 NUM(large.variance_kib2));
	}
	return rc;
}

static int put_refills(struct rows *r, const struct estimate_unit *unit, size_t id)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; !rc && i < unit->refills_nr; i++)
		rc = put(r, ROWS_UNIT_REFILL, NUM(id), NUM(unit->refills[i].root),
			 NUM(unit->refills[i].size_class), NUM(unit->refills[i].objects));
	for (size_t i = 0; !rc && i < unit->gaps_nr; i++)
		rc = put(r, ROWS_UNIT_GAP, NUM(id), NUM(unit->gaps[i].root), NUM(unit->gaps[i].nr),
			 NUM(samples_whole_ns(unit->gaps[i].sum_s)));
	return rc;
}

static int put_hits(struct rows *r, const struct sample_unit *unit, size_t id)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; !rc && i < unit->alloc.hits_nr; i++) {
		const struct estimate_hit *hit = &unit->alloc.hits[i];
		rc = put(r, ROWS_UNIT_HIT, NUM(id), NUM(hit->site), NUM(hit->root),
			 NUM(hit->size_class), NUM(hit->objects), NUM(hit->bytes),
			 NUM(samples_rate_milli(hit->rate)));
	}
	for (size_t i = 0; !rc && i < unit->map_ops_nr; i++) {
		const struct model_unit_map_op *op = &unit->map_ops[i];
		rc = put(r, ROWS_UNIT_MAP_OP, NUM(id), NUM(op->map_site), NUM(op->root),
			 NUM(op->operation), NUM(op->calls), NUM(op->alone), NUM(op->most_milli),
			 NUM(samples_rate_milli(op->rate)));
	}
	return rc;
}

static int put_unit(struct rows *r, const struct sample_unit *unit, size_t interval)
{
	size_t id = r->done.units++;
	int rc = put(r, ROWS_UNIT, NUM(id), NUM(interval), NUM(unit->start_ns), NUM(unit->hits),
		     NUM(unit->slot_ns), NUM(unit->refill_ns), NUM(unit->kept_ns),
		     NUM(unit->alloc.began), NUM(unit->alloc.times));

	if (!rc)
		rc = put_refills(r, &unit->alloc, id);
	return rc ? rc : put_hits(r, unit, id);
}

int rows_put_samples(struct rows *r, const struct model *m, size_t interval)
{
	const struct model_samples *samples = m->samples;

	if (!samples->on)
		return SQLITE_OK;
	int rc = put_interval(r, samples, interval);
	if (!rc)
		rc = put_class_counts(r, samples, interval);
	if (!rc)
		rc = put_sampled(r, m, interval);
	for (size_t i = samples->base_units; !rc && i < samples->units_nr; i++)
		rc = put_unit(r, samples->units[i], interval);
	return rc;
}
