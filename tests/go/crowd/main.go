// SPDX-License-Identifier: BSD-2-Clause

// Crowd is many threads that allocate at once, on one CPU if told so, each from a stack of its own: a tracer that mixes
// up two of them shows a stack that isn't there, and one that loses a count has too few.
//
// It prints, as JSON on two lines, what a tracer that saw all of it must have seen: the growth of MemStats.Mallocs over
// the phase, by the numbers of the calls of ReadMemStats; and for each thread its path, which is its stack, how many
// objects it made there and how many entries it assigned to its map. Last, MemStats.Mallocs at its end.
//
// Every other thread sleeps now and then, as one that wakes up is what preempts another.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"unsafe"
)

const (
	threadsMax = 64
	pathBits   = 6 // which thread: so many calls of left or right, twice
	keys       = 8
)

type object struct {
	next *object
	rest [4]int
}

type thread struct {
	id, each int
	sleeps   bool
	kept     *object
	m        map[int]int
	err      error
}

var (
	threads [threadsMax]thread
	marks   int
)

//go:noinline
func (t *thread) leaf() {
	for i := 0; i < t.each; i++ {
		t.kept = new(object)
		t.m[i%keys] = i
		if t.sleeps && i%16 == 0 {
			nap := syscall.Timespec{Nsec: int64(150000 + t.id*1000)}
			syscall.Nanosleep(&nap, nil)
		}
	}
}

//go:noinline
func (t *thread) left(depth int) { t.descend(depth) }

//go:noinline
func (t *thread) right(depth int) { t.descend(depth) }

func (t *thread) descend(depth int) {
	switch {
	case depth == 2*pathBits:
		t.leaf()
	case t.id>>(depth%pathBits)&1 == 0:
		t.left(depth + 1)
	default:
		t.right(depth + 1)
	}
}

// Path is the thread's stack from the leaf on.
func (t *thread) path() string {
	path := make([]byte, 2*pathBits)
	for depth := range path {
		path[len(path)-1-depth] = "LR"[t.id>>(depth%pathBits)&1]
	}
	return string(path)
}

// Pin puts the calling thread on one CPU.
func pin(cpu int) error {
	mask := [16]uint64{}
	mask[cpu/64] = 1 << (cpu % 64)
	_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask)))
	if errno != 0 {
		return errno
	}
	return nil
}

// Run is a thread's life: all begin together, and none ends before all have done their work.
func (t *thread) run(cpu int, ready, done *sync.WaitGroup, begin, end chan struct{}) {
	runtime.LockOSThread()
	if cpu >= 0 {
		t.err = pin(cpu)
	}
	ready.Done()
	<-begin
	t.descend(0)
	done.Done()
	<-end
}

func readMemStats(m *runtime.MemStats) int {
	runtime.ReadMemStats(m)
	marks++
	return marks - 1
}

type phase struct {
	Name    string `json:"name"`
	From    int    `json:"from"`
	To      int    `json:"to"`
	Mallocs uint64 `json:"mallocs"`
}

type said struct {
	Path    string `json:"path"`
	Objects int    `json:"objects"`
	Assigns int    `json:"assigns"`
}

func work(nr, each, cpu int) phase {
	var before, after runtime.MemStats
	var ready, done sync.WaitGroup
	begin, end := make(chan struct{}), make(chan struct{})
	ready.Add(nr)
	done.Add(nr)
	for i := 0; i < nr; i++ {
		threads[i] = thread{id: i, each: each, sleeps: i%2 == 1, m: make(map[int]int, keys)}
		go threads[i].run(cpu, &ready, &done, begin, end)
	}
	ready.Wait()
	from := readMemStats(&before)
	close(begin)
	done.Wait()
	to := readMemStats(&after)
	close(end)
	return phase{"crowd", from, to, after.Mallocs - before.Mallocs}
}

func main() {
	nr := flag.Int("threads", 8, "how many threads")
	each := flag.Int("each", 500, "objects of each")
	cpu := flag.Int("cpu", -1, "the CPU that all of them are on; -1: any")
	wait := flag.Bool("wait", false, "print 'ready', wait for a line, count from there, exit at the end of input")
	flag.Parse()
	if *nr < 1 || *nr > threadsMax {
		fmt.Fprintf(os.Stderr, "crowd: 1 to %d threads\n", threadsMax)
		os.Exit(2)
	}
	runtime.GOMAXPROCS(*nr)
	line := make([]byte, 1)
	if *wait {
		fmt.Println("ready")
		os.Stdin.Read(line)
	}
	phases := []phase{work(*nr, *each, *cpu)}
	var paths []said
	for i := 0; i < *nr; i++ {
		if threads[i].err != nil {
			fmt.Fprintln(os.Stderr, "crowd: cannot stay on a CPU:", threads[i].err)
			os.Exit(1)
		}
		paths = append(paths, said{threads[i].path(), *each, *each})
	}
	out := json.NewEncoder(os.Stdout)
	out.Encode(map[string]any{"at_ready": 0, "phases": phases, "threads": paths})
	var m runtime.MemStats
	mark := readMemStats(&m)
	out.Encode(map[string]any{"final": map[string]uint64{"mark": uint64(mark), "mallocs": m.Mallocs}})
	if *wait {
		os.Stdin.Read(line)
	}
}
