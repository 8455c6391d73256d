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

/* "ops", if operations were measured. */
void json_put_ops(struct json_writer *w, const struct snapshot *s);

/* "gc" */
void json_put_gc(struct json_writer *w, const struct snapshot *s);

#endif
