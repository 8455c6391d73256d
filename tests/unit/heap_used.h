/* SPDX-License-Identifier: BSD-2-Clause */
/* How much memory is allocated, for tests of what takes how much. */
#ifndef GALLOP_TESTS_UNIT_HEAP_USED_H
#define GALLOP_TESTS_UNIT_HEAP_USED_H

#include <malloc.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
/* gcc has the function but not always <sanitizer/allocator_interface.h>, which declares it. */
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

static inline size_t heap_used(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return __sanitizer_get_current_allocated_bytes();
#else
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
#endif
}

#endif
