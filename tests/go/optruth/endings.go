// SPDX-License-Identifier: BSD-2-Clause

package main

import "runtime"

// Endings: calls that panic, recover, or never return as their goroutine ends.

type failure struct{}

func (failure) Error() string { return "failure" }

var aFailure error = failure{}

//go:noinline
func recovering(f func(i int), i int) {
	defer func() { _ = recover() }()
	f(i)
}

// A function that only panics has no place where it returns, and isn't measured at all. Those here could return.
func fail() {
	if total >= 0 {
		panic(aFailure)
	}
}

//go:noinline
func never(i int) { panic(aFailure) }

//go:noinline
func panicking(i int) {
	grow()
	fail()
}

// It panics at some depths of the stack and returns at others: what is believed to be open from before would
// be taken for the caller of the next.
//
//go:noinline
func sometimes(i int) {
	grow()
	if i%2 == 1 {
		panic(aFailure)
	}
	grow()
}

//go:noinline
func mending(i int) (n int) {
	defer func() {
		_ = recover()
		n = 1
	}()
	grow()
	if i%2 == 1 {
		panicking(i)
	}
	grow()
	return i
}

// Its deferred calls are its own calls again, while it panics.
//
//go:noinline
func panicsAgain(depth int) {
	grow()
	if depth > 0 {
		defer panicsAgain(depth - 1)
	}
	if depth == 2 {
		panic(aFailure)
	}
	total++
}

// And here each of them panics, and each is recovered from by the one before.
//
//go:noinline
func mendsAgain(depth int) {
	if depth > 0 {
		defer func() {
			_ = recover()
			mendsAgain(depth - 1)
		}()
		grow()
		panic(aFailure)
	}
	grow()
}

//go:noinline
func fallsThrough(depth int) {
	grow()
	if depth == 0 {
		panic(aFailure)
	}
	fallsThrough(depth - 1)
	total++
}

//go:noinline
func fallsHalfway(depth int) {
	if depth == 5 {
		defer func() { _ = recover() }()
	}
	grow()
	if depth == 0 {
		panic(aFailure)
	}
	fallsHalfway(depth - 1)
	total++
}

//go:noinline
func faulting(i int) {
	grow()
	nowhere.n = i
}

var nowhere *node

// A panic that takes the place of another.
//
//go:noinline
func replacing(i int) {
	defer func() { panic(aFailure) }()
	grow()
	fail()
}

//go:noinline
func panicsOn(i int) {
	defer func() { panic(recover()) }()
	grow()
	fail()
}

// Deferred calls run before the panic is recovered from, and return.
//
//go:noinline
func whilePanicking(i int) { growBy(2) }

//go:noinline
func panicsWithCalls(i int) {
	defer whilePanicking(i)
	defer whilePanicking(i)
	grow()
	fail()
}

//go:noinline
func leaving(i int) {
	grow()
	runtime.Goexit()
}

// The deferred one returns: it is a call of its own, as the other has left.
//
//go:noinline
func leavesAgain(depth int) {
	grow()
	if depth > 0 {
		defer leavesAgain(depth - 1)
		runtime.Goexit()
	}
	total++
}

// A panic while it leaves doesn't stop that.
//
//go:noinline
func leavesPanicking(i int) {
	defer recovering(panicking, i)
	grow()
	runtime.Goexit()
}

//go:noinline
func panicsAndLeaves(i int) {
	defer runtime.Goexit()
	grow()
	fail()
}

// Unwinding calls f in a function that recovers, at one depth of the stack after the other.
func unwinding(f func(i int), depths ...int) func(i int) {
	recovered := func(i int) { recovering(f, i) }
	return func(i int) { deeper(depths[i%len(depths)], recovered, i) }
}

// Of two calls one returns, and one panics.
func sometimesAt(depths ...int) phase {
	call := unwinding(sometimes, depths...)
	return phase{runs: 55, run: func(i int) {
		call(2 * i)
		call(2*i + 1)
	}, apart: 1, parts: []part{returning("main.sometimes", 2), panicked("main.sometimes", 1)}}
}

var endings = []phase{
	{runs: 50, run: unwinding(panicking, 0), parts: []part{panicked("main.panicking", 1)}},
	{runs: 50, run: unwinding(panicking, 0, 5, 10, 15, 20), parts: []part{panicked("main.panicking", 1)}},
	{runs: 50, run: unwinding(panicking, 20, 15, 10, 5, 0), parts: []part{panicked("main.panicking", 1)}},
	sometimesAt(0),
	sometimesAt(0, 5, 10, 15, 20),
	sometimesAt(7, 3, 12, 0, 7, 7, 20, 1, 3, 2, 20),
	{runs: 50, run: func(i int) { mending(2 * i) }, parts: []part{returning("main.mending", 2)}},
	{runs: 50, run: func(i int) { mending(2*i + 1) }, parts: []part{
		returning("main.mending", 2), panicked("main.panicking", 1),
	}},
	{runs: 50, run: unwinding(func(int) { panicsAgain(2) }, 0, 3), parts: []part{panicked("main.panicsAgain", 3)}},
	{runs: 50, run: func(int) { mendsAgain(3) }, parts: []part{returning("main.mendsAgain", 4)}},
	{runs: 50, run: unwinding(func(int) { fallsThrough(10) }, 0, 3), parts: []part{panicked("main.fallsThrough", 11)}},
	{runs: 50, run: func(int) { fallsHalfway(10) }, parts: []part{returning("main.fallsHalfway", 11)}},
	{runs: 50, run: unwinding(faulting, 0, 3), parts: []part{panicked("main.faulting", 1)}},
	{runs: 50, run: unwinding(replacing, 0, 3), parts: []part{panicked("main.replacing", 1)}},
	{runs: 50, run: unwinding(panicsOn, 0, 3), parts: []part{panicked("main.panicsOn", 1)}},
	{runs: 50, run: unwinding(panicsWithCalls, 0, 3), parts: []part{
		panicked("main.panicsWithCalls", 5), calls("main.whilePanicking", 2, returns, 2),
	}},
	{runs: 50, run: func(i int) { apart(leaving, i%5, i) }, parts: []part{left("main.leaving", 1)}},
	// What was left open by a goroutine is nothing to the next one in its place.
	{runs: 50, run: func(i int) { apart(sometimes, i%7, 2*i) }, parts: []part{returning("main.sometimes", 2)}},
	{runs: 50, run: func(int) { apart(leavesAgain, 0, 1) }, apart: 1, parts: []part{
		left("main.leavesAgain", 1), returning("main.leavesAgain", 1),
	}},
	{runs: 50, run: func(i int) { apart(leavesPanicking, i%5, i) }, apart: 1, parts: []part{
		left("main.leavesPanicking", 1), panicked("main.panicking", 1),
	}},
	{runs: 50, run: func(i int) { apart(panicsAndLeaves, i%5, i) }, parts: []part{left("main.panicsAndLeaves", 1)}},
	{runs: 50, run: func(i int) { apart(none, i%5, i) }, parts: []part{returning("main.none", 0)}},
}
