/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For how long a window could have begun and still have met a hit. Pure: numbers in, numbers out.
 *
 * Windows begin at random, and end after a time or a number of hits, whichever comes first; a program that is slowed down
 * several times by being looked at comes less far in that time where it allocates much. So what a window meets
 * depends on what is before it: of a burst after a rest the first part is in many windows, each of which began in the rest, and
 * what comes later only in the few that began in the burst itself. Each hit stands for the reverse of the time in
 * which a window that meets it can have begun. How far back that is can be told: the first stage saw what the
 * program did before the second, hardly slowed down. It must be as long as the second, or more.
 */
#ifndef GALLOP_ESTIMATE_INCLUSION_H
#define GALLOP_ESTIMATE_INCLUSION_H

#include <stddef.h>

#include "estimate/estimate.h"

/* A window; times are seconds of one clock. */
struct inclusion_window {
	double refills_s; /* when the first stage began */
	/* When the second stage's probes began to be put in, when hits began to count, and when it ended. */
	double attach_s, open_s, end_s;
	/* Its limits of time and of hits; and those of what is thrown away, which ends when either is reached. */
	double length_s, skip_s;
	double max_hits, skip_hits;
	double hit_s; /* what a hit costs its thread */
	double hits_per_object; /* of the second stage, for each that refills tell of */
	enum estimate_began began; /* out */
};

/* A refill, or a hit of the second stage; those that are thrown away too. */
struct inclusion_event {
	double at_s;
	double objects; /* of a refill; 0: it is a hit */
	size_t id; /* the caller's: events come back in another order */
	/* Out, of a hit that isn't thrown away: for how long a window that meets it could have begun, at least a microsecond. */
	double could_s;
};

/* Reorders v: refills first, then hits, each by time. 0 or -ENOMEM. */
int inclusion_of(struct inclusion_window *w, struct inclusion_event *v, size_t nr);

#endif
