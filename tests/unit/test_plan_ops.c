/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations, on executables of every toolchain: which functions a name means, where their calls begin and
 * end by an independent disassembler (objdump), and what is said of those that can't be measured.
 */
#include "fixture.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "gobin/gobin.h"
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

static void listing_read(struct listing *l, const char *path)
{
	char command[FIXTURE_PATH_CAP + 64], line[1024];

	snprintf(command, sizeof(command), "objdump -d --no-show-raw-insn '%s'", path);
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

/* The first instruction of the frame: nothing before it has moved the stack pointer. */
static void check_begin(struct sweep *s, const struct gobin_func *func, const struct place *place,
			const char *name)
{
	size_t i = listing_find(&s->listing, place->va);

	assert_true(i < s->listing.nr && s->listing.insns[i].va == place->va);
	const char *mnemonic = s->listing.insns[i].mnemonic;
	if (!strcmp(place->insn, "entry")) {
		assert_int_equal(place->va, func->entry);
		if (strcmp(mnemonic, "push") && (s->minor >= 21 || strcmp(mnemonic, "sub")) &&
		    (s->minor >= 21 || strcmp(mnemonic, "add")))
			fail_msg("%s begins with %s", name, mnemonic);
		return;
	}
	assert_string_equal(place->insn, s->minor >= 21 ? "push" : "jbe");
	assert_string_equal(mnemonic, place->insn);
	assert_int_equal(place->jcc, s->minor < 21);
	for (size_t j = listing_find(&s->listing, func->entry); j < i; j++) {
		mnemonic = s->listing.insns[j].mnemonic;
		assert_true(!strcmp(mnemonic, "cmp") || !strcmp(mnemonic, "lea") ||
			    !strcmp(mnemonic, "mov") || !strcmp(mnemonic, "sub") ||
			    !strcmp(mnemonic, "jb") || !strcmp(mnemonic, "jbe"));
	}
}

/* Called from assembly: g is not in its register yet. */
static void check_strange(struct sweep *s, const struct gobin_func *func, const char *name)
{
	bool wrapper = false;

	assert_int_equal(gobin_is_wrapper(s->bin, func, &wrapper), 0);
	if (!wrapper || s->minor > 25)
		fail_msg("%s begins in a way that isn't known", name);
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
		check_strange(s, func, name);
	return 0;
}

static void test_all_places(void **state)
{
	char path[FIXTURE_PATH_CAP];
	_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state, "plain", path);
	struct sweep s = { .bin = bin, .minor = gobin_info(bin)->go_minor };
	_cleanup_(listing_free) struct listing listing = { 0 };

	listing_read(&listing, path);
	s.listing = listing;
	assert_int_equal(gobin_each_func(bin, "", sweep_func, &s), 0);
	print_message(
		"  %d measured, %d assembly, %d without frame, %d system stack, %d end with a "
		"jump, %d never return\n",
		s.measured, s.assembly, s.frameless, s.system, s.jumping, s.endless);
	assert_true(s.measured > 2000);
	assert_true(s.assembly > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_places),
	};

	return fixture_run("plan ops", tests, sizeof(tests) / sizeof(tests[0]));
}
