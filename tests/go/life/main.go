// SPDX-License-Identifier: BSD-2-Clause

// Life does what it is told, line by line of its input, and knows how many objects it has made by main.allocate:
//
//	allocate N           N objects
//	goroutines N         N goroutines, all alive at once, make 10 each
//	threads N            N threads, all alive at once, make 10 each
//	stacks N DEPTH       N objects, each from a stack of its own that is so deep
//	maps N DEPTH         N assignments to maps, likewise
//	stops N DEPTH        N stops of the world, likewise
//	rate N               runtime.MemProfileRate from now on
//	gc N                 N GC cycles
//	children N FILE...   starts N commands, and then waits for them all
//
// It prints "ready", then a line for each: the objects, maps and stops that it has made so far, and its GC cycles, as JSON.
// As "life child N" it makes N objects and ends.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

const each = 10

type thing struct {
	next *thing
	n    int
}

// Nothing that was made is kept, but by each goroutine its last.
var last [1 << 14]*thing

//go:noinline
func allocate(slot int) {
	last[slot] = &thing{n: slot}
}

//go:noinline
func assign(way int) {
	m := make(map[int]int)
	m[way] = way
}

//go:noinline
func stop(int) {
	runtime.Stack(nil, true)
}

// Path comes to do by a way that its bits choose, one at each level.
//
//go:noinline
func path(way, level int, do func(int)) int {
	if level == 0 {
		do(0)
		return 1
	}
	if way&1 == 0 {
		return path(way>>1, level-1, do) + 0
	}
	return path(way>>1, level-1, do) + 1
}

// Crowd is n goroutines that live until all have made their objects.
func crowd(n int, locked bool) {
	var ready, done, end sync.WaitGroup
	ready.Add(n)
	done.Add(n)
	end.Add(1)
	for i := 0; i < n; i++ {
		go func(slot int) {
			if locked {
				runtime.LockOSThread()
			}
			ready.Done()
			ready.Wait()
			for i := 0; i < each; i++ {
				allocate(slot)
			}
			done.Done()
			end.Wait()
		}(i)
	}
	done.Wait()
	end.Done()
}

// Children starts them all and waits for all of them; true if each ended well.
func children(n int, argv []string) bool {
	var pids []int
	ok := true
	for i := 0; i < n; i++ {
		pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 2, 2}})
		if err != nil {
			fmt.Fprintln(os.Stderr, "life:", err)
			return false
		}
		pids = append(pids, pid)
	}
	for _, pid := range pids {
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil || status != 0 {
			ok = false
		}
	}
	return ok
}

type said struct {
	Objects int    `json:"objects"` // by main.allocate
	Maps    int    `json:"maps"`
	Stops   int    `json:"stops"` // by main.stop
	GC      uint32 `json:"gc"`
	OK      bool   `json:"ok"`
}

// Paths does it n times, each time from another stack.
func (s *said) paths(n int, depth string, do func(int), count *int) {
	levels, err := strconv.Atoi(depth)
	s.OK = err == nil && (levels > 30 || n <= 1<<uint(levels))
	for i := 0; s.OK && i < n; i++ {
		path(i, levels, do)
		*count++
	}
}

func (s *said) obey(words []string) {
	n, err := strconv.Atoi(words[1])
	s.OK = err == nil
	switch {
	case !s.OK:
	case words[0] == "allocate":
		for i := 0; i < n; i++ {
			allocate(i % len(last))
		}
		s.Objects += n
	case words[0] == "goroutines" || words[0] == "threads":
		crowd(n, words[0] == "threads")
		s.Objects += n * each
	case words[0] == "stacks":
		s.paths(n, words[2], allocate, &s.Objects)
	case words[0] == "maps":
		s.paths(n, words[2], assign, &s.Maps)
	case words[0] == "stops":
		s.paths(n, words[2], stop, &s.Stops)
	case words[0] == "rate":
		runtime.MemProfileRate = n
	case words[0] == "gc":
		for i := 0; i < n; i++ {
			runtime.GC()
		}
	case words[0] == "children":
		s.OK = children(n, words[2:])
	default:
		s.OK = false
	}
}

func main() {
	var s said
	var m runtime.MemStats

	// So that the linker keeps the memory profile; the rate is 0 until it is told.
	runtime.MemProfileRate = 0
	runtime.MemProfile(nil, false)
	if len(os.Args) > 2 && os.Args[1] == "child" {
		s.obey([]string{"allocate", os.Args[2]})
		return
	}
	fmt.Println("ready")
	out := json.NewEncoder(os.Stdout)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		words := strings.Fields(in.Text())
		s.OK = false
		if len(words) >= 2 {
			s.obey(words)
		}
		runtime.ReadMemStats(&m)
		s.GC = m.NumGC
		out.Encode(s)
	}
}
