// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bytes"
	"fmt"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Work whose allocations per site nobody knows, but whose total the runtime does: maps that grow, are
// cleared and filled again, goroutines that grow their stacks, channels, the library, finalizers.
// Whatever happens at what time, the results are the same in each run.
func churn(w *worker, round int) {
	w.mix(churnMaps(round))
	w.mix(churnStacks(round))
	w.mix(churnChannels(round))
	w.mix(churnLibrary(round))
	w.mix(churnGarbage(w, round))
	w.mix(churnForeign(round))
}

func churnMaps(round int) int {
	sum := 0
	m := map[string]int{}
	for i := 0; i < 300; i++ {
		m["key "+strconv.Itoa(i)] = i + round
	}
	for i := 0; i < 300; i += 2 {
		delete(m, "key "+strconv.Itoa(i))
	}
	for _, v := range m {
		sum += v
	}
	for k := range m {
		delete(m, k)
	}
	hinted := make(map[int]*node, 200)
	big := map[[20]int][20]int{}
	for i := 0; i < 200; i++ {
		hinted[i] = &node{val: i}
		big[[20]int{i}] = [20]int{1: i}
	}
	for i, n := range hinted {
		sum += n.val + big[[20]int{i}][1]
	}
	return sum + len(m)
}

// Goroutines that go deep, with pointers into their own stacks, which move under them.
func churnStacks(round int) int {
	var wg sync.WaitGroup
	var sum int64
	for g := 0; g < 8; g++ {
		wg.Add(1)
		go func(depth int) {
			defer wg.Done()
			var local int
			descend(depth, &local)
			atomic.AddInt64(&sum, int64(local))
		}(20 + 30*g + round)
	}
	wg.Wait()
	return int(sum)
}

//go:noinline
func descend(depth int, up *int) {
	var room [100]int
	for i := range room {
		room[i] = depth + i
	}
	if depth > 0 {
		descend(depth-1, &room[50])
	}
	n := &node{val: room[50] + room[99]}
	*up += n.value()
}

func churnChannels(round int) int {
	const messages = 100
	requests, replies := make(chan *node), make(chan int, 4)
	var once sync.Once
	var mu sync.Mutex
	var wg sync.WaitGroup
	seen := 0
	for g := 0; g < 3; g++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := range requests {
				mu.Lock()
				seen++
				mu.Unlock()
				once.Do(runtime.Gosched)
				replies <- n.val * 2
			}
		}()
	}
	go func() {
		for i := 0; i < messages; i++ {
			requests <- &node{val: i + round}
		}
		close(requests)
	}()
	sum := 0
	timeout := time.NewTimer(time.Hour)
	for i := 0; i < messages; i++ {
		select {
		case v := <-replies:
			sum += v
		case <-timeout.C:
			return -1
		}
	}
	timeout.Stop()
	wg.Wait()
	return sum + seen
}

func churnLibrary(round int) int {
	var buf bytes.Buffer
	var sb strings.Builder
	for i := 0; i < 100; i++ {
		fmt.Fprintf(&buf, "%d:%s:%v,", i, strings.Repeat("x", i%7), float64(i)/3)
		sb.WriteString(strconv.Itoa(i * round))
	}
	words := strings.Split(buf.String(), ",")
	sort.Slice(words, func(i, j int) bool { return words[i] < words[j] })
	copied := make([]byte, buf.Len())
	copy(copied, buf.Bytes())
	sum := len(sb.String())
	for i, s := range words {
		sum += i * len(s)
	}
	for i := 0; i < 3; i++ {
		defer func(n int) { sum += n }(i)
	}
	return sum + len([]rune(sb.String())) + len(copied)
}

func churnGarbage(w *worker, round int) int {
	var finalized int32
	var list *node
	for i := 0; i < 100; i++ {
		n := &node{next: list, val: i}
		if i%10 == 0 {
			f := &[2]*node{n, nil}
			runtime.SetFinalizer(f, func(*[2]*node) { atomic.AddInt32(&finalized, 1) })
		}
		list = n
	}
	if w == &workers[round%concurrent] {
		runtime.GC()
	}
	sum := 0
	for n := list; n != nil; n = n.next {
		sum += n.val
	}
	var recovered interface{}
	func() {
		defer func() { recovered = recover() }()
		var empty []int
		sum += empty[round+1]
	}()
	return sum + len(recovered.(error).Error())
}
