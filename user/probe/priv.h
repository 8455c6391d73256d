/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of probe/ share. */
#ifndef GALLOP_PROBE_PRIV_H
#define GALLOP_PROBE_PRIV_H

#include "probe/ops.h"
#include "probe/probe.h"

struct bpf_link;
struct gallop_bpf; /* gallop.skel.h */
struct probe_looker;
struct ring_buffer;

struct probe_links {
	struct bpf_link **links; /* room for one for each place */
	size_t nr, cap;
};

struct probe {
	struct gallop_bpf *skel;
	struct probe_links groups[WIRE_GROUP_NR];
	struct bpf_link *on_exec, *own;
	uint32_t prog_ids[PLAN_PROG_NR + 2]; /* of the programs that are loaded */
	size_t prog_ids_nr;
	int exe_fd; /* borrowed; -1: not attached yet */
	pid_t pid;
	const struct plan *plan; /* borrowed */
	enum probe_attach attach;
	uint64_t caps_kept[2]; /* for probe_caps_kept(): not switching, and switching */
	size_t others_nr; /* other tracers' places when it was attached */
	struct probe_looker *looker; /* for them; NULL: any thread may look, or none */
	const struct wire_cpu *cpus; /* mapped */
	size_t cpus_nr, cpus_sz; /* of cpus */
	size_t values_nr; /* of each key of a per-CPU map */
	struct wire_process *processes; /* mapped; NULL: it is one process */
	struct probe_ops ops;
	struct ring_buffer *ring;
	struct ring_buffer *wakeups, *alarms; /* NULL: it isn't a sampled session */
	int (*on_event)(const void *data, size_t size, void *ctx);
	void *on_event_ctx;
	char *keys; /* BATCH keys, and their values for each CPU: reused */
	char *values;
};

/* Which BPF program a plan's program is. */
struct bpf_program *probe_program(const struct probe *p, enum plan_prog prog);
size_t probe_count(const struct plan *plan, enum plan_prog prog);

/* Room for the links of every group. 0 or -ENOMEM; links_close() in any case. */
int links_open(struct probe *p);
void links_close(struct probe *p);

/* Map the totals, open the ring, and make the buffers that reading needs. 0 or -errno; close in any case. */
int readers_open(struct probe *p, struct err *err);
void readers_close(struct probe *p);

/* After probe_keep_looking() or without. */
void others_close(struct probe *p);

#endif
