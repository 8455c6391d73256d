// SPDX-License-Identifier: BSD-2-Clause

//go:build cgo

package main

// int gallop_answer(void) { return 42; }
import "C"

// With cgo there are threads that the runtime did not make.
func init() {
	if C.gallop_answer() != 42 {
		panic("cgo does not work")
	}
}
