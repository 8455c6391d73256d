/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of probe/ share. */
#ifndef GALLOP_PROBE_PRIV_H
#define GALLOP_PROBE_PRIV_H

#include "probe/ops.h"
#include "probe/probe.h"

struct bpf_link;
struct gallop_bpf; /* gallop.skel.h */
struct ring_buffer;

struct probe {
	struct gallop_bpf *skel;
	struct bpf_link *links[PLAN_PROBES_MAX + 1];
	size_t links_nr;
	const struct plan *plan; /* borrowed */
	enum probe_attach attach;
	const struct wire_cpu *cpus; /* mapped */
	size_t cpus_nr, cpus_sz; /* of cpus */
	size_t values_nr; /* of each key of a per-CPU map */
	struct probe_ops ops;
	struct ring_buffer *ring;
	int (*on_event)(const void *data, size_t size, void *ctx);
	void *on_event_ctx;
	char *keys; /* BATCH keys, and their values for each CPU: reused */
	char *values;
};

/* Map the totals, open the ring, and make the buffers that reading needs. 0 or -errno; close in any case. */
int readers_open(struct probe *p, struct err *err);
void readers_close(struct probe *p);

#endif
