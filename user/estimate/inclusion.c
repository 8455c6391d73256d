/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time in three coordinates: the program's own, that of one who looks (each hit puts off what follows), and hits. Both stages are
 * put into them as a row of points. A window that began at a point meets an event if it is no further than its limits
 * in the second and the third, and further than what is thrown away; what lies in between, in the first, is the answer.
 *
 * How much a hit puts off isn't what it costs: threads go on beside one another, and who works by the clock catches up where it
 * would have waited. What the first stage saw last tells how long as many hits take when nobody looks.
 */
#include "estimate/inclusion.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/f64.h"

/* The program is never slowed down more than so many times: what a hit costs isn't known so well. */
#define SLOWED_MAX 30.0
/* While probes are put in it goes on as right after. */
#define AFTER_S 1e-3
/* How far back the first stage is as the second would be without hits: where so many are found. */
#define LAST_MIN_S 0.25e-3
#define LAST_MAX_S 8e-3
#define LAST_HITS 300.0
#define COULD_MIN_S 1e-6
/* Times the mean rate that the last may be of who goes on as ever. */
#define STEADY 2.0
/* A part of the rate in the window that is none to speak of; and objects that some refill would have told of, of any class. */
#define REST 0.1
#define REFILLED_SURELY 4000.0

struct point {
	double own_s, looked_s, hits; /* since the first point */
};

struct row {
	struct point *v;
	size_t nr;
	double hit_s; /* what each hit puts off */
};

static bool is_hit(const struct inclusion_event *v)
{
	return v->objects <= 0;
}

static void add_point(struct row *row, double own_s, double looked_s, double hits)
{
	const struct point *last = &row->v[row->nr - 1];

	row->v[row->nr++] = (struct point){ last->own_s + own_s, last->looked_s + looked_s,
					    last->hits + hits };
}

static double own_of(double time_s, double put_off_s)
{
	return max_f64(time_s - put_off_s, time_s / SLOWED_MAX);
}

/* Hits in a second that there would be, by the densest that the first stage saw last. More of it is less noise. */
static double last_rate(const struct inclusion_window *w, const struct inclusion_event *v,
			size_t nr)
{
	double most = 0, hits = 0, span_s = LAST_MIN_S;

	for (size_t i = nr; i-- > 0;) {
		for (; w->attach_s - v[i].at_s > span_s && span_s < LAST_MAX_S; span_s *= 2)
			most = hits >= LAST_HITS ? max_f64(most, hits / span_s) : most;
		if (w->attach_s - v[i].at_s > span_s)
			break;
		hits += v[i].objects * w->hits_per_object;
	}
	return max_f64(most, hits / span_s);
}

/* What each of the hits v[0] to v[nr - 1] puts off; rate: last_rate() */
static double put_off(const struct inclusion_window *w, const struct inclusion_event *v, size_t nr,
		      double rate)
{
	double hits = (double)nr, time_s = nr ? v[nr - 1].at_s - w->open_s : 0;

	if (time_s <= 0)
		return w->hit_s;
	double most_s = min_f64(w->hit_s, time_s / hits);
	return rate > 0 ? clip_f64(time_s / hits - 1 / rate, 0, most_s) : most_s;
}

static void add_refills(const struct inclusion_window *w, const struct inclusion_event *v,
			size_t nr, struct row *row)
{
	double at_s = w->refills_s;

	for (size_t i = 0; i < nr; i++) {
		double own_s = own_of(max_f64(v[i].at_s - at_s, 0), row->hit_s);
		double hits = v[i].objects * w->hits_per_object;

		add_point(row, own_s, own_s + hits * row->hit_s, hits);
		at_s = max_f64(at_s, v[i].at_s);
	}
	double rest_s = max_f64(w->attach_s - at_s, 0);
	add_point(row, rest_s, rest_s, 0);
}

/* While probes were put in. */
static void add_attach(const struct inclusion_window *w, const struct inclusion_event *v, size_t nr,
		       struct row *row)
{
	double time_s = max_f64(w->open_s - w->attach_s, 0), hits = 0;

	for (size_t i = 0; i < nr && v[i].at_s < w->open_s + AFTER_S; i++)
		hits += time_s / AFTER_S;
	add_point(row, own_of(time_s, hits * row->hit_s), time_s, hits);
}

static void add_hits(const struct inclusion_window *w, const struct inclusion_event *v, size_t nr,
		     struct row *row)
{
	double at_s = w->open_s;

	for (size_t i = 0; i < nr; i++) {
		double time_s = max_f64(v[i].at_s - at_s, 0);

		add_point(row, own_of(time_s, row->hit_s), time_s, 1);
		at_s = max_f64(at_s, v[i].at_s);
	}
}

/* In a rest: hardly anything happened before it. Then it was cut if there was more than it could see. */
static enum estimate_began how_it_began(const struct inclusion_window *w,
					const struct inclusion_event *v, size_t nr, double last,
					const struct row *row)
{
	if (!nr)
		return ESTIMATE_BEGAN_UNKNOWN;
	double own_s = row->v[row->nr - 1].own_s - row->v[row->nr - nr].own_s;
	double rate = (double)nr / max_f64(own_s, COULD_MIN_S);
	if (last > REST * rate)
		return ESTIMATE_BEGAN_AT_WORK;
	if (rate * LAST_MAX_S < REFILLED_SURELY * w->hits_per_object)
		return ESTIMATE_BEGAN_UNKNOWN;
	double time_s = v[nr - 1].at_s - v[0].at_s, rest_s = 0;
	for (size_t i = 1; i < nr; i++)
		rest_s = max_f64(rest_s, v[i].at_s - v[i - 1].at_s);
	bool full = (double)nr > w->max_hits - 0.5 ||
		    (time_s > w->length_s / 2 && w->end_s - v[nr - 1].at_s < w->length_s / 20);
	/* With a rest in between it has seen one end, and another begin. */
	bool cut = full && rest_s < time_s / 4;
	return cut ? ESTIMATE_BEGAN_IN_REST_CUT : ESTIMATE_BEGAN_IN_REST;
}

/* --- where a window can have begun ------------------------------------------------------------ */

static double between(double from, double to, double way, double of)
{
	return of > 0 ? from + (to - from) * clip_f64(way / of, 0, 1) : from;
}

static bool is_later(const struct point *p, double looked_s)
{
	return p->looked_s > looked_s;
}

static bool has_as_many(const struct point *p, double hits)
{
	return p->hits >= hits;
}

static bool has_more(const struct point *p, double hits)
{
	return p->hits > hits;
}

/* The first point of which that is true, as of all after it; row->nr: of none. */
static size_t first_that(const struct row *row, bool (*is)(const struct point *p, double of),
			 double of)
{
	size_t low = 0, high = row->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (is(&row->v[middle], of))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* By what it looks like. Before the first point nothing is known, and nothing is taken to have happened. */
static double own_at(const struct row *row, double looked_s)
{
	if (looked_s < 0)
		return looked_s;
	size_t next = first_that(row, is_later, looked_s);
	const struct point *p = &row->v[next - 1];
	if (next == row->nr)
		return p->own_s;
	return between(p->own_s, p[1].own_s, looked_s - p->looked_s, p[1].looked_s - p->looked_s);
}

/* By hits, from or to where there were as many: where nothing is hit for a while that is the beginning or the end of it. */
static double own_at_hits(const struct row *row, double hits, bool end)
{
	if (hits < 0)
		return -INFINITY;
	size_t next = first_that(row, end ? has_more : has_as_many, hits);
	if (!next || next == row->nr)
		return row->v[next ? next - 1 : 0].own_s;
	const struct point *p = &row->v[next - 1];
	if (end && p->hits == hits)
		return p->own_s;
	return between(p->own_s, p[1].own_s, hits - p->hits, p[1].hits - p->hits);
}

/* Limits are reached when either is: what is within began after both, what isn't thrown away before one. */
static double could_s(const struct inclusion_window *w, const struct row *row,
		      const struct point *event)
{
	double earliest_s = max_f64(own_at(row, event->looked_s - w->length_s),
				    own_at_hits(row, event->hits - w->max_hits, false));
	double latest_s = max_f64(own_at(row, event->looked_s - w->skip_s),
				  own_at_hits(row, event->hits - w->skip_hits, true));

	return max_f64(latest_s - earliest_s, COULD_MIN_S);
}

/* Who goes on as he did all through the first stage has the rate that it tells. */
static void keep_rate(const struct inclusion_window *w, struct inclusion_event *v, size_t nr,
		      double rate)
{
	double sum = 0;

	for (size_t i = 0; i < nr; i++)
		if ((double)i >= w->skip_hits || v[i].at_s >= w->open_s + w->skip_s)
			sum += 1 / v[i].could_s;
	for (size_t i = 0; sum > 0 && i < nr; i++)
		v[i].could_s = max_f64(v[i].could_s * sum / rate, COULD_MIN_S);
}

static int by_time(const void *a, const void *b)
{
	const struct inclusion_event *x = a, *y = b;
	int d = is_hit(x) - is_hit(y);

	return d ? d : (x->at_s > y->at_s) - (x->at_s < y->at_s);
}

int inclusion_of(struct inclusion_window *w, struct inclusion_event *v, size_t nr)
{
	_cleanup_free_ struct point *points = calloc(nr + 3, sizeof(*points));
	struct row row = { .v = points, .nr = 1 };
	size_t refills = 0;

	if (!points)
		return -ENOMEM;
	if (nr)
		qsort(v, nr, sizeof(v[0]), by_time);
	while (refills < nr && !is_hit(&v[refills]))
		refills++;
	struct inclusion_event *hits = v + refills;
	size_t hits_nr = nr - refills;
	double last = last_rate(w, v, refills);
	row.hit_s = put_off(w, hits, hits_nr, last);
	add_refills(w, v, refills, &row);
	add_attach(w, hits, hits_nr, &row);
	size_t first = row.nr;
	add_hits(w, hits, hits_nr, &row);
	w->began = how_it_began(w, hits, hits_nr, last, &row);
	for (size_t i = 0; i < hits_nr; i++)
		hits[i].could_s = could_s(w, &row, &points[first + i]);
	double mean = points[first - 2].hits / max_f64(w->attach_s - w->refills_s, COULD_MIN_S);
	if (last < STEADY * mean && last > mean / STEADY)
		keep_rate(w, hits, hits_nr, mean);
	return 0;
}
