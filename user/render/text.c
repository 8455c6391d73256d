/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables for people, within 100 columns: what was traced, how much, and where it comes from; then
 * what was lost and how exact it is.
 *
 * Every table ends in a row for what it leaves out, so its columns add up to the totals above it.
 */
#include <string.h>

#include "base/u64.h"
#include "base/utf8.h"
#include "render/cells.h"
#include "render/footer.h"
#include "render/formats.h"
#include "render/gc.h"
#include "render/heap.h"
#include "render/maps.h"
#include "render/ops.h"
#include "render/samples.h"

enum {
	BYTES_W = 10, /* "1023.9 KiB" */
	SHARE_W = 7, /* "100.0 %" */
	GAP_W = 2,
	TYPE_MIN_W = 12,
	TYPE_MAX_W = 30,
	FUNC_MIN_W = 24,
	FUNC_LEAST_W = 8, /* before the position is cut */
	POSITION_MAX_W = 24,
};

/* What all tables of one output have in common, and the widths of the names in this one. */
struct page {
	FILE *out;
	const struct snapshot *s;
	const struct render_opts *opts;
	bool estimates; /* this table has a column for how sure its numbers are */
	size_t count_w; /* objects */
	size_t names_w; /* what is left of a line for names */
	size_t type_w, func_w, position_w;
};

static const char *value_name(enum snapshot_value value)
{
	return value == SNAPSHOT_OBJECTS ? "objects" : "bytes";
}

static uint64_t value_of(struct snapshot_count n, enum snapshot_value value)
{
	return value == SNAPSHOT_OBJECTS ? n.objects : n.bytes;
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t max_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t rows_shown(const struct page *p, size_t nr)
{
	return p->opts->top_nr ? min_size(p->opts->top_nr, nr) : nr;
}

static void put_gap(const struct page *p)
{
	fprintf(p->out, "%*s", GAP_W, "");
}

/* What all tables begin with. */
struct columns {
	const char *objects, *bytes, *ci95, *share;
};

/* The one that is sorted by comes first, and how sure it is next to it. */
static void put_columns(const struct page *p, const struct columns *c)
{
	bool by_objects = p->opts->value == SNAPSHOT_OBJECTS;

	put_right(p->out, by_objects ? c->objects : c->bytes, by_objects ? p->count_w : BYTES_W);
	if (p->estimates)
		put_right(p->out, c->ci95, 1 + CI95_W);
	put_right(p->out, c->share, GAP_W + SHARE_W);
	put_right(p->out, by_objects ? c->bytes : c->objects,
		  GAP_W + (by_objects ? BYTES_W : p->count_w));
	put_gap(p);
}

/* ci95: how sure it is, "" if that isn't said. */
static void put_counts(const struct page *p, struct snapshot_count n, const char *ci95)
{
	struct fmt objects = fmt_count(n.objects), bytes = fmt_bytes(n.bytes),
		   share = fmt_percent(value_of(n, p->opts->value),
				       value_of(p->s->total, p->opts->value));

	put_columns(p, &(struct columns){ objects.s, bytes.s, ci95, share.s });
}

/* The title and the head of the columns; the caller ends the line after its own columns. */
static void put_title(const struct page *p, const char *what, size_t nr)
{
	size_t shown = rows_shown(p, nr);

	fprintf(p->out, "\n%s%s by %s%s", style(p->opts, STYLE_BOLD), what,
		value_name(p->opts->value), style(p->opts, STYLE_NONE));
	if (shown < nr)
		fprintf(p->out, ", the first %s of %s\n", fmt_count(shown).s, fmt_count(nr).s);
	else
		fprintf(p->out, ", all %s\n", fmt_count(nr).s);
	fputs(style(p->opts, STYLE_DIM), p->out);
	put_columns(p, &(struct columns){ "OBJECTS", "BYTES", "+-", "SHARE" });
}

/* The row for what isn't shown. */
static void put_rest(const struct page *p, struct snapshot_count rest, size_t nr)
{
	size_t left = nr - rows_shown(p, nr);

	if (!left)
		return;
	fputs(style(p->opts, STYLE_DIM), p->out);
	put_counts(p, rest, "");
	fprintf(p->out, "%s more%s\n", fmt_count(left).s, style(p->opts, STYLE_NONE));
}

/* Estimates may come to more than the total. */
static void take_off(struct snapshot_count *rest, struct snapshot_count n)
{
	rest->objects -= min_u64(rest->objects, n.objects);
	rest->bytes -= min_u64(rest->bytes, n.bytes);
}

static void put_header(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	const struct model_meta *m = &s->meta;
	uint64_t dur = s->to_mono_ns - s->from_mono_ns;

	fprintf(out, "%sgallop: allocations of ", style(opts, STYLE_BOLD));
	put_target(out, m);
	fprintf(out, ", %s%s\n", fmt_duration(dur).s, style(opts, STYLE_NONE));
	fprintf(out, "from %s", fmt_wall_clock(m, s->from_mono_ns).s);
	if (!*m->end_reason) {
		fputs(", unfinished", out);
	} else {
		fputs(", ended: ", out);
		put_clean(out, m->end_reason);
	}
	fputc('\n', out);
	if (*m->exe) {
		char exe[CELL_SZ];
		short_text(exe, m->exe, TABLE_W);
		fprintf(out, "%s\n", exe);
	}

	fprintf(out, "\n%s%s objects, %s%s", style(opts, STYLE_BOLD), fmt_count(s->total.objects).s,
		fmt_bytes(s->total.bytes).s, style(opts, STYLE_NONE));
	if (s->ops.ops_nr && s->ops.known.sampled) {
		fputs(" in windows of operations; how much there was in all is not known\n", out);
		return;
	}
	if (s->total.objects)
		fprintf(out, " (%s on average)", fmt_bytes(s->total.bytes / s->total.objects).s);
	if (dur)
		fprintf(out, "; %s objects/s, %s/s", fmt_count_rate(s->total.objects, dur).s,
			fmt_bytes_rate(s->total.bytes, dur).s);
	fputc('\n', out);
}

static void put_site(const struct page *p, const struct snapshot_site *site)
{
	const struct snapshot_frame *shown;
	char type[CELL_SZ], func[CELL_SZ], position[CELL_SZ];

	short_func(type, site->type, p->type_w);
	short_site(func, site->stack, p->func_w, &shown);
	short_position(position, shown, p->position_w);
	put_counts(p, site->count,
		   fmt_ci95_of(p->opts->value, site->count, site->ci95, site->type).s);
	put_left(p->out, type, p->type_w + GAP_W);
	put_left(p->out, func, *position || site->goid ? p->func_w + GAP_W : 0);
	put_left(p->out, position, site->goid ? p->position_w + GAP_W : 0);
	if (site->goid)
		fprintf(p->out, "%llu", (unsigned long long)site->goid);
	fputc('\n', p->out);
}

/*
 * Names get what they need while it fits. If it doesn't, the type is shortened first, then the
 * function; where in which file is short by nature and says most.
 */
static void fit_names(struct page *p, bool *goid_ret)
{
	size_t type = TYPE_MIN_W, func = FUNC_MIN_W, position = strlen("FILE:LINE");

	*goid_ret = false;
	for (size_t i = 0; i < rows_shown(p, p->s->sites_nr); i++) {
		const struct snapshot_site *site = &p->s->sites[i];
		const struct snapshot_frame *shown;
		char cell[CELL_SZ];
		short_site(cell, site->stack, TABLE_W, &shown);
		func = max_size(func, utf8_width(cell));
		short_position(cell, shown, POSITION_MAX_W);
		position = max_size(position, utf8_width(cell));
		type = max_size(type, utf8_width(site->type));
		*goid_ret |= site->goid != 0;
	}
	/* "GOROUTINE" and its gap, where there is one. */
	size_t room = p->names_w - 2 * GAP_W - (*goid_ret ? strlen("GOROUTINE") + GAP_W : 0);
	/* Beside large counts there may be less. */
	position = max_size(min_size(position, room - TYPE_MIN_W - FUNC_LEAST_W),
			    strlen("FILE:LINE"));
	room -= position;
	size_t type_max = max_size(room / 3, room - min_size(func, room - TYPE_MIN_W));
	p->position_w = position;
	p->type_w = min_size(type, min_size(type_max, TYPE_MAX_W));
	p->func_w = min_size(func, room - p->type_w);
}

static void put_sites(struct page *p)
{
	struct snapshot_count rest = p->s->total;
	size_t indent = TABLE_W - p->names_w + GAP_W; /* where the names begin */
	bool goids;

	fit_names(p, &goids);
	put_title(p, "Sites", p->s->sites_nr);
	put_left(p->out, "TYPE", p->type_w + GAP_W);
	put_left(p->out, "FUNCTION", p->func_w + GAP_W);
	put_left(p->out, "FILE:LINE", goids ? p->position_w + GAP_W : 0);
	fprintf(p->out, "%s%s\n", goids ? "GOROUTINE" : "", style(p->opts, STYLE_NONE));
	for (size_t i = 0; i < rows_shown(p, p->s->sites_nr); i++) {
		put_site(p, &p->s->sites[i]);
		if (p->opts->stacks)
			put_stack(p->out, p->s->sites[i].stack, indent, p->position_w);
		take_off(&rest, p->s->sites[i].count);
	}
	put_rest(p, rest, p->s->sites_nr);
}

static void put_types(const struct page *p)
{
	struct snapshot_count rest = p->s->total;

	put_title(p, "Types", p->s->types_nr);
	fprintf(p->out, "TYPE%s\n", style(p->opts, STYLE_NONE));
	for (size_t i = 0; i < rows_shown(p, p->s->types_nr); i++) {
		const struct snapshot_type *type = &p->s->types[i];
		char name[CELL_SZ];
		short_func(name, type->name, p->names_w);
		put_counts(p, type->count,
			   fmt_ci95_of(p->opts->value, type->count, type->ci95, type->name).s);
		fprintf(p->out, "%s\n", name);
		take_off(&rest, type->count);
	}
	put_rest(p, rest, p->s->types_nr);
	put_untyped(p->out, p->s);
}

static void put_size(const struct page *p, const struct snapshot_size *size)
{
	put_counts(p, size->count, "");
	if (size->size_class == MODEL_CLASS_LARGE)
		fputs("large, over 32 KiB\n", p->out);
	else if (size->size_class == MODEL_CLASS_TINY)
		fprintf(p->out, "tiny, packed into %u B\n", size->slot_size);
	else if (size->size_class == MODEL_CLASS_NR)
		fputs(SNAPSHOT_LOST "\n", p->out);
	else
		fprintf(p->out, "%u B\n", size->slot_size);
}

static void put_sizes(const struct page *p)
{
	struct snapshot_count rest = p->s->total;

	put_title(p, "Size classes", p->s->sizes_nr);
	fprintf(p->out, "SLOT%s\n", style(p->opts, STYLE_NONE));
	for (size_t i = 0; i < rows_shown(p, p->s->sizes_nr); i++) {
		put_size(p, &p->s->sizes[i]);
		take_off(&rest, p->s->sizes[i].count);
	}
	put_rest(p, rest, p->s->sizes_nr);
}

/* Those of sites and types; what classes have is known. */
static void put_estimated_tables(struct page page)
{
	page.estimates = page.s->samples.on;
	if (page.estimates)
		page.names_w -= 1 + CI95_W;
	put_sites(&page);
	put_types(&page);
}

int render_text(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	struct page page = { .out = out, .s = s, .opts = opts };

	page.count_w = max_size(strlen(fmt_count(s->total.objects).s), strlen("OBJECTS"));
	page.names_w = TABLE_W - BYTES_W - SHARE_W - page.count_w - 3 * GAP_W;
	put_header(out, s, opts);
	put_estimates(out, s, opts->value, rows_shown(&page, s->sites_nr),
		      rows_shown(&page, s->types_nr));
	if (s->sites_nr) {
		put_estimated_tables(page);
		put_sizes(&page);
	} else {
		fputs("\nno allocation was seen\n", out);
	}
	put_gc_section(out, s, opts);
	put_maps_section(out, s, opts);
	put_ops_section(out, s, opts);
	put_heap_section(out, s, opts);
	fputc('\n', out);
	put_footer(out, s, opts);
	return render_end(out);
}
