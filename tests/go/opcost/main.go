// SPDX-License-Identifier: BSD-2-Clause

// Opcost does nothing but call a function that allocates a number of objects, and prints {"ops":N,"ns":N}.
package main

import (
	"flag"
	"fmt"
	"time"
)

type thing struct {
	next *thing
	n    int
}

var last *thing

//go:noinline
func allocate(n int) { last = &thing{n: n} }

// Work is the operation.
//
//go:noinline
func work(allocs int) {
	for i := 0; i < allocs; i++ {
		allocate(i)
	}
	last.n++
}

//go:noinline
func descend(allocs, depth int) {
	if depth == 0 {
		work(allocs)
		return
	}
	descend(allocs, depth-1)
}

func main() {
	ops := flag.Int("ops", 40000, "operations")
	allocs := flag.Int("allocs", 0, "objects that each allocates")
	depth := flag.Int("depth", 8, "frames below main")
	flag.Parse()

	allocate(0)
	start := time.Now()
	for i := 0; i < *ops; i++ {
		descend(*allocs, *depth)
	}
	fmt.Printf("{\"ops\":%d,\"ns\":%d}\n", *ops, time.Since(start).Nanoseconds())
}
