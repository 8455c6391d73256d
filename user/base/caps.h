/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capabilities (capabilities(7)): which gallop has, which is missing for a step, and giving up the others.
 *
 * What gallop needs, and until when:
 *
 *   CAP_BPF, CAP_PERFMON   to load programs and make tables, once; where the kernel wants them for it (features.h), also to
 *                          attach again and to read tables
 *   CAP_SYS_PTRACE         to look at a process that isn't ours, to its end: its memory, and whether it still is the same
 *                          program
 *   CAP_DAC_READ_SEARCH    to open its executable if that can't be read by everybody, once; on no other file, so that
 *                          who may use gallop can't read with it what he may not
 *   CAP_SYS_ADMIN          only for perf uprobes (kernels without uprobe_multi), and to see other tracers, once or by a
 *                          thread of its own (probe/others.c)
 *
 * Capabilities are a thread's: what is done here holds for the calling thread and those that it makes later.
 */
#ifndef GALLOP_BASE_CAPS_H
#define GALLOP_BASE_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/capability.h>

#include "base/err.h"

/* A set of capabilities: a bit for each. */
#define CAPS(cap) (UINT64_C(1) << (cap))

/* To load programs that trace. CAP_SYS_ADMIN stands for both, as in the kernel (include/linux/capability.h, bpf_capable). */
#define CAPS_LOAD (CAPS(CAP_BPF) | CAPS(CAP_PERFMON))

/*
 * To write files where root was told to and to give them to who called sudo. Of no use to others: they write what they may
 * write anyway.
 */
#define CAPS_FILES (CAPS(CAP_DAC_OVERRIDE) | CAPS(CAP_CHOWN) | CAPS(CAP_FOWNER))

/*
 * For the beginning of main(): a command that gallop starts inherits no capability that is gallop's own, and where it isn't
 * root that runs gallop, files are opened without them.
 */
void caps_begin(void);

/* Those that are there to be used, be they in effect or not. */
uint64_t caps_permitted(void);

/* Those of `needed` that aren't there. */
uint64_t caps_missing(uint64_t needed);

/* Make these effective, of those that are permitted, and no others; returns what was in effect before. */
uint64_t caps_set_effective(uint64_t set);

/* For _cleanup_(): what was in effect is so again. */
static inline void caps_restore(const uint64_t *before)
{
	caps_set_effective(*before);
}

/* Make these effective beside what is; returns what was before. */
uint64_t caps_raise(uint64_t set);

/*
 * Give up all others for good, also for whatever would be executed. 0, or -errno: then all is as before, or, if it was only the
 * latter that was refused, they are given up but would be had again by executing a file.
 */
int caps_keep(uint64_t set);

/* "CAP_BPF and CAP_PERFMON"; "none". */
struct caps_text {
	char s[160];
};
struct caps_text caps_text(uint64_t set);

/*
 * A step that needs these was refused: put into err, which has the message, which of them is missing, and as its hint what
 * to do. Where none is missing - as in a user namespace, which has its own - the hint says that.
 */
void caps_explain(struct err *err, uint64_t needed);

#endif
