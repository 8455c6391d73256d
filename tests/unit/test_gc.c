/* SPDX-License-Identifier: BSD-2-Clause */
/* Garbage collection in the model and its snapshots: what is kept, summed, cut and bounded. */
#include "golden.h"
#include "sample_gc.h"

#include <errno.h>

#include "gobin/goname.h"
#include "model/histogram.h"

static void assert_stack(const struct snapshot_stack *stack, const char *expected)
{
	char text[4096] = "";

	for (size_t i = 0; i < stack->frames_nr; i++) {
		if (i)
			strcat(text, ";");
		strcat(text, stack->frames[i]->func);
	}
	assert_string_equal(text, expected);
}

static void a_histogram_is_close(void **state)
{
	struct histogram *h = calloc(1, sizeof(*h));

	(void)state;
	for (uint64_t ns = 0; ns < UINT64_C(1) << HISTOGRAM_BITS; ns += 1 + ns / 50) {
		memset(h, 0, sizeof(*h));
		histogram_add(h, ns);
		uint64_t back = histogram_rank(h, 1);
		uint64_t apart = back > ns ? back - ns : ns - back;
		/* 1/128: half of a bucket. */
		assert_true(apart * 128 <= ns);
		assert_true(ns >= 128 || apart == 0);
	}
	memset(h, 0, sizeof(*h));
	histogram_add(h, UINT64_MAX);
	assert_int_equal(histogram_rank(h, 1) >> (HISTOGRAM_BITS - 1), 1);
	assert_int_equal(histogram_rank(h, 2), 0);
	free(h);
}

static void octaves_hold_all(void **state)
{
	struct histogram *h = calloc(1, sizeof(*h)), *sum = calloc(1, sizeof(*h));

	(void)state;
	for (unsigned int bits = 1; bits < 64; bits++) {
		histogram_add(h, (UINT64_C(1) << bits) - 1);
		histogram_add(h, UINT64_C(1) << bits);
	}
	histogram_add(h, 0);
	/* 0, 1; then 2^n and 2^(n+1) - 1; all that is longer is in the last. */
	for (unsigned int bits = 0; bits < HISTOGRAM_BITS - 1; bits++)
		assert_int_equal(histogram_octave(h, bits), 2);
	assert_int_equal(histogram_octave(h, HISTOGRAM_BITS - 1),
			 2 * 63 + 1 - 2 * (HISTOGRAM_BITS - 1));
	assert_int_equal(histogram_octave(h, HISTOGRAM_BITS), 0);

	histogram_merge(sum, h);
	histogram_merge(sum, h);
	assert_int_equal(histogram_octave(sum, 7), 4);
	free(h);
	free(sum);
}

static void names_tell_whose_they_are(void **state)
{
	static const char *const inside[] = {
		"runtime.gcStart",
		"runtime.(*mheap).grow",
		"runtime.GC.func1",
		"runtime.goexit",
		"runtime/debug.freeOSMemory",
		"runtime/pprof.runtime_goroutineProfileWithLabels",
		"runtime/pprof.(*profMap).lookup",
		"internal/runtime/maps.NewMap",
		"internal/runtime/maps.(*Map).Delete",
		"runtime.(*Frames).next",
		"runtime.",
		"runtime.Frames.func1",
	};
	static const char *const api[] = {
		"runtime.GC",
		"runtime.ReadMemStats",
		"runtime.GOMAXPROCS",
		"runtime/debug.FreeOSMemory",
		"runtime/pprof.(*Profile).WriteTo",
		"runtime.(*Frames).Next",
	};
	static const char *const other[] = {
		"main.main",
		"runtimes.f",
		"runtime",
		"runtime/x",
		"example.com/runtime.f",
		"encoding/json.(*decodeState).object",
		"",
		"[unknown]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		if (goname_of(inside[i]) != GONAME_RUNTIME_INSIDE)
			fail_msg("%s", inside[i]);
	for (size_t i = 0; i < sizeof(api) / sizeof(api[0]); i++)
		if (goname_of(api[i]) != GONAME_RUNTIME_API)
			fail_msg("%s", api[i]);
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (goname_of(other[i]) != GONAME_OTHER)
			fail_msg("%s", other[i]);
}

static void names_of_the_standard_library_are_known(void **state)
{
	static const char *const std[] = {
		"fmt.Sprintf",
		"encoding/json.(*Decoder).refill",
		"internal/runtime/maps.(*Map).Clear",
		"go/ast.Walk",
		"slices.Grow[go.shape.[]uint8,go.shape.uint8]",
		"sync.(*Map[example.com/x.T]).Load",
		"vendor/golang.org/x/net/http2/hpack.(*Encoder).WriteField",
	};
	static const char *const other[] = {
		"main.main",
		"main.f[go/ast.Node]",
		"go.uber.org/zap.(*Logger).Info",
		"go.etcd.io/etcd/server/v3/etcdserver.NewServer",
		"text.example/fmt.Sprintf",
		"golang.org/x/net/http2.init",
		"fmtx.Sprintf",
		"",
		"[stack lost]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(std) / sizeof(std[0]); i++)
		if (!goname_is_std(std[i]))
			fail_msg("%s", std[i]);
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (goname_is_std(other[i]))
			fail_msg("%s", other[i]);
}

static void stacks_begin_at_what_was_called(void **state)
{
	static const struct {
		const char *all, *shown, *site;
	} cases[] = {
		{ "runtime.gcStart;runtime.GC;main.f;runtime.goexit", "runtime.GC;main.f",
		  "main.f" },
		{ "runtime.gcStart;runtime.GC;runtime/debug.freeOSMemory;runtime/"
		  "debug.FreeOSMemory;main.f",
		  "runtime/debug.FreeOSMemory;main.f",
		  "runtime/debug.freeOSMemory;runtime/debug.FreeOSMemory;main.f" },
		{ "runtime.stopTheWorld;runtime/pprof.runtime_goroutineProfile;runtime/"
		  "pprof.writeGoroutine;"
		  "runtime/pprof.(*Profile).WriteTo;main.f;main.main;runtime.main;runtime.goexit",
		  "runtime/pprof.(*Profile).WriteTo;main.f;main.main;runtime.main",
		  "runtime/pprof.runtime_goroutineProfile;runtime/pprof.writeGoroutine;"
		  "runtime/pprof.(*Profile).WriteTo;main.f;main.main;runtime.main" },
		{ "runtime.gcStart;runtime.mallocgc;runtime.newobject;main.f", "main.f", "main.f" },
		{ "runtime.gcStart;runtime.mallocgc;internal/runtime/maps.NewMap;main.f", "main.f",
		  "main.f" },
		{ "runtime.gcStart;runtime.forcegchelper;runtime.goexit", "runtime.forcegchelper",
		  "runtime.gcStart;runtime.forcegchelper" },
		{ "runtime.goexit", "runtime.goexit", "runtime.goexit" },
		{ "main.f;runtime.goexit", "main.f", "main.f" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_model_ *m = new_model();
		uint32_t stack = sample_stack(m, cases[i].all, false);
		sample_stop(m, 100, 10, 7, stack, 0);
		/* The same stack may be an allocation's, too, and is another one there. */
		sample_add(m, stack, "int", 1, 1, 8);
		_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
		assert_stack(s->gc.stops[0].stack, cases[i].shown);
		assert_stack(s->gc.stoppers[0].stack, cases[i].shown);
		assert_stack(s->sites[0].stack, cases[i].site);
		_snapshot_ *all = take(m, (struct snapshot_opts){ .runtime_frames = true });
		assert_stack(all->gc.stops[0].stack, cases[i].all);
		assert_stack(all->sites[0].stack, cases[i].all);
	}
}

static void stacks_are_searched(void **state)
{
	_model_ *m = new_model();
	uint32_t stack = sample_stack(m, "runtime.gcStart;runtime/debug.FreeOSMemory;main.f",
				      false);

	(void)state;
	assert_true(model_stack_has(m, stack, "runtime/debug."));
	assert_true(model_stack_has(m, stack, "main.f"));
	assert_false(model_stack_has(m, stack, "main.g"));
	assert_false(model_stack_has(m, MODEL_NO_STACK, "main.f"));
}

/* Nearest rank, of 100 pauses of 1 to 100 us in a mixed order. */
static void percentiles_are_of_single_pauses(void **state)
{
	_model_ *m = new_model();

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		sample_stop(m, 1000000 * i, 1000 * (1 + i * 37 % 100), 1 + i % 2, MODEL_NO_STACK,
			    0);
	sample_stop(m, 1, 12345678, 7, MODEL_NO_STACK, 0);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	const struct snapshot_pauses *p = &s->gc.pauses;
	assert_int_equal(p->count, 100);
	assert_int_equal(p->total_ns, 5050000);
	assert_int_equal(p->avg_ns, 50500);
	assert_int_equal(p->p50_ns, 50000);
	assert_int_equal(p->p90_ns, 90000);
	assert_int_equal(p->p99_ns, 99000);
	assert_int_equal(p->max_ns, 100000);
	assert_false(p->estimated);
	assert_int_equal(s->gc.reasons_nr, 3);
	assert_true(s->gc.reasons[0].gc && s->gc.reasons[1].gc && !s->gc.reasons[2].gc);
	assert_int_equal(s->gc.reasons[2].pauses.p50_ns, 12345678);
	assert_int_equal(s->gc.stopped_ns, 5050000 + 12345678);

	uint64_t in_buckets = 0;
	for (size_t i = 0; i < s->gc.buckets_nr; i++) {
		in_buckets += s->gc.buckets[i].count;
		assert_true(i == 0 || s->gc.buckets[i].from_ns == s->gc.buckets[i - 1].to_ns);
	}
	assert_int_equal(in_buckets, 100);
	assert_int_equal(s->gc.buckets[0].from_ns, 512);
	assert_int_equal(s->gc.buckets[s->gc.buckets_nr - 1].to_ns, 131072);
}

static uint64_t apart_ppm(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) * 1000000 / b;
}

/* Many stops of another reason push a cycle's out of the ring, but not out of the percentiles. */
static void each_reason_has_percentiles_of_its_own(void **state)
{
	_model_ *m = new_model();

	(void)state;
	for (uint64_t i = 0; i < MODEL_EVENTS_MAX + 1000; i++) {
		sample_stop(m, 1000000 * i, 1 + i, 7, MODEL_NO_STACK, 0);
		if (i < 100)
			sample_stop(m, 1000000 * i + 500000, 100003 + i * 37 % 100 * 1000,
				    1 + i % 2, MODEL_NO_STACK, 0);
	}
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_false(s->gc.stops[0].raw.gc);
	assert_int_equal(s->gc.pauses.count, 100);
	assert_false(s->gc.pauses.estimated);
	assert_int_equal(s->gc.pauses.p50_ns, 149003);
	assert_int_equal(s->gc.pauses.p99_ns, 198003);
	assert_false(s->gc.reasons[2].pauses.estimated);
	assert_int_equal(s->gc.reasons[2].pauses.p50_ns, (MODEL_EVENTS_MAX + 1000) / 2);
}

/* More stops than are kept: sums stay exact, percentiles close, memory what it is. */
static void what_is_kept_is_bounded(void **state)
{
	enum { NR = MODEL_PAUSES_MAX + 1000 };
	_model_ *m = new_model();

	(void)state;
	for (uint64_t i = 0; i < NR; i++) {
		sample_stop(m, 1000000 * i, 1 + i, 1, MODEL_NO_STACK, 0);
		if (i % 1000 == 0)
			model_next_interval(m, 1000000 * i);
	}
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->gc.stops_nr, MODEL_EVENTS_MAX);
	assert_int_equal(s->gc.stops[0].raw.start_ns, UINT64_C(1000000) * (NR - MODEL_EVENTS_MAX));
	assert_int_equal(s->gc.stops_total, NR);
	assert_int_equal(s->gc.pauses.total_ns, (uint64_t)NR * (NR + 1) / 2);
	assert_true(s->gc.pauses.estimated);
	assert_true(apart_ppm(s->gc.pauses.p50_ns, NR / 2) < 8000);
	assert_true(apart_ppm(s->gc.pauses.p99_ns, (uint64_t)NR * 99 / 100) < 8000);
	assert_int_equal(s->gc.pauses.max_ns, NR);
	assert_int_equal(s->losses_nr, 0);

	/* An interval has fewer. */
	_snapshot_ *last = take(m, (struct snapshot_opts){ .interval = true });
	enum { LAST = (NR - 1) % 1000 };
	assert_int_equal(last->gc.stops_nr, LAST);
	assert_false(last->gc.pauses.estimated);
	assert_int_equal(last->gc.pauses.p50_ns, NR - LAST + (LAST + 1) / 2);
}

static void what_no_interval_showed_is_lost(void **state)
{
	_model_ *m = new_model();

	(void)state;
	for (uint64_t i = 0; i < MODEL_EVENTS_MAX + 10; i++)
		sample_stop(m, i, 1, 1, MODEL_NO_STACK, 0);
	_snapshot_ *s = take(m, (struct snapshot_opts){ .interval = true });
	assert_int_equal(s->gc.stops_nr, MODEL_EVENTS_MAX);
	assert_int_equal(s->gc.stops_total, MODEL_EVENTS_MAX + 10);
	assert_int_equal(s->losses_nr, 1);
	assert_string_equal(s->losses[0].key, "gc_overwritten");
	assert_int_equal(s->losses[0].count, 10);
}

static void an_interval_is_what_was_added(void **state)
{
	_model_ *m = new_model();
	uint32_t f = sample_stack(m, "runtime.GC;main.f", false);

	(void)state;
	sample_cycle(m, 1, 1000, 10, MODEL_TRIGGER_RUNTIME_GC, f, 7);
	uint32_t assist = sample_id(model_assist(m, f));
	model_assist_add(m, assist, 5, 500);
	model_next_interval(m, 10000000);
	_snapshot_ *none = take(m, (struct snapshot_opts){ .interval = true });
	assert_false(snapshot_gc_any(&none->gc));
	assert_int_equal(none->gc.reasons_nr + none->gc.stoppers_nr + none->gc.forced_nr +
				 none->gc.assists_nr + none->gc.buckets_nr + none->gc.cycles_nr,
			 0);

	sample_cycle(m, 2, 20000000, 20, MODEL_TRIGGER_HEAP, f, 7);
	model_assist_add(m, assist, 2, 30);
	_snapshot_ *s = take(m, (struct snapshot_opts){ .interval = true });
	assert_int_equal(s->gc.cycles_nr, 1);
	assert_int_equal(s->gc.cycles[0].raw.number, 2);
	assert_int_equal(s->gc.cycles_total, 1);
	assert_int_equal(s->gc.forced_total, 0);
	assert_int_equal(s->gc.stops_nr, 2);
	assert_int_equal(s->gc.pauses.max_ns, 40000);
	assert_int_equal(s->gc.pauses.total_ns, 60000);
	assert_int_equal(s->gc.assists[0].count, 2);
	assert_int_equal(s->gc.assist_ns, 30);

	_snapshot_ *all = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(all->gc.cycles_total, 2);
	assert_int_equal(all->gc.forced_total, 1);
	assert_int_equal(all->gc.pauses.total_ns, 90000);
	assert_int_equal(all->gc.assist_ns, 530);
	assert_int_equal(all->gc.forced[0].count, 1);
	assert_string_equal(all->gc.forced[0].what, "runtime.GC");
}

/* gallop gc prints what each interval has: everything once, and in the order in which it ended. */
static void intervals_show_every_event_once(void **state)
{
	_model_ *m = new_model();
	uint32_t seen = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		sample_cycle(m, i, UINT64_C(10000000) * (i + 1), 10, MODEL_TRIGGER_HEAP,
			     MODEL_NO_STACK, 0);
		if (i % 7)
			continue;
		_snapshot_ *s = take(m, (struct snapshot_opts){ .interval = true });
		for (size_t k = 0; k < s->gc.cycles_nr; k++)
			assert_int_equal(s->gc.cycles[k].raw.number, seen++);
		assert_int_equal(s->gc.stops_nr, 2 * s->gc.cycles_nr);
		model_next_interval(m, 1);
	}
	assert_int_equal(seen, 995);
}

static void callers_that_look_the_same_are_one(void **state)
{
	_model_ *m = new_model();

	(void)state;
	sample_stop(m, 10, 100, 7,
		    sample_stack(m, "runtime.stopTheWorld;runtime.ReadMemStats;main.f", false), 1);
	sample_stop(m, 500, 200, 7,
		    sample_stack(m, "runtime.stopTheWorldGC;runtime.ReadMemStats;main.f", false),
		    2);
	sample_stop(m, 900, 1, 9, sample_stack(m, "runtime.ReadMemStats;main.f", false), 2);
	sample_stop(m, 1000, 50, 7, MODEL_NO_STACK, 2);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->gc.stoppers_nr, 3);
	assert_int_equal(s->gc.stoppers[0].count, 2);
	assert_int_equal(s->gc.stoppers[0].ns, 300);
	assert_string_equal(s->gc.stoppers[0].what, "read mem stats");
	assert_stack(s->gc.stoppers[1].stack, "[unknown]");
	assert_string_equal(s->gc.stoppers[2].what, "GOMAXPROCS");
	assert_null(s->gc.stops[3].stack);
}

/* What a table without stacks shows: one row for each place, whatever is below and above it. */
static void callers_are_summed_by_requester(void **state)
{
	_model_ *m = new_model();
	static const struct {
		const char *stack;
		uint64_t ns;
		uint32_t reason;
	} stops[] = {
		{ "runtime.ReadMemStats;main.f;main.a", 10, 7 },
		{ "runtime.ReadMemStats;main.f;main.b", 20, 7 },
		{ "runtime.GOMAXPROCS;main.f;main.b", 25, 9 },
		{ "main.f;main.c", 1, 7 },
		{ "runtime.forcegchelper", 28, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		sample_stop(m, 100 * i, stops[i].ns, stops[i].reason,
			    sample_stack(m, stops[i].stack, false), 0);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->gc.stoppers_nr, 5);
	size_t nr;
	_cleanup_free_ struct snapshot_caller *v =
		snapshot_by_requester(s->gc.stoppers, s->gc.stoppers_nr, false, &nr);
	assert_int_equal(nr, 3);
	assert_int_equal(v[0].ns, 31);
	assert_int_equal(v[0].count, 3);
	assert_stack(v[0].stack, "runtime.ReadMemStats;main.f;main.b");
	assert_string_equal(snapshot_requester(v[0].stack)->func, "main.f");
	assert_string_equal(v[1].what, "GC sweep termination");
	assert_string_equal(snapshot_requester(v[1].stack)->func, "runtime.forcegchelper");
	assert_int_equal(v[2].ns, 25);
}

static void goals_that_nothing_reaches_are_none(void **state)
{
	(void)state;
	assert_false(snapshot_has_goal(0));
	assert_true(snapshot_has_goal(4 << 20));
	assert_true(snapshot_has_goal(UINT64_C(1) << 40));
	/* As seen with GOGC=off: the memory limit of 2^63 - 1 less what isn't heap. */
	assert_false(snapshot_has_goal(UINT64_C(8946670875743260000)));
	assert_false(snapshot_has_goal(UINT64_MAX));
}

static void odd_numbers_are_bounded(void **state)
{
	_model_ *m = new_model();
	struct model_stop stop = {
		.start_ns = 10, .end_ns = 5, .stopped_ns = 7, .stack = 3, .reason = 99, .gc = true
	};
	struct model_cycle cycle;

	(void)state;
	assert_int_equal(model_add_stop(m, &stop), 0);
	stop = (struct model_stop){ .start_ns = 0, .end_ns = UINT64_MAX, .stack = MODEL_NO_STACK };
	for (int i = 0; i < 4; i++)
		assert_int_equal(model_add_stop(m, &stop), 0);
	memset(&cycle, 0xff, sizeof(cycle));
	cycle.runtime_known = true;
	assert_int_equal(model_add_cycle(m, &cycle), 0);
	/* Phases in the wrong order are none. */
	cycle = (struct model_cycle){ .start_ns = 5,
				      .mark_start_ns = 4,
				      .mark_end_ns = 8,
				      .end_ns = 9,
				      .trigger = MODEL_TRIGGER_NR,
				      .stack = 1,
				      .cpu_fraction = -1 };
	assert_int_equal(model_add_cycle(m, &cycle), 0);
	assert_int_equal(model_assist(m, 0), -EINVAL);

	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->gc.stops[0].pause_ns, 0);
	assert_int_equal(s->gc.stops[0].raw.stopped_ns, 0);
	assert_string_equal(s->gc.stops[0].reason, "unknown");
	assert_int_equal(s->gc.stops[1].pause_ns, UINT64_C(1) << 62);
	assert_int_equal(s->gc.stopped_ns, INT64_MAX);
	assert_true(s->gc.cycles[0].raw.cpu_fraction == 0);
	assert_int_equal(s->gc.cycles[0].raw.pause_ns, INT64_MAX);
	assert_int_equal(s->gc.cycles[1].raw.start_ns, 0);
	assert_int_equal(s->gc.cycles[1].mark_ns, 0);
	assert_string_equal(s->gc.cycles[1].trigger, "unknown");
}

/* Nothing is shown of what the runtime didn't tell, whatever stands there. */
static void what_the_runtime_did_not_tell_is_unknown(void **state)
{
	_model_ *m = new_model();
	uint32_t f = sample_stack(m, "runtime.GC;main.f", false);
	struct model_cycle cycle = { .number = 7,
				     .stack = f,
				     .trigger = MODEL_TRIGGER_RUNTIME_GC,
				     .start_ns = 100,
				     .mark_start_ns = 110,
				     .mark_end_ns = 200,
				     .end_ns = 205,
				     .sweep_pause_ns = 10,
				     .mark_pause_ns = 5,
				     .pause_ns = 99,
				     .heap_marked = 1,
				     .goal = 2,
				     .next_goal = 3,
				     .assist_ns = 4,
				     .cpu_fraction = 0.5 };

	(void)state;
	assert_int_equal(model_add_cycle(m, &cycle), 0);
	cycle.start_ns = 0;
	assert_int_equal(model_add_cycle(m, &cycle), 0);
	sample_cycle(m, 9, 1000, 10, MODEL_TRIGGER_HEAP, f, 7);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	const struct model_cycle *raw = &s->gc.cycles[0].raw;
	assert_int_equal(raw->number + raw->pause_ns + raw->heap_marked + raw->goal +
				 raw->next_goal + raw->assist_ns,
			 0);
	assert_true(raw->cpu_fraction == 0);
	assert_int_equal(s->gc.cycles[0].pause_ns, 15);
	assert_int_equal(s->gc.cycles[1].pause_ns, 0);
	assert_int_equal(s->gc.cycles[2].pause_ns, 30000);
	assert_int_equal(s->gc.forced[0].ns, 30);
	assert_int_equal(s->gc.runtime_unknown, 2);
}

static void words_are_gos_own(void **state)
{
	(void)state;
	assert_string_equal(model_stop_reason(0), "unknown");
	assert_string_equal(model_stop_reason(1), "GC mark termination");
	assert_string_equal(model_stop_reason(2), "GC sweep termination");
	assert_string_equal(model_stop_reason(7), "read mem stats");
	assert_string_equal(model_stop_reason(11), "stop trace");
	assert_string_equal(model_stop_reason(17), "unknown");
	assert_string_equal(model_trigger(MODEL_TRIGGER_FREE_OS_MEMORY), "debug.FreeOSMemory");
	assert_string_equal(model_trigger(MODEL_TRIGGER_NR), "unknown");
	for (uint32_t i = 0; i < MODEL_STOP_REASONS; i++)
		assert_true(strlen(model_stop_reason(i)) < 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_histogram_is_close),
		cmocka_unit_test(octaves_hold_all),
		cmocka_unit_test(names_tell_whose_they_are),
		cmocka_unit_test(names_of_the_standard_library_are_known),
		cmocka_unit_test(stacks_begin_at_what_was_called),
		cmocka_unit_test(stacks_are_searched),
		cmocka_unit_test(percentiles_are_of_single_pauses),
		cmocka_unit_test(each_reason_has_percentiles_of_its_own),
		cmocka_unit_test(what_is_kept_is_bounded),
		cmocka_unit_test(what_no_interval_showed_is_lost),
		cmocka_unit_test(an_interval_is_what_was_added),
		cmocka_unit_test(intervals_show_every_event_once),
		cmocka_unit_test(callers_that_look_the_same_are_one),
		cmocka_unit_test(callers_are_summed_by_requester),
		cmocka_unit_test(goals_that_nothing_reaches_are_none),
		cmocka_unit_test(odd_numbers_are_bounded),
		cmocka_unit_test(what_the_runtime_did_not_tell_is_unknown),
		cmocka_unit_test(words_are_gos_own),
	};
	return cmocka_run_group_tests_name("gc", tests, NULL, NULL);
}
