// SPDX-License-Identifier: BSD-2-Clause

// Rates changes its runtime.MemProfileRate while it runs, and what it allocates with it.
//
// It prints "ready" and allocates at a steady pace, until its input ends, from two sites that are of its phase,
// three objects at one for each at the other. A line of input "RATE PHASE" changes both, and is answered by a line. At the end
// it prints a line of JSON: how many objects each site has allocated.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

type object [12]uint64

var sink [16]*object

//go:noinline
func firstOften() *object { return new(object) }

//go:noinline
func firstRarely() *object { return new(object) }

//go:noinline
func secondOften() *object { return new(object) }

//go:noinline
func secondRarely() *object { return new(object) }

//go:noinline
func thirdOften() *object { return new(object) }

//go:noinline
func thirdRarely() *object { return new(object) }

var phases = [3][2]struct {
	name string
	make func() *object
	nr   int64
}{
	{{"main.firstOften", firstOften, 0}, {"main.firstRarely", firstRarely, 0}},
	{{"main.secondOften", secondOften, 0}, {"main.secondRarely", secondRarely, 0}},
	{{"main.thirdOften", thirdOften, 0}, {"main.thirdRarely", thirdRarely, 0}},
}

var phase atomic.Int32

func allocate(end chan bool) {
	chance := uint32(1)
	for {
		for i := 0; i < 80; i++ {
			// By chance, so that windows don't meet a pattern; not by the clock, which they slow down.
			chance ^= chance << 13
			chance ^= chance >> 17
			chance ^= chance << 5
			which := 0
			if chance%4 == 0 {
				which = 1
			}
			site := &phases[phase.Load()][which]
			sink[i%len(sink)] = site.make()
			site.nr++
		}
		select {
		case <-end:
			end <- true
			return
		case <-time.After(time.Millisecond):
		}
	}
}

func main() {
	var rate, to int
	if _, err := fmt.Sscan(os.Args[1], &rate); err != nil {
		panic(err)
	}
	runtime.MemProfileRate = rate
	end := make(chan bool)
	go allocate(end)
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); fmt.Println("changed") {
		if _, err := fmt.Sscan(in.Text(), &rate, &to); err != nil {
			panic(err)
		}
		runtime.MemProfileRate = rate
		phase.Store(int32(to))
	}
	end <- true
	<-end
	truth := map[string]int64{}
	for _, sites := range phases {
		for _, site := range sites {
			truth[site.name] = site.nr
		}
	}
	json.NewEncoder(os.Stdout).Encode(truth)
	// Or the runtime would keep no profile.
	runtime.MemProfile(nil, true)
}
