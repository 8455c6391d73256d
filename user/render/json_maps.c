/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps. Every member is always there; what is not known is null, so nobody takes a 0 for a measurement. */
#include "render/json.h"
#include "render/map_advice.h"
#include "render/map_calls.h"

static void put_text(struct json_writer *w, const char *key, const char *text)
{
	if (*text)
		json_string(w, key, text);
	else
		json_null(w, key);
}

/* What a site has, or all have together: site is NULL. */
static void put_counts(struct json_writer *w, const struct snapshot_maps *maps,
		       const struct snapshot_map_site *site)
{
	const struct model_map_counts *c = site ? &site->counts : &maps->total;
	struct map_calls assigns = site ? map_calls_of(maps, site, MODEL_MAP_ASSIGN)
					: map_calls_total(maps, MODEL_MAP_ASSIGN);
	struct map_calls deletes = site ? map_calls_of(maps, site, MODEL_MAP_DELETE)
					: map_calls_total(maps, MODEL_MAP_DELETE);
	bool operations = maps->known && maps->every_operation;

	json_number_if(w, "makes", operations, c->makes);
	json_number_if(w, "assigns", assigns.known && !assigns.at_least, assigns.n);
	json_number_if(w, "deletes", deletes.known && !deletes.at_least, deletes.n);
	json_number_if(w, "assigns_at_least", assigns.at_least, assigns.n);
	json_number_if(w, "deletes_at_least", deletes.at_least, deletes.n);
	if (site) {
		json_decimal_if(w, "assigns_ci95", assigns.known && assigns.ci95 >= 0,
				assigns.ci95);
		json_decimal_if(w, "deletes_ci95", deletes.known && deletes.ci95 >= 0,
				deletes.ci95);
	}
	json_number_if(w, "clears", maps->known, c->clears);
	json_number_if(w, "drains", operations, c->drains);
	json_number_if(w, "drain_loops", operations, c->drain_loops);
	json_number_if(w, "growths", maps->known, c->growths);
	json_number_if(w, "rehashes", maps->known, c->rehashes);
	json_number_if(w, "entries_removed", operations, c->removed);
	json_number_if(w, "unsettled", operations, c->unsettled);
	json_number_if(w, "grown_bytes", maps->known, c->grown_bytes);
}

static void put_held(struct json_writer *w, const struct snapshot_maps *maps,
		     const struct snapshot_map_site *site)
{
	bool known = maps->held_known;

	json_number_if(w, "made_maps", known, site->made.maps);
	json_number_if(w, "made_bytes", known, site->made.bytes);
	json_number_if(w, "retained_maps", known, site->emptied.maps + site->thinned.maps);
	json_number_if(w, "retained_bytes", known, site->retained_bytes);
	json_number_if(w, "idle_bytes", known, site->idle.bytes);
	json_number_if(w, "idle_needed_bytes", known, site->idle_needed_bytes);
}

static void put_site(struct json_writer *w, const struct snapshot *s,
		     const struct snapshot_map_site *site)
{
	const struct model_map_counts *c = &site->counts;

	json_open(w, NULL, '{');
	json_string(w, "type", site->type);
	put_text(w, "pattern", map_pattern_name(site->pattern));
	put_text(w, "advice", map_advice(s, site).s);
	put_counts(w, &s->maps, site);
	json_number(w, "entries_max", c->entries_max);
	json_number(w, "emptied", c->emptied);
	json_number(w, "refills", c->refills);
	json_number(w, "refills_alike", c->refills_alike);
	json_number(w, "refilled_entries", c->refilled_entries);
	json_number(w, "made_entries", c->made_entries);
	json_number(w, "made_growths", c->made_growths);
	json_number(w, "made_grown_bytes", c->made_grown_bytes);
	put_held(w, &s->maps, site);
	json_put_stack(w, site->stack);
	json_close(w, '}');
}

/* A place where something happened to a single map; null if it was not seen. */
static void put_place(struct json_writer *w, const char *key, const struct snapshot_stack *stack)
{
	if (!stack) {
		json_null(w, key);
		return;
	}
	json_open(w, key, '{');
	json_put_stack(w, stack);
	json_close(w, '}');
}

static void put_map(struct json_writer *w, const struct snapshot_map *map)
{
	const struct model_map *raw = &map->raw;

	json_open(w, NULL, '{');
	json_address(w, "addr", raw->addr);
	json_string(w, "type", map->type);
	json_number(w, "entries", raw->entries);
	json_number(w, "bytes", raw->bytes);
	json_number(w, "entries_max", raw->entries_max);
	json_number(w, "first_ns", raw->first_ns);
	json_number(w, "last_ns", raw->last_ns);
	json_number_if(w, "emptied_ns", raw->emptied_ns, raw->emptied_ns);
	put_place(w, "made", map->made);
	put_place(w, "emptied", map->emptied);
	put_place(w, "deleted", map->deleted);
	json_close(w, '}');
}

void json_put_maps(struct json_writer *w, const struct snapshot *s)
{
	const struct snapshot_maps *maps = &s->maps;

	json_bool(w, "known", maps->known);
	json_bool(w, "operations_sampled",
		  maps->known && !maps->every_operation && maps->operations_sampled);
	put_counts(w, maps, NULL);
	json_number_if(w, "held_maps", maps->held_known, maps->held.maps);
	json_number_if(w, "held_bytes", maps->held_known, maps->held.bytes);
	json_number_if(w, "held_mono_ns", maps->held_known, maps->held_mono_ns);
	json_open(w, "sites", '[');
	for (size_t i = 0; i < maps->sites_nr; i++)
		put_site(w, s, &maps->sites[i]);
	json_close(w, ']');
	json_open(w, "list", '[');
	for (size_t i = 0; i < maps->list_nr; i++)
		put_map(w, &maps->list[i]);
	json_close(w, ']');
}
