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
};

/* One inlined call, whatever its format. */
struct inlined {
	uint8_t func_id;
	uint32_t name_off, parent_pc;
};

/* internal/abi/symtab.go FuncIDWrapper. */
static bool is_wrapper(int minor, uint8_t func_id)
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

/* File and line at an address of the function. */
static int fill_position(struct pclntab *tab, const struct gobin_func *func,
			 const struct pclntab_func *fn, uint64_t va, struct gobin_frame *frame)
{
	int32_t file, line;
	int r = pcvalue_at(tab, func, fn->pcfile, va, &file);
	if (r == 0)
		r = pcvalue_at(tab, func, fn->pcln, va, &line);
	if (r < 0)
		return r;

	frame->line = line > 0 ? (uint32_t)line : 0;
	snprintf(frame->file, sizeof(frame->file), "?");
	if (file < 0)
		return 0;
	return pclntab_file(tab, fn->cu_off, (uint32_t)file, frame->file, sizeof(frame->file));
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
 * The innermost inlined call at va: 1 with the call, 0 if va is the function's own code, or -errno.
 */
static int find_inlined(struct pclntab *tab, const struct gobin_func *func, uint32_t pcdata,
			uint64_t tree, uint64_t va, struct inlined *ret)
{
	int32_t idx;
	int r = pcvalue_at(tab, func, pcdata, va, &idx);
	if (r < 0 || idx < 0)
		return r;
	r = read_inlined(tab, tree, (uint32_t)idx, ret);
	return r < 0 ? r : 1;
}

int frames_at(struct pclntab *tab, int minor, const struct gobin_func *func, uint64_t va,
	      struct gobin_frame *frames, size_t max)
{
	struct pclntab_func fn;
	uint32_t pcdata, funcdata;
	int r = pclntab_read_func(tab, func, &fn);
	if (r == 0)
		r = pclntab_pcdata(tab, &fn, PCDATA_INL_TREE_INDEX, &pcdata);
	if (r == 0)
		r = pclntab_funcdata(tab, &fn, FUNCDATA_INL_TREE, &funcdata);
	if (r < 0)
		return r;
	bool has_tree = pcdata != 0 && funcdata != UINT32_MAX;

	for (size_t nr = 0; nr < max && nr < INLINE_DEPTH_MAX; nr++) {
		struct inlined call = { .func_id = fn.func_id, .name_off = fn.name_off };
		if (has_tree)
			r = find_inlined(tab, func, pcdata, tab->gofunc + funcdata, va, &call);
		bool inlined = r == 1;
		if (r >= 0)
			r = fill_position(tab, func, &fn, va, &frames[nr]);
		if (r == 0)
			r = fill_name(tab, minor, call.name_off, &frames[nr]);
		if (r < 0)
			return r;
		frames[nr].inlined = inlined;
		frames[nr].wrapper = is_wrapper(minor, call.func_id);
		if (!inlined)
			return (int)nr + 1;
		va = func->entry + call.parent_pc;
	}
	return max < INLINE_DEPTH_MAX ? (int)max : -EINVAL;
}
