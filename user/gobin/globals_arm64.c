/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arm64: an address is made of ADRP, which gives its 4 KiB page, and the offset in it: of an ADD, or
 * of the load that follows. Go's assembler keeps them side by side (cmd/internal/obj/arm64/asm7.go).
 */
#include "gobin/globals.h"

#include <string.h>

enum {
	INSN_SZ = 4,
	RECEIVER_REG = 0,
	PAIR_SZ = 2 * INSN_SZ,
	LOADS_NEAR = 3, /* instructions behind an address that may load through it */
};

static uint32_t insn_at(const struct globals_code *code, size_t at)
{
	uint32_t insn;

	memcpy(&insn, code->bytes + at, sizeof(insn));
	return insn;
}

/* The low `bits` bits of a value, as a signed number. */
static uint64_t sign_extend(uint64_t value, unsigned int bits)
{
	uint64_t sign = (uint64_t)1 << (bits - 1);

	return ((value & (2 * sign - 1)) ^ sign) - sign;
}

/* Arm ARM C6.2, ADRP Xd, label: 1 immlo[2] 10000 immhi[19] Rd[5]. */
static bool is_adrp(uint32_t insn)
{
	return (insn & 0x9f000000) == 0x90000000;
}

static uint64_t adrp_page(uint32_t insn, uint64_t va)
{
	uint64_t imm = (uint64_t)(insn >> 5 & 0x7ffff) << 2 | (insn >> 29 & 3);

	return (va & ~(uint64_t)0xfff) + (sign_extend(imm, 21) << 12);
}

/* BL label: 100101 imm26. */
static bool is_call_of(uint32_t insn, uint64_t va, uint64_t callee)
{
	return insn >> 26 == 0x25 && va + (sign_extend(insn & 0x3ffffff, 26) << 2) == callee;
}

/* ADRP Xd and ADD Xd, Xd, #imm12: the address they make, or 0. */
static uint64_t address_at(const struct globals_code *code, size_t at)
{
	if (at + PAIR_SZ > code->len)
		return 0;
	uint32_t adrp = insn_at(code, at), add = insn_at(code, at + INSN_SZ);
	uint32_t reg = adrp & 31;
	if (!is_adrp(adrp) || (add & 0xffc00000) != 0x91000000 || (add & 31) != reg ||
	    (add >> 5 & 31) != reg)
		return 0;
	return adrp_page(adrp, code->va + at) + (add >> 10 & 0xfff);
}

static uint64_t find_receiver(const struct globals_code *code, const struct image *img,
			      uint64_t callee)
{
	for (size_t call = PAIR_SZ; call + INSN_SZ <= code->len; call += INSN_SZ) {
		if (!is_call_of(insn_at(code, call), code->va + call, callee) ||
		    (insn_at(code, call - PAIR_SZ) & 31) != RECEIVER_REG)
			continue;
		uint64_t va = address_at(code, call - PAIR_SZ);
		if (globals_is_variable(img, va, 8))
			return va;
	}
	return 0;
}

/* What an instruction loads through a register that holds `base`: 64 bits, or two times 64. */
static void add_loads(struct globals_loads *loads, uint32_t insn, uint32_t reg, uint64_t base)
{
	if ((insn >> 5 & 31) != reg)
		return;
	if ((insn & 0xffc00000) == 0xf9400000) { /* LDR Xt, [Xn, #imm12 * 8] */
		globals_loads_add(loads, base + (uint64_t)(insn >> 10 & 0xfff) * 8);
	} else if ((insn & 0xffc00000) == 0xa9400000) { /* LDP Xt, Xu, [Xn, #imm7 * 8] */
		uint64_t va = base + sign_extend(insn >> 15 & 0x7f, 7) * 8;
		globals_loads_add(loads, va);
		globals_loads_add(loads, va + 8);
	}
}

/*
 * The loads follow the address closely: one LDP, an LDR with its own ADRP for each word, or two LDR
 * with a store between (Go 1.19, position-independent).
 */
static void find_loads(const struct globals_code *code, struct globals_loads *loads)
{
	for (size_t at = 0; at + PAIR_SZ <= code->len; at += INSN_SZ) {
		uint32_t adrp = insn_at(code, at);
		if (!is_adrp(adrp))
			continue;
		uint64_t va = address_at(code, at);
		size_t load = at + (va ? PAIR_SZ : INSN_SZ);
		size_t end = load + (va ? LOADS_NEAR * INSN_SZ : INSN_SZ);
		if (!va)
			va = adrp_page(adrp, code->va + at);
		for (; load < end && load + INSN_SZ <= code->len; load += INSN_SZ)
			add_loads(loads, insn_at(code, load), adrp & 31, va);
	}
}

static uint64_t find_slice(const struct globals_code *code, const struct image *img)
{
	struct globals_loads loads = { .nr = 0 };

	find_loads(code, &loads);
	return globals_loads_slice(&loads, img);
}

/* What is loaded atomically has its address made first: LDAR takes no offset. */
static uint64_t find_first_load(const struct globals_code *code, const struct image *img,
				unsigned int size)
{
	for (size_t at = 0; at + PAIR_SZ <= code->len; at += INSN_SZ) {
		uint64_t va = address_at(code, at);
		if (va)
			return globals_is_variable(img, va, size) ? va : 0;
	}
	return 0;
}

static uint64_t find_first_address(const struct globals_code *code, const struct image *img)
{
	return find_first_load(code, img, 8);
}

static uint64_t find_last_load(const struct globals_code *code, const struct image *img,
			       unsigned int size)
{
	struct globals_loads loads = { .nr = 0 };

	find_loads(code, &loads);
	for (size_t i = loads.nr; size == 8 && i-- > 0;)
		if (globals_is_variable(img, loads.va[i], size))
			return loads.va[i];
	return 0;
}

const struct globals_decoder globals_arm64 = {
	.receiver = find_receiver,
	.first = find_first_address,
	.slice = find_slice,
	.first_load = find_first_load,
	.last_load = find_last_load,
};
