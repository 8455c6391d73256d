// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"reflect"
	"sync/atomic"
)

// The sites: everything that is allocated on a line of this file is counted there, object by object.
// A tracer must show exactly these stacks with a leaf in this file, and no other.

// An object as the runtime is asked for it. The type is what mallocgc is told: the element type for
// make([]T, n), none ("") for pointer-free memory of strings and of growing slices.
type object struct {
	typ  string
	size uintptr
	scan bool // it holds pointers
}

// A site by its name, and what one operation of it allocates.
type site struct {
	name    string
	objects []object
}

func siteNamed(name string) *site {
	for i := range sites {
		if sites[i].name == name {
			return &sites[i]
		}
	}
	panic("no site '" + name + "' in the table")
}

// An op runs sites.
type op struct {
	name  string
	run   func(w *worker, i int)
	loose bool // it also allocates elsewhere
	tiny  bool // it makes tiny objects: found when calibrating
}

func (o object) tiny() bool { return !o.scan && o.size < 16 }

// Bytes of the object: of its slot, but for a tiny object, which shares one, what was asked for.
func (o object) bytes() uint64 {
	if o.tiny() {
		return uint64(o.size)
	}
	return slot(o.size, o.scan)
}

// Size classes: the same table in all versions (runtime/sizeclasses.go).
var classes = [...]uint16{8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320,
	352, 384, 416, 448, 480, 512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2688,
	3072, 3200, 3456, 4096, 4864, 5120, 5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728, 10240, 10880, 12288, 13568,
	14336, 16384, 18432, 19072, 20480, 21760, 24576, 27264, 28672, 32768}

// Slot says how many bytes the runtime takes for an object. From 1.22 on objects with pointers that
// are over 512 bytes have a header of 8, and those over 32760 are large (runtime/malloc.go, msize.go).
func slot(size uintptr, scan bool) uint64 {
	if size == 0 {
		return 0
	}
	limit := uintptr(32768)
	if goMinor >= 22 {
		limit -= 8
	}
	if size > limit {
		return uint64((size + 8191) &^ 8191)
	}
	if goMinor >= 22 && scan && size > 512 {
		size += 8
	}
	for _, c := range classes {
		if size <= uintptr(c) {
			return uint64(c)
		}
	}
	panic("no class")
}

// --- what is allocated ---

type node struct {
	next *node
	val  int
}

type vector struct{ x, y, z int }

type pair struct{ a, b *int }

type box[T any] struct {
	item T
	next *box[T]
}

type allocator interface{ alloc(w *worker, i int) }

// Calling byValue's method through an interface that holds a pointer goes through a generated wrapper.
type byValue struct{ a, b, c int }

// And this method is promoted through a generated one.
type promoted struct {
	pad int
	byValue
}

// Written by all, from C too.
var foreign atomic.Value

type sink struct {
	node        *node
	vector      *vector
	iface       interface{}
	ints        []int
	nodes       []*node
	vectors     []vector
	bytes       []byte
	str         string
	a, b        string
	fn          func() int
	method      func(w *worker, i int)
	m           map[int]int
	chInt       chan int
	chNode      chan *node
	growing     *place
	growingElem int
	recovered   interface{}
	call        reflect.Value // of reflected()
	boxes       *box[int]
	boxed       *box[*node]
}

// Counted here so that what happens before main() is seen too.
func init() {
	boot.last, boot.node = boot.at("init"), new(node)
}

//go:noinline
func (w *worker) newNode(i int) {
	w.last, w.node = w.at("new"), new(node)
	w.node.val = i
	w.mix(w.node.val)
}

//go:noinline
func (w *worker) literal(i int) {
	w.last, w.vector = w.at("literal"), &vector{i, i + 1, i + 2}
	w.mix(w.vector.z)
}

//go:noinline
func (w *worker) makeInts(i int) {
	w.last, w.ints = w.at("make noscan"), make([]int, 100)
	w.ints[99] = i
	w.mix(w.ints[99])
}

//go:noinline
func (w *worker) makeNodes(i int) {
	w.last, w.nodes = w.at("make scan"), make([]*node, 100)
	w.mix(len(w.nodes) + i)
}

// The length is known only when it runs.
//
//go:noinline
func (w *worker) makeVariable(i int) {
	w.last, w.vectors = w.at("make variable"), make([]vector, 5+i*0)
	w.mix(len(w.vectors))
}

//go:noinline
func (w *worker) makeLarge(i int) {
	w.last, w.bytes = w.at("make large"), make([]byte, 100000)
	w.bytes[99999] = byte(i)
	w.mix(int(w.bytes[99999]))
}

//go:noinline
func (w *worker) clone(i int) {
	w.last, w.nodes = w.at("clone"), append([]*node(nil), someNodes[:]...)
	w.mix(len(w.nodes) + i)
}

//go:noinline
func (w *worker) appendInts(i int) {
	w.ints = nil
	for n := 0; n < 300; n++ {
		w.last, w.ints = w.full("append noscan", len(w.ints), cap(w.ints), 8), append(w.ints, n)
		w.grown(cap(w.ints), false)
	}
	w.mix(w.ints[299] + i)
}

//go:noinline
func (w *worker) appendNodes(i int) {
	w.nodes = nil
	for n := 0; n < 300; n++ {
		w.last, w.nodes = w.full("append scan", len(w.nodes), cap(w.nodes), 8), append(w.nodes, nil)
		w.grown(cap(w.nodes), true)
	}
	w.mix(len(w.nodes) + i)
}

//go:noinline
func (w *worker) concat(i int) {
	w.a, w.b = "the first half of a string, ", "and another one of it"
	w.last, w.str = w.at("concat"), w.a+w.b
	w.mix(len(w.str) + i)
}

//go:noinline
func (w *worker) concatTiny(i int) {
	w.a, w.b = "tiny", "string"
	w.last, w.str = w.at("concat tiny"), w.a+w.b
	w.mix(len(w.str) + i)
}

//go:noinline
func (w *worker) toBytes(i int) {
	w.a = "converted from a string to a slice of bytes"
	w.last, w.bytes = w.at("string to bytes"), []byte(w.a)
	w.mix(int(w.bytes[3]) + i)
}

//go:noinline
func (w *worker) toString(i int) {
	w.last, w.str = w.at("bytes to string"), string(someBytes[:])
	w.mix(int(w.str[5]) + i)
}

//go:noinline
func (w *worker) toStringTiny(i int) {
	w.last, w.str = w.at("bytes to string tiny"), string(someBytes[:5])
	w.mix(int(w.str[4]) + i)
}

//go:noinline
func (w *worker) closure(i int) {
	n, p := i, &w.sum
	w.last, w.fn = w.at("closure"), func() int { return n + int(*p&1)*0 }
	w.mix(w.fn())
}

//go:noinline
func (w *worker) convStruct(i int) {
	w.last, w.iface = w.at("interface of a struct"), pair{&w.last, nil}
	w.mix(i)
}

//go:noinline
func (w *worker) convVector(i int) {
	v := vector{i, i, i}
	w.last, w.iface = w.at("interface of a struct without pointers"), v
	w.mix(w.iface.(vector).y)
}

//go:noinline
func (w *worker) convInt(i int) {
	n := i + 1000
	w.last, w.iface = w.at("interface of an int"), n
	w.mix(w.iface.(int))
}

//go:noinline
func (w *worker) convString(i int) {
	w.a = longText
	w.last, w.iface = w.at("interface of a string"), w.a
	w.mix(len(w.iface.(string)) + i)
}

//go:noinline
func (w *worker) convSlice(i int) {
	w.last, w.iface = w.at("interface of a slice"), w.nodes
	w.mix(i)
}

//go:noinline
func (w *worker) makeMap(i int) {
	w.last, w.m = w.at("map"), make(map[int]int)
	w.last, w.m[i] = w.at("map's first key"), i
	w.mix(w.m[i])
}

//go:noinline
func (w *worker) makeChans(i int) {
	w.last, w.chInt = w.at("chan noscan"), make(chan int, 16)
	w.mix(cap(w.chInt))
	w.last, w.chNode = w.at("chan scan"), make(chan *node, 16)
	w.mix(cap(w.chNode) + i)
}

//go:noinline
func newGeneric[T any](w *worker, name string) {
	w.last, w.iface = w.at(name), new(T)
}

//go:noinline
func newBox[T any](w *worker, name string, item T) *box[T] {
	var ret *box[T]
	w.last, ret = w.at(name), &box[T]{item: item}
	return ret
}

//go:noinline
func (b *box[T]) push(w *worker, name string, item T) *box[T] {
	b.next = newBox(w, name, item)
	return b.next
}

//go:noinline
func (w *worker) pushBoxes(i int) {
	w.boxes = newBox(w, "box", i)
	w.boxed = newBox(w, "box of pointers", &someNode)
	w.mix(w.boxes.push(w, "box", i+1).item)
	w.mix(w.boxed.push(w, "box of pointers", nil).item.value())
}

func (n *node) value() int {
	if n == nil {
		return 0
	}
	return n.val
}

// Small enough to be inlined into its callers, and that into theirs.
func (w *worker) inlineMe(name string) { w.last, w.node = w.at(name), new(node) }
func (w *worker) inlineMeToo()         { w.inlineMe("inlined twice") }

//go:noinline
func (w *worker) inlined(i int) {
	w.inlineMe("inlined")
	w.mix(i)
	w.inlineMe("inlined")
}

//go:noinline
func (w *worker) inlinedTwice(i int) {
	w.inlineMeToo()
	w.mix(i)
}

//go:noinline
func (w *worker) deep(name string, depth int) int {
	if depth == 0 {
		w.last, w.node = w.at(name), new(node)
		return 1
	}
	return w.deep(name, depth-1) + 1
}

// Each physical frame holds an inlined one.
//
//go:noinline
func (w *worker) zig(depth int) int {
	if depth == 0 {
		w.inlineMe("zigzag")
		return 0
	}
	return w.zag(depth)
}

func (w *worker) zag(depth int) int { return w.zig(depth-1) + depth }

//go:noinline
func (v byValue) alloc(w *worker, i int) {
	w.last, w.vector = w.at("behind a wrapper"), &vector{v.a, v.b, i}
	w.mix(w.vector.z)
}

//go:noinline
func throughInterface(a allocator, w *worker, i int) { a.alloc(w, i) }

//go:noinline
func (w *worker) methodValue(i int) {
	w.last, w.method = w.at("method value"), someValue.alloc
	w.method(w, i)
}

//go:noinline
func (w *worker) deferred(i int) {
	defer func() {
		w.last, w.node = w.at("deferred"), new(node)
		w.mix(i)
	}()
	w.mix(i + 1)
}

// A deferred call with arguments goes through a generated wrapper (from 1.21 on).
//
//go:noinline
func (w *worker) deferredCall(i int) {
	defer w.newNode(i)
	w.mix(i + 2)
}

//go:noinline
func (w *worker) panicking(i int) {
	defer func() {
		w.last, w.vector = w.at("while panicking"), new(vector)
		w.recovered = recover()
		w.mix(i)
	}()
	panic(w)
}

//go:noinline
func (w *worker) dereferencing(i int) {
	var p *node
	defer func() {
		w.last, w.vector = w.at("while handling a fault"), new(vector)
		w.recovered = recover()
		w.mix(i)
	}()
	w.mix(p.val)
}

//go:noinline
func (w *worker) reflected() { w.last, w.node = w.at("through reflect"), new(node) }

//go:noinline
func (w *worker) throughReflect(i int) {
	w.call.Call(nil)
	w.mix(i)
}

const longText = "a string that is long enough not to be a tiny object"

var (
	someBytes    = [20]byte{'b', 'y', 't', 'e', 's', ' ', 'o', 'f', ' ', 'a', ' ', 's', 'l', 'i', 'c', 'e'}
	someNodes    [64]*node
	someValue    = byValue{1, 2, 3}
	somePromoted promoted
	someNode     node
)
