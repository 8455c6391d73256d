// SPDX-License-Identifier: BSD-2-Clause

package main

import "reflect"

var (
	tNode   = reflect.TypeOf(node{})
	tVector = reflect.TypeOf(vector{})
	tPair   = reflect.TypeOf(pair{})
)

func scans(t reflect.Type) object { return object{t.String(), t.Size(), true} }
func flat(t reflect.Type) object  { return object{t.String(), t.Size(), false} }
func raw(size uintptr) object     { return object{"", size, false} }

// The tables: what each site of sites.go allocates, and the operations that run them.

var sites = []site{
	{"init", objects(scans(tNode))},
	{"new", objects(scans(tNode))},
	{"literal", objects(flat(tVector))},
	{"make noscan", objects(object{"int", 800, false})},
	{"make scan", objects(object{"*main.node", 800, true})},
	{"make variable", objects(object{"main.vector", 5 * 24, false})},
	{"make large", objects(object{"uint8", 100000, false})},
	{"clone", objects(object{"*main.node", 512, true})},
	{"append noscan", objects(raw(0))},
	{"append scan", objects(object{"*main.node", 0, true})},
	{"concat", objects(raw(50))},
	{"concat tiny", objects(raw(10))},
	{"string to bytes", objects(raw(43))},
	{"bytes to string", objects(raw(20))},
	{"bytes to string tiny", objects(raw(5))},
	{"closure", objects(object{"struct { F uintptr;*", 24, true})},
	{"interface of a struct", objects(scans(tPair))},
	{"interface of a struct without pointers", objects(flat(tVector))},
	{"interface of an int", objects(object{"runtime.uint64InterfacePtr", 8, false})}, // convT64's own
	{"interface of a string", objects(object{"runtime.stringInterfacePtr", 16, true})},
	{"interface of a slice", objects(object{"runtime.sliceInterfacePtr", 24, true})},
	{"method value", objects(object{"struct { F uintptr;*", 32, true})},
	{"map", objects(object{mapType(), 48, true})},
	{"map's first key", objects(object{"*", 144, false})}, // a bucket, or a group
	{"chan noscan", objects(raw(chanSize() + 128))},
	{"chan scan", objects(object{"runtime.hchan", chanSize(), true}, object{"*main.node", 128, true})},
	{"box", objects(object{"main.box[go.shape.int*", 16, true})}, // the code is shared: so is the type
	{"box of pointers", objects(object{"main.box[go.shape.*uint8*", 16, true})},
	{"inlined", objects(scans(tNode))},
	{"inlined twice", objects(scans(tNode))},
	{"deep 20", objects(scans(tNode))},
	{"deep 100", objects(scans(tNode))},
	{"deep 300", objects(scans(tNode))},
	{"zigzag", objects(scans(tNode))},
	{"behind a wrapper", objects(flat(tVector))},
	{"deferred", objects(scans(tNode))},
	{"while panicking", objects(flat(tVector))},
	{"while handling a fault", objects(flat(tVector))},
	{"through reflect", objects(scans(tNode))},
}

var ops = []op{
	{name: "new", run: (*worker).newNode},
	{name: "literal", run: (*worker).literal},
	{name: "make noscan", run: (*worker).makeInts},
	{name: "make scan", run: (*worker).makeNodes},
	{name: "make variable", run: (*worker).makeVariable},
	{name: "make large", run: (*worker).makeLarge},
	{name: "clone", run: (*worker).clone},
	{name: "append noscan", run: (*worker).appendInts},
	{name: "append scan", run: (*worker).appendNodes},
	{name: "concat", run: (*worker).concat},
	{name: "concat tiny", run: (*worker).concatTiny},
	{name: "string to bytes", run: (*worker).toBytes},
	{name: "bytes to string", run: (*worker).toString},
	{name: "bytes to string tiny", run: (*worker).toStringTiny},
	{name: "closure", run: (*worker).closure},
	{name: "interface of a struct", run: (*worker).convStruct},
	{name: "interface of a struct without pointers", run: (*worker).convVector},
	{name: "interface of an int", run: (*worker).convInt},
	{name: "interface of a string", run: (*worker).convString},
	{name: "interface of a slice", run: (*worker).convSlice},
	{name: "method value", run: (*worker).methodValue},
	{name: "map", run: (*worker).makeMap},
	{name: "chan", run: (*worker).makeChans},
	{name: "box", run: (*worker).pushBoxes},
	{name: "inlined", run: (*worker).inlined},
	{name: "inlined twice", run: (*worker).inlinedTwice},
	{name: "deep 20", run: func(w *worker, i int) { w.mix(w.deep("deep 20", 20) + i) }},
	{name: "deep 100", run: func(w *worker, i int) { w.mix(w.deep("deep 100", 100) + i) }},
	{name: "deep 300", run: func(w *worker, i int) { w.mix(w.deep("deep 300", 300) + i) }},
	{name: "zigzag", run: func(w *worker, i int) { w.mix(w.zig(30) + i) }},
	{name: "interface to a value", run: func(w *worker, i int) { throughInterface(&someValue, w, i) }},
	{name: "interface to an embedded value", run: func(w *worker, i int) { throughInterface(&somePromoted, w, i) }},
	{name: "deferred", run: (*worker).deferred},
	{name: "deferred call", run: (*worker).deferredCall},
	{name: "while panicking", run: (*worker).panicking},
	{name: "while handling a fault", run: (*worker).dereferencing},
	{name: "through reflect", run: (*worker).throughReflect, loose: true},
}

func objects(o ...object) []object { return o }

func mapType() string {
	if goMinor >= 24 {
		return "maps.Map"
	}
	return "runtime.hmap"
}

// A channel's header, without its buffer (runtime/chan.go).
func chanSize() uintptr {
	switch {
	case goMinor >= 25:
		return 112
	case goMinor >= 23:
		return 104
	}
	return 96
}

// Objects of all kinds of sizes, with and without pointers, around the borders of the size classes.
// They share one line: they differ only in type.
func init() {
	addGeneric[[1]byte]("[1]uint8", false)
	addGeneric[[7]byte]("[7]uint8", false)
	addGeneric[[8]byte]("[8]uint8", false)
	addGeneric[[15]byte]("[15]uint8", false)
	addGeneric[[16]byte]("[16]uint8", false)
	addGeneric[[17]byte]("[17]uint8", false)
	addGeneric[[79]byte]("[79]uint8", false)
	addGeneric[[80]byte]("[80]uint8", false)
	addGeneric[[81]byte]("[81]uint8", false)
	addGeneric[[512]byte]("[512]uint8", false)
	addGeneric[[513]byte]("[513]uint8", false)
	addGeneric[[1024]byte]("[1024]uint8", false)
	addGeneric[[1025]byte]("[1025]uint8", false)
	addGeneric[[8193]byte]("[8193]uint8", false)
	addGeneric[[32760]byte]("[32760]uint8", false)
	addGeneric[[32761]byte]("[32761]uint8", false)
	addGeneric[[32768]byte]("[32768]uint8", false)
	addGeneric[[32769]byte]("[32769]uint8", false)
	addGeneric[[1]*int]("[1]*int", true)
	addGeneric[[2]*int]("[2]*int", true)
	addGeneric[[9]*int]("[9]*int", true)
	addGeneric[[10]*int]("[10]*int", true)
	addGeneric[[11]*int]("[11]*int", true)
	addGeneric[[63]*int]("[63]*int", true)
	addGeneric[[64]*int]("[64]*int", true)
	addGeneric[[65]*int]("[65]*int", true)
	addGeneric[[127]*int]("[127]*int", true)
	addGeneric[[128]*int]("[128]*int", true)
	addGeneric[[1024]*int]("[1024]*int", true)
	addGeneric[[4095]*int]("[4095]*int", true)
	addGeneric[[4096]*int]("[4096]*int", true)
	addGeneric[[4097]*int]("[4097]*int", true)
	addGeneric[box[pair]]("main.box[main.pair]", true)
	addGeneric[map[string]int]("map[string]int", true)
	addGeneric[func(int) error]("func(int) error", true)
	addGeneric[struct{ a, b, c string }]("struct { a string; b string; c string }", true)
}

func shapeOf(t reflect.Type) string {
	switch t {
	case reflect.TypeOf(box[pair]{}):
		return "struct { main.item main.pair; main.next *main.box[main.pair] }"
	case reflect.TypeOf(struct{ a, b, c string }{}):
		return "struct { main.a string; main.b string; main.c string }"
	}
	return t.String()
}

func addGeneric[T any](typ string, scan bool) {
	t := reflect.TypeOf((*T)(nil)).Elem()
	if t.String() != typ {
		panic("type '" + t.String() + "' is not '" + typ + "'")
	}
	name := "generic " + typ
	if goMinor < 21 { // the runtime is told the shape's name
		typ = "go.shape." + shapeOf(t) + "_0"
	}
	sites = append(sites, site{name, objects(object{typ, t.Size(), scan})})
	ops = append(ops, op{name: name, run: func(w *worker, i int) { newGeneric[T](w, name); w.mix(i) }})
}
