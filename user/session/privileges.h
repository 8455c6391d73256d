/* SPDX-License-Identifier: BSD-2-Clause */
/* What a session gives up once it is attached. */
#ifndef GALLOP_SESSION_PRIVILEGES_H
#define GALLOP_SESSION_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct probe;
struct proc;

/*
 * Those that it takes to look into the target to its end. NULL: a command that was started and has executed nothing yet; also
 * to pass a signal on to it, which may have become another user's.
 */
uint64_t privileges_to_look(const struct proc *target);

/*
 * The capabilities that stay, as far as they are there: what the probes still need (probe_caps_kept(), 0 without probes); to
 * look into the target; root's to write files.
 */
uint64_t privileges_kept(uint64_t by_probes, bool switches, uint64_t to_look);

/* What the one thread keeps that looks for other tracers, where there is one (probe_keep_looking()): of what is there. */
uint64_t privileges_of_looker(uint64_t by_probes, bool switches);

/*
 * Give up all others. To be called by the only thread there is, when the target's executable has been read and the probes are
 * attached, and before anything is made of what the target says. probe: NULL for a session without one. switches: see
 * probe_caps_kept(). target: see privileges_to_look(). -errno if the kernel keeps us from it.
 */
int privileges_drop(struct probe *probe, bool switches, const struct proc *target, struct err *err);

#endif
