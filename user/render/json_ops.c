/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations. Every member is always there; what is not known, or divided by no call, is null. */
#include "render/json.h"

static void put_stat(struct json_writer *w, const char *key, bool known,
		     const struct snapshot_op_stat *stat)
{
	if (!known) {
		json_null(w, key);
		return;
	}
	json_open_flat(w, key, '{');
	json_decimal(w, "mean", stat->mean);
	json_decimal_if(w, "mean_ci95", stat->mean_ci95 >= 0, stat->mean_ci95);
	json_number(w, "p50", stat->p50);
	json_number(w, "p90", stat->p90);
	json_number(w, "p99", stat->p99);
	json_number(w, "max", stat->max);
	json_close(w, '}');
}

static void put_site(struct json_writer *w, const struct snapshot_op *op,
		     const struct snapshot_op_site *site)
{
	json_open(w, NULL, '{');
	json_number(w, "objects", site->objects);
	json_number(w, "bytes", site->bytes);
	json_decimal_if(w, "objects_per_op", op->counts.begun, site->objects_per_op);
	json_decimal_if(w, "bytes_per_op", op->counts.begun, site->bytes_per_op);
	json_string(w, "type", site->type);
	json_put_stack(w, site->stack);
	json_close(w, '}');
}

static void put_op(struct json_writer *w, const struct model_ops_known *known,
		   const struct snapshot_op *op)
{
	const struct model_op_counts *c = &op->counts;

	json_open(w, NULL, '{');
	json_string(w, "func", op->func);
	json_string(w, "label", op->label);
	json_number_if(w, "calls", op->calls_known, op->calls);
	json_number(w, "measured", c->ended);
	json_number_if(w, "windows", known->sampled, op->windows);
	json_number(w, "cut", c->cut);
	json_number(w, "begun", c->begun);
	json_number(w, "open", op->open);
	json_number(w, "unmatched", op->unmatched);
	json_number(w, "panics", c->panics);
	json_number(w, "goexits", c->goexits);
	json_number(w, "began_before", c->began_before);
	put_stat(w, "allocs_per_op", known->allocs && c->ended, &op->stats[WIRE_OP_OBJECTS]);
	put_stat(w, "bytes_per_op", known->allocs && c->ended, &op->stats[WIRE_OP_BYTES]);
	put_stat(w, "ns_per_op", c->ended, &op->stats[WIRE_OP_NS]);
	json_number_if(w, "pause_ns", known->pauses, c->pause_ns);
	json_number_if(w, "assist_ns", known->assists, c->assist_ns);
	json_number_if(w, "objects", known->allocs, op->objects);
	json_number_if(w, "bytes", known->allocs, op->bytes);
	json_open(w, "sites", '[');
	for (size_t i = 0; i < op->sites_nr; i++)
		put_site(w, op, &op->sites[i]);
	json_close(w, ']');
	json_close(w, '}');
}

void json_put_ops(struct json_writer *w, const struct snapshot *s)
{
	if (!s->ops.ops_nr)
		return;
	json_open(w, "ops", '[');
	for (size_t i = 0; i < s->ops.ops_nr; i++)
		put_op(w, &s->ops.known, &s->ops.ops[i]);
	json_close(w, ']');
}
