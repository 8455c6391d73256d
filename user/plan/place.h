/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in a function a probe is right and cheap.
 *
 * Never at the entry: the stack check there is single-stepped, and runs again after morestack, so an
 * entry probe counts too much. Never a return probe that rewrites the stack: Go moves stacks. So: the
 * instruction after the check, which the kernel emulates, and for returns the RET instructions.
 */
#ifndef GALLOP_PLAN_PLACE_H
#define GALLOP_PLAN_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gobin/gobin.h"

struct place {
	uint64_t va;
	bool jcc; /* the check's own branch: a hit counts only if it is not taken */
	const char *insn; /* "push", "jbe", "sub", "add", "b.ls", "str", "ret", "entry" */
};

/*
 * The place right after the stack check where argument registers are intact and the frame is not yet made.
 * 0, or -ENOENT when the function's prologue isn't one that is known.
 */
int place_after_check(struct gobin *bin, const struct gobin_func *func, struct place *ret);

/*
 * The same, or in a function without a check what makes its frame: nothing runs that again. The stack pointer, the
 * return address and g are what they were at the entry. 0; -ENOTSUP with the reason in *why_ret ("it is written in assembly").
 */
int place_begin(struct gobin *bin, const struct gobin_func *func, struct place *ret,
		const char **why_ret);

/* Bytes from the stack pointer, where the function calls others, up to its return address. 0 or -errno. */
int place_frame_size(struct gobin *bin, const struct gobin_func *func, uint32_t *ret);

/*
 * The addresses of the function's RET instructions, ascending, at most max: how many there are; -E2BIG if more
 * than max; -ENOENT if it never returns; -ENOTSUP if it is left otherwise too: by a jump to another function.
 */
int place_returns(struct gobin *bin, const struct gobin_func *func, uint64_t *ret, size_t max);

/* Does the function call what begins at `callee`, by a plain CALL? */
bool place_calls(struct gobin *bin, const struct gobin_func *func, uint64_t callee);

#endif
