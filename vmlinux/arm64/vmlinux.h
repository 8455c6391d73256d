/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a program is given on arm64 is struct user_pt_regs, user ABI (arch/arm64/include/uapi/asm/ptrace.h): read without
 * relocation. It begins the kernel's struct pt_regs, whose name it has here.
 */
#ifndef GALLOP_VMLINUX_H
#define GALLOP_VMLINUX_H

#include "../types.h"

struct pt_regs {
	u64 regs[31]; /* X0 to X30 */
	u64 sp, pc, pstate;
};

#endif
