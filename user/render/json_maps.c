/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps. Every member is always there; what is not known is null, so nobody takes a 0 for a measurement. */
#include "render/json.h"
#include "render/map_advice.h"

static void put_number(struct json_writer *w, const char *key, bool known, uint64_t value)
{
	if (known)
		json_number(w, key, value);
	else
		json_null(w, key);
}

static void put_text(struct json_writer *w, const char *key, const char *text)
{
	if (*text)
		json_string(w, key, text);
	else
		json_null(w, key);
}

/* What sites have and their sum. */
static void put_counts(struct json_writer *w, const struct snapshot_maps *maps,
		       const struct model_map_counts *c)
{
	bool operations = maps->known && maps->every_operation;

	put_number(w, "makes", maps->known, c->makes);
	put_number(w, "assigns", operations, c->assigns);
	put_number(w, "deletes", operations, c->deletes);
	put_number(w, "clears", maps->known, c->clears);
	put_number(w, "drains", operations, c->drains);
	put_number(w, "drain_loops", operations, c->drain_loops);
	put_number(w, "growths", maps->known, c->growths);
	put_number(w, "rehashes", maps->known, c->rehashes);
	put_number(w, "entries_removed", operations, c->removed);
	put_number(w, "unsettled", operations, c->unsettled);
	put_number(w, "grown_bytes", maps->known, c->grown_bytes);
}

static void put_held(struct json_writer *w, const struct snapshot_maps *maps,
		     const struct snapshot_map_site *site)
{
	bool known = maps->held_known;

	put_number(w, "made_maps", known, site->made.maps);
	put_number(w, "made_bytes", known, site->made.bytes);
	put_number(w, "retained_maps", known, site->emptied.maps + site->thinned.maps);
	put_number(w, "retained_bytes", known, site->retained_bytes);
	put_number(w, "idle_bytes", known, site->idle.bytes);
	put_number(w, "idle_needed_bytes", known, site->idle_needed_bytes);
}

static void put_site(struct json_writer *w, const struct snapshot *s,
		     const struct snapshot_map_site *site)
{
	const struct model_map_counts *c = &site->counts;

	json_open(w, NULL, '{');
	json_string(w, "type", site->type);
	put_text(w, "pattern", map_pattern_name(site->pattern));
	put_text(w, "advice", map_advice(s, site).s);
	put_counts(w, &s->maps, c);
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
	put_number(w, "emptied_ns", raw->emptied_ns, raw->emptied_ns);
	put_place(w, "made", map->made);
	put_place(w, "emptied", map->emptied);
	put_place(w, "deleted", map->deleted);
	json_close(w, '}');
}

void json_put_maps(struct json_writer *w, const struct snapshot *s)
{
	const struct snapshot_maps *maps = &s->maps;

	json_bool(w, "known", maps->known);
	put_counts(w, maps, &maps->total);
	put_number(w, "held_maps", maps->held_known, maps->held.maps);
	put_number(w, "held_bytes", maps->held_known, maps->held.bytes);
	put_number(w, "held_mono_ns", maps->held_known, maps->held_mono_ns);
	json_open(w, "sites", '[');
	for (size_t i = 0; i < maps->sites_nr; i++)
		put_site(w, s, &maps->sites[i]);
	json_close(w, ']');
	json_open(w, "list", '[');
	for (size_t i = 0; i < maps->list_nr; i++)
		put_map(w, &maps->list[i]);
	json_close(w, ']');
}
