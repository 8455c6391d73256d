/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Estimates: how sure, where from, at what cost. Every member is always there; what can't be told is null, as JSON has
 * no other number that is none.
 */
#include <math.h>

#include "render/json.h"

struct snapshot_ci95 json_ci95_of(const struct snapshot *s, struct snapshot_ci95 ci95)
{
	return s->ops.known.sampled ? (struct snapshot_ci95){ NAN, NAN } : ci95;
}

void json_put_ci95(struct json_writer *w, struct snapshot_ci95 ci95)
{
	json_decimal_if(w, "objects_ci95", ci95.objects >= 0, ci95.objects);
	json_decimal_if(w, "bytes_ci95", ci95.bytes >= 0, ci95.bytes);
}

/* What estimates are made from. */
static const char *mode_name(const struct snapshot_samples *samples)
{
	if (samples->sampled && samples->units)
		return "runtime and windows";
	return samples->sampled ? "runtime" : samples->units ? "windows" : "nothing yet";
}

void json_put_sampling(struct json_writer *w, const struct snapshot *s)
{
	const struct snapshot_samples *samples = &s->samples;

	if (!samples->on) {
		json_null(w, "sampling");
		return;
	}
	json_open(w, "sampling", '{');
	json_string(w, "mode", mode_name(samples));
	json_number(w, "mem_profile_rate", samples->mem_profile_rate);
	json_number(w, "sampled", samples->sampled);
	json_number(w, "windows", samples->units);
	json_number(w, "windows_alike", samples->alike);
	json_number(w, "hits", samples->hits);
	json_number_if(w, "shares_from_ns", samples->shares_from_ns, samples->shares_from_ns);
	json_number_if(w, "shares_to_ns", samples->shares_from_ns, samples->shares_to_ns);
	json_decimal_if(w, "dilation", samples->dilation > 0, samples->dilation);
	json_open_flat(w, "unsampled", '{');
	json_number(w, "objects", samples->unsampled_objects);
	json_number(w, "bytes", samples->unsampled_bytes);
	json_close(w, '}');
	json_close(w, '}');
}

void json_put_cost_members(struct json_writer *w, const struct model_cost *c)
{
	json_decimal_if(w, "budget", c->budget > 0, c->budget);
	json_decimal_if(w, "predicted", c->predicted >= 0, c->predicted);
	json_decimal_if(w, "predicted_now", c->predicted_now >= 0, c->predicted_now);
	json_number(w, "ns_per_hit", c->ns_per_hit);
	json_number(w, "ns_per_switch", c->ns_per_switch);
	json_bool(w, "calibrated", c->calibrated);
	json_number(w, "hits", c->hits);
	json_number(w, "kept_hits", c->kept_hits);
	json_number(w, "windows", c->windows);
	json_number(w, "failed_windows", c->failed_windows);
	json_number(w, "overruns", c->overruns);
	json_number(w, "other_probes", c->other_probes);
	json_string(w, "off", c->off);
}

void json_put_cost(struct json_writer *w, const struct snapshot *s)
{
	if (!s->samples.cost.known) {
		json_null(w, "cost");
		return;
	}
	json_open(w, "cost", '{');
	json_put_cost_members(w, &s->samples.cost);
	json_close(w, '}');
}
