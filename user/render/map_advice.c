/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function for each pattern. A mean says "about" unless it is a whole number, as then mostly all were alike; so
 * does what was not seen but comes from the formulas of gobin/maptable.h.
 */
#include "render/map_advice.h"

#include <stdio.h>

#include "base/fmt.h"
#include "gobin/version.h"

enum {
	GO_CLEAR = 21, /* has clear(m) */
	GO_SYNC_CLEAR = 23, /* has (*sync.Map).Clear */
};

/* "5,000", "about 5,000" */
static struct fmt average(uint64_t sum, uint64_t n)
{
	struct fmt f;

	snprintf(f.s, sizeof(f.s), "%s%s", sum % n ? "about " : "", fmt_count(sum / n).s);
	return f;
}

/* How a map is emptied by one call; of a version that isn't known nothing is promised. */
static const char *clear_word(int go)
{
	if (!go)
		return "clear(m) (Go 1.21)";
	return go >= GO_CLEAR ? "clear(m)" : "`for k := range m { delete(m, k) }`";
}

static struct map_advice on_range_delete(const struct snapshot_map_site *site, int go)
{
	struct map_advice a = { "" };
	const char *to_do = "Clear() is one call (Go 1.23)";

	if (go && go < GO_SYNC_CLEAR)
		to_do = "a new sync.Map in its place is one step; from Go 1.23 on Clear() is";
	snprintf(a.s, sizeof(a.s), "%s deletes inside Range: if all entries go, %s",
		 fmt_count(site->counts.deletes).s, to_do);
	return a;
}

static struct map_advice on_clear_retain(const struct snapshot_map_site *site)
{
	const struct snapshot_map_held *idle = &site->idle;
	struct map_advice a = { "" };

	if (idle->bytes <= site->idle_needed_bytes)
		return a;
	struct fmt wasted = fmt_bytes(idle->bytes - site->idle_needed_bytes);
	struct fmt needed = fmt_bytes(site->idle_needed_bytes);
	if (idle->maps > 1)
		snprintf(
			a.s, sizeof(a.s),
			"%s maps hold %s for nothing, %s would do: make new ones when so little is "
			"put in",
			fmt_count(idle->maps).s, wasted.s, needed.s);
	else
		snprintf(a.s, sizeof(a.s),
			 "holds %s for nothing, %s would do: make a new map when so little is put "
			 "in",
			 wasted.s, needed.s);
	return a;
}

static struct map_advice on_thinned(const struct snapshot_map_site *site)
{
	const struct snapshot_map_held *idle = &site->idle;
	struct map_advice a = { "" };

	if (idle->bytes <= site->idle_needed_bytes)
		return a;
	size_t used = 0;
	if (idle->maps > 1)
		used = (size_t)snprintf(a.s, sizeof(a.s), "%s maps: ", fmt_count(idle->maps).s);
	snprintf(a.s + used, sizeof(a.s) - used,
		 "%s held where %s would do: rebuild, with a new map for the entries that are left",
		 fmt_bytes(idle->bytes).s, fmt_bytes(site->idle_needed_bytes).s);
	return a;
}

static struct map_advice on_delete_loop(const struct snapshot_map_site *site, int go)
{
	const struct model_map_counts *c = &site->counts;
	struct map_advice a = { "" };
	struct fmt of = { "" };

	/* Sizes before clears are in the same sum. */
	if (c->emptied && !c->clears)
		of = average(c->emptied_entries, c->emptied);
	snprintf(a.s, sizeof(a.s), "%s calls of delete where %s is one: %s drain%s%s%s%s",
		 fmt_count(c->deletes).s, clear_word(go), fmt_count(c->drains).s,
		 c->drains == 1 ? "" : "s", *of.s ? " of " : "", of.s, *of.s ? " entries" : "");
	return a;
}

static struct map_advice on_clear_refill(const struct snapshot_map_site *site)
{
	const struct model_map_counts *c = &site->counts;
	struct map_advice a = { "" };

	if (!c->refills)
		return a;
	uint64_t entries = c->refilled_entries / c->refills;
	uint64_t growths = go_map_growths_for(&site->shape, entries);
	uint64_t bytes = go_map_grown_bytes_for(&site->shape, entries);
	size_t used = (size_t)snprintf(a.s, sizeof(a.s), "good: %s refill%s reuse%s the table",
				       fmt_count(c->refills_alike).s,
				       c->refills_alike == 1 ? "" : "s",
				       c->refills_alike == 1 ? "s" : "");
	if (growths && bytes)
		snprintf(a.s + used, sizeof(a.s) - used,
			 ", which saves about %s growth%s and %s each", fmt_count(growths).s,
			 growths == 1 ? "" : "s", fmt_bytes(bytes).s);
	return a;
}

static struct map_advice on_make_again(const struct snapshot_map_site *site)
{
	const struct model_map_counts *c = &site->counts;
	struct map_advice a = { "" };

	if (!c->makes || !c->made_entries)
		return a;
	snprintf(a.s, sizeof(a.s),
		 "made %s times, grown %s times, %s of tables thrown away: give a size hint of %s, "
		 "or clear it and use it again",
		 fmt_count(c->makes).s, fmt_count(c->made_growths).s,
		 fmt_bytes(c->made_grown_bytes).s, average(c->made_entries, c->makes).s);
	return a;
}

static struct map_advice on_no_hint(const struct snapshot_map_site *site)
{
	const struct model_map_counts *c = &site->counts;
	struct map_advice a = { "" };

	if (!c->makes || !c->made_entries)
		return a;
	snprintf(
		a.s, sizeof(a.s),
		"a size hint of %s would save %s%s growth%s and %s of tables left to the collector",
		average(c->made_entries, c->makes).s, c->made_entries % c->makes ? "most of " : "",
		fmt_count(c->made_growths).s, c->made_growths == 1 ? "" : "s",
		fmt_bytes(c->made_grown_bytes).s);
	return a;
}

/* What the pattern is told by, as far as the words repeat it. */
static bool is_known(const struct snapshot_maps *maps, enum map_pattern pattern)
{
	switch (pattern) {
	case MAP_PATTERN_CLEAR_RETAIN:
	case MAP_PATTERN_THINNED:
		return maps->held_known;
	case MAP_PATTERN_RANGE_DELETE:
	case MAP_PATTERN_DELETE_LOOP:
		return maps->every_operation;
	default:
		return true;
	}
}

struct map_advice map_advice(const struct snapshot *s, const struct snapshot_map_site *site)
{
	int go = version_minor(s->meta.go_version);

	if (!is_known(&s->maps, site->pattern))
		return (struct map_advice){ "" };
	switch (site->pattern) {
	case MAP_PATTERN_RANGE_DELETE:
		return on_range_delete(site, go);
	case MAP_PATTERN_CLEAR_RETAIN:
		return on_clear_retain(site);
	case MAP_PATTERN_THINNED:
		return on_thinned(site);
	case MAP_PATTERN_DELETE_LOOP:
		return on_delete_loop(site, go);
	case MAP_PATTERN_CLEAR_REFILL:
		return on_clear_refill(site);
	case MAP_PATTERN_MAKE_AGAIN:
		return on_make_again(site);
	case MAP_PATTERN_NO_HINT:
		return on_no_hint(site);
	default:
		return (struct map_advice){ "" };
	}
}
