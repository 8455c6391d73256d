// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const moreCycles = 6

// A call that stops the world: the stop lies between the two moments, of CLOCK_MONOTONIC.
type call struct {
	Func   string `json:"func"`
	FromNS uint64 `json:"from_ns"`
	ToNS   uint64 `json:"to_ns"`
}

func monotonic() uint64 {
	var ts syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&ts)), 0)
	return uint64(ts.Nano())
}

// Busy is nearly always in the middle of a cycle or of a stop, whenever a tracer comes or goes: the heap
// takes long to mark, and there are many stacks to print.
func busy(stdin *bufio.Reader) {
	var calls []call
	var pauses []pause
	var stats debug.GCStats
	var asked, enough, due uint32
	logged := func(name string, work func()) {
		from := monotonic()
		work()
		calls = append(calls, call{name, from, monotonic()})
	}
	for i := 0; i < 500; i++ {
		go func() { select {} }()
	}
	fmt.Println("ready")
	go func() {
		for {
			if line, err := stdin.ReadString('\n'); err != nil || line != "more\n" {
				atomic.StoreUint32(&enough, 1)
				return
			}
			atomic.StoreUint32(&asked, 1)
		}
	}()
	for atomic.LoadUint32(&enough) == 0 {
		logged("main.collectHere", collectHere)
		debug.ReadGCStats(&stats)
		pauses = append(pauses, pause{uint32(stats.NumGC), uint64(stats.Pause[0])})
		for i := 0; i < 10; i++ {
			logged("main.dumpStacks", dumpStacks)
		}
		if atomic.SwapUint32(&asked, 0) == 1 {
			due = uint32(stats.NumGC) + moreCycles
		}
		if due == uint32(stats.NumGC) {
			fmt.Println("more")
		}
	}
	json.NewEncoder(os.Stdout).Encode(struct {
		Go     string  `json:"go"`
		Calls  []call  `json:"calls"`
		Pauses []pause `json:"pauses"`
	}{runtime.Version(), calls, pauses})
}

// Rounds are for measuring what a tracer costs a program that does nothing but make garbage.
func rounds(stdin *bufio.Reader) {
	fmt.Println("ready")
	for {
		line, err := stdin.ReadString('\n')
		percent, bad := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || bad != nil {
			return
		}
		debug.SetGCPercent(percent)
		began := time.Now()
		together(4, func(int) { burnMuch() })
		fmt.Println(time.Since(began).Nanoseconds())
	}
}

// Spin is the worst that a program can do to who looks at each of its cycles: it has next to nothing to mark, and does
// nothing but collect. For each line, a number of seconds, it prints what the runtime counted meanwhile.
func spin(stdin *bufio.Reader) {
	fmt.Println("ready")
	for {
		line, err := stdin.ReadString('\n')
		seconds, bad := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || bad != nil {
			return
		}
		before := counted()
		for end := time.Now().Add(time.Duration(seconds) * time.Second); time.Now().Before(end); {
			runtime.GC()
		}
		after := counted()
		fmt.Printf("{\"cycles\":%d,\"pause_total_ns\":%d}\n", after.NumGC-before.NumGC,
			after.PauseTotalNs-before.PauseTotalNs)
	}
}

func counted() (m runtime.MemStats) {
	runtime.ReadMemStats(&m)
	return
}
