/* SPDX-License-Identifier: BSD-2-Clause */
/* The live heap. Every member is always there; what is not known is null. */
#include "render/json.h"

static void put_counts(struct json_writer *w, const struct model_heap_counts *n)
{
	json_number(w, "inuse_objects", n->inuse_objects);
	json_number(w, "inuse_bytes", n->inuse_bytes);
	json_number(w, "alloc_objects", n->alloc_objects);
	json_number(w, "alloc_bytes", n->alloc_bytes);
	json_number(w, "inuse_samples", n->inuse_samples);
	json_number(w, "alloc_samples", n->alloc_samples);
}

/* NULL: it isn't known. */
static void put_ci95(struct json_writer *w, const char *objects, const char *bytes,
		     const struct snapshot_ci95 *ci95)
{
	json_decimal_if(w, objects, ci95 && ci95->objects >= 0, ci95 ? ci95->objects : 0);
	json_decimal_if(w, bytes, ci95 && ci95->bytes >= 0, ci95 ? ci95->bytes : 0);
}

static void put_intervals(struct json_writer *w, const struct snapshot_ci95 *inuse,
			  const struct snapshot_ci95 *grown)
{
	put_ci95(w, "inuse_objects_ci95", "inuse_bytes_ci95", inuse);
	put_ci95(w, "grown_objects_ci95", "grown_bytes_ci95", grown);
}

static void put_growth(struct json_writer *w, bool known, int64_t objects, int64_t bytes)
{
	if (known) {
		json_signed(w, "grown_objects", objects);
		json_signed(w, "grown_bytes", bytes);
	} else {
		json_null(w, "grown_objects");
		json_null(w, "grown_bytes");
	}
}

static void put_look(struct json_writer *w, const struct snapshot_heap *heap)
{
	json_number(w, "rate", heap->last.rate);
	json_number(w, "cycle", heap->last.cycle);
	json_bool(w, "before_gc", heap->last.before_gc);
	json_number(w, "unsettled", heap->last.unsettled);
	json_number(w, "looks", heap->looks);
	json_number(w, "first_mono_ns", heap->first.mono_ns);
	json_number(w, "last_mono_ns", heap->last.mono_ns);
	put_counts(w, &heap->total);
}

static void put_unknown(struct json_writer *w)
{
	static const char *const members[] = {
		"rate",		 "cycle",	  "before_gc",	   "unsettled",	  "looks",
		"first_mono_ns", "last_mono_ns",  "inuse_objects", "inuse_bytes", "alloc_objects",
		"alloc_bytes",	 "inuse_samples", "alloc_samples",
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_null(w, members[i]);
}

void json_put_heap(struct json_writer *w, const struct snapshot *s)
{
	const struct snapshot_heap *heap = &s->heap;
	bool grown = heap->looks > 1;

	if (!heap->asked)
		return;
	json_open(w, "heap", '{');
	json_bool(w, "known", heap->known);
	if (heap->known) {
		json_null(w, "why_not");
		put_look(w, heap);
	} else {
		json_string(w, "why_not", heap->why_not);
		put_unknown(w);
	}
	put_growth(w, heap->known && grown, heap->grown_objects, heap->grown_bytes);
	put_intervals(w, heap->known ? &heap->inuse_ci95 : NULL,
		      heap->known && grown ? &heap->grown_ci95 : NULL);
	json_open(w, "sites", '[');
	for (size_t i = 0; i < heap->sites_nr; i++) {
		const struct snapshot_heap_site *site = &heap->sites[i];
		json_open(w, NULL, '{');
		put_counts(w, &site->counts);
		put_growth(w, grown, site->grown_objects, site->grown_bytes);
		put_intervals(w, &site->inuse_ci95, grown ? &site->grown_ci95 : NULL);
		json_put_stack(w, site->stack);
		json_close(w, '}');
	}
	json_close(w, ']');
	json_close(w, '}');
}
