/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations, from what the kernel adds up to the model. */
#ifndef GALLOP_STREAM_OPS_H
#define GALLOP_STREAM_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"

struct govern_window;
struct model;
struct op_stream;
struct plan;
struct probe;

/* All borrowed. The model gets the plan's operations, in their order. 0 or -ENOMEM. */
int op_stream_new(struct probe *probe, const struct plan *plan, struct model *model,
		  struct op_stream **ret);
void op_stream_free(struct op_stream *s);

/* Bring the model up to date; `last`: nothing is added any more. With windows: by those that were taken so far. */
void op_stream_take(struct op_stream *s, bool last);

/* Take a window that is over, before the next but one opens. 0 or -ENOMEM. */
int op_stream_window(struct op_stream *s, const struct govern_window *window);

/* For how long since the beginning calls (of each operation) were not counted, and assists and stops of the world not seen, to keep a budget. */
struct op_stream_off {
	uint64_t calls_ns[WIRE_OPS_MAX];
	uint64_t assists_ns, stops_ns;
};
void op_stream_set_off(struct op_stream *s, const struct op_stream_off *off);

#endif
