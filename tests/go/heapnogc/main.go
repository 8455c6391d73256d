// SPDX-License-Identifier: BSD-2-Clause

// Heapnogc keeps a memory profile and never calls runtime.GC: its linker leaves out what only that needs.
//
// It keeps things in use, lets the runtime collect once, writes runtime/pprof's heap profile to the file that its
// argument names, prints "ready", and waits for the end of its input.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
)

type node struct {
	next *node
	data [6]uint64
}

var (
	kept *node
	sink []byte
)

//go:noinline
func keep(n int) {
	for i := 0; i < n; i++ {
		kept = &node{next: kept}
	}
}

// cycles lets so many collections happen that nobody asked for.
//
//go:noinline
func cycles(n uint32) {
	var now runtime.MemStats
	for runtime.ReadMemStats(&now); now.NumGC < n; runtime.ReadMemStats(&now) {
		sink = make([]byte, 1<<20)
	}
}

func main() {
	runtime.MemProfileRate = 1
	keep(4000)
	// What a cycle has seen is published by the next one.
	cycles(3)
	debug.SetGCPercent(-1)
	f, err := os.Create(os.Args[1])
	if err == nil {
		err = pprof.Lookup("heap").WriteTo(f, 1)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "heapnogc:", err)
		os.Exit(1)
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
