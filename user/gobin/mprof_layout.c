/* SPDX-License-Identifier: BSD-2-Clause */
/* Go 1.20 is left out: no toolchain of it was at hand to check the numbers with. */
#include "gobin/mprof_layout.h"

#include <stddef.h>

#define PUBLIC "runtime.MemProfile"
#define INTERNAL "runtime.memProfileInternal"

/* clang-format off */
static const struct go_mprof_layout layouts[] = {
	/*    bucket: allnext, typ, size, nstk, its size; sizeof memRecordCycle */
	{ 19, 0x8, 0x10, 0x20, 0x28, 0x30, 32, 32, PUBLIC },
	{ 21, 0x8, 0x10, 0x20, 0x28, 0x30, 32, 32, PUBLIC },
	{ 22, 0x8, 0x10, 0x20, 0x28, 0x30, 32, 32, PUBLIC },
	{ 23, 0x8, 0x10, 0x20, 0x28, 0x30, 32, 1024, INTERNAL },
	{ 24, 0x8, 0x10, 0x20, 0x28, 0x30, 32, 1024, INTERNAL },
	{ 25, 0x8, 0x10, 0x20, 0x28, 0x30, 32, 1024, INTERNAL },
	{ 26, 0x8, 0x10, 0x20, 0x28, 0x30, 32, 1024, INTERNAL },
	{ 27, 0x8, 0x10, 0x20, 0x28, 0x30, 16, 1024, INTERNAL },
};
/* clang-format on */

const struct go_mprof_layout *go_mprof_layout_find(int minor)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].minor == minor)
			return &layouts[i];
	return NULL;
}
