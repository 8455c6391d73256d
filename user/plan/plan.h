/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which probes a binary gets, and what the BPF programs must know of it.
 *
 * Pure: from an executable and what is wanted to a list of places and a configuration, touching neither a
 * process nor the kernel. So a plan can be printed (--dry-run) and tested without root.
 */
#ifndef GALLOP_PLAN_PLAN_H
#define GALLOP_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "bpf/wire.h"

struct gobin;

/* The BPF program that a probe runs. */
enum plan_prog {
	PLAN_PROG_MALLOC, /* on_malloc */
	PLAN_PROG_MARK, /* on_mark */
	PLAN_PROG_GC, /* on_gc */
	PLAN_PROG_ASSIST, /* on_assist */
	PLAN_PROG_MAP, /* on_map */
	PLAN_PROG_MAP_GROWTH, /* on_map_growth */
	PLAN_PROG_MAP_LOOK, /* on_map_look */
	PLAN_PROG_MAP_EXIT, /* on_map_exit */
	/*
	 * on_op. Attached after on_malloc, which it may share a place with (-f runtime.mallocgc): the kernel runs
	 * what was attached last first, so the operation has begun when the object is counted.
	 */
	PLAN_PROG_OP,
	PLAN_PROG_OP_UNWIND, /* on_op_unwind */
	/* Of sampled sessions: */
	PLAN_PROG_WINDOW, /* on_window */
	PLAN_PROG_REFILL, /* on_refill */
	PLAN_PROG_PROFILE, /* on_profile */
	PLAN_PROG_OP_CALL, /* on_op_call */
	PLAN_PROG_NR,
};

struct plan_probe {
	enum plan_prog prog;
	enum wire_group
		group; /* attached together; WIRE_GROUP_ALWAYS in a session that isn't sampled */
	uint64_t va; /* of the probed instruction */
	uint64_t file_off; /* the same place in the file: what the kernel wants */
	uint64_t cookie; /* WIRE_COOKIE */
	char func[128]; /* pclntab name */
	const char *insn; /* as struct place has it */
	const char *why; /* what it is for, for --dry-run */
};

/* A function whose calls are operations; its place in the plan is the number in cookies and in sites. */
struct plan_op {
	char name[512]; /* pclntab name */
	char label[64]; /* what the user calls it, or "" */
	/* Where it is inlined too, so that its calls aren't seen: so many functions, and the first of them. */
	uint32_t inlined_nr;
	char inlined_in[512];
};

enum { PLAN_PROBES_MAX = 1024, PLAN_NOTES_MAX = 16 };

struct plan {
	uint16_t machine; /* EM_X86_64, EM_AARCH64: whose kernel can attach it */
	struct plan_probe probes[PLAN_PROBES_MAX];
	size_t probes_nr;
	struct plan_op ops[WIRE_OPS_MAX];
	size_t ops_nr;
	bool maps; /* what happens to maps is looked at */
	struct wire_cfg cfg; /* all but what only the session knows: hash_seed, cpus */
	char notes[PLAN_NOTES_MAX][160]; /* what this binary doesn't allow, and what that costs */
	size_t notes_nr;
};

/* What is wanted: garbage collection alone costs next to nothing. */
enum plan_view {
	PLAN_VIEW_ALLOC = 1 << 0,
	PLAN_VIEW_GC = 1 << 1,
	PLAN_VIEW_MAPS = 1 << 2,
	PLAN_VIEW_ALL = PLAN_VIEW_ALLOC | PLAN_VIEW_GC | PLAN_VIEW_MAPS,
};

/*
 * A function's name in full (pclntab's); a generic one without its type arguments, or with "[...]", for all its
 * instantiations; a glob of '*' and '?' of full names, for all that match: a '*' behind a '(' is none, but a
 * receiver's; or the end of a name from a '.' or a '/' on, if only one function ends with that.
 */
struct plan_op_want {
	const char *pattern;
	const char *label; /* NULL: none. Of a pattern for several functions: not allowed */
};

struct plan_opts {
	unsigned views; /* PLAN_VIEW_*; 0 = all */
	bool by_goroutine; /* tell goroutines apart */
	bool many; /* all processes of the file are one target: allocations only, each counted */
	uint32_t depth; /* program counters per stack; 0 = WIRE_DEPTH_MAX */
	/* Functions whose calls are operations. */
	const struct plan_op_want *ops;
	size_t ops_nr; /* 0: none */
	bool ops_only; /* allocations outside of operations are counted, but have no stacks */
	/*
	 * Not every allocation is looked at, nor every assignment to a map: they are probed in windows, and only what
	 * is rare always. Of operations that are all that is looked at (ops_only): whole ones in windows, and always how
	 * many calls there are. Not with others.
	 */
	bool sampled;
	/*
	 * The process's runtime can take samples of its own (mprof_is_linked()): while its MemProfileRate is above 0 those
	 * tell of allocations, and windows are for maps only. If they can't be probed (plan_has(PLAN_PROG_PROFILE)), by
	 * windows all the time.
	 */
	bool profiled;
};

/*
 * 0; -ENOTSUP with the reason if exact counting isn't possible on this binary: an
 * allocator entry that can't be probed (then no number would be right, so none is given). -ENOENT for an operation
 * that is no function here, or is inlined everywhere; -EINVAL for one that can't be measured or could be
 * several: the message says which and why. Free with plan_free().
 */
int plan_new(struct gobin *bin, const struct plan_opts *opts, struct plan **ret, struct err *err);
void plan_free(struct plan *plan);

/* Does it run this program anywhere? Has it probes of this group? */
bool plan_has(const struct plan *plan, enum plan_prog prog);
bool plan_has_group(const struct plan *plan, enum wire_group group);

const char *plan_group_name(enum wire_group group);

void plan_print(const struct plan *plan, struct gobin *bin, FILE *out);

#endif
