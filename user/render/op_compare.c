/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations side by side: a line each. */
#include <string.h>

#include "base/utf8.h"
#include "render/cells.h"
#include "render/footer.h"
#include "render/formats.h"
#include "render/ops.h"
#include "render/samples.h"

enum {
	PER_OP_W = 11,
	GAP_W = 2,
	LABEL_MAX_W = OPS_LABEL_MAX_W,
	CALLS_W = 11,
	TIME_W = 8,
	NAME_W = 40, /* before what else is said of it in a line */
};

static uint64_t duration(const struct snapshot *s)
{
	return s->to_mono_ns - s->from_mono_ns;
}

struct row {
	const char *label, *func, *calls, *allocs, *allocs_ci95, *bytes, *bytes_ci95, *mean,
		*mean_ci95, *p99;
};

/* How wide columns are: of windows, p99 makes room for how sure the others are. */
struct columns {
	size_t label_w; /* 0: none has a label */
	bool sampled;
};

static void put_mean(FILE *out, const struct columns *c, const char *mean, size_t width,
		     const char *ci95)
{
	put_right(out, mean, 1 + width);
	if (c->sampled)
		put_right(out, ci95, 1 + CI95_W);
}

static void put_row(FILE *out, const struct columns *c, const struct row *row)
{
	size_t label_w = c->label_w, ci95_w = c->sampled ? 3 * (1 + CI95_W) : 0;
	size_t func_w = TABLE_W - (label_w ? label_w + GAP_W : 0) - (1 + CALLS_W) -
			2 * (1 + PER_OP_W) - (c->sampled ? 1 : 2) * (1 + TIME_W) - ci95_w;
	char func[CELL_SZ], label[CELL_SZ];

	if (label_w) {
		short_text(label, row->label, LABEL_MAX_W);
		put_left(out, label, label_w + GAP_W);
	}
	short_func(func, row->func, func_w);
	put_left(out, func, func_w);
	put_right(out, row->calls, 1 + CALLS_W);
	put_mean(out, c, row->allocs, PER_OP_W, row->allocs_ci95);
	put_mean(out, c, row->bytes, PER_OP_W, row->bytes_ci95);
	put_mean(out, c, row->mean, TIME_W, row->mean_ci95);
	if (!c->sampled)
		put_right(out, row->p99, 1 + TIME_W);
	fputc('\n', out);
}

static void put_op_row(FILE *out, const struct columns *c, const struct snapshot_ops *ops,
		       const struct snapshot_op *op)
{
	const struct snapshot_op_stat *stats = op->stats;
	bool any = op->counts.ended, allocs = any && ops->known.allocs;
	struct fmt calls = fmt_count(op->calls), objects = fmt_mean(stats[WIRE_OP_OBJECTS].mean),
		   objects_ci95 = fmt_op_ci95(&stats[WIRE_OP_OBJECTS]),
		   bytes = fmt_mean(stats[WIRE_OP_BYTES].mean),
		   bytes_ci95 = fmt_op_ci95(&stats[WIRE_OP_BYTES]),
		   mean = fmt_op_ns(stats[WIRE_OP_NS].mean),
		   mean_ci95 = fmt_op_ci95(&stats[WIRE_OP_NS]),
		   p99 = fmt_time(stats[WIRE_OP_NS].p99);

	put_row(out, c,
		&(struct row){ .label = op->label,
			       .func = op->func,
			       .calls = op->calls_known ? calls.s : "?",
			       .allocs = allocs ? objects.s : "-",
			       .allocs_ci95 = allocs ? objects_ci95.s : "-",
			       .bytes = allocs ? bytes.s : "-",
			       .bytes_ci95 = allocs ? bytes_ci95.s : "-",
			       .mean = any ? mean.s : "-",
			       .mean_ci95 = any ? mean_ci95.s : "-",
			       .p99 = any ? p99.s : "-" });
}

static size_t widest_label(const struct snapshot_ops *ops)
{
	size_t width = 0;

	for (size_t i = 0; i < ops->ops_nr; i++) {
		char label[CELL_SZ];
		short_text(label, ops->ops[i].label, LABEL_MAX_W);
		size_t w = utf8_width(label);
		if (w > width)
			width = w;
	}
	/* Room for its head, where there is anything to head. */
	return width && width < strlen("LABEL") ? strlen("LABEL") : width;
}

static void put_whole_run(FILE *out, const struct snapshot *s)
{
	const struct snapshot_gc *gc = &s->gc;

	fputs("\nGC of the whole run: ", out);
	if (!s->ops.known.pauses) {
		fputs("not known\n", out);
		return;
	}
	put_many(out, gc->cycles_total, "cycle");
	fprintf(out, " (%s/s), ", fmt_rate(gc->cycles_total, duration(s)).s);
	put_many(out, gc->pauses.count, "pause");
	if (gc->pauses.count)
		fprintf(out, ": avg %s, p99 %s%s, %s in all", fmt_time(gc->pauses.avg_ns).s,
			gc->pauses.estimated ? "~" : "", fmt_time(gc->pauses.p99_ns).s,
			fmt_time(gc->pauses.total_ns).s);
	fputc('\n', out);
}

int render_ops_compare(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	static const struct row heads = { "LABEL", "FUNCTION", "CALLS", "ALLOCS/OP", "+-",
					  "B/OP",  "+-",       "NS/OP", "+-",	     "P99" };
	const struct snapshot_ops *ops = &s->ops;
	const struct columns c = { widest_label(ops), ops->known.sampled };

	put_ops_header(out, s, opts);
	if (ops->ops_nr) {
		fprintf(out, "\n%s", style(opts, STYLE_DIM));
		put_row(out, &c, &heads);
		fputs(style(opts, STYLE_NONE), out);
		for (size_t i = 0; i < ops->ops_nr; i++)
			put_op_row(out, &c, ops, &ops->ops[i]);
		for (size_t i = 0; i < ops->ops_nr; i++) {
			char name[CELL_SZ];
			short_op_name(name, &ops->ops[i], NAME_W);
			put_op_not_matched(out, &ops->ops[i], name, c.sampled);
			put_op_cut(out, &ops->ops[i], name);
		}
		put_whole_run(out, s);
		put_ops_meaning(out, s);
	}
	put_footer(out, s, opts);
	return render_end(out);
}
