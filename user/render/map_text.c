/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps for people, within 100 columns: what was done to them, where, and what to do about it; then the largest
 * that are there.
 *
 * What this mode doesn't count is "-" in a table and named below it: a 0 is always a measurement.
 */
#include <stddef.h>
#include <string.h>

#include "base/fmt.h"
#include "base/u64.h"
#include "base/utf8.h"
#include "render/cells.h"
#include "render/footer.h"
#include "render/formats.h"
#include "render/map_advice.h"
#include "render/map_calls.h"
#include "render/maps.h"
#include "render/samples.h"

enum {
	LABEL_W = 8, /* "a second" */
	SUM_W = 12,
	BYTES_W = 10, /* "1023.9 KiB" */
	ENTRIES_W = 11, /* "999,999,999" */
	PATTERN_W = 20, /* "grown without a hint" */
	GAP_W = 2,
	WHERE_W = TABLE_W - BYTES_W - 2 * (1 + ENTRIES_W) - GAP_W - PATTERN_W - GAP_W,
	USED_W = 12, /* "59 min 59 s" */
	TYPE_W = TABLE_W - BYTES_W - 2 * (1 + ENTRIES_W) - USED_W - 2 * GAP_W,
	INDENT = 4,
};

static uint64_t duration(const struct snapshot *s)
{
	return s->to_mono_ns - s->from_mono_ns;
}

/* Who can tell a count. */
enum teller { RARE, EVERY_OPERATION, ASSIGNS, DELETES };

/* A count as it is called, and whether it is one that what is rare tells, or only a count of every operation. */
struct named_count {
	const char *name, *one; /* several, and one */
	size_t offset;
	enum teller teller;
};

#define COUNT(member, one, teller)                                              \
	{                                                                       \
#member, one, offsetof(struct model_map_counts, member), teller \
	}

static const struct named_count counts[] = {
	COUNT(makes, "make", EVERY_OPERATION),	 COUNT(assigns, "assign", ASSIGNS),
	COUNT(deletes, "delete", DELETES),	 COUNT(clears, "clear", RARE),
	COUNT(drains, "drain", EVERY_OPERATION), COUNT(growths, "growth", RARE),
	COUNT(rehashes, "rehash", RARE),
};

enum { COUNTS_NR = sizeof(counts) / sizeof(counts[0]) };

/* Of a site, or of all if it is NULL. */
static struct map_calls count_of(const struct snapshot_maps *maps,
				 const struct snapshot_map_site *site,
				 const struct named_count *which)
{
	const struct model_map_counts *c = site ? &site->counts : &maps->total;
	enum model_map_operation operation = which->teller == ASSIGNS ? MODEL_MAP_ASSIGN
								      : MODEL_MAP_DELETE;

	if (which->teller == RARE || which->teller == EVERY_OPERATION)
		return (struct map_calls){
			.known = which->teller == RARE || maps->every_operation,
			.n = *(const uint64_t *)((const char *)c + which->offset),
		};
	return site ? map_calls_of(maps, site, operation) : map_calls_total(maps, operation);
}

/* --- sums ------------------------------------------------------------------------------------- */

typedef struct fmt shown_count(uint64_t n, uint64_t dur_ns);

static struct fmt as_count(uint64_t n, uint64_t dur_ns)
{
	(void)dur_ns;
	return fmt_count(n);
}

static void put_sum_row(FILE *out, const struct snapshot *s, const char *label, shown_count *show)
{
	put_right(out, label, LABEL_W);
	for (size_t i = 0; i < COUNTS_NR; i++) {
		struct map_calls n = count_of(&s->maps, NULL, &counts[i]);
		bool is_part = counts[i].teller == RARE && snapshot_maps_were_off(s);
		char cell[CELL_SZ] = "-";

		/* Of a part of the time, nobody knows how long a part, there is no rate. */
		if (is_part)
			n = (struct map_calls){ .known = n.known && show == as_count,
						.n = n.n,
						.at_least = true };
		if (n.known)
			snprintf(cell, sizeof(cell), "%s%s", map_calls_mark(n),
				 show(n.n, duration(s)).s);
		put_right(out, cell, 1 + SUM_W);
	}
	fputc('\n', out);
}

/* Not all maps were followed: there are more than those that are counted. */
static bool are_left_out(const struct snapshot *s)
{
	for (size_t i = 0; i < s->losses_nr; i++)
		if (s->losses[i].count && (!strcmp(s->losses[i].key, "maps_evicted") ||
					   !strcmp(s->losses[i].key, "maps_full")))
			return true;
	return false;
}

static void put_held(FILE *out, const struct snapshot *s)
{
	const struct snapshot_maps *maps = &s->maps;

	if (!maps->held_known && !maps->every_operation) {
		fputs("held: not known, as single maps are followed with --mode exact only\n", out);
		return;
	}
	if (!maps->held_known) {
		fputs("held: not known, the process ended before its memory was looked at, or it "
		      "can't be\n",
		      out);
		return;
	}
	fprintf(out, "held: %s%s in ", are_left_out(s) ? "at least " : "",
		fmt_bytes(maps->held.bytes).s);
	put_many(out, maps->held.maps, "map");
	fputs(maps->held.maps == 1 ? " that was seen and is there\n"
				   : " that were seen and are there\n",
	      out);
}

static void put_removed(FILE *out, const struct snapshot_maps *maps)
{
	if (!maps->every_operation)
		return;
	fprintf(out, "%s entries removed", fmt_count(maps->total.removed).s);
	if (maps->total.unsettled)
		fprintf(out,
			", and up to %s more: the last from maps that were gone before it showed\n",
			fmt_count(maps->total.unsettled).s);
	else
		fputs("; ", out);
}

/* What was given up to keep the budget, where that is about maps: counts are of the rest of the time. */
static void put_given_up(FILE *out, const struct snapshot *s)
{
	static const char label[] = "not all the time:";
	char words[CELL_SZ], off[CELL_SZ];

	if (!snapshot_maps_were_off(s))
		return;
	short_text(off, s->samples.cost.off, CELL_SZ / 2);
	snprintf(words, sizeof(words), "off to keep the budget: %s, of %s", off,
		 fmt_duration(duration(s)).s);
	put_wrapped(out, label, sizeof(label), words, "", "");
}

static bool is_any_at_least(const struct snapshot_maps *maps)
{
	return map_calls_total(maps, MODEL_MAP_ASSIGN).at_least ||
	       map_calls_total(maps, MODEL_MAP_DELETE).at_least;
}

static void put_how_known(FILE *out, const struct snapshot_maps *maps)
{
	if (maps->every_operation)
		return;
	if (!maps->operations_sampled) {
		fputs("not known: assigns, deletes, drains and entries removed; only what is rare "
		      "was counted\n",
		      out);
		return;
	}
	fputs("~: estimated from windows, in brackets the half-width of the 95 % interval; "
	      "?: too few windows\n",
	      out);
	if (is_any_at_least(maps))
		fputs(">: no fewer; how many more can't be told, as those goroutines do little "
		      "else, and windows slow\n   them down too much; --mode exact counts them\n",
		      out);
	fputs("not known: drains and entries removed; only what is rare was counted\n", out);
}

static void put_sums(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	const struct snapshot_maps *maps = &s->maps;

	fputs(style(opts, STYLE_DIM), out);
	put_right(out, "", LABEL_W);
	for (size_t i = 0; i < COUNTS_NR; i++)
		put_right(out, counts[i].name, 1 + SUM_W);
	fprintf(out, "%s\n", style(opts, STYLE_NONE));
	put_sum_row(out, s, "total", as_count);
	put_sum_row(out, s, "a second", fmt_rate);
	put_removed(out, maps);
	fprintf(out, "growths and rehashes left %s of tables to the collector\n",
		fmt_bytes(maps->total.grown_bytes).s);
	put_held(out, s);
	put_given_up(out, s);
	put_how_known(out, maps);
}

/* --- sites ------------------------------------------------------------------------------------ */

struct cells {
	const char *held, *removed, *largest, *pattern;
};

static void put_cells(FILE *out, const struct cells *c)
{
	put_right(out, c->held, BYTES_W);
	put_right(out, c->removed, 1 + ENTRIES_W);
	put_right(out, c->largest, 1 + ENTRIES_W);
	fprintf(out, "%*s", GAP_W, "");
	put_left(out, c->pattern, PATTERN_W + GAP_W);
}

static void put_numbers(FILE *out, const struct snapshot_maps *maps,
			const struct snapshot_map_site *site)
{
	struct fmt held = fmt_bytes(site->retained_bytes),
		   removed = fmt_count(site->counts.removed),
		   largest = fmt_count(site->counts.entries_max);
	const char *pattern = map_pattern_name(site->pattern);
	const struct model_map_counts *c = &site->counts;
	/* Blank is where nothing is taken out, and "-" what isn't known. */
	bool takes_out = c->clears || c->deletes || site->deletes.calls || site->emptied.maps ||
			 site->thinned.maps;
	const struct cells cells = { .held = !takes_out		? ""
					     : maps->held_known ? held.s
								: "-",
				     .removed = !takes_out		? ""
						: maps->every_operation ? removed.s
									: "-",
				     .largest = takes_out || c->makes ? largest.s : "",
				     .pattern = *pattern ? pattern : "-" };

	put_cells(out, &cells);
}

/* "~1,200 assigns (+-12.0 %)", ">1,200 assigns"; returns how long that is. */
static size_t count_words(char *dst, size_t sz, const struct named_count *which, struct map_calls n)
{
	const char *name = n.n == 1 ? which->one : which->name;

	if (!n.estimated || n.at_least)
		return (size_t)snprintf(dst, sz, "%s%s %s", map_calls_mark(n), fmt_count(n.n).s,
					name);
	return (size_t)snprintf(dst, sz, "~%s %s (%s)", fmt_count(n.n).s, name,
				fmt_ci95((double)n.n, n.ci95).s);
}

/* "map[string]int: 40 clears, 12 growths": those that are not 0. */
static void put_details(FILE *out, const struct snapshot_maps *maps,
			const struct snapshot_map_site *site)
{
	const char *before = ": ";
	char words[CELL_SZ];

	short_func(words, site->type, TABLE_W - INDENT - strlen(before));
	size_t used = strlen(words);
	for (size_t i = 0; i < COUNTS_NR; i++) {
		struct map_calls n = count_of(maps, site, &counts[i]);
		if (!n.n || !n.known)
			continue;
		used += (size_t)snprintf(words + used, sizeof(words) - used, "%s", before);
		used += count_words(words + used, sizeof(words) - used, &counts[i], n);
		before = ", ";
	}
	if (maps->held_known && site->made.maps)
		snprintf(words + used, sizeof(words) - used, "%s%s made here hold%s %s",
			 *before == ':' ? before : "; ", fmt_count(site->made.maps).s,
			 site->made.maps == 1 ? "s" : "", fmt_bytes(site->made.bytes).s);
	put_wrapped(out, "", INDENT, words, "", "");
}

static void put_site(FILE *out, const struct snapshot *s, const struct snapshot_map_site *site,
		     const struct render_opts *opts)
{
	struct map_advice advice = map_advice(s, site);
	char where[CELL_SZ];

	put_numbers(out, &s->maps, site);
	short_where(where, site->stack, WHERE_W);
	fprintf(out, "%s\n", where);
	put_details(out, &s->maps, site);
	if (*advice.s)
		put_wrapped(out, "", INDENT, advice.s,
			    style(opts, site->pattern == MAP_PATTERN_CLEAR_REFILL ? STYLE_GOOD
										  : STYLE_BOLD),
			    style(opts, STYLE_NONE));
	if (opts->stacks)
		put_stack(out, site->stack, 2 * INDENT, 0);
}

static size_t rows_shown(const struct render_opts *opts, size_t nr)
{
	return opts->top_nr && opts->top_nr < nr ? opts->top_nr : nr;
}

static void put_more(FILE *out, const struct snapshot_maps *maps, size_t from,
		     const struct render_opts *opts)
{
	struct snapshot_map_site rest = { 0 };
	char pattern[CELL_SZ];

	for (size_t i = from; i < maps->sites_nr; i++) {
		rest.retained_bytes += maps->sites[i].retained_bytes;
		rest.counts.removed += maps->sites[i].counts.removed;
		rest.counts.entries_max = max_u64(rest.counts.entries_max,
						  maps->sites[i].counts.entries_max);
	}
	struct fmt held = fmt_bytes(rest.retained_bytes), removed = fmt_count(rest.counts.removed),
		   largest = fmt_count(rest.counts.entries_max);
	snprintf(pattern, sizeof(pattern), "%s more", fmt_count(maps->sites_nr - from).s);
	const struct cells cells = { .held = maps->held_known ? held.s : "-",
				     .removed = maps->every_operation ? removed.s : "-",
				     .largest = largest.s,
				     .pattern = "" };
	fputs(style(opts, STYLE_DIM), out);
	put_cells(out, &cells);
	fprintf(out, "%s%s\n", pattern, style(opts, STYLE_NONE));
}

/* The caller ends the line. */
static void put_title(FILE *out, const struct render_opts *opts, const char *title, size_t nr)
{
	size_t shown = rows_shown(opts, nr);

	put_heading(out, opts, title);
	if (shown < nr)
		fprintf(out, ", the first %s of %s", fmt_count(shown).s, fmt_count(nr).s);
}

static const char *sites_title(enum snapshot_value value)
{
	switch (value) {
	case SNAPSHOT_ASSIGNS:
		return "Map sites by assigns";
	case SNAPSHOT_DELETES:
		return "Map sites by deletes";
	case SNAPSHOT_CLEARS:
		return "Map sites by clears";
	case SNAPSHOT_RETAINED:
		return "Map sites by bytes held";
	case SNAPSHOT_GROWTHS:
		return "Map sites by growths";
	default:
		return "Map sites, most to save first";
	}
}

static void put_sites(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	static const struct cells heads = { "HELD", "REMOVED", "LARGEST", "PATTERN" };
	const struct snapshot_maps *maps = &s->maps;
	size_t shown = rows_shown(opts, maps->sites_nr);

	if (!maps->sites_nr)
		return;
	put_title(out, opts, sites_title(opts->value), maps->sites_nr);
	fprintf(out, "; HELD: by maps emptied or thinned out there\n%s", style(opts, STYLE_DIM));
	put_cells(out, &heads);
	fprintf(out, "FUNCTION (FILE:LINE)%s\n", style(opts, STYLE_NONE));
	for (size_t i = 0; i < shown; i++)
		put_site(out, s, &maps->sites[i], opts);
	if (shown < maps->sites_nr)
		put_more(out, maps, shown, opts);
}

/* --- single maps ------------------------------------------------------------------------------ */

static struct fmt ago(uint64_t ns, uint64_t now_ns)
{
	return fmt_duration(now_ns > ns ? now_ns - ns : 0);
}

static void put_place(FILE *out, const char *what, const struct snapshot_stack *stack)
{
	char where[CELL_SZ];

	fprintf(out, "%*s%s ", INDENT, "", what);
	if (stack)
		short_where(where, stack,
			    TABLE_W - INDENT - strlen(what) - strlen("  59 min 59 s ago"));
	fputs(stack ? where : "at a place that was not seen", out);
}

static void put_map(FILE *out, const struct snapshot_map *map, uint64_t now_ns)
{
	char type[CELL_SZ];

	short_func(type, map->type, TYPE_W);
	put_right(out, fmt_bytes(map->raw.bytes).s, BYTES_W);
	put_right(out, fmt_count(map->raw.entries).s, 1 + ENTRIES_W);
	put_right(out, fmt_count(map->raw.entries_max).s, 1 + ENTRIES_W);
	put_right(out, ago(map->raw.last_ns, now_ns).s, GAP_W + USED_W);
	fprintf(out, "%*s%s\n", GAP_W, "", type);
	put_place(out, "made", map->made);
	fputc('\n', out);
	if (map->raw.emptied_ns) {
		put_place(out, "emptied", map->emptied);
		fprintf(out, ", %s ago\n", ago(map->raw.emptied_ns, now_ns).s);
	}
	if (map->deleted) {
		put_place(out, "deleted from", map->deleted);
		fputc('\n', out);
	}
}

static void put_list(FILE *out, const struct snapshot_maps *maps, const struct render_opts *opts)
{
	if (!maps->list_nr)
		return;
	put_title(out, opts, "Largest maps that are there", maps->list_nr);
	fprintf(out, "\n%s", style(opts, STYLE_DIM));
	put_right(out, "BYTES", BYTES_W);
	put_right(out, "ENTRIES", 1 + ENTRIES_W);
	put_right(out, "LARGEST", 1 + ENTRIES_W);
	put_right(out, "USED AGO", GAP_W + USED_W);
	fprintf(out, "%*sTYPE%s\n", GAP_W, "", style(opts, STYLE_NONE));
	for (size_t i = 0; i < rows_shown(opts, maps->list_nr); i++)
		put_map(out, &maps->list[i], maps->held_mono_ns);
}

/* --- all of it -------------------------------------------------------------------------------- */

void put_maps_section(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	if (!s->maps.known)
		return;
	put_heading(out, opts, "Maps");
	fputc('\n', out);
	put_sums(out, s, opts);
	put_sites(out, s, opts);
}

int render_maps_summary(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	fprintf(out, "%sgallop: maps of ", style(opts, STYLE_BOLD));
	put_target(out, &s->meta);
	fprintf(out, ", %s%s\n", fmt_duration(duration(s)).s, style(opts, STYLE_NONE));
	if (s->maps.known) {
		put_sums(out, s, opts);
		put_sites(out, s, opts);
		put_list(out, &s->maps, opts);
		fputs("\na map that is dropped (m = nil) can't be seen: no event tells of it, and "
		      "its "
		      "table goes with\nthe next GC if nothing else holds it. Lookups aren't "
		      "counted.\n",
		      out);
	} else {
		fputs("not known: maps were not looked at\n", out);
	}
	put_cost(out, s, opts);
	put_limits(out, s, opts);
	return render_end(out);
}
