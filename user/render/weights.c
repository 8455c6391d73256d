/* SPDX-License-Identifier: BSD-2-Clause */
#include "render/weights.h"

#include "model/calltree.h"

enum weights_of weights_of(enum snapshot_value value)
{
	switch (value) {
	case SNAPSHOT_BYTES:
	case SNAPSHOT_OBJECTS:
		return OF_ALLOCATIONS;
	case SNAPSHOT_ASSIST:
	case SNAPSHOT_STW:
		return OF_GC;
	case SNAPSHOT_INUSE_BYTES:
	case SNAPSHOT_INUSE_OBJECTS:
	case SNAPSHOT_ALLOC_BYTES:
	case SNAPSHOT_ALLOC_OBJECTS:
		return OF_HEAP;
	default:
		return OF_MAPS;
	}
}

const char *value_name(enum snapshot_value value)
{
	static const char *const names[] = {
		[SNAPSHOT_BYTES] = "Bytes allocated",
		[SNAPSHOT_OBJECTS] = "Objects allocated",
		[SNAPSHOT_ASSIST] = "Time in mark assists",
		[SNAPSHOT_STW] = "Time of stopped worlds",
		[SNAPSHOT_ASSIGNS] = "Map assigns",
		[SNAPSHOT_DELETES] = "Map deletes",
		[SNAPSHOT_CLEARS] = "Map clears",
		[SNAPSHOT_RETAINED] = "Bytes retained by maps",
		[SNAPSHOT_GROWTHS] = "Map growths",
		[SNAPSHOT_INUSE_BYTES] = "Bytes in use",
		[SNAPSHOT_INUSE_OBJECTS] = "Objects in use",
		[SNAPSHOT_ALLOC_BYTES] = "Bytes allocated since its start",
		[SNAPSHOT_ALLOC_OBJECTS] = "Objects allocated since its start",
	};

	return names[value];
}

const struct snapshot_frame *stack_frame(const struct snapshot_stack *stack, size_t i)
{
	static const struct snapshot_frame cut = { .func = CALLTREE_TRUNCATED, .file = "" };

	if (stack->cut && i-- == 0)
		return &cut;
	return i < stack->frames_nr ? stack->frames[stack->frames_nr - 1 - i] : NULL;
}

static size_t collect_sites(struct weight *weights, const struct snapshot *s, bool objects)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->sites_nr; i++) {
		const struct snapshot_site *site = &s->sites[i];
		uint64_t n = objects ? site->count.objects : site->count.bytes;
		if (n)
			weights[nr++] = (struct weight){ site->stack, n };
	}
	return nr;
}

static size_t collect_callers(struct weight *weights, const struct snapshot_caller *callers,
			      size_t n)
{
	size_t nr = 0;

	for (size_t i = 0; i < n; i++) {
		if (callers[i].ns)
			weights[nr++] = (struct weight){ callers[i].stack, callers[i].ns };
	}
	return nr;
}

static size_t collect_maps(struct weight *weights, const struct snapshot *s,
			   enum snapshot_value value)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->maps.sites_nr; i++) {
		uint64_t n = snapshot_map_value(&s->maps.sites[i], value);
		if (n)
			weights[nr++] = (struct weight){ s->maps.sites[i].stack, n };
	}
	return nr;
}

static size_t collect_heap(struct weight *weights, const struct snapshot *s,
			   enum snapshot_value value)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->heap.sites_nr; i++) {
		uint64_t n = snapshot_heap_value(&s->heap.sites[i], value);
		if (n)
			weights[nr++] = (struct weight){ s->heap.sites[i].stack, n };
	}
	return nr;
}

size_t weights_max(const struct snapshot *s)
{
	return s->sites_nr + s->gc.assists_nr + s->gc.stoppers_nr + s->maps.sites_nr +
	       s->heap.sites_nr;
}

size_t weights_collect(struct weight *weights, const struct snapshot *s, enum snapshot_value value)
{
	switch (weights_of(value)) {
	case OF_GC:
		return value == SNAPSHOT_ASSIST
			       ? collect_callers(weights, s->gc.assists, s->gc.assists_nr)
			       : collect_callers(weights, s->gc.stoppers, s->gc.stoppers_nr);
	case OF_MAPS:
		return collect_maps(weights, s, value);
	case OF_HEAP:
		return collect_heap(weights, s, value);
	default:
		return collect_sites(weights, s, value == SNAPSHOT_OBJECTS);
	}
}

size_t weights_collect_op(struct weight *weights, const struct snapshot_op *op,
			  enum snapshot_value value)
{
	size_t nr = 0;

	for (size_t i = 0; i < op->sites_nr; i++) {
		const struct snapshot_op_site *site = &op->sites[i];
		uint64_t n = value == SNAPSHOT_OBJECTS ? site->objects : site->bytes;
		if (n)
			weights[nr++] = (struct weight){ site->stack, n };
	}
	return nr;
}
