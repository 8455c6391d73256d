/* SPDX-License-Identifier: BSD-2-Clause */
#include "stream/samples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/f64.h"
#include "base/grow.h"
#include "base/u64.h"
#include "bpf/wire.h"
#include "estimate/inclusion.h"
#include "estimate/slowed.h"
#include "govern/govern.h"
#include "model/samples.h"
#include "symbol/symbol.h"

enum {
	PENDING_MAX =
		1 << 16, /* samples of windows that aren't over: one has ten thousand at most */
};

/* A sample with the model's numbers in place of addresses. */
struct placed {
	uint64_t mono_ns;
	uint64_t objects;
	uint64_t bytes; /* of a large object */
	uint32_t window;
	uint32_t tid;
	uint64_t goid;
	uint64_t map; /* address; 0: it is of no map */
	uint32_t root;
	uint32_t place; /* enum wire_place */
	uint32_t site; /* the model's, of objects or of maps; none of a refill */
	uint32_t size_class;
	/* Of a window that is over: */
	double could_s; /* for how long it could have begun and met this, see estimate/inclusion.h; 0: not known */
	double most; /* how many more of it there would be without windows, at most, see bound_all() */
};

struct sample_stream {
	struct sample_stream_opts opts;
	struct placed *pending;
	size_t pending_nr, pending_cap;
	uint32_t last_window; /* that was over */
	uint64_t rate;
	uint64_t late, unplaced;
	double hits,
		objects_hit; /* of all windows: in second stages, and those that refills tell of, too */
};

/* What a window comes to. */
struct unit {
	enum estimate_began began;
	struct estimate_refill *refills;
	struct estimate_gaps *gaps;
	struct estimate_hit *hits;
	struct model_unit_map_op *map_ops;
	size_t refills_nr, gaps_nr, hits_nr, map_ops_nr;
};

int sample_stream_new(const struct sample_stream_opts *opts, struct sample_stream **ret)
{
	struct sample_stream *ss = calloc(1, sizeof(*ss));

	if (!ss)
		return -ENOMEM;
	ss->opts = *opts;
	*ret = ss;
	return 0;
}

void sample_stream_free(struct sample_stream *ss)
{
	if (!ss)
		return;
	free(ss->pending);
	free(ss);
}

void sample_stream_set_rate(struct sample_stream *ss, uint64_t mem_profile_rate)
{
	ss->rate = mem_profile_rate;
}

static bool is_map_place(uint32_t place)
{
	return place == WIRE_PLACE_MAP_ASSIGN || place == WIRE_PLACE_MAP_DELETE ||
	       place == WIRE_PLACE_SYNC_MAP_ASSIGN || place == WIRE_PLACE_SYNC_MAP_DELETE;
}

/* The model's site that a sample counts at, or -errno. */
static int64_t site_of(struct sample_stream *ss, const struct wire_sample *sample, uint32_t stack,
		       uint64_t load_bias)
{
	if (is_map_place(sample->place))
		return ss->opts.map_site(sample->typ, stack, ss->opts.ctx);
	/* The runtime's own samples don't have the type. */
	int64_t type = sample->place == WIRE_PLACE_PROFILE
			       ? symbolizer_unknown_type(ss->opts.symbolizer)
			       : symbolizer_type(ss->opts.symbolizer, sample->typ, load_bias);

	return type < 0 ? type
			: model_site(ss->opts.model, stack, (uint32_t)type, sample->size_class,
				     ss->opts.by_goroutine ? sample->goid : 0, 0);
}

static int take_of_window(struct sample_stream *ss, const struct placed *placed)
{
	if (placed->window <= ss->last_window || ss->pending_nr == PENDING_MAX) {
		ss->late++;
		return 0;
	}
	int rc = grow(&ss->pending, ss->pending_nr, &ss->pending_cap, sizeof(ss->pending[0]));

	if (!rc)
		ss->pending[ss->pending_nr++] = *placed;
	return rc;
}

static void add_sampled(struct sample_stream *ss, const struct wire_sample *sample, uint32_t site)
{
	if (!ss->rate)
		return;
	if (sample->size_class != ESTIMATE_CLASS_LARGE) {
		model_add_sampled(ss->opts.model, site, 1, ss->rate);
		return;
	}
	const struct model_large_samples large = samples_of_large(sample->bytes, ss->rate);
	model_add_sampled_large(ss->opts.model, site, 1, &large, ss->rate);
}

int sample_stream_take(struct sample_stream *ss, const struct wire_sample *sample,
		       uint64_t load_bias)
{
	struct placed placed = { .mono_ns = sample->ev.mono_ns,
				 .objects = sample->objects,
				 .window = sample->window,
				 .tid = sample->ev.tid,
				 .map = is_map_place(sample->place) ? sample->bytes : 0,
				 .bytes = sample->size_class == ESTIMATE_CLASS_LARGE &&
							  !is_map_place(sample->place)
						  ? sample->bytes
						  : 0,
				 .goid = sample->goid,
				 .place = sample->place,
				 .size_class = sample->size_class };
	int64_t stack = ss->opts.stack(sample->stack, ss->opts.ctx);
	int64_t site = stack < 0 || sample->place == WIRE_PLACE_REFILL
			       ? stack
			       : site_of(ss, sample, (uint32_t)stack, load_bias);

	if (sample->size_class >= ESTIMATE_CLASS_NR)
		return 0;
	if (site < 0) {
		ss->unplaced++;
		return site == -ENOMEM ? -ENOMEM : 0;
	}
	if (sample->place == WIRE_PLACE_PROFILE) {
		add_sampled(ss, sample, (uint32_t)site);
		return 0;
	}
	placed.root = model_root(ss->opts.model, (uint32_t)stack);
	placed.site = (uint32_t)site;
	return take_of_window(ss, &placed);
}

/* --- a window becomes a unit ------------------------------------------------------------------ */

static int placed_cmp(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int d = cmp_u64(x->window, y->window);

	if (!d)
		d = cmp_u64(x->place == WIRE_PLACE_REFILL, y->place == WIRE_PLACE_REFILL);
	if (!d)
		d = cmp_u64(x->root, y->root);
	if (!d)
		d = cmp_u64(is_map_place(x->place) ? x->place : 0,
			    is_map_place(y->place) ? y->place : 0);
	if (!d && x->place == WIRE_PLACE_REFILL)
		d = cmp_u64(x->goid, y->goid);
	else if (!d)
		d = cmp_u64(x->site, y->site);
	if (!d && x->place != WIRE_PLACE_REFILL)
		d = cmp_u64(x->size_class, y->size_class);
	return d ? d : cmp_u64(x->mono_ns, y->mono_ns);
}

static void add_refill(struct unit *u, const struct placed *p)
{
	/* By root, goroutine and time: classes come as they do, and few of them. */
	for (size_t i = u->refills_nr; i-- && u->refills[i].root == p->root;) {
		if (u->refills[i].size_class == p->size_class) {
			u->refills[i].objects = sum_u63(u->refills[i].objects, p->objects);
			return;
		}
	}
	u->refills[u->refills_nr++] = (struct estimate_refill){ .root = p->root,
								.size_class = p->size_class,
								.objects = p->objects };
}

static void add_gap(struct unit *u, const struct placed *before, const struct placed *p)
{
	if (before->root != p->root || before->goid != p->goid)
		return;
	if (!u->gaps_nr || u->gaps[u->gaps_nr - 1].root != p->root)
		u->gaps[u->gaps_nr++] = (struct estimate_gaps){ .root = p->root };
	u->gaps[u->gaps_nr - 1].nr++;
	u->gaps[u->gaps_nr - 1].sum_s += (double)(p->mono_ns - before->mono_ns) / 1e9;
}

static double rate_of(const struct placed *p)
{
	return p->could_s > 0 ? 1 / p->could_s : 0;
}

static void add_hit(struct unit *u, const struct placed *p)
{
	struct estimate_hit *last = u->hits_nr ? &u->hits[u->hits_nr - 1] : NULL;

	if (last && last->site == p->site && last->root == p->root &&
	    last->size_class == p->size_class) {
		last->objects = sum_u63(last->objects, p->objects);
		last->bytes = sum_u63(last->bytes, p->bytes);
		last->rate += rate_of(p);
	} else {
		u->hits[u->hits_nr++] = (struct estimate_hit){ .site = p->site,
							       .root = p->root,
							       .size_class = p->size_class,
							       .objects = p->objects,
							       .bytes = p->bytes,
							       .rate = rate_of(p) };
	}
}

static void add_map_op(struct unit *u, const struct placed *p)
{
	uint64_t alone = p->most > 0, most_milli = alone ? samples_most_milli(p->most) : 0;
	double rate = alone ? 0 : rate_of(p);
	enum model_map_operation op = p->place == WIRE_PLACE_MAP_ASSIGN ||
						      p->place == WIRE_PLACE_SYNC_MAP_ASSIGN
					      ? MODEL_MAP_ASSIGN
					      : MODEL_MAP_DELETE;
	struct model_unit_map_op *last = u->map_ops_nr ? &u->map_ops[u->map_ops_nr - 1] : NULL;

	if (last && last->map_site == p->site && last->root == p->root && last->operation == op)
		*last = (struct model_unit_map_op){
			last->map_site,	  last->root,	       op,
			last->calls + 1,  last->alone + alone, last->most_milli + most_milli,
			last->rate + rate
		};
	else
		u->map_ops[u->map_ops_nr++] = (struct model_unit_map_op){ .map_site = p->site,
									  .root = p->root,
									  .operation = op,
									  .calls = 1,
									  .alone = alone,
									  .most_milli = most_milli,
									  .rate = rate };
}

static void unit_deinit(struct unit *u)
{
	free(u->refills);
	free(u->gaps);
	free(u->hits);
	free(u->map_ops);
}

static bool is_kept(const struct placed *p, const struct govern_window *window)
{
	return p->place != WIRE_PLACE_REFILL && p->mono_ns >= window->kept_from_ns &&
	       p->mono_ns <= window->end_ns;
}

static int goid_cmp(const void *a, const void *b)
{
	return cmp_u64(((const struct slowed_hit *)a)->goid, ((const struct slowed_hit *)b)->goid);
}

/* --- what a hit stands for -------------------------------------------------------------------- */

/* 0 of goroutines that allocate: what these do goes with that. */
static void drop_allocators(const struct placed *v, struct slowed_hit *hits, size_t nr)
{
	if (nr)
		qsort(hits, nr, sizeof(hits[0]), goid_cmp);
	for (size_t i = 0, next; i < nr; i = next) {
		bool allocates = false;

		for (next = i; next < nr && hits[next].goid == hits[i].goid; next++)
			allocates |= !is_map_place(v[hits[next].id].place);
		for (size_t k = i; allocates && k < next; k++)
			hits[k].most = 0;
	}
}

/*
 * Of each sample how many more of it there would be without windows, at most; 0 of those that aren't kept, and of
 * goroutines that allocate. 0 or -ENOMEM.
 */
static int bound_all(const struct sample_stream *ss, struct placed *v, size_t nr,
		     const struct govern_window *window)
{
	_cleanup_free_ struct slowed_hit *hits = calloc(nr + 1, sizeof(hits[0]));
	size_t kept = 0;

	if (!hits)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		if (is_kept(&v[i], window))
			hits[kept++] = (struct slowed_hit){ .mono_ns = v[i].mono_ns,
							    .goid = v[i].goid,
							    .map = v[i].map,
							    .tid = v[i].tid,
							    .id = (uint32_t)i };
	slowed_at_most(hits, kept, window->kept_from_ns, window->end_ns,
		       (double)model_hit_ns(ss->opts.model) / 1e9);
	drop_allocators(v, hits, kept);
	for (size_t i = 0; i < kept; i++)
		v[hits[i].id].most = hits[i].most;
	return 0;
}

/* Has it a counterpart among refills? Those tell of blocks of tiny objects, and not of large ones. */
static bool is_refilled(const struct placed *p)
{
	return p->place != WIRE_PLACE_REFILL && !is_map_place(p->place) &&
	       p->size_class != ESTIMATE_CLASS_LARGE && p->size_class != ESTIMATE_CLASS_TINY;
}

/* Refills, and all hits of the second stage in its time: those that came before and after are none of its own. */
static size_t events_of(struct sample_stream *ss, const struct placed *v, size_t nr,
			const struct govern_window *w, struct inclusion_event *events)
{
	size_t events_nr = 0;

	for (size_t i = 0; i < nr; i++) {
		bool refill = v[i].place == WIRE_PLACE_REFILL;

		if (refill ? !v[i].objects || v[i].mono_ns > w->attach_ns
			   : v[i].mono_ns < w->open_ns || v[i].mono_ns > w->end_ns)
			continue;
		events[events_nr++] =
			(struct inclusion_event){ .at_s = (double)v[i].mono_ns / 1e9,
						  .objects = refill ? (double)v[i].objects : 0,
						  .id = i };
		ss->hits += !refill;
		ss->objects_hit += is_refilled(&v[i]);
	}
	return events_nr;
}

/* For how long a window could have begun and met each; and how this one did begin. Without a first stage nobody knows. */
static int include_all(struct sample_stream *ss, struct placed *v, size_t nr,
		       const struct govern_window *w, enum estimate_began *began)
{
	_cleanup_free_ struct inclusion_event *events = NULL;
	const double hits_before = ss->hits;

	*began = ESTIMATE_BEGAN_UNKNOWN;
	if (!w->refill_ns || !w->exact_hits)
		return 0;
	events = calloc(nr + 1, sizeof(events[0]));
	if (!events)
		return -ENOMEM;
	size_t events_nr = events_of(ss, v, nr, w, events);
	/* Limits are of all hits, and some are of no object, or lost. */
	double part = min_f64((ss->hits - hits_before) / (double)w->exact_hits, 1);
	struct inclusion_window window = {
		.refills_s = (double)w->refill_from_ns / 1e9,
		.attach_s = (double)w->attach_ns / 1e9,
		.open_s = (double)w->open_ns / 1e9,
		.end_s = (double)w->end_ns / 1e9,
		.length_s = (double)w->length_ns / 1e9,
		.skip_s = (double)w->skip_ns / 1e9,
		.max_hits = part * (double)w->max_hits,
		.skip_hits = part * (double)w->skip_hits,
		.hit_s = (double)model_hit_ns(ss->opts.model) / 1e9,
		.hits_per_object = ss->objects_hit > 0 ? ss->hits / ss->objects_hit : 1,
	};
	int rc = inclusion_of(&window, events, events_nr);
	for (size_t i = 0; !rc && i < events_nr; i++)
		v[events[i].id].could_s = events[i].could_s;
	*began = window.began;
	return rc;
}

/* --- a window becomes a unit, once it is known what its hits stand for ------------------------ */

/* Of samples in placed_cmp()'s order. */
static int make_unit(const struct placed *v, size_t nr, const struct govern_window *window,
		     struct unit *u)
{
	u->refills = calloc(nr + 1, sizeof(u->refills[0]));
	u->gaps = calloc(nr + 1, sizeof(u->gaps[0]));
	u->hits = calloc(nr + 1, sizeof(u->hits[0]));
	u->map_ops = calloc(nr + 1, sizeof(u->map_ops[0]));
	if (!u->refills || !u->gaps || !u->hits || !u->map_ops)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		const struct placed *p = &v[i];

		if (p->place == WIRE_PLACE_REFILL) {
			add_refill(u, p);
			if (i && v[i - 1].place == WIRE_PLACE_REFILL)
				add_gap(u, &v[i - 1], p);
		} else if (!is_kept(p, window)) {
			continue;
		} else if (is_map_place(p->place)) {
			add_map_op(u, p);
		} else {
			add_hit(u, p);
		}
	}
	return 0;
}

static int add_unit(struct sample_stream *ss, const struct govern_window *w, const struct unit *u)
{
	uint64_t kept = w->end_ns > w->kept_from_ns ? w->end_ns - w->kept_from_ns : 0;
	const struct model_unit unit = {
		.start_ns = w->start_ns,
		.hits = w->refill_hits + w->exact_hits,
		.alloc = { .slot_s = (double)w->slot_ns / 1e9,
			   .refill_s = (double)w->refill_ns / 1e9,
			   .kept_s = (double)kept / 1e9,
			   .began = u->began,
			   .times = w->times,
			   .refills = u->refills,
			   .gaps = u->gaps,
			   .hits = u->hits,
			   .refills_nr = u->refills_nr,
			   .gaps_nr = u->gaps_nr,
			   .hits_nr = u->hits_nr },
		.map_ops = u->map_ops,
		.map_ops_nr = u->map_ops_nr,
	};
	int rc = model_add_unit(ss->opts.model, &unit);

	if (rc == -E2BIG)
		ss->unplaced += unit.hits;
	return rc == -E2BIG ? 0 : rc;
}

static int take_window(struct sample_stream *ss, struct placed *v, size_t nr,
		       struct govern_window *window)
{
	_cleanup_(unit_deinit) struct unit unit = { 0 };
	int rc = bound_all(ss, v, nr, window);

	if (!rc)
		rc = include_all(ss, v, nr, window, &unit.began);
	if (!rc)
		rc = make_unit(v, nr, window, &unit);
	window->cut = unit.began == ESTIMATE_BEGAN_IN_REST_CUT;
	return rc ? rc : add_unit(ss, window, &unit);
}

int sample_stream_window(struct sample_stream *ss, struct govern_window *window)
{
	size_t first = 0, end;
	int rc = 0;

	/* Where none ever came there is nothing to sort or to point into. */
	if (ss->pending_nr)
		qsort(ss->pending, ss->pending_nr, sizeof(ss->pending[0]), placed_cmp);
	/* Of one before it that never was over nothing can be told. */
	while (first < ss->pending_nr && ss->pending[first].window < window->number)
		first++;
	for (end = first; end < ss->pending_nr && ss->pending[end].window == window->number; end++)
		;
	ss->late += first;
	/* One of maps only is from when the runtime took samples: where it takes none any more it tells nothing. */
	if (window->whole && !(window->maps_only && !ss->rate))
		rc = take_window(ss, end > first ? &ss->pending[first] : NULL, end - first, window);
	if (ss->pending_nr > end)
		memmove(ss->pending, ss->pending + end,
			(ss->pending_nr - end) * sizeof(ss->pending[0]));
	ss->pending_nr -= end;
	ss->last_window = window->number;
	return rc;
}

uint64_t sample_stream_late(const struct sample_stream *ss)
{
	return ss->late;
}

uint64_t sample_stream_unplaced(const struct sample_stream *ss)
{
	return ss->unplaced;
}
