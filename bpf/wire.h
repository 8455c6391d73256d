/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the kernel side and the user side agree on: configuration, map keys and values, events.
 *
 * The only header that both include. Fixed widths, explicit padding, explicit values; values are
 * append-only, never renumbered. The user side trusts nothing that it reads: sizes are checked.
 */
#ifndef GALLOP_BPF_WIRE_H
#define GALLOP_BPF_WIRE_H

#ifndef __bpf__
#include <stdbool.h>
#include <stdint.h>
#endif

enum {
	WIRE_DEPTH_MAX = 128, /* program counters of one stack */
	WIRE_SLOTS = 16, /* scratch slots per CPU, see scratch.bpf.h */
	WIRE_LISTED_MAX = 65536, /* maps that wait to be looked at before a GC cycle ends, ... */
	WIRE_LOOKS_MAX = 8192, /* ... and how many of them are, each time */
	WIRE_CPUS_MAX = 1024,
	WIRE_CLASSES = 69, /* Go's 68 size classes and WIRE_CLASS_TINY */
	WIRE_CLASS_LARGE = 0,
	WIRE_CLASS_TINY = 68,
	WIRE_SPAN_CLASSES = 136,
	WIRE_PS_MAX = 1024, /* Ps whose mcaches a world-stopped count can add up */
	WIRE_SIZE_TO_CLASS8 = 129, /* (size+7)/8 for sizes up to 1024 */
	WIRE_SIZE_TO_CLASS128 =
		250, /* (size-1024+127)/128 above; one more than Go's for the bound */
	WIRE_SMALL_SIZE_MAX = 1024, /* where the second table begins */
	WIRE_OPS_MAX = 32, /* functions whose calls are measured as operations */
	WIRE_PROCESSES_MAX = 1024, /* of one file that a session counts, one after the other too */
	WIRE_PROCESS_NONE = 0xffffffff,
};

/* Ways to lose something, counted per CPU. The words for them are in stream/losses.c. */
enum wire_loss {
	WIRE_LOSS_SLOT = 0, /* objects counted with no stack: no scratch slot was free */
	WIRE_LOSS_SITES_FULL = 1, /* objects in no site: the table of sites is full */
	WIRE_LOSS_STACK_UNSENT =
		2, /* no room for a new stack: its next hit tries again (no loss yet) */
	WIRE_LOSS_TYPE_FAULT = 3, /* type words that could not be read: the size class is a guess */
	WIRE_LOSS_MARK = 4, /* world-stopped counts that could not be made or sent */
	WIRE_LOSS_STOP = 5, /* stops of the world that could not be kept or sent */
	WIRE_LOSS_CYCLE = 6, /* GC cycles that could not be sent */
	WIRE_LOSS_ASSIST = 7, /* assists in no stack: their table is full */
	WIRE_LOSS_GC_STACK = 8, /* stops and assists without a stack: no scratch slot was free */
	WIRE_LOSS_MAP_STACK = 9, /* map operations without a stack: no scratch slot was free */
	WIRE_LOSS_MAP_SITES_FULL = 10, /* map operations in no site: their table is full */
	WIRE_LOSS_MAPS_FULL = 11, /* maps that are not followed: their table is full */
	WIRE_LOSS_MAP_UNREAD = 12, /* map operations whose map could not be read */
	WIRE_LOSS_OPS_FULL = 13, /* operations that aren't measured: their tables are full */
	WIRE_LOSS_OP_UNREAD = 14, /* ... or their goroutine could not be read, or has none */
	WIRE_LOSS_TINY =
		15, /* tiny objects whose block could not be read: a whole one is counted */
	WIRE_LOSS_OP_DEEP = 16, /* ... or may be inside one that began before counting did */
	WIRE_LOSS_SAMPLE = 17, /* samples that were not sent: the ring was full */
	WIRE_LOSS_PROCESS = 18, /* objects of processes that aren't counted: their table is full */
	WIRE_LOSS_NR = 19,
};

/*
 * What the programs need to know of this binary and this session; read-only data of the BPF object.
 * Offsets are bytes in the runtime's structures, from user/gobin/layout.c.
 */
struct wire_cfg {
	uint64_t hash_seed; /* stack hashes differ between sessions */
	uint32_t malloc_limit; /* mallocgc counts only sizes above: smaller ones go on to the
					   specialised functions, which are probed too (Go 1.27: 80) */
	uint32_t small_max; /* largest size that isn't a large object */
	uint32_t cpus; /* entries of the cpu_stats map: the highest possible CPU and one */
	uint16_t goid_off; /* runtime.g.goid */
	uint16_t header_min; /* pointerful sizes above have an 8-byte header; 0xffff = never */
	uint8_t by_goroutine; /* the goroutine is part of the key */
	uint8_t ops_nr; /* functions whose calls are operations (op.bpf.c) */
	uint8_t ops_only; /* what is allocated outside of operations has no stack */
	uint8_t tiny_blocks; /* tiny objects count the blocks that the runtime takes for them */
	uint32_t depth; /* program counters to walk, <= WIRE_DEPTH_MAX */
	/* for world-stopped counts (mark.bpf.c); memstats_va 0 = not known in this binary */
	uint64_t memstats_va, allp_va; /* va in the file; the load bias is added */
	uint16_t heap_stats_sz; /* of one heapStatsDelta; three of them start runtime.memstats */
	uint16_t hs_tiny, hs_large,
		hs_small; /* tinyAllocCount, largeAllocCount, smallAllocCount[68] */
	uint16_t p_mcache;
	uint16_t mcache_tiny, mcache_alloc;
	uint16_t mspan_count, mspan_before; /* allocCount, allocCountBeforeCache */
	uint16_t m_p;
	uint16_t g_sigcode0; /* where a recovered panic goes on: Go <= 1.21, ... */
	uint16_t panic_sp; /* ... or in runtime._panic: Go >= 1.22; 0xffff: the other one */
	/* for garbage collection (gc.bpf.c); gc_controller_va 0 = not known in this binary */
	uint64_t gc_controller_va;
	uint16_t ms_pause_total, ms_pause_ns,
		ms_numgc; /* in memstats; GCCPUFraction follows numgc */
	uint16_t gcc_heap_live, gcc_heap_marked, gcc_percent_goal,
		gcc_last_goal; /* in gcController */
	uint16_t gcc_assist_time; /* dedicated, fractional and idle mark time follow it */
	/* for goroutines and threads (goabi.bpf.h, walk.bpf.h) */
	uint16_t g_m, g_sched_sp, g_sched_bp, m_g0, m_curg;
	uint8_t systemstack_frame; /* runtime.systemstack makes a frame of its own: Go >= 1.21, arm64 */
	uint8_t stw_args; /* enum wire_stw_args */
	/* for maps (map.bpf.c) */
	uint8_t map_swiss; /* maps are internal/runtime/maps.Map, else runtime.hmap */
	uint8_t map_load; /* classic: doubled at more than so many entries for two buckets */
	uint8_t map_b; /* classic: runtime.hmap.B */
	uint8_t map_unit; /* in a map's type: BucketSize (16 bits), or GroupSize (64 bits) */
	/* runtime.gcAssistAlloc, whose frame pointer may be stale: Go <= 1.20, else 0 */
	uint64_t assist_va;
	uint32_t assist_len; /* of its code */
	uint32_t assist_frame; /* from its stack pointer up to its return address */
	/* runtime.systemstack, below which the system stack's chain has no frame pointer: arm64, Go <= 1.24, else 0 */
	uint64_t systemstack_va, systemstack_len;
	uint32_t op_goroutines_max, open_ops_max; /* what the tables of op.bpf.c hold */
	/* The code of functions whose calls are operations. */
	struct {
		uint64_t va;
		uint32_t len;
		uint32_t
			ret_off; /* from its frame pointer up to where GO_RET_AT() is at its entry */
	} op_funcs[WIRE_OPS_MAX];
	uint8_t size_to_class8[WIRE_SIZE_TO_CLASS8];
	uint8_t size_to_class128[WIRE_SIZE_TO_CLASS128];
	uint8_t sampled; /* not every allocation is looked at: sample.bpf.c, hits are told by group */
	uint8_t map_events_only; /* assignments and deletions are sampled: maps aren't followed */
	uint8_t op_windows; /* sampled, and what is sampled are operations: see WIRE_STAGE_OPS */
	uint8_t many; /* all processes of the file are one target: processes.bpf.h */
	uint8_t pad3[1];
	uint16_t class_to_size[WIRE_CLASSES + 3];
};

/*
 * A probe's cookie: what the program must know of the place it was hit at.
 *   bits 0-7   enum wire_place
 *   bits 8-15  flags, WIRE_F_*
 *   bits 16-63 va of the probed instruction (hit address - va = load bias)
 */
enum wire_place {
	WIRE_PLACE_MALLOCGC = 1, /* counts sizes above cfg.malloc_limit */
	WIRE_PLACE_SPECIALISED = 2, /* counts every size but 0 */
	WIRE_PLACE_READMEMSTATS = 3, /* runtime.readmemstats_m: the world is stopped */
	WIRE_PLACE_EXIT = 4, /* runtime.exit: the last moment of a normal exit */
	WIRE_PLACE_GC_START = 5, /* runtime.gcStart: someone wants a cycle; some come too late */
	WIRE_PLACE_STW_STOP = 6, /* runtime.stopTheWorldWithSema */
	WIRE_PLACE_STW_START = 7, /* runtime.startTheWorldWithSema */
	WIRE_PLACE_STW_RETURN = 8, /* its RETs */
	WIRE_PLACE_MARK_TERMINATION = 9, /* runtime.gcMarkTermination: once per cycle */
	WIRE_PLACE_ASSIST_RETURN = 10, /* the RETs of runtime.gcAssistAlloc1 */
	WIRE_PLACE_STW_WHY = 11, /* <= 1.20: runtime.stopTheWorld(reason string) */
	/* Arguments (type, map), or (map, type) with WIRE_F_METHOD: */
	WIRE_PLACE_MAP_ASSIGN = 12, /* runtime.mapassign* */
	WIRE_PLACE_MAP_DELETE = 13, /* runtime.mapdelete*, or maps.(*Map).Delete */
	WIRE_PLACE_MAP_CLEAR = 14, /* runtime.mapclear, or maps.(*Map).Clear */
	WIRE_PLACE_MAP_GROW = 15, /* runtime.hashGrow, or maps.(*Map).growToTable */
	/* Arguments (table, type, map): */
	WIRE_PLACE_MAP_GROW_TABLE = 16, /* maps.(*table).grow and .split */
	WIRE_PLACE_MAP_PRUNE = 17, /* maps.(*table).pruneTombstones */
	WIRE_PLACE_MAP_MADE = 18, /* the RETs of runtime.makemap and makemap_small */
	WIRE_PLACE_SYNC_MAP_ASSIGN = 19, /* what stores into a sync.Map */
	WIRE_PLACE_SYNC_MAP_DELETE = 20,
	WIRE_PLACE_SYNC_MAP_CLEAR = 21,
	WIRE_PLACE_MAP_LOOK = 22, /* runtime.gcMarkDone: what dies in this cycle is still there */
	WIRE_PLACE_MAP_ITERATE = 23, /* runtime.mapiterinit, or mapIterStart: a range loop */
	/* With WIRE_F_OP(function): */
	WIRE_PLACE_OP_BEGIN = 24, /* a function whose calls are operations */
	WIRE_PLACE_OP_RETURN = 25, /* its RETs */
	WIRE_PLACE_OP_RECOVER = 26, /* runtime.recovery(g): calls are gone that will not return */
	WIRE_PLACE_OP_GOEXIT = 27, /* runtime.Goexit: no call of this goroutine will return */
	WIRE_PLACE_REFILL = 28, /* runtime.(*mcache).refill(mcache, spanClass): a span is used up */
	WIRE_PLACE_PROFILE =
		29, /* runtime.profilealloc(m, object, size): the runtime's own sample */
	WIRE_PLACE_LARGE = 30, /* Go >= 1.24: runtime.mallocgcLarge, arguments as mallocgc */
	WIRE_PLACE_ALLOC_LARGE = 31, /* older: runtime.(*mcache).allocLarge(mcache, size, noscan) */
};

/*
 * What is attached and detached together, and given up in order when it costs too much (user/govern/govern.h). A
 * session that counts everything has the first only.
 */
enum wire_group {
	WIRE_GROUP_ALWAYS = 0,
	WIRE_GROUP_ASSIST = 1, /* mark assists */
	WIRE_GROUP_LARGE = 2, /* large objects, each */
	WIRE_GROUP_MAP_EVENTS = 3, /* clears and growth of maps, each */
	WIRE_GROUP_PROFILE = 4, /* the runtime's own samples */
	WIRE_GROUP_REFILL = 5, /* a window's first stage */
	/* ... and its second: allocations. Its hits are also those of WIRE_GROUP_WINDOW_MAPS. */
	WIRE_GROUP_WINDOW = 6,
	WIRE_GROUP_GC = 7, /* stops of the world and GC cycles, each */
	/* Of those: hits of RETs, told apart as they cost more. Nothing is attached for it. */
	WIRE_GROUP_GC_RETURNS = 8,
	WIRE_GROUP_OP_CALLS = 9, /* calls of operations, each: no more than their number */
	WIRE_GROUP_OP_WINDOW = 10, /* whole operations, in windows of their own */
	WIRE_GROUP_OP_RETURNS = 11, /* of those, hits of RETs: as WIRE_GROUP_GC_RETURNS */
	WIRE_GROUP_WINDOW_MAPS = 12, /* with WIRE_GROUP_WINDOW, and counted as its hits: maps */
	WIRE_GROUP_NR = 13,
};

/* A RET is single-stepped: where hits are counted for what they cost it is as many as some others. */
enum { WIRE_STEPPED_HITS = 4 };

/* What the registers hold at stop- and startTheWorldWithSema, by Go version. */
enum wire_stw_args {
	WIRE_STW_NONE = 0, /* <= 1.20: nothing of use */
	WIRE_STW_REASON = 1, /* 1.21: stop has the reason */
	WIRE_STW_START = 2, /* 1.22: and start has (now, reason, startedStopping) */
	WIRE_STW_FINISHED = 3, /* >= 1.23: and finishedStopping */
};

enum {
	WIRE_F_JCC = 1, /* on the stack check's branch: drop the hit if it is taken */
	WIRE_F_NOSCAN = 2, /* the function makes objects without pointers only */
	WIRE_F_SCAN = 4, /* ... or with pointers only */
	WIRE_F_METHOD = 8, /* a method of the map, which comes before its type */
};

/* In the flags of WIRE_PLACE_OP_*, beside WIRE_F_JCC: which function. */
#define WIRE_F_OP(func) ((func) << 1)
#define WIRE_COOKIE_OP(cookie) ((uint32_t)((cookie) >> 9) & (WIRE_OPS_MAX - 1))

#define WIRE_COOKIE(place, flags, va) ((uint64_t)(va) << 16 | (uint64_t)(flags) << 8 | (place))

/* A site's stack is a hash, but for these: no stack, see WIRE_LOSS_SLOT; in no operation, see ops_only. */
enum {
	WIRE_STACK_NONE = 1,
	WIRE_STACK_OUTSIDE = 2,
	WIRE_STACK_FIRST_HASH = 16,
};

struct wire_site_key {
	uint64_t stack;
	uint64_t
		typ; /* address of the runtime._type, 0 for pointer-free memory; as pcs of a stack */
	uint64_t goid; /* 0 unless cfg.by_goroutine */
	uint32_t size_class;
	uint32_t ops; /* bit i: in an operation of function i */
};

/* Per CPU, only ever added to, so it can be read at any time and is never cleared. */
struct wire_site {
	uint64_t objects;
	uint64_t bytes;
	uint64_t stack_sent; /* this CPU knows that the stack has been sent */
};

/* Totals of one CPU; an array indexed by CPU rather than a per-CPU map, so that any CPU can add it up. */
struct wire_cpu {
	uint64_t objects;
	uint64_t bytes;
	uint64_t hits; /* times a program ran */
	uint64_t not_entered; /* hits dropped because the branch led to morestack */
	uint64_t slot_contended; /* hits that found the first slot busy: preemption at work */
	uint64_t losses[WIRE_LOSS_NR];
	uint64_t siteless_bytes; /* of the objects of WIRE_LOSS_SITES_FULL */
	uint64_t group_hits[WIRE_GROUP_NR]; /* with cfg.sampled: times a program of each ran */
	uint64_t pad[2];
};

/* With cfg.many: what one process has allocated in its life, from the first hit or exec() to the next exec() or its end. */
struct wire_process {
	uint32_t pid; /* 0: none yet */
	uint32_t
		from_zero; /* it began while the gate was open: nothing was before what is counted */
	uint64_t load_bias;
	uint64_t objects, bytes;
	uint64_t begin_ns; /* when it was met by what it allocates; 0: it was there at the start */
	uint32_t executed; /* its life ended by an exec() */
	uint32_t pad[5];
};

enum wire_event_kind {
	WIRE_EVENT_STACK = 1,
	WIRE_EVENT_MARK = 2,
	WIRE_EVENT_STOP = 3,
	WIRE_EVENT_CYCLE = 4,
	WIRE_EVENT_SAMPLE = 5,
	WIRE_EVENT_TOTALS = 6,
};

/* Every event begins with this; unknown kinds are skipped by size. */
struct wire_event {
	uint16_t kind;
	uint16_t size;
	uint32_t tid;
	uint64_t mono_ns;
};

enum {
	WIRE_STACK_CUT = 1, /* deeper than cfg.depth: the root is missing */
	WIRE_STACK_FAULT =
		2, /* a frame could not be read, or lies in no stack: the root is missing */
};

/* A stack seen for the first time; only pcs_nr of the pcs are sent. */
struct wire_stack {
	struct wire_event ev;
	uint64_t hash;
	uint32_t pcs_nr;
	uint32_t flags; /* WIRE_STACK_* */
	uint64_t load_bias; /* of the hit that made it; 0 with cfg.many */
	/* Leaf first, as the process saw them; with cfg.many as the file has them. */
	uint64_t pcs[WIRE_DEPTH_MAX];
};

/* Both counts while the world was stopped. */
struct wire_mark {
	struct wire_event ev;
	uint32_t place; /* enum wire_place */
	uint32_t ps_nr;
	uint64_t load_bias;
	uint64_t runtime_objects;
	uint64_t gallop_objects;
	uint64_t gallop_bytes;
	uint64_t slack; /* how far gallop's count moved meanwhile: 0 in a stopped world */
	uint32_t process; /* whose counts these are; WIRE_PROCESS_NONE without cfg.many */
	uint32_t pad;
};

/* What the runtime has allocated when the program ends; the tiny ones are those that found room in a block. */
struct wire_totals {
	struct wire_event ev;
	uint64_t large_bytes;
	uint64_t objects[WIRE_CLASSES]; /* by size class, 0 is large ones */
};

enum {
	WIRE_STW_UNKNOWN = 0, /* runtime.stwReason: stwUnknown; other reasons are Go's own numbers.
					   Up to Go 1.20 also the stops of a GC cycle, which pass no reason */
	WIRE_TRIGGER_NONE = 0xff, /* not a cycle's first stop */
	/* Go's gcTriggerKind: */
	WIRE_TRIGGER_HEAP = 0,
	WIRE_TRIGGER_TIME = 1,
	WIRE_TRIGGER_CYCLE = 2,
};

/* One stop of the world, from the request to the restart. Times are CLOCK_MONOTONIC, as Go's nanotime. */
struct wire_stop {
	struct wire_event ev; /* mono_ns: the restart, as the runtime took it */
	uint64_t start_ns; /* when stopping began */
	uint64_t stopped_ns; /* when everyone had stopped; 0 = not known */
	uint64_t stack; /* of who asked */
	uint64_t goid; /* of who asked */
	uint8_t reason; /* stwReason; WIRE_STW_UNKNOWN up to Go 1.20 */
	uint8_t trigger; /* WIRE_TRIGGER_*: what gcStart was called for, by that goroutine */
	uint8_t in_termination; /* the stop that ends a cycle's marking */
	uint8_t pad;
	uint32_t attached; /* which time it was, of those that such probes were attached */
	uint64_t heap_live; /* gcController.heapLive when stopping began; at mark termination when
					   all had stopped */
	uint64_t percent_goal; /* gcController.gcPercentHeapGoal at that time */
};

/* A cycle at its end, as the runtime had written it down just before it started the world again. */
struct wire_cycle {
	struct wire_event ev;
	uint32_t numgc; /* this cycle's number; MemStats.NumGC after it */
	uint32_t procs; /* GOMAXPROCS; 0 = not known */
	uint64_t pause_ns; /* MemStats.PauseNs of this cycle */
	uint64_t pause_total_ns; /* MemStats.PauseTotalNs */
	uint64_t heap_marked;
	uint64_t last_goal; /* the goal this cycle had in the end, memory limit included */
	uint64_t next_goal; /* gcPercentHeapGoal of the next */
	uint64_t assist_ns, dedicated_ns, fractional_ns, idle_ns; /* CPU time of marking */
	uint64_t cpu_fraction; /* bits of the float64 MemStats.GCCPUFraction */
};

/* In place of a time: what assists have taken so far isn't known, and the next one's is lost. */
#define WIRE_ASSIST_UNSEEN (~(uint64_t)0)

/* Mark assists of one stack, per CPU; only ever added to. */
struct wire_assist {
	uint64_t assists;
	uint64_t ns; /* running time by the runtime's measure: none while parked */
};

/*
 * A hit that stands for many. Of a window, or of window 0: one of the runtime's own samples.
 *   WIRE_PLACE_REFILL             objects of size_class were used up since the span was taken; bytes 0, typ 0
 *   WIRE_PLACE_PROFILE            one object, with the bytes of its slot; typ 0: not known
 *   WIRE_PLACE_MALLOCGC, _SPECIALISED  one object and the bytes of its slot. A tiny one that opens a block is of that
 *                                 block's class, 2, with 16 bytes; one that fits into a block of WIRE_CLASS_TINY, with 0
 *   WIRE_PLACE_MAP_ASSIGN, _MAP_DELETE, _SYNC_MAP_*  one call; typ is the map's type, bytes its address; size_class 0
 */
struct wire_sample {
	struct wire_event ev;
	uint64_t stack;
	uint64_t typ;
	uint64_t goid; /* 0 unless cfg.by_goroutine, or of a window */
	uint64_t objects;
	uint64_t bytes;
	uint32_t window;
	uint16_t place; /* enum wire_place */
	uint16_t size_class;
};

enum wire_stage {
	WIRE_STAGE_CLOSED = 0,
	WIRE_STAGE_REFILL = 1,
	WIRE_STAGE_EXACT = 2,
	WIRE_STAGE_OPS = 3, /* the only one of a window of operations */
};

/*
 * The window that is open, if one is. The user side writes all of it, `stage` last, and closes it by that; the kernel
 * side counts hits and leaves two times. A hit from skip_hits on, or from keep_from_ns on, is kept, and sent; with send_all those before are sent, too. None is after
 * max_hits, when the user side is woken, once.
 *
 * Of operations: those that begin while it admits are measured, and no others. It stops to admit after admit_hits, or when
 * the user side has had enough; from then on it only waits for those that are open, and the last of them wakes the user
 * side. None that is open at max_hits, or when the window is closed, is measured: it is cut. Hits are counted by what they
 * cost there, see WIRE_STEPPED_HITS. Each window's counts go to the half that its number says, as it is odd or even.
 */
struct wire_window {
	uint32_t number;
	uint32_t stage; /* enum wire_stage */
	uint64_t skip_hits, keep_from_ns;
	uint64_t max_hits;
	uint64_t hits; /* of this stage, dropped ones included: each costs */
	uint64_t kept_ns; /* when the hit after skip_hits came; 0: not yet */
	uint64_t full_ns; /* when max_hits was reached, or no operation was left; 0: not yet */
	uint64_t admit_hits;
	uint32_t admits; /* 0: no operation that begins is measured any more */
	uint32_t send_all; /* not only hits that are kept */
	uint64_t open; /* operations that are measured, and have neither ended nor gone */
};

/* Where something happens to maps of a type. */
enum { WIRE_TYPE_SYNC_MAP = 1 }; /* in place of a type's address */

struct wire_map_key {
	uint64_t stack;
	/* Address of the map's type; 0 while it isn't known, as makemap_small has none. */
	uint64_t typ;
};

/* Per CPU, only ever added to; what each means is in user/model/maps.h. */
struct wire_map_site {
	uint64_t makes;
	uint64_t typed; /* of makes, in the site without a type: those counted in another by now */
	uint64_t assigns, deletes, clears;
	uint64_t removed, unsettled, drains, drain_loops;
	uint64_t growths, rehashes, grown_bytes;
	uint64_t emptied, emptied_entries;
	uint64_t refills, refills_alike, refilled_entries; /* of fillings that are over */
	uint64_t made_entries, made_growths, made_grown_bytes; /* of maps that are gone */
	uint64_t entries_max; /* the largest */
	uint64_t stack_sent; /* this CPU knows that the stack has been sent */
};

/*
 * A map that is followed, by its address: from its making or when it was first met, until another is made or
 * met there. What an operation has done shows at the next one, which finds the map's count changed; or a look at
 * the map's memory before it can die leaves a verdict. The program itself never lets two goroutines change a map
 * at once, so only `state`, which such a look may change meanwhile, has to be atomic.
 */
struct wire_map {
	uint64_t typ; /* 0: not known yet */
	uint64_t seed; /* of its hash: what tells it from another map at its address */
	uint64_t made_stack; /* 0: not seen */
	uint64_t first_ns, last_ns;
	uint64_t count; /* entries before the last operation */
	uint64_t peak; /* the largest count so far */
	uint64_t fill_peak; /* ... since it was last emptied */
	uint64_t last_stack;
	uint64_t run; /* entries taken out by deletes since the last assignment */
	uint64_t emptied_stack, emptied_ns; /* last cleared or drained, 0: not seen */
	uint64_t emptied_peak; /* fill_peak until then */
	uint64_t fill_ns; /* from the emptying before, or the first operation, until then */
	uint64_t deleted_stack; /* where the last entry was deleted since then, or 0 */
	uint64_t thin_ns; /* since when deletes have left a quarter of fill_peak or less, or 0 */
	uint64_t growths, grown_bytes;
	uint64_t iter_entries; /* when an iteration over it last began; 0: assigned to since */
	uint64_t iter_run; /* run at that time */
	uint64_t state; /* WIRE_MAP_STATE */
	uint32_t listed; /* it waits to be looked at */
	uint32_t pad;
};

/*
 * The last operation, WIRE_PLACE_MAP_ASSIGN, DELETE, CLEAR or MADE, or a verdict in place of it; and how many
 * there were, modulo 2^32.
 */
#define WIRE_MAP_STATE(op, ops) ((uint64_t)(ops) << 32 | (op))
#define WIRE_MAP_OP(state) ((uint32_t)(state))
#define WIRE_MAP_OPS(state) ((uint32_t)((state) >> 32))

enum wire_map_verdict {
	WIRE_MAP_SETTLED = 0, /* what was done is counted */
	WIRE_MAP_ADDED = 0x100, /* an assignment has put in an entry, ... */
	WIRE_MAP_REMOVED =
		0x101, /* a deletion has taken one out, which is yet to be counted, ... */
	WIRE_MAP_ABSENT = 0x102, /* ... or nothing, when it was looked at */
};

/* What an operation is measured by. */
enum wire_op_value {
	WIRE_OP_OBJECTS = 0,
	WIRE_OP_BYTES = 1,
	WIRE_OP_NS = 2,
	WIRE_OP_VALUES = 3,
};

/*
 * The operations of one function: its outermost calls, each on one goroutine. Only ever added to; one for all
 * CPUs. Sums, largest values and times are of those that have ended, by a return.
 */
struct wire_op {
	uint64_t begun, ended;
	uint64_t panics, goexits; /* of begun: those that never return */
	uint64_t began_before; /* returns of calls that had begun before counting did */
	uint64_t sum[WIRE_OP_VALUES];
	uint64_t max[WIRE_OP_VALUES];
	uint64_t pause_ns; /* stops of the world that fell into them */
	uint64_t assist_ns; /* mark assists of their goroutines */
	/* With op_windows, in the first half only: */
	uint64_t entries; /* all calls, inner ones too, while WIRE_GROUP_OP_CALLS is attached */
	/* ... and in each: */
	uint64_t nested; /* calls that were seen inside another of the same function */
	uint64_t late; /* of ended: after their window had stopped to admit others */
};

/*
 * The distribution of a value over operations: buckets of one number each below 256, and then 128 to each power of
 * two, so the middle of a bucket is within 0.4 % of what is in it. The last has all from 2^52 on.
 */
enum {
	WIRE_HIST_SUB_BITS = 7,
	WIRE_HIST_LOG2_MAX = 52,
	WIRE_HIST_BUCKETS = (WIRE_HIST_LOG2_MAX - WIRE_HIST_SUB_BITS + 1) << WIRE_HIST_SUB_BITS,
};

/* For a value that isn't 0. clang 14 runs out of memory over __builtin_clzll() for BPF. */
static inline uint32_t wire_log2(uint64_t value)
{
	uint32_t log2 = 0;

	for (uint32_t step = 32; step; step /= 2) {
		if (value >> step) {
			value >>= step;
			log2 += step;
		}
	}
	return log2;
}

static inline uint32_t wire_hist_bucket(uint64_t value)
{
	if (value >> (WIRE_HIST_SUB_BITS + 1) == 0)
		return (uint32_t)value;
	if (value >> WIRE_HIST_LOG2_MAX)
		return WIRE_HIST_BUCKETS - 1;
	uint32_t shift = wire_log2(value) - WIRE_HIST_SUB_BITS;

	return (shift << WIRE_HIST_SUB_BITS) + (uint32_t)(value >> shift);
}

/* The smallest value of a bucket, and how many there are in it. */
static inline uint64_t wire_hist_low(uint32_t bucket)
{
	uint32_t shift = bucket >> (WIRE_HIST_SUB_BITS + 1) ? (bucket >> WIRE_HIST_SUB_BITS) - 1
							    : 0;

	return (uint64_t)(bucket - (shift << WIRE_HIST_SUB_BITS)) << shift;
}

static inline uint64_t wire_hist_width(uint32_t bucket)
{
	return bucket >> (WIRE_HIST_SUB_BITS + 1) ? 1ULL << ((bucket >> WIRE_HIST_SUB_BITS) - 1)
						  : 1;
}

/* What follows from a map's last operation, for whichever side finds out what it did. */

/* Can it have emptied the map? Then the map is empty, and has a new seed. */
static inline bool wire_map_may_be_empty(const struct wire_map *m)
{
	switch (WIRE_MAP_OP(m->state)) {
	case WIRE_PLACE_MAP_CLEAR:
		return true;
	case WIRE_PLACE_MAP_DELETE:
	case WIRE_MAP_REMOVED:
	case WIRE_MAP_ABSENT:
	case WIRE_MAP_SETTLED:
		return m->count <= 1;
	default:
		return false;
	}
}

static inline void wire_map_raise_peak(struct wire_map *m, uint64_t count)
{
	if (count > m->peak)
		m->peak = count;
	if (count > m->fill_peak)
		m->fill_peak = count;
}

/* A deletion has taken out an entry. True if that was a drain: then wire_map_emptied() is next. */
static inline bool wire_map_deleted(struct wire_map *m, uint64_t now_ns)
{
	uint64_t left = m->count - 1;

	m->run++;
	m->deleted_stack = m->last_stack;
	if (!left && m->run >= 2)
		return true;
	if (!m->thin_ns && left * 4 <= m->fill_peak)
		m->thin_ns = now_ns;
	return false;
}

/* Of a drain: one range loop has taken out all that it met. */
static inline bool wire_map_was_loop(const struct wire_map *m)
{
	return m->iter_entries && m->run - m->iter_run == m->iter_entries;
}

/* Its last entry went, at that stack. How long it took to fill isn't known of one that was first met filled. */
static inline void wire_map_emptied(struct wire_map *m, uint64_t stack, uint64_t now_ns)
{
	uint64_t began = m->emptied_ns ? m->emptied_ns : m->made_stack ? m->first_ns : now_ns;

	m->fill_ns = now_ns - began;
	m->emptied_stack = stack;
	m->emptied_ns = now_ns;
	m->emptied_peak = m->fill_peak;
	m->fill_peak = 0;
	m->deleted_stack = 0;
	m->thin_ns = 0;
}

_Static_assert(sizeof(struct wire_op) == 128, "a function's totals fill two cache lines");
_Static_assert(sizeof(struct wire_map_key) == 16, "no hidden padding");
_Static_assert(sizeof(struct wire_stop) == 72, "no hidden padding");
_Static_assert(sizeof(struct wire_cycle) == 104, "no hidden padding");
_Static_assert(sizeof(struct wire_cfg) % 8 == 0, "wire_cfg is padded by hand");
_Static_assert(sizeof(struct wire_site_key) == 32,
	       "keys are hashed byte by byte: no hidden padding");
_Static_assert(sizeof(struct wire_cpu) == 320, "one CPU's totals fill five cache lines");
_Static_assert(sizeof(struct wire_sample) == 64, "no hidden padding");
_Static_assert(sizeof(struct wire_window) == 80, "no hidden padding");
_Static_assert(sizeof(struct wire_stack) == 40 + 8 * WIRE_DEPTH_MAX, "no hidden padding");
_Static_assert(sizeof(struct wire_mark) == 72, "no hidden padding");
_Static_assert(sizeof(struct wire_process) == 64, "each has a cache line of its own");
_Static_assert(sizeof(struct wire_totals) == 24 + 8 * WIRE_CLASSES, "no hidden padding");

#endif
