/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page is made of three parts: a head and a tail, which are always the same (page/), and between them the data, as
 * JSON in a script element that isn't run. The page's policy lets no other script run than its own, by its hash, and
 * load nothing.
 *
 * Data is written as it comes, and what it refers to - sites, the tree, strings - behind it. Long lists are
 * flat arrays of numbers: cells are triples or pairs, of which the first is how many sites lie between this and the one
 * before.
 */
#include "render/html.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/u64.h"
#include "gobin/goname.h"
#include "render/footer.h"
#include "render/formats.h"
#include "render/gc.h"
#include "render/html_data.h"
#include "render/html_page.h"
#include "render/json_writer.h"
#include "render/samples.h"
#include "render/weights.h"

/* In the order in which the page offers them; the keys are those of --value. */
static const struct value {
	enum snapshot_value value;
	const char *key, *name, *unit;
	bool is_flow; /* what happened, in some time; what is has only a moment */
} values[] = {
	{ SNAPSHOT_BYTES, "bytes", "Bytes allocated", "B", true },
	{ SNAPSHOT_OBJECTS, "objects", "Objects allocated", "", true },
	{ SNAPSHOT_INUSE_BYTES, "inuse_bytes", "Bytes in use", "B", false },
	{ SNAPSHOT_INUSE_OBJECTS, "inuse_objects", "Objects in use", "", false },
	{ SNAPSHOT_ALLOC_BYTES, "alloc_bytes", "Bytes since its start", "B", false },
	{ SNAPSHOT_ALLOC_OBJECTS, "alloc_objects", "Objects since its start", "", false },
	{ SNAPSHOT_ASSIST, "assist", "Time in mark assists", "ns", true },
	{ SNAPSHOT_STW, "stw", "Time of stopped worlds", "ns", true },
	{ SNAPSHOT_ASSIGNS, "assigns", "Map assigns", "", true },
	{ SNAPSHOT_DELETES, "deletes", "Map deletes", "", true },
	{ SNAPSHOT_CLEARS, "clears", "Map clears", "", true },
	{ SNAPSHOT_GROWTHS, "growths", "Map growths", "", true },
	{ SNAPSHOT_RETAINED, "retained", "Bytes retained by maps", "B", false },
};

enum { VALUES_NR = sizeof(values) / sizeof(values[0]) };

_Static_assert((int)VALUES_NR == (int)HTML_VALUES_NR, "each value has a name");

/* If there is nothing of the value that is wanted first, another one of the same is. */
static const char *const families[] = {
	[OF_ALLOCATIONS] = "allocations", [OF_GC] = "gc", [OF_MAPS] = "maps", [OF_HEAP] = "heap"
};

/* What a frame is of; the page has a colour for each. */
enum kind { KIND_APP, KIND_LIBRARY, KIND_RUNTIME, KIND_NONE, KIND_INLINED = 4 };

struct page {
	struct json_writer w;
	struct html_data data;
	const struct snapshot *before, *s; /* before: NULL, but of a comparison */
	const struct render_opts *opts;
	struct html_cells cells; /* of one value, for a while */
	const char *comma; /* before the next number of a list */
};

static void page_deinit(struct page *p)
{
	html_data_deinit(&p->data);
	free(p->cells.v);
}

/* --- lists of numbers ------------------------------------------------------------------------- */

/* There may be millions of them, so no blanks stand between. */
static void open_list(struct page *p, const char *key)
{
	json_open_flat(&p->w, key, '[');
	p->comma = "";
}

static void close_list(struct page *p)
{
	json_close(&p->w, ']');
}

static void put_number(struct page *p, int64_t n)
{
	fprintf(p->w.out, "%s%" PRId64, p->comma, n);
	p->comma = ",";
}

/* Values are at most that everywhere: see sum_u63(). */
static void put_value(struct page *p, uint64_t n)
{
	put_number(p, (int64_t)min_u64(n, INT64_MAX));
}

/* An error while a list is open leaves a page that nobody sees: its file is discarded. */
static int put_cells(struct page *p, const char *key, const struct snapshot *s,
		     enum snapshot_value value, bool ci95)
{
	uint32_t last = 0;
	int rc = html_cells(&p->data, s, value, &p->cells);

	if (rc)
		return rc;
	open_list(p, key);
	for (size_t i = 0; i < p->cells.nr; i++) {
		const struct html_cell *cell = &p->cells.v[i];
		put_number(p, cell->site - last);
		put_value(p, cell->value);
		if (ci95)
			put_number(p, cell->ci95);
		last = cell->site;
	}
	close_list(p);
	return 0;
}

/* --- what the numbers are of ------------------------------------------------------------------ */

static int put_values(struct page *p)
{
	int rc = 0;

	json_open(&p->w, "values", '[');
	for (size_t i = 0; !rc && i < VALUES_NR; i++) {
		const struct value *v = &values[i];
		if (!html_value_known(p->s, v->value) ||
		    (p->before && !html_value_known(p->before, v->value)))
			continue;
		json_open(&p->w, NULL, '{');
		json_string(&p->w, "key", v->key);
		json_string(&p->w, "name", v->name);
		json_string(&p->w, "unit", v->unit);
		json_string(&p->w, "of", families[weights_of(v->value)]);
		json_bool(&p->w, "flow", v->is_flow);
		json_bool(&p->w, "first", v->value == p->opts->value);
		rc = put_cells(p, "cells", p->s, v->value, true);
		if (!rc && p->before)
			rc = put_cells(p, "before", p->before, v->value, false);
		json_close(&p->w, '}');
	}
	json_close(&p->w, ']');
	return rc;
}

/* A moment on the page's clock, whose 0 is where the snapshot begins. */
static uint64_t since_begin(const struct page *p, uint64_t mono_ns)
{
	return max_u64(mono_ns, p->s->from_mono_ns) - p->s->from_mono_ns;
}

static int put_slice(struct page *p, const struct snapshot *slice)
{
	int rc = 0;

	html_forget_stacks(&p->data);
	json_open(&p->w, NULL, '{');
	json_number(&p->w, "from_ns", since_begin(p, slice->from_mono_ns));
	json_number(&p->w, "to_ns", since_begin(p, slice->to_mono_ns));
	json_open(&p->w, "values", '{');
	for (size_t i = 0; !rc && i < VALUES_NR; i++)
		if (values[i].is_flow && html_value_known(p->s, values[i].value))
			rc = put_cells(p, values[i].key, slice, values[i].value, false);
	json_close(&p->w, '}');
	json_close(&p->w, '}');
	return rc;
}

static int put_slices(struct page *p)
{
	static const struct render_slices none = {
		.why_none = "a page that 'gallop report' makes of a recording has one"
	};
	const struct render_slices *slices = p->opts->slices ? p->opts->slices : &none;
	struct snapshot *slice;
	int rc = 0;

	if (slices->why_none && !p->before)
		json_string(&p->w, "no_slices", slices->why_none);
	json_open(&p->w, "slices", '[');
	while (!slices->why_none && !p->before && (rc = slices->next(slices->ctx, &slice)) > 0) {
		rc = put_slice(p, slice);
		snapshot_free(slice);
		if (rc)
			break;
	}
	json_close(&p->w, ']');
	return rc;
}

/* --- the tree, behind all that adds to it ------------------------------------------------------ */

static bool is_in_module(const char *func, const char *module)
{
	size_t len = strlen(module);

	return !strncmp(func, "main.", strlen("main.")) ||
	       (!strncmp(func, module, len) && (func[len] == '.' || func[len] == '/'));
}

/* Where the program's module isn't known, all that isn't Go's own counts as the program's. */
static unsigned int kind_of(const struct snapshot_frame *f, const char *module)
{
	unsigned int inlined = f->inlined ? KIND_INLINED : 0;

	if (*f->func == '[')
		return KIND_NONE;
	if (goname_of(f->func) != GONAME_OTHER)
		return KIND_RUNTIME | inlined;
	if (goname_is_std(f->func) || (*module && !is_in_module(f->func, module)))
		return KIND_LIBRARY | inlined;
	return KIND_APP | inlined;
}

static int put_frames(struct page *p)
{
	int rc = 0;

	open_list(p, "frames");
	for (size_t i = 0; !rc && i < p->data.tree.frames_nr; i++) {
		const struct snapshot_frame *f = &p->data.tree.frames[i];
		uint32_t func, file;

		rc = html_string(&p->data, f->func, &func);
		if (!rc)
			rc = html_string(&p->data, f->file, &file);
		if (rc)
			break;
		put_number(p, func);
		put_number(p, file);
		put_number(p, f->line);
		put_number(p, kind_of(f, p->s->meta.module));
	}
	close_list(p);
	return rc;
}

/* Pairs of a frame and how deep it is, in the order of a walk that visits each node before its children. */
static int put_tree(struct page *p)
{
	const struct calltree *t = &p->data.tree;
	_cleanup_free_ uint32_t *depths = calloc(t->nodes_nr, sizeof(depths[0]));
	_cleanup_free_ uint32_t *order = calloc(t->nodes_nr, sizeof(order[0]));
	uint32_t nr = 0;

	if (!depths || !order)
		return -ENOMEM;
	open_list(p, "nodes");
	for (uint32_t n = CALLTREE_ROOT; n != CALLTREE_NONE; n = calltree_next(t, n)) {
		order[n] = nr++;
		if (n == CALLTREE_ROOT)
			continue;
		depths[n] = depths[t->nodes[n].parent] + 1;
		put_number(p, t->nodes[n].frame);
		put_number(p, depths[n]);
	}
	close_list(p);
	open_list(p, "sites");
	for (size_t i = 0; i < p->data.sites_nr; i++) {
		put_number(p, order[p->data.sites[i].node]);
		put_number(p, p->data.sites[i].type == HTML_NO_TYPE
				      ? -1
				      : (int64_t)p->data.sites[i].type);
	}
	close_list(p);
	return 0;
}

static void put_strings(struct page *p)
{
	json_open(&p->w, "strings", '[');
	for (size_t i = 0; i < p->data.strings_nr; i++)
		json_string(&p->w, NULL, p->data.strings[i]);
	json_close(&p->w, ']');
}

/* --- the timeline ------------------------------------------------------------------------------ */

/* What isn't known is 0. */
static void put_cycle(struct page *p, const struct snapshot_cycle *c)
{
	const struct model_cycle *raw = &c->raw;
	bool goal = snapshot_has_goal(raw->goal), next = snapshot_has_goal(raw->next_goal);
	const uint64_t numbers[] = {
		since_begin(p, raw->start_ns ? raw->start_ns : c->told_ns),
		since_begin(p, c->told_ns),
		raw->heap_live_start,
		raw->heap_live_end,
		raw->runtime_known ? raw->heap_marked : 0,
		goal ? raw->goal : 0,
		next ? raw->next_goal : 0,
		c->pause_ns,
	};

	json_open_flat(&p->w, NULL, '[');
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_number(&p->w, NULL, numbers[i]);
	json_string(&p->w, NULL, c->trigger);
	json_close(&p->w, ']');
}

static void put_stop(struct page *p, const struct snapshot_stop *stop)
{
	json_open_flat(&p->w, NULL, '[');
	json_number(&p->w, NULL, since_begin(p, stop->raw.start_ns));
	json_number(&p->w, NULL, stop->pause_ns);
	json_bool(&p->w, NULL, stop->raw.gc);
	json_string(&p->w, NULL, stop->reason);
	json_close(&p->w, ']');
}

static void put_gc(struct page *p)
{
	const struct snapshot_gc *gc = &p->s->gc;

	json_open(&p->w, "gc", '{');
	json_number(&p->w, "cycles_left_out",
		    sum_u63(gc->cycles_total - gc->cycles_nr, gc->unseen_cycles));
	json_number(&p->w, "stops_left_out", gc->stops_total - gc->stops_nr);
	json_number(&p->w, "off_ns", gc->off_ns);
	json_open(&p->w, "cycles", '[');
	for (size_t i = 0; i < gc->cycles_nr; i++)
		put_cycle(p, &gc->cycles[i]);
	json_close(&p->w, ']');
	json_open(&p->w, "stops", '[');
	for (size_t i = 0; i < gc->stops_nr; i++)
		put_stop(p, &gc->stops[i]);
	json_close(&p->w, ']');
	json_close(&p->w, '}');
}

/* --- what the page says of itself --------------------------------------------------------------- */

static void put_absent(FILE *out, const struct snapshot *s)
{
	if (s->heap.asked && !s->heap.known) {
		fputs("note:  the live heap is not known: ", out);
		fprintf(out, "%s\n", s->heap.why_not);
	}
	if (s->samples.on && s->ops.known.sampled)
		fputs("note:  what was allocated was seen in windows of operations only\n", out);
}

/* The lines that stand below every output for people, as text. */
static int put_lines(struct page *p, const char *key, const struct snapshot *s)
{
	const struct render_opts plain = { .value = p->opts->value };
	_cleanup_free_ char *text = NULL;
	size_t sz;
	FILE *f = open_memstream(&text, &sz);

	if (!f)
		return -ENOMEM;
	put_estimates(f, s, SNAPSHOT_BYTES, 0, 0);
	put_absent(f, s);
	put_footer(f, s, &plain);
	if (snapshot_gc_any(&s->gc))
		put_gc_check(f, &s->gc.check, &plain);
	if (fclose(f))
		return -ENOMEM;
	json_string(&p->w, key, text);
	return 0;
}

static int put_target_of(struct page *p, const char *key, const struct snapshot *s)
{
	_cleanup_free_ char *text = NULL;
	size_t sz;
	FILE *f = open_memstream(&text, &sz);

	if (!f)
		return -ENOMEM;
	put_target(f, &s->meta);
	if (fclose(f))
		return -ENOMEM;
	json_string(&p->w, key, text);
	return 0;
}

static int put_about(struct page *p, const char *key, const struct snapshot *s)
{
	uint64_t dur_ns = s->to_mono_ns - s->from_mono_ns;

	json_open(&p->w, key, '{');
	int rc = put_target_of(p, "target", s);
	json_string(&p->w, "exe", s->meta.exe);
	json_string(&p->w, "version", s->meta.gallop_version);
	json_string(&p->w, "when", fmt_wall_clock(&s->meta, s->from_mono_ns).s);
	json_number(&p->w, "duration_ns", dur_ns);
	json_bool(&p->w, "sampled", s->samples.on);
	json_number(&p->w, "lost", s->loss_total);
	json_bool(&p->w, "complete", snapshot_is_complete(s));
	if (!rc)
		rc = put_lines(p, "lines", s);
	json_close(&p->w, '}');
	return rc;
}

static int put_diff(struct page *p, const struct html_diff *diff)
{
	if (!diff)
		return 0;
	json_open(&p->w, "diff", '{');
	/* What to divide by has few decimals, where scales may be very small. */
	json_decimal(&p->w, "before_over", 1 / diff->before_scale);
	json_decimal(&p->w, "after_over", 1 / diff->after_scale);
	json_string(&p->w, "per", diff->per);
	json_string(&p->w, "before_name", diff->before_name);
	json_string(&p->w, "after_name", diff->after_name);
	json_close(&p->w, '}');
	return put_about(p, "before", p->before);
}

static int put_data(struct page *p, const struct html_diff *diff)
{
	json_open(&p->w, NULL, '{');
	int rc = put_about(p, "about", p->s);
	if (!rc)
		rc = put_diff(p, diff);
	if (!rc)
		rc = put_values(p);
	if (!rc)
		rc = put_slices(p);
	if (!rc)
		put_gc(p);
	if (!rc)
		rc = put_tree(p);
	if (!rc)
		rc = put_frames(p);
	if (!rc)
		put_strings(p);
	json_close(&p->w, '}');
	return rc;
}

static int put_page(struct page *p, const struct html_diff *diff)
{
	FILE *out = p->w.out;

	fwrite(html_page_head, 1, html_page_head_sz, out);
	int rc = html_data_init(&p->data);
	if (!rc)
		rc = put_data(p, diff);
	fwrite(html_page_tail, 1, html_page_tail_sz, out);
	return rc ? rc : render_end(out);
}

int render_html(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	_cleanup_(page_deinit) struct page p = { .w = { .out = out, .in_html = true },
						 .s = s,
						 .opts = opts };
	return put_page(&p, NULL);
}

int render_html_diff(FILE *out, const struct snapshot *before, const struct snapshot *after,
		     const struct html_diff *diff, const struct render_opts *opts)
{
	_cleanup_(page_deinit) struct page p = {
		.w = { .out = out, .in_html = true }, .before = before, .s = after, .opts = opts
	};
	return put_page(&p, diff);
}
