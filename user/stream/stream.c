/* SPDX-License-Identifier: BSD-2-Clause */
#include "stream/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "bpf/wire.h"
#include "model/maps.h"
#include "model/model.h"
#include "plan/plan.h"
#include "probe/probe.h"
#include "stream/gc.h"
#include "stream/losses.h"
#include "stream/maps.h"
#include "stream/ops.h"
#include "stream/samples.h"
#include "symbol/symbol.h"

/* A stack the kernel has sent, by its hash. */
struct known_stack {
	uint64_t hash;
	UT_hash_handle hh;
	int64_t id; /* -E2BIG: the model had no room for it */
};

/* What the kernel counts: how often, and how much: bytes of a site, nanoseconds of assists. */
struct amount {
	uint64_t nr, sum;
};

/* A row of a table of the kernel's, and how much of it the model has. */
struct known_row {
	struct wire_site_key key; /* of assists only the stack */
	UT_hash_handle hh;
	int64_t id; /* the model's, or: */
	struct amount seen, taken;
};

enum { ROW_WAITS = -1, /* for its stack */ ROW_UNPLACED = -2 /* the model had no room */ };

/* A table of the kernel's, and how its rows get into the model. */
struct known_table {
	const char *name;
	int64_t (*intern)(struct stream *s, const struct known_row *row, uint32_t stack);
	void (*add)(struct model *m, uint32_t id, uint64_t nr, uint64_t sum);
	struct known_row *rows;
	struct amount taken; /* of all rows, those that the model had no room for included */
	uint64_t lost; /* whose stack never came */
	uint64_t unplaced; /* that the model had no room for */
};

struct stream {
	struct stream_opts opts;
	struct known_stack *stacks;
	struct known_table sites, assists;
	struct gc_stream gc;
	struct map_stream *maps; /* NULL: they aren't looked at */
	struct op_stream *ops; /* NULL: there are none */
	struct sample_stream *samples; /* NULL: every hit counts for itself */
	uint64_t load_bias;
	bool load_bias_known;
	uint64_t unreadable; /* stacks cut where memory could not be read */
	uint64_t bad_records; /* that contradict themselves */
	uint64_t lost_stops; /* whose stack never came */
	uint64_t unplaced_stops; /* whose stack the model had no room for */
	uint64_t lost_map_sites; /* whose stack never came */
	uint64_t lost_samples; /* whose stack never came */
	bool last;
};

static struct known_stack *find_stack(const struct stream *s, uint64_t hash)
{
	struct known_stack *stack;

	HASH_FIND(hh, s->stacks, &hash, sizeof(hash), stack);
	return stack;
}

/*
 * The model's stack for a hash: known, one that stands for a loss (then `nr` more are lost), -EAGAIN while it may
 * still come, or another -errno.
 */
static int64_t stack_of(struct stream *s, uint64_t hash, uint64_t nr, uint64_t *lost)
{
	const struct known_stack *stack = find_stack(s, hash);

	if (stack)
		return stack->id;
	if (hash == WIRE_STACK_OUTSIDE)
		return symbolizer_pseudo_stack(s->opts.symbolizer, "[outside operations]");
	if (hash != WIRE_STACK_NONE && !s->last)
		return -EAGAIN;
	int64_t id = symbolizer_pseudo_stack(s->opts.symbolizer, "[stack lost]");
	if (id >= 0 && hash != WIRE_STACK_NONE)
		*lost += nr;
	return id;
}

static int64_t intern_site(struct stream *s, const struct known_row *row, uint32_t stack)
{
	int64_t type = symbolizer_type(s->opts.symbolizer, row->key.typ, s->load_bias);

	return type < 0 ? type
			: model_site(s->opts.model, stack, (uint32_t)type, row->key.size_class,
				     row->key.goid, row->key.ops);
}

static int64_t intern_assist(struct stream *s, const struct known_row *row, uint32_t stack)
{
	(void)row;
	return model_assist(s->opts.model, stack);
}

static int64_t stack_of_map_site(uint64_t hash, void *ctx)
{
	return stack_of(ctx, hash, 1, &((struct stream *)ctx)->lost_map_sites);
}

/* It was sent before the sample: what isn't here will not come. */
static int64_t stack_of_sample(uint64_t hash, void *ctx)
{
	struct stream *s = ctx;
	const struct known_stack *stack = find_stack(s, hash);

	if (stack)
		return stack->id;
	s->lost_samples += hash != WIRE_STACK_NONE;
	return symbolizer_pseudo_stack(s->opts.symbolizer, "[stack lost]");
}

static int64_t map_site_of_sample(uint64_t typ, uint32_t stack, void *ctx)
{
	struct stream *s = ctx;

	return s->maps ? map_stream_site(s->maps, typ, stack, s->load_bias) : -ENOENT;
}

static int new_samples(struct stream *s, struct err *err)
{
	const struct sample_stream_opts opts = { .symbolizer = s->opts.symbolizer,
						 .model = s->opts.model,
						 .stack = stack_of_sample,
						 .map_site = map_site_of_sample,
						 .by_goroutine = s->opts.plan &&
								 s->opts.plan->cfg.by_goroutine,
						 .ctx = s };

	return sample_stream_new(&opts, &s->samples) ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static int new_maps(struct stream *s, struct err *err)
{
	const struct map_stream_opts opts = { .probe = s->opts.probe,
					      .symbolizer = s->opts.symbolizer,
					      .model = s->opts.model,
					      .stack = stack_of_map_site,
					      .stack_ctx = s };

	model_maps_counted(s->opts.model, !s->opts.sampled);
	return map_stream_new(&opts, &s->maps) ? err_set(err, -ENOMEM, "out of memory") : 0;
}

int stream_new(const struct stream_opts *opts, struct stream **ret, struct err *err)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, -ENOMEM, "out of memory");
	s->opts = *opts;
	s->gc.model = opts->model;
	s->sites = (struct known_table){ .name = "sites",
					 .intern = intern_site,
					 .add = model_site_add };
	s->assists = (struct known_table){ .name = "assists",
					   .intern = intern_assist,
					   .add = model_assist_add };
	*ret = s;
	if (opts->plan && opts->plan->ops_nr &&
	    op_stream_new(opts->probe, opts->plan, opts->model, &s->ops))
		return err_set(err, -ENOMEM, "out of memory");
	int rc = opts->sampled ? new_samples(s, err) : 0;
	return !rc && opts->maps ? new_maps(s, err) : rc;
}

static void free_rows(struct known_row *rows)
{
	struct known_row *row, *next;

	HASH_ITER (hh, rows, row, next) {
		HASH_DEL(rows, row);
		free(row);
	}
}

void stream_free(struct stream *s)
{
	struct known_stack *stack, *next;

	if (!s)
		return;
	HASH_ITER (hh, s->stacks, stack, next) {
		HASH_DEL(s->stacks, stack);
		free(stack);
	}
	free_rows(s->sites.rows);
	free_rows(s->assists.rows);
	map_stream_free(s->maps);
	op_stream_free(s->ops);
	sample_stream_free(s->samples);
	free(s);
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
	return id < 0 && id != -E2BIG ? (int)id : add_stack(s, st->hash, id);
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

static void take_totals(struct stream *s, const struct wire_totals *totals, size_t size)
{
	if (size < sizeof(*totals))
		s->bad_records++;
	else if (s->opts.on_totals)
		s->opts.on_totals(totals, s->opts.on_mark_ctx);
}

static int take_stop(struct stream *s, const struct wire_stop *stop, size_t size)
{
	if (size < sizeof(*stop) || stop->ev.mono_ns < stop->start_ns) {
		s->bad_records++;
		return 0;
	}
	/* It is sent before the stop ends: what isn't here will not come. */
	const struct known_stack *stack = find_stack(s, stop->stack);
	bool placed = stack && stack->id >= 0;
	s->lost_stops += !stack && stop->stack != WIRE_STACK_NONE;
	s->unplaced_stops += stack && !placed;
	return gc_stream_stop(&s->gc, stop, placed ? (uint32_t)stack->id : MODEL_NO_STACK);
}

static void take_cycle(struct stream *s, const struct wire_cycle *cycle, size_t size)
{
	if (size < sizeof(*cycle))
		s->bad_records++;
	else
		gc_stream_cycle(&s->gc, cycle);
}

static int take_sample(struct stream *s, const struct wire_sample *sample, size_t size)
{
	if (size < sizeof(*sample) || !s->samples) {
		s->bad_records++;
		return 0;
	}
	return sample_stream_take(s->samples, sample, s->load_bias);
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
	case WIRE_EVENT_TOTALS:
		take_totals(s, data, ev->size);
		return 0;
	case WIRE_EVENT_SAMPLE:
		return take_sample(s, data, ev->size);
	default:
		s->bad_records++;
		return 0;
	}
}

int stream_events(struct stream *s, struct err *err)
{
	symbolizer_begin(s->opts.symbolizer);
	int rc = probe_each_event(s->opts.probe, take_event, s);
	symbolizer_end(s->opts.symbolizer);

	return rc < 0 ? err_set(err, rc, "cannot read events: %s", strerror(-rc)) : 0;
}

/* Only remember what the kernel has: stacks that came since may not be known yet. */
static int see_row(struct known_table *t, const struct wire_site_key *key, struct amount now)
{
	struct known_row *row;

	HASH_FIND(hh, t->rows, key, sizeof(*key), row);
	if (!row) {
		row = calloc(1, sizeof(*row));
		if (!row)
			return -ENOMEM;
		row->key = *key;
		row->id = ROW_WAITS;
		HASH_ADD(hh, t->rows, key, sizeof(row->key), row);
	}
	row->seen = now;
	return 0;
}

static int see_site(const struct wire_site_key *key, const struct wire_site *now, void *ctx)
{
	struct stream *s = ctx;

	return see_row(&s->sites, key, (struct amount){ now->objects, now->bytes });
}

static int see_assist(uint64_t stack, const struct wire_assist *now, void *ctx)
{
	struct stream *s = ctx;
	const struct wire_site_key key = { .stack = stack };

	return see_row(&s->assists, &key, (struct amount){ now->assists, now->ns });
}

/* Find out where in the model a row counts. What the model has no room for isn't asked again. */
static int place_row(struct stream *s, struct known_table *t, struct known_row *row)
{
	int64_t stack = stack_of(s, row->key.stack, row->seen.nr, &t->lost);
	int64_t id = stack < 0 ? stack : t->intern(s, row, (uint32_t)stack);

	if (id == -EAGAIN)
		return 0;
	if (id < 0 && id != -E2BIG)
		return (int)id;
	row->id = id < 0 ? ROW_UNPLACED : id;
	return 0;
}

/* Give the model what a row has grown by. */
static int take_row(struct stream *s, struct known_table *t, struct known_row *row)
{
	struct amount more = { row->seen.nr - row->taken.nr, row->seen.sum - row->taken.sum };

	if (!more.nr && !more.sum)
		return 0;
	if (row->id == ROW_WAITS) {
		int rc = place_row(s, t, row);
		if (rc || row->id == ROW_WAITS)
			return rc;
	}
	if (row->id == ROW_UNPLACED)
		t->unplaced += more.nr;
	else
		t->add(s->opts.model, (uint32_t)row->id, more.nr, more.sum);
	t->taken.nr += more.nr;
	t->taken.sum += more.sum;
	row->taken = row->seen;
	return 0;
}

static int take_rows(struct stream *s, struct known_table *t, struct err *err)
{
	for (struct known_row *row = t->rows; row; row = row->hh.next) {
		int rc = take_row(s, t, row);
		if (rc)
			return err_set(err, rc, "cannot take %s: %s", t->name, strerror(-rc));
	}
	return 0;
}

static int take_losses(struct stream *s, const struct wire_cpu *totals)
{
	const struct {
		struct loss_words words;
		uint64_t count;
	} own[] = {
		{ { "stack_lost", "objects whose stack found no room" }, s->sites.lost },
		{ { "assist_stack_lost", "assists whose stack found no room" }, s->assists.lost },
		{ { "stop_stack_lost", "stops of the world whose stack found no room" },
		  s->lost_stops },
		{ { "model_full", "objects in no site: gallop's own tables were full" },
		  s->sites.unplaced },
		{ { "gc_model_full",
		    "stops and assists in no stack: gallop's own tables were full" },
		  s->assists.unplaced + s->unplaced_stops },
		{ { "map_site_stack_lost", "places of map operations whose stack found no room" },
		  s->lost_map_sites },
		{ { "maps_evicted", "maps no longer followed: more than 65,536 were in use" },
		  s->maps ? map_stream_evicted(s->maps) : 0 },
		{ { "maps_unmeasured", "maps too many to be measured" },
		  s->maps ? map_stream_unmeasured(s->maps) : 0 },
		{ { "map_model_full", "map operations in no site: gallop's own tables were full" },
		  s->maps ? map_stream_unplaced(s->maps) : 0 },
		{ { "sample_stack_lost", "samples whose stack found no room" }, s->lost_samples },
		{ { "samples_late", "samples of windows that were over" },
		  s->samples ? sample_stream_late(s->samples) : 0 },
		{ { "sample_model_full", "samples in no site: gallop's own tables were full" },
		  s->samples ? sample_stream_unplaced(s->samples) : 0 },
		{ { "stack_unreadable",
		    "stacks cut where the chain of frames was broken or not readable" },
		  s->unreadable },
		{ { "bad_record", "records from the kernel that made no sense" }, s->bad_records },
	};
	int rc = 0;

	for (int i = 0; i < WIRE_LOSS_NR && !rc; i++)
		if (loss_words[i].key)
			rc = model_set_loss(s->opts.model, loss_words[i].key, loss_words[i].what,
					    totals->losses[i]);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && !rc; i++)
		rc = model_set_loss(s->opts.model, own[i].words.key, own[i].words.what,
				    own[i].count);
	return rc;
}

/*
 * While it counts, what was counted since the sites were read, or waits for its stack, is not in a site yet: the
 * total is that of what has been taken, so that an interval is whole in itself. In the end it is the kernel's,
 * and what no site has shows.
 */
static void set_totals(struct stream *s, const struct wire_cpu *totals)
{
	const struct amount *taken = &s->sites.taken;

	/* Of what is sampled the runtime has the total. */
	if (s->samples)
		return;
	if (s->last)
		model_set_totals(s->opts.model, totals->objects, totals->bytes);
	else
		model_set_totals(s->opts.model, taken->nr + totals->losses[WIRE_LOSS_SITES_FULL],
				 taken->sum + totals->siteless_bytes);
}

static int take_maps(struct stream *s, uint64_t now_ns, struct err *err)
{
	int rc = map_stream_take(s->maps, s->load_bias, now_ns, s->last);

	return rc ? err_set(err, rc, "cannot take maps: %s", strerror(-rc)) : 0;
}

int stream_drain(struct stream *s, bool last, uint64_t now_ns, struct err *err)
{
	struct wire_cpu totals;

	/* Sites first, then stacks: a stack is sent before its site counts, so each site finds its own. */
	s->last = last;
	if (s->ops)
		op_stream_take(s->ops, last);
	int rc = probe_each_site(s->opts.probe, see_site, s);
	if (!rc)
		rc = probe_each_assist(s->opts.probe, see_assist, s);
	if (!rc && s->maps)
		rc = map_stream_see(s->maps);
	if (rc)
		return err_set(err, rc, "cannot read the tables of sites: %s", strerror(-rc));
	rc = stream_events(s, err);
	if (!rc)
		rc = take_rows(s, &s->sites, err);
	if (!rc)
		rc = take_rows(s, &s->assists, err);
	if (!rc && s->maps)
		rc = take_maps(s, now_ns, err);
	if (rc)
		return rc;
	probe_totals(s->opts.probe, &totals);
	set_totals(s, &totals);
	rc = take_losses(s, &totals);
	return rc ? err_set(err, rc, "cannot take the totals: %s", strerror(-rc)) : 0;
}

void stream_gc_begin(struct stream *s, uint32_t numgc, bool may_miss_one)
{
	s->gc.first_number = numgc + 1;
	s->gc.may_miss_one = may_miss_one;
}

void stream_set_profile_rate(struct stream *s, uint64_t mem_profile_rate)
{
	sample_stream_set_rate(s->samples, mem_profile_rate);
}

int stream_window(struct stream *s, struct govern_window *window)
{
	return s->samples ? sample_stream_window(s->samples, window)
			  : op_stream_window(s->ops, window);
}

void stream_set_ops_off(struct stream *s, const struct op_stream_off *off)
{
	op_stream_set_off(s->ops, off);
}

void stream_set_map_reader(struct stream *s, const struct gomap_reader *reader)
{
	if (s->maps)
		map_stream_set_reader(s->maps, reader);
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
