/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The planner on executables of every toolchain, without root: which functions are probed, and
 * that each place is what the plan says, by an independent disassembler (objdump).
 */
#include "fixture.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "gobin/gobin.h"
#include "gobin/layout.h"
#include "plan/place.h"
#include "plan/plan.h"

enum { PATH_CAP = 4096, RETURNS_MAX = 512 };

static void gobin_freep(struct gobin **bin)
{
	gobin_free(*bin);
}

static void plan_freep(struct plan **plan)
{
	plan_free(*plan);
}

static void pclosep(FILE **f)
{
	if (*f)
		assert_int_equal(pclose(*f), 0);
}

static struct gobin *open_binary(const char *version, const char *mode, char *path)
{
	struct gobin *bin = NULL;
	struct err err = { 0 };

	fixture_need(version, mode, "gobinfix", path, PATH_CAP);
	if (gobin_open(path, &bin, &err))
		fail_msg("%s: %s", path, err.msg);
	return bin;
}

static struct plan *make_plan(struct gobin *bin, const char *path)
{
	struct plan_opts opts = { 0 };
	struct plan *plan = NULL;
	struct err err = { 0 };

	if (plan_new(bin, &opts, &plan, &err))
		fail_msg("%s: %s", path, err.msg);
	return plan;
}

/* The mnemonic that objdump prints at an address, "" if no instruction begins there. */
static void disassemble_at(const char *path, uint64_t va, char mnemonic[32])
{
	char command[PATH_CAP + 128], line[512];

	snprintf(command, sizeof(command),
		 "objdump -d --no-show-raw-insn --start-address=%#llx --stop-address=%#llx '%s'",
		 (unsigned long long)va, (unsigned long long)va + 6, path);
	_cleanup_(pclosep) FILE *f = popen(command, "r");
	assert_non_null(f);
	mnemonic[0] = '\0';
	while (fgets(line, sizeof(line), f)) {
		unsigned long long at;
		char word[32];

		if (!mnemonic[0] && sscanf(line, " %llx: %31s", &at, word) == 2 && at == va)
			snprintf(mnemonic, 32, "%s", word);
	}
}

static const struct plan_probe *find_probe(const struct plan *plan, const char *func)
{
	for (size_t i = 0; i < plan->probes_nr; i++)
		if (!strcmp(plan->probes[i].func, func))
			return &plan->probes[i];
	return NULL;
}

static int minor_of(const char *version)
{
	return atoi(strchr(version, '.') + 1);
}

/* The counting rule: which entries there are, and up to which size mallocgc leaves objects to them. */
static void test_rule(void **state)
{
	const char *version = *state;
	char path[PATH_CAP];
	_cleanup_(gobin_freep) struct gobin *bin = open_binary(version, "stripped", path);
	_cleanup_(plan_freep) struct plan *plan = make_plan(bin, path);
	size_t specialised = 0;

	assert_non_null(find_probe(plan, "runtime.mallocgc"));
	assert_null(find_probe(plan, "runtime.mallocgcSmallNoscan"));
	assert_null(find_probe(plan, "runtime.mallocgcTiny"));
	assert_null(find_probe(plan, "runtime.mallocgcTinySlowPath"));
	for (size_t i = 0; i < plan->probes_nr; i++)
		specialised += (plan->probes[i].cookie & 0xff) == WIRE_PLACE_SPECIALISED;
	/* Go 1.27: 7 classes with pointers, 6 without, and one for tiny objects, for sizes up to 80. */
	assert_int_equal(specialised, minor_of(version) >= 27 ? 14 : 0);
	assert_int_equal(plan->cfg.malloc_limit, minor_of(version) >= 27 ? 80 : 0);
	assert_int_equal(plan->cfg.header_min, minor_of(version) >= 22 ? 512 : GO_OFF_NONE);
	assert_int_equal(plan->cfg.small_max, minor_of(version) >= 22 ? 32760 : 32768);
	assert_int_not_equal(plan->cfg.memstats_va, 0);
	assert_int_not_equal(plan->cfg.allp_va, 0);
	assert_non_null(find_probe(plan, "runtime.exit"));
	assert_non_null(find_probe(plan, "runtime.gcStart"));
	assert_non_null(find_probe(plan, "runtime.stopTheWorldWithSema"));
	assert_non_null(find_probe(plan, "runtime.startTheWorldWithSema"));
	assert_non_null(find_probe(plan, "runtime.gcMarkTermination"));
	assert_non_null(find_probe(plan, "runtime.gcAssistAlloc1"));
	assert_int_not_equal(plan->cfg.gc_controller_va, 0);
	assert_int_equal(plan->notes_nr, 0);
}

static void check_place(struct gobin *bin, const char *path, const struct plan_probe *probe,
			int minor)
{
	uint64_t va;
	struct gobin_func func;
	char name[256], mnemonic[32];
	bool entry = !strcmp(probe->func, "runtime.exit");

	assert_int_equal(gobin_va_of_offset(bin, probe->file_off, &va), 0);
	assert_int_equal(va, probe->va);
	assert_int_equal(probe->cookie >> 16, probe->va);
	assert_int_equal(gobin_func_at(bin, probe->va, &func), 0);
	assert_int_equal(gobin_func_name(bin, &func, name, sizeof(name)), 0);
	assert_string_equal(name, probe->func);
	disassemble_at(path, probe->va, mnemonic);
	if (entry) {
		assert_int_equal(probe->va, func.entry);
		assert_string_equal(probe->insn, "entry");
		return;
	}
	assert_true(probe->va > func.entry);
	if (!strcmp(probe->insn, "ret")) {
		assert_int_equal(strncmp(mnemonic, "ret", 3), 0);
		return;
	}
	assert_string_equal(probe->insn, minor >= 21 ? "push" : "jbe");
	assert_string_equal(mnemonic, probe->insn);
	assert_int_equal((probe->cookie >> 8 & WIRE_F_JCC) != 0, minor < 21);
}

/* Every place is the cheap instruction, in every build mode. */
static void test_places(void **state)
{
	/* Stripped ones: objdump, run once for each place, spends its time on symbol tables. */
	static const char *const modes[] = { "stripped", "piestripped", "cgostripped",
					     "cgopiestripped" };
	const char *version = *state;

	for (size_t mode = 0; mode < sizeof(modes) / sizeof(modes[0]); mode++) {
		char path[PATH_CAP];
		_cleanup_(gobin_freep) struct gobin *bin = open_binary(version, modes[mode], path);
		_cleanup_(plan_freep) struct plan *plan = make_plan(bin, path);

		for (size_t i = 0; i < plan->probes_nr; i++)
			check_place(bin, path, &plan->probes[i], minor_of(version));
	}
}

/*
 * The same of arm64 programs: always the branch, and what the walk of stacks must know. That each is what it is said
 * to be is checked for all functions by test_plan_ops.c.
 */
static void test_arm64(void **state)
{
	const char *version = *state;
	int minor = minor_of(version);
	char path[PATH_CAP];
	_cleanup_(gobin_freep) struct gobin *bin = open_binary(version, "arm64", path);
	_cleanup_(plan_freep) struct plan *plan = make_plan(bin, path);
	_cleanup_(gobin_freep) struct gobin *own_bin = open_binary(version, "plain", path);
	_cleanup_(plan_freep) struct plan *own = make_plan(own_bin, path);
	struct gobin_func func;

	assert_int_equal(plan->machine, EM_AARCH64);
	assert_int_equal(own->machine, EM_X86_64);
	for (size_t i = 0; i < plan->probes_nr; i++) {
		const struct plan_probe *p = &plan->probes[i];
		bool jcc = p->cookie >> 8 & WIRE_F_JCC;

		assert_int_equal(jcc, !strcmp(p->insn, "b.ls"));
		assert_true(jcc || !strcmp(p->insn, "ret") || !strcmp(p->insn, "entry"));
		assert_int_equal(p->va % 4, 0);
	}
	/* The same functions are probed as on amd64. */
	for (size_t i = 0; i < own->probes_nr; i++)
		if (!find_probe(plan, own->probes[i].func))
			fail_msg("%s has no probe", own->probes[i].func);
	assert_int_equal(plan->cfg.malloc_limit, own->cfg.malloc_limit);
	assert_int_not_equal(plan->cfg.memstats_va, 0);
	assert_int_not_equal(plan->cfg.gc_controller_va, 0);
	assert_int_equal(plan->cfg.systemstack_frame, 1);
	assert_int_equal(plan->cfg.assist_va, 0);
	assert_int_equal(gobin_find_func(bin, "runtime.systemstack", &func), 0);
	assert_int_equal(plan->cfg.systemstack_va, minor < 25 ? func.entry : 0);
	assert_int_equal(own->cfg.systemstack_va, 0);
	assert_int_equal(plan->notes_nr, minor < 21);
}

/* RETs of a function by objdump, ascending. */
static int returns_by_objdump(const char *path, const struct gobin_func *func, uint64_t *ret)
{
	char command[PATH_CAP + 128], line[512];
	int nr = 0;

	snprintf(command, sizeof(command),
		 "objdump -d --no-show-raw-insn --start-address=%#llx --stop-address=%#llx '%s'",
		 (unsigned long long)func->entry, (unsigned long long)func->end, path);
	_cleanup_(pclosep) FILE *f = popen(command, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long long at;
		char word[32];

		if (sscanf(line, " %llx: %31s", &at, word) == 2 && !strncmp(word, "ret", 3)) {
			assert_true(nr < RETURNS_MAX);
			ret[nr++] = at;
		}
	}
	return nr;
}

static void test_returns(void **state)
{
	static const char *const names[] = {
		"runtime.mallocgc",	 "runtime.gcStart",
		"runtime.gcAssistAlloc", "runtime.startTheWorldWithSema",
		"runtime.growslice",	 "runtime.mapassign"
	};
	const char *version = *state;
	char path[PATH_CAP];
	_cleanup_(gobin_freep) struct gobin *bin = open_binary(version, "pie", path);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t ours[RETURNS_MAX], theirs[RETURNS_MAX];
		struct gobin_func func;

		assert_int_equal(gobin_find_func(bin, names[i], &func), 0);
		int nr = returns_by_objdump(path, &func, theirs);
		assert_int_equal(place_returns(bin, &func, ours, RETURNS_MAX), nr);
		assert_true(nr > 0);
		assert_memory_equal(ours, theirs, (size_t)nr * sizeof(ours[0]));
		assert_int_equal(place_returns(bin, &func, ours, 0), -E2BIG);
	}
}

struct map_count {
	const struct plan *plan;
	int nr;
};

/* mapassign and its variants, but not the functions inside them. */
static int check_assign(const struct gobin_func *func, const char *name, void *ctx)
{
	struct map_count *count = ctx;

	(void)func;
	if (strchr(name + strlen("runtime."), '.'))
		return 0;
	if (!find_probe(count->plan, name))
		fail_msg("%s has no probe", name);
	count->nr++;
	return 0;
}

/* Every variant that the binary has, and the functions of its own kind of maps. */
static void test_maps(void **state)
{
	const char *version = *state;
	bool swiss = minor_of(version) >= 24;
	char path[PATH_CAP];
	_cleanup_(gobin_freep) struct gobin *bin = open_binary(version, "stripped", path);
	_cleanup_(plan_freep) struct plan *plan = make_plan(bin, path);
	struct map_count count = { plan, 0 };

	assert_int_equal(gobin_each_func(bin, "runtime.mapassign", check_assign, &count), 0);
	assert_true(count.nr >= 4);
	assert_int_equal(plan->cfg.map_swiss, swiss);
	assert_non_null(find_probe(plan, "runtime.makemap_small"));
	assert_non_null(find_probe(plan, swiss ? "internal/runtime/maps.(*table).grow"
					       : "runtime.hashGrow"));
	assert_non_null(find_probe(plan, swiss ? "internal/runtime/maps.NewMap"
					       : "runtime.mapdelete_faststr"));
	for (size_t i = 0; i < plan->notes_nr; i++)
		assert_null(strstr(plan->notes[i], "maps"));
}

static struct plan *make_sampled(struct gobin *bin, const char *path, bool profiled)
{
	struct plan_opts opts = { .sampled = true, .profiled = profiled };
	struct plan *plan = NULL;
	struct err err = { 0 };

	if (plan_new(bin, &opts, &plan, &err))
		fail_msg("%s: %s", path, err.msg);
	return plan;
}

/* The group that a place must be of; -1: a sampled session has no use for it. */
static int group_of_place(enum wire_place place)
{
	switch (place) {
	case WIRE_PLACE_MALLOCGC:
	case WIRE_PLACE_SPECIALISED:
		return WIRE_GROUP_WINDOW;
	case WIRE_PLACE_MAP_ASSIGN:
	case WIRE_PLACE_MAP_DELETE:
	case WIRE_PLACE_SYNC_MAP_ASSIGN:
	case WIRE_PLACE_SYNC_MAP_DELETE:
		return WIRE_GROUP_WINDOW_MAPS;
	case WIRE_PLACE_REFILL:
		return WIRE_GROUP_REFILL;
	case WIRE_PLACE_PROFILE:
		return WIRE_GROUP_PROFILE;
	case WIRE_PLACE_LARGE:
	case WIRE_PLACE_ALLOC_LARGE:
		return WIRE_GROUP_LARGE;
	case WIRE_PLACE_MAP_CLEAR:
	case WIRE_PLACE_SYNC_MAP_CLEAR:
	case WIRE_PLACE_MAP_GROW:
	case WIRE_PLACE_MAP_GROW_TABLE:
	case WIRE_PLACE_MAP_PRUNE:
		return WIRE_GROUP_MAP_EVENTS;
	case WIRE_PLACE_ASSIST_RETURN:
		return WIRE_GROUP_ASSIST;
	case WIRE_PLACE_EXIT:
		return WIRE_GROUP_ALWAYS;
	case WIRE_PLACE_GC_START:
	case WIRE_PLACE_STW_STOP:
	case WIRE_PLACE_STW_START:
	case WIRE_PLACE_STW_RETURN:
	case WIRE_PLACE_STW_WHY:
	case WIRE_PLACE_MARK_TERMINATION:
		return WIRE_GROUP_GC;
	default:
		return -1;
	}
}

static void check_groups(const struct plan *plan)
{
	for (size_t i = 0; i < plan->probes_nr; i++) {
		const struct plan_probe *p = &plan->probes[i];

		if ((int)p->group != group_of_place(p->cookie & 0xff))
			fail_msg("%s is in group %s", p->func, plan_group_name(p->group));
		/* A program that is loaded for one group counts its hits as that group's. */
		assert_int_equal(p->prog == PLAN_PROG_WINDOW,
				 p->group == WIRE_GROUP_WINDOW ||
					 p->group == WIRE_GROUP_WINDOW_MAPS);
		assert_int_equal(p->prog == PLAN_PROG_MALLOC, p->group == WIRE_GROUP_LARGE);
	}
}

/*
 * Every allocation is in windows or among the runtime's samples, whichever the program asks for by then; only what is rare
 * is always probed.
 */
static void test_sampled(void **state)
{
	const char *version = *state;
	bool divided = minor_of(version) >= 24;
	char path[PATH_CAP];
	_cleanup_(gobin_freep) struct gobin *bin = open_binary(version, "cgopiestripped", path);
	_cleanup_(plan_freep) struct plan *exact = make_plan(bin, path);
	_cleanup_(plan_freep) struct plan *windows = make_sampled(bin, path, false);
	_cleanup_(plan_freep) struct plan *profiled = make_sampled(bin, path, true);

	for (size_t i = 0; i < exact->probes_nr; i++)
		assert_int_equal(exact->probes[i].group, WIRE_GROUP_ALWAYS);
	check_groups(windows);
	check_groups(profiled);
	assert_int_equal(windows->notes_nr, 0);
	assert_int_equal(profiled->notes_nr, 0);
	assert_non_null(find_probe(windows, "runtime.mallocgc"));
	assert_non_null(find_probe(windows, "runtime.(*mcache).refill"));
	assert_null(find_probe(windows, "runtime.profilealloc"));
	assert_non_null(find_probe(windows, divided ? "runtime.mallocgcLarge"
						    : "runtime.(*mcache).allocLarge"));
	assert_int_equal(windows->cfg.malloc_limit, exact->cfg.malloc_limit);
	assert_true(windows->cfg.sampled && windows->cfg.map_events_only);
	assert_false(exact->cfg.sampled || exact->cfg.map_events_only);
	assert_int_not_equal(windows->cfg.m_p, 0);
	assert_non_null(find_probe(profiled, "runtime.profilealloc"));
	assert_int_equal(profiled->probes_nr, windows->probes_nr + 1);
	assert_true(plan_has_group(profiled, WIRE_GROUP_WINDOW));
	assert_true(plan_has_group(profiled, WIRE_GROUP_WINDOW_MAPS));
	assert_true(plan_has_group(profiled, WIRE_GROUP_REFILL));
	for (size_t i = 0; i < windows->probes_nr; i++)
		check_place(bin, path, &windows->probes[i], minor_of(version));
	check_place(bin, path, find_probe(profiled, "runtime.profilealloc"), minor_of(version));
}

static int op_group_of(const struct plan_probe *p)
{
	switch (p->prog) {
	case PLAN_PROG_OP_CALL:
		return WIRE_GROUP_OP_CALLS;
	case PLAN_PROG_MALLOC:
	case PLAN_PROG_OP:
	case PLAN_PROG_OP_UNWIND:
		return WIRE_GROUP_OP_WINDOW;
	case PLAN_PROG_ASSIST:
		return WIRE_GROUP_ASSIST;
	case PLAN_PROG_GC:
		return WIRE_GROUP_GC;
	case PLAN_PROG_MARK:
		return WIRE_GROUP_ALWAYS;
	default:
		return -1;
	}
}

/* Whole operations in windows, and each call always, at the same place. */
static void test_op_windows(void **state)
{
	static const struct plan_op_want want = { "main.main", NULL };
	struct plan_opts opts = { .sampled = true,
				  .ops_only = true,
				  .views = PLAN_VIEW_ALLOC | PLAN_VIEW_GC,
				  .ops = &want,
				  .ops_nr = 1 };
	char path[PATH_CAP];
	_cleanup_(gobin_freep) struct gobin *bin = open_binary("1.27", "stripped", path);
	_cleanup_(plan_freep) struct plan *plan = NULL;
	uint64_t call_va = 0, begin_va = 1;
	struct err err = { 0 };

	(void)state;
	if (plan_new(bin, &opts, &plan, &err))
		fail_msg("%s: %s", path, err.msg);
	assert_true(plan->cfg.sampled && plan->cfg.op_windows);
	assert_true(plan->cfg.malloc_limit > 0);
	assert_true(plan_has_group(plan, WIRE_GROUP_OP_CALLS));
	for (size_t i = 0; i < plan->probes_nr; i++) {
		const struct plan_probe *p = &plan->probes[i];

		if ((int)p->group != op_group_of(p))
			fail_msg("%s is in group %s", p->func, plan_group_name(p->group));
		if (p->prog == PLAN_PROG_OP_CALL)
			call_va = p->va;
		if ((p->cookie & 0xff) == WIRE_PLACE_OP_BEGIN && p->prog == PLAN_PROG_OP)
			begin_va = p->va;
	}
	assert_int_equal(call_va, begin_va);
}

/* Beside other allocations, all operations or none. */
static void test_sampled_op(void **state)
{
	static const struct plan_op_want want = { "main.main", NULL };
	struct plan_opts opts = { .sampled = true, .ops = &want, .ops_nr = 1 };
	struct plan *plan = NULL;
	char path[PATH_CAP];
	_cleanup_(gobin_freep) struct gobin *bin = open_binary("1.27", "stripped", path);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(plan_new(bin, &opts, &plan, &err), -EINVAL);
	assert_null(plan);
}

/* The tables that sizes are looked up in, against the list of classes they are made from. */
/* Of many processes what one of them says while it is stopped is of no use; its last word is. */
static void test_many(void **state)
{
	struct plan_opts opts = { .views = PLAN_VIEW_ALLOC, .many = true };
	char path[PATH_CAP];
	_cleanup_(gobin_freep) struct gobin *bin = open_binary("1.27", "piestripped", path);
	_cleanup_(plan_freep) struct plan *one = make_plan(bin, path);
	_cleanup_(plan_freep) struct plan *many = NULL;
	struct err err;

	(void)state;
	assert_int_equal(plan_new(bin, &opts, &many, &err), 0);
	assert_true(many->cfg.many && !one->cfg.many);
	assert_non_null(find_probe(many, "runtime.exit"));
	assert_true(plan_has(many, PLAN_PROG_MALLOC));
	for (size_t i = 0; i < many->probes_nr; i++)
		assert_int_not_equal(many->probes[i].cookie & 0xff, WIRE_PLACE_READMEMSTATS);
	for (enum plan_prog prog = PLAN_PROG_GC; prog < PLAN_PROG_NR; prog++)
		assert_false(plan_has(many, prog));
}

static void test_size_classes(void **state)
{
	char path[PATH_CAP];
	_cleanup_(gobin_freep) struct gobin *bin = open_binary("1.24", "stripped", path);
	_cleanup_(plan_freep) struct plan *plan = make_plan(bin, path);
	const struct wire_cfg *cfg = &plan->cfg;

	(void)state;
	for (uint32_t size = 1; size <= 32768; size++) {
		uint32_t expected = 1;

		while (go_class_to_size[expected] < size)
			expected++;
		uint32_t got =
			size <= WIRE_SMALL_SIZE_MAX - 8
				? cfg->size_to_class8[(size + 7) / 8]
				: cfg->size_to_class128[(size - WIRE_SMALL_SIZE_MAX + 127) / 128];
		assert_int_equal(got, expected);
	}
	assert_int_equal(cfg->class_to_size[GO_NUM_SIZE_CLASSES - 1], 32768);
}

int main(void)
{
	enum { EACH_NR = 6 };
	struct CMUnitTest tests[EACH_NR * FIXTURE_VERSIONS_NR + 4] = { 0 };
	static char names[EACH_NR * FIXTURE_VERSIONS_NR][64];
	static const struct {
		const char *name;
		CMUnitTestFunction fn;
	} each[] = { { "rule", test_rule },   { "places", test_places },
		     { "arm64", test_arm64 }, { "returns", test_returns },
		     { "maps", test_maps },   { "sampled", test_sampled } };
	size_t nr = 0;

	for (size_t i = 0; i < EACH_NR; i++) {
		for (int v = 0; v < FIXTURE_VERSIONS_NR; v++, nr++) {
			snprintf(names[nr], sizeof(names[nr]), "%s, Go %s", each[i].name,
				 fixture_versions[v]);
			tests[nr] =
				(struct CMUnitTest){ .name = names[nr],
						     .test_func = each[i].fn,
						     .initial_state = (void *)fixture_versions[v] };
		}
	}
	tests[nr++] = (struct CMUnitTest){ .name = "operations, sampled",
					   .test_func = test_sampled_op };
	tests[nr++] = (struct CMUnitTest){ .name = "windows of operations",
					   .test_func = test_op_windows };
	tests[nr++] = (struct CMUnitTest){ .name = "many processes", .test_func = test_many };
	tests[nr] = (struct CMUnitTest){ .name = "size classes", .test_func = test_size_classes };
	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
