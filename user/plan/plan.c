/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans, put together from their parts and printed. */
#include "plan/plan.h"

#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/caps.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "gobin/gobin.h"
#include "gobin/layout.h"
#include "plan/build.h"
#include "plan/place.h"

void plan_note(struct plan *plan, const char *fmt, ...)
{
	if (plan->notes_nr == PLAN_NOTES_MAX)
		return;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(plan->notes[plan->notes_nr++], sizeof(plan->notes[0]), fmt, ap);
	va_end(ap);
}

int plan_add_at(struct plan *plan, struct gobin *bin, const struct place *place, const char *name,
		const struct want *want)
{
	uint64_t off;
	int err = gobin_file_offset(bin, place->va, &off);

	if (err)
		return err;
	if (plan->probes_nr == PLAN_PROBES_MAX)
		return -E2BIG;

	struct plan_probe *probe = &plan->probes[plan->probes_nr++];
	probe->prog = want->prog;
	probe->group = plan->cfg.sampled ? want->group : WIRE_GROUP_ALWAYS;
	probe->va = place->va;
	probe->file_off = off;
	probe->cookie = WIRE_COOKIE(want->place, want->flags | (place->jcc ? WIRE_F_JCC : 0),
				    place->va);
	probe->insn = place->insn;
	probe->why = want->why;
	utf8_clean(probe->func, sizeof(probe->func), name);
	return 0;
}

int plan_add(struct plan *plan, struct gobin *bin, const struct gobin_func *func, const char *name,
	     const struct want *want)
{
	struct place place = { .va = func->entry, .insn = "entry" };
	int err = want->at_entry ? 0 : place_after_check(bin, func, &place);

	return err ? err : plan_add_at(plan, bin, &place, name, want);
}

int plan_add_returns(struct plan *plan, struct gobin *bin, const struct gobin_func *func,
		     const char *name, const struct want *want)
{
	uint64_t returns[PLAN_PROBES_MAX];
	int nr = place_returns(bin, func, returns, PLAN_PROBES_MAX);
	size_t before = plan->probes_nr;

	for (int i = 0; i < nr; i++) {
		struct place place = { .va = returns[i], .insn = "ret" };
		int err = plan_add_at(plan, bin, &place, name, want);

		if (err) {
			plan->probes_nr = before;
			return err;
		}
	}
	return nr < 0 ? nr : 0;
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
	cfg->g_m = layout->g_m;
	cfg->g_sched_sp = layout->g_sched_sp;
	cfg->g_sched_bp = layout->g_sched_bp;
	cfg->m_g0 = layout->m_g0;
	cfg->m_curg = layout->m_curg;
	cfg->m_p = layout->m_p;
	/* Both came with Go 1.21: assembly functions keep frame pointers as compiled ones do. */
	cfg->systemstack_frame = layout->push_rbp;
	cfg->sampled = opts->sampled;
	cfg->op_windows = opts->sampled && opts->ops_nr;
	cfg->by_goroutine = opts->by_goroutine;
	cfg->many = opts->many;
	/* Windows tell by the root of a stack whose allocations they are. */
	bool cut = opts->depth && opts->depth < WIRE_DEPTH_MAX && !opts->sampled;
	cfg->depth = cut ? opts->depth : WIRE_DEPTH_MAX;
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

/* See bpf/walk.bpf.h: what is not found leaves such a stack cut. */
static void fill_assist(struct wire_cfg *cfg, struct gobin *bin)
{
	struct gobin_func func;
	uint32_t frame;

	if (cfg->systemstack_frame || gobin_find_func(bin, "runtime.gcAssistAlloc", &func) ||
	    place_frame_size(bin, &func, &frame))
		return;
	cfg->assist_va = func.entry;
	cfg->assist_len = (uint32_t)(func.end - func.entry);
	cfg->assist_frame = frame;
}

/*
 * There systemstack has a frame, as every assembly function that calls others, and sets X29 right when it returns (Go
 * runtime/asm_arm64.s).
 */
static void fill_arm64(struct plan *plan, struct gobin *bin)
{
	enum { CHAIN_GOES_ON_MINOR = 25, FRAMES_ARE_MENDED_MINOR = 21 };
	int minor = gobin_layout(bin)->minor;
	struct gobin_func func;

	plan->cfg.systemstack_frame = 1;
	if (minor < CHAIN_GOES_ON_MINOR && !gobin_find_func(bin, "runtime.systemstack", &func)) {
		plan->cfg.systemstack_va = func.entry;
		plan->cfg.systemstack_len = func.end - func.entry;
	}
	/* Go runtime/stack.go adjustframe. */
	if (minor < FRAMES_ARE_MENDED_MINOR)
		plan_note(plan,
			  "a stack that has grown is cut where it had been full: Go 1.20 and older "
			  "don't keep frame pointers right on arm64");
}

static int plan_allocs(struct plan *plan, struct gobin *bin, const struct plan_opts *opts,
		       struct err *err)
{
	return opts->sampled && !plan->cfg.op_windows ? plan_sampled(plan, bin, opts->profiled, err)
						      : plan_malloc(plan, bin, err);
}

int plan_new(struct gobin *bin, const struct plan_opts *opts, struct plan **ret, struct err *err)
{
	struct gobin_globals globals;
	_cleanup_(caps_restore) uint64_t caps = caps_set_effective(0); /* as gobin_open() */

	if (opts->sampled && opts->ops_nr && !opts->ops_only) {
		err_set(err, -EINVAL,
			"operations can't be sampled along with the rest: all of them are "
			"measured");
		err_hint(err, "--mode exact, or 'gallop op', which leaves the rest out");
		return -EINVAL;
	}
	struct plan *plan = calloc(1, sizeof(*plan));
	if (!plan)
		return err_set(err, -ENOMEM, "out of memory");
	plan->machine = gobin_info(bin)->machine;
	fill_cfg(&plan->cfg, gobin_layout(bin), opts);
	if (plan->machine == EM_AARCH64)
		fill_arm64(plan, bin);
	else
		fill_assist(&plan->cfg, bin);
	unsigned views = opts->views ? opts->views : PLAN_VIEW_ALL;
	int rc = views & PLAN_VIEW_ALLOC ? plan_allocs(plan, bin, opts, err) : 0;
	if (rc) {
		plan_free(plan);
		return rc;
	}
	/* What can't be found is 0, and what needs it is left out. */
	if (gobin_find_globals(bin, &globals))
		memset(&globals, 0, sizeof(globals));
	if (views & PLAN_VIEW_ALLOC)
		plan_marks(plan, bin, &globals);
	if (views & PLAN_VIEW_GC)
		plan_gc(plan, bin, &globals);
	if (views & PLAN_VIEW_MAPS)
		plan_maps(plan, bin);
	if (opts->ops_nr)
		rc = plan_ops(plan, bin, opts, err);
	if (rc)
		plan_free(plan);
	else
		*ret = plan;
	return rc;
}

void plan_free(struct plan *plan)
{
	free(plan);
}

bool plan_has(const struct plan *plan, enum plan_prog prog)
{
	for (size_t i = 0; i < plan->probes_nr; i++)
		if (plan->probes[i].prog == prog)
			return true;
	return false;
}

bool plan_has_group(const struct plan *plan, enum wire_group group)
{
	for (size_t i = 0; i < plan->probes_nr; i++)
		if (plan->probes[i].group == group)
			return true;
	return false;
}

const char *plan_group_name(enum wire_group group)
{
	static const char *const names[WIRE_GROUP_NR] = {
		[WIRE_GROUP_ALWAYS] = "always",		[WIRE_GROUP_ASSIST] = "assists",
		[WIRE_GROUP_LARGE] = "large",		[WIRE_GROUP_MAP_EVENTS] = "map events",
		[WIRE_GROUP_PROFILE] = "profile",	[WIRE_GROUP_REFILL] = "refills",
		[WIRE_GROUP_WINDOW] = "window",		[WIRE_GROUP_GC] = "gc",
		[WIRE_GROUP_GC_RETURNS] = "gc returns", [WIRE_GROUP_OP_CALLS] = "op calls",
		[WIRE_GROUP_OP_WINDOW] = "op window",	[WIRE_GROUP_OP_RETURNS] = "op returns",
		[WIRE_GROUP_WINDOW_MAPS] = "window",
	};

	return names[group];
}

static void print_op(const struct plan_op *op, size_t idx, FILE *out)
{
	fprintf(out, "operation %zu: %s", idx, op->name);
	if (op->label[0])
		fprintf(out, " (%s)", op->label);
	if (op->inlined_nr)
		fprintf(out, "; inlined into %s", op->inlined_in);
	fputc('\n', out);
}

void plan_print(const struct plan *plan, struct gobin *bin, FILE *out)
{
	static const char *const programs[PLAN_PROG_NR] = {
		[PLAN_PROG_MALLOC] = "on_malloc",
		[PLAN_PROG_MARK] = "on_mark",
		[PLAN_PROG_GC] = "on_gc",
		[PLAN_PROG_ASSIST] = "on_assist",
		[PLAN_PROG_MAP] = "on_map",
		[PLAN_PROG_MAP_GROWTH] = "on_map_growth",
		[PLAN_PROG_MAP_LOOK] = "on_map_look",
		[PLAN_PROG_MAP_EXIT] = "on_map_exit",
		[PLAN_PROG_OP] = "on_op",
		[PLAN_PROG_OP_UNWIND] = "on_op_unwind",
		[PLAN_PROG_WINDOW] = "on_window",
		[PLAN_PROG_REFILL] = "on_refill",
		[PLAN_PROG_PROFILE] = "on_profile",
		[PLAN_PROG_OP_CALL] = "on_op_call",
	};
	const struct gobin_info *info = gobin_info(bin);
	char path[4096];

	utf8_clean(path, sizeof(path), info->path);
	fprintf(out, "plan for %s (%s%s%s)\n", path,
		info->go_version[0] ? info->go_version : "Go without build info",
		info->pie ? ", PIE" : "", info->stripped ? ", stripped" : "");
	fprintf(out, "%-13s %-5s %18s %12s  ", "program", "at", "address", "file offset");
	if (plan->cfg.sampled)
		fprintf(out, "%-10s  ", "group");
	fprintf(out, "function\n");
	for (size_t i = 0; i < plan->probes_nr; i++) {
		const struct plan_probe *p = &plan->probes[i];

		fprintf(out, "%-13s %-5s %#18llx %#12llx  ", programs[p->prog], p->insn,
			(unsigned long long)p->va, (unsigned long long)p->file_off);
		if (plan->cfg.sampled)
			fprintf(out, "%-10s  ", plan_group_name(p->group));
		fprintf(out, "%s: %s\n", p->func, p->why);
	}
	if (plan->cfg.malloc_limit)
		fprintf(out,
			"runtime.mallocgc counts sizes over %u bytes; smaller ones have entries of "
			"their own\n",
			plan->cfg.malloc_limit);
	for (size_t i = 0; i < plan->ops_nr; i++)
		print_op(&plan->ops[i], i, out);
	for (size_t i = 0; i < plan->notes_nr; i++)
		fprintf(out, "note: %s\n", plan->notes[i]);
}
