// SPDX-License-Identifier: BSD-2-Clause

// Memtotals allocates objects of every kind and says how many it has allocated, by its own
// runtime.MemStats: the truth that a reader of its memory must agree with.
//
//	memtotals rest	allocates and parks every goroutine; prints "ready" when nothing is allocated
//			any more, with much that the runtime has counted but not flushed yet.
//	memtotals run	prints "ready" and keeps allocating in several goroutines.
//
// Both then print their MemStats as a line of JSON for each byte of stdin, and end with it.
//
// It must compile with Go 1.19.
package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	workers     = 6
	rounds      = 400
	idleThreads = 24
)

type node struct {
	next *node
	id   int
}

type record struct {
	name string
	refs [40]*node
}

// A sink per worker keeps the compiler from putting things on the stack; what is overwritten is
// garbage.
type sink struct {
	bytes  []byte
	ptrs   []*node
	small  *uint8
	mid    *uint32
	pair   *[2]uint64
	node   *node
	record *record
	m      map[string]*node
	s      string
	any    interface{}
	f      func() int
}

var sinks [workers]sink

// One round touches tiny objects, every size class with and without pointers, large objects, maps,
// strings, interfaces and closures.
func round(s *sink, i int) {
	s.small = new(uint8)
	s.mid = new(uint32)
	s.pair = new([2]uint64)
	s.node = &node{next: s.node, id: i}
	if i%16 == 0 {
		s.node = nil
	}
	s.record = &record{name: strconv.Itoa(i)}
	for size := 1; size <= 34000; size += size/7 + 1 {
		s.bytes = make([]byte, size)
		s.ptrs = make([]*node, size/8+1)
	}
	s.bytes = make([]byte, 100000+i*512)
	s.m = map[string]*node{}
	for k := 0; k < 20; k++ {
		s.m[strconv.Itoa(k*i)] = s.node
	}
	s.s = strconv.Itoa(i) + "/" + s.s[:len(s.s)/2]
	s.any = i * 1000
	s.f = func() int { return i }
}

// After this there are idle threads to hand: starting the world needs no new one, which would be
// allocated on the heap.
func makeIdleThreads() {
	var wg sync.WaitGroup
	var blocked int32
	for i := 0; i < idleThreads; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			atomic.AddInt32(&blocked, 1)
			for atomic.LoadInt32(&blocked) < idleThreads {
				ts := syscall.Timespec{Nsec: 1000000}
				syscall.Nanosleep(&ts, nil)
			}
		}()
	}
	wg.Wait()
}

var (
	stats runtime.MemStats
	line  = make([]byte, 0, 4096)
	input = make([]byte, 1)
	ready = []byte("ready\n")
)

func printStats(m *runtime.MemStats) {
	b := append(line[:0], `{"mallocs":`...)
	b = strconv.AppendUint(b, m.Mallocs, 10)
	b = append(b, `,"total_alloc":`...)
	b = strconv.AppendUint(b, m.TotalAlloc, 10)
	b = append(b, `,"by_size":[`...)
	for i := range m.BySize {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, m.BySize[i].Mallocs, 10)
	}
	b = append(b, "]}\n"...)
	syscall.Write(1, b)
}

// Reports whether there is more input.
func readByte() bool {
	n, err := syscall.Read(0, input)
	for err == syscall.EINTR {
		n, err = syscall.Read(0, input)
	}
	return n == 1
}

func answer() {
	syscall.Write(1, ready)
	for readByte() {
		runtime.ReadMemStats(&stats)
		printStats(&stats)
	}
}

// Runs a number of rounds in every worker and waits until all are done.
func work(rounds int) {
	var wg sync.WaitGroup
	for w := range sinks {
		wg.Add(1)
		go func(s *sink) {
			for i := 0; i < rounds; i++ {
				round(s, i)
			}
			wg.Done()
			select {}
		}(&sinks[w])
	}
	wg.Wait()
}

// ReadMemStats flushes all counts, so it must not be called before the last object is made.
func rest() {
	work(rounds)
	makeIdleThreads()
	debug.SetGCPercent(-1)
	runtime.GC()
	work(rounds / 40)
	answer()
}

// Mostly small objects, so that spans are used up and replaced as fast as can be.
func run() {
	for w := range sinks {
		go func(s *sink) {
			for i := 0; ; i++ {
				s.small = new(uint8)
				s.node = &node{id: i}
				s.bytes = make([]byte, i%700)
				s.ptrs = make([]*node, i%100)
				s.s = strconv.Itoa(i)
				if i%5000 == 0 {
					round(s, i%rounds)
				}
			}
		}(&sinks[w])
	}
	answer()
}

func main() {
	runtime.GOMAXPROCS(4)
	if len(os.Args) == 2 && os.Args[1] == "rest" {
		rest()
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "run" {
		run()
		return
	}
	os.Stderr.WriteString("usage: memtotals rest|run\n")
	os.Exit(2)
}
