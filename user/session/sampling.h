/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a session has that samples: the runtime's own totals, read from memory with no probe, and the governor, whose
 * windows become units of the model.
 *
 * Totals begin where counting did: at zero for a command, else at the first reading.
 */
#ifndef GALLOP_SESSION_SAMPLING_H
#define GALLOP_SESSION_SAMPLING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct gobin;
struct model;
struct probe;
struct proc;
struct sampling;
struct stream;
struct wire_totals;

struct sampling_opts {
	const struct proc *proc; /* borrowed, all but budget */
	struct gobin *bin;
	struct probe *probe;
	struct stream *stream;
	struct model *model;
	uint64_t load_bias;
	double budget; /* share of the target's CPU time */
	bool from_zero; /* the target has not allocated before counting began */
};

/* Read where the totals stand, calibrate and begin with the windows. 0 or -errno with the reason. Free in any case. */
int sampling_start(const struct sampling_opts *opts, struct sampling **ret, struct err *err);

/* Hand on the windows that are over. Once events were taken after it was asked: their samples are there then. */
int sampling_windows(struct sampling *s, struct err *err);

/* Before an interval's events are taken: what it costs, and for how long something was given up. */
void sampling_cost(struct sampling *s);

/* When an interval has ended: the next one is by the rate that was read last. */
void sampling_next(struct sampling *s);

/* Read the totals; once it is known that they are the target's, bring the model's up to date; or they are another's. */
void sampling_forget(struct sampling *s);
void sampling_read(struct sampling *s);
void sampling_take(struct sampling *s);

/*
 * Does the runtime take samples now and did not when it was read last, or the other way? Then an interval should end: what
 * it has is told by one of the two. Of one that goes on changing it isn't said.
 */
bool sampling_turns(struct sampling *s);

/* The target's last word of its totals; sampling_take() is to follow. */
void sampling_take_exit(struct sampling *s, const struct wire_totals *totals);

/* For how long stops and cycles weren't looked at one by one, to keep the budget: see governor_off_ns(). */
uint64_t sampling_gc_off_ns(struct sampling *s);

/* No window is open afterwards, and none will be. What was open is handed on by sampling_windows(). */
void sampling_stop(struct sampling *s);
void sampling_free(struct sampling *s);

#endif
