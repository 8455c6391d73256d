/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables are read side by side: each has a cursor, which is at the first row that was not used yet. All of them are in
 * the order of intervals, and of windows in those, so a pass over the intervals uses each row once; a row that is left
 * refers to what is not there.
 */
#include "record/read_samples.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/grow.h"
#include "base/u64.h"
#include "base/utf8.h"
#include "model/gc_tables.h"
#include "model/map_tables.h"
#include "model/sample_tables.h"
#include "record/schema.h"

enum {
	CURSOR_INTERVAL,
	CURSOR_SAMPLE_INTERVAL,
	CURSOR_CLASS_COUNT,
	CURSOR_SAMPLED,
	CURSOR_UNIT,
	CURSOR_UNIT_REFILL,
	CURSOR_UNIT_GAP,
	CURSOR_UNIT_HIT,
	CURSOR_UNIT_MAP_OP,
	CURSOR_NR,
	UNIT_ROWS_MAX = 1 << 20, /* of a window, in a table */
	ESTIMATE_STEPS = 16, /* to estimate a stretch, where moving it on is one */
};

/*
 * Estimates are kept by site, and all of them are moved where an interval ends, made anew where windows or the runtime's
 * rate say so: steps of some 3 ns each. What would take longer than some minutes isn't read at once: 17 days of 20,000 sites
 * and 3,000 functions, with three windows a second.
 */
static const uint64_t steps_max = UINT64_C(1) << 37;

/* The first columns are ids, by which rows ascend; the very first says where a row belongs. */
static const struct {
	const char *sql;
	int ids_nr;
} queries[CURSOR_NR] = {
	[CURSOR_INTERVAL] = { "SELECT id, end_ns FROM interval ORDER BY id", 1 },
	[CURSOR_SAMPLE_INTERVAL] = { "SELECT interval, mem_profile_rate, hits, windows, overruns, "
				     "predicted_ppm, failed_windows FROM sample_interval "
				     "ORDER BY interval",
				     1 },
	[CURSOR_CLASS_COUNT] = { "SELECT interval, size_class, objects, bytes, site_objects, "
				 "site_bytes FROM class_count ORDER BY interval, size_class",
				 2 },
	[CURSOR_SAMPLED] = { "SELECT interval, site, samples, large_milli, large_variance_milli, "
			     "large_bytes, large_variance_kib2 FROM sampled ORDER BY interval, "
			     "site",
			     2 },
	[CURSOR_UNIT] = { "SELECT id, interval, start_ns, hits, slot_ns, refill_ns, kept_ns, "
			  "began, times FROM "
			  "unit ORDER BY id",
			  1 },
	[CURSOR_UNIT_REFILL] = { "SELECT unit, root, size_class, objects FROM unit_refill ORDER BY "
				 "unit, root, size_class",
				 3 },
	[CURSOR_UNIT_GAP] = { "SELECT unit, root, gaps, ns FROM unit_gap ORDER BY unit, root", 2 },
	[CURSOR_UNIT_HIT] = { "SELECT unit, site, root, size_class, objects, large_bytes, "
			      "rate_milli FROM "
			      "unit_hit "
			      "ORDER BY unit, site, root, size_class",
			      4 },
	[CURSOR_UNIT_MAP_OP] = { "SELECT unit, map_site, root, operation, calls, alone, "
				 "most_milli, rate_milli FROM unit_map_op "
				 "ORDER BY unit, map_site, root, operation",
				 4 },
};

struct cursor {
	sqlite3_stmt *row; /* NULL: the table is read */
	uint64_t ids[READER_IDS_MAX];
};

/* Rows of one window. */
struct unit_rows {
	struct estimate_refill *refills;
	struct estimate_gaps *gaps;
	struct estimate_hit *hits;
	struct model_unit_map_op *map_ops;
	size_t refills_nr, gaps_nr, hits_nr, map_ops_nr;
	size_t refills_cap, gaps_cap, hits_cap, map_ops_cap;
};

struct replay {
	struct reader *r;
	struct cursor cursors[CURSOR_NR];
	struct unit_rows rows;
	struct model_class_counts counts, by_site; /* of the span, so far */
	struct model_cost cost; /* of the span */
	double predicted_ns; /* parts of intervals, summed up */
	uint64_t units_nr;
	uint64_t last_rate;
	uint64_t steps; /* see steps_max */
};

static void replay_deinit(struct replay *p)
{
	for (int i = 0; i < CURSOR_NR; i++)
		sqlite3_finalize(p->cursors[i].row);
	free(p->rows.refills);
	free(p->rows.gaps);
	free(p->rows.hits);
	free(p->rows.map_ops);
}

static int ids_cmp(const uint64_t *x, const uint64_t *y, int nr)
{
	int d = 0;

	for (int i = 0; !d && i < nr; i++)
		d = cmp_u64(x[i], y[i]);
	return d;
}

/* To the next row; `first` if there was none before. */
static int cursor_next(struct replay *p, int which, bool first)
{
	struct cursor *c = &p->cursors[which];
	uint64_t ids[READER_IDS_MAX];
	int nr = queries[which].ids_nr, rc = sqlite3_step(c->row);

	if (rc != SQLITE_ROW) {
		sqlite3_finalize(take_ptr(c->row));
		return rc == SQLITE_DONE
			       ? 0
			       : database_err(p->r->err, p->r->file.db, rc, "read", p->r->path);
	}
	int code = col_counts(p->r, c->row, 0, ids, nr);
	if (code)
		return code;
	if (!first && ids_cmp(c->ids, ids, nr) >= 0)
		return reader_damaged(p->r, "the rows of a table are out of order");
	memcpy(c->ids, ids, sizeof(ids[0]) * (size_t)nr);
	return 0;
}

static int cursors_open(struct replay *p)
{
	for (int i = 0; i < CURSOR_NR; i++) {
		int rc = sqlite3_prepare_v2(p->r->file.db, queries[i].sql, -1, &p->cursors[i].row,
					    NULL);
		if (rc)
			return database_err(p->r->err, p->r->file.db, rc, "read", p->r->path);
		int code = cursor_next(p, i, true);
		if (code)
			return code;
	}
	return 0;
}

/* Whether its row belongs there. */
static bool cursor_is_at(const struct replay *p, int which, uint64_t id)
{
	return p->cursors[which].row && p->cursors[which].ids[0] == id;
}

static int col_class(struct replay *p, sqlite3_stmt *row, int col, uint32_t *ret)
{
	uint64_t n = 0;
	int code = col_u64(p->r, row, col, ESTIMATE_CLASS_NR - 1, &n);

	*ret = (uint32_t)n;
	return code;
}

/* --- windows ------------------------------------------------------------------------------------ */

/* Room for a row more of a window. */
#define unit_row(p, rows_, nr_, cap_)                                                          \
	((nr_) >= UNIT_ROWS_MAX ? reader_damaged((p)->r, "a window has more rows than it can") \
	 : grow(&(rows_), nr_, &(cap_), sizeof((rows_)[0])) ? reader_interned((p)->r, -ENOMEM) \
							    : 0)

static int read_refill(struct replay *p, sqlite3_stmt *row)
{
	struct unit_rows *rows = &p->rows;
	int code = unit_row(p, rows->refills, rows->refills_nr, rows->refills_cap);
	if (code)
		return code;

	struct estimate_refill *n = &rows->refills[rows->refills_nr++];
	code = col_ref(p->r, row, 1, &p->r->funcs, &n->root);
	if (!code)
		code = col_class(p, row, 2, &n->size_class);
	return code ? code : col_counts(p->r, row, 3, &n->objects, 1);
}

static int read_gap(struct replay *p, sqlite3_stmt *row)
{
	struct unit_rows *rows = &p->rows;
	uint64_t nr = 0, ns = 0;
	int code = unit_row(p, rows->gaps, rows->gaps_nr, rows->gaps_cap);
	if (code)
		return code;

	struct estimate_gaps *n = &rows->gaps[rows->gaps_nr++];
	code = col_ref(p->r, row, 1, &p->r->funcs, &n->root);
	if (!code)
		code = col_u64(p->r, row, 2, UINT32_MAX, &nr);
	if (!code)
		code = col_u64(p->r, row, 3, TIME_MAX, &ns);
	n->nr = (uint32_t)nr;
	n->sum_s = (double)ns / 1e9;
	return code;
}

static int col_rate(const struct replay *p, sqlite3_stmt *row, int col, double *ret)
{
	uint64_t milli = 0;
	int code = col_counts(p->r, row, col, &milli, 1);

	*ret = (double)milli / SAMPLES_MILLI;
	return code;
}

static int read_hit(struct replay *p, sqlite3_stmt *row)
{
	struct unit_rows *rows = &p->rows;
	int code = unit_row(p, rows->hits, rows->hits_nr, rows->hits_cap);
	if (code)
		return code;

	struct estimate_hit *n = &rows->hits[rows->hits_nr++];
	code = col_ref(p->r, row, 1, &p->r->sites, &n->site);
	if (!code)
		code = col_ref(p->r, row, 2, &p->r->funcs, &n->root);
	if (!code)
		code = col_class(p, row, 3, &n->size_class);
	if (!code)
		code = col_counts(p->r, row, 4, &n->objects, 1);
	if (!code)
		code = col_counts(p->r, row, 5, &n->bytes, 1);
	if (!code)
		code = col_rate(p, row, 6, &n->rate);
	if (!code && samples_slot(p->r->m->sites.rows[n->site]->key.size_class, n->size_class) < 0)
		return reader_damaged(p->r, "an object has a size that its site can't have");
	return code;
}

static int read_map_op(struct replay *p, sqlite3_stmt *row)
{
	struct unit_rows *rows = &p->rows;
	uint64_t operation = 0;
	int code = unit_row(p, rows->map_ops, rows->map_ops_nr, rows->map_ops_cap);
	if (code)
		return code;

	struct model_unit_map_op *n = &rows->map_ops[rows->map_ops_nr++];
	code = col_ref(p->r, row, 1, &p->r->map_sites, &n->map_site);
	if (!code)
		code = col_ref(p->r, row, 2, &p->r->funcs, &n->root);
	if (!code)
		code = col_u64(p->r, row, 3, MODEL_MAP_OPERATIONS - 1, &operation);
	n->operation = (enum model_map_operation)operation;
	if (!code)
		code = col_counts(p->r, row, 4, &n->calls, 1);
	if (!code)
		code = col_counts(p->r, row, 5, &n->alone, 1);
	if (!code && n->alone > n->calls)
		return reader_damaged(p->r, "a window has more calls of some than of all");
	if (!code)
		code = col_counts(p->r, row, 6, &n->most_milli, 1);
	return code ? code : col_rate(p, row, 7, &n->rate);
}

static int read_unit_rows(struct replay *p, uint64_t id)
{
	static const struct {
		int cursor;
		int (*read)(struct replay *p, sqlite3_stmt *row);
	} tables[] = {
		{ CURSOR_UNIT_REFILL, read_refill },
		{ CURSOR_UNIT_GAP, read_gap },
		{ CURSOR_UNIT_HIT, read_hit },
		{ CURSOR_UNIT_MAP_OP, read_map_op },
	};
	struct unit_rows *rows = &p->rows;
	int code = 0;

	rows->refills_nr = rows->gaps_nr = rows->hits_nr = rows->map_ops_nr = 0;
	for (size_t i = 0; !code && i < sizeof(tables) / sizeof(tables[0]); i++) {
		while (!code && cursor_is_at(p, tables[i].cursor, id)) {
			code = tables[i].read(p, p->cursors[tables[i].cursor].row);
			if (!code)
				code = cursor_next(p, tables[i].cursor, false);
		}
	}
	return code;
}

static int read_unit(struct replay *p, bool wanted)
{
	sqlite3_stmt *row = p->cursors[CURSOR_UNIT].row;
	const struct unit_rows *rows = &p->rows;
	struct model_unit unit = { 0 };
	uint64_t slot_ns = 0, refill_ns = 0, kept_ns = 0, began = 0, windows_times = 0;
	uint64_t *const times[] = { &slot_ns, &refill_ns, &kept_ns };

	if (p->cursors[CURSOR_UNIT].ids[0] != p->units_nr)
		return reader_damaged(p->r, "its rows are not numbered one by one");
	int code = col_u64(p->r, row, 2, TIME_MAX, &unit.start_ns);
	if (!code)
		code = col_counts(p->r, row, 3, &unit.hits, 1);
	for (int i = 0; !code && i < 3; i++)
		code = col_u64(p->r, row, 4 + i, TIME_MAX, times[i]);
	if (!code)
		code = col_u64(p->r, row, 7, ESTIMATE_BEGAN_NR - 1, &began);
	if (!code)
		code = col_u64(p->r, row, 8, UINT32_MAX, &windows_times);
	if (!code)
		code = read_unit_rows(p, p->units_nr++);
	if (code || !wanted)
		return code;
	unit.alloc = (struct estimate_unit){
		.slot_s = (double)slot_ns / 1e9,
		.refill_s = (double)refill_ns / 1e9,
		.kept_s = (double)kept_ns / 1e9,
		.began = (enum estimate_began)began,
		.times = (uint32_t)windows_times,
		.refills = rows->refills,
		.gaps = rows->gaps,
		.hits = rows->hits,
		.refills_nr = rows->refills_nr,
		.gaps_nr = rows->gaps_nr,
		.hits_nr = rows->hits_nr,
	};
	unit.map_ops = rows->map_ops;
	unit.map_ops_nr = rows->map_ops_nr;
	return reader_interned(p->r, model_add_unit(p->r->m, &unit));
}

static int read_units(struct replay *p, uint64_t interval, bool wanted)
{
	int code = 0;

	while (!code && p->cursors[CURSOR_UNIT].row) {
		uint64_t of = 0;

		code = col_u64(p->r, p->cursors[CURSOR_UNIT].row, 1, INT64_MAX, &of);
		if (!code && of < interval)
			code = reader_damaged(p->r, "the rows of a table are out of order");
		if (code || of > interval)
			break;
		code = read_unit(p, wanted);
		if (!code)
			code = cursor_next(p, CURSOR_UNIT, false);
	}
	return code;
}

/* --- intervals ---------------------------------------------------------------------------------- */

static int read_class_counts(struct replay *p, uint64_t interval, bool wanted)
{
	int code = 0;

	while (!code && cursor_is_at(p, CURSOR_CLASS_COUNT, interval)) {
		sqlite3_stmt *row = p->cursors[CURSOR_CLASS_COUNT].row;
		uint32_t size_class = 0;
		uint64_t n[4]; /* objects and bytes: all, and what was counted by site */

		code = col_class(p, row, 1, &size_class);
		if (!code)
			code = col_counts(p->r, row, 2, n, 4);
		if (!code && wanted) {
			uint64_t *all = &p->counts.objects[size_class];
			uint64_t *by_site = &p->by_site.objects[size_class];
			bool is_large = size_class == MODEL_CLASS_LARGE;

			*all = sum_u63(*all, n[0]);
			*by_site = sum_u63(*by_site, n[2]);
			p->counts.large_bytes = sum_u63(p->counts.large_bytes, is_large ? n[1] : 0);
			p->by_site.large_bytes = sum_u63(p->by_site.large_bytes,
							 is_large ? n[3] : 0);
		}
		if (!code)
			code = cursor_next(p, CURSOR_CLASS_COUNT, false);
	}
	return code;
}

/* n: samples, and the four sums of large ones. */
static void add_sampled(struct reader *r, uint32_t site, const uint64_t *n, uint64_t rate)
{
	const struct model_large_samples large = { n[1], n[2], n[3], n[4] };

	if (r->m->sites.rows[site]->key.size_class == MODEL_CLASS_LARGE)
		model_add_sampled_large(r->m, site, n[0], &large, rate);
	else
		model_add_sampled(r->m, site, n[0], rate);
}

static int read_sampled(struct replay *p, uint64_t interval, uint64_t rate, bool wanted)
{
	int code = 0;

	while (!code && cursor_is_at(p, CURSOR_SAMPLED, interval)) {
		sqlite3_stmt *row = p->cursors[CURSOR_SAMPLED].row;
		uint32_t site = 0;
		uint64_t n[5]; /* samples, and of large ones what they stand for */

		code = col_ref(p->r, row, 1, &p->r->sites, &site);
		if (!code)
			code = col_counts(p->r, row, 2, n, 5);
		if (!code && wanted)
			add_sampled(p->r, site, n, rate);
		if (!code)
			code = cursor_next(p, CURSOR_SAMPLED, false);
	}
	return code;
}

/* What it cost, summed up over the span; how much of the time, weighed by that. */
static int read_interval_cost(struct replay *p, uint64_t interval, uint64_t ns, uint64_t *rate_ret,
			      bool wanted)
{
	uint64_t n[4], ppm = 0, failed = 0;

	*rate_ret = 0;
	if (!cursor_is_at(p, CURSOR_SAMPLE_INTERVAL, interval))
		return 0;
	sqlite3_stmt *row = p->cursors[CURSOR_SAMPLE_INTERVAL].row;
	int code = col_counts(p->r, row, 1, n, 4);
	if (!code)
		code = col_u64(p->r, row, 5, INT32_MAX, &ppm);
	if (!code)
		code = col_counts(p->r, row, 6, &failed, 1);
	if (code)
		return code;
	*rate_ret = n[0];
	if (wanted) {
		model_set_profile_rate(p->r->m, n[0]);
		p->cost.hits = sum_u63(p->cost.hits, n[1]);
		p->cost.windows = sum_u63(p->cost.windows, n[2]);
		p->cost.overruns = sum_u63(p->cost.overruns, n[3]);
		p->cost.failed_windows = sum_u63(p->cost.failed_windows, failed);
		p->cost.predicted_now = (double)ppm / SAMPLES_PPM;
		p->predicted_ns += p->cost.predicted_now * (double)ns;
	}
	return cursor_next(p, CURSOR_SAMPLE_INTERVAL, false);
}

/* What the end of an interval costs. A stretch is estimated for every so many windows, or for another rate. */
static int count_steps(struct replay *p, uint64_t units, uint64_t rate, uint64_t from_ns)
{
	const struct model *m = p->r->m;
	uint64_t max = p->r->span.steps_max ? p->r->span.steps_max : steps_max;
	uint64_t estimates = rate != p->last_rate ? ESTIMATE_STEPS : units;

	p->last_rate = rate;
	p->steps += (1 + estimates) * (m->sites.nr + m->funcs.nr);
	if (p->steps <= max)
		return 0;
	/* Those before this one were not too much. */
	uint64_t to_ms = samples_growth(m->meta.start_mono_ns, from_ns) / 1000000;
	err_set(p->r->err, -E2BIG, "'%s' has too many intervals, of %zu sites, to be shown at once",
		p->r->path, (size_t)m->sites.nr);
	err_hint(p->r->err, "a part can be, such as --from %" PRIu64 "ms --to %" PRIu64 "ms",
		 p->r->span.from_ns / 1000000, to_ms);
	return -E2BIG;
}

static int read_interval(struct replay *p, uint64_t interval, uint64_t *last_ns)
{
	struct reader *r = p->r;
	bool wanted = interval >= r->first && interval < r->end;
	uint64_t rate, end_ns = 0, units_nr = p->units_nr;
	int code = col_u64(r, p->cursors[CURSOR_INTERVAL].row, 1, TIME_MAX, &end_ns);
	uint64_t ns = samples_growth(*last_ns, end_ns);

	*last_ns = end_ns;
	if (!code)
		code = cursor_next(p, CURSOR_INTERVAL, false);
	if (!code)
		code = read_interval_cost(p, interval, ns, &rate, wanted);
	if (!code)
		code = read_class_counts(p, interval, wanted);
	if (!code)
		code = read_sampled(p, interval, rate, wanted);
	if (!code)
		code = read_units(p, interval, wanted);
	if (code || !wanted)
		return code;
	r->m->samples->marks[SAMPLE_NOW].by_site = p->by_site;
	model_set_class_counts(r->m, &p->counts);
	/* The last interval is still the current one, as it was when it was written. */
	if (interval + 1 == r->end)
		return 0;
	code = count_steps(p, p->units_nr - units_nr, rate, end_ns - ns);
	if (!code)
		samples_next_interval(r->m, end_ns);
	return code;
}

static int read_intervals(struct replay *p)
{
	uint64_t last_ns = p->r->m->meta.start_mono_ns;
	int code = 0;

	p->r->m->from_mono_ns = p->r->from_ns;
	for (uint64_t i = 0; !code && cursor_is_at(p, CURSOR_INTERVAL, i); i++)
		code = read_interval(p, i, &last_ns);
	for (int i = 0; !code && i < CURSOR_NR; i++)
		if (p->cursors[i].row)
			code = reader_damaged(p->r, "a row refers to one that is not there");
	return code;
}

/* --- the session ---------------------------------------------------------------------------------- */

int read_sampling(struct reader *r, sqlite3_stmt *row, uint64_t idx)
{
	struct model_cost *cost = model_cost(r->m);
	uint64_t hit_ns = 0, ppm[3] = { 0 };
	uint64_t *const numbers[] = { &cost->ns_per_hit, &cost->ns_per_switch, &cost->hits,
				      &cost->windows, &cost->overruns };
	const char *off = "";
	(void)idx;

	int code = col_u64(r, row, 1, GC_TIME_MAX, &hit_ns);
	if (!code)
		code = col_bool(r, row, 2, &cost->known);
	for (int i = 0; !code && i < 3; i++)
		code = col_u64(r, row, 3 + i, INT32_MAX, &ppm[i]);
	for (int i = 0; !code && i < 5; i++)
		code = col_counts(r, row, 6 + i, numbers[i], 1);
	if (!code)
		code = col_text(r, row, 11, &off);
	if (!code)
		code = col_bool(r, row, 12, &cost->calibrated);
	if (!code)
		code = col_counts(r, row, 13, &cost->failed_windows, 1);
	if (!code)
		code = col_counts(r, row, 14, &cost->other_probes, 1);
	if (code)
		return code;
	cost->budget = (double)ppm[0] / SAMPLES_PPM;
	cost->predicted = (double)ppm[1] / SAMPLES_PPM;
	cost->predicted_now = (double)ppm[2] / SAMPLES_PPM;
	utf8_clean(cost->off, sizeof(cost->off), off);
	/* Else it is what windows of operations cost. */
	if (hit_ns)
		model_sampled(r->m, hit_ns);
	return 0;
}

/* Of a part, what was measured at the start holds as well; the rest is of the part. */
static void set_cost(struct replay *p)
{
	struct reader *r = p->r;
	struct model_cost *cost = model_cost(r->m);
	uint64_t ns = samples_growth(r->from_ns, r->to_ns);

	if (r->first == 0 && r->end == r->intervals_nr)
		return;
	cost->hits = p->cost.hits;
	cost->windows = p->cost.windows;
	cost->overruns = p->cost.overruns;
	cost->failed_windows = p->cost.failed_windows;
	cost->predicted_now = p->cost.predicted_now;
	cost->predicted = ns ? p->predicted_ns / (double)ns : 0;
}

int read_samples(struct reader *r)
{
	_cleanup_(replay_deinit) struct replay p = { .r = r };

	if (!r->m->samples->on) {
		/* What a part of it cost isn't written. */
		model_cost(r->m)->known &= r->first == 0 && r->end == r->intervals_nr;
		return 0;
	}
	int code = cursors_open(&p);
	if (!code)
		code = read_intervals(&p);
	if (!code)
		set_cost(&p);
	return code;
}
