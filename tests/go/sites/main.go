// SPDX-License-Identifier: BSD-2-Clause

// Sites allocates from many different stacks, at a given rate or as fast as it can.
//
// A number's bits choose at each level which of two lines calls on, so -stacks N gives N different
// stacks of the same depth. It prints "ready", and at the end {"ops":N,"ns":N}, where ns is the time
// that the allocating alone took. With -ops it does that many; otherwise it goes on until the end of
// its input.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"math/bits"
	"os"
	"sync/atomic"
	"time"
)

type thing struct {
	next *thing
	n    int
}

var last *thing

// Path allocates at the end of the path that the bits describe.
//
//go:noinline
func path(way, levels int) int {
	if levels == 0 {
		last = &thing{n: way}
		return 1
	}
	if way&1 == 0 {
		return path(way>>1, levels-1) + 0
	}
	return path(way>>1, levels-1) + 1
}

// Run allocates n times from stacks from, from+1, ... and says how long it took.
func run(from, n, stacks, levels int) time.Duration {
	began := time.Now()
	for i := from; i < from+n; i++ {
		path(i%stacks, levels)
	}
	return time.Since(began)
}

func main() {
	stacks := flag.Int("stacks", 50000, "different stacks")
	depth := flag.Int("depth", 0, "levels of the stacks; at least, and by default, as many as they need")
	rate := flag.Int("rate", 0, "allocations per second; 0 is as many as it can")
	ops := flag.Int("ops", 0, "allocations; 0 is until the end of its input")
	wait := flag.Bool("wait", false, "begin only after a line of its input")
	flag.Parse()
	levels := bits.Len(uint(*stacks - 1))
	if *depth > levels {
		levels = *depth
	}

	in := bufio.NewReader(os.Stdin)
	if *wait {
		fmt.Println("ready")
		in.ReadString('\n')
	}
	var closed int32
	if *ops == 0 {
		go func() {
			for {
				if _, err := in.ReadString('\n'); err != nil {
					atomic.StoreInt32(&closed, 1)
					return
				}
			}
		}()
	}
	if !*wait {
		fmt.Println("ready")
	}
	done, spent := 0, time.Duration(0)
	slice := 1000
	began := time.Now()
	for (*ops == 0 || done < *ops) && atomic.LoadInt32(&closed) == 0 {
		if *rate > 0 {
			// What is due by now; a late start of a slice doesn't lower the rate.
			slice = int(time.Since(began).Seconds()*float64(*rate)) - done
			if slice <= 0 {
				time.Sleep(time.Millisecond)
				continue
			}
		}
		if *ops > 0 && slice > *ops-done {
			slice = *ops - done
		}
		spent += run(done, slice, *stacks, levels)
		done += slice
	}
	fmt.Printf("{\"ops\":%d,\"ns\":%d,\"wall_ns\":%d}\n", done, spent.Nanoseconds(), time.Since(began).Nanoseconds())
}
