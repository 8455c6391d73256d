// SPDX-License-Identifier: BSD-2-Clause

//go:build go1.21

package main

import (
	"math"
	"reflect"
)

//go:noinline
func clearBuiltin(m map[string]*User) {
	v := at(m)
	clear(m)
	v.clearedTo(len(m))
	clear(m) // it is empty
	v.clearedTo(len(m))
	v.done()
}

//go:noinline
func clearNaN(n int) {
	m := map[float64]int{}
	v := at(m)
	v.made()
	for i := 0; i < n; i++ {
		m[math.NaN()] = i
		v.assigned(len(m))
	}
	delete(m, math.NaN())
	v.deletedTo(len(m))
	clear(m)
	v.clearedTo(len(m))
	v.done()
}

//go:noinline
func clearNil(int) {
	var m map[int8]int8
	v := at(m)
	clear(m)
	v.clearedTo(len(m))
	v.done()
}

//go:noinline
func clearByReflect(m map[string]*User) {
	v := at(m)
	reflect.ValueOf(m).Clear()
	v.clearedTo(len(m))
	v.done()
}
