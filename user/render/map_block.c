/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps in the live view: a line of rates, and what is to be said of which site so far. */
#include "base/fmt.h"
#include "render/cells.h"
#include "render/map_calls.h"
#include "render/maps.h"

enum { SITES_MAX = 5, BYTES_W = 10, PATTERN_W = 20, WHERE_W = 42, TYPE_W = 20, GAP_W = 2 };

static void put_rates(FILE *out, const struct snapshot *interval, const struct snapshot *total)
{
	const struct model_map_counts *n = &interval->maps.total;
	struct map_calls assigns = map_calls_total(&interval->maps, MODEL_MAP_ASSIGN),
			 deletes = map_calls_total(&interval->maps, MODEL_MAP_DELETE);
	uint64_t dur = interval->to_mono_ns - interval->from_mono_ns;

	fputs("maps: ", out);
	if (assigns.known)
		fprintf(out, "%s%s assigns/s, %s%s deletes/s, ", map_calls_mark(assigns),
			fmt_count_rate(assigns.n, dur).s, map_calls_mark(deletes),
			fmt_count_rate(deletes.n, dur).s);
	fprintf(out, "%s clears/s, %s growths/s; ", fmt_rate(n->clears, dur).s,
		fmt_rate(n->growths, dur).s);
	if (total->maps.held_known)
		fprintf(out, "%s held\n", fmt_bytes(total->maps.held.bytes).s);
	else
		fputs("held: not known\n", out);
}

static void put_site(FILE *out, const struct snapshot_maps *maps,
		     const struct snapshot_map_site *site)
{
	char cell[CELL_SZ];

	put_right(out, maps->held_known ? fmt_bytes(site->retained_bytes).s : "-", BYTES_W);
	fputs("  ", out);
	put_left(out, map_pattern_name(site->pattern), PATTERN_W + GAP_W);
	short_where(cell, site->stack, WHERE_W);
	put_left(out, cell, WHERE_W + GAP_W);
	short_func(cell, site->type, TYPE_W);
	fprintf(out, "%s\n", cell);
}

void put_maps_block(FILE *out, const struct snapshot *interval, const struct snapshot *total)
{
	const struct snapshot_maps *maps = &total->maps;
	size_t shown = 0;

	if (!maps->known)
		return;
	put_rates(out, interval, total);
	for (size_t i = 0; i < maps->sites_nr && shown < SITES_MAX; i++) {
		if (maps->sites[i].pattern == MAP_PATTERN_NONE)
			continue;
		put_site(out, maps, &maps->sites[i]);
		shown++;
	}
}
