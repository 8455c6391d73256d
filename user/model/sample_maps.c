/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/sample_maps.h"

#include <math.h>

#include "base/u64.h"
#include "model/map_tables.h"

/* Goroutines that nothing is known of may be slowed down by so much. */
#define TIMES_MAX 1000.0

/* What a window saw of one root: calls of an operation at a site, or objects. */
struct seen {
	uint32_t site; /* of maps; 0 for objects */
	uint32_t operation;
	uint32_t root;
	uint32_t unit;
	double nr; /* of calls: by goroutines that allocate */
	double stand_for; /* what these do, see estimate/inclusion.h */
	double alone, most; /* by others; and of these there would be so many if nobody looked */
};

struct seen_list {
	struct seen *v;
	size_t nr;
};

struct work {
	const struct model *m;
	const struct sample_maps_scale *scale;
	struct sample_unit *const *units;
	size_t units_nr;
	struct seen_list calls, objects; /* each sorted by all that it is of */
	struct sample_sum *roots; /* what goroutines of each root have allocated */
	double slots_s;
};

static void work_deinit(struct work *w)
{
	free(w->calls.v);
	free(w->objects.v);
	free(w->roots);
}

static int group_cmp(const struct seen *x, const struct seen *y)
{
	int d = cmp_u64(x->site, y->site);

	if (!d)
		d = cmp_u64(x->operation, y->operation);
	return d ? d : cmp_u64(x->root, y->root);
}

static int seen_cmp(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int d = group_cmp(x, y);

	return d ? d : cmp_u64(x->unit, y->unit);
}

/* So many of a window, with this rate if it is known. */
static double stand_for(const struct estimate_unit *a, uint64_t nr, double rate)
{
	if (rate > 0)
		return a->slot_s * rate;
	return a->kept_s > 0 ? a->slot_s * (double)nr / a->kept_s : 0;
}

static int collect_calls(struct work *w)
{
	size_t nr = 0;

	for (size_t i = 0; i < w->units_nr; i++)
		nr += w->units[i]->map_ops_nr;
	w->calls.v = calloc(nr + 1, sizeof(w->calls.v[0]));
	if (!w->calls.v)
		return -ENOMEM;
	for (size_t i = 0; i < w->units_nr; i++) {
		const struct sample_unit *unit = w->units[i];

		w->slots_s += unit->alloc.slot_s;
		for (size_t k = 0; k < unit->map_ops_nr; k++)
			w->calls.v[w->calls.nr++] = (struct seen){
				unit->map_ops[k].map_site,
				unit->map_ops[k].operation,
				unit->map_ops[k].root,
				(uint32_t)i,
				(double)(unit->map_ops[k].calls - unit->map_ops[k].alone),
				stand_for(&unit->alloc,
					  unit->map_ops[k].calls - unit->map_ops[k].alone,
					  unit->map_ops[k].rate),
				(double)unit->map_ops[k].alone,
				(double)unit->map_ops[k].most_milli / SAMPLES_MILLI
			};
	}
	qsort(w->calls.v, w->calls.nr, sizeof(w->calls.v[0]), seen_cmp);
	return 0;
}

/* Of each root and unit one. */
static int collect_objects(struct work *w)
{
	size_t nr = 0, kept = 0;

	for (size_t i = 0; i < w->units_nr; i++)
		nr += w->units[i]->alloc.hits_nr;
	w->objects.v = calloc(nr + 1, sizeof(w->objects.v[0]));
	if (!w->objects.v)
		return -ENOMEM;
	for (size_t i = 0; i < w->units_nr; i++) {
		const struct estimate_unit *a = &w->units[i]->alloc;
		for (size_t k = 0; k < a->hits_nr; k++)
			w->objects.v[w->objects.nr++] = (struct seen){
				.root = a->hits[k].root,
				.unit = (uint32_t)i,
				.nr = (double)a->hits[k].objects,
				.stand_for = stand_for(a, a->hits[k].objects, a->hits[k].rate),
			};
	}
	qsort(w->objects.v, w->objects.nr, sizeof(w->objects.v[0]), seen_cmp);
	for (size_t i = 0; i < w->objects.nr; i++) {
		if (kept && seen_cmp(&w->objects.v[kept - 1], &w->objects.v[i]) == 0)
			w->objects.v[kept - 1] = (struct seen){
				.root = w->objects.v[i].root,
				.unit = w->objects.v[i].unit,
				.nr = w->objects.v[kept - 1].nr + w->objects.v[i].nr,
				.stand_for = w->objects.v[kept - 1].stand_for +
					     w->objects.v[i].stand_for,
			};
		else
			w->objects.v[kept++] = w->objects.v[i];
	}
	w->objects.nr = kept;
	return 0;
}

static int sum_roots(struct work *w)
{
	const struct model *m = w->m;

	w->roots = calloc(m->funcs.nr + 1, sizeof(w->roots[0]));
	if (!w->roots)
		return -ENOMEM;
	for (uint32_t i = 0; w->scale->sums && i < m->sites.nr; i++) {
		const struct sample_sum *sum = &w->scale->sums[(size_t)i * SAMPLE_SLOTS];
		struct sample_sum *root;

		/* Of large ones the second is their bytes. */
		int slots = m->sites.rows[i]->key.size_class == MODEL_CLASS_LARGE ? 1
										  : SAMPLE_SLOTS;

		if (!(sum[0].objects > 0) && !(sum[1].objects > 0))
			continue;
		root = &w->roots[model_root(m, m->sites.rows[i]->key.stack)];
		for (int k = 0; k < slots; k++) {
			root->objects += sum[k].objects;
			root->variance += sum[k].variance;
		}
	}
	return 0;
}

/* Of one root, in the order of units. */
static struct seen_list objects_of(const struct work *w, uint32_t root)
{
	size_t lo = 0, hi = w->objects.nr, end;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (w->objects.v[mid].root < root)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (end = lo; end < w->objects.nr && w->objects.v[end].root == root; end++)
		;
	return (struct seen_list){ &w->objects.v[lo], end - lo };
}

static double sum_of(const struct seen_list *list)
{
	double sum = 0;

	for (size_t i = 0; i < list->nr; i++)
		sum += list->v[i].stand_for;
	return sum;
}

/* Of all units, how far each is from the ratio of them all: the squares' sum. */
static double ratio_squares(const struct seen_list *calls, const struct seen_list *objects,
			    double ratio)
{
	double squares = 0;
	size_t i = 0, k = 0;

	while (i < calls->nr || k < objects->nr) {
		uint32_t unit = i < calls->nr ? calls->v[i].unit : UINT32_MAX;
		double d = 0;

		if (k < objects->nr && objects->v[k].unit < unit)
			unit = objects->v[k].unit;
		if (i < calls->nr && calls->v[i].unit == unit)
			d += calls->v[i++].stand_for;
		if (k < objects->nr && objects->v[k].unit == unit)
			d -= ratio * objects->v[k++].stand_for;
		squares += d * d;
	}
	return squares;
}

/* Units are drawn, not all there are. */
static double of_sample(const struct work *w, double squares)
{
	double nr = (double)w->units_nr;

	return nr > 1 ? squares * nr / (nr - 1) : squares;
}

static struct sample_calls by_objects(const struct work *w, const struct seen_list *calls,
				      const struct seen_list *objects)
{
	const struct sample_sum *root = &w->roots[calls->v[0].root];
	double per = sum_of(objects), ratio = sum_of(calls) / per;
	double scale = root->objects / per, seen = 0, noise = 0;
	double variance = of_sample(w, ratio_squares(calls, objects, ratio)) * scale * scale;

	/* What each would add had calls come independently of each other. */
	for (size_t i = 0; i < calls->nr; i++) {
		const struct seen *n = &calls->v[i];
		seen += n->nr;
		noise += n->nr > 0 ? n->stand_for * n->stand_for / n->nr : 0;
	}
	return (struct sample_calls){ ratio * root->objects, ratio * root->objects,
				      fmax(variance, noise * scale * scale) +
					      ratio * ratio * root->variance,
				      seen };
}

/* Those of goroutines that don't allocate, or of all: where nothing is known of what those that do have allocated. */
static struct sample_calls by_time(const struct work *w, const struct seen_list *calls, bool all)
{
	double share = w->scale->wanted_s > 0 && w->slots_s > 0 ? w->scale->wanted_s / w->slots_s
								: 1;
	double sum = 0, most = 0, squares = 0, floor = 0, seen = 0;

	for (size_t i = 0; i < calls->nr; i++) {
		const struct estimate_unit *a = &w->units[calls->v[i].unit]->alloc;
		double weight = a->kept_s > 0 ? a->slot_s / a->kept_s * share : 0;
		double others = all ? calls->v[i].nr : 0;
		double scaled = (calls->v[i].alone + others) * weight;

		seen += calls->v[i].alone + others;
		sum += scaled;
		most += (fmax(calls->v[i].alone, calls->v[i].most) + others * TIMES_MAX) * weight;
		squares += scaled * scaled;
		floor += scaled * weight;
	}
	squares -= sum * sum / (double)w->units_nr;
	return (struct sample_calls){ sum, most, fmax(of_sample(w, squares), floor), seen };
}

void sample_calls_add(struct sample_calls *to, const struct sample_calls *n)
{
	to->least += n->least;
	to->most += n->most;
	to->variance += n->variance;
	to->seen += n->seen;
}

static void add_group(const struct work *w, const struct seen_list *calls, struct sample_calls *to)
{
	const struct seen_list objects = objects_of(w, calls->v[0].root);
	bool known = w->roots[calls->v[0].root].objects > 0 && sum_of(&objects) > 0;
	struct sample_calls n = by_time(w, calls, !known);

	if (known) {
		const struct sample_calls others = by_objects(w, calls, &objects);
		sample_calls_add(&n, &others);
	}
	if (isfinite(n.least) && isfinite(n.most) && isfinite(n.variance))
		sample_calls_add(to, &n);
}

int sample_maps_add(const struct model *m, const struct sample_stretch *stretch,
		    const struct sample_maps_scale *scale, struct sample_calls *calls)
{
	_cleanup_(work_deinit) struct work w = { .m = m,
						 .scale = scale,
						 .units = m->samples->units + stretch->first_unit,
						 .units_nr = stretch->end_unit -
							     stretch->first_unit };

	if (!w.units_nr || !m->samples->has_map_ops)
		return 0;
	if (collect_calls(&w) || collect_objects(&w) || sum_roots(&w))
		return -ENOMEM;
	for (size_t i = 0, next; i < w.calls.nr; i = next) {
		const struct seen *first = &w.calls.v[i];

		for (next = i + 1; next < w.calls.nr && !group_cmp(first, &w.calls.v[next]); next++)
			;
		const struct seen_list group = { &w.calls.v[i], next - i };
		add_group(&w, &group,
			  &calls[(size_t)first->site * MODEL_MAP_OPERATIONS + first->operation]);
	}
	return 0;
}

static void add_to_sites(struct model *m, const struct sample_calls *calls)
{
	for (size_t i = 0; i < m->maps->sites.nr; i++) {
		for (size_t k = 0; k < MODEL_MAP_OPERATIONS; k++) {
			const struct sample_calls *n = &calls[i * MODEL_MAP_OPERATIONS + k];
			struct sample_calls *to = &m->maps->sites.rows[i]->folded[k];

			sample_calls_add(to, n);
		}
	}
}

int sample_maps_fold(struct model *m, const struct sample_stretch *stretch,
		     const struct sample_span *span)
{
	_cleanup_free_ struct sample_sum *sums = calloc(SAMPLE_SLOTS * m->sites.nr + 1,
							sizeof(sums[0]));
	_cleanup_free_ struct sample_calls *calls =
		calloc(MODEL_MAP_OPERATIONS * m->maps->sites.nr + 1, sizeof(calls[0]));
	struct sample_maps_scale scale = { 0 };

	if (!sums || !calls)
		return -ENOMEM;
	if (span) {
		sample_sums_add(sums, m, &span->result, NULL);
		scale = (struct sample_maps_scale){ sums, 0 };
	}
	int rc = sample_maps_add(m, stretch, &scale, calls);
	if (rc)
		return rc;
	add_to_sites(m, calls);
	if (m->samples->has_map_ops)
		m->samples->folded.map_units += stretch->end_unit - stretch->first_unit;
	return 0;
}
