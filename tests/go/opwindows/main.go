// SPDX-License-Identifier: BSD-2-Clause

// Opwindows calls functions that each allocate what is known, on many goroutines: for a tracer that sees some of the calls
// only.
//
// It prints "ready", reads a line, works for a time or until the end of its input, and prints as one line of JSON how often
// each function was called from outside, how many calls that makes with those inside, and how many objects a call
// allocates: of every call, or where they differ on average. It ends with its input, with status 1 if any result was wrong.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

type node struct {
	next *node
	n    [6]int
}

// A chain of n objects, whose sum is known.
//
//go:noinline
func chain(n int) (first *node) {
	for i := 0; i < n; i++ {
		first = &node{next: first}
		first.n[0] = i
	}
	return first
}

func (n *node) sum() (sum int) {
	for ; n != nil; n = n.next {
		sum += n.n[0]
	}
	return sum
}

//go:noinline
func none(i int) int { return empty(i) + 1 }

//go:noinline
func empty(i int) int { return i % 7 }

//go:noinline
func one(i int) int { return chain(1).sum() }

//go:noinline
func three(i int) int { return chain(3).sum() }

//go:noinline
func hundred(i int) int { return chain(100).sum() }

// Five calls, one inside the other, of two objects each.
//
//go:noinline
func recursing(depth int) int {
	sum := chain(2).sum()
	if depth > 0 {
		sum += recursing(depth - 1)
	}
	return sum
}

// It waits for another goroutine between its objects.
//
//go:noinline
func blocking(i int) int {
	sum := chain(2).sum()
	time.Sleep(2 * time.Millisecond)
	return sum + chain(3).sum()
}

var errPanic = errors.New("panic")

// Half of its calls panic, after as many objects.
//
//go:noinline
func panicking(i int) int {
	sum := chain(4).sum()
	if i%2 == 0 {
		panic(errPanic)
	}
	return sum
}

//go:noinline
func mending(i int) (ret int) {
	defer func() {
		if recover() != nil {
			ret = chain(4).sum()
		}
	}()
	return panicking(i)
}

// Nine calls of two objects, then one of 52: seven on average.
//
//go:noinline
func mixture(i int) int {
	if i%10 == 9 {
		return chain(52).sum()
	}
	return chain(2).sum()
}

// A thousand calls of two objects, then a thousand of 98.
func inPhase(i int) int {
	if i/1000%2 == 1 {
		return 98
	}
	return 2
}

//go:noinline
func phases(i int) int { return chain(inPhase(i)).sum() }

// Longer than any window waits.
//
//go:noinline
func long(i int) int {
	sum := chain(5).sum()
	time.Sleep(3 * time.Second)
	return sum
}

// Objects that are no operation's.
//
//go:noinline
func other(i int) int { return chain(10).sum() }

type work struct {
	Func    string  `json:"func"`
	Calls   uint64  `json:"calls"`
	Entries uint64  `json:"entries"`
	Objects float64 `json:"objects"` // of each call, or on average
	Equal   bool    `json:"equal"` // all alike
	run     func(i int) int
	want    func(i int) int
	depth   uint64 // calls inside a call
	sum     uint64 // of the objects of all calls, where these come in phases
	pause   time.Duration
	many    int // goroutines
}

func always(n int) func(int) int { return func(int) int { return n } }

// 0 + 1 + ... + n-1
func sumOf(n int) int { return n * (n - 1) / 2 }

var works = []*work{
	{Func: "main.none", Objects: 0, Equal: true, run: none, want: func(i int) int { return i%7 + 1 }},
	{Func: "main.one", Objects: 1, Equal: true, run: one, want: always(sumOf(1)), many: 3},
	{Func: "main.three", Objects: 3, Equal: true, run: three, want: always(sumOf(3)), many: 50},
	{Func: "main.hundred", Objects: 100, Equal: true, run: hundred, want: always(sumOf(100))},
	{Func: "main.recursing", Objects: 10, Equal: true, run: func(int) int { return recursing(4) }, want: always(5), depth: 4},
	{Func: "main.blocking", Objects: 5, Equal: true, run: blocking, want: always(sumOf(2) + sumOf(3)), many: 4},
	{Func: "main.mixture", Objects: 7, run: mixture, want: func(i int) int {
		if i%10 == 9 {
			return sumOf(52)
		}
		return sumOf(2)
	}},
	{Func: "main.phases", run: phases, want: func(i int) int { return sumOf(inPhase(i)) }},
	{Func: "main.mending", Objects: 6, run: mending, want: always(sumOf(4))},
	{Func: "main.long", Objects: 5, Equal: true, run: long, want: always(sumOf(5))},
	{Func: "main.other", Objects: 10, Equal: true, run: other, want: always(sumOf(10))},
}

// After this there are idle threads to hand: what the runtime allocates for a new one, on the goroutine that needs it, would
// count for its call.
func startThreads() {
	const threads = 16
	var started, ended sync.WaitGroup
	started.Add(threads)
	for i := 0; i < threads; i++ {
		ended.Add(1)
		go func() {
			defer ended.Done()
			runtime.LockOSThread()
			started.Done()
			started.Wait()
			runtime.UnlockOSThread()
		}()
	}
	ended.Wait()
}

func main() {
	startThreads()
	pause := flag.Duration("pause", time.Millisecond, "between the calls of a goroutine")
	only := flag.String("only", "", "call this function and no other")
	goroutines := flag.Int("goroutines", 1, "... on so many goroutines")
	end := flag.Duration("time", 0, "how long to work; 0 is until the end of input")
	flag.Parse()
	fmt.Println("ready")
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err != nil {
		os.Exit(1)
	}
	var enough int32
	var wrong uint64
	var all sync.WaitGroup
	for _, w := range works {
		if *only != "" && w.Func != *only {
			continue
		}
		many := w.many
		if many == 0 {
			many = 1
		}
		if *only != "" {
			many = *goroutines
		}
		for g := 0; g < many; g++ {
			all.Add(1)
			go func(w *work, g int) {
				defer all.Done()
				if *only != "" { // not all at once
					time.Sleep(time.Duration(g) * time.Second / time.Duration(*goroutines))
				}
				for i := 0; atomic.LoadInt32(&enough) == 0; i++ {
					if w.run(i) != w.want(i) {
						atomic.AddUint64(&wrong, 1)
					}
					atomic.AddUint64(&w.Calls, 1)
					if w.Func == "main.phases" {
						atomic.AddUint64(&w.sum, uint64(inPhase(i)))
					}
					if *pause > 0 {
						time.Sleep(*pause)
					}
				}
			}(w, g)
		}
	}
	if *end > 0 {
		time.Sleep(*end)
	} else {
		in.ReadString('\n')
	}
	atomic.StoreInt32(&enough, 1)
	all.Wait()
	for _, w := range works {
		w.Entries = w.Calls * (1 + w.depth)
		if w.sum > 0 {
			w.Objects = float64(w.sum) / float64(w.Calls)
		}
	}
	err := json.NewEncoder(os.Stdout).Encode(map[string]interface{}{"ops": works, "wrong": wrong})
	if *end > 0 {
		in.ReadString('\n')
	}
	if err != nil || wrong > 0 {
		os.Exit(1)
	}
}
