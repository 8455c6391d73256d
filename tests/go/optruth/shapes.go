// SPDX-License-Identifier: BSD-2-Clause

package main

import "strconv"

// Shapes: what a call allocates.

// A node is what most functions allocate: 32 bytes with pointers, in every version a slot of just that.
type node struct {
	left, right, next *node
	n                 int
}

const nodeSize = 32

type vector struct{ x, y, z float64 }

var (
	kept struct {
		node     *node
		bytes    []byte
		nodes    []*node
		vectors  []vector
		byName   map[string]*node
		byNumber map[int32]int32
		text     string
		fn       func() int
		any      interface{}
		header   *[65]*node
		bare     *[64]*node
	}
	longText  = "a text that is longer than sixteen bytes"
	tinySizes = [...]int{1, 2, 4, 5, 8, 9, 12, 15}
	total     int
)

//go:noinline
func grow() { kept.node = &node{n: total} }

func growBy(n int) {
	for i := 0; i < n; i++ {
		grow()
	}
}

//go:noinline
func leaf(i int) int { return i + 1 }

// A function that calls none needs no frame.
//
//go:noinline
func none(i int) { total += leaf(i) }

//go:noinline
func one(i int) {
	kept.node = &node{n: i}
	total++
}

//go:noinline
func three(i int) {
	kept.node = &node{n: i}
	kept.bytes = make([]byte, 1000)
	kept.nodes = make([]*node, 100)
}

//go:noinline
func hundred(i int) {
	for n := 1; n <= 50; n++ {
		kept.bytes = make([]byte, 16*n+i*0)
		kept.nodes = make([]*node, 3*n+i*0)
	}
}

// The largest with pointers that has no header in any version, and one that has.
//
//go:noinline
func headers(i int) {
	kept.bare = new([64]*node)
	kept.header = new([65]*node)
	kept.header[i%65] = &node{}
}

//go:noinline
func large(i int) {
	kept.bytes = make([]byte, 40000+i*0)
	kept.nodes = make([]*node, 10000+i*0)
}

//go:noinline
func appends(i int) {
	kept.vectors = nil
	for n := 0; n < 100; n++ {
		kept.vectors = append(kept.vectors, vector{float64(i), float64(n), 0})
	}
}

//go:noinline
func maps(i int) {
	kept.byName = map[string]*node{}
	kept.byName["a"] = kept.node
	kept.byName["b"] = kept.node
	kept.byNumber = make(map[int32]int32)
	kept.byNumber[int32(i)] = 1
}

//go:noinline
func texts(i int) {
	kept.text = longText + strconv.Itoa(1000000000000000+i) // the number is a text of its own
	kept.bytes = []byte(kept.text)
	kept.text = string(kept.bytes)
}

//go:noinline
func closures(i int) {
	n := kept.node
	kept.fn = func() int { return n.n + i }
	total += kept.fn()
}

//go:noinline
func interfaces(i int) {
	kept.any = vector{float64(i), 0, 0}
	kept.any = node{n: i}
}

// Those without pointers that are under 16 bytes share a block.
//
//go:noinline
func tiny(i int) {
	for _, size := range tinySizes {
		kept.bytes = make([]byte, size+i*0)
	}
}

//go:noinline
func tinyOne(i int) {
	kept.bytes = make([]byte, 5+i*0)
	total++
}

// Of 16 bytes, which is no tiny one, and a tiny one.
//
//go:noinline
func tinyAndNot(i int) {
	kept.bytes = make([]byte, 16+i*0)
	kept.bytes = make([]byte, 8+i*0)
}

//go:noinline
func conditional(i int) {
	growBy(conditionally(i))
	total++
}

func conditionally(i int) int {
	if i%3 == 0 {
		return 1
	}
	return 0
}

//go:noinline
func uneven(i int) {
	growBy(unevenly(i))
	total++
}

func unevenly(i int) int { return i * 7919 % 101 }

//go:noinline
func recursing(depth int) {
	kept.node = &node{n: depth}
	if depth > 0 {
		recursing(depth - 1)
	}
	total++
}

// Ping and pong call each other: a ping is one of each.
//
//go:noinline
func ping(depth int) {
	kept.node = &node{n: depth}
	if depth > 0 {
		pong(depth - 1)
	}
	total++
}

//go:noinline
func pong(depth int) {
	kept.node = &node{n: -depth}
	if depth > 0 {
		ping(depth - 1)
	}
	total++
}

var shapes = []phase{
	{runs: 100, run: none, parts: []part{returning("main.none", 0)}},
	{runs: 100, run: one, parts: []part{returning("main.one", 1)}},
	{runs: 100, run: three, parts: []part{returning("main.three", 3)}, sizes: alike},
	{runs: 20, run: hundred, parts: []part{returning("main.hundred", 100)}, sizes: alike},
	{runs: 100, run: headers, parts: []part{returning("main.headers", 3)}, sizes: alike},
	{runs: 50, run: large, parts: []part{returning("main.large", 2)}, sizes: alike},
	{runs: 50, run: appends, parts: []part{returning("main.appends", 8)}, sizes: alike},
	{runs: 100, run: maps, parts: []part{returning("main.maps", 4)}, sizes: alike},
	{runs: 100, run: texts, parts: []part{returning("main.texts", 4)}, sizes: alike},
	{runs: 100, run: closures, parts: []part{returning("main.closures", 1)}, sizes: alike},
	{runs: 100, run: interfaces, parts: []part{returning("main.interfaces", 2)}, sizes: alike},
	{runs: 300, run: tiny, parts: []part{returning("main.tiny", 8)}, sizes: tinies},
	{runs: 301, run: tinyOne, parts: []part{returning("main.tinyOne", 1)}, sizes: tinies},
	{runs: 100, run: tinyAndNot, parts: []part{returning("main.tinyAndNot", 2)}, sizes: tinies},
	{runs: 301, run: conditional, parts: []part{varying("main.conditional", conditionally)}},
	{runs: 101, run: uneven, parts: []part{varying("main.uneven", unevenly)}},
	{runs: 30, run: func(int) { recursing(10) }, parts: []part{returning("main.recursing", 11)}},
	{runs: 30, run: func(int) { ping(10) }, parts: []part{returning("main.ping", 11), returning("main.pong", 10)}},
	{runs: 30, run: func(int) { pong(5) }, parts: []part{returning("main.pong", 6), returning("main.ping", 5)}},
}
