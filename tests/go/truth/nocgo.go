// SPDX-License-Identifier: BSD-2-Clause

//go:build !cgo

package main

func churnForeign(round int) int {
	sum := 0
	for i := 0; i < 50; i++ {
		n := &node{val: i + round}
		foreign.Store(n)
		sum += n.val
	}
	return sum
}
