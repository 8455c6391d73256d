// SPDX-License-Identifier: BSD-2-Clause

// Heaptruth has things in use, and says what runtime/pprof says of them.
//
// Usage: heaptruth RATE DIR [none]
//
// It allocates from different kinds of stacks with runtime.MemProfileRate RATE, drops a part, collects, and writes
// runtime/pprof's heap profile to DIR/1 in text (debug=1). Then it prints "ready" and waits: the profile does not
// change any more. For each line that it reads it allocates more, and does what the line says before it writes the
// next profile and prints "ready" again:
//
//	gc      runtime.GC, after which the profile is of this cycle
//	cycle   a collection of the runtime's own, after which it is of the one before
//	off     sets runtime.MemProfileRate to 0
//
// With "none" it also prints "ready" and waits before all that, when there was no cycle yet, and then writes DIR/0.
package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
)

type node struct {
	next *node
	data [6]uint64
}

type maker interface{ make(n int) any }

type values struct{ size int }

// Called through an interface of a pointer, it has a wrapper that the compiler made.
func (v values) make(n int) any {
	all := make([][]byte, n)
	for i := range all {
		all[i] = make([]byte, v.size)
	}
	return all
}

// Small enough to be inlined, both of them.
func inner(n int) []byte { return make([]byte, n) }
func outer(n int) []byte { return inner(n + 1) }

//go:noinline
func inlined(n int) (all [][]byte) {
	for i := 0; i < n; i++ {
		all = append(all, outer(100))
	}
	return all
}

//go:noinline
func list(n int) (head *node) {
	for i := 0; i < n; i++ {
		head = &node{next: head}
	}
	return head
}

//go:noinline
func generic[T any](n int) []*T {
	all := make([]*T, 0, n)
	for i := 0; i < n; i++ {
		all = append(all, new(T))
	}
	return all
}

// Deeper than any profile's stack.
//
//go:noinline
func deep(depth, n int) any {
	if depth > 0 {
		return deeper(depth, n)
	}
	return list(n)
}

func deeper(depth, n int) any { return deep(depth-1, n) }

//go:noinline
func large(n int) (all [][]byte) {
	for i := 0; i < n; i++ {
		all = append(all, make([]byte, 1<<20))
	}
	return all
}

//go:noinline
func table(n int) map[string][]int {
	m := map[string][]int{}
	for i := 0; i < n; i++ {
		m[strings.Repeat("k", i%7)+strconv.Itoa(i)] = make([]int, i%50)
	}
	return m
}

//go:noinline
func elsewhere(n int) any {
	out := make(chan any)
	go func() {
		func() { out <- list(n) }()
	}()
	return <-out
}

var kept []any

//go:noinline
func work(n int) {
	var m maker = &values{size: 300}
	all := []any{
		m.make(n), inlined(n), list(n), generic[node](n), generic[int](n), generic[[40]string](n / 10),
		deep(10, n), deep(20, n), deep(70, n), deep(200, n), large(n / 500), table(n), elsewhere(n),
	}
	// Every other one is dropped.
	for i := 0; i < len(all); i += 2 {
		kept = append(kept, all[i])
	}
}

var sink []byte

// A collection that nobody asked for.
func cycle() {
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	debug.SetGCPercent(1)
	for now.NumGC == before.NumGC {
		sink = make([]byte, 1<<20)
		runtime.ReadMemStats(&now)
	}
	debug.SetGCPercent(-1)
}

func write(path string) {
	f, err := os.Create(path)
	if err == nil {
		err = pprof.Lookup("heap").WriteTo(f, 1)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "heaptruth:", err)
		os.Exit(1)
	}
}

func main() {
	rate, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	runtime.MemProfileRate = rate
	debug.SetGCPercent(-1)
	in := bufio.NewScanner(os.Stdin)
	n := 4000
	if rate > 1 {
		n = 40000
	}
	if len(os.Args) > 3 {
		work(n)
		fmt.Println("ready")
		in.Scan()
		write(filepath.Join(os.Args[2], "0"))
	}
	for i, what := 1, "gc"; ; i++ {
		work(n)
		switch what {
		case "gc":
			runtime.GC()
		case "cycle":
			cycle()
		case "off":
			runtime.MemProfileRate = 0
		}
		write(filepath.Join(os.Args[2], strconv.Itoa(i)))
		fmt.Println("ready")
		if !in.Scan() {
			return
		}
		what = in.Text()
	}
}
