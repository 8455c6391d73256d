// SPDX-License-Identifier: BSD-2-Clause

// Mapops does nothing but assign to a map and delete from it, from a number of call stacks, and prints
// {"ops":N,"ns":N}.
package main

import (
	"flag"
	"fmt"
	"time"
)

//go:noinline
func change(m map[uint64]uint64, key uint64) {
	m[key] = key
	delete(m, key-64)
}

//go:noinline
func descend(m map[uint64]uint64, key uint64, depth int) {
	if depth == 0 {
		change(m, key)
		return
	}
	descend(m, key, depth-1)
}

func main() {
	ops := flag.Int("ops", 40000, "operations")
	depth := flag.Int("depth", 8, "frames below main")
	flag.Parse()

	m := make(map[uint64]uint64, 128)
	start := time.Now()
	for i := 0; i < *ops/2; i++ {
		descend(m, uint64(i), *depth)
	}
	fmt.Printf("{\"ops\":%d,\"ns\":%d}\n", *ops, time.Since(start).Nanoseconds())
}
