/* SPDX-License-Identifier: BSD-2-Clause */
#include "render/html_data.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/u64.h"
#include "render/json.h"

/* As in tables.h: a row that finds no memory is left out of the hash. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct string_row {
	UT_hash_handle hh;
	uint32_t id;
	char s[];
};

struct site_row {
	UT_hash_handle hh;
	struct html_site key;
	uint32_t id;
};

/* A snapshot has a stack once, and several values of it. */
struct stack_row {
	UT_hash_handle hh;
	const struct snapshot_stack *stack;
	uint32_t node;
};

struct html_index {
	struct string_row *strings;
	struct site_row *sites;
	struct stack_row *stacks;
	size_t strings_cap, sites_cap;
};

int html_data_init(struct html_data *d)
{
	*d = (struct html_data){ .index = calloc(1, sizeof(*d->index)) };
	return d->index ? calltree_init(&d->tree) : -ENOMEM;
}

void html_forget_stacks(struct html_data *d)
{
	struct stack_row *row, *next;

	HASH_ITER (hh, d->index->stacks, row, next) {
		HASH_DEL(d->index->stacks, row);
		free(row);
	}
}

void html_data_deinit(struct html_data *d)
{
	struct string_row *string, *next_string;
	struct site_row *site, *next_site;

	if (d->index) {
		HASH_ITER (hh, d->index->strings, string, next_string) {
			HASH_DEL(d->index->strings, string);
			free(string);
		}
		HASH_ITER (hh, d->index->sites, site, next_site) {
			HASH_DEL(d->index->sites, site);
			free(site);
		}
		html_forget_stacks(d);
		calltree_deinit(&d->tree);
	}
	free(d->index);
	free(d->sites);
	free(d->strings);
	*d = (struct html_data){ 0 };
}

int html_string(struct html_data *d, const char *s, uint32_t *ret)
{
	size_t len = strlen(s);
	struct string_row *row;

	HASH_FIND(hh, d->index->strings, s, len, row);
	if (row) {
		*ret = row->id;
		return 0;
	}
	if (grow(&d->strings, d->strings_nr, &d->index->strings_cap, sizeof(d->strings[0])))
		return -ENOMEM;
	row = calloc(1, sizeof(*row) + len + 1);
	if (!row)
		return -ENOMEM;
	memcpy(row->s, s, len + 1);
	row->id = (uint32_t)d->strings_nr;
	HASH_ADD_KEYPTR(hh, d->index->strings, row->s, len, row);
	if (!row->hh.tbl) {
		free(row);
		return -ENOMEM;
	}
	d->strings[d->strings_nr++] = row->s;
	*ret = row->id;
	return 0;
}

static int add_site(struct html_data *d, struct html_site key, uint32_t *ret)
{
	struct site_row *row;

	HASH_FIND(hh, d->index->sites, &key, sizeof(key), row);
	if (row) {
		*ret = row->id;
		return 0;
	}
	if (grow(&d->sites, d->sites_nr, &d->index->sites_cap, sizeof(d->sites[0])))
		return -ENOMEM;
	row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->key = key;
	row->id = (uint32_t)d->sites_nr;
	HASH_ADD(hh, d->index->sites, key, sizeof(row->key), row);
	if (!row->hh.tbl) {
		free(row);
		return -ENOMEM;
	}
	d->sites[d->sites_nr++] = key;
	*ret = row->id;
	return 0;
}

/* --- values ----------------------------------------------------------------------------------- */

bool html_value_known(const struct snapshot *s, enum snapshot_value value)
{
	switch (value) {
	case SNAPSHOT_ASSIGNS:
	case SNAPSHOT_DELETES:
		return s->maps.known && (s->maps.every_operation || s->maps.operations_sampled);
	case SNAPSHOT_CLEARS:
	case SNAPSHOT_GROWTHS:
		return s->maps.known;
	case SNAPSHOT_RETAINED:
		return s->maps.known && s->maps.held_known;
	case SNAPSHOT_INUSE_BYTES:
	case SNAPSHOT_INUSE_OBJECTS:
	case SNAPSHOT_ALLOC_BYTES:
	case SNAPSHOT_ALLOC_OBJECTS:
		return s->heap.known;
	default:
		return true;
	}
}

static int64_t ci95_of(double ci95)
{
	if (!isfinite(ci95) || ci95 < 0 || ci95 > (double)(1LL << 53))
		return HTML_CI_UNKNOWN;
	return llround(ci95);
}

/* What goes into one call of html_cells(). */
struct collector {
	struct html_data *d;
	struct html_cells *cells;
};

/* The node at which a stack ends. */
static int find_stack(struct html_data *d, const struct snapshot_stack *stack, uint32_t *ret)
{
	struct stack_row *row;

	HASH_FIND_PTR(d->index->stacks, &stack, row);
	if (row) {
		*ret = row->node;
		return 0;
	}
	row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->stack = stack;
	int rc = calltree_add(&d->tree, stack, CALLTREE_CALLEES, &row->node);
	*ret = row->node;
	if (!rc)
		HASH_ADD_PTR(d->index->stacks, stack, row);
	if (rc || !row->hh.tbl) {
		free(row);
		return -ENOMEM;
	}
	return 0;
}

static int put(const struct collector *c, const struct snapshot_stack *stack, const char *type,
	       uint64_t value, int64_t ci95)
{
	struct html_cells *cells = c->cells;
	struct html_site site = { .type = HTML_NO_TYPE };
	struct html_cell cell = { .value = value, .ci95 = ci95 };

	if (!value)
		return 0;
	int rc = find_stack(c->d, stack, &site.node);
	if (!rc && type)
		rc = html_string(c->d, type, &site.type);
	if (!rc)
		rc = add_site(c->d, site, &cell.site);
	if (!rc)
		rc = grow(&cells->v, cells->nr, &cells->cap, sizeof(cells->v[0]));
	if (!rc)
		cells->v[cells->nr++] = cell;
	return rc;
}

static int put_allocations(const struct collector *c, const struct snapshot *s, bool objects)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < s->sites_nr; i++) {
		const struct snapshot_site *site = &s->sites[i];
		struct snapshot_ci95 ci95 = json_ci95_of(s, site->ci95);

		rc = put(c, site->stack, site->type,
			 objects ? site->count.objects : site->count.bytes,
			 ci95_of(objects ? ci95.objects : ci95.bytes));
	}
	return rc;
}

static int put_callers(const struct collector *c, const struct snapshot_caller *callers, size_t nr)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < nr; i++)
		rc = put(c, callers[i].stack, NULL, callers[i].ns, 0);
	return rc;
}

static int64_t map_ci95(const struct snapshot_map_site *site, enum snapshot_value value)
{
	const struct snapshot_map_estimate *estimate = value == SNAPSHOT_ASSIGNS ? &site->assigns
										 : &site->deletes;

	if (value != SNAPSHOT_ASSIGNS && value != SNAPSHOT_DELETES)
		return 0;
	return estimate->at_least ? HTML_CI_AT_LEAST : ci95_of(estimate->ci95);
}

static int put_maps(const struct collector *c, const struct snapshot *s, enum snapshot_value value)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < s->maps.sites_nr; i++) {
		const struct snapshot_map_site *site = &s->maps.sites[i];

		rc = put(c, site->stack, site->type, snapshot_map_value(site, value),
			 map_ci95(site, value));
	}
	return rc;
}

static int put_heap(const struct collector *c, const struct snapshot *s, enum snapshot_value value)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < s->heap.sites_nr; i++) {
		const struct snapshot_heap_site *site = &s->heap.sites[i];
		int64_t ci95 = HTML_CI_UNKNOWN;

		if (value == SNAPSHOT_INUSE_BYTES)
			ci95 = ci95_of(site->inuse_ci95.bytes);
		else if (value == SNAPSHOT_INUSE_OBJECTS)
			ci95 = ci95_of(site->inuse_ci95.objects);
		rc = put(c, site->stack, NULL, snapshot_heap_value(site, value), ci95);
	}
	return rc;
}

static int cell_cmp(const void *a, const void *b)
{
	return cmp_u64(((const struct html_cell *)a)->site, ((const struct html_cell *)b)->site);
}

/* Sites that differ in what isn't shown, such as their goroutine, are one; how sure their sum is isn't known. */
static void merge(struct html_cells *cells)
{
	size_t merged = 0;

	if (cells->nr)
		qsort(cells->v, cells->nr, sizeof(cells->v[0]), cell_cmp);
	for (size_t i = 0; i < cells->nr; i++) {
		struct html_cell *last = merged ? &cells->v[merged - 1] : NULL;

		if (!last || last->site != cells->v[i].site) {
			cells->v[merged++] = cells->v[i];
			continue;
		}
		last->value = sum_u63(last->value, cells->v[i].value);
		if (last->ci95 || cells->v[i].ci95)
			last->ci95 = HTML_CI_UNKNOWN;
	}
	cells->nr = merged;
}

int html_cells(struct html_data *d, const struct snapshot *s, enum snapshot_value value,
	       struct html_cells *cells)
{
	const struct collector c = { d, cells };
	int rc;

	cells->nr = 0;
	if (!html_value_known(s, value))
		return 0;
	switch (value) {
	case SNAPSHOT_BYTES:
	case SNAPSHOT_OBJECTS:
		rc = put_allocations(&c, s, value == SNAPSHOT_OBJECTS);
		break;
	case SNAPSHOT_ASSIST:
		rc = put_callers(&c, s->gc.assists, s->gc.assists_nr);
		break;
	case SNAPSHOT_STW:
		rc = put_callers(&c, s->gc.stoppers, s->gc.stoppers_nr);
		break;
	case SNAPSHOT_INUSE_BYTES:
	case SNAPSHOT_INUSE_OBJECTS:
	case SNAPSHOT_ALLOC_BYTES:
	case SNAPSHOT_ALLOC_OBJECTS:
		rc = put_heap(&c, s, value);
		break;
	default:
		rc = put_maps(&c, s, value);
		break;
	}
	merge(cells);
	return rc;
}
