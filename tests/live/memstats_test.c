/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is what memstats_read finds in a process's memory what the process itself calls the truth?
 *
 *	memstats_test rest EXE	the process rests: every number must be equal, flushed or not
 *	memstats_test run EXE [N]
 *				it allocates all the time: a reading must lie between two of its own, and
 *				N readings (2000) must never fall
 *
 * A running process can deceive a reader once in some ten thousand readings (user/proc/memstats.c
 * says how; N = 100000 measures how often), so as many errors as have a chance of one in a million
 * are let pass, and counted.
 *
 * EXE is tests/go/memtotals. Prints what was measured. Exit status 0 or 1.
 */
#include "target.h"

#include <inttypes.h>
#include <time.h>

#include "proc/memstats.h"

enum {
	TIMEOUT_S = 120,
	BRACKETS_NR = 200,
	BRACKET_ERRORS_MAX = 1,
	READINGS_NR = 2000,
	BY_SIZE_NR = 61, /* len(runtime.MemStats.BySize) */
};

struct truth {
	uint64_t mallocs, total_alloc;
	uint64_t by_size[BY_SIZE_NR];
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static struct memstats_reader reader;

static void open_reader(struct target *t)
{
	struct err err;

	target_open(t);
	if (memstats_reader_init(&reader, t->proc, t->bin, t->bias, &err) < 0)
		die("%s", err.msg);
}

static void ask(struct target *t, struct truth *ret)
{
	char line[TARGET_LINE_CAP];
	char *end, *at;

	target_go_on(t);
	if (!target_next_line(t, line))
		die("the program does not answer");
	if (sscanf(line, "{\"mallocs\":%" SCNu64 ",\"total_alloc\":%" SCNu64, &ret->mallocs,
		   &ret->total_alloc) != 2 ||
	    !(at = strchr(line, '[')))
		die("the program answers nonsense: %s", line);
	for (int i = 0; i < BY_SIZE_NR; i++, at = end)
		ret->by_size[i] = strtoull(at + 1, &end, 10);
}

static void must_read(struct memstats *ret)
{
	int code = memstats_read(&reader, ret);

	if (code < 0)
		die("memstats_read: %s", strerror(-code));
}

static void must_equal(const char *what, const struct memstats *m, const struct truth *truth)
{
	if (m->mallocs != truth->mallocs || m->total_alloc != truth->total_alloc ||
	    m->unsettled != 0)
		die("%s: mallocs %" PRIu64 ", total_alloc %" PRIu64 ", unsettled %" PRIu64
		    "; truth %" PRIu64 ", %" PRIu64,
		    what, m->mallocs, m->total_alloc, m->unsettled, truth->mallocs,
		    truth->total_alloc);
	for (int c = 1; c < BY_SIZE_NR; c++)
		if (m->class_objects[c] != truth->by_size[c])
			die("%s: class %d (%d bytes): %" PRIu64 " objects; truth %" PRIu64, what, c,
			    go_class_to_size[c], m->class_objects[c], truth->by_size[c]);
}

/* The question flushes every mcache: before it, what is counted is spread over them. */
static void check_rest(struct target *t)
{
	struct memstats spread, flushed;
	struct truth truth;

	must_read(&spread);
	ask(t, &truth);
	must_read(&flushed);
	must_equal("before the flush", &spread, &truth);
	must_equal("after the flush", &flushed, &truth);
	printf("%" PRIu64 " objects, %" PRIu64 " bytes, %u Ps: equal\n", truth.mallocs,
	       truth.total_alloc, spread.ps_nr);
}

static bool is_between(const struct truth *from, const struct memstats *m, const struct truth *to)
{
	return m->mallocs + m->unsettled >= from->mallocs && m->mallocs <= to->mallocs &&
	       m->total_alloc + m->unsettled_bytes >= from->total_alloc &&
	       m->total_alloc <= to->total_alloc;
}

static void check_brackets(struct target *t)
{
	struct truth from, to;
	struct memstats m;
	int errors = 0;
	uint64_t width = 0;

	for (int i = 0; i < BRACKETS_NR; i++) {
		ask(t, &from);
		must_read(&m);
		ask(t, &to);
		errors += !is_between(&from, &m, &to);
		width += to.mallocs - from.mallocs;
	}
	printf("%d of %d outside brackets of %" PRIu64 " objects", errors, BRACKETS_NR,
	       width / BRACKETS_NR);
	if (errors > BRACKET_ERRORS_MAX)
		die(": that is too many");
}

/*
 * A total never falls. A reading that counted something twice makes the one after it look like a
 * fall, which shows errors of a few objects that are lost in the width of a bracket.
 */
static void check_rise(int readings_nr)
{
	struct memstats m, last = { 0 };
	int settled = 0, fell = 0;
	uint64_t unsettled = 0, fell_most = 0, first = 0, begin_ns = now_ns();

	for (int i = 0; i < readings_nr; i++) {
		must_read(&m);
		settled += m.unsettled == 0;
		unsettled += m.unsettled;
		if (m.mallocs + m.unsettled < last.mallocs) {
			uint64_t by = last.mallocs - m.mallocs - m.unsettled;
			fell_most = by > fell_most ? by : fell_most;
			fell++;
		}
		first = i == 0 ? m.mallocs : first;
		last = m;
	}
	double took_us = (double)(now_ns() - begin_ns) / 1e3;
	printf("; %d readings of %.0f us at %.1f M objects/s: %d settled, %.1f objects in doubt "
	       "on average, fell %d times (by %" PRIu64 " at most)\n",
	       readings_nr, took_us / readings_nr, (double)(last.mallocs - first) / took_us,
	       settled, (double)unsettled / readings_nr, fell, fell_most);
	if (fell > 3 + readings_nr / 1000)
		die("that is too often");
}

int main(int argc, char **argv)
{
	bool run = argc >= 3 && argc <= 4 && strcmp(argv[1], "run") == 0;
	if (!run && !(argc == 3 && strcmp(argv[1], "rest") == 0)) {
		fprintf(stderr, "usage: memstats_test rest EXE | run EXE [N]\n");
		return 2;
	}
	alarm(TIMEOUT_S);
	signal(SIGPIPE, SIG_IGN);

	struct target t;
	target_spawn(&t, argv[2], argv[1], NULL);
	open_reader(&t);
	if (run) {
		check_brackets(&t);
		check_rise(argc == 4 ? atoi(argv[3]) : READINGS_NR);
	} else {
		check_rest(&t);
	}
	target_close(&t);
	return 0;
}
