/* SPDX-License-Identifier: BSD-2-Clause */
/* Heap arrays that are appended to. */
#ifndef GALLOP_BASE_GROW_H
#define GALLOP_BASE_GROW_H

#include <stddef.h>

/*
 * Make room for one more element behind the nr that are used. array is the address of the array's
 * pointer, which may move; cap is kept up to date. Doubling makes appending cheap on average.
 * Returns 0 or -ENOMEM, and then nothing has changed.
 */
int grow(void *array, size_t nr, size_t *cap, size_t elem_sz);

#endif
