/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding of Go's amd64 prologues (Go cmd/internal/obj/x86/obj6.go, stacksplit and preprocess):
 *
 *   small frame    cmp 0x10(%r14),%rsp; jbe                 49 3b 66 10; 76 | 0f 86
 *   medium frame   lea -N(%rsp),%r12; cmp 0x10(%r14),%r12; jbe   4c 8d 64 24 | 4c 8d a4 24; 4d 3b 66 10
 *   since 1.21     then push %rbp                            55
 *
 * 0x18 instead of 0x10 in functions that run on the system stack (stackguard1). Huge frames have another
 * form; no function that is probed has one.
 */
#include "plan/place.h"

#include <errno.h>
#include <string.h>

enum {
	PROLOGUE_MAX = 24,
	OP_PUSH_RBP = 0x55,
	OP_RET = 0xc3,
	OP_JBE_SHORT = 0x76,
};

/* The length of the compare of the stack check at code, with the lea before it; 0 if it is none. */
static size_t check_len(const uint8_t code[PROLOGUE_MAX])
{
	static const uint8_t lea8[] = { 0x4c, 0x8d, 0x64, 0x24 };
	static const uint8_t lea32[] = { 0x4c, 0x8d, 0xa4, 0x24 };
	size_t at = 0;
	uint8_t rex = 0x49;

	if (!memcmp(code, lea8, sizeof(lea8)))
		at = 5, rex = 0x4d;
	else if (!memcmp(code, lea32, sizeof(lea32)))
		at = 8, rex = 0x4d;
	if (code[at] != rex || code[at + 1] != 0x3b || code[at + 2] != 0x66)
		return 0;
	if (code[at + 3] != 0x10 && code[at + 3] != 0x18)
		return 0;
	return at + 4;
}

static size_t jbe_len(const uint8_t *code)
{
	if (code[0] == OP_JBE_SHORT)
		return 2;
	if (code[0] == 0x0f && code[1] == 0x86)
		return 6;
	return 0;
}

struct first_frame {
	uint64_t va; /* where the stack pointer first moves */
};

static int find_first_frame(uint64_t va, uint64_t end, int32_t sp_delta, void *ctx)
{
	struct first_frame *first = ctx;

	(void)end;
	if (!sp_delta)
		return 0;
	first->va = va;
	return 1;
}

int place_after_check(struct gobin *bin, const struct gobin_func *func, struct place *ret)
{
	uint8_t code[PROLOGUE_MAX] = { 0 };
	size_t len = func->end - func->entry;

	if (func->end <= func->entry)
		return -ENOENT;
	if (gobin_read(bin, func->entry, code, len < sizeof(code) ? len : sizeof(code)))
		return -ENOENT;
	size_t check = check_len(code);
	size_t jbe = check ? jbe_len(code + check) : 0;
	if (!jbe)
		return -ENOENT;

	/* The pcsp table must agree that nothing has moved the stack pointer up to here. */
	struct first_frame first = { 0 };
	int err = gobin_each_pcsp(bin, func, find_first_frame, &first);
	if (err < 0)
		return err;
	uint64_t after = func->entry + check + jbe;
	if (first.va <= after)
		return -ENOENT;

	if (code[check + jbe] == OP_PUSH_RBP && first.va == after + 1)
		*ret = (struct place){ .va = after, .insn = "push" };
	else
		*ret = (struct place){ .va = func->entry + check, .jcc = true, .insn = "jbe" };
	return 0;
}

static int max_delta(uint64_t va, uint64_t end, int32_t sp_delta, void *ctx)
{
	int32_t *max = ctx;

	(void)va;
	(void)end;
	if (sp_delta > *max)
		*max = sp_delta;
	return 0;
}

int place_frame_size(struct gobin *bin, const struct gobin_func *func, uint32_t *ret)
{
	int32_t max = 0;
	int err = gobin_each_pcsp(bin, func, max_delta, &max);

	if (err < 0)
		return err;
	*ret = (uint32_t)max;
	return max ? 0 : -ENOENT;
}

struct returns {
	struct gobin *bin;
	uint64_t entry;
	uint64_t *va;
	size_t nr, max;
	int32_t last_delta;
	int err;
};

/*
 * Where the frame has just been taken down the next instruction is the RET, after padding NOPs at
 * most; a jump out (tail call) isn't a return.
 */
static int add_return(uint64_t va, uint64_t end, int32_t sp_delta, void *ctx)
{
	static const uint8_t nop = 0x90;
	struct returns *r = ctx;
	bool taken_down = sp_delta == 0 && r->last_delta > 0;

	r->last_delta = sp_delta;
	if (!taken_down)
		return 0;
	uint8_t op = nop;
	for (; va < end && op == nop; va++) {
		if (gobin_read(r->bin, va, &op, 1))
			return r->err = -ENOENT;
		if (op == nop)
			continue;
		if (op != OP_RET)
			return 0;
		if (r->nr == r->max)
			return r->err = -E2BIG;
		r->va[r->nr++] = va;
	}
	return 0;
}

int place_returns(struct gobin *bin, const struct gobin_func *func, uint64_t *ret, size_t max)
{
	struct returns r = { .bin = bin, .entry = func->entry, .va = ret, .max = max };
	int err = gobin_each_pcsp(bin, func, add_return, &r);

	if (err < 0)
		return err;
	return r.nr ? (int)r.nr : -ENOENT;
}

/*
 * Bytes are matched without decoding what is between them: a false match would need four bytes of displacement
 * that hit the entry.
 */
bool place_calls(struct gobin *bin, const struct gobin_func *func, uint64_t callee)
{
	enum { CALL = 0xe8, CALL_SZ = 5, CODE_MAX = 4096 };
	uint8_t code[CODE_MAX];
	size_t len = func->end - func->entry;

	if (len > sizeof(code) || gobin_read(bin, func->entry, code, len))
		return false;
	for (size_t at = 0; at + CALL_SZ <= len; at++) {
		int32_t disp;

		memcpy(&disp, code + at + 1, sizeof(disp));
		if (code[at] == CALL &&
		    func->entry + at + CALL_SZ + (uint64_t)(int64_t)disp == callee)
			return true;
	}
	return false;
}
