/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader against the truth that Go programs of every version and build mode tell of themselves,
 * and against symbol tables and DWARF where there are any.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>

#include "base/cleanup.h"
#include "gobin/gobin.h"
#include "gobin/layout.h"

enum { PATH_CAP = 4096, LINE_CAP = 16384, FRAMES_MAX = 64 };

static void gobin_freep(struct gobin **bin)
{
	gobin_free(*bin);
}

static void pclosep(FILE **f)
{
	if (*f)
		assert_int_equal(pclose(*f), 0);
}

static struct gobin *open_fixture(const char *version, const char *mode, char *path)
{
	struct gobin *bin = NULL;
	struct err err = { 0 };

	fixture_need(version, mode, "gobinfix", path, PATH_CAP);
	if (gobin_open(path, &bin, &err) < 0)
		fail_msg("%s: %s", path, err.msg);
	return bin;
}

/* Runs the fixture; each line is split at its tabs into at most five fields. */
struct truth {
	FILE *out;
	char line[LINE_CAP];
	char *field[5];
	int nr;
};

static void truth_start(struct truth *t, const char *path, const char *arg)
{
	char command[PATH_CAP + 64];

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
 * The frames of one stack. Callers gives one pc per logical frame: that of an inlined call stands in
 * the middle of the frames that its innermost pc has. Wrappers are left out by Go, not by us.
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
		char path[PATH_CAP];
		_cleanup_(gobin_freep) struct gobin *bin =
			open_fixture(version, fixture_modes[mode], path);
		struct truth t;
		uint64_t bias = 0;
		int stacks_nr = 0, types_nr = 0, inlined_nr = 0;

		truth_start(&t, path, "");
		_cleanup_(pclosep) FILE *out = t.out;
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
		char path[PATH_CAP];
		_cleanup_(gobin_freep) struct gobin *bin = open_fixture(*state, modes[mode], path);
		struct truth t;
		uint64_t bias = 0;
		int nr = 0;

		truth_start(&t, path, "61");
		_cleanup_(pclosep) FILE *out = t.out;
		while (truth_next(&t)) {
			if (truth_is(&t, "func")) {
				bias = check_func(&t, bin);
				continue;
			}
			struct gobin_frame frame;
			assert_int_equal(gobin_frames(bin, truth_addr(&t, 1) - bias, &frame, 1), 1);
			/* Go takes a name at offset 0 for none, and so has none for its first function. */
			if (t.field[2][0])
				check_frame(&frame, t.field[2], t.field[3], t.field[4]);
			nr++;
		}
		assert_true(nr > 10000);
	}
}

/* --- symbol tables ------------------------------------------------------------------------------- */

struct symbols {
	int fd;
	Elf *elf;
	Elf_Data *data;
	size_t nr, strings;
};

static void symbols_open(struct symbols *s, const char *path)
{
	*s = (struct symbols){ .fd = open(path, O_RDONLY) };
	elf_version(EV_CURRENT);
	s->elf = elf_begin(s->fd, ELF_C_READ, NULL);
	assert_non_null(s->elf);
	for (Elf_Scn *scn = elf_nextscn(s->elf, NULL); scn; scn = elf_nextscn(s->elf, scn)) {
		GElf_Shdr sh;
		gelf_getshdr(scn, &sh);
		if (sh.sh_type != SHT_SYMTAB)
			continue;
		s->data = elf_getdata(scn, NULL);
		s->nr = sh.sh_size / sh.sh_entsize;
		s->strings = sh.sh_link;
	}
	assert_non_null(s->data);
}

static void symbols_close(struct symbols *s)
{
	elf_end(s->elf);
	close(s->fd);
}

static const char *symbols_get(const struct symbols *s, size_t i, GElf_Sym *sym)
{
	assert_non_null(gelf_getsym(s->data, (int)i, sym));
	return elf_strptr(s->elf, s->strings, sym->st_name);
}

/*
 * A name without what the linker spells differently in the two tables: symbols say "pkg.f.abi0",
 * "type:.eq.pkg.t.4" and, up to Go 1.19, "type..eq.[5]t" where the function table says "pkg.f",
 * "type:.eq.pkg.t\302\2674" and "type..eq.[...]t".
 */
static void normalize(char *name)
{
	char *open = strchr(name, '['), *close = strrchr(name, ']'), *dot;

	if (open && close > open)
		memmove(open + 1, close, strlen(close) + 1);
	while ((dot = strstr(name, "\302\267"))) {
		*dot = '.';
		memmove(dot + 1, dot + 2, strlen(dot + 2) + 1);
	}
	size_t len = strlen(name);
	if (len > 5 && strcmp(name + len - 5, ".abi0") == 0)
		name[len - 5] = '\0';
}

static bool same_name(const char *sym, const char *name)
{
	char a[8192], b[8192];

	snprintf(a, sizeof(a), "%s", sym);
	snprintf(b, sizeof(b), "%s", name);
	normalize(a);
	normalize(b);
	return strcmp(a, b) == 0;
}

static bool is_go_function(const GElf_Sym *sym, const char *name, const struct gobin_info *info)
{
	return GELF_ST_TYPE(sym->st_info) == STT_FUNC && sym->st_size > 0 && sym->st_value >= info->text &&
	       sym->st_value < info->etext && strcmp(name, "runtime.text") != 0 &&
	       strcmp(name, "go:buildid") != 0 && strcmp(name, "go.buildid") != 0;
}

/* Each function symbol of Go's text is in the function table, at the same place by the same name. */
static void test_functions(void **state)
{
	static const char *const modes[] = { "plain", "pie", "cgo", "cgopie" };

	for (int mode = 0; mode < 4; mode++) {
		char path[PATH_CAP], name[8192];
		_cleanup_(gobin_freep) struct gobin *bin = open_fixture(*state, modes[mode], path);
		_cleanup_(symbols_close) struct symbols syms;
		size_t nr = 0;

		symbols_open(&syms, path);
		for (size_t i = 0; i < syms.nr; i++) {
			GElf_Sym sym;
			const char *sym_name = symbols_get(&syms, i, &sym);
			if (!is_go_function(&sym, sym_name, gobin_info(bin)))
				continue;
			struct gobin_func func;
			assert_int_equal(gobin_func_at(bin, sym.st_value, &func), 0);
			assert_int_equal(func.entry, sym.st_value);
			assert_true(func.end >= sym.st_value + sym.st_size);
			assert_int_equal(gobin_func_name(bin, &func, name, sizeof(name)), 0);
			if (!same_name(sym_name, name))
				fail_msg("%s: '%s' is '%s' in the symbol table", path, name, sym_name);
			nr++;
		}
		print_message("  %s %s: %zu function symbols, %u functions\n", (char *)*state,
			      modes[mode], nr, gobin_info(bin)->funcs_nr);
		assert_int_equal(nr, gobin_info(bin)->funcs_nr);
	}
}

static uint64_t symbol_value(const struct symbols *syms, const char *wanted)
{
	for (size_t i = 0; i < syms->nr; i++) {
		GElf_Sym sym;
		if (strcmp(symbols_get(syms, i, &sym), wanted) == 0)
			return sym.st_value;
	}
	fail_msg("no symbol %s", wanted);
	return 0;
}

/* What the code says equals what the symbols say; stripped binaries at least know all four. */
static void test_globals(void **state)
{
	for (int mode = 0; mode < FIXTURE_MODES_NR; mode++) {
		char path[PATH_CAP];
		_cleanup_(gobin_freep) struct gobin *bin =
			open_fixture(*state, fixture_modes[mode], path);
		struct gobin_globals g;

		assert_int_equal(gobin_find_globals(bin, &g), 0);
		assert_true(g.memstats && g.gc_controller && g.allp && g.emptymspan);
		if (gobin_info(bin)->stripped)
			continue;
		_cleanup_(symbols_close) struct symbols syms;
		symbols_open(&syms, path);
		assert_int_equal(g.memstats, symbol_value(&syms, "runtime.memstats"));
		assert_int_equal(g.gc_controller, symbol_value(&syms, "runtime.gcController"));
		assert_int_equal(g.allp, symbol_value(&syms, "runtime.allp"));
		assert_int_equal(g.emptymspan, symbol_value(&syms, "runtime.emptymspan"));
	}
}

/* --- layouts ------------------------------------------------------------------------------------- */

/* Each field of struct go_layout that is an offset or a size, as DWARF calls it. */
static const struct dwarf_field {
	const char *dwarf;
	size_t at;
} dwarf_fields[] = {
#define FIELD(dwarf, field) { dwarf, offsetof(struct go_layout, field) }
	FIELD("runtime.g.m", g_m),
	FIELD("runtime.g.goid", g_goid),
	FIELD("runtime.g.sched.sp", g_sched_sp),
	FIELD("runtime.g.sched.pc", g_sched_pc),
	FIELD("runtime.g.sched.bp", g_sched_bp),
	FIELD("runtime.m.g0", m_g0),
	FIELD("runtime.m.curg", m_curg),
	FIELD("runtime.m.p", m_p),
	FIELD("runtime.p.mcache", p_mcache),
	FIELD("runtime.mcache.tinyAllocs", mcache_tiny_allocs),
	FIELD("runtime.mcache.alloc", mcache_alloc),
	FIELD("runtime.mcache.flushGen", mcache_flush_gen),
	FIELD("runtime.mspan.sweepgen", mspan_sweepgen),
	FIELD("runtime.mspan.allocCount", mspan_alloc_count),
	FIELD("runtime.mspan.allocCountBeforeCache", mspan_alloc_count_before_cache),
	FIELD("runtime.mspan.spanclass", mspan_spanclass),
	FIELD("runtime.mspan.elemsize", mspan_elemsize),
	FIELD("runtime.heapStatsDelta", heap_stats_sz),
	FIELD("runtime.heapStatsDelta.tinyAllocCount", hs_tiny_alloc_count),
	FIELD("runtime.heapStatsDelta.largeAlloc", hs_large_alloc),
	FIELD("runtime.heapStatsDelta.largeAllocCount", hs_large_alloc_count),
	FIELD("runtime.heapStatsDelta.smallAllocCount", hs_small_alloc_count),
#undef FIELD
};

enum { DWARF_FIELDS_NR = sizeof(dwarf_fields) / sizeof(dwarf_fields[0]) };

static uint16_t layout_field(const struct go_layout *layout, size_t at)
{
	uint16_t value;

	memcpy(&value, (const char *)layout + at, sizeof(value));
	return value;
}

static void test_layout(void **state)
{
	char path[PATH_CAP], checker[PATH_CAP], command[2 * PATH_CAP + 256], line[256];
	_cleanup_(gobin_freep) struct gobin *bin = open_fixture(*state, "plain", path);
	int nr = 0;

	fixture_need(fixture_versions[FIXTURE_VERSIONS_NR - 1], "plain", "layoutcheck", checker,
		     sizeof(checker));
	snprintf(command, sizeof(command),
		 "'%s' '%s' runtime.g runtime.m runtime.p runtime.mcache runtime.mspan "
		 "runtime.heapStatsDelta", checker, path);
	_cleanup_(pclosep) FILE *out = popen(command, "r");
	assert_non_null(out);
	while (fgets(line, sizeof(line), out)) {
		char name[200];
		unsigned int value;
		assert_int_equal(sscanf(line, "%199s %u", name, &value), 2);
		for (int i = 0; i < DWARF_FIELDS_NR; i++) {
			if (strcmp(dwarf_fields[i].dwarf, name) != 0)
				continue;
			if (layout_field(gobin_layout(bin), dwarf_fields[i].at) != value)
				fail_msg("Go %s: %s is at %u, not %u", (char *)*state, name, value,
					 layout_field(gobin_layout(bin), dwarf_fields[i].at));
			nr++;
		}
	}
	assert_int_equal(nr, DWARF_FIELDS_NR);
}

/* --- what is said of the whole ------------------------------------------------------------------- */

static void test_info(void **state)
{
	const char *version = *state;

	for (int i = 0; i < FIXTURE_MODES_NR; i++) {
		const char *mode = fixture_modes[i];
		char path[PATH_CAP];
		_cleanup_(gobin_freep) struct gobin *bin = open_fixture(version, mode, path);
		const struct gobin_info *info = gobin_info(bin);

		assert_string_equal(info->path, path);
		assert_memory_equal(info->go_version, "go", 2);
		assert_memory_equal(info->go_version + 2, version, 4);
		assert_int_equal(info->go_minor, atoi(version + 2));
		assert_string_equal(info->main_path, "example.com/gobinfix");
		assert_string_equal(info->module, "example.com/gobinfix (devel)");
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
	char path[PATH_CAP];
	_cleanup_(gobin_freep) struct gobin *bin = open_fixture(*state, "piestripped", path);
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
	static const char *const names[] = { "runtime.mallocgc", "no.such", "main.main", "main.main" };
	char path[PATH_CAP];
	_cleanup_(gobin_freep) struct gobin *bin = open_fixture(*state, "cgopiestripped", path);
	struct gobin_func funcs[4];
	bool found[4];
	int nr = 0;

	assert_int_equal(gobin_find_funcs(bin, names, 4, funcs, found), 0);
	assert_true(found[0] && !found[1] && found[2] && found[3]);
	assert_int_equal(funcs[2].entry, funcs[3].entry);
	assert_int_equal(gobin_find_func(bin, "no.such", &funcs[0]), -ENOENT);
	assert_int_equal(gobin_each_func(bin, "runtime.(*mcache).", count_func, &nr), 42);
}

/* --- all tests for each version -------------------------------------------------------------------- */

static const struct CMUnitTest per_version[] = {
	cmocka_unit_test(test_info),	  cmocka_unit_test(test_find),
	cmocka_unit_test(test_pcsp),	  cmocka_unit_test(test_truth),
	cmocka_unit_test(test_sweep),	  cmocka_unit_test(test_functions),
	cmocka_unit_test(test_globals),	  cmocka_unit_test(test_layout),
};

enum { PER_VERSION_NR = sizeof(per_version) / sizeof(per_version[0]) };

int main(void)
{
	static struct CMUnitTest tests[FIXTURE_VERSIONS_NR * PER_VERSION_NR];
	static char names[FIXTURE_VERSIONS_NR * PER_VERSION_NR][64];

	for (int i = 0; i < FIXTURE_VERSIONS_NR * PER_VERSION_NR; i++) {
		const char *version = fixture_versions[i / PER_VERSION_NR];
		tests[i] = per_version[i % PER_VERSION_NR];
		snprintf(names[i], sizeof(names[i]), "%s: Go %s", tests[i].name, version);
		tests[i].name = names[i];
		tests[i].initial_state = (void *)(uintptr_t)version;
	}
	return cmocka_run_group_tests_name("gobin", tests, NULL, NULL);
}
