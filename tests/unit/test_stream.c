/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the kernel's records to the model, with a kernel and a program that are made up here: what
 * the two functions below give is all that the symbolizer knows of an executable.
 */
#include "golden.h"
#include "sample.h"

#include <errno.h>

#include "bpf/wire.h"
#include "gobin/gobin.h"
#include "model/tables.h"
#include "probe/probe.h"
#include "proc/gomap.h"
#include "stream/gc.h"
#include "stream/stream.h"
#include "symbol/symbol.h"

enum { HASH = WIRE_STACK_FIRST_HASH };

/* What the kernel has: its tables, its totals, and events that are read once. */
static struct {
	struct {
		struct wire_site_key key;
		struct wire_site count;
	} sites[4];
	struct {
		uint64_t stack;
		struct wire_assist count;
	} assists[4];
	struct wire_cpu totals;
	union {
		struct wire_event ev;
		struct wire_stack stack;
		struct wire_stop stop;
		struct wire_cycle cycle;
	} events[16];
	size_t sites_nr, assists_nr, events_nr;
} kernel;

int probe_each_site(struct probe *probe,
		    int (*fn)(const struct wire_site_key *key, const struct wire_site *site,
			      void *ctx),
		    void *ctx)
{
	int rc = 0;

	(void)probe;
	for (size_t i = 0; !rc && i < kernel.sites_nr; i++)
		rc = fn(&kernel.sites[i].key, &kernel.sites[i].count, ctx);
	return rc;
}

int probe_each_assist(struct probe *probe,
		      int (*fn)(uint64_t stack, const struct wire_assist *assist, void *ctx),
		      void *ctx)
{
	int rc = 0;

	(void)probe;
	for (size_t i = 0; !rc && i < kernel.assists_nr; i++)
		rc = fn(kernel.assists[i].stack, &kernel.assists[i].count, ctx);
	return rc;
}

/* Of maps it has nothing: see test_map_stream.c. */
int probe_each_map_site(struct probe *probe,
			int (*fn)(const struct wire_map_key *key, const struct wire_map_site *site,
				  void *ctx),
			void *ctx)
{
	(void)probe, (void)fn, (void)ctx;
	return 0;
}

int probe_each_map(struct probe *probe,
		   int (*fn)(uint64_t addr, const struct wire_map *map, void *ctx), void *ctx)
{
	(void)probe, (void)fn, (void)ctx;
	return 0;
}

int probe_get_map(struct probe *probe, uint64_t addr, struct wire_map *ret)
{
	(void)probe, (void)addr, (void)ret;
	return -ENOENT;
}

int probe_drop_map(struct probe *probe, uint64_t addr, const struct wire_map *seen)
{
	(void)probe, (void)addr, (void)seen;
	return -ENOENT;
}

/* Nor of operations: see test_op_stream.c. */
bool plan_has(const struct plan *plan, enum plan_prog prog)
{
	(void)plan, (void)prog;
	return false;
}

uint32_t probe_turn_ops(struct probe *probe)
{
	(void)probe;
	return 0;
}

void probe_op(const struct probe *probe, uint32_t half, uint32_t op, struct wire_op *ret)
{
	(void)probe, (void)half, (void)op, (void)ret;
}

const uint64_t *probe_op_hist(const struct probe *probe, uint32_t half, uint32_t op,
			      enum wire_op_value value)
{
	(void)probe, (void)half, (void)op, (void)value;
	return NULL;
}

int gomap_shape(const struct gomap_reader *r, uint64_t typ_addr, struct go_map_shape *ret)
{
	(void)r, (void)typ_addr, (void)ret;
	return -EINVAL;
}

int gomap_read(const struct gomap_reader *r, struct gomap *maps, size_t nr)
{
	(void)r, (void)maps, (void)nr;
	return -ESRCH;
}

int probe_each_event(struct probe *probe, int (*fn)(const void *data, size_t size, void *ctx),
		     void *ctx)
{
	int rc = 0;

	(void)probe;
	for (size_t i = 0; !rc && i < kernel.events_nr; i++)
		rc = fn(&kernel.events[i], kernel.events[i].ev.size, ctx);
	kernel.events_nr = 0;
	return rc;
}

void probe_totals(const struct probe *probe, struct wire_cpu *ret)
{
	(void)probe;
	*ret = kernel.totals;
}

static void send_stack(uint64_t hash, uint64_t pc)
{
	kernel.events[kernel.events_nr++].stack = (struct wire_stack){
		.ev = { .kind = WIRE_EVENT_STACK, .size = sizeof(struct wire_stack) },
		.hash = hash,
		.pcs_nr = 2,
		.pcs = { pc, 0x58 }
	};
}

/* A program of 16 bytes for each function. */
static const struct {
	const char *func;
	bool inlined, wrapper;
	int addr; /* in units of 16 bytes */
} program[] = {
	{ "runtime.mallocgc", false, false, 1 }, { "main.(*T).Inlined", true, false, 2 },
	{ "main.T.Method", false, false, 2 },	 { "main.(*T).Method", false, true, 3 },
	{ "main.main", false, false, 4 },	 { "runtime.goexit", false, false, 5 },
	{ "runtime.mstart0", false, false, 6 },
};

int gobin_frames(struct gobin *bin, uint64_t va, struct gobin_frame *frames, size_t max)
{
	int nr = 0;

	(void)bin;
	for (size_t i = 0; i < sizeof(program) / sizeof(program[0]); i++) {
		if ((uint64_t)program[i].addr != va / 16 || (size_t)nr == max)
			continue;
		frames[nr] = (struct gobin_frame){ .line = (uint32_t)i,
						   .inlined = program[i].inlined,
						   .wrapper = program[i].wrapper };
		strcpy(frames[nr].func, program[i].func);
		strcpy(frames[nr++].file, "x.go");
	}
	return nr ? nr : -ESRCH;
}

int gobin_type_name(struct gobin *bin, uint64_t va, char *buf, size_t cap)
{
	(void)bin;
	snprintf(buf, cap, "main.T%u", (unsigned int)va);
	return 0;
}

/* A hidden wrapper takes its address with it: the frames above it keep their own. */
static void addresses_stay_with_their_frames(void **state)
{
	static const uint64_t bias = 0x10000;
	static const uint64_t pcs[] = { bias + 0x10, bias + 0x28, bias + 0x38, bias + 0x48,
					bias + 0x58 };
	static const struct {
		const char *func;
		uint64_t pc;
	} expected[] = {
		{ "runtime.mallocgc", 0x10 }, { "main.(*T).Inlined", 0x28 },
		{ "main.T.Method", 0x28 },    { "main.main", 0x48 },
		{ "runtime.goexit", 0x58 },
	};
	enum { NR = sizeof(expected) / sizeof(expected[0]) };
	_model_ *m = NULL;
	struct symbolizer *sym;
	bool cut = true;

	(void)state;
	assert_int_equal(model_new(&m), 0);
	assert_int_equal(symbolizer_new(NULL, m, &sym), 0);
	assert_int_equal(symbolizer_stack(sym, pcs, 5, bias, &cut), 0);
	assert_false(cut);
	const struct stack_row *stack = m->stacks.rows[0];
	assert_int_equal(stack->frames_nr, NR);
	for (size_t i = 0; i < NR; i++) {
		const struct frame_row *frame = m->frames.rows[stack->words[1 + i]];
		assert_string_equal(m->funcs.rows[frame->key.func]->key.name, expected[i].func);
		assert_int_equal(frame->key.pc, expected[i].pc);
	}
	symbolizer_free(sym);
}

/* The frame of a C thread's first function lies outside of what the runtime takes for its stack: the walk ends below it. */
static void a_thread_of_c_ends_at_mstart0(void **state)
{
	static const uint64_t pcs[] = { 0x10, 0x48, 0x68 };
	_model_ *m = NULL;
	struct symbolizer *sym;
	bool cut = true;

	(void)state;
	assert_int_equal(model_new(&m), 0);
	assert_int_equal(symbolizer_new(NULL, m, &sym), 0);
	assert_int_equal(symbolizer_stack(sym, pcs, 3, 0, &cut), 0);
	assert_false(cut);
	cut = true;
	assert_int_equal(symbolizer_stack(sym, pcs, 2, 0, &cut), 1);
	assert_true(cut);
	symbolizer_free(sym);
}

/* A session without a kernel. */
struct session {
	struct model *m;
	struct symbolizer *sym;
	struct stream *stream;
};

static struct session begin(void)
{
	struct session s;
	struct err err;

	memset(&kernel, 0, sizeof(kernel));
	assert_int_equal(model_new(&s.m), 0);
	assert_int_equal(symbolizer_new(NULL, s.m, &s.sym), 0);
	const struct stream_opts opts = { .model = s.m, .symbolizer = s.sym };
	assert_int_equal(stream_new(&opts, &s.stream, &err), 0);
	return s;
}

static void end(struct session *s)
{
	stream_free(s->stream);
	symbolizer_free(s->sym);
	model_free(s->m);
}

static void drain(struct session *s, bool last)
{
	struct err err = { 0 };

	if (stream_drain(s->stream, last, 0, &err))
		fail_msg("%s", err.msg);
}

static uint64_t loss(const struct snapshot *s, const char *key)
{
	for (size_t i = 0; i < s->losses_nr; i++)
		if (!strcmp(s->losses[i].key, key))
			return s->losses[i].count;
	fail_msg("no loss '%s'", key);
	return 0;
}

static void count_site(size_t i, uint64_t stack, uint64_t objects, uint64_t bytes)
{
	kernel.sites[i].key = (struct wire_site_key){ .stack = stack, .size_class = 1 };
	kernel.totals.objects += objects - kernel.sites[i].count.objects;
	kernel.totals.bytes += bytes - kernel.sites[i].count.bytes;
	kernel.sites[i].count = (struct wire_site){ objects, bytes, 1 };
	kernel.sites_nr = i < kernel.sites_nr ? kernel.sites_nr : i + 1;
}

/* A row waits for its stack, and counts as lost only in the end. */
static void rows_wait_for_their_stacks(void **state)
{
	struct session s = begin();

	(void)state;
	count_site(0, HASH, 3, 24);
	count_site(1, HASH + 1, 5, 40);
	kernel.assists[0].stack = HASH + 2;
	kernel.assists[0].count = (struct wire_assist){ 7, 700 };
	kernel.assists_nr = 1;
	send_stack(HASH, 0x48);
	drain(&s, false);
	struct snapshot *snap = take(s.m, (struct snapshot_opts){ 0 });
	/* An interval is whole in itself: what waits isn't in its sums. */
	assert_int_equal(snap->sites_nr, 1);
	assert_string_equal(snap->sites[0].stack->frames[0]->func, "main.main");
	assert_int_equal(snap->total.objects, 3);
	assert_int_equal(snap->total.bytes, 24);
	assert_int_equal(snap->gc.assists_nr, 0);
	snapshot_free(snap);

	count_site(0, HASH, 4, 32);
	drain(&s, true);
	snap = take(s.m, (struct snapshot_opts){ 0 });
	assert_string_equal(snap->sites[0].stack->frames[0]->func, "[stack lost]");
	assert_int_equal(snap->sites[1].count.objects, 4);
	assert_int_equal(snap->total.objects, 9);
	assert_int_equal(snap->gc.assist_ns, 700);
	assert_int_equal(loss(snap, "stack_lost"), 5);
	assert_int_equal(loss(snap, "assist_stack_lost"), 7);
	snapshot_free(snap);
	end(&s);
}

/* What the model has no room for is a loss and in the totals; the rest goes on. */
static void a_full_model_ends_nothing(void **state)
{
	struct session s = begin();
	int64_t id = 0;

	(void)state;
	count_site(0, HASH, 3, 24);
	send_stack(HASH, 0x48);
	drain(&s, false);
	/* All frames are taken, so no new stack has room. */
	for (uint64_t pc = 1; id >= 0; pc++) {
		const struct frame_key key = { .pc = pc << 32 };
		id = intern_frame(s.m, &key);
	}
	assert_int_equal(id, -E2BIG);

	count_site(0, HASH, 10, 80);
	count_site(1, HASH + 1, 5, 40);
	kernel.assists[0].stack = HASH + 1;
	kernel.assists[0].count = (struct wire_assist){ 7, 700 };
	kernel.assists_nr = 1;
	send_stack(HASH + 1, 0x28);
	kernel.events[kernel.events_nr++].stop = (struct wire_stop){
		.ev = { .kind = WIRE_EVENT_STOP, .size = sizeof(struct wire_stop), .mono_ns = 300 },
		.start_ns = 100,
		.stack = HASH + 1,
		.reason = 7,
		.trigger = WIRE_TRIGGER_NONE
	};
	drain(&s, false);
	count_site(1, HASH + 1, 6, 48);
	drain(&s, true);
	struct snapshot *snap = take(s.m, (struct snapshot_opts){ 0 });
	assert_int_equal(snap->total.objects, 16);
	assert_int_equal(snap->sites_nr, 2);
	assert_int_equal(snap->sites[0].count.objects, 10);
	assert_string_equal(snap->sites[1].stack->frames[0]->func, SNAPSHOT_LOST);
	assert_int_equal(snap->sites[1].count.objects, 6);
	assert_int_equal(loss(snap, "model_full"), 6);
	assert_int_equal(loss(snap, "gc_model_full"), 7 + 1);
	assert_int_equal(loss(snap, "stack_lost"), 0);
	assert_int_equal(snap->gc.stops_total, 1);
	assert_int_equal(snap->gc.stopped_ns, 200);
	snapshot_free(snap);
	end(&s);
}

/* A stop of a cycle, and the record of one that comes before its last. */
static void stop_cycle(struct gc_stream *gc, uint8_t reason, uint64_t start_ns, uint64_t ns)
{
	const struct wire_stop stop = { .ev.mono_ns = start_ns + ns,
					.start_ns = start_ns,
					.reason = reason,
					.trigger = reason == MODEL_STOP_SWEEP_TERMINATION
							   ? WIRE_TRIGGER_HEAP
							   : WIRE_TRIGGER_NONE,
					.in_termination = reason == MODEL_STOP_MARK_TERMINATION };

	assert_int_equal(gc_stream_stop(gc, &stop, MODEL_NO_STACK), 0);
}

static void tell_cycle(struct gc_stream *gc, uint32_t number, uint64_t pause_ns)
{
	const struct wire_cycle cycle = { .numgc = number,
					  .pause_ns = pause_ns,
					  .pause_total_ns = pause_ns,
					  .heap_marked = 1000 + number };

	gc_stream_cycle(gc, &cycle);
}

/* Without its record a cycle has its pauses, and counts for the check; another's is never taken. */
static void a_lost_record_makes_a_cycle_unknown(void **state)
{
	_model_ *m = NULL;

	(void)state;
	assert_int_equal(model_new(&m), 0);
	struct gc_stream gc = { .model = m, .first_number = 5 };
	stop_cycle(&gc, MODEL_STOP_SWEEP_TERMINATION, 100, 10);
	tell_cycle(&gc, 5, 15);
	stop_cycle(&gc, MODEL_STOP_MARK_TERMINATION, 200, 5);
	/* Its record is lost. */
	stop_cycle(&gc, MODEL_STOP_SWEEP_TERMINATION, 1100, 20);
	stop_cycle(&gc, MODEL_STOP_MARK_TERMINATION, 1200, 7);
	/* Its last stop is lost; the next cycle's record, too. */
	stop_cycle(&gc, MODEL_STOP_SWEEP_TERMINATION, 2100, 30);
	tell_cycle(&gc, 7, 77);
	stop_cycle(&gc, MODEL_STOP_SWEEP_TERMINATION, 3100, 40);
	stop_cycle(&gc, MODEL_STOP_MARK_TERMINATION, 3200, 9);

	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->gc.cycles_nr, 3);
	assert_true(s->gc.cycles[0].raw.runtime_known);
	assert_int_equal(s->gc.cycles[0].raw.heap_marked, 1005);
	for (size_t i = 1; i < 3; i++) {
		assert_false(s->gc.cycles[i].raw.runtime_known);
		assert_int_equal(s->gc.cycles[i].raw.heap_marked, 0);
	}
	assert_int_equal(s->gc.cycles[1].pause_ns, 27);
	assert_int_equal(s->gc.cycles[2].pause_ns, 49);
	snapshot_free(s);
	struct gc_sums sums = gc_stream_sums(&gc, 6);
	assert_int_equal(sums.cycles, 2);
	assert_int_equal(sums.whole_ns, 15 + 27);
	assert_int_equal(gc.last_number, 5);
	assert_int_equal(gc.last_pause_total_ns, 15);
}

/* A cycle that ended unseen while counting began is in neither sum; two are a difference that stays. */
static void the_first_cycle_may_be_missed(void **state)
{
	_model_ *m = NULL;

	(void)state;
	assert_int_equal(model_new(&m), 0);
	for (uint32_t missed = 0; missed <= 2; missed++) {
		struct gc_stream gc = { .model = m, .first_number = 5, .may_miss_one = true };

		stop_cycle(&gc, MODEL_STOP_SWEEP_TERMINATION, 100, 10);
		gc.ending_known = true;
		gc.ending = (struct wire_cycle){ .numgc = 5 + missed,
						 .pause_ns = 15,
						 .pause_total_ns = 1015 };
		stop_cycle(&gc, MODEL_STOP_MARK_TERMINATION, 200, 5);
		assert_int_equal(gc.first_number, missed == 1 ? 6 : 5);
		assert_int_equal(gc.first_pause_total_ns, missed == 1 ? 1000 : 0);
		assert_int_equal(gc_stream_sums(&gc, 5 + missed).cycles, 1);
	}
}

/* Away in the middle of one cycle, back in that of another: neither is made of parts of both. */
static void what_was_under_way_is_forgotten(void **state)
{
	_model_ *m = NULL;
	struct wire_stop stop = { .ev.mono_ns = 909,
				  .start_ns = 900,
				  .reason = MODEL_STOP_MARK_TERMINATION,
				  .trigger = WIRE_TRIGGER_NONE,
				  .in_termination = 1,
				  .attached = 1 };

	(void)state;
	assert_int_equal(model_new(&m), 0);
	struct gc_stream gc = { .model = m, .first_number = 5 };
	stop_cycle(&gc, MODEL_STOP_SWEEP_TERMINATION, 100, 10);
	tell_cycle(&gc, 8, 15);
	assert_int_equal(gc_stream_stop(&gc, &stop, MODEL_NO_STACK), 0);

	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->gc.cycles_nr, 1);
	assert_int_equal(s->gc.cycles[0].raw.number, 8);
	assert_int_equal(s->gc.cycles[0].raw.start_ns, 0);
	assert_int_equal(s->gc.cycles[0].raw.sweep_pause_ns, 0);
	assert_int_equal(s->gc.cycles[0].raw.trigger, MODEL_TRIGGER_UNKNOWN);
	assert_int_equal(s->gc.cycles[0].pause_ns, 15);
	snapshot_free(s);
	struct gc_sums sums = gc_stream_sums(&gc, 8);
	assert_int_equal(sums.cycles, 1);
	assert_int_equal(sums.whole_ns, 0);
	assert_int_equal(sums.partial_ns, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_stay_with_their_frames),
		cmocka_unit_test(a_thread_of_c_ends_at_mstart0),
		cmocka_unit_test(rows_wait_for_their_stacks),
		cmocka_unit_test(a_full_model_ends_nothing),
		cmocka_unit_test(a_lost_record_makes_a_cycle_unknown),
		cmocka_unit_test(the_first_cycle_may_be_missed),
		cmocka_unit_test(what_was_under_way_is_forgotten),
	};
	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
