/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations, from what the kernel adds up to the model. */
#ifndef GALLOP_STREAM_OPS_H
#define GALLOP_STREAM_OPS_H

#include <stdbool.h>
#include <stdint.h>

struct model;
struct op_stream;
struct plan;
struct probe;

/* All borrowed. The model gets the plan's operations, in their order. 0 or -ENOMEM. */
int op_stream_new(struct probe *probe, const struct plan *plan, struct model *model,
		  struct op_stream **ret);
void op_stream_free(struct op_stream *s);

/* Bring the model up to date; `last`: nothing is added any more. */
void op_stream_take(struct op_stream *s, bool last);

#endif
