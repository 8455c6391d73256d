/* SPDX-License-Identifier: BSD-2-Clause */
/* What a target is, in words: its executable, its process, and what this kernel is called. Into the model. */
#ifndef GALLOP_SESSION_DESCRIBE_H
#define GALLOP_SESSION_DESCRIBE_H

struct gobin;
struct model;
struct proc;

/* proc: NULL for a command that was gone before it could be looked at; then its file is at path. */
void describe_target(struct model *m, struct gobin *bin, const struct proc *proc, const char *path);

/* What it does now, if that is out of the ordinary. */
void describe_state(struct model *m, const struct proc *proc);

#endif
