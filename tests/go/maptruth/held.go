// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"reflect"
	"runtime"
	"sync"
)

// Maps that are there to the end, and the memory that each takes, as the runtime has it. Their types have
// names of their own, so that they can be told from all others. What their keys and values point to was
// there before.

type (
	kept      int
	keptUser  User
	keptArray [200]byte
)

// Held is a group of maps of the same kind.
type held struct {
	Type       string `json:"type"`
	What       string `json:"what"`
	Maps       int    `json:"maps"`
	Entries    int    `json:"entries"`
	EntriesMax int    `json:"entries_max"`
	Bytes      int    `json:"bytes"` // of each
}

var (
	holds     [64]interface{} // what is built now
	heldMaps  []interface{}
	keptUsers [20000]keptUser
)

// A builder makes and fills one map: n entries into one made for so many.
type builder func(hint, n int) interface{}

//go:noinline
func keepInts(hint, n int) interface{} {
	m := make(map[int]kept, hint)
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[i] = kept(i)
		v.assigned(len(m))
	}
	v.done()
	return m
}

//go:noinline
func keepUsers(hint, n int) interface{} {
	m := make(map[string]*keptUser, hint)
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[names[i]] = &keptUsers[i]
		v.assigned(len(m))
	}
	v.done()
	return m
}

//go:noinline
func keepArrays(hint, n int) interface{} {
	m := make(map[keptArray]int, hint)
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[keptArray{0: byte(i), 199: byte(i >> 8)}] = i
		v.assigned(len(m))
	}
	v.done()
	return m
}

//go:noinline
func clearKept(m interface{}) {
	ints := m.(map[int]kept)
	v := at(ints)
	for k := range ints {
		delete(ints, k)
	}
	v.clearedTo(len(ints))
	v.done()
}

//go:noinline
func drainKept(m interface{}) {
	ints := m.(map[int]kept)
	v := at(ints)
	for k, _ := range ints {
		delete(ints, k)
		v.deletedTo(len(ints))
	}
	v.done()
}

//go:noinline
func refillKept(m interface{}) {
	ints := m.(map[int]kept)
	clearKept(ints)
	v := at(ints)
	for i := 0; i < 100; i++ {
		ints[-i] = 1
		v.assigned(len(ints))
	}
	v.done()
}

func leave(interface{}) {}

var plans = []struct {
	what    string
	maps    int
	hint, n int
	build   builder
	then    func(m interface{})
	pointee int // bytes that each entry points to
}{
	{"full", 64, 0, 8, keepInts, leave, 0},
	{"full", 16, 0, 100, keepInts, leave, 0},
	{"full", 4, 0, 896, keepInts, leave, 0},
	{"full, in the middle of growing", 1, 0, 3428, keepInts, leave, 0},
	{"full", 1, 0, 5000, keepInts, leave, 0},
	{"full", 1, 0, 100000, keepInts, leave, 0},
	{"of a size", 1, 5001, 5001, keepInts, leave, 0},
	{"for a million", 1, 1000000, 10, keepInts, leave, 0},
	{"cleared", 1, 0, 5000, keepInts, clearKept, 0},
	{"cleared", 1, 100000, 60000, keepInts, clearKept, 0},
	{"drained", 1, 0, 20000, keepInts, drainKept, 0},
	{"refilled", 1, 0, 20000, keepInts, refillKept, 0},
	{"full", 32, 0, 8, keepUsers, leave, 0},
	{"full", 4, 0, 1000, keepUsers, leave, 0},
	{"full", 1, 0, 20000, keepUsers, leave, 0},
	{"full", 4, 0, 500, keepArrays, leave, 208}, // the size class of 200
}

// StartThreads has the runtime make the threads that it may want later: what it needs for one is on the heap.
func startThreads() {
	var all, ended sync.WaitGroup
	n := runtime.GOMAXPROCS(0) + 4
	all.Add(n)
	ended.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			runtime.LockOSThread()
			all.Done()
			all.Wait()
			runtime.UnlockOSThread()
			ended.Done()
		}()
	}
	ended.Wait()
}

// Hold builds what is planned. The first time is not measured: something may be made only once.
func hold() (ret []held) {
	startThreads()
	heldMaps = make([]interface{}, 0, 256)
	for _, build := range []builder{keepInts, keepUsers, keepArrays} {
		build(0, 1)
	}
	for _, p := range plans {
		before := heapBytes()
		for i := range holds[:p.maps] {
			holds[i] = p.build(p.hint, p.n)
			p.then(holds[i])
		}
		after := heapBytes()
		m := reflect.ValueOf(holds[0])
		h := held{m.Type().String(), p.what, p.maps, m.Len(), p.n, (after-before)/p.maps - p.pointee*p.n}
		if h.Bytes < 48 {
			complain("%d bytes for a map of %d", h.Bytes, p.n)
		}
		ret = append(ret, h)
		heldMaps = append(heldMaps, holds[:p.maps]...)
	}
	return ret
}

var memory runtime.MemStats

// HeapBytes is the memory of what is reachable.
func heapBytes() int {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&memory)
	return int(memory.HeapAlloc)
}
