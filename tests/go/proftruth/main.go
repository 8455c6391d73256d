// SPDX-License-Identifier: BSD-2-Clause

// Proftruth writes the profiles that Go makes of it, for comparison with those that gallop does.
//
// Usage: proftruth DIR
//
// With runtime.MemProfileRate 1 it allocates from different kinds of stacks, none of them deeper than the 32 frames that a
// profile of Go 1.19 has, and no object of less than 16 bytes: those share blocks, of which a profile has each once. It
// collects garbage, by which the profile becomes one of all that was allocated until then, writes DIR/0.pb.gz, prints
// "ready" and waits. For each line that it reads it does the same again, with the next number.
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
		all[i] = make([]byte, v.size+i%1000)
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

//go:noinline
func deep(depth, n int) any {
	if depth > 0 {
		return deep(depth-1, n)
	}
	return list(n)
}

//go:noinline
func large(n int) (all [][]byte) {
	for i := 0; i < n; i++ {
		all = append(all, make([]byte, 40000+i*1000))
	}
	return all
}

//go:noinline
func table(n int) map[string][]int {
	m := map[string][]int{}
	for i := 0; i < n; i++ {
		m["a key that is no tiny object "+strconv.Itoa(i%10)+strconv.Itoa(i/10%10)] = make([]int, 2+i%50)
	}
	return m
}

var (
	kept      []any
	requests  = make(chan int)
	responses = make(chan any)
)

func workElsewhere() {
	for n := range requests {
		func() { responses <- list(n) }()
	}
}

// To start a goroutine isn't part of it: what that allocates is of the runtime's own stack in Go's profile.
func elsewhere(n int) any {
	requests <- n
	return <-responses
}

//go:noinline
func work(n int) {
	var m maker = &values{size: 300}
	kept = append(kept[:0], m.make(n), inlined(n), list(n), generic[node](n), generic[[40]string](n/10),
		deep(5, n), deep(15, n), large(n/50), table(n), elsewhere(n))
}

func write(path string) {
	f, err := os.Create(path)
	if err == nil {
		err = pprof.Lookup("allocs").WriteTo(f, 0)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "proftruth:", err)
		os.Exit(1)
	}
}

func main() {
	runtime.MemProfileRate = 1
	debug.SetGCPercent(-1)
	go workElsewhere()
	in := bufio.NewScanner(os.Stdin)
	for i := 0; ; i++ {
		work(2000)
		runtime.GC()
		write(filepath.Join(os.Args[1], strconv.Itoa(i)+".pb.gz"))
		fmt.Println("ready")
		if !in.Scan() {
			return
		}
	}
}
