// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bytes"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
)

// --- garbage ----------------------------------------------------------------------------------------

type node struct {
	left, right *node
	val         uint64
}

const (
	liveNodes = 1<<19 - 1 // of 24 bytes: 12 MB that every cycle has to mark
	treeDepth = 8         // of what becomes garbage at once: 260 KB
)

var kept *node

// Keep builds a full tree, from its leaves up: the number of stacks that it allocates on stays small.
func keep() *node {
	nodes := make([]*node, liveNodes+1)
	for i := liveNodes; i > 0; i-- {
		nodes[i] = &node{val: uint64(i)}
		if 2*i < liveNodes {
			nodes[i].left, nodes[i].right = nodes[2*i], nodes[2*i+1]
		}
	}
	return nodes[1]
}

// A leaf is a node of 512 bytes: a tracer of allocations should not have to see millions of them.
type leaf struct {
	left, right *leaf
	val         uint64
	_           [61]uint64
}

func build(depth int, val uint64) *leaf {
	n := &leaf{val: val}
	if depth > 0 {
		n.left, n.right = build(depth-1, 2*val), build(depth-1, 2*val+1)
	}
	return n
}

func (n *leaf) sum() uint64 {
	if n == nil {
		return 0
	}
	return n.val*0x9e3779b97f4a7c15 ^ n.left.sum() + 3*n.right.sum()
}

func (n *node) sum() uint64 {
	if n == nil {
		return 0
	}
	return n.val*0x9e3779b97f4a7c15 ^ n.left.sum() + 3*n.right.sum()
}

// Litter makes garbage and a number that depends on all of it, whenever it is collected.
func litter(trees int) (sum uint64) {
	for i := 0; i < trees; i++ {
		sum = sum*31 + build(treeDepth, uint64(i)).sum()
	}
	return sum
}

// This goroutine's number, as the runtime prints it. It stops nothing.
func goid() uint64 {
	var buf [64]byte
	fields := bytes.Fields(buf[:runtime.Stack(buf[:], false)])
	id, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		panic("no goroutine in '" + string(buf[:]) + "'")
	}
	return id
}

// Together runs work in n goroutines, once all are there, and returns their numbers. Whoever calls it
// allocates nothing meanwhile.
func together(n int, work func(i int)) []uint64 {
	var wg, there sync.WaitGroup
	ids := make([]uint64, n)
	there.Add(n)
	for i := range ids {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			ids[i] = goid()
			there.Done()
			there.Wait()
			work(i)
		}(i)
	}
	wg.Wait()
	return ids
}

// --- cycles -----------------------------------------------------------------------------------------

//go:noinline
func grow() { checksum += litter(200) }

func growing() {
	self := []uint64{goid()} // before anything may start a cycle
	collecting("growth", "heap goal", "main.grow", 1, func() []uint64 {
		debug.SetGCPercent(50)
		grow()
		return self
	})
}

//go:noinline
func collectHere() { runtime.GC() }

//go:noinline
func collectThere() { runtime.GC() }

//go:noinline
func contend() { runtime.GC() }

//go:noinline
func release() { debug.FreeOSMemory() }

//go:noinline
func leaks() { pprof.Lookup("goroutineleak").WriteTo(io.Discard, 0) }

// Cycles that somebody asked for.
func asking() {
	self := []uint64{goid()} // before anything may start a cycle
	collecting("here", "runtime.GC", "main.collectHere", 3, func() []uint64 {
		for i := 0; i < 3; i++ {
			collectHere()
		}
		return self
	})
	collecting("there", "runtime.GC", "main.collectThere", 2, func() []uint64 {
		return together(1, func(int) { collectThere(); collectThere() })
	})
	// All ask at once: one is served, the others may be content with its cycle.
	collecting("contention", "runtime.GC", "main.contend", 3, func() []uint64 {
		return together(4, func(int) { contend(); contend(); contend() })
	})
	// Its cycles have more than one mark termination.
	if pprof.Lookup("goroutineleak") != nil {
		collecting("leaks", "runtime.GC", "main.leaks", 2, func() []uint64 {
			leaks()
			leaks()
			return self
		})
	}
	collecting("release", "debug.FreeOSMemory", "main.release", 2, func() []uint64 {
		release()
		release()
		return self
	})
}

//go:noinline
func collectMixed() { runtime.GC() }

//go:noinline
func readMixed() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
}

// One asks for cycles, another reads MemStats in the middle of them.
func mixing() {
	reads := uint64(0)
	collecting("mixture", "runtime.GC", "main.collectMixed", 8, func() []uint64 {
		var done uint32
		ids := together(2, func(i int) {
			if i == 0 {
				for n := 0; n < 8; n++ {
					collectMixed()
				}
				atomic.StoreUint32(&done, 1)
				return
			}
			for ; atomic.LoadUint32(&done) == 0 && reads < 5000; reads++ {
				readMixed()
				kept.left.left.left.left.left.left.sum() // some time passes
			}
		})
		return ids[:1]
	})
	stopped("read mem stats", "main.readMixed", reads)
}

//go:noinline
func crowd() { checksum += litter(150) }

// What counts towards the memory limit, now.
func inUse() int64 {
	return int64(metric("/memory/classes/total:bytes").Uint64() - metric("/memory/classes/heap/released:bytes").Uint64())
}

// Cycles of a heap that may not grow: without a goal of its own, with one that lies above the limit,
// and with one that lies below, where the limit doesn't matter.
func limited() {
	self := []uint64{goid()} // before anything may start a cycle
	const room = 4 << 20
	collecting("limit alone", "memory limit", "main.crowd", 1, func() []uint64 {
		debug.SetMemoryLimit(inUse() + room)
		crowd()
		return self
	})
	collecting("limit below the goal", "memory limit", "main.crowd", 1, func() []uint64 {
		debug.SetMemoryLimit(inUse() + room)
		debug.SetGCPercent(400)
		crowd()
		return self
	})
	collecting("limit above the goal", "heap goal", "main.crowd", 1, func() []uint64 {
		debug.SetMemoryLimit(inUse() + 1<<30)
		debug.SetGCPercent(50)
		crowd()
		return self
	})
}

//go:noinline
func settle() { runtime.GC() }

// Cycles for no other reason than that none has been for long. The goal is out of reach.
func timed() {
	period := forcedPeriod()
	if period == nil {
		complain("the runtime's forcegcperiod was not found")
		return
	}
	const cycles = 4
	was := *period
	first := uint32(0)
	collecting("time", "time", "runtime.forcegchelper", cycles, func() []uint64 {
		debug.SetGCPercent(1000000)
		var stats debug.GCStats
		debug.ReadGCStats(&stats)
		first = uint32(stats.NumGC)
		*period = 5e6
		for uint32(stats.NumGC)-first < cycles {
			runtime.Gosched() // stay busy: an idle process looks at the clock only now and then
			debug.ReadGCStats(&stats)
		}
		*period = was
		return nil
	})
	// One more may have been decided upon just now: a cycle that is asked for comes after it, or, if
	// it was the one that is asked for, does nothing.
	forced := look().NumForced
	before := &out.Phases[len(out.Phases)-1]
	settle()
	after := look()
	last := after.NumForced - forced
	before.To = after.NumGC - last
	if last > 0 {
		out.Phases = append(out.Phases, phase{"settled", "runtime.GC", "main.settle", []uint64{goid()}, before.To, after.NumGC})
	}
}

// --- stops ------------------------------------------------------------------------------------------

//go:noinline
func readStats() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
}

// It doesn't stop the world, in no version.
//
//go:noinline
func readGCStats() {
	var stats debug.GCStats
	debug.ReadGCStats(&stats)
}

//go:noinline
func profileGoroutines() {
	var records [1000]runtime.StackRecord
	if _, ok := runtime.GoroutineProfile(records[:]); !ok {
		complain("more than %d goroutines", len(records))
	}
}

//go:noinline
func profileByName() { pprof.Lookup("goroutine").WriteTo(io.Discard, 0) }

//go:noinline
func dumpStacks() {
	runtime.Stack(stacks[:], true)
}

var stacks [1 << 16]byte

//go:noinline
func changeProcs(n int) { runtime.GOMAXPROCS(n) }

//go:noinline
func traceStart() {
	if err := trace.Start(io.Discard); err != nil {
		complain("no trace: %v", err)
	}
}

//go:noinline
func traceStop() { trace.Stop() }

//go:noinline
func dumpHeap(f *os.File) { debug.WriteHeapDump(f.Fd()) }

// Where C may be at work the runtime can't.
//
//go:noinline
func callThreads() bool {
	_, _, err := syscall.AllThreadsSyscall(syscall.SYS_GETPID, 0, 0, 0)
	return err == 0
}

// As often as each does it: the numbers differ, so that none can be taken for another.
func stopping() {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		complain("%v", err)
		return
	}
	defer null.Close()
	times := func(n int, work func()) {
		for i := 0; i < n; i++ {
			work()
		}
	}
	procs := runtime.GOMAXPROCS(0)

	times(11, readStats)
	stopped("read mem stats", "main.readStats", 11)
	times(7, readGCStats)
	stopped("read mem stats", "main.readGCStats", 0)
	times(5, profileGoroutines)
	stopped("goroutine profile", "main.profileGoroutines", 5)
	stopped("goroutine profile cleanup", "main.profileGoroutines", 5)
	times(3, profileByName)
	stopped("goroutine profile cleanup", "main.profileByName", 3)
	if goMinor < 23 { // it stops the world to learn how large the profile is
		stopped("goroutine profile", "main.profileByName", 3)
	}
	stopped("goroutine profile", "main.profileByName", 3)
	times(4, dumpStacks)
	stopped("all goroutines stack trace", "main.dumpStacks", 4)
	times(3, func() { changeProcs(procs + 1); changeProcs(procs) })
	changeProcs(procs) // no change, no stop
	stopped("GOMAXPROCS", "main.changeProcs", 6)
	times(2, func() { traceStart(); traceStop() })
	stopped("start trace", "main.traceStart", 2)
	if goMinor < 22 { // the new tracer doesn't
		stopped("stop trace", "main.traceStop", 2)
	}
	times(2, func() { dumpHeap(null) })
	stopped("write heap dump", "main.dumpHeap", 2)
	if callThreads() {
		stopped("AllThreadsSyscall", "main.callThreads", 1)
	}
}

// --- assists ----------------------------------------------------------------------------------------

//go:noinline
func burnLittle() uint64 { return litter(60) }

//go:noinline
func burnMuch() uint64 { return litter(180) }

// A heap that may hardly grow, and more goroutines that allocate than can run: they have to help.
func assisting() {
	sums := [4]uint64{}
	collecting("assist", "heap goal", "main.burn", 2, func() []uint64 {
		return together(len(sums), func(i int) {
			debug.SetGCPercent(10)
			if i%2 == 0 {
				sums[i] = burnLittle()
			} else {
				sums[i] = burnMuch()
			}
		})
	})
	for _, s := range sums {
		checksum = checksum*31 + s
	}
}
