/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gallop's count held against the runtime's own over the same span of time.
 *
 * Each reading takes gallop's count, the runtime's from the process's memory, and gallop's again: what
 * moved in between, and what may be under way, is how finely the two can be compared. A target that gallop started begins at zero,
 * and one that ends normally gives a last reading at its exit.
 */
#ifndef GALLOP_SESSION_TRUTH_H
#define GALLOP_SESSION_TRUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"
#include "proc/memstats.h"

struct probe;
struct wire_mark;

struct truth_reading {
	uint64_t mono_ns;
	uint64_t runtime_objects;
	uint64_t gallop_objects;
	uint64_t slack;
};

struct truth {
	struct memstats_reader reader;
	uint32_t
		process; /* whose count of gallop's, by its index; WIRE_PROCESS_NONE: all there is */
	bool readable; /* the reader is set up */
	bool begun, ended; /* the readings below are there */
	struct truth_reading begin, end;
	char why_not[160];
};

/* Of all that gallop counts. Where the counters are; when they can't be found, the reason is kept for the check line. */
void truth_init(struct truth *t, const struct proc *proc, struct gobin *bin, uint64_t load_bias);

/* The first reading: of a running process, or of one that hasn't allocated yet. */
void truth_begin(struct truth *t, const struct probe *probe);
void truth_begin_at_zero(struct truth *t, uint64_t mono_ns);

/* Another reading; the last one that succeeds is the end. */
void truth_read(struct truth *t, const struct probe *probe);
void truth_take_exit(struct truth *t, const struct wire_mark *mark);

/* Both counts while the world was stopped: they are compared by themselves. */
void truth_take_stop(const struct wire_mark *mark, struct model *m);

/* What the model says of it. */
void truth_to_check(const struct truth *t, struct model_check *check);

#endif
