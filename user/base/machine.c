/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/machine.h"

#include <elf.h>

uint16_t machine_own(void)
{
#ifdef __aarch64__
	return EM_AARCH64;
#else
	return EM_X86_64;
#endif
}

const char *machine_name(uint16_t machine)
{
	switch (machine) {
	case EM_X86_64:
		return "x86-64";
	case EM_AARCH64:
		return "arm64";
	default:
		return "unknown";
	}
}
