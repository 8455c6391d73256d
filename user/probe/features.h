/* SPDX-License-Identifier: BSD-2-Clause */
/* What this kernel can do, found out by trying: distributions backport, so versions say nothing. */
#ifndef GALLOP_PROBE_FEATURES_H
#define GALLOP_PROBE_FEATURES_H

#include <stdbool.h>

#include "base/err.h"

struct features {
	bool bpf; /* a program of kprobe type can be loaded */
	bool ringbuf; /* BPF ring buffer, since 5.8 */
	bool cookie; /* bpf_get_attach_cookie in uprobe programs, since 5.15 */
	bool loop; /* bpf_loop, since 5.17: world-stopped counts */
	bool multi; /* uprobe_multi links, since 6.6 */
	bool multi_pid; /* their pid filter sees all threads, since 6.10 and stable kernels */
	bool perf_uprobe; /* the perf uprobe PMU */
	int bpf_errno; /* why bpf is false */
};

/*
 * Try everything; takes a few milliseconds. Without the capability to load programs, bpf is
 * false and bpf_errno is EPERM.
 */
void features_detect(struct features *ret);

#endif
