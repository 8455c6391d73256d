// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Hits that stand for many: those of short windows at random times, and the runtime's own samples.
 *
 * Each is sent by itself, as few are. The user side says when a window is open, how many hits may come to it and
 * which of them are kept; what it costs is bounded by those hits. That a window is full is told at once,
 * through a ring of its own: every further hit would cost and tell nothing.
 */
#include "bpf/goabi.bpf.h"
#include "bpf/map.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/objects.bpf.h"
#include "bpf/stacks.bpf.h"

/* A hit that may become a sample. */
struct sample_hit {
	u64 cookie;
	u64 now;
	u32 window;
	struct wire_cpu *cpu;
};

/* The last hit of a window: whoever waits for it wants to know now. */
static __always_inline void tell_full(const struct sample_hit *h)
{
	u64 number = h->window;

	window.full_ns = h->now;
	bpf_ringbuf_output(&wakeups, &number, sizeof(number), BPF_RB_FORCE_WAKEUP);
}

/*
 * Count a hit of this stage: true if it is to be sent. Where there was a first stage those that are to be thrown away are
 * sent, too: what came before tells what later ones stand for (user/estimate/inclusion.h).
 */
static __always_inline bool window_takes(struct sample_hit *h, enum wire_stage stage)
{
	if (window.stage != stage)
		return false;
	h->window = window.number;
	h->now = bpf_ktime_get_ns();
	u64 nr = __sync_fetch_and_add(&window.hits, 1);
	if (nr + 1 == window.max_hits)
		tell_full(h);
	if (nr >= window.max_hits)
		return false;
	if (nr == window.skip_hits)
		window.kept_ns = h->now;
	return window.send_all || nr >= window.skip_hits || h->now >= window.keep_from_ns;
}

/* The body between claim and release of a slot; it has no other way out than its end. */
static __always_inline void send_sample(const struct pt_regs *ctx, const struct sample_hit *h,
					struct wire_sample *sample)
{
	struct scratch *s = scratch_here();
	int slot = s ? slot_claim(s, h->cpu) : -1;

	sample->ev.kind = WIRE_EVENT_SAMPLE;
	sample->ev.size = sizeof(*sample);
	sample->ev.tid = (u32)bpf_get_current_pid_tgid();
	sample->ev.mono_ns = h->now;
	sample->place = h->cookie & 0xff;
	sample->window = h->window;
	sample->stack = WIRE_STACK_NONE;
	/* How slowed down goroutines are in a window is told by the time from one's hit to its next. */
	if (cfg.by_goroutine || h->window)
		sample->goid = read_u64(current_goroutine(GO_G(ctx)) + cfg.goid_off);
	if (s && slot >= 0 && slot < WIRE_SLOTS) {
		struct wire_stack *st = &s->slots[slot];

		sample->stack = walk_stack(ctx, GO_PC(ctx) - probe_va(h->cookie), st);
		send_stack(ctx, st, h->cookie, h->cpu);
		slot_release(s, slot);
	} else {
		count_loss(h->cpu, WIRE_LOSS_SLOT);
	}
	if (bpf_ringbuf_output(&events, sample, sizeof(*sample), BPF_RB_NO_WAKEUP))
		count_loss(h->cpu, WIRE_LOSS_SAMPLE);
}

static __always_inline bool sample_hit_init(struct sample_hit *h, u64 cookie, enum wire_group group)
{
	h->cookie = cookie;
	h->cpu = cpu_stats_here();
	if (!h->cpu)
		return false;
	count_group(h->cpu, group);
	return is_counting();
}

static __always_inline bool sample_object(const struct pt_regs *ctx, const struct sample_hit *h,
					  struct wire_sample *sample)
{
	enum { TINY_CLASS = 2 };

	if (!is_object(ctx, h->cookie))
		return false;
	struct object obj = object_of(ctx, h->cookie, true, h->cpu);
	if (obj.size_class == WIRE_CLASS_LARGE && large_apart)
		return false;
	sample->typ = obj.typ;
	sample->bytes = obj.bytes;
	sample->size_class = obj.size_class == WIRE_CLASS_TINY && obj.bytes ? TINY_CLASS
									    : obj.size_class;
	return true;
}

static __always_inline bool sample_map_call(const struct pt_regs *ctx, const struct sample_hit *h,
					    struct wire_sample *sample)
{
	struct map_hit hit = {};

	if (probe_is(h->cookie, WIRE_PLACE_SYNC_MAP_ASSIGN) ||
	    probe_is(h->cookie, WIRE_PLACE_SYNC_MAP_DELETE)) {
		sample->typ = WIRE_TYPE_SYNC_MAP;
		sample->bytes = GO_ARG1(ctx);
		return true;
	}
	read_args(&hit, ctx, (h->cookie >> 8) & WIRE_F_METHOD);
	sample->typ = hit.typ;
	sample->bytes = hit.map;
	/* It panics, and nothing is assigned. */
	return hit.map || !probe_is(h->cookie, WIRE_PLACE_MAP_ASSIGN);
}

/* The second stage: the allocator's entries, and what assigns to maps and deletes from them. */
SEC("?uprobe")
int on_window(struct pt_regs *ctx)
{
	struct wire_sample sample = { .objects = 1 };
	struct sample_hit h = {};
	bool is_malloc, is_one;

	keep_own_stack(ctx);
	if (!sample_hit_init(&h, bpf_get_attach_cookie(ctx), WIRE_GROUP_WINDOW) ||
	    !window_takes(&h, WIRE_STAGE_EXACT) || !count_hit(ctx, h.cookie, h.cpu))
		return 0;
	is_malloc = probe_is(h.cookie, WIRE_PLACE_MALLOCGC) ||
		    probe_is(h.cookie, WIRE_PLACE_SPECIALISED);
	is_one = is_malloc ? sample_object(ctx, &h, &sample) : sample_map_call(ctx, &h, &sample);
	if (is_one)
		send_sample(ctx, &h, &sample);
	return 0;
}

/*
 * The first stage. A P has used up the span that it had of a class (Go runtime/mcache.go refill, which counts the
 * objects in the same way). An empty span, of which none were, tells when all the same.
 */
SEC("?uprobe")
int on_refill(struct pt_regs *ctx)
{
	struct wire_sample sample = {};
	struct sample_hit h = {};
	u64 mcache = GO_ARG1(ctx);
	u32 span_class = (u8)GO_ARG2(ctx);
	u16 count = 0, before = 0;

	keep_own_stack(ctx);
	if (!sample_hit_init(&h, bpf_get_attach_cookie(ctx), WIRE_GROUP_REFILL) ||
	    !window_takes(&h, WIRE_STAGE_REFILL) || !count_hit(ctx, h.cookie, h.cpu))
		return 0;
	if (span_class >= WIRE_SPAN_CLASSES)
		return 0;
	u64 span = read_u64(mcache + cfg.mcache_alloc + span_class * sizeof(u64));
	if (bpf_probe_read_user(&count, sizeof(count), (void *)(span + cfg.mspan_count)) ||
	    bpf_probe_read_user(&before, sizeof(before), (void *)(span + cfg.mspan_before)))
		return 0;
	sample.objects = count > before ? count - before : 0;
	sample.size_class = span_class / 2;
	send_sample(ctx, &h, &sample);
	return 0;
}

/* The runtime takes a sample, of about one object for each runtime.MemProfileRate bytes. */
SEC("?uprobe")
int on_profile(struct pt_regs *ctx)
{
	enum { SMALL_SLOT_MAX = 32768 };
	struct wire_sample sample = { .objects = 1 };
	struct sample_hit h = {};
	u64 size = GO_ARG3(ctx);

	keep_own_stack(ctx);
	if (!sample_hit_init(&h, bpf_get_attach_cookie(ctx), WIRE_GROUP_PROFILE) ||
	    !count_hit(ctx, h.cookie, h.cpu))
		return 0;
	sample.bytes = size;
	sample.size_class = size > SMALL_SLOT_MAX ? WIRE_CLASS_LARGE : size_class_of(size);
	if (sample.size_class == WIRE_CLASS_LARGE && large_apart)
		return 0;
	h.now = bpf_ktime_get_ns();
	send_sample(ctx, &h, &sample);
	return 0;
}
