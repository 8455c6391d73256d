// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"math"
	"reflect"
	"runtime"
	"strconv"
	"sync"
)

// The sites. Each function does its own operations, and has no other function do any.

type User struct{ name, city string }

type Order struct{ number, items int }

type point struct {
	x    int
	name string
}

var (
	names  [20000]string
	users  [20000]User
	orders [200]Order
	sum    int
)

func init() {
	for i := range names {
		names[i] = "name " + strconv.Itoa(i)
	}
}

// --- every kind of key and value ---

//go:noinline
func int32Keys(n int) {
	m := map[int32]int32{}
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[int32(i)] = 1
		v.assigned(len(m))
	}
	v.done()
	if want := growthsFor(n); n <= 896 && v.Growths-int32Growths != want {
		complain("%d entries: %d growths, not %d", n, v.Growths-int32Growths, want)
	}
	int32Growths = v.Growths
	v = at(m)
	for i := 0; i < n; i += 2 {
		delete(m, int32(i))
		v.deletedTo(len(m))
	}
	for k := range m {
		delete(m, k)
	}
	v.clearedTo(len(m))
	v.done()
}

var int32Growths int

//go:noinline
func int64Keys(n int) {
	m := make(map[int64]int)
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[int64(i)*1000] += i // assigned to once
		v.assigned(len(m))
	}
	for i := 0; i < n; i += 10 {
		delete(m, int64(i)*1000)
		v.deletedTo(len(m))
	}
	for k := range m {
		delete(m, k)
	}
	v.clearedTo(len(m))
	for i := 0; i < n/10; i++ {
		m[int64(i)] = i
		v.assigned(len(m))
	}
	v.done()
}

//go:noinline
func uint64Keys(n int) {
	m := make(map[uint64]struct{}, n)
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[uint64(i)] = struct{}{}
		v.assigned(len(m))
	}
	for k, _ := range m {
		delete(m, k)
		v.deletedTo(len(m))
	}
	v.done()
}

//go:noinline
func pointerKeys(n int) {
	m := map[*User]*Order{}
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[&users[i]] = &orders[i%len(orders)]
		v.assigned(len(m))
	}
	for i := 0; i < n/2; i++ {
		delete(m, &users[i])
		v.deletedTo(len(m))
	}
	for k := range m {
		delete(m, k)
	}
	v.clearedTo(len(m))
	v.done()
}

//go:noinline
func structKeys(n int) {
	m := make(map[point]User, 10)
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[point{i, names[i]}] = users[i]
		v.assigned(len(m))
	}
	for i := 0; i < n; i++ {
		delete(m, point{i, names[i]})
		v.deletedTo(len(m))
	}
	for k := range m {
		delete(m, k)
	}
	v.clearedTo(len(m))
	v.done()
}

// Keys that may not be equal to themselves: the idiom is a loop.
//
//go:noinline
func interfaceKeys(n int) {
	m := map[interface{}]int{}
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[names[i]] = i
		v.assigned(len(m))
		m[i] = i
		v.assigned(len(m))
	}
	for k := range m {
		delete(m, k)
		v.deletedTo(len(m))
	}
	v.done()
}

//go:noinline
func nanKeys(n int) {
	m := map[float64]int{}
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[math.NaN()] = i
		v.assigned(len(m))
	}
	for k := range m {
		delete(m, k) // to no effect
		v.deletedTo(len(m))
	}
	v.done()
}

//go:noinline
func arrayKeys(n int) {
	m := map[[200]byte]bool{}
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[[200]byte{0: byte(i), 199: byte(i >> 8)}] = true
		v.assigned(len(m))
	}
	for i := 0; i < n; i++ {
		delete(m, [200]byte{0: byte(i), 199: byte(i >> 8)})
		v.deletedTo(len(m))
	}
	v.done()
}

//go:noinline
func wideValues(n int) {
	m := map[int][200]byte{}
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[i] = [200]byte{1}
		v.assigned(len(m))
	}
	for k := range m {
		delete(m, k)
	}
	v.clearedTo(len(m))
	v.done()
}

//go:noinline
func byteKeys(n int) {
	m := map[uint8]string{}
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[uint8(i)] = names[i]
		v.assigned(len(m))
		delete(m, uint8(i))
		v.deletedTo(len(m)) // down to nothing, but from one
	}
	v.done()
}

// --- generic code: two types of one shape, and two of others ---

//go:noinline
func generic[K comparable, V any](keys []K, value V, shape string) {
	m := make(map[K]V, len(keys)/2)
	v := atShared(m, shape)
	v.made()
	for _, k := range keys {
		m[k] = value
		v.assigned(len(m))
	}
	for _, k := range keys[:len(keys)/3] {
		delete(m, k)
		v.deletedTo(len(m))
	}
	for k := range m {
		delete(m, k)
	}
	v.clearedTo(len(m))
	v.done()
}

func generics(n int) {
	ints := make([]int, n+1)
	for i := range ints {
		ints[i] = i
	}
	generic(names[:n], &users[0], "map[go.shape.string_0]go.shape.*uint8_1")
	generic(names[:n/2], &orders[0], "map[go.shape.string_0]go.shape.*uint8_1")
	generic(names[:n/3], 1, "map[go.shape.string_0]go.shape.int_1")
	generic(ints, 1, "map[go.shape.int_0]go.shape.int_1")
}

// --- made in every way ---

//go:noinline
func literal(int) {
	m := map[string]int{"one": 1, "two": 2, "three": 3}
	v := at(m)
	v.made()
	for i := 1; i <= 3; i++ {
		v.assigned(i)
	}
	m["three"]++
	v.assigned(len(m))
	v.done()
}

//go:noinline
func copied(n int) {
	from := make(map[string]int, n)
	v := at(from)
	v.made()
	for i := 0; i < n; i++ {
		from[names[i]] = i
		v.assigned(len(from))
	}
	v.done()
	to := make(map[string]int, len(from))
	v = at(to)
	v.made()
	for k, i := range from {
		to[k] = i
		v.assigned(len(to))
	}
	v.done()
}

// Neither its header nor its first 8 slots are on the heap: the runtime isn't asked for it.
//
//go:noinline
func onStack(n int) {
	v := at(map[int16]int(nil))
	m := make(map[int16]int)
	for i := 0; i < n; i++ {
		m[int16(i)] = i
		v.assigned(len(m))
	}
	sum += m[3]
	for i := 0; i < n; i++ {
		delete(m, int16(i))
		v.deletedTo(len(m))
	}
	v.done()
}

// Only its header is on the stack.
//
//go:noinline
func onStackSized(n int) {
	v := at(map[int]int16(nil))
	m := make(map[int]int16, n)
	v.made()
	for i := 0; i < n; i++ {
		m[i] = int16(i)
		v.assigned(len(m))
	}
	sum += int(m[3])
	for k := range m {
		delete(m, k)
	}
	v.clearedTo(len(m))
	v.done()
}

//go:noinline
func byReflect(n int) {
	m := reflect.MakeMap(reflect.TypeOf(map[string]Order(nil)))
	v := at(m.Interface())
	v.made()
	for i := 0; i < n; i++ {
		m.SetMapIndex(reflect.ValueOf(names[i]), reflect.ValueOf(orders[0]))
		v.assigned(m.Len())
	}
	for i := 0; i < n; i++ {
		m.SetMapIndex(reflect.ValueOf(names[i]), reflect.Value{})
		v.deletedTo(m.Len())
	}
	v.done()
}

// Keys for which there is no faster variant.
//
//go:noinline
func byReflectSlow(n int) {
	m := reflect.MakeMapWithSize(reflect.TypeOf(map[point]bool(nil)), 2*n)
	v := at(m.Interface())
	v.made()
	for i := 0; i < n; i++ {
		m.SetMapIndex(reflect.ValueOf(point{x: i}), reflect.ValueOf(true))
		v.assigned(m.Len())
	}
	for i := 0; i <= n; i += 2 {
		m.SetMapIndex(reflect.ValueOf(point{x: i}), reflect.Value{})
		v.deletedTo(m.Len())
	}
	v.done()
}

// --- one map, by many functions ---

//go:noinline
func makeUsers() map[string]*User {
	m := make(map[string]*User)
	v := at(m)
	v.made()
	v.done()
	return m
}

//go:noinline
func assign(m map[string]*User, from, to int) {
	v := at(m)
	for i := from; i < to; i++ {
		m[names[i]] = &users[i]
		v.assigned(len(m))
	}
	v.done()
}

//go:noinline
func deleteSome(m map[string]*User, from, to int) {
	v := at(m)
	for i := from; i < to; i++ {
		delete(m, names[i])
		v.deletedTo(len(m))
	}
	v.done()
}

//go:noinline
func deleteLast(m map[string]*User, from, to int) {
	v := at(m)
	for i := from; i < to; i++ {
		delete(m, names[i])
		v.deletedTo(len(m))
	}
	v.done()
}

//go:noinline
func deleteLoop(m map[string]*User) {
	v := at(m)
	for k, _ := range m {
		delete(m, k)
		v.deletedTo(len(m))
	}
	v.done()
}

//go:noinline
func clearIdiom(m map[string]*User) {
	v := at(m)
	for k := range m {
		delete(m, k)
	}
	v.clearedTo(len(m))
	v.done()
}

func byMany(n int) {
	m := makeUsers()
	assign(m, 0, n)
	assign(m, n/2, n) // overwritten
	deleteSome(m, 0, n/2)
	deleteLast(m, n/2, n) // the drain is here
	deleteLast(m, 0, 3)   // absent
	assign(m, 0, n/4)
	clearIdiom(m)
	clearIdiom(m) // empty
	assign(m, 0, n/8)
	clearBuiltin(m)
	assign(m, 0, n/8)
	clearByReflect(m)
	assign(m, 0, 10)
	deleteLoop(m)
	assign(m, 0, 3)
	deleteSome(m, 0, 2)
	assign(m, 2, 3)     // overwritten: now it is a map of one entry
	deleteSome(m, 2, 3) // no drain
	assign(m, 0, 2)
	deleteLoop(m)
}

//go:noinline
func appended(n int) {
	m := map[string][]int{}
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[names[i%10]] = append(m[names[i%10]], i)
		v.assigned(len(m))
	}
	v.done()
}

//go:noinline
func nilMap(int) {
	var m map[int16]int8
	v := at(m)
	delete(m, 1)
	v.deletedTo(len(m))
	for k := range m {
		delete(m, k)
	}
	v.clearedTo(len(m))
	v.done()
}

// Entries come and go at random, but their number stays: classic maps get more and more overflow buckets
// and are rehashed.
//
//go:noinline
func churned(n int) {
	m := make(map[uint32]uint64)
	v := at(m)
	v.made()
	random := uint32(1)
	var there [64]uint32
	for i := 0; i < n; i++ {
		random = random*1664525 + 1013904223
		delete(m, there[i%64])
		v.deletedTo(len(m))
		there[i%64] = random
		m[random] = 1
		v.assigned(len(m))
	}
	v.done()
}

// What stores into a sync.Map and deletes from it; loads aren't counted.
//
//go:noinline
func syncMap(n int) {
	var m sync.Map
	s := siteOf("main.syncMap", "sync.Map")
	for i := 0; i < n; i++ {
		m.Store(i, &orders[0])
		m.LoadOrStore(i/2, &orders[1])
		m.Load(i)
	}
	for i := 0; i < n/2; i++ {
		m.Delete(i)
		m.LoadAndDelete(i) // absent
	}
	m.Range(func(k, _ interface{}) bool { return k != nil })
	s.Assigns += 2 * n
	s.Deletes += n / 2 * 2
}

// Maps that are garbage at once: addresses come again.
//
//go:noinline
func shortLived(n int) {
	v := at(map[int]*Order(nil))
	for i := 0; i < n; i++ {
		m := make(map[int]*Order, 20)
		escaped = m
		v.made()
		for k := 0; k < 12; k++ {
			m[k] = &orders[k]
			v.assigned(len(m))
		}
		if i%3 == 0 {
			for k, _ := range m {
				delete(m, k)
				v.deletedTo(len(m))
			}
		}
		if i%50 == 0 {
			runtime.GC()
		}
	}
	v.done()
}

var escaped interface{}

// Four goroutines at once at the same site.
func together(n int) {
	var wg sync.WaitGroup
	wg.Add(4)
	for g := 0; g < 4; g++ {
		go func() {
			filledTogether(n)
			wg.Done()
		}()
	}
	wg.Wait()
}

//go:noinline
func filledTogether(n int) {
	m := map[uint16]*User{}
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[uint16(i)] = &users[i]
		v.assigned(len(m))
	}
	for k, _ := range m {
		delete(m, k)
		v.deletedTo(len(m))
	}
	v.done()
}
