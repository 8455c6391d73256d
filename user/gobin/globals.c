/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stripped binary has no symbol for runtime.memstats, but its code has the address. Two shapes of
 * code are enough, the same in every Go from 1.19 to 1.27:
 *
 * - (*mcache).refill compares with &emptymspan first of all, and loads a receiver into %rax right
 *   before a method call: &memstats.heapStats (the first field of memstats) for
 *   (*consistentHeapStats).acquire, &gcController for (*gcControllerState).update;
 * - preemptall and others range over runtime.allp, so they load its pointer and its length, which
 *   are neighbours, from absolute addresses.
 *
 * Bytes are matched without decoding the instructions between: a false match would need four
 * displacement bytes that hit one function's entry, and what is found must lie in writable memory.
 */
#include "gobin/globals.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "gobin/gobin.h"
#include "gobin/image.h"

enum {
	CODE_MAX = 64 << 10, /* bytes of one function that are looked at */
	INSN_SZ = 7, /* REX, opcode, ModRM, disp32 */
	CALL_SZ = 5,
	PADDING_MAX = 9, /* bytes of the longest NOP; 2 were seen */
	CALL = 0xe8,
	LEA = 0x8d,
	MOV_LOAD = 0x8b,
	MODRM_RAX_RIP = 0x05,
	MODRM_RSI_RIP = 0x35,
	LOADS_MAX = 64,
	ALLP_SZ = 24, /* a slice */
};

enum func {
	FUNC_REFILL,
	FUNC_ACQUIRE,
	FUNC_UPDATE,
	FUNC_ALLP_FIRST, /* from here on: functions that range over allp, the smallest first */
	FUNC_NR = FUNC_ALLP_FIRST + 4,
};

static const char *const func_names[FUNC_NR] = {
	[FUNC_REFILL] = "runtime.(*mcache).refill",
	[FUNC_ACQUIRE] = "runtime.(*consistentHeapStats).acquire",
	[FUNC_UPDATE] = "runtime.(*gcControllerState).update",
	[FUNC_ALLP_FIRST] = "runtime.preemptall",
	[FUNC_ALLP_FIRST + 1] = "runtime.gcMarkTinyAllocs",
	[FUNC_ALLP_FIRST + 2] = "runtime.timeSleepUntil",
	[FUNC_ALLP_FIRST + 3] = "runtime.stopTheWorldWithSema",
};

struct code {
	uint64_t va;
	size_t len;
	uint8_t *bytes;
};

static void code_deinit(struct code *code)
{
	free(code->bytes);
}

static int code_read(struct code *code, struct image *img, const struct gobin_func *func)
{
	uint64_t len = func->end - func->entry;

	code->va = func->entry;
	code->len = len < CODE_MAX ? (size_t)len : CODE_MAX;
	code->bytes = malloc(code->len + 1);
	if (!code->bytes)
		return -ENOMEM;
	return image_read(img, code->va, code->bytes, code->len);
}

/* The address that a displacement relative to the next instruction names. */
static uint64_t target_of(const struct code *code, size_t disp_at)
{
	int32_t disp;

	memcpy(&disp, code->bytes + disp_at, sizeof(disp));
	return code->va + disp_at + sizeof(disp) + (uint64_t)(int64_t)disp;
}

/* Is this a 64-bit instruction with a RIP-relative operand? modrm -1: any register. */
static bool is_rip_insn(const struct code *code, size_t at, uint8_t opcode, int modrm)
{
	const uint8_t *b = code->bytes + at;

	return at + INSN_SZ <= code->len && (b[0] == 0x48 || (b[0] == 0x4c && modrm < 0)) &&
	       b[1] == opcode && (modrm < 0 ? (b[2] & 0xc7) == MODRM_RAX_RIP : b[2] == modrm);
}

static bool is_variable(const struct image *img, uint64_t va, uint64_t size)
{
	const struct image_seg *seg = image_seg_of(img, va, size);

	return seg && seg->write && !seg->exec && va % 8 == 0;
}

/*
 * "lea X(%rip),%rax; call callee": X, or 0. NOPs that align the call may come between, and nothing
 * that changes %rax, or the compiler would not have loaded it.
 */
static uint64_t find_receiver(const struct code *code, const struct image *img, uint64_t callee)
{
	for (size_t call = INSN_SZ; call + CALL_SZ <= code->len; call++) {
		if (code->bytes[call] != CALL || target_of(code, call + 1) != callee)
			continue;
		for (size_t back = INSN_SZ; back <= INSN_SZ + PADDING_MAX && back <= call; back++) {
			if (!is_rip_insn(code, call - back, LEA, MODRM_RAX_RIP))
				continue;
			uint64_t va = target_of(code, call - back + 3);
			if (is_variable(img, va, 8))
				return va;
		}
	}
	return 0;
}

/* The first "lea X(%rip),%rsi": X, or 0. */
static uint64_t find_first_rsi(const struct code *code, const struct image *img)
{
	for (size_t at = 0; at + INSN_SZ <= code->len; at++) {
		if (!is_rip_insn(code, at, LEA, MODRM_RSI_RIP))
			continue;
		uint64_t va = target_of(code, at + 3);
		return is_variable(img, va, 8) ? va : 0;
	}
	return 0;
}

/* "mov X(%rip),%reg" and "mov X+8(%rip),%reg" in one function: X of the first such pair, or 0. */
static uint64_t find_slice(const struct code *code, const struct image *img)
{
	uint64_t loads[LOADS_MAX];
	size_t nr = 0;

	for (size_t at = 0; at + INSN_SZ <= code->len && nr < LOADS_MAX; at++)
		if (is_rip_insn(code, at, MOV_LOAD, -1))
			loads[nr++] = target_of(code, at + 3);
	for (size_t i = 0; i < nr; i++)
		for (size_t j = 0; j < nr; j++)
			if (loads[j] == loads[i] + 8 && is_variable(img, loads[i], ALLP_SZ))
				return loads[i];
	return 0;
}

static int find_in_refill(struct image *img, const struct gobin_func *funcs, const bool *found,
			  struct gobin_globals *ret)
{
	if (!found[FUNC_REFILL])
		return 0;
	_cleanup_(code_deinit) struct code code = { 0 };
	int r = code_read(&code, img, &funcs[FUNC_REFILL]);
	if (r < 0)
		return r;

	ret->emptymspan = find_first_rsi(&code, img);
	if (found[FUNC_ACQUIRE])
		ret->memstats = find_receiver(&code, img, funcs[FUNC_ACQUIRE].entry);
	if (found[FUNC_UPDATE])
		ret->gc_controller = find_receiver(&code, img, funcs[FUNC_UPDATE].entry);
	return 0;
}

static int find_allp(struct image *img, const struct gobin_func *funcs, const bool *found,
		     struct gobin_globals *ret)
{
	for (int i = FUNC_ALLP_FIRST; i < FUNC_NR && !ret->allp; i++) {
		if (!found[i])
			continue;
		_cleanup_(code_deinit) struct code code = { 0 };
		int r = code_read(&code, img, &funcs[i]);
		if (r < 0)
			return r;
		ret->allp = find_slice(&code, img);
	}
	return 0;
}

int globals_find(struct gobin *bin, struct image *img, struct gobin_globals *ret)
{
	struct gobin_func funcs[FUNC_NR];
	bool found[FUNC_NR];
	struct gobin_globals globals = { 0 };

	int r = gobin_find_funcs(bin, func_names, FUNC_NR, funcs, found);
	if (r == 0)
		r = find_in_refill(img, funcs, found, &globals);
	if (r == 0)
		r = find_allp(img, funcs, found, &globals);
	if (r == 0)
		*ret = globals;
	return r;
}
