/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/grow.h"

#include <errno.h>
#include <stdlib.h>

enum { GROW_FIRST = 16 };

int grow(void *array, size_t nr, size_t *cap, size_t elem_sz)
{
	if (nr < *cap)
		return 0;

	void **p = array;
	size_t new_cap = *cap ? *cap * 2 : GROW_FIRST;
	void *moved = reallocarray(*p, new_cap, elem_sz);
	if (!moved)
		return -ENOMEM;
	*p = moved;
	*cap = new_cap;
	return 0;
}
