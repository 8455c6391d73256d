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

/*
 * Does the runtime take samples of its own in this process, or, proc NULL, in one that is yet to begin? Then those tell
 * where it allocates.
 */
bool sampling_profiled(const struct proc *proc, struct gobin *bin);

/* Read where the totals stand, calibrate and begin with the windows. 0 or -errno with the reason. Free in any case. */
int sampling_start(const struct sampling_opts *opts, struct sampling **ret, struct err *err);

/* Hand on the windows that are over. Once events were taken after it was asked: their samples are there then. */
int sampling_windows(struct sampling *s, struct err *err);

/* Read the totals, and once it is known that they are the target's, bring the model's and its costs up to date. */
void sampling_read(struct sampling *s);
void sampling_take(struct sampling *s);

/* The target's last word of its totals; sampling_take() is to follow. */
void sampling_take_exit(struct sampling *s, const struct wire_totals *totals);

/* No window is open afterwards, and none will be. What was open is handed on by sampling_windows(). */
void sampling_stop(struct sampling *s);
void sampling_free(struct sampling *s);

#endif
