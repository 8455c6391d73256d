/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What gallop knows of one target, whether it is live or comes from a recording.
 *
 * The one model that everything is drawn from: interned functions, frames, stacks and types, the
 * allocation sites that count them, what was lost, and how the counts compare with the runtime's
 * own. A live session and a recording feed it through the same calls; a renderer never sees it,
 * but an immutable struct snapshot made from it, so that no two outputs can disagree.
 *
 * Ids are dense, start at 0 and are never reused. A site counts from the start of the model; the
 * current interval is what was added since model_next_interval().
 */
#ifndef GALLOP_MODEL_MODEL_H
#define GALLOP_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct model;

enum {
	MODEL_DEPTH_MAX = 512, /* frames of a stack, inlined ones included */
	MODEL_NOTES_MAX = 16,
	MODEL_PIDS_MAX = 1024,
	/* Size classes are Go's own numbers, and one more for tiny objects, which share blocks. */
	MODEL_CLASS_LARGE = 0,
	MODEL_CLASS_TINY = 68,
	MODEL_CLASS_NR = 69,
};

/* About the target and the session. Strings are copied in and out; none is NULL. */
struct model_meta {
	char gallop_version[32];
	char exe[512]; /* path as the target saw it */
	char comm[32];
	char cmdline[1024];
	char go_version[64];
	char module[256];
	char build_id[128];
	char kernel[128];
	char mode[16]; /* "exact", "sampled" */
	char attach[16]; /* "uprobe_multi", "perf" */
	int32_t pid;
	/* Of all processes of one file: each that was counted, pid is the first. Else there are none here. */
	int32_t pids[MODEL_PIDS_MAX];
	size_t pids_nr;
	uint64_t load_bias;
	uint64_t start_unix_ns; /* CLOCK_REALTIME when counting began */
	uint64_t start_mono_ns; /* CLOCK_MONOTONIC then: all other times are on it */
	uint64_t end_mono_ns; /* when counting ended, or the last interval so far */
	char end_reason[64]; /* "duration", "signal", ...; "" while it runs */
	char notes[MODEL_NOTES_MAX][160]; /* what can't be shown of this target, and why */
	size_t notes_nr;
};

/* A frame as callers give it. */
struct model_frame {
	const char *func, *file; /* borrowed */
	uint32_t line;
	bool inlined; /* inlined into the next frame */
	uint64_t
		pc; /* raw address, the load bias taken off; inlined frames have the same. 0: not known */
};

/*
 * gallop's count held against the runtime's own for one span of time. Where the target ran on
 * while the two were read, gallop's own count moved by `slack` during the reading: the two can't be
 * compared more finely than that.
 */
struct model_check {
	bool known;
	char why_not[160]; /* when not known */
	uint64_t from_mono_ns, to_mono_ns;
	uint64_t runtime_objects, gallop_objects;
	uint64_t slack;
};

/* A moment when the world was stopped, both counts read at once: they must be equal. */
struct model_mark {
	uint64_t mono_ns;
	char reason[24]; /* "ReadMemStats", "exit" */
	uint64_t runtime_objects; /* since the target began */
	uint64_t gallop_objects; /* since counting began */
	uint64_t gallop_bytes;
};

int model_new(struct model **ret);
void model_free(struct model *m);

struct model_meta *model_meta(struct model *m); /* for the owner to fill */
struct model_check *model_check(struct model *m);

/* The same text again, or one more than there is room for, is left out. */
void model_add_note(struct model *m, const char *text);

/*
 * Intern. frames are leaf first, n <= MODEL_DEPTH_MAX; cut says that the root is missing (deeper
 * than could be walked). Return the id, or -ENOMEM / -E2BIG.
 */
int64_t model_stack(struct model *m, const struct model_frame *frames, size_t n, bool cut);
int64_t model_type(struct model *m, const char *name);

/*
 * The site of (stack, type, size class, goroutine, operations); goid 0: not told apart; bit i of ops: in an
 * operation with that id, see model/ops.h. The id or -errno.
 */
int64_t model_site(struct model *m, uint32_t stack, uint32_t type, uint32_t size_class,
		   uint64_t goid, uint32_t ops);
void model_site_add(struct model *m, uint32_t site, uint64_t objects, uint64_t bytes);

/*
 * Objects and bytes of all sites and of what no site could take: the total that is compared. Of a session that samples it
 * is ignored: see samples.h.
 */
void model_set_totals(struct model *m, uint64_t objects, uint64_t bytes);

/*
 * What was lost, by cause: a stable key ("site_table_full"), what it means in words, and how many.
 * "objects" causes are objects that are in the totals but in no site, or counted nowhere.
 */
int model_set_loss(struct model *m, const char *key, const char *what, uint64_t count);

int model_add_mark(struct model *m, const struct model_mark *mark);

/* Begin a new interval at this time. */
void model_next_interval(struct model *m, uint64_t mono_ns);

#endif
