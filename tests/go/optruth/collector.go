// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Collector: calls that take long, and those that the garbage collector takes time from.

//go:noinline
func collecting(i int) {
	grow()
	runtime.GC()
	grow()
}

// A slab is larger than a node: a tracer should not have to see millions of objects.
type slab struct {
	next *slab
	more [63]*node
}

var slabs *slab

// They live, to have the collector marking for long.
func keepSlabs(n int) {
	for i := 0; i < n; i++ {
		slabs = &slab{next: slabs}
	}
}

//go:noinline
func assisting(i int) {
	var list *slab
	for n := 0; n < 200; n++ {
		list = &slab{next: list}
	}
	kept.any = list
}

func pauses() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.PauseTotalNs
}

// Assists is the time of all of them up to the last cycle's end; 0 before Go 1.20, which doesn't say it.
func assists() uint64 {
	sample := []metrics.Sample{{Name: "/cpu/classes/gc/mark/assist:cpu-seconds"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64 {
		return 0
	}
	return uint64(math.Round(sample[0].Value.Float64() * 1e9))
}

func countPauses(run func()) {
	before := pauses()
	run()
	opNamed("main.collecting").PauseNS = pauses() - before
}

// The heap grows by a fifth in each of its cycles, of which there are some.
func countAssists(run func()) {
	keepSlabs(10000)
	runtime.GC()
	before := assists()
	debug.SetGCPercent(20)
	run()
	debug.SetGCPercent(-1)
	runtime.GC() // the last cycle's are known when it has ended
	opNamed("main.assisting").AssistNS = assists() - before
}

//go:noinline
func timed(i int) {
	began := time.Now()
	grow()
	for n := 0; n < i*100; n++ {
		total += n
	}
	timedInside += time.Since(began)
}

var timedInside, timedOutside time.Duration

func countTime(run func()) {
	run()
	o := opNamed("main.timed")
	o.InnerNS, o.OuterNS = uint64(timedInside), uint64(timedOutside)
}

var collector = []phase{
	{runs: 100, run: func(i int) {
		began := time.Now()
		timed(i)
		timedOutside += time.Since(began)
	}, around: countTime, parts: []part{returning("main.timed", 1)}},
	{runs: 20, run: collecting, around: countPauses, sizes: others, blocks: true, parts: []part{returning("main.collecting", 2)}},
	{runs: 100, run: assisting, around: countAssists, sizes: others, bytes: func(int) int { return 200 * 512 }, parts: []part{returning("main.assisting", 200)}},
}
