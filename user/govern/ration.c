/* SPDX-License-Identifier: BSD-2-Clause */
#include "govern/ration.h"

#include <string.h>

#include "base/f64.h"
#include "govern/schedule.h"

#define RATE 0.2 /* of the budget, ... */
#define RATE_PROFILED 0.3 /* ... with the runtime's samples */
#define HOLDS_S (0.1 * 30) /* seconds of the whole budget */
#define BEGINS_S 1.0 /* ... that are in it at the start: the first seconds are like all others */
#define HITS_MIN 16 /* worth to be woken for */
#define HITS_MAX 1e9
#define PART 0.1 /* of what a tick has cost: a group with less isn't what costs */
#define WAIT_MIN_S 1.0
#define WAIT_MAX_S 300.0
#define CALM_S 30.0 /* after so long a burst isn't taken for the last one going on */

/* The order in which groups are given up. */
static const enum wire_group order[] = { WIRE_GROUP_OP_CALLS, WIRE_GROUP_MAP_EVENTS,
					 WIRE_GROUP_LARGE,    WIRE_GROUP_PROFILE,
					 WIRE_GROUP_ASSIST,   WIRE_GROUP_GC };
enum { ORDER_NR = sizeof(order) / sizeof(order[0]) };

static double rate_of(const struct ration *r, double cpus)
{
	return r->rate * max_f64(cpus, SCHEDULE_CPUS_MIN);
}

static double holds(const struct ration *r, double cpus)
{
	return HOLDS_S * r->budget * max_f64(cpus, SCHEDULE_CPUS_MIN);
}

void ration_init(struct ration *r, double budget, unsigned present, double cpus)
{
	memset(r, 0, sizeof(*r));
	r->budget = budget;
	r->rate = budget * RATE;
	r->room_s = holds(r, cpus) * (BEGINS_S / HOLDS_S);
	for (int i = 0; i < WIRE_GROUP_NR; i++)
		r->groups[i].state = present >> i & 1 ? RATION_ON : RATION_ABSENT;
}

void ration_set_profiled(struct ration *r, bool profiled)
{
	r->rate = r->budget * (profiled ? RATE_PROFILED : RATE);
}

static bool can_shed(const struct ration *r)
{
	for (int i = 0; i < ORDER_NR; i++)
		if (r->groups[order[i]].state == RATION_ON)
			return true;
	return false;
}

/* Where nothing is left to give up there is nothing to be woken for. */
uint32_t ration_hits(const struct ration *r, double hit_s)
{
	if (r->room_s <= 0 && !can_shed(r))
		return (uint32_t)HITS_MAX;
	return (uint32_t)max_f64(min_f64(r->room_s / hit_s, HITS_MAX), HITS_MIN);
}

/* Longer each time that it comes back too early. */
static void give_up(struct ration_group *g, double now_s)
{
	bool again = g->wait_s > 0 && now_s - g->on_s < CALM_S;

	g->state = RATION_OFF;
	g->wait_s = again ? min_f64(g->wait_s * 2, WAIT_MAX_S) : WAIT_MIN_S;
	g->off_s = now_s;
}

/* The runtime's sum of assists begins at 0 in each cycle: without cycles it can't be told what it grew by. */
static bool waits_for_cycles(const struct ration *r, enum wire_group group)
{
	return group == WIRE_GROUP_ASSIST && r->groups[WIRE_GROUP_GC].state == RATION_OFF;
}

/* Groups until what is left could go on as it is. */
static unsigned shed(struct ration *r, double now_s, double allowed_s,
		     const double cost_s[WIRE_GROUP_NR])
{
	double total = 0, left;
	unsigned shed = 0;

	for (int i = 0; i < WIRE_GROUP_NR; i++)
		total += r->groups[i].state == RATION_ON ? cost_s[i] : 0;
	left = total;
	for (int i = 0; i < ORDER_NR && left > allowed_s; i++) {
		struct ration_group *g = &r->groups[order[i]];

		if (g->state != RATION_ON || cost_s[order[i]] < PART * total)
			continue;
		give_up(g, now_s);
		left -= cost_s[order[i]];
		shed |= 1U << order[i];
	}
	if (waits_for_cycles(r, WIRE_GROUP_ASSIST) &&
	    r->groups[WIRE_GROUP_ASSIST].state == RATION_ON) {
		give_up(&r->groups[WIRE_GROUP_ASSIST], now_s);
		shed |= 1U << WIRE_GROUP_ASSIST;
	}
	return shed;
}

/* One at a time, the last in the order first: should it be too much again, that is known of it. */
static unsigned restore(struct ration *r, double now_s)
{
	for (int i = ORDER_NR; i--;) {
		struct ration_group *g = &r->groups[order[i]];

		if (g->state != RATION_OFF || now_s - g->off_s < g->wait_s ||
		    waits_for_cycles(r, order[i]))
			continue;
		g->state = RATION_ON;
		g->on_s = now_s;
		return 1U << order[i];
	}
	return 0;
}

void ration_pay(struct ration *r, double cost_s)
{
	r->room_s -= cost_s;
}

void ration_stays_off(struct ration *r, enum wire_group group, double now_s)
{
	give_up(&r->groups[group], now_s);
}

struct ration_change ration_tick(struct ration *r, double now_s, double elapsed_s, double cpus,
				 const double cost_s[WIRE_GROUP_NR])
{
	double income_s = rate_of(r, cpus) * elapsed_s;
	struct ration_change change = { 0 };

	r->room_s = min_f64(r->room_s + income_s, holds(r, cpus));
	for (int i = 0; i < WIRE_GROUP_NR; i++)
		if (i != WIRE_GROUP_REFILL && i != WIRE_GROUP_WINDOW && i != WIRE_GROUP_OP_WINDOW &&
		    i != WIRE_GROUP_OP_RETURNS)
			r->room_s -= cost_s[i];
	/* What can't be given up must not make for a debt that nothing ever pays. */
	r->room_s = max_f64(r->room_s, -holds(r, cpus));
	if (r->room_s < 0)
		change.give_up = shed(r, now_s, income_s, cost_s);
	else if (r->room_s >= holds(r, cpus) / 2)
		change.give_back = restore(r, now_s);
	return change;
}
