// SPDX-License-Identifier: BSD-2-Clause

//go:build go1.26 || goexperiment.swissmap

package main

import (
	"math/bits"
	"unsafe"
)

// Maps since Go 1.24: internal/runtime/maps.
const swiss = true

type swissMap struct {
	used      uint64
	seed      uintptr
	directory unsafe.Pointer // of tables; of one group of 8 slots if there are no tables yet
	dirLen    int
	depth     uint8
}

type swissTable struct {
	used, capacity, growthLeft uint16
	localDepth                 uint8
}

// A table is at every directory index that begins with its own localDepth bits. It doubles up to 1024
// slots and then splits into two of as many.
type tables struct {
	depth     uint8
	directory []*swissTable
	slots     []uint16 // of each of these
}

func look(header unsafe.Pointer) tables {
	m := (*swissMap)(header)
	t := tables{depth: m.depth}
	if m.dirLen > 0 {
		t.directory = append(t.directory, unsafe.Slice((**swissTable)(m.directory), m.dirLen)...)
		for _, table := range t.directory {
			t.slots = append(t.slots, table.capacity)
		}
	}
	return t
}

// Each calls f for every table with its first directory index.
func (t *tables) each(f func(i int)) {
	for i, table := range t.directory {
		if i == 0 || table != t.directory[i-1] {
			f(i)
		}
	}
}

// Nothing shrinks or joins again: what became of each table says how often it doubled, and how many tables
// there are how often one split.
func (t *tables) grownTo(now *tables) (ret int) {
	if len(now.directory) == 0 {
		return 0
	}
	was := t
	if len(t.directory) == 0 { // one group became a table of two groups, and that grew on
		was = &tables{directory: make([]*swissTable, 1), slots: []uint16{16}}
		ret++
	}
	now.each(func(int) { ret++ })
	was.each(func(i int) {
		grown := now.slots[i<<(now.depth-was.depth)]
		ret += bits.Len16(grown) - bits.Len16(was.slots[i]) - 1
	})
	return ret
}

func (t *tables) rehashedTo(*tables) bool { return false }

// GrowthsFor says how often a map of no size grows up to n entries, by the runtime's rule.
func growthsFor(n int) (ret int) {
	if n <= 8 {
		return 0
	}
	for ret = 1; n > 7<<ret; ret++ {
	}
	return ret
}
