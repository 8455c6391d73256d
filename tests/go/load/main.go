// SPDX-License-Identifier: BSD-2-Clause

// Load is a service under load that checks itself: goroutines that do pieces of work whose results are
// known, in which stacks grow and move, maps and channels are used and garbage is collected. A tracer
// that comes and goes a hundred times must not change one result.
//
// It prints "ready", works until SIGTERM or the end of its input, then prints
// {"pieces":N,"wrong":N,"gc":N} and exits 0, or 1 if any result was wrong.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const kinds = 64 // different pieces of work

type node struct {
	left, right *node
	key         int
}

func (n *node) insert(key int) *node {
	if n == nil {
		return &node{key: key}
	}
	if key < n.key {
		n.left = n.left.insert(key)
	} else {
		n.right = n.right.insert(key)
	}
	return n
}

func (n *node) sum() int {
	if n == nil {
		return 0
	}
	return n.left.sum()*3 + n.key + n.right.sum()*5
}

// Descend goes deep with a pointer into the frame above, which moves when the stack grows.
//
//go:noinline
func descend(depth int, up *[32]int) int {
	var room [32]int
	for i := range room {
		room[i] = up[31-i] + depth
	}
	if depth == 0 {
		return room[7]
	}
	below := descend(depth-1, &room)
	tail := append([]int(nil), room[:depth%32]...)
	return below ^ room[len(tail)]
}

// Piece is one piece of work; its result depends on nothing but its kind.
func piece(kind int) int {
	var root *node
	for i := 0; i < 20; i++ {
		root = root.insert((i*7919 + kind*31) % 97)
	}
	words := map[string]int{}
	for i := 0; i < 10; i++ {
		words["word "+strconv.Itoa(i*kind)] += i
	}
	sum := root.sum()
	for _, v := range words {
		sum += v
	}
	// A new goroutine begins with a small stack.
	result := make(chan int)
	go func() {
		var room [32]int
		result <- descend(5+kind%60, &room)
	}()
	return sum + <-result
}

func main() {
	goroutines := flag.Int("goroutines", 4, "goroutines that work")
	rate := flag.Int("rate", 0, "pieces per second of each of them; 0 is as many as it can")
	flag.Parse()
	debug.SetGCPercent(25)

	var want [kinds]int
	for kind := range want {
		want[kind] = piece(kind)
	}
	var stop int32
	var pieces, wrong int64
	var wg sync.WaitGroup
	for g := 0; g < *goroutines; g++ {
		wg.Add(1)
		go func(kind int) {
			defer wg.Done()
			for atomic.LoadInt32(&stop) == 0 {
				kind = (kind + 1) % kinds
				if piece(kind) != want[kind] {
					atomic.AddInt64(&wrong, 1)
				}
				if n := atomic.AddInt64(&pieces, 1); n%5000 == 0 {
					runtime.GC()
				}
				if *rate > 0 {
					time.Sleep(time.Second / time.Duration(*rate))
				}
			}
		}(g * 11)
	}

	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	go func() {
		in := bufio.NewReader(os.Stdin)
		for {
			if _, err := in.ReadString('\n'); err != nil {
				end <- syscall.SIGTERM
				return
			}
		}
	}()
	fmt.Println("ready")
	<-end
	atomic.StoreInt32(&stop, 1)
	wg.Wait()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Printf("{\"pieces\":%d,\"wrong\":%d,\"gc\":%d}\n", pieces, wrong, m.NumGC)
	if wrong > 0 {
		os.Exit(1)
	}
}
