/* SPDX-License-Identifier: BSD-2-Clause */
#include "stream/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "bpf/wire.h"
#include "model/model.h"
#include "probe/probe.h"
#include "stream/gc.h"
#include "stream/losses.h"
#include "symbol/symbol.h"

/* A stack the kernel has sent, by its hash. */
struct known_stack {
	uint64_t hash;
	UT_hash_handle hh;
	int64_t id;
};

/* A site as the kernel knows it, and how much of it the model has. */
struct known_site {
	struct wire_site_key key;
	UT_hash_handle hh;
	int64_t id; /* -1: waits for its stack */
	struct wire_site seen, taken;
};

/* The assists of a stack. */
struct known_assist {
	uint64_t stack;
	UT_hash_handle hh;
	int64_t id; /* -1: waits for its stack */
	struct wire_assist seen, taken;
};

struct stream {
	struct stream_opts opts;
	struct known_stack *stacks;
	struct known_site *sites;
	struct known_assist *assists;
	struct gc_stream gc;
	uint64_t load_bias;
	bool load_bias_known;
	uint64_t lost_assists;
	uint64_t unreadable; /* stacks cut where memory could not be read */
	uint64_t bad_records; /* that contradict themselves */
	uint64_t lost_objects; /* whose stack never came */
	uint64_t lost_stops; /* likewise */
	bool last;
};

int stream_new(const struct stream_opts *opts, struct stream **ret, struct err *err)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, -ENOMEM, "out of memory");
	s->opts = *opts;
	s->gc.model = opts->model;
	*ret = s;
	return 0;
}

void stream_free(struct stream *s)
{
	struct known_stack *stack, *next_stack;
	struct known_site *site, *next_site;
	struct known_assist *assist, *next_assist;

	if (!s)
		return;
	HASH_ITER (hh, s->stacks, stack, next_stack) {
		HASH_DEL(s->stacks, stack);
		free(stack);
	}
	HASH_ITER (hh, s->sites, site, next_site) {
		HASH_DEL(s->sites, site);
		free(site);
	}
	HASH_ITER (hh, s->assists, assist, next_assist) {
		HASH_DEL(s->assists, assist);
		free(assist);
	}
	free(s);
}

static struct known_stack *find_stack(const struct stream *s, uint64_t hash)
{
	struct known_stack *stack;

	HASH_FIND(hh, s->stacks, &hash, sizeof(hash), stack);
	return stack;
}

static int add_stack(struct stream *s, uint64_t hash, int64_t id)
{
	struct known_stack *stack = calloc(1, sizeof(*stack));

	if (!stack)
		return -ENOMEM;
	stack->hash = hash;
	stack->id = id;
	HASH_ADD(hh, s->stacks, hash, sizeof(stack->hash), stack);
	return 0;
}

static int take_stack(struct stream *s, const struct wire_stack *st, size_t size)
{
	size_t head = offsetof(struct wire_stack, pcs);

	if (size < head || st->pcs_nr > WIRE_DEPTH_MAX ||
	    size < head + st->pcs_nr * sizeof(st->pcs[0])) {
		s->bad_records++;
		return 0;
	}
	if (find_stack(s, st->hash))
		return 0;
	s->load_bias = st->load_bias;
	s->load_bias_known = true;
	bool cut = st->flags & (WIRE_STACK_CUT | WIRE_STACK_FAULT);
	int64_t id = symbolizer_stack(s->opts.symbolizer, st->pcs, st->pcs_nr, st->load_bias, &cut);
	s->unreadable += cut && (st->flags & WIRE_STACK_FAULT);
	return id < 0 ? (int)id : add_stack(s, st->hash, id);
}

static void take_mark(struct stream *s, const struct wire_mark *mark, size_t size)
{
	if (size < sizeof(*mark)) {
		s->bad_records++;
		return;
	}
	if (s->opts.on_mark)
		s->opts.on_mark(mark, s->opts.on_mark_ctx);
}

static int take_stop(struct stream *s, const struct wire_stop *stop, size_t size)
{
	if (size < sizeof(*stop) || stop->ev.mono_ns < stop->start_ns) {
		s->bad_records++;
		return 0;
	}
	/* It is sent before the stop ends: what isn't here will not come. */
	const struct known_stack *stack = find_stack(s, stop->stack);
	s->lost_stops += !stack && stop->stack != WIRE_STACK_NONE;
	return gc_stream_stop(&s->gc, stop, stack ? (uint32_t)stack->id : MODEL_NO_STACK);
}

static void take_cycle(struct stream *s, const struct wire_cycle *cycle, size_t size)
{
	if (size < sizeof(*cycle))
		s->bad_records++;
	else
		gc_stream_cycle(&s->gc, cycle);
}

static int take_event(const void *data, size_t size, void *ctx)
{
	struct stream *s = ctx;
	const struct wire_event *ev = data;

	if (size < sizeof(*ev) || ev->size > size) {
		s->bad_records++;
		return 0;
	}
	switch (ev->kind) {
	case WIRE_EVENT_STACK:
		return take_stack(s, data, ev->size);
	case WIRE_EVENT_MARK:
		take_mark(s, data, ev->size);
		return 0;
	case WIRE_EVENT_STOP:
		return take_stop(s, data, ev->size);
	case WIRE_EVENT_CYCLE:
		take_cycle(s, data, ev->size);
		return 0;
	default:
		s->bad_records++;
		return 0;
	}
}

int stream_events(struct stream *s, struct err *err)
{
	int rc = probe_each_event(s->opts.probe, take_event, s);

	return rc < 0 ? err_set(err, rc, "cannot read events: %s", strerror(-rc)) : 0;
}

/* Only remember what the kernel has: stacks that came since may not be known yet. */
static int see_site(const struct wire_site_key *key, const struct wire_site *now, void *ctx)
{
	struct stream *s = ctx;
	struct known_site *site;

	HASH_FIND(hh, s->sites, key, sizeof(*key), site);
	if (!site) {
		site = calloc(1, sizeof(*site));
		if (!site)
			return -ENOMEM;
		site->key = *key;
		site->id = -1;
		HASH_ADD(hh, s->sites, key, sizeof(site->key), site);
	}
	site->seen = *now;
	return 0;
}

/*
 * The model's stack of a hash: known, one that stands for a loss (added to *lost by count), or -EAGAIN while it
 * may still come.
 */
static int64_t stack_of(struct stream *s, uint64_t hash, uint64_t count, uint64_t *lost)
{
	const struct known_stack *stack = find_stack(s, hash);

	if (stack)
		return stack->id;
	if (hash != WIRE_STACK_NONE && !s->last)
		return -EAGAIN;
	if (hash != WIRE_STACK_NONE)
		*lost += count;
	return symbolizer_pseudo_stack(s->opts.symbolizer, "[stack lost]");
}

static int64_t model_site_of(struct stream *s, const struct known_site *site)
{
	int64_t stack = stack_of(s, site->key.stack, site->seen.objects, &s->lost_objects);

	if (stack < 0)
		return stack;
	int64_t type = symbolizer_type(s->opts.symbolizer, site->key.typ, s->load_bias);
	if (type < 0)
		return type;
	return model_site(s->opts.model, (uint32_t)stack, (uint32_t)type, site->key.size_class,
			  site->key.goid);
}

/* Give the model what a site has grown by. */
static int take_site(struct stream *s, struct known_site *site)
{
	if (site->seen.objects == site->taken.objects && site->seen.bytes == site->taken.bytes)
		return 0;
	if (site->id < 0) {
		int64_t id = model_site_of(s, site);

		if (id == -EAGAIN)
			return 0;
		if (id < 0)
			return (int)id;
		site->id = id;
	}
	model_site_add(s->opts.model, (uint32_t)site->id, site->seen.objects - site->taken.objects,
		       site->seen.bytes - site->taken.bytes);
	site->taken = site->seen;
	return 0;
}

static int see_assist(uint64_t stack, const struct wire_assist *now, void *ctx)
{
	struct stream *s = ctx;
	struct known_assist *assist;

	HASH_FIND(hh, s->assists, &stack, sizeof(stack), assist);
	if (!assist) {
		assist = calloc(1, sizeof(*assist));
		if (!assist)
			return -ENOMEM;
		assist->stack = stack;
		assist->id = -1;
		HASH_ADD(hh, s->assists, stack, sizeof(assist->stack), assist);
	}
	assist->seen = *now;
	return 0;
}

static int take_assist(struct stream *s, struct known_assist *assist)
{
	if (assist->seen.assists == assist->taken.assists)
		return 0;
	if (assist->id < 0) {
		int64_t stack = stack_of(s, assist->stack, assist->seen.assists, &s->lost_assists);

		if (stack < 0)
			return stack == -EAGAIN ? 0 : (int)stack;
		int64_t id = model_assist(s->opts.model, (uint32_t)stack);
		if (id < 0)
			return (int)id;
		assist->id = id;
	}
	model_assist_add(s->opts.model, (uint32_t)assist->id,
			 assist->seen.assists - assist->taken.assists,
			 assist->seen.ns - assist->taken.ns);
	assist->taken = assist->seen;
	return 0;
}

static int take_totals(struct stream *s)
{
	struct wire_cpu totals;
	int rc = 0;

	probe_totals(s->opts.probe, &totals);
	model_set_totals(s->opts.model, totals.objects, totals.bytes);
	for (int i = 0; i < WIRE_LOSS_NR && !rc; i++)
		if (loss_words[i].key)
			rc = model_set_loss(s->opts.model, loss_words[i].key, loss_words[i].what,
					    totals.losses[i]);
	if (!rc)
		rc = model_set_loss(s->opts.model, "stack_lost",
				    "objects whose stack found no room in the ring",
				    s->lost_objects);
	if (!rc)
		rc = model_set_loss(s->opts.model, "assist_stack_lost",
				    "assists whose stack found no room in the ring",
				    s->lost_assists);
	if (!rc)
		rc = model_set_loss(s->opts.model, "stop_stack_lost",
				    "stops of the world whose stack found no room in the ring",
				    s->lost_stops);
	if (!rc)
		rc = model_set_loss(s->opts.model, "stack_unreadable",
				    "stacks cut where memory was not readable", s->unreadable);
	if (!rc)
		rc = model_set_loss(s->opts.model, "bad_record",
				    "records from the kernel that made no sense", s->bad_records);
	return rc;
}

int stream_drain(struct stream *s, bool last, struct err *err)
{
	struct known_site *site, *next;
	struct known_assist *assist, *next_assist;

	/* Sites first, then stacks: a stack is sent before its site counts, so each site finds its own. */
	s->last = last;
	int rc = probe_each_site(s->opts.probe, see_site, s);
	if (!rc)
		rc = probe_each_assist(s->opts.probe, see_assist, s);
	if (rc)
		return err_set(err, rc, "cannot read the tables of sites: %s", strerror(-rc));
	rc = stream_events(s, err);
	if (rc)
		return rc;
	HASH_ITER (hh, s->sites, site, next) {
		rc = take_site(s, site);
		if (rc)
			return err_set(err, rc, "cannot take a site: %s", strerror(-rc));
	}
	HASH_ITER (hh, s->assists, assist, next_assist) {
		rc = take_assist(s, assist);
		if (rc)
			return err_set(err, rc, "cannot take assists: %s", strerror(-rc));
	}
	rc = take_totals(s);
	return rc ? err_set(err, rc, "cannot take the totals: %s", strerror(-rc)) : 0;
}

void stream_gc_begin(struct stream *s, uint32_t numgc)
{
	s->gc.first_number = numgc + 1;
}

const struct gc_stream *stream_gc(const struct stream *s)
{
	return &s->gc;
}

bool stream_load_bias(const struct stream *s, uint64_t *ret)
{
	if (s->load_bias_known)
		*ret = s->load_bias;
	return s->load_bias_known;
}
