/* SPDX-License-Identifier: BSD-2-Clause */
/* A difference for programs; user/doc/JSON.md describes it. Every member is always there, null if it is not known. */
#include <errno.h>

#include "base/cleanup.h"
#include "render/diff.h"
#include "render/formats.h"
#include "render/json.h"

static const char *const unit_names[] = {
	[DIFF_BYTES] = "bytes", [DIFF_COUNT] = "count", [DIFF_NS] = "ns"
};

static void put_value(struct json_writer *w, const struct diff_value *v)
{
	double percent = 100 * v->change / v->side[DIFF_BEFORE];

	json_decimal(w, "before", v->side[DIFF_BEFORE]);
	json_decimal(w, "after", v->side[DIFF_AFTER]);
	json_decimal(w, "change", v->change);
	json_decimal_if(w, "change_ci95", true, v->ci95);
	json_decimal_if(w, "percent", v->side[DIFF_BEFORE] > 0, percent);
}

static void put_totals(struct json_writer *w, const struct diff *d)
{
	json_open(w, "totals", '{');
	for (int m = 0; m < DIFF_MEASURES_NR; m++) {
		const struct diff_total *t = &d->total[m];
		json_open_flat(w, diff_measures[m].name, '{');
		json_string(w, "unit", unit_names[diff_measures[m].unit]);
		json_bool(w, "known", t->known);
		if (t->known)
			put_value(w, &t->v);
		else
			json_string(w, "why_not", t->why_not);
		json_close(w, '}');
	}
	json_close(w, '}');
}

static void put_stack_of(struct json_writer *w, const char *key, const struct diff_row *row,
			 int side)
{
	if (!row->stack[side]) {
		json_null(w, key);
		return;
	}
	json_open(w, key, '{');
	json_number(w, "places", row->places[side]);
	json_put_stack(w, row->stack[side]);
	json_close(w, '}');
}

static void put_row(struct json_writer *w, const struct diff *d, const struct diff_table *t,
		    const struct diff_row *row)
{
	json_open(w, NULL, '{');
	for (size_t k = 0; k < t->measures_nr; k++) {
		enum diff_measure m = t->first + (enum diff_measure)k;
		if (!d->total[m].known) {
			json_null(w, diff_measures[m].name);
			continue;
		}
		json_open_flat(w, diff_measures[m].name, '{');
		put_value(w, &row->v[k]);
		json_close(w, '}');
	}
	json_string(w, "type", row->type);
	if (row->stack[DIFF_BEFORE] || row->stack[DIFF_AFTER]) {
		put_stack_of(w, "before", row, DIFF_BEFORE);
		put_stack_of(w, "after", row, DIFF_AFTER);
	}
	json_close(w, '}');
}

/* By what was asked for, if the table has it. */
static int put_rows(struct json_writer *w, const struct diff *d, const struct diff_table *t,
		    enum diff_measure asked)
{
	bool has = asked >= t->first && asked < t->first + t->measures_nr;
	_cleanup_free_ const struct diff_row **rows = diff_order(t, has ? asked : t->first);

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < t->nr; i++)
		put_row(w, d, t, rows[i]);
	return 0;
}

static int put_tables(struct json_writer *w, const struct diff *d, enum diff_measure asked)
{
	static const char *const names[] = {
		[DIFF_SITES] = "sites",	    [DIFF_TYPES] = "types", [DIFF_HEAP] = "heap",
		[DIFF_ASSISTS] = "assists", [DIFF_STOPS] = "stops", [DIFF_MAPS] = "maps",
	};
	int rc = 0;

	for (int i = 0; !rc && i < DIFF_TABLES_NR; i++) {
		json_open(w, names[i], '[');
		rc = put_rows(w, d, &d->tables[i], asked);
		json_close(w, ']');
	}
	return rc;
}

/* Of a whole recording, as 'gallop report -f json' has them. */
static void put_side(struct json_writer *w, const char *key, const struct diff *d,
		     const struct diff_names *names, int side)
{
	const struct snapshot *s = d->s[side];

	json_open(w, key, '{');
	json_string(w, "file", names->file[side]);
	if (d->opts.per == DIFF_PER_OP)
		json_string(w, "op", d->opts.op[side]->func);
	json_decimal(w, "divisor", d->divisor[side]);
	json_decimal_if(w, "process_divisor", d->process_divisor[side] > 0,
			d->process_divisor[side]);
	json_bool(w, "complete", snapshot_is_complete(s));
	json_open(w, "meta", '{');
	json_put_meta(w, s);
	json_close(w, '}');
	json_open(w, "loss", '{');
	json_put_loss(w, s);
	json_close(w, '}');
	json_put_sampling(w, s);
	json_put_check(w, &s->check);
	json_close(w, '}');
}

int render_diff_json(FILE *out, const struct diff *d, const struct diff_names *names,
		     const struct render_opts *opts)
{
	static const char *const per[] = { "second", "op", "total" };
	struct json_writer w = { .out = out };

	json_open(&w, NULL, '{');
	json_string(&w, "schema", "gallop/1");
	json_open(&w, "diff", '{');
	json_string(&w, "per", per[d->opts.per]);
	if (names->op)
		json_string(&w, "op", names->op);
	json_bool(&w, "same_build", d->same_build);
	put_side(&w, "before", d, names, DIFF_BEFORE);
	put_side(&w, "after", d, names, DIFF_AFTER);
	put_totals(&w, d);
	int rc = put_tables(&w, d, diff_measure_of(opts->value));
	json_close(&w, '}');
	json_close(&w, '}');
	return rc ? rc : render_end(out);
}
