/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may always be on: hits are paid from a bucket that fills at a constant rate, and when it is empty groups of
 * probes are given up until it has filled again. Pure: numbers in, decisions out.
 *
 * The budget is what it may cost over any 30 seconds; what it usually costs is to be at most half of that, or a server
 * that is busy would lose all of it. 0.2 of the budget is the bucket's rate, with the runtime's samples, which tell what
 * windows would, 0.3; it holds 0.1 of 30 seconds' budget, and windows take 0.2 or 0.1, with operations 0.3
 * (schedule.h). That the bucket is empty the kernel side tells at once, as it knows how many hits that is: a burst costs
 * what is in it, however fast it comes.
 *
 * Given up in this order, as far as a group has a part in the cost: calls of operations, of the function that is called
 * most first; clears and growth of maps; large objects, which are then sampled with the others; the runtime's samples;
 * mark assists; stops of the world and GC cycles, one by one. Each is given back when the bucket is half full, after a
 * while that grows if it is too much again. Assists can't be told apart where the beginnings of cycles aren't seen: they
 * go with the last, and don't come back before it.
 */
#ifndef GALLOP_GOVERN_RATION_H
#define GALLOP_GOVERN_RATION_H

#include <stdbool.h>

#include "bpf/wire.h"

/* What is given up: groups, but of calls of operations each function by itself. Numbers of bits, too. */
enum { RATION_NR = WIRE_GROUP_NR + WIRE_OPS_MAX };
#define RATION_OP(i) ((unsigned)WIRE_GROUP_NR + (unsigned)(i))
#define RATION_BIT(i) (UINT64_C(1) << (i))
_Static_assert(RATION_NR <= 64, "a bit for each");

/* COMING: to be given back, and not there before it is attached. */
enum ration_state { RATION_ABSENT, RATION_ON, RATION_OFF, RATION_COMING };

struct ration_group {
	enum ration_state state;
	double off_s; /* when it was given up */
	double gone_s; /* how long it was off in all, until the last time that it was given up */
	double wait_s; /* how long that is for, at least */
	double on_s; /* when it was given back */
	double cost_s; /* of the tick in which it was given up */
};

struct ration {
	double budget, rate; /* shares of the target's CPU time */
	double room_s; /* CPU seconds in the bucket; below 0: overdrawn */
	struct ration_group groups[RATION_NR];
};

/* What is to be done. */
struct ration_change {
	uint64_t give_up, give_back;
};

/* present: bits of what is attached. */
void ration_init(struct ration *r, double budget, uint64_t present, double cpus);

/* Whether the runtime's samples tell of allocations now; at first they don't. */
void ration_set_profiled(struct ration *r, bool profiled);

/* After so many hits the next tick is to come; it comes every second anyway. */
uint32_t ration_hits(const struct ration *r, double hit_s);

/*
 * now_s: of any clock; elapsed_s: since the last tick; cpus: that the target uses; cost_s: CPU seconds that each has
 * cost since.
 */
struct ration_change ration_tick(struct ration *r, double now_s, double elapsed_s, double cpus,
				 const double cost_s[RATION_NR]);

/* Other CPU seconds of the target's that the bucket has to pay: what giving up and giving back took. */
void ration_pay(struct ration *r, double cost_s);

/* What was to be given back is: now_s, when it was attached. Or could not be, and is still off. */
void ration_is_back(struct ration *r, unsigned group, double now_s);
void ration_stays_off(struct ration *r, unsigned group, double now_s);

/* For how long it has been off in all. That only grows, and grows from each time of which something may be missing. */
double ration_off_s(const struct ration *r, unsigned group, double now_s);

#endif
