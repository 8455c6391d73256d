/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/schema.h"

/*
 * A stack's frames are a JSON array of frame ids: a third of the size of a row per frame, and the
 * view stack_frames still shows it as rows. leaf is derived (the frame to show): views use it, the
 * reader does not.
 */
const struct schema_table schema_tables[] = {
	{ "meta", "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID" },
	{ "function", "CREATE TABLE function(id INTEGER PRIMARY KEY, name TEXT NOT NULL, "
		      "file TEXT NOT NULL)" },
	{ "frame", "CREATE TABLE frame(id INTEGER PRIMARY KEY, function INTEGER NOT NULL, "
		   "line INTEGER NOT NULL, inlined INTEGER NOT NULL, pc INTEGER NOT NULL)" },
	{ "stack", "CREATE TABLE stack(id INTEGER PRIMARY KEY, frames TEXT NOT NULL, "
		   "truncated INTEGER NOT NULL, leaf INTEGER NOT NULL)" },
	{ "type", "CREATE TABLE type(id INTEGER PRIMARY KEY, name TEXT NOT NULL)" },
	{ "op", "CREATE TABLE op(id INTEGER PRIMARY KEY, function TEXT NOT NULL, "
		"label TEXT NOT NULL)" },
	{ "site", "CREATE TABLE site(id INTEGER PRIMARY KEY, stack INTEGER NOT NULL, "
		  "type INTEGER NOT NULL, size_class INTEGER NOT NULL, goid INTEGER NOT NULL, "
		  "ops INTEGER NOT NULL)" },
	{ "interval",
	  "CREATE TABLE interval(id INTEGER PRIMARY KEY, start_ns INTEGER NOT NULL, "
	  "end_ns INTEGER NOT NULL, objects INTEGER NOT NULL, bytes INTEGER NOT NULL)" },
	{ "alloc", "CREATE TABLE alloc(interval INTEGER NOT NULL, site INTEGER NOT NULL, "
		   "objects INTEGER NOT NULL, bytes INTEGER NOT NULL, "
		   "PRIMARY KEY(interval, site)) WITHOUT ROWID" },
	{ "loss_cause", "CREATE TABLE loss_cause(id INTEGER PRIMARY KEY, key TEXT NOT NULL, "
			"what TEXT NOT NULL)" },
	{ "loss", "CREATE TABLE loss(cause INTEGER NOT NULL, interval INTEGER NOT NULL, "
		  "so_far INTEGER NOT NULL, PRIMARY KEY(cause, interval)) WITHOUT ROWID" },
	{ "mark", "CREATE TABLE mark(id INTEGER PRIMARY KEY, ns INTEGER NOT NULL, "
		  "reason TEXT NOT NULL, runtime_objects INTEGER NOT NULL, "
		  "gallop_objects INTEGER NOT NULL, gallop_bytes INTEGER NOT NULL)" },
	{ "runtime_check",
	  "CREATE TABLE runtime_check(id INTEGER PRIMARY KEY, "
	  "known INTEGER NOT NULL, why_not TEXT NOT NULL, from_ns INTEGER NOT NULL, "
	  "to_ns INTEGER NOT NULL, runtime_objects INTEGER NOT NULL, "
	  "gallop_objects INTEGER NOT NULL, slack INTEGER NOT NULL)" },
	{ "stop",
	  "CREATE TABLE stop(id INTEGER PRIMARY KEY, interval INTEGER NOT NULL, "
	  "reason INTEGER NOT NULL, reason_name TEXT NOT NULL, gc INTEGER NOT NULL, "
	  "start_ns INTEGER NOT NULL, stopped_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, "
	  "goid INTEGER NOT NULL, stack INTEGER)" },
	{ "cycle",
	  "CREATE TABLE cycle(id INTEGER PRIMARY KEY, interval INTEGER NOT NULL, "
	  "number INTEGER NOT NULL, cause INTEGER NOT NULL, cause_name TEXT NOT NULL, "
	  "goid INTEGER NOT NULL, stack INTEGER, told_ns INTEGER NOT NULL, "
	  "start_ns INTEGER NOT NULL, mark_start_ns INTEGER NOT NULL, "
	  "mark_end_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, "
	  "sweep_pause_ns INTEGER NOT NULL, mark_pause_ns INTEGER NOT NULL, "
	  "pause_ns INTEGER NOT NULL, heap_start INTEGER NOT NULL, "
	  "heap_marked INTEGER NOT NULL, heap_end INTEGER NOT NULL, goal INTEGER NOT NULL, "
	  "next_goal INTEGER NOT NULL, assist_ns INTEGER NOT NULL, "
	  "dedicated_ns INTEGER NOT NULL, fractional_ns INTEGER NOT NULL, "
	  "idle_ns INTEGER NOT NULL, cpu_ppm INTEGER NOT NULL, "
	  "runtime_known INTEGER NOT NULL, share_ppm INTEGER)" },
	{ "assist", "CREATE TABLE assist(interval INTEGER NOT NULL, stack INTEGER NOT NULL, "
		    "assists INTEGER NOT NULL, ns INTEGER NOT NULL, "
		    "PRIMARY KEY(interval, stack)) WITHOUT ROWID" },
	{ "gc_check",
	  "CREATE TABLE gc_check(id INTEGER PRIMARY KEY, known INTEGER NOT NULL, "
	  "why_not TEXT NOT NULL, exact INTEGER NOT NULL, runtime_cycles INTEGER NOT NULL, "
	  "gallop_cycles INTEGER NOT NULL, runtime_pause_ns INTEGER NOT NULL, "
	  "gallop_pause_ns INTEGER NOT NULL, off_ns INTEGER NOT NULL)" },
	{ "map_watch", "CREATE TABLE map_watch(id INTEGER PRIMARY KEY, "
		       "every_operation INTEGER NOT NULL)" },
	{ "map_site", "CREATE TABLE map_site(id INTEGER PRIMARY KEY, stack INTEGER NOT NULL, "
		      "type INTEGER NOT NULL, swiss INTEGER NOT NULL, noscan INTEGER NOT NULL, "
		      "malloc_headers INTEGER NOT NULL, load_six INTEGER NOT NULL, "
		      "unit_bytes INTEGER NOT NULL)" },
	{ "map_op", "CREATE TABLE map_op(interval INTEGER NOT NULL, site INTEGER NOT NULL, "
		    "makes INTEGER NOT NULL, assigns INTEGER NOT NULL, "
		    "deletes INTEGER NOT NULL, clears INTEGER NOT NULL, "
		    "removed INTEGER NOT NULL, unsettled INTEGER NOT NULL, "
		    "drains INTEGER NOT NULL, drain_loops INTEGER NOT NULL, "
		    "growths INTEGER NOT NULL, rehashes INTEGER NOT NULL, "
		    "grown_bytes INTEGER NOT NULL, emptied INTEGER NOT NULL, "
		    "emptied_entries INTEGER NOT NULL, refills INTEGER NOT NULL, "
		    "refills_alike INTEGER NOT NULL, refilled_entries INTEGER NOT NULL, "
		    "made_entries INTEGER NOT NULL, made_growths INTEGER NOT NULL, "
		    "made_grown_bytes INTEGER NOT NULL, entries_max INTEGER NOT NULL, "
		    "PRIMARY KEY(interval, site)) WITHOUT ROWID" },
	{ "map_look", "CREATE TABLE map_look(interval INTEGER PRIMARY KEY, ns INTEGER NOT NULL, "
		      "maps INTEGER NOT NULL, bytes INTEGER NOT NULL)" },
	{ "map_held", "CREATE TABLE map_held(site INTEGER NOT NULL, interval INTEGER NOT NULL, "
		      "made_maps INTEGER NOT NULL, made_bytes INTEGER NOT NULL, "
		      "emptied_maps INTEGER NOT NULL, emptied_bytes INTEGER NOT NULL, "
		      "thinned_maps INTEGER NOT NULL, thinned_bytes INTEGER NOT NULL, "
		      "idle_emptied_maps INTEGER NOT NULL, idle_emptied_bytes INTEGER NOT NULL, "
		      "idle_emptied_needed INTEGER NOT NULL, idle_thinned_maps INTEGER NOT NULL, "
		      "idle_thinned_bytes INTEGER NOT NULL, "
		      "idle_thinned_needed INTEGER NOT NULL, PRIMARY KEY(site, interval)"
		      ") WITHOUT ROWID" },
	{ "map_largest", "CREATE TABLE map_largest(id INTEGER PRIMARY KEY, "
			 "address INTEGER NOT NULL, type INTEGER NOT NULL, made_site INTEGER, "
			 "emptied_site INTEGER, deleted_site INTEGER, entries INTEGER NOT NULL, "
			 "bytes INTEGER NOT NULL, entries_max INTEGER NOT NULL, "
			 "fill_entries INTEGER NOT NULL, emptied_entries INTEGER NOT NULL, "
			 "fill_ns INTEGER NOT NULL, first_ns INTEGER NOT NULL, "
			 "last_ns INTEGER NOT NULL, emptied_ns INTEGER NOT NULL, "
			 "thin_ns INTEGER NOT NULL)" },
	{ "op_watch",
	  "CREATE TABLE op_watch(id INTEGER PRIMARY KEY, allocs INTEGER NOT NULL, "
	  "pauses INTEGER NOT NULL, assists INTEGER NOT NULL, sampled INTEGER NOT NULL)" },
	{ "op_call", "CREATE TABLE op_call(interval INTEGER NOT NULL, op INTEGER NOT NULL, "
		     "begun INTEGER NOT NULL, ended INTEGER NOT NULL, panics INTEGER NOT NULL, "
		     "goexits INTEGER NOT NULL, began_before INTEGER NOT NULL, "
		     "entries INTEGER NOT NULL, uncounted_ns INTEGER NOT NULL, "
		     "nested INTEGER NOT NULL, cut INTEGER NOT NULL, "
		     "pause_ns INTEGER NOT NULL, assist_ns INTEGER NOT NULL, "
		     "objects INTEGER NOT NULL, bytes INTEGER NOT NULL, ns INTEGER NOT NULL, "
		     "objects_max INTEGER NOT NULL, bytes_max INTEGER NOT NULL, "
		     "ns_max INTEGER NOT NULL, PRIMARY KEY(interval, op)) WITHOUT ROWID" },
	{ "op_hist", "CREATE TABLE op_hist(interval INTEGER NOT NULL, op INTEGER NOT NULL, "
		     "value INTEGER NOT NULL, bucket INTEGER NOT NULL, "
		     "operations INTEGER NOT NULL, PRIMARY KEY(interval, op, value, bucket)"
		     ") WITHOUT ROWID" },
	{ "op_window",
	  "CREATE TABLE op_window(interval INTEGER NOT NULL, op INTEGER NOT NULL, "
	  "number INTEGER NOT NULL, windows INTEGER NOT NULL, calls INTEGER NOT NULL, "
	  "ended INTEGER NOT NULL, late INTEGER NOT NULL, objects INTEGER NOT NULL, "
	  "bytes INTEGER NOT NULL, ns INTEGER NOT NULL, objects_squares REAL NOT NULL, "
	  "bytes_squares REAL NOT NULL, ns_squares REAL NOT NULL, "
	  "PRIMARY KEY(interval, op, number)) WITHOUT ROWID" },
	{ "sampling", "CREATE TABLE sampling(id INTEGER PRIMARY KEY, hit_ns INTEGER NOT NULL, "
		      "known INTEGER NOT NULL, budget_ppm INTEGER NOT NULL, "
		      "predicted_ppm INTEGER NOT NULL, predicted_now_ppm INTEGER NOT NULL, "
		      "ns_per_hit INTEGER NOT NULL, ns_per_switch INTEGER NOT NULL, "
		      "hits INTEGER NOT NULL, windows INTEGER NOT NULL, "
		      "overruns INTEGER NOT NULL, off TEXT NOT NULL, "
		      "calibrated INTEGER NOT NULL, failed_windows INTEGER NOT NULL, "
		      "other_probes INTEGER NOT NULL)" },
	{ "sample_interval",
	  "CREATE TABLE sample_interval(interval INTEGER PRIMARY KEY, "
	  "mem_profile_rate INTEGER NOT NULL, hits INTEGER NOT NULL, windows INTEGER NOT NULL, "
	  "overruns INTEGER NOT NULL, predicted_ppm INTEGER NOT NULL, "
	  "failed_windows INTEGER NOT NULL)" },
	{ "class_count",
	  "CREATE TABLE class_count(interval INTEGER NOT NULL, size_class INTEGER NOT NULL, "
	  "objects INTEGER NOT NULL, bytes INTEGER NOT NULL, site_objects INTEGER NOT NULL, "
	  "site_bytes INTEGER NOT NULL, PRIMARY KEY(interval, size_class)) WITHOUT ROWID" },
	{ "sampled", "CREATE TABLE sampled(interval INTEGER NOT NULL, site INTEGER NOT NULL, "
		     "samples INTEGER NOT NULL, large_milli INTEGER NOT NULL, "
		     "large_variance_milli INTEGER NOT NULL, large_bytes INTEGER NOT NULL, "
		     "large_variance_kib2 INTEGER NOT NULL, PRIMARY KEY(interval, site)"
		     ") WITHOUT ROWID" },
	{ "unit", "CREATE TABLE unit(id INTEGER PRIMARY KEY, interval INTEGER NOT NULL, "
		  "start_ns INTEGER NOT NULL, hits INTEGER NOT NULL, slot_ns INTEGER NOT NULL, "
		  "refill_ns INTEGER NOT NULL, kept_ns INTEGER NOT NULL, began INTEGER NOT NULL, "
		  "times INTEGER NOT NULL)" },
	{ "unit_refill", "CREATE TABLE unit_refill(unit INTEGER NOT NULL, root INTEGER NOT NULL, "
			 "size_class INTEGER NOT NULL, objects INTEGER NOT NULL, "
			 "PRIMARY KEY(unit, root, size_class)) WITHOUT ROWID" },
	{ "unit_gap", "CREATE TABLE unit_gap(unit INTEGER NOT NULL, root INTEGER NOT NULL, "
		      "gaps INTEGER NOT NULL, ns INTEGER NOT NULL, PRIMARY KEY(unit, root)"
		      ") WITHOUT ROWID" },
	{ "unit_hit", "CREATE TABLE unit_hit(unit INTEGER NOT NULL, site INTEGER NOT NULL, "
		      "root INTEGER NOT NULL, size_class INTEGER NOT NULL, "
		      "objects INTEGER NOT NULL, large_bytes INTEGER NOT NULL, "
		      "rate_milli INTEGER NOT NULL, "
		      "PRIMARY KEY(unit, site, root, size_class)"
		      ") WITHOUT ROWID" },
	{ "unit_map_op", "CREATE TABLE unit_map_op(unit INTEGER NOT NULL, "
			 "map_site INTEGER NOT NULL, root INTEGER NOT NULL, "
			 "operation INTEGER NOT NULL, calls INTEGER NOT NULL, "
			 "alone INTEGER NOT NULL, most_milli INTEGER NOT NULL, "
			 "rate_milli INTEGER NOT NULL, "
			 "PRIMARY KEY(unit, map_site, root, operation)) WITHOUT ROWID" },
	{ "heap_watch", "CREATE TABLE heap_watch(id INTEGER PRIMARY KEY, why_not TEXT NOT NULL)" },
	{ "heap_look", "CREATE TABLE heap_look(interval INTEGER PRIMARY KEY, ns INTEGER NOT NULL, "
		       "rate INTEGER NOT NULL, cycle INTEGER NOT NULL, before_gc INTEGER NOT NULL, "
		       "unsettled INTEGER NOT NULL)" },
	{ "heap", "CREATE TABLE heap(interval INTEGER NOT NULL, stack INTEGER NOT NULL, "
		  "inuse_objects INTEGER NOT NULL, inuse_bytes INTEGER NOT NULL, "
		  "alloc_objects INTEGER NOT NULL, alloc_bytes INTEGER NOT NULL, "
		  "inuse_samples INTEGER NOT NULL, alloc_samples INTEGER NOT NULL, "
		  "PRIMARY KEY(interval, stack)) WITHOUT ROWID" },
	{ NULL, NULL },
};

/* A stack's leaf is the frame to show: of these, the function that asked for it. */
#define WITH_LEAF(table)                                 \
	"LEFT JOIN stack ON stack.id = " table ".stack " \
	"LEFT JOIN frame ON frame.id = stack.leaf "      \
	"LEFT JOIN function ON function.id = frame.function"
#define SINCE_START(column) \
	"(" column " - (SELECT value FROM meta WHERE key = 'start_mono_ns')) / 1e9"

const char *const schema_views[] = {
	"CREATE VIEW sites AS SELECT site.id, function.name AS function, function.file, "
	"frame.line, "
	"type.name AS type, site.size_class, site.goid, site.ops, sum(alloc.objects) AS objects, "
	"sum(alloc.bytes) AS bytes FROM alloc JOIN site ON site.id = alloc.site "
	"JOIN stack ON stack.id = site.stack JOIN frame ON frame.id = stack.leaf "
	"JOIN function ON function.id = frame.function JOIN type ON type.id = site.type "
	"GROUP BY site.id",

	"CREATE VIEW types AS SELECT type.name AS type, sum(alloc.objects) AS objects, "
	"sum(alloc.bytes) AS bytes FROM alloc JOIN site ON site.id = alloc.site "
	"JOIN type ON type.id = site.type GROUP BY type.id",

	"CREATE VIEW rates AS SELECT interval.id, "
	"(start_ns - (SELECT value FROM meta WHERE key = 'start_mono_ns')) / 1e9 AS start_s, "
	"(end_ns - start_ns) / 1e9 AS seconds, objects, bytes, "
	"objects * 1e9 / nullif(end_ns - start_ns, 0) AS objects_per_s, "
	"bytes * 1e9 / nullif(end_ns - start_ns, 0) AS bytes_per_s FROM interval",

	"CREATE VIEW stack_frames AS SELECT stack.id AS stack, frames.key AS depth, "
	"function.name AS function, function.file, frame.line, frame.inlined, frame.pc "
	"FROM stack, json_each(stack.frames) AS frames JOIN frame ON frame.id = frames.value "
	"JOIN function ON function.id = frame.function",

	"CREATE VIEW losses AS SELECT key, coalesce(max(so_far), 0) AS count, what FROM loss_cause "
	"LEFT JOIN loss ON loss.cause = loss_cause.id GROUP BY loss_cause.id",

	"CREATE VIEW stops AS SELECT stop.id, " SINCE_START(
		"start_ns") " AS start_s, "
			    "reason_name AS reason, end_ns - start_ns AS ns, "
			    "iif(stopped_ns, stopped_ns - start_ns, NULL) AS stopping_ns, stop.gc, "
			    "stop.goid, "
			    "function.name AS function, function.file, frame.line FROM "
			    "stop " WITH_LEAF("stop"),

	"CREATE VIEW cycles AS SELECT iif(runtime_known, number, NULL) AS number, " SINCE_START(
		"told_ns") " AS end_s, "
			   "cause_name AS cause, iif(runtime_known, pause_ns, iif(start_ns, "
			   "sweep_pause_ns + mark_pause_ns, NULL)) AS pause_ns, "
			   "mark_end_ns - mark_start_ns AS mark_ns, "
			   "iif(runtime_known, assist_ns, NULL) AS assist_ns, "
			   "nullif(heap_start, 0) AS heap_start, "
			   "iif(runtime_known, heap_marked, NULL) AS heap_marked, "
			   "nullif(heap_end, 0) AS heap_end, "
			   "iif(runtime_known, goal, NULL) AS goal, "
			   "share_ppm / 1e6 AS cpu_share, cycle.goid, "
			   "function.name AS function, function.file, frame.line FROM "
			   "cycle " WITH_LEAF("cycle"),

	"CREATE VIEW assists AS SELECT function.name AS function, function.file, frame.line, "
	"sum(assists) AS assists, sum(ns) AS ns FROM assist " WITH_LEAF(
		"assist") " GROUP BY frame.id",

	/* What is held is as of the last row of its site: there is one only where it changed. */
	"CREATE VIEW map_sites AS SELECT map_site.id, function.name AS function, function.file, "
	"frame.line, type.name AS type, sum(makes) AS makes, sum(assigns) AS assigns, "
	"sum(deletes) AS deletes, sum(clears) AS clears, sum(removed) AS removed, "
	"sum(drains) AS drains, sum(growths) AS growths, sum(rehashes) AS rehashes, "
	"sum(grown_bytes) AS grown_bytes, max(entries_max) AS entries_max, "
	"coalesce((SELECT emptied_bytes + thinned_bytes FROM map_held WHERE map_held.site = "
	"map_site.id ORDER BY interval DESC LIMIT 1), 0) AS retained_bytes FROM map_site "
	"JOIN type ON type.id = map_site.type LEFT JOIN map_op ON map_op.site = "
	"map_site.id " WITH_LEAF("map_site") " GROUP BY map_site.id",

	"CREATE VIEW maps AS SELECT type.name AS type, entries, bytes, entries_max, "
	"function.name AS function, function.file, frame.line FROM map_largest "
	"JOIN type ON type.id = map_largest.type "
	"LEFT JOIN map_site ON map_site.id = made_site " WITH_LEAF("map_site"),

	/* Values are of the operations that ended; what wasn't measured is NULL. */
	"CREATE VIEW ops AS SELECT op.id, op.function, op.label, "
	"iif(sampled, iif(coalesce(sum(nested + uncounted_ns), 0) OR "
	"(sum(begun) > 0 AND sum(entries) = 0), NULL, "
	"coalesce(sum(entries), 0)), coalesce(sum(ended), 0)) AS calls, "
	"coalesce(sum(ended), 0) AS measured, coalesce(sum(cut), 0) AS cut, "
	"iif(sampled, (SELECT coalesce(sum(windows), 0) FROM op_window WHERE op_window.op = "
	"op.id), "
	"NULL) AS windows, coalesce(sum(begun), 0) AS begun, "
	"coalesce(sum(panics + goexits), 0) AS unmatched, "
	"iif(allocs, sum(objects) * 1.0 / nullif(sum(ended), 0), NULL) AS allocs_per_op, "
	"iif(allocs, sum(bytes) * 1.0 / nullif(sum(ended), 0), NULL) AS bytes_per_op, "
	"sum(ns) * 1.0 / nullif(sum(ended), 0) AS ns_per_op, "
	"iif(allocs, max(objects_max), NULL) AS allocs_max, "
	"iif(allocs, max(bytes_max), NULL) AS bytes_max, max(ns_max) AS ns_max, "
	"iif(pauses, coalesce(sum(pause_ns), 0), NULL) AS pause_ns, "
	"iif(assists, coalesce(sum(assist_ns), 0), NULL) AS assist_ns "
	"FROM op LEFT JOIN op_watch LEFT JOIN op_call ON op_call.op = op.id GROUP BY op.id",

	/* wire_hist_low() and wire_hist_width() of each bucket. */
	"CREATE VIEW op_values AS SELECT op.id AS op, op.function, op.label, "
	"iif(value = 0, 'allocs', iif(value = 1, 'bytes', 'ns')) AS value, "
	"(bucket - (shift << 7)) << shift AS low, 1 << shift AS width, "
	"sum(operations) AS operations "
	"FROM (SELECT *, max((bucket >> 7) - 1, 0) AS shift FROM op_hist) AS hist "
	"JOIN op ON op.id = hist.op GROUP BY op.id, hist.value, bucket",

	"CREATE VIEW op_sites AS SELECT op.id AS op, op.function AS operation, "
	"function.name AS function, function.file, frame.line, type.name AS type, "
	"sum(objects) AS objects, sum(bytes) AS bytes FROM op "
	"JOIN site ON (site.ops >> op.id) & 1 JOIN alloc ON alloc.site = site.id "
	"JOIN type ON type.id = site.type " WITH_LEAF("site") " GROUP BY op.id, frame.id, type.id",

	/*
	 * As of the last look; grown_bytes since the first one. There is a row of heap only where it changed: what a
	 * stack had at the first look is in its row of that interval, or nothing.
	 */
	"CREATE VIEW heap_sites AS SELECT heap.stack, function.name AS function, function.file, "
	"frame.line, inuse_objects, inuse_bytes, alloc_objects, alloc_bytes, "
	"inuse_bytes - coalesce((SELECT inuse_bytes FROM heap AS first WHERE first.stack = "
	"heap.stack AND first.interval = (SELECT min(interval) FROM heap_look)), 0) AS grown_bytes "
	"FROM (SELECT *, max(interval) FROM heap GROUP BY stack) AS heap " WITH_LEAF("heap"),

	"CREATE VIEW heap_looks AS SELECT interval, " SINCE_START(
		"ns") " AS s, cycle, rate FROM heap_look",
	NULL,
};

#define META(kind, member)                                          \
	{                                                           \
#member, kind, offsetof(struct model_meta, member), \
			sizeof(((struct model_meta *)0)->member)    \
	}

const struct schema_meta schema_metas[] = {
	META(SCHEMA_TEXT, gallop_version),
	META(SCHEMA_TEXT, exe),
	META(SCHEMA_TEXT, comm),
	META(SCHEMA_TEXT, cmdline),
	META(SCHEMA_TEXT, go_version),
	META(SCHEMA_TEXT, module),
	META(SCHEMA_TEXT, build_id),
	META(SCHEMA_TEXT, kernel),
	META(SCHEMA_TEXT, mode),
	META(SCHEMA_TEXT, attach),
	META(SCHEMA_I32, pid),
	META(SCHEMA_WORD, load_bias),
	META(SCHEMA_TIME, start_unix_ns),
	META(SCHEMA_TIME, start_mono_ns),
	META(SCHEMA_TIME, end_mono_ns),
	META(SCHEMA_TEXT, end_reason),
	{ .key = NULL },
};
