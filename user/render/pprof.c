/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pprof reads. A report of pprof's is of one value, so values that have nothing to do with each other are in
 * files of their own: which one is written is told by what is asked for (--value), and that is its default too.
 *
 *   bytes, objects      alloc_* of what was traced, by stack, type and goroutine, and beside them inuse_* at its end
 *   inuse_*, alloc_*    the four of Go's own heap profile, since the process began
 *   assigns, deletes .. map_*
 *   assist, stw         pauses by who asked for them, mark assists
 *
 * Where what is in use is not known the profile has no such type: a 0 would say that there was nothing. Names of types
 * and units, and their order, are those of Go 1.26 runtime/pprof/protomem.go, so that pprof can compare the two.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/u64.h"
#include "model/snapshot.h"
#include "render/footer.h"
#include "render/formats.h"
#include "render/gc.h"
#include "render/heap.h"
#include "render/map_calls.h"
#include "render/profile.h"
#include "render/samples.h"
#include "render/weights.h"

/* One type of values. */
struct column {
	const char *type, *unit;
	enum snapshot_value value;
};

static const struct column alloc_columns[] = {
	{ "alloc_objects", "count", SNAPSHOT_OBJECTS },
	{ "alloc_space", "bytes", SNAPSHOT_BYTES },
	{ "inuse_objects", "count", SNAPSHOT_INUSE_OBJECTS },
	{ "inuse_space", "bytes", SNAPSHOT_INUSE_BYTES },
};
enum { ALLOC_COLUMNS = 2, ALL_ALLOC_COLUMNS = 4 };

static const struct column heap_columns[] = {
	{ "alloc_objects", "count", SNAPSHOT_ALLOC_OBJECTS },
	{ "alloc_space", "bytes", SNAPSHOT_ALLOC_BYTES },
	{ "inuse_objects", "count", SNAPSHOT_INUSE_OBJECTS },
	{ "inuse_space", "bytes", SNAPSHOT_INUSE_BYTES },
};
enum { HEAP_COLUMNS = 4 };

static const struct column map_columns[] = {
	{ "map_assign", "count", SNAPSHOT_ASSIGNS },	{ "map_delete", "count", SNAPSHOT_DELETES },
	{ "map_clear", "count", SNAPSHOT_CLEARS },	{ "map_growth", "count", SNAPSHOT_GROWTHS },
	{ "map_retained", "bytes", SNAPSHOT_RETAINED },
};
enum { MAP_COLUMNS = 5 };

/* A count has the value of the time beside it. */
static const struct column gc_columns[] = {
	{ "pauses", "count", SNAPSHOT_STW },
	{ "pause", "nanoseconds", SNAPSHOT_STW },
	{ "assists", "count", SNAPSHOT_ASSIST },
	{ "assist", "nanoseconds", SNAPSHOT_ASSIST },
};
enum { GC_PAUSES, GC_PAUSE_NS, GC_ASSISTS, GC_ASSIST_NS, GC_COLUMNS };

/* What a sample is told by beside its stack. */
enum { LABELS_MAX = 4 };

/* The last of those that show the value, which for times is behind their count. */
static void add_columns(struct profile *p, const struct column *columns, size_t nr,
			enum snapshot_value value)
{
	const char *chosen = NULL;

	for (size_t i = 0; i < nr; i++) {
		profile_add_type(p, columns[i].type, columns[i].unit);
		if (columns[i].value == value)
			chosen = columns[i].type;
	}
	if (chosen)
		profile_set_default_type(p, chosen);
}

/* --- comments ----------------------------------------------------------------------------------- */

/* Lines of text as comments, which pprof shows above each of its reports. */
static void add_comments(struct profile *p, char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		profile_add_comment(p, line);
}

static uint64_t duration(const struct snapshot *s)
{
	return s->to_mono_ns - s->from_mono_ns;
}

static void put_head(FILE *out, const struct snapshot *s, const char *what)
{
	fprintf(out, "gallop %s: %s of ", s->meta.gallop_version, what);
	put_target(out, &s->meta);
	fprintf(out, ", %s\n", fmt_duration(duration(s)).s);
	if (*s->meta.kernel)
		fprintf(out, "kernel %s\n", s->meta.kernel);
}

static void put_in_use(FILE *out, const struct snapshot *s)
{
	if (s->heap.known)
		put_heap_basis(out, &s->heap);
	else
		fprintf(out, "in use: not known: %s\n", s->heap.why_not);
}

static void put_map_calls(FILE *out, const struct snapshot_maps *maps)
{
	bool at_least = map_calls_total(maps, MODEL_MAP_ASSIGN).at_least ||
			map_calls_total(maps, MODEL_MAP_DELETE).at_least;

	fputs("map_assign, map_delete: ", out);
	if (maps->every_operation)
		fputs("exact, every call\n", out);
	else if (!maps->operations_sampled)
		fputs("not counted\n", out);
	else
		fprintf(out, "estimated%s\n",
			at_least ? "; of some sites only that there were no fewer is known" : "");
	if (!maps->held_known)
		fputs("map_retained: not known: the process's memory was not looked at\n", out);
}

static const struct render_opts plain = { 0 };

static void about_allocations(FILE *out, const struct snapshot *s)
{
	put_head(out, s, "allocations");
	if (!s->samples.on && s->ops.known.sampled)
		fputs("of calls in short windows: all that those allocated, and nothing of "
		      "others\n",
		      out);
	put_estimates(out, s, SNAPSHOT_BYTES, s->sites_nr, 0);
	if (s->samples.on)
		fputs("           labels objects_ci95 and bytes_ci95: +- of a site\n", out);
	put_in_use(out, s);
	put_footer(out, s, &plain);
}

static void about_heap(FILE *out, const struct snapshot *s)
{
	put_head(out, s, "live heap");
	put_heap_basis(out, &s->heap);
	put_limits(out, s, &plain);
}

static void about_maps(FILE *out, const struct snapshot *s)
{
	put_head(out, s, "maps");
	put_map_calls(out, &s->maps);
	put_cost(out, s, &plain);
	put_limits(out, s, &plain);
}

static void about_gc(FILE *out, const struct snapshot *s)
{
	put_head(out, s, "garbage collection");
	put_cost(out, s, &plain);
	put_limits(out, s, &plain);
	put_gc_check(out, &s->gc.check, &plain);
}

static void about_ops(FILE *out, const struct snapshot *s)
{
	put_head(out, s, "operations");
	for (size_t i = 0; i < s->ops.ops_nr; i++)
		fprintf(out, "op %s: %s calls began\n", s->ops.ops[i].func,
			fmt_count(s->ops.ops[i].counts.begun).s);
	if (s->ops.ops_nr > 1)
		fputs("what is allocated in several of them is there for each\n", out);
	if (s->ops.known.sampled)
		fputs("of calls in short windows: all that those allocated, and nothing of "
		      "others\n",
		      out);
	put_footer(out, s, &plain);
}

typedef void about_fn(FILE *out, const struct snapshot *s);

/* What every profile has; what is 0 or "" isn't there. */
static int add_about(struct profile *p, const struct snapshot *s, about_fn *about)
{
	const struct model_meta *meta = &s->meta;
	_cleanup_free_ char *text = NULL;
	size_t sz;
	uint64_t since = s->from_mono_ns - min_u64(s->from_mono_ns, meta->start_mono_ns);
	FILE *out = open_memstream(&text, &sz);

	if (!out)
		return -ENOMEM;
	about(out, s);
	if (fclose(out))
		return -ENOMEM;
	profile_set_executable(p, meta->exe, meta->build_id);
	profile_set_times(p, meta->start_unix_ns ? meta->start_unix_ns + since : 0, duration(s));
	add_comments(p, text);
	return 0;
}

/* --- allocations and the live heap ---------------------------------------------------------------- */

/* Each object, or one each so many bytes. */
static void set_space_period(struct profile *p, uint64_t rate)
{
	profile_set_period(p, "space", "bytes", rate);
}

/* How sure a number of a site's is, in the words of the table's column "+-"; of what is no place nothing is said. */
static struct fmt sure(const struct snapshot *s, const struct snapshot_site *site,
		       enum snapshot_value value)
{
	struct fmt f = { "" };

	if (s->samples.on)
		f = fmt_ci95_of(value, site->count, site->ci95, site->type);
	if (!strcmp(f.s, "-"))
		f.s[0] = '\0';
	return f;
}

static void add_sites(struct profile *p, const struct snapshot *s)
{
	for (size_t i = 0; i < s->sites_nr; i++) {
		const struct snapshot_site *site = &s->sites[i];
		const struct fmt objects = sure(s, site, SNAPSHOT_OBJECTS);
		const struct fmt bytes = sure(s, site, SNAPSHOT_BYTES);
		const uint64_t values[ALL_ALLOC_COLUMNS] = { site->count.objects,
							     site->count.bytes };
		const struct profile_label labels[LABELS_MAX] = {
			{ .key = "type", .text = site->type },
			{ .key = "goroutine", .number = site->goid },
			{ .key = "objects_ci95", .text = objects.s },
			{ .key = "bytes_ci95", .text = bytes.s },
		};
		if (site->count.objects || site->count.bytes)
			profile_add_sample(p, site->stack, values, labels, LABELS_MAX);
	}
}

/* Samples of their own, as the profile that they are from knows no types. */
static void add_heap(struct profile *p, const struct snapshot *s, bool allocs)
{
	for (size_t i = 0; i < s->heap.sites_nr; i++) {
		const struct snapshot_heap_site *site = &s->heap.sites[i];
		const struct model_heap_counts *n = &site->counts;
		const uint64_t values[HEAP_COLUMNS] = { allocs ? n->alloc_objects : 0,
							allocs ? n->alloc_bytes : 0,
							n->inuse_objects, n->inuse_bytes };
		if (values[0] || values[1] || values[2] || values[3])
			profile_add_sample(p, site->stack, values, NULL, 0);
	}
}

static void add_allocations(struct profile *p, const struct snapshot *s, enum snapshot_value value)
{
	add_columns(p, alloc_columns, s->heap.known ? ALL_ALLOC_COLUMNS : ALLOC_COLUMNS, value);
	set_space_period(p, s->samples.on ? s->samples.mem_profile_rate : 1);
	add_sites(p, s);
	if (s->heap.known)
		add_heap(p, s, false);
}

static void add_live_heap(struct profile *p, const struct snapshot *s, enum snapshot_value value)
{
	add_columns(p, heap_columns, HEAP_COLUMNS, value);
	set_space_period(p, s->heap.last.rate);
	add_heap(p, s, true);
}

/* --- maps and garbage collection -------------------------------------------------------------------- */

static bool is_known(const struct snapshot_maps *maps, enum snapshot_value value)
{
	if (value == SNAPSHOT_ASSIGNS || value == SNAPSHOT_DELETES)
		return maps->every_operation || maps->operations_sampled;
	return value != SNAPSHOT_RETAINED || maps->held_known;
}

static void add_maps(struct profile *p, const struct snapshot *s, enum snapshot_value value)
{
	struct column columns[MAP_COLUMNS];
	size_t nr = 0;

	for (size_t i = 0; i < MAP_COLUMNS; i++)
		if (is_known(&s->maps, map_columns[i].value))
			columns[nr++] = map_columns[i];
	add_columns(p, columns, nr, value);
	for (size_t i = 0; i < s->maps.sites_nr; i++) {
		const struct snapshot_map_site *site = &s->maps.sites[i];
		const struct profile_label type = { .key = "type", .text = site->type };
		uint64_t values[MAP_COLUMNS], any = 0;

		for (size_t k = 0; k < nr; k++) {
			values[k] = snapshot_map_value(site, columns[k].value);
			any |= values[k];
		}
		if (any)
			profile_add_sample(p, site->stack, values, &type, 1);
	}
}

/* Stops whose callers had no place in their table: so that the sums are those of all stops. */
static void add_lost_stops(struct profile *p, const struct snapshot_gc *gc, uint64_t count,
			   uint64_t ns)
{
	static const struct snapshot_frame frame = { .func = SNAPSHOT_LOST, .file = "" };
	static const struct snapshot_frame *const frames[] = { &frame };
	static const struct snapshot_stack lost = { .frames = frames, .frames_nr = 1 };
	const uint64_t values[GC_COLUMNS] = {
		[GC_PAUSES] = gc->stops_total - min_u64(count, gc->stops_total),
		[GC_PAUSE_NS] = gc->stopped_ns - min_u64(ns, gc->stopped_ns),
	};

	if (values[GC_PAUSES] || values[GC_PAUSE_NS])
		profile_add_sample(p, &lost, values, NULL, 0);
}

static void add_gc(struct profile *p, const struct snapshot *s, enum snapshot_value value)
{
	const struct snapshot_gc *gc = &s->gc;
	uint64_t count = 0, ns = 0;

	add_columns(p, gc_columns, GC_COLUMNS, value);
	for (size_t i = 0; i < gc->stoppers_nr; i++) {
		const struct snapshot_caller *by = &gc->stoppers[i];
		const uint64_t values[GC_COLUMNS] = {
			[GC_PAUSES] = by->count, [GC_PAUSE_NS] = by->ns
		};
		const struct profile_label reason = { .key = "reason", .text = by->what };
		profile_add_sample(p, by->stack, values, &reason, 1);
		count = sum_u63(count, by->count);
		ns = sum_u63(ns, by->ns);
	}
	add_lost_stops(p, gc, count, ns);
	for (size_t i = 0; i < gc->assists_nr; i++) {
		const struct snapshot_caller *by = &gc->assists[i];
		const uint64_t values[GC_COLUMNS] = {
			[GC_ASSISTS] = by->count, [GC_ASSIST_NS] = by->ns
		};
		profile_add_sample(p, by->stack, values, NULL, 0);
	}
}

/* End it well only if all was added. */
static int end(struct profile *p, int rc)
{
	int end_rc = profile_end(p);

	return rc ? rc : end_rc;
}

int render_pprof(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	static const struct {
		void (*add)(struct profile *p, const struct snapshot *s, enum snapshot_value value);
		about_fn *about;
	} parts[] = {
		[OF_ALLOCATIONS] = { add_allocations, about_allocations },
		[OF_GC] = { add_gc, about_gc },
		[OF_MAPS] = { add_maps, about_maps },
		[OF_HEAP] = { add_live_heap, about_heap },
	};
	enum weights_of of = weights_of(opts->value);
	struct profile *p;
	int rc = profile_new(out, &p);

	if (rc)
		return rc;
	parts[of].add(p, s, opts->value);
	return end(p, add_about(p, s, parts[of].about));
}

/* --- operations ----------------------------------------------------------------------------------- */

static void add_op(struct profile *p, const struct snapshot_op *op)
{
	for (size_t i = 0; i < op->sites_nr; i++) {
		const struct snapshot_op_site *site = &op->sites[i];
		const uint64_t values[ALLOC_COLUMNS] = { site->objects, site->bytes };
		const struct profile_label labels[] = {
			{ .key = "type", .text = site->type },
			{ .key = "op", .text = op->func },
		};
		if (site->objects || site->bytes)
			profile_add_sample(p, site->stack, values, labels,
					   sizeof(labels) / sizeof(labels[0]));
	}
}

int render_ops_pprof(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	struct profile *p;
	int rc = profile_new(out, &p);

	if (rc)
		return rc;
	add_columns(p, alloc_columns, ALLOC_COLUMNS, opts->value);
	set_space_period(p, 1);
	for (size_t i = 0; i < s->ops.ops_nr; i++)
		add_op(p, &s->ops.ops[i]);
	return end(p, add_about(p, s, about_ops));
}
