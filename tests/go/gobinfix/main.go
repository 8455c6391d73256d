// SPDX-License-Identifier: BSD-2-Clause

// Gobinfix tells the truth about itself, for the reader of Go executables to be measured against.
//
// It prints lines of tab-separated fields:
//
//	func NAME ADDR          a function, as loaded
//	stack SITE              a stack was taken; its pc and frame lines follow
//	pc ADDR                 as runtime.Callers returns it: a return address, plus one pc per inlined call
//	frame FUNC FILE LINE    as runtime.CallersFrames explains all of them
//	at ADDR FUNC FILE LINE  the innermost frame of an instruction
//	type NAME ADDR          a type of the executable
//	madetype NAME ADDR      a type that reflect made while running
//
// With an argument N it prints an "at" line for every Nth byte of the code instead of the stacks.
package main

import (
	"bufio"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"text/template"
	"unsafe"
)

var cgoTwice func(int) int

var out = bufio.NewWriter(os.Stdout)

// record prints the callers of the site, as raw program counters and as Go explains them.
//
//go:noinline
func record(site string) {
	pcs := make([]uintptr, 64)
	pcs = pcs[:runtime.Callers(1, pcs)]
	fmt.Fprintf(out, "stack\t%s\n", site)
	for _, pc := range pcs {
		fmt.Fprintf(out, "pc\t%d\n", pc)
	}
	it := runtime.CallersFrames(pcs)
	for {
		f, more := it.Next()
		fmt.Fprintf(out, "frame\t%s\t%s\t%d\n", f.Function, f.File, f.Line)
		if !more {
			break
		}
	}
}

// sweep prints what Go says of every step-th byte of the code that entry belongs to, both ways.
func sweep(entry, step uintptr) {
	for _, dir := range []uintptr{step, -step} {
		for pc := entry; runtime.FuncForPC(pc) != nil; pc += dir {
			next := runtime.FuncForPC(pc + 1)
			if next == nil || next.Entry() != runtime.FuncForPC(pc).Entry() {
				continue
			}
			// CallersFrames takes return addresses, and looks at the byte before.
			f, _ := runtime.CallersFrames([]uintptr{pc + 1}).Next()
			fmt.Fprintf(out, "at\t%d\t%s\t%s\t%d\n", pc, f.Function, f.File, f.Line)
		}
	}
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
		fmt.Fprintf(out, "type\t%s\t%d\n", reflect.TypeOf(v), word(v))
	}
	made := reflect.New(reflect.ArrayOf(7, reflect.TypeOf(outer{}))).Elem().Interface()
	fmt.Fprintf(out, "madetype\t%s\t%d\n", reflect.TypeOf(made), word(made))
}

func main() {
	defer out.Flush()
	entry := reflect.ValueOf(main).Pointer()
	for _, f := range []interface{}{main, record, stacks, types, fmt.Sprintf, strings.Index} {
		pc := reflect.ValueOf(f).Pointer()
		fmt.Fprintf(out, "func\t%s\t%d\n", runtime.FuncForPC(pc).Name(), pc)
	}
	if cgoTwice != nil && cgoTwice(21) != 42 {
		os.Exit(1)
	}
	if len(os.Args) > 1 {
		step, _ := strconv.Atoi(os.Args[1])
		sweep(entry, uintptr(step))
		return
	}
	stacks()
	types()
}
