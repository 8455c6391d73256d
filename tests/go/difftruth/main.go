// SPDX-License-Identifier: BSD-2-Clause

// Difftruth does the same work in two ways, of which one allocates more, and says by how much: what a difference of
// two recordings of it must be.
//
// It calls main.handle a number of times and prints, as JSON, what a call allocates by the runtime's own count, how many
// calls, operations of maps and collections there were.
//
//	difftruth [-twice] [-sleep DURATION] CALLS	-twice: a call also makes a copy; sleep after every 100 calls
package main

import (
	"encoding/json"
	"flag"
	"log"
	"os"
	"runtime"
	"strconv"
	"time"
)

type order struct {
	id    int
	lines []byte
	next  *order
	_     [8]int
}

var (
	twice = flag.Bool("twice", false, "also make a copy")
	sleep = flag.Duration("sleep", 0, "after every 100 calls")
	sink  *order
	index = map[int]int{}
)

//go:noinline
func newOrder(id int) *order {
	return &order{id: id, lines: make([]byte, 1000)}
}

//go:noinline
func copyOf(o *order) *order {
	c := *o
	return &c
}

//go:noinline
func handle(id int) {
	sink = newOrder(id)
	index[id%8] = id
	if *twice {
		sink = copyOf(sink)
		index[id%8]++
	}
	delete(index, id%8)
}

func work(calls int) (before, after runtime.MemStats) {
	runtime.ReadMemStats(&before)
	for i := 0; i < calls; i++ {
		handle(i)
		if *sleep > 0 && i%100 == 0 {
			time.Sleep(*sleep)
		}
	}
	runtime.ReadMemStats(&after)
	return
}

func main() {
	flag.Parse()
	calls, err := strconv.Atoi(flag.Arg(0))
	if err != nil {
		log.Fatal("usage: difftruth [-twice] [-sleep DURATION] CALLS")
	}
	// So that calls don't differ: the map's table is there from now on.
	index[0] = 0
	before, after := work(calls)
	runtime.GC()
	if *twice {
		runtime.GC()
	}
	var end runtime.MemStats
	runtime.ReadMemStats(&end)
	json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"calls":   float64(calls),
		"objects": float64(after.Mallocs-before.Mallocs) / float64(calls),
		"bytes":   float64(after.TotalAlloc-before.TotalAlloc) / float64(calls),
		"cycles":  float64(end.NumGC),
		"pause":   float64(end.PauseTotalNs),
	})
}
