/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding of Go's amd64 prologues (Go cmd/internal/obj/x86/obj6.go, stacksplit and preprocess):
 *
 *   small frame    cmp 0x10(%r14),%rsp; jbe                 49 3b 66 10; 76 | 0f 86
 *   medium frame   lea -N(%rsp),%r12; cmp 0x10(%r14),%r12; jbe   4c 8d 64 24 | 4c 8d a4 24; 4d 3b 66 10
 *   huge frame     mov %rsp,%r12; sub $N,%r12; jb; cmp 0x10(%r14),%r12; jbe   49 89 e4; 49 81 ec; 72 | 0f 82
 *   since 1.21     then push %rbp                            55
 *   no check       push %rbp, or up to 1.20 sub $N,%rsp      55, 48 83 ec | 48 81 ec | 48 83 c4 (add)
 *   ABI0           first mov %fs:-8,%r14                     64 4c 8b 34 25 | 49 c7 c6 or 4c 8b 35; 64 4d 8b 36
 *
 * 0x18 instead of 0x10 in functions that run on the system stack (stackguard1).
 */
#include "plan/place.h"

#include <errno.h>
#include <string.h>

enum {
	PROLOGUE_MAX = 48,
	OP_PUSH_RBP = 0x55,
	OP_RET = 0xc3,
	OP_JB_SHORT = 0x72, /* the long forms are 0f 82 and 0f 86 */
	OP_JBE_SHORT = 0x76,
	STACKGUARD0 = 0x10, /* runtime.g */
	STACKGUARD1 = 0x18,
};

/* The stack check that a function begins with. */
struct check {
	size_t jbe; /* where its branch is */
	size_t end; /* behind the branch */
	int32_t jump; /* how far behind that it leads: to the call of morestack */
	uint8_t guard; /* STACKGUARD0, STACKGUARD1 */
};

static size_t jcc_len(const uint8_t *code, uint8_t op)
{
	if (code[0] == op)
		return 2;
	if (code[0] == 0x0f && code[1] == op + 0x10)
		return 6;
	return 0;
}

/* The length of what puts the lowest address of a larger frame into %r12, 0 if there is no such thing. */
static size_t frame_end_len(const uint8_t *code)
{
	static const uint8_t lea8[] = { 0x4c, 0x8d, 0x64, 0x24 };
	static const uint8_t lea32[] = { 0x4c, 0x8d, 0xa4, 0x24 };
	static const uint8_t mov[] = { 0x49, 0x89, 0xe4 };
	static const uint8_t sub32[] = { 0x49, 0x81, 0xec };

	if (!memcmp(code, lea8, sizeof(lea8)))
		return sizeof(lea8) + 1;
	if (!memcmp(code, lea32, sizeof(lea32)))
		return sizeof(lea32) + 4;
	if (memcmp(code, mov, sizeof(mov)) || memcmp(code + sizeof(mov), sub32, sizeof(sub32)))
		return 0;
	size_t jb = sizeof(mov) + sizeof(sub32) + 4;
	size_t len = jcc_len(code + jb, OP_JB_SHORT);
	return len ? jb + len : 0;
}

/* The length of what loads g, which functions called by the ABI of assembly don't get in %r14. */
static size_t load_g_len(const uint8_t *code)
{
	static const uint8_t by_fs[] = { 0x64, 0x4c, 0x8b, 0x34, 0x25 };
	static const uint8_t by_r14[] = { 0x64, 0x4d, 0x8b, 0x36 };
	static const uint8_t got[] = { 0x4c, 0x8b, 0x35 }, imm[] = { 0x49, 0xc7, 0xc6 };

	if (!memcmp(code, by_fs, sizeof(by_fs)))
		return sizeof(by_fs) + 4;
	size_t off = sizeof(got) + 4;
	if (!memcmp(code, got, sizeof(got)) || !memcmp(code, imm, sizeof(imm)))
		return memcmp(code + off, by_r14, sizeof(by_r14)) ? 0 : off + sizeof(by_r14);
	return 0;
}

static bool find_check(const uint8_t code[PROLOGUE_MAX], struct check *ret)
{
	size_t g = load_g_len(code), at = g + frame_end_len(code + g);
	uint8_t rex = at > g ? 0x4d : 0x49;

	if (code[at] != rex || code[at + 1] != 0x3b || code[at + 2] != 0x66)
		return false;
	uint8_t guard = code[at + 3];
	size_t len = jcc_len(code + at + 4, OP_JBE_SHORT);
	if ((guard != STACKGUARD0 && guard != STACKGUARD1) || !len)
		return false;
	*ret = (struct check){ .jbe = at + 4, .end = at + 4 + len, .guard = guard };
	if (len == 2)
		ret->jump = (int8_t)code[ret->end - 1];
	else
		memcpy(&ret->jump, code + ret->end - 4, 4);
	return true;
}

/* What makes the frame of a function without a check: -128 fits in a byte, 128 doesn't. */
static const struct frame_maker {
	const char *insn;
	uint8_t code[3], code_len;
	uint8_t len;
} frame_makers[] = {
	{ "push", { OP_PUSH_RBP }, 1, 1 },
	{ "sub", { 0x48, 0x83, 0xec }, 3, 4 },
	{ "sub", { 0x48, 0x81, 0xec }, 3, 7 },
	{ "add", { 0x48, 0x83, 0xc4 }, 3, 4 },
};

static const struct frame_maker *find_frame_maker(const uint8_t *code)
{
	for (size_t i = 0; i < sizeof(frame_makers) / sizeof(frame_makers[0]); i++)
		if (!memcmp(code, frame_makers[i].code, frame_makers[i].code_len))
			return &frame_makers[i];
	return NULL;
}

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
	uint8_t code[PROLOGUE_MAX];
	uint64_t
		frame_va; /* where the stack pointer has first moved, by the pcsp table; 0: it never does */
};

static int read_prologue(struct gobin *bin, const struct gobin_func *func, struct prologue *ret)
{
	struct prologue p = { 0 };

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
			const struct check *check, struct place *ret)
{
	uint64_t after = func->entry + check->end;

	if (p->frame_va <= after)
		return -ENOENT;
	if (p->code[check->end] == OP_PUSH_RBP && p->frame_va == after + 1)
		*ret = (struct place){ .va = after, .insn = "push" };
	else
		*ret = (struct place){ .va = func->entry + check->jbe, .jcc = true, .insn = "jbe" };
	return 0;
}

int place_after_check(struct gobin *bin, const struct gobin_func *func, struct place *ret)
{
	struct prologue p;
	struct check check;
	int err = read_prologue(bin, func, &p);

	if (err)
		return err;
	return find_check(p.code, &check) ? place_behind(func, &p, &check, ret) : -ENOENT;
}

int place_begin(struct gobin *bin, const struct gobin_func *func, struct place *ret,
		const char **why_ret)
{
	struct prologue p;
	struct check check;
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
	bool checked = find_check(p.code, &check);
	if (checked && check.guard == STACKGUARD1) {
		*why_ret = "it runs on the system stack";
		return -ENOTSUP;
	}
	if (checked && !place_behind(func, &p, &check, ret))
		return 0;
	size_t at = load_g_len(p.code);
	const struct frame_maker *maker = find_frame_maker(p.code + at);
	if (!checked && maker && p.frame_va == func->entry + at + maker->len) {
		*ret = (struct place){ .va = func->entry + at, .insn = maker->insn };
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
	uint64_t morestack_va; /* the end of a function with a check: the frame isn't made there */
	uint64_t *va;
	size_t nr, max;
	int32_t last_delta;
	int err;
};

/* Where the frame has just been taken down the next instruction is the RET, after padding NOPs at most. */
static int add_return(uint64_t va, uint64_t end, int32_t sp_delta, void *ctx)
{
	static const uint8_t nop = 0x90;
	struct returns *r = ctx;
	bool taken_down = sp_delta == 0 && r->last_delta > 0 && va != r->morestack_va;
	uint8_t op = nop;

	r->last_delta = sp_delta;
	if (!taken_down)
		return 0;
	for (; va < end && op == nop; va++)
		if (gobin_read(r->bin, va, &op, 1))
			return r->err = -ENOENT;
	if (op != OP_RET)
		return r->err = -ENOTSUP;
	if (r->nr == r->max)
		return r->err = -E2BIG;
	r->va[r->nr++] = va - 1;
	return 0;
}

int place_returns(struct gobin *bin, const struct gobin_func *func, uint64_t *ret, size_t max)
{
	struct returns r = { .bin = bin, .va = ret, .max = max };
	struct prologue p;
	struct check check;
	int err = read_prologue(bin, func, &p);

	if (err)
		return err;
	if (find_check(p.code, &check))
		r.morestack_va = func->entry + check.end + (uint64_t)(int64_t)check.jump;
	err = gobin_each_pcsp(bin, func, add_return, &r);
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
