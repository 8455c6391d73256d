/* SPDX-License-Identifier: BSD-2-Clause */
/* Places of probes: by the pcsp table, which says where the stack pointer moves, and what each machine's code looks like. */
#include "plan/place.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "plan/place_code.h"

static int find_first_frame(uint64_t va, uint64_t end, int32_t sp_delta, void *ctx)
{
	uint64_t *first = ctx;

	(void)end;
	if (!sp_delta)
		return 0;
	*first = va;
	return 1;
}

/* How a function begins. */
struct prologue {
	const struct place_code *machine;
	uint8_t code[PLACE_PROLOGUE_MAX];
	uint64_t
		frame_va; /* where the stack pointer has first moved, by the pcsp table; 0: it never does */
};

static const struct place_code *machine_of(struct gobin *bin)
{
	return gobin_info(bin)->machine == EM_AARCH64 ? &place_arm64 : &place_x86_64;
}

static int read_prologue(struct gobin *bin, const struct gobin_func *func, struct prologue *ret)
{
	struct prologue p = { .machine = machine_of(bin) };

	if (func->end <= func->entry)
		return -ENOENT;
	size_t len = func->end - func->entry;
	if (gobin_read(bin, func->entry, p.code, len < sizeof(p.code) ? len : sizeof(p.code)))
		return -ENOENT;
	int err = gobin_each_pcsp(bin, func, find_first_frame, &p.frame_va);
	if (err < 0)
		return err;
	*ret = p;
	return 0;
}

/* The place behind a check, if the pcsp table agrees that nothing has moved the stack pointer up to there. */
static int place_behind(const struct gobin_func *func, const struct prologue *p,
			const struct place_check *check, struct place *ret)
{
	const struct place_code *machine = p->machine;
	uint64_t after = func->entry + check->end;

	if (p->frame_va <= after)
		return -ENOENT;
	if (machine->cheap && p->frame_va == after + machine->cheap_len &&
	    !memcmp(p->code + check->end, machine->cheap_code, machine->cheap_len))
		*ret = (struct place){ .va = after, .insn = machine->cheap };
	else
		*ret = (struct place){ .va = func->entry + check->branch,
				       .jcc = true,
				       .insn = machine->branch };
	return 0;
}

int place_after_check(struct gobin *bin, const struct gobin_func *func, struct place *ret)
{
	struct prologue p;
	struct place_check check;
	int err = read_prologue(bin, func, &p);

	if (err)
		return err;
	return p.machine->find_check(p.code, &check) ? place_behind(func, &p, &check, ret)
						     : -ENOENT;
}

int place_begin(struct gobin *bin, const struct gobin_func *func, struct place *ret,
		const char **why_ret)
{
	struct prologue p;
	struct place_check check;
	bool assembly;

	if (gobin_is_assembly(bin, func, &assembly) || read_prologue(bin, func, &p)) {
		*why_ret = "its tables or its code can't be read";
		return -ENOTSUP;
	}
	if (assembly) {
		*why_ret = "it is written in assembly";
		return -ENOTSUP;
	}
	if (!p.frame_va) {
		*why_ret = "it has no stack frame";
		return -ENOTSUP;
	}
	bool checked = p.machine->find_check(p.code, &check);
	if (checked && check.system_stack) {
		*why_ret = "it runs on the system stack";
		return -ENOTSUP;
	}
	if (checked && !place_behind(func, &p, &check, ret))
		return 0;
	size_t at, end;
	const char *insn = checked ? NULL : p.machine->find_frame(p.code, &at, &end);
	if (insn && p.frame_va == func->entry + end) {
		*ret = (struct place){ .va = func->entry + at, .insn = insn };
		return 0;
	}
	*why_ret = "it begins in a way that isn't known";
	return -ENOTSUP;
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
	const struct place_code *machine;
	uint64_t morestack_va; /* the end of a function with a check: the frame isn't made there */
	uint64_t *va;
	size_t nr, max;
	int32_t last_delta;
	int err;
};

/* Where the frame has just been taken down the next instruction is the RET, after padding at most. */
static int add_return(uint64_t va, uint64_t end, int32_t sp_delta, void *ctx)
{
	struct returns *r = ctx;
	bool taken_down = sp_delta == 0 && r->last_delta > 0 && va != r->morestack_va;
	uint8_t code[PLACE_INSN_MAX] = { 0 };
	size_t step = r->machine->step, skip = 0;

	r->last_delta = sp_delta;
	if (!taken_down)
		return 0;
	do {
		va += skip;
		if (va >= end)
			return r->err = -ENOTSUP;
		if (gobin_read(r->bin, va, code, step))
			return r->err = -ENOENT;
		skip = r->machine->skippable(code);
	} while (skip);
	if (!r->machine->is_return(code))
		return r->err = -ENOTSUP;
	if (r->nr == r->max)
		return r->err = -E2BIG;
	r->va[r->nr++] = va;
	return 0;
}

int place_returns(struct gobin *bin, const struct gobin_func *func, uint64_t *ret, size_t max)
{
	struct returns r = { .bin = bin, .va = ret, .max = max };
	struct prologue p;
	struct place_check check;
	int err = read_prologue(bin, func, &p);

	if (err)
		return err;
	r.machine = p.machine;
	if (p.machine->find_check(p.code, &check))
		r.morestack_va = func->entry + (uint64_t)check.morestack;
	err = gobin_each_pcsp(bin, func, add_return, &r);
	if (err < 0)
		return err;
	return r.nr ? (int)r.nr : -ENOENT;
}

bool place_calls(struct gobin *bin, const struct gobin_func *func, uint64_t callee)
{
	enum { CODE_MAX = 4096 };
	uint8_t code[CODE_MAX];
	size_t len = func->end - func->entry;

	return len <= sizeof(code) && !gobin_read(bin, func->entry, code, len) &&
	       machine_of(bin)->calls(code, len, (int64_t)(callee - func->entry));
}
