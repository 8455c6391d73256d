/* SPDX-License-Identifier: BSD-2-Clause */
/* Garbage collection in every format. */
#include "golden.h"
#include "sample_gc.h"

#include <time.h>

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
		{ .name = "gc-lines-interval", .render = render_lines, .snapshot = { .interval = true } },
		{ .name = "gc-summary", .render = render_gc_summary },
		{ .name = "gc-summary-stacks", .render = render_gc_summary,
		  .opts = { .stacks = true, .top_nr = 1, .color = true } },
		{ .name = "gc-text", .format = "text", .opts = { .top_nr = 2 } },
		{ .name = "gc-json", .format = "json" },
		{ .name = "gc-jsonl", .format = "jsonl" },
	};
	struct model *m = gc_model();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snapshot *s = take(m, cases[i].snapshot);
		render_fn *render = cases[i].render ? cases[i].render :
						      renderer_find(cases[i].format)->render;
		_cleanup_free_ char *text = rendered(render, s, cases[i].opts);
		assert_golden(cases[i].name, text);
		snapshot_free(s);
	}
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_outputs),
	};
	/* Wall-clock times are local. */
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("gc render", tests, NULL, NULL);
}
