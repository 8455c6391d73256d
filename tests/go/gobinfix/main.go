// SPDX-License-Identifier: BSD-2-Clause

// Gobinfix tells the truth about itself, one JSON object per line, for the reader of Go executables
// to be measured against: where its functions were loaded, which frames Go's own runtime sees at
// program counters of all kinds of calls, and what its types are called.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"sort"
	"strings"
	"text/template"
	"unsafe"
)

var cgoTwice func(int) int

type frame struct {
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"`
}

type stack struct {
	Kind   string   `json:"kind"`
	Site   string   `json:"site"`
	PCs    []uint64 `json:"pcs"`
	Frames []frame  `json:"frames"`
}

var out = json.NewEncoder(os.Stdout)

// record prints the callers of the site, as raw program counters and as Go explains them.
//
//go:noinline
func record(site string) {
	pcs := make([]uintptr, 64)
	pcs = pcs[:runtime.Callers(1, pcs)]
	s := stack{Kind: "stack", Site: site}
	for _, pc := range pcs {
		s.PCs = append(s.PCs, uint64(pc))
	}
	it := runtime.CallersFrames(pcs)
	for {
		f, more := it.Next()
		s.Frames = append(s.Frames, frame{f.Function, f.File, f.Line})
		if !more {
			break
		}
	}
	out.Encode(s)
}

type node[K comparable, V any] struct {
	key   K
	val   V
	left  *node[K, V]
	right *node[K, V]
}

type inner struct{ a, b int }

type outer struct {
	*inner
	name string
}

type walker interface{ walk(depth int) int }

//go:noinline
func (n *node[K, V]) insert(k K, v V) *node[K, V] {
	record("generic method")
	return &node[K, V]{key: k, val: v, left: n}
}

//go:noinline
func pick[T any, U ~int | ~string](t T, u U) T {
	func() { record("closure in generic") }()
	return t
}

// leafInlined and middleInlined are small enough to be inlined into their callers.
func leafInlined(x int) int {
	record("inlined leaf")
	return x + 1
}

func middleInlined(x int) int { return leafInlined(x) * 3 }

//go:noinline
func inlineHost(x int) int {
	if x > 100 {
		return x
	}
	return middleInlined(x) +
		leafInlined(x)
}

func inlinedGeneric[T any](t T) T {
	record("inlined generic")
	return t
}

//go:noinline
func genericHost() {
	inlinedGeneric(struct{ x []string }{})
	inlinedGeneric(map[string]int{})
}

//go:noinline
func (i *inner) walk(depth int) int {
	if depth == 0 {
		record("promoted method through an interface")
		return i.a
	}
	return i.walk(depth-1) + 1
}

//go:noinline
func (i inner) value() int {
	record("value method through a pointer wrapper")
	return i.b
}

type valuer interface{ value() int }

//go:noinline
func closures() func(int) int {
	n := 0
	return func(x int) int {
		n += x
		return func() int {
			record("nested closure")
			return n
		}()
	}
}

//go:noinline
func deferred() {
	defer func() {
		recover()
		record("deferred after a panic")
	}()
	var m map[string]int
	m["x"] = 1
}

//go:noinline
func callBack(f func()) { f() }

func sortSite() {
	seen := false
	x := []int{3, 1, 2}
	sort.Slice(x, func(i, j int) bool {
		if !seen {
			seen = true
			record("called back from another package")
		}
		return x[i] < x[j]
	})
}

type templateArg struct{}

func (templateArg) Call() string {
	record("called by reflection")
	return "x"
}

func stacks() {
	record("plain")
	callBack(func() { record("closure") })
	closures()(1)
	inlineHost(1)
	genericHost()
	(&node[string, []int]{}).insert("a", nil)
	(&node[int, struct{ a, b string }]{}).insert(1, struct{ a, b string }{})
	pick(map[string][]byte{}, 1)
	pick([]*outer{}, "x")
	var w walker = &outer{inner: &inner{1, 2}}
	w.walk(5)
	var v valuer = &outer{inner: &inner{1, 2}}
	v.value()
	f := (&inner{1, 2}).walk
	callBack(func() { f(0) })
	deferred()
	sortSite()
	template.Must(template.New("t").Parse("{{.Call}}")).Execute(new(strings.Builder), templateArg{})
	done := make(chan bool)
	go func() {
		record("goroutine")
		close(done)
	}()
	<-done
}

type rtype struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	Addr uint64 `json:"addr"`
}

func word(v interface{}) uint64 { return uint64((*[2]uintptr)(unsafe.Pointer(&v))[0]) }

type named []map[string]*outer

func types() {
	for _, v := range []interface{}{
		1, "s", []byte{}, [3]int{}, map[string]int{}, map[outer][]string{}, &outer{}, outer{},
		struct {
			A int `json:"a"`
			b string
		}{}, func(int, ...string) error { return nil }, make(chan int), make(<-chan *outer),
		named{}, &named{}, node[string, int]{}, &node[outer, map[string]int]{}, os.Stdin,
		new(interface{}), new(error), new(walker), template.FuncMap{}, &template.Template{}, complex(1, 2),
		unsafe.Pointer(nil), uintptr(1), reflect.Value{}, [0]struct{}{}, &[]**int{}, runtime.MemStats{},
	} {
		out.Encode(rtype{"type", reflect.TypeOf(v).String(), word(v)})
	}
	made := reflect.New(reflect.ArrayOf(7, reflect.TypeOf(outer{}))).Elem().Interface()
	out.Encode(rtype{"madetype", reflect.TypeOf(made).String(), word(made)})
}

type function struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	Addr uint64 `json:"addr"`
}

func main() {
	for _, f := range []interface{}{main, record, stacks, types, fmt.Sprintf, strings.Index} {
		pc := reflect.ValueOf(f).Pointer()
		out.Encode(function{"func", runtime.FuncForPC(pc).Name(), uint64(pc)})
	}
	if cgoTwice != nil && cgoTwice(21) != 42 {
		os.Exit(1)
	}
	stacks()
	types()
}
