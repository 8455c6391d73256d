/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much more often calls would have happened, had nobody looked: at most.
 *
 * Windows tell how often a map is used while each use is trapped. Who waits for something else all day is hardly slowed
 * down by that, and who does little else comes to one use for each trap: how long that would be without is less than is known of
 * a trap's cost. So calls in windows are too few, by a factor from 1 to what is found here. What allocates needs none
 * of it: there the runtime's own counts tell.
 */
#ifndef GALLOP_ESTIMATE_SLOWED_H
#define GALLOP_ESTIMATE_SLOWED_H

#include <stddef.h>
#include <stdint.h>

/* A hit of the kept part of a window. */
struct slowed_hit {
	uint64_t mono_ns;
	uint64_t goid; /* 0: not known: all such are taken for one */
	uint64_t map; /* address; 0: it is of no map */
	uint32_t tid;
	uint32_t id; /* the caller's: hits come back in another order */
	double most; /* out: its goroutine does so many times as much without windows, at most; 1 or more */
};

/*
 * What can have kept a goroutine from its next call, besides its own work: its own hits; those of others on a map that it
 * uses, while it waits for the lock of that map; those of all, while it waits for a CPU. Each of the three has a bound, and the
 * largest counts. Not bounded: who waits for a lock of several maps, or by a channel, for another that is trapped.
 *
 * A goroutine that was met so densely for so long that it may never have waited of its own will is taken not to have:
 * its time is that of those hits. Of others it is the whole of the window. hit_s, what a hit costs, may be off by
 * a fifth. Reorders v.
 */
void slowed_at_most(struct slowed_hit *v, size_t nr, uint64_t from_ns, uint64_t to_ns,
		    double hit_s);

#endif
