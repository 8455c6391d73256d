/* SPDX-License-Identifier: BSD-2-Clause */
/* A difference in every format. */
#include "golden.h"
#include "json_query.h"
#include "sample_diff.h"
#include "sample_samples.h"

#include <errno.h>
#include <regex.h>
#include <time.h>

#include "model/ops.h"
#include "render/diff.h"

static const struct diff_names names = { { "before.gallop", "after.gallop" }, NULL };

static char *shown(diff_render *render, const struct diff *d, const struct diff_names *n,
		   struct render_opts opts)
{
	char *text = NULL;
	size_t sz;
	FILE *out = open_memstream(&text, &sz);

	assert_non_null(out);
	assert_int_equal(render(out, d, n, &opts), 0);
	fclose(out);
	assert_int_equal(strlen(text), sz);
	return text;
}

/* Two versions of a service: one site twice as much, one gone, one new, one moved, one that can't be told from others. */
static struct model *version(unsigned int n)
{
	struct model *m = sample_run(n == 1 ? "one" : "two", 2 * n);
	unsigned int moved = n == 1 ? 0 : 13;
	char spec[128];

	strcpy(model_meta(m)->go_version, n == 1 ? "go1.26.1" : "go1.27.4");
	snprintf(spec, sizeof(spec), "main.(*Server).handle:%u;main.main:7", 40 + moved);
	sample_at(m, spec, "main.Request", 1000 * n * n, 48000 * n * n);
	snprintf(spec, sizeof(spec), "fmt.Sprintf:9;main.key:%u;main.main:7", 60 + moved);
	sample_at(m, spec, "string", 700, 70000);
	if (n == 1)
		sample_at(m, "main.old:5;main.main:7", "[]uint8", 3, 3145728);
	else
		sample_at(m, "main.fresh:5;main.main:7", "[]uint8", 5, 200);
	for (unsigned int i = 0; i < 1 + n; i++) {
		snprintf(spec, sizeof(spec), "main.many:%u;main.main:7", 80 + 10 * i + moved);
		sample_at(m, spec, "int", 10 + i, 100 * (10 + i));
	}
	model_assist_add(m, sample_id(model_assist(m, sample_lines(m, "main.key:60;main.main:7"))),
			 n, 7500 * n);
	model_set_loss(m, "slots_busy", "no scratch slot was free", n - 1);
	return m;
}

struct pair {
	struct model *m[DIFF_SIDES];
	struct snapshot *s[DIFF_SIDES];
	struct diff *d;
};

static void pair_deinit(struct pair *p)
{
	diff_free(p->d);
	for (int side = 0; side < DIFF_SIDES; side++) {
		snapshot_free(p->s[side]);
		model_free(p->m[side]);
	}
}

#define _pair_ _cleanup_(pair_deinit) struct pair

static struct pair paired(struct model *before, struct model *after, bool places, enum diff_per per)
{
	struct pair p = { .m = { before, after } };
	struct diff_opts opts = { .per = per };

	for (int side = 0; side < DIFF_SIDES; side++) {
		p.s[side] = take(p.m[side], (struct snapshot_opts){ .places = places });
		if (per == DIFF_PER_OP)
			opts.op[side] = p.s[side]->ops.ops;
	}
	p.d = compared(p.s[DIFF_BEFORE], p.s[DIFF_AFTER], opts);
	return p;
}

static void golden_two_versions(void **state)
{
	static const struct {
		const char *name;
		diff_render *render;
		enum diff_per per;
		struct render_opts opts;
	} cases[] = {
		{ "diff-text", render_diff_text, DIFF_PER_SECOND, { .top_nr = 3 } },
		{ "diff-total-color",
		  render_diff_text,
		  DIFF_PER_TOTAL,
		  { .color = true, .value = SNAPSHOT_OBJECTS } },
		{ "diff-stacks",
		  render_diff_text,
		  DIFF_PER_SECOND,
		  { .stacks = true, .top_nr = 2, .value = SNAPSHOT_ASSIST } },
		{ "diff-json", render_diff_json, DIFF_PER_SECOND, { .top_nr = 1 } },
		{ "diff-collapsed", render_diff_collapsed, DIFF_PER_SECOND, { .top_nr = 1 } },
		{ "diff-collapsed-assist",
		  render_diff_collapsed,
		  DIFF_PER_TOTAL,
		  { .value = SNAPSHOT_ASSIST } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool text = cases[i].render == render_diff_text;
		_pair_ p = paired(version(1), version(2), text && !cases[i].opts.stacks,
				  cases[i].per);
		_cleanup_free_ char *got = shown(cases[i].render, p.d, &names, cases[i].opts);
		assert_golden(cases[i].name, got);
		if (text && !cases[i].opts.color)
			assert_lines(got, 100);
	}
}

static void what_is_estimated_says_how_sure_it_is(void **state)
{
	_pair_ p = paired(sampled_model(6, NULL, NULL), sampled_model(9, NULL, NULL), true,
			  DIFF_PER_SECOND);
	_cleanup_free_ char *text = shown(render_diff_text, p.d, &names, (struct render_opts){ 0 });
	_cleanup_free_ char *json = shown(render_diff_json, p.d, &names, (struct render_opts){ 0 });

	(void)state;
	assert_golden("diff-samples", text);
	assert_lines(text, 100);
	/* Six seconds have twelve windows, of which intervals come. */
	assert_query(json,
		     "SELECT count(*) > 0 FROM json_each(?1, '$.diff.sites') WHERE "
		     "value->>'$.alloc_space.change_ci95' > 0",
		     "1");
	assert_query(json, "SELECT ?1->>'$.diff.totals.alloc_space.change_ci95'", "0");

	/* Of four there are too few on one side, and nothing can be told. */
	_pair_ few = paired(sampled_model(2, NULL, NULL), sampled_model(9, NULL, NULL), true,
			    DIFF_PER_SECOND);
	_cleanup_free_ char *unsure = shown(render_diff_text, few.d, &names,
					    (struct render_opts){ 0 });
	assert_non_null(strstr(unsure, " ?  main."));
	assert_null(strstr(unsure, "+-0"));
}

/* A call of main.handle takes two objects, after by 112 bytes more. */
static struct model *op_run(int side)
{
	const struct model_ops_known known = { .allocs = true, .pauses = true };
	uint64_t calls = 100 + 50 * (uint64_t)side;
	const struct model_op_counts counts = { .begun = calls,
						.ended = calls,
						.sum = { [WIRE_OP_NS] = 1234 * calls } };
	struct model *m = sample_run("one", 1);

	sample_id(model_op(m, "main.handle", ""));
	model_ops_measured(m, &known);
	model_op_set(m, 0, &counts);
	uint32_t site = sample_id(model_site(m,
					     sample_lines(m, "main.g:5;main.handle:3;main.main:1"),
					     sample_id(model_type(m, "main.G")), 5, 0, 1));
	model_site_add(m, site, 2 * calls, (1136 + 112 * (uint64_t)side) * calls);
	sample_at(m, "main.other:9", "int", 1, 8);
	return m;
}

static void by_operation(void **state)
{
	const struct diff_names op = { { "before.gallop", "after.gallop" }, "main.handle" };
	struct model *m[DIFF_SIDES];

	(void)state;
	for (int side = 0; side < DIFF_SIDES; side++)
		m[side] = op_run(side);
	_pair_ p = paired(m[0], m[1], true, DIFF_PER_OP);
	_cleanup_free_ char *text = shown(render_diff_text, p.d, &op, (struct render_opts){ 0 });
	assert_golden("diff-op", text);
	assert_lines(text, 100);
	/* As many as in the calls after. */
	_cleanup_free_ char *folded = shown(render_diff_collapsed, p.d, &op,
					    (struct render_opts){ 0 });
	assert_string_equal(folded, "main.handle;main.g 170400 187200\n");
}

struct calls {
	struct model_op_counts counts;
	uint64_t with[4]; /* that took so many objects */
};

/* A window in which nr calls end that take so many objects of 48 bytes, 90 us each; it stands for a hundred. */
static void add_window(struct model *m, struct calls *calls, uint64_t objects, uint64_t nr)
{
	struct model_op_counts *counts = &calls->counts;
	const uint64_t v[WIRE_OP_VALUES] = {
		[WIRE_OP_OBJECTS] = objects, [WIRE_OP_BYTES] = 48 * objects, [WIRE_OP_NS] = 90000
	};
	struct model_op_window window = { .calls = 100, .ended = nr };

	calls->with[objects] += nr;
	counts->begun += nr;
	counts->ended += nr;
	counts->entries += window.calls;
	for (int value = 0; value < WIRE_OP_VALUES; value++) {
		window.sum[value] = nr * v[value];
		counts->sum[value] += window.sum[value];
		if (v[value] > counts->max[value])
			counts->max[value] = v[value];
		model_op_set_bucket(m, 0, (enum wire_op_value)value, wire_hist_bucket(v[value]),
				    value == WIRE_OP_NS ? counts->ended : calls->with[objects]);
	}
	model_op_set(m, 0, counts);
	assert_int_equal(model_op_window(m, 0, &window), 0);
}

/* Calls of which windows have met some: on one side all were counted, on the other not. */
static struct model *windows_run(int side)
{
	struct model *m = sample_run("one", 1);
	const struct model_ops_known known = { .allocs = true, .sampled = true };
	struct calls calls = { .counts.uncounted_ns = (uint64_t)side };
	const char *spec = side ? "main.g:5;main.(*Server).handle:3;main.main:1"
				: "main.g:5;main.handle:3;main.main:1";

	sample_id(model_op(m, side ? "main.(*Server).handle" : "main.handle", ""));
	model_ops_measured(m, &known);
	for (uint64_t i = 0; i < 16; i++)
		add_window(m, &calls, 2 + i % 2, 2 + i % 3);
	uint32_t site = sample_id(
		model_site(m, sample_lines(m, spec), sample_id(model_type(m, "main.G")), 5, 0, 1));
	model_site_add(m, site, 100, 4800);
	model_assist_add(m, sample_id(model_assist(m, sample_lines(m, "main.g:5;main.main:1"))), 1,
			 7500);
	return m;
}

static void by_operation_of_windows(void **state)
{
	const struct diff_names op = { { "before.gallop", "after.gallop" },
				       "main.(*Server).handle" };
	_pair_ p = paired(windows_run(0), windows_run(1), true, DIFF_PER_OP);
	_cleanup_free_ char *text = shown(render_diff_text, p.d, &op, (struct render_opts){ 0 });
	_cleanup_free_ char *json = shown(render_diff_json, p.d, &op, (struct render_opts){ 0 });

	(void)state;
	assert_golden("diff-op-windows", text);
	assert_lines(text, 100);
	assert_query(json, "SELECT (?1->>'$.diff.before.op') || (?1->>'$.diff.after.op')",
		     "main.handlemain.(*Server).handle");
	assert_query(json, "SELECT ?1->>'$.diff.before.process_divisor'", "1600");
	assert_query(json, "SELECT json_type(?1, '$.diff.after.process_divisor')", "null");
	assert_query(json, "SELECT ?1->>'$.diff.totals.pause.known'", "0");
	assert_query(json, "SELECT ?1->>'$.diff.totals.alloc_space.change_ci95' > 0", "1");
	/* What a page divides by is of the calls that were measured. */
	assert_true(diff_html_has(p.d, SNAPSHOT_BYTES));
	assert_false(diff_html_has(p.d, SNAPSHOT_STW));
	_pair_ known = paired(windows_run(0), windows_run(0), true, DIFF_PER_OP);
	assert_true(known.d->total[DIFF_STW].known);
	assert_false(diff_html_has(known.d, SNAPSHOT_STW));
	assert_false(diff_ops_differ(known.d));
	/* Of all calls, wherever they were. */
	assert_true(known.d->total[DIFF_ASSIST].v.side[DIFF_AFTER] == 7500 / 1600.);
}

static void what_a_number_is_per(void **state)
{
	const struct diff_names op = { { "before.gallop", "after.gallop" }, "main.handle" };
	_pair_ p = paired(op_run(0), op_run(1), true, DIFF_PER_OP);
	char words[CELL_SZ];

	(void)state;
	diff_measure_words(words, p.d, DIFF_OP_TIME, &op);
	assert_string_equal(words, "per call of main.handle");
	diff_measure_words(words, p.d, DIFF_INUSE_SPACE, &op);
	assert_string_equal(words, "at the end");
}

/* Whatever has to be shortened, a line stays a line: of estimates there is the least room. */
static void long_names_and_lines_fit(void **state)
{
	struct model *m[DIFF_SIDES];
	char longest[512];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (int side = 0; side < DIFF_SIDES; side++) {
		const struct model_frame frames[] = { { longest, longest, UINT32_MAX - side, false,
							0 },
						      { "main.main", "/src/x.go", 5, false, 0 } };
		m[side] = sampled_model(9, NULL, NULL);
		strcpy(model_meta(m[side])->build_id, side ? "two" : "one");
		sample_add(m[side], sample_id(model_stack(m[side], frames, 2, false)), longest, 5,
			   1, UINT64_C(900719925474099) << side);
	}
	_pair_ p = paired(m[0], m[1], true, DIFF_PER_TOTAL);
	_cleanup_free_ char *text = shown(render_diff_text, p.d, &names, (struct render_opts){ 0 });
	assert_non_null(strstr(text, "xxx"));
	assert_lines(text, 100);
}

/* As flamegraph.pl reads two columns, each line whole; and in the order of bytes. */
static void assert_two_columns(const char *text)
{
	regex_t regex;
	char *copy = strdup(text), *save = NULL;
	const char *last = "";

	assert_int_equal(regcomp(&regex, "^[^ ](.*[^ ])? [0-9]+ [0-9]+$", REG_EXTENDED | REG_NOSUB),
			 0);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (regexec(&regex, line, 0, NULL, 0))
			fail_msg("not two columns: '%s'", line);
		if (strcmp(last, line) >= 0)
			fail_msg("not sorted: '%s' before '%s'", last, line);
		/* What is left without both is no count once more. */
		char stack[8192];
		snprintf(stack, sizeof(stack), "%s", line);
		*strrchr(stack, ' ') = '\0';
		*strrchr(stack, ' ') = '\0';
		assert_int_not_equal(regexec(&regex, stack, 0, NULL, 0), 0);
		last = line;
	}
	free(copy);
	regfree(&regex);
}

static void both_columns_are_of_the_same_time(void **state)
{
	struct model *before = sample_run("one", 4), *after = sample_run("two", 1);

	(void)state;
	sample_at(before, "main.f:10;main.main:5", "main.T", 4, 400);
	sample_at(before, "main.f:10;main.main:5", "main.U", 4, 404);
	sample_at(before, "main.tiny:10;main.main:5", "int", 1, 1);
	sample_at(after, "main.f:11;main.main:5", "main.T", 3, 300);
	sample_at(after, "main.new:11;main.main:5", "main.T", 3, 7);
	_pair_ p = paired(before, after, false, DIFF_PER_SECOND);
	_cleanup_free_ char *text = shown(render_diff_collapsed, p.d, &names,
					  (struct render_opts){ 0 });
	assert_string_equal(text, "main.main;main.f 201 300\nmain.main;main.new 0 7\n");
	_cleanup_free_ char *objects = shown(render_diff_collapsed, p.d, &names,
					     (struct render_opts){ .value = SNAPSHOT_OBJECTS });
	assert_string_equal(objects, "main.main;main.f 2 3\nmain.main;main.new 0 3\n");
}

static const char *const hostile[] = {
	"main.f 12",
	"12",
	"",
	" ",
	";",
	"a;b 3 4",
	"\x1b[31mred",
	"new\nline 5",
	"\xff\xfe",
	"</script><b>",
	"\"quoted\\",
	"\xe2\x80\xae"
	"rtl",
	"main.f 1 2",
	"\r",
	"\t7",
};

static void add_hostile(struct model *m, uint64_t n)
{
	char longest[5000];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]) + 1; i++) {
		const char *name = i < sizeof(hostile) / sizeof(hostile[0]) ? hostile[i] : longest;
		const struct model_frame frames[] = {
			{ name, name, (uint32_t)(i + n), false, 0 },
			{ "main.main", "/src/x.go", 5, false, 0 },
		};
		int64_t stack = model_stack(m, frames, 2, i & 1);
		sample_add(m, sample_id(stack), name, 5, n, (i + 1) * n * 1000);
	}
}

static void hostile_names_stay_text(void **state)
{
	struct model *before = sample_run("one", 1), *after = sample_run("two", 1);
	char file[70000];

	(void)state;
	memset(file, 'y', sizeof(file) - 1);
	file[sizeof(file) - 1] = '\0';
	memcpy(file, "\x1b[2J\n", 5);
	const struct diff_names odd = { { file, "\xff</script>\r" }, NULL };
	add_hostile(before, 1);
	add_hostile(after, 3);
	strcpy(model_meta(after)->comm, "\x1b[1m");
	_pair_ p = paired(before, after, false, DIFF_PER_SECOND);
	_cleanup_free_ char *text = shown(render_diff_text, p.d, &odd,
					  (struct render_opts){ .stacks = true });
	assert_lines(text, 100);
	_cleanup_free_ char *folded = shown(render_diff_collapsed, p.d, &odd,
					    (struct render_opts){ 0 });
	assert_two_columns(folded);
	_cleanup_free_ char *json = shown(render_diff_json, p.d, &odd, (struct render_opts){ 0 });
	assert_query(json, "SELECT json_valid(?1)", "1");
	assert_query(json,
		     "SELECT count(*) = json_array_length(?1, '$.diff.sites') FROM json_each(?1, "
		     "'$.diff.sites') WHERE value->>'$.type' IS NOT NULL",
		     "1");
}

/* The largest numbers that a recording can hold; nothing may overflow, or be no number. */
static void odd_numbers_are_shown(void **state)
{
	struct model *before = sample_run("one", 1), *after = sample_run("one", 1);

	(void)state;
	sample_at(before, "main.f:1", "int", INT64_MAX, INT64_MAX);
	sample_at(after, "main.f:1", "int", 1, 1);
	sample_at(after, "main.g:1", "int", INT64_MAX, INT64_MAX);
	model_meta(before)->end_mono_ns = SAMPLE_START + 1;
	model_meta(after)->end_mono_ns = SAMPLE_START + INT64_MAX / 4;
	_pair_ p = paired(before, after, true, DIFF_PER_SECOND);
	_cleanup_free_ char *text = shown(render_diff_text, p.d, &names, (struct render_opts){ 0 });
	_cleanup_free_ char *folded = shown(render_diff_collapsed, p.d, &names,
					    (struct render_opts){ 0 });
	_cleanup_free_ char *json = shown(render_diff_json, p.d, &names, (struct render_opts){ 0 });
	assert_lines(text, 120);
	assert_two_columns(folded);
	assert_query(json, "SELECT json_valid(?1)", "1");
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf"));
}

static void json_has_what_the_difference_has(void **state)
{
	_pair_ p = paired(version(1), version(2), true, DIFF_PER_TOTAL);
	_cleanup_free_ char *json = shown(render_diff_json, p.d, &names, (struct render_opts){ 0 });

	(void)state;
	assert_query(json, "SELECT ?1->>'$.schema'", "gallop/1");
	assert_true(assert_documented(json) > 100);
	/* Rows add up to the total, change by change. */
	assert_query(json,
		     "SELECT sum(value->>'$.alloc_space.change') = "
		     "?1->>'$.diff.totals.alloc_space.change' FROM json_each(?1, '$.diff.sites')",
		     "1");
	assert_query(json, "SELECT ?1->>'$.diff.totals.alloc_space.change' < 0", "1");
	assert_query(json,
		     "SELECT (value->>'$.before.places') || (value->>'$.after.places') FROM "
		     "json_each(?1, '$.diff.sites') WHERE value->>'$.type' = 'int'",
		     "23");
	assert_query(json,
		     "SELECT json_type(value, '$.before') FROM json_each(?1, '$.diff.sites') WHERE "
		     "value->>'$.after.stack[0].func' = 'main.fresh'",
		     "null");
	assert_query(json,
		     "SELECT (?1->>'$.diff.before.complete') || (?1->>'$.diff.after.complete')",
		     "10");
}

/* The page is html.h's; what it is told of both sides is ours: of a call what is in it, divided by the calls. */
static void a_page_has_what_text_has(void **state)
{
	const struct diff_names op = { { "</script>before", "after" }, "main.handle" };
	struct model *m[DIFF_SIDES];

	(void)state;
	for (int side = 0; side < DIFF_SIDES; side++)
		m[side] = op_run(side);
	_pair_ p = paired(m[0], m[1], false, DIFF_PER_OP);
	_cleanup_free_ char *page = shown(render_diff_html, p.d, &op, (struct render_opts){ 0 });
	assert_non_null(strstr(page, "\"before_over\": 100,"));
	assert_non_null(strstr(page, "\"after_over\": 150,"));
	assert_non_null(strstr(page, "\"a call\""));
	assert_non_null(strstr(page, "main.g"));
	assert_null(strstr(page, "main.other"));
	assert_null(strstr(page, "</script>before"));
}

static void changes_are_written_with_their_sign(void **state)
{
	static const struct {
		double before, after;
		const char *percent;
	} cases[] = {
		{ 100, 105, "+5.0 %" },	    { 100, 95, "-5.0 %" },
		{ 100, 100, "=" },	    { 0, 5, "new" },
		{ 5, 0, "gone" },	    { 1e9, 1e9 + 1, "+0.1 %" },
		{ 1e9, 1e9 - 1, "-0.1 %" }, { 1, 9.99, "+899.0 %" },
		{ 1, 10, "x 10" },	    { 1e9, 1, "-99.9 %" },
		{ 1, 1234567, "x > 10^6" }, { 3, 40, "x 13.33" },
	};
	_pair_ p = paired(version(1), version(2), true, DIFF_PER_SECOND);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct diff_value v = { .side = { cases[i].before, cases[i].after },
					      .change = cases[i].after - cases[i].before };
		assert_string_equal(fmt_change_percent(&v).s, cases[i].percent);
	}
	assert_string_equal(fmt_change(p.d, DIFF_ALLOC_SPACE, -2048).s, "-2.0 KiB");
	assert_string_equal(fmt_change(p.d, DIFF_ALLOC_SPACE, 0).s, "0 B");
	assert_string_equal(fmt_change(p.d, DIFF_ALLOC_SPACE, .25).s, "+0.25 B");
	assert_string_equal(fmt_change(p.d, DIFF_ALLOC_OBJECTS, 1234).s, "+1,234");
	assert_string_equal(fmt_change(p.d, DIFF_PAUSE, -1500).s, "-1.50 us");
	assert_string_equal(fmt_measure(p.d, DIFF_CYCLES, .5).s, "0.50");
}

static void a_failed_write_is_an_error(void **state)
{
	static diff_render *const all[] = { render_diff_text, render_diff_json,
					    render_diff_collapsed };
	const struct render_opts opts = { 0 };
	_pair_ p = paired(version(1), version(2), false, DIFF_PER_SECOND);

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		_cleanup_fclose_ FILE *full = fopen("/dev/full", "w");
		assert_int_equal(all[i](full, p.d, &names, &opts), -EIO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_two_versions),
		cmocka_unit_test(what_is_estimated_says_how_sure_it_is),
		cmocka_unit_test(by_operation),
		cmocka_unit_test(by_operation_of_windows),
		cmocka_unit_test(what_a_number_is_per),
		cmocka_unit_test(long_names_and_lines_fit),
		cmocka_unit_test(both_columns_are_of_the_same_time),
		cmocka_unit_test(hostile_names_stay_text),
		cmocka_unit_test(odd_numbers_are_shown),
		cmocka_unit_test(json_has_what_the_difference_has),
		cmocka_unit_test(a_page_has_what_text_has),
		cmocka_unit_test(changes_are_written_with_their_sign),
		cmocka_unit_test(a_failed_write_is_an_error),
	};
	/* Wall-clock times are local. */
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("diff render", tests, NULL, NULL);
}
