// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Both counts at once, while the world is stopped: the runtime's own number of objects and gallop's.
 *
 * runtime.readmemstats_m runs with every goroutine stopped, so nothing can be counted between the two
 * readings: they must have grown by the same number. runtime.exit is the last moment at
 * which a program that ends has memory to read; other threads may still run there, so how far gallop's count
 * moved meanwhile goes with it.
 */
#include "bpf/goabi.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/processes.bpf.h"

enum { HEAP_STATS_MAX = 1184, DELTAS = 3, SMALL_CLASSES = 68 };

/* One count at a time on each CPU; a second that comes while one is under way is a counted loss. */
struct mark_work {
	u64 busy;
	u64 heap_stats[HEAP_STATS_MAX / 8];
	u64 spans[WIRE_SPAN_CLASSES];
	struct wire_totals totals;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct mark_work);
} mark_works SEC(".maps");

struct mark_ctx {
	struct mark_work *work;
	u64 allp; /* address of the array of *p */
	u64 memstats;
	u64 objects, bytes; /* gallop's */
	u64 failed;
	u32 small; /* where the small classes begin, in heap_stats[] */
};

static long add_cpu(u32 i, struct mark_ctx *m)
{
	struct wire_cpu *cpu = bpf_map_lookup_elem(&cpu_stats, &i);

	if (!cpu)
		return 1;
	m->objects += cpu->objects;
	m->bytes += cpu->bytes;
	return 0;
}

/*
 * Classes are a bpf_loop() inside another: as plain loops the verifier walked through each turn of them, and took longer
 * for this one program than for half of the others together.
 */
static long add_class(u32 j, struct mark_ctx *m)
{
	u32 at = m->small + j;

	if (j >= SMALL_CLASSES || at >= HEAP_STATS_MAX / 8) {
		m->failed = 1;
		return 1;
	}
	/* Class 0 is of large objects, which are counted by themselves. */
	if (j)
		m->work->totals.objects[j] += m->work->heap_stats[at];
	return 0;
}

/* A span class is a size class and whether it has pointers; large objects have no span here. */
static long add_span(u32 j, struct mark_ctx *m)
{
	u16 count = 0, before = 0;

	if (j >= WIRE_SPAN_CLASSES)
		return 1;
	u64 span = m->work->spans[j];
	if (bpf_probe_read_user(&count, sizeof(count), (void *)(span + cfg.mspan_count)) ||
	    bpf_probe_read_user(&before, sizeof(before), (void *)(span + cfg.mspan_before)))
		m->failed = 1;
	m->work->totals.objects[j / 2] += (u64)count - before;
	return 0;
}

/* What has been flushed to memstats.heapStats: Go runtime/mstats.go, heapStatsDelta. */
static long add_delta(u32 i, struct mark_ctx *m)
{
	u64 *stats = m->work->heap_stats;
	u32 size = cfg.heap_stats_sz;

	if (size > HEAP_STATS_MAX ||
	    bpf_probe_read_user(stats, size, (void *)(m->memstats + (u64)i * size))) {
		m->failed = 1;
		return 1;
	}
	u32 tiny = cfg.hs_tiny / 8, large = cfg.hs_large / 8, small = cfg.hs_small / 8;
	if (tiny >= HEAP_STATS_MAX / 8 || !large || large >= HEAP_STATS_MAX / 8 ||
	    small > HEAP_STATS_MAX / 8 - SMALL_CLASSES) {
		m->failed = 1;
		return 1;
	}
	struct wire_totals *totals = &m->work->totals;
	totals->objects[WIRE_CLASS_TINY] += stats[tiny];
	totals->objects[WIRE_CLASS_LARGE] += stats[large];
	/* largeAlloc is followed by largeAllocCount. */
	totals->large_bytes += stats[large - 1];
	m->small = small;
	bpf_loop(SMALL_CLASSES, add_class, m, 0);
	return 0;
}

/* What a P's mcache has handed out since its last flush: Go runtime/mcache.go, releaseAll. */
static long add_p(u32 i, struct mark_ctx *m)
{
	u64 p = 0, mcache = 0, tiny = 0;
	u64 *spans = m->work->spans;

	if (bpf_probe_read_user(&p, sizeof(p), (void *)(m->allp + (u64)i * 8)) || !p ||
	    bpf_probe_read_user(&mcache, sizeof(mcache), (void *)(p + cfg.p_mcache))) {
		m->failed = 1;
		return 1;
	}
	if (!mcache)
		return 0;
	if (bpf_probe_read_user(&tiny, sizeof(tiny), (void *)(mcache + cfg.mcache_tiny)) ||
	    bpf_probe_read_user(spans, sizeof(m->work->spans),
				(void *)(mcache + cfg.mcache_alloc))) {
		m->failed = 1;
		return 1;
	}
	m->work->totals.objects[WIRE_CLASS_TINY] += tiny;
	bpf_loop(WIRE_SPAN_CLASSES, add_span, m, 0);
	return 0;
}

/* The runtime's objects so far. Returns 0, or -1 if something could not be read. */
static __always_inline long count_runtime(struct mark_work *work, u64 load_bias,
					  struct wire_mark *mark)
{
	struct mark_ctx m = { .work = work, .memstats = cfg.memstats_va + load_bias };
	struct {
		u64 array, len;
	} allp = {};

	if (bpf_probe_read_user(&allp, sizeof(allp), (void *)(cfg.allp_va + load_bias)) ||
	    !allp.len || allp.len > WIRE_PS_MAX)
		return -1;
	m.allp = allp.array;
	__builtin_memset(&work->totals, 0, sizeof(work->totals));
	bpf_loop(DELTAS, add_delta, &m, 0);
	bpf_loop(allp.len, add_p, &m, 0);
	mark->ps_nr = allp.len;
	for (u32 i = 0; i < WIRE_CLASSES; i++)
		mark->runtime_objects += work->totals.objects[i];
	return m.failed ? -1 : 0;
}

/* Of many processes that of the one that ends. */
static __always_inline void count_gallop(u32 *process, u64 *objects, u64 *bytes)
{
	struct mark_ctx m = {};

	if (cfg.many) {
		struct wire_process *p = bpf_map_lookup_elem(&processes, process);

		*objects = p ? p->objects : 0;
		*bytes = p ? p->bytes : 0;
		return;
	}

	bpf_loop(cfg.cpus, add_cpu, &m, 0);
	*objects = m.objects;
	*bytes = m.bytes;
}

/* What the runtime has allocated by class, for who has no other total. True if it is in the ring. */
static __always_inline bool send_totals(struct mark_work *work, const struct wire_mark *mark)
{
	work->totals.ev = mark->ev;
	work->totals.ev.kind = WIRE_EVENT_TOTALS;
	work->totals.ev.size = sizeof(work->totals);
	return !bpf_ringbuf_output(&events, &work->totals, sizeof(work->totals), 0);
}

SEC("?uprobe")
int on_mark(struct pt_regs *ctx)
{
	struct wire_cpu *cpu = cpu_stats_here();
	u64 cookie = bpf_get_attach_cookie(ctx);
	u32 here = bpf_get_smp_processor_id();

	keep_own_stack(ctx);
	if (!cpu)
		return 0;
	count_group(cpu, WIRE_GROUP_ALWAYS);
	if (!is_counting() || leads_to_morestack(ctx, cookie))
		return 0;
	struct mark_work *work = bpf_map_lookup_elem(&mark_works, &here);
	if (!work || __sync_lock_test_and_set(&work->busy, 1)) {
		count_loss(cpu, WIRE_LOSS_MARK);
		return 0;
	}

	u64 after = 0, bytes_after = 0;
	u32 process = WIRE_PROCESS_NONE;
	struct wire_mark mark = {
		.ev = { .kind = WIRE_EVENT_MARK,
			.size = sizeof(mark),
			.tid = (u32)bpf_get_current_pid_tgid(),
			.mono_ns = bpf_ktime_get_ns() },
		.place = cookie & 0xff,
		.load_bias = GO_PC(ctx) - probe_va(cookie),
	};
	if (cfg.many) {
		u32 *at = process_here(mark.load_bias);

		process = at ? *at : process;
	}
	mark.process = process;
	count_gallop(&process, &mark.gallop_objects, &mark.gallop_bytes);
	long err = count_runtime(work, mark.load_bias, &mark);
	count_gallop(&process, &after, &bytes_after);
	mark.slack = after - mark.gallop_objects;
	if (!err && mark.place == WIRE_PLACE_EXIT)
		err = !send_totals(work, &mark);
	if (err || bpf_ringbuf_output(&events, &mark, sizeof(mark), 0))
		count_loss(cpu, WIRE_LOSS_MARK);
	__sync_lock_test_and_set(&work->busy, 0);
	return 0;
}
