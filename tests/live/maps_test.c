/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is what gomap_read finds in a process's memory what the process itself calls the truth?
 *
 *	maps_test sizes EXE MAX		what maps of up to MAX entries hold: within 2 % of what the collector
 *					gives back when they are dropped
 *	maps_test lives EXE ROUNDS	which maps are there, while others come and go
 *
 * EXE is tests/go/mapheap. Prints what was measured. Exit status 0 or 1.
 */
#include "target.h"

#include <inttypes.h>
#include <time.h>

#include "base/cleanup.h"
#include "proc/gomap.h"

enum {
	TIMEOUT_S = 600,
	MAPS_MAX = 1024,
	MANY_NR = 60000, /* addresses that a service may ask for at a time */
};

static struct gomap_reader reader;

static void open_reader(struct target *t)
{
	struct err err;

	target_open(t);
	if (gomap_reader_init(&reader, t->proc, t->bin, t->bias, &err) < 0)
		die("%s", err.msg);
}

static struct go_map_shape shape_of(uint64_t typ)
{
	struct go_map_shape shape;
	int code = gomap_shape(&reader, typ, &shape);

	if (code < 0)
		die("gomap_shape: %s", strerror(-code));
	return shape;
}

static void must_read(struct gomap *maps, size_t nr)
{
	int code = gomap_read(&reader, maps, nr);

	if (code != 0)
		die("gomap_read: %d", code);
}

/* --- sizes ---------------------------------------------------------------------------------------- */

/* The maps of a line that begins with their name, type and number of entries. */
static size_t parse_maps(char *line, char *name, uint64_t *entries, struct gomap *maps)
{
	uint64_t typ;
	int at;
	if (sscanf(line, "map %99s %" SCNu64 " %" SCNu64 "%n", name, &typ, entries, &at) != 3)
		die("the program says nonsense: %s", line);

	struct go_map_shape shape = shape_of(typ);
	size_t nr = 0;
	char *end, *next = line + at;
	for (uint64_t addr; (addr = strtoull(next, &end, 10)) != 0 && nr < MAPS_MAX; next = end)
		maps[nr++] = (struct gomap){ .addr = addr, .shape = shape };
	return nr;
}

static uint64_t sum_maps(const struct gomap *maps, size_t nr, const char *name, uint64_t entries)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < nr; i++) {
		if (maps[i].state != HEAP_OBJECT || !maps[i].known)
			die("%s: state %d, known %d", name, maps[i].state, maps[i].known);
		if (maps[i].entries != entries)
			die("%s: %" PRIu64 " entries; truth %" PRIu64, name, maps[i].entries,
			    entries);
		sum += maps[i].bytes;
	}
	return sum;
}

static void check_sizes(struct target *t)
{
	char line[TARGET_LINE_CAP], name[100], worst_name[100] = "none";
	struct gomap maps[MAPS_MAX];
	double worst = 0;
	int nr = 0, bad = 0;

	for (; target_next_line(t, line) && strcmp(line, "done\n") != 0; nr++) {
		uint64_t entries;
		int64_t truth;
		size_t maps_nr = parse_maps(line, name, &entries, maps);
		must_read(maps, maps_nr);
		uint64_t sum = sum_maps(maps, maps_nr, name, entries);
		target_go_on(t);
		if (!target_next_line(t, line) || sscanf(line, "bytes %" SCNd64, &truth) != 1 ||
		    truth <= 0)
			die("the program says nonsense: %s", line);
		double off = ((double)sum - (double)truth) / (double)truth;
		if (off < -0.02 || off > 0.02) {
			printf("%s: %" PRIu64 " bytes; truth %" PRId64 " (%+.1f %%)\n", name, sum,
			       truth, 100 * off);
			bad++;
		}
		if (off * off > worst * worst) {
			worst = off;
			memcpy(worst_name, name, sizeof(name));
		}
	}
	printf("%d maps; the worst %s: %+.2f %%\n", nr, worst_name, 100 * worst);
	if (nr < 30 || bad)
		die("%d of %d are wrong", bad, nr);
}

/* --- lives ---------------------------------------------------------------------------------------- */

struct life {
	enum heap_state want;
	uint64_t word; /* of a dead one: the second of its header when it lived */
	uint64_t entries;
};

struct lives {
	size_t nr;
	struct gomap maps[MAPS_MAX];
	struct life lives[MAPS_MAX];
	size_t unknown, reused, kept; /* so far */
};

static void next_lives(struct target *t, struct lives *l)
{
	char line[TARGET_LINE_CAP], what[16];
	uint64_t addr, arg, entries;

	for (l->nr = 0; target_next_line(t, line) && strcmp(line, "end\n") != 0; l->nr++) {
		entries = 5;
		if (l->nr == MAPS_MAX || sscanf(line, "%15s %" SCNu64 " %" SCNu64 " %" SCNu64, what,
						&addr, &arg, &entries) < 3)
			die("the program says nonsense: %s", line);
		struct gomap *map = &l->maps[l->nr];
		*map = (struct gomap){ .addr = addr };
		l->lives[l->nr] = (struct life){ .entries = entries };
		if (strcmp(what, "dead") == 0) {
			l->lives[l->nr].want = HEAP_FREE;
			l->lives[l->nr].word = arg;
			map->shape = l->maps[0].shape;
			continue;
		}
		l->lives[l->nr].want = strcmp(what, "live") == 0 ? HEAP_OBJECT : HEAP_STACK;
		map->shape = shape_of(arg);
	}
}

static void check_life(struct lives *l, size_t i)
{
	const struct gomap *map = &l->maps[i];
	const struct life *life = &l->lives[i];
	uint64_t seed = reader.swiss ? life->word : life->word >> 32;

	if (map->state == HEAP_UNKNOWN) {
		l->unknown++;
		return;
	}
	if (life->want == HEAP_FREE) {
		l->reused += map->state != HEAP_FREE;
		/* Pages that have become a stack look as a map on it would. */
		l->kept += map->state == HEAP_OBJECT && map->known && map->seed == seed;
		return;
	}
	if (map->state != life->want)
		die("map %zu is in state %d, not %d", i, map->state, life->want);
	if (!map->known || map->entries != life->entries)
		die("map %zu: known %d, %" PRIu64 " entries, not %" PRIu64, i, map->known,
		    map->entries, life->entries);
	if (map->state == HEAP_STACK && map->bytes != 0)
		die("a map on a stack holds %" PRIu64 " bytes of the heap", map->bytes);
}

/* How long it takes to look at as many as there may be; these are a few, over and over. */
static void time_many(const struct lives *l)
{
	_cleanup_free_ struct gomap *maps = calloc(MANY_NR, sizeof(*maps));
	struct timespec from, to;

	for (size_t i = 0; i < MANY_NR; i++)
		maps[i] = l->maps[i % l->nr];
	clock_gettime(CLOCK_MONOTONIC, &from);
	must_read(maps, MANY_NR);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%d maps in %.1f ms\n", MANY_NR,
	       (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6);
}

static void check_lives(struct target *t, int rounds)
{
	static struct lives l;
	size_t nr = 0, dead = 0;

	for (int i = 0; i < rounds; i++) {
		next_lives(t, &l);
		if (l.nr < 300)
			die("the program does not answer");
		/* Several times, as the heap changes under it; the collector may run in any of them. */
		for (int again = 0; again < 5; again++) {
			must_read(l.maps, l.nr);
			for (size_t m = 0; m < l.nr; m++)
				check_life(&l, m);
			nr += l.nr;
		}
		for (size_t m = 0; m < l.nr; m++)
			dead += 5 * (l.lives[m].want == HEAP_FREE);
		if (i == rounds - 1)
			time_many(&l);
		target_go_on(t);
	}
	printf("%zu looks, %zu of them at dead maps (%zu of these slots used again, %zu not "
	       "collected), "
	       "%zu unknown\n",
	       nr, dead, l.reused, l.kept, l.unknown);
	/* What the runtime keeps is there: of a preempted goroutine it takes every word for a pointer. Mostly that is none. */
	if (l.kept > dead / 100)
		die("maps that were collected are said to be there");
	if (l.unknown > nr / 100)
		die("that is too often");
	if (l.reused > dead / 2)
		die("too many slots are used again to tell");
}

int main(int argc, char **argv)
{
	bool sizes = argc == 4 && strcmp(argv[1], "sizes") == 0;
	if (!sizes && !(argc == 4 && strcmp(argv[1], "lives") == 0)) {
		fprintf(stderr, "usage: maps_test sizes EXE MAX | lives EXE ROUNDS\n");
		return 2;
	}
	alarm(TIMEOUT_S);
	signal(SIGPIPE, SIG_IGN);

	struct target t;
	target_spawn(&t, argv[2], argv[1], sizes ? argv[3] : NULL);
	open_reader(&t);
	if (sizes)
		check_sizes(&t);
	else
		check_lives(&t, atoi(argv[3]));
	target_close(&t);
	return 0;
}
