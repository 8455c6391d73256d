// SPDX-License-Identifier: BSD-2-Clause

// Mapheap makes maps of every kind and size and says what each takes of the heap, by its own
// runtime.MemStats: the truth that a reader of its memory must agree with.
//
//	mapheap sizes MAX	for each kind of map, size up to MAX and state: a line "map KIND/SIZE/HINT/STATE
//				TYPEADDR ENTRIES ADDR...", of several equal maps if they are small. They stay as
//				they are until a line is read from standard input, then "bytes N" follows: what
//				the collector gives back when they are dropped, less what keys and values point to.
//	mapheap lives		while goroutines allocate and the collector runs: maps that live ("live ADDR TYPEADDR
//				ENTRIES"), were dropped and collected ("dead ADDR WORD", the second of the header, of
//				which the seed is all or a part) and one that is on a stack ("stack ADDR TYPEADDR"),
//				then "end"; again for each line that is read.
//
// It must compile with Go 1.19.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

var sizes = []int{8, 100, 1000, 10000, 100000, 1000000}

// The two words of an interface that holds a map: its type and the map itself.
type iface struct{ typ, data uintptr }

func words(m interface{}) iface { return *(*iface)(unsafe.Pointer(&m)) }

var (
	in    = bufio.NewReader(os.Stdin)
	stats runtime.MemStats
)

// The end of the input ends the program.
func await() {
	if _, err := in.ReadString('\n'); err != nil {
		os.Exit(0)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// One kind of map. What its keys and values point to is made beforehand and outlives it, but for indirect
// keys and values: the runtime allocates these, and says so by inside.
type kind struct {
	name   string
	make   func(n int) interface{}
	put    func(m interface{}, i int)
	del    func(m interface{}, i int)
	clear  func(m interface{})
	inside uint64 // bytes of what an entry points to, which die with the map
}

type payload struct{ a, b int }

var (
	names    [1000000]string
	payloads [64]*payload
)

type big [200]byte

const bigSize = 208 // its size class

func bigKey(i int) (k big) {
	*(*int)(unsafe.Pointer(&k)) = i
	return
}

func ints() kind {
	return kind{"int-int",
		func(n int) interface{} { return make(map[int]int, n) },
		func(m interface{}, i int) { m.(map[int]int)[i] = i },
		func(m interface{}, i int) { delete(m.(map[int]int), i) },
		func(m interface{}) {
			x := m.(map[int]int)
			for k := range x {
				delete(x, k)
			}
		}, 0}
}

func strings() kind {
	return kind{"string-string",
		func(n int) interface{} { return make(map[string]string, n) },
		func(m interface{}, i int) { m.(map[string]string)[names[i]] = names[0] },
		func(m interface{}, i int) { delete(m.(map[string]string), names[i]) },
		func(m interface{}) {
			x := m.(map[string]string)
			for k := range x {
				delete(x, k)
			}
		}, 0}
}

func pointers() kind {
	return kind{"string-pointer",
		func(n int) interface{} { return make(map[string]*payload, n) },
		func(m interface{}, i int) { m.(map[string]*payload)[names[i]] = payloads[i%64] },
		func(m interface{}, i int) { delete(m.(map[string]*payload), names[i]) },
		func(m interface{}) {
			x := m.(map[string]*payload)
			for k := range x {
				delete(x, k)
			}
		}, 0}
}

func bigKeys() kind {
	return kind{"big-int",
		func(n int) interface{} { return make(map[big]int, n) },
		func(m interface{}, i int) { m.(map[big]int)[bigKey(i)] = i },
		func(m interface{}, i int) { delete(m.(map[big]int), bigKey(i)) },
		func(m interface{}) {
			x := m.(map[big]int)
			for k := range x {
				delete(x, k)
			}
		}, bigSize}
}

func bigValues() kind {
	return kind{"int-big",
		func(n int) interface{} { return make(map[int]big, n) },
		func(m interface{}, i int) { m.(map[int]big)[i] = big{} },
		func(m interface{}, i int) { delete(m.(map[int]big), i) },
		func(m interface{}) {
			x := m.(map[int]big)
			for k := range x {
				delete(x, k)
			}
		}, bigSize}
}

// The maps that are measured; nothing else keeps them.
var held [50]interface{}

// Small maps are measured several at a time, or what else is allocated would matter.
func copies(n int) int {
	if n <= 1000 {
		return len(held)
	}
	if n <= 10000 {
		return 10
	}
	return 1
}

// After this there are idle threads to hand: what the runtime keeps of a new one would count.
func makeIdleThreads() {
	const threads = 16
	var wg sync.WaitGroup
	var blocked int32
	for i := 0; i < threads; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			atomic.AddInt32(&blocked, 1)
			for atomic.LoadInt32(&blocked) < threads {
				ts := syscall.Timespec{Nsec: 1000000}
				syscall.Nanosleep(&ts, nil)
			}
		}()
	}
	wg.Wait()
}

// Maps are made, brought into a state and said; they are dropped when we are told to go on.
func measure(k *kind, n, hint, entries int, state string, bring func(m interface{})) {
	for i := 0; i < copies(n); i++ {
		held[i] = k.make(hint)
		bring(held[i])
	}
	with := heap()
	fmt.Printf("map %s/%d/%d/%s %d %d", k.name, n, hint, state, words(held[0]).typ, entries)
	for i := 0; i < copies(n); i++ {
		fmt.Print(" ", words(held[i]).data)
	}
	fmt.Println()
	await()
	for i := range held {
		held[i] = nil
	}
	fmt.Println("bytes", int64(with-heap())-int64(uint64(copies(n)*entries)*k.inside))
}

func fill(k *kind, m interface{}, n int) {
	for i := 0; i < n; i++ {
		k.put(m, i)
	}
}

func drain(k *kind, m interface{}, n int) {
	for i := 0; i < n; i++ {
		k.del(m, i)
	}
}

func states(k *kind, n int) {
	measure(k, n, 0, n, "filled", func(m interface{}) { fill(k, m, n) })
	measure(k, n, n, n, "made-for", func(m interface{}) { fill(k, m, n) })
	measure(k, n, 0, 0, "cleared", func(m interface{}) { fill(k, m, n); k.clear(m) })
	measure(k, n, 0, 0, "drained", func(m interface{}) { fill(k, m, n); drain(k, m, n) })
	measure(k, n, 0, n, "refilled", func(m interface{}) { fill(k, m, n); k.clear(m); fill(k, m, n) })
	measure(k, n, 0, n/10, "thinned", func(m interface{}) {
		fill(k, m, n)
		for i := n / 10; i < n; i++ {
			k.del(m, i)
		}
	})
}

func measureSizes(max int) {
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	for i := range payloads {
		payloads[i] = &payload{i, i}
	}
	makeIdleThreads()
	for _, k := range []kind{ints(), strings(), pointers(), bigKeys(), bigValues()} {
		k := k
		for _, n := range sizes {
			if n <= max {
				states(&k, n)
			}
		}
	}
}

var (
	kept    [2][]*payload
	garbage [2][]map[int]*payload
	live    [200]map[int]*payload
	dead    [200]map[int]*payload
)

// Small objects, and some maps, come and go, so that spans are filled, swept and given away.
func churn(w int) {
	for i := 0; ; i++ {
		kept[w] = append(kept[w], &payload{i, w})
		if i%5000 == 0 {
			m := make(map[int]*payload)
			for j := 0; j < i/5000%40; j++ {
				m[j] = kept[w][0]
			}
			garbage[w] = append(garbage[w], m)
		}
		if len(kept[w]) > 200000 {
			kept[w], garbage[w] = nil, nil
		}
	}
}

// What was dropped is collected: at once and swept, or by and by, and perhaps not swept yet.
func collect(round int) {
	if round%2 == 0 {
		runtime.GC()
		return
	}
	runtime.ReadMemStats(&stats)
	for was := stats.NumGC; stats.NumGC < was+2; runtime.ReadMemStats(&stats) {
		time.Sleep(100 * time.Microsecond)
	}
}

func seedOf(p uintptr) uintptr {
	type header struct{ a, seed uintptr }
	return (*header)(unsafe.Pointer(p)).seed
}

//go:noinline
func sum(m map[int]int) (s int) {
	for _, v := range m {
		s += v
	}
	return
}

// A map that does not escape.
func onStack() {
	m := make(map[int]int)
	for i := 0; i < 5; i++ {
		m[i] = i
	}
	p := *(*uintptr)(unsafe.Pointer(&m))
	fmt.Println("stack", p, words(map[int]int(nil)).typ)
	fmt.Println("end")
	await()
	if sum(m) != 10 {
		os.Exit(1)
	}
}

func fillMaps(maps []map[int]*payload) {
	for i := range maps {
		maps[i] = make(map[int]*payload)
		for j := 0; j < i; j++ {
			maps[i][j] = payloads[j%64]
		}
	}
}

func lives() {
	for i := range payloads {
		payloads[i] = &payload{i, i}
	}
	for w := range garbage {
		go churn(w)
	}
	for round := 0; ; round++ {
		fillMaps(live[:])
		fillMaps(dead[:])
		type gone struct{ addr, seed uintptr }
		var were []gone
		for i := range dead {
			a := words(dead[i]).data
			were = append(were, gone{a, seedOf(a)})
			dead[i] = nil
		}
		collect(round)
		for i := range live {
			w := words(live[i])
			fmt.Println("live", w.data, w.typ, len(live[i]))
		}
		for _, g := range were {
			fmt.Println("dead", g.addr, g.seed)
		}
		onStack()
	}
}

func main() {
	fmt.Println("ready")
	if len(os.Args) == 3 && os.Args[1] == "sizes" {
		max, _ := strconv.Atoi(os.Args[2])
		measureSizes(max)
		fmt.Println("done")
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "lives" {
		lives()
		return
	}
	os.Stderr.WriteString("usage: mapheap sizes MAX | lives\n")
	os.Exit(2)
}
