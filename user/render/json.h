/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts that the outputs in JSON are made of; user/doc/JSON.md describes them. */
#ifndef GALLOP_RENDER_JSON_H
#define GALLOP_RENDER_JSON_H

#include "model/snapshot.h"
#include "render/json_writer.h"

/* Members of an object that the caller has opened for them. */
void json_put_meta(struct json_writer *w, const struct snapshot *s);
void json_put_loss(struct json_writer *w, const struct snapshot *s);
void json_put_cycle(struct json_writer *w, const struct snapshot_cycle *c);
void json_put_stop(struct json_writer *w, const struct snapshot_stop *stop);
void json_put_gc_summary(struct json_writer *w, const struct snapshot *s);
void json_put_maps(struct json_writer *w, const struct snapshot *s);

/* "stack", of no frames if it is NULL, and "truncated" if it is. */
void json_put_stack(struct json_writer *w, const struct snapshot_stack *stack);

/* "objects_ci95" and "bytes_ci95", null where they can't be told. */
void json_put_ci95(struct json_writer *w, struct snapshot_ci95 ci95);

/* A site's: what only windows of operations saw says nothing of how much there was. */
struct snapshot_ci95 json_ci95_of(const struct snapshot *s, struct snapshot_ci95 ci95);

/* "sampling" and "cost", null of a session that doesn't sample, and where the cost is not known. */
void json_put_sampling(struct json_writer *w, const struct snapshot *s);
void json_put_cost(struct json_writer *w, const struct snapshot *s);
void json_put_cost_members(struct json_writer *w, const struct model_cost *c);

/* "ops", if operations were measured. */
void json_put_ops(struct json_writer *w, const struct snapshot *s);

/* "heap", if it was to be looked at. */
void json_put_heap(struct json_writer *w, const struct snapshot *s);

/* "check" */
void json_put_check(struct json_writer *w, const struct model_check *c);

/* "gc" */
void json_put_gc(struct json_writer *w, const struct snapshot *s);

#endif
