/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inline trees: a pc-value table gives the index of the innermost inlined call at an address, and
 * its tree entry the call's name and the address in the same function that stands for the place it
 * was inlined to (runtime/symtabinl.go inlineUnwinder). File and line of every frame come from the
 * function's own tables, at that frame's address.
 */
#include "gobin/frames.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "gobin/gobin.h"
#include "gobin/pclntab.h"

enum {
	PCDATA_INL_TREE_INDEX = 2, /* internal/abi/symtab.go, since 1.16 */
	FUNCDATA_INL_TREE = 3,
	INLINE_DEPTH_MAX = 64, /* the compiler stops far earlier */
	/* Steps and entries of all trees: 0.2 s of work. A file of 75 MB has 0.4 M. */
	TREES_WORK_MAX = 32 << 20,
};

/* One inlined call, whatever its format. */
struct inlined {
	uint8_t func_id;
	uint32_t name_off, parent_pc;
};

/* internal/abi/symtab.go FuncIDWrapper. */
bool frames_is_wrapper(int minor, uint8_t func_id)
{
	return func_id == (minor <= 21 ? 21 : minor <= 24 ? 22 : 23);
}

/*
 * Go 1.27 runtime/traceback.go funcNamePiecesForPrint: a generic method of a generic type has two
 * pairs of brackets. Finds where the first closes and the second opens in name[open..close];
 * returns 1 if there are two, 0 if one, -1 if they do not balance.
 */
static int split_brackets(const char *name, size_t open, size_t close, size_t *right_ret,
			  size_t *left_ret)
{
	int depth = 1;
	bool closed = false;

	if (!memchr(name + open + 1, '[', close - open - 1))
		return 0;
	for (size_t i = open + 1; i < close; i++) {
		if (name[i] == '[' && ++depth == 1) {
			*left_ret = i;
			return closed ? 1 : -1;
		}
		if (name[i] == ']' && --depth < 0)
			return -1;
		if (name[i] == ']' && depth == 0) {
			*right_ret = i;
			closed = true;
		}
	}
	return depth == 1 && !closed ? 0 : -1;
}

/* The name as Go's own tracebacks show it: type arguments are shapes, of no use to a reader. */
static void display_name(int minor, const char *name, char *buf, size_t cap)
{
	const char *open = strchr(name, '['), *close = strrchr(name, ']');
	size_t right = 0, left = 0;

	int pairs = -1;
	if (open && close > open)
		pairs = minor < 27 ? 0
				   : split_brackets(name, (size_t)(open - name),
						    (size_t)(close - name), &right, &left);
	if (pairs < 0)
		snprintf(buf, cap, "%.*s", (int)cap - 1, name);
	else if (pairs == 0)
		snprintf(buf, cap, "%.*s[...]%s", (int)(open - name), name, close + 1);
	else
		snprintf(buf, cap, "%.*s[...]%.*s[...]%s", (int)(open - name), name,
			 (int)(left - right - 1), name + right + 1, close + 1);
}

static int read_inlined(struct pclntab *tab, uint64_t tree, uint32_t idx, struct inlined *ret)
{
	/*
	 * Up to 1.19: {i16 parent, u8 funcID, pad, i32 file, line, name, parentPc}; since 1.20:
	 * {u8 funcID, pad, i32 name, parentPc, startLine} (runtime/symtabinl.go inlinedCall).
	 */
	bool old = tab->format == PCLNTAB_GO118;
	size_t size = old ? 20 : 16;
	uint32_t word[5];
	int r = image_read(tab->img, tree + (uint64_t)idx * size, word, size);
	if (r < 0)
		return r;
	*ret = (struct inlined){
		.func_id = old ? word[0] >> 16 & 0xff : word[0] & 0xff,
		.name_off = old ? word[3] : word[1],
		.parent_pc = old ? word[4] : word[2],
	};
	return 0;
}

/* One function, and what reading its tables may yet cost. */
struct walk {
	struct pclntab *tab;
	const struct gobin_func *func;
	struct pclntab_func fn;
	uint32_t pcdata; /* the table of indices into the tree; 0: nothing was inlined */
	uint64_t tree;
	uint32_t steps_left;
};

static int walk_init(struct walk *w, struct pclntab *tab, const struct gobin_func *func)
{
	uint32_t funcdata;
	*w = (struct walk){ .tab = tab, .func = func, .steps_left = PCVALUE_STEPS_MAX };
	int r = pclntab_read_func(tab, func, &w->fn);
	if (r == 0)
		r = pclntab_pcdata(tab, &w->fn, PCDATA_INL_TREE_INDEX, &w->pcdata);
	if (r == 0)
		r = pclntab_funcdata(tab, &w->fn, FUNCDATA_INL_TREE, &funcdata);
	if (r < 0)
		return r;
	if (funcdata == UINT32_MAX)
		w->pcdata = 0;
	w->tree = tab->gofunc + funcdata;
	return 0;
}

/* The value of one of the function's tables; -1 if it has none at va. */
static int value_at(struct walk *w, uint32_t table, uint64_t va, int32_t *ret)
{
	return pcvalue_at(w->tab, w->func, table, va, &w->steps_left, ret);
}

/* File and line at an address of the function. */
static int fill_position(struct walk *w, uint64_t va, struct gobin_frame *frame)
{
	int32_t file, line;
	int r = value_at(w, w->fn.pcfile, va, &file);
	if (r == 0)
		r = value_at(w, w->fn.pcln, va, &line);
	if (r < 0)
		return r;

	frame->line = line > 0 ? (uint32_t)line : 0;
	snprintf(frame->file, sizeof(frame->file), "?");
	if (file < 0)
		return 0;
	return pclntab_file(w->tab, w->fn.cu_off, (uint32_t)file, frame->file, sizeof(frame->file));
}

static int fill_name(struct pclntab *tab, int minor, uint32_t name_off, struct gobin_frame *frame)
{
	char name[PCLNTAB_NAME_MAX];
	int r = pclntab_name(tab, name_off, name, sizeof(name));
	if (r == 0)
		display_name(minor, name, frame->func, sizeof(frame->func));
	return r;
}

/*
 * The innermost inlined call at va: its index in the tree, or -1 and the function itself. The
 * compiler adds the caller to the tree before what is inlined into it (cmd/internal/obj/pcln.go
 * addBranch), so the index must be below that of the call before: a walk never comes back.
 */
static int find_inlined(struct walk *w, uint64_t va, int32_t *idx, struct inlined *ret)
{
	int32_t before = *idx;
	int r = value_at(w, w->pcdata, va, idx);
	if (r < 0)
		return r;
	if (*idx >= before)
		return -EINVAL;
	if (*idx >= 0)
		return read_inlined(w->tab, w->tree, (uint32_t)*idx, ret);
	*ret = (struct inlined){ .func_id = w->fn.func_id, .name_off = w->fn.name_off };
	return 0;
}

int frames_at(struct pclntab *tab, int minor, const struct gobin_func *func, uint64_t va,
	      struct gobin_frame *frames, size_t max)
{
	struct walk w;
	int32_t idx = INT32_MAX;
	int r = walk_init(&w, tab, func);
	if (r < 0)
		return r;

	for (size_t nr = 0; nr < max && nr < INLINE_DEPTH_MAX; nr++) {
		struct inlined call;
		r = find_inlined(&w, va, &idx, &call);
		if (r == 0)
			r = fill_position(&w, va, &frames[nr]);
		if (r == 0)
			r = fill_name(tab, minor, call.name_off, &frames[nr]);
		if (r < 0)
			return r;
		frames[nr].inlined = idx >= 0;
		frames[nr].wrapper = frames_is_wrapper(minor, call.func_id);
		if (idx < 0)
			return (int)nr + 1;
		va = func->entry + call.parent_pc;
	}
	return max < INLINE_DEPTH_MAX ? (int)max : -EINVAL;
}

/* Every entry of a function's tree: how many there are isn't written, but the largest index has code. */
static int each_in_tree(struct walk *w,
			int (*fn)(const struct gobin_func *host, uint32_t name_off, void *ctx),
			void *ctx)
{
	struct pcvalue pv;
	int32_t last = -1;
	int r;

	pcvalue_init(&pv, w->tab, w->func, w->pcdata, &w->steps_left);
	while ((r = pcvalue_next(&pv)) > 0)
		if (pv.value > last)
			last = pv.value;
	for (int32_t i = 0; r == 0 && i <= last; i++) {
		struct inlined call;
		if (w->steps_left == 0)
			return -EINVAL;
		w->steps_left--;
		r = read_inlined(w->tab, w->tree, (uint32_t)i, &call);
		if (r == 0)
			r = fn(w->func, call.name_off, ctx);
	}
	return r;
}

int frames_each_inlined(struct pclntab *tab,
			int (*fn)(const struct gobin_func *host, uint32_t name_off, void *ctx),
			void *ctx)
{
	uint32_t steps_left = TREES_WORK_MAX;

	for (uint32_t i = 0; i < tab->funcs_nr; i++) {
		struct gobin_func func;
		struct walk w;
		int r = pclntab_get(tab, i, &func);
		if (r == 0)
			r = walk_init(&w, tab, &func);
		if (r < 0)
			return r;
		w.steps_left = steps_left;
		r = each_in_tree(&w, fn, ctx);
		if (r != 0)
			return r;
		steps_left = w.steps_left;
	}
	return 0;
}
