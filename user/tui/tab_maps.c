/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps by site: how often they are used, what they hold for nothing, and what to do about it. */
#include <math.h>
#include <string.h>

#include "base/fmt.h"
#include "base/f64.h"
#include "render/cells.h"
#include "render/map_advice.h"
#include "render/map_calls.h"
#include "render/maps.h"
#include "tui/tabs.h"

enum {
	COL_ASSIGNS,
	COL_DELETES,
	COL_CLEARS,
	COL_GROWTHS,
	COL_HELD,
	COL_PATTERN,
	COL_NAME,
	COL_TYPE,
	COL_NR
};

static const struct table_column columns[COL_NR] = {
	{ "ASSIGN/S", .width = 10 },
	{ "DELETE/S", .width = 10 },
	{ "CLEAR/S", .width = 8, .screen_min = 100 },
	{ "GROWTH/S", .width = 9, .screen_min = 100 },
	{ "HELD", .width = 10 },
	{ "PATTERN", .width = 20, .left = true },
	{ "FUNCTION (FILE:LINE)", .width = 0, .left = true },
	{ "TYPE", .width = 24, .screen_min = 140, .left = true },
};

static const struct snapshot_map_site *site_of(const struct view *v, const struct table_row *row)
{
	return &frame_snapshot(v->frame, FRAME_TOTAL)->maps.sites[row->idx];
}

static enum frame_span span_of(const struct view *v)
{
	return v->cumulative ? FRAME_TOTAL : FRAME_INTERVAL;
}

/* The same site in the snapshot that rates are of; NULL: nothing happened there. */
static const struct snapshot_map_site *counted_at(const struct view *v, const struct table_row *row)
{
	size_t at = frame_find(v->frame, span_of(v), FRAME_MAPS, row->id);

	return at == SIZE_MAX ? NULL : &frame_snapshot(v->frame, span_of(v))->maps.sites[at];
}

static struct map_calls calls_of(const struct view *v, const struct table_row *row,
				 enum model_map_operation operation)
{
	const struct snapshot_maps *maps = &frame_snapshot(v->frame, span_of(v))->maps;
	const struct snapshot_map_site *site = counted_at(v, row);

	if (site)
		return map_calls_of(maps, site, operation);
	return (struct map_calls){ .known = maps->every_operation || maps->operations_sampled };
}

static double key_of(struct map_calls calls)
{
	return calls.known ? (double)calls.n : NAN;
}

int maps_build(struct view *v)
{
	const struct snapshot *total = frame_snapshot(v->frame, FRAME_TOTAL);
	struct table *t = &v->tables[VIEW_MAPS];
	int rc = 0;

	for (size_t i = 0; !rc && i < total->maps.sites_nr; i++) {
		struct table_row row = { .idx = i,
					 .id = frame_id(v->frame, FRAME_TOTAL, FRAME_MAPS, i) };
		const struct snapshot_map_site *counted = counted_at(v, &row);

		row.key[COL_ASSIGNS] = key_of(calls_of(v, &row, MODEL_MAP_ASSIGN));
		row.key[COL_DELETES] = key_of(calls_of(v, &row, MODEL_MAP_DELETE));
		row.key[COL_CLEARS] = counted ? (double)counted->counts.clears : 0;
		row.key[COL_GROWTHS] = counted ? (double)counted->counts.growths : 0;
		row.key[COL_HELD] = total->maps.held_known
					    ? (double)total->maps.sites[i].retained_bytes
					    : NAN;
		rc = table_add(t, &row);
	}
	return rc;
}

static void put_calls(char dst[CELL_SZ], struct map_calls calls, uint64_t dur_ns)
{
	if (calls.known)
		snprintf(dst, CELL_SZ, "%s%s", map_calls_mark(calls), fmt_rate(calls.n, dur_ns).s);
	else
		snprintf(dst, CELL_SZ, "-");
}

static void cell(const void *ctx, const struct table_row *row, unsigned column, int width,
		 char dst[CELL_SZ])
{
	const struct view *v = ctx;
	const struct snapshot_map_site *site = site_of(v, row);
	uint64_t dur_ns = frame_dur_ns(v->frame, span_of(v));

	switch (column) {
	case COL_ASSIGNS:
		put_calls(dst, calls_of(v, row, MODEL_MAP_ASSIGN), dur_ns);
		break;
	case COL_DELETES:
		put_calls(dst, calls_of(v, row, MODEL_MAP_DELETE), dur_ns);
		break;
	case COL_CLEARS:
	case COL_GROWTHS:
		snprintf(dst, CELL_SZ, "%s", fmt_rate(count_f64(row->key[column]), dur_ns).s);
		break;
	case COL_HELD:
		snprintf(dst, CELL_SZ, "%s",
			 isnan(row->key[COL_HELD]) ? "-" : fmt_bytes(site->retained_bytes).s);
		break;
	case COL_PATTERN:
		snprintf(dst, CELL_SZ, "%s", map_pattern_name(site->pattern));
		break;
	case COL_NAME:
		short_where(dst, site->stack, (size_t)width);
		break;
	default:
		short_func(dst, site->type, (size_t)width);
	}
}

static const char *sort_text(const void *ctx, const struct table_row *row, unsigned column)
{
	const struct snapshot_map_site *site = site_of(ctx, row);

	if (column == COL_PATTERN)
		return map_pattern_name(site->pattern);
	return column == COL_NAME ? site->stack->frames[0]->func : site->type;
}

static void text(const void *ctx, const struct table_row *row, char dst[TABLE_TEXT_SZ])
{
	const struct snapshot_map_site *site = site_of(ctx, row);
	char where[CELL_SZ];

	short_where(where, site->stack, TABLE_TEXT_SZ / 2);
	snprintf(dst, TABLE_TEXT_SZ, "%s %.500s %s", where, site->type,
		 map_pattern_name(site->pattern));
}

const struct table_kind maps_kind = {
	.columns = columns,
	.columns_nr = COL_NR,
	.sort = COL_HELD,
	.bytes_column = COL_HELD,
	.objects_column = COL_ASSIGNS,
	.cell = cell,
	.sort_text = sort_text,
	.text = text,
};

void maps_say(const struct view *v, FILE *out)
{
	put_maps_block(out, frame_snapshot(v->frame, FRAME_INTERVAL),
		       frame_snapshot(v->frame, FRAME_TOTAL));
}

void maps_report(const struct view *v, FILE *out)
{
	const struct render_opts opts = { .value = SNAPSHOT_RETAINED, .top_nr = 50 };

	put_maps_section(out, frame_snapshot(v->frame, FRAME_TOTAL), &opts);
}

void maps_tell(const struct view *v, const struct table_row *row, FILE *out)
{
	const struct snapshot *total = frame_snapshot(v->frame, FRAME_TOTAL);
	const struct snapshot_map_site *site = site_of(v, row);
	const struct model_map_counts *n = &site->counts;
	struct map_advice advice = map_advice(total, site);
	char name[CELL_SZ];

	short_text(name, site->type, CELL_SZ - 1);
	fprintf(out, "%s\n\n", name);
	put_stack(out, site->stack, 2, 0);
	short_where(name, site->stack, TABLE_W);
	if (site->stack->frames_nr == 1)
		fprintf(out, "  %s\n", name);
	fprintf(out, "\nsince the start: %s clears, %s growths, largest size %s\n",
		fmt_count(n->clears).s, fmt_count(n->growths).s, fmt_count(n->entries_max).s);
	if (*map_pattern_name(site->pattern))
		fprintf(out, "pattern: %s\n", map_pattern_name(site->pattern));
	fprintf(out, "%s\n", *advice.s ? advice.s : "nothing to advise");
}
