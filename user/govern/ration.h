/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may always be on: hits are paid from a bucket that fills at a constant rate, and when it is empty
 * groups of probes are given up until it has filled again. Pure: numbers in, decisions out.
 *
 * The budget is what it may cost over any 30 seconds; what it usually costs is to be at most half of that, or a server
 * that is busy would lose all of it. 0.2 of the budget is the bucket's rate, with the runtime's samples, which tell what
 * windows would, 0.3; it holds 0.1 of 30 seconds' budget, and windows take 0.2 or 0.1, with operations 0.3
 * (schedule.h). That the bucket is empty the kernel side tells at once, as it knows how many hits that is: a burst costs
 * what is in it, however fast it comes.
 *
 * Given up in this order, as far as a group has a part in the cost: calls of operations; clears and growth of maps; large
 * objects, which are then sampled with the others; the runtime's samples; mark assists; stops of the world and GC cycles,
 * one by one. Each is given back when the bucket is half full, after a while that grows if it is too much again. Assists
 * can't be told apart where the beginnings of cycles aren't seen: they go with the last, and don't come back before it.
 */
#ifndef GALLOP_GOVERN_RATION_H
#define GALLOP_GOVERN_RATION_H

#include <stdbool.h>

#include "bpf/wire.h"

enum ration_state { RATION_ABSENT, RATION_ON, RATION_OFF };

struct ration_group {
	enum ration_state state;
	double off_s; /* when it was given up */
	double wait_s; /* how long that is for, at least */
	double on_s; /* when it was given back */
};

struct ration {
	double budget, rate; /* shares of the target's CPU time */
	double room_s; /* CPU seconds in the bucket; below 0: overdrawn */
	struct ration_group groups[WIRE_GROUP_NR];
};

/* What is to be done: bits are groups. */
struct ration_change {
	unsigned give_up, give_back;
};

/* present: bits of the groups that are attached. */
void ration_init(struct ration *r, double budget, unsigned present, double cpus);

/* Whether the runtime's samples tell of allocations now; at first they don't. */
void ration_set_profiled(struct ration *r, bool profiled);

/* After so many hits the next tick is to come; it comes every second anyway. */
uint32_t ration_hits(const struct ration *r, double hit_s);

/*
 * now_s: of any clock; elapsed_s: since the last tick; cpus: that the target uses; cost_s: CPU seconds that each group
 * has cost since.
 */
struct ration_change ration_tick(struct ration *r, double now_s, double elapsed_s, double cpus,
				 const double cost_s[WIRE_GROUP_NR]);

/* Other CPU seconds of the target's that the bucket has to pay: what giving up and giving back took. */
void ration_pay(struct ration *r, double cost_s);

/* What was to be given back could not be: it is still off. */
void ration_stays_off(struct ration *r, enum wire_group group, double now_s);

#endif
