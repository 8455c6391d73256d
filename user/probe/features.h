/* SPDX-License-Identifier: BSD-2-Clause */
/* What this kernel can do, found out by trying: distributions backport, so versions say nothing. */
#ifndef GALLOP_PROBE_FEATURES_H
#define GALLOP_PROBE_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "probe/probe.h"

struct features {
	bool bpf; /* a program of kprobe type can be loaded */
	bool ringbuf; /* BPF ring buffer, since 5.8 */
	bool cookie; /* bpf_get_attach_cookie in uprobe programs, since 5.15 */
	bool loop; /* bpf_loop, since 5.17: world-stopped counts */
	bool multi; /* uprobe_multi links, since 6.6 */
	bool multi_pid; /* their pid filter sees all threads, since 6.10 and stable kernels */
	bool perf_uprobe; /* the perf uprobe PMU */
	bool free_links; /* with a program that is loaded, uprobe_multi links take no capability */
	bool free_tables; /* nor does reading tables that are there, since 5.19 */
	int bpf_errno; /* why bpf is false */
};

/*
 * Try everything; takes a few milliseconds. Without the capability to load programs, bpf is
 * false and bpf_errno is EPERM; where too few files may be open, EMFILE.
 */
void features_detect(struct features *ret);

/* Is what nothing works without there? 0; -EPERM or -ENOTSUP, with what is missing and what to do about it. */
int features_check(const struct features *f, struct err *err);

/*
 * How to attach: as wanted, or the better that is sound. uprobe_multi links that would see one thread only never are. 0;
 * -ENOTSUP, with the reason, if what is wanted isn't there.
 */
int features_choose(const struct features *f, enum probe_attach wanted, enum probe_attach *ret,
		    struct err *err);

/*
 * What of our capabilities (base/caps.h) the probes still need once they are attached in this way. switches: some are
 * detached and attached again as it goes.
 */
uint64_t features_caps_kept(const struct features *f, enum probe_attach attach, bool switches);

#endif
