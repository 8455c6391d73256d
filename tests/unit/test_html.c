/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data of the HTML page: that it is JSON in which no name can end the element it is in, and that its numbers are
 * those of the other outputs. What the page makes of it is tested in a browser: tests/live/html.t.
 */
#include "golden.h"
#include "json_query.h"
#include "sample.h"
#include "sample_estimates.h"
#include "sample_gc.h"
#include "sample_heap.h"

#include <errno.h>
#include <math.h>

#include "base/cleanup.h"
#include "render/formats.h"
#include "render/html.h"
#include "render/html_page.h"

#define SUM_OF(list, each) \
	"SELECT sum(value) FROM json_each(?1, '$." list "') WHERE key % " each " = 1"

/* What stands between the head and the tail, which must be there. */
static char *data_of(const char *page)
{
	size_t head = html_page_head_sz;
	size_t tail = html_page_tail_sz;
	size_t sz = strlen(page);

	assert_true(head > 1000 && tail > 1000 && sz > head + tail);
	assert_memory_equal(page, html_page_head, head);
	assert_memory_equal(page + sz - tail, html_page_tail, tail);
	char *data = strndup(page + head, sz - head - tail);
	assert_non_null(data);
	return data;
}

static char *html_data(const struct snapshot *s, struct render_opts opts)
{
	_cleanup_free_ char *page = rendered(render_html, s, opts);

	return data_of(page);
}

static void nothing_but_its_own_script_may_run(void **state)
{
	static const char policy[] = "content=\"default-src 'none'; style-src 'unsafe-inline'; "
				     "script-src 'sha256-";
	_cleanup_free_ char *head = strndup(html_page_head, html_page_head_sz);

	(void)state;
	const char *hash = strstr(head, policy);
	assert_non_null(hash);
	assert_int_equal(strcspn(hash + strlen(policy), "'"), 44); /* 32 bytes in base64 */
	assert_null(strstr(head, "@HASH@"));
	assert_null(strstr(head, "http:"));
	assert_null(strstr(head, "https:"));
}

/* Two seconds, as two slices and as a whole. */
struct halves {
	struct model *m;
	unsigned int next;
};

static int next_half(void *ctx, struct snapshot **ret)
{
	struct halves *h = ctx;

	if (h->next++ == 2)
		return 0;
	*ret = take(h->m, (struct snapshot_opts){ .interval = true });
	return 1;
}

static void golden_data(void **state)
{
	struct sample_heap_tick heap = { .tick = sample_gc_tick };
	_model_ *m = sample_model(2, sample_heap_tick, &heap);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	struct halves halves = { .m = m };
	const struct render_slices slices = { next_half, &halves };
	_cleanup_free_ char *data =
		html_data(s, (struct render_opts){ .value = SNAPSHOT_OBJECTS, .slices = &slices });

	(void)state;
	assert_golden("html-data", data);
}

static uint64_t collapsed_sum(const struct snapshot *s, enum snapshot_value value)
{
	_cleanup_free_ char *text = rendered(render_collapsed, s,
					     (struct render_opts){ .value = value });
	char *save = NULL;
	uint64_t sum = 0;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		sum += strtoull(strrchr(line, ' ') + 1, NULL, 10);
	return sum;
}

static void assert_number(const char *json, const char *sql, uint64_t n)
{
	char expected[32];

	snprintf(expected, sizeof(expected), n ? "%llu" : "null", (unsigned long long)n);
	assert_query(json, sql, expected);
}

static void sums_are_those_of_collapsed_stacks(void **state)
{
	struct sample_heap_tick heap = { .tick = sample_gc_tick };
	_model_ *m = sample_model(3, sample_heap_tick, &heap);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *data = html_data(s, (struct render_opts){ 0 });
	static const struct {
		enum snapshot_value value;
		const char *key;
	} values[] = {
		{ SNAPSHOT_BYTES, "bytes" },
		{ SNAPSHOT_OBJECTS, "objects" },
		{ SNAPSHOT_INUSE_BYTES, "inuse_bytes" },
		{ SNAPSHOT_ALLOC_OBJECTS, "alloc_objects" },
		{ SNAPSHOT_ASSIST, "assist" },
		{ SNAPSHOT_STW, "stw" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char sql[256];
		snprintf(sql, sizeof(sql),
			 "SELECT sum(c.value) FROM json_each(?1, '$.values') v, "
			 "json_each(v.value, '$.cells') c WHERE c.key %% 3 = 1 AND v.value ->> "
			 "'$.key' = '%s'",
			 values[i].key);
		uint64_t sum = collapsed_sum(s, values[i].value);
		assert_true(sum > 0);
		assert_number(data, sql, sum);
	}
	assert_query(data,
		     "SELECT count(*) FROM json_each(?1, '$.values') WHERE value ->> '$.key' = "
		     "'assigns'",
		     "0");
}

/* Names of everything that a recording has names of. */
static const char evil[] =
	"</script><img src=x onerror=alert(1)>&amp;\"\\\n\xe2\x80\xa8\xff\xf0\x9f\x90\xbc";

static struct model *evil_model(void)
{
	struct model *m = new_model();
	const struct model_frame frames[] = { frame(evil, evil, 1), frame("main.main", evil, 2) };
	uint32_t stack = sample_id(model_stack(m, frames, 2, true));

	sample_add(m, stack, evil, 3, 7, 700);
	snprintf(model_meta(m)->comm, sizeof(model_meta(m)->comm), "%.20s", evil);
	snprintf(model_meta(m)->exe, sizeof(model_meta(m)->exe), "%s", evil);
	snprintf(model_meta(m)->go_version, sizeof(model_meta(m)->go_version), "%s", evil);
	model_add_note(m, evil);
	model_set_totals(m, 10, 1000);
	assert_int_equal(model_set_loss(m, "lost", evil, 3), 0);
	return m;
}

static void no_name_ends_the_element(void **state)
{
	_model_ *m = evil_model();
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *data = html_data(s, (struct render_opts){ 0 });

	(void)state;
	assert_null(strpbrk(data, "<>&"));
	assert_null(strstr(data, "\xe2\x80\xa8")); /* a line's end, to scripts */
	assert_query(data, "SELECT json_valid(?1)", "1");
	/* It is there all the same, as a name of each: function, file, type are one string. */
	assert_query(data,
		     "SELECT count(*) FROM json_each(?1, '$.strings') WHERE value LIKE "
		     "'</script><img src=x onerror=alert(1)>&amp;\"\\%'",
		     "1");
	assert_query(data,
		     "SELECT count(*) FROM json_each(?1, '$.strings') WHERE value LIKE "
		     "'%\xf0\x9f\x90\xbc'",
		     "1");
	assert_query(data, SUM_OF("values[0].cells", "3"), "1000");
}

static void nothing_is_a_page_too(void **state)
{
	_model_ *m = new_model();
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	_cleanup_free_ char *data = html_data(s, (struct render_opts){ 0 });

	(void)state;
	assert_query(data,
		     "SELECT json_array_length(?1, '$.nodes') || json_array_length(?1, '$.sites')",
		     "00");
}

/* How sure each is stands beside it: -1 for what can't be told. */
static void estimates_have_their_intervals(void **state)
{
	_model_ *m = sample_model(2, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });

	(void)state;
	s->samples = sample_by_windows;
	for (size_t i = 0; i < s->sites_nr; i++)
		s->sites[i].ci95 = i ? (struct snapshot_ci95){ NAN, NAN }
				     : (struct snapshot_ci95){ 4.4, 123.4 };
	_cleanup_free_ char *data = html_data(s, (struct render_opts){ 0 });
	assert_query(data, "SELECT json_extract(?1, '$.about.sampled')", "1");
	assert_query(data,
		     "SELECT sum(value = 123) || ' ' || (sum(value = -1) = count(*) - 1) "
		     "FROM json_each(?1, '$.values[0].cells') WHERE key % 3 = 2",
		     "1 1");
	assert_query(data, "SELECT instr(json_extract(?1, '$.about.lines'), 'estimated: ') > 0",
		     "1");
}

/* A slice that fails, and a file that does. */
static int no_half(void *ctx, struct snapshot **ret)
{
	(void)ctx;
	(void)ret;
	return -EBADMSG;
}

static void failures_are_told(void **state)
{
	_model_ *m = sample_model(2, NULL, NULL);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	const struct render_slices slices = { no_half, NULL };
	_cleanup_fclose_ FILE *null = fopen("/dev/null", "w");
	_cleanup_fclose_ FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_int_equal(render_html(null, s, &(struct render_opts){ .slices = &slices }),
			 -EBADMSG);
	assert_int_equal(render_html(full, s, &(struct render_opts){ 0 }), -EIO);
}

static void a_difference_has_both(void **state)
{
	_model_ *before_m = sample_model(2, NULL, NULL);
	_model_ *after_m = sample_model(3, NULL, NULL);
	_snapshot_ *before = take(before_m, (struct snapshot_opts){ 0 });
	_snapshot_ *after = take(after_m, (struct snapshot_opts){ 0 });
	const struct html_diff diff = { .before_scale = 0.5,
					.after_scale = 1.0 / 3,
					.per = "a second",
					.hidden = UINT32_C(1) << SNAPSHOT_STW,
					.before_name = "a<b.gallop",
					.after_name = "b.gallop" };
	_cleanup_free_ char *page = NULL;
	size_t sz;
	FILE *out = open_memstream(&page, &sz);

	(void)state;
	assert_int_equal(render_html_diff(out, before, after, &diff, &(struct render_opts){ 0 }),
			 0);
	fclose(out);
	_cleanup_free_ char *data = data_of(page);
	assert_number(data, SUM_OF("values[0].before", "2"), before->total.bytes);
	assert_number(data, SUM_OF("values[0].cells", "3"), after->total.bytes);
	assert_query(data, "SELECT json_extract(?1, '$.diff.before_name')", "a<b.gallop");
	assert_query(data, "SELECT json_extract(?1, '$.diff.after_over')", "3");
	assert_query(data, "SELECT instr(json_extract(?1, '$.before.lines'), 'check: ') > 0", "1");
	/* What isn't comparable isn't there, and all else is. */
	assert_query(
		data,
		"SELECT sum(value->>'$.key' = 'stw') || ' ' || sum(value->>'$.key' = 'assist') "
		"FROM json_each(?1, '$.values')",
		"0 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_but_its_own_script_may_run),
		cmocka_unit_test(golden_data),
		cmocka_unit_test(sums_are_those_of_collapsed_stacks),
		cmocka_unit_test(no_name_ends_the_element),
		cmocka_unit_test(nothing_is_a_page_too),
		cmocka_unit_test(estimates_have_their_intervals),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(a_difference_has_both),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
