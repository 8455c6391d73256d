/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file format of speedscope, in which each value is a profile of its own and all share their frames; what pprof's
 * format has of inlined frames speedscope doesn't show.
 *
 * There is no time in the values, so samples are in the order of their stacks: what is called from the same place is
 * side by side, and the same stack is there once. Whether a value is exact, and that something was lost, is said in its name.
 *
 * Source: https://www.speedscope.app/file-format-schema.json, version 1.25.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/u64.h"
#include "model/calltree.h"
#include "render/footer.h"
#include "render/formats.h"
#include "render/json_writer.h"
#include "render/map_calls.h"
#include "render/weights.h"

static const struct value {
	enum snapshot_value value;
	const char *unit;
} values[] = {
	{ SNAPSHOT_BYTES, "bytes" },	    { SNAPSHOT_OBJECTS, "none" },
	{ SNAPSHOT_INUSE_BYTES, "bytes" },  { SNAPSHOT_INUSE_OBJECTS, "none" },
	{ SNAPSHOT_ALLOC_BYTES, "bytes" },  { SNAPSHOT_ALLOC_OBJECTS, "none" },
	{ SNAPSHOT_ASSIST, "nanoseconds" }, { SNAPSHOT_STW, "nanoseconds" },
	{ SNAPSHOT_ASSIGNS, "none" },	    { SNAPSHOT_DELETES, "none" },
	{ SNAPSHOT_CLEARS, "none" },	    { SNAPSHOT_GROWTHS, "none" },
	{ SNAPSHOT_RETAINED, "bytes" },
};
enum { VALUES_NR = sizeof(values) / sizeof(values[0]), OP_VALUES_NR = 2 };

/* One profile: of all its stacks the number, and the node at which it ends. */
struct graph {
	const struct value *value;
	const char *op; /* "" if it isn't of an operation */
	struct weight *weights;
	uint32_t *nodes;
	size_t nr;
};

struct speedscope {
	struct json_writer w;
	const struct snapshot *s;
	struct calltree tree; /* of all stacks of all profiles */
	struct graph *graphs;
	size_t nr, active;
};

/* --- what is shown -------------------------------------------------------------------------------- */

static int add_stacks(struct calltree *tree, struct graph *graph)
{
	int rc = 0;

	graph->nodes = calloc(graph->nr + 1, sizeof(graph->nodes[0]));
	if (!graph->nodes)
		return -ENOMEM;
	for (size_t i = 0; !rc && i < graph->nr; i++)
		rc = calltree_add(tree, graph->weights[i].stack, CALLTREE_CALLEES,
				  &graph->nodes[i]);
	return rc;
}

/* Take what was collected, unless that is nothing. The value that was asked for is there in any case, and shown first. */
static int add_graph(struct speedscope *sc, struct graph graph, bool asked)
{
	int rc = 0;

	if (graph.nr || asked) {
		if (asked)
			sc->active = sc->nr;
		rc = add_stacks(&sc->tree, &graph);
		sc->graphs[sc->nr++] = graph;
	} else {
		free(graph.weights);
	}
	return rc;
}

static int add_values(struct speedscope *sc, enum snapshot_value asked)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < VALUES_NR; i++) {
		struct graph graph = { .value = &values[i],
				       .op = "",
				       .weights = calloc(weights_max(sc->s) + 1,
							 sizeof(graph.weights[0])) };
		if (!graph.weights)
			return -ENOMEM;
		graph.nr = weights_collect(graph.weights, sc->s, values[i].value);
		rc = add_graph(sc, graph, values[i].value == asked);
	}
	return rc;
}

static int add_op_values(struct speedscope *sc, const struct snapshot_op *op,
			 enum snapshot_value asked)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < OP_VALUES_NR; i++) {
		struct graph graph = {
			.value = &values[i],
			.op = op->func,
			.weights = calloc(op->sites_nr + 1, sizeof(graph.weights[0])),
		};
		if (!graph.weights)
			return -ENOMEM;
		graph.nr = weights_collect_op(graph.weights, op, values[i].value);
		/* Of all operations the first is shown first. */
		rc = add_graph(sc, graph, values[i].value == asked && op == sc->s->ops.ops);
	}
	return rc;
}

/* How sure a value is. */
static const char *basis_of(const struct snapshot *s, const struct graph *graph)
{
	enum snapshot_value value = graph->value->value;
	struct map_calls calls = { 0 };

	if (*graph->op)
		return s->ops.known.sampled ? "of the calls that were measured" : "exact";
	switch (weights_of(value)) {
	case OF_ALLOCATIONS:
		if (!s->samples.on && s->ops.known.sampled)
			return "in windows of operations only";
		return s->samples.on ? "estimated" : "exact";
	case OF_HEAP:
		return s->heap.last.rate == 1 ? "exact" : "estimated";
	case OF_GC:
		return s->gc.off_ns ? "exact, but not seen all the time" : "exact";
	case OF_MAPS:
		if (value == SNAPSHOT_ASSIGNS || value == SNAPSHOT_DELETES)
			calls = map_calls_total(&s->maps, value == SNAPSHOT_ASSIGNS
								  ? MODEL_MAP_ASSIGN
								  : MODEL_MAP_DELETE);
		return calls.at_least ? "at least" : calls.estimated ? "estimated" : "exact";
	}
	return "";
}

/* --- as JSON -------------------------------------------------------------------------------------- */

static void put_frames(struct speedscope *sc)
{
	json_open(&sc->w, "shared", '{');
	json_open(&sc->w, "frames", '[');
	for (size_t i = 0; i < sc->tree.frames_nr; i++) {
		const struct snapshot_frame *frame = &sc->tree.frames[i];
		json_open_flat(&sc->w, NULL, '{');
		json_string(&sc->w, "name", *frame->func ? frame->func : "[unknown]");
		if (*frame->file)
			json_string(&sc->w, "file", frame->file);
		if (frame->line)
			json_number(&sc->w, "line", frame->line);
		json_close(&sc->w, '}');
	}
	json_close(&sc->w, ']');
	json_close(&sc->w, '}');
}

/* The frames on the way to a node, root first. */
static void put_way(struct speedscope *sc, uint32_t node)
{
	uint32_t frames[MODEL_DEPTH_MAX + 1]; /* and the one for a missing root */
	size_t nr = 0;

	for (; node != CALLTREE_ROOT; node = sc->tree.nodes[node].parent)
		frames[nr++] = sc->tree.nodes[node].frame;
	json_open_flat(&sc->w, NULL, '[');
	while (nr)
		json_number(&sc->w, NULL, frames[--nr]);
	json_close(&sc->w, ']');
}

/* Nodes are visited in the same order both times. */
static void put_samples(struct speedscope *sc, const uint64_t *sums)
{
	json_open(&sc->w, "samples", '[');
	for (uint32_t node = CALLTREE_ROOT; node != CALLTREE_NONE;
	     node = calltree_next(&sc->tree, node))
		if (sums[node])
			put_way(sc, node);
	json_close(&sc->w, ']');
	json_open_flat(&sc->w, "weights", '[');
	for (uint32_t node = CALLTREE_ROOT; node != CALLTREE_NONE;
	     node = calltree_next(&sc->tree, node))
		if (sums[node])
			json_number(&sc->w, NULL, sums[node]);
	json_close(&sc->w, ']');
}

/* Of the file's names this is the only one that speedscope shows: "Bytes allocated (exact, lost: 7)". */
static char *graph_name(const struct snapshot *s, const struct graph *graph)
{
	char *name;
	int len = asprintf(&name, "%s%s%s (%s%s%s)", graph->op, *graph->op ? ": " : "",
			   value_name(graph->value->value), basis_of(s, graph),
			   s->loss_total ? ", lost: " : "",
			   s->loss_total ? fmt_count(s->loss_total).s : "");

	return len < 0 ? NULL : name;
}

static int put_graph(struct speedscope *sc, const struct graph *graph)
{
	_cleanup_free_ uint64_t *sums = calloc(sc->tree.nodes_nr + 1, sizeof(sums[0]));
	_cleanup_free_ char *name = NULL;
	uint64_t total = 0;

	if (sums)
		name = graph_name(sc->s, graph);
	if (!name)
		return -ENOMEM;
	for (size_t i = 0; i < graph->nr; i++) {
		uint64_t n = graph->weights[i].n, *sum = &sums[graph->nodes[i]];
		*sum = sum_u63(*sum, n);
		total = sum_u63(total, n);
	}
	json_open(&sc->w, NULL, '{');
	json_string(&sc->w, "type", "sampled");
	json_string(&sc->w, "name", name);
	json_string(&sc->w, "unit", graph->value->unit);
	json_number(&sc->w, "startValue", 0);
	json_number(&sc->w, "endValue", total);
	put_samples(sc, sums);
	json_close(&sc->w, '}');
	return 0;
}

/* "shop (pid 4711), go1.24.3, exact, 2.0 s, lost: nothing" */
static char *file_name(const struct snapshot *s)
{
	char *name = NULL;
	size_t sz;
	FILE *out = open_memstream(&name, &sz);

	if (!out)
		return NULL;
	put_target(out, &s->meta);
	fprintf(out, ", %s, lost: %s", fmt_duration(s->to_mono_ns - s->from_mono_ns).s,
		s->loss_total ? fmt_count(s->loss_total).s : "nothing");
	if (fclose(out))
		free(take_ptr(name));
	return name;
}

static int put_file(struct speedscope *sc)
{
	_cleanup_free_ char *name = file_name(sc->s), *exporter = NULL;
	int rc = 0;

	if (!name || asprintf(&exporter, "gallop@%s", sc->s->meta.gallop_version) < 0)
		return -ENOMEM;
	json_open(&sc->w, NULL, '{');
	json_string(&sc->w, "$schema", "https://www.speedscope.app/file-format-schema.json");
	json_string(&sc->w, "exporter", exporter);
	json_string(&sc->w, "name", name);
	json_number(&sc->w, "activeProfileIndex", sc->active);
	put_frames(sc);
	json_open(&sc->w, "profiles", '[');
	for (size_t i = 0; !rc && i < sc->nr; i++)
		rc = put_graph(sc, &sc->graphs[i]);
	json_close(&sc->w, ']');
	json_close(&sc->w, '}');
	return rc ? rc : render_end(sc->w.out);
}

static void speedscope_deinit(struct speedscope *sc)
{
	for (size_t i = 0; i < sc->nr; i++) {
		free(sc->graphs[i].weights);
		free(sc->graphs[i].nodes);
	}
	free(sc->graphs);
	calltree_deinit(&sc->tree);
}

static int speedscope_init(struct speedscope *sc, FILE *out, const struct snapshot *s,
			   size_t graphs_max)
{
	*sc = (struct speedscope){ .w = { .out = out },
				   .s = s,
				   .graphs = calloc(graphs_max + 1, sizeof(sc->graphs[0])) };
	int rc = calltree_init(&sc->tree);

	return sc->graphs ? rc : -ENOMEM;
}

int render_speedscope(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	_cleanup_(speedscope_deinit) struct speedscope sc;
	int rc = speedscope_init(&sc, out, s, VALUES_NR);

	if (!rc)
		rc = add_values(&sc, opts->value);
	return rc ? rc : put_file(&sc);
}

int render_ops_speedscope(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	_cleanup_(speedscope_deinit) struct speedscope sc;
	int rc = speedscope_init(&sc, out, s, s->ops.ops_nr * OP_VALUES_NR);

	for (size_t i = 0; !rc && i < s->ops.ops_nr; i++)
		rc = add_op_values(&sc, &s->ops.ops[i], opts->value);
	return rc ? rc : put_file(&sc);
}
