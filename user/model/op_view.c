/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the model's operations to what is shown of them: means from sums, percentiles from histograms, and the sites
 * of each operation from those whose mask has it.
 *
 * A site in several operations is a site of each of them, where its stack ends with the operation's own function.
 */
#include "model/op_view.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/u64.h"
#include "estimate/ratio.h"
#include "model/histogram.h"
#include "model/op_tables.h"
#include "model/shown.h"

struct op_pick {
	uint32_t op;
	uint32_t stack; /* the shown one */
	uint32_t type;
	struct snapshot_count count;
};

/* --- sites ------------------------------------------------------------------------------------ */

static struct model_count count_of(const struct site_row *site, bool interval)
{
	return interval ? site_delta(site) : site->now;
}

static void pick_site(struct op_picks *picks, const struct model *m, const struct site_row *site,
		      struct model_count n)
{
	for (uint32_t ops = site->key.ops; ops; ops &= ops - 1) {
		uint32_t op = (uint32_t)__builtin_ctz(ops);

		picks->stacks[picks->nr] = (struct shown_op){ .stack = site->key.stack,
							      .func = m->ops->rows[op]->func };
		picks->v[picks->nr++] = (struct op_pick){
			.op = op,
			.type = site->key.type,
			.count = { n.objects, n.bytes },
		};
	}
}

int op_view_pick(struct op_picks *picks, const struct model *m, bool interval)
{
	size_t max = 0;

	if (!m->ops->nr)
		return 0;
	for (size_t i = 0; i < m->sites.nr; i++)
		max += (size_t)__builtin_popcount(m->sites.rows[i]->key.ops);
	picks->v = calloc(max + 1, sizeof(picks->v[0]));
	picks->stacks = calloc(max + 1, sizeof(picks->stacks[0]));
	if (!picks->v || !picks->stacks)
		return -ENOMEM;
	for (size_t i = 0; i < m->sites.nr; i++) {
		struct model_count n = count_of(m->sites.rows[i], interval);
		if (n.objects || n.bytes)
			pick_site(picks, m, m->sites.rows[i], n);
	}
	return 0;
}

void op_picks_deinit(struct op_picks *picks)
{
	free(picks->v);
	free(picks->stacks);
}

static int pick_cmp(const void *a, const void *b)
{
	const struct op_pick *x = a, *y = b;
	int d = cmp_u64(x->op, y->op);

	if (!d)
		d = cmp_u64(x->stack, y->stack);
	return d ? d : cmp_u64(x->type, y->type);
}

/* A site's share of each operation; 0 if none began. */
static double per_op(uint64_t n, const struct model_op_counts *counts)
{
	return counts->begun ? (double)n / (double)counts->begun : 0;
}

static int site_cmp(const void *a, const void *b, void *by)
{
	const struct snapshot_op_site *x = a, *y = b;
	int d = shown_count_cmp((struct snapshot_count){ x->objects, x->bytes },
				(struct snapshot_count){ y->objects, y->bytes },
				*(enum snapshot_value *)by);

	if (!d)
		d = shown_stack_cmp(x->stack, y->stack);
	return d ? d : strcmp(x->type, y->type);
}

/* The picks of one operation, sorted: those that look the same become one. */
static int view_sites(struct snapshot_op *op, const struct model *m, const struct shown *sh,
		      const struct op_pick *picks, size_t nr)
{
	op->sites = calloc(nr + 1, sizeof(op->sites[0]));
	if (!op->sites)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		if (i == 0 || pick_cmp(&picks[i - 1], &picks[i]) != 0)
			op->sites[op->sites_nr++] = (struct snapshot_op_site){
				.type = sh->text_of[m->types.rows[picks[i].type]->name_id],
				.stack = &sh->stacks[picks[i].stack],
			};
		struct snapshot_op_site *site = &op->sites[op->sites_nr - 1];
		site->objects = sum_u63(site->objects, picks[i].count.objects);
		site->bytes = sum_u63(site->bytes, picks[i].count.bytes);
	}
	for (size_t i = 0; i < op->sites_nr; i++) {
		struct snapshot_op_site *site = &op->sites[i];
		site->objects_per_op = per_op(site->objects, &op->counts);
		site->bytes_per_op = per_op(site->bytes, &op->counts);
		op->objects = sum_u63(op->objects, site->objects);
		op->bytes = sum_u63(op->bytes, site->bytes);
	}
	return 0;
}

/* --- distributions ------------------------------------------------------------------------------ */

/* The buckets of one value, as they are or as they grew. */
struct buckets {
	const uint64_t *now;
	const uint64_t *base; /* NULL: 0 */
};

static uint64_t bucket_count(const struct buckets *b, uint32_t i)
{
	return b->now[i] - (b->base ? b->base[i] : 0);
}

/*
 * What the rank-th smallest value is, by its bucket. The middle of one is nearest to any time in it. Bytes are whole
 * slots, sizes that are even multiples of a power of two: more often than not the first of a bucket is the only one
 * there can be.
 */
static uint64_t value_at(const struct buckets *b, enum wire_op_value value, uint64_t rank)
{
	uint32_t i = 0;

	for (; i < WIRE_HIST_BUCKETS - 1; i++) {
		uint64_t n = bucket_count(b, i);
		if (n >= rank)
			break;
		rank -= n;
	}
	return wire_hist_low(i) + (value == WIRE_OP_NS ? wire_hist_width(i) / 2 : 0);
}

/*
 * The largest value is known of all time only. That of an interval is in the highest bucket that grew; and so, where
 * the buckets were read a moment after it, is that of all time.
 */
static uint64_t max_of(const struct buckets *b, uint64_t all_time, uint32_t highest)
{
	uint64_t max = b->base ? min_u64(op_bucket_top(highest), all_time) : all_time;

	return max_u64(max, wire_hist_low(highest));
}

static struct snapshot_op_stat view_stat(const struct buckets *b, enum wire_op_value value,
					 uint64_t sum, uint64_t ended, uint64_t all_time_max)
{
	struct snapshot_op_stat stat = { 0 };
	uint64_t total = 0;
	uint32_t highest = 0;

	if (!ended)
		return stat;
	stat.mean = (double)sum / (double)ended;
	for (uint32_t i = 0; i < WIRE_HIST_BUCKETS; i++) {
		uint64_t n = bucket_count(b, i);
		total = sum_u63(total, n);
		if (n)
			highest = i;
	}
	if (!total)
		return stat;
	stat.max = max_of(b, all_time_max, highest);
	stat.p50 = min_u64(value_at(b, value, nearest_rank(total, 50)), stat.max);
	stat.p90 = min_u64(value_at(b, value, nearest_rank(total, 90)), stat.max);
	stat.p99 = min_u64(value_at(b, value, nearest_rank(total, 99)), stat.max);
	return stat;
}

/* --- how sure means are ------------------------------------------------------------------------ */

/* One value of clusters as the estimate takes them. */
static void take_clusters(struct ratio_cluster *to, const struct op_clusters *from, int value)
{
	for (size_t i = 0; i < from->nr; i++)
		to[i] = (struct ratio_cluster){
			.windows = (double)from->v[i].windows,
			.ended = (double)from->v[i].ended,
			.late = (double)from->v[i].late,
			.calls = (double)from->v[i].calls,
			.sum = (double)from->v[i].sum[value],
			.squares = from->v[i].squares[value],
		};
}

/* Of what was measured: an operation that was cut may have been any. 0 or -ENOMEM. */
static int view_clusters(struct snapshot_op *op, const struct op_clusters *clusters)
{
	_cleanup_free_ struct ratio_cluster *c = calloc(clusters->nr + 1, sizeof(c[0]));

	if (!c)
		return -ENOMEM;
	for (size_t i = 0; i < clusters->nr; i++)
		op->windows = sum_u63(op->windows, clusters->v[i].windows);
	for (int i = 0; i < WIRE_OP_VALUES && op->windows; i++) {
		take_clusters(c, clusters, i);
		const struct ratio ratio = ratio_of(c, clusters->nr, (double)op->stats[i].max);
		op->stats[i].mean = ratio.mean;
		op->stats[i].mean_ci95 = op->counts.cut ? NAN : ratio.half_width;
	}
	return 0;
}

static int view_windows(struct snapshot_op *op, const struct op_row *row, bool interval)
{
	_cleanup_free_ struct op_clusters *all = NULL;

	for (int i = 0; i < WIRE_OP_VALUES; i++)
		op->stats[i].mean_ci95 = NAN;
	if (!row->windows)
		return 0;
	if (interval)
		return view_clusters(op, &row->windows->now);
	all = malloc(sizeof(*all));
	if (!all)
		return -ENOMEM;
	op_all_windows(row->windows, all);
	return view_clusters(op, all);
}

/* Calls are counted beside windows, at the function's entry: if it calls itself, entries are not operations. */
static void view_calls(struct snapshot_op *op, const struct op_row *row, bool sampled)
{
	op->calls = sampled ? op->counts.entries : op->counts.ended;
	op->calls_known = !sampled || (!row->now.nested && !op->counts.uncounted_ns &&
				       (op->counts.entries || !op->counts.begun));
}

/* --- numbers ---------------------------------------------------------------------------------- */

static int view_numbers(struct snapshot_op *op, const struct op_row *row, bool interval,
			bool sampled)
{
	op->counts = interval ? op_delta(row) : row->now;
	op->unmatched = sum_u63(op->counts.panics, op->counts.goexits);
	op->open = op_open(row);
	for (size_t i = 0; i < WIRE_OP_VALUES; i++) {
		const struct buckets b = { row->hist_now.buckets[i],
					   interval ? row->hist_base.buckets[i] : NULL };
		op->stats[i] = view_stat(&b, (enum wire_op_value)i, op->counts.sum[i],
					 op->counts.ended, row->now.max[i]);
	}
	if (op->counts.ended) {
		op->pause_per_op_ns = (double)op->counts.pause_ns / (double)op->counts.ended;
		op->assist_per_op_ns = (double)op->counts.assist_ns / (double)op->counts.ended;
	}
	view_calls(op, row, sampled);
	return sampled ? view_windows(op, row, interval) : 0;
}

/* --- all of it -------------------------------------------------------------------------------- */

int op_view_init(struct snapshot_ops *view, const struct model *m, const struct shown *sh,
		 struct op_picks *picks, const struct snapshot_opts *opts)
{
	enum snapshot_value by = opts->sort;
	size_t nr = m->ops->nr, from = 0;

	*view = (struct snapshot_ops){ 0 };
	if (!nr)
		return 0;
	view->known = m->ops->known;
	view->ops = calloc(nr, sizeof(view->ops[0]));
	if (!view->ops)
		return -ENOMEM;
	for (size_t i = 0; i < picks->nr; i++)
		picks->v[i].stack = picks->stacks[i].shown;
	qsort(picks->v, picks->nr, sizeof(picks->v[0]), pick_cmp);
	for (size_t i = 0, end; i < nr; i++, from = end) {
		struct snapshot_op *op = &view->ops[view->ops_nr++];
		op->func = sh->text_of[m->ops->rows[i]->func];
		op->label = sh->text_of[m->ops->rows[i]->label];
		int rc = view_numbers(op, m->ops->rows[i], opts->interval, view->known.sampled);
		for (end = from; end < picks->nr && picks->v[end].op == i; end++)
			;
		if (!rc)
			rc = view_sites(op, m, sh, picks->v + from, end - from);
		if (rc)
			return rc;
		qsort_r(op->sites, op->sites_nr, sizeof(op->sites[0]), site_cmp, &by);
	}
	return 0;
}

void op_view_deinit(struct snapshot_ops *view)
{
	for (size_t i = 0; i < view->ops_nr; i++)
		free(view->ops[i].sites);
	free(view->ops);
}
