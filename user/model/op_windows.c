/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows of operations: what each of them saw, as the interval of a mean is made from it (see estimate/ratio.h).
 *
 * They are as many as a session is long, and the memory for them is not: where it is full, neighbours become one, which
 * tells a little less. Those of the current interval are apart until it ends: a recording writes them.
 */
#include "model/op_tables.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/u64.h"

/* Rounding leaves this much, relative, where all are the same. */
#define ROUNDING 1e-9

void op_grow(struct op_growth *growth, uint32_t bucket, uint64_t nr)
{
	double n = (double)nr;
	double value = (double)wire_hist_low(bucket) + (double)(wire_hist_width(bucket) - 1) / 2;

	growth->nr += n;
	growth->sum += n * value;
	growth->squares += n * value * value;
}

/* Squares of the distances from the mean. */
static double take_growth(struct op_growth *growth)
{
	double around = 0;

	if (growth->nr > 0)
		around = growth->squares - growth->sum * growth->sum / growth->nr;
	if (around <= growth->squares * ROUNDING)
		around = 0;
	*growth = (struct op_growth){ 0 };
	return around;
}

/* What is not known of one is not known of both. */
static uint64_t join_calls(uint64_t a, uint64_t b)
{
	return a && b ? sum_u63(a, b) : 0;
}

static void join(struct op_cluster *to, const struct op_cluster *c)
{
	to->windows = sum_u63(to->windows, c->windows);
	to->calls = join_calls(to->calls, c->calls);
	to->ended = sum_u63(to->ended, c->ended);
	to->late = sum_u63(to->late, c->late);
	for (int i = 0; i < WIRE_OP_VALUES; i++) {
		to->sum[i] = sum_u63(to->sum[i], c->sum[i]);
		to->squares[i] += c->squares[i];
	}
}

static void halve(struct op_clusters *clusters)
{
	size_t nr = 0;

	for (size_t i = 0; i < clusters->nr; i += 2) {
		clusters->v[nr] = clusters->v[i];
		if (i + 1 < clusters->nr)
			join(&clusters->v[nr], &clusters->v[i + 1]);
		nr++;
	}
	clusters->nr = nr;
}

static void append(struct op_clusters *clusters, const struct op_cluster *c)
{
	struct op_cluster *last = clusters->nr ? &clusters->v[clusters->nr - 1] : NULL;

	/* Of windows without operations nothing but their calls is of interest. */
	if (last && !last->windows && !c->windows) {
		join(last, c);
		return;
	}
	if (clusters->nr == OP_CLUSTERS_MAX)
		halve(clusters);
	clusters->v[clusters->nr++] = *c;
}

int op_add_cluster(struct op_row *op, const struct op_cluster *cluster)
{
	if (!op->windows)
		op->windows = calloc(1, sizeof(*op->windows));
	if (!op->windows)
		return -ENOMEM;
	append(&op->windows->now, cluster);
	return 0;
}

static void append_all(struct op_clusters *to, const struct op_clusters *from)
{
	for (size_t i = 0; i < from->nr; i++)
		append(to, &from->v[i]);
}

void op_next_windows(struct op_row *op)
{
	if (!op->windows)
		return;
	append_all(&op->windows->past, &op->windows->now);
	op->windows->now.nr = 0;
}

void op_all_windows(const struct op_windows *windows, struct op_clusters *ret)
{
	*ret = windows->past;
	append_all(ret, &windows->now);
}

int model_op_window(struct model *m, uint32_t op, const struct model_op_window *w)
{
	assert(op < m->ops->nr);
	struct op_row *row = m->ops->rows[op];
	struct op_cluster c = {
		.windows = w->ended > 0,
		.calls = min_u64(w->calls, INT64_MAX),
		.ended = min_u64(w->ended, INT64_MAX),
		.late = min_u64(w->late, INT64_MAX),
	};

	for (int i = 0; i < WIRE_OP_VALUES; i++) {
		c.sum[i] = min_u64(w->sum[i], INT64_MAX);
		c.squares[i] = take_growth(&row->growth[i]);
	}
	return c.ended || c.calls ? op_add_cluster(row, &c) : 0;
}
