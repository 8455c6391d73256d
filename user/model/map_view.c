/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the model's sites of maps to those that are shown: what looks the same is one, and is then judged by
 * its sums.
 */
#include "model/map_view.h"

#include <string.h>

#include "base/u64.h"
#include "model/map_judge.h"
#include "model/sample_maps.h"
#include "model/sample_view.h"
#include "model/shown.h"

static struct model_map_counts counts_of(const struct map_site *site, bool interval)
{
	return interval ? map_site_delta(site) : site->now;
}

/* Something happened, or is there. calls: of all sites. */
static bool is_shown(const struct map_site *site, bool interval, const struct sample_calls *calls)
{
	const struct model_map_counts counts = counts_of(site, interval);

	for (int i = 0; calls && i < MODEL_MAP_OPERATIONS; i++)
		if (calls[(size_t)site->id * MODEL_MAP_OPERATIONS + (size_t)i].least > 0)
			return true;
	return !map_counts_is_zero(&counts) || !map_held_is_zero(&site->held);
}

static void use(const struct model_maps *maps, uint32_t site, uint8_t *used)
{
	if (site != MODEL_NO_SITE)
		used[maps->sites.rows[site]->key.stack] |= SHOWN_MAP;
}

void map_view_use_stacks(const struct model *m, bool interval, const struct sample_calls *calls,
			 uint8_t *used)
{
	const struct model_maps *maps = m->maps;

	for (uint32_t i = 0; i < maps->sites.nr; i++)
		if (is_shown(maps->sites.rows[i], interval, calls))
			use(maps, i, used);
	for (size_t i = 0; i < maps->list_nr; i++) {
		use(maps, maps->list[i].made_site, used);
		use(maps, maps->list[i].emptied_site, used);
		use(maps, maps->list[i].deleted_site, used);
	}
}

/* A site on its way into the snapshot. */
struct pick {
	uint32_t stack; /* the shown one */
	uint32_t site;
};

static int pick_cmp(const void *a, const void *b, void *arg)
{
	const struct model_maps *maps = arg;
	const struct pick *x = a, *y = b;
	int d = cmp_u64(x->stack, y->stack);

	return d ? d
		 : cmp_u64(maps->sites.rows[x->site]->key.type,
			   maps->sites.rows[y->site]->key.type);
}

static const struct func_row *func_at(const struct model *m, uint32_t stack, uint32_t i)
{
	return m->funcs.rows[m->frames.rows[m->stacks.rows[stack]->words[1 + i]]->key.func];
}

/* The first frame that isn't the runtime's is a sync.Map's own. */
static bool is_inside_sync(const struct model *m, uint32_t stack)
{
	for (uint32_t i = 0; i < m->stacks.rows[stack]->frames_nr; i++) {
		const struct func_row *func = func_at(m, stack, i);
		if (!func->is_runtime)
			return func->is_sync_map;
	}
	return false;
}

static bool is_inside_range(const struct model *m, uint32_t stack)
{
	for (uint32_t i = 0; i < m->stacks.rows[stack]->frames_nr; i++) {
		const struct func_row *func = func_at(m, stack, i);
		if (func->is_sync_map && goname_is_sync_range(func->key.name))
			return true;
	}
	return false;
}

static void add_evidence(struct map_evidence *e, const struct model *m, const struct map_site *row,
			 bool interval)
{
	const struct model_map_counts counts = counts_of(row, interval);
	const char *type = m->types.rows[row->key.type]->name;

	map_counts_add(&e->counts, &counts);
	map_held_add(&e->held, &row->held);
	if (strcmp(type, "sync.Map") != 0)
		e->inside_sync |= is_inside_sync(m, row->key.stack);
	else if (is_inside_range(m, row->key.stack))
		e->range_deletes = sum_u63(e->range_deletes, counts.deletes);
}

static struct snapshot_map_held held_sum(struct snapshot_map_held a, struct snapshot_map_held b)
{
	return (struct snapshot_map_held){ sum_u63(a.maps, b.maps), sum_u63(a.bytes, b.bytes) };
}

static void view_site(struct snapshot_map_site *site, const struct map_evidence *e)
{
	const struct map_held *held = &e->held;

	site->counts = e->counts;
	site->made = held->made;
	site->emptied = held->emptied;
	site->thinned = held->thinned;
	site->idle = held_sum(held->idle_emptied.held, held->idle_thinned.held);
	site->idle_needed_bytes = sum_u63(held->idle_emptied.needed_bytes,
					  held->idle_thinned.needed_bytes);
	site->retained_bytes = sum_u63(held->emptied.bytes, held->thinned.bytes);
	site->pattern = map_pattern_of(e);
}

static size_t pick_sites(struct pick *picks, const struct model_maps *maps, const struct shown *sh,
			 const struct sample_calls *calls, bool interval)
{
	size_t nr = 0;

	for (uint32_t i = 0; i < maps->sites.nr; i++) {
		const struct map_site *row = maps->sites.rows[i];
		if (is_shown(row, interval, calls))
			picks[nr++] = (struct pick){ sh->map_stack_of[row->key.stack], i };
	}
	return nr;
}

/*
 * A size hint is no help where maps of that type hold much more than they need: one piece of advice is enough.
 * types has the model's type of each site.
 */
static int drop_hints(struct snapshot_maps *view, const struct model *m, const uint32_t *types)
{
	_cleanup_free_ bool *held = calloc(m->types.nr + 1, sizeof(held[0]));
	if (!held)
		return -ENOMEM;

	for (size_t i = 0; i < view->sites_nr; i++)
		held[types[i]] |= view->sites[i].pattern == MAP_PATTERN_CLEAR_RETAIN ||
				  view->sites[i].pattern == MAP_PATTERN_THINNED;
	for (size_t i = 0; i < view->sites_nr; i++)
		if (view->sites[i].pattern == MAP_PATTERN_NO_HINT && held[types[i]])
			view->sites[i].pattern = MAP_PATTERN_NONE;
	return 0;
}

/* What windows tell of the sites of the models that are shown as this one. */
static void view_estimates(struct snapshot_map_site *site, const struct sample_view *samples,
			   const struct pick *picks, size_t nr)
{
	struct sample_calls sums[MODEL_MAP_OPERATIONS] = { 0 };

	if (!samples->calls)
		return;
	for (size_t i = 0; i < nr; i++) {
		for (int k = 0; k < MODEL_MAP_OPERATIONS; k++) {
			const struct sample_calls *n =
				&samples->calls[(size_t)picks[i].site * MODEL_MAP_OPERATIONS +
						(size_t)k];
			sample_calls_add(&sums[k], n);
		}
	}
	site->assigns = sample_view_calls(samples, &sums[MODEL_MAP_ASSIGN]);
	site->deletes = sample_view_calls(samples, &sums[MODEL_MAP_DELETE]);
}

static int view_sites(struct snapshot_maps *view, const struct model *m, const struct shown *sh,
		      const struct sample_view *samples, bool interval)
{
	const struct model_maps *maps = m->maps;
	_cleanup_free_ struct pick *picks = calloc(maps->sites.nr + 1, sizeof(picks[0]));
	_cleanup_free_ uint32_t *types = calloc(maps->sites.nr + 1, sizeof(types[0]));
	view->sites = calloc(maps->sites.nr + 1, sizeof(view->sites[0]));
	if (!picks || !types || !view->sites)
		return -ENOMEM;

	size_t nr = pick_sites(picks, maps, sh, samples->calls, interval);
	qsort_r(picks, nr, sizeof(picks[0]), pick_cmp, (void *)maps);
	for (size_t i = 0, next; i < nr; i = next) {
		const struct map_site *row = maps->sites.rows[picks[i].site];
		struct map_evidence e = { .held_known = maps->held_known,
					  .whole = !interval && model_from_ns(m, false) <=
									m->meta.start_mono_ns };
		for (next = i; next < nr && !pick_cmp(&picks[i], &picks[next], (void *)maps);
		     next++)
			add_evidence(&e, m, maps->sites.rows[picks[next].site], interval);
		types[view->sites_nr] = row->key.type;
		struct snapshot_map_site *site = &view->sites[view->sites_nr++];
		site->type = sh->text_of[m->types.rows[row->key.type]->name_id];
		site->stack = &sh->stacks[picks[i].stack];
		site->shape = row->shape;
		view_site(site, &e);
		view_estimates(site, samples, &picks[i], next - i);
		map_counts_add(&view->total, &e.counts);
	}
	return drop_hints(view, m, types);
}

static const struct snapshot_stack *stack_of(const struct model *m, const struct shown *sh,
					     uint32_t site)
{
	if (site == MODEL_NO_SITE)
		return NULL;
	return &sh->stacks[sh->map_stack_of[m->maps->sites.rows[site]->key.stack]];
}

static int list_cmp(const void *a, const void *b)
{
	const struct snapshot_map *x = a, *y = b;

	return map_size_cmp(&x->raw, &y->raw);
}

static int view_list(struct snapshot_maps *view, const struct model *m, const struct shown *sh)
{
	const struct model_maps *maps = m->maps;

	view->list = calloc(maps->list_nr + 1, sizeof(view->list[0]));
	if (!view->list)
		return -ENOMEM;
	for (size_t i = 0; i < maps->list_nr; i++) {
		const struct model_map *raw = &maps->list[i];
		view->list[view->list_nr++] = (struct snapshot_map){
			.raw = *raw,
			.type = sh->text_of[m->types.rows[raw->type]->name_id],
			.made = stack_of(m, sh, raw->made_site),
			.emptied = stack_of(m, sh, raw->emptied_site),
			.deleted = stack_of(m, sh, raw->deleted_site),
		};
	}
	qsort(view->list, view->list_nr, sizeof(view->list[0]), list_cmp);
	return 0;
}

/* What to change, then what is well as it is, then what there is nothing to say of. */
static uint64_t rank(const struct snapshot_map_site *site)
{
	if (site->pattern == MAP_PATTERN_NONE)
		return 2;
	return site->pattern == MAP_PATTERN_CLEAR_REFILL;
}

uint64_t snapshot_map_value(const struct snapshot_map_site *site, enum snapshot_value value)
{
	switch (value) {
	case SNAPSHOT_ASSIGNS:
		return sum_u63(site->counts.assigns, site->assigns.calls);
	case SNAPSHOT_DELETES:
		return sum_u63(site->counts.deletes, site->deletes.calls);
	case SNAPSHOT_CLEARS:
		return site->counts.clears;
	case SNAPSHOT_RETAINED:
		return site->retained_bytes;
	case SNAPSHOT_GROWTHS:
		return site->counts.growths;
	default:
		return 0;
	}
}

static int site_cmp(const void *a, const void *b, void *by)
{
	const struct snapshot_map_site *x = a, *y = b;
	enum snapshot_value value = *(enum snapshot_value *)by;
	int d = cmp_u64(snapshot_map_value(y, value), snapshot_map_value(x, value));

	if (!d)
		d = cmp_u64(rank(x), rank(y));
	if (!d)
		d = cmp_u64(map_pattern_bytes(y->pattern, y), map_pattern_bytes(x->pattern, x));
	if (!d)
		d = cmp_u64(y->retained_bytes, x->retained_bytes);
	if (!d)
		d = cmp_u64(map_counts_operations(&y->counts), map_counts_operations(&x->counts));
	if (!d)
		d = shown_stack_cmp(x->stack, y->stack);
	return d ? d : strcmp(x->type, y->type);
}

int map_view_init(struct snapshot_maps *view, const struct model *m, const struct shown *sh,
		  const struct sample_view *samples, const struct snapshot_opts *opts)
{
	const struct model_maps *maps = m->maps;
	enum snapshot_value by = opts->sort;

	*view = (struct snapshot_maps){
		.known = maps->known,
		.every_operation = maps->every_operation,
		.operations_sampled = m->samples->has_map_ops,
		.held_known = maps->held_known,
		.held_mono_ns = maps->held_mono_ns,
		.held = maps->held,
	};
	int rc = view_sites(view, m, sh, samples, opts->interval);
	if (!rc)
		rc = view_list(view, m, sh);
	if (!rc)
		qsort_r(view->sites, view->sites_nr, sizeof(view->sites[0]), site_cmp, &by);
	return rc;
}

void map_view_deinit(struct snapshot_maps *view)
{
	free(view->sites);
	free(view->list);
}
