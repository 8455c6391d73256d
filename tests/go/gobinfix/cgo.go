// SPDX-License-Identifier: BSD-2-Clause

//go:build cgo

package main

/*
static int twice(int x) { return 2 * x; }
*/
import "C"

// Linking real C makes the Go linker hand over to the system's: other sections, another text base.
func init() { cgoTwice = func(x int) int { return int(C.twice(C.int(x))) } }
