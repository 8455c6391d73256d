/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader against the truth that Go programs of every version and build mode tell of themselves.
 */
#include "fixture.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "gobin/gobin.h"
#include "gobin/layout.h"

enum { LINE_CAP = 16384, FRAMES_MAX = 64 };

/* Runs the fixture; each line is split at its tabs into at most five fields. */
struct truth {
	FILE *out;
	char line[LINE_CAP];
	char *field[5];
	int nr;
};

static void truth_start(struct truth *t, const char *path, const char *arg)
{
	char command[FIXTURE_PATH_CAP + 64];

	snprintf(command, sizeof(command), "'%s' %s", path, arg);
	t->out = popen(command, "r");
	assert_non_null(t->out);
}

static bool truth_next(struct truth *t)
{
	if (!fgets(t->line, sizeof(t->line), t->out))
		return false;
	t->line[strcspn(t->line, "\n")] = '\0';
	char *rest = t->line;
	for (t->nr = 0; t->nr < 5 && rest; t->nr++)
		t->field[t->nr] = strsep(&rest, "\t");
	assert_true(t->nr >= 2);
	return true;
}

static uint64_t truth_addr(const struct truth *t, int field)
{
	return strtoull(t->field[field], NULL, 10);
}

static bool truth_is(const struct truth *t, const char *kind)
{
	return strcmp(t->field[0], kind) == 0;
}

/* A "func" line: the load bias is the same for each of them. */
static uint64_t check_func(const struct truth *t, struct gobin *bin)
{
	struct gobin_func func;
	assert_int_equal(gobin_find_func(bin, t->field[1], &func), 0);

	uint64_t bias = truth_addr(t, 2) - func.entry;
	assert_int_equal(bias & 0xfff, 0);
	if (!gobin_info(bin)->pie)
		assert_int_equal(bias, 0);
	return bias;
}

static void check_frame(const struct gobin_frame *got, const char *func, const char *file,
			const char *line)
{
	assert_string_equal(got->func, func);
	assert_string_equal(got->file, file);
	assert_int_equal(got->line, atoi(line));
}

/*
 * The frames of one stack. Callers gives one pc per logical frame: that of an inlined call stands
 * in the middle of the frames that its innermost pc has. Wrappers are left out by Go, not by us.
 */
static void check_stack(struct truth *t, struct gobin *bin, uint64_t bias, int *inlined_nr)
{
	struct gobin_frame frames[FRAMES_MAX];
	uint64_t pcs[FRAMES_MAX];
	int pcs_nr = 0, pc = 0, nr = 0, at = 0;

	while (truth_next(t) && truth_is(t, "pc"))
		pcs[pcs_nr++] = truth_addr(t, 1) - bias;
	for (int frame = 0; frame < pcs_nr; frame++) {
		assert_true(truth_is(t, "frame"));
		while (at < nr && at > 0 && frames[at].wrapper)
			at++;
		if (at == nr) {
			pc = frame;
			nr = gobin_frames(bin, pcs[pc] - 1, frames, FRAMES_MAX);
			assert_true(nr > 0);
			at = 0;
		}
		*inlined_nr += frames[at].inlined;
		assert_int_equal(frames[at].inlined, at + 1 < nr);
		check_frame(&frames[at++], t->field[1], t->field[2], t->field[3]);
		if (frame + 1 < pcs_nr)
			assert_true(truth_next(t));
	}
}

static void check_type(const struct truth *t, struct gobin *bin, uint64_t bias)
{
	char name[512];
	int r = gobin_type_name(bin, truth_addr(t, 2) - bias, name, sizeof(name));

	if (truth_is(t, "madetype")) {
		assert_int_equal(r, -ENOENT);
		return;
	}
	assert_int_equal(r, 0);
	assert_string_equal(name, t->field[1]);
}

/* Stacks and types, in each build mode of a version. */
static void test_truth(void **state)
{
	const char *version = *state;

	for (int mode = 0; mode < FIXTURE_MODES_NR; mode++) {
		char path[FIXTURE_PATH_CAP];
		_cleanup_(fixture_gobin_freep) struct gobin *bin =
			fixture_open(version, fixture_modes[mode], path);
		struct truth t;
		uint64_t bias = 0;
		int stacks_nr = 0, types_nr = 0, inlined_nr = 0;

		truth_start(&t, path, "");
		_cleanup_(fixture_pclosep) FILE *out = t.out;
		while (truth_next(&t)) {
			if (truth_is(&t, "func")) {
				bias = check_func(&t, bin);
			} else if (truth_is(&t, "stack")) {
				check_stack(&t, bin, bias, &inlined_nr);
				stacks_nr++;
			} else {
				check_type(&t, bin, bias);
				types_nr++;
			}
		}
		assert_true(stacks_nr >= 18);
		assert_true(types_nr >= 28);
		assert_true(inlined_nr >= 5);
	}
}

/* The innermost frame of every 61st byte of the code (a prime, so all parts of instructions). */
static void test_sweep(void **state)
{
	static const char *const modes[] = { "stripped", "cgopiestripped" };

	for (int mode = 0; mode < 2; mode++) {
		char path[FIXTURE_PATH_CAP];
		_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state, modes[mode],
										path);
		struct truth t;
		uint64_t bias = 0;
		int nr = 0;

		truth_start(&t, path, "61");
		_cleanup_(fixture_pclosep) FILE *out = t.out;
		while (truth_next(&t)) {
			if (truth_is(&t, "func")) {
				bias = check_func(&t, bin);
				continue;
			}
			struct gobin_frame frame;
			assert_int_equal(gobin_frames(bin, truth_addr(&t, 1) - bias, &frame, 1), 1);
			/*
			 * Go takes a name at offset 0 for none, and so has none for its first
			 * function.
			 */
			if (t.field[2][0])
				check_frame(&frame, t.field[2], t.field[3], t.field[4]);
			nr++;
		}
		assert_true(nr > 10000);
	}
}

static void test_info(void **state)
{
	const char *version = *state;

	for (int i = 0; i < FIXTURE_MODES_NR; i++) {
		const char *mode = fixture_modes[i];
		char path[FIXTURE_PATH_CAP];
		_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(version, mode,
										path);
		const struct gobin_info *info = gobin_info(bin);

		assert_string_equal(info->path, path);
		assert_memory_equal(info->go_version, "go", 2);
		assert_memory_equal(info->go_version + 2, version, 4);
		assert_int_equal(info->go_minor, atoi(version + 2));
		assert_string_equal(info->main_path, "gallop.test/gobinfix");
		assert_string_equal(info->module, "gallop.test (devel)");
		assert_string_equal(info->experiments, "");
		assert_true(strlen(info->build_id) >= 40);
		assert_int_equal(info->machine, EM_X86_64);
		assert_int_equal(info->pie, strstr(mode, "pie") != NULL);
		assert_int_equal(info->cgo, strstr(mode, "cgo") != NULL);
		assert_int_equal(info->stripped, strstr(mode, "stripped") != NULL);
		assert_int_equal(info->dwarf, !info->stripped);
		assert_int_equal(gobin_layout(bin)->minor, info->go_minor);
	}
}

static void test_map_kind(void **state)
{
	enum gobin_maps kind = strcmp(*state, "1.24") < 0 ? GOBIN_MAPS_CLASSIC : GOBIN_MAPS_SWISS;
	char path[FIXTURE_PATH_CAP];

	for (int i = 0; i < FIXTURE_MODES_NR; i++) {
		_cleanup_(fixture_gobin_freep) struct gobin *bin =
			fixture_open(*state, fixture_modes[i], path);
		assert_int_equal(gobin_map_kind(bin), kind);
	}
	if (fixture_find(*state, "noswissmap", "gobinfix", path, sizeof(path))) {
		_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state,
										"noswissmap", path);
		assert_int_equal(gobin_map_kind(bin), GOBIN_MAPS_CLASSIC);
	}
}

/* What the index has of a prefix is what a pass over all functions finds. */
struct prefix_count {
	const char *prefix;
	int nr;
};

static int count_prefix(const struct gobin_func *func, const char *name, void *ctx)
{
	struct prefix_count *c = ctx;

	(void)func;
	c->nr += strncmp(name, c->prefix, strlen(c->prefix)) == 0;
	return 0;
}

static void test_index(void **state)
{
	static const char *const prefixes[] = { "runtime.", "internal/runtime/maps.",
						"internal/sync.(*HashTrieMap[", "sync.(*Map)." };
	char path[FIXTURE_PATH_CAP];
	_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state, "stripped", path);

	for (int i = 0; i < 4; i++) {
		struct prefix_count all = { prefixes[i], 0 }, indexed = { prefixes[i], 0 };
		assert_int_equal(gobin_each_func(bin, "", count_prefix, &all), 0);
		assert_int_equal(gobin_each_func(bin, prefixes[i], count_prefix, &indexed), 0);
		assert_int_equal(all.nr, indexed.nr);
	}
}

struct pcsp_check {
	uint64_t next;
	int runs, zero_at_end;
};

static int check_pcsp_run(uint64_t va, uint64_t end, int32_t sp_delta, void *ctx)
{
	struct pcsp_check *c = ctx;

	assert_int_equal(va, c->next);
	assert_true(end > va);
	if (c->runs == 0)
		assert_int_equal(sp_delta, 0);
	assert_in_range(sp_delta, 0, 1 << 16);
	c->next = end;
	c->runs++;
	return 0;
}

/* The runs of mallocgc's pcsp follow each other from its entry, and begin with an empty frame. */
static void test_pcsp(void **state)
{
	char path[FIXTURE_PATH_CAP];
	_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state, "piestripped",
									path);
	struct gobin_func func;

	assert_int_equal(gobin_find_func(bin, "runtime.mallocgc", &func), 0);
	struct pcsp_check check = { .next = func.entry };
	assert_int_equal(gobin_each_pcsp(bin, &func, check_pcsp_run, &check), 0);
	assert_true(check.runs >= 3);
	assert_in_range(check.next, func.end - 32, func.end);

	uint64_t off, va;
	assert_int_equal(gobin_file_offset(bin, func.entry, &off), 0);
	assert_int_equal(gobin_va_of_offset(bin, off, &va), 0);
	assert_int_equal(va, func.entry);
	assert_int_equal(gobin_frames(bin, gobin_info(bin)->etext, NULL, 1), -ENOENT);
}

static int count_func(const struct gobin_func *func, const char *name, void *ctx)
{
	assert_true(func->end >= func->entry);
	assert_memory_equal(name, "runtime.(*mcache).", 18);
	return ++*(int *)ctx == 3 ? 42 : 0;
}

static void test_find(void **state)
{
	char path[FIXTURE_PATH_CAP];
	_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state, "cgopiestripped",
									path);
	struct gobin_func func, at;
	int nr = 0;

	/* Of the runtime, which is indexed, and of others. */
	assert_int_equal(gobin_find_func(bin, "runtime.mallocgc", &func), 0);
	assert_int_equal(gobin_func_at(bin, func.entry + 1, &at), 0);
	assert_int_equal(at.idx, func.idx);
	assert_int_equal(gobin_find_func(bin, "main.main", &func), 0);
	assert_int_equal(gobin_find_func(bin, "crosscall2", &func), 0);
	assert_int_equal(gobin_find_func(bin, "no.such", &func), -ENOENT);
	assert_int_equal(gobin_find_func(bin, "runtime.", &func), -ENOENT);
	assert_int_equal(gobin_find_func(bin, "runtime.mallocgcX", &func), -ENOENT);
	assert_int_equal(gobin_each_func(bin, "runtime.(*mcache).", count_func, &nr), 42);
}

struct all_frames {
	struct gobin *bin;
	int nr;
};

static int check_run_frames(uint64_t va, uint64_t end, int32_t sp_delta, void *ctx)
{
	struct all_frames *c = ctx;
	static struct gobin_frame frames[FRAMES_MAX];

	(void)sp_delta;
	for (; va < end; va += 7, c->nr++)
		assert_in_range(gobin_frames(c->bin, va, frames, FRAMES_MAX), 1, FRAMES_MAX - 1);
	return 0;
}

static int check_func_frames(const struct gobin_func *func, const char *name, void *ctx)
{
	struct all_frames *c = ctx;

	(void)name;
	return gobin_each_pcsp(c->bin, func, check_run_frames, ctx);
}

/* What is asked of tables so that hostile ones end is true of all tables of real programs. */
static void test_all_frames(void **state)
{
	for (int mode = 0; mode < FIXTURE_MODES_NR; mode += 7) {
		char path[FIXTURE_PATH_CAP];
		struct all_frames all = { .bin = fixture_open(*state, fixture_modes[mode], path) };
		_cleanup_(fixture_gobin_freep) struct gobin *bin = all.bin;

		assert_int_equal(gobin_each_func(bin, "", check_func_frames, &all), 0);
		assert_true(all.nr > 50000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_info),	 cmocka_unit_test(test_find),
		cmocka_unit_test(test_map_kind), cmocka_unit_test(test_index),
		cmocka_unit_test(test_pcsp),	 cmocka_unit_test(test_truth),
		cmocka_unit_test(test_sweep),	 cmocka_unit_test(test_all_frames),
	};

	return fixture_run("gobin", tests, sizeof(tests) / sizeof(tests[0]));
}
