/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations in every format. */
#include "golden.h"
#include "json_query.h"
#include "sample_op_windows.h"
#include "sample_ops.h"

#include <errno.h>
#include <time.h>

#include "render/formats.h"
#include "render/json.h"

/* "ops" alone: what else is in there has tests of its own. */
static int render_json_ops(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	struct json_writer w = { .out = out };

	(void)opts;
	json_open(&w, NULL, '{');
	json_put_ops(&w, s);
	json_close(&w, '}');
	return render_end(out);
}

static int render_first_collapsed(FILE *out, const struct snapshot *s,
				  const struct render_opts *opts)
{
	return render_op_collapsed(out, &s->ops.ops[0], opts);
}

static int render_people(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	render_ops_summary(out, s, opts);
	return render_ops_compare(out, s, opts);
}

static int render_all(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	render_people(out, s, opts);
	render_bench(out, s, opts);
	return render_json_ops(out, s, opts);
}

static void golden_outputs(void **state)
{
	static const struct {
		const char *name;
		render_fn *render;
		struct render_opts opts;
	} cases[] = {
		{ .name = "ops-summary", .render = render_ops_summary },
		{ .name = "ops-summary-stacks",
		  .render = render_ops_summary,
		  .opts = { .stacks = true,
			    .top_nr = 2,
			    .color = true,
			    .value = SNAPSHOT_OBJECTS } },
		{ .name = "ops-compare", .render = render_ops_compare },
		{ .name = "ops-bench", .render = render_bench },
		{ .name = "ops-json", .render = render_json_ops },
		{ .name = "ops-text", .render = render_text, .opts = { .top_nr = 1 } },
		{ .name = "ops-collapsed", .render = render_first_collapsed },
		{ .name = "ops-collapsed-objects",
		  .render = render_first_collapsed,
		  .opts = { .value = SNAPSHOT_OBJECTS } },
	};
	_model_ *m = sample_ops_model();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_snapshot_ *s = take(m, (struct snapshot_opts){ .sort = cases[i].opts.value });
		_cleanup_free_ char *text = rendered(cases[i].render, s, cases[i].opts);
		assert_golden(cases[i].name, text);
		if (!cases[i].opts.color && cases[i].render != render_first_collapsed &&
		    cases[i].render != render_json_ops && cases[i].render != render_bench)
			assert_lines(text, 100);
	}
}

/* Calls and time alone: no probe on the allocator or the collector. */
static void golden_untraced(void **state)
{
	const struct model_ops_known known = { false, false, false, false };
	_model_ *m = sample_model(1, NULL, NULL);
	_cleanup_free_ struct sample_op *op = calloc(1, sizeof(*op));

	(void)state;
	sample_id(model_op(m, "main.(*Server).handle", "A"));
	sample_calls(op, 100, 0, 0, 81234);
	sample_op_set(m, 0, op);
	model_ops_measured(m, &known);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *text = rendered(render_all, s, (struct render_opts){ 0 });
	assert_golden("ops-untraced", text);
}

/* Each of the ways to have no number. */
static void golden_none_ended(void **state)
{
	static const struct model_op_counts counts[] = {
		{ 0 },
		{ .begun = 3 },
		{ .begun = 2, .panics = 1, .goexits = 1 },
		{ .began_before = 1 },
	};
	static const char *const names[] = { "main.never", "main.open", "main.panics",
					     "main.before" };
	_model_ *m = sample_model(1, NULL, NULL);
	const struct model_ops_known known = { .allocs = true, .pauses = true };

	(void)state;
	model_ops_measured(m, &known);
	for (uint32_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		sample_id(model_op(m, names[i], ""));
		model_op_set(m, i, &counts[i]);
	}
	sample_op_site(m, "main.leaf;main.open;main.main", "int", 1 << 1, 3, 24);
	model_next_interval(m, SAMPLE_START + SAMPLE_S);
	sample_op_site(m, "main.leaf;main.open;main.main", "int", 1 << 1, 7, 56);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_snapshot_ *interval = take(m, (struct snapshot_opts){ .interval = true });
	_cleanup_free_ char *text = rendered(render_all, s, (struct render_opts){ 0 });
	_cleanup_free_ char *rest = rendered(render_json_ops, interval, (struct render_opts){ 0 });
	assert_golden("ops-none-ended", text);
	/* None began in the interval: there is no share of an operation. */
	assert_query(rest, "SELECT ?1 -> '$.ops[1].sites[0].objects_per_op'", "null");
	assert_query(rest, "SELECT ?1 -> '$.ops[1].sites[0].objects'", "7");
}

static void operations_that_were_not_measured_are_not_shown(void **state)
{
	_model_ *m = sample_model(1, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *summary = rendered(render_ops_summary, s, (struct render_opts){ 0 });
	_cleanup_free_ char *compare = rendered(render_ops_compare, s, (struct render_opts){ 0 });
	_cleanup_free_ char *bench = rendered(render_bench, s, (struct render_opts){ 0 });
	_cleanup_free_ char *text = rendered(render_text, s, (struct render_opts){ 0 });
	_cleanup_free_ char *json = rendered(render_json, s, (struct render_opts){ 0 });
	_cleanup_free_ char *lines = rendered(render_jsonl, s, (struct render_opts){ 0 });

	(void)state;
	assert_non_null(strstr(summary, "\nnot known: no operations were measured\n"));
	assert_non_null(strstr(summary, "\nlost:"));
	assert_non_null(strstr(compare, "\nnot known: no operations were measured\n"));
	assert_string_equal(bench, "goos: linux\ngoarch: amd64\n# lost: 6\n");
	strcpy(s->meta.kernel, "7.3.4 aarch64");
	_cleanup_free_ char *arm64 = rendered(render_bench, s, (struct render_opts){ 0 });
	assert_string_equal(arm64, "goos: linux\ngoarch: arm64\n# lost: 6\n");
	assert_null(strstr(text, "/op"));
	assert_null(strstr(lines, "\"ops\""));
	assert_query(json, "SELECT json_type(?1, '$.ops')", "null");
}

static void json_is_what_the_snapshot_has(void **state)
{
	_model_ *m = sample_ops_model();
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *json = rendered(render_json, s, (struct render_opts){ 0 });
	_cleanup_free_ char *lines = rendered(render_jsonl, s, (struct render_opts){ 0 });

	(void)state;
	assert_query(json, "SELECT json_array_length(?1, '$.ops')", "4");
	assert_query(json, "SELECT ?1 ->> '$.ops[1].label'", "total");
	assert_query(json, "SELECT ?1 ->> '$.ops[0].unmatched'", "4");
	assert_query(json, "SELECT ?1 ->> '$.ops[0].allocs_per_op.p50'", "3");
	assert_query(json, "SELECT ?1 -> '$.ops[3].ns_per_op'", "null");
	assert_query(
		json,
		"SELECT count(*) FROM json_each(?1, '$.ops') AS o WHERE o.value ->> 'objects' = "
		"(SELECT coalesce(sum(s.value ->> 'objects'), 0) FROM json_each(o.value, "
		"'$.sites') AS s)",
		"4");
	/* Every stack ends with its operation's function. */
	assert_query(json,
		     "SELECT count(*) FROM json_each(?1, '$.ops') AS o, "
		     "json_each(o.value, '$.sites') AS s WHERE s.value ->> '$.stack[#-1].func' "
		     "= o.value ->> 'func'",
		     "5");
	/* Of lines of JSON, one. */
	assert_query(lines,
		     "WITH l AS (SELECT substr(?1, instr(?1, '{\"type\": \"ops\"')) AS s) "
		     "SELECT json_array_length(substr(s, 1, instr(s, char(10))), '$.ops') FROM l",
		     "4");
}

/* --- the format "bench" ------------------------------------------------------------------------- */

/* A result as golang.org/x/perf/benchfmt takes a line apart. */
struct result {
	char name[256];
	uint64_t iters;
	struct {
		double v;
		char unit[16];
	} values[8];
	size_t values_nr;
};

/* unicode.IsSpace */
static bool is_space(int32_t c)
{
	return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
	       c == 0x205f || c == 0x3000;
}

/* The next field, up to white space; false at the end of the line. */
static bool next_field(const char **p, char *field, size_t field_sz)
{
	size_t n, used = 0;
	int32_t c;

	for (; **p && is_space(utf8_decode(*p, strlen(*p), &n)); *p += n)
		;
	for (; **p && !is_space(c = utf8_decode(*p, strlen(*p), &n)); *p += n) {
		assert_int_not_equal(c, UTF8_INVALID);
		assert_true(used + n < field_sz);
		memcpy(field + used, *p, n);
		used += n;
	}
	field[used] = '\0';
	return used;
}

/* Digits, and digits behind a point. */
static double parse_value(const char *s)
{
	size_t whole = strspn(s, "0123456789");

	assert_true(whole > 0);
	if (s[whole] == '.') {
		assert_true(strspn(s + whole + 1, "0123456789") > 0);
		whole += 1 + strspn(s + whole + 1, "0123456789");
	}
	assert_int_equal(s[whole], '\0');
	return strtod(s, NULL);
}

static struct result parse_result(const char *line)
{
	struct result r = { 0 };
	char field[64];

	line += strlen("Benchmark");
	assert_true(next_field(&line, r.name, sizeof(r.name)));
	assert_false(*r.name >= 'a' && *r.name <= 'z');
	assert_true(next_field(&line, field, sizeof(field)));
	assert_int_equal(strspn(field, "0123456789"), strlen(field));
	r.iters = strtoull(field, NULL, 10);
	assert_true(r.iters > 0 && r.iters <= INT64_MAX);
	while (next_field(&line, field, sizeof(field))) {
		assert_true(r.values_nr < 8);
		r.values[r.values_nr].v = parse_value(field);
		assert_true(next_field(&line, r.values[r.values_nr].unit, 16));
		r.values_nr++;
	}
	assert_true(r.values_nr > 0);
	return r;
}

/*
 * "key: value", where a key begins with a small letter and has no capitals or blanks; or a comment, which is whatever
 * can't be taken for a key.
 */
static void assert_config(const char *line)
{
	if (line[0] == '#')
		return;
	size_t len = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789-");

	assert_true(line[0] >= 'a' && line[0] <= 'z');
	assert_int_equal(line[len], ':');
	assert_int_equal(line[len + 1], ' ');
	assert_true(line[len + 2] != '\0');
}

static size_t parse_bench(const char *text, struct result *results, size_t max)
{
	_cleanup_free_ char *copy = strdup(text);
	char *save = NULL;
	size_t nr = 0;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "Benchmark", strlen("Benchmark")) != 0) {
			assert_config(line);
			continue;
		}
		assert_true(nr < max);
		results[nr++] = parse_result(line);
	}
	return nr;
}

static void assert_measured(const struct result *r, size_t i, double v, const char *unit)
{
	assert_string_equal(r->values[i].unit, unit);
	assert_true(r->values[i].v > v - 1e-6 && r->values[i].v < v + 1e-6);
}

static void benchstat_can_read_it(void **state)
{
	_model_ *m = sample_ops_model();
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *text = rendered(render_bench, s, (struct render_opts){ 0 });
	struct result results[4];

	(void)state;
	/* What did not end has no result. */
	assert_int_equal(parse_bench(text, results, 4), 3);
	assert_string_equal(results[0].name, "Main.(*Server).handle");
	assert_int_equal(results[0].iters, 12344);
	assert_int_equal(results[0].values_nr, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct snapshot_op_stat *stats = s->ops.ops[i].stats;
		assert_measured(&results[i], 0, stats[WIRE_OP_NS].mean, "ns/op");
		assert_measured(&results[i], 1, stats[WIRE_OP_BYTES].mean, "B/op");
		assert_measured(&results[i], 2, stats[WIRE_OP_OBJECTS].mean, "allocs/op");
	}
	assert_string_equal(results[1].name, "Total");
}

/* Of windows: how sure means are, and each of the ways in which something isn't known. */
static void golden_windows(void **state)
{
	static const char *const names[] = { "main.(*Server).handle",
					     "main.walk",
					     "main.hot",
					     "main.slow",
					     "main.long",
					     "main.few" };
	static const char *const labels[] = { "", "walk", "", "", "", "few" };
	_model_ *m = sample_model(10, NULL, NULL);

	(void)state;
	model_ops_measured(m, &sample_windows_known);
	for (uint32_t op = 0; op < sizeof(names) / sizeof(names[0]); op++) {
		_cleanup_free_ struct sample_windows *w = calloc(1, sizeof(*w));
		assert_non_null(w);
		sample_id(model_op(m, names[op], labels[op]));
		for (uint64_t i = 0; op != 4 && i < (op == 5 ? 3 : 40); i++)
			sample_window(m, op, w, (uint64_t[]){ op ? 3 : 10 + i % 7, 3, 4 }, 3);
		w->counts.entries = op == 3 ? 0 : 123456;
		w->counts.nested = op == 1 ? 17 : 0;
		w->counts.uncounted_ns = op == 2 ? SAMPLE_S : 0;
		w->counts.cut = op == 3 ? 1 : op == 4 ? 1234 : 0;
		w->counts.begun += w->counts.cut + (op == 0);
		w->counts.panics = op == 0;
		w->counts.began_before = 30;
		model_op_set(m, op, &w->counts);
	}
	sample_op_site(m, "main.leaf;main.(*Server).handle;main.main", "int", 1, 1800, 86400);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *text = rendered(render_all, s, (struct render_opts){ 0 });
	assert_golden("ops-windows", text);
	_cleanup_free_ char *people = rendered(render_people, s, (struct render_opts){ 0 });
	assert_lines(people, 100);
	_cleanup_free_ char *bench = rendered(render_bench, s, (struct render_opts){ 0 });
	struct result results[6];
	assert_int_equal(parse_bench(bench, results, 6), 5);
	_cleanup_free_ char *json = rendered(render_json_ops, s, (struct render_opts){ 0 });
	assert_query(json, "SELECT ?1 -> '$.ops[0].calls'", "123456");
	assert_query(json, "SELECT ?1 -> '$.ops[1].calls'", "null");
	assert_query(json, "SELECT ?1 -> '$.ops[2].calls'", "null");
	assert_query(json, "SELECT ?1 -> '$.ops[3].allocs_per_op.mean_ci95'", "null");
	assert_query(json, "SELECT ?1 -> '$.ops[1].ns_per_op.mean_ci95'", "0");
}

static void names_are_one_word(void **state)
{
	static const struct {
		const char *func, *label, *name;
	} cases[] = {
		{ "main.f", "", "Main.f" },
		{ "net/http.(*conn).serve", "", "Net/http.(*conn).serve" },
		{ "main.F[go.shape.struct { a int }]", "", "Main.F[go.shape.struct_{_a_int_}]" },
		{ "main.f", "with pool", "With_pool" },
		{ "main.f", "v-12", "V_12" },
		{ "main.f", "-1", "_1" },
		{ "main.f", "a-", "A-" },
		{ "main.f", "12", "12" },
		{ "main.f",
		  "a\xc2\xa0"
		  "b\xe3\x80\x80"
		  "c",
		  "A_b_c" },
		{ "main.f\nBenchmarkEvil\t1\t1 ns/op", "", "Main.f?BenchmarkEvil?1?1_ns/op" },
		{ "", "", "Unknown" },
	};
	_cleanup_free_ struct sample_op *op = calloc(1, sizeof(*op));

	(void)state;
	sample_calls(op, 1, 1, 16, 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_model_ *m = new_model();
		struct result result;
		sample_id(model_op(m, cases[i].func, cases[i].label));
		sample_op_set(m, 0, op);
		_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
		_cleanup_free_ char *text = rendered(render_bench, s, (struct render_opts){ 0 });
		assert_int_equal(parse_bench(text, &result, 1), 1);
		assert_string_equal(result.name, cases[i].name);
	}
}

/* --- what may be in there ----------------------------------------------------------------------- */

static void hostile_names_stay_text(void **state)
{
	const struct model_ops_known known = { true, true, true, false };
	static const char evil[] = "e\033[31mvil\n\"\\;b c 12\xff\xe2\x80\xae";
	_cleanup_free_ struct sample_op *op = calloc(1, sizeof(*op));
	_model_ *m = sample_model(1, NULL, NULL);

	(void)state;
	sample_id(model_op(m, evil, "\033]0;x\nlabel that is much too long for its column"));
	model_ops_measured(m, &known);
	sample_calls(op, 1000000, 1, 16, 100);
	op->counts.begun += 4000000;
	op->counts.panics = op->counts.goexits = 1000000;
	op->counts.began_before = 3000000;
	sample_op_set(m, 0, op);
	const struct model_frame frames[] = { frame(evil, evil, 1), frame(evil, evil, 2) };
	uint32_t stack = sample_id(model_stack(m, frames, 2, true));
	uint32_t type = sample_id(model_type(m, evil));
	model_site_add(m, sample_id(model_site(m, stack, type, 1, 0, 1)), 1000000, 16000000);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *text = rendered(render_all, s, (struct render_opts){ .stacks = true });
	assert_golden("ops-hostile", text);
	_cleanup_free_ char *people = rendered(render_people, s,
					       (struct render_opts){ .stacks = true });
	assert_lines(people, 100);
	_cleanup_free_ char *json = rendered(render_json, s, (struct render_opts){ 0 });
	assert_query(json, "SELECT json_valid(?1)", "1");
	_cleanup_free_ char *stacks = rendered(render_first_collapsed, s,
					       (struct render_opts){ 0 });
	assert_non_null(strstr(stacks, " 16000000\n"));
}

/* Any numbers, as far as a recording can say them. */
static void odd_numbers_are_shown(void **state)
{
	struct model_op_counts counts;
	uint64_t *v = &counts.begun;
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 50; round++) {
		_model_ *m = sample_ops_model();
		for (uint32_t op = 0; op < 4; op++) {
			for (size_t i = 0; i < sizeof(counts) / sizeof(v[0]); i++) {
				seed = seed * 1664525 + 1013904223;
				v[i] = seed % 5 == 0 ? 0 : UINT64_MAX >> (seed >> 8) % 64;
			}
			model_op_set(m, op, &counts);
			model_op_set_bucket(m, op, round % 3, seed % WIRE_HIST_BUCKETS,
					    UINT64_MAX >> (seed >> 8) % 64);
		}
		_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
		_cleanup_free_ char *text = rendered(render_people, s,
						     (struct render_opts){ .stacks = round & 1 });
		/* Numbers that no program comes to are wider than their columns. */
		assert_lines(text, 260);
		_cleanup_free_ char *json = rendered(render_json, s, (struct render_opts){ 0 });
		assert_query(json, "SELECT json_valid(?1)", "1");
		_cleanup_free_ char *bench = rendered(render_bench, s, (struct render_opts){ 0 });
		struct result results[4];
		parse_bench(bench, results, 4);
	}
}

static void a_failed_write_is_an_error(void **state)
{
	static render_fn *const all[] = { render_ops_summary, render_ops_compare, render_bench,
					  render_first_collapsed };
	const struct render_opts opts = { 0 };
	_model_ *m = sample_ops_model();
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		_cleanup_fclose_ FILE *full = fopen("/dev/full", "w");
		assert_int_equal(all[i](full, s, &opts), -EIO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_outputs),
		cmocka_unit_test(golden_untraced),
		cmocka_unit_test(golden_none_ended),
		cmocka_unit_test(golden_windows),
		cmocka_unit_test(operations_that_were_not_measured_are_not_shown),
		cmocka_unit_test(json_is_what_the_snapshot_has),
		cmocka_unit_test(benchstat_can_read_it),
		cmocka_unit_test(names_are_one_word),
		cmocka_unit_test(hostile_names_stay_text),
		cmocka_unit_test(odd_numbers_are_shown),
		cmocka_unit_test(a_failed_write_is_an_error),
	};
	/* Wall-clock times are local. */
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("op render", tests, NULL, NULL);
}
