/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything a snapshot knows, for programs; user/doc/JSON.md is its description. Members may be
 * added under the same schema number, none removed or given another meaning.
 */
#include <inttypes.h>

#include "model/snapshot.h"
#include "render/formats.h"
#include "render/json.h"

void json_put_meta(struct json_writer *w, const struct snapshot *s)
{
	const struct model_meta *m = &s->meta;

	json_string(w, "gallop_version", m->gallop_version);
	json_number(w, "pid", (uint64_t)m->pid);
	if (m->pids_nr) {
		json_open_flat(w, "pids", '[');
		for (size_t i = 0; i < m->pids_nr; i++)
			json_number(w, NULL, (uint64_t)m->pids[i]);
		json_close(w, ']');
	}
	json_string(w, "comm", m->comm);
	json_string(w, "exe", m->exe);
	json_string(w, "cmdline", m->cmdline);
	json_string(w, "go_version", m->go_version);
	json_string(w, "module", m->module);
	json_string(w, "build_id", m->build_id);
	json_address(w, "load_bias", m->load_bias);
	json_string(w, "kernel", m->kernel);
	json_string(w, "mode", m->mode);
	json_string(w, "attach", m->attach);
	json_number(w, "start_unix_ns", m->start_unix_ns);
	json_number(w, "start_mono_ns", m->start_mono_ns);
	json_number(w, "from_mono_ns", s->from_mono_ns);
	json_number(w, "to_mono_ns", s->to_mono_ns);
	json_number(w, "duration_ns", s->to_mono_ns - s->from_mono_ns);
	json_string(w, "end_reason", m->end_reason);
	json_open(w, "notes", '[');
	for (size_t i = 0; i < m->notes_nr; i++)
		json_string(w, NULL, m->notes[i]);
	json_close(w, ']');
}

static void put_count(struct json_writer *w, struct snapshot_count n)
{
	json_number(w, "objects", n.objects);
	json_number(w, "bytes", n.bytes);
}

void json_put_stack(struct json_writer *w, const struct snapshot_stack *stack)
{
	json_open(w, "stack", '[');
	for (size_t i = 0; stack && i < stack->frames_nr; i++) {
		const struct snapshot_frame *f = stack->frames[i];
		json_open_flat(w, NULL, '{');
		json_string(w, "func", f->func);
		json_string(w, "file", f->file);
		json_number(w, "line", f->line);
		json_bool(w, "inlined", f->inlined);
		json_close(w, '}');
	}
	json_close(w, ']');
	if (stack && stack->cut)
		json_bool(w, "truncated", true);
}

static void put_sites(struct json_writer *w, const struct snapshot *s)
{
	json_open(w, "sites", '[');
	for (size_t i = 0; i < s->sites_nr; i++) {
		const struct snapshot_site *site = &s->sites[i];
		json_open(w, NULL, '{');
		put_count(w, site->count);
		json_put_ci95(w, json_ci95_of(s, site->ci95));
		json_string(w, "type", site->type);
		if (site->goid)
			json_number(w, "goid", site->goid);
		json_put_stack(w, site->stack);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void put_types(struct json_writer *w, const struct snapshot *s)
{
	json_open(w, "types", '[');
	for (size_t i = 0; i < s->types_nr; i++) {
		json_open_flat(w, NULL, '{');
		put_count(w, s->types[i].count);
		json_put_ci95(w, json_ci95_of(s, s->types[i].ci95));
		json_string(w, "type", s->types[i].name);
		json_close(w, '}');
	}
	json_close(w, ']');
}

/* Classes of small objects have a number; the others a name. */
static void put_sizes(struct json_writer *w, const struct snapshot *s)
{
	json_open(w, "sizes", '[');
	for (size_t i = 0; i < s->sizes_nr; i++) {
		const struct snapshot_size *size = &s->sizes[i];
		json_open_flat(w, NULL, '{');
		put_count(w, size->count);
		if (size->size_class == MODEL_CLASS_LARGE)
			json_string(w, "kind", "large");
		else if (size->size_class == MODEL_CLASS_TINY)
			json_string(w, "kind", "tiny");
		else if (size->size_class == MODEL_CLASS_NR)
			json_string(w, "kind", "lost");
		else
			json_string(w, "kind", "small");
		if (size->size_class > MODEL_CLASS_LARGE && size->size_class < MODEL_CLASS_TINY)
			json_number(w, "size_class", size->size_class);
		if (size->slot_size)
			json_number(w, "slot_size", size->slot_size);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void put_funcs(struct json_writer *w, const struct snapshot *s)
{
	json_open(w, "functions", '[');
	for (size_t i = 0; i < s->funcs_nr; i++) {
		const struct snapshot_func *f = &s->funcs[i];
		json_open_flat(w, NULL, '{');
		json_string(w, "func", f->name);
		json_string(w, "file", f->file);
		json_number(w, "flat_objects", f->flat.objects);
		json_number(w, "flat_bytes", f->flat.bytes);
		json_number(w, "cum_objects", f->cum.objects);
		json_number(w, "cum_bytes", f->cum.bytes);
		json_close(w, '}');
	}
	json_close(w, ']');
}

void json_put_loss(struct json_writer *w, const struct snapshot *s)
{
	json_number(w, "total", s->loss_total);
	for (size_t i = 0; i < s->losses_nr; i++)
		json_number(w, s->losses[i].key, s->losses[i].count);
}

void json_put_check(struct json_writer *w, const struct model_check *c)
{
	json_open(w, "check", '{');
	json_bool(w, "known", c->known);
	if (c->known) {
		json_number(w, "runtime_objects", c->runtime_objects);
		json_number(w, "gallop_objects", c->gallop_objects);
		json_number(w, "slack", c->slack);
		json_number(w, "from_mono_ns", c->from_mono_ns);
		json_number(w, "to_mono_ns", c->to_mono_ns);
	} else {
		json_string(w, "why_not", c->why_not);
	}
	json_close(w, '}');
}

static void put_marks(struct json_writer *w, const struct snapshot *s)
{
	json_open(w, "marks", '[');
	for (size_t i = 0; i < s->marks_nr; i++) {
		const struct model_mark *mark = &s->marks[i];
		json_open_flat(w, NULL, '{');
		json_number(w, "mono_ns", mark->mono_ns);
		json_string(w, "reason", mark->reason);
		json_number(w, "runtime_objects", mark->runtime_objects);
		json_number(w, "gallop_objects", mark->gallop_objects);
		json_number(w, "gallop_bytes", mark->gallop_bytes);
		json_close(w, '}');
	}
	json_close(w, ']');
}

int render_json(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	struct json_writer w = { .out = out };
	(void)opts;

	json_open(&w, NULL, '{');
	json_string(&w, "schema", "gallop/1");
	json_open(&w, "meta", '{');
	json_put_meta(&w, s);
	json_close(&w, '}');
	json_open(&w, "alloc", '{');
	put_count(&w, s->total);
	put_sites(&w, s);
	put_types(&w, s);
	put_sizes(&w, s);
	put_funcs(&w, s);
	json_close(&w, '}');
	json_open(&w, "loss", '{');
	json_put_loss(&w, s);
	json_close(&w, '}');
	json_put_sampling(&w, s);
	json_put_cost(&w, s);
	json_put_check(&w, &s->check);
	put_marks(&w, s);
	json_put_gc(&w, s);
	json_open(&w, "maps", '{');
	json_put_maps(&w, s);
	json_close(&w, '}');
	json_put_ops(&w, s);
	json_put_heap(&w, s);
	json_close(&w, '}');
	return render_end(out);
}
