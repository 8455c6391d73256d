/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events as lines of JSON, for programs that read while they come: first what was traced, then
 * every stop and cycle in the order in which they ended, at last the sums, maps and operations if they were looked at,
 * what it cost if that is known, and what was lost.
 */
#include "render/formats.h"
#include "render/gc.h"
#include "render/json.h"

static struct json_writer begin(FILE *out, const char *type)
{
	struct json_writer w = { .out = out };

	json_open_flat(&w, NULL, '{');
	json_string(&w, "type", type);
	return w;
}

static void put_event(FILE *out, const struct gc_event *event)
{
	struct json_writer w = begin(out, event->cycle ? "gc_cycle" : "stop");

	json_number(&w, "ts_ns", event->cycle ? event->cycle->told_ns : event->stop->raw.end_ns);
	if (event->cycle)
		json_put_cycle(&w, event->cycle);
	else
		json_put_stop(&w, event->stop);
	json_close(&w, '}');
}

int render_jsonl_meta(FILE *out, const struct snapshot *s)
{
	struct json_writer w = begin(out, "meta");

	json_string(&w, "schema", "gallop/1");
	json_put_meta(&w, s);
	json_close(&w, '}');
	return render_end(out);
}

int render_jsonl_events(FILE *out, const struct snapshot *s)
{
	struct gc_events events = { .gc = &s->gc };
	struct gc_event event;

	while (gc_events_next(&events, &event))
		put_event(out, &event);
	return render_end(out);
}

int render_jsonl_end(FILE *out, const struct snapshot *s)
{
	struct json_writer w = begin(out, "summary");

	json_put_gc_summary(&w, s);
	json_close(&w, '}');
	if (s->maps.known) {
		w = begin(out, "maps");
		json_put_maps(&w, s);
		json_close(&w, '}');
	}
	if (s->ops.ops_nr) {
		w = begin(out, "ops");
		json_put_ops(&w, s);
		json_close(&w, '}');
	}
	if (s->samples.cost.known) {
		w = begin(out, "cost");
		json_put_cost_members(&w, &s->samples.cost);
		json_close(&w, '}');
	}
	w = begin(out, "loss");
	json_put_loss(&w, s);
	json_close(&w, '}');
	return render_end(out);
}

int render_jsonl(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	(void)opts;
	render_jsonl_meta(out, s);
	render_jsonl_events(out, s);
	return render_jsonl_end(out, s);
}
