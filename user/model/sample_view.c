/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/sample_view.h"

#include <math.h>
#include <string.h>

#include "base/f64.h"
#include "base/u64.h"
#include "model/map_tables.h"
#include "model/sample_maps.h"
#include "model/sample_sums.h"

static const double ns_per_s = 1e9;

/* Where there may be more than so many times the least there is no number to show in between. */
#define CALLS_APART_MAX 4.0

/* On its way: sums by site, in fractions of objects. */
struct work {
	const struct model *m;
	struct sample_view *view;
	struct sample_sum *sums; /* SAMPLE_SLOTS of each site */
	struct model_class_counts by_site; /* counted exactly */
	uint64_t from_ns, to_ns; /* that shares are from */
	bool interval;
};

/* What one stretch of time tells of the time that is wanted: objects of each class, times what it had of them there. */
struct wanted {
	const struct sample_mark *from, *to;
	double s; /* 0: the stretch itself is wanted */
};

/* --- evidence --------------------------------------------------------------------------------- */

static void unseen_growth(const struct sample_mark *from, const struct sample_mark *to,
			  struct model_class_counts *ret)
{
	const struct model_class_counts all = samples_between(&from->all, &to->all);
	const struct model_class_counts by_site = samples_between(&from->by_site, &to->by_site);

	*ret = samples_between(&by_site, &all);
}

static void class_factors(const struct sample_span *s, const struct wanted *wanted,
			  double factors[ESTIMATE_SUMS_NR])
{
	struct model_class_counts n;

	unseen_growth(wanted->from, wanted->to, &n);
	for (int i = 0; i < ESTIMATE_CLASS_NR; i++)
		factors[i] = s->span.objects[i] ? (double)n.objects[i] / (double)s->span.objects[i]
						: 0;
	factors[ESTIMATE_LARGE_BYTES] =
		s->span.large_bytes ? (double)n.large_bytes / (double)s->span.large_bytes : 0;
}

static void widen_times(struct work *w, const struct sample_stretch *stretch)
{
	const struct model_samples *samples = w->m->samples;
	uint64_t from_ns = samples->marks[stretch->from].mono_ns;
	uint64_t to_ns = w->m->meta.end_mono_ns;

	/* Windows are from when they were, whatever time they stand for. */
	if (samples_has_alloc(samples, stretch)) {
		const struct sample_unit *last = samples->units[stretch->end_unit - 1];
		from_ns = samples->units[stretch->first_unit]->start_ns;
		to_ns = last->start_ns + last->refill_ns + last->kept_ns;
	}
	from_ns = max_u64(from_ns, model_from_ns(w->m, false));
	w->from_ns = w->from_ns ? min_u64(w->from_ns, from_ns) : from_ns;
	w->to_ns = max_u64(w->to_ns, to_ns);
}

static int add_calls(struct work *w, const struct sample_stretch *stretch,
		     const struct sample_span *s, const double *factors, double wanted_s)
{
	const struct model *m = w->m;
	_cleanup_free_ struct sample_sum *sums = NULL;

	if (!m->samples->has_map_ops)
		return 0;
	sums = calloc(SAMPLE_SLOTS * m->sites.nr + 1, sizeof(sums[0]));
	if (!sums)
		return -ENOMEM;
	sample_sums_add(sums, m, &s->result, factors);
	w->view->evidence.map_units += stretch->end_unit - stretch->first_unit;
	const struct sample_maps_scale scale = { sums, wanted_s };
	return sample_maps_add(m, stretch, &scale, w->view->calls);
}

static int add_stretch(struct work *w, const struct sample_stretch *stretch,
		       const struct wanted *wanted)
{
	double factors[ESTIMATE_SUMS_NR];
	struct sample_span s;
	int rc = sample_span_init(&s, w->m, stretch);

	if (!rc && wanted)
		class_factors(&s, wanted, factors);
	if (!rc) {
		sample_sums_add(w->sums, w->m, &s.result, wanted ? factors : NULL);
		sample_evidence_add(&w->view->evidence, &s, w->m->samples, stretch);
		if (s.span.units_nr || s.span.sampled_nr)
			widen_times(w, stretch);
		rc = add_calls(w, stretch, &s, wanted ? factors : NULL, wanted ? wanted->s : 0);
	}
	sample_span_deinit(&s);
	return rc;
}

static void add_folded(struct work *w)
{
	const struct model *m = w->m;
	const struct sample_evidence *folded = &m->samples->folded;

	for (size_t i = 0; i < m->sites.nr; i++)
		if (m->sites.rows[i]->samples)
			memcpy(&w->sums[i * SAMPLE_SLOTS], m->sites.rows[i]->samples->folded,
			       sizeof(m->sites.rows[i]->samples->folded));
	for (size_t i = 0; i < m->maps->sites.nr; i++)
		memcpy(&w->view->calls[i * MODEL_MAP_OPERATIONS], m->maps->sites.rows[i]->folded,
		       sizeof(m->maps->sites.rows[i]->folded));
	w->view->evidence = *folded;
	if (folded->units || folded->sampled) {
		w->from_ns = model_from_ns(m, false);
		w->to_ns = m->samples->marks[SAMPLE_FOLDED].mono_ns;
	}
}

static int add_all_time(struct work *w)
{
	struct sample_stretch stretches[2];
	size_t nr = samples_stretches(w->m, stretches);
	int rc = 0;

	add_folded(w);
	for (size_t i = 0; !rc && i < nr; i++)
		rc = add_stretch(w, &stretches[i], NULL);
	return rc;
}

static size_t first_unit_at(const struct model_samples *samples, uint64_t mono_ns)
{
	size_t i = 0;

	while (i < samples->units_nr && samples->units[i]->start_ns < mono_ns)
		i++;
	return i;
}

/*
 * What shares an interval is divided by: the runtime's samples are its own if they are enough, else the last minute's. Of
 * windows all that are kept are needed, and more.
 */
static struct sample_stretch share_stretch(const struct model_samples *samples)
{
	const struct sample_mark *marks = samples->marks, *now = &marks[SAMPLE_NOW];
	struct sample_stretch s = { SAMPLE_FOLDED, SAMPLE_NOW, 0, samples->units_nr,
				    samples->rate };

	if (!samples->rate || now->sampled == marks[SAMPLE_RECENT].sampled)
		return s;
	s.from = now->sampled - marks[SAMPLE_BASE].sampled >= SAMPLES_SHARES_MIN ? SAMPLE_BASE
										 : SAMPLE_RECENT;
	s.first_unit = first_unit_at(samples, marks[s.from].mono_ns);
	return s;
}

static int add_interval(struct work *w)
{
	const struct model_samples *samples = w->m->samples;
	const struct sample_stretch stretch = share_stretch(samples);
	uint64_t from_ns = model_from_ns(w->m, true), to_ns = w->m->meta.end_mono_ns;
	const struct wanted wanted = { &samples->marks[SAMPLE_BASE], &samples->marks[SAMPLE_NOW],
				       (double)(to_ns > from_ns ? to_ns - from_ns : 0) / ns_per_s };

	return add_stretch(w, &stretch, &wanted);
}

/* --- whole objects ---------------------------------------------------------------------------- */

/* A class's objects and bytes, as they are handed out to sites. Of large ones bytes are objects of a class of their own. */
struct share {
	double sum; /* of all sites' estimates */
	double factor; /* estimates may be more than there is, by rounding or where counts of two moments meet */
	double so_far;
	uint64_t objects, bytes; /* that there are to hand out */
	uint64_t given_objects, given_bytes;
};

/*
 * The next site's: sums are rounded, not sites, so that what is handed out in all is what there is, when all of it is
 * known.
 */
static struct snapshot_count hand_out(struct share *share, uint32_t size_class, double objects)
{
	share->so_far += objects * share->factor;
	uint64_t upto = max_u64(whole_f64(share->so_far, share->objects), share->given_objects);
	struct snapshot_count n = { .objects = upto - share->given_objects };

	if (size_class == ESTIMATE_LARGE_BYTES)
		n = (struct snapshot_count){ .bytes = n.objects };
	else
		n.bytes = min_u64(samples_class_bytes(size_class, n.objects),
				  share->bytes - share->given_bytes);
	share->given_objects = upto;
	share->given_bytes += n.bytes;
	return n;
}

static void init_shares(struct share *shares, const struct work *w)
{
	const struct model *m = w->m;
	const struct model_class_counts *all = &w->view->counts;

	for (uint32_t i = 0; i < ESTIMATE_CLASS_NR; i++) {
		shares[i] = (struct share){ .objects = samples_growth(w->by_site.objects[i],
								      all->objects[i]) };
		shares[i].bytes = samples_class_bytes(i, shares[i].objects);
	}
	shares[ESTIMATE_LARGE_BYTES] = (struct share){
		.objects = samples_growth(w->by_site.large_bytes, all->large_bytes)
	};
	for (size_t i = 0; i < m->sites.nr; i++)
		for (int k = 0; k < SAMPLE_SLOTS; k++)
			shares[samples_slot_class(m->sites.rows[i]->key.size_class, k)].sum +=
				w->sums[i * SAMPLE_SLOTS + (size_t)k].objects;
	for (uint32_t i = 0; i < ESTIMATE_SUMS_NR; i++)
		shares[i].factor = shares[i].sum > (double)shares[i].objects
					   ? (double)shares[i].objects / shares[i].sum
					   : 1;
}

static void take_share(struct sample_estimate *to, struct share *share, uint32_t size_class,
		       const struct sample_sum *sum)
{
	const struct snapshot_count n = hand_out(share, size_class, sum->objects);
	bool is_bytes = size_class == ESTIMATE_LARGE_BYTES;
	double size = is_bytes ? 1 : (double)samples_class_bytes(size_class, 1);
	const struct sample_error error = {
		.objects_variance = is_bytes ? 0 : sum->variance,
		.bytes_variance = sum->variance * size * size,
		.objects_systematic = is_bytes ? 0 : sum->systematic,
		.bytes_systematic = sum->systematic * size,
		.from_windows = sum->from_windows,
	};

	to->count.objects = sum_u63(to->count.objects, n.objects);
	to->count.bytes = sum_u63(to->count.bytes, n.bytes);
	sample_error_add(&to->error, &error);
}

static void round_sites(struct work *w)
{
	const struct model *m = w->m;
	struct share shares[ESTIMATE_SUMS_NR];

	init_shares(shares, w);
	for (size_t i = 0; i < m->sites.nr; i++) {
		for (int k = 0; k < SAMPLE_SLOTS; k++) {
			const struct sample_sum *sum = &w->sums[i * SAMPLE_SLOTS + (size_t)k];
			uint32_t size_class = samples_slot_class(m->sites.rows[i]->key.size_class,
								 k);

			if (sum->objects > 0)
				take_share(&w->view->sites[i], &shares[size_class], size_class,
					   sum);
		}
	}
}

/* What was counted by site may have been read later than the runtime's counts. */
static void set_counts(struct work *w)
{
	static const struct sample_mark zero = { 0 };
	const struct sample_mark *marks = w->m->samples->marks;
	const struct sample_mark *from = w->interval ? &marks[SAMPLE_BASE] : &zero;
	struct model_class_counts *counts = &w->view->counts;

	w->by_site = samples_between(&from->by_site, &marks[SAMPLE_NOW].by_site);
	w->by_site = samples_bounded(&w->by_site);
	*counts = samples_between(&from->all, &marks[SAMPLE_NOW].all);
	for (int i = 0; i < ESTIMATE_CLASS_NR; i++)
		counts->objects[i] = max_u64(counts->objects[i], w->by_site.objects[i]);
	counts->large_bytes = max_u64(counts->large_bytes, w->by_site.large_bytes);
}

/* Shares that a recording keeps in parts per million are shown so, live, too. */
static double whole_ppm(double share)
{
	return (double)samples_ppm(share) / SAMPLES_PPM;
}

/* Windows of operations cost, too, where nothing else is sampled. */
static struct model_cost view_cost(const struct model *m)
{
	struct model_cost cost = m->samples->cost;

	cost.budget = whole_ppm(cost.budget);
	cost.predicted = whole_ppm(cost.predicted);
	cost.predicted_now = whole_ppm(cost.predicted_now);
	return cost;
}

static void fill(const struct work *w, struct snapshot_samples *s)
{
	const struct model_samples *samples = w->m->samples;
	const struct sample_evidence *e = &w->view->evidence;

	*s = (struct snapshot_samples){
		.on = true,
		.mem_profile_rate = samples->rate,
		.sampled = e->sampled,
		.units = e->units,
		.alike = e->alike,
		.hits = e->hits,
		.shares_from_ns = w->from_ns,
		.shares_to_ns = w->to_ns,
		.dilation = e->dilation_units ? e->dilation_sum / (double)e->dilation_units : 0,
		.cost = s->cost,
	};
	s->cost.kept_hits = sum_u63(samples->kept_hits, samples->marks[SAMPLE_NOW].sampled);
}

static void work_deinit(struct work *w)
{
	free(w->sums);
}

int sample_view_init(struct sample_view *view, struct snapshot_samples *s, const struct model *m,
		     bool interval)
{
	_cleanup_(work_deinit) struct work w = { .m = m, .view = view, .interval = interval };

	*view = (struct sample_view){ 0 };
	s->cost = view_cost(m);
	if (!m->samples->on)
		return 0;
	w.sums = calloc(SAMPLE_SLOTS * m->sites.nr + 1, sizeof(w.sums[0]));
	view->sites = calloc(m->sites.nr + 1, sizeof(view->sites[0]));
	view->calls = calloc(MODEL_MAP_OPERATIONS * m->maps->sites.nr + 1, sizeof(view->calls[0]));
	if (!w.sums || !view->sites || !view->calls)
		return -ENOMEM;
	set_counts(&w);
	int rc = interval ? add_interval(&w) : add_all_time(&w);
	if (rc)
		return rc;
	round_sites(&w);
	fill(&w, s);
	return 0;
}

void sample_view_deinit(struct sample_view *view)
{
	free(view->sites);
	free(view->calls);
}

void sample_error_add(struct sample_error *to, const struct sample_error *n)
{
	to->objects_variance += n->objects_variance;
	to->bytes_variance += n->bytes_variance;
	to->objects_systematic += n->objects_systematic;
	to->bytes_systematic += n->bytes_systematic;
	to->from_windows |= n->from_windows;
}

/* What is exact is off by nothing, however few windows there are. */
static double half_width(double variance, double systematic, size_t units_nr)
{
	if (variance == 0 && systematic == 0)
		return 0;
	return estimate_half_width(variance, systematic, units_nr);
}

struct snapshot_ci95 sample_view_ci95(const struct sample_view *view, const struct sample_error *e)
{
	size_t units_nr = e->from_windows ? max_u64(view->evidence.alike, 1) : 0;

	return (struct snapshot_ci95){
		half_width(e->objects_variance, e->objects_systematic, units_nr),
		half_width(e->bytes_variance, e->bytes_systematic, units_nr),
	};
}

/* What there were in any case; of too few windows only those that were in them, as they may have met a busy moment. */
static double calls_at_least(const struct sample_view *view, const struct sample_calls *calls)
{
	size_t units_nr = view->evidence.map_units;

	if (units_nr < ESTIMATE_UNITS_MIN)
		return calls->seen;
	return fmax(calls->least - estimate_half_width(calls->variance, 0, units_nr), calls->seen);
}

static uint64_t whole_calls(double calls)
{
	return whole_f64(calls, INT64_MAX);
}

struct snapshot_map_estimate sample_view_calls(const struct sample_view *view,
					       const struct sample_calls *calls)
{
	double middle = (calls->least + calls->most) / 2;
	double times = calls->least > 0 ? middle / calls->least : 1;

	if (calls->most > CALLS_APART_MAX * calls->least)
		return (struct snapshot_map_estimate){
			.calls = whole_calls(calls_at_least(view, calls)),
			.ci95 = NAN,
			.at_least = true,
		};
	return (struct snapshot_map_estimate){
		.calls = whole_calls(middle),
		.ci95 = half_width(calls->variance * times * times,
				   (calls->most - calls->least) / 2, view->evidence.map_units),
	};
}
