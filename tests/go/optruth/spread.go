// SPDX-License-Identifier: BSD-2-Clause

package main

import "runtime/debug"

// Spread: calls that allocate very differently, and many of them.

// Mixed is a number that looks random, the same in each run.
func mixed(i int) uint64 {
	x := uint64(i) * 0x9e3779b97f4a7c15
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	return x ^ x>>32
}

// Most calls allocate little, one in a hundred hundreds of objects.
func manyOrFew(i int) int {
	x := mixed(i)
	per, rest := x%1000, int(x/1000%1000)
	switch {
	case per < 500:
		return 1
	case per < 900:
		return 2 + rest%3
	case per < 989:
		return 3 + rest%7
	default:
		return 260 + rest%140
	}
}

//go:noinline
func spreadObjects(i int) {
	growBy(manyOrFew(i))
	total++
}

// Of whole size classes or pages, from 16 bytes to a megabyte.
func anySize(i int) int {
	x := mixed(i)
	if x%8 == 0 {
		return 8192 * int(5+x/8%124)
	}
	return 16 << (x / 8 % 12)
}

//go:noinline
func spreadBytes(i int) {
	kept.bytes = make([]byte, anySize(i))
	total++
}

func collected(run func()) {
	debug.SetGCPercent(100)
	run()
	debug.SetGCPercent(-1)
}

var spread = []phase{
	{runs: 200000, run: spreadObjects, parts: []part{varying("main.spreadObjects", manyOrFew)}},
	{runs: 20000, run: spreadBytes, around: collected, bytes: anySize, sizes: others, parts: []part{returning("main.spreadBytes", 1)}},
}
