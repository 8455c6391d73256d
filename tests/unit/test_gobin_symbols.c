/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader against the symbol tables and the DWARF of programs that have them. */
#include "fixture.h"

#include <fcntl.h>
#include <gelf.h>
#include <string.h>

#include "base/caps.h"
#include "base/cleanup.h"
#include "gobin/gc_layout.h"
#include "gobin/gobin.h"
#include "gobin/heap_layout.h"
#include "gobin/layout.h"
#include "gobin/mprof_layout.h"
#include "model/model.h"
#include "symbol/symbol.h"

/* The modes that have a symbol table. */
static const char *const with_symbols[] = { "plain", "pie", "cgo", "cgopie", "arm64" };

enum { WITH_SYMBOLS_NR = sizeof(with_symbols) / sizeof(with_symbols[0]) };

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
	return GELF_ST_TYPE(sym->st_info) == STT_FUNC && sym->st_size > 0 &&
	       sym->st_value >= info->text && sym->st_value < info->etext &&
	       strcmp(name, "runtime.text") != 0 && strcmp(name, "go:buildid") != 0 &&
	       strcmp(name, "go.buildid") != 0;
}

/*
 * Each function symbol of Go's text is in the function table, at the same place by the same name.
 */
static void test_functions(void **state)
{
	for (int mode = 0; mode < WITH_SYMBOLS_NR; mode++) {
		char path[FIXTURE_PATH_CAP], name[8192];
		_cleanup_(fixture_gobin_freep) struct gobin *bin =
			fixture_open(*state, with_symbols[mode], path);
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
				fail_msg("%s: '%s' is '%s' in the symbol table", path, name,
					 sym_name);
			nr++;
		}
		print_message("  %s %s: %zu function symbols, %u functions\n", (char *)*state,
			      with_symbols[mode], nr, gobin_info(bin)->funcs_nr);
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

/* What the code says equals what the symbols say. */
static void test_globals(void **state)
{
	for (int mode = 0; mode < WITH_SYMBOLS_NR; mode++) {
		char path[FIXTURE_PATH_CAP];
		_cleanup_(fixture_gobin_freep) struct gobin *bin =
			fixture_open(*state, with_symbols[mode], path);
		struct gobin_globals g;

		assert_int_equal(gobin_find_globals(bin, &g), 0);
		_cleanup_(symbols_close) struct symbols syms;
		symbols_open(&syms, path);
		assert_int_equal(g.memstats, symbol_value(&syms, "runtime.memstats"));
		assert_int_equal(g.gc_controller, symbol_value(&syms, "runtime.gcController"));
		assert_int_equal(g.allp, symbol_value(&syms, "runtime.allp"));
		assert_int_equal(g.emptymspan, symbol_value(&syms, "runtime.emptymspan"));
		assert_int_equal(g.mheap, symbol_value(&syms, "runtime.mheap_"));
		assert_int_equal(g.mbuckets, symbol_value(&syms, "runtime.mbuckets"));
		assert_int_equal(g.mprof_cycle, symbol_value(&syms, "runtime.mProfCycle"));
		assert_int_equal(g.mem_profile_rate, symbol_value(&syms, "runtime.MemProfileRate"));
	}
}

/* Stripped binaries know them all too. */
static void test_stripped_globals(void **state)
{
	static const char *const modes[] = { "stripped", "piestripped", "cgostripped",
					     "cgopiestripped" };

	for (int mode = 0; mode < 4; mode++) {
		char path[FIXTURE_PATH_CAP];
		_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state, modes[mode],
										path);
		struct gobin_globals g;

		assert_int_equal(gobin_find_globals(bin, &g), 0);
		assert_true(g.memstats && g.gc_controller && g.allp && g.emptymspan && g.mheap);
		assert_true(g.mbuckets && g.mprof_cycle && g.mem_profile_rate);
	}
}

enum table { LAYOUT, GC_LAYOUT, HEAP_LAYOUT, MPROF_LAYOUT };

/* Each field of struct go_layout that is an offset or a size, as DWARF calls it. */
static const struct dwarf_field {
	const char *dwarf;
	size_t at;
	enum table table; /* which has it: 16 bits, or 32 in those of the heap and its profile */
	int16_t behind; /* this field follows the one in the table by so many bytes */
} dwarf_fields[] = {
#define FIELD(dwarf, field) NEAR_FIELD(dwarf, field, 0)
#define NEAR_FIELD(dwarf, field, behind)                                 \
	{                                                                \
		dwarf, offsetof(struct go_layout, field), LAYOUT, behind \
	}
#define GC_FIELD(dwarf, field, behind)                                         \
	{                                                                      \
		dwarf, offsetof(struct go_gc_layout, field), GC_LAYOUT, behind \
	}
#define HEAP_FIELD(dwarf, field)                                              \
	{                                                                     \
		dwarf, offsetof(struct go_heap_layout, field), HEAP_LAYOUT, 0 \
	}
#define MPROF_FIELD(dwarf, field, behind)                                            \
	{                                                                            \
		dwarf, offsetof(struct go_mprof_layout, field), MPROF_LAYOUT, behind \
	}
	FIELD("runtime.g.m", g_m),
	NEAR_FIELD("runtime.g._panic", g_m, -16),
	FIELD("runtime.g.goid", g_goid),
	FIELD("runtime.g.sched.sp", g_sched_sp),
	FIELD("runtime.g.sched.pc", g_sched_pc),
	FIELD("runtime.g.sched.bp", g_sched_bp),
	FIELD("runtime.g.sigcode0", g_sigcode0),
	FIELD("runtime._panic.sp", panic_sp),
	FIELD("runtime.m.g0", m_g0),
	FIELD("runtime.m.curg", m_curg),
	FIELD("runtime.m.p", m_p),
	FIELD("runtime.p.mcache", p_mcache),
	FIELD("runtime.mcache.tinyAllocs", mcache_tiny_allocs),
	NEAR_FIELD("runtime.mcache.tiny", mcache_tiny_allocs, -16),
	NEAR_FIELD("runtime.mcache.tinyoffset", mcache_tiny_allocs, -8),
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
	GC_FIELD("runtime.mstats.pause_total_ns", ms_pause_total_ns, 0),
	GC_FIELD("runtime.mstats.pause_ns", ms_pause_ns, 0),
	GC_FIELD("runtime.mstats.numgc", ms_numgc, 0),
	GC_FIELD("runtime.mstats.gc_cpu_fraction", ms_numgc, 8),
	GC_FIELD("runtime.gcControllerState.heapLive", gcc_heap_live, 0),
	GC_FIELD("runtime.gcControllerState.heapMarked", gcc_heap_marked, 0),
	GC_FIELD("runtime.gcControllerState.gcPercentHeapGoal", gcc_gc_percent_heap_goal, 0),
	GC_FIELD("runtime.gcControllerState.lastHeapGoal", gcc_last_heap_goal, 0),
	GC_FIELD("runtime.gcControllerState.assistTime", gcc_assist_time, 0),
	GC_FIELD("runtime.gcControllerState.dedicatedMarkTime", gcc_assist_time, 8),
	GC_FIELD("runtime.gcControllerState.fractionalMarkTime", gcc_assist_time, 16),
	GC_FIELD("runtime.gcControllerState.idleMarkTime", gcc_assist_time, 24),
	HEAP_FIELD("runtime.mheap.sweepgen", mheap_sweepgen),
	HEAP_FIELD("runtime.mheap.arenas", mheap_arenas),
	HEAP_FIELD("runtime.heapArena.spans", arena_spans),
	HEAP_FIELD("runtime.mspan.startAddr", mspan_start_addr),
	HEAP_FIELD("runtime.mspan.npages", mspan_npages),
	HEAP_FIELD("runtime.mspan.freeindex", mspan_freeindex),
	HEAP_FIELD("runtime.mspan.nelems", mspan_nelems),
	HEAP_FIELD("runtime.mspan.allocBits", mspan_alloc_bits),
	HEAP_FIELD("runtime.mspan.gcmarkBits", mspan_gcmark_bits),
	HEAP_FIELD("runtime.mspan.state", mspan_state),
	MPROF_FIELD("runtime.bucket.allnext", bucket_allnext, 0),
	MPROF_FIELD("runtime.bucket.typ", bucket_typ, 0),
	MPROF_FIELD("runtime.bucket.size", bucket_size, 0),
	MPROF_FIELD("runtime.bucket.nstk", bucket_nstk, 0),
	MPROF_FIELD("runtime.bucket", bucket_sz, 0),
	MPROF_FIELD("runtime.memRecordCycle", cycle_sz, 0),
	MPROF_FIELD("runtime.memRecord.future", cycle_sz, 0), /* right behind active */
	/* The last, as not every version has it. */
	HEAP_FIELD("runtime.heapArena.pageUseSpanInlineMarkBits", arena_inline_marks),
#undef FIELD
#undef NEAR_FIELD
#undef GC_FIELD
#undef HEAP_FIELD
#undef MPROF_FIELD
};

enum { DWARF_FIELDS_NR = sizeof(dwarf_fields) / sizeof(dwarf_fields[0]) };

static uint32_t layout_field(struct gobin *bin, int i)
{
	const struct go_layout *layout = gobin_layout(bin);
	const struct dwarf_field *field = &dwarf_fields[i];
	const void *tables[] = {
		[LAYOUT] = layout,
		[GC_LAYOUT] = go_gc_layout_find(layout->minor),
		[HEAP_LAYOUT] = go_heap_layout_find(layout->minor),
		[MPROF_LAYOUT] = go_mprof_layout_find(layout->minor),
	};
	const char *base = tables[field->table];
	uint32_t value = 0;

	assert_non_null(base);
	if (strcmp(field->dwarf, "runtime.mheap.arenas") == 0 &&
	    gobin_info(bin)->machine == EM_AARCH64)
		return go_heap_layout_find(layout->minor)->mheap_arenas_arm64;
	memcpy(&value, base + field->at, field->table >= HEAP_LAYOUT ? 4 : 2);
	return value + (uint32_t)(int32_t)field->behind;
}

static void check_layout(const char *version, const char *mode)
{
	char path[FIXTURE_PATH_CAP], checker[FIXTURE_PATH_CAP];
	char command[2 * FIXTURE_PATH_CAP + 256], line[256];
	_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(version, mode, path);
	int nr = 0;

	fixture_need(fixture_versions[FIXTURE_VERSIONS_NR - 1], "plain", "layoutcheck", checker,
		     sizeof(checker));
	snprintf(command, sizeof(command),
		 "'%s' '%s' runtime.g runtime._panic runtime.m runtime.p runtime.mcache "
		 "runtime.mspan "
		 "runtime.heapStatsDelta runtime.mstats runtime.gcControllerState "
		 "runtime.mheap runtime.heapArena runtime.bucket runtime.memRecord "
		 "runtime.memRecordCycle",
		 checker, path);
	_cleanup_(fixture_pclosep) FILE *out = popen(command, "r");
	assert_non_null(out);
	while (fgets(line, sizeof(line), out)) {
		char name[200];
		unsigned int value;
		assert_int_equal(sscanf(line, "%199s %u", name, &value), 2);
		for (int i = 0; i < DWARF_FIELDS_NR; i++) {
			if (strcmp(dwarf_fields[i].dwarf, name) != 0)
				continue;
			if (layout_field(bin, i) != value)
				fail_msg("%s %s: %s is at %u, not %u", version, mode, name, value,
					 layout_field(bin, i));
			nr++;
		}
	}
	bool has_last = layout_field(bin, DWARF_FIELDS_NR - 1) != GO_OFF_NONE;
	assert_int_equal(nr, DWARF_FIELDS_NR - !has_last);
}

static void test_layout(void **state)
{
	check_layout(*state, "plain");
	check_layout(*state, "arm64");
}

static int is_read_without(const struct gobin_func *func, const char *name, void *ctx)
{
	uint64_t *addr = ctx;

	(void)name;
	assert_int_equal(caps_set_effective(0), 0);
	*addr = func->entry;
	return 1;
}

/* Of interest where there are some to be without: in tests that are root's. */
static void test_capabilities(void **state)
{
	char path[FIXTURE_PATH_CAP];
	_cleanup_(fixture_gobin_freep) struct gobin *bin = fixture_open(*state, "plain", path);
	struct symbolizer *sym;
	struct model *model;
	uint64_t addr = 0;

	caps_set_effective(UINT64_MAX);
	uint64_t all = caps_set_effective(UINT64_MAX);
	assert_int_equal(gobin_each_func(bin, "main.main", is_read_without, &addr), 1);
	assert_int_equal(caps_set_effective(UINT64_MAX), all);
	assert_int_equal(model_new(&model), 0);
	assert_int_equal(symbolizer_new(bin, model, &sym), 0);
	for (int batch = 0; batch < 2; batch++) {
		uint64_t pc = addr + (uint64_t)batch;
		bool cut = false;

		if (batch)
			symbolizer_begin(sym);
		assert_true(symbolizer_stack(sym, &pc, 1, 0, &cut) >= 0);
		assert_int_equal(caps_set_effective(batch ? 0 : all), batch ? 0 : all);
	}
	symbolizer_end(sym);
	assert_int_equal(caps_set_effective(UINT64_MAX), all);
	symbolizer_free(sym);
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions),	 cmocka_unit_test(test_globals),
		cmocka_unit_test(test_stripped_globals), cmocka_unit_test(test_layout),
		cmocka_unit_test(test_capabilities),
	};

	return fixture_run("gobin symbols", tests, sizeof(tests) / sizeof(tests[0]));
}
