/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All processes of one file, as one target (bpf/processes.bpf.h): who they are, and what the runtime of each has counted.
 *
 * Those that run when it begins are looked for; whoever executes the file later is met at its first allocation. The
 * kernel counts for each by itself, so that each can be held against its own runtime, and the sum of these against
 * the sum of those.
 */
#ifndef GALLOP_SESSION_PROCESSES_H
#define GALLOP_SESSION_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct gobin;
struct model;
struct model_check;
struct probe;
struct proc;
struct processes;
struct wire_mark;

enum { PROCESSES_BEGIN_MAX = 256 }; /* that may be there when it begins */

/*
 * Find those that execute the file at path now, by its device and inode, and read it. -ENOENT and such for the path;
 * -ESRCH if there are none, -EACCES if that can't be told, -E2BIG if there are too many, -EINVAL if it isn't Go's.
 */
int processes_open(const char *path, struct processes **ret, struct gobin **bin_ret,
		   struct err *err);
void processes_free(struct processes *ps);

/*
 * The first of them, to tell what they are, and what it takes to look into them: with the capabilities of all that were
 * there. Borrowed, there until processes_free().
 */
const struct proc *processes_first(const struct processes *ps);

/* Before the gate opens: where each has its counters. 0, -ESRCH if all have ended meanwhile. */
int processes_locate(struct processes *ps, struct probe *probe, struct err *err);

/* After it has opened: what each runtime has counted; and the model is told what isn't counted. */
void processes_begin(struct processes *ps, const struct probe *probe, struct model *m);

/* At every tick: who has come, and who has gone? False if nobody is left. */
bool processes_look(struct processes *ps, const struct probe *probe);

/* What each runtime has counted by now; at the end of all of them, before that of no more than some. */
void processes_read(struct processes *ps, const struct probe *probe, bool last);

/* The last word of one of them. */
void processes_take_exit(struct processes *ps, const struct probe *probe,
			 const struct wire_mark *mark);

/*
 * What they sum up to, and who they are. The check is known if it is of nearly all that was counted. last: and what
 * became of them, which is told once.
 */
void processes_to_model(const struct processes *ps, const struct probe *probe, struct model *m,
			bool last);

#endif
