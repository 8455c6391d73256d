/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the outputs look like, byte for byte, and the rules that hold for any input.
 *
 * The golden files in tests/golden are compared with what is rendered from the sample model. After
 * a wanted change: GALLOP_GOLDEN_UPDATE=1 build/tests/unit/test_render writes them anew; read the
 * diff.
 */
#include "golden.h"
#include "sample_estimates.h"
#include "sample_maps.h"
#include "sample_ops.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "render/render.h"

static int render_top(FILE *out, const struct snapshot *s, const struct render_opts *opts)
{
	return render_top_block(out, s, s, opts);
}

static void golden_outputs(void **state)
{
	static const struct {
		const char *name;
		struct snapshot_opts snapshot;
		struct render_opts render_opts;
	} cases[] = {
		{ .name = "text-top", .render_opts = { .top_nr = 2 } },
		{ .name = "text-stacks", .render_opts = { .stacks = true } },
		{ .name = "text-objects",
		  .snapshot = { .sort = SNAPSHOT_OBJECTS },
		  .render_opts = { .value = SNAPSHOT_OBJECTS, .color = true } },
		{ .name = "collapsed-bytes" },
		{ .name = "collapsed-runtime",
		  .snapshot = { .runtime_frames = true },
		  .render_opts = { .value = SNAPSHOT_OBJECTS } },
		{ .name = "json" },
	};
	struct model *m = sample_model(2, NULL, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char format[16];
		snprintf(format, sizeof(format), "%.*s", (int)strcspn(cases[i].name, "-"),
			 cases[i].name);
		struct snapshot *s = take(m, cases[i].snapshot);
		_cleanup_free_ char *text = rendered(renderer_find(format)->render, s,
						     cases[i].render_opts);
		assert_golden(cases[i].name, text);
		snapshot_free(s);
	}
	model_free(m);
}

static void assert_golden_top(const char *name, const struct model *m, struct render_opts opts)
{
	struct snapshot *interval =
		take(m, (struct snapshot_opts){ .interval = true, .sort = opts.value });
	struct snapshot *total = take(m, (struct snapshot_opts){ .sort = opts.value });
	char *text = NULL;
	size_t sz;
	FILE *out = open_memstream(&text, &sz);

	assert_int_equal(render_top_block(out, interval, total, &opts), 0);
	fclose(out);
	assert_golden(name, text);
	free(text);
	snapshot_free(interval);
	snapshot_free(total);
}

static void golden_top(void **state)
{
	struct model *m = sample_model(2, NULL, NULL);

	(void)state;
	assert_golden_top("top", m, (struct render_opts){ 0 });
	assert_golden_top("top-objects", m,
			  (struct render_opts){ .value = SNAPSHOT_OBJECTS, .top_nr = 3 });
	model_free(m);
}

static void golden_empty(void **state)
{
	struct model *m;

	(void)state;
	assert_int_equal(model_new(&m), 0);
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *text = rendered(renderer_find("text")->render, s,
					     (struct render_opts){ 0 });
	assert_golden("text-empty", text);
	_cleanup_free_ char *collapsed = rendered(renderer_find("collapsed")->render, s,
						  (struct render_opts){ 0 });
	assert_string_equal(collapsed, "");
	snapshot_free(s);
	model_free(m);
}

/* Names that try to break out of every format. */
static struct model *hostile_model(void)
{
	static const char *const names[] = {
		"a;b",
		"a b 12",
		"  a   b  ",
		"a\nb",
		"\033[2Jx",
		"\xff\xfe",
		"q\"\\/<script>",
		"",
		"caf\xc3\xa9",
		"x\xe2\x80\xaey",
		"struct { A int; B int }",
		"12",
		" 7",
		"a",
		"a 5x",
	};
	struct model *m;

	assert_int_equal(model_new(&m), 0);
	strcpy(model_meta(m)->comm, "e\033[31mvil\n");
	strcpy(model_meta(m)->cmdline, "\"\\\n\t\x01\xc3");
	for (uint32_t i = 0; i < 400; i++) {
		struct model_frame frames[3];
		uint32_t n = 1 + i % 3;
		for (uint32_t k = 0; k < n; k++) {
			const char *name =
				names[(i * 7 + k * 5) % (sizeof(names) / sizeof(names[0]))];
			frames[k] = frame(name, name, i);
		}
		uint32_t stack = sample_id(model_stack(m, frames, n, i % 5 == 0));
		sample_add(m, stack, names[i % 15], i % MODEL_CLASS_NR, i % 4, i * 10);
	}
	model_set_totals(m, 100000, 1000000);
	model_set_loss(m, "k\"ey\n", "w\033hat", 3);
	return m;
}

static void hostile_names_stay_text(void **state)
{
	struct model *m = hostile_model();
	struct render_opts opts = { .stacks = true };

	(void)state;
	for (int o = 0; o < 2; o++) {
		struct snapshot *s = take(m, (struct snapshot_opts){ .runtime_frames = o });
		_cleanup_free_ char *text = rendered(renderer_find("text")->render, s, opts);
		assert_lines(text, 100);
		_cleanup_free_ char *top = rendered(render_top, s, opts);
		assert_lines(top, 130);
		snapshot_free(s);
	}
	model_free(m);
}

/* Every line is what all readers of collapsed stacks understand. */
static uint64_t check_collapsed_line(const char *line, const char *before)
{
	const char *blank = strrchr(line, ' ');
	char *end;

	assert_non_null(blank);
	uint64_t count = strtoull(blank + 1, &end, 10);
	assert_true(*end == '\0' && end > blank + 1 && count > 0);
	/* No second number in front of the count, no blanks where they would be eaten. */
	assert_true(blank > line && blank[-1] != ' ' && line[0] != ' ' && !strstr(line, "  "));
	const char *word = blank;
	while (word > line && word[-1] != ' ' && word[-1] != ';')
		word--;
	bool number = word < blank;
	for (const char *p = word; p < blank; p++)
		number &= *p >= '0' && *p <= '9';
	assert_false(number && word > line && word[-1] == ' ');
	assert_false(line[0] == ';' || strstr(line, ";;") || blank[-1] == ';');
	assert_true(!before || strcmp(before, line) < 0);
	return count;
}

static void collapsed_lines_are_sorted_and_add_up(void **state)
{
	struct model *m = hostile_model();

	(void)state;
	for (int o = 0; o < 2; o++) {
		struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
		_cleanup_free_ char *text =
			rendered(renderer_find("collapsed")->render, s,
				 (struct render_opts){ .value = (enum snapshot_value)o });
		uint64_t sum = 0;
		char *save = NULL, *before = NULL;
		assert_lines(text, SIZE_MAX);
		for (char *line = strtok_r(text, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			sum += check_collapsed_line(line, before);
			before = line;
		}
		assert_int_equal(sum, o ? s->total.objects : s->total.bytes);
		snapshot_free(s);
	}
	model_free(m);
}

/* SQLite is at hand, and reads JSON. */
static char *query_json(const char *json, const char *path)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT json_valid(?1), json_extract(?1, ?2)", -1,
					    &stmt, NULL),
			 SQLITE_OK);
	sqlite3_bind_text(stmt, 1, json, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 2, path, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(stmt, 0), 1);
	const unsigned char *value = sqlite3_column_text(stmt, 1);
	char *copy = strdup(value ? (const char *)value : "null");
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return copy;
}

static void assert_json(const char *json, const char *path, const char *expected)
{
	_cleanup_free_ char *value = query_json(json, path);

	assert_string_equal(value, expected);
}

static void json_is_json(void **state)
{
	struct model *m = hostile_model();

	(void)state;
	model_check(m)->runtime_objects = UINT64_MAX;
	model_check(m)->known = true;
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *json = rendered(renderer_find("json")->render, s,
					     (struct render_opts){ 0 });
	assert_json(json, "$.schema", "gallop/1");
	assert_json(json, "$.meta.cmdline", "\"\\\n\t\x01\xef\xbf\xbd");
	assert_json(json, "$.alloc.objects", "100000");
	assert_json(json, "$.alloc.sites[0].type", SNAPSHOT_LOST);
	assert_json(json, "$.loss.total", "3");
	assert_json(json, "$.loss.k\"ey?", "null");
	assert_non_null(strstr(json, "\"runtime_objects\": 18446744073709551615"));
	snapshot_free(s);
	model_free(m);
}

/* Of one process they aren't there; of several the first one's pid stands for them in words. */
static void processes_are_listed(void **state)
{
	struct model *m = hostile_model();
	struct model_meta *meta = model_meta(m);

	(void)state;
	meta->pid = meta->pids[0] = 11;
	meta->pids[1] = 12;
	for (meta->pids_nr = 0; meta->pids_nr <= 2; meta->pids_nr += 2) {
		struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
		_cleanup_free_ char *json = rendered(renderer_find("json")->render, s,
						     (struct render_opts){ 0 });
		_cleanup_free_ char *text = rendered(renderer_find("text")->render, s,
						     (struct render_opts){ 0 });

		assert_json(json, "$.meta.pid", "11");
		assert_int_equal(strstr(json, "\"pids\": [11, 12]") != NULL, meta->pids_nr == 2);
		assert_non_null(
			strstr(text, meta->pids_nr ? "(2 processes: 11, ...)" : "(pid 11)"));
		snapshot_free(s);
	}
	model_free(m);
}

/* Every member of the output is in its description. */
static void json_is_documented(void **state)
{
	struct model *m = sample_ops_model();
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	struct sample_maps maps;
	sample_maps_put(&maps, s);
	s->samples = sample_by_windows;
	_cleanup_free_ char *json = rendered(renderer_find("json")->render, s,
					     (struct render_opts){ 0 });

	(void)state;
	assert_true(assert_documented(json) > 100);
	sample_maps_take(s);
	snapshot_free(s);
	model_free(m);
}

static void a_failed_write_is_an_error(void **state)
{
	struct model *m = sample_model(1, NULL, NULL);
	struct snapshot *s = take(m, (struct snapshot_opts){ 0 });
	struct render_opts opts = { 0 };

	(void)state;
	for (const struct renderer *r = renderers; r->name; r++) {
		_cleanup_fclose_ FILE *full = fopen("/dev/full", "w");
		assert_non_null(full);
		assert_int_equal(r->render(full, s, &opts), -EIO);
	}
	_cleanup_fclose_ FILE *full = fopen("/dev/full", "w");
	assert_int_equal(render_top_block(full, s, s, &opts), -EIO);
	snapshot_free(s);
	model_free(m);
}

static void formats_are_found(void **state)
{
	(void)state;
	assert_string_equal(renderer_find("json")->name, "json");
	assert_null(renderer_find("jso"));
	assert_string_equal(renderer_for_path("a/out.folded")->name, "collapsed");
	assert_string_equal(renderer_for_path("x.collapsed")->name, "collapsed");
	assert_string_equal(renderer_for_path("x.txt")->name, "text");
	assert_string_equal(renderer_for_path("x.json")->name, "json");
	assert_string_equal(renderer_for_path("x.bench")->name, "bench");
	assert_null(renderer_for_path("json"));
	assert_null(renderer_for_path("x.gallop"));
	assert_null(renderer_for_path(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_outputs),
		cmocka_unit_test(golden_top),
		cmocka_unit_test(golden_empty),
		cmocka_unit_test(hostile_names_stay_text),
		cmocka_unit_test(collapsed_lines_are_sorted_and_add_up),
		cmocka_unit_test(json_is_json),
		cmocka_unit_test(processes_are_listed),
		cmocka_unit_test(json_is_documented),
		cmocka_unit_test(a_failed_write_is_an_error),
		cmocka_unit_test(formats_are_found),
	};
	/* Wall-clock times are local. */
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
