// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"runtime"
	"sync"
	"time"
)

// Goroutines: calls on many at once, that wait, move between threads, and whose stacks move.

var (
	attached bool // the tracer comes when something has begun
	earlyAll sync.WaitGroup
	sky      = make(chan bool)
)

const (
	earlies = 3
	pairs   = 8
	crowd   = 50
	rounds  = 50
)

// It may have begun before the tracer comes; then the call inside it isn't one of its own either.
//
//go:noinline
func waiting(there *sync.WaitGroup) {
	growIn()
	if there != nil {
		there.Done()
		<-sky
		waiting(nil)
	}
	growIn()
}

// Like grow, for many at once.
//
//go:noinline
func growIn() *node { return escape(&node{}) }

//go:noinline
func escape(n *node) *node { return n }

func beginEarly() {
	var there sync.WaitGroup
	there.Add(earlies)
	earlyAll.Add(earlies)
	for i := 0; i < earlies; i++ {
		go func() {
			waiting(&there)
			earlyAll.Done()
		}()
	}
	there.Wait()
}

//go:noinline
func stay(there chan<- bool) {
	growIn()
	growIn()
	there <- true
	<-nothing
}

var nothing chan bool

// Together runs work in n goroutines; some of them keep their threads to themselves.
func together(n int, work func(i int)) {
	var all sync.WaitGroup
	all.Add(n)
	for i := 0; i < n; i++ {
		go func(i int) {
			if i%4 == 1 {
				runtime.LockOSThread()
			}
			work(i)
			all.Done()
		}(i)
	}
	all.Wait()
}

// Each call waits for the other one's of a pair, twice, and both give way.
//
//go:noinline
func relay(in <-chan int, out chan<- int) (n int) {
	growIn()
	n = <-in
	runtime.Gosched()
	growIn()
	out <- n + 1
	return n
}

func relays(int) {
	together(pairs, func(int) {
		var all sync.WaitGroup
		there, back := make(chan int), make(chan int)
		all.Add(1)
		go func() {
			for i := 0; i < rounds; i++ {
				relay(there, back)
			}
			all.Done()
		}()
		for i := 0; i < rounds; i++ {
			there <- i
			<-back
		}
		all.Wait()
	})
}

// A barrier for all and one who does something when all are there.
type barrier struct {
	there sync.WaitGroup
	gate  chan bool
}

// While a call is under way its stack grows, is made smaller by the collector, and grows again.
//
//go:noinline
func moving(b *barrier) {
	growIn()
	descend(50)
	b.there.Done()
	<-b.gate
	growIn()
	descend(100)
}

// Its frames are large, so that not many of them fill a stack.
//
//go:noinline
func descend(depth int) int {
	var table [64]int
	table[depth%64] = depth
	if depth == 0 {
		growIn()
		runtime.Gosched()
		return 1
	}
	return descend(depth-1) + table[depth%64]
}

func movingAll(int) {
	b := barrier{gate: make(chan bool)}
	b.there.Add(crowd)
	go func() {
		b.there.Wait()
		runtime.GC()
		runtime.GC()
		close(b.gate)
	}()
	together(crowd, func(int) { moving(&b) })
}

// What it starts is no part of it.
//
//go:noinline
func starting(started *sync.WaitGroup) {
	growIn()
	for i := 0; i < 3; i++ {
		startedBy = started
		go elsewhere()
	}
	started.Wait()
}

var startedBy *sync.WaitGroup

func elsewhere() {
	for i := 0; i < 10; i++ {
		growIn()
	}
	startedBy.Done()
}

func starts(int) {
	var started sync.WaitGroup
	started.Add(3)
	starting(&started)
}

//go:noinline
func locking(i int) {
	runtime.LockOSThread()
	growIn()
	runtime.Gosched()
	growIn()
	runtime.UnlockOSThread()
	growIn()
}

//go:noinline
func sleeping(i int) {
	growIn()
	time.Sleep(time.Duration(i%3) * time.Millisecond)
	growIn()
}

// On new goroutines all the time, beside some that leave theirs.
//
//go:noinline
func passing(i int) {
	growIn()
	if i%3 == 0 {
		runtime.Goexit()
	}
	growIn()
}

func passers(int) {
	together(4, func(int) {
		for i := 0; i < rounds; i++ {
			var gone sync.WaitGroup
			gone.Add(3)
			for n := 0; n < 3; n++ {
				go func(n int) {
					defer gone.Done()
					passing(n)
				}(n)
			}
			gone.Wait()
		}
	})
}

func inEach(n int, f func(i int)) func(int) {
	return func(int) {
		together(n, func(int) {
			for i := 0; i < rounds; i++ {
				f(i)
			}
		})
	}
}

var goroutines = []phase{
	{runs: 1, run: func(int) {
		close(sky)
		earlyAll.Wait()
	}, sizes: others, blocks: true, parts: []part{calls("main.waiting", earlies, early, 4)}},
	{runs: 1, run: relays, sizes: others, blocks: true, parts: []part{calls("main.relay", pairs*rounds, returns, 2)}},
	{runs: 4, run: movingAll, sizes: others, blocks: true, parts: []part{calls("main.moving", crowd, returns, 4)}},
	{runs: 20, run: starts, sizes: others, blocks: true, parts: []part{calls("main.starting", 1, returns, 1)}},
	{runs: 1, run: inEach(8, locking), sizes: others, blocks: true, parts: []part{calls("main.locking", 8*rounds, returns, 3)}},
	{runs: 1, run: inEach(4, sleeping), sizes: others, blocks: true, parts: []part{calls("main.sleeping", 4*rounds, returns, 2)}},
	{runs: 1, run: passers, sizes: others, blocks: true, parts: []part{
		calls("main.passing", 4*rounds*2, returns, 2), calls("main.passing", 4*rounds, leaves, 1),
	}},
	{runs: 1, run: func(int) {
		there := make(chan bool)
		go stay(there)
		<-there
	}, sizes: others, blocks: true, parts: []part{calls("main.stay", 1, stays, 2)}},
}
