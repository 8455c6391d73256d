// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Garbage collection and every stop of the world, as the runtime itself measures them.
 *
 * A stop is one event: who asked (stack and goroutine), why, and the runtime's own times, which it passes
 * from function to function in registers. At the end of a cycle the runtime has written its
 * pause, heap and mark times to memory just before it starts the world: they are read there, world stopped, so
 * they are what MemStats will say. Only one stop can be under way in a process (runtime.worldsema), so one
 * state per process is enough. Mark assists are added up by stack like allocations.
 */
#include "bpf/goabi.bpf.h"
#include "bpf/op.bpf.h"
#include "bpf/stacks.bpf.h"

/* The stop under way. key: process. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, u32);
	__type(value, struct wire_stop);
} stops SEC(".maps");

/* Why a goroutine is about to stop the world, until it does. key: address of the g. */
struct intent {
	u8 trigger; /* what gcStart was called for, or WIRE_TRIGGER_NONE */
	u8 reason; /* stwReason of a stop that isn't the GC's, or WIRE_STW_UNKNOWN */
	u16 pad;
	u32 attached; /* gc_attached then */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, struct intent);
} intents SEC(".maps");

/* key: stack hash. Bound set by the loader. Full: counted loss. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, struct wire_assist);
} assists SEC(".maps");

static __always_inline u64 gc_controller(u64 load_bias, u16 off)
{
	return cfg.gc_controller_va ? read_u64(cfg.gc_controller_va + load_bias + off) : 0;
}

/* Walk the stack, send it if it is new; its hash, or WIRE_STACK_NONE if no scratch slot was free. */
static __always_inline u64 take_stack(const struct pt_regs *ctx, u64 cookie, struct wire_cpu *cpu)
{
	struct scratch *s = scratch_here();
	int slot = s ? slot_claim(s, cpu) : -1;

	if (!s || slot < 0 || slot >= WIRE_SLOTS) {
		count_loss(cpu, WIRE_LOSS_GC_STACK);
		return WIRE_STACK_NONE;
	}
	u64 hash = walk_stack(ctx, GO_PC(ctx) - probe_va(cookie), &s->slots[slot]);
	send_stack(ctx, &s->slots[slot], cookie, cpu);
	slot_release(s, slot);
	return hash;
}

static __always_inline void remember(u64 g, u8 trigger, u8 reason)
{
	struct intent intent = { .trigger = trigger, .reason = reason, .attached = gc_attached };

	bpf_map_update_elem(&intents, &g, &intent, BPF_ANY);
}

/*
 * The stwReason of the string that Go up to 1.20 passes to stopTheWorld; length and first letter tell all of them
 * apart (Go 1.19 runtime: grep stopTheWorld).
 */
static __always_inline u8 reason_of_string(u64 str, u64 len)
{
	char first = 0;

	bpf_probe_read_user(&first, sizeof(first), (void *)str);
	switch (len) {
	case 7:
		return 4; /* profile */
	case 10:
		return 9; /* GOMAXPROCS */
	case 11:
		return 6; /* stack trace */
	case 12:
		return 11; /* stop tracing */
	case 13:
		return 10; /* start tracing */
	case 14:
		return 7; /* read mem stats */
	case 15:
		return first == 'w' ? 3 : 5; /* write heap dump, profile cleanup */
	case 19:
		return 8; /* doAllThreadsSyscall */
	}
	return WIRE_STW_UNKNOWN;
}

/* The stop under way, unless its beginning was seen before the probes were away for a while. */
static __always_inline struct wire_stop *stop_under_way(void)
{
	u32 process = this_process();
	struct wire_stop *stop = bpf_map_lookup_elem(&stops, &process);

	return stop && stop->attached == gc_attached ? stop : NULL;
}

static __always_inline void stop_begins(struct pt_regs *ctx, u64 cookie, struct wire_cpu *cpu)
{
	u64 bias = GO_PC(ctx) - probe_va(cookie);
	u64 g = current_goroutine(GO_G(ctx));
	u32 process = this_process();
	struct wire_stop stop = {
		.ev = { .kind = WIRE_EVENT_STOP, .size = sizeof(stop) },
		.start_ns = bpf_ktime_get_ns(),
		.trigger = WIRE_TRIGGER_NONE,
		.attached = gc_attached,
		.heap_live = gc_controller(bias, cfg.gcc_heap_live),
		.percent_goal = gc_controller(bias, cfg.gcc_percent_goal),
	};

	if (cfg.stw_args >= WIRE_STW_REASON)
		stop.reason = (u8)GO_ARG1(ctx);
	if (g) {
		struct intent *intent = bpf_map_lookup_elem(&intents, &g);

		if (intent) {
			/* Else it is of a stop that came while the probes were away. */
			if (intent->attached == gc_attached) {
				stop.trigger = intent->trigger;
				if (cfg.stw_args == WIRE_STW_NONE)
					stop.reason = intent->reason;
			}
			bpf_map_delete_elem(&intents, &g);
		}
		stop.goid = read_u64(g + cfg.goid_off);
	}
	pause_began_ns = stop.start_ns;
	stop.stack = take_stack(ctx, cookie, cpu);
	if (bpf_map_update_elem(&stops, &process, &stop, BPF_ANY))
		count_loss(cpu, WIRE_LOSS_STOP);
}

/* What the runtime wrote at the end of gcMarkTermination (Go runtime/mgc.go), world still stopped. */
static __always_inline void cycle_ends(u64 bias, struct wire_cpu *cpu)
{
	u64 memstats = cfg.memstats_va + bias;
	struct wire_cycle cycle = {
		.ev = { .kind = WIRE_EVENT_CYCLE,
			.size = sizeof(cycle),
			.tid = (u32)bpf_get_current_pid_tgid(),
			.mono_ns = bpf_ktime_get_ns() },
		.heap_marked = gc_controller(bias, cfg.gcc_heap_marked),
		.last_goal = gc_controller(bias, cfg.gcc_last_goal),
		.next_goal = gc_controller(bias, cfg.gcc_percent_goal),
	};

	if (!cfg.memstats_va || !cfg.gc_controller_va)
		return;
	bpf_probe_read_user(&cycle.numgc, sizeof(cycle.numgc), (void *)(memstats + cfg.ms_numgc));
	if (cfg.allp_va)
		cycle.procs = read_u64(cfg.allp_va + bias + 8); /* its length */
	cycle.cpu_fraction = read_u64(memstats + cfg.ms_numgc + 8);
	cycle.pause_total_ns = read_u64(memstats + cfg.ms_pause_total);
	cycle.pause_ns = read_u64(memstats + cfg.ms_pause_ns + 8 * ((cycle.numgc + 255) % 256));
	cycle.assist_ns = gc_controller(bias, cfg.gcc_assist_time);
	cycle.dedicated_ns = gc_controller(bias, cfg.gcc_assist_time + 8);
	cycle.fractional_ns = gc_controller(bias, cfg.gcc_assist_time + 16);
	cycle.idle_ns = gc_controller(bias, cfg.gcc_assist_time + 24);
	if (bpf_ringbuf_output(&events, &cycle, sizeof(cycle), 0))
		count_loss(cpu, WIRE_LOSS_CYCLE);
}

static __always_inline void stop_ended(struct wire_stop *stop, u64 end_ns, struct wire_cpu *cpu)
{
	u32 process = this_process();

	stop->ev.tid = (u32)bpf_get_current_pid_tgid();
	stop->ev.mono_ns = end_ns;
	if (end_ns > stop->start_ns)
		paused_ns += end_ns - stop->start_ns; /* one stop at a time */
	pause_began_ns = 0;
	if (bpf_ringbuf_output(&events, stop, sizeof(*stop), 0))
		count_loss(cpu, WIRE_LOSS_STOP);
	bpf_map_delete_elem(&stops, &process);
}

/*
 * The world starts after a stop that was under way when we came. If `now` is passed it is the one that ends a cycle
 * (see below), and all its times are known; who asked for it is not. The cycle must be told: the runtime has counted
 * it since. Other stops are left out.
 */
static __always_inline void late_stop_ends(struct pt_regs *ctx, u64 cookie, struct wire_cpu *cpu)
{
	struct wire_stop stop = {
		.ev = { .kind = WIRE_EVENT_STOP, .size = sizeof(stop) },
		.start_ns = GO_ARG3(ctx),
		.stopped_ns = cfg.stw_args >= WIRE_STW_FINISHED ? GO_ARG4(ctx) : 0,
		.stack = WIRE_STACK_NONE,
		.reason = (u8)GO_ARG2(ctx),
		.trigger = WIRE_TRIGGER_NONE,
		.in_termination = 1,
		.attached = gc_attached,
	};

	if (cfg.stw_args < WIRE_STW_START || !GO_ARG1(ctx))
		return;
	cycle_ends(GO_PC(ctx) - probe_va(cookie), cpu);
	stop_ended(&stop, GO_ARG1(ctx), cpu);
}

/*
 * startTheWorldWithSema(now, worldStop): after mark termination `now` is the end of the pause, taken
 * before; otherwise it is 0 and the end is what the function returns. Up to Go 1.21 there is no such argument, and
 * the end of mark termination is taken just before the call: this moment is the nearest to it.
 */
static __always_inline void world_starts(struct pt_regs *ctx, u64 cookie, struct wire_cpu *cpu)
{
	struct wire_stop *stop = stop_under_way();
	u64 now = 0;

	/* Each cycle counts from 0 again (startCycle, world stopped); nobody assists while it is stopped. */
	assist_seen = gc_controller(GO_PC(ctx) - probe_va(cookie), cfg.gcc_assist_time);
	if (!stop) {
		late_stop_ends(ctx, cookie, cpu);
		return;
	}
	if (cfg.stw_args >= WIRE_STW_START) {
		now = GO_ARG1(ctx);
		stop->start_ns = GO_ARG3(ctx);
	}
	if (cfg.stw_args >= WIRE_STW_FINISHED)
		stop->stopped_ns = GO_ARG4(ctx);
	if (!stop->in_termination)
		return;
	cycle_ends(GO_PC(ctx) - probe_va(cookie), cpu);
	stop_ended(stop, now ? now : bpf_ktime_get_ns(), cpu);
}

/* RAX is the moment the world was running again. */
static __always_inline void world_started(struct pt_regs *ctx, struct wire_cpu *cpu)
{
	struct wire_stop *stop = stop_under_way();

	if (stop)
		stop_ended(stop, GO_ARG1(ctx), cpu);
}

/* The world is stopped; after this the heap's size is set to what was marked (resetLive). */
static __always_inline void mark_termination(struct pt_regs *ctx, u64 cookie)
{
	struct wire_stop *stop = stop_under_way();

	if (!stop)
		return;
	stop->in_termination = 1;
	stop->heap_live = gc_controller(GO_PC(ctx) - probe_va(cookie), cfg.gcc_heap_live);
}

SEC("?uprobe")
int on_gc(struct pt_regs *ctx)
{
	struct wire_cpu *cpu = cpu_stats_here();
	u64 cookie = bpf_get_attach_cookie(ctx);

	keep_own_stack(ctx);
	if (!cpu)
		return 0;
	count_group(cpu, probe_is(cookie, WIRE_PLACE_STW_RETURN) ? WIRE_GROUP_GC_RETURNS
								 : WIRE_GROUP_GC);
	if (!is_counting() || leads_to_morestack(ctx, cookie))
		return 0;
	switch (cookie & 0xff) {
	case WIRE_PLACE_GC_START:
		remember(GO_G(ctx), (u8)GO_ARG1(ctx), WIRE_STW_UNKNOWN);
		break;
	case WIRE_PLACE_STW_WHY:
		remember(GO_G(ctx), WIRE_TRIGGER_NONE,
			 reason_of_string(GO_ARG1(ctx), GO_ARG2(ctx)));
		break;
	case WIRE_PLACE_STW_STOP:
		stop_begins(ctx, cookie, cpu);
		break;
	case WIRE_PLACE_STW_START:
		world_starts(ctx, cookie, cpu);
		break;
	case WIRE_PLACE_STW_RETURN:
		world_started(ctx, cpu);
		break;
	case WIRE_PLACE_MARK_TERMINATION:
		mark_termination(ctx, cookie);
		break;
	}
	return 0;
}

/*
 * gcAssistAlloc1 is the part of an assist that works. Just before it returns it has added its own measure to
 * gcController.assistTime (what is below 5 us waits on its P and comes with the next): so what that grew by since
 * the last return is this assist's time, and the sum over stacks is the runtime's own. A clock of ours would count
 * our traps too: up to 15 % more, as measured. Two assists that end at the same moment may swap their times, but
 * whoever comes late, preempted between its two steps, finds its time taken: nothing is counted twice.
 */
static __always_inline u64 assist_time(u64 load_bias)
{
	enum { TRIES = 8 };
	u64 now, before = assist_seen;

	if (bpf_probe_read_user(&now, sizeof(now),
				(void *)(cfg.gc_controller_va + load_bias + cfg.gcc_assist_time)))
		return 0; /* the next one finds it */
	for (int i = 0; i < TRIES && (now > before || before == WIRE_ASSIST_UNSEEN); i++) {
		u64 was = __sync_val_compare_and_swap(&assist_seen, before, now);

		if (was == before)
			return before == WIRE_ASSIST_UNSEEN ? 0 : now - before;
		before = was;
	}
	return 0;
}

SEC("?uprobe")
int on_assist(struct pt_regs *ctx)
{
	struct wire_cpu *cpu = cpu_stats_here();
	u64 cookie = bpf_get_attach_cookie(ctx);

	keep_own_stack(ctx);
	if (!cpu)
		return 0;
	count_group(cpu, WIRE_GROUP_ASSIST);
	if (!is_counting())
		return 0;
	u64 ns = assist_time(GO_PC(ctx) - probe_va(cookie));
	struct op_goroutine *gr = cfg.ops_nr ? in_operation(GO_G(ctx)) : NULL;
	u64 hash = take_stack(ctx, cookie, cpu);
	struct wire_assist *a = bpf_map_lookup_elem(&assists, &hash);

	if (gr)
		gr->assist_ns += ns;
	if (!a) {
		struct wire_assist zero = {};

		bpf_map_update_elem(&assists, &hash, &zero, BPF_NOEXIST);
		a = bpf_map_lookup_elem(&assists, &hash);
		if (!a) {
			count_loss(cpu, WIRE_LOSS_ASSIST);
			return 0;
		}
	}
	__sync_fetch_and_add(&a->assists, 1);
	__sync_fetch_and_add(&a->ns, ns);
	return 0;
}
