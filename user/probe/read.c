/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs count and send, read while they go on. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "plan/plan.h"
#include "probe/priv.h"

#include "gallop.skel.h" /* needs bpf/wire.h */

enum { BATCH = 1024 }; /* sites read by one system call */

static int on_ring_record(void *ctx, void *data, size_t size)
{
	struct probe *p = ctx;

	return p->on_event(data, size, p->on_event_ctx);
}

/* Bytes of p->values: a batch of sites, and of what is larger so many less. */
static size_t values_cap(const struct probe *p)
{
	return BATCH * p->values_nr * sizeof(struct wire_site);
}

static int on_wakeup(void *ctx, void *data, size_t size)
{
	(void)ctx, (void)data, (void)size;
	return 0;
}

static int open_wakeups(struct probe *p, struct err *err)
{
	p->wakeups = ring_buffer__new(bpf_map__fd(p->skel->maps.wakeups), on_wakeup, NULL, NULL);
	p->alarms = ring_buffer__new(bpf_map__fd(p->skel->maps.alarms), on_wakeup, NULL, NULL);
	return p->wakeups && p->alarms ? 0
				       : err_set(err, -errno, "cannot open the BPF ring buffer: %s",
						 strerror(errno));
}

int probe_wakeup_fd(const struct probe *p)
{
	return p->wakeups ? ring_buffer__epoll_fd(p->wakeups) : -1;
}

void probe_set_alarm(struct probe *p, uint32_t hits)
{
	if (p->alarms)
		ring_buffer__consume(p->alarms);
	__atomic_store_n(&p->skel->bss->ration_left, (int64_t)hits, __ATOMIC_SEQ_CST);
}

int probe_alarm_fd(const struct probe *p)
{
	return p->alarms ? ring_buffer__epoll_fd(p->alarms) : -1;
}

void probe_drain_wakeups(struct probe *p)
{
	if (p->wakeups)
		ring_buffer__consume(p->wakeups);
}

static const size_t processes_sz = WIRE_PROCESSES_MAX * sizeof(struct wire_process);

static int open_processes(struct probe *p, struct err *err)
{
	void *processes = mmap(NULL, processes_sz, PROT_READ | PROT_WRITE, MAP_SHARED,
			       bpf_map__fd(p->skel->maps.processes), 0);

	if (processes == MAP_FAILED)
		return err_set(err, -errno, "cannot map the BPF counters: %s", strerror(errno));
	p->processes = processes;
	return 0;
}

int probe_add_process(struct probe *p, pid_t pid, uint64_t load_bias, uint32_t *ret)
{
	uint32_t at = p->skel->bss->processes_nr, key = (uint32_t)pid;

	if (at >= WIRE_PROCESSES_MAX)
		return -E2BIG;
	p->processes[at].load_bias = load_bias;
	p->processes[at].pid = key;
	p->skel->bss->processes_nr = at + 1;
	*ret = at;
	return bpf_map_update_elem(bpf_map__fd(p->skel->maps.lives), &key, &at, BPF_NOEXIST)
		       ? -errno
		       : 0;
}

uint32_t probe_processes_nr(const struct probe *p)
{
	uint32_t nr = __atomic_load_n(&p->skel->bss->processes_nr, __ATOMIC_SEQ_CST);

	return nr < WIRE_PROCESSES_MAX ? nr : WIRE_PROCESSES_MAX;
}

void probe_process(const struct probe *p, uint32_t at, struct wire_process *ret)
{
	const volatile struct wire_process *from = &p->processes[at];

	ret->pid = from->pid;
	ret->from_zero = from->from_zero;
	ret->executed = from->executed;
	ret->begin_ns = from->begin_ns;
	ret->load_bias = from->load_bias;
	ret->objects = from->objects;
	ret->bytes = from->bytes;
}

/* Map the per-CPU totals and make the buffers that reading needs. */
int readers_open(struct probe *p, struct err *err)
{
	int rc;

	p->cpus_sz = p->cpus_nr * sizeof(struct wire_cpu);
	void *cpus = mmap(NULL, p->cpus_sz, PROT_READ, MAP_SHARED,
			  bpf_map__fd(p->skel->maps.cpu_stats), 0);
	if (cpus == MAP_FAILED)
		return err_set(err, -errno, "cannot map the BPF counters: %s", strerror(errno));
	p->cpus = cpus;
	p->ring = ring_buffer__new(bpf_map__fd(p->skel->maps.events), on_ring_record, p, NULL);
	if (!p->ring)
		return err_set(err, -errno, "cannot open the BPF ring buffer: %s", strerror(errno));
	rc = p->plan->cfg.sampled ? open_wakeups(p, err) : 0;
	rc = !rc && p->plan->cfg.many ? open_processes(p, err) : rc;
	if (rc)
		return rc;
	rc = p->plan->ops_nr ? probe_ops_open(&p->ops, (uint32_t)p->plan->ops_nr,
					      bpf_map__fd(p->skel->maps.ops),
					      bpf_map__fd(p->skel->maps.op_hist))
			     : 0;
	if (rc)
		return err_set(err, rc, "cannot map the BPF counters: %s", strerror(-rc));
	p->keys = calloc(BATCH, sizeof(struct wire_site_key));
	p->values = calloc(1, values_cap(p));
	if (!p->keys || !p->values)
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

void readers_close(struct probe *p)
{
	ring_buffer__free(p->ring);
	ring_buffer__free(p->wakeups);
	ring_buffer__free(p->alarms);
	probe_ops_close(&p->ops);
	if (p->cpus)
		munmap((void *)p->cpus, p->cpus_sz);
	if (p->processes)
		munmap(p->processes, processes_sz);
	free(p->keys);
	free(p->values);
}

void probe_totals(const struct probe *p, struct wire_cpu *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < p->cpus_nr; i++) {
		const volatile struct wire_cpu *cpu = &p->cpus[i];

		ret->objects += cpu->objects;
		ret->bytes += cpu->bytes;
		ret->hits += cpu->hits;
		ret->not_entered += cpu->not_entered;
		ret->slot_contended += cpu->slot_contended;
		ret->siteless_bytes += cpu->siteless_bytes;
		for (int j = 0; j < WIRE_LOSS_NR; j++)
			ret->losses[j] += cpu->losses[j];
		for (int j = 0; j < WIRE_GROUP_NR; j++)
			ret->group_hits[j] += cpu->group_hits[j];
	}
}

/* One element of a per-CPU table: the key, and its values one CPU after the other. */
typedef int element_fn(const struct probe *p, const void *key, const void *values, void *ctx);

/* Read a table while it is being written to: what is in it stays, so every element is met once. */
static int each_element(struct probe *p, struct bpf_map *map, element_fn *fn, void *ctx)
{
	size_t key_sz = bpf_map__key_size(map);
	size_t values_nr = bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_HASH ? p->values_nr : 1;
	size_t values_sz = bpf_map__value_size(map) * values_nr;
	uint32_t batch = (uint32_t)(values_cap(p) / values_sz);
	uint32_t cursor = 0;
	bool first = true;

	/* A table that no program uses wasn't made. */
	if (!bpf_map__autocreate(map))
		return 0;
	for (;;) {
		uint32_t nr = batch < BATCH ? batch : BATCH;
		int rc = bpf_map_lookup_batch(bpf_map__fd(map), first ? NULL : &cursor, &cursor,
					      p->keys, p->values, &nr, NULL);

		if (rc && rc != -ENOENT)
			return rc;
		for (uint32_t i = 0; i < nr; i++) {
			int err = fn(p, p->keys + i * key_sz, p->values + i * values_sz, ctx);

			if (err < 0)
				return err;
		}
		if (rc == -ENOENT)
			return 0;
		first = false;
	}
}

struct each_site {
	int (*fn)(const struct wire_site_key *key, const struct wire_site *site, void *ctx);
	void *ctx;
};

static int sum_site(const struct probe *p, const void *key, const void *values, void *ctx)
{
	const struct each_site *each = ctx;
	const struct wire_site *cpus = values;
	struct wire_site sum = { 0 };

	for (size_t i = 0; i < p->values_nr; i++) {
		sum.objects += cpus[i].objects;
		sum.bytes += cpus[i].bytes;
	}
	return each->fn(key, &sum, each->ctx);
}

int probe_each_site(struct probe *p,
		    int (*fn)(const struct wire_site_key *key, const struct wire_site *site,
			      void *ctx),
		    void *ctx)
{
	struct each_site each = { fn, ctx };

	return each_element(p, p->skel->maps.sites, sum_site, &each);
}

/*
 * A program that still adds to the half that is left runs in an RCU read-side section, and membarrier() waits for
 * those. Where it can't (nohz_full), an operation that ends right now may show in part until the end.
 */
uint32_t probe_turn_ops(struct probe *p)
{
	uint32_t half = p->skel->bss->ops_half & 1;

	__atomic_store_n(&p->skel->bss->ops_half, !half, __ATOMIC_SEQ_CST);
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	return half;
}

void probe_op(const struct probe *p, uint32_t half, uint32_t op, struct wire_op *ret)
{
	*ret = p->ops.ops[half * WIRE_OPS_MAX + op];
}

const uint64_t *probe_op_hist(const struct probe *p, uint32_t half, uint32_t op,
			      enum wire_op_value value)
{
	size_t i = (half * p->ops.nr + op) * WIRE_OP_VALUES + value;

	return &p->ops.hist[i * WIRE_HIST_BUCKETS];
}

struct each_assist {
	int (*fn)(uint64_t stack, const struct wire_assist *assist, void *ctx);
	void *ctx;
};

static int sum_assist(const struct probe *p, const void *key, const void *values, void *ctx)
{
	const struct each_assist *each = ctx;
	const struct wire_assist *cpus = values;
	struct wire_assist sum = { 0 };

	for (size_t i = 0; i < p->values_nr; i++) {
		sum.assists += cpus[i].assists;
		sum.ns += cpus[i].ns;
	}
	return each->fn(*(const uint64_t *)key, &sum, each->ctx);
}

int probe_each_assist(struct probe *p,
		      int (*fn)(uint64_t stack, const struct wire_assist *assist, void *ctx),
		      void *ctx)
{
	struct each_assist each = { fn, ctx };

	return each_element(p, p->skel->maps.assists, sum_assist, &each);
}

struct each_map_site {
	int (*fn)(const struct wire_map_key *key, const struct wire_map_site *site, void *ctx);
	void *ctx;
};

/* All members are counters of 64 bits but for entries_max, which is the largest. */
static int sum_map_site(const struct probe *p, const void *key, const void *values, void *ctx)
{
	enum { NR = sizeof(struct wire_map_site) / sizeof(uint64_t) };
	const struct each_map_site *each = ctx;
	const struct wire_map_site *cpus = values;
	struct wire_map_site sum = { 0 };
	uint64_t max = 0;

	for (size_t i = 0; i < p->values_nr; i++) {
		for (size_t k = 0; k < NR; k++)
			((uint64_t *)&sum)[k] += ((const uint64_t *)&cpus[i])[k];
		if (cpus[i].entries_max > max)
			max = cpus[i].entries_max;
	}
	sum.entries_max = max;
	return each->fn(key, &sum, each->ctx);
}

int probe_each_map_site(struct probe *p,
			int (*fn)(const struct wire_map_key *key, const struct wire_map_site *site,
				  void *ctx),
			void *ctx)
{
	struct each_map_site each = { fn, ctx };

	return each_element(p, p->skel->maps.map_sites, sum_map_site, &each);
}

struct each_map {
	int (*fn)(uint64_t addr, const struct wire_map *map, void *ctx);
	void *ctx;
};

static int give_map(const struct probe *p, const void *key, const void *values, void *ctx)
{
	const struct each_map *each = ctx;

	(void)p;
	return each->fn(*(const uint64_t *)key, values, each->ctx);
}

int probe_each_map(struct probe *p, int (*fn)(uint64_t addr, const struct wire_map *map, void *ctx),
		   void *ctx)
{
	struct each_map each = { fn, ctx };

	return each_element(p, p->skel->maps.followed, give_map, &each);
}

int probe_get_map(struct probe *p, uint64_t addr, struct wire_map *ret)
{
	return bpf_map__lookup_elem(p->skel->maps.followed, &addr, sizeof(addr), ret, sizeof(*ret),
				    0);
}

int probe_drop_map(struct probe *p, uint64_t addr, const struct wire_map *seen)
{
	struct wire_map now;
	int rc = bpf_map__lookup_and_delete_elem(p->skel->maps.followed, &addr, sizeof(addr), &now,
						 sizeof(now), 0);

	if (rc || !memcmp(&now, seen, sizeof(now)))
		return rc;
	/* Another map has come to its address meanwhile: it stays. */
	bpf_map__update_elem(p->skel->maps.followed, &addr, sizeof(addr), &now, sizeof(now),
			     BPF_NOEXIST);
	return -EAGAIN;
}

static int find_ending(const struct probe *p, const void *key, const void *values, void *ctx)
{
	const struct wire_stop *stop = values;

	(void)p;
	(void)key;
	*(bool *)ctx |= stop->in_termination;
	return 0;
}

bool probe_cycle_is_ending(struct probe *p)
{
	bool ending = false;

	return !each_element(p, p->skel->maps.stops, find_ending, &ending) && ending;
}

int probe_each_event(struct probe *p, int (*fn)(const void *data, size_t size, void *ctx),
		     void *ctx)
{
	p->on_event = fn;
	p->on_event_ctx = ctx;
	return ring_buffer__consume(p->ring);
}

int probe_event_fd(const struct probe *p)
{
	return ring_buffer__epoll_fd(p->ring);
}
