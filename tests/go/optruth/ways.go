// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"encoding/base64"
	"strings"
)

// Ways: what a function is, and how it is called.

type counter struct{ n int }

//go:noinline
func (c *counter) grow(i int) {
	grow()
	c.n += i
}

type value struct{ a, b, c int }

// Called through a pointer or an interface there is a wrapper around it.
//
//go:noinline
func (v value) grow(i int) {
	growBy(2)
	total += v.a + i
}

// Grow of an embedded pointer is a jump to that method.
type embeds struct{ *counter }

type grower interface{ grow(i int) }

//go:noinline
func closureMaker(node *node) func(i int) {
	return func(i int) {
		growBy(3)
		total += node.n + i
	}
}

//go:noinline
func throughValue(i int) { growBy(throughValueObjects(i)) }

func throughValueObjects(i int) int { return i % 5 }

// Inlined where it is called by its name.
func inlinedToo(i int) { kept.node = &node{n: i} }

func inlinedAlways(i int) { total += i }

//go:noinline
func callsInlined(i int) {
	inlinedToo(i)
	inlinedAlways(i)
	inlinedToo(i)
}

//go:noinline
func generic[T any](i int, item T) (T, int) {
	growBy(2)
	return item, i
}

type box[T any] struct {
	item T
	n    int
}

//go:noinline
func (b *box[T]) push(i int, item T) {
	grow()
	b.item, b.n = item, i
}

//go:noinline
func deferred(i int) { growBy(4) }

//go:noinline
func defers(i int) {
	defer deferred(i)
	grow()
}

// The first function of a goroutine.
//
//go:noinline
func first() {
	growBy(2)
	done <- true // there is room in the channel
}

// Its frame is so large that the stack of a new goroutine must grow first.
//
//go:noinline
func huge(i int) {
	var table [1000]int
	fill(&table, i)
	grow()
	total += table[i%1000]
}

//go:noinline
func fill(table *[1000]int, i int) { table[i%1000] = i }

// Called at every depth of a new stack, it is at some the one for which that must grow.
//
//go:noinline
func edge(i int) { grow() }

// No stack check; a frame as there are locals in memory.
//
//go:nosplit
//go:noinline
func nosplit(i int) int {
	var table [8]int
	for n := range table {
		table[(n+i)&7] = n
	}
	return table[i&7]
}

//go:noinline
func namedResults(i int) (n int, err error) {
	defer func() { n++ }()
	grow()
	return i, nil
}

// More defers than can be known when it is compiled, and several ways out.
//
//go:noinline
func manyExits(i int) (n int) {
	for d := 0; d < 3; d++ {
		defer grow()
	}
	switch i % 4 {
	case 0:
		return 1
	case 1:
		grow()
		return leaf(i)
	case 2:
		return leaf(leaf(i))
	}
	growBy(2)
	return n
}

func manyExitsObjects(i int) int { return 3 + [...]int{0, 1, 0, 2}[i%4] }

// Arguments and results on the stack.
//
//go:noinline
func manyArguments(a, b, c, d, e, f, g, h, i, j, k, l int, s, t, u string) (v, w, x, y, z int, all string) {
	grow()
	return a + b + c, d + e + f, g + h + i, j + k, l, s
}

var (
	aCounter  counter
	aValue    = value{1, 2, 3}
	aClosure  = closureMaker(&node{})
	aFunction = throughValue
	notCalled = inlinedToo // but by its value
	growers   = [...]grower{&aCounter, &aValue, embeds{&aCounter}, &embeds{&aCounter}}
	ints      box[int]
	strs      box[string]
	someBytes = make([]byte, 60)
)

var ways = []phase{
	{runs: 50, run: aCounter.grow, parts: []part{returning("main.(*counter).grow", 1)}},
	{runs: 50, run: func(i int) { aValue.grow(i) }, parts: []part{returning("main.value.grow", 2)}},
	{runs: 50, run: func(i int) { growers[0].grow(i) }, parts: []part{returning("main.(*counter).grow", 1)}},
	{runs: 50, run: func(i int) { growers[1].grow(i) }, parts: []part{returning("main.value.grow", 2)}},
	{runs: 50, run: func(i int) { growers[2+i%2].grow(i) }, parts: []part{returning("main.(*counter).grow", 1)}},
	{runs: 50, run: aClosure, parts: []part{returning("main.closureMaker.func1", 3)}},
	{runs: 50, run: aFunction, parts: []part{varying("main.throughValue", throughValueObjects)}},
	{runs: 50, apart: 2, run: func(i int) {
		notCalled(i)
		callsInlined(i)
	}, parts: []part{returning("main.inlinedToo", 1)}},
	{runs: 50, run: func(i int) {
		generic(i, 1)
		generic(i, "text")
		generic(i, &aCounter)
	}, parts: []part{calls("main.generic[...]", 3, returns, 2)}},
	{runs: 50, run: func(i int) {
		ints.push(i, i)
		strs.push(i, "text")
	}, parts: []part{calls("main.(*box[...]).push", 2, returns, 1)}},
	{runs: 50, apart: 1, run: defers, parts: []part{returning("main.deferred", 4)}},
	{runs: 50, run: func(int) { onNewGoroutine(first) }, parts: []part{returning("main.first", 2)}},
	{runs: 50, run: func(i int) { apart(huge, 0, i) }, parts: []part{returning("main.huge", 1)}},
	{runs: 300, run: func(i int) { apart(edge, i%300, i) }, parts: []part{returning("main.edge", 1)}},
	{runs: 50, run: func(i int) { total += nosplit(i) }, parts: []part{returning("main.nosplit", 0)}},
	{runs: 50, run: func(i int) { namedResults(i) }, parts: []part{returning("main.namedResults", 1)}},
	{runs: 100, run: func(i int) { manyExits(i) }, parts: []part{varying("main.manyExits", manyExitsObjects)}},
	{runs: 50, run: func(i int) { manyArguments(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, i, "", "", "") }, parts: []part{
		returning("main.manyArguments", 1),
	}},
	{runs: 50, run: func(i int) { kept.text = strings.Repeat(longText, 20) }, sizes: alike, parts: []part{
		returning("strings.Repeat", 1),
	}},
	{runs: 50, run: func(i int) { kept.text = base64.StdEncoding.EncodeToString(someBytes) }, sizes: alike, parts: []part{
		returning("encoding/base64.(*Encoding).EncodeToString", 2),
	}},
}
