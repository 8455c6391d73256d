/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a model to a snapshot: pick the sites that count something, merge those that look the same,
 * add up what sites have in common, sort.
 *
 * The sum of all sites is made equal to the total here, once: what no site could take is a site of
 * its own. Sorting is complete (ties are broken by names), so live and recorded output are byte
 * for byte the same.
 */
#include "model/snapshot.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/u64.h"
#include "gobin/layout.h"
#include "model/gc_view.h"
#include "model/heap_view.h"
#include "model/map_view.h"
#include "model/op_view.h"
#include "model/sample_view.h"
#include "model/shown.h"

/* A snapshot and the memory that its pointers point into. */
struct snapshot_mem {
	struct snapshot s; /* first: this is what is handed out and given back */
	struct shown *shown; /* maybe one of other snapshots, too */
	struct snapshot_loss *losses;
	struct loss_row *loss_texts;
};

/* A site on its way into the snapshot. */
struct pick {
	struct snapshot_count count;
	uint64_t goid;
	uint32_t stack; /* the model's, then the shown one */
	uint32_t type, size_class;
	uint32_t site; /* the model's; its sites_nr: what is lost */
};

struct picks {
	struct pick *v;
	size_t nr;
	struct shown_use use;
	struct op_picks ops;
	struct sample_view samples;
};

static void picks_deinit(struct picks *p)
{
	free(p->v);
	free(p->use.stacks);
	op_picks_deinit(&p->ops);
	sample_view_deinit(&p->samples);
}

static void count_add(struct snapshot_count *to, struct snapshot_count n)
{
	to->objects += n.objects;
	to->bytes += n.bytes;
}

static bool count_is_zero(struct snapshot_count n)
{
	return n.objects == 0 && n.bytes == 0;
}

static int pick_sites(struct picks *p, const struct model *m, bool interval)
{
	p->v = calloc(m->sites.nr + 1, sizeof(p->v[0]));
	p->use.stacks = calloc(m->stacks.nr + 1, sizeof(p->use.stacks[0]));
	if (!p->v || !p->use.stacks)
		return -ENOMEM;

	for (size_t i = 0; i < m->sites.nr; i++) {
		const struct site_row *site = m->sites.rows[i];
		struct model_count n = interval ? site_delta(site) : site->now;
		struct snapshot_count count = { n.objects, n.bytes };
		if (p->samples.sites)
			count_add(&count, p->samples.sites[i].count);
		if (count_is_zero(count))
			continue;
		p->use.stacks[site->key.stack] |= SHOWN_SITE;
		p->v[p->nr++] = (struct pick){
			.count = count,
			.goid = site->key.goid,
			.stack = site->key.stack,
			.type = site->key.type,
			.size_class = site->key.size_class,
			.site = (uint32_t)i,
		};
	}
	return 0;
}

/* How far off a pick may be; of what is in no site nothing is known. */
static void pick_error_add(struct sample_error *to, const struct picks *p, const struct model *m,
			   const struct pick *pick)
{
	static const struct sample_error unknown = { NAN, NAN, NAN, NAN, false };

	if (p->samples.sites)
		sample_error_add(to, pick->site < m->sites.nr ? &p->samples.sites[pick->site].error
							      : &unknown);
}

/* The total, and what of it is in no site, which becomes the last pick. */
static void pick_lost(struct picks *p, const struct model *m, struct snapshot *s, bool interval)
{
	struct model_count total = interval ? total_delta(m) : m->total;
	struct snapshot_count sum = { 0, 0 };

	for (size_t i = 0; i < p->nr; i++)
		count_add(&sum, p->v[i].count);
	if (p->samples.sites) {
		struct model_count counts = samples_total(&p->samples.counts);
		total.objects = max_u64(total.objects, counts.objects);
		total.bytes = max_u64(total.bytes, counts.bytes);
	}
	s->total.objects = max_u64(total.objects, sum.objects);
	s->total.bytes = max_u64(total.bytes, sum.bytes);

	struct snapshot_count lost = { s->total.objects - sum.objects, s->total.bytes - sum.bytes };
	if (!count_is_zero(lost))
		p->v[p->nr++] = (struct pick){
			.count = lost,
			.stack = SHOWN_NONE,
			.type = (uint32_t)m->types.nr,
			.size_class = MODEL_CLASS_NR,
			.site = (uint32_t)m->sites.nr,
		};
	s->samples.unsampled_objects = s->samples.on ? lost.objects : 0;
	s->samples.unsampled_bytes = s->samples.on ? lost.bytes : 0;
}

static int pick_cmp(const void *a, const void *b)
{
	const struct pick *x = a, *y = b;

	int d = cmp_u64(x->stack, y->stack);
	if (!d)
		d = cmp_u64(x->type, y->type);
	return d ? d : cmp_u64(x->goid, y->goid);
}

static int pick_order_cmp(const void *a, const void *b)
{
	const struct pick *x = a, *y = b;
	int d = pick_cmp(x, y);

	return d ? d : cmp_u64(x->site, y->site);
}

/*
 * In the order of pick_cmp(), and the same ones in that of sites, as sums of errors depend on it. Most stacks have one pick:
 * these are put in their places, and only what shares a stack is compared.
 */
static int sort_picks(struct picks *p, size_t stacks_nr)
{
	_cleanup_free_ size_t *ends = calloc(stacks_nr + 1, sizeof(ends[0]));
	struct pick *sorted = calloc(p->nr + 1, sizeof(sorted[0]));

	if (!ends || !sorted) {
		free(sorted);
		return -ENOMEM;
	}
	for (size_t i = 0; i < p->nr; i++)
		ends[p->v[i].stack + 1]++;
	for (size_t i = 1; i < stacks_nr; i++)
		ends[i] += ends[i - 1];
	/* From here on where the next of a stack goes: in the end, where those of the stack end. */
	for (size_t i = 0; i < p->nr; i++)
		sorted[ends[p->v[i].stack]++] = p->v[i];
	for (size_t i = 0, from = 0; i < stacks_nr; from = ends[i++])
		if (ends[i] - from > 1)
			qsort(sorted + from, ends[i] - from, sizeof(sorted[0]), pick_order_cmp);
	free(p->v);
	p->v = sorted;
	return 0;
}

static const char *type_name(const struct snapshot_mem *mem, const struct model *m, uint32_t type)
{
	return type < m->types.nr ? mem->shown->text_of[m->types.rows[type]->name_id]
				  : shown_rest_name(m);
}

/* From the model's stacks to the shown ones, then those that are the same become one. */
static int merge_sites(struct snapshot_mem *mem, const struct model *m, struct picks *p)
{
	struct snapshot *s = &mem->s;
	const struct shown *sh = mem->shown;

	s->sites = calloc(p->nr + 1, sizeof(s->sites[0]));
	if (!s->sites)
		return -ENOMEM;
	for (size_t i = 0; i < p->nr; i++)
		p->v[i].stack = p->v[i].stack == SHOWN_NONE ? (uint32_t)sh->stacks_nr - 1
							    : sh->stack_of[p->v[i].stack];
	if (sort_picks(p, sh->stacks_nr))
		return -ENOMEM;
	for (size_t i = 0, next; i < p->nr; i = next) {
		struct snapshot_site *site = &s->sites[s->sites_nr++];
		struct sample_error error = { 0 };
		*site = (struct snapshot_site){
			.type = type_name(mem, m, p->v[i].type),
			.stack = &sh->stacks[p->v[i].stack],
			.goid = p->v[i].goid,
		};
		for (next = i; next < p->nr && !pick_cmp(&p->v[i], &p->v[next]); next++) {
			count_add(&site->count, p->v[next].count);
			pick_error_add(&error, p, m, &p->v[next]);
		}
		site->ci95 = sample_view_ci95(&p->samples, &error);
	}
	return 0;
}

static int sum_types(struct snapshot_mem *mem, const struct model *m, const struct picks *p)
{
	struct snapshot *s = &mem->s;
	_cleanup_free_ struct sample_error *errors = calloc(m->types.nr + 1, sizeof(errors[0]));

	s->types = calloc(m->types.nr + 1, sizeof(s->types[0]));
	if (!s->types || !errors)
		return -ENOMEM;
	for (size_t i = 0; i < p->nr; i++) {
		count_add(&s->types[p->v[i].type].count, p->v[i].count);
		pick_error_add(&errors[p->v[i].type], p, m, &p->v[i]);
	}
	for (size_t i = 0; i <= m->types.nr; i++) {
		if (count_is_zero(s->types[i].count))
			continue;
		s->types[s->types_nr++] = (struct snapshot_type){
			.count = s->types[i].count,
			.ci95 = sample_view_ci95(&p->samples, &errors[i]),
			.name = type_name(mem, m, (uint32_t)i),
		};
	}
	return 0;
}

static uint32_t slot_size(uint32_t size_class)
{
	if (size_class == MODEL_CLASS_TINY)
		return GO_TINY_SIZE;
	return size_class < GO_NUM_SIZE_CLASSES ? go_class_to_size[size_class] : 0;
}

static void sum_size_picks(struct snapshot *s, const struct picks *p)
{
	for (size_t i = 0; i < p->nr; i++)
		count_add(&s->sizes[p->v[i].size_class].count, p->v[i].count);
}

/* What was sampled or not makes no difference to sizes: they are the runtime's own; lost is what isn't among them. */
static void set_class_sizes(struct snapshot *s, const struct picks *p)
{
	const struct model_class_counts *counts = &p->samples.counts;
	struct model_count all = samples_total(counts);

	for (uint32_t i = 0; i < MODEL_CLASS_NR; i++)
		s->sizes[i].count = (struct snapshot_count){
			counts->objects[i],
			i == MODEL_CLASS_LARGE ? counts->large_bytes
					       : samples_class_bytes(i, counts->objects[i]),
		};
	s->sizes[MODEL_CLASS_NR].count = (struct snapshot_count){
		s->total.objects - all.objects,
		s->total.bytes - all.bytes,
	};
}

static int sum_sizes(struct snapshot *s, const struct picks *p)
{
	s->sizes = calloc(MODEL_CLASS_NR + 1, sizeof(s->sizes[0]));
	if (!s->sizes)
		return -ENOMEM;
	if (p->samples.sites)
		set_class_sizes(s, p);
	else
		sum_size_picks(s, p);
	for (uint32_t i = 0; i <= MODEL_CLASS_NR; i++) {
		if (count_is_zero(s->sizes[i].count))
			continue;
		s->sizes[s->sizes_nr++] = (struct snapshot_size){
			.count = s->sizes[i].count,
			.size_class = i,
			.slot_size = slot_size(i),
		};
	}
	return 0;
}

/* A recursive function is on a stack many times but its callees' bytes are below it once. */
static int sum_funcs(struct snapshot_mem *mem, const struct model *m)
{
	struct snapshot *s = &mem->s;
	const struct shown *sh = mem->shown;
	_cleanup_free_ size_t *seen = calloc(m->funcs.nr + 1, sizeof(seen[0]));
	s->funcs = calloc(m->funcs.nr + 1, sizeof(s->funcs[0]));
	if (!seen || !s->funcs)
		return -ENOMEM;

	for (size_t i = 0; i < s->sites_nr; i++) {
		const struct snapshot_stack *stack = s->sites[i].stack;
		for (size_t k = 0; k < stack->frames_nr; k++) {
			uint32_t func = sh->func_of[stack->frames[k] - sh->frames];
			s->funcs[func].name = stack->frames[k]->func;
			s->funcs[func].file = stack->frames[k]->file;
			if (k == 0)
				count_add(&s->funcs[func].flat, s->sites[i].count);
			if (seen[func] != i + 1)
				count_add(&s->funcs[func].cum, s->sites[i].count);
			seen[func] = i + 1;
		}
	}
	for (size_t i = 0; i <= m->funcs.nr; i++) {
		if (s->funcs[i].name)
			s->funcs[s->funcs_nr++] = s->funcs[i];
	}
	return 0;
}

static int site_cmp(const void *a, const void *b, void *by)
{
	const struct snapshot_site *x = a, *y = b;
	int d = shown_count_cmp(x->count, y->count, *(enum snapshot_value *)by);

	if (!d)
		d = shown_stack_cmp(x->stack, y->stack);
	if (!d)
		d = strcmp(x->type, y->type);
	return d ? d : cmp_u64(x->goid, y->goid);
}

static int type_cmp(const void *a, const void *b, void *by)
{
	const struct snapshot_type *x = a, *y = b;
	int d = shown_count_cmp(x->count, y->count, *(enum snapshot_value *)by);

	return d ? d : strcmp(x->name, y->name);
}

static int size_cmp(const void *a, const void *b, void *by)
{
	const struct snapshot_size *x = a, *y = b;
	int d = shown_count_cmp(x->count, y->count, *(enum snapshot_value *)by);

	return d ? d : cmp_u64(x->size_class, y->size_class);
}

static int func_cmp(const void *a, const void *b, void *by)
{
	const struct snapshot_func *x = a, *y = b;
	int d = shown_count_cmp(x->flat, y->flat, *(enum snapshot_value *)by);

	if (!d)
		d = shown_count_cmp(x->cum, y->cum, *(enum snapshot_value *)by);
	if (!d)
		d = strcmp(x->name, y->name);
	return d ? d : strcmp(x->file, y->file);
}

static void sort_tables(struct snapshot *s, enum snapshot_value by)
{
	qsort_r(s->sites, s->sites_nr, sizeof(s->sites[0]), site_cmp, &by);
	qsort_r(s->types, s->types_nr, sizeof(s->types[0]), type_cmp, &by);
	qsort_r(s->sizes, s->sizes_nr, sizeof(s->sizes[0]), size_cmp, &by);
	qsort_r(s->funcs, s->funcs_nr, sizeof(s->funcs[0]), func_cmp, &by);
}

static int copy_losses(struct snapshot_mem *mem, const struct model *m, bool interval)
{
	struct snapshot *s = &mem->s;

	s->losses = calloc(m->losses_nr + 1, sizeof(s->losses[0]));
	mem->loss_texts = calloc(m->losses_nr + 1, sizeof(mem->loss_texts[0]));
	if (!s->losses || !mem->loss_texts)
		return -ENOMEM;
	for (size_t i = 0; i < m->losses_nr; i++) {
		struct loss_row *row = &mem->loss_texts[i];
		*row = m->losses[i];
		uint64_t n = row->now;
		if (interval)
			n = row->now > row->base ? row->now - row->base : 0;
		s->losses[s->losses_nr++] = (struct snapshot_loss){ row->key, row->what, n };
		s->loss_total += n;
	}
	return 0;
}

static int copy_session(struct snapshot_mem *mem, const struct model *m, bool interval)
{
	struct snapshot *s = &mem->s;

	s->meta = m->meta;
	s->check = m->check;
	s->from_mono_ns = model_from_ns(m, interval);
	s->to_mono_ns = max_u64(m->meta.end_mono_ns, s->from_mono_ns);
	s->marks = calloc(m->marks_nr + 1, sizeof(s->marks[0]));
	if (!s->marks)
		return -ENOMEM;
	if (m->marks_nr)
		memcpy(s->marks, m->marks, m->marks_nr * sizeof(s->marks[0]));
	s->marks_nr = m->marks_nr;
	return copy_losses(mem, m, interval);
}

static int build(struct snapshot_mem *mem, const struct model *m, const struct snapshot_opts *opts)
{
	_cleanup_(picks_deinit) struct picks picks = { 0 };
	int rc = sample_view_init(&picks.samples, &mem->s.samples, m, opts->interval);
	if (!rc)
		rc = pick_sites(&picks, m, opts->interval);
	if (rc)
		return rc;
	pick_lost(&picks, m, &mem->s, opts->interval);
	gc_view_use_stacks(m, opts->interval, picks.use.stacks);
	map_view_use_stacks(m, opts->interval, picks.samples.calls, picks.use.stacks);
	heap_view_use_stacks(m, picks.use.stacks);
	rc = op_view_pick(&picks.ops, m, opts->interval);
	if (rc)
		return rc;
	picks.use.ops = picks.ops.stacks;
	picks.use.ops_nr = picks.ops.nr;

	rc = shown_get(&mem->shown, m, &picks.use, opts);
	if (!rc)
		rc = merge_sites(mem, m, &picks);
	if (!rc)
		rc = sum_types(mem, m, &picks);
	if (!rc)
		rc = sum_sizes(&mem->s, &picks);
	if (!rc)
		rc = sum_funcs(mem, m);
	if (!rc)
		rc = copy_session(mem, m, opts->interval);
	if (!rc)
		rc = gc_view_init(&mem->s.gc, m, mem->shown, opts->interval);
	if (!rc)
		rc = map_view_init(&mem->s.maps, m, mem->shown, &picks.samples, opts);
	if (!rc)
		rc = op_view_init(&mem->s.ops, m, mem->shown, &picks.ops, opts);
	if (!rc)
		rc = heap_view_init(&mem->s.heap, m, mem->shown, opts);
	if (mem->shown && !opts->cache)
		shown_free_maps(mem->shown);
	if (!rc)
		sort_tables(&mem->s, opts->sort);
	return rc;
}

int snapshot_new(const struct model *m, const struct snapshot_opts *opts, struct snapshot **ret)
{
	struct snapshot_mem *mem = calloc(1, sizeof(*mem));
	if (!mem)
		return -ENOMEM;
	int rc = build(mem, m, opts);
	if (rc) {
		snapshot_free(&mem->s);
		return rc;
	}
	*ret = &mem->s;
	return 0;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	struct snapshot_mem *mem = (struct snapshot_mem *)s;
	shown_unref(mem->shown);
	gc_view_deinit(&mem->s.gc);
	map_view_deinit(&mem->s.maps);
	op_view_deinit(&mem->s.ops);
	heap_view_deinit(&mem->s.heap);
	free(mem->loss_texts);
	free(s->sites);
	free(s->types);
	free(s->sizes);
	free(s->funcs);
	free(s->losses);
	free(s->marks);
	free(mem);
}

bool snapshot_check_holds(const struct model_check *c)
{
	uint64_t apart = c->gallop_objects > c->runtime_objects
				 ? c->gallop_objects - c->runtime_objects
				 : c->runtime_objects - c->gallop_objects;

	return !c->known || apart <= c->slack;
}

bool snapshot_gc_check_holds(const struct model_gc_check *c)
{
	if (!c->known)
		return true;
	/* What wasn't looked at is missing; more than there was would be wrong all the same. */
	if (c->off_ns)
		return c->gallop_cycles <= c->runtime_cycles &&
		       (!c->exact || c->gallop_pause_ns <= c->runtime_pause_ns);
	return c->runtime_cycles == c->gallop_cycles &&
	       (!c->exact || c->runtime_pause_ns == c->gallop_pause_ns);
}

bool snapshot_maps_were_off(const struct snapshot *s)
{
	return strstr(s->samples.cost.off, "of maps") != NULL;
}

bool snapshot_is_complete(const struct snapshot *s)
{
	/* Of many processes there always is a check, but for those that it lacks. */
	bool lacks = s->meta.pids_nr && !s->check.known;

	return !s->loss_total && !lacks && snapshot_check_holds(&s->check) &&
	       snapshot_gc_check_holds(&s->gc.check);
}

bool snapshot_same_frame(const struct snapshot_frame *a, const struct snapshot_frame *b)
{
	return a->line == b->line && a->inlined == b->inlined && strcmp(a->func, b->func) == 0 &&
	       strcmp(a->file, b->file) == 0;
}
