/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines that programs are for: those whose code can be read, and the one that gallop runs on. */
#ifndef GALLOP_BASE_MACHINE_H
#define GALLOP_BASE_MACHINE_H

#include <stdint.h>

/* Of this gallop, and so of what its kernel runs: EM_X86_64 or EM_AARCH64. */
uint16_t machine_own(void);

/* "x86-64", "arm64"; "unknown" for any other. */
const char *machine_name(uint16_t machine);

#endif
