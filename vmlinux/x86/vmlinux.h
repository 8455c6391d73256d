/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* struct pt_regs is user ABI on x86-64 (arch/x86/include/asm/ptrace.h): read without relocation. */
#ifndef GALLOP_VMLINUX_H
#define GALLOP_VMLINUX_H

#include "../types.h"

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};

#endif
