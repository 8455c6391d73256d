/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Go's amd64 prologues (Go cmd/internal/obj/x86/obj6.go, stacksplit and preprocess):
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
#include <string.h>

#include "plan/place_code.h"

enum {
	OP_PUSH_RBP = 0x55,
	OP_RET = 0xc3,
	OP_NOP = 0x90,
	OP_CALL = 0xe8,
	CALL_SZ = 5,
	OP_JB_SHORT = 0x72, /* the long forms are 0f 82 and 0f 86 */
	OP_JBE_SHORT = 0x76,
	STACKGUARD0 = 0x10, /* runtime.g */
	STACKGUARD1 = 0x18,
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

static bool find_check(const uint8_t code[PLACE_PROLOGUE_MAX], struct place_check *ret)
{
	size_t g = load_g_len(code), at = g + frame_end_len(code + g);
	uint8_t rex = at > g ? 0x4d : 0x49;
	int32_t jump;

	if (code[at] != rex || code[at + 1] != 0x3b || code[at + 2] != 0x66)
		return false;
	uint8_t guard = code[at + 3];
	size_t len = jcc_len(code + at + 4, OP_JBE_SHORT), end = at + 4 + len;
	if ((guard != STACKGUARD0 && guard != STACKGUARD1) || !len)
		return false;
	if (len == 2)
		jump = (int8_t)code[end - 1];
	else
		memcpy(&jump, code + end - 4, 4);
	*ret = (struct place_check){ .branch = at + 4,
				     .end = end,
				     .morestack = (int64_t)end + jump,
				     .system_stack = guard == STACKGUARD1 };
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

static const char *find_frame(const uint8_t code[PLACE_PROLOGUE_MAX], size_t *at, size_t *end)
{
	size_t g = load_g_len(code);
	const struct frame_maker *maker = find_frame_maker(code + g);

	if (!maker)
		return NULL;
	*at = g;
	*end = g + maker->len;
	return maker->insn;
}

static size_t skippable(const uint8_t *code)
{
	return *code == OP_NOP;
}

static bool is_return(const uint8_t *code)
{
	return *code == OP_RET;
}

/*
 * Bytes are matched without decoding what is between them: a false match would need four bytes of displacement
 * that hit the entry.
 */
static bool calls(const uint8_t *code, size_t len, int64_t callee)
{
	for (size_t at = 0; at + CALL_SZ <= len; at++) {
		int32_t disp;

		memcpy(&disp, code + at + 1, sizeof(disp));
		if (code[at] == OP_CALL && (int64_t)at + CALL_SZ + disp == callee)
			return true;
	}
	return false;
}

const struct place_code place_x86_64 = {
	.branch = "jbe",
	.cheap = "push",
	.cheap_code = { OP_PUSH_RBP },
	.cheap_len = 1,
	.step = 1,
	.find_check = find_check,
	.find_frame = find_frame,
	.skippable = skippable,
	.is_return = is_return,
	.calls = calls,
};
