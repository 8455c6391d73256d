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

/* The order in which groups are given up, after calls of operations. */
static const enum wire_group last[] = { WIRE_GROUP_MAP_EVENTS, WIRE_GROUP_LARGE, WIRE_GROUP_PROFILE,
					WIRE_GROUP_ASSIST, WIRE_GROUP_GC };
enum { LAST_NR = sizeof(last) / sizeof(last[0]), ORDER_NR = WIRE_OPS_MAX + LAST_NR };

static double rate_of(const struct ration *r, double cpus)
{
	return r->rate * max_f64(cpus, SCHEDULE_CPUS_MIN);
}

static double holds(const struct ration *r, double cpus)
{
	return HOLDS_S * r->budget * max_f64(cpus, SCHEDULE_CPUS_MIN);
}

/* The order of all: of operations those that cost most come first. */
static void put_in_order(unsigned order[ORDER_NR], const double cost_s[WIRE_OPS_MAX])
{
	for (unsigned i = 0; i < WIRE_OPS_MAX; i++)
		order[i] = RATION_OP(i);
	for (unsigned i = 1; i < WIRE_OPS_MAX; i++) {
		unsigned k = i;
		for (; k > 0 && cost_s[order[k - 1] - RATION_OP(0)] < cost_s[i]; k--)
			order[k] = order[k - 1];
		order[k] = RATION_OP(i);
	}
	for (unsigned i = 0; i < LAST_NR; i++)
		order[WIRE_OPS_MAX + i] = last[i];
}

void ration_init(struct ration *r, double budget, uint64_t present, double cpus)
{
	memset(r, 0, sizeof(*r));
	r->budget = budget;
	r->rate = budget * RATE;
	r->room_s = holds(r, cpus) * (BEGINS_S / HOLDS_S);
	for (int i = 0; i < RATION_NR; i++)
		r->groups[i].state = present >> i & 1 ? RATION_ON : RATION_ABSENT;
}

void ration_set_profiled(struct ration *r, bool profiled)
{
	r->rate = r->budget * (profiled ? RATE_PROFILED : RATE);
}

static bool can_shed(const struct ration *r)
{
	for (int i = 0; i < LAST_NR; i++)
		if (r->groups[last[i]].state == RATION_ON)
			return true;
	for (int i = 0; i < WIRE_OPS_MAX; i++)
		if (r->groups[RATION_OP(i)].state == RATION_ON)
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
static void give_up(struct ration_group *g, double now_s, double cost_s)
{
	bool again = g->wait_s > 0 && now_s - g->on_s < CALM_S;

	g->state = RATION_OFF;
	g->wait_s = again ? min_f64(g->wait_s * 2, WAIT_MAX_S) : WAIT_MIN_S;
	g->off_s = now_s;
	g->cost_s = cost_s;
}

static bool is_off(const struct ration_group *g)
{
	return g->state == RATION_OFF || g->state == RATION_COMING;
}

/* The runtime's sum of assists begins at 0 in each cycle: without cycles it can't be told what it grew by. */
static bool waits_for_cycles(const struct ration *r, unsigned group)
{
	return group == WIRE_GROUP_ASSIST && is_off(&r->groups[WIRE_GROUP_GC]);
}

/* Groups until what is left could go on as it is. */
static uint64_t shed(struct ration *r, double now_s, double allowed_s,
		     const double cost_s[RATION_NR])
{
	double total = 0, left;
	unsigned order[ORDER_NR];
	uint64_t shed = 0;

	put_in_order(order, cost_s + RATION_OP(0));
	for (int i = 0; i < RATION_NR; i++)
		total += r->groups[i].state == RATION_ON ? cost_s[i] : 0;
	left = total;
	for (int i = 0; i < ORDER_NR && left > allowed_s; i++) {
		struct ration_group *g = &r->groups[order[i]];

		if (g->state != RATION_ON || cost_s[order[i]] < PART * total)
			continue;
		give_up(g, now_s, cost_s[order[i]]);
		left -= cost_s[order[i]];
		shed |= RATION_BIT(order[i]);
	}
	if (waits_for_cycles(r, WIRE_GROUP_ASSIST) &&
	    r->groups[WIRE_GROUP_ASSIST].state == RATION_ON) {
		give_up(&r->groups[WIRE_GROUP_ASSIST], now_s, cost_s[WIRE_GROUP_ASSIST]);
		shed |= RATION_BIT(WIRE_GROUP_ASSIST);
	}
	return shed;
}

/* One at a time, the last in the order first: should it be too much again, that is known of it. */
static uint64_t restore(struct ration *r, double now_s)
{
	unsigned order[ORDER_NR];
	double cost_s[WIRE_OPS_MAX];

	for (int i = 0; i < WIRE_OPS_MAX; i++)
		cost_s[i] = r->groups[RATION_OP(i)].cost_s;
	put_in_order(order, cost_s);
	for (int i = ORDER_NR; i--;) {
		struct ration_group *g = &r->groups[order[i]];

		if (g->state != RATION_OFF || now_s - g->off_s < g->wait_s ||
		    waits_for_cycles(r, order[i]))
			continue;
		g->state = RATION_COMING;
		g->on_s = now_s;
		return RATION_BIT(order[i]);
	}
	return 0;
}

void ration_pay(struct ration *r, double cost_s)
{
	r->room_s -= cost_s;
}

void ration_is_back(struct ration *r, unsigned group, double now_s)
{
	struct ration_group *g = &r->groups[group];

	g->gone_s += now_s - g->off_s;
	g->state = RATION_ON;
}

double ration_off_s(const struct ration *r, unsigned group, double now_s)
{
	const struct ration_group *g = &r->groups[group];

	return g->gone_s + (is_off(g) ? now_s - g->off_s : 0);
}

void ration_stays_off(struct ration *r, unsigned group, double now_s)
{
	r->groups[group].gone_s += now_s - r->groups[group].off_s;
	give_up(&r->groups[group], now_s, r->groups[group].cost_s);
}

struct ration_change ration_tick(struct ration *r, double now_s, double elapsed_s, double cpus,
				 const double cost_s[RATION_NR])
{
	double income_s = rate_of(r, cpus) * elapsed_s;
	struct ration_change change = { 0 };

	r->room_s = min_f64(r->room_s + income_s, holds(r, cpus));
	for (int i = 0; i < RATION_NR; i++)
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
