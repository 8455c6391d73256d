/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counting rule of each Go version, turned into probes.
 *
 * Up to Go 1.26 every heap object passes runtime.mallocgc once. Go 1.27 (and 1.26 with
 * GOEXPERIMENT=sizespecializedmalloc) has entries of their own for small sizes, which the compiler calls
 * directly and to which mallocgc forwards sizes up to a limit: there an object is a hit of a specialised
 * entry, or of mallocgc above the limit. What decides is which functions the binary has, not its version.
 */
#include "plan/plan.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "gobin/gobin.h"
#include "gobin/layout.h"
#include "plan/place.h"

static void note(struct plan *plan, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(struct plan *plan, const char *fmt, ...)
{
	if (plan->notes_nr == PLAN_NOTES_MAX)
		return;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(plan->notes[plan->notes_nr++], sizeof(plan->notes[0]), fmt, ap);
	va_end(ap);
}

/* What a probe is for; the place in the function is found here. */
struct want {
	enum plan_prog prog;
	enum wire_place place;
	const char *why;
	bool at_entry;		/* assembly without a stack check: its first instruction is right */
};

static int add_probe(struct plan *plan, struct gobin *bin, const struct gobin_func *func,
		     const char *name, const struct want *want)
{
	struct place place = { .va = func->entry, .insn = "entry" };
	int err = want->at_entry ? 0 : place_after_check(bin, func, &place);
	uint64_t off;

	if (!err)
		err = gobin_file_offset(bin, place.va, &off);
	if (err)
		return err;
	if (plan->probes_nr == PLAN_PROBES_MAX)
		return -E2BIG;

	struct plan_probe *probe = &plan->probes[plan->probes_nr++];
	probe->prog = want->prog;
	probe->va = place.va;
	probe->file_off = off;
	probe->cookie = WIRE_COOKIE(want->place, place.jcc ? WIRE_F_JCC : 0, place.va);
	probe->insn = place.insn;
	probe->why = want->why;
	snprintf(probe->func, sizeof(probe->func), "%s", name);
	return 0;
}

static const char *skip_prefix(const char *s, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(s, prefix, len) ? NULL : s + len;
}

/*
 * The number n of an entry specialised for one size class, or -1. The spelling tells them from the
 * helpers inside mallocgc: mallocgcSmallNoScanSC2 is an entry, mallocgcSmallNoscan is not
 * (Go 1.27 runtime/malloc_generated.go).
 */
static int specialised_nr(const char *name)
{
	static const char *const forms[] = {
		"runtime.mallocgcTinySC",
		"runtime.mallocgcTinySize",
		"runtime.mallocgcSmallNoScanSC",
		"runtime.mallocgcSmallScanNoHeaderSC",
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const char *digits = skip_prefix(name, forms[i]);
		if (!digits || !isdigit((unsigned char)*digits))
			continue;
		char *end;
		long n = strtol(digits, &end, 10);
		if (!*end && n < WIRE_CLASSES)
			return (int)n;
	}
	return -1;
}

struct malloc_scan {
	struct plan *plan;
	struct gobin *bin;
	struct err *err;
	int specialised;	/* how many specialised entries there are */
	int class_max;		/* the largest class that has one */
};

static int add_specialised(const struct gobin_func *func, const char *name, void *ctx)
{
	static const struct want want = { PLAN_PROG_MALLOC, WIRE_PLACE_SPECIALISED,
					  "objects of one size class", false };
	struct malloc_scan *scan = ctx;
	int nr = specialised_nr(name);

	if (nr < 0)
		return 0;
	scan->specialised++;
	/* TinySize<n> counts bytes, not classes; its entries never decide the limit. */
	if (nr > scan->class_max && !skip_prefix(name, "runtime.mallocgcTiny"))
		scan->class_max = nr;
	int err = add_probe(scan->plan, scan->bin, func, name, &want);
	if (err)
		return err_set(scan->err, -ENOTSUP, "cannot place a probe in %s: unknown prologue",
			       name);
	return 0;
}

static int plan_malloc(struct plan *plan, struct gobin *bin, struct err *err)
{
	static const struct want want = { PLAN_PROG_MALLOC, WIRE_PLACE_MALLOCGC, "every object",
					  false };
	struct gobin_func func;
	struct malloc_scan scan = { .plan = plan, .bin = bin, .err = err };

	if (gobin_find_func(bin, "runtime.mallocgc", &func))
		return err_set(err, -ENOTSUP, "no runtime.mallocgc in '%s'", gobin_info(bin)->path);
	if (add_probe(plan, bin, &func, "runtime.mallocgc", &want))
		return err_set(err, -ENOTSUP,
			       "cannot place a probe in runtime.mallocgc: unknown prologue");
	int rc = gobin_each_func(bin, "runtime.mallocgc", add_specialised, &scan);
	if (rc)
		return rc == -ENOTSUP ? rc :
					err_set(err, -ENOEXEC, "'%s': damaged function table",
						gobin_info(bin)->path);
	if (!scan.specialised)
		return 0;
	if (!scan.class_max)
		return err_set(err, -ENOTSUP, "the allocator of '%s' is specialised in an unknown way",
			       gobin_info(bin)->path);

	/* len(mallocNoScanTable)-1: the classes' own sizes end at 512 or 80 (Go 1.26/1.27 malloc.go). */
	plan->cfg.malloc_limit = go_class_to_size[scan.class_max];
	plan->probes[0].why = "objects of other sizes";
	return 0;
}

/* World-stopped counts; every one is optional. */
static void plan_marks(struct plan *plan, struct gobin *bin)
{
	static const struct {
		const char *func;
		struct want want;
	} marks[] = {
		{ "runtime.readmemstats_m",
		  { PLAN_PROG_MARK, WIRE_PLACE_READMEMSTATS, "both counts, world stopped", false } },
		{ "runtime.exit",
		  { PLAN_PROG_MARK, WIRE_PLACE_EXIT, "both counts at a normal exit", true } },
	};
	struct gobin_globals globals;

	if (gobin_find_globals(bin, &globals) || !globals.memstats || !globals.allp) {
		note(plan, "the runtime's counters were not found: counts can't be checked");
		return;
	}
	plan->cfg.memstats_va = globals.memstats;
	plan->cfg.allp_va = globals.allp;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		struct gobin_func func;

		if (!gobin_find_func(bin, marks[i].func, &func))
			add_probe(plan, bin, &func, marks[i].func, &marks[i].want);
	}
}

/* Go's size_to_class8 and size_to_class128 follow from the class sizes (runtime/mksizeclasses.go). */
static void fill_size_classes(struct wire_cfg *cfg)
{
	uint8_t size_class = 0;

	for (size_t i = 0; i < GO_NUM_SIZE_CLASSES; i++)
		cfg->class_to_size[i] = go_class_to_size[i];
	for (size_t i = 0; i < WIRE_SIZE_TO_CLASS8; i++) {
		while (size_class < GO_NUM_SIZE_CLASSES - 1 && go_class_to_size[size_class] < i * 8)
			size_class++;
		cfg->size_to_class8[i] = size_class;
	}
	for (size_t i = 0; i < WIRE_SIZE_TO_CLASS128; i++) {
		while (size_class < GO_NUM_SIZE_CLASSES - 1 &&
		       go_class_to_size[size_class] < WIRE_SMALL_SIZE_MAX + i * 128)
			size_class++;
		cfg->size_to_class128[i] = size_class;
	}
}

static void fill_cfg(struct wire_cfg *cfg, const struct go_layout *layout,
		     const struct plan_opts *opts)
{
	enum { MAX_SMALL = 32768, HEADER = 8, HEADER_MIN = 512 };

	cfg->small_max = layout->malloc_headers ? MAX_SMALL - HEADER : MAX_SMALL;
	cfg->header_min = layout->malloc_headers ? HEADER_MIN : GO_OFF_NONE;
	cfg->goid_off = layout->g_goid;
	cfg->by_goroutine = opts->by_goroutine;
	cfg->depth = opts->depth && opts->depth < WIRE_DEPTH_MAX ? opts->depth : WIRE_DEPTH_MAX;
	cfg->heap_stats_sz = layout->heap_stats_sz;
	cfg->hs_tiny = layout->hs_tiny_alloc_count;
	cfg->hs_large = layout->hs_large_alloc_count;
	cfg->hs_small = layout->hs_small_alloc_count;
	cfg->p_mcache = layout->p_mcache;
	cfg->mcache_tiny = layout->mcache_tiny_allocs;
	cfg->mcache_alloc = layout->mcache_alloc;
	cfg->mspan_count = layout->mspan_alloc_count;
	cfg->mspan_before = layout->mspan_alloc_count_before_cache;
	fill_size_classes(cfg);
}

int plan_new(struct gobin *bin, const struct plan_opts *opts, struct plan **ret, struct err *err)
{
	const struct gobin_info *info = gobin_info(bin);

	if (info->machine != EM_X86_64)
		return err_set(err, -ENOTSUP, "'%s' is not an x86-64 program: its probes aren't supported yet",
			       info->path);
	struct plan *plan = calloc(1, sizeof(*plan));
	if (!plan)
		return err_set(err, -ENOMEM, "out of memory");
	fill_cfg(&plan->cfg, gobin_layout(bin), opts);
	int rc = plan_malloc(plan, bin, err);
	if (rc) {
		plan_free(plan);
		return rc;
	}
	plan_marks(plan, bin);
	*ret = plan;
	return 0;
}

void plan_free(struct plan *plan)
{
	free(plan);
}

void plan_print(const struct plan *plan, struct gobin *bin, FILE *out)
{
	static const char *const programs[PLAN_PROG_NR] = { "on_malloc", "on_mark" };
	const struct gobin_info *info = gobin_info(bin);

	fprintf(out, "plan for %s (%s%s%s)\n", info->path,
		info->go_version[0] ? info->go_version : "Go without build info",
		info->pie ? ", PIE" : "", info->stripped ? ", stripped" : "");
	fprintf(out, "%-10s %-5s %18s %12s  %s\n", "program", "at", "address", "file offset",
		"function");
	for (size_t i = 0; i < plan->probes_nr; i++) {
		const struct plan_probe *p = &plan->probes[i];

		fprintf(out, "%-10s %-5s %#18llx %#12llx  %s: %s\n", programs[p->prog], p->insn,
			(unsigned long long)p->va, (unsigned long long)p->file_off, p->func, p->why);
	}
	if (plan->cfg.malloc_limit)
		fprintf(out, "runtime.mallocgc counts sizes over %u bytes; smaller ones have entries of their own\n",
			plan->cfg.malloc_limit);
	for (size_t i = 0; i < plan->notes_nr; i++)
		fprintf(out, "note: %s\n", plan->notes[i]);
}
