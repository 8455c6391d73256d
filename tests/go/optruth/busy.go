// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Busy: whenever a tracer comes or goes, calls are under way of which it sees a part.

const busyGoroutines = 4

// All calls of a function that return allocate the same.
var busy = []phase{
	{run: one, parts: []part{returning("main.one", 1)}},
	{run: locking, parts: []part{returning("main.locking", 3)}},
	{run: func(int) { recursing(10) }, parts: []part{returning("main.recursing", 11)}},
	{run: func(int) { ping(10) }, parts: []part{returning("main.ping", 11), returning("main.pong", 10)}},
	{run: func(i int) { mending(i) }, parts: []part{returning("main.mending", 2), panicked("main.panicking", 1)}},
	{run: unwinding(sometimes, 0, 5, 10, 15, 20), parts: []part{returning("main.sometimes", 2)}},
	{run: unwinding(func(int) { panicsAgain(2) }, 0, 3), parts: []part{panicked("main.panicsAgain", 3)}},
	{run: func(int) { mendsAgain(3) }, parts: []part{returning("main.mendsAgain", 4)}},
	{run: unwinding(func(int) { fallsThrough(10) }, 0, 3), parts: []part{panicked("main.fallsThrough", 11)}},
	{run: func(int) { fallsHalfway(10) }, parts: []part{returning("main.fallsHalfway", 11)}},
}

type busyOp struct {
	Func    string `json:"func"`
	Returns bool   `json:"returns"`
	Objects uint64 `json:"objects"` // of each call
}

// BeBusy calls them on several goroutines until the end of its input, and says what each call allocates.
func beBusy(stdin *bufio.Reader) (ret []busyOp) {
	var enough int32
	var all sync.WaitGroup
	debug.SetGCPercent(100)
	all.Add(busyGoroutines)
	for g := 0; g < busyGoroutines; g++ {
		go func(i int) {
			for ; atomic.LoadInt32(&enough) == 0; i++ {
				busy[i%len(busy)].run(i / len(busy))
			}
			all.Done()
		}(g)
	}
	fmt.Println("ready")
	if line, err := stdin.ReadString('\n'); err == nil {
		complain("'%s' is no end of input", line)
		os.Exit(1)
	}
	atomic.StoreInt32(&enough, 1)
	all.Wait()
	for _, p := range busy {
		for _, part := range p.parts {
			ret = append(ret, busyOp{part.fn, part.ends == returns, part.objects(0)})
		}
	}
	return ret
}
