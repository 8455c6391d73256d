/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Totals, windows and samples on their way into the model, and the folding of what is old: see sample_tables.h.
 *
 * What comes from a target may be anything, so every number is bounded here, once.
 */
#include "model/samples.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/f64.h"
#include "base/u64.h"
#include "gobin/layout.h"
#include "model/gc_tables.h"
#include "model/map_tables.h"
#include "model/sample_maps.h"
#include "model/sample_sums.h"
#include "model/sample_tables.h"

static const double ns_per_s = 1e9;
static const uint64_t recent_ns = UINT64_C(30) * 1000 * 1000 * 1000;

void model_sampled(struct model *m, uint64_t hit_ns)
{
	m->samples->on = true;
	m->samples->hit_ns = min_u64(hit_ns, GC_TIME_MAX);
}

uint64_t model_hit_ns(const struct model *m)
{
	return m->samples->hit_ns;
}

struct model_cost *model_cost(struct model *m)
{
	return &m->samples->cost;
}

uint32_t model_root(const struct model *m, uint32_t stack)
{
	assert(stack < m->stacks.nr);
	const struct stack_row *row = m->stacks.rows[stack];
	uint32_t root = 0;

	if (row->words[0])
		return 0;
	/* From the root on: goexit only if there is nothing else. */
	for (uint32_t i = row->frames_nr; i-- > 0;) {
		uint32_t id = m->frames.rows[row->words[1 + i]]->key.func;
		const struct func_row *func = m->funcs.rows[id];

		if (!func->is_runtime)
			return id;
		if (i + 1 == row->frames_nr || m->funcs.rows[root]->is_goexit)
			root = id;
	}
	return root;
}

/* --- totals ----------------------------------------------------------------------------------- */

uint64_t samples_class_bytes(uint32_t size_class, uint64_t objects)
{
	uint64_t bytes, size = size_class < GO_NUM_SIZE_CLASSES ? go_class_to_size[size_class] : 0;

	return __builtin_mul_overflow(objects, size, &bytes) ? INT64_MAX
							     : min_u64(bytes, INT64_MAX);
}

struct model_class_counts samples_between(const struct model_class_counts *from,
					  const struct model_class_counts *to)
{
	struct model_class_counts n;

	for (int i = 0; i < ESTIMATE_CLASS_NR; i++)
		n.objects[i] = samples_growth(from->objects[i], to->objects[i]);
	n.large_bytes = samples_growth(from->large_bytes, to->large_bytes);
	return n;
}

struct model_count samples_total(const struct model_class_counts *counts)
{
	struct model_count total = { 0, counts->large_bytes };

	for (uint32_t i = 0; i < ESTIMATE_CLASS_NR; i++) {
		total.objects = sum_u63(total.objects, counts->objects[i]);
		total.bytes = sum_u63(total.bytes, samples_class_bytes(i, counts->objects[i]));
	}
	return total;
}

struct model_class_counts samples_bounded(const struct model_class_counts *counts)
{
	struct model_class_counts n;

	for (uint32_t i = 0; i < ESTIMATE_CLASS_NR; i++)
		n.objects[i] = min_u64(counts->objects[i],
				       SAMPLES_CLASS_MAX / max_u64(samples_class_bytes(i, 1), 1));
	n.large_bytes = min_u64(counts->large_bytes, SAMPLES_CLASS_MAX);
	return n;
}

void model_set_class_counts(struct model *m, const struct model_class_counts *counts)
{
	struct model_class_counts *now = &m->samples->marks[SAMPLE_NOW].all;

	const struct model_class_counts bounded = samples_bounded(counts);

	assert(m->samples->on);
	/* Counts only grow: where they don't, what was read was no count. */
	for (int i = 0; i < ESTIMATE_CLASS_NR; i++)
		now->objects[i] = max_u64(now->objects[i], bounded.objects[i]);
	now->large_bytes = max_u64(now->large_bytes, bounded.large_bytes);
	m->total = samples_total(now);
}

/*
 * Exact counts of tiny objects don't tell which of them opened a block; by their bytes it is about one for each 16. A
 * session that samples counts none of them exactly all the time.
 */
void samples_count_site(struct model *m, uint32_t size_class, uint64_t objects, uint64_t bytes)
{
	struct model_class_counts *by_site = &m->samples->marks[SAMPLE_NOW].by_site;
	uint64_t blocks = size_class == MODEL_CLASS_TINY ? min_u64(bytes / GO_TINY_SIZE, objects)
							 : 0;
	uint64_t *of_class = &by_site->objects[size_class];
	uint64_t *of_blocks = &by_site->objects[SAMPLES_TINY_BLOCK_CLASS];

	*of_class = sum_u63(*of_class, objects - blocks);
	*of_blocks = sum_u63(*of_blocks, blocks);
	if (size_class == MODEL_CLASS_LARGE)
		by_site->large_bytes = sum_u63(by_site->large_bytes, bytes);
}

/* --- samples of the runtime --------------------------------------------------------------------- */

struct sample_site *samples_site(struct model *m, uint32_t site)
{
	struct site_row *row = m->sites.rows[site];

	size_t sz = sizeof(*row->samples);

	if (row->key.size_class == MODEL_CLASS_LARGE)
		sz += SAMPLE_WHEN_NR * sizeof(row->samples->large[0]);
	if (!row->samples && !model_charge(m, sz))
		row->samples = calloc(1, sz);
	return row->samples;
}

void model_set_profile_rate(struct model *m, uint64_t rate)
{
	assert(m->samples->on);
	m->samples->rate = min_u64(rate, INT64_MAX);
}

static void large_add(struct model_large_samples *to, const struct model_large_samples *n)
{
	to->milli = sum_u63(to->milli, n->milli);
	to->variance_milli = sum_u63(to->variance_milli, n->variance_milli);
	to->bytes = sum_u63(to->bytes, n->bytes);
	to->variance_kib2 = sum_u63(to->variance_kib2, n->variance_kib2);
}

struct model_large_samples samples_large_between(const struct model_large_samples *from,
						 const struct model_large_samples *to)
{
	return (struct model_large_samples){
		samples_growth(from->milli, to->milli),
		samples_growth(from->variance_milli, to->variance_milli),
		samples_growth(from->bytes, to->bytes),
		samples_growth(from->variance_kib2, to->variance_kib2),
	};
}

static uint64_t whole(double v)
{
	return whole_f64(v, SAMPLES_CLASS_MAX);
}

struct model_large_samples samples_of_large(uint64_t size, uint64_t rate)
{
	/* The runtime counts the pages (runtime/mcache.go allocLarge). */
	uint64_t pages = min_u64(size, SAMPLES_CLASS_MAX) / GO_PAGE_SIZE +
			 (size % GO_PAGE_SIZE != 0);
	const struct estimate_large n = estimate_large(size, pages * GO_PAGE_SIZE, rate);

	return (struct model_large_samples){
		whole(n.objects * SAMPLES_MILLI),
		whole(n.objects_variance * SAMPLES_MILLI),
		whole(n.bytes),
		whole(n.bytes_variance / SAMPLES_KIB2),
	};
}

static void add_sampled(struct model *m, uint32_t site, uint64_t n,
			const struct model_large_samples *large, uint64_t rate)
{
	struct model_samples *samples = m->samples;
	struct sample_site *row = samples_site(m, site);

	if (!row) {
		samples->lost = sum_u63(samples->lost, n);
		(void)model_set_loss(m, "samples_no_room",
				     "samples of the runtime that found no room", samples->lost);
		return;
	}
	model_set_profile_rate(m, rate);
	row->sampled[SAMPLE_NOW] = sum_u63(row->sampled[SAMPLE_NOW], n);
	if (large)
		large_add(&row->large[SAMPLE_NOW], large);
	samples->marks[SAMPLE_NOW].sampled = sum_u63(samples->marks[SAMPLE_NOW].sampled, n);
}

static bool is_large(const struct model *m, uint32_t site)
{
	return m->sites.rows[site]->key.size_class == MODEL_CLASS_LARGE;
}

void model_add_sampled(struct model *m, uint32_t site, uint64_t n, uint64_t rate)
{
	assert(m->samples->on && site < m->sites.nr && !is_large(m, site));
	add_sampled(m, site, n, NULL, rate);
}

void model_add_sampled_large(struct model *m, uint32_t site, uint64_t n,
			     const struct model_large_samples *large, uint64_t rate)
{
	assert(m->samples->on && site < m->sites.nr && is_large(m, site));
	add_sampled(m, site, n, large, rate);
}

/* --- windows ------------------------------------------------------------------------------------ */

#define CMP(member)                                     \
	do {                                            \
		int d_ = cmp_u64(x->member, y->member); \
		if (d_)                                 \
			return d_;                      \
	} while (0)

static int refill_cmp(const void *a, const void *b)
{
	const struct estimate_refill *x = a, *y = b;

	CMP(root);
	return cmp_u64(x->size_class, y->size_class);
}

static int gaps_cmp(const void *a, const void *b)
{
	const struct estimate_gaps *x = a, *y = b;

	return cmp_u64(x->root, y->root);
}

static int hit_cmp(const void *a, const void *b)
{
	const struct estimate_hit *x = a, *y = b;

	CMP(site);
	CMP(root);
	return cmp_u64(x->size_class, y->size_class);
}

static int map_op_cmp(const void *a, const void *b)
{
	const struct model_unit_map_op *x = a, *y = b;

	CMP(map_site);
	CMP(root);
	return cmp_u64(x->operation, y->operation);
}

/* Sort, then make one of those that are of the same; nr is how many are left. */
#define sort_and_merge(v, nr, cmp, add)                                   \
	do {                                                              \
		size_t kept_ = 0;                                         \
		if (nr)                                                   \
			qsort(v, nr, sizeof((v)[0]), cmp);                \
		for (size_t i_ = 0; i_ < (nr); i_++) {                    \
			if (kept_ && cmp(&(v)[kept_ - 1], &(v)[i_]) == 0) \
				add(&(v)[kept_ - 1], &(v)[i_]);           \
			else                                              \
				(v)[kept_++] = (v)[i_];                   \
		}                                                         \
		(nr) = kept_;                                             \
	} while (0)

static void refill_add(struct estimate_refill *to, const struct estimate_refill *n)
{
	to->objects = sum_u63(to->objects, n->objects);
}

static void gaps_add(struct estimate_gaps *to, const struct estimate_gaps *n)
{
	to->nr = (uint32_t)min_u64((uint64_t)to->nr + n->nr, UINT32_MAX);
	to->sum_s += n->sum_s;
}

static void hit_add(struct estimate_hit *to, const struct estimate_hit *n)
{
	to->objects = sum_u63(to->objects, n->objects);
	to->bytes = sum_u63(to->bytes, n->bytes);
	to->rate += n->rate;
}

static void map_op_add(struct model_unit_map_op *to, const struct model_unit_map_op *n)
{
	to->calls = sum_u63(to->calls, n->calls);
	to->alone = sum_u63(to->alone, n->alone);
	to->most_milli = sum_u63(to->most_milli, n->most_milli);
	to->rate += n->rate;
}

uint64_t samples_rate_milli(double rate)
{
	return whole(rate * SAMPLES_MILLI);
}

static double whole_rate(double rate)
{
	return (double)samples_rate_milli(rate) / SAMPLES_MILLI;
}

uint64_t samples_most_milli(double most)
{
	double milli = ceil(most * SAMPLES_MILLI);

	if (!(milli > SAMPLES_MILLI))
		return SAMPLES_MILLI;
	return milli < (double)SAMPLES_CLASS_MAX ? (uint64_t)milli : SAMPLES_CLASS_MAX;
}

/* Whole numbers that a recording can hold, and no bound below what was seen. */
static void bound_map_op(struct model_unit_map_op *op)
{
	uint64_t least;

	op->calls = min_u64(op->calls, INT64_MAX);
	op->alone = min_u64(op->alone, op->calls);
	if (__builtin_mul_overflow(op->alone, SAMPLES_MILLI, &least))
		least = INT64_MAX;
	op->most_milli = min_u64(max_u64(op->most_milli, least), INT64_MAX);
	op->rate = whole_rate(op->rate);
}

uint64_t samples_whole_ns(double s)
{
	return whole_f64(s * ns_per_s, GC_TIME_MAX);
}

static double whole_s(double s)
{
	return (double)samples_whole_ns(s) / ns_per_s;
}

static void check_unit(const struct model *m, const struct model_unit *unit)
{
	const struct estimate_unit *a = &unit->alloc;

	for (size_t i = 0; i < a->refills_nr; i++)
		assert(a->refills[i].root < m->funcs.nr &&
		       a->refills[i].size_class < ESTIMATE_CLASS_NR);
	for (size_t i = 0; i < a->gaps_nr; i++)
		assert(a->gaps[i].root < m->funcs.nr);
	for (size_t i = 0; i < a->hits_nr; i++)
		assert(a->hits[i].root < m->funcs.nr && a->hits[i].site < m->sites.nr &&
		       samples_slot(m->sites.rows[a->hits[i].site]->key.size_class,
				    a->hits[i].size_class) >= 0);
	for (size_t i = 0; i < unit->map_ops_nr; i++)
		assert(unit->map_ops[i].root < m->funcs.nr &&
		       unit->map_ops[i].map_site < m->maps->sites.nr &&
		       unit->map_ops[i].operation < MODEL_MAP_OPERATIONS);
}

/* An array's copy, at *end, which moves behind it. */
static void *put_copy(char **end, const void *v, size_t sz)
{
	void *copy = *end;

	if (sz)
		memcpy(copy, v, sz);
	*end += sz;
	return copy;
}

static void copy_times(struct sample_unit *to, const struct model_unit *unit)
{
	const struct estimate_unit *a = &unit->alloc;

	to->start_ns = min_u64(unit->start_ns, GC_TIME_MAX);
	to->slot_ns = samples_whole_ns(a->slot_s);
	to->refill_ns = samples_whole_ns(a->refill_s);
	to->kept_ns = samples_whole_ns(a->kept_s);
	to->hits = min_u64(unit->hits, INT64_MAX);
	to->alloc.slot_s = whole_s(a->slot_s);
	to->alloc.refill_s = whole_s(a->refill_s);
	to->alloc.kept_s = whole_s(a->kept_s);
	to->alloc.times = a->times;
	to->alloc.began = (unsigned int)a->began < ESTIMATE_BEGAN_NR ? a->began
								     : ESTIMATE_BEGAN_UNKNOWN;
}

/* The arrays are put at `end`. */
static void copy_arrays(struct sample_unit *to, char *end, const struct model_unit *unit)
{
	const struct estimate_unit *a = &unit->alloc;
	struct estimate_refill *refills = put_copy(&end, a->refills,
						   a->refills_nr * sizeof(refills[0]));
	struct estimate_gaps *gaps = put_copy(&end, a->gaps, a->gaps_nr * sizeof(gaps[0]));
	struct estimate_hit *hits = put_copy(&end, a->hits, a->hits_nr * sizeof(hits[0]));

	to->map_ops = put_copy(&end, unit->map_ops, unit->map_ops_nr * sizeof(to->map_ops[0]));
	to->map_ops_nr = unit->map_ops_nr;
	to->alloc.refills = refills;
	to->alloc.refills_nr = a->refills_nr;
	to->alloc.gaps = gaps;
	to->alloc.gaps_nr = a->gaps_nr;
	to->alloc.hits = hits;
	to->alloc.hits_nr = a->hits_nr;
	sort_and_merge(refills, to->alloc.refills_nr, refill_cmp, refill_add);
	sort_and_merge(gaps, to->alloc.gaps_nr, gaps_cmp, gaps_add);
	sort_and_merge(hits, to->alloc.hits_nr, hit_cmp, hit_add);
	sort_and_merge(to->map_ops, to->map_ops_nr, map_op_cmp, map_op_add);
	for (size_t i = 0; i < to->alloc.refills_nr; i++)
		refills[i].objects = min_u64(refills[i].objects, INT64_MAX);
	for (size_t i = 0; i < to->alloc.gaps_nr; i++)
		gaps[i].sum_s = whole_s(gaps[i].sum_s);
	for (size_t i = 0; i < to->alloc.hits_nr; i++) {
		hits[i].objects = min_u64(hits[i].objects, INT64_MAX);
		hits[i].rate = whole_rate(hits[i].rate);
		hits[i].bytes = hits[i].size_class == MODEL_CLASS_LARGE
					? min_u64(hits[i].bytes, INT64_MAX)
					: 0;
	}
	for (size_t i = 0; i < to->map_ops_nr; i++)
		bound_map_op(&to->map_ops[i]);
}

_Static_assert(sizeof(struct estimate_refill) % 8 == 0 && sizeof(struct estimate_gaps) % 8 == 0 &&
		       sizeof(struct estimate_hit) % 8 == 0 && sizeof(struct sample_unit) % 8 == 0,
	       "arrays lie behind one another");

/* What the estimator makes of a window: of large objects their bytes, too. */
static size_t estimator_rows(const struct model_unit *unit)
{
	size_t nr = unit->alloc.refills_nr + unit->alloc.gaps_nr + unit->alloc.hits_nr +
		    unit->map_ops_nr;

	for (size_t i = 0; i < unit->alloc.hits_nr; i++)
		nr += unit->alloc.hits[i].size_class == MODEL_CLASS_LARGE;
	return nr;
}

int model_add_unit(struct model *m, const struct model_unit *unit)
{
	const struct estimate_unit *a = &unit->alloc;
	struct model_samples *samples = m->samples;
	size_t arrays_sz = a->refills_nr * sizeof(a->refills[0]) + a->gaps_nr * sizeof(a->gaps[0]) +
			   a->hits_nr * sizeof(a->hits[0]) +
			   unit->map_ops_nr * sizeof(unit->map_ops[0]);
	size_t charged = sizeof(struct sample_unit) + arrays_sz +
			 estimator_rows(unit) * SAMPLES_ESTIMATOR_ROW_SZ;

	assert(samples->on);
	check_unit(m, unit);
	int rc = samples->units_nr < SAMPLES_UNITS_MAX ? model_charge(m, charged) : -E2BIG;
	if (!rc)
		rc = grow(&samples->units, samples->units_nr, &samples->units_cap,
			  sizeof(samples->units[0]));
	struct sample_unit *row = rc ? NULL : calloc(1, sizeof(*row) + arrays_sz);
	if (!row)
		return rc ? rc : -ENOMEM;
	copy_times(row, unit);
	copy_arrays(row, (char *)(row + 1), unit);
	row->charged = charged + MODEL_ROW_OVERHEAD;
	samples->units[samples->units_nr++] = row;
	samples->units_seq++;
	for (size_t i = 0; i < row->alloc.hits_nr; i++)
		samples->kept_hits = sum_u63(samples->kept_hits, row->alloc.hits[i].objects);
	samples->has_map_ops |= row->map_ops_nr > 0;
	return 0;
}

/* --- folding ------------------------------------------------------------------------------------ */

static void set_when(struct model *m, enum sample_when to, enum sample_when from)
{
	m->samples->marks[to] = m->samples->marks[from];
	for (size_t i = 0; i < m->sites.nr; i++) {
		struct sample_site *site = m->sites.rows[i]->samples;
		if (!site)
			continue;
		site->sampled[to] = site->sampled[from];
		if (is_large(m, (uint32_t)i))
			site->large[to] = site->large[from];
	}
}

static void drop_units(struct model *m, size_t nr)
{
	struct model_samples *samples = m->samples;

	for (size_t i = 0; i < nr; i++) {
		m->memory -= samples->units[i]->charged;
		free(samples->units[i]);
	}
	samples->units_nr -= nr;
	samples->base_units -= min_u64(nr, samples->base_units);
	samples->middle_units -= min_u64(nr, samples->middle_units);
	if (nr)
		memmove(samples->units, samples->units + nr,
			samples->units_nr * sizeof(samples->units[0]));
}

/* All sites of the result get room, so that nothing is folded by half. */
static int fold_rooms(struct model *m, const struct estimate_result *result)
{
	for (size_t i = 0; i < result->parts_nr; i++)
		if (result->parts[i].site < m->sites.nr && !samples_site(m, result->parts[i].site))
			return -ENOMEM;
	return 0;
}

static void fold_result(struct model *m, const struct estimate_result *result)
{
	for (size_t i = 0; i < result->parts_nr; i++) {
		const struct estimate_part *part = &result->parts[i];
		int slot = sample_part_slot(m, part);

		if (slot >= 0)
			sample_sum_add(&m->sites.rows[part->site]->samples->folded[slot], part, 1);
	}
}

static int fold_span(struct model *m, const struct sample_stretch *stretch)
{
	struct sample_span s;
	int rc = sample_span_init(&s, m, stretch);

	if (!rc)
		rc = fold_rooms(m, &s.result);
	if (!rc)
		rc = sample_maps_fold(m, stretch, &s);
	if (!rc)
		fold_result(m, &s.result);
	if (!rc)
		sample_evidence_add(&m->samples->folded, &s, m->samples, stretch);
	sample_span_deinit(&s);
	return rc;
}

/*
 * Windows that looked at maps only leave the runtime's samples as they are: those gain nothing by being cut. Without
 * memory all stays as it is, and is tried again.
 */
static void fold(struct model *m, const struct sample_stretch *stretch, bool whole)
{
	whole |= samples_has_alloc(m->samples, stretch);
	if (whole ? fold_span(m, stretch) : sample_maps_fold(m, stretch, NULL))
		return;
	drop_units(m, stretch->end_unit);
	if (whole)
		set_when(m, SAMPLE_FOLDED, stretch->to);
}

/* Of another rate than before: what was before the interval is over. */
static void fold_at_new_rate(struct model *m)
{
	struct sample_stretch stretches[2];

	if (samples_stretches(m, stretches) == 2) {
		fold(m, &stretches[0], true);
		set_when(m, SAMPLE_MIDDLE, SAMPLE_FOLDED);
		set_when(m, SAMPLE_RECENT, SAMPLE_FOLDED);
		set_when(m, SAMPLE_RECENT_NEXT, SAMPLE_FOLDED);
		m->samples->middle_units = 0;
	}
	m->samples->stratum_rate = m->samples->rate;
}

/* Is what came since the first of the kept strata one more? Of those that saw something only the longest count. */
static bool is_stratum(const struct model_samples *samples)
{
	struct estimate_longest longest = { 0 };

	for (size_t i = samples->middle_units; i < samples->units_nr; i++) {
		const struct sample_unit *unit = samples->units[i];
		estimate_longest_add(&longest, &unit->alloc,
				     unit->alloc.hits_nr || unit->map_ops_nr);
	}
	return longest.nr >= SAMPLES_STRATUM_UNITS ||
	       samples->units_nr - samples->middle_units >= SAMPLES_STRATUM_UNITS_MAX;
}

/* The first of the kept strata is folded when the second is whole, and the second becomes the first. */
static void fold_old(struct model *m)
{
	struct model_samples *samples = m->samples;

	if (!is_stratum(samples))
		return;
	if (samples->middle_units) {
		const struct sample_stretch first = { SAMPLE_FOLDED, SAMPLE_MIDDLE, 0,
						      samples->middle_units, samples->rate };
		fold(m, &first, false);
	}
	set_when(m, SAMPLE_MIDDLE, SAMPLE_BASE);
	samples->middle_units = samples->units_nr;
}

void samples_next_interval(struct model *m, uint64_t mono_ns)
{
	struct model_samples *samples = m->samples;

	if (!samples->on)
		return;
	fold_at_new_rate(m);
	samples->marks[SAMPLE_NOW].mono_ns = mono_ns;
	set_when(m, SAMPLE_BASE, SAMPLE_NOW);
	samples->base_units = samples->units_nr;
	samples->cost_base = samples->cost;
	fold_old(m);
	if (samples_growth(samples->marks[SAMPLE_RECENT_NEXT].mono_ns, mono_ns) < recent_ns)
		return;
	set_when(m, SAMPLE_RECENT, SAMPLE_RECENT_NEXT);
	set_when(m, SAMPLE_RECENT_NEXT, SAMPLE_BASE);
}

uint64_t samples_ppm(double share)
{
	return whole_f64(share * SAMPLES_PPM, INT32_MAX);
}

uint64_t samples_events(const struct model_samples *samples)
{
	return sum_u63(samples->units_seq, samples->marks[SAMPLE_NOW].sampled);
}

void samples_deinit(struct model_samples *samples)
{
	for (size_t i = 0; i < samples->units_nr; i++)
		free(samples->units[i]);
	free(samples->units);
}
