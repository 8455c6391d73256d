/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model's life, counts, losses and marks; interning is in intern.c.
 *
 * An interval costs nothing to keep: each count remembers what it was when the interval began.
 */
#include "model/model.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/grow.h"
#include "base/utf8.h"
#include "model/gc_tables.h"
#include "model/heap_tables.h"
#include "model/map_tables.h"
#include "model/op_tables.h"
#include "model/sample_tables.h"

static void model_freep(struct model **m)
{
	model_free(*m);
}

int model_new(struct model **ret)
{
	_cleanup_(model_freep) struct model *m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->gc = calloc(1, sizeof(*m->gc));
	m->maps = calloc(1, sizeof(*m->maps));
	m->ops = calloc(1, sizeof(*m->ops));
	m->samples = calloc(1, sizeof(*m->samples));
	m->heap = calloc(1, sizeof(*m->heap));
	if (!m->gc || !m->maps || !m->ops || !m->samples || !m->heap)
		return -ENOMEM;
	strcpy(m->check.why_not, "nothing was compared yet");
	strcpy(m->gc->check.why_not, "nothing was compared yet");
	*ret = take_ptr(m);
	return 0;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->sites.nr; i++)
		free(m->sites.rows[i]->samples);
	table_free(m->sites);
	table_free(m->types);
	table_free(m->stacks);
	table_free(m->frames);
	table_free(m->funcs);
	table_free(m->texts);
	free(m->losses);
	free(m->marks);
	if (m->gc)
		gc_deinit(m->gc);
	if (m->maps)
		maps_deinit(m->maps);
	if (m->ops)
		ops_deinit(m->ops);
	if (m->samples)
		samples_deinit(m->samples);
	if (m->heap)
		heap_deinit(m->heap);
	free(m->gc);
	free(m->maps);
	free(m->ops);
	free(m->samples);
	free(m->heap);
	free(m);
}

struct model_meta *model_meta(struct model *m)
{
	return &m->meta;
}

struct model_check *model_check(struct model *m)
{
	return &m->check;
}

void model_add_note(struct model *m, const char *text)
{
	struct model_meta *meta = &m->meta;
	char clean[sizeof(meta->notes[0])];

	utf8_clean(clean, sizeof(clean), text);
	for (size_t i = 0; i < meta->notes_nr; i++)
		if (strcmp(meta->notes[i], clean) == 0)
			return;
	if (meta->notes_nr < MODEL_NOTES_MAX)
		strcpy(meta->notes[meta->notes_nr++], clean);
}

void model_site_add(struct model *m, uint32_t site, uint64_t objects, uint64_t bytes)
{
	assert(site < m->sites.nr);
	struct model_count *now = &m->sites.rows[site]->now;
	/* A target that makes up its sizes gets the largest number, not a small one. */
	if (__builtin_add_overflow(now->objects, objects, &now->objects))
		now->objects = UINT64_MAX;
	if (__builtin_add_overflow(now->bytes, bytes, &now->bytes))
		now->bytes = UINT64_MAX;
	samples_count_site(m, m->sites.rows[site]->key.size_class, objects, bytes);
}

void model_set_totals(struct model *m, uint64_t objects, uint64_t bytes)
{
	/* Of a session that samples, the totals are the runtime's own: model_set_class_counts(). */
	if (!m->samples->on)
		m->total = (struct model_count){ objects, bytes };
}

int model_set_loss(struct model *m, const char *key, const char *what, uint64_t count)
{
	char clean[sizeof(m->losses[0].key)];
	utf8_clean(clean, sizeof(clean), key);

	for (size_t i = 0; i < m->losses_nr; i++) {
		if (strcmp(m->losses[i].key, clean) == 0) {
			m->losses[i].now = count;
			return 0;
		}
	}
	if (m->losses_nr >= MODEL_LOSSES_MAX)
		return -E2BIG;
	int rc = grow(&m->losses, m->losses_nr, &m->losses_cap, sizeof(m->losses[0]));
	if (rc)
		return rc;

	struct loss_row *row = &m->losses[m->losses_nr++];
	*row = (struct loss_row){ .now = count };
	memcpy(row->key, clean, sizeof(row->key));
	utf8_clean(row->what, sizeof(row->what), what);
	return 0;
}

/*
 * A target may stop the world as often as it likes, so the marks are bounded. What counts is how
 * far both sides grew between marks, and that stays true when the newest replaces the one before
 * it.
 */
int model_add_mark(struct model *m, const struct model_mark *mark)
{
	if (m->marks_nr >= MODEL_MARKS_MAX)
		m->marks_nr--;
	int rc = grow(&m->marks, m->marks_nr, &m->marks_cap, sizeof(m->marks[0]));
	if (rc)
		return rc;

	struct model_mark *added = &m->marks[m->marks_nr++];
	*added = *mark;
	utf8_clean(added->reason, sizeof(added->reason), mark->reason);
	return 0;
}

void model_next_interval(struct model *m, uint64_t mono_ns)
{
	for (size_t i = 0; i < m->sites.nr; i++)
		m->sites.rows[i]->base = m->sites.rows[i]->now;
	for (size_t i = 0; i < m->losses_nr; i++)
		m->losses[i].base = m->losses[i].now;
	m->total_base = m->total;
	gc_next_interval(m->gc);
	maps_next_interval(m->maps);
	ops_next_interval(m->ops);
	samples_next_interval(m, mono_ns);
	heap_next_interval(m->heap);
	m->interval_mono_ns = mono_ns;
}

/* Counts only grow; where a caller breaks that, an interval shows nothing rather than 2^64. */
static struct model_count count_sub(struct model_count a, struct model_count b)
{
	return (struct model_count){
		a.objects > b.objects ? a.objects - b.objects : 0,
		a.bytes > b.bytes ? a.bytes - b.bytes : 0,
	};
}

struct model_count site_delta(const struct site_row *site)
{
	return count_sub(site->now, site->base);
}

struct model_count total_delta(const struct model *m)
{
	return count_sub(m->total, m->total_base);
}

uint64_t model_from_ns(const struct model *m, bool interval)
{
	if (interval && m->interval_mono_ns)
		return m->interval_mono_ns;
	return m->from_mono_ns ? m->from_mono_ns : m->meta.start_mono_ns;
}
