/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/frame.h"

#include <stdlib.h>
#include <string.h>

/* A hash table from ids to places in a list; made when first asked for. */
struct index {
	size_t *places; /* + 1; 0: free */
	uint64_t *ids;
	size_t mask; /* size - 1, a power of two */
};

struct frame {
	int refs;
	struct snapshot *snapshots[FRAME_SPANS];
	struct index indexes[FRAME_SPANS][FRAME_LISTS];
};

struct frame *frame_new(struct snapshot *interval, struct snapshot *total)
{
	struct frame *f = calloc(1, sizeof(*f));

	if (!f) {
		snapshot_free(interval);
		snapshot_free(total);
		return NULL;
	}
	f->refs = 1;
	f->snapshots[FRAME_INTERVAL] = interval;
	f->snapshots[FRAME_TOTAL] = total;
	return f;
}

struct frame *frame_ref(struct frame *f)
{
	f->refs++;
	return f;
}

void frame_unref(struct frame *f)
{
	if (!f || --f->refs)
		return;
	for (int span = 0; span < FRAME_SPANS; span++) {
		snapshot_free(f->snapshots[span]);
		for (int list = 0; list < FRAME_LISTS; list++) {
			free(f->indexes[span][list].places);
			free(f->indexes[span][list].ids);
		}
	}
	free(f);
}

const struct snapshot *frame_snapshot(const struct frame *f, enum frame_span span)
{
	return f->snapshots[span];
}

uint64_t frame_dur_ns(const struct frame *f, enum frame_span span)
{
	const struct snapshot *s = f->snapshots[span];

	return s->to_mono_ns - s->from_mono_ns;
}

size_t frame_nr(const struct frame *f, enum frame_span span, enum frame_list list)
{
	const struct snapshot *s = f->snapshots[span];
	const size_t nr[FRAME_LISTS] = { [FRAME_SITES] = s->sites_nr,
					 [FRAME_TYPES] = s->types_nr,
					 [FRAME_SIZES] = s->sizes_nr,
					 [FRAME_MAPS] = s->maps.sites_nr };

	return nr[list];
}

static struct frame_entry site_entry(const struct snapshot_site *site)
{
	return (struct frame_entry){ .count = site->count,
				     .ci95 = site->ci95,
				     .stack = site->stack,
				     .type = site->type,
				     .goid = site->goid };
}

struct frame_entry frame_entry(const struct frame *f, enum frame_span span, enum frame_list list,
			       size_t idx)
{
	const struct snapshot *s = f->snapshots[span];

	switch (list) {
	case FRAME_SITES:
		return site_entry(&s->sites[idx]);
	case FRAME_TYPES:
		return (struct frame_entry){ .count = s->types[idx].count,
					     .ci95 = s->types[idx].ci95,
					     .type = s->types[idx].name };
	case FRAME_SIZES:
		return (struct frame_entry){ .count = s->sizes[idx].count,
					     .size_class = s->sizes[idx].size_class,
					     .slot_size = s->sizes[idx].slot_size };
	default:
		return (struct frame_entry){ .stack = s->maps.sites[idx].stack,
					     .type = s->maps.sites[idx].type };
	}
}

/* --- ids -------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

/* Eight bytes at a time: an interval of 20,000 sites has megabytes of names. */
static uint64_t mix_text(uint64_t h, const char *s)
{
	size_t left = strlen(s);

	h = mix(h, left);
	for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), s += sizeof(uint64_t)) {
		uint64_t word;
		memcpy(&word, s, sizeof(word));
		h = mix(h, word);
	}
	uint64_t rest = 0;
	memcpy(&rest, s, left);
	return mix(h, rest);
}

static uint64_t mix_stack(uint64_t h, const struct snapshot_stack *stack)
{
	h = mix(h, (uint64_t)stack->frames_nr << 1 | stack->cut);
	for (uint32_t i = 0; i < stack->frames_nr; i++) {
		const struct snapshot_frame *frame = stack->frames[i];

		h = mix_text(h, frame->func);
		h = mix_text(h, frame->file);
		h = mix(h, (uint64_t)frame->line << 1 | frame->inlined);
	}
	return h;
}

uint64_t frame_id(const struct frame *f, enum frame_span span, enum frame_list list, size_t idx)
{
	struct frame_entry e = frame_entry(f, span, list, idx);
	uint64_t h = mix(list, e.goid);

	if (list == FRAME_SIZES)
		return mix(h, e.size_class);
	if (e.stack)
		h = mix_stack(h, e.stack);
	return mix_text(h, e.type);
}

/* False: out of memory, and nothing is found. */
static bool make_index(struct frame *f, enum frame_span span, enum frame_list list)
{
	struct index *index = &f->indexes[span][list];
	size_t nr = frame_nr(f, span, list), size = 16;

	while (size < 2 * nr)
		size *= 2;
	index->places = calloc(size, sizeof(index->places[0]));
	index->ids = calloc(size, sizeof(index->ids[0]));
	if (!index->places || !index->ids) {
		free(index->places);
		free(index->ids);
		*index = (struct index){ 0 };
		return false;
	}
	index->mask = size - 1;
	for (size_t i = 0; i < nr; i++) {
		uint64_t id = frame_id(f, span, list, i);
		size_t at = id & index->mask;

		while (index->places[at])
			at = (at + 1) & index->mask;
		index->places[at] = i + 1;
		index->ids[at] = id;
	}
	return true;
}

size_t frame_find(struct frame *f, enum frame_span span, enum frame_list list, uint64_t id)
{
	struct index *index = &f->indexes[span][list];

	if (!index->places && !make_index(f, span, list))
		return SIZE_MAX;
	for (size_t at = id & index->mask; index->places[at]; at = (at + 1) & index->mask)
		if (index->ids[at] == id)
			return index->places[at] - 1;
	return SIZE_MAX;
}
