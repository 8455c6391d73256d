/* SPDX-License-Identifier: BSD-2-Clause */
#include "govern/ration.h"

#include <string.h>

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
static const enum wire_group order[] = { WIRE_GROUP_MAP_EVENTS, WIRE_GROUP_LARGE,
					 WIRE_GROUP_PROFILE, WIRE_GROUP_ASSIST };
enum { ORDER_NR = sizeof(order) / sizeof(order[0]) };

static double max(double a, double b)
{
	return a > b ? a : b;
}

static double min(double a, double b)
{
	return a < b ? a : b;
}

static double rate_of(const struct ration *r, double cpus)
{
	return r->rate * max(cpus, SCHEDULE_CPUS_MIN);
}

static double holds(const struct ration *r, double cpus)
{
	return HOLDS_S * r->budget * max(cpus, SCHEDULE_CPUS_MIN);
}

void ration_init(struct ration *r, double budget, unsigned present, double cpus)
{
	memset(r, 0, sizeof(*r));
	r->budget = budget;
	r->rate = budget * (present >> WIRE_GROUP_PROFILE & 1 ? RATE_PROFILED : RATE);
	r->room_s = holds(r, cpus) * (BEGINS_S / HOLDS_S);
	for (int i = 0; i < WIRE_GROUP_NR; i++)
		r->groups[i].state = present >> i & 1 ? RATION_ON : RATION_ABSENT;
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
	return (uint32_t)max(min(r->room_s / hit_s, HITS_MAX), HITS_MIN);
}

/* Longer each time that it comes back too early. */
static void give_up(struct ration_group *g, double now_s)
{
	bool again = g->wait_s > 0 && now_s - g->on_s < CALM_S;

	g->state = RATION_OFF;
	g->wait_s = again ? min(g->wait_s * 2, WAIT_MAX_S) : WAIT_MIN_S;
	g->off_s = now_s;
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
	return shed;
}

/* One at a time, the last in the order first: should it be too much again, that is known of it. */
static unsigned restore(struct ration *r, double now_s)
{
	for (int i = ORDER_NR; i--;) {
		struct ration_group *g = &r->groups[order[i]];

		if (g->state != RATION_OFF || now_s - g->off_s < g->wait_s)
			continue;
		g->state = RATION_ON;
		g->on_s = now_s;
		return 1U << order[i];
	}
	return 0;
}

struct ration_change ration_tick(struct ration *r, double now_s, double elapsed_s, double cpus,
				 const double cost_s[WIRE_GROUP_NR])
{
	double income_s = rate_of(r, cpus) * elapsed_s;
	struct ration_change change = { 0 };

	r->room_s = min(r->room_s + income_s, holds(r, cpus));
	for (int i = 0; i < WIRE_GROUP_NR; i++)
		if (i != WIRE_GROUP_REFILL && i != WIRE_GROUP_WINDOW)
			r->room_s -= cost_s[i];
	/* What can't be given up must not make for a debt that nothing ever pays. */
	r->room_s = max(r->room_s, -holds(r, cpus));
	if (r->room_s < 0)
		change.give_up = shed(r, now_s, income_s, cost_s);
	else if (r->room_s >= holds(r, cpus) / 2)
		change.give_back = restore(r, now_s);
	return change;
}
