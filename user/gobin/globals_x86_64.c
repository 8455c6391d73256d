/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64: variables are named relative to the next instruction. Bytes are matched without decoding
 * the instructions between: a false match of a call would need four displacement bytes that hit one
 * function's entry, and what is found must lie in writable memory.
 */
#include "gobin/globals.h"

#include <string.h>

enum {
	INSN_SZ = 7, /* REX, opcode, ModRM, disp32 */
	SHORT_INSN_SZ = INSN_SZ - 1, /* without REX */
	REX = 0x40, /* to 0x4f */
	CALL_SZ = 5,
	PADDING_MAX = 9, /* bytes of the longest NOP; 2 were seen */
	CALL = 0xe8,
	LEA = 0x8d,
	MOV_LOAD = 0x8b,
	MODRM_RAX_RIP = 0x05,
	MODRM_RSI_RIP = 0x35,
};

/* The address that a displacement relative to the next instruction names. */
static uint64_t target_of(const struct globals_code *code, size_t disp_at)
{
	int32_t disp;

	memcpy(&disp, code->bytes + disp_at, sizeof(disp));
	return code->va + disp_at + sizeof(disp) + (uint64_t)(int64_t)disp;
}

/* Is this a 64-bit instruction with a RIP-relative operand? modrm -1: any register. */
static bool is_rip_insn(const struct globals_code *code, size_t at, uint8_t opcode, int modrm)
{
	const uint8_t *b = code->bytes + at;

	return at + INSN_SZ <= code->len && (b[0] == 0x48 || (b[0] == 0x4c && modrm < 0)) &&
	       b[1] == opcode && (modrm < 0 ? (b[2] & 0xc7) == MODRM_RAX_RIP : b[2] == modrm);
}

/*
 * "lea X(%rip),%rax; call callee": X, or 0. NOPs that align the call may come between, and nothing
 * that changes %rax, or the compiler would not have loaded it.
 */
static uint64_t find_receiver(const struct globals_code *code, const struct image *img,
			      uint64_t callee)
{
	for (size_t call = INSN_SZ; call + CALL_SZ <= code->len; call++) {
		if (code->bytes[call] != CALL || target_of(code, call + 1) != callee)
			continue;
		for (size_t back = INSN_SZ; back <= INSN_SZ + PADDING_MAX && back <= call; back++) {
			if (!is_rip_insn(code, call - back, LEA, MODRM_RAX_RIP))
				continue;
			uint64_t va = target_of(code, call - back + 3);
			if (globals_is_variable(img, va, 8))
				return va;
		}
	}
	return 0;
}

/* The first "lea X(%rip),%rsi": X, or 0. */
static uint64_t find_first_rsi(const struct globals_code *code, const struct image *img)
{
	for (size_t at = 0; at + INSN_SZ <= code->len; at++) {
		if (!is_rip_insn(code, at, LEA, MODRM_RSI_RIP))
			continue;
		uint64_t va = target_of(code, at + 3);
		return globals_is_variable(img, va, 8) ? va : 0;
	}
	return 0;
}

/* "mov X(%rip),%reg" for every X. */
static uint64_t find_slice(const struct globals_code *code, const struct image *img)
{
	struct globals_loads loads = { .nr = 0 };

	for (size_t at = 0; at + INSN_SZ <= code->len; at++)
		if (is_rip_insn(code, at, MOV_LOAD, -1))
			globals_loads_add(&loads, target_of(code, at + 3));
	return globals_loads_slice(&loads, img);
}

/* "mov X(%rip),%reg" of 64 bits, or of 32 into one of the first eight registers, which needs no REX. */
static bool is_load(const struct globals_code *code, size_t at, unsigned int size, uint64_t *va)
{
	const uint8_t *b = code->bytes + at;

	if (size == 8 && is_rip_insn(code, at, MOV_LOAD, -1)) {
		*va = target_of(code, at + 3);
		return true;
	}
	if (size != 4 || at + SHORT_INSN_SZ > code->len || b[0] != MOV_LOAD ||
	    (b[1] & 0xc7) != MODRM_RAX_RIP || (at && (b[-1] & 0xf0) == REX))
		return false;
	*va = target_of(code, at + 2);
	return true;
}

static uint64_t find_first_load(const struct globals_code *code, const struct image *img,
				unsigned int size)
{
	uint64_t va;

	for (size_t at = 0; at < code->len; at++)
		if (is_load(code, at, size, &va) && globals_is_variable(img, va, size))
			return va;
	return 0;
}

static uint64_t find_last_load(const struct globals_code *code, const struct image *img,
			       unsigned int size)
{
	uint64_t va;

	for (size_t at = code->len; at-- > 0;)
		if (is_load(code, at, size, &va) && globals_is_variable(img, va, size))
			return va;
	return 0;
}

const struct globals_decoder globals_x86_64 = {
	.receiver = find_receiver,
	.first = find_first_rsi,
	.slice = find_slice,
	.first_load = find_first_load,
	.last_load = find_last_load,
};
