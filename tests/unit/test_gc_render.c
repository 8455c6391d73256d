/* SPDX-License-Identifier: BSD-2-Clause */
/* Garbage collection in every format. */
#include "golden.h"
#include "json_query.h"
#include "sample_gc.h"

#include <errno.h>
#include <time.h>

#include "render/formats.h"

static struct model *gc_model(void)
{
	return sample_model(2, sample_gc_tick, NULL);
}

static int render_lines(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	render_gc_header(out, opts);
	return render_gc_events(out, s, opts);
}

static void golden_outputs(void **state)
{
	static const struct {
		const char *name;
		render_fn *render;
		const char *format;
		struct snapshot_opts snapshot;
		struct render_opts opts;
	} cases[] = {
		{ .name = "gc-lines", .render = render_lines },
		{ .name = "gc-lines-interval",
		  .render = render_lines,
		  .snapshot = { .interval = true } },
		{ .name = "gc-summary", .render = render_gc_summary },
		{ .name = "gc-summary-stacks",
		  .render = render_gc_summary,
		  .opts = { .stacks = true, .top_nr = 1, .color = true } },
		{ .name = "gc-text", .format = "text", .opts = { .top_nr = 2 } },
		{ .name = "gc-json", .format = "json" },
		{ .name = "gc-jsonl", .format = "jsonl" },
		{ .name = "gc-trace", .format = "trace" },
		{ .name = "gc-collapsed-assist",
		  .format = "collapsed",
		  .opts = { .value = SNAPSHOT_ASSIST } },
		{ .name = "gc-collapsed-stw",
		  .format = "collapsed",
		  .opts = { .value = SNAPSHOT_STW } },
	};
	struct model *m = gc_model();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snapshot *s = take(m, cases[i].snapshot);
		render_fn *render = cases[i].render ? cases[i].render
						    : renderer_find(cases[i].format)->render;
		_cleanup_free_ char *text = rendered(render, s, cases[i].opts);
		assert_golden(cases[i].name, text);
		snapshot_free(s);
	}
	model_free(m);
}

/*
 * The same when the GC's state is not known: what is left is what was seen of its stops. The first
 * cycle's beginning was missed, too.
 */
static struct model *unknown_model(void)
{
	const struct model_cycle missed = { .stack = MODEL_NO_STACK, .mark_pause_ns = 24000 };
	struct model *m = sample_model(1, NULL, NULL);
	uint32_t f = sample_stack(m, "runtime.gcStart;runtime.GC;main.handle", false);
	const struct model_cycle cycle = { .stack = f,
					   .goid = 21,
					   .trigger = MODEL_TRIGGER_RUNTIME_GC,
					   .start_ns = SAMPLE_START + 50 * SAMPLE_MS,
					   .mark_start_ns = SAMPLE_START + 50 * SAMPLE_MS + 9000,
					   .mark_end_ns = SAMPLE_START + 52 * SAMPLE_MS,
					   .end_ns = SAMPLE_START + 52 * SAMPLE_MS + 15000,
					   .sweep_pause_ns = 9000,
					   .mark_pause_ns = 15000 };

	sample_stop(m, SAMPLE_START + SAMPLE_MS, 24000, 1, MODEL_NO_STACK, 0);
	assert_int_equal(model_add_cycle(m, &missed), 0);
	sample_stop(m, cycle.start_ns, 9000, 2, f, 21);
	sample_stop(m, cycle.mark_end_ns, 15000, 1, MODEL_NO_STACK, 0);
	assert_int_equal(model_add_cycle(m, &cycle), 0);
	strcpy(model_gc_check(m)->why_not, "the runtime's GC counters could not be read");
	model_add_note(
		m, "of GC cycles only the stops can be seen: the GC's state in this version of Go "
		   "is not known");
	return m;
}

static int render_all(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	render_lines(out, s, opts);
	render_gc_summary(out, s, opts);
	render_text(out, s, opts);
	render_top_block(out, s, s, opts);
	render_jsonl(out, s, opts);
	return render_trace(out, s, opts);
}

static void golden_unknown(void **state)
{
	struct model *m = unknown_model();
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *text = rendered(render_all, s, (struct render_opts){ .top_nr = 1 });

	(void)state;
	assert_golden("gc-unknown", text);
	snapshot_free(s);
	model_free(m);
}

static void golden_top(void **state)
{
	struct model *m = gc_model();
	struct snapshot *interval = take(m, (struct snapshot_opts){ .interval = true });
	struct snapshot *total = take(m, (struct snapshot_opts){ 0 });
	const struct render_opts opts = { .top_nr = 2 };
	char *text = NULL;
	size_t sz;
	FILE *out = open_memstream(&text, &sz);

	(void)state;
	assert_int_equal(render_top_block(out, interval, total, &opts), 0);
	fclose(out);
	assert_golden("gc-top", text);
	free(text);
	snapshot_free(interval);
	snapshot_free(total);
	model_free(m);
}

static char *rendered_top(const struct model *m)
{
	struct snapshot *interval = take(m, (struct snapshot_opts){ .interval = true });
	struct snapshot *total = take(m, (struct snapshot_opts){ 0 });
	char *text = NULL;
	size_t sz;
	FILE *out = open_memstream(&text, &sz);

	assert_int_equal(render_top_block(out, interval, total, &(struct render_opts){ 0 }), 0);
	fclose(out);
	snapshot_free(interval);
	snapshot_free(total);
	return text;
}

/* A live view never says of stops that nobody looked at that there were none. */
static void top_says_what_is_not_looked_at(void **state)
{
	struct model *m = gc_model();
	uint64_t *off_ns = &model_gc_check(m)->off_ns, end_ns = model_meta(m)->end_mono_ns;

	(void)state;
	*off_ns = SAMPLE_S / 2;
	model_next_interval(m, end_ns);
	model_meta(m)->end_mono_ns = end_ns + SAMPLE_S;
	_cleanup_free_ char *all = rendered_top(m);
	assert_non_null(strstr(all, "GC: 0 cycles (0.00/s)"));
	*off_ns += SAMPLE_S / 4;
	_cleanup_free_ char *most = rendered_top(m);
	assert_non_null(strstr(most, "GC, looked at for 750 ms: 0 cycles (0.00/s)"));
	*off_ns += SAMPLE_S / 4 * 3;
	_cleanup_free_ char *none = rendered_top(m);
	assert_non_null(strstr(none, "GC: stops and cycles are not looked at one by one now"));
	assert_null(strstr(none, "GC: 0 cycles"));
	model_free(m);
}

static char *rendered_as(const struct model *m, const char *format, struct render_opts opts)
{
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	char *text = rendered(renderer_find(format)->render, s, opts);

	snapshot_free(s);
	return text;
}

static void json_adds_up(void **state)
{
	struct model *m = gc_model();
	_cleanup_free_ char *json = rendered_as(m, "json", (struct render_opts){ 0 });

	(void)state;
	assert_query(json, "SELECT ?1 ->> '$.gc.cycles'", "7");
	assert_query(json, "SELECT ?1 ->> '$.gc.forced'", "3");
	assert_query(json, "SELECT count(*) FROM json_each(?1, '$.gc.list')", "7");
	assert_query(json,
		     "SELECT sum(value ->> 'stopped_ns') = ?1 ->> '$.gc.pause_total_ns' "
		     "FROM json_each(?1, '$.gc.stops') WHERE value ->> 'gc'",
		     "1");
	assert_query(json,
		     "SELECT sum(value ->> 'ns') = ?1 ->> '$.gc.assist_ns' "
		     "FROM json_each(?1, '$.gc.assists')",
		     "1");
	/* The pauses of each cycle that was seen whole are the runtime's. */
	assert_query(json,
		     "SELECT count(*) FROM json_each(?1, '$.gc.list') WHERE value ->> 'pause_ns' "
		     "= value ->> 'sweep_pause_ns' + value ->> 'mark_pause_ns'",
		     "6");
	assert_query(json, "SELECT ?1 ->> '$.gc.list[0].start_ns'", "null");
	assert_query(json, "SELECT ?1 ->> '$.gc.list[0].next_goal'", "null");
	assert_query(json, "SELECT ?1 ->> '$.gc.list[2].stack[0].func'", "runtime.GC");
	assert_query(json, "SELECT ?1 ->> '$.gc.list[3].stack[0].func'",
		     "runtime/debug.FreeOSMemory");
	assert_query(json,
		     "SELECT sum(value ->> 'count') FROM json_each(?1, '$.gc.summary.histogram')",
		     "13");
	assert_query(json, "SELECT ?1 ->> '$.gc.check.gallop_pause_ns'", "4314000");
	model_free(m);
}

static void lines_of_json_are_json(void **state)
{
	struct model *m = gc_model();
	_cleanup_free_ char *lines = rendered_as(m, "jsonl", (struct render_opts){ 0 });
	static const char *const first[] = {
		"meta", "stop", "gc_cycle", "stop", "stop", "gc_cycle"
	};
	char *save = NULL, *last = NULL;
	size_t nr = 0;
	double ts = 0;

	(void)state;
	for (char *line = strtok_r(lines, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save), nr++) {
		assert_query(line, "SELECT json_valid(?1)", "1");
		if (nr < sizeof(first) / sizeof(first[0]))
			assert_query(line, "SELECT ?1 ->> 'type'", first[nr]);
		if (nr == 0)
			assert_query(line, "SELECT ?1 ->> 'schema'", "gallop/1");
		_cleanup_free_ char *now = query("SELECT coalesce(?1 ->> 'ts_ns', 1e300)", line);
		assert_true(nr == 0 || atof(now) >= ts);
		ts = nr ? atof(now) : 0;
		last = line;
	}
	/* 13 + 3 stops, 7 cycles, and the three around them. */
	assert_int_equal(nr, 16 + 7 + 3);
	assert_query(last, "SELECT ?1 ->> 'type'", "loss");
	assert_query(last, "SELECT ?1 ->> 'total'", "7");
	model_free(m);
}

/* What a viewer needs: every slice has a named lane, and slices of a lane nest. */
static void assert_trace(const char *json)
{
	assert_query(json, "SELECT json_valid(?1)", "1");
	assert_query(json,
		     "SELECT count(*) FROM json_each(?1, '$.traceEvents') WHERE value ->> 'ph' "
		     "NOT IN ('M', 'X', 'C')",
		     "0");
	assert_query(json,
		     "SELECT count(*) FROM json_each(?1, '$.traceEvents') WHERE "
		     "value ->> 'ph' IN ('X', 'C') AND (value ->> 'ts' < 0 OR value ->> 'dur' < 0)",
		     "0");
	assert_query(json,
		     "SELECT count(*) FROM json_each(?1, '$.traceEvents') WHERE "
		     "value ->> 'ph' = 'X' AND value ->> 'tid' NOT IN (SELECT value ->> 'tid' "
		     "FROM json_each(?1, '$.traceEvents') WHERE value ->> 'name' = 'thread_name')",
		     "0");
	/* In nanoseconds, as whole numbers: two slices overlap and none is in the other. */
	assert_query(json,
		     "WITH x AS (SELECT key AS id, value ->> 'tid' AS tid, "
		     "CAST(round((value ->> 'ts') * 1000) AS INTEGER) AS a, "
		     "CAST(round((value ->> 'ts') * 1000) AS INTEGER) + "
		     "CAST(round((value ->> 'dur') * 1000) AS INTEGER) AS b "
		     "FROM json_each(?1, '$.traceEvents') WHERE value ->> 'ph' = 'X') "
		     "SELECT count(*) FROM x AS p JOIN x AS q ON p.tid = q.tid AND p.id < q.id "
		     "WHERE p.a < q.a AND q.a < p.b AND p.b < q.b",
		     "0");
}

static void a_trace_can_be_drawn(void **state)
{
	struct model *m = gc_model();
	_cleanup_free_ char *json = rendered_as(m, "trace", (struct render_opts){ 0 });

	(void)state;
	assert_trace(json);
	assert_query(json,
		     "SELECT count(*) FROM json_each(?1, '$.traceEvents') WHERE "
		     "value ->> 'ph' = 'X' AND value ->> 'tid' = 1",
		     "16");
	assert_query(json,
		     "SELECT count(*) FROM json_each(?1, '$.traceEvents') WHERE "
		     "value ->> 'ph' = 'X' AND value ->> 'name' = 'mark'",
		     "6");
	assert_query(json,
		     "SELECT sum(value ->> 'dur') FROM json_each(?1, '$.traceEvents') WHERE "
		     "value ->> 'tid' = 1 AND value ->> 'name' LIKE 'GC %'",
		     "4334.0");
	model_free(m);
}

/* Events that overlap, end before they begin, or began before everything; names of any bytes. */
static struct model *odd_model(uint32_t seed)
{
	struct model *m;

	assert_int_equal(model_new(&m), 0);
	sample_meta(m);
	strcpy(model_meta(m)->comm, "e\033[31mvil\n\"");
	for (int i = 0; i < 300; i++) {
		uint64_t t[4];
		for (int k = 0; k < 4; k++) {
			seed = seed * 1664525 + 1013904223;
			t[k] = SAMPLE_START - 20000 + (seed >> 12) % 100000;
		}
		static const char *const funcs[] = {
			"a\033]0;b",
			"runtime.GC;main.f\xff\"\\",
			"",
			"runtime.gcStart",
			"x y 12;\n",
			"example.com/a/very/long/path/that/goes/on/and/on/"
			"pkg.(*AVeryLongReceiverName).AndAMethod",
		};
		uint32_t stack = seed % 7 == 6 ? MODEL_NO_STACK
					       : sample_stack(m, funcs[seed % 7 % 6], seed & 64);
		const struct model_stop stop = { .start_ns = t[0],
						 .stopped_ns = t[1],
						 .end_ns = t[2],
						 .goid = seed & 8 ? UINT64_MAX : 0,
						 .stack = stack,
						 .reason = seed % 20,
						 .gc = seed & 16 };
		const struct model_cycle cycle = { .runtime_known = seed & 32,
						   .number = seed,
						   .stack = stack,
						   .goid = t[3],
						   .trigger = (enum model_trigger)(seed % 8),
						   .start_ns = t[0],
						   .mark_start_ns = t[1],
						   .mark_end_ns = t[2],
						   .end_ns = t[3],
						   .sweep_pause_ns = t[3] << (seed % 30),
						   .mark_pause_ns = t[2],
						   .pause_ns = t[1],
						   .heap_marked = t[1] << (seed % 30),
						   .goal = t[2],
						   .cpu_fraction = 1 };
		assert_int_equal(model_add_stop(m, &stop), 0);
		assert_int_equal(model_add_cycle(m, &cycle), 0);
		if (stack != MODEL_NO_STACK)
			model_assist_add(m, sample_id(model_assist(m, stack)), seed % 5, t[0]);
	}
	return m;
}

static void odd_events_are_shown(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed < 10; seed++) {
		struct model *m = odd_model(seed);
		struct snapshot *s = take(m, (struct snapshot_opts){ .runtime_frames = seed % 2 });
		const struct render_opts opts = { .stacks = true };
		_cleanup_free_ char *lines = rendered(render_lines, s, opts);
		/* Times of centuries are wider than their columns. */
		assert_lines(lines, 160);
		_cleanup_free_ char *summary = rendered(render_gc_summary, s, opts);
		assert_lines(summary, 160);
		_cleanup_free_ char *json = rendered(renderer_find("json")->render, s, opts);
		assert_query(json, "SELECT json_valid(?1)", "1");
		_cleanup_free_ char *trace = rendered(renderer_find("trace")->render, s, opts);
		assert_trace(trace);
		snapshot_free(s);
		model_free(m);
	}
}

static void lines_fit(void **state)
{
	struct model *m = gc_model();
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *lines = rendered(render_lines, s, (struct render_opts){ 0 });
	_cleanup_free_ char *summary = rendered(render_gc_summary, s,
						(struct render_opts){ .stacks = true });

	(void)state;
	assert_lines(lines, 110);
	assert_lines(summary, 100);
	snapshot_free(s);
	model_free(m);
}

/* Numbers that aren't exact are marked, and no row is wider for it. */
static void estimates_are_marked(void **state)
{
	struct model *m = gc_model();
	const struct model_stop stop = {
		.start_ns = 1000, .end_ns = 51000, .stack = MODEL_NO_STACK, .reason = 5
	};

	(void)state;
	for (int i = 0; i <= MODEL_PAUSES_MAX; i++)
		assert_int_equal(model_add_stop(m, &stop), 0);
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *summary = rendered(render_gc_summary, s, (struct render_opts){ 0 });

	assert_lines(summary, 100);
	assert_non_null(strstr(summary, " ~49.9 us ~49.9 us ~49.9 us  50.0 us"));
	assert_non_null(strstr(summary, "\n~ within 0.8 %: there were too many"));
	assert_null(strstr(summary, "~20.0 us"));
	snapshot_free(s);
	model_free(m);
}

static void the_check_says_what_differs(void **state)
{
	static const struct {
		struct model_gc_check check;
		const char *said;
	} cases[] = {
		{ { .known = true,
		    .exact = true,
		    .runtime_cycles = 12,
		    .gallop_cycles = 12,
		    .runtime_pause_ns = 3435601,
		    .gallop_pause_ns = 3435601 },
		  "check: runtime counted 12 cycles and 3,435,601 ns of pauses, gallop 12 and "
		  "3,435,601 ns: "
		  "\033[32mequal\033[0m\n" },
		{ { .known = true,
		    .exact = true,
		    .runtime_cycles = 1,
		    .gallop_cycles = 1,
		    .runtime_pause_ns = 1000000,
		    .gallop_pause_ns = 999999 },
		  "1 cycle and 1,000,000 ns of pauses, gallop 1 and 999,999 ns: "
		  "\033[31m99.999 % of the pauses\033[0m\n" },
		{ { .known = true,
		    .runtime_cycles = 20,
		    .gallop_cycles = 20,
		    .runtime_pause_ns = 7060127,
		    .gallop_pause_ns = 6776592 },
		  "\033[32m95.983 % of the pauses\033[0m (this Go doesn't tell its own times)\n" },
		{ { .known = true,
		    .runtime_cycles = 20,
		    .gallop_cycles = 20,
		    .runtime_pause_ns = 1000,
		    .gallop_pause_ns = 900 },
		  "\033[31m90.000 % of" },
		{ { .known = true, .exact = true, .runtime_cycles = 3, .gallop_cycles = 2 },
		  "\033[31m1 cycle missing\033[0m\n" },
		{ { .known = true, .exact = true, .runtime_cycles = 3, .gallop_cycles = 5 },
		  "\033[31m2 cycles too many\033[0m\n" },
		{ { .known = true,
		    .exact = true,
		    .runtime_cycles = 30,
		    .gallop_cycles = 20,
		    .runtime_pause_ns = 3000,
		    .gallop_pause_ns = 2000,
		    .off_ns = 12 * (uint64_t)SAMPLE_S },
		  "check: runtime counted 30 cycles and 3,000 ns of pauses, one by one 20 were "
		  "seen: not those of 12.0 s, to keep the budget\n" },
		{ { .known = true,
		    .exact = true,
		    .runtime_cycles = 3,
		    .gallop_cycles = 5,
		    .off_ns = SAMPLE_S },
		  "\033[31m2 cycles too many\033[0m\n" },
		{ { .why_not = "no symbols" }, "check: not available: no symbols\n" },
		{ { .known = true, .exact = true }, "\033[32mequal\033[0m\n" },
	};
	struct model *m = gc_model();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		*model_gc_check(m) = cases[i].check;
		struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
		_cleanup_free_ char *text = rendered(render_gc_summary, s,
						     (struct render_opts){ .color = true });
		if (!strstr(text, cases[i].said))
			fail_msg("'%s' is not in '%s'", cases[i].said, strstr(text, "check:"));
		snapshot_free(s);
	}
	model_free(m);
}

/* What only the runtime counted is in the sums that are its own, and told apart from what was seen. */
static void what_was_not_looked_at_is_counted(void **state)
{
	struct model *m = gc_model();
	struct model_gc_check *check = model_gc_check(m);

	(void)state;
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	uint64_t seen = s->gc.cycles_total, seen_ns = s->gc.pauses.total_ns;
	assert_int_equal(s->gc.unseen_cycles, 0);
	snapshot_free(s);

	*check = (struct model_gc_check){ .known = true,
					  .exact = true,
					  .runtime_cycles = seen + 100,
					  .gallop_cycles = seen,
					  .runtime_pause_ns = seen_ns + 5000,
					  .gallop_pause_ns = seen_ns,
					  .off_ns = SAMPLE_S };
	s = take(m, (struct snapshot_opts){ 0 });
	assert_true(snapshot_gc_check_holds(&s->gc.check));
	assert_int_equal(s->gc.unseen_cycles, 100);
	assert_int_equal(s->gc.unseen_pause_ns, 5000);
	_cleanup_free_ char *json = rendered(render_json, s, (struct render_opts){ 0 });
	char number[32];
	snprintf(number, sizeof(number), "%llu", (unsigned long long)seen + 100);
	assert_query(json, "SELECT ?1 ->> '$.gc.cycles'", number);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)seen_ns + 5000);
	assert_query(json, "SELECT ?1 ->> '$.gc.pause_total_ns'", number);
	_cleanup_free_ char *text = rendered(render_gc_summary, s, (struct render_opts){ 0 });
	assert_non_null(strstr(text, " of pauses; 7 seen one by one, "));
	snapshot_free(s);

	/* Without a gap nothing is made up for. */
	check->off_ns = 0;
	s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->gc.unseen_cycles, 0);
	assert_false(snapshot_gc_check_holds(&s->gc.check));
	snapshot_free(s);
	model_free(m);
}

static void nothing_seen_is_nothing_shown(void **state)
{
	struct model *m = sample_model(1, NULL, NULL);
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *text = rendered_as(m, "text", (struct render_opts){ 0 });
	_cleanup_free_ char *stw = rendered_as(m, "collapsed",
					       (struct render_opts){ .value = SNAPSHOT_STW });
	_cleanup_free_ char *summary = rendered(render_gc_summary, s, (struct render_opts){ 0 });
	_cleanup_free_ char *trace = rendered_as(m, "trace", (struct render_opts){ 0 });

	(void)state;
	assert_null(strstr(text, "GC"));
	assert_null(strstr(text, "Garbage"));
	assert_string_equal(stw, "");
	assert_non_null(strstr(summary, "no cycle and no stop of the world was seen\n"));
	assert_trace(trace);
	snapshot_free(s);
	model_free(m);
}

static void formats_are_found(void **state)
{
	(void)state;
	assert_string_equal(renderer_for_path("gc.trace.json")->name, "trace");
	assert_string_equal(renderer_for_path("gc.json")->name, "json");
	assert_string_equal(renderer_for_path("trace.json")->name, "json");
	assert_string_equal(renderer_for_path("gc.jsonl")->name, "jsonl");
	assert_string_equal(renderer_find("trace")->name, "trace");
}

static void a_failed_write_is_an_error(void **state)
{
	int (*const pieces[])(FILE *, const struct snapshot *) = {
		render_jsonl_meta,
		render_jsonl_events,
		render_jsonl_end,
	};
	struct model *m = gc_model();
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	const struct render_opts opts = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		_cleanup_fclose_ FILE *full = fopen("/dev/full", "w");
		assert_int_equal(pieces[i](full, s), -EIO);
	}
	_cleanup_fclose_ FILE *full = fopen("/dev/full", "w");
	assert_int_equal(render_gc_events(full, s, &opts), -EIO);
	assert_int_equal(render_gc_summary(full, s, &opts), -EIO);
	snapshot_free(s);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_outputs),
		cmocka_unit_test(golden_unknown),
		cmocka_unit_test(golden_top),
		cmocka_unit_test(top_says_what_is_not_looked_at),
		cmocka_unit_test(json_adds_up),
		cmocka_unit_test(lines_of_json_are_json),
		cmocka_unit_test(a_trace_can_be_drawn),
		cmocka_unit_test(odd_events_are_shown),
		cmocka_unit_test(lines_fit),
		cmocka_unit_test(estimates_are_marked),
		cmocka_unit_test(the_check_says_what_differs),
		cmocka_unit_test(what_was_not_looked_at_is_counted),
		cmocka_unit_test(nothing_seen_is_nothing_shown),
		cmocka_unit_test(formats_are_found),
		cmocka_unit_test(a_failed_write_is_an_error),
	};
	/* Wall-clock times are local. */
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("gc render", tests, NULL, NULL);
}
