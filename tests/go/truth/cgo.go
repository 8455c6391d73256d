// SPDX-License-Identifier: BSD-2-Clause

//go:build cgo

package main

/*
#include <stdlib.h>
#include <string.h>

extern int truthCallback(int);

static int call_back(int n)
{
	char *room = malloc(1000);
	memset(room, n, 1000);
	int ret = truthCallback(room[999]);
	free(room);
	return ret;
}
*/
import "C"

//export truthCallback
func truthCallback(n C.int) C.int {
	x := &node{val: int(n)}
	escaped(x)
	return C.int(x.val)
}

//go:noinline
func escaped(n *node) { foreign.Store(n) }

// From Go to C and back to Go, where it allocates.
func churnForeign(round int) int {
	sum := 0
	for i := 0; i < 50; i++ {
		sum += int(C.call_back(C.int(i + round)))
	}
	return sum
}
