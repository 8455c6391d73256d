/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations, on executables of every toolchain: which functions a name means, where their calls begin and
 * end by an independent disassembler (objdump), and what is said of those that can't be measured.
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

enum { RETURNS_MAX = 1024 };

/* Instructions of a program by objdump, ascending. */
struct listing {
	struct insn {
		uint64_t va;
		bool is_ret;
		char mnemonic[14];
	} * insns;
	size_t nr, cap;
};

static void plan_freep(struct plan **plan)
{
	plan_free(*plan);
}

static void listing_free(struct listing *l)
{
	free(l->insns);
}

static void listing_add(struct listing *l, uint64_t va, const char *mnemonic)
{
	if (l->nr == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 1 << 16;
		l->insns = realloc(l->insns, l->cap * sizeof(l->insns[0]));
		assert_non_null(l->insns);
	}
	struct insn *insn = &l->insns[l->nr++];
	insn->va = va;
	insn->is_ret = !strcmp(mnemonic, "ret") || !strcmp(mnemonic, "retq");
	snprintf(insn->mnemonic, sizeof(insn->mnemonic), "%s", mnemonic);
}

static void listing_read(struct listing *l, const char *path, bool arm64)
{
	char command[FIXTURE_PATH_CAP + 64], line[1024];

	/* The one of binutils knows the machine's own code only. */
	snprintf(command, sizeof(command), "%s -d --no-show-raw-insn '%s'",
		 arm64 ? "llvm-objdump" : "objdump", path);
	_cleanup_(fixture_pclosep) FILE *f = popen(command, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char *end;
		if (line[0] != ' ')
			continue;
		uint64_t va = strtoull(line, &end, 16);
		char *mnemonic = *end == ':' ? end + 1 + strspn(end + 1, " \t") : "";
		mnemonic[strcspn(mnemonic, " \t\n")] = '\0';
		if (*mnemonic)
			listing_add(l, va, mnemonic);
	}
}

/* The first instruction that is not below va. */
static size_t listing_find(const struct listing *l, uint64_t va)
{
	size_t low = 0, high = l->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (l->insns[mid].va < va)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct sweep {
	struct gobin *bin;
	bool arm64;
	struct listing listing;
	int minor;
	int measured, assembly, frameless, system, jumping, endless;
};

/* The function's RETs are those that objdump has, wherever it can be measured. */
static void check_returns(struct sweep *s, const struct gobin_func *func, const char *name)
{
	static uint64_t returns[RETURNS_MAX];
	int nr = place_returns(s->bin, func, returns, RETURNS_MAX), at = 0;

	s->jumping += nr == -ENOTSUP;
	s->endless += nr == -ENOENT;
	s->measured += nr > 0;
	if (nr < 0 && nr != -ENOENT) {
		assert_int_equal(nr, -ENOTSUP);
		return;
	}
	for (size_t i = listing_find(&s->listing, func->entry);
	     i < s->listing.nr && s->listing.insns[i].va < func->end; i++) {
		if (!s->listing.insns[i].is_ret)
			continue;
		if (at >= nr || returns[at] != s->listing.insns[i].va)
			fail_msg("%s: RET at %#llx was not found", name,
				 (unsigned long long)s->listing.insns[i].va);
		at++;
	}
	if (nr > 0 && at != nr)
		fail_msg("%s: no RET at %#llx", name, (unsigned long long)returns[at]);
}

/* May an instruction be between the entry and the place? */
static bool comes_before(const struct sweep *s, const char *mnemonic)
{
	static const char *const amd64[] = { "cmp", "lea", "mov", "sub", "jb", "jbe", NULL };
	static const char *const arm64[] = { "ldr", "cmp",  "mov",  "movk",
					     "sub", "subs", "b.lo", NULL };
	const char *const *before = s->arm64 ? arm64 : amd64;

	while (*before && strcmp(mnemonic, *before))
		before++;
	return *before != NULL;
}

/* Nothing before the place has moved the stack pointer, and it is not behind a call or a loop. */
static void check_begin(struct sweep *s, const struct gobin_func *func, const struct place *place,
			const char *name)
{
	size_t i = listing_find(&s->listing, place->va);
	bool checked = false;

	assert_true(i < s->listing.nr && s->listing.insns[i].va == place->va);
	assert_string_equal(s->listing.insns[i].mnemonic, place->insn);
	for (size_t j = listing_find(&s->listing, func->entry); j < i; j++) {
		const char *mnemonic = s->listing.insns[j].mnemonic;

		checked |= !strcmp(mnemonic, "cmp");
		if (!comes_before(s, mnemonic))
			fail_msg("%s: %s before the probe", name, mnemonic);
	}
	if (s->arm64) {
		assert_int_equal(place->jcc, checked);
		assert_int_equal(checked, !strcmp(place->insn, "b.ls"));
		assert_true(checked || place->va == func->entry);
		return;
	}
	assert_int_equal(place->jcc, checked && s->minor < 21);
	if (checked || s->minor >= 21)
		assert_string_equal(place->insn, s->minor >= 21 ? "push" : "jbe");
}

static int sweep_func(const struct gobin_func *func, const char *name, void *ctx)
{
	struct sweep *s = ctx;
	const char *why = "";
	struct place place;

	if (!place_begin(s->bin, func, &place, &why)) {
		check_begin(s, func, &place, name);
		check_returns(s, func, name);
		return 0;
	}
	s->assembly += strstr(why, "assembly") != NULL;
	s->frameless += strstr(why, "no stack frame") != NULL;
	s->system += strstr(why, "system stack") != NULL;
	if (strstr(why, "isn't known"))
		fail_msg("%s: %s", name, why);
	return 0;
}

/* The first mode has the functions that every program has, the second those that cgo makes; then another machine's. */
static void test_all_places(void **state)
{
	static const char *const modes[] = { "plain", "cgopie", "arm64" };

	for (size_t i = 0; i < 3; i++) {
		char path[FIXTURE_PATH_CAP];
		_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state, modes[i],
										path);
		struct sweep s = { .bin = bin,
				   .arm64 = gobin_info(bin)->machine == EM_AARCH64,
				   .minor = gobin_info(bin)->go_minor };
		_cleanup_(listing_free) struct listing listing = { 0 };

		listing_read(&listing, path, s.arm64);
		s.listing = listing;
		assert_int_equal(gobin_each_func(bin, "", sweep_func, &s), 0);
		print_message("  %s: %d measured, %d assembly, %d without frame, %d system stack, "
			      "%d end with a jump, %d never return\n",
			      modes[i], s.measured, s.assembly, s.frameless, s.system, s.jumping,
			      s.endless);
		assert_true(s.measured > 2000);
		assert_true(s.assembly > 50);
		assert_true(s.system > 10);
	}
}

/* A plan of operations alone, or the error's code. */
static int make_plan(struct gobin *bin, const struct plan_op_want *wants, size_t nr,
		     struct plan **ret, struct err *err)
{
	struct plan_opts opts = { .views = PLAN_VIEW_ALLOC, .ops = wants, .ops_nr = nr };

	return plan_new(bin, &opts, ret, err);
}

static struct plan *need_plan(struct gobin *bin, const struct plan_op_want *wants, size_t nr)
{
	struct plan *plan = NULL;
	struct err err = { 0 };

	if (make_plan(bin, wants, nr, &plan, &err))
		fail_msg("%s: %s", wants[0].pattern, err.msg);
	return plan;
}

/* How many probes there are of an operation at a place, each in the function that it is named after. */
static int count_probes(struct gobin *bin, const struct plan *plan, enum wire_place place,
			uint32_t op)
{
	int nr = 0;

	for (size_t i = 0; i < plan->probes_nr; i++) {
		const struct plan_probe *p = &plan->probes[i];
		struct gobin_func func;
		char name[512];

		if (p->prog != PLAN_PROG_OP || (p->cookie & 0xff) != place ||
		    WIRE_COOKIE_OP(p->cookie) != op)
			continue;
		assert_int_equal(gobin_func_at(bin, p->va, &func), 0);
		assert_int_equal(gobin_func_name(bin, &func, name, sizeof(name)), 0);
		assert_string_equal(name, plan->ops[op].name);
		assert_int_equal(p->cookie >> 16, p->va);
		nr++;
	}
	return nr;
}

static const struct plan_probe *find_unwind(const struct plan *plan, enum wire_place place)
{
	for (size_t i = 0; i < plan->probes_nr; i++)
		if (plan->probes[i].prog == PLAN_PROG_OP_UNWIND &&
		    (plan->probes[i].cookie & 0xff) == place)
			return &plan->probes[i];
	return NULL;
}

/* Every kind of name, in every build mode; a function that is named twice is one operation. */
static void test_names(void **state)
{
	static const struct {
		const char *pattern;
		int nr;
	} cases[] = {
		{ "main.record", 1 },
		{ "sortSite", 1 },
		{ "main.(*inner).walk", 1 },
		{ "(*inner).walk", 1 },
		{ "main.pick", 2 },
		{ "main.pick[...]", 2 },
		{ "pick", 2 },
		{ "main.(*node).insert", 2 },
		{ "(*node).insert", 2 },
		{ "main.(*node[...]).insert", 2 },
		{ "main.closures.func1", 1 },
		{ "main.sortSi*", 2 },
		{ "main.sort?ite", 1 },
		{ "main.(*i*r).walk", 1 },
		{ "template.(*state).walk", 1 },
	};

	for (int mode = 0; mode < FIXTURE_MODES_NR; mode++) {
		char path[FIXTURE_PATH_CAP];
		_cleanup_(fixture_gobin_freep) struct gobin *bin =
			fixture_open(*state, fixture_modes[mode], path);

		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			const struct plan_op_want wants[] = { { cases[i].pattern, NULL },
							      { cases[i].pattern, NULL } };
			_cleanup_(plan_freep) struct plan *plan = need_plan(bin, wants, 2);

			if (plan->ops_nr != (size_t)cases[i].nr)
				fail_msg("%s: %zu functions", cases[i].pattern, plan->ops_nr);
			assert_int_equal(plan->cfg.ops_nr, cases[i].nr);
			for (uint32_t op = 0; op < plan->ops_nr; op++) {
				assert_int_equal(count_probes(bin, plan, WIRE_PLACE_OP_BEGIN, op),
						 1);
				assert_true(count_probes(bin, plan, WIRE_PLACE_OP_RETURN, op) > 0);
			}
		}
	}
}

/* What the BPF programs need to know, and where the runtime gives up calls. */
static void test_cfg(void **state)
{
	const struct plan_op_want want = { "main.record", "A" };
	char path[FIXTURE_PATH_CAP];
	_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state, "piestripped",
									path);
	_cleanup_(plan_freep) struct plan *plan = need_plan(bin, &want, 1);
	const struct go_layout *layout = gobin_layout(bin);
	bool in_panic = layout->minor >= 22;

	assert_string_equal(plan->ops[0].name, "main.record");
	assert_string_equal(plan->ops[0].label, "A");
	assert_int_equal(plan->cfg.m_p, layout->m_p);
	assert_int_equal(plan->cfg.g_sigcode0, in_panic ? GO_OFF_NONE : layout->g_sigcode0);
	assert_int_equal(plan->cfg.panic_sp, in_panic ? layout->panic_sp : GO_OFF_NONE);
	assert_int_equal(plan->cfg.tiny_blocks, 1);
	assert_int_equal(plan->cfg.ops_only, 0);
	const struct plan_probe *recover = find_unwind(plan, WIRE_PLACE_OP_RECOVER);
	assert_non_null(recover);
	assert_string_equal(recover->func, "runtime.recovery");
	assert_string_equal(recover->insn, layout->minor >= 21 ? "push" : "jbe");
	/* Nothing in this program exits a goroutine, and that is nothing to say. */
	assert_null(find_unwind(plan, WIRE_PLACE_OP_GOEXIT));
	assert_int_equal(plan->notes_nr, 0);

	struct plan_opts opts = {
		.views = PLAN_VIEW_GC, .ops = &want, .ops_nr = 1, .ops_only = true
	};
	_cleanup_(plan_freep) struct plan *gc = NULL;
	struct err err = { 0 };
	assert_int_equal(plan_new(bin, &opts, &gc, &err), 0);
	assert_int_equal(gc->cfg.tiny_blocks, 0);
	assert_int_equal(gc->cfg.ops_only, 1);

	opts = (struct plan_opts){ .ops = &want, .ops_nr = 1, .sampled = true };
	struct plan *none = NULL;
	assert_int_equal(plan_new(bin, &opts, &none, &err), -EINVAL);
	assert_non_null(strstr(err.hint, "--mode exact"));
}

/* Some calls of sync.(*Mutex).Lock are calls, others are code of their callers. */
static void test_inlined_too(void **state)
{
	const struct plan_op_want want = { "sync.(*Mutex).Lock", NULL };
	char path[FIXTURE_PATH_CAP];
	_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state, "stripped", path);
	_cleanup_(plan_freep) struct plan *plan = need_plan(bin, &want, 1);
	char note[160];

	assert_in_range(plan->ops[0].inlined_nr, 5, 100);
	assert_non_null(strstr(plan->ops[0].inlined_in, "sync.(*Once).doSlow"));
	snprintf(note, sizeof(note),
		 "sync.(*Mutex).Lock is also inlined into %u functions: calls there aren't counted",
		 plan->ops[0].inlined_nr);
	assert_int_equal(plan->notes_nr, 1);
	assert_string_equal(plan->notes[0], note);
}

/* What is refused, and why. */
static void test_refused(void **state)
{
	static const struct {
		struct plan_op_want want;
		int code;
		const char *msg, *hint;
	} cases[] = {
		{ { "main.leafInlined", NULL },
		  -ENOENT,
		  "inlined wherever it is called (main.inl",
		  "go:noinline" },
		{ { "leafInlined", NULL }, -ENOENT, "(main.inlineHost)", "-gcflags=-l" },
		{ { "main.recrod", NULL },
		  -ENOENT,
		  "no function is named 'main.recrod'",
		  "did you mean main.record" },
		{ { "main.(*innr).walk", NULL }, -ENOENT, "no function", "main.(*inner).walk" },
		{ { "nosuch*", NULL }, -ENOENT, "no function matches 'nosuch*'", "" },
		{ { "main.(nner).walk", NULL }, -ENOENT, "no function", "" },
		{ { "main.pick[int]", NULL }, -ENOENT, "no function", "did you mean main.pick" },
		{ { "walk", NULL },
		  -EINVAL,
		  "could be any of 2 functions: ",
		  "give more of its name" },
		{ { "insert", NULL }, -EINVAL, "could be any of 3 functions: ", "'*insert'" },
		{ { "runtime.*", NULL }, -EINVAL, "at most 32 can be measured at once", "" },
		{ { "main.pick", "A" },
		  -EINVAL,
		  "'A' is one name for 2 functions: main.pick[",
		  "" },
		{ { "runtime.memmove", NULL }, -EINVAL, "it is written in assembly", "" },
		{ { "runtime.mcall", NULL }, -EINVAL, "it is written in assembly", "" },
		{ { "runtime.memm?ve", NULL }, -EINVAL, "none of the functions that match", "" },
		{ { "runtime.sysmon", NULL }, -EINVAL, "it never returns", "" },
		{ { "runtime.bgsweep", NULL }, -EINVAL, "it never returns", "" },
		{ { "main.types.func1", NULL }, -EINVAL, "it has no stack frame", "" },
		{ { "", NULL }, -EINVAL, "a function's name has 1 to", "" },
	};
	char path[FIXTURE_PATH_CAP];
	_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state, "stripped", path);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan *plan = NULL;
		struct err err = { 0 };
		int code = make_plan(bin, &cases[i].want, 1, &plan, &err);

		if (code != cases[i].code || !strstr(err.msg, cases[i].msg) ||
		    !strstr(err.hint, cases[i].hint))
			fail_msg("'%s': %d: %s; %s", cases[i].want.pattern, code, err.msg,
				 err.hint);
		assert_null(plan);
	}
}

/* Of one function only one name can be shown; of more functions than there is room for, none is taken. */
static void test_refused_together(void **state)
{
	const struct plan_op_want twice[] = { { "main.record", "A" }, { "main.record", "B" } };
	struct plan_op_want many[WIRE_OPS_MAX + 1];
	char path[FIXTURE_PATH_CAP];
	_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state, "stripped", path);
	struct plan *plan = NULL;
	struct err err = { 0 };

	assert_int_equal(make_plan(bin, twice, 2, &plan, &err), -EINVAL);
	assert_string_equal(err.msg, "'A' and 'B' are the same function: main.record");
	for (size_t i = 0; i <= WIRE_OPS_MAX; i++)
		many[i] = (struct plan_op_want){ "main.record", NULL };
	assert_int_equal(make_plan(bin, many, WIRE_OPS_MAX + 1, &plan, &err), -EINVAL);
	_cleanup_(plan_freep) struct plan *all = need_plan(bin, many, WIRE_OPS_MAX);
	assert_int_equal(all->ops_nr, 1);
}

/* A glob goes without what can't be measured, and says so. */
static void test_left_out(void **state)
{
	const struct plan_op_want want = { "runtime.memm*", NULL };
	const struct plan_op_want with[] = { { "runtime.mapassign*", NULL }, want };
	char path[FIXTURE_PATH_CAP];
	_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state, "pie", path);
	struct plan *plan = NULL;
	struct err err = { 0 };

	assert_int_equal(make_plan(bin, with, 2, &plan, &err), -EINVAL);
	const struct plan_op_want glob = { "runtime.mem?????*", NULL };
	_cleanup_(plan_freep) struct plan *some = need_plan(bin, &glob, 1);
	assert_true(some->ops_nr > 0);
	bool said = false;
	for (size_t i = 0; i < some->notes_nr; i++)
		said |= strstr(some->notes[i], "'runtime.mem?????*' is without ") &&
			strstr(some->notes[i], "it ");
	assert_true(said);
}

/* Huge frames are in every program: the runtime reads the set of CPUs into one. */
static void test_huge_frame(void **state)
{
	char path[FIXTURE_PATH_CAP];
	_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state, "stripped", path);
	int minor = gobin_info(bin)->go_minor;
	const char *name = minor >= 25 ? "runtime.getCPUCount" : "runtime.getproccount";
	struct gobin_func func;
	struct place place;
	uint32_t frame;

	assert_int_equal(gobin_find_func(bin, name, &func), 0);
	assert_int_equal(place_frame_size(bin, &func, &frame), 0);
	assert_true(frame > 4096);
	assert_int_equal(place_after_check(bin, &func, &place), 0);
	assert_string_equal(place.insn, minor >= 21 ? "push" : "jbe");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_places),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_cfg),
		cmocka_unit_test(test_inlined_too),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_refused_together),
		cmocka_unit_test(test_huge_frame),
	};

	return fixture_run("plan ops", tests, sizeof(tests) / sizeof(tests[0]));
}
