/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Go's arm64 prologues and epilogues (Go cmd/internal/obj/arm64/obj7.go, stacksplit and preprocess; the same from
 * 1.19 to 1.27 but where said):
 *
 *   check         ldr x16, [x28, #16]                    #24 in functions that run on the system stack
 *   larger frame  sub x17, sp, #N                        or more than one, or by x27
 *   huge frame    subs x17, sp, x27; b.lo
 *                 cmp sp | x17, x16; b.ls
 *   then          str x30, [sp, #-N]!; stur x29, [sp, #-8]      up to 240 bytes
 *                 sub x20, sp, #N; stp x29, x30, [x20, #-8]; mov sp, x20
 *                 sub x29, sp, #8
 *   end           add sp, sp, #N, or since 1.24 ldr x30, [sp], #N; ret
 *   of a leaf     up to 1.20 sub x29, sp, #8 between the two
 *
 * The kernel emulates b.ls and ret; whatever else could be probed there would be single-stepped (kernel
 * arch/arm64/kernel/probes/decode-insn.c), so b.ls is the cheap place in every version.
 */
#include <string.h>

#include "plan/place_code.h"

enum { INSN_SZ = 4, CHECK_INSNS_MAX = 8, X17 = 17, X27 = 27 };

static const uint32_t ldr_guard0 = 0xf9400b90, ldr_guard1 = 0xf9400f90;
static const uint32_t cmp_sp = 0xeb3063ff, cmp_x17 = 0xeb10023f;
static const uint32_t nop = 0xd503201f, ret_x30 = 0xd65f03c0, sub_x29_sp_8 = 0xd10023fd;

static uint32_t insn_at(const uint8_t *code)
{
	uint32_t insn;

	memcpy(&insn, code, sizeof(insn));
	return insn;
}

static bool is_b_lo(uint32_t insn)
{
	return (insn & 0xff00001f) == 0x54000003;
}

static bool is_b_ls(uint32_t insn)
{
	return (insn & 0xff00001f) == 0x54000009;
}

/* From the branch: its imm19 counts instructions. */
static int64_t branch_offset(uint32_t insn)
{
	return ((int32_t)(insn << 8) >> 13) * (int64_t)INSN_SZ;
}

/* What computes the lowest address of a larger frame changes these two registers alone. */
static bool computes_frame_end(uint32_t insn)
{
	uint32_t to = insn & 0x1f;

	return to == X17 || to == X27 || is_b_lo(insn);
}

static bool find_check(const uint8_t code[PLACE_PROLOGUE_MAX], struct place_check *ret)
{
	uint32_t guard = insn_at(code);
	size_t at = INSN_SZ;

	if (guard != ldr_guard0 && guard != ldr_guard1)
		return false;
	while (at < CHECK_INSNS_MAX * INSN_SZ && insn_at(code + at) != cmp_sp &&
	       insn_at(code + at) != cmp_x17 && computes_frame_end(insn_at(code + at)))
		at += INSN_SZ;
	uint32_t compare = insn_at(code + at), branch = insn_at(code + at + INSN_SZ);
	if ((compare != cmp_sp && compare != cmp_x17) || !is_b_ls(branch))
		return false;
	at += INSN_SZ;
	*ret = (struct place_check){ .branch = at,
				     .end = at + INSN_SZ,
				     .morestack = (int64_t)at + branch_offset(branch),
				     .system_stack = guard == ldr_guard1 };
	return true;
}

/* Not where a check begins, even one that isn't known: that could run again. */
static const char *find_frame(const uint8_t code[PLACE_PROLOGUE_MAX], size_t *at, size_t *end)
{
	static const uint32_t stp_x29_x30_x20 = 0xa93ffa9d, mov_sp_x20 = 0x9100029f;
	uint32_t first = insn_at(code);

	*at = 0;
	if ((first & 0xffe00fff) == 0xf8000ffe) { /* str x30, [sp, #imm9]! */
		*end = INSN_SZ;
		return "str";
	}
	if ((first & 0xff8003ff) == 0xd10003f4 && /* sub x20, sp, #imm12 */
	    insn_at(code + INSN_SZ) == stp_x29_x30_x20 &&
	    insn_at(code + 2 * INSN_SZ) == mov_sp_x20) {
		*end = 3 * INSN_SZ;
		return "sub";
	}
	return NULL;
}

static size_t skippable(const uint8_t *code)
{
	uint32_t insn = insn_at(code);

	return insn == nop || insn == sub_x29_sp_8 ? INSN_SZ : 0;
}

static bool is_return(const uint8_t *code)
{
	return insn_at(code) == ret_x30;
}

static bool calls(const uint8_t *code, size_t len, int64_t callee)
{
	for (size_t at = 0; at + INSN_SZ <= len; at += INSN_SZ) {
		uint32_t insn = insn_at(code + at);
		int64_t offset = ((int32_t)(insn << 6) >> 6) * (int64_t)INSN_SZ;

		if ((insn & 0xfc000000) == 0x94000000 && (int64_t)at + offset == callee)
			return true;
	}
	return false;
}

const struct place_code place_arm64 = {
	.branch = "b.ls",
	.step = INSN_SZ,
	.find_check = find_check,
	.find_frame = find_frame,
	.skippable = skippable,
	.is_return = is_return,
	.calls = calls,
};
