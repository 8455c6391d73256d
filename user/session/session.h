/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One live session: a target, its probes, the stream into a model, and the clock.
 *
 * record and top differ only in what they do with the model at the end of each interval.
 */
#ifndef GALLOP_SESSION_SESSION_H
#define GALLOP_SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "probe/probe.h"

struct model;
struct plan_op_want;
struct session;

/* Estimates within a budget, or every event counted. */
enum session_mode { SESSION_AUTO, SESSION_EXACT };

struct session_opts {
	enum session_mode mode;
	double budget; /* of a sampled session: share of the target's CPU time; see govern/govern.h */
	unsigned views; /* PLAN_VIEW_*; 0: all */
	pid_t pid; /* attach to this process, or ... */
	const char *
		exe; /* to all that execute this file: in exact mode, PLAN_VIEW_ALLOC alone; or ... */
	char *const *argv; /* ... start this command; NULL-terminated */
	int child_output; /* where its output goes; 0: where ours does */
	enum probe_attach attach;
	uint32_t sites_max; /* 0: as probe_opts.sites_max */
	uint32_t depth; /* program counters per stack, 0: as many as there can be */
	bool by_goroutine;
	const struct plan_op_want *ops; /* borrowed until session_new() returns */
	size_t ops_nr;
	bool ops_only; /* of allocations, only those in operations have stacks */
	uint64_t duration_ns; /* 0: until the target ends or a signal comes */
	uint64_t interval_ns;
	bool heap; /* look at the live heap, in each interval in which a collection has ended */
	bool stretch; /* longer intervals where their end costs over 2 % of a CPU, up to 10 s */
};

enum { SESSION_END = 1, SESSION_AGAIN = 2 };

struct session_events {
	/* Everything is attached, nothing counts yet, a command is still held; may be NULL. */
	int (*on_attached)(struct session *s, void *ctx, struct err *err);
	/* Counting has begun; may be NULL. */
	int (*on_start)(struct session *s, void *ctx, struct err *err);
	/*
	 * An interval has ended; the model is up to date. Called a last time when the session ends.
	 * A positive return ends the session, a negative one fails it. But for SESSION_AGAIN: it could not be taken now,
	 * and isn't over, but called again with what follows as well. The last one can't be had again.
	 */
	int (*on_interval)(struct session *s, uint64_t from_mono_ns, uint64_t to_mono_ns, void *ctx,
			   struct err *err);
	/*
	 * What session_watch() watches can be read: there is at least one thing to take from it. Returns are on_interval's.
	 * May be NULL if nothing is watched.
	 */
	int (*on_input)(struct session *s, void *ctx, struct err *err);
	/* SIGUSR1; may be NULL. */
	int (*on_snapshot)(struct session *s, void *ctx, struct err *err);
	void *ctx;
};

/*
 * Find or start the target, read its executable, load and attach the probes. A command is held before its
 * first instruction. 0 or -errno with the explanation; the session is to be freed in both cases.
 */
int session_new(const struct session_opts *opts, struct session **ret, struct err *err);

/* Count until the end; returns once everything is detached and drained. */
int session_run(struct session *s, const struct session_events *events, struct err *err);
void session_free(struct session *s);

/* Wait for this descriptor beside all else, such as a terminal's; one at most, it stays the caller's. */
int session_watch(struct session *s, int fd, struct err *err);

/* How long intervals shall be from now on, also the current one. */
void session_set_interval(struct session *s, uint64_t ns);

/* What the end is to be called, for who ends it by a positive return; a string that stays. */
void session_name_end(struct session *s, const char *reason);

struct model *session_model(struct session *s);
pid_t session_pid(const struct session *s);

/*
 * For a command that was started: wait for its end and return its exit status. -1 for a process that
 * was attached to.
 */
int session_exit_status(struct session *s);

/* 126 or 127, as env(1), if session_new() or _run() failed because the command can't be executed; else -1. */
int session_exec_failure(const struct session *s);

#endif
