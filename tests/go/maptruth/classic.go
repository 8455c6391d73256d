// SPDX-License-Identifier: BSD-2-Clause

//go:build !go1.26 && !goexperiment.swissmap

package main

import "unsafe"

// Maps up to Go 1.23, and of 1.24 and 1.25 with GOEXPERIMENT=noswissmap: runtime/map.go.
const swiss = false

type hmap struct {
	count     int
	flags, b  uint8
	noverflow uint16
	hash0     uint32
	buckets   uintptr
}

// Each growth, to twice the size or the same, makes a new array of buckets while the old one is there.
type tables struct {
	b       uint8
	buckets uintptr
}

func look(header unsafe.Pointer) tables {
	h := (*hmap)(header)
	return tables{h.b, h.buckets}
}

func (t *tables) grownTo(now *tables) int { return int(now.b) - int(t.b) }

func (t *tables) rehashedTo(now *tables) bool {
	return t.buckets != 0 && t.buckets != now.buckets && t.b == now.b
}

// GrowthsFor says how often a map of no size grows up to n entries, by the runtime's rule: 6.5 for a bucket,
// but in Go 1.21 only 6, by a slip of integer arithmetic.
func growthsFor(n int) int {
	load := 13
	if goMinor == 21 {
		load = 12
	}
	b := 0
	for n > 8 && n > load<<b/2 {
		b++
	}
	return b
}
