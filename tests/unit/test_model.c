/* SPDX-License-Identifier: BSD-2-Clause */
/* The model and its snapshots: what is one and what is two, what is cut, and that sums are sums. */
#include "heap_used.h"
#include "sample.h"

#include <errno.h>
#include <stdio.h>

/* A site's stack as "leaf;...;root". */
static void assert_stack(const struct snapshot_site *site, const char *expected)
{
	char text[4096] = "";

	for (size_t i = 0; i < site->stack->frames_nr; i++) {
		if (i)
			strcat(text, ";");
		strcat(text, site->stack->frames[i]->func);
	}
	assert_string_equal(text, expected);
}

static void add_count(struct snapshot_count *sum, struct snapshot_count n)
{
	sum->objects += n.objects;
	sum->bytes += n.bytes;
}

static void assert_count(struct snapshot_count n, uint64_t objects, uint64_t bytes)
{
	assert_int_equal(n.objects, objects);
	assert_int_equal(n.bytes, bytes);
}

/* Every table adds up to the total. */
static void assert_sums(const struct snapshot *s)
{
	struct snapshot_count sites = { 0 }, types = { 0 }, sizes = { 0 }, flat = { 0 };

	for (size_t i = 0; i < s->sites_nr; i++)
		add_count(&sites, s->sites[i].count);
	for (size_t i = 0; i < s->types_nr; i++)
		add_count(&types, s->types[i].count);
	for (size_t i = 0; i < s->sizes_nr; i++)
		add_count(&sizes, s->sizes[i].count);
	for (size_t i = 0; i < s->funcs_nr; i++) {
		add_count(&flat, s->funcs[i].flat);
		assert_true(s->funcs[i].cum.objects >= s->funcs[i].flat.objects);
		assert_true(s->funcs[i].cum.objects <= s->total.objects);
		assert_true(s->funcs[i].cum.bytes <= s->total.bytes);
	}
	assert_count(sites, s->total.objects, s->total.bytes);
	assert_count(types, s->total.objects, s->total.bytes);
	assert_count(sizes, s->total.objects, s->total.bytes);
	assert_count(flat, s->total.objects, s->total.bytes);
}

static void equal_content_has_one_id(void **state)
{
	_model_ *m = new_model();
	struct model_frame f[] = { { "main.f", "f.go", 1, false, 0x10 },
				   { "main.main", "f.go", 2, false, 0x20 } };

	(void)state;
	int64_t a = model_stack(m, f, 2, false);
	assert_int_equal(a, 0);
	assert_int_equal(model_stack(m, f, 2, false), a);
	assert_int_not_equal(model_stack(m, f, 2, true), a);
	assert_int_not_equal(model_stack(m, f, 1, false), a);
	f[1].pc = 0x28;
	assert_int_not_equal(model_stack(m, f, 2, false), a);

	assert_int_equal(model_type(m, "int"), 0);
	assert_int_equal(model_type(m, "string"), 1);
	assert_int_equal(model_type(m, "int"), 0);
	assert_int_equal(model_site(m, 0, 0, 1, 0, 0), 0);
	assert_int_equal(model_site(m, 0, 0, 1, 9, 0), 1);
	assert_int_equal(model_site(m, 0, 0, 1, 0, 0), 0);
}

static void bad_input_is_refused(void **state)
{
	_model_ *m = new_model();
	struct model_frame deep[MODEL_DEPTH_MAX + 1];

	(void)state;
	for (size_t i = 0; i < MODEL_DEPTH_MAX + 1; i++)
		deep[i] = frame("main.f", "", (uint32_t)i);
	assert_int_equal(model_stack(m, deep, MODEL_DEPTH_MAX + 1, false), -E2BIG);
	assert_int_equal(model_stack(m, deep, MODEL_DEPTH_MAX, false), 0);
	assert_int_equal(model_type(m, "int"), 0);
	assert_int_equal(model_site(m, 1, 0, 1, 0, 0), -EINVAL);
	assert_int_equal(model_site(m, 0, 1, 1, 0, 0), -EINVAL);
	assert_int_equal(model_site(m, 0, 0, MODEL_CLASS_NR, 0, 0), -EINVAL);
}

static void runtime_frames_are_cut_from_the_ends(void **state)
{
	static const struct {
		const char *all, *shown;
	} cases[] = {
		{ "runtime.mallocgc;runtime.newobject;main.f;main.main;runtime.main;runtime.goexit",
		  "main.f;main.main;runtime.main" },
		{ "internal/runtime/maps.(*Map).grow;runtime.mapassign;main.f;runtime.goexit",
		  "main.f" },
		{ "runtime.mallocgc;runtime.bgsweep;runtime.goexit",
		  "runtime.mallocgc;runtime.bgsweep" },
		{ "runtime.goexit", "runtime.goexit" },
		{ "main.f;runtime.call;main.g", "main.f;runtime.call;main.g" },
		{ "runtimeless.f;main.main", "runtimeless.f;main.main" },
		{ "runtime/debug.Stack;main.main", "runtime/debug.Stack;main.main" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_model_ *m = new_model();
		sample_add(m, sample_stack(m, cases[i].all, false), "int", 1, 1, 8);
		_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
		assert_int_equal(s->sites_nr, 1);
		assert_stack(&s->sites[0], cases[i].shown);
		_snapshot_ *all = take(m, (struct snapshot_opts){ .runtime_frames = true });
		assert_stack(&all->sites[0], cases[i].all);
	}
}

static void sites_that_look_the_same_are_one(void **state)
{
	_model_ *m = new_model();
	const struct model_frame f[] = { { "main.f", "f.go", 1, false, 0x10 },
					 { "main.main", "f.go", 2, false, 0x20 } };
	const struct model_frame others[] = { { "main.f", "f.go", 1, false, 0x18 },
					      { "main.main", "f.go", 2, false, 0x28 } };

	(void)state;
	sample_add(m, sample_stack(m, "runtime.mallocgc;main.f;runtime.goexit", false), "int", 1, 1,
		   8);
	sample_add(m, sample_stack(m, "runtime.growslice;main.f", false), "int", 2, 2, 32);
	sample_add(m, sample_stack(m, "main.f", false), "string", 2, 4, 64);
	sample_add(m, sample_stack(m, "main.f", true), "int", 1, 8, 64);
	/* Two addresses of one line. */
	sample_add(m, sample_id(model_stack(m, f, 2, false)), "bool", 1, 16, 16);
	sample_add(m, sample_id(model_stack(m, others, 2, false)), "bool", 1, 32, 32);

	_snapshot_ *s = take(m, (struct snapshot_opts){ .sort = SNAPSHOT_OBJECTS });
	assert_int_equal(s->sites_nr, 4);
	assert_count(s->sites[0].count, 48, 48);
	assert_string_equal(s->sites[0].type, "bool");
	assert_count(s->sites[1].count, 8, 64);
	assert_true(s->sites[1].stack->cut);
	assert_count(s->sites[2].count, 4, 64);
	assert_count(s->sites[3].count, 3, 40);
	assert_sums(s);
}

/* A table without stacks has one row for a place, however it was reached. */
static void places_are_what_the_program_calls(void **state)
{
	static const char *const stacks[] = {
		"fmt.Sprintf;main.key;main.first;main.main;runtime.main;runtime.goexit",
		"fmt.Sprintf;main.key;main.second;main.main;runtime.main;runtime.goexit",
		"fmt.Sprintf;main.other;main.main;runtime.main;runtime.goexit",
		"io.ReadAll;bufio.(*Reader).fill;runtime.goexit",
	};
	_model_ *m = new_model();

	(void)state;
	for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++)
		sample_add(m, sample_stack(m, stacks[i], i == 1), "string", 1, i + 1, 8 * (i + 1));
	_snapshot_ *all = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(all->sites_nr, 4);
	_snapshot_ *places = take(m, (struct snapshot_opts){ .places = true });
	assert_int_equal(places->sites_nr, 3);
	assert_int_equal(places->total.objects, all->total.objects);
	/* By bytes: that of the standard library alone is whole, and the other two end at main. */
	assert_int_equal(places->sites[0].stack->frames_nr, 2);
	assert_int_equal(places->sites[1].count.objects, 3);
	assert_string_equal(places->sites[1].stack->frames[1]->func, "main.key");
	assert_int_equal(places->sites[1].stack->frames_nr, 2);
	assert_false(places->sites[1].stack->cut);
	assert_string_equal(places->sites[2].stack->frames[1]->func, "main.other");
}

static void what_no_site_took_is_shown(void **state)
{
	_model_ *m = new_model();

	(void)state;
	sample_add(m, sample_stack(m, "main.f", false), "int", 1, 10, 80);
	model_set_totals(m, 15, 1000);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_count(s->total, 15, 1000);
	assert_int_equal(s->sites_nr, 2);
	assert_stack(&s->sites[0], SNAPSHOT_LOST);
	assert_string_equal(s->sites[0].type, SNAPSHOT_LOST);
	assert_count(s->sites[0].count, 5, 920);
	assert_int_equal(s->sizes[0].size_class, MODEL_CLASS_NR);
	assert_sums(s);

	/* Totals that lag behind the sites are raised to them. */
	model_set_totals(m, 9, 90);
	_snapshot_ *lag = take(m, (struct snapshot_opts){ 0 });
	assert_count(lag->total, 10, 90);
	assert_sums(lag);
}

static const struct snapshot_func *find_func(const struct snapshot *s, const char *name)
{
	for (size_t i = 0; i < s->funcs_nr; i++) {
		if (strcmp(s->funcs[i].name, name) == 0)
			return &s->funcs[i];
	}
	fail_msg("no function %s", name);
	return NULL;
}

static void recursion_counts_once(void **state)
{
	_model_ *m = new_model();

	(void)state;
	sample_add(m, sample_stack(m, "main.f;main.g;main.f;main.main", false), "int", 1, 10, 80);
	sample_add(m, sample_stack(m, "main.g;main.main", false), "int", 1, 1, 8);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_count(find_func(s, "main.f")->flat, 10, 80);
	assert_count(find_func(s, "main.f")->cum, 10, 80);
	assert_count(find_func(s, "main.g")->flat, 1, 8);
	assert_count(find_func(s, "main.g")->cum, 11, 88);
	assert_count(find_func(s, "main.main")->flat, 0, 0);
	assert_count(find_func(s, "main.main")->cum, 11, 88);
	assert_sums(s);
}

static void an_interval_is_what_was_added(void **state)
{
	_model_ *m = new_model();
	uint32_t f = sample_stack(m, "main.f", false), g = sample_stack(m, "main.g", false);

	(void)state;
	model_meta(m)->start_mono_ns = 100;
	model_meta(m)->end_mono_ns = 200;
	sample_add(m, f, "int", 1, 10, 80);
	model_set_totals(m, 10, 80);
	model_set_loss(m, "k", "words", 3);
	model_next_interval(m, 200);

	sample_add(m, g, "int", 1, 5, 40);
	model_set_totals(m, 17, 136);
	model_set_loss(m, "k", "words", 4);
	model_meta(m)->end_mono_ns = 250;
	_snapshot_ *last = take(m, (struct snapshot_opts){ .interval = true });
	assert_int_equal(last->sites_nr, 2);
	assert_stack(&last->sites[0], "main.g");
	assert_count(last->sites[0].count, 5, 40);
	assert_count(last->sites[1].count, 2, 16);
	assert_count(last->total, 7, 56);
	assert_int_equal(last->loss_total, 1);
	assert_int_equal(last->from_mono_ns, 200);
	assert_int_equal(last->to_mono_ns, 250);
	assert_sums(last);

	_snapshot_ *all = take(m, (struct snapshot_opts){ 0 });
	assert_count(all->total, 17, 136);
	assert_int_equal(all->loss_total, 4);
	assert_int_equal(all->from_mono_ns, 100);
	assert_sums(all);
}

static void size_classes_have_sizes(void **state)
{
	_model_ *m = new_model();
	uint32_t f = sample_stack(m, "main.f", false);

	(void)state;
	sample_add(m, f, "int", MODEL_CLASS_LARGE, 1, 40000);
	sample_add(m, f, "int", 5, 1, 48);
	sample_add(m, f, "int", 67, 1, 32768);
	sample_add(m, f, "int", MODEL_CLASS_TINY, 1, 1);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_int_equal(s->sites_nr, 1);
	assert_int_equal(s->sizes_nr, 4);
	assert_int_equal(s->sizes[0].slot_size, 0);
	assert_int_equal(s->sizes[1].slot_size, 32768);
	assert_int_equal(s->sizes[2].slot_size, 48);
	assert_int_equal(s->sizes[3].slot_size, 16);
}

static void names_come_out_clean(void **state)
{
	_model_ *m = new_model();
	char *longest = malloc(100000);

	(void)state;
	memset(longest, 'x', 99999);
	longest[99999] = '\0';
	sample_add(m, sample_stack(m, "a\033]0;b", false), "t\n\xff", 1, 1, 8);
	sample_add(m, sample_stack(m, "main.f", false), longest, 1, 1, 7);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_stack(&s->sites[0], "a?]0;b");
	assert_string_equal(s->sites[0].type, "t?\xef\xbf\xbd");
	assert_true(strlen(s->sites[1].type) < 5000);
	free(longest);
}

static void marks_and_losses_are_bounded(void **state)
{
	_model_ *m = new_model();
	char key[16];

	(void)state;
	for (uint64_t i = 0; i < 10000; i++) {
		const struct model_mark mark = { .mono_ns = i, .reason = "R" };
		assert_int_equal(model_add_mark(m, &mark), 0);
	}
	for (unsigned int i = 0; i < 64; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		assert_int_equal(model_set_loss(m, key, "", 1), 0);
	}
	assert_int_equal(model_set_loss(m, "one more", "", 1), -E2BIG);
	_snapshot_ *s = take(m, (struct snapshot_opts){ 0 });
	assert_true(s->marks_nr < 5000);
	assert_int_equal(s->marks[0].mono_ns, 0);
	assert_int_equal(s->marks[s->marks_nr - 1].mono_ns, 9999);
	assert_int_equal(s->loss_total, 64);
}

/* xorshift: the same model on every run. */
static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static uint32_t random_stack(struct model *m, uint32_t *seed, size_t n, uint32_t funcs_nr)
{
	struct model_frame frames[64];
	char names[64][40];

	for (size_t i = 0; i < n; i++) {
		uint32_t f = next_random(seed) % funcs_nr;
		snprintf(names[i], sizeof(names[i]), "%s.f%u",
			 f % 3 ? "example.com/app/pkg" : "runtime", f);
		frames[i] = frame(names[i], "/src/app/pkg/file.go", f % 50);
		frames[i].pc = 0x400000 + f * 16;
	}
	return sample_id(model_stack(m, frames, n, next_random(seed) % 7 == 0));
}

static void sums_hold_for_any_model(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 20; round++) {
		_model_ *m = new_model();
		for (int i = 0; i < 400; i++) {
			uint32_t stack = random_stack(m, &seed, 1 + next_random(&seed) % 6, 12);
			const char *type = next_random(&seed) % 2 ? "int" : "string";
			sample_add(m, stack, type, next_random(&seed) % MODEL_CLASS_NR,
				   next_random(&seed) % 5, next_random(&seed) % 5000);
			if (i == 200)
				model_next_interval(m, 1);
		}
		model_set_totals(m, next_random(&seed) % 2000, next_random(&seed) % 2000000);
		for (int o = 0; o < 8; o++) {
			_snapshot_ *s = take(m, (struct snapshot_opts){ .interval = o & 1,
									.runtime_frames = o & 2,
									.sort = o >> 2 });
			assert_sums(s);
			for (size_t i = 1; i < s->sites_nr; i++)
				assert_true(o >> 2 ? s->sites[i - 1].count.objects >=
							     s->sites[i].count.objects
						   : s->sites[i - 1].count.bytes >=
							     s->sites[i].count.bytes);
		}
	}
}

/* The promise: 50,000 sites, each with a stack of 25 frames of its own, within 40 MiB. */
static void many_sites_take_little_memory(void **state)
{
	size_t before = heap_used();
	uint32_t seed = 7;
	_model_ *m = new_model();

	(void)state;
	for (uint32_t i = 0; i < 50000; i++)
		sample_add(m, random_stack(m, &seed, 25, 20000), "int", 1, i, i);
	size_t model_sz = heap_used() - before;
	_snapshot_ *s = take(m, (struct snapshot_opts){ .runtime_frames = true });
	size_t both_sz = heap_used() - before;
	assert_true(s->sites_nr > 49900);
	print_message("# model %zu KiB, with snapshot %zu KiB\n", model_sz / 1024, both_sz / 1024);
	assert_true(model_sz < 30u << 20);
	assert_true(both_sz < 40u << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_content_has_one_id),
		cmocka_unit_test(bad_input_is_refused),
		cmocka_unit_test(runtime_frames_are_cut_from_the_ends),
		cmocka_unit_test(sites_that_look_the_same_are_one),
		cmocka_unit_test(places_are_what_the_program_calls),
		cmocka_unit_test(what_no_site_took_is_shown),
		cmocka_unit_test(recursion_counts_once),
		cmocka_unit_test(an_interval_is_what_was_added),
		cmocka_unit_test(size_classes_have_sizes),
		cmocka_unit_test(names_come_out_clean),
		cmocka_unit_test(marks_and_losses_are_bounded),
		cmocka_unit_test(sums_hold_for_any_model),
		cmocka_unit_test(many_sites_take_little_memory),
	};
	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
