/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cache of addresses, bounded by the size of the program: each distinct call site is looked up in
 * the pclntab once, however many stacks it is part of.
 */
#include "symbol/symbol.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/caps.h"
#include "base/cleanup.h"
#include "gobin/gobin.h"
#include "model/model.h"
#include "model/snapshot.h"

enum { INLINE_MAX = 64 }; /* logical frames of one address */

struct site_frame {
	struct model_frame frame; /* its strings are owned */
	bool wrapper; /* made by the compiler */
};

/* The frames of one address, innermost first. */
struct site_frames {
	uint64_t va;
	UT_hash_handle hh;
	size_t nr; /* 0: not in Go's text */
	bool root; /* nothing of Go is above it */
	struct site_frame frames[];
};

struct type_name {
	uint64_t va;
	UT_hash_handle hh;
	int64_t id;
};

struct symbolizer {
	struct gobin *bin; /* borrowed */
	struct model *model; /* borrowed */
	struct site_frames *sites;
	struct type_name *types;
	struct gobin_frame scratch[INLINE_MAX];
	bool batch, reads;
	uint64_t caps; /* while it reads: what was in effect before */
};

/* The executable says what it likes. What is known already takes no reading, and no system calls for it. */
static void begin_reading(struct symbolizer *sym)
{
	if (!sym->reads)
		sym->caps = caps_set_effective(0);
	sym->reads = true;
}

static void end_reading(struct symbolizer **sym)
{
	if (!(*sym)->reads || (*sym)->batch)
		return;
	caps_restore(&(*sym)->caps);
	(*sym)->reads = false;
}

void symbolizer_begin(struct symbolizer *sym)
{
	sym->batch = true;
}

void symbolizer_end(struct symbolizer *sym)
{
	sym->batch = false;
	end_reading(&sym);
}

int symbolizer_new(struct gobin *bin, struct model *model, struct symbolizer **ret)
{
	struct symbolizer *sym = calloc(1, sizeof(*sym));

	if (!sym)
		return -ENOMEM;
	sym->bin = bin;
	sym->model = model;
	*ret = sym;
	return 0;
}

static void site_frames_free(struct site_frames *site)
{
	for (size_t i = 0; i < site->nr; i++) {
		free((char *)site->frames[i].frame.func);
		free((char *)site->frames[i].frame.file);
	}
	free(site);
}

void symbolizer_free(struct symbolizer *sym)
{
	struct site_frames *site, *next_site;
	struct type_name *type, *next_type;

	if (!sym)
		return;
	HASH_ITER (hh, sym->sites, site, next_site) {
		HASH_DEL(sym->sites, site);
		site_frames_free(site);
	}
	HASH_ITER (hh, sym->types, type, next_type) {
		HASH_DEL(sym->types, type);
		free(type);
	}
	free(sym);
}

/*
 * The assembly at the top of every Go stack: of goroutines, of the first thread, of other threads, of the
 * scheduler on a system stack, and of calls from C, which keeps no frame pointers (Go cmd/internal/obj, TOPFRAME;
 * runtime/asm_amd64.s).
 */
static bool is_root(const char *func)
{
	static const char *const roots[] = { "runtime.goexit",	  "runtime.rt0_go",
					     "runtime.mstart",	  "runtime.mcall",
					     "runtime.morestack", "crosscall2" };

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (!strcmp(func, roots[i]))
			return true;
	return false;
}

/*
 * The first function of a thread. Of one that C has made the runtime takes the address of a local variable there for the
 * end of the stack (Go runtime/proc.go, mstart0), so its own frame lies outside: a walk that ends here is complete.
 */
static bool ends_thread(const struct model_frame *frame)
{
	return !strcmp(frame->func, "runtime.mstart0");
}

/* Copy the frames of an address. */
static struct site_frames *site_frames_new(struct symbolizer *sym, uint64_t va)
{
	int found = gobin_frames(sym->bin, va, sym->scratch, INLINE_MAX);
	size_t nr = found > 0 ? (size_t)found : 0;
	struct site_frames *site = calloc(1, sizeof(*site) + nr * sizeof(site->frames[0]));

	if (!site)
		return NULL;
	site->va = va;
	site->nr = nr;
	for (size_t i = 0; i < nr; i++) {
		const struct gobin_frame *from = &sym->scratch[i];
		struct model_frame *to = &site->frames[i].frame;

		site->frames[i].wrapper = from->wrapper;
		to->func = strdup(from->func);
		to->file = strdup(from->file);
		to->line = from->line;
		to->inlined = from->inlined;
		if (!to->func || !to->file) {
			site_frames_free(site);
			return NULL;
		}
		site->root |= is_root(from->func);
	}
	return site;
}

static struct site_frames *find_frames(struct symbolizer *sym, uint64_t va)
{
	struct site_frames *site;

	HASH_FIND(hh, sym->sites, &va, sizeof(va), site);
	if (site)
		return site;
	begin_reading(sym);
	site = site_frames_new(sym, va);
	if (site)
		HASH_ADD(hh, sym->sites, va, sizeof(site->va), site);
	return site;
}

/*
 * Go's own traces leave a wrapper out, unless what it called is the panic that it explains
 * (Go runtime/traceback.go, elideWrapperCalling).
 */
static bool is_shown(const struct site_frame *frame, const struct model_frame *callee)
{
	if (!frame->wrapper)
		return true;
	return callee && (!strcmp(callee->func, "runtime.gopanic") ||
			  !strcmp(callee->func, "runtime.sigpanic") ||
			  !strcmp(callee->func, "runtime.panicwrap"));
}

int64_t symbolizer_stack(struct symbolizer *sym, const uint64_t *pcs, size_t nr, uint64_t load_bias,
			 bool *cut)
{
	static const struct model_frame not_go = { .func = "[C]", .file = "?" };
	_cleanup_(end_reading) struct symbolizer *reader = sym;
	struct model_frame frames[MODEL_DEPTH_MAX];
	size_t n = 0;

	for (size_t i = 0; i < nr; i++) {
		uint64_t va = pcs[i] - load_bias;
		/* A return address belongs to the call before it. */
		struct site_frames *site = find_frames(sym, i ? va - 1 : va);

		if (!site)
			return -ENOMEM;
		for (size_t j = 0; j < site->nr && n < MODEL_DEPTH_MAX; j++) {
			if (!is_shown(&site->frames[j], n ? &frames[n - 1] : NULL))
				continue;
			frames[n] = site->frames[j].frame;
			frames[n++].pc = va;
		}
		if (n == MODEL_DEPTH_MAX) {
			*cut = true;
			break;
		}
		if (!site->nr) {
			frames[n] = not_go;
			frames[n++].pc = va;
		}
		if (!site->nr || site->root) {
			*cut = false;
			break;
		}
		if (i + 1 == nr && ends_thread(&site->frames[site->nr - 1].frame))
			*cut = false;
	}
	return model_stack(sym->model, frames, n, *cut);
}

int64_t symbolizer_profile_stack(struct symbolizer *sym, const uint64_t *pcs, size_t nr,
				 uint64_t load_bias)
{
	_cleanup_(end_reading) struct symbolizer *reader = sym;
	struct model_frame frames[MODEL_DEPTH_MAX];
	bool cut = true;
	size_t n = 0;

	for (size_t i = 0; i < nr && n < MODEL_DEPTH_MAX; i++) {
		uint64_t va = pcs[i] - load_bias;
		struct site_frames *site = find_frames(sym, va - 1);

		if (!site)
			return -ENOMEM;
		cut = !site->root;
		/* Of the last, what it is inlined into was cut off with the rest. */
		for (size_t j = 0; j < (i + 1 < nr ? 1 : site->nr) && j < site->nr; j++) {
			if (n == MODEL_DEPTH_MAX)
				break;
			frames[n] = site->frames[j].frame;
			frames[n++].pc = va;
		}
	}
	if (!n)
		return symbolizer_pseudo_stack(sym, "[unknown]");
	return model_stack(sym->model, frames, n, cut);
}

int64_t symbolizer_pseudo_stack(struct symbolizer *sym, const char *name)
{
	struct model_frame frame = { .func = name, .file = "?" };

	return model_stack(sym->model, &frame, 1, false);
}

int64_t symbolizer_type(struct symbolizer *sym, uint64_t addr, uint64_t load_bias)
{
	_cleanup_(end_reading) struct symbolizer *reader = sym;
	char name[1024] = "(no pointers)";
	uint64_t va = addr ? addr - load_bias : 0;
	struct type_name *type;

	HASH_FIND(hh, sym->types, &va, sizeof(va), type);
	if (type)
		return type->id;
	begin_reading(sym);
	/* Types that the program makes at run time (reflect) or loads (plugins) aren't in the file. */
	if (addr && gobin_type_name(sym->bin, va, name, sizeof(name)))
		snprintf(name, sizeof(name), "(type made at run time)");
	int64_t id = model_type(sym->model, name);
	if (id < 0)
		return id;
	type = calloc(1, sizeof(*type));
	if (!type)
		return -ENOMEM;
	type->va = va;
	type->id = id;
	HASH_ADD(hh, sym->types, va, sizeof(type->va), type);
	return id;
}

int64_t symbolizer_unknown_type(struct symbolizer *sym)
{
	return model_type(sym->model, SNAPSHOT_UNTYPED);
}
