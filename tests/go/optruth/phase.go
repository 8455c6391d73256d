// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"runtime"
	"time"
)

// Phases: functions are called, and what the runtime counted meanwhile is what they are believed to allocate.

// A part is what one run of a phase is for one function.
type part struct {
	fn      string
	ends    ending
	times   int // calls in a run
	objects func(i int) uint64
}

func calls(fn string, times int, ends ending, objects uint64) part {
	return part{fn, ends, times, func(int) uint64 { return objects }}
}

func returning(fn string, objects uint64) part { return calls(fn, 1, returns, objects) }
func panicked(fn string, objects uint64) part  { return calls(fn, 1, panics, objects) }
func left(fn string, objects uint64) part      { return calls(fn, 1, leaves, objects) }
func varying(fn string, f func(i int) int) part {
	return part{fn, returns, 1, func(i int) uint64 { return uint64(f(i)) }}
}

type sizes int

const (
	known  sizes = iota // all objects are nodes, or `bytes` says it
	alike               // each run allocates the same bytes, whatever these are
	tinies              // only the sum is known
	others              // other goroutines allocate, too: nothing can be checked
)

type phase struct {
	runs   int
	run    func(i int)
	parts  []part // the others' objects are some of the first's
	sizes  sizes
	bytes  func(i int) int
	apart  int              // nodes of a run that aren't the first's: of other functions, or of no op
	blocks bool             // the functions wait, for which the runtime may allocate
	around func(run func()) // what else is measured of it
}

func (p *phase) do() {
	var before, after runtime.MemStats
	all := func() {
		for i := 0; i < p.runs; i++ {
			p.run(i)
		}
	}
	if p.around == nil {
		p.around = func(run func()) { run() }
	}
	for i := range p.parts { // not while it is measured
		opNamed(p.parts[i].fn)
	}
	runtime.ReadMemStats(&before)
	p.around(all)
	runtime.ReadMemStats(&after)
	bytes := after.TotalAlloc - before.TotalAlloc
	p.check(after.Mallocs-before.Mallocs, bytes)
	for i := range p.parts {
		p.enter(&p.parts[i], bytes)
	}
}

// Of one call in a run, if there were so many in all.
func (p *phase) bytesOf(part *part, i int, all uint64) uint64 {
	switch {
	case p.sizes == alike:
		return all / uint64(p.runs)
	case p.bytes != nil:
		return uint64(p.bytes(i))
	default:
		return part.objects(i) * nodeSize
	}
}

// What was counted in all is what the first part is believed to allocate.
func (p *phase) check(objects, bytes uint64) {
	first := &p.parts[0]
	wantObjects := uint64(p.apart * p.runs)
	wantBytes := wantObjects * nodeSize
	for i := 0; i < p.runs; i++ {
		wantObjects += first.objects(i) * uint64(first.times)
		wantBytes += p.bytesOf(first, i, bytes) * uint64(first.times)
	}
	if p.sizes == others {
		return
	}
	if objects != wantObjects {
		complain("%s: %d objects, not %d", first.fn, objects, wantObjects)
	}
	if p.sizes != tinies && bytes != wantBytes {
		complain("%s: %d bytes, not %d", first.fn, bytes, wantBytes)
	}
}

// Enter a part into the ledger.
func (p *phase) enter(part *part, bytes uint64) {
	o := opNamed(part.fn)
	o.Blocks = o.Blocks || p.blocks
	for i := 0; i < p.runs; i++ {
		objects, size := part.objects(i), p.bytesOf(part, i, bytes)
		for n := 0; n < part.times; n++ {
			o.ended(part.ends, objects, size)
		}
	}
	if p.sizes == tinies {
		o.Tiny = true
		o.Bytes = bytes
	}
}

// Apart calls f with a stack of so many calls above it on a new goroutine, which allocates nothing itself: nothing
// is handed over that the go statement would have to allocate, and the goroutine has the place of the last one.
func apart(f func(i int), depth, i int) {
	job.f, job.depth, job.i = f, depth, i
	onNewGoroutine(doJob)
}

var (
	job struct {
		f        func(i int)
		depth, i int
	}
	done = make(chan bool, 1)
)

func doJob() {
	defer func() { done <- true }()
	deeper(job.depth, job.f, job.i)
}

func onNewGoroutine(f func()) {
	go f()
	<-done
}

//go:noinline
func deeper(depth int, f func(i int), i int) int {
	if depth == 0 {
		f(i)
		return 0
	}
	return deeper(depth-1, f, i) + 1
}

// Warm has the runtime make what it keeps and uses again: goroutines, and what waiting, timers (the scavenger sets
// one, too) and defers need.
func warm() {
	gate, there := make(chan bool), make(chan bool)
	for i := 0; i < 40; i++ {
		go func() {
			time.Sleep(time.Microsecond)
			there <- true
			<-gate
		}()
	}
	for i := 0; i < 40; i++ {
		<-there
	}
	close(gate)
	for runtime.NumGoroutine() > 1 {
		runtime.Gosched()
	}
	runtime.GC()
	deferMany(40)
	for i := 0; i < 10; i++ {
		recoveringDeep(10)
	}
	recovering(never, 0)
}

func deferMany(n int) {
	for i := 0; i < n; i++ {
		defer leaf(i)
	}
}

// Panics of each kind that this program has, one inside the other.
func recoveringDeep(depth int) {
	defer func() { _ = recover() }()
	if depth > 0 {
		defer recoveringDeep(depth - 1)
	}
	panic(aFailure)
}
