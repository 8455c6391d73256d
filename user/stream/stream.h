/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From what the kernel counts to the model: read, check, take the difference, hand on.
 *
 * The kernel's counters only grow and are never cleared, so a drain at any moment loses nothing: each site
 * adds what it has grown by since the last one. A stack is sent once, before its site first counts;
 * a site whose stack hasn't come yet waits for it.
 */
#ifndef GALLOP_STREAM_STREAM_H
#define GALLOP_STREAM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct gc_stream;
struct govern_window;
struct gomap_reader;
struct model;
struct plan;
struct probe;
struct stream;
struct symbolizer;
struct wire_mark;
struct wire_totals;

struct stream_opts {
	struct probe *probe; /* borrowed, all three */
	struct symbolizer *symbolizer;
	struct model *model;
	bool maps; /* what happens to maps is counted */
	const struct plan *plan; /* borrowed: its operations, if it has any; or NULL */
	bool sampled; /* hits are samples: see samples.h. Of windows of operations they are not */
	/* Called for each world-stopped count, after its record was checked; may be NULL. */
	void (*on_mark)(const struct wire_mark *mark, void *ctx);
	/* The same of what the runtime had allocated when the target ended. */
	void (*on_totals)(const struct wire_totals *totals, void *ctx);
	void *on_mark_ctx;
};

int stream_new(const struct stream_opts *opts, struct stream **ret, struct err *err);
void stream_free(struct stream *s);

/* Take the events that wait in the ring: stacks and marks. 0 or -errno. */
int stream_events(struct stream *s, struct err *err);

/*
 * Bring the model up to date at now_ns: sites, events, maps, totals and losses. At the end of a session, with the
 * probes detached, `last` counts under "[stack lost]" what waits for a stack that will not come.
 */
int stream_drain(struct stream *s, bool last, uint64_t now_ns, struct err *err);

/* Of a sampled session: runtime.MemProfileRate as it is now; and a window whose samples were all taken. 0 or -errno. */
void stream_set_profile_rate(struct stream *s, uint64_t mem_profile_rate);
int stream_window(struct stream *s, struct govern_window *window);

/* Of windows of operations: see op_stream_set_off(). */
struct op_stream_off;
void stream_set_ops_off(struct stream *s, const struct op_stream_off *off);

/* Where the process's maps are read, once that is known; borrowed. */
void stream_set_map_reader(struct stream *s, const struct gomap_reader *reader);

/*
 * MemStats.NumGC when counting began. The cycle with that number may end only now, and be seen; sums that
 * are held against the runtime's begin with the next, or, where the end of a stop that was under way then can't
 * be told (Go <= 1.21), perhaps one later.
 */
void stream_gc_begin(struct stream *s, uint32_t numgc, bool may_miss_one);

/* The stops and cycles so far. */
const struct gc_stream *stream_gc(const struct stream *s);

/* Load bias that the first event told, for a target that ended before its maps could be read. */
bool stream_load_bias(const struct stream *s, uint64_t *ret);

#endif
