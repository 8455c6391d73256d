/* SPDX-License-Identifier: BSD-2-Clause */
/* How one machine's code begins, checks its stack, calls and returns: what place.c must know of it. */
#ifndef GALLOP_PLAN_PLACE_CODE_H
#define GALLOP_PLAN_PLACE_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PLACE_PROLOGUE_MAX = 48, PLACE_INSN_MAX = 4 };

/* The stack check that a function begins with; offsets from its entry. */
struct place_check {
	size_t branch; /* its branch */
	size_t end; /* behind the branch */
	int64_t morestack; /* where that leads if there isn't room enough */
	bool system_stack; /* of a function that runs on the system stack: by stackguard1 */
};

struct place_code {
	const char *branch; /* the check's, by name */
	/* The instruction that makes a frame of itself, and is cheaper to probe than the branch; NULL: none is. */
	const char *cheap;
	uint8_t cheap_code[PLACE_INSN_MAX];
	size_t cheap_len;
	size_t step; /* instructions begin at multiples of this */
	bool (*find_check)(const uint8_t code[PLACE_PROLOGUE_MAX], struct place_check *ret);
	/*
	 * What makes the frame, in a function without a check: its name, or NULL. It is at *at, and the stack pointer
	 * has moved at *end.
	 */
	const char *(*find_frame)(const uint8_t code[PLACE_PROLOGUE_MAX], size_t *at, size_t *end);
	/* The length of an instruction that may be between where the frame is gone and the return; 0: none. */
	size_t (*skippable)(const uint8_t *code);
	bool (*is_return)(const uint8_t *code);
	/* Is there, in so many bytes, a plain call of what lies at this offset from them? */
	bool (*calls)(const uint8_t *code, size_t len, int64_t callee);
};

extern const struct place_code place_x86_64, place_arm64;

#endif
