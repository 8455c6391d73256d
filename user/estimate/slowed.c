/* SPDX-License-Identifier: BSD-2-Clause */
#include "estimate/slowed.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/u64.h"

/* A hit may cost as many times what was measured: another probe, another cache. */
#define HIT_TIMES_MAX 1.2
/* Hits that are no further apart, in times of what they cost, are one stretch. */
#define DENSE_HITS 10.0
/*
 * Go takes a P from a goroutine after 10 ms, and the kernel a CPU from a thread after some 3, or earlier where others
 * wake up: who was dense for less long most likely stopped by itself. (With 2 ms a loop on a busy machine had no dense
 * stretch at all: tests/live/mapcalls.t.)
 */
#define DENSE_S 0.3e-3
/* No call, with the loop around it, takes less. */
#define CALL_MIN_S 1e-9

/* The kept part of a window. */
struct kept {
	uint64_t from_ns, to_ns;
	double hit_s;
};

static double since_s(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

/* Time with so many hits in it, against what is left of it. */
static double slowed(double time_s, double hits, double hit_s)
{
	double left = fmax(time_s - hits * hit_s * HIT_TIMES_MAX, hits * CALL_MIN_S);

	return left > 0 ? fmax(time_s / left, 1) : 1;
}

static bool is_dense(const struct kept *k, uint64_t from_ns, uint64_t to_ns)
{
	return since_s(from_ns, to_ns) < DENSE_HITS * k->hit_s;
}

/* The hits v[0] to v[nr - 1], one after the other. Where they go on to an end of the window they may go on beyond. */
static double slowed_stretch(const struct kept *k, const struct slowed_hit *v, size_t nr)
{
	bool from_begin = is_dense(k, k->from_ns, v[0].mono_ns);
	bool to_end = is_dense(k, v[nr - 1].mono_ns, k->to_ns);
	uint64_t from_ns = from_begin ? k->from_ns : v[0].mono_ns;
	double time_s = since_s(from_ns, to_end ? k->to_ns : v[nr - 1].mono_ns);

	if (time_s < DENSE_S && !(from_begin && to_end))
		return 1;
	/* Without ends there is a gap less than there are hits. */
	return slowed(time_s, (double)(nr - (from_begin || to_end ? 0 : 1)), k->hit_s);
}

/* Hits of one goroutine, or of one map, in the order of time. */
static double slowed_all(const struct kept *k, const struct slowed_hit *v, size_t nr)
{
	double most = slowed(since_s(k->from_ns, k->to_ns), (double)nr, k->hit_s);

	for (size_t i = 0, n; i < nr; i += n) {
		for (n = 1; i + n < nr && is_dense(k, v[i + n - 1].mono_ns, v[i + n].mono_ns); n++)
			;
		most = fmax(most, slowed_stretch(k, &v[i], n));
	}
	return most;
}

static uint64_t goid_of(const struct slowed_hit *h)
{
	return h->goid;
}

static uint64_t map_of(const struct slowed_hit *h)
{
	return h->map;
}

static uint64_t tid_of(const struct slowed_hit *h)
{
	return h->tid;
}

typedef uint64_t hit_key(const struct slowed_hit *h);

#define BY(key)                                                 \
	static int by_##key(const void *a, const void *b)       \
	{                                                       \
		const struct slowed_hit *x = a, *y = b;         \
		int d = cmp_u64(key##_of(x), key##_of(y));      \
                                                                \
		return d ? d : cmp_u64(x->mono_ns, y->mono_ns); \
	}

BY(goid)
BY(map)
BY(tid)

static size_t run_of(hit_key *key, const struct slowed_hit *v, size_t nr)
{
	size_t n = 1;

	while (n < nr && key(&v[n]) == key(v))
		n++;
	return n;
}

/* All hits of one of the key are sorted and together. */
static void bound_by(const struct kept *k, hit_key *key, struct slowed_hit *v, size_t nr)
{
	for (size_t i = 0, n; i < nr; i += n) {
		n = run_of(key, &v[i], nr - i);
		if (key == map_of && !v[i].map)
			continue;
		double most = slowed_all(k, &v[i], n);
		for (size_t j = i; j < i + n; j++)
			v[j].most = fmax(v[j].most, most);
	}
}

/* The time of as many CPUs as there are threads that were met, and all hits in it. */
static void bound_by_cpus(const struct kept *k, struct slowed_hit *v, size_t nr)
{
	double threads = 0;

	for (size_t i = 0; i < nr; i += run_of(tid_of, &v[i], nr - i))
		threads++;
	double most = slowed(threads * since_s(k->from_ns, k->to_ns), (double)nr, k->hit_s);
	for (size_t i = 0; i < nr; i++)
		v[i].most = fmax(v[i].most, most);
}

void slowed_at_most(struct slowed_hit *v, size_t nr, uint64_t from_ns, uint64_t to_ns, double hit_s)
{
	const struct kept k = { from_ns, to_ns, hit_s > 0 && isfinite(hit_s) ? hit_s : 0 };

	for (size_t i = 0; i < nr; i++)
		v[i].most = 1;
	if (!nr)
		return;
	qsort(v, nr, sizeof(v[0]), by_goid);
	bound_by(&k, goid_of, v, nr);
	qsort(v, nr, sizeof(v[0]), by_map);
	bound_by(&k, map_of, v, nr);
	qsort(v, nr, sizeof(v[0]), by_tid);
	bound_by_cpus(&k, v, nr);
}
